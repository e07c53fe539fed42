//! Direct RSA: an order cut into blocks, each a ciphertext of RSA-OAEP-256.
//!
//! The label of a block is SHA-256(protected header ‖ IV ‖ u32 index ‖ u32 count), numbers
//! big-endian, so that blocks cannot be moved, left out, or taken from another order.

use sha2::{Digest, Sha256};

use crate::ciphers::Wiped;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{self, PrivateKey, PublicKey, UnwrapJob, WrapJob};

/// Length of the IV segment in bytes.
pub(super) const IV_LEN: usize = 16;

/// Encrypts an order: at least one block, even of nothing.
pub(super) fn seal(
    backend: Backend,
    key: &PublicKey,
    aad: &[u8],
    iv: &[u8; IV_LEN],
    order: &[u8],
    rng: &mut KeyStream,
) -> Vec<u8> {
    let mut pieces: Vec<&[u8]> = order.chunks(key.max_message()).collect();
    if pieces.is_empty() {
        pieces.push(b"");
    }
    let labels = labels(aad, iv, pieces.len());
    let jobs: Vec<_> = labels
        .iter()
        .zip(&pieces)
        .map(|(label, message)| WrapJob { key, label, message })
        .collect();
    let mut sealed = vec![0; pieces.len() * key.size()];
    rsa::oaep_wrap_many(backend, &jobs, rng, &mut sealed).expect("the pieces fit");
    sealed
}

/// Decrypts an order; `None` for every kind of failure alike. Every block is decrypted before
/// the result is told.
pub(super) fn open(
    backend: Backend,
    key: &PrivateKey,
    aad: &[u8],
    iv: &[u8; IV_LEN],
    sealed: &[u8],
    rng: &mut KeyStream,
) -> Option<Wiped> {
    let (size, full) = (key.public().size(), key.public().max_message());
    if sealed.is_empty() || !sealed.len().is_multiple_of(size) {
        return None;
    }
    let labels = labels(aad, iv, sealed.len() / size);
    let jobs: Vec<_> = labels
        .iter()
        .zip(sealed.chunks_exact(size))
        .map(|(label, ciphertext)| UnwrapJob { key, label, ciphertext })
        .collect();
    let unwrapped = rsa::oaep_unwrap_many(backend, &jobs, rng);
    let mut order = Wiped::from(Vec::with_capacity(labels.len() * full));
    let mut authentic = true;
    for (number, block) in (1..).zip(&unwrapped) {
        // All blocks but the last are full, and only an order of nothing has an empty one.
        let last = number == labels.len();
        let fits = |piece: &&[u8]| match last {
            true => !piece.is_empty() || labels.len() == 1,
            false => piece.len() == full,
        };
        match block.message().filter(fits) {
            Some(piece) => order.extend_from_slice(piece),
            None => authentic = false,
        }
    }
    authentic.then_some(order)
}

fn labels(aad: &[u8], iv: &[u8; IV_LEN], count: usize) -> Vec<[u8; 32]> {
    let common = Sha256::new_with_prefix(aad).chain_update(iv);
    let label = |index: u32| {
        common
            .clone()
            .chain_update(index.to_be_bytes())
            .chain_update((count as u32).to_be_bytes())
            .finalize()
            .into()
    };
    (0..count as u32).map(label).collect()
}
