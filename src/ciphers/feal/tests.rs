//! Known answers, the lanes against the portable code, and the properties of CBC.

use proptest::prelude::*;

use super::{lanes, *};

/// Rounds, key, plaintext, ciphertext.
type Row = (u8, &'static str, &'static str, &'static str);

/// HAC example 7.99 and Miyaguchi 1990.
#[rustfmt::skip]
const PUBLISHED: [Row; 3] = [
    (8, "0123456789abcdef", "0000000000000000", "ceef2c86f2490752"),
    (16, "0123456789abcdef", "0000000000000000", "3ade0d2ad84d0b6f"),
    (32, "0123456789abcdef", "0000000000000000", "69b0fae6dded6b0b"),
];

/// Random triples from a public C port of Pate Williams' 1997 programs for HAC.
#[rustfmt::skip]
const WILLIAMS: [Row; 16] = [
    (8, "3cbd13f22023727c", "edc8b33d6344c781", "3d654171ab30b1bb"),
    (8, "6bac3915a1b88add", "76d8bf1519b68cae", "e007894f2e751901"),
    (8, "cf8a9d8c494b0a65", "fed43845a77a7f74", "c678d98aad11154c"),
    (8, "6455d0cc4ea18240", "d8736669126af6d5", "961071da242819f2"),
    (8, "e30c78de8f7689c3", "5fde2d0149690466", "88708d97b2e1420d"),
    (8, "bdb9d378bd744fbb", "43532e649b146e0e", "70942299f547e446"),
    (8, "4ac608fc50a1a4b8", "cc0d288306b6461e", "635384869518f634"),
    (8, "e3836d1b3af096ef", "9a55a847ed07e367", "4ed9a279bc33bf4e"),
    (8, "c8510a1c1c48d70b", "cf709bb3fdd682f6", "1221cff9cd814903"),
    (8, "659b423b15149925", "9e3653fe032580c1", "345ad2605d0c88b4"),
    (8, "16e3e6c552b82e35", "b0219c72cd262ca3", "f30c2fe6dc25d0b4"),
    (8, "1431fe1f9624057f", "efa7a3e0d1335a2c", "891d2350c9435c24"),
    (8, "c583c4d39033f8c2", "bd62d107c7244a70", "b40726856129a3b6"),
    (8, "f9f7eb2415a714f9", "2ccdcb66fc39b76a", "841c2631f3337d8a"),
    (8, "13b36ad74dd823aa", "08b162231d39825a", "b7fcf75254a7b7a3"),
    (8, "8f8972bbadcdbef7", "217f68e23fda4895", "86ece13815a1eb6e"),
];

fn bytes(hex: &str) -> [u8; 8] {
    u64::from_str_radix(hex, 16).unwrap().to_be_bytes()
}

#[test]
fn known_answers() {
    for (rounds, key, plain, cipher) in PUBLISHED.into_iter().chain(WILLIAMS) {
        let feal = Feal::new(&bytes(key), Rounds::new(rounds).unwrap());
        let mut block = bytes(plain);
        feal.encrypt_block(&mut block);
        assert_eq!(block, bytes(cipher), "encrypting under {key}");
        feal.decrypt_block(&mut block);
        assert_eq!(block, bytes(plain), "decrypting under {key}");
    }
}

/// The sixteen subkeys of FEAL-8 in HAC example 7.99.
#[test]
fn known_subkeys() {
    let expected: [u16; 16] = [
        0xdf3b, 0xca36, 0xf17c, 0x1aec, 0x45a5, 0xb9c7, 0x26eb, 0xad25, 0x8b2a, 0xecb7, 0xac50,
        0x9d4c, 0x22cd, 0x479b, 0xa8d5, 0x0cb5,
    ];
    let feal = Feal::new(&bytes("0123456789abcdef"), Rounds::EIGHT);
    let found: Vec<u16> = feal.subkeys().iter().map(|k| u16::from_be_bytes(*k)).collect();
    assert_eq!(found, expected);
}

#[test]
fn impossible_numbers_of_rounds_are_refused() {
    for rounds in [0, 2, 5, 7, 31, 33, 34, 255] {
        assert_eq!(Rounds::new(rounds), Err(RoundsError(rounds)));
    }
    for rounds in (4..=32).step_by(2) {
        assert!(Rounds::new(rounds).is_ok());
    }
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?}", Feal::new(&[0xd7; 8], Rounds::EIGHT));
    assert_eq!(shown, "Feal { rounds: 8, subkeys: [redacted] }");
}

/// Computes CBC from its definition: Cᵢ = E(Pᵢ ⊕ Cᵢ₋₁).
#[test]
fn cbc_chains_the_blocks() {
    let feal = Feal::new(&bytes("0123456789abcdef"), Rounds::SIXTEEN);
    let mut text = *b"sixteen bytes of";
    feal.cbc_encrypt(&[9; 8], text.as_chunks_mut().0);
    let mut first: [u8; 8] = std::array::from_fn(|i| b"sixteen "[i] ^ 9);
    feal.encrypt_block(&mut first);
    let mut second: [u8; 8] = std::array::from_fn(|i| b"bytes of"[i] ^ first[i]);
    feal.encrypt_block(&mut second);
    assert_eq!(text, [first, second].concat()[..]);
}

/// Every number of blocks around the batches of 8, 32 and 64, with guard bytes after the output.
#[test]
fn every_backend_decrypts_what_was_encrypted() {
    for backend in Backend::available() {
        println!("FEAL on {backend}");
        for rounds in [4, 8, 32] {
            let feal = Feal::new(&bytes("fedcba9876543210"), Rounds::new(rounds).unwrap());
            for blocks in [0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200] {
                let plain: Vec<u8> = (0..8 * blocks).map(|i| (i * 7 + i / 251) as u8).collect();
                let mut text = [plain.as_slice(), &[0xa5; 16]].concat();
                let (body, guard) = text.split_at_mut(8 * blocks);
                feal.cbc_encrypt(&[0x5c; 8], body.as_chunks_mut().0);
                feal.cbc_decrypt(backend, &[0x5c; 8], body.as_chunks_mut().0);
                assert_eq!(body, plain, "{backend}, {rounds} rounds, {blocks} blocks");
                assert_eq!(guard, [0xa5; 16], "{backend}, {blocks} blocks");
            }
        }
    }
}

/// Numbers of messages around 8, 32 and 64, with differing lengths and rounds.
#[test]
fn every_backend_encrypts_many_messages_like_one() {
    for backend in Backend::available() {
        for count in [0, 1, 7, 8, 9, 31, 33, 63, 64, 65, 130] {
            let ciphers: Vec<Feal> = (0..count)
                .map(|i| {
                    let key = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
                    Feal::new(&key, if i % 50 < 45 { Rounds::EIGHT } else { Rounds::THIRTY_TWO })
                })
                .collect();
            let text = |i: usize| vec![[i as u8; 8]; i * 5 % 13];
            let mut texts: Vec<Vec<Block>> = (0..count).map(text).collect();
            let mut messages: Vec<Message> = ciphers
                .iter()
                .zip(&mut texts)
                .map(|(cipher, text)| Message::new(cipher, &[0x3c; 8], text))
                .collect();
            cbc_encrypt_many(backend, &mut messages);
            for (i, (cipher, found)) in ciphers.iter().zip(&texts).enumerate() {
                let mut expected = text(i);
                cipher.cbc_encrypt(&[0x3c; 8], &mut expected);
                assert_eq!(*found, expected, "{backend}, message {i} of {count}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn decryption_undoes_encryption(key: [u8; 8], iv: [u8; 8], rounds in 2u8..=16, text: Vec<[u8; 8]>) {
        let feal = Feal::new(&key, Rounds::new(2 * rounds).unwrap());
        let plain = text;
        let mut text = plain.clone();
        feal.cbc_encrypt(&iv, &mut text);
        prop_assert!(plain.is_empty() || text != plain);
        feal.cbc_decrypt(Backend::detect(), &iv, &mut text);
        prop_assert_eq!(text, plain);
    }

    #[test]
    fn another_key_gives_another_text(key: [u8; 8], bit in 0usize..64, mut block: [u8; 8]) {
        let mut other = key;
        other[bit / 8] ^= 1 << (bit % 8);
        let plain = block;
        Feal::new(&key, Rounds::EIGHT).encrypt_block(&mut block);
        Feal::new(&other, Rounds::EIGHT).decrypt_block(&mut block);
        prop_assert_ne!(block, plain);
    }

    #[test]
    fn bytes_in_a_word_are_added_and_rotated_apart(a: [u8; 8], b: [u8; 8]) {
        use lanes::FealLanes;
        let (x, y) = (u64::from_ne_bytes(a), u64::from_ne_bytes(b));
        let sums: [u8; 8] = std::array::from_fn(|i| a[i].wrapping_add(b[i]));
        prop_assert_eq!(x.add(y).to_ne_bytes(), sums);
        prop_assert_eq!(x.rotate_2().to_ne_bytes(), a.map(|byte| byte.rotate_left(2)));
    }
}
