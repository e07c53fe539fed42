//! Requirements on every content cipher, and known answers for each.

use super::*;
use crate::ciphers::random::{KeySource, SeededSource};

struct Sealed {
    key: Vec<u8>,
    iv: Vec<u8>,
    text: Vec<u8>,
    tag: [u8; MAX_TAG],
}

fn seal(cipher: ContentCipher, plain: &[u8], aad: &[u8]) -> Sealed {
    let mut rng = SeededSource::new(7).stream(plain.len() as u64);
    let mut key = vec![0; cipher.key_len_for(plain.len())];
    let mut iv = vec![0; cipher.iv_len()];
    cipher.fill_keys(&mut rng, &mut key);
    rng.fill_bytes(&mut iv);
    let mut text = plain.to_vec();
    text.resize(cipher.sealed_len(plain.len()), 0);
    let mut record = Record {
        iv: &iv,
        aad,
        text: &mut text,
        len: plain.len(),
        tag: [0; MAX_TAG],
        authentic: false,
    };
    cipher.seal(Backend::detect(), Keys::One(&key), std::slice::from_mut(&mut record));
    let tag = record.tag;
    Sealed { key, iv, text, tag }
}

fn open(cipher: ContentCipher, sealed: &Sealed, aad: &[u8]) -> Option<Vec<u8>> {
    let mut text = sealed.text.clone();
    let mut record =
        Record { iv: &sealed.iv, aad, text: &mut text, len: 0, tag: sealed.tag, authentic: false };
    cipher.open(Backend::detect(), Keys::Each(&sealed.key), std::slice::from_mut(&mut record));
    let (authentic, len) = (record.authentic, record.len);
    if !authentic {
        assert!(text.iter().all(|&byte| byte == 0), "nothing unauthenticated is left");
        return None;
    }
    text.truncate(len);
    Some(text)
}

#[test]
fn opening_returns_what_was_sealed_at_every_length() {
    for cipher in ContentCipher::ALL {
        for len in 0..130 {
            let plain: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let sealed = seal(cipher, &plain, b"header");
            assert_eq!(open(cipher, &sealed, b"header"), Some(plain), "{} {len}", cipher.name());
        }
    }
}

#[test]
fn a_change_anywhere_is_noticed() {
    for cipher in ContentCipher::ALL {
        let sealed = seal(cipher, b"an order of tea and paper", b"header");
        assert_eq!(open(cipher, &sealed, b"another header"), None, "{}", cipher.name());
        let mut wrong_key = seal(cipher, b"an order of tea and paper", b"header");
        wrong_key.key[0] ^= 1;
        assert_eq!(open(cipher, &wrong_key, b"header"), None, "{}", cipher.name());
        for i in 0..sealed.text.len() {
            let mut changed = seal(cipher, b"an order of tea and paper", b"header");
            changed.text[i] ^= 0x40;
            assert_eq!(open(cipher, &changed, b"header"), None, "{} text {i}", cipher.name());
        }
        for i in 0..cipher.tag_len() {
            let mut changed = seal(cipher, b"an order of tea and paper", b"header");
            changed.tag[i] ^= 1;
            assert_eq!(open(cipher, &changed, b"header"), None, "{} tag {i}", cipher.name());
        }
        for i in 0..cipher.iv_len() {
            let mut changed = seal(cipher, b"an order of tea and paper", b"header");
            changed.iv[i] ^= 1;
            assert_eq!(open(cipher, &changed, b"header"), None, "{} iv {i}", cipher.name());
        }
    }
}

#[test]
fn names_are_unique_and_found_again() {
    for cipher in ContentCipher::ALL {
        assert_eq!(ContentCipher::from_name(cipher.name()), Some(cipher));
    }
    assert_eq!(ContentCipher::from_name("A512GCM"), None);
}

/// RFC 7518 appendix B: one text under three ciphers.
fn agrees_with_rfc_7518(cipher: ContentCipher, expected: &str, tag: &str) {
    let key: Vec<u8> = (0..).take(cipher.key_len()).collect();
    let plain = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";
    let iv = hex::decode("1af38c2dc2b96ffdd86694092341bc04").unwrap();
    let aad = b"The second principle of Auguste Kerckhoffs";
    let mut text = plain.to_vec();
    text.resize(cipher.sealed_len(plain.len()), 0);
    let mut record = Record {
        iv: &iv,
        aad,
        text: &mut text,
        len: plain.len(),
        tag: [0; MAX_TAG],
        authentic: false,
    };
    cipher.seal(Backend::detect(), Keys::One(&key), std::slice::from_mut(&mut record));
    assert_eq!(hex::encode(&record.tag[..cipher.tag_len()]), tag);
    assert_eq!(hex::encode(&text), expected);
}

#[test]
fn a128cbc_hs256_agrees_with_rfc_7518_appendix_b_1() {
    agrees_with_rfc_7518(
        ContentCipher::A128CbcHs256,
        "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9\
         a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336\
         09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b\
         384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5\
         4b8851ffb598f7f80074b9473c82e2db",
        "652c3fa36b0a7c5b3219fab3a30bc1c4",
    );
}

#[test]
fn a192cbc_hs384_agrees_with_rfc_7518_appendix_b_2() {
    agrees_with_rfc_7518(
        ContentCipher::A192CbcHs384,
        "ea65da6b59e61edb419be62d19712ae5d303eeb50052d0dfd6697f77224c8edb\
         000d279bdc14c1072654bd30944230c657bed4ca0c9f4a8466f22b226d174621\
         4bf8cfc2400add9f5126e479663fc90b3bed787a2f0ffcbf3904be2a641d5c21\
         05bfe591bae23b1d7449e532eef60a9ac8bb6c6b01d35d49787bcd57ef484927\
         f280adc91ac0c4e79c7b11efc60054e3",
        "8490ac0e58949bfe51875d733f93ac2075168039ccc733d7",
    );
}

#[test]
fn a256cbc_hs512_agrees_with_rfc_7518_appendix_b_3() {
    agrees_with_rfc_7518(
        ContentCipher::A256CbcHs512,
        "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd\
         822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b\
         36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3\
         a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b\
         be2638d09dd7a4930930806d0703b1f6",
        "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
    );
}

#[test]
fn weak_des_keys_are_refused() {
    let mut key = vec![0x42; 16];
    key.extend([0x01; 8]);
    assert!(matches!(ContentCipher::DesCbcHs256.check_key(&key), Err(CipherError::WeakKey { .. })));
    let mut triple = vec![0x42; 16];
    triple.extend(hex::decode("0123456789abcdef0123456789abcdeffedcba9876543211").unwrap());
    assert!(matches!(
        ContentCipher::DesEde3CbcHs256.check_key(&triple),
        Err(CipherError::WeakKey { .. })
    ));
}

fn whole_record(text: &mut [u8]) -> Record<'_> {
    let len = text.len();
    Record { iv: &[0; 8], aad: b"header", text, len, tag: [0; MAX_TAG], authentic: false }
}

#[test]
fn every_text_takes_its_own_piece_of_pad() {
    // Records of unequal lengths under concatenated keys, compared with each record alone.
    let cipher = ContentCipher::VernamHs256;
    let lengths = [0, 1, 7, 64, 3];
    let key_lens = lengths.map(|len| cipher.key_len_for(len));
    assert_eq!(key_lens, [16, 17, 23, 80, 19]);
    let mut keys = vec![0; key_lens.iter().sum()];
    SeededSource::new(3).stream(0).fill_bytes(&mut keys);
    let plain: Vec<Vec<u8>> = (0..).zip(lengths).map(|(byte, len)| vec![byte; len]).collect();

    let mut together = plain.clone();
    let mut records: Vec<_> = together.iter_mut().map(|text| whole_record(text)).collect();
    cipher.seal(Backend::detect(), Keys::Each(&keys), &mut records);
    let tags: Vec<_> = records.iter().map(|record| record.tag).collect();
    let mut rest = &keys[..];
    for (index, plain) in plain.iter().enumerate() {
        let key = rest.split_off(..key_lens[index]).expect("a key for each");
        let mut alone = plain.clone();
        let mut record = whole_record(&mut alone);
        cipher.seal(Backend::detect(), Keys::One(key), std::slice::from_mut(&mut record));
        assert_eq!(record.tag, tags[index]);
        assert_eq!(alone, together[index]);
        let by_hand: Vec<u8> = plain.iter().zip(&key[16..]).map(|(a, b)| a ^ b).collect();
        assert_eq!(alone, by_hand);
    }
}
