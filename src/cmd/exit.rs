//! Errors as a person sees them: a message, a hint where one helps, and the exit code.

use std::process::ExitCode;

use clap::error::ErrorKind;
use orderseal::protocol::keyfile::Role;
use orderseal::protocol::{Error, KeyTrouble, Spent};

use super::ui;

/// Prints an error and chooses the exit code.
pub fn report(error: &Error) -> ExitCode {
    ui::say(&format!("orderseal: error: {error}"));
    for hint in hints(error) {
        ui::say(&format!("orderseal: hint: {hint}"));
    }
    ExitCode::from(code(error))
}

/// Prints what the argument parser has to say: help to stdout, anything else as an error.
pub fn report_usage(found: &clap::Error) -> ExitCode {
    let text = found.render().to_string();
    if !found.use_stderr() {
        return match ui::print(&text) {
            Ok(()) | Err(Error::ClosedPipe { .. }) => ExitCode::SUCCESS,
            Err(error) => report(&error),
        };
    }
    if found.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        ui::say_lines(text.trim_end());
        return ExitCode::from(2);
    }
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = message.strip_prefix("error: ").unwrap_or(message);
    ui::say(&format!("orderseal: error: {}", on_one_line(message)));
    let tips = rest.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    for hint in tips.chain(["--help tells more"]) {
        ui::say(&format!("orderseal: hint: {hint}"));
    }
    ExitCode::from(2)
}

/// Words of several lines on one.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn code(error: &Error) -> u8 {
    match error {
        Error::Usage(_) => 2,
        Error::Malformed { .. } => 3,
        Error::Key { .. } => 4,
        Error::Authentication(_) => 5,
        Error::SomeFailed { .. } => 6,
        Error::Spending { source, .. } => code(source),
        Error::Stopped => super::signals::exit_code(),
        _ => 1,
    }
}

/// What changed all the same, and what to do.
fn hints(error: &Error) -> Vec<String> {
    match error {
        Error::Spending { spent, bundle, source } => {
            let spent = match spent {
                Spent::Ids(count) => ui::counted(*count, "transaction id"),
                Spent::Ivs(count) => ui::counted(*count, "random IV"),
                Spent::PadBytes(count) => ui::counted(*count, "byte") + " of pad",
            };
            let changed = format!("{spent} of {bundle} stay spent, and nothing was erased");
            [vec![changed], hints(source)].concat()
        }
        Error::Unsettled { bundle, .. } => vec![format!(
            "all orders were sealed and sent; what was reserved for more of them in {bundle} stays spent"
        )],
        Error::NotErased { bundle, .. } => vec![format!(
            "all orders were sealed and sent; destroy the keys with: orderseal erase {bundle}"
        )],
        error => hint(error).into_iter().collect(),
    }
}

fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Undelivered { ids: 1, .. } => {
            Some("1 transaction id was recorded as issued and is lost; ask again".to_owned())
        }
        Error::Undelivered { ids, .. } => {
            Some(format!("{ids} transaction ids were recorded as issued and are lost; ask again"))
        }
        Error::Key { trouble, .. } => key_hint(trouble),
        Error::Thread(_) => Some(
            "--threads 1 needs the fewest threads; the system's limits are those of `ulimit -u` and \
             of the control group"
                .to_owned(),
        ),
        Error::Usage(found) if found.ends_with("exists already") => {
            Some("choose another name, or replace it with --force".to_owned())
        }
        Error::Usage(found) if found.contains("symbolic link") => {
            Some("name the file itself".to_owned())
        }
        Error::Usage(found) => super::bench::hint(found),
        Error::Malformed { found, .. } => malformed_hint(found).map(str::to_owned),
        _ => None,
    }
}

/// What to do about a file of another kind, or one that suffered on its way.
fn malformed_hint(found: &str) -> Option<&'static str> {
    let hints = [
        (
            "found sealed orders, expected a key file",
            "sealed orders are the input; the key file goes with --bundle or --key",
        ),
        (
            "found an order page, expected a key file",
            "open it in a browser; `orderseal erase` destroys it",
        ),
        (
            "found JSON that is cut off",
            "the file is not complete: copy it again, or have it made again",
        ),
        (
            "a sealed order that is cut off",
            "the line is not complete: was the file copied in part, or wrapped by an editor?",
        ),
        (
            "found a shop's item page",
            "an item page only says where to ask: give it to `orderseal bundle client --page`",
        ),
        (
            "expected a key file",
            "key files come from `orderseal keygen` and `orderseal bundle`; orders are given \
             without an option",
        ),
        ("an item page", "an item page comes from `orderseal bundle page`"),
        ("carriage return", "were line ends converted to those of Windows? convert them back"),
        (
            "expected a compact JWE",
            "decrypt reads what encrypt writes; are these orders not sealed yet?",
        ),
        ("among orders", "put the wrapped key into a file of its own and decrypt that first"),
    ];
    hints.into_iter().find(|(part, _)| found.contains(part)).map(|(_, hint)| hint)
}

fn key_hint(trouble: &KeyTrouble) -> Option<String> {
    let hint = match trouble {
        KeyTrouble::Unknown { .. } => {
            "is this order for another shop, or made after this bundle? `orderseal bundle shop` \
             makes a new one; --bundle may be given several times"
        }
        KeyTrouble::Unnamed => "give the key by --key",
        KeyTrouble::Role { found: Role::Client, expected: "shop" } => {
            "a client's bundle only encrypts; decrypt with the file from `orderseal bundle shop`"
        }
        KeyTrouble::Role { found: Role::Plain, expected: "client" } => {
            "a lone key goes with --key; a client's file comes from `orderseal bundle client`"
        }
        KeyTrouble::Role { expected: "lone key", .. } => {
            "a lone key comes from `orderseal keygen --alg`; the file of a client or shop goes with \
             --bundle"
        }
        KeyTrouble::Role { expected: "client", .. } => {
            "make a client's file with `orderseal bundle client`"
        }
        KeyTrouble::Role { found: Role::Plain, expected: "shop" } => {
            "a lone key, or one of another tool, goes with --key"
        }
        KeyTrouble::Role { .. } => "the security service's keyring is what `keygen` makes",
        KeyTrouble::Spent { shop, .. } => {
            return Some(format!(
                "get more: orderseal bundle client --keys SERVICE.jwks --shop {shop} --orders N -o FILE"
            ));
        }
        KeyTrouble::PoolEmpty { shop, wanted, unused } => {
            return Some(format!(
                "make more: orderseal keygen … --shop {shop} --orders {} --into KEYRING; or use \
                 --on-demand",
                wanted - unused
            ));
        }
        KeyTrouble::Budget { .. } => "make a new key",
        KeyTrouble::PadShort { .. } => {
            "no byte of pad serves twice: get a new piece with `orderseal bundle client --pad-bytes N`, \
             or make a longer pad with `orderseal keygen --pad-bytes N`"
        }
        KeyTrouble::Weak(_) => "if that is what you want, say --allow-weak",
        KeyTrouble::Marked { .. } => "such keys are for simulations; --allow-weak accepts them",
        KeyTrouble::Readable(_) => "chmod 600 the file, or say --allow-readable-keys",
        KeyTrouble::UnknownShop { .. } => "--shop takes one of these",
        KeyTrouble::Unsound(_) => {
            "the key is at fault, not the orders: get it again from its owner"
        }
        KeyTrouble::Missing(_) | KeyTrouble::ErasedNow => "get a new file with `orderseal bundle`",
        KeyTrouble::Repeated { .. } => "somebody sent this order twice, or altered a copy of it",
        KeyTrouble::OtherAlgorithm { .. } => {
            "a key serves the algorithm that its file names, whatever an order asks for"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
