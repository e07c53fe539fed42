//! Known primitive trinomials, the output checked against its rule, and an attack on it.

use rand::Rng;

use super::*;

/// The table of primitive trinomials in A. Menezes et al., *Handbook of Applied Cryptography*,
/// table 4.8, for the degrees supported here: (P, the lowest Q). Degrees not listed have none.
#[rustfmt::skip]
const HAC: [(u32, u32); 60] = [
    (2, 1), (3, 1), (4, 1), (5, 2), (6, 1), (7, 1), (9, 4), (10, 3), (11, 2), (15, 1), (17, 3),
    (18, 7), (20, 3), (21, 2), (22, 1), (23, 5), (25, 3), (28, 3), (29, 2), (31, 3), (33, 13),
    (35, 2), (36, 11), (39, 4), (41, 3), (47, 5), (49, 9), (52, 3), (55, 24), (57, 7), (58, 19),
    (60, 1), (63, 1), (65, 18), (68, 9), (71, 6), (73, 25), (79, 9), (81, 4), (84, 13), (87, 13),
    (89, 38), (93, 2), (94, 21), (95, 11), (97, 6), (98, 11), (100, 37), (103, 9), (105, 16),
    (106, 15), (108, 31), (111, 10), (113, 9), (118, 33), (119, 8), (121, 18), (123, 2), (124, 37),
    (127, 1),
];

#[test]
fn every_degree_has_the_primitive_trinomial_of_the_table() {
    let found: Vec<(u32, u32)> = (MIN_DEGREE..=MAX_DEGREE)
        .filter_map(Trinomial::of_degree)
        .map(|trinomial| (trinomial.degree(), trinomial.tap()))
        .collect();
    assert_eq!(found, HAC);
}

#[test]
fn small_trinomials_are_primitive_just_when_the_register_visits_every_state() {
    for degree in MIN_DEGREE..=12 {
        for tap in 1..degree {
            let mut state = 1_u32;
            let mut period = 0;
            loop {
                let new = (state ^ state >> tap) & 1;
                state = state >> 1 | new << (degree - 1);
                period += 1;
                if state == 1 {
                    break;
                }
            }
            let primitive = period == (1 << degree) - 1;
            assert_eq!(Trinomial::new(degree, tap).is_ok(), primitive, "{degree}, {tap}");
        }
    }
}

#[test]
fn a_refusal_tells_why_and_what_instead() {
    let message = |degree, tap| Trinomial::new(degree, tap).unwrap_err().to_string();
    assert_eq!(
        message(8, 4),
        "x^8 + x^4 + 1 is not primitive: it is a product of smaller polynomials; x^9 + x^4 + 1 is primitive"
    );
    assert_eq!(
        message(9, 1),
        "x^9 + x + 1 is not primitive: its register repeats after (2^9 - 1)/7 bits or sooner; x^9 + x^4 + 1 is primitive"
    );
    assert_eq!(
        message(120, 7),
        "x^120 + x^7 + 1 is not primitive: it is a product of smaller polynomials; x^121 + x^18 + 1 is primitive"
    );
    assert!(message(1, 1).starts_with("degree 1 cannot be tested"));
    assert!(message(128, 1).starts_with("degree 128 cannot be tested"));
    for tap in [0, 7, 8, u32::MAX] {
        assert_eq!(Trinomial::new(7, tap), Err(TrinomialError::Tap { degree: 7, tap }));
    }
}

#[test]
fn bad_seeds_are_refused() {
    let trinomial = Trinomial::new(31, 3).unwrap();
    assert_eq!(
        Generator::new(trinomial, &[1; 3], false).unwrap_err(),
        SeedError::Short { degree: 31, found: 3 }
    );
    assert_eq!(
        Generator::new(trinomial, &[0, 0, 0, 0x80, 1], false).unwrap_err(),
        SeedError::Zero(31)
    );
    assert!(Generator::new(trinomial, &[0, 0, 0, 0x40], false).is_ok());
}

#[test]
fn debug_shows_no_state() {
    let generator = Generator::new(Trinomial::new(7, 1).unwrap(), &[1], true).unwrap();
    assert_eq!(format!("{generator:?}"), "Generator { trinomial: x^7 + x + 1, state: [redacted] }");
}

/// Computes the sequence bit by bit from its rule, in the order of the output.
fn bit_by_bit(trinomial: Trinomial, seed: u128, bytes: usize) -> Vec<u8> {
    let [degree, tap] = [trinomial.degree(), trinomial.tap()].map(|exponent| exponent as usize);
    let start = 128 * degree;
    let mut bits: Vec<u8> = (0..degree).map(|i| (seed >> i & 1) as u8).collect();
    for n in 0..start + 8 * bytes - degree {
        bits.push(bits[n + tap] ^ bits[n]);
    }
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit);
    bits[start..].chunks(8).map(byte).collect()
}

#[test]
fn the_output_follows_the_rule_for_every_middle_exponent() {
    let seed = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3211_u128;
    for (degree, taps) in [(7, 1..7), (15, 1..15), (89, 38..52), (127, 1..127)] {
        for trinomial in taps.filter_map(|tap| Trinomial::new(degree, tap).ok()) {
            let expected = bit_by_bit(trinomial, seed, 5000);
            let mut found = vec![0; 5000];
            Generator::new(trinomial, &seed.to_le_bytes(), false).unwrap().fill(&mut found);
            assert!(found == expected, "{trinomial}");
        }
    }
}

#[test]
fn the_output_does_not_depend_on_how_it_is_asked_for() {
    let trinomial = Trinomial::new(17, 3).unwrap();
    for whiten in [false, true] {
        let mut whole = [0; 1000];
        let mut generator = Generator::new(trinomial, b"seed", whiten).unwrap();
        generator.fill(&mut whole);
        let mut parts = [0; 1000];
        let mut generator = Generator::new(trinomial, b"seed", whiten).unwrap();
        let (first, rest) = parts.split_at_mut(8);
        first.copy_from_slice(&generator.next_u64().to_le_bytes());
        rest.chunks_mut(37).for_each(|part| generator.fill(part));
        assert_eq!(parts, whole);
    }
}

#[test]
fn whitening_encrypts_every_block_under_a_hash_of_the_seed() {
    use aes::cipher::{BlockCipherDecrypt, KeyInit};
    use sha2::{Digest, Sha256};

    let trinomial = Trinomial::new(63, 1).unwrap();
    let seed = *b"8 bytes!";
    let [mut plain, mut white] = [[0; 4096]; 2];
    Generator::new(trinomial, &seed, false).unwrap().fill(&mut plain);
    Generator::new(trinomial, &seed, true).unwrap().fill(&mut white);
    let mut used = seed;
    used[7] &= 0x7f;
    let key = Sha256::digest([&b"orderseal register whitening\0"[..], &used].concat());
    let cipher = aes::Aes128::new_from_slice(&key[..16]).unwrap();
    for (white, plain) in white.chunks(16).zip(plain.chunks(16)) {
        let mut block = white.try_into().unwrap();
        cipher.decrypt_block(&mut block);
        assert_eq!(block[..], *plain);
    }
}

/// The Berlekamp–Massey algorithm (Massey 1969): finds the shortest register that produces these
/// bits, as the coefficients c with s(n) = Σ c(i) s(n − i), i from 1.
fn shortest_register(bits: &[bool]) -> Vec<bool> {
    let mut current = vec![true];
    let mut previous = vec![true];
    let (mut length, mut since) = (0, 1);
    for n in 0..bits.len() {
        let wrong =
            (0..current.len().min(n + 1)).fold(false, |sum, i| sum ^ (current[i] & bits[n - i]));
        if !wrong {
            since += 1;
            continue;
        }
        let before = current.clone();
        current.resize(current.len().max(previous.len() + since), false);
        for (i, bit) in previous.iter().enumerate() {
            current[i + since] ^= bit;
        }
        if 2 * length <= n {
            (length, previous, since) = (n + 1 - length, before, 1);
        } else {
            since += 1;
        }
    }
    current.resize(length + 1, false);
    current[1..].to_vec()
}

/// Verifies the warning: 2P bits of output reveal the polynomial and all later bits.
#[test]
fn twice_the_degree_of_output_bits_reveal_the_register() {
    for (degree, tap) in [(7, 3), (31, 28), (89, 38), (127, 63)] {
        let trinomial = Trinomial::new(degree, tap).unwrap();
        let mut output = vec![0; 200];
        Generator::new(trinomial, b"sixteen secret b", false).unwrap().fill(&mut output);
        let mut bits: Vec<bool> = (0..1600).map(|i| output[i / 8] >> (i % 8) & 1 == 1).collect();
        let future = bits.split_off(2 * degree as usize);

        let register = shortest_register(&bits);
        let taps: Vec<usize> = (1..=register.len()).filter(|i| register[i - 1]).collect();
        assert_eq!(taps, [(degree - tap) as usize, degree as usize]);
        for expected in future {
            let next = taps.iter().fold(false, |sum, i| sum ^ bits[bits.len() - i]);
            assert_eq!(next, expected);
            bits.push(next);
        }
    }
}
