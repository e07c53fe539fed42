//! Files: inputs, atomic outputs, changes under a lock, and erasing.

mod access;
mod appended;
mod arrivals;
mod beside;
mod drain;
mod erase;
mod excerpt;
mod file_system;
mod held;
mod in_use;
#[cfg(feature = "serve")]
pub mod inbox;
mod input;
mod inputs;
mod joined;
mod journal;
mod journaled;
mod key_values;
mod known;
mod ledger;
mod load;
mod locked;
mod output;
mod overwrite;
mod paths;
mod protect;
mod protection;
#[cfg(feature = "serve")]
mod public;
mod read;
mod renames;
mod scratch;
mod sent;
mod spool;
mod temporary;
mod users;

pub use access::Access;
pub use appended::Appended;
pub use arrivals::{Arrival, Arrivals, InboxId, Spot};
pub use drain::is_readable;
pub use erase::{erase, erase_key_file};
pub use file_system::Kept;
pub use held::Held;
pub use in_use::{AfterSending, InUse};
pub use input::Input;
pub use inputs::Inputs;
pub use journal::JournalCounts;
pub use known::Known;
pub use ledger::{Followed, Ledger, LedgerCounts, LedgerUser, Purpose as LedgerPurpose};
pub use load::{Loaded, finish, has_leftover, is_journal_of, load, load_to_seal, parse_at, tidy};
pub use locked::{update, update_known};
pub use output::{Existing, Output, spare};
pub use overwrite::{Erased, Left, Selection};
pub use paths::{FileId, Privacy, States, check_changeable, identify, is_dash, same_target};
pub use protect::{check_openable, protect, refuse_own_recipient, unprotect};
pub use protection::{ProtectedBy, Protection, load_secret};
#[cfg(feature = "serve")]
pub use public::is_public;
pub use read::{Small, load_small, read_limited, read_small};
pub use scratch::Scratch;
pub use spool::Spool;
pub use temporary::remove_unfinished;
