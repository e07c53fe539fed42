//! Tables of the powers of a hash key, and products with them.

use super::field::{Field, Product};
use crate::ciphers::aes::Block;
use crate::ciphers::aes::lanes::{AesLanes, transpose};

/// A table of powers.
pub(super) trait Powers: Copy {
    /// The highest power in the table.
    const HIGHEST: usize;

    /// Multiplies the lanes by Hⁿ, Hⁿ⁻¹ …
    fn product<L: AesLanes>(self, proof: L::Proof, element: L, n: usize) -> Product<L>;
    /// Prepares a sum of such products for reduction.
    fn total<L: AesLanes>(self, sum: Product<L>) -> Product<L>;
}

/// A row Hⁿ … H², H¹, each times x⁻¹, byte-reversed.
///
/// Four more entries follow H¹, so that whole vectors can be loaded from any power.
#[derive(Clone)]
struct Row<const PLACES: usize>([Block; PLACES]);

impl<const PLACES: usize> Row<PLACES> {
    const EMPTY: Self = Self([[0; 16]; PLACES]);

    /// Returns the bytes from Hⁿ on.
    #[inline(always)]
    fn at(&self, n: usize) -> &[u8] {
        self.0[PLACES - 4 - n..].as_flattened()
    }

    #[inline(always)]
    fn at_mut(&mut self, n: usize) -> &mut [u8] {
        self.0[PLACES - 4 - n..].as_flattened_mut()
    }
}

/// Powers for texts of a few hundred bytes, quick to compute: up to H⁹, for a group of 8 blocks and
/// the length block. H⁴ is at the start of a cache line.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct ShortPowers(Row<16>);

impl Powers for &ShortPowers {
    const HIGHEST: usize = 9;

    #[inline(always)]
    fn product<L: AesLanes>(self, proof: L::Proof, element: L, n: usize) -> Product<L> {
        Product::of(element, L::load(proof, self.0.at(n)))
    }

    #[inline(always)]
    fn total<L: AesLanes>(self, sum: Product<L>) -> Product<L> {
        sum
    }
}

impl ShortPowers {
    pub(super) const EMPTY: Self = Self(Row::EMPTY);

    /// Fills a table for each lane of each group of encrypted zero blocks; `tables` is in lane
    /// order.
    #[inline(always)]
    pub(super) fn fill<L: AesLanes, const GROUPS: usize>(
        tables: &mut [Self],
        field: &Field<L>,
        zero_blocks: &[L; GROUPS],
    ) {
        let powers = powers::<L, 9, GROUPS>(field, zero_blocks);
        for (group, tables) in tables.chunks_exact_mut(L::BLOCKS).enumerate() {
            let mut ninth = [0; 64];
            powers[8][group].store(&mut ninth);
            for (block, table) in ninth.as_chunks::<16>().0.iter().zip(tables.iter_mut()) {
                table.0.at_mut(9)[..16].copy_from_slice(block);
            }
            let mut top = 8;
            while top > 0 {
                let mut square = [L::zero(field.proof); 4];
                for (place, vector) in square[..L::BLOCKS].iter_mut().enumerate() {
                    *vector = powers[top - place - 1][group];
                }
                transpose(&mut square[..L::BLOCKS]);
                for (vector, table) in square.iter().zip(tables.iter_mut()) {
                    vector.store(table.0.at_mut(top));
                }
                top -= L::BLOCKS;
            }
        }
    }

    /// Clears the table; the caller prevents the compiler from dropping the write.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        *self = Self::EMPTY;
    }
}

/// Powers for long texts: up to H³², for a group of eight vectors.
///
/// With the sums of their halves precomputed, three products suffice instead of four (Karatsuba).
/// The rows are not aligned: faster loads gain less than an aligned allocation costs.
#[derive(Clone)]
pub(super) struct LongPowers {
    powers: Row<36>,
    /// Sum of each power's halves, stored in both halves.
    sums: Row<36>,
}

impl Powers for &LongPowers {
    const HIGHEST: usize = 32;

    #[inline(always)]
    fn product<L: AesLanes>(self, proof: L::Proof, element: L, n: usize) -> Product<L> {
        let power = L::load(proof, self.powers.at(n));
        let sum = L::load(proof, self.sums.at(n));
        Product {
            low: element.clmul::<0x00>(power),
            middle: halves_summed(element).clmul::<0x00>(sum),
            high: element.clmul::<0x11>(power),
        }
    }

    #[inline(always)]
    fn total<L: AesLanes>(self, sum: Product<L>) -> Product<L> {
        Product { middle: sum.middle.xor(sum.low).xor(sum.high), ..sum }
    }
}

impl LongPowers {
    pub(super) const EMPTY: Self = Self { powers: Row::EMPTY, sums: Row::EMPTY };

    /// Fills the table from the encrypted zero block, given in all lanes.
    #[inline(always)]
    pub(super) fn fill<L: AesLanes>(&mut self, field: &Field<L>, zero_block: L) {
        let powers = powers::<L, 4, 1>(field, &[zero_block]);
        let mut square = [L::zero(field.proof); 4];
        for (place, vector) in square[..L::BLOCKS].iter_mut().enumerate() {
            [*vector] = powers[L::BLOCKS - place - 1];
        }
        transpose(&mut square[..L::BLOCKS]);
        let mut vectors = [square[0]; 8];
        // Each step doubles the table, which keeps the chain of products short.
        let [mut step] = powers[L::BLOCKS - 1];
        for half in [1, 2, 4] {
            for index in half..2 * half {
                vectors[index] = field.multiply(vectors[index - half], step);
            }
            step = field.square(step);
        }
        for (number, vector) in (1..).zip(vectors) {
            vector.store(self.powers.at_mut(number * L::BLOCKS));
            halves_summed(vector).store(self.sums.at_mut(number * L::BLOCKS));
        }
    }

    /// Clears the table; the caller prevents the compiler from dropping the write.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        *self = Self::EMPTY;
    }
}

/// Adds each lane's halves, and returns the sum in both halves.
#[inline(always)]
fn halves_summed<L: AesLanes>(element: L) -> L {
    element.xor(element.swap_halves())
}

/// Computes the powers H¹ … of the encrypted zero blocks in the lanes of all groups at once:
/// `powers[n - 1]` is Hⁿ·x⁻¹.
#[inline(always)]
fn powers<L: AesLanes, const COUNT: usize, const GROUPS: usize>(
    field: &Field<L>,
    zero_blocks: &[L; GROUPS],
) -> [[L; GROUPS]; COUNT] {
    let mut powers = [[L::zero(field.proof); GROUPS]; COUNT];
    for (power, block) in powers[0].iter_mut().zip(zero_blocks) {
        *power = field.hash_key(*block);
    }
    for n in 2..=COUNT {
        // Products of halves keep the chain of products short.
        let (small, large) = (powers[n / 2 - 1], powers[n.div_ceil(2) - 1]);
        for (power, (small, large)) in powers[n - 1].iter_mut().zip(small.into_iter().zip(large)) {
            let is_square = n.is_multiple_of(2);
            *power = if is_square { field.square(small) } else { field.multiply(small, large) };
        }
    }
    powers
}
