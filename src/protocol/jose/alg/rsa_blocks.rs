//! Direct RSA: an order cut into blocks, each a ciphertext of RSA-OAEP-256.
//!
//! The label of a block is SHA-256(protected header ‖ IV ‖ u32 index ‖ u32 count), with big-endian
//! numbers, so that blocks cannot be moved, left out, or taken from another order. Anyone can
//! compute the label. To prevent forged blocks, each block carries 16 random bytes before its piece
//! of the order; they are the same in all blocks and known to the sender only.

use rand::Rng;
use sha2::{Digest, Sha256};

use crate::ciphers::Wiped;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{self, OaepHash, PrivateKey, PublicKey, SECRET, UnwrapJob, WrapJob};
use crate::protocol::jose::run::{Spread, gather};

/// Length of the IV segment in bytes.
pub(in crate::protocol::jose) const IV_LEN: usize = 16;

/// Hash function of the blocks.
const HASH: OaepHash = OaepHash::Sha256;

/// Blocks that one thread processes at a time: enough to fill the lanes; they take milliseconds.
const AT_ONCE: usize = 32;

/// Encrypts an order as at least one block, even if the order is empty.
pub(in crate::protocol::jose) fn seal(
    (backend, spread): (Backend, Spread),
    key: &PublicKey,
    aad: &[u8],
    iv: &[u8; IV_LEN],
    order: &[u8],
    rng: &mut KeyStream,
) -> Vec<u8> {
    let mut secret = Wiped::from(vec![0; SECRET]);
    rng.fill_bytes(&mut secret);
    let piece = key.max_message(HASH) - SECRET;
    let count = order.len().div_ceil(piece).max(1);
    let mut texts = Wiped::from(Vec::with_capacity(order.len() + count * SECRET));
    for number in 0..count {
        texts.extend_from_slice(&secret);
        texts.extend_from_slice(&order[number * piece..order.len().min((number + 1) * piece)]);
    }
    let messages: Vec<&[u8]> = texts.chunks(SECRET + piece).collect();
    let labels = labels(aad, iv, count);
    let parts = messages.chunks(AT_ONCE).zip(labels.chunks(AT_ONCE));
    let parts = parts.map(|(messages, labels)| (messages, labels, rng.split()));
    let sealed = gather(spread, parts, |(messages, labels, mut rng)| {
        let jobs = messages.iter().zip(labels);
        let jobs: Vec<_> =
            jobs.map(|(message, label)| WrapJob { key, hash: HASH, label, message }).collect();
        let mut sealed = vec![0; jobs.len() * key.size()];
        rsa::oaep_wrap_many(backend, &jobs, &mut rng, &mut sealed).expect("the messages fit");
        sealed
    });
    sealed.concat()
}

/// Decrypts an order and writes it over the front of its blocks. Returns its length, or `None` for
/// every kind of failure alike.
///
/// All blocks are decrypted before one verdict is given on all of them together. Until then the
/// time depends only on the key and on the number of blocks, which is public.
pub(in crate::protocol::jose) fn open(
    (backend, spread): (Backend, Spread),
    key: &PrivateKey,
    aad: &[u8],
    iv: &[u8],
    sealed: &mut [u8],
    rng: &mut KeyStream,
) -> Option<usize> {
    let size = key.public().size();
    if sealed.is_empty() || !sealed.len().is_multiple_of(size) {
        return None;
    }
    let labels = labels(aad, iv, sealed.len() / size);
    let parts = sealed.chunks(AT_ONCE * size).zip(labels.chunks(AT_ONCE));
    let parts = parts.map(|(sealed, labels)| (sealed, labels, rng.split()));
    let blocks = gather(spread, parts, |(sealed, labels, mut rng)| {
        let jobs = sealed.chunks_exact(size).zip(labels);
        let jobs: Vec<_> = jobs
            .map(|(ciphertext, label)| UnwrapJob { key, hash: HASH, label, ciphertext })
            .collect();
        rsa::oaep_unwrap_many(backend, &jobs, &mut rng)
    });
    let blocks: Vec<_> = blocks.into_iter().flatten().collect();
    rsa::join(&blocks, key.public().max_message(HASH)).write(sealed)
}

/// The labels of all blocks of an order.
fn labels(aad: &[u8], iv: &[u8], count: usize) -> Vec<[u8; 32]> {
    let common = Sha256::new_with_prefix(aad).chain_update(iv);
    (0..count).map(|index| label(&common, index, count)).collect()
}

/// The label of one block; `header_and_iv` has hashed the protected header and the IV.
pub(in crate::protocol) fn label(header_and_iv: &Sha256, index: usize, count: usize) -> [u8; 32] {
    let hash = header_and_iv.clone();
    let hash = hash.chain_update((index as u32).to_be_bytes());
    hash.chain_update((count as u32).to_be_bytes()).finalize().into()
}
