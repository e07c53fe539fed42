//! Seal batches of orders, and everything around that: keys, bundles, wrapping, erasing.

#[doc(hidden)]
#[forbid(unsafe_code)]
pub mod bench;
pub mod ciphers;
#[forbid(unsafe_code)]
pub mod protocol;
#[cfg(test)]
mod testing;
