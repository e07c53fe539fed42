//! FEAL-N one block at a time, in the order of HAC section 7.5: the reference for the other
//! backends.

use super::{Block, KEY_BYTES, Subkey, WHITENING};

/// A half block: the four bytes A0 to A3.
type Half = [u8; 4];

/// S₀ (`D` = 0) and S₁ (`D` = 1): the sum modulo 256, rotated left by two bits (HAC 7.5).
fn s<const D: u8>(x: u8, y: u8) -> u8 {
    x.wrapping_add(y).wrapping_add(D).rotate_left(2)
}

/// The round function f (HAC table 7.10).
fn f(a: Half, y: Subkey) -> Half {
    let u1 = s::<1>(a[0] ^ a[1] ^ y[0], a[2] ^ a[3] ^ y[1]);
    let u2 = s::<0>(a[2] ^ a[3] ^ y[1], u1);
    [s::<0>(a[0], u1), u1, u2, s::<1>(a[3], u2)]
}

/// The key function f_K (HAC table 7.10).
fn f_key(a: Half, b: Half) -> Half {
    let u1 = s::<1>(a[0] ^ a[1], a[2] ^ a[3] ^ b[0]);
    let u2 = s::<0>(a[2] ^ a[3], u1 ^ b[1]);
    [s::<0>(a[0], u1 ^ b[2]), u1, u2, s::<1>(a[3], u2 ^ b[3])]
}

fn xor(a: Half, b: Half) -> Half {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// The key schedule (HAC algorithm 7.96, step 1): fills `subkeys`, whose length is even.
pub(super) fn expand_key(key: &[u8; KEY_BYTES], subkeys: &mut [Subkey]) {
    let [k0, k1, k2, k3, k4, k5, k6, k7] = *key;
    let mut u = [[0; 4], [k0, k1, k2, k3], [k4, k5, k6, k7]];
    for pair in subkeys.chunks_exact_mut(2) {
        let new = f_key(u[1], xor(u[2], u[0]));
        pair[0] = [new[0], new[1]];
        pair[1] = [new[2], new[3]];
        u = [u[1], u[2], new];
    }
}

/// Splits a block into halves and adds the first or last four subkeys.
fn whitened(block: &Block, k: &[Subkey]) -> (Half, Half) {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = *block;
    let left = xor([b0, b1, b2, b3], [k[0][0], k[0][1], k[1][0], k[1][1]]);
    let right = xor([b4, b5, b6, b7], [k[2][0], k[2][1], k[3][0], k[3][1]]);
    (left, right)
}

/// Encrypts or decrypts (HAC algorithm 7.96): adds the keys `first`, runs one round for each key of
/// `order`, then adds the keys `last`.
fn crypt<'a>(
    first: &[Subkey],
    order: impl Iterator<Item = &'a Subkey>,
    last: &[Subkey],
    block: &mut Block,
) {
    let (mut left, mut right) = whitened(block, first);
    right = xor(right, left);
    for subkey in order {
        (left, right) = (right, xor(left, f(right, *subkey)));
    }
    // The halves are not swapped after the last round.
    left = xor(left, right);
    block[..4].copy_from_slice(&right);
    block[4..].copy_from_slice(&left);
    let (right, left) = whitened(block, last);
    block[..4].copy_from_slice(&right);
    block[4..].copy_from_slice(&left);
}

/// Encrypts a block under N round keys followed by the whitening keys of input and output.
pub(super) fn encrypt_block(subkeys: &[Subkey], block: &mut Block) {
    let (rounds, white) = subkeys.split_at(subkeys.len() - WHITENING);
    crypt(&white[..4], rounds.iter(), &white[4..], block);
}

/// Decrypts a block: the steps of encryption in reverse order.
pub(super) fn decrypt_block(subkeys: &[Subkey], block: &mut Block) {
    let (rounds, white) = subkeys.split_at(subkeys.len() - WHITENING);
    crypt(&white[4..], rounds.iter().rev(), &white[..4], block);
}

/// CBC decryption (SP 800-38A, section 6.2), block by block.
pub(super) fn cbc_decrypt(subkeys: &[Subkey], iv: Block, blocks: &mut [Block]) {
    let mut chain = iv;
    for block in blocks {
        let ciphertext = *block;
        decrypt_block(subkeys, block);
        for (byte, chained) in block.iter_mut().zip(chain) {
            *byte ^= chained;
        }
        chain = ciphertext;
    }
}

/// CBC encryption (SP 800-38A, section 6.2), block by block.
pub(super) fn cbc_encrypt(subkeys: &[Subkey], iv: Block, blocks: &mut [Block]) {
    let mut chain = iv;
    for block in blocks {
        for (byte, chained) in block.iter_mut().zip(chain) {
            *byte ^= chained;
        }
        encrypt_block(subkeys, block);
        chain = *block;
    }
}
