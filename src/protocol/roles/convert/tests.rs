//! For every length and mode, the text matches that of the crates `des` and `cbc`.

use std::io::{Cursor, Read};

use cbc::cipher::block_padding::{NoPadding, Pkcs7, ZeroPadding};
use cbc::cipher::{BlockCipherEncrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use des::{Des, TdesEde2, TdesEde3};

use super::*;
use modes::Message;

const KEY: [u8; 24] = *b"eight by8 second third !";
const IV: [u8; 8] = *b"\xff\xff\xff\xff\xff\xff\xff\xfe";

/// Lengths at the boundaries of blocks and of pieces.
const LENGTHS: [usize; 14] = [
    0,
    1,
    7,
    8,
    9,
    4096,
    4097,
    PIECE - 9,
    PIECE - 8,
    PIECE - 1,
    PIECE,
    PIECE + 1,
    2 * PIECE - 1,
    3 * PIECE + 8,
];

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 256) as u8 | 1).collect()
}

fn decryption(name: &str, key: &[u8], iv: Iv, padding: Padding) -> Decryption {
    let cipher = OldCipher::from_name(name).unwrap();
    let key = read_key(cipher, key, &Place::file("old.key")).unwrap();
    Decryption { with: Opener::Key { key, iv }, padding }
}

fn run(decryption: &Decryption, data: &[u8]) -> (Vec<u8>, Result<Totals>) {
    let workers = Workers::new(Some(2)).unwrap();
    let mut text = Vec::new();
    let input = Box::new(Cursor::new(data.to_vec()));
    let done = decryption.run(&workers, input, &Place::file("old.bin"), |piece, _| {
        text.extend_from_slice(piece);
        Ok(())
    });
    (text, done)
}

#[track_caller]
fn check(decryption: &Decryption, data: &[u8], expected: &[u8]) {
    let (text, done) = run(decryption, data);
    let totals = done.unwrap();
    assert_eq!(totals.read, data.len() as u64);
    assert_eq!(totals.written, expected.len() as u64);
    assert!(text == expected, "{decryption:?}, {} bytes", data.len());
}

fn cbc<C: BlockCipherEncrypt + KeyInit>(key: &[u8], text: &[u8], padding: Padding) -> Vec<u8> {
    let mode = cbc::Encryptor::<C>::new_from_slices(key, &IV).unwrap();
    let mut data = [text, &[0; BLOCK]].concat();
    let padded = match padding {
        Padding::Pkcs7 => mode.encrypt_padded::<Pkcs7>(&mut data, text.len()),
        Padding::Zero => mode.encrypt_padded::<ZeroPadding>(&mut data, text.len()),
        Padding::None => mode.encrypt_padded::<NoPadding>(&mut data, text.len()),
        Padding::X923 | Padding::Iso10126 | Padding::Iso9797M2 | Padding::Spaces => {
            unreachable!("they are tested with openssl")
        }
    };
    padded.unwrap().to_vec()
}

#[test]
fn cbc_data_of_every_length_key_and_padding_decrypts() {
    for length in LENGTHS {
        let text = text(length);
        for padding in [Padding::Pkcs7, Padding::Zero, Padding::None] {
            if padding == Padding::None && length % BLOCK != 0 {
                continue;
            }
            let three = decryption("des-ede3-cbc", &KEY, Iv::Known(IV), padding);
            check(&three, &cbc::<TdesEde3>(&KEY, &text, padding), &text);
            let two = decryption("des-ede3-cbc", &KEY[..16], Iv::Known(IV), padding);
            check(&two, &cbc::<TdesEde2>(&KEY[..16], &text, padding), &text);
            let one = decryption("des-cbc", &KEY[..8], Iv::Known(IV), padding);
            check(&one, &cbc::<Des>(&KEY[..8], &text, padding), &text);
        }
        let front = decryption("des-ede3-cbc", &KEY, Iv::InFront, Padding::Pkcs7);
        let data = [&IV[..], &cbc::<TdesEde3>(&KEY, &text, Padding::Pkcs7)].concat();
        check(&front, &data, &text);
    }
}

#[test]
fn ecb_and_ctr_data_decrypts() {
    let cipher = TdesEde3::new_from_slice(&KEY).unwrap();
    let encrypt = |block: [u8; 8]| {
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        <[u8; 8]>::from(block)
    };
    for length in LENGTHS {
        let text = text(length);
        // The counter begins two below 2^64, so it carries.
        let stream =
            (0..).flat_map(|i| encrypt(u64::from_be_bytes(IV).wrapping_add(i).to_be_bytes()));
        let data: Vec<u8> = text.iter().zip(stream).map(|(text, stream)| text ^ stream).collect();
        check(&decryption("des-ede3-ctr", &KEY, Iv::Known(IV), Padding::None), &data, &text);
        let whole = &text[..length / 8 * 8];
        let data: Vec<u8> = whole.as_chunks().0.iter().flat_map(|block| encrypt(*block)).collect();
        check(&decryption("des-ede3-ecb", &KEY, Iv::Known([0; 8]), Padding::None), &data, whole);
    }
}

#[test]
fn the_reader_gives_the_same_text_and_the_same_errors() {
    let workers = Workers::new(Some(2)).unwrap();
    let place = Place::file("old.bin");
    for length in LENGTHS {
        let text = text(length);
        let mut data = cbc::<TdesEde3>(&KEY, &text, Padding::Pkcs7);
        let reader = |data: &[u8]| {
            let decryption = decryption("des-ede3-cbc", &KEY, Iv::Known(IV), Padding::Pkcs7);
            decryption.into_reader(&workers, Box::new(Cursor::new(data.to_vec())), place.clone())
        };
        let mut read = Vec::new();
        reader(&data).read_to_end(&mut read).unwrap();
        assert!(read == text, "{length} bytes");
        data.pop();
        let error = reader(&data).read_to_end(&mut read).unwrap_err();
        assert!(matches!(Error::io("other", "cannot read", error), Error::Malformed { .. }));
        // Dropping a reader before its end does not block.
        drop(reader(&data));
    }
}

#[test]
fn truncated_data_is_named_with_its_place() {
    let text = text(2 * PIECE);
    let data = cbc::<TdesEde3>(&KEY, &text, Padding::None);
    for padding in [Padding::Pkcs7, Padding::Zero, Padding::None] {
        let decryption = decryption("des-ede3-cbc", &KEY, Iv::Known(IV), padding);
        for (length, at, part) in [(3, 0, 3), (1003, 1000, 3), (PIECE + 7, PIECE, 7)] {
            let (found, done) = run(&decryption, &data[..length]);
            let start = format!("old.bin: incomplete block at byte {at}: found {part} bytes, ");
            let message = done.unwrap_err().to_string();
            assert!(message.starts_with(&start), "{message}");
            assert!(found.is_empty(), "{at}");
        }
    }
    let front = decryption("des-ede3-cbc", &KEY, Iv::InFront, Padding::Pkcs7);
    let message = |data: &[u8]| run(&front, data).1.unwrap_err().to_string();
    assert_eq!(message(b"seven b"), "old.bin: found 7 bytes, expected an IV of 8 in front");
    assert!(message(&data[..12]).contains("at byte 8"));
    assert!(message(&data[..8]).contains("no data at byte 8"));
}

#[test]
fn bad_padding_is_named_with_its_place() {
    let decryption = decryption("des-ede3-cbc", &KEY, Iv::Known(IV), Padding::Pkcs7);
    for end in [&b"\0"[..], b"\x09", b"\x01\x02", b"\x08\x07\x08", b"\xff"] {
        for length in [8, PIECE, PIECE + 8] {
            let mut text = text(length);
            text[length - end.len()..].copy_from_slice(end);
            let (found, done) = run(&decryption, &cbc::<TdesEde3>(&KEY, &text, Padding::None));
            let message = done.unwrap_err().to_string();
            let place = format!("no PKCS #7 padding in the last block, at byte {}:", length - 8);
            assert!(message.contains(&place), "{message}");
            assert!(found.is_empty(), "{length}");
        }
    }
}

#[test]
fn zero_padding_is_seven_bytes_at_most() {
    for (text, expected) in [
        (*b"1234\0\0\0\0", &b"1234"[..]),
        (*b"1\0\x003\0\0\0\0", b"1\0\x003"),
        (*b"\0\0\0\0\0\0\0\0", b"\0"),
        (*b"12345678", b"12345678"),
    ] {
        let decryption = decryption("des-cbc", &KEY[..8], Iv::Known(IV), Padding::Zero);
        check(&decryption, &cbc::<Des>(&KEY[..8], &text, Padding::None), expected);
    }
}

#[test]
fn keys_and_ivs_are_told_by_their_length() {
    let place = Place::file("old.key");
    let named = |name| OldCipher::from_name(name).unwrap();
    let read = |name, text: &[u8]| read_key(named(name), text, &place).map(|_| ());
    for good in [
        &b"12345678"[..],
        b"12345678\n",
        b"12345678\r\n",
        b"0123456789abcdef",
        b"0123456789ABCDEF\r\n",
        b"01:23:45:67:89:ab:cd:ef\n",
        b"ASNFZ4mrze8=\n",
        b"ASNFZ4mrze8",
    ] {
        read("des-cbc", good).unwrap();
    }
    for good in [&b"0123456789abcdef"[..], &KEY, &[b'f'; 32], &[b'0'; 48]] {
        read("des-ede3-cbc", good).unwrap();
    }
    let error = |name, text: &[u8]| read(name, text).unwrap_err().to_string();
    assert_eq!(
        error("des-ede3-cbc", b"12345678\n"),
        "old.key: found 9 bytes, expected a key for des-ede3-cbc: 24 or 16 bytes, or 48 or 32 \
         hexadecimal digits, or base64 of them"
    );
    assert!(error("des-cbc", &KEY).contains("8 bytes, or 16 hexadecimal digits"));
    assert!(error("des-cbc", b"0123456789abcdeg").contains("not all hexadecimal digits"));
    assert_eq!(
        read_iv(b" 0123456789abcdef\n", &place).unwrap(),
        0x0123_4567_89ab_cdef_u64.to_be_bytes()
    );
    assert!(read_iv(b"", &place).unwrap_err().to_string().contains("expected an IV: 8 bytes"));
}

#[test]
fn a_mebibyte_is_held_back_until_the_text_is_longer_or_ends_right() {
    let decryption = decryption("des-ede3-cbc", &KEY, Iv::Known(IV), Padding::Pkcs7);
    for (length, expected) in [(tail::HELD, 0), (tail::HELD + PIECE, tail::HELD + PIECE - 8)] {
        let text = text(length);
        let bad = cbc::<TdesEde3>(&KEY, &text, Padding::None);
        let (found, done) = run(&decryption, &bad);
        let error = done.unwrap_err();
        assert!(matches!(error, Error::NotDecrypted { .. }), "{error}");
        assert!(found == text[..expected], "{length}: {}", found.len());
        check(&decryption, &cbc::<TdesEde3>(&KEY, &text, Padding::Pkcs7), &text);
    }
}

/// What a message decrypts to does not depend on its neighbours, nor on whether each has its own key.
#[test]
fn messages_side_by_side_decrypt_as_each_does_alone() {
    let backend = Backend::detect();
    for cipher in OldCipher::ALL.into_iter().filter(|cipher| cipher.kind != old_cipher::Kind::Toy) {
        let key = OldKey::new(cipher, &text(cipher.key_lengths()[0])).unwrap();
        let other = OldKey::new(cipher, &KEY[..cipher.key_lengths()[0]]).unwrap();
        let lengths = (0..40).flat_map(|length| match cipher.is_padded() {
            true => [length * BLOCK, 0],
            false => [length, 3 * length],
        });
        let iv = |index: usize| (u64::MAX - 20).wrapping_add(index as u64).to_be_bytes();
        let data: Vec<Vec<u8>> = lengths.map(text).collect();
        for keys in [[&key, &key], [&key, &other]] {
            let own = |index: usize| keys[index % 2];
            let alone: Vec<Vec<u8>> = (data.iter().cloned().enumerate())
                .map(|(index, mut data)| {
                    own(index).decrypt(backend, iv(index), &mut data);
                    data
                })
                .collect();
            let mut together = data.clone();
            let are = || match std::ptr::eq(keys[0], keys[1]) {
                true => modes::KeysAre::One,
                false => modes::KeysAre::Own,
            };
            macro_rules! decrypt {
                ($material:ident) => {
                    let messages = together.iter_mut().enumerate().map(|(index, data)| Message {
                        key: own(index).material.$material().unwrap(),
                        iv: iv(index),
                        data,
                    });
                    modes::decrypt_many(backend, cipher.mode, are(), messages.collect());
                };
            }
            match cipher.kind {
                old_cipher::Kind::Single => {
                    decrypt!(single);
                }
                old_cipher::Kind::TwoKey | old_cipher::Kind::Triple => {
                    decrypt!(triple);
                }
                old_cipher::Kind::Toy => {}
            }
            assert!(together == alone, "{}", cipher.name());
        }
    }
}
