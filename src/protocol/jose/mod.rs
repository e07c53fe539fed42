//! JWE and JWK (RFC 7516, RFC 7517): headers, serializations, keys, sealing and opening of lines in
//! memory. Knows no file, no role, and no thread.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod json;
pub mod jwe;
pub mod jwk;
pub mod pad;
mod recognize;
