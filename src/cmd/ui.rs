//! Terminal output other than data: progress, summaries, warnings.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::roles::client::Totals;
use orderseal::protocol::store::files::Output;
use orderseal::protocol::{Error, Result};
use serde_json::Value;

use super::Global;

/// A progress bar on stderr if it is a terminal, and a summary at the end.
pub struct Progress {
    /// The bar, if shown. Even a hidden one has a hash table, which panics without random numbers.
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Progress {
    /// Shows progress in bytes of an input, whose size may be unknown. Shows nothing if data goes
    /// to a terminal.
    pub fn bytes(global: &Global, size: Option<u64>, output: Option<&Output>) -> Self {
        let template = match size {
            Some(_) => "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} eta {eta}",
            None => "{spinner} {bytes} {bytes_per_sec} {msg}",
        };
        let shown = !output.is_some_and(Output::is_terminal);
        Self::new(global, size, template, shown)
    }

    /// Shows progress in items of a known number.
    pub fn count(global: &Global, count: u64) -> Self {
        Self::new(global, Some(count), "{bar:30} {pos}/{len} {per_sec} eta {eta}", true)
    }

    fn new(global: &Global, len: Option<u64>, template: &str, shown: bool) -> Self {
        let shown = shown && !global.quiet && stderr().is_terminal();
        let shown = shown && SystemSource::new().is_ok();
        let bar = shown.then(|| {
            let bar = match len {
                Some(len) => ProgressBar::new(len),
                None => ProgressBar::new_spinner(),
            };
            let style = ProgressStyle::with_template(template).expect("the templates are valid");
            bar.set_style(style.progress_chars("=> "));
            bar
        });
        Self { bar, started: Instant::now() }
    }

    /// Advances by one.
    pub fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Sets the count.
    pub fn reach(&self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(count);
        }
    }

    /// Sets the number of bytes read, and shows the rate of orders.
    pub fn update(&self, totals: &Totals) {
        if let Some(bar) = &self.bar {
            bar.set_position(totals.read);
            let rate = totals.orders as f64 / self.elapsed().as_secs_f64();
            bar.set_message(format!("{} orders/s", HumanCount(rate as u64)));
        }
    }

    /// Sets the number of bytes read.
    pub fn update_bytes(&self, totals: &Totals) {
        self.reach(totals.read);
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed().max(Duration::from_nanos(1))
    }

    /// Removes the bar and prints a summary.
    pub fn finish(&self, summary: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            if !summary.is_empty() {
                say(summary);
            }
        }
    }

    /// Removes the bar and prints what was done to how many bytes.
    pub fn finish_bytes(&self, done: &str, totals: &Totals) {
        let seconds = self.elapsed().as_secs_f64();
        self.finish(&format!(
            "{done} {} to {} in {seconds:.2} s: {}/s",
            HumanBytes(totals.read),
            HumanBytes(totals.written),
            HumanBytes((totals.read as f64 / seconds) as u64)
        ));
    }

    /// Removes the bar and prints what was done to how many orders.
    pub fn finish_orders(&self, done: &str, totals: &Totals) {
        let elapsed = self.elapsed();
        let rate = totals.orders as f64 / elapsed.as_secs_f64();
        self.finish(&format!(
            "{done} {}, {} to {}, in {:.2} s: {} orders/s",
            counted(totals.orders, "order"),
            HumanBytes(totals.read),
            HumanBytes(totals.written),
            elapsed.as_secs_f64(),
            HumanCount(rate as u64)
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish("");
    }
}

/// Formats a count with its noun: `1 order`, `20,000 orders`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", HumanCount(count), if count == 1 { "" } else { "s" })
}

/// Prints a warning to stderr.
pub fn warn(global: &Global, warning: &str) {
    if !global.quiet {
        say_as("warning", AnsiColor::Yellow, warning);
    }
}

/// Prints a note to stderr, unless the user wants none.
pub fn note(global: &Global, note: &str) {
    if !global.quiet {
        say_as("note", AnsiColor::Cyan, note);
    }
}

/// Prints an error to stderr.
pub fn say_error(error: &str) {
    say_as("error", AnsiColor::Red, error);
}

/// Prints a hint to stderr.
pub fn say_hint(hint: &str) {
    say_as("hint", AnsiColor::Cyan, hint);
}

/// Prints a message to stderr, with its kind in colour if enabled.
fn say_as(kind: &str, colour: AnsiColor, message: &str) {
    let style = match is_coloured(&stderr()) {
        true => colour.on_default().bold(),
        false => Style::new(),
    };
    let line = format!("orderseal: {style}{kind}:{style:#} {}\n", escaped(message));
    let _ = stderr().write_all(line.as_bytes());
}

/// Whether to use colours on a stream, given `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM` and
/// whether it is a terminal.
pub fn is_coloured<S: RawStream>(stream: &S) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// Prints a line to stderr, [`escaped`] for the terminal; write errors are ignored.
pub fn say(words: &str) {
    // At once: other threads and processes may write to it.
    let _ = stderr().write_all(format!("{}\n", escaped(words)).as_bytes());
}

/// Prints lines to stderr, each as [`say`] does.
pub fn say_lines(text: &str) {
    text.lines().for_each(say);
}

/// Escapes text for a terminal: every character that would control it, show nothing or change the
/// display order. Text from files, arguments and headers must be escaped before it is printed,
/// except as JSON, for which there is [`json_line`].
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match is_deceptive(character) {
            true => safe.extend(character.escape_default()),
            false => safe.push(character),
        }
    }
    safe
}

/// Formats JSON on one line, with the same characters as in [`escaped`] escaped as JSON escapes.
pub fn json_line(value: &Value) -> String {
    let mut safe = String::new();
    for character in value.to_string().chars() {
        match is_deceptive(character) {
            true => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units).iter();
                safe.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
            false => safe.push(character),
        }
    }
    safe.push('\n');
    safe
}

/// Whether a character is a control (Cc), has no width, separates lines or paragraphs, controls
/// direction (Unicode Standard Annex #9 section 2), annotates or tags.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Prints text to stdout.
///
/// # Errors
/// [`Error::Io`], or [`Error::ClosedPipe`] if the reader closed the pipe.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::io("stdout", "cannot write", error))
}

/// Prints a report to stdout, or to stderr if stdout carries data. A closed pipe is not an error,
/// since the reported work is done.
pub fn print_report(report: &Value, stdout_has_data: bool) -> Result<()> {
    let line = json_line(report);
    if stdout_has_data {
        say(line.trim_end());
        return Ok(());
    }
    match print(&line) {
        Err(Error::ClosedPipe { .. }) => Ok(()),
        printed => printed,
    }
}

/// Formats a path for messages and printed commands.
pub fn shown(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_or_shows_nothing_is_escaped() {
        for character in [
            '\0',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{e0001}',
            '\u{e007f}',
        ] {
            let text = format!("a{character}b");
            assert_eq!(escaped(&text), format!("a{}b", character.escape_default()));
            let line = json_line(&json!({ &text: [&text] }));
            assert!(line.is_ascii() && line.lines().count() == 1, "{line}");
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), json!({ &text: [&text] }));
        }
    }

    #[test]
    fn what_people_write_is_shown_as_it_is() {
        for text in ["東京の緑茶", "crème brûlée e\u{301}", "שלום", "سلام", "\"a\\b\"", "👍🏽"]
        {
            assert_eq!(escaped(text), text);
            assert_eq!(json_line(&json!(text)), format!("{}\n", json!(text)));
        }
    }
}
