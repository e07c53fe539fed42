//! Transposition between blocks and bits.
//!
//! 64 registers are transposed as 64 × 64 matrices of bits, one in each 64-bit word: bit j of word
//! w of register i swaps places with bit i of word w of register j. Six stages swap the bits of the
//! register number with those of the bit number, three at a time, so that eight registers are
//! processed at once. The transposition is its own inverse.

use super::lanes::DesLanes;

/// Data that is added to blocks on their way in or out.
#[derive(Clone, Copy)]
pub(super) enum Add<'a> {
    /// Nothing.
    Nothing,
    /// The data that they overwrite, on their way out.
    Overwritten,
    /// These bytes.
    These(&'a [u8]),
}

/// Transposes `L::BLOCKS` blocks into registers, a bit each.
#[inline(always)]
pub(super) fn load<L: DesLanes>(bytes: &[u8], add: Add<'_>, registers: &mut [L; 64]) {
    let proof = registers[0].proof();
    for i in 0..8 {
        let mut group = [L::splat(proof, 0); 8];
        for (j, register) in group.iter_mut().enumerate() {
            let at = (8 * j + i) * L::BYTES;
            *register = L::load(proof, &bytes[at..]);
            if let Add::These(summand) = add {
                *register = register.xor(L::load(proof, &summand[at..]));
            }
        }
        exchange_words(&mut group);
        for (j, register) in group.into_iter().enumerate() {
            registers[8 * j + i] = register;
        }
    }
    for group in registers.as_chunks_mut().0 {
        exchange_bits(group);
    }
}

/// Transposes registers into blocks; overwrites the registers.
#[inline(always)]
pub(super) fn store<L: DesLanes>(registers: &mut [L; 64], bytes: &mut [u8], add: Add<'_>) {
    for group in registers.as_chunks_mut().0 {
        exchange_bits(group);
    }
    let proof = registers[0].proof();
    for i in 0..8 {
        let mut group = [L::splat(proof, 0); 8];
        for (j, register) in group.iter_mut().enumerate() {
            *register = registers[8 * j + i];
        }
        exchange_words(&mut group);
        for (j, register) in group.into_iter().enumerate() {
            let at = (8 * j + i) * L::BYTES;
            let sum = match add {
                Add::Nothing => register,
                Add::Overwritten => register.xor(L::load(proof, &bytes[at..])),
                Add::These(summand) => register.xor(L::load(proof, &summand[at..])),
            };
            sum.store(&mut bytes[at..]);
        }
    }
}

/// Runs the stages whose distance is whole bytes, on registers eight apart.
#[inline(always)]
fn exchange_words<L: DesLanes>(group: &mut [L; 8]) {
    exchange::<32, 4, L>(group);
    exchange::<16, 2, L>(group);
    exchange::<8, 1, L>(group);
}

/// Runs the stages within bytes, on consecutive registers.
#[inline(always)]
fn exchange_bits<L: DesLanes>(group: &mut [L; 8]) {
    exchange::<4, 4, L>(group);
    exchange::<2, 2, L>(group);
    exchange::<1, 1, L>(group);
}

/// Runs one stage: exchanges between registers that are `STEP` apart.
#[inline(always)]
fn exchange<const WIDTH: u32, const STEP: usize, L: DesLanes>(group: &mut [L; 8]) {
    for i in 0..8 {
        if i & STEP == 0 {
            (group[i], group[i + STEP]) = L::exchange::<WIDTH>(group[i], group[i + STEP]);
        }
    }
}
