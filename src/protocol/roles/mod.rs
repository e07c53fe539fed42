//! The work of the security service, a client and a shop, and tools for sealed orders and old data.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod client;
pub mod convert;
pub mod export;
#[cfg(feature = "store")]
pub mod follow;
pub mod merge;
mod notes;
pub mod pad_use;
mod register;
pub mod revoke;
pub mod rewrap;
pub mod send;
pub mod service;
pub mod shop;
pub mod stream;
pub mod survey;
#[cfg(test)]
mod tests;
#[cfg(feature = "store")]
pub mod verify;
