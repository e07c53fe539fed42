//! CMAC (NIST SP 800-38B) with AES-256 of many short messages under many keys.
//!
//! Each key has a lane, and several vectors run in parallel, which hides the latency of the chain
//! of blocks. A key is expanded once for all of its messages.
//!
//! ```
//! use orderseal::ciphers::aes::cmac::cmac_many;
//! use orderseal::ciphers::cpu::Backend;
//!
//! // SP 800-38B, appendix D.3, example 10, and another message under the same key.
//! let mut key = [0; 32];
//! let digits = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
//! hex::decode_to_slice(digits, &mut key).unwrap();
//! let messages = [hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap(), vec![7; 16]].concat();
//! let mut tags = [[0; 16]; 2];
//! cmac_many(Backend::detect(), &[key], 16, &messages, &mut tags);
//! assert_eq!(hex::encode(tags[0]), "28a7023f452e8f82bd4bf28d8c37c35c");
//! ```

mod crates;
mod lanes;
#[cfg(test)]
mod tests;

use super::Block;
use super::job::run;
use crate::ciphers::cpu::Backend;

/// Number of keys up to which the crate is faster than lanes: on x86-64 a key with four messages of two blocks took it
/// 0.73 µs, and lanes 2.3 to 2.5 µs for one to eight.
const FEW: usize = 3;

/// Computes the CMAC of every message. Each key has the same number of messages of `length` bytes,
/// which `messages` holds in the order of the keys, and so does `tags` the results.
///
/// # Panics
/// If `keys`, `messages` and `tags` do not match in number.
pub fn cmac_many(
    backend: Backend,
    keys: &[[u8; 32]],
    length: usize,
    messages: &[u8],
    tags: &mut [Block],
) {
    let count = keys.len();
    assert_eq!(messages.len(), tags.len() * length, "a message of {length} bytes for each tag");
    let per_key = tags.len().checked_div(count).unwrap_or(0);
    assert_eq!(tags.len(), count * per_key, "as many messages for each key");
    if tags.is_empty() {
        return;
    }
    let macs = Macs { keys, length, per_key, messages, tags };
    if count <= FEW {
        // Most lanes would have nothing to do.
        crates::macs(macs);
    } else {
        run(backend, macs);
    }
}

struct Macs<'a> {
    keys: &'a [[u8; 32]],
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
