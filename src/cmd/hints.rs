//! Hints for faults: what to do about them. The library's messages name no command-line option; these
//! do.

mod inputs;
mod keys;
mod opening;
mod own;
mod sending;

use orderseal::protocol::model::Misuse;

pub use self::inputs::{malformed_hint, unexpected_hint};
pub use self::keys::key_hint;
pub use self::opening::{not_decrypted_hint, reuse_hint};
pub use self::own::{Misread, Usage, misread, usage, usage_with};
pub use self::sending::{aftermath_hint, amounts_in_words, not_sent_hints};

/// Returns a hint for a request that cannot be carried out.
pub fn misuse_hint(misuse: &Misuse) -> Option<&'static str> {
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
