//! The three roles, their key files, and the envelope that orders travel in.
//!
//! A [`Scheme`] says which embodiment of the system is meant; [`keyfile`] holds what each role
//! knows; [`service`], [`sealing`] and [`opening`] are what service, client and shop do;
//! [`simulate`] plays all of them. Nothing here parses arguments or prints.

mod address;
pub mod batch;
pub mod convert;
pub mod envelope;
mod error;
pub mod files;
pub mod foreign;
pub mod html;
pub mod json;
pub mod jwk;
pub mod keyfile;
mod names;
pub mod opening;
pub mod pad;
pub mod pad_use;
pub mod page;
pub mod program;
mod scheme;
pub mod sealing;
pub mod service;
pub mod simulate;
pub mod spend;
pub mod stream;
mod suite;
pub mod survey;

pub use address::ServiceUrl;
pub use error::{Error, KeyTrouble, Place, Result, Spent};
pub use names::{Kid, Name};
pub use program::{Erase, Program, Run, Step};
pub use scheme::{Content, Kind, Scheme, Scope};
pub use suite::{Alg, Enc, Suite, Task};
