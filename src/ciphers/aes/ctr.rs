//! Counter mode over one long message (SP 800-38A, section 6.5).

use std::fmt;

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};

use super::job::{Job, has_lanes, run};
use super::lanes::AesLanes;
use super::rounds::{self, LaneKeys, ROUNDS_128, ROUNDS_192, ROUNDS_256, Schedule};
use super::{AesKey, Block, KeySize};
use crate::ciphers::cpu::Backend;

/// An AES key, expanded for counter mode.
pub struct Ctr {
    backend: Backend,
    inner: Inner,
}

enum Inner {
    Lanes(Box<Schedule>),
    Crate128(Box<Aes128>),
    Crate192(Box<Aes192>),
    Crate256(Box<Aes256>),
}

impl fmt::Debug for Ctr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctr").finish_non_exhaustive()
    }
}

impl Ctr {
    /// Expands a key.
    pub fn new(backend: Backend, key: AesKey<'_>) -> Self {
        let inner = match key {
            key if has_lanes(backend) => {
                Inner::Lanes(Box::new(Schedule::new(backend, key.size(), key.bytes())))
            }
            AesKey::Aes128(key) => Inner::Crate128(Box::new(Aes128::new(key.into()))),
            AesKey::Aes192(key) => Inner::Crate192(Box::new(Aes192::new(key.into()))),
            AesKey::Aes256(key) => Inner::Crate256(Box::new(Aes256::new(key.into()))),
        };
        Self { backend, inner }
    }

    /// Encrypts or decrypts `text` in place. The last 32 bits of the counter block count,
    /// big-endian, and wrap without carrying into the first 96 (SP 800-38D, section 6.5).
    ///
    /// `first` is the counter block of the first 16 bytes.
    ///
    /// # Panics
    /// If `text` is longer than 2³² blocks (64 GiB).
    pub fn apply32(&self, first: &[u8; 16], text: &mut [u8]) {
        assert!(text.len() as u64 <= 1 << 36, "the counter would repeat");
        run(self.backend, Apply { ctr: self, first, text });
    }

    /// Encrypts or decrypts `text` in place. All 128 bits of the counter block count, big-endian.
    ///
    /// `first` is the counter block of the first 16 bytes.
    pub fn apply128(&self, first: &[u8; 16], text: &mut [u8]) {
        // Until the last 32 bits wrap, the two ways of counting are the same.
        let count = u128::from_be_bytes(*first);
        let until_wrap = (1_u64 << 32) - u64::from(count as u32);
        let length = (text.len() as u64).min(16 * until_wrap);
        let (run, later) = text.split_at_mut(length as usize);
        self.apply32(first, run);
        if !later.is_empty() {
            self.apply128(&count.wrapping_add(u128::from(until_wrap)).to_be_bytes(), later);
        }
    }
}

/// Consecutive counter blocks, a vector at a time.
struct Counter<L> {
    value: L,
    step: L,
    order: L,
}

impl<L: AesLanes> Counter<L> {
    /// Starts at `first`. The last word is stored little-endian and byte-swapped on output.
    #[inline(always)]
    fn new(proof: L::Proof, first: &Block) -> Self {
        /// Lane numbers in the last word.
        const LANES: [u8; 64] = {
            let mut lanes = [0; 64];
            (lanes[28], lanes[44], lanes[60]) = (1, 2, 3);
            lanes
        };
        const LAST_WORD_TURNED: Block = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 14, 13, 12];
        let order = L::broadcast(proof, &LAST_WORD_TURNED);
        let mut step = [0; 16];
        step[12] = L::BLOCKS as u8;
        Self {
            value: L::broadcast(proof, first).shuffle(order).add32(L::load(proof, &LANES)),
            step: L::broadcast(proof, &step),
            order,
        }
    }

    /// Returns the next `VECTORS` vectors of counter blocks.
    #[inline(always)]
    fn next<const VECTORS: usize>(&mut self) -> [L; VECTORS] {
        let mut blocks = [self.value; VECTORS];
        for block in &mut blocks {
            *block = self.value.shuffle(self.order);
            self.value = self.value.add32(self.step);
        }
        blocks
    }
}

struct Apply<'a> {
    ctr: &'a Ctr,
    first: &'a Block,
    text: &'a mut [u8],
}

impl Job for Apply<'_> {
    const STACK: usize = 2;
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        let Inner::Lanes(schedule) = &self.ctr.inner else {
            unreachable!("the key was expanded for a backend with lanes")
        };
        let mut keys: LaneKeys<L> = schedule.broadcast(proof);
        match schedule.size() {
            KeySize::Aes128 => apply::<L, ROUNDS_128>(proof, &keys, self.first, self.text),
            KeySize::Aes192 => apply::<L, ROUNDS_192>(proof, &keys, self.first, self.text),
            KeySize::Aes256 => apply::<L, ROUNDS_256>(proof, &keys, self.first, self.text),
        }
        keys = [L::zero(proof); 15];
        zeroize::optimization_barrier(&keys);
    }

    fn by_crates(self) {
        match &self.ctr.inner {
            Inner::Crate128(cipher) => apply_crate(cipher.as_ref(), self.first, self.text),
            Inner::Crate192(cipher) => apply_crate(cipher.as_ref(), self.first, self.text),
            Inner::Crate256(cipher) => apply_crate(cipher.as_ref(), self.first, self.text),
            Inner::Lanes(_) => unreachable!("the key was expanded for the crates"),
        }
    }
}

/// Vectors in flight: enough to fill the latency of an AES round.
const VECTORS: usize = 8;

#[inline(always)]
fn apply<L: AesLanes, const ROUNDS: usize>(
    proof: L::Proof,
    keys: &LaneKeys<L>,
    first: &Block,
    text: &mut [u8],
) {
    let mut counter = Counter::new(proof, first);
    let mut strides = text.chunks_exact_mut(VECTORS * L::BYTES);
    for stride in &mut strides {
        let mut states: [L; VECTORS] = counter.next();
        rounds::encrypt::<L, ROUNDS, VECTORS>(keys, &mut states);
        for (state, bytes) in states.iter().zip(stride.chunks_exact_mut(L::BYTES)) {
            state.xor(L::load(proof, bytes)).store(bytes);
        }
    }
    let rest = strides.into_remainder();
    match rest.len().div_ceil(L::BYTES) {
        0 => {}
        1 => finish::<L, ROUNDS, 1>(proof, keys, &mut counter, rest),
        _ => finish::<L, ROUNDS, VECTORS>(proof, keys, &mut counter, rest),
    }
}

/// Processes the rest, at most `COUNT` vectors.
#[inline(always)]
fn finish<L: AesLanes, const ROUNDS: usize, const COUNT: usize>(
    proof: L::Proof,
    keys: &LaneKeys<L>,
    counter: &mut Counter<L>,
    rest: &mut [u8],
) {
    let mut states: [L; COUNT] = counter.next();
    rounds::encrypt::<L, ROUNDS, COUNT>(keys, &mut states);
    for (state, bytes) in states.iter().zip(rest.chunks_mut(L::BYTES)) {
        state.xor(L::load_partial(proof, bytes)).store_partial(bytes);
    }
}

/// Applies counter mode with a crate's cipher, 32 blocks of key stream at a time.
fn apply_crate(cipher: &impl BlockCipherEncrypt, first: &Block, text: &mut [u8]) {
    const BLOCKS: usize = 32;
    let (prefix, mut count) = split_counter(first);
    let mut stream = zeroize::Zeroizing::new([0_u8; 16 * BLOCKS]);
    for stride in text.chunks_mut(16 * BLOCKS) {
        for block in stream.chunks_exact_mut(16) {
            block[..12].copy_from_slice(&prefix);
            block[12..].copy_from_slice(&count.to_be_bytes());
            count = count.wrapping_add(1);
        }
        let (blocks, []) = aes::cipher::Array::slice_as_chunks_mut(&mut stream[..]) else {
            unreachable!("the stream is whole blocks")
        };
        cipher.encrypt_blocks(blocks);
        for (byte, key) in stride.iter_mut().zip(&stream[..]) {
            *byte ^= key;
        }
    }
}

fn split_counter(block: &Block) -> ([u8; 12], u32) {
    let [prefix @ .., a, b, c, d] = *block;
    (prefix, u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SP 800-38A, sections F.5.1, F.5.3 and F.5.5.
    const FIRST: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
    const PLAINTEXT: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                             30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    const CASES: [(&str, &str); 3] = [
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
             5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
        ),
        (
            "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
            "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94\
             1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
        ),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5\
             2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
        ),
    ];

    #[test]
    fn the_examples_of_sp_800_38a_hold_on_every_backend() {
        let first: Block = hex::decode(FIRST).unwrap().try_into().unwrap();
        for backend in Backend::available() {
            for (key, expected) in CASES {
                let ctr = Ctr::new(backend, AesKey::new(&hex::decode(key).unwrap()).unwrap());
                let mut text = hex::decode(PLAINTEXT).unwrap();
                ctr.apply128(&first, &mut text);
                assert_eq!(hex::encode(text), expected, "{backend}");
            }
        }
    }

    /// Counter blocks in which the last word or all 128 bits wrap soon.
    const STARTS: [Block; 4] = [
        [0; 16],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 0xff, 0xff, 0xff, 0xf3],
        [9, 8, 7, 6, 5, 4, 3, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80],
        [0xff; 16],
    ];

    #[test]
    fn all_lengths_and_wrapping_counters_equal_the_crate() {
        const GUARD: usize = 64;
        let oracle = Backend::from_name("rustcrypto").unwrap();
        for backend in Backend::available() {
            let keys =
                [[3; 16].as_slice(), &[5; 24], &[4; 32]].map(|key| AesKey::new(key).unwrap());
            for key in keys {
                let (expected, tested) = (Ctr::new(oracle, key), Ctr::new(backend, key));
                for length in (0..=4096).step_by(7).chain(500..=530).chain(4090..=4096) {
                    let first = STARTS[length % 4];
                    let mut one = vec![0xa5; length + GUARD];
                    let mut other = one.clone();
                    expected.apply32(&first, &mut one[..length]);
                    tested.apply32(&first, &mut other[..length]);
                    assert!(one == other, "{backend} 32 bits, {length} bytes");
                    expected.apply128(&first, &mut one[..length]);
                    tested.apply128(&first, &mut other[..length]);
                    assert!(one == other, "{backend} 128 bits, {length} bytes");
                }
            }
        }
    }

    #[test]
    fn all_128_bits_count() {
        for backend in Backend::available() {
            let ctr = Ctr::new(backend, AesKey::Aes256(&[7; 32]));
            for start in STARTS {
                let mut text = [0; 16 * 40];
                ctr.apply128(&start, &mut text);
                for (i, block) in text.chunks_exact(16).enumerate() {
                    let counter = u128::from_be_bytes(start).wrapping_add(i as u128);
                    let mut alone = [0; 16];
                    ctr.apply32(&counter.to_be_bytes(), &mut alone);
                    assert_eq!(block, alone);
                }
            }
        }
    }
}
