//! What every wrapping algorithm must do, and known answers.

use super::*;
use crate::ciphers::aes::AesKey;
use crate::ciphers::random::{KeySource, SeededSource};
use crate::ciphers::rsa;

/// RFC 3394 sections 4.1, 4.3 and 4.6.
#[test]
fn aes_key_wrap_agrees_with_rfc_3394() {
    let unhex = |text| hex::decode(text).expect("hex digits");
    let kek = unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let data = unhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
    for (kek_len, data_len, expected) in [
        (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
        (
            32,
            32,
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        ),
    ] {
        let sized = || AesKey::new(&kek[..kek_len]).unwrap();
        let wrapped = aes_kw::wrap_one(sized(), &data[..data_len]);
        assert_eq!(hex::encode(&wrapped), expected);
        let mut back = vec![0; data_len];
        assert!(aes_kw::unwrap_one(sized(), &wrapped, &mut back));
        assert_eq!(back, &data[..data_len]);
    }
}

#[test]
fn every_algorithm_returns_what_was_wrapped_and_notices_changes() {
    let mut rng = SeededSource::new(3).stream(0);
    let backend = Backend::detect();
    let pair = rsa::generate(backend, 1, 2048, &mut rng).unwrap().remove(0);
    let sack = knapsack::PrivateKey::generate(&mut rng);
    let (short, long) = ([7; 16], [9; 32]);
    let keys = [
        (WrappingKeys::A128Kw(OneOrEach::One(&short)), UnwrappingKey::A128Kw(&short)),
        (WrappingKeys::A256Kw(OneOrEach::One(&long)), UnwrappingKey::A256Kw(&long)),
        (WrappingKeys::A256Kw(OneOrEach::Each(vec![&long; 20])), UnwrappingKey::A256Kw(&long)),
        (WrappingKeys::A128GcmKw(OneOrEach::One(&short)), UnwrappingKey::A128GcmKw(&short)),
        (WrappingKeys::A256GcmKw(OneOrEach::One(&long)), UnwrappingKey::A256GcmKw(&long)),
        (WrappingKeys::Rsa(OneOrEach::One(pair.public())), UnwrappingKey::Rsa(&pair)),
        (WrappingKeys::Knapsack(OneOrEach::One(sack.public_key())), UnwrappingKey::Knapsack(&sack)),
    ];
    for (kek, unwrapping) in &keys {
        for len in [16, 24, 32, 40] {
            let ceks: Vec<Vec<u8>> = (0..19).map(|number| vec![number; len]).collect();
            let slices: Vec<&[u8]> = ceks.iter().map(|cek| &cek[..]).collect();
            let wrapped = wrap(backend, kek, 1, &slices, &mut rng);
            let mut unwrap_all = |change: &dyn Fn(usize, &mut Vec<u8>)| -> Vec<Vec<u8>> {
                let mut found = vec![vec![0xee; len]; 19];
                let texts: Vec<Vec<u8>> = (0..19)
                    .map(|number| {
                        let mut text = wrapped.encrypted_key(number).to_vec();
                        change(number, &mut text);
                        text
                    })
                    .collect();
                let mut jobs: Vec<_> = found
                    .iter_mut()
                    .zip(&texts)
                    .enumerate()
                    .map(|(number, (cek, text))| {
                        let gcm = wrapped.iv_and_tag(number);
                        UnwrapJob { kek: *unwrapping, encrypted_key: text, gcm, cek }
                    })
                    .collect();
                unwrap(backend, &mut jobs, &mut rng);
                found
            };
            assert_eq!(unwrap_all(&|_, _| {}), ceks);
            let changed = unwrap_all(&|number, text| {
                if number == 3 {
                    text[5] ^= 1;
                }
                if number == 7 {
                    text.pop();
                }
            });
            for (number, (found, cek)) in changed.iter().zip(&ceks).enumerate() {
                assert_eq!(found == cek, number != 3 && number != 7, "{kek:?} {len} {number}");
            }
        }
    }
}
