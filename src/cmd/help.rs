//! The command line as defined for clap, and the output of `--help` and `--version`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use clap::builder::{StyledStr, ValueHint};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};
use orderseal::ciphers::cpu::Backend;

use super::Cli;

/// Heading of options that every command has.
pub const COMMON: &str = "Common options";

/// Heading of options that few users need.
pub const MORE: &str = "More options";

/// Heading of options for teaching and for schemes of the founding document.
pub const TEACHING: &str = "Teaching options";

/// The commands, grouped by the role that uses them.
const GROUPS: [(&str, &[&str]); 7] = [
    ("Service", &["keygen", "bundle", "keys"]),
    ("Client", &["request", "encrypt", "wrap", "send"]),
    ("Shop", &["decrypt", "rewrap"]),
    ("Servers", &["serve"]),
    ("Any role", &["erase", "convert", "inspect"]),
    ("Try out", &["simulate", "bench"]),
    ("Set up", &["completions", "man"]),
];

/// Exit codes and their meanings.
pub const EXIT_CODES: [(u8, &str); 10] = [
    (0, "done"),
    (1, "input or output failed"),
    (2, "wrong usage"),
    (3, "malformed input"),
    (4, "unknown or unusable key"),
    (5, "authentication failed, or old data does not decrypt"),
    (6, "some records failed"),
    (7, "an order was opened before, or its transaction id used"),
    (8, "the simulation does not hold"),
    (9, "a benchmark is slower than its baseline"),
];

/// Text on files, valid for every command.
pub const CONVENTIONS: &str = "Inputs and outputs may be - or left out for stdin and stdout. Existing \
    files are kept unless you pass --force. Data go to stdout, messages to stderr.";

/// Environment variable that limits the instruction sets in use.
pub const BACKEND_VARIABLE: &str = "ORDERSEAL_BACKEND";

/// Environment variables and what they do.
pub const ENVIRONMENT: [(&str, &str); 2] = [
    (
        BACKEND_VARIABLE,
        "portable, avx2, vaes or avx512, on ARM portable or neon: use no wider instructions of the \
         processor than these; --version lists those that it has",
    ),
    ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM", "decide about colours"),
];

/// Maximum number of names that `-h` lists for an option.
const FEW: usize = 4;

/// Parses the command line.
///
/// # Errors
/// A usage error, or help and version output, which clap returns as errors.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&command().try_get_matches()?)
}

/// Returns the whole command line.
pub fn command() -> Command {
    let command = shared(Cli::command().version(env!("CARGO_PKG_VERSION")));
    let template = template(&command);
    command.long_version(VERSION.as_str()).help_template(template).after_long_help(format!(
        "Exit codes:\n{}\nEnvironment:\n{}\n{CONVENTIONS}",
        exit_codes(),
        environment()
    ))
}

/// Applies settings shared by the options of every command. `-h` leaves out options with a heading
/// and long lists of names. Completions offer files for options that take files, and nothing for
/// numbers and free names.
pub fn shared(command: Command) -> Command {
    command.mut_args(shared_arg).mut_subcommands(shared)
}

fn shared_arg(arg: Arg) -> Arg {
    let arg = match arg.get_help_heading() {
        Some(_) => arg.hide_short_help(true),
        None => arg,
    };
    if !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        return arg;
    }
    let names = arg.get_possible_values();
    let arg = match (arg.get_value_hint(), names.is_empty()) {
        (ValueHint::AnyPath, _) => arg.value_hint(ValueHint::FilePath),
        (ValueHint::Unknown, true) => arg.value_hint(ValueHint::Other),
        _ => arg,
    };
    if names.len() <= FEW {
        return arg.ignore_case(!names.is_empty());
    }
    let help = arg.get_long_help().or(arg.get_help()).cloned().unwrap_or_default();
    let names: Vec<_> = names.iter().map(|name| name.get_name()).collect();
    arg.long_help(format!("{help}\n\nOne of {}.", names.join(", ")))
        .hide_possible_values(true)
        .ignore_case(true)
}

/// Returns the help template of the program, with its commands by role.
fn template(command: &Command) -> StyledStr {
    let (header, literal) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n\n".to_owned();
    for (group, names) in GROUPS {
        let mut heading = format!("{header}{group}{header:#}{:1$}", "", 8 - group.len());
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "{heading}  {literal}{name:11}{literal:#}  {about}");
            heading = " ".repeat(8);
        }
    }
    let _ = write!(text, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    text.into()
}

fn exit_codes() -> String {
    EXIT_CODES.iter().map(|(code, meaning)| format!("  {code}  {meaning}\n")).collect()
}

fn environment() -> String {
    ENVIRONMENT.iter().map(|(names, what)| format!("  {names}\n      {what}\n")).collect()
}

/// Output of `--version` after the name.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let backends: Vec<_> = Backend::available().into_iter().map(Backend::name).collect();
    format!(
        "{}\ncommit    {}\ntarget    {}\nbackends  {}; encrypt and decrypt run on {}",
        env!("CARGO_PKG_VERSION"),
        env!("ORDERSEAL_COMMIT"),
        env!("ORDERSEAL_TARGET"),
        backends.join(" "),
        Backend::detect()
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `see` with each command and its name.
    fn each(command: &Command, name: &str, see: &mut impl FnMut(&str, &Command)) {
        see(name, command);
        for command in command.get_subcommands() {
            each(command, &format!("{name} {}", command.get_name()), see);
        }
    }

    #[test]
    fn every_command_is_in_one_group() {
        let grouped = GROUPS.iter().flat_map(|(_, names)| names.iter().copied());
        let mut grouped: Vec<_> = grouped.collect();
        let mut commands: Vec<_> =
            Cli::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
        grouped.sort_unstable();
        commands.sort_unstable();
        assert_eq!(grouped, commands);
    }

    #[test]
    fn short_help_fits_on_a_screen_and_long_help_tells_all() {
        each(&command(), "orderseal", &mut |name, command| {
            let mut command = command.clone().term_width(80);
            let short = command.render_help().to_string();
            let lines = short.lines().count();
            assert!(lines <= 25, "{name} -h has {lines} lines:\n{short}");
            let long = command.render_long_help().to_string();
            let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
            for arg in shown.filter_map(Arg::get_long) {
                assert!(long.contains(&format!("--{arg}")), "{name} --help has no --{arg}");
            }
        });
    }

    #[test]
    fn teaching_options_have_a_heading_of_their_own() {
        let teaching = [
            "rng",
            "trinomial",
            "seed-file",
            "whiten",
            "toy-sbox",
            "pad-bytes",
            "layers",
            "typed-key",
        ];
        each(&command(), "orderseal", &mut |name, command| {
            for arg in command.get_arguments() {
                let Some(long) = arg.get_long().filter(|long| teaching.contains(long)) else {
                    continue;
                };
                assert_eq!(arg.get_help_heading(), Some("Teaching options"), "{name} --{long}");
            }
        });
    }

    #[test]
    fn completions_know_what_every_option_takes() {
        command().debug_assert();
        each(&command(), "orderseal", &mut |name, command| {
            for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
                let named = !arg.get_possible_values().is_empty();
                let hint = arg.get_value_hint();
                let known = !matches!(hint, ValueHint::Unknown | ValueHint::AnyPath);
                assert!(named || known, "{name} {arg}");
                assert_eq!(arg.is_ignore_case_set(), named, "{name} {arg}");
            }
        });
    }

    /// An option that several commands share has the same help in all of them.
    #[test]
    fn an_option_has_one_shape_everywhere() {
        let mut shapes = std::collections::BTreeMap::new();
        each(&command(), "orderseal", &mut |name, command| {
            for arg in command.get_arguments() {
                let Some(long) = arg.get_long() else { continue };
                let shape = (arg.get_short(), arg.get_action().takes_values());
                let (first, known) =
                    shapes.entry(long.to_owned()).or_insert((name.to_owned(), shape));
                assert_eq!(*known, shape, "--{long} of {first} and of {name}");
            }
        });
    }
}
