//! JWE and JWK.

pub mod foreign;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod pad;
