//! What every wrapping algorithm must do.

use super::*;
use crate::ciphers::base64url;
use crate::ciphers::random::{KeySource, SeededSource};
use crate::ciphers::rsa;

/// Keys of every algorithm side by side, so that they also interleave.
#[test]
fn every_algorithm_returns_what_was_wrapped_and_notices_changes() {
    let mut rng = SeededSource::new(3).stream(0);
    let backend = Backend::detect();
    let pair = rsa::generate(backend, 1, 2048, &mut rng).unwrap().remove(0);
    let sack = knapsack::PrivateKey::generate(&mut rng);
    let rsa_oaep = |hash| Wrapping::RsaOaep(hash, OneOrEach::One(pair.public()));
    let middle = AesKey::Aes192(&[8; 24]);
    let (short, long) = (AesKey::Aes128(&[7; 16]), AesKey::Aes256(&[9; 32]));
    let pairs = curves::generate(backend, &curves::Curve::ALL, &mut rng);
    let agreed = |size, pair| {
        let wrapping = Wrapping::EcdhEs(size, OneOrEach::One(curves::PrivateKey::public(pair)));
        (wrapping, Unwrapping::EcdhEs(pair, Purpose::Kek(size)))
    };
    let ciphers: Vec<(ContentCipher, [Secret; 2])> = WrapAlgorithm::ALL
        .into_iter()
        .filter_map(WrapAlgorithm::cipher)
        .map(|cipher| {
            let key = [(); 2].map(|()| {
                let mut key = Secret::zeroed(cipher.key_len());
                cipher.fill_keys(&mut rng, &mut key);
                key
            });
            (cipher, key)
        })
        .collect();
    let mut keys = vec![
        agreed(KeySize::Aes256, &pairs[0]),
        agreed(KeySize::Aes192, &pairs[0]),
        agreed(KeySize::Aes128, &pairs[0]),
        agreed(KeySize::Aes256, &pairs[1]),
        agreed(KeySize::Aes128, &pairs[2]),
        agreed(KeySize::Aes256, &pairs[3]),
        (Wrapping::AesKw(OneOrEach::One(short)), Unwrapping::AesKw(short)),
        (Wrapping::AesKw(OneOrEach::One(middle)), Unwrapping::AesKw(middle)),
        (Wrapping::AesKw(OneOrEach::One(long)), Unwrapping::AesKw(long)),
        (Wrapping::AesKw(OneOrEach::Each(vec![long; 20])), Unwrapping::AesKw(long)),
        (rsa_oaep(OaepHash::Sha1), Unwrapping::RsaOaep(OaepHash::Sha1, &pair)),
        (rsa_oaep(OaepHash::Sha256), Unwrapping::RsaOaep(OaepHash::Sha256, &pair)),
        (rsa_oaep(OaepHash::Sha384), Unwrapping::RsaOaep(OaepHash::Sha384, &pair)),
        (rsa_oaep(OaepHash::Sha512), Unwrapping::RsaOaep(OaepHash::Sha512, &pair)),
        (Wrapping::Knapsack(OneOrEach::One(sack.public_key())), Unwrapping::Knapsack(&sack)),
    ];
    for (cipher, [one, other]) in &ciphers {
        let each = OneOrEach::Each(vec![other; 20]);
        keys.push((
            Wrapping::Cipher(*cipher, OneOrEach::One(one)),
            Unwrapping::Cipher(*cipher, one),
        ));
        keys.push((Wrapping::Cipher(*cipher, each), Unwrapping::Cipher(*cipher, other)));
    }
    for len in [16, 24, 32, 40, 48, 64] {
        let ceks: Vec<Vec<u8>> = (0..19).map(|number| vec![number; len]).collect();
        let slices: Vec<&[u8]> = ceks.iter().map(|cek| &cek[..]).collect();
        let wrapped: Vec<_> =
            keys.iter().map(|(kek, _)| kek.wrap(backend, 1, &slices, &mut rng)).collect();
        let mut unwrap_all = |change: &dyn Fn(usize, &mut Vec<u8>)| -> Vec<Vec<Vec<u8>>> {
            let mut found = vec![vec![vec![0xee; len]; keys.len()]; 19];
            let text = |number: usize, key: usize| {
                let mut text = wrapped[key].encrypted_key(number).to_vec();
                change(number, &mut text);
                text
            };
            let texts: Vec<Vec<Vec<u8>>> = (0..19)
                .map(|number| (0..keys.len()).map(|key| text(number, key)).collect())
                .collect();
            let mut jobs = UnwrapJobs::with_capacity(19);
            for (number, (found, texts)) in found.iter_mut().zip(&texts).enumerate() {
                for (key, (cek, encrypted_key)) in found.iter_mut().zip(texts).enumerate() {
                    let params = wrapped[key].params(number);
                    jobs.push(UnwrapJob { key: keys[key].1, encrypted_key, params, cek });
                }
            }
            jobs.unwrap(backend, &mut rng);
            found
        };
        for (found, cek) in unwrap_all(&|_, _| {}).iter().zip(&ceks) {
            assert_eq!(found, &vec![cek.clone(); keys.len()]);
        }
        let changed = unwrap_all(&|number, text| {
            if number == 3 {
                text[5] ^= 1;
            }
            if number == 7 {
                text.pop();
            }
        });
        for (number, (found, cek)) in changed.iter().zip(&ceks).enumerate() {
            for (found, (kek, _)) in found.iter().zip(&keys) {
                assert_eq!(found == cek, number != 3 && number != 7, "{kek:?} {len} {number}");
            }
        }
    }
}

/// A changed IV or tag, or one of another order, is noticed as a changed key is.
#[test]
fn a_cipher_that_wraps_authenticates_iv_and_tag() {
    let (backend, mut rng) = (Backend::detect(), SeededSource::new(5).stream(0));
    for cipher in WrapAlgorithm::ALL.into_iter().filter_map(WrapAlgorithm::cipher) {
        let mut key = Secret::zeroed(cipher.key_len());
        cipher.fill_keys(&mut rng, &mut key);
        let keks = Wrapping::Cipher(cipher, OneOrEach::One(&key));
        let wrapped = keks.wrap(backend, 0, &[&[1; 32], &[2; 32]], &mut rng);
        let mut found = |number, params: &KeyParams| {
            let mut cek = [0xee; 32];
            let mut jobs = UnwrapJobs::with_capacity(1);
            let (key, encrypted_key) =
                (Unwrapping::Cipher(cipher, &key), wrapped.encrypted_key(number));
            jobs.push(UnwrapJob { key, encrypted_key, params, cek: &mut cek });
            jobs.unwrap(backend, &mut rng);
            cek
        };
        let [first, second] = [0, 1].map(|number| wrapped.params(number).clone());
        assert_eq!([found(0, &first), found(1, &second)], [[1; 32], [2; 32]]);
        assert_eq!(found(0, &second), [0xee; 32], "{}", cipher.name());
        let KeyParams::IvAndTag(_, iv, tag) = first else { panic!("no IV and tag") };
        for byte in 0..cipher.iv_len() {
            let mut iv = iv;
            iv[byte] ^= 1;
            let params = KeyParams::IvAndTag(cipher, iv, tag);
            assert_eq!(found(0, &params), [0xee; 32], "{} iv {byte}", cipher.name());
        }
        for byte in 0..cipher.tag_len() {
            let mut tag = tag;
            tag[byte] ^= 0x80;
            let params = KeyParams::IvAndTag(cipher, iv, tag);
            assert_eq!(found(0, &params), [0xee; 32], "{} tag {byte}", cipher.name());
        }
    }
}

#[test]
fn iv_and_tag_are_read_where_the_algorithm_has_them_and_must_have_its_sizes() {
    let read = |alg: &str, members: serde_json::Value| {
        KeyParams::read(alg, members.as_object().unwrap()).map_err(|found| found.to_string())
    };
    let text = |len| base64url::encode_to_string(&vec![1; len]);
    let sizes = [
        ("A256GCMKW", 12, 16),
        ("A192GCMKW", 12, 16),
        ("A128GCMKW", 12, 16),
        ("A128CBC-HS256KW", 16, 16),
        ("DES-EDE3-CBC-HS256KW", 8, 16),
        ("DES-CBC-HS256KW", 8, 16),
        ("FEAL8-CBC-HS256KW", 8, 16),
        ("GRAIN128AEADV2KW", 12, 8),
    ];
    for (alg, iv, tag) in sizes {
        let both = |iv, tag| serde_json::json!({"iv": text(iv), "tag": text(tag)});
        let Ok(KeyParams::IvAndTag(cipher, ..)) = read(alg, both(iv, tag)) else {
            panic!("{alg}: no IV and tag")
        };
        assert_eq!((cipher.iv_len(), cipher.tag_len()), (iv, tag), "{alg}");
        for (other_iv, other_tag, name, bytes) in
            [(iv + 1, tag, "iv", iv), (iv - 1, tag, "iv", iv), (iv, tag - 1, "tag", tag)]
        {
            let message = format!("member {name:?} is not base64url of {bytes} bytes");
            assert_eq!(read(alg, both(other_iv, other_tag)), Err(message), "{alg}");
        }
        assert_eq!(read(alg, serde_json::json!({"iv": text(iv)})), Ok(KeyParams::None));
        assert_eq!(read(alg, serde_json::json!({"tag": text(tag)})), Ok(KeyParams::None));
    }
    // The toy DES has no IV, and other algorithms leave both members to others.
    let toy = read("TOYDES-ECB-HS256KW", serde_json::json!({"iv": 1, "tag": text(16)}));
    assert!(matches!(toy, Ok(KeyParams::IvAndTag(..))), "{toy:?}");
    for alg in ["dir", "A256KW", "RSA-OAEP-256", "unknown"] {
        assert_eq!(read(alg, serde_json::json!({"iv": 1, "tag": "*"})), Ok(KeyParams::None));
    }
}
