//! Names, schemes, suites, programs and errors: small value types that every other module uses.

mod address;
mod algorithms;
mod amounts;
mod batch_fault;
mod dates;
mod error;
mod exchange;
mod form;
mod inbox;
mod journal;
mod key_error;
mod malformed;
mod misuse;
mod names;
mod place;
mod program;
mod reuse;
mod role;
mod scheme;
mod standards;
mod suite;

pub use address::ServiceUrl;
pub(in crate::protocol) use address::split_scheme;
pub use algorithms::{Alg, Enc, Family, KeyCipher, Pbes2, WrapAlgorithm};
pub use amounts::{Amounts, Spent};
pub use batch_fault::BatchFault;
pub use dates::{Dates, NotTime, OutOfDate, Time};
pub use error::{Error, NotUndone, Result};
pub use exchange::{ExchangeFault, Problem, Unfinished};
pub use form::{Expected, Form, LEDGER_MAGIC, Syntax, WebPage};
pub use inbox::InboxFault;
pub use journal::{JOURNAL_MAGIC, JournalTrouble};
pub use key_error::{Encrypted, KeyError, PageLacks, Protected, Unfit, Unsound};
pub use malformed::{
    AddressFault, Document, JournalFault, JsonFault, KeyFault, KeyFileFault, LedgerFault,
    LineFault, Malformed, NoPadding, OldDataFault, PageFault, SendFault,
};
pub use misuse::Misuse;
pub(in crate::protocol) use names::KidHash;
pub use names::{Kid, MAX_KID, Name, NotName, ShopName};
pub use place::Place;
pub use program::{ClientProgram, Erase, MAX_LAYERS, Run, ShopProgram, Step};
pub use reuse::{LedgerTrouble, Reuse};
pub use role::Role;
pub use scheme::{Content, Kind, Scheme, Scope};
pub(in crate::protocol) use standards::shortened;
pub use standards::{Member, Unimplemented};
pub use suite::{KeyUse, NoSuite, Suite, Task, Unpaired};
