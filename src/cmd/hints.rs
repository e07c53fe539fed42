//! Hints for errors: what to do about them. The library's messages name no command-line option; these
//! do.

mod inputs;
mod keys;
mod opening;
mod own;
mod sending;

use orderseal::protocol::model::Misuse;
use orderseal::protocol::{Error, Spent};

use self::inputs::{malformed_hint, unexpected_hint};
use self::keys::key_hint;
use self::opening::{batch_hint, not_decrypted_hint, reuse_hint};
use self::own::{Misread, Usage};
use self::sending::{aftermath_hint, exchange_hint, not_sent_hints};
use super::ui;

pub use self::own::{misread, usage, usage_with};
pub use self::sending::amounts_in_words;

/// Returns hints: changes that took effect despite the error, and what to do.
pub fn hints(error: &Error) -> Vec<String> {
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
        Error::NotSent { unfinished, source } => {
            [not_sent_hints(unfinished), hints(source)].concat()
        }
        Error::Exchange { fault, .. } => exchange_hint(fault).into_iter().map(str::to_owned).collect(),
        Error::Unsettled { bundle, .. } => vec![format!(
            "all orders were sealed and sent; what was reserved for more of them in {bundle} stays spent"
        )],
        Error::NotErased { bundle, .. } => vec![format!(
            "all orders were sealed and sent; destroy the keys with: orderseal erase {bundle}"
        )],
        Error::Unrecorded { output, .. } => vec![format!(
            "all orders were written to {output}; the ledger could not record that, and would let them \
             open again"
        )],
        Error::Undelivered { not_undone, .. } => vec![aftermath_hint(not_undone)],
        Error::Changed { what, .. } => vec![format!("{what} all the same")],
        Error::KeyFileFull { .. } => {
            vec!["make fewer keys or shorter pads, or use another keyring".to_owned()]
        }
        Error::Key { error, .. } => key_hint(error).into_iter().collect(),
        Error::Thread(_) => vec![
            "--threads 1 needs the fewest threads; the system's limits are those of `ulimit -u` and \
             of the control group"
                .to_owned(),
        ],
        Error::Usage(misuse) => misuse_hint(misuse).into_iter().map(str::to_owned).collect(),
        Error::Caller(own) => {
            own.downcast_ref::<Usage>().and_then(|own| own.hint.clone()).into_iter().collect()
        }
        Error::Misread { found, .. } => {
            found.downcast_ref::<Misread>().map_or(Vec::new(), |own| own.hints.clone())
        }
        Error::Malformed { found, .. } => malformed_hint(found).into_iter().map(str::to_owned).collect(),
        Error::Unexpected { found, expected, .. } => {
            unexpected_hint(found, *expected).into_iter().collect()
        }
        Error::Reused { found, .. } => reuse_hint(found).into_iter().map(str::to_owned).collect(),
        Error::Batch { fault, .. } => batch_hint(fault).into_iter().map(str::to_owned).collect(),
        Error::NotDecrypted { found, .. } => vec![not_decrypted_hint(found).to_owned()],
        Error::NotHeld { .. } => {
            vec!["the report names what failed; the same command repeats it, --trace shows the messages".to_owned()]
        }
        Error::Io { .. }
        | Error::Random(_)
        | Error::ClosedPipe { .. }
        | Error::Stopped
        | Error::Unpublished { .. }
        | Error::Authentication(_)
        | Error::SomeFailed { .. }
        | Error::Slower { .. } => Vec::new(),
    }
}

/// Returns a hint for a request that cannot be carried out.
fn misuse_hint(misuse: &Misuse) -> Option<&'static str> {
    match misuse {
        Misuse::OutputIsReadable { .. } => Some("chmod 600 the file, or choose another name"),
        Misuse::NotOfInbox { .. } => Some(
            "move it away, and following goes on in a new file; or restore the one that is recorded",
        ),
        Misuse::OutputExists(_) => Some("choose another name, or replace it with --force"),
        Misuse::OutputIsLink(_) | Misuse::FileIsLink(_) => Some("name the file itself"),
        Misuse::ToTerminal { .. } => Some("write to a file with -o, or into a pipe"),
        Misuse::SeveralShops { .. } => Some("choose one with --shop"),
        Misuse::NoSharedPad { .. } => Some("leave out --pad-bytes"),
        Misuse::NoTree { .. } => Some("leave out --pool for a listed pool"),
        Misuse::RootNotRandom => Some("leave out --rng, or make a listed pool"),
        Misuse::WouldLoseLedger(_) => {
            Some("add to the file with `keys merge`, which can also bring keys back")
        }
        Misuse::WouldRestore(_) => {
            Some("add to the file with `keys merge`, or bring the keys back with --restore")
        }
        Misuse::UnknownSize { .. } => Some("give it with --rsa-bits or --curve"),
        Misuse::NoPublicPool(_) => Some("make a listed pool"),
        Misuse::NotPublic(_) => Some("`orderseal bundle service` writes the public halves"),
        Misuse::NoBuiltIn(_) => Some("choose --form program or key"),
        Misuse::KeyExists { .. } | Misuse::OtherDates { .. } => {
            Some("`orderseal keys rotate` makes the next generation of a shop's keys")
        }
        Misuse::NotToProtect(_) => Some(
            "a private key in PEM has an encryption of its own: `orderseal keys export --format pem`",
        ),
        Misuse::WouldUnprotect(_) => {
            Some("protect the new ones with --protect or --recipient, or choose another name")
        }
        Misuse::SeveralRecipients(_) => {
            Some("take one of them out with `orderseal keys export --kid`")
        }
        Misuse::NotInItemPages { .. } => Some(
            "name the service with --service, or make a key with `orderseal keygen --scope shop --kind public`",
        ),
        Misuse::NotAnOutput(_)
        | Misuse::NotProtected(_)
        | Misuse::NotARecipient(_)
        | Misuse::OutputIsInput(_)
        | Misuse::ForeignPipe(_)
        | Misuse::SeveralInputs { .. }
        | Misuse::NotRegular(_)
        | Misuse::SeveralNames(_)
        | Misuse::LoneKeyIsWhole(_)
        | Misuse::SecondUnnamedKey
        | Misuse::OwnRecipient(_)
        | Misuse::SignsBatches
        | Misuse::NoPublicHalf(_)
        | Misuse::Layers(_)
        | Misuse::NothingToChain(_)
        | Misuse::NoChainByRsa(_)
        | Misuse::NoChainUnder(_)
        | Misuse::NothingToType(_)
        | Misuse::TypedTooShort { .. }
        | Misuse::OneKeyForAll { .. }
        | Misuse::NotAUser(_)
        | Misuse::UserLikeLeaf(_)
        | Misuse::TreeSize(_)
        | Misuse::LastGeneration(_)
        | Misuse::PadInLedger
        | Misuse::OtherScheme { .. } => None,
    }
}
