//! Textbook answers, malformed encodings, and a demonstration that the knapsack is insecure.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{number::Number, *};

/// Elements, modulus, multiplier, permutation, public elements, bits, sum.
type Example = (&'static [u64], u64, u64, &'static [u8], &'static [u64], &'static [u8], u64);

const EXAMPLES: [Example; 2] = [
    // The example of the article "Merkle–Hellman knapsack cryptosystem" in Wikipedia.
    (
        &[2, 7, 11, 21, 42, 89, 180, 354],
        881,
        588,
        &[1, 2, 3, 4, 5, 6, 7, 8],
        &[295, 592, 301, 14, 28, 353, 120, 236],
        &[0, 1, 1, 0, 0, 0, 0, 1],
        1129,
    ),
    // HAC, example 8.39.
    (
        &[12, 17, 33, 74, 157, 316],
        737,
        635,
        &[3, 6, 1, 2, 5, 4],
        &[319, 196, 250, 477, 200, 559],
        &[1, 0, 1, 1, 0, 1],
        1605,
    ),
];

fn pair(seed: u64) -> PrivateKey {
    PrivateKey::generate(&mut StdRng::seed_from_u64(seed))
}

#[test]
fn textbook_answers() {
    for (elements, modulus, multiplier, permutation, public, bits, sum) in EXAMPLES {
        let key = PrivateKey::from_parts(elements, modulus, multiplier, permutation).unwrap();
        assert_eq!(*key.public_key(), PublicKey::from_elements(public).unwrap());
        let sum = Number::from_u64(sum);
        assert_eq!(key.public_key().sum(bits.iter().copied()), sum);
        assert_eq!(**key.bits(&sum).unwrap(), *bits);
    }
}

#[test]
fn every_sum_of_a_small_knapsack_decrypts_and_nothing_else_does() {
    let (elements, modulus, multiplier, permutation, ..) = EXAMPLES[1];
    let key = PrivateKey::from_parts(elements, modulus, multiplier, permutation).unwrap();
    let bits = |subset: u8| (0..6).map(move |i| subset >> i & 1);
    let sums: Vec<Number> = (0..64).map(|i| key.public_key().sum(bits(i))).collect();
    for sum in (0..3000).map(Number::from_u64) {
        match sums.iter().position(|known| *known == sum) {
            Some(subset) => assert!(key.bits(&sum).unwrap().iter().copied().eq(bits(subset as u8))),
            None => assert_eq!(key.bits(&sum).unwrap_err(), DecryptionFailed),
        }
    }
}

#[test]
fn keys_of_every_length_come_back() {
    let key = pair(1);
    let mut rng = StdRng::seed_from_u64(2);
    for length in [0, 1, 16, 24, 31, 32, 33, 40, 64, 65] {
        let mut material = vec![0; length];
        rng.fill_bytes(&mut material);
        let ciphertext = key.public_key().encrypt(&material).unwrap();
        assert_eq!(ciphertext.len(), encrypted_bytes(length));
        assert_eq!(**key.decrypt(&ciphertext, length).unwrap(), material);
    }
    for material in [[0; 32], [0xff; 32]] {
        let ciphertext = key.public_key().encrypt(&material).unwrap();
        assert_eq!(**key.decrypt(&ciphertext, 32).unwrap(), material);
    }
}

#[test]
fn another_key_or_a_changed_sum_does_not_decrypt() {
    let key = pair(3);
    let mut ciphertext = key.public_key().encrypt(&[0x5a; 32]).unwrap();
    assert_eq!(pair(4).decrypt(&ciphertext, 32), Err(DecryptionFailed));
    assert_eq!(key.decrypt(&ciphertext, 31), Err(DecryptionFailed));
    assert_eq!(key.decrypt(&ciphertext, 33), Err(DecryptionFailed));
    assert_eq!(key.decrypt(&ciphertext[..65], 32), Err(DecryptionFailed));
    for bit in 0..8 * SUM_BYTES {
        ciphertext[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.decrypt(&ciphertext, 32), Err(DecryptionFailed), "bit {bit}");
        ciphertext[bit / 8] ^= 1 << (bit % 8);
    }
    // A sum that is too large by one modulus has the same residue.
    let modulus = &key.to_bytes()[..NUMBER_BYTES];
    let wrapped = number::from_bytes(&ciphertext).wrapping_add(&number::from_bytes(modulus));
    let mut encoded = Vec::new();
    number::append(&wrapped, SUM_BYTES, &mut encoded);
    assert_eq!(key.decrypt(&encoded, 32), Err(DecryptionFailed));
}

#[test]
fn encodings_come_back() {
    let key = pair(5);
    let encoded = key.to_bytes();
    assert_eq!(encoded.len(), PRIVATE_KEY_BYTES);
    let again = PrivateKey::from_bytes(&encoded).unwrap();
    assert_eq!(*again.to_bytes(), *encoded);
    let public = key.public_key().to_bytes();
    assert_eq!(public.len(), PUBLIC_KEY_BYTES);
    let public = PublicKey::from_bytes(&public).unwrap();
    assert_eq!(again.check_public(&public), Ok(()));
    assert_eq!(pair(6).check_public(&public), Err(KeyError::Mismatch));
}

#[test]
fn hostile_private_keys_are_refused() {
    let good = pair(7).to_bytes();
    let changed = |at: usize, bytes: &[u8]| {
        let mut encoded = good.clone();
        encoded[at..at + bytes.len()].copy_from_slice(bytes);
        PrivateKey::from_bytes(&encoded).unwrap_err()
    };
    let [modulus, multiplier, elements] = [0, NUMBER_BYTES, 2 * NUMBER_BYTES];
    let permutation = PRIVATE_KEY_BYTES - ELEMENTS;
    let zero = [0; NUMBER_BYTES];
    let mut wide = good[..NUMBER_BYTES].to_vec();
    wide[0] |= 4;

    assert_eq!(changed(modulus, &zero), KeyError::Modulus);
    assert_eq!(changed(modulus, &wide), KeyError::TooLarge);
    let last = &good[permutation - NUMBER_BYTES..permutation];
    assert_eq!(changed(modulus, last), KeyError::Modulus);
    assert_eq!(changed(multiplier, &zero), KeyError::Multiplier);
    assert_eq!(changed(multiplier, &good[..NUMBER_BYTES]), KeyError::Multiplier);
    assert_eq!(changed(elements, &zero), KeyError::NotSuperincreasing(1));
    let second = elements + NUMBER_BYTES;
    assert_eq!(changed(second, &good[elements..second]), KeyError::NotSuperincreasing(2));
    assert_eq!(changed(elements, &[0xff; NUMBER_BYTES]), KeyError::Modulus);
    assert_eq!(changed(permutation, &[good[permutation + 1]]), KeyError::Permutation);
    for length in [0, PRIVATE_KEY_BYTES - 1, PUBLIC_KEY_BYTES] {
        assert_eq!(
            PrivateKey::from_bytes(&good[..length]).unwrap_err(),
            KeyError::Length { expected: PRIVATE_KEY_BYTES, found: length }
        );
    }
}

#[test]
fn hostile_public_keys_are_refused() {
    let good = pair(8).public_key().to_bytes();
    let refused = |bytes: &[u8]| PublicKey::from_bytes(bytes).unwrap_err();
    let length = |found| KeyError::Length { expected: PUBLIC_KEY_BYTES, found };
    assert_eq!(refused(&[]), length(0));
    assert_eq!(refused(&good[1..]), length(PUBLIC_KEY_BYTES - 1));
    let mut zero = good.clone();
    zero[NUMBER_BYTES..2 * NUMBER_BYTES].fill(0);
    assert_eq!(refused(&zero), KeyError::Zero(2));
    let mut wide = good;
    wide[0] |= 4;
    assert_eq!(refused(&wide), KeyError::TooLarge);
}

#[test]
fn malformed_small_keys_are_refused() {
    let refused = |w: &[u64], q, r, p: &[u8]| PrivateKey::from_parts(w, q, r, p).unwrap_err();
    assert_eq!(refused(&[], 5, 1, &[]), KeyError::Elements(0));
    assert_eq!(refused(&[1, 2, 3], 10, 3, &[1, 2, 3]), KeyError::NotSuperincreasing(3));
    assert_eq!(refused(&[1, 2, 4], 7, 3, &[1, 2, 3]), KeyError::Modulus);
    assert_eq!(refused(&[1, 2, 4], 9, 3, &[1, 2, 3]), KeyError::Multiplier);
    assert_eq!(refused(&[1, 2, 4], 9, 10, &[1, 2, 3]), KeyError::Multiplier);
    for permutation in [&[1, 2][..], &[1, 2, 2], &[0, 1, 2], &[2, 3, 4], &[1, 2, 3, 4]] {
        assert_eq!(refused(&[1, 2, 4], 9, 2, permutation), KeyError::Permutation);
    }
    assert!(PrivateKey::from_parts(&[1, 2, 4], 9, 2, &[3, 1, 2]).is_ok());
    let toy = PublicKey::from_elements(&[1, 2]).unwrap();
    assert_eq!(toy.encrypt(&[1]), Err(KeyError::Toy(2)));
}

#[test]
fn debug_shows_no_secret() {
    let (elements, modulus, multiplier, permutation, ..) = EXAMPLES[0];
    let key = PrivateKey::from_parts(elements, modulus, multiplier, permutation).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey { elements: 8, secret: [redacted] }");
}

/// Shamir's observation (1982) at toy size: *any* modulus and multiplier that turn the public
/// elements into a superincreasing sequence form a private key as good as the owner's. This test
/// tries all pairs; Shamir's attack needs only a polynomial number of steps.
#[test]
fn a_toy_key_falls_to_a_trapdoor_made_from_the_public_key_alone() {
    for (_, owner, _, _, public, bits, sum) in EXAMPLES {
        let (key, modulus) = equivalent_key(public, owner);
        assert_eq!(*key.public_key(), PublicKey::from_elements(public).unwrap());
        assert_eq!(**key.bits(&Number::from_u64(sum)).unwrap(), *bits);
        assert_ne!(modulus, owner, "the key found is not even the owner's");
    }
}

fn equivalent_key(public: &[u64], owner: u64) -> (PrivateKey, u64) {
    let highest = *public.iter().max().unwrap();
    for modulus in (highest + 1..2 * owner).filter(|modulus| *modulus != owner) {
        for inverse in 1..modulus {
            let easy: Vec<u64> = public.iter().map(|a| a * inverse % modulus).collect();
            let mut sorted = easy.clone();
            sorted.sort_unstable();
            let place = |w: &u64| sorted.iter().position(|s| s == w).unwrap() as u8 + 1;
            let permutation: Vec<u8> = easy.iter().map(place).collect();
            let Some(multiplier) = (1..modulus).find(|r| r * inverse % modulus == 1) else {
                continue;
            };
            if let Ok(key) = PrivateKey::from_parts(&sorted, modulus, multiplier, &permutation) {
                return (key, modulus);
            }
        }
    }
    panic!("no equivalent key");
}
