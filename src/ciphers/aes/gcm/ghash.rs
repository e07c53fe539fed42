//! GHASH (SP 800-38D, section 6.4) over lanes.
//!
//! A block stands byte-reversed in its lane, so that the bit of x⁰ is the highest. A carry-less
//! product of two such numbers lacks a factor x⁻¹; the powers of the hash key carry it.

use crate::ciphers::aes::Block;
use crate::ciphers::aes::lanes::{Lanes, transpose};

/// A table Hⁿ … H², H¹, each times x⁻¹, byte-reversed.
///
/// Behind H¹ there are four places more, so that whole vectors can be loaded from any power; they
/// also put H⁴ at the start of a cache line.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Powers<const PLACES: usize>([Block; PLACES]);

/// As far as H¹⁷: a group of 16 blocks, and the length block.
pub(super) type LongPowers = Powers<24>;
/// As far as H⁹: a group of 8 blocks, and the length block.
pub(super) type ShortPowers = Powers<16>;

impl<const PLACES: usize> Powers<PLACES> {
    pub(super) const EMPTY: Self = Self([[0; 16]; PLACES]);

    /// Where Hⁿ stands.
    const fn place(n: usize) -> usize {
        PLACES - 4 - n
    }

    /// Hⁿ, Hⁿ⁻¹ … in as many lanes as there are.
    #[inline(always)]
    fn from<L: Lanes>(&self, proof: L::Proof, n: usize) -> L {
        L::load(proof, self.0[Self::place(n)..].as_flattened())
    }

    /// Clears the table; the caller keeps the compiler from dropping the write.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        *self = Self::EMPTY;
    }
}

/// The arithmetic's constants in vectors.
#[derive(Clone, Copy)]
pub(super) struct Field<L: Lanes> {
    proof: L::Proof,
    reversal: L,
    polynomial: L,
}

impl<L: Lanes> Field<L> {
    #[inline(always)]
    pub(super) fn new(proof: L::Proof) -> Self {
        /// The reduction polynomial's high half, in both halves.
        const POLYNOMIAL: Block = [0, 0, 0, 0, 0, 0, 0, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0xc2];
        const REVERSAL: Block = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
        Self {
            proof,
            reversal: L::broadcast(proof, &REVERSAL),
            polynomial: L::broadcast(proof, &POLYNOMIAL),
        }
    }

    /// A block's bytes to a field element, or back.
    #[inline(always)]
    pub(super) fn reverse(&self, block: L) -> L {
        block.shuffle(self.reversal)
    }

    /// Product modulo the polynomial, lane by lane.
    #[inline(always)]
    fn multiply(&self, a: L, b: L) -> L {
        self.reduce(Product::of(a, b))
    }

    /// Reduces modulo the polynomial, 64 bits at a time from the low end.
    #[inline(always)]
    fn reduce(&self, product: Product<L>) -> L {
        let middle = product
            .middle
            .xor(product.low.swap_halves())
            .xor(product.low.clmul::<0x00>(self.polynomial));
        product.high.xor(middle.swap_halves()).xor(middle.clmul::<0x00>(self.polynomial))
    }

    /// The sum of all lanes of a product.
    #[inline(always)]
    fn total(&self, product: Product<L>) -> L {
        self.reduce(product).fold()
    }

    /// The powers H¹ … of the encrypted zero blocks in the lanes of each group, in step:
    /// `powers[n - 1]` is Hⁿ·x⁻¹.
    #[inline(always)]
    fn powers<const COUNT: usize, const GROUPS: usize>(
        &self,
        zero_blocks: &[L; GROUPS],
    ) -> [[L; GROUPS]; COUNT] {
        /// x⁻², which makes the product with H that of H and x⁻¹.
        const X_MINUS_2: Block = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x46];
        let x_minus_2 = L::broadcast(self.proof, &X_MINUS_2);
        let mut powers = [[L::zero(self.proof); GROUPS]; COUNT];
        for (power, block) in powers[0].iter_mut().zip(zero_blocks) {
            *power = self.multiply(self.reverse(*block), x_minus_2);
        }
        for n in 2..=COUNT {
            // From halves, so that the chain of products stays short.
            let (small, large) = (powers[n / 2 - 1], powers[n.div_ceil(2) - 1]);
            for (power, (small, large)) in powers[n - 1].iter_mut().zip(small.iter().zip(large)) {
                *power = self.multiply(*small, large);
            }
        }
        powers
    }

    /// Fills a table from the first lane of the encrypted zero block.
    #[inline(always)]
    pub(super) fn fill_table(&self, zero_block: L, table: &mut LongPowers) {
        let powers = self.powers::<17, 1>(&[zero_block]);
        for (n, [power]) in (1..).zip(&powers) {
            table.0[LongPowers::place(n)] = power.first();
        }
    }

    /// Fills a table, as far as H⁹, for each lane of each group; `tables` are in lane order.
    #[inline(always)]
    pub(super) fn fill_tables<const GROUPS: usize>(
        &self,
        zero_blocks: &[L; GROUPS],
        tables: &mut [ShortPowers],
    ) {
        let powers = self.powers::<9, GROUPS>(zero_blocks);
        for (group, tables) in tables.chunks_exact_mut(L::BLOCKS).enumerate() {
            let mut ninth = [0; 64];
            powers[8][group].store(&mut ninth);
            for (block, table) in ninth.as_chunks().0.iter().zip(tables.iter_mut()) {
                table.0[ShortPowers::place(9)] = *block;
            }
            let mut top = 8;
            while top > 0 {
                let mut square = [L::zero(self.proof); 4];
                for (place, vector) in square[..L::BLOCKS].iter_mut().enumerate() {
                    *vector = powers[top - place - 1][group];
                }
                transpose(&mut square[..L::BLOCKS]);
                for (vector, table) in square.iter().zip(tables.iter_mut()) {
                    vector.store(table.0[ShortPowers::place(top)..].as_flattened_mut());
                }
                top -= L::BLOCKS;
            }
        }
    }
}

/// A sum of products, not yet reduced.
#[derive(Clone, Copy)]
struct Product<L> {
    low: L,
    middle: L,
    high: L,
}

impl<L: Lanes> Product<L> {
    #[inline(always)]
    fn zero(proof: L::Proof) -> Self {
        let zero = L::zero(proof);
        Self { low: zero, middle: zero, high: zero }
    }

    #[inline(always)]
    fn of(a: L, b: L) -> Self {
        Self {
            low: a.clmul::<0x00>(b),
            middle: a.clmul::<0x01>(b).xor(a.clmul::<0x10>(b)),
            high: a.clmul::<0x11>(b),
        }
    }

    #[inline(always)]
    fn add(&mut self, a: L, b: L) {
        self.low = self.low.xor(a.clmul::<0x00>(b));
        self.middle = self.middle.xor(a.clmul::<0x01>(b)).xor(a.clmul::<0x10>(b));
        self.high = self.high.xor(a.clmul::<0x11>(b));
    }
}

/// A running hash: the state (in the first lane) under one key's table.
#[derive(Clone, Copy)]
pub(super) struct Hash<'a, L: Lanes, const PLACES: usize> {
    field: Field<L>,
    powers: &'a Powers<PLACES>,
    state: L,
    /// Of an open group; zero where there is none.
    sum: Product<L>,
}

impl<'a, L: Lanes, const PLACES: usize> Hash<'a, L, PLACES> {
    #[inline(always)]
    pub(super) fn new(field: Field<L>, powers: &'a Powers<PLACES>) -> Self {
        Self { field, powers, state: L::zero(field.proof), sum: Product::zero(field.proof) }
    }

    /// Takes a whole vector of a group that has `left` vectors left, this one included. The group
    /// is reduced after the last.
    #[inline(always)]
    pub(super) fn whole(&mut self, left: usize, blocks: L) {
        let proof = self.field.proof;
        let power = self.powers.from(proof, left * L::BLOCKS);
        self.sum.add(self.field.reverse(blocks).xor(self.state), power);
        self.state = L::zero(proof);
        if left == 1 {
            self.state = self.field.total(self.sum);
            self.sum = Product::zero(proof);
        }
    }

    /// Takes bytes, padded with zeros to whole blocks, `GROUP` vectors to a reduction.
    #[inline(always)]
    pub(super) fn bytes<const GROUP: usize>(&mut self, bytes: &[u8]) {
        for group in bytes.chunks(GROUP * L::BYTES) {
            let mut blocks = group.len().div_ceil(16);
            let mut sum: Option<Product<L>> = None;
            for piece in group.chunks(L::BYTES) {
                let element = self.field.reverse(L::load_partial(self.field.proof, piece));
                let power = self.powers.from(self.field.proof, blocks);
                match &mut sum {
                    None => sum = Some(Product::of(element.xor(self.state), power)),
                    Some(sum) => sum.add(element, power),
                }
                blocks = blocks.saturating_sub(L::BLOCKS);
            }
            if let Some(sum) = sum {
                self.state = self.field.total(sum);
            }
        }
    }

    /// Takes the last vectors, in which there are `blocks` blocks, then the lengths in bytes, and
    /// returns the hash in the first lane, as bytes.
    #[inline(always)]
    pub(super) fn finish(self, vectors: &[L], blocks: usize, aad: usize, text: usize) -> L {
        let proof = self.field.proof;
        let lengths = (8 * aad as u128) << 64 | (8 * text as u128);
        let mut lengths = L::single(proof, &lengths.to_le_bytes());
        let sum = if vectors.is_empty() {
            lengths = lengths.xor(self.state);
            Product::of(lengths, self.powers.from(proof, 1))
        } else {
            let mut sum = Product::of(lengths, self.powers.from(proof, 1));
            for (index, vector) in vectors.iter().enumerate() {
                let mut element = self.field.reverse(*vector);
                if index == 0 {
                    element = element.xor(self.state);
                }
                let power = self.powers.from(proof, blocks + 1 - index * L::BLOCKS);
                sum.add(element, power);
            }
            sum
        };
        self.field.reverse(self.field.total(sum))
    }
}
