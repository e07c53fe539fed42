//! CMAC (NIST SP 800-38B, RFC 4493) of many short messages under many keys.
//!
//! Each key has a lane, and several vectors run in parallel, which hides the latency of the chain
//! of blocks. A key is expanded once for all of its messages.
//!
//! ```
//! use orderseal::ciphers::aes::KeySize;
//! use orderseal::ciphers::aes::cmac::cmac_many;
//! use orderseal::ciphers::cpu::Backend;
//!
//! // RFC 4493, section 4, example 2, and another message under the same key.
//! let key = hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap();
//! let messages = [hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap(), vec![7; 16]].concat();
//! let mut tags = [[0; 16]; 2];
//! cmac_many(Backend::detect(), KeySize::Aes128, &key, 16, &messages, &mut tags);
//! assert_eq!(hex::encode(tags[0]), "070a16b46b4d4144f79bdd9dd04a287c");
//! ```

mod crates;
mod lanes;
#[cfg(test)]
mod tests;

use super::job::run;
use super::{Block, KeySize};
use crate::ciphers::cpu::Backend;

/// Computes the CMAC of every message. `keys` holds the keys one after the other; each has the same
/// number of messages of `length` bytes, which `messages` holds in the order of the keys, and so
/// does `tags` the results.
///
/// # Panics
/// If `keys`, `messages` and `tags` do not match in number.
pub fn cmac_many(
    backend: Backend,
    size: KeySize,
    keys: &[u8],
    length: usize,
    messages: &[u8],
    tags: &mut [Block],
) {
    let count = keys.len() / size.bytes();
    assert_eq!(keys.len(), count * size.bytes(), "whole keys");
    assert_eq!(messages.len(), tags.len() * length, "a message of {length} bytes for each tag");
    let per_key = tags.len().checked_div(count).unwrap_or(0);
    assert_eq!(tags.len(), count * per_key, "as many messages for each key");
    if !tags.is_empty() {
        run(backend, Macs { size, keys, length, per_key, messages, tags });
    }
}

struct Macs<'a> {
    size: KeySize,
    keys: &'a [u8],
    length: usize,
    per_key: usize,
    messages: &'a [u8],
    tags: &'a mut [Block],
}

impl Macs<'_> {
    /// Number of blocks of a message; an empty message has one.
    #[inline(always)]
    fn blocks(&self) -> usize {
        self.length.div_ceil(16).max(1)
    }

    /// Block `block` of the message for `tag`. A last block that is not whole is padded.
    #[inline(always)]
    fn block(&self, tag: usize, block: usize) -> Block {
        let message = &self.messages[tag * self.length..][..self.length];
        let rest = &message[16 * block..];
        match rest.first_chunk() {
            Some(whole) => *whole,
            None => {
                let mut padded = [0; 16];
                padded[..rest.len()].copy_from_slice(rest);
                padded[rest.len()] = 0x80;
                padded
            }
        }
    }

    /// The subkey for the last block: K1 if it is whole, otherwise K2 (SP 800-38B, section 6.1),
    /// from the encrypted zero block.
    #[inline(always)]
    fn subkey(&self, encrypted_zero: Block) -> Block {
        let first = double(encrypted_zero);
        // The length of messages is not secret.
        if self.length > 0 && self.length.is_multiple_of(16) { first } else { double(first) }
    }
}

/// Multiplies by x in the field of SP 800-38B, in constant time.
#[inline(always)]
fn double(block: Block) -> Block {
    let number = u128::from_be_bytes(block);
    let carry = (number >> 127) * 0x87;
    (number << 1 ^ carry).to_be_bytes()
}
