//! Kernels for batches of records.
//!
//! A chunk of records goes through two stages. Work that does not depend on the text runs across
//! records, one per lane: key expansion, hash keys with their powers, tag masks. Then each text is
//! processed alone, several of its blocks in a vector; the out-of-order core overlaps neighbours.
//! So records of unequal length waste no lanes.

use super::field::Field;
use super::ghash::Hash;
use super::message::{Message, SHORT};
use super::powers::ShortPowers;
use super::{Inner, Prepared, Record, admit, crates};
use crate::ciphers::aes::job::Job;
use crate::ciphers::aes::lanes::AesLanes;
use crate::ciphers::aes::rounds::{
    LaneKeys, ROUNDS_128, ROUNDS_192, ROUNDS_256, encrypt, expand, key_bytes,
};
use crate::ciphers::aes::{AesKey, Block, KeySize};

/// Number of vectors whose keys are expanded, and whose blocks are encrypted, in parallel.
const GROUPS: usize = 4;
/// Maximum number of records in a chunk: one per lane of the groups.
const RECORDS: usize = 4 * GROUPS;

/// Fills the table of a key's hash powers.
pub(super) struct Prepare<'a>(pub(super) &'a mut Prepared);

impl Job for Prepare<'_> {
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        let keys = self.0.schedule.broadcast::<L>(proof);
        let mut block = [L::zero(proof)];
        match self.0.schedule.size() {
            KeySize::Aes128 => encrypt::<L, ROUNDS_128, 1>(&keys, &mut block),
            KeySize::Aes192 => encrypt::<L, ROUNDS_192, 1>(&keys, &mut block),
            KeySize::Aes256 => encrypt::<L, ROUNDS_256, 1>(&keys, &mut block),
        }
        self.0.powers.fill(&Field::new(proof), block[0]);
    }

    fn by_crates(self) {
        unreachable!("the crates prepare their keys themselves")
    }
}

/// Seals or opens records under one key.
pub(super) struct OneKey<'a, 'r, const SEAL: bool> {
    pub(super) inner: &'a Inner,
    pub(super) records: &'a mut [Record<'r>],
    /// One entry per record when opening.
    pub(super) valid: &'a mut [bool],
}

impl<const SEAL: bool> Job for OneKey<'_, '_, SEAL> {
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        let Inner::Lanes(prepared) = self.inner else {
            unreachable!("the key was prepared for vectors")
        };
        match prepared.schedule.size() {
            KeySize::Aes128 => {
                one_key::<L, ROUNDS_128, SEAL>(proof, prepared, self.records, self.valid);
            }
            KeySize::Aes192 => {
                one_key::<L, ROUNDS_192, SEAL>(proof, prepared, self.records, self.valid);
            }
            KeySize::Aes256 => {
                one_key::<L, ROUNDS_256, SEAL>(proof, prepared, self.records, self.valid);
            }
        }
    }

    fn by_crates(self) {
        let Inner::Crate(cipher) = self.inner else {
            unreachable!("the key was prepared for the crates")
        };
        for (index, record) in self.records.iter_mut().enumerate() {
            if SEAL {
                cipher.seal(record);
            } else {
                self.valid[index] = cipher.open(record);
            }
        }
    }
}

#[inline(always)]
fn one_key<L: AesLanes, const ROUNDS: usize, const SEAL: bool>(
    proof: L::Proof,
    prepared: &Prepared,
    records: &mut [Record<'_>],
    valid: &mut [bool],
) {
    let field = Field::new(proof);
    let mut keys = prepared.schedule.broadcast::<L>(proof);
    let fresh = Hash::new(field, &prepared.powers);
    // Records of a batch often share one AAD: hash it once.
    let mut aad: &[u8] = &[];
    let mut hash = fresh;
    let mut counters = [[0; 16]; RECORDS];
    let mut masks = [[0; 16]; RECORDS];
    let chunk = GROUPS * L::BLOCKS;
    for (number, records) in records.chunks_mut(chunk).enumerate() {
        first_counters(records, &mut counters);
        let mut vectors = load_groups::<L>(proof, &counters);
        encrypt::<L, ROUNDS, GROUPS>(&keys, &mut vectors);
        store_groups(&vectors, &mut masks);
        for (index, record) in records.iter_mut().enumerate() {
            if !std::ptr::eq(record.aad, aad) {
                aad = record.aad;
                hash = fresh;
                hash.bytes::<SHORT>(aad);
            }
            let message = Message {
                proof,
                keys: &keys,
                hash,
                aad: aad.len(),
                first: &counters[index],
                mask: &masks[index],
            };
            let tag = message.pass::<ROUNDS, SHORT, SEAL>(record.text);
            if SEAL {
                record.tag = tag;
            } else {
                valid[number * chunk + index] = admit(record, &tag);
            }
        }
    }
    masks = [[0; 16]; RECORDS];
    keys = [L::zero(proof); 15];
    zeroize::optimization_barrier(&masks);
    zeroize::optimization_barrier(&keys);
}

/// Seals or opens records, each under its own key.
pub(super) struct KeyEach<'a, 'r, const SEAL: bool> {
    pub(super) size: KeySize,
    /// The keys, concatenated.
    pub(super) keys: &'a [u8],
    pub(super) records: &'a mut [Record<'r>],
    /// One entry per record when opening.
    pub(super) valid: &'a mut [bool],
}

impl<const SEAL: bool> Job for KeyEach<'_, '_, SEAL> {
    const STACK: usize = 32;
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        let Self { size, keys, records, valid } = self;
        // Eight powers of a hash key are fastest for texts of a few hundred bytes.
        match (size, L::BLOCKS) {
            (KeySize::Aes128, 4) => {
                key_each::<L, ROUNDS_128, 2, SEAL>(proof, keys, records, valid);
            }
            (KeySize::Aes192, 4) => {
                key_each::<L, ROUNDS_192, 2, SEAL>(proof, keys, records, valid);
            }
            (KeySize::Aes256, 4) => {
                key_each::<L, ROUNDS_256, 2, SEAL>(proof, keys, records, valid);
            }
            (KeySize::Aes128, _) => {
                key_each::<L, ROUNDS_128, 4, SEAL>(proof, keys, records, valid);
            }
            (KeySize::Aes192, _) => {
                key_each::<L, ROUNDS_192, 4, SEAL>(proof, keys, records, valid);
            }
            (KeySize::Aes256, _) => {
                key_each::<L, ROUNDS_256, 4, SEAL>(proof, keys, records, valid);
            }
        }
    }

    fn by_crates(self) {
        for (index, record) in self.records.iter_mut().enumerate() {
            let cipher = crates::Cipher::new(AesKey::nth(self.size, self.keys, index));
            if SEAL {
                cipher.seal(record);
            } else {
                self.valid[index] = cipher.open(record);
            }
        }
    }
}

/// All secrets that a chunk derives from its keys.
struct Secrets<L> {
    /// The keys, padded to a whole chunk.
    keys: [u8; 32 * RECORDS],
    /// Round keys, one record per lane.
    expanded: [LaneKeys<L>; GROUPS],
    /// First counter blocks.
    counters: [Block; RECORDS],
    /// The first counter blocks, encrypted.
    masks: [Block; RECORDS],
    /// Powers of the hash keys.
    powers: [ShortPowers; RECORDS],
}

#[inline(always)]
fn key_each<L: AesLanes, const ROUNDS: usize, const GROUP: usize, const SEAL: bool>(
    proof: L::Proof,
    keys: &[u8],
    records: &mut [Record<'_>],
    valid: &mut [bool],
) {
    let field = Field::new(proof);
    let chunk = GROUPS * L::BLOCKS;
    let mut secrets = Secrets {
        keys: [0; 32 * RECORDS],
        expanded: [[L::zero(proof); 15]; GROUPS],
        counters: [[0; 16]; RECORDS],
        masks: [[0; 16]; RECORDS],
        powers: [ShortPowers::EMPTY; RECORDS],
    };
    let mut round_keys = [L::zero(proof); 15];
    let all_keys = keys.chunks(chunk * key_bytes(ROUNDS));
    for (number, (records, keys)) in records.chunks_mut(chunk).zip(all_keys).enumerate() {
        secrets.keys[..keys.len()].copy_from_slice(keys);
        first_counters(records, &mut secrets.counters);
        secrets.prepare::<ROUNDS>(proof, field);
        for (index, record) in records.iter_mut().enumerate() {
            let (group, lane) = (index / L::BLOCKS, index % L::BLOCKS);
            let expanded = &secrets.expanded[group];
            let keys = if L::BLOCKS == 1 {
                expanded
            } else {
                for (key, expanded) in round_keys[..=ROUNDS].iter_mut().zip(expanded) {
                    *key = expanded.broadcast_lane(lane);
                }
                &round_keys
            };
            let mut hash = Hash::new(field, &secrets.powers[index]);
            hash.bytes::<GROUP>(record.aad);
            let message = Message {
                proof,
                keys,
                hash,
                aad: record.aad.len(),
                first: &secrets.counters[index],
                mask: &secrets.masks[index],
            };
            let tag = message.pass::<ROUNDS, GROUP, SEAL>(record.text);
            if SEAL {
                record.tag = tag;
            } else {
                valid[number * chunk + index] = admit(record, &tag);
            }
        }
    }
    round_keys = [L::zero(proof); 15];
    zeroize::optimization_barrier(&round_keys);
    secrets.clear(proof);
}

impl<L: AesLanes> Secrets<L> {
    /// Expands the keys and derives tag masks and powers of hash keys.
    #[inline(always)]
    fn prepare<const ROUNDS: usize>(&mut self, proof: L::Proof, field: Field<L>) {
        expand::<L, ROUNDS, GROUPS>(proof, &self.keys, &mut self.expanded);
        let mut masks = load_groups::<L>(proof, &self.counters);
        encrypt::<L, ROUNDS, GROUPS>(&self.expanded, &mut masks);
        store_groups(&masks, &mut self.masks);
        let mut zero_blocks = [L::zero(proof); GROUPS];
        encrypt::<L, ROUNDS, GROUPS>(&self.expanded, &mut zero_blocks);
        ShortPowers::fill(&mut self.powers[..GROUPS * L::BLOCKS], &field, &zero_blocks);
    }

    /// Overwrites all secrets.
    #[inline(always)]
    fn clear(&mut self, proof: L::Proof) {
        self.keys = [0; 32 * RECORDS];
        self.expanded = [[L::zero(proof); 15]; GROUPS];
        self.masks = [[0; 16]; RECORDS];
        for powers in &mut self.powers {
            powers.clear();
        }
        zeroize::optimization_barrier(self);
    }
}

/// The first counter block of each record: its IV, and 1.
#[inline(always)]
fn first_counters(records: &[Record<'_>], blocks: &mut [Block; RECORDS]) {
    for (block, record) in blocks.iter_mut().zip(records) {
        block[..12].copy_from_slice(&record.iv);
        block[12..].copy_from_slice(&1_u32.to_be_bytes());
    }
}

#[inline(always)]
fn load_groups<L: AesLanes>(proof: L::Proof, blocks: &[Block; RECORDS]) -> [L; GROUPS] {
    let mut groups = [L::zero(proof); GROUPS];
    for (group, bytes) in groups.iter_mut().zip(blocks.as_flattened().chunks_exact(L::BYTES)) {
        *group = L::load(proof, bytes);
    }
    groups
}

#[inline(always)]
fn store_groups<L: AesLanes>(groups: &[L; GROUPS], blocks: &mut [Block; RECORDS]) {
    let bytes = blocks.as_flattened_mut();
    for (group, bytes) in groups.iter().zip(bytes.chunks_exact_mut(L::BYTES)) {
        group.store(bytes);
    }
}
