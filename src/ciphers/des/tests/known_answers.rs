//! Known answers, on every backend, and chains against the crate `des`.

use std::slice::from_mut;

use super::super::*;
use super::each_backend;
use super::nist::answers;
use crate::ciphers::cut::whole_blocks;

/// Returns enough copies of a block for lanes to be used.
fn copies(block: u64) -> Vec<Block> {
    vec![block.to_be_bytes(); CROSSOVER]
}

/// Returns a DES key and the equivalent triple-DES key.
fn both(key: u64) -> (DesKey, TripleDesKey) {
    let key = key.to_be_bytes();
    let thrice = *key.repeat(3).first_chunk().unwrap();
    (DesKey::from(key), TripleDesKey::from(thrice))
}

#[test]
fn sp_800_17_one_key_at_a_time() {
    each_backend(|backend| {
        for (key, plaintext, ciphertext) in answers() {
            let (single, triple) = both(key);
            let mut data = copies(plaintext);
            ecb_encrypt(backend, &single, &mut data);
            assert_eq!(data, copies(ciphertext), "key {key:016X}");
            ecb_decrypt(backend, &single, &mut data);
            assert_eq!(data, copies(plaintext), "key {key:016X}");
            ecb_encrypt(backend, &triple, &mut data);
            assert_eq!(data, copies(ciphertext), "three keys {key:016X}");
            ecb_decrypt(backend, &triple, &mut data);
            assert_eq!(data, copies(plaintext), "three keys {key:016X}");
        }
    });
}

#[test]
fn sp_800_17_all_keys_side_by_side() {
    let answers = answers();
    let keys: Vec<_> = answers.iter().map(|(key, ..)| both(*key)).collect();
    each_backend(|backend| {
        let mut data: Vec<_> = answers.iter().map(|(_, p, _)| p.to_be_bytes()).collect();
        let blocks = data.iter_mut().zip(&keys);
        let mut messages: Vec<_> = blocks
            .map(|(data, (key, _))| Message { key, iv: [0; 8], data: from_mut(data) })
            .collect();
        cbc_encrypt_many(backend, &mut messages);
        for (data, (key, _, ciphertext)) in data.iter().zip(&answers) {
            assert_eq!(*data, ciphertext.to_be_bytes(), "key {key:016X}");
        }
    });
}

/// NIST SP 800-67 (revision 1), appendix B.1.
#[test]
fn sp_800_67_with_three_different_keys() {
    let parts: [u64; 3] = [0x0123456789ABCDEF, 0x23456789ABCDEF01, 0x456789ABCDEF0123];
    let bytes = parts.map(u64::to_be_bytes);
    let key = TripleDesKey::from(*bytes.as_flattened().first_chunk().unwrap());
    let ciphertext: [u64; 3] = [0xA826FD8CE53B855F, 0xCCE21C8112256FE6, 0x68D5C05DD9B6B900];
    let ciphertext = ciphertext.map(u64::to_be_bytes);
    each_backend(|backend| {
        let mut data = [*b"The qufc", *b"k brown ", *b"fox jump"].repeat(CROSSOVER);
        ecb_encrypt(backend, &key, &mut data);
        assert_eq!(data, ciphertext.repeat(CROSSOVER));
    });
}

/// R. Rivest, "Testing implementations of DES" (1985).
#[test]
fn rivests_chain() {
    each_backend(|backend| {
        let mut x = 0x9474B8E8C73BCA7D_u64;
        for i in 0..16 {
            let mut data = copies(x);
            let (key, _) = both(x);
            match i % 2 {
                0 => ecb_encrypt(backend, &key, &mut data),
                _ => ecb_decrypt(backend, &key, &mut data),
            }
            x = u64::from_be_bytes(data[0]);
        }
        assert_eq!(x, 0x1B1A2DDB4C642438);
    });
}

/// Follows the Monte Carlo test of NIST SP 800-17 and 800-20: each block is the encryption of the
/// previous one, and the key changes with the blocks.
fn monte_carlo<K: Key + for<'a> From<&'a [u8; 24]>>(backend: Backend) -> Vec<u8> {
    let mut key: [u8; 24] = std::array::from_fn(|i| (i * 89) as u8);
    let mut data: Vec<u8> = (0..=255).cycle().take(BLOCK * 70).collect();
    for _ in 0..20 {
        for _ in 0..25 {
            ecb_encrypt(backend, &K::from(&key), whole_blocks(&mut data));
        }
        for (byte, new) in key.iter_mut().zip(&data) {
            *byte ^= new;
        }
    }
    data
}

impl From<&[u8; 24]> for DesKey {
    fn from(bytes: &[u8; 24]) -> Self {
        Self::from(*bytes.first_chunk::<8>().unwrap())
    }
}

impl From<&[u8; 24]> for TripleDesKey {
    fn from(bytes: &[u8; 24]) -> Self {
        Self::from(*bytes)
    }
}

#[test]
fn monte_carlo_chains_agree_with_the_crate() {
    let crate_des = Backend::from_name("rustcrypto").unwrap();
    let single = monte_carlo::<DesKey>(crate_des);
    let triple = monte_carlo::<TripleDesKey>(crate_des);
    each_backend(|backend| {
        assert_eq!(monte_carlo::<DesKey>(backend), single);
        assert_eq!(monte_carlo::<TripleDesKey>(backend), triple);
    });
}
