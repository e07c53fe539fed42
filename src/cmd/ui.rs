//! What a person sees on the terminal besides data: progress, summaries, warnings.

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

/// A progress bar on stderr, if that is a terminal, with a summary at the end.
pub struct Progress {
    /// The bar, if one is shown: even a hidden one has a hash table, which panics without random numbers.
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Progress {
    /// Progress in bytes of an input, of which the size may be unknown. None is shown among data
    /// that goes to a terminal.
    pub fn bytes(global: &Global, size: Option<u64>, output: Option<&Output>) -> Self {
        let template = match size {
            Some(_) => "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} eta {eta}",
            None => "{spinner} {bytes} {bytes_per_sec} {msg}",
        };
        let shown = !output.is_some_and(Output::is_terminal);
        Self::new(global, size, template, shown)
    }

    /// Progress in things of which the number is known.
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

    /// Sets the bytes that were read, and shows the rate of orders.
    pub fn update(&self, totals: &Totals) {
        if let Some(bar) = &self.bar {
            bar.set_position(totals.read);
            let rate = totals.orders as f64 / self.elapsed().as_secs_f64();
            bar.set_message(format!("{} orders/s", HumanCount(rate as u64)));
        }
    }

    /// Sets the bytes that were read.
    pub fn update_bytes(&self, totals: &Totals) {
        self.reach(totals.read);
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed().max(Duration::from_nanos(1))
    }

    /// Takes the bar away, and says how it went.
    pub fn finish(&self, summary: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            if !summary.is_empty() {
                say(summary);
            }
        }
    }

    /// Takes the bar away, and says what was done to how many bytes.
    pub fn finish_bytes(&self, done: &str, totals: &Totals) {
        let seconds = self.elapsed().as_secs_f64();
        self.finish(&format!(
            "{done} {} to {} in {seconds:.2} s: {}/s",
            HumanBytes(totals.read),
            HumanBytes(totals.written),
            HumanBytes((totals.read as f64 / seconds) as u64)
        ));
    }

    /// Takes the bar away, and says what was done to how many orders.
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

/// So many of something: `1 order`, `20,000 orders`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", HumanCount(count), if count == 1 { "" } else { "s" })
}

/// Warns on stderr.
pub fn warn(global: &Global, warning: &str) {
    if !global.quiet {
        say_as("warning", AnsiColor::Yellow, warning);
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

/// Prints a message to stderr, with its kind in colour where that is wanted.
fn say_as(kind: &str, colour: AnsiColor, message: &str) {
    let style = match is_coloured(&stderr()) {
        true => colour.on_default().bold(),
        false => Style::new(),
    };
    let _ = writeln!(stderr(), "orderseal: {style}{kind}:{style:#} {}", escaped(message));
}

/// Whether a stream takes colours, by `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM` and whether it
/// is a terminal.
pub fn is_coloured<S: RawStream>(stream: &S) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// Prints a line to stderr, with what a terminal must not see [`escaped`]; write errors are ignored.
pub fn say(words: &str) {
    let _ = writeln!(stderr(), "{}", escaped(words));
}

/// Prints lines to stderr, each as [`say`] does.
pub fn say_lines(text: &str) {
    text.lines().for_each(say);
}

/// Text for a terminal, with every character escaped that would act on it, show nothing or change the
/// order of what is shown. Text from files, arguments and headers passes through here before it is
/// printed, unless it is printed as JSON, for which there is [`json_line`].
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

/// JSON on a line, with the same characters escaped as in [`escaped`], in the way of JSON.
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

/// Controls (Cc), characters without a width, line and paragraph separators, and those that control
/// direction (Unicode Standard Annex #9 section 2), annotate or tag.
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
/// [`Error::Io`], or [`Error::ClosedPipe`] when nobody reads.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::io("stdout", "cannot write", error))
}

/// Prints a report where it does not mix with data: to stdout, unless that carries the data. What it reports
/// was done, whether anybody reads it or not.
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

/// A name for a path in messages and printed commands.
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
