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
    let keys = [
        agreed(KeySize::Aes256, &pairs[0]),
        agreed(KeySize::Aes128, &pairs[0]),
        agreed(KeySize::Aes256, &pairs[1]),
        agreed(KeySize::Aes128, &pairs[2]),
        agreed(KeySize::Aes256, &pairs[3]),
        (Wrapping::AesKw(OneOrEach::One(short)), Unwrapping::AesKw(short)),
        (Wrapping::AesKw(OneOrEach::One(middle)), Unwrapping::AesKw(middle)),
        (Wrapping::AesGcmKw(OneOrEach::One(middle)), Unwrapping::AesGcmKw(middle)),
        (Wrapping::AesKw(OneOrEach::One(long)), Unwrapping::AesKw(long)),
        (Wrapping::AesKw(OneOrEach::Each(vec![long; 20])), Unwrapping::AesKw(long)),
        (Wrapping::AesGcmKw(OneOrEach::One(short)), Unwrapping::AesGcmKw(short)),
        (Wrapping::AesGcmKw(OneOrEach::One(long)), Unwrapping::AesGcmKw(long)),
        (rsa_oaep(OaepHash::Sha1), Unwrapping::RsaOaep(OaepHash::Sha1, &pair)),
        (rsa_oaep(OaepHash::Sha256), Unwrapping::RsaOaep(OaepHash::Sha256, &pair)),
        (rsa_oaep(OaepHash::Sha384), Unwrapping::RsaOaep(OaepHash::Sha384, &pair)),
        (rsa_oaep(OaepHash::Sha512), Unwrapping::RsaOaep(OaepHash::Sha512, &pair)),
        (Wrapping::Knapsack(OneOrEach::One(sack.public_key())), Unwrapping::Knapsack(&sack)),
    ];
    for len in [16, 24, 32, 40, 48, 64] {
        let ceks: Vec<Vec<u8>> = (0..19).map(|number| vec![number; len]).collect();
        let slices: Vec<&[u8]> = ceks.iter().map(|cek| &cek[..]).collect();
        let wrapped = keys.each_ref().map(|(kek, _)| kek.wrap(backend, 1, &slices, &mut rng));
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

#[test]
fn iv_and_tag_are_read_if_both_are_there_and_have_their_sizes() {
    let read = |members: serde_json::Value| {
        KeyParams::read(members.as_object().unwrap()).map_err(|found| found.to_string())
    };
    let (iv, tag) = (base64url::encode_to_string(&[1; 12]), base64url::encode_to_string(&[2; 16]));
    let both = serde_json::json!({"iv": iv, "tag": tag});
    assert_eq!(read(both), Ok(KeyParams::IvAndTag([1; 12], [2; 16])));
    assert_eq!(read(serde_json::json!({"iv": iv})), Ok(KeyParams::None));
    let short = serde_json::json!({"iv": iv, "tag": iv});
    assert_eq!(read(short), Err("member \"tag\" is not base64url of 16 bytes".into()));
}
