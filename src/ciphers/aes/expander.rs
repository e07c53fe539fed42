//! Keys and IVs for a whole batch from one seed: AES-256-CTR with fast key erasure.
//!
//! Each request runs the key stream under the current key from counter 0. The first two blocks
//! become the next key at once, so that reading memory later does not reveal earlier output
//! (Bernstein, "Fast-key-erasure random-number generators", 2017). The seed must come from the
//! operating system; this module has no access to it.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::AesKey;
use super::ctr::Ctr;
use crate::ciphers::cpu::Backend;

/// Expands a 256-bit seed to any number of bytes. Wiped on drop.
pub struct Expander {
    backend: Backend,
    key: Zeroizing<[u8; 32]>,
}

/// Maximum number of bytes under one key.
const CHUNK: usize = 64 * 1024;

impl fmt::Debug for Expander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expander").finish_non_exhaustive()
    }
}

impl Expander {
    /// Takes a seed of full entropy, and wipes the original.
    pub fn new(backend: Backend, seed: &mut [u8; 32]) -> Self {
        let key = Zeroizing::new(*seed);
        seed.zeroize();
        Self { backend, key }
    }

    /// Fills `out` with new bytes; its previous contents do not matter.
    ///
    /// One request for a whole batch is cheaper than many small ones, each of which changes the
    /// key.
    pub fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(CHUNK) {
            let ctr = Ctr::new(self.backend, AesKey::Aes256(&self.key));
            self.key.fill(0);
            ctr.apply32(&[0; 16], &mut self.key[..]);
            chunk.fill(0);
            ctr.apply32(&2_u128.to_be_bytes(), chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_gives_the_same_bytes() {
        let oracle = Backend::from_name("rustcrypto").unwrap();
        for backend in Backend::available() {
            let [mut one, mut other] =
                [oracle, backend].map(|backend| Expander::new(backend, &mut [5; 32]));
            for length in [0, 1, 44, 4096, CHUNK, CHUNK + 1, 3 * CHUNK] {
                let (mut a, mut b) = (vec![1; length], vec![2; length]);
                one.fill(&mut a);
                other.fill(&mut b);
                assert!(a == b, "{backend}, {length} bytes");
            }
        }
    }

    #[test]
    fn output_is_the_key_stream_after_the_next_key() {
        let ctr = Ctr::new(Backend::detect(), AesKey::Aes256(&[5; 32]));
        let mut stream = [0; 132];
        ctr.apply32(&[0; 16], &mut stream);
        let mut expander = Expander::new(Backend::detect(), &mut [5; 32]);
        let mut out = [9; 100];
        expander.fill(&mut out);
        assert_eq!(out, stream[32..]);
        assert_eq!(expander.key[..], stream[..32]);
    }

    #[test]
    fn the_seed_is_wiped() {
        let mut seed = [5; 32];
        let _ = Expander::new(Backend::detect(), &mut seed);
        assert_eq!(seed, [0; 32]);
    }
}
