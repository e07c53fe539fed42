//! EME-OAEP and MGF1, both with the same hash function (RFC 8017, sections 7.1 and B.2.1).

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// Hash function of RSA-OAEP: for the label, and in MGF1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OaepHash {
    /// SHA-1, which is no weakness here: OAEP does not need collision resistance.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Bytes of the longest hash, and of the longest seed.
pub(super) const MAX_HASH: usize = 64;

impl OaepHash {
    /// Every hash function.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Bytes of a hash and of a seed.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Encodes a message into all of `block`, which is as long as the modulus (RFC 8017, 7.1.1,
    /// step 2). The seed is as long as a hash; the message must leave room for two hashes and two
    /// bytes.
    pub(super) fn encode(self, label: &[u8], message: &[u8], seed: &[u8], block: &mut [u8]) {
        match self {
            Self::Sha1 => encode::<Sha1>(label, message, seed, block),
            Self::Sha256 => encode::<Sha256>(label, message, seed, block),
            Self::Sha384 => encode::<Sha384>(label, message, seed, block),
            Self::Sha512 => encode::<Sha512>(label, message, seed, block),
        }
    }

    /// Decodes a block as long as the modulus (RFC 8017, 7.1.2, step 3) in time that depends only
    /// on its length. `sound` says whether the block may be used at all.
    pub(super) fn decode(
        self,
        label: &[u8],
        block: Zeroizing<Vec<u8>>,
        sound: Choice,
    ) -> Unwrapped {
        match self {
            Self::Sha1 => decode::<Sha1>(label, block, sound),
            Self::Sha256 => decode::<Sha256>(label, block, sound),
            Self::Sha384 => decode::<Sha384>(label, block, sound),
            Self::Sha512 => decode::<Sha512>(label, block, sound),
        }
    }
}

/// XORs MGF1(seed) onto `data`.
fn mask<D: Digest + Clone>(seed: &[u8], data: &mut [u8]) {
    let seeded = D::new_with_prefix(seed);
    for (counter, chunk) in (0u32..).zip(data.chunks_mut(<D as Digest>::output_size())) {
        let hash = seeded.clone().chain_update(counter.to_be_bytes()).finalize();
        for (byte, mask) in chunk.iter_mut().zip(hash) {
            *byte ^= mask;
        }
    }
}

fn encode<D: Digest + Clone>(label: &[u8], message: &[u8], seed: &[u8], block: &mut [u8]) {
    let len = <D as Digest>::output_size();
    block.fill(0);
    let (masked_seed, data) = block[1..].split_at_mut(len);
    data[..len].copy_from_slice(&D::digest(label));
    let start = data.len() - message.len();
    data[start - 1] = 1;
    data[start..].copy_from_slice(message);
    masked_seed.copy_from_slice(seed);
    mask::<D>(seed, data);
    mask::<D>(data, masked_seed);
}

fn decode<D: Digest + Clone>(
    label: &[u8],
    mut block: Zeroizing<Vec<u8>>,
    sound: Choice,
) -> Unwrapped {
    let hash_len = <D as Digest>::output_size();
    let (first, rest) = block.split_at_mut(1);
    let (seed, data) = rest.split_at_mut(hash_len);
    mask::<D>(data, seed);
    mask::<D>(seed, data);

    let expected = D::digest(label);
    let mut valid = sound & first[0].ct_eq(&0) & data[..hash_len].ct_eq(&expected);
    let mut in_padding = Choice::from(1);
    let mut len = 0u32;
    for (i, byte) in data.iter().enumerate().skip(hash_len) {
        let ends = in_padding & byte.ct_eq(&1);
        len.conditional_assign(&((data.len() - i - 1) as u32), ends);
        in_padding &= !ends;
        valid &= !in_padding | byte.ct_eq(&0);
    }
    valid &= !in_padding;
    len.conditional_assign(&0, !valid);
    Unwrapped { data: block, len, valid }
}

/// Result of a private operation on a ciphertext: a message or nothing; only reading it reveals
/// which.
pub struct Unwrapped {
    /// As long as the modulus, with the message at the end.
    data: Zeroizing<Vec<u8>>,
    /// Length of the message in bytes; 0 if there is none.
    len: u32,
    valid: Choice,
}

impl Unwrapped {
    /// Writes the message over `key` if there is one of exactly that length, and otherwise leaves
    /// `key` unchanged; constant time. To reveal nothing about the cause to an attacker, fill `key`
    /// at random before the call and use it afterwards without checking the result (RFC 7516,
    /// 11.5).
    pub fn replace(&self, key: &mut [u8]) -> Choice {
        if key.len() > self.data.len() {
            return Choice::from(0);
        }
        let found = self.valid & self.len.ct_eq(&(key.len() as u32));
        let message = &self.data[self.data.len() - key.len()..];
        for (byte, message) in key.iter_mut().zip(message) {
            byte.conditional_assign(message, found);
        }
        found
    }

    /// Writes the message to the start of `out`, which has room for the longest one of the key,
    /// followed by zeros (all zeros if there is no message). Returns its length and whether there
    /// is one. Constant time.
    pub(super) fn write(&self, out: &mut [u8]) -> (u32, Choice) {
        out.copy_from_slice(&self.data[self.data.len() - out.len()..]);
        let excess = out.len() as u32 - self.len;
        for bit in 0..=out.len().ilog2() {
            let step = 1 << bit;
            let moves = Choice::from((excess >> bit & 1) as u8);
            for i in 0..out.len() {
                let behind = out.get(i + step).copied().unwrap_or(0);
                out[i].conditional_assign(&behind, moves);
            }
        }
        (self.len, self.valid)
    }

    /// Returns the message, if there is one. Calling this reveals whether the ciphertext was valid.
    pub fn message(&self) -> Option<&[u8]> {
        let start = self.data.len() - self.len as usize;
        bool::from(self.valid).then(|| &self.data[start..])
    }
}

impl std::fmt::Debug for Unwrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unwrapped(..)")
    }
}
