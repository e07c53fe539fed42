//! CMAC over lanes: a key in each lane, with all of its messages one after the other.

use super::{Macs, crates};
use crate::ciphers::aes::Block;
use crate::ciphers::aes::job::Job;
use crate::ciphers::aes::lanes::AesLanes;
use crate::ciphers::aes::rounds::{LaneKeys, ROUNDS_256, encrypt, expand};

/// Vectors processed in parallel: enough to hide the latency of an AES round.
const VECTORS: usize = 8;
/// Maximum number of keys in a chunk.
const KEYS: usize = 4 * VECTORS;

impl Job for Macs<'_> {
    const STACK: usize = 32;
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        macs::<L>(proof, self);
    }

    fn by_crates(self) {
        crates::macs(self);
    }
}

#[inline(always)]
fn macs<L: AesLanes>(proof: L::Proof, job: Macs<'_>) {
    let (chunk, count) = (VECTORS * L::BLOCKS, job.keys.len());
    let mut bytes = [0; 32 * KEYS];
    let mut blocks = [[0; 16]; KEYS];
    let mut keys: [LaneKeys<L>; VECTORS] = [[L::zero(proof); 15]; VECTORS];
    for from in (0..count).step_by(chunk) {
        let to = count.min(from + chunk);
        let own = job.keys[from..to].as_flattened();
        bytes[..own.len()].copy_from_slice(own);
        expand::<L, ROUNDS_256, VECTORS>(proof, &bytes, &mut keys);

        let mut states = [L::zero(proof); VECTORS];
        encrypt::<L, ROUNDS_256, VECTORS>(&keys, &mut states);
        store(&states, &mut blocks);
        for block in &mut blocks[..to - from] {
            *block = job.subkey(*block);
        }
        let subkeys = load::<L>(proof, &blocks);
        for message in 0..job.per_key {
            let tags = from * job.per_key + message;
            let mut states = [L::zero(proof); VECTORS];
            for block in 0..job.blocks() {
                for (place, lane) in blocks[..to - from].iter_mut().enumerate() {
                    *lane = job.block(tags + place * job.per_key, block);
                }
                add(&mut states, &load(proof, &blocks));
                if block + 1 == job.blocks() {
                    add(&mut states, &subkeys);
                }
                encrypt::<L, ROUNDS_256, VECTORS>(&keys, &mut states);
            }
            store(&states, &mut blocks);
            for (place, tag) in blocks[..to - from].iter().enumerate() {
                job.tags[tags + place * job.per_key] = *tag;
            }
        }
    }
    bytes = [0; 32 * KEYS];
    blocks = [[0; 16]; KEYS];
    keys = [[L::zero(proof); 15]; VECTORS];
    zeroize::optimization_barrier(&bytes);
    zeroize::optimization_barrier(&blocks);
    zeroize::optimization_barrier(&keys);
}

#[inline(always)]
fn load<L: AesLanes>(proof: L::Proof, blocks: &[Block; KEYS]) -> [L; VECTORS] {
    let mut vectors = [L::zero(proof); VECTORS];
    for (vector, blocks) in vectors.iter_mut().zip(blocks.chunks_exact(L::BLOCKS)) {
        *vector = L::load(proof, blocks.as_flattened());
    }
    vectors
}

#[inline(always)]
fn store<L: AesLanes>(vectors: &[L; VECTORS], blocks: &mut [Block; KEYS]) {
    for (vector, blocks) in vectors.iter().zip(blocks.chunks_exact_mut(L::BLOCKS)) {
        vector.store(blocks.as_flattened_mut());
    }
}

#[inline(always)]
fn add<L: AesLanes>(states: &mut [L; VECTORS], others: &[L; VECTORS]) {
    for (state, other) in states.iter_mut().zip(others) {
        *state = state.xor(*other);
    }
}
