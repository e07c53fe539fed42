//! The sixteen rounds, bitsliced.

use super::job::Direction;
use super::keys::{KeyTable, RoundKey, Tables};
use super::lanes::{DesLanes, KeyBit};
use super::wiring::{EXPANSION, INITIAL, KEY_PLACES, OUTPUTS};
use crate::ciphers::cpu::{Kernel, Proof};

/// A half of every block.
type Half<L> = [L; 32];

/// Runs DES or, with three keys, triple DES (encrypt-decrypt-encrypt) on transposed blocks.
///
/// A DES ends with swapped halves, and its final permutation cancels the initial permutation of the
/// next DES, which therefore takes the halves in the other order.
#[inline(always)]
pub(super) fn crypt<L: DesLanes, K: KeyBit<L>>(
    blocks: &mut [L; 64],
    keys: &Tables<K>,
    direction: Direction,
) {
    let mut left = initial::<0, L>(blocks);
    let mut right = initial::<32, L>(blocks);
    match (keys.as_slice(), direction) {
        ([key], _) => rounds(&mut left, &mut right, key, direction),
        ([k1, k2, k3], Direction::Encrypt) | ([k3, k2, k1], Direction::Decrypt) => {
            rounds(&mut left, &mut right, k1, direction);
            rounds(&mut right, &mut left, k2, direction.reversed());
            rounds(&mut left, &mut right, k3, direction);
        }
        _ => unreachable!("a cipher has one key or three"),
    }
    finish::<0, L>(&right, blocks);
    finish::<32, L>(&left, blocks);
}

/// Applies half of the initial permutation; `FIRST` is 0 for L₀ and 32 for R₀.
#[inline(always)]
fn initial<const FIRST: usize, L: DesLanes>(blocks: &[L; 64]) -> Half<L> {
    let mut half = [L::splat(blocks[0].proof(), 0); 32];
    for (bit, value) in half.iter_mut().enumerate() {
        *value = blocks[INITIAL[FIRST + bit]];
    }
    half
}

/// Applies half of the final permutation, the inverse of the initial one.
#[inline(always)]
fn finish<const FIRST: usize, L: DesLanes>(half: &Half<L>, blocks: &mut [L; 64]) {
    for (bit, value) in half.iter().enumerate() {
        blocks[INITIAL[FIRST + bit]] = *value;
    }
}

/// Runs sixteen rounds in place, from L₀ and R₀ to L₁₆ and R₁₆.
#[inline(always)]
fn rounds<L: DesLanes, K: KeyBit<L>>(
    left: &mut Half<L>,
    right: &mut Half<L>,
    keys: &KeyTable<K>,
    direction: Direction,
) {
    for n in (0..16).step_by(2) {
        let [first, second] = match direction {
            Direction::Encrypt => [n, n + 1],
            Direction::Decrypt => [15 - n, 14 - n],
        };
        left[0].proof().enter(TwoRounds {
            left,
            right,
            first: keys.round(first),
            second: keys.round(second),
        });
    }
}

/// Two rounds in place.
///
/// A separate kernel, because in a loop the compiler treats the halves as 64 variables to keep in
/// registers, and spills most of them.
struct TwoRounds<'a, L, K> {
    left: &'a mut Half<L>,
    right: &'a mut Half<L>,
    first: RoundKey<'a, K>,
    second: RoundKey<'a, K>,
}

impl<L: DesLanes, K: KeyBit<L>> Kernel<L::Proof> for TwoRounds<'_, L, K> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: L::Proof) {
        round(self.right, self.left, self.first);
        round(self.left, self.right, self.second);
    }
}

/// Adds f(`from`, round key) to the other half.
#[inline(always)]
fn round<L: DesLanes, K: KeyBit<L>>(from: &Half<L>, to: &mut Half<L>, key: RoundKey<'_, K>) {
    sbox::<0, L, K>(from, to, key);
    sbox::<1, L, K>(from, to, key);
    sbox::<2, L, K>(from, to, key);
    sbox::<3, L, K>(from, to, key);
    sbox::<4, L, K>(from, to, key);
    sbox::<5, L, K>(from, to, key);
    sbox::<6, L, K>(from, to, key);
    sbox::<7, L, K>(from, to, key);
}

/// Computes one S-box's part of f, with the expansion before it and the permutation after it.
#[inline(always)]
fn sbox<const BOX: usize, L: DesLanes, K: KeyBit<L>>(
    from: &Half<L>,
    to: &mut Half<L>,
    key: RoundKey<'_, K>,
) {
    let proof = from[0].proof();
    let mut inputs = [L::splat(proof, 0); 6];
    for (i, input) in inputs.iter_mut().enumerate() {
        let inverted = L::INVERTED[BOX] >> (5 - i) & 1;
        let key = key[usize::from(inverted)][KEY_PLACES[BOX][i]];
        *input = from[EXPANSION[BOX][i]].xor(key.register(proof));
    }
    let outputs = L::sbox::<BOX>(inputs);
    for (output, bit) in outputs.into_iter().zip(OUTPUTS[BOX]) {
        to[bit] = to[bit].xor(output);
    }
}
