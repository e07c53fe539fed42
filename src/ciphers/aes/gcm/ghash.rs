//! GHASH (SP 800-38D, section 6.4) over lanes.

use super::field::{Field, Product};
use super::powers::Powers;
use crate::ciphers::aes::lanes::AesLanes;

/// A running hash: the state (in the first lane) under one key's table.
#[derive(Clone, Copy)]
pub(super) struct Hash<L: AesLanes, P: Powers> {
    field: Field<L>,
    powers: P,
    state: L,
    /// Sum of the open group; zero if there is none.
    sum: Product<L>,
}

impl<L: AesLanes, P: Powers> Hash<L, P> {
    #[inline(always)]
    pub(super) fn new(field: Field<L>, powers: P) -> Self {
        Self { field, powers, state: L::zero(field.proof), sum: Product::zero(field.proof) }
    }

    /// Takes the vector with number `1`, `2` … or finally `0` of a group of `GROUP` vectors.
    ///
    /// The first vector comes last because it depends on the reduction of the previous group.
    #[inline(always)]
    pub(super) fn whole<const GROUP: usize>(&mut self, number: usize, blocks: L) {
        let mut element = self.field.reverse(blocks);
        if number == 0 {
            element = element.xor(self.state);
        }
        self.sum = self.sum.plus(self.product(element, (GROUP - number) * L::BLOCKS));
        if number == 0 {
            self.state = self.total(self.sum);
            self.sum = Product::zero(self.field.proof);
        }
    }

    /// See [`AesLanes::pinned`].
    #[inline(always)]
    pub(super) fn pin(&mut self) {
        self.sum = self.sum.pinned();
    }

    /// Hashes bytes, padded with zeros to whole blocks, with one reduction per `GROUP` vectors.
    #[inline(always)]
    pub(super) fn bytes<const GROUP: usize>(&mut self, bytes: &[u8]) {
        for group in bytes.chunks(GROUP * L::BYTES) {
            let mut blocks = group.len().div_ceil(16);
            let mut sum: Option<Product<L>> = None;
            for piece in group.chunks(L::BYTES) {
                let element = self.field.reverse(L::load_partial(self.field.proof, piece));
                sum = Some(match sum {
                    None => self.product(element.xor(self.state), blocks),
                    Some(sum) => sum.plus(self.product(element, blocks)),
                });
                blocks = blocks.saturating_sub(L::BLOCKS);
            }
            if let Some(sum) = sum {
                self.state = self.total(sum);
            }
        }
    }

    /// Hashes the last vectors, which hold `blocks` blocks, then the lengths in bytes, and returns
    /// the hash in the first lane, as bytes.
    #[inline(always)]
    pub(super) fn finish(self, vectors: &[L], blocks: usize, aad: usize, text: usize) -> L {
        let lengths = (8 * aad as u128) << 64 | (8 * text as u128);
        let mut lengths = L::single(self.field.proof, &lengths.to_le_bytes());
        if vectors.is_empty() {
            lengths = lengths.xor(self.state);
        }
        let mut sum = self.product(lengths, 1);
        for (index, vector) in vectors.iter().enumerate() {
            let mut element = self.field.reverse(*vector);
            if index == 0 {
                element = element.xor(self.state);
            }
            sum = sum.plus(self.product(element, blocks + 1 - index * L::BLOCKS));
        }
        self.field.reverse(self.total(sum))
    }

    /// Multiplies the lanes by Hⁿ, Hⁿ⁻¹ …
    #[inline(always)]
    fn product(&self, element: L, n: usize) -> Product<L> {
        self.powers.product(self.field.proof, element, n)
    }

    /// Adds all lanes of a sum of products.
    #[inline(always)]
    fn total(&self, sum: Product<L>) -> L {
        self.field.reduce(self.powers.total(sum)).fold()
    }
}
