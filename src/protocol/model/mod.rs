//! Names, schemes, programs, and errors.

pub mod address;
mod error;
pub mod names;
pub mod program;
mod scheme;
mod suite;

pub use address::ServiceUrl;
pub use error::{Error, KeyTrouble, Place, Result, Spent};
pub use names::{Kid, Name};
pub use program::{Erase, Program, Run, Step};
pub use scheme::{Content, Kind, Scheme, Scope};
pub use suite::{Alg, Enc, Suite, Task};
