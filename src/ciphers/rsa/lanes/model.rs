//! Eight lanes in plain integers: the definition of the primitives, for the tests.

use super::columns::{self, BLOCK, Columns, LIMB_BITS};
use super::modulus::Modulus;
use super::prime::SmallPrime;
use super::{EightLimbs, Number, RsaLanes};
use crate::ciphers::cpu::{Kernel, Proof};

/// Lanes that work on every processor.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Model;

type Word = [u64; 8];

const LIMB_MASK: u64 = Model::LIMB_MASK;

fn product(a: u64, b: u64) -> u128 {
    u128::from(a & LIMB_MASK) * u128::from(b & LIMB_MASK)
}

impl Proof for Model {
    fn enter<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

impl RsaLanes for Model {
    const LANES: usize = 8;
    const LIMB_BITS: usize = LIMB_BITS;
    const BLOCK_BITS: usize = BLOCK * LIMB_BITS;
    const RADIX: usize = 0;

    type Limbs = EightLimbs;
    type Block = [EightLimbs; BLOCK];
    type Word = Word;
    type Mask = [bool; 8];

    fn limbs(blocks: &[[EightLimbs; BLOCK]]) -> &[EightLimbs] {
        blocks.as_flattened()
    }
    fn limbs_mut(blocks: &mut [[EightLimbs; BLOCK]]) -> &mut [EightLimbs] {
        blocks.as_flattened_mut()
    }

    fn load(self, from: &EightLimbs) -> Word {
        from.0
    }
    fn store(self, to: &mut EightLimbs, word: Word) {
        to.0 = word;
    }
    fn splat(self, value: u64) -> Word {
        [value; 8]
    }
    fn add(self, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }
    fn sub(self, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
    }
    fn and(self, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| a[i] & b[i])
    }
    fn carry(self, a: Word) -> Word {
        a.map(|a| a >> LIMB_BITS)
    }
    fn borrow(self, a: Word) -> Word {
        a.map(|a| (a.cast_signed() >> LIMB_BITS).cast_unsigned())
    }
    fn equal(self, a: Word, b: Word) -> [bool; 8] {
        std::array::from_fn(|i| a[i] == b[i])
    }
    fn select(self, mask: [bool; 8], yes: Word, no: Word) -> Word {
        std::array::from_fn(|i| if mask[i] { yes[i] } else { no[i] })
    }
    fn add_if(self, mask: [bool; 8], sum: Word, word: Word) -> Word {
        std::array::from_fn(|i| if mask[i] { sum[i] + word[i] } else { sum[i] })
    }
    fn add_product(self, sum: Word, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| sum[i] + a[i] * b[i])
    }
    fn is_multiple(self, number: Word, prime: &SmallPrime) -> [bool; 8] {
        number.map(|number| number.is_multiple_of(prime.prime))
    }
    fn multiply<const B: usize>(
        self,
        x: &mut Number<Self, B>,
        y: &Number<Self, B>,
        modulus: &Modulus<Self, B>,
    ) {
        columns::multiply(self, x, y, modulus);
    }
    fn square<const B: usize>(self, x: &mut Number<Self, B>, modulus: &Modulus<Self, B>) {
        columns::square(self, x, modulus);
    }
    fn reduce_wide<const B: usize>(
        self,
        low: &Number<Self, B>,
        high: &mut Number<Self, B>,
        modulus: &Modulus<Self, B>,
    ) {
        columns::reduce_wide(self, low, high, modulus);
    }
}

impl Columns for Model {
    fn add_low(self, sum: Word, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| sum[i] + (product(a[i], b[i]) as u64 & LIMB_MASK))
    }
    fn add_high(self, sum: Word, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| sum[i] + (product(a[i], b[i]) >> LIMB_BITS) as u64)
    }
}
