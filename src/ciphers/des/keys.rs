//! The key schedule: wiring, and shared or separate keys per lane.

use zeroize::Zeroize;

use super::BLOCK;
use super::lanes::{DesLanes, KeyBit};
use super::wiring::{KEY_REGISTERS, ROTATIONS, UNROLLED};

/// The tables of a DES key, or of the three keys of a triple DES, wiped when dropped.
pub(super) struct Tables<K: Zeroize>(Vec<KeyTable<K>>);

impl<K: Zeroize + Copy> Tables<K> {
    /// Creates tables of `stages` keys, not yet set.
    #[inline(always)]
    pub(super) fn new(stages: usize, blank: K) -> Self {
        Self(vec![KeyTable([[blank; UNROLLED]; 2]); stages])
    }

    #[inline(always)]
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut KeyTable<K>> {
        self.0.iter_mut()
    }

    /// Returns the tables in key order.
    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[KeyTable<K>] {
        &self.0
    }
}

impl Tables<Same> {
    /// Creates the tables of one key, of 8 or 24 bytes, for all lanes.
    pub(super) fn same<L: DesLanes>(key: &[u8]) -> Self {
        let mut tables = Self::new(key.len() / BLOCK, Same(0));
        for (table, part) in tables.0.iter_mut().zip(key.as_chunks().0) {
            let part = u64::from_le_bytes(*part);
            let bit = |i: usize| Same(((part << (63 - i)).cast_signed() >> 63).cast_unsigned());
            table.set::<L>(&std::array::from_fn(bit));
        }
        tables
    }
}

impl<K: Zeroize> Drop for Tables<K> {
    fn drop(&mut self) {
        for table in &mut self.0 {
            table.0.as_flattened_mut().iter_mut().zeroize();
        }
    }
}

/// A key bit shared by all lanes: no bits set or all 64. At this size, a key's tables stay in the
/// first-level cache, and AVX-512 broadcasts from memory at no cost.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Same(u64);

impl<L: DesLanes> KeyBit<L> for Same {
    #[inline(always)]
    fn register(self, proof: L::Proof) -> L {
        L::splat(proof, self.0)
    }

    #[inline(always)]
    fn inverse(self) -> Self {
        Self(!self.0)
    }
}

/// The key bits of one DES key, or of one per lane, and their inverses for S-boxes with inverted
/// inputs.
///
/// A round key is 48 of the 56 key bits, chosen by PC-2 after rotating C and D. With C and D each
/// written out twice, a rotation is an offset into the table, so the key schedule is wiring.
#[derive(Clone)]
pub(super) struct KeyTable<K>([[K; UNROLLED]; 2]);

/// A row of key bits; `KEY_PLACES` are offsets into it.
type Row<K> = [K; UNROLLED - 28];

/// A round key and its inverse.
pub(super) type RoundKey<'a, K> = [&'a Row<K>; 2];

impl<K: Copy> KeyTable<K> {
    /// Derives the table from key bits by register.
    #[inline(always)]
    pub(super) fn set<L: DesLanes>(&mut self, bits: &[K; 64])
    where
        K: KeyBit<L>,
    {
        let [keys, inverses] = &mut self.0;
        for (place, register) in KEY_REGISTERS.into_iter().enumerate() {
            keys[place] = bits[register];
            if L::INVERTED != [0; 8] {
                inverses[place] = bits[register].inverse();
            }
        }
    }

    /// Returns the key of a round, counted from 0.
    #[inline(always)]
    pub(super) fn round(&self, round: usize) -> RoundKey<'_, K> {
        let rotation = ROTATIONS[round];
        let [keys, inverses] = &self.0;
        [row(keys, rotation), row(inverses, rotation)]
    }
}

#[inline(always)]
fn row<K>(table: &[K; UNROLLED], rotation: usize) -> &Row<K> {
    table[rotation..].first_chunk().expect("rotations are at most 28")
}
