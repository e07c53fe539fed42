//! Service and shop as servers over HTTP, and what a client sends them. `docs/HTTP.md` describes the
//! messages.
//!
//! The servers keep keys and orders in the same files as the commands, under the same locks. They read no
//! clock and print nothing: both are given to them.

pub mod client;
mod cors;
mod fetching;
pub mod http;
mod issuer;
mod keeper;
mod limits;
pub mod peers;
mod problem;
pub mod service;
pub mod shop;
pub mod tls;
mod worker;

pub use axum::http::Method;
pub use http::{Config, Record};
pub use limits::Limits;
pub use problem::{Fault, Problem};
