//! Error output: a message, hints where they help, and the exit code.

use std::process::ExitCode;

use clap::error::ErrorKind;
use orderseal::protocol::Error;
use orderseal::protocol::model::{BatchFault, ExchangeFault, Place};
use serde_json::{Value, json};

use super::hints::hints;
use super::ui;

/// Prints an error, in words or as JSON, and chooses the exit code.
pub fn report(error: &Error, as_json: bool) -> ExitCode {
    let (code, hints) = (code(error), hints(error));
    if as_json {
        let place = place(error);
        print_json(&json!({
            "kind": kind(error),
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

/// Returns the exit code of an error.
fn code(error: &Error) -> u8 {
    match error {
        Error::Usage(_) | Error::Caller(_) | Error::KeyFileFull { .. } => 2,
        Error::Misread { .. } | Error::Malformed { .. } | Error::Unexpected { .. } => 3,
        Error::Key { .. } => 4,
        Error::Batch { fault: BatchFault::Repeated(_), .. } => 7,
        Error::Authentication(_) | Error::NotDecrypted { .. } | Error::Batch { .. } => 5,
        Error::SomeFailed { .. } => 6,
        Error::Reused { .. } => 7,
        Error::NotHeld { .. } => 8,
        Error::Slower { .. } => 9,
        Error::Spending { source, .. } | Error::NotSent { source, .. } => code(source),
        Error::Exchange { fault, .. } => exchange_code(fault),
        Error::Stopped => super::signals::exit_code(),
        Error::Io { .. }
        | Error::Random(_)
        | Error::Thread(_)
        | Error::ClosedPipe { .. }
        | Error::Changed { .. }
        | Error::Undelivered { .. }
        | Error::Unsettled { .. }
        | Error::Unrecorded { .. }
        | Error::Unpublished { .. }
        | Error::NotErased { .. } => 1,
    }
}

/// Returns the exit code of a failed exchange with a server.
fn exchange_code(fault: &ExchangeFault) -> u8 {
    match fault {
        ExchangeFault::PlainHttp => 2,
        ExchangeFault::Program(_) | ExchangeFault::OtherKey => 5,
        ExchangeFault::Unreachable(_)
        | ExchangeFault::NoAnswer(_)
        | ExchangeFault::Refused(_)
        | ExchangeFault::Redirect(_)
        | ExchangeFault::TooLong(_)
        | ExchangeFault::Unexpected { .. }
        | ExchangeFault::TooFew { .. }
        | ExchangeFault::NoTls => 1,
    }
}

/// Returns the kind of an error for `--json`.
pub fn kind(error: &Error) -> &'static str {
    match error {
        Error::Usage(_) | Error::Caller(_) | Error::KeyFileFull { .. } => "usage",
        Error::Misread { .. } | Error::Malformed { .. } | Error::Unexpected { .. } => "malformed",
        Error::Key { .. } => "key",
        Error::Authentication(_) | Error::NotDecrypted { .. } => "authentication",
        Error::Batch { fault, .. } => batch_kind(fault),
        Error::SomeFailed { .. } => "some-failed",
        Error::NotHeld { .. } => "not-held",
        Error::Slower { .. } => "slower",
        Error::Reused { found, .. } => found.kind(),
        Error::Stopped => "stopped",
        Error::ClosedPipe { .. } => "closed-pipe",
        Error::Spending { source, .. }
        | Error::NotSent { source, .. }
        | Error::Changed { source, .. }
        | Error::Undelivered { source, .. }
        | Error::Unsettled { source, .. }
        | Error::Unrecorded { source, .. }
        | Error::NotErased { source, .. } => kind(source),
        Error::Exchange { fault, .. } => exchange_kind(fault),
        Error::Io { .. } | Error::Random(_) | Error::Thread(_) | Error::Unpublished { .. } => {
            "system"
        }
    }
}

/// Returns the kind of a failed exchange with a server.
fn exchange_kind(fault: &ExchangeFault) -> &'static str {
    match fault {
        ExchangeFault::PlainHttp => "usage",
        ExchangeFault::Program(_) | ExchangeFault::OtherKey => "authentication",
        ExchangeFault::Refused(_) => "refused",
        ExchangeFault::Unreachable(_)
        | ExchangeFault::NoAnswer(_)
        | ExchangeFault::Redirect(_)
        | ExchangeFault::TooLong(_)
        | ExchangeFault::Unexpected { .. }
        | ExchangeFault::TooFew { .. }
        | ExchangeFault::NoTls => "server",
    }
}

/// Returns the kind of a fault of a signed batch.
pub fn batch_kind(fault: &BatchFault) -> &'static str {
    match fault {
        BatchFault::Repeated(_) => "repeat",
        BatchFault::NoBatch
        | BatchFault::Unsigned
        | BatchFault::UnknownSender(_)
        | BatchFault::CutOff(_)
        | BatchFault::Mixed(_)
        | BatchFault::Order { .. }
        | BatchFault::TakenOver { .. }
        | BatchFault::OtherManifest
        | BatchFault::Count { .. }
        | BatchFault::Changed
        | BatchFault::Shop(_)
        | BatchFault::Manifest(_) => "batch",
    }
}

/// Returns the place of the error in the input, if it has one.
pub fn place(error: &Error) -> Option<&Place> {
    match error {
        Error::Misread { place, .. }
        | Error::Malformed { place, .. }
        | Error::Unexpected { place, .. }
        | Error::Key { place, .. }
        | Error::KeyFileFull { place, .. }
        | Error::Reused { place, .. }
        | Error::NotDecrypted { place, .. }
        | Error::Batch { place, .. }
        | Error::Authentication(place) => Some(place),
        Error::Spending { source, .. }
        | Error::NotSent { source, .. }
        | Error::Changed { source, .. }
        | Error::Undelivered { source, .. }
        | Error::Unsettled { source, .. }
        | Error::Unrecorded { source, .. }
        | Error::NotErased { source, .. } => place(source),
        Error::Exchange { place, .. } => place.as_ref(),
        Error::Usage(_)
        | Error::Caller(_)
        | Error::Io { .. }
        | Error::Random(_)
        | Error::Thread(_)
        | Error::ClosedPipe { .. }
        | Error::SomeFailed { .. }
        | Error::NotHeld { .. }
        | Error::Slower { .. }
        | Error::Stopped
        | Error::Unpublished { .. } => None,
    }
}
