//! The permutations of FIPS 46-3 as wiring between registers.
//!
//! Bits are numbered as in the standard, from 1, most significant first; `register` maps a bit of a
//! block to its position after the transposition.

/// Permuted choice 1: the key bits of C₀ and D₀.
const PC1: [usize; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60,
    52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29,
    21, 13, 5, 28, 20, 12, 4,
];

/// Permuted choice 2: the bits of C and D in a round key.
const PC2: [usize; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52,
    31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/// The permutation P of a round's S-box outputs.
const P: [usize; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
    13, 30, 6, 22, 11, 4, 25,
];

/// Total rotation of C and D before each of the 16 round keys.
pub(super) const ROTATIONS: [usize; 16] = {
    const SHIFTS: [usize; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
    let mut sums = [0; 16];
    let mut sum = 0;
    let mut round = 0;
    while round < 16 {
        sum += SHIFTS[round];
        sums[round] = sum;
        round += 1;
    }
    sums
};

/// Returns the register that holds bit `n` of a block or key after the transposition; registers
/// count the bits of each byte from the least significant one.
const fn register(n: usize) -> usize {
    (n - 1) ^ 7
}

/// The initial permutation: the registers of L₀ (0 to 31) and R₀ (32 to 63).
pub(super) const INITIAL: [usize; 64] = {
    const FIRST_OF_ROW: [usize; 8] = [58, 60, 62, 64, 57, 59, 61, 63];
    let mut registers = [0; 64];
    let mut i = 0;
    while i < 64 {
        registers[i] = register(FIRST_OF_ROW[i / 8] - 8 * (i % 8));
        i += 1;
    }
    registers
};

/// The expansion E: the bit of R, from 0, at each input of each S-box.
pub(super) const EXPANSION: [[usize; 6]; 8] = {
    let mut bits = [[0; 6]; 8];
    let mut i = 0;
    while i < 48 {
        bits[i / 6][i % 6] = (4 * (i / 6) + i % 6 + 31) % 32;
        i += 1;
    }
    bits
};

/// The permutation P: the bit of the other half, from 0, that each output of each S-box goes to.
pub(super) const OUTPUTS: [[usize; 4]; 8] = {
    let mut bits = [[0; 4]; 8];
    let mut bit = 0;
    while bit < 32 {
        let output = P[bit] - 1;
        bits[output / 4][output % 4] = bit;
        bit += 1;
    }
    bits
};

/// Bits of C and D written out twice each, so that a rotation by up to 28 is an offset.
pub(super) const UNROLLED: usize = 4 * 28;

/// The register of the key bit at each place of the unrolled C and D.
pub(super) const KEY_REGISTERS: [usize; UNROLLED] = {
    let mut registers = [0; UNROLLED];
    let mut i = 0;
    while i < UNROLLED {
        registers[i] = register(PC1[i / 56 * 28 + i % 28]);
        i += 1;
    }
    registers
};

/// The position in the unrolled C and D, without the rotation, of the key bit at each S-box input.
pub(super) const KEY_PLACES: [[usize; 6]; 8] = {
    let mut places = [[0; 6]; 8];
    let mut i = 0;
    while i < 48 {
        let bit = PC2[i] - 1;
        places[i / 6][i % 6] = bit + bit / 28 * 28;
        i += 1;
    }
    places
};
