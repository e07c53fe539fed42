//! `man`: the manual, with one page for the program and one per command.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::ValueHint;
use clap::{Arg, Args, Command};
use orderseal::protocol::store::files::{Output, Privacy};
use orderseal::protocol::{Error, Result};

use super::arguments::existing;
use super::{help, ui};

/// Print the manual, or write its pages to a folder
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal man > orderseal.1
  orderseal man --dir ~/.local/share/man/man1")]
pub struct Man {
    /// Write one page per command to this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// Replace existing pages
    #[arg(short, long, requires = "dir")]
    force: bool,
}

/// Longest line of a page in bytes.
const LINE: usize = 78;

/// File names used in the examples.
const FILES: [(&str, &str); 15] = [
    ("service.jwks", "keyring of the security service, mode 0600"),
    ("tokyo.jwks", "keys and program of a shop, mode 0600"),
    ("half.jwks", "a shop's keys for one client's transactions, mode 0600"),
    ("client.jwks", "keys and program of a client, mode 0600"),
    ("cek.jwk", "a lone key (RFC 7517), mode 0600"),
    ("page.json", "a shop's item page"),
    ("items.json", "the items of a shop"),
    ("orders.ndjson", "orders, one per line"),
    ("sealed.jwe", "sealed orders, one per line (RFC 7516)"),
    ("old.bin", "data encrypted with DES or triple DES"),
    ("bench.svg", "measurements as a chart"),
    ("scenario.toml", "plays for a simulation (TOML)"),
    ("simulate.xml", "report of a simulation (JUnit)"),
    ("~/.local/share/bash-completion/completions/orderseal", "completion script for bash"),
    ("~/.local/share/man/man1", "manual pages"),
];

impl Man {
    /// Runs the command.
    pub fn run(&self) -> Result<()> {
        let mut command = help::command();
        command.build();
        let pages = pages(&command, date(SystemTime::now()));
        let Some(dir) = &self.dir else {
            return ui::print(&pages.into_iter().map(|(_, page)| page).collect::<String>());
        };
        std::fs::create_dir_all(dir)
            .map_err(|error| Error::io(ui::shown(dir), "cannot create", error))?;
        for (name, page) in pages {
            let path = dir.join(format!("{name}.1"));
            let mut output =
                Output::create(Some(&path), existing(self.force), Privacy::Umask, &[])?;
            output.write(page.as_bytes())?;
            output.commit()?;
        }
        Ok(())
    }
}

/// Returns the pages of the program and all its commands, with their names.
fn pages(program: &Command, date: String) -> Vec<(String, String)> {
    let mut commands = Vec::new();
    collect(program, &mut commands);
    let names: Vec<_> = commands.iter().map(|command| page_name(command)).collect();
    let render = |command: &&Command| (page_name(command), page(command, &names, &date));
    commands.iter().map(render).collect()
}

fn collect<'a>(command: &'a Command, commands: &mut Vec<&'a Command>) {
    commands.push(command);
    for command in command.get_subcommands().filter(|it| it.get_name() != "help") {
        collect(command, commands);
    }
}

fn page_name(command: &Command) -> String {
    command.get_bin_name().unwrap_or(command.get_name()).replace(' ', "-")
}

fn page(command: &Command, names: &[String], date: &str) -> String {
    let name = page_name(command);
    let version = env!("CARGO_PKG_VERSION");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let mut page = format!(
        ".TH {} 1 {date} \"orderseal {version}\" \"User Commands\"\n",
        escaped(&name.to_uppercase())
    );
    let _ = write!(page, ".SH NAME\n{}", filled(&format!("{name} - {about}")));
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = write!(page, ".SH SYNOPSIS\n{}", filled(usage));
    page.push_str(".SH DESCRIPTION\n");
    let long = command.get_long_about().map(ToString::to_string).unwrap_or(about);
    page.push_str(&paragraphs(&long));
    let is_program = !name.contains('-');
    if is_program {
        page.push_str(".PP\n");
        page.push_str(&paragraphs(help::CONVENTIONS));
    }
    commands(command, &mut page);
    options(command, &mut page);
    let examples = examples(command);
    if !examples.is_empty() {
        let _ = write!(page, ".SH EXAMPLES\n.nf\n{}.fi\n", verbatim(&examples));
    }
    page.push_str(".SH \"EXIT STATUS\"\n");
    for (code, meaning) in help::EXIT_CODES {
        let _ = write!(page, ".TP\n.B {code}\n{}\n", escaped(meaning));
    }
    if is_program {
        page.push_str(".SH ENVIRONMENT\n");
        for (names, what) in help::ENVIRONMENT {
            let _ = write!(page, ".TP\n.B {}\n{}", escaped(names), filled(what));
        }
    }
    page.push_str(".SH FILES\n");
    let files = FILES.iter().filter(|(file, _)| is_program || examples.contains(file));
    let files: String = files
        .map(|(file, what)| format!(".TP\n.I {}\n{}\n", escaped(file), escaped(what)))
        .collect();
    page.push_str(if files.is_empty() {
        "This command reads and writes no files.\n"
    } else {
        &files
    });
    page.push_str(".SH \"SEE ALSO\"\n");
    let others = names.iter().filter(|other| **other != name);
    let others: Vec<_> = others.map(|other| format!(".BR {} (1)", escaped(other))).collect();
    page.push_str(&others.join(" ,\n"));
    page.push('\n');
    page
}

/// Lists the subcommands of a command.
fn commands(command: &Command, page: &mut String) {
    let mut commands = command.get_subcommands().filter(|it| it.get_name() != "help").peekable();
    if commands.peek().is_some() {
        page.push_str(".SH COMMANDS\n");
    }
    for command in commands {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = write!(page, ".TP\n.B {}\n{}\n", escaped(command.get_name()), escaped(&about));
    }
}

/// Lists arguments and options, by heading.
fn options(command: &Command, page: &mut String) {
    let shown: Vec<_> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    let mut headings: Vec<_> = shown.iter().map(|arg| arg.get_help_heading()).collect();
    headings.sort_by_key(|heading| heading.is_some());
    let mut seen = Vec::new();
    page.push_str(".SH OPTIONS\n");
    for heading in headings {
        if seen.contains(&heading) {
            continue;
        }
        seen.push(heading);
        if let Some(heading) = heading {
            let _ = writeln!(page, ".SS \"{}\"", escaped(heading));
        }
        for arg in shown.iter().filter(|arg| arg.get_help_heading() == heading) {
            option(arg, page);
        }
    }
}

fn option(arg: &Arg, page: &mut String) {
    let mut signature = escaped(&arg.to_string());
    if let Some(short) = arg.get_short().filter(|_| arg.get_long().is_some()) {
        signature = format!("\\-{short}, {signature}");
    }
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let mut help = paragraphs(&help);
    let names = arg.get_possible_values();
    if !arg.is_hide_possible_values_set() && arg.get_action().takes_values() && !names.is_empty() {
        let names: Vec<_> = names.iter().map(|name| name.get_name()).collect();
        help += &filled(&format!("[possible values: {}]", names.join(", ")));
    }
    if arg.get_action().takes_values() && !defaults.is_empty() {
        help += &filled(&format!("[default: {}]", defaults.join(" ")));
    }
    // Keeps the paragraphs of an option indented.
    let _ = write!(page, ".TP\n.B {signature}\n{}", help.replace(".PP\n", ".IP\n"));
}

/// Returns the command lines of the examples.
fn examples(command: &Command) -> String {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let lines = help.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    lines.map(|line| format!("{}\n", &line[2..])).collect()
}

/// Separates paragraphs of text with blank lines.
fn paragraphs(text: &str) -> String {
    text.split("\n\n").map(filled).collect::<Vec<_>>().join(".PP\n")
}

/// Breaks text into lines of limited length.
fn filled(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace().map(escaped) {
        if !line.is_empty() && line.len() + word.len() >= LINE {
            lines += &guarded(&line);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += &word;
    }
    lines + &guarded(&line)
}

/// Keeps lines as they are; long ones are continued invisibly.
fn verbatim(text: &str) -> String {
    let continued = |line: &str| {
        let indent = " ".repeat(line.len() - line.trim_start().len());
        format!("{indent}{}\n", filled(line).trim_end().replace('\n', " \\c\n"))
    };
    text.lines().map(continued).collect()
}

/// Prevents roff from reading a line as a request.
fn guarded(line: &str) -> String {
    let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
    format!("{guard}{line}\n")
}

/// Escapes text for roff, and keeps hyphens from becoming dashes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// Formats the date of a time as `2026-11-26`; `SOURCE_DATE_EPOCH` overrides it for reproducible
/// builds.
fn date(now: SystemTime) -> String {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<u64>().ok());
    let since = || now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut day = set.unwrap_or_else(since) / 86_400;
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}
