//! DES and triple DES (FIPS 46-3), bitsliced: 64, 128, 256 or 512 blocks at once.
//!
//! Both ciphers are broken for new uses: DES for its 56-bit key, both for their 64-bit block. They
//! are included for reading old data quickly and for comparison.
//!
//! A register holds one bit of every block in flight, one block per lane, so S-boxes are circuits
//! of logic gates, permutations are wiring, and every lane may have its own key. No branch and no
//! address depends on secrets, except on the backend `rustcrypto`, whose crate looks S-boxes up in
//! tables. That backend also takes jobs of fewer than six blocks (or messages) at once, for which
//! lanes are not worthwhile.
//!
//! Functions are generic over the key: [`DesKey`] selects DES, [`TripleDesKey`] triple DES. All
//! work in place, on one thread.
//!
//! ```
//! use orderseal::ciphers::cpu::Backend;
//! use orderseal::ciphers::des::{Message, TripleDesKey, cbc_decrypt_many, cbc_encrypt_many};
//!
//! // Old records, each with a key and an IV of its own, decrypted side by side.
//! let keys: Vec<TripleDesKey> = (0..100).map(|i| [i; 24].into()).collect();
//! let mut records = vec![[*b"two bloc", *b"ks here."]; keys.len()];
//! let both = keys.iter().zip(&mut records);
//! let mut messages: Vec<Message<_>> =
//!     both.map(|(key, data)| Message { key, iv: [9; 8], data }).collect();
//! cbc_encrypt_many(Backend::detect(), &mut messages);
//! cbc_decrypt_many(Backend::detect(), &mut messages);
//! assert!(records.iter().all(|record| record.as_flattened() == b"two blocks here."));
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod cbc_many;
mod crates;
mod job;
mod key;
mod keys;
mod lanes;
mod modes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod rounds;
mod sbox;
#[cfg(test)]
mod tests;
mod transpose;
mod wiring;

pub use key::{DesKey, Key, TripleDesKey, WeakKey};

#[cfg(target_arch = "x86_64")]
use super::cpu::Avx2;
use super::cpu::{Backend, Level, Over, Proof};
use job::{Direction, Job};

/// Backends with their own DES code.
pub const BACKENDS: &[&str] = &["rustcrypto", "portable", "avx2", "avx512", "neon"];

/// Number of bytes in a block.
pub const BLOCK: usize = 8;

/// Fewer blocks at once than this are faster one at a time: a pass takes about 1 µs, a block in the
/// crate `des` 0.2 µs.
const CROSSOVER: usize = 6;

/// Up to this many blocks at once are fastest in 64-bit words: a pass of wide lanes takes the same
/// time, plus more for moving blocks in and out (64 messages of 256 bytes: 27 µs, against 43 µs).
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const NARROW: usize = 64;

/// A block.
pub type Block = [u8; BLOCK];

/// A message of a batch, with its own key, initialization vector and data.
pub struct Message<'a, K> {
    /// The key.
    pub key: &'a K,
    /// The initialization vector.
    pub iv: Block,
    /// The text, replaced in place.
    pub data: &'a mut [Block],
}

/// Encrypts each 8-byte block on its own (ECB).
pub fn ecb_encrypt<K: Key>(backend: Backend, key: &K, data: &mut [Block]) {
    ecb(backend, key, Direction::Encrypt, data)
}

/// Decrypts each 8-byte block on its own (ECB).
pub fn ecb_decrypt<K: Key>(backend: Backend, key: &K, data: &mut [Block]) {
    ecb(backend, key, Direction::Decrypt, data)
}

fn ecb<K: Key>(backend: Backend, key: &K, direction: Direction, data: &mut [Block]) {
    let key = key.as_bytes();
    run(backend, Job::Ecb { key, direction, data: data.as_flattened_mut() });
}

/// Encrypts or decrypts in counter mode: block i of the key stream, from 0, is the encryption of
/// the big-endian 64-bit number `iv` + i, modulo 2⁶⁴.
///
/// `data` may have any length. To continue at block i, add i to `iv`.
pub fn ctr<K: Key>(backend: Backend, key: &K, iv: Block, data: &mut [u8]) {
    let key = key.as_bytes();
    run(backend, Job::Ctr { key, iv, data });
}

/// Decrypts one message in CBC mode, all blocks in parallel.
pub fn cbc_decrypt<K: Key>(backend: Backend, key: &K, iv: Block, data: &mut [Block]) {
    let key = key.as_bytes();
    run(backend, Job::CbcDecrypt { key, iv, data: data.as_flattened_mut() });
}

/// Encrypts messages in CBC mode, one per lane. CBC encryption is sequential, so only many messages
/// make it fast; lengths and keys may differ.
pub fn cbc_encrypt_many<K: Key>(backend: Backend, messages: &mut [Message<'_, K>]) {
    cbc_many(backend, Direction::Encrypt, messages)
}

/// Decrypts messages in CBC mode, one per lane; lengths and keys may differ.
pub fn cbc_decrypt_many<K: Key>(backend: Backend, messages: &mut [Message<'_, K>]) {
    cbc_many(backend, Direction::Decrypt, messages)
}

fn cbc_many<K: Key>(backend: Backend, direction: Direction, messages: &mut [Message<'_, K>]) {
    let messages = messages.iter_mut().map(|message| job::Message {
        key: message.key.as_bytes(),
        iv: message.iv,
        data: message.data.as_flattened_mut(),
    });
    run(backend, Job::CbcMany { direction, messages: messages.collect() });
}

/// The check value of a key (ANSI X9.24-1): the first 3 bytes of the encryption of a block of zeros. It
/// tells keys apart and is not secret.
pub fn check_value<K: Key>(key: &K) -> [u8; 3] {
    let mut block = [0; BLOCK];
    run(
        Backend::detect(),
        Job::Ecb { key: key.as_bytes(), direction: Direction::Encrypt, data: &mut block },
    );
    [block[0], block[1], block[2]]
}

/// Runs the job on the backend's lanes.
fn run(backend: Backend, job: Job<'_>) {
    let lanes = job.lanes();
    if lanes < CROSSOVER {
        return crates::run(job);
    }
    match backend.level() {
        Level::RustCrypto => crates::run(job),
        Level::Portable => ().enter(Over::<u64, _>::new(job)),
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        Level::Avx2(_) | Level::Vaes(_) | Level::Avx512(_) | Level::Neon(_) if lanes <= NARROW => {
            ().enter(Over::<u64, _>::new(job));
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(proof) => proof.enter(Over::<avx2::Register, _>::new(job)),
        #[cfg(target_arch = "x86_64")]
        Level::Vaes(proof) => Avx2::from(proof).enter(Over::<avx2::Register, _>::new(job)),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(proof) => proof.enter(Over::<avx512::Register, _>::new(job)),
        #[cfg(target_arch = "aarch64")]
        Level::Neon(proof) => proof.enter(Over::<neon::Register, _>::new(job)),
    }
}
