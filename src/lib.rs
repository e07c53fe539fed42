//! Seal batches of orders, and everything around that: keys, bundles, wrapping, erasing.

pub mod ciphers;
#[forbid(unsafe_code)]
pub mod protocol;
#[cfg(test)]
mod testing;
