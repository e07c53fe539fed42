//! Files: inputs, atomic outputs, changes under a lock, and erasing.

mod drain;
mod erase;
mod excerpt;
mod file_system;
mod in_use;
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
mod read;
mod renames;
mod scratch;
mod sent;
mod spool;
mod temporary;
mod users;

pub use drain::is_readable;
pub use erase::{erase, erase_key_file};
pub use file_system::Kept;
pub use in_use::{AfterSending, InUse};
pub use input::Input;
pub use inputs::Inputs;
pub use journal::JournalCounts;
pub use known::Known;
pub use ledger::{Ledger, LedgerCounts, LedgerUser, Purpose as LedgerPurpose};
pub use load::{
    Loaded, finish, has_leftover, is_journal_of, load, load_encrypted, load_to_seal, parse_at, tidy,
};
pub use locked::{update, update_known};
pub use output::{Existing, Output};
pub use overwrite::{Erased, Left, Selection};
pub use paths::{FileId, Privacy, check_changeable, identify, is_dash, same_target};
pub use read::{Small, load_small, read_limited, read_small};
pub use scratch::Scratch;
pub use spool::Spool;
pub use temporary::remove_unfinished;
