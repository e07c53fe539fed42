//! JWE and JWK: algorithms, headers, serializations, and keys. Knows no file, no role, and no thread.

pub mod json;
pub mod jwe;
pub mod jwk;
pub mod pad;
mod recognize;
