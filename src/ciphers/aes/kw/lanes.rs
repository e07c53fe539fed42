//! Key wrap over lanes: the first half of a lane is A of RFC 3394, the second half is R\[i\].

use std::ops::Range;

use super::{Keks, OVERHEAD, Unwrap, Wrap, crates};
use crate::ciphers::aes::job::Job;
use crate::ciphers::aes::lanes::AesLanes;
use crate::ciphers::aes::rounds::{
    KeySource, LaneKeys, ROUNDS_128, ROUNDS_192, ROUNDS_256, decrypt_whitened, encrypt_whitened,
    expand, invert, key_bytes,
};
use crate::ciphers::aes::{Block, KeySize};
use crate::ciphers::secret::verdict;

/// Vectors processed in parallel: enough to hide the latency of an AES round.
const VECTORS: usize = 8;
/// Maximum number of content keys in a chunk.
const KEYS: usize = 4 * VECTORS;
/// The longest content key, in 64-bit words, that is wrapped in lanes.
const WORDS: usize = 8;
/// The initial value of RFC 3394, section 2.2.3.1.
const INITIAL: [u8; 8] = [0xa6; 8];

impl Job for Wrap<'_> {
    const STACK: usize = 32;
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        if self.length > 8 * WORDS {
            return crates::wrap(self);
        }
        match self.keks.size {
            KeySize::Aes128 => with_keys::<L, ROUNDS_128, _>(proof, self),
            KeySize::Aes192 => with_keys::<L, ROUNDS_192, _>(proof, self),
            KeySize::Aes256 => with_keys::<L, ROUNDS_256, _>(proof, self),
        }
    }

    fn by_crates(self) {
        crates::wrap(self);
    }
}

impl Job for Unwrap<'_> {
    const STACK: usize = 32;
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        if self.length > 8 * WORDS {
            return crates::unwrap(self);
        }
        match self.keks.size {
            KeySize::Aes128 => with_keys::<L, ROUNDS_128, _>(proof, self),
            KeySize::Aes192 => with_keys::<L, ROUNDS_192, _>(proof, self),
            KeySize::Aes256 => with_keys::<L, ROUNDS_256, _>(proof, self),
        }
    }

    fn by_crates(self) {
        crates::unwrap(self);
    }
}

/// A direction of key wrap, a chunk of keys at a time.
trait Direction {
    /// Whether round keys are those of the inverse cipher.
    const INVERSE: bool;
    /// The key-encryption keys.
    fn keks(&self) -> Keks<'_>;
    /// The number of content keys.
    fn count(&self) -> usize;
    /// Processes content keys `from..to`, at most as many as there are lanes.
    fn chunk<L: AesLanes, const ROUNDS: usize>(
        &mut self,
        proof: L::Proof,
        keys: &impl KeySource<L>,
        lanes: &mut Words,
        from: usize,
        to: usize,
    );
}

/// Expands the key-encryption keys, once or for each chunk, and processes all chunks.
#[inline(always)]
fn with_keys<L: AesLanes, const ROUNDS: usize, D: Direction>(proof: L::Proof, mut job: D) {
    let (chunk, count) = (VECTORS * L::BLOCKS, job.count());
    let mut words = Words::EMPTY;
    let mut bytes = [0; 32 * KEYS];
    if job.keks().each {
        let mut keys = [[L::zero(proof); 15]; VECTORS];
        for from in (0..count).step_by(chunk) {
            let to = count.min(from + chunk);
            let keks = &job.keks().bytes[from * key_bytes(ROUNDS)..to * key_bytes(ROUNDS)];
            bytes[..keks.len()].copy_from_slice(keks);
            expand::<L, ROUNDS, VECTORS>(proof, &bytes, &mut keys);
            if D::INVERSE {
                for lanes in &mut keys {
                    invert::<L, ROUNDS>(proof, lanes);
                }
            }
            job.chunk::<L, ROUNDS>(proof, &keys, &mut words, from, to);
        }
        keys = [[L::zero(proof); 15]; VECTORS];
        zeroize::optimization_barrier(&keys);
    } else {
        let kek = job.keks().bytes;
        for lane in bytes.chunks_exact_mut(kek.len()).take(L::BLOCKS) {
            lane.copy_from_slice(kek);
        }
        let mut expanded: [LaneKeys<L>; 1] = [[L::zero(proof); 15]];
        expand::<L, ROUNDS, 1>(proof, &bytes, &mut expanded);
        let [mut keys] = expanded;
        if D::INVERSE {
            invert::<L, ROUNDS>(proof, &mut keys);
        }
        for from in (0..count).step_by(chunk) {
            job.chunk::<L, ROUNDS>(proof, &keys, &mut words, from, count.min(from + chunk));
        }
        expanded = [[L::zero(proof); 15]];
        keys = [L::zero(proof); 15];
        zeroize::optimization_barrier(&expanded);
        zeroize::optimization_barrier(&keys);
    }
    bytes = [0; 32 * KEYS];
    zeroize::optimization_barrier(&bytes);
    words = Words::EMPTY;
    zeroize::optimization_barrier(&words);
}

/// The words of a chunk of content keys, each in the half of its lane that the chain expects.
#[repr(align(64))]
struct Words {
    /// A, in the first halves.
    a: [Block; KEYS],
    /// R\[i\], in the second halves; the first halves are ignored.
    r: [[Block; KEYS]; WORDS],
}

impl Words {
    const EMPTY: Self = Self { a: [[0; 16]; KEYS], r: [[[0; 16]; KEYS]; WORDS] };

    /// Sets R from keys of `words` words.
    #[inline(always)]
    fn load<'k>(&mut self, words: usize, keys: impl Iterator<Item = &'k [u8]>) {
        for (place, key) in (0..KEYS).zip(keys) {
            for word in 0..words {
                self.r[word][place][8..].copy_from_slice(&key[8 * word..][..8]);
            }
        }
    }

    /// Writes R to keys of `words` words.
    #[inline(always)]
    fn store<'k>(&self, words: usize, keys: impl Iterator<Item = &'k mut [u8]>) {
        for (place, key) in (0..KEYS).zip(keys) {
            for word in 0..words {
                key[8 * word..][..8].copy_from_slice(&self.r[word][place][8..]);
            }
        }
    }

    /// RFC 3394, section 2.2.1, step 2.
    ///
    /// The number of a step is added to A together with round key 0 of the next step.
    #[inline(always)]
    fn wrap<L: AesLanes, const ROUNDS: usize>(
        &mut self,
        proof: L::Proof,
        keys: &impl KeySource<L>,
        words: usize,
    ) {
        let mut states = load::<L>(proof, &self.a);
        let mut count = 0;
        for _ in 0..6 {
            for r in &mut self.r[..words] {
                let number = number::<L>(proof, count);
                enter(&mut states, load(proof, r), keys, number);
                encrypt_whitened::<L, ROUNDS, VECTORS>(keys, &mut states);
                store(&states, r);
                count += 1;
            }
        }
        let number = number::<L>(proof, count);
        for state in &mut states {
            *state = state.xor(number);
        }
        store(&states, &mut self.a);
    }

    /// RFC 3394, section 2.2.2, step 2.
    #[inline(always)]
    fn unwrap<L: AesLanes, const ROUNDS: usize>(
        &mut self,
        proof: L::Proof,
        keys: &impl KeySource<L>,
        words: usize,
    ) {
        let mut states = load::<L>(proof, &self.a);
        let mut count = 6 * words as u8;
        for _ in 0..6 {
            for r in self.r[..words].iter_mut().rev() {
                let number = number::<L>(proof, count);
                enter(&mut states, load(proof, r), keys, number);
                decrypt_whitened::<L, ROUNDS, VECTORS>(keys, &mut states);
                store(&states, r);
                count -= 1;
            }
        }
        store(&states, &mut self.a);
    }
}

/// Combines A with R, and adds round key 0 and the number of a step.
#[inline(always)]
fn enter<L: AesLanes>(
    states: &mut [L; VECTORS],
    r: [L; VECTORS],
    keys: &impl KeySource<L>,
    number: L,
) {
    for (vector, (state, r)) in states.iter_mut().zip(r).enumerate() {
        *state = state.with_high(r).xor(keys.key(vector, 0).xor(number));
    }
}

/// Returns the number of a step in the form added to A: 48 at most, six times eight words.
#[inline(always)]
fn number<L: AesLanes>(proof: L::Proof, count: u8) -> L {
    L::broadcast(proof, &[0, 0, 0, 0, 0, 0, 0, count, 0, 0, 0, 0, 0, 0, 0, 0])
}

#[inline(always)]
fn load<L: AesLanes>(proof: L::Proof, blocks: &[Block; KEYS]) -> [L; VECTORS] {
    let mut vectors = [L::zero(proof); VECTORS];
    let bytes = blocks.as_flattened().chunks_exact(L::BYTES);
    for (vector, bytes) in vectors.iter_mut().zip(bytes) {
        *vector = L::load(proof, bytes);
    }
    vectors
}

#[inline(always)]
fn store<L: AesLanes>(vectors: &[L; VECTORS], blocks: &mut [Block; KEYS]) {
    let bytes = blocks.as_flattened_mut().chunks_exact_mut(L::BYTES);
    for (vector, bytes) in vectors.iter().zip(bytes) {
        vector.store(bytes);
    }
}

impl Direction for Wrap<'_> {
    const INVERSE: bool = false;

    #[inline(always)]
    fn keks(&self) -> Keks<'_> {
        self.keks
    }

    #[inline(always)]
    fn count(&self) -> usize {
        self.ceks.len() / self.length
    }

    #[inline(always)]
    fn chunk<L: AesLanes, const ROUNDS: usize>(
        &mut self,
        proof: L::Proof,
        keys: &impl KeySource<L>,
        lanes: &mut Words,
        from: usize,
        to: usize,
    ) {
        // Makes lengths constants for 256-bit keys, by far the most common.
        match self.length {
            32 => self.chunk_of::<L, ROUNDS>(32, proof, keys, lanes, from..to),
            length => self.chunk_of::<L, ROUNDS>(length, proof, keys, lanes, from..to),
        }
    }
}

impl Wrap<'_> {
    #[inline(always)]
    fn chunk_of<L: AesLanes, const ROUNDS: usize>(
        &mut self,
        length: usize,
        proof: L::Proof,
        keys: &impl KeySource<L>,
        lanes: &mut Words,
        range: Range<usize>,
    ) {
        let longer = length + OVERHEAD;
        let ceks = &self.ceks[range.start * length..range.end * length];
        lanes.load(length / 8, ceks.chunks_exact(length));
        for block in &mut lanes.a {
            block[..8].copy_from_slice(&INITIAL);
        }
        lanes.wrap::<L, ROUNDS>(proof, keys, length / 8);
        let wrapped = &mut self.wrapped[range.start * longer..range.end * longer];
        for (block, wrapped) in lanes.a.iter().zip(wrapped.chunks_exact_mut(longer)) {
            wrapped[..8].copy_from_slice(&block[..8]);
        }
        let words = wrapped.chunks_exact_mut(longer).map(|key| &mut key[8..]);
        lanes.store(length / 8, words);
    }
}

impl Direction for Unwrap<'_> {
    const INVERSE: bool = true;

    #[inline(always)]
    fn keks(&self) -> Keks<'_> {
        self.keks
    }

    #[inline(always)]
    fn count(&self) -> usize {
        self.valid.len()
    }

    #[inline(always)]
    fn chunk<L: AesLanes, const ROUNDS: usize>(
        &mut self,
        proof: L::Proof,
        keys: &impl KeySource<L>,
        lanes: &mut Words,
        from: usize,
        to: usize,
    ) {
        // Makes lengths constants for 256-bit keys, by far the most common.
        match self.length {
            32 => self.chunk_of::<L, ROUNDS>(32, proof, keys, lanes, from..to),
            length => self.chunk_of::<L, ROUNDS>(length, proof, keys, lanes, from..to),
        }
    }
}

impl Unwrap<'_> {
    #[inline(always)]
    fn chunk_of<L: AesLanes, const ROUNDS: usize>(
        &mut self,
        length: usize,
        proof: L::Proof,
        keys: &impl KeySource<L>,
        lanes: &mut Words,
        range: Range<usize>,
    ) {
        let longer = length + OVERHEAD;
        let wrapped = &self.wrapped[range.start * longer..range.end * longer];
        lanes.load(length / 8, wrapped.chunks_exact(longer).map(|key| &key[8..]));
        for (block, wrapped) in lanes.a.iter_mut().zip(wrapped.chunks_exact(longer)) {
            block[..8].copy_from_slice(&wrapped[..8]);
        }
        lanes.unwrap::<L, ROUNDS>(proof, keys, length / 8);
        let ceks = &mut self.ceks[range.start * length..range.end * length];
        lanes.store(length / 8, ceks.chunks_exact_mut(length));
        let results = self.valid[range].iter_mut().zip(&lanes.a);
        for ((valid, block), cek) in results.zip(ceks.chunks_exact_mut(length)) {
            // A single comparison of all 64 bits does not show where they differ.
            let initial = u64::from_ne_bytes(std::array::from_fn(|at| block[at]));
            *valid = verdict(initial == u64::from_ne_bytes(INITIAL));
            if !*valid {
                cek.fill(0);
            }
        }
    }
}
