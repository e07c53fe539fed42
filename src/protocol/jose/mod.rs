//! JWE, JWK and JWS (RFC 7515 to 7517): headers, serializations, keys, and sealing and opening lines
//! in memory. Does not depend on files, roles or threads.

#![deny(clippy::wildcard_enum_match_arm)]

mod alg;
pub mod batch;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
mod line;
pub mod pad;
pub mod password;
mod recognize;
mod run;
pub mod ticket;
pub mod tree;

pub use recognize::quoted_line_feed;
