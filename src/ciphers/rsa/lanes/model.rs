//! Eight lanes in plain integers: the definition of the primitives, for the tests and for
//! architectures without other lanes, where they are never created.

use super::{LANES, LIMB_BITS, LIMB_MASK, Limbs, RsaLanes};
use crate::ciphers::cpu::{Kernel, Proof};

/// Lanes that work on every processor.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Model;

type Word = [u64; LANES];

fn product(a: u64, b: u64) -> u128 {
    u128::from(a & LIMB_MASK) * u128::from(b & LIMB_MASK)
}

impl Proof for Model {
    fn enter<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

impl RsaLanes for Model {
    type Word = Word;
    type Mask = [bool; LANES];

    fn load(self, from: &Limbs) -> Word {
        from.0
    }
    fn store(self, to: &mut Limbs, word: Word) {
        to.0 = word;
    }
    fn splat(self, value: u64) -> Word {
        [value; LANES]
    }
    fn add_low(self, sum: Word, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| sum[i] + (product(a[i], b[i]) as u64 & LIMB_MASK))
    }
    fn add_high(self, sum: Word, a: Word, b: Word) -> Word {
        std::array::from_fn(|i| sum[i] + (product(a[i], b[i]) >> LIMB_BITS) as u64)
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
        a.map(|a| (a.cast_signed() >> LIMB_BITS).cast_unsigned())
    }
    fn equal(self, a: Word, b: Word) -> [bool; LANES] {
        std::array::from_fn(|i| a[i] == b[i])
    }
    fn select(self, mask: [bool; LANES], yes: Word, no: Word) -> Word {
        std::array::from_fn(|i| if mask[i] { yes[i] } else { no[i] })
    }
}
