//! Error output: a message, hints where they help, and the exit code.

use std::process::ExitCode;

use clap::error::ErrorKind;
use orderseal::protocol::Error;
use serde_json::{Value, json};

use super::diagnosis::{Diagnosis, diagnose};
use super::ui;

/// Prints an error, in words or as JSON, and chooses the exit code.
pub fn report(error: &Error, as_json: bool) -> ExitCode {
    let Diagnosis { code, kind, place, hints } = diagnose(error);
    if as_json {
        print_json(&json!({
            "kind": kind,
            "code": code,
            "message": error.to_string(),
            "hints": hints,
            "file": place.map(|place| &place.file),
            "line": place.and_then(|place| place.line),
        }));
    } else {
        print_words(&error.to_string(), &hints);
    }
    ExitCode::from(code)
}

fn print_words(message: &str, hints: &[String]) {
    ui::say_error(message);
    for hint in hints {
        ui::say_hint(hint);
    }
}

fn print_json(error: &Value) {
    ui::say(ui::json_line(&json!({ "error": error })).trim_end());
}

/// Prints the argument parser's result: help to stdout, anything else as an error.
pub fn report_usage(found: &clap::Error, as_json: bool) -> ExitCode {
    let text = found.render();
    if !found.use_stderr() {
        let text = match ui::is_coloured(&std::io::stdout()) {
            true => text.ansi().to_string(),
            false => text.to_string(),
        };
        return match ui::print(&text) {
            Ok(()) | Err(Error::ClosedPipe { .. }) => ExitCode::SUCCESS,
            Err(error) => report(&error, as_json),
        };
    }
    let text = text.to_string();
    if found.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        ui::say_lines(text.trim_end());
        return ExitCode::from(2);
    }
    let (message, mut hints) = words_of(found);
    hints.push("see --help".to_owned());
    match as_json {
        true => {
            print_json(&json!({ "kind": "usage", "code": 2, "message": message, "hints": hints }))
        }
        false => print_words(&message, &hints),
    }
    ExitCode::from(2)
}

/// Returns the argument parser's error in words, and its tips.
pub fn words_of(found: &clap::Error) -> (String, Vec<String>) {
    let text = found.render().to_string();
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = on_one_line(message.strip_prefix("error: ").unwrap_or(message));
    let tips = rest.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    (message, tips.map(str::to_owned).collect())
}

/// Joins several lines into one.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
