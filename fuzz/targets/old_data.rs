//! Decrypts data of old systems in every cipher, padding, armor and way of naming keys: whole
//! files, as a reader, and values one per line.

#![no_main]

use std::io::{Cursor, Read};

use orderseal::Totals;
use orderseal::protocol::roles::convert::{
    Armor, Decryption, Iv, Kdf, OldCipher, OldPassword, Opener, Padding, ToyEncryption, ValueIv,
    ValueOpener, Values, read_iv, read_key,
};
use orderseal_fuzz::{Input, begin, place, workers};

/// Keys as their files have them, for each length.
const KEYS: [&str; 4] = ["0123456789abcdef", "0123456789abcdeffedcba9876543210", KEY_3, "1a5"];
const KEY_3: &str = "0123456789abcdeffedcba987654321089abcdef01234567";

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for cipher in 0..OldCipher::ALL.len() as u8 {
        for kind in 0..6 {
            let head = [kind, cipher, cipher % 7, cipher % 4, cipher % 8];
            let value = "00112233445566778899aabbccddeeff\t0123456789abcdef\t0011223344556677\n";
            let text: &[u8] = match kind {
                0 | 1 => &[7; 64],
                2 => b"Salted__saltsalt0123456789abcdef",
                5 => b"U2FsdGVkX18wMTIzNDU2N0FCQ0RFRkdIQUJDREVGR0g=\n",
                _ => value.as_bytes(),
            };
            seeds.push([&head, text].concat());
        }
    }
    seeds
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        let kind = input.byte();
        let cipher = OldCipher::ALL[input.below(OldCipher::ALL.len())];
        let padding = Padding::ALL[input.below(Padding::ALL.len())];
        let key = KEYS[input.below(KEYS.len())];
        let derivation = input.byte();
        let armor = Armor::ALL[usize::from(derivation & 1)];
        let (_, hash) = Kdf::ALL[usize::from(derivation) % Kdf::ALL.len()];
        let bytes = input.rest();
        let (_, key_of_input) = (read_iv(bytes, &place()), read_key(cipher, bytes, &place()));
        let key = read_key(cipher, key.as_bytes(), &place());
        let password = || OldPassword::read(cipher, b"password\n", hash, 3, &place());
        let reader = || -> Box<dyn Read + Send> { Box::new(Cursor::new(bytes.to_vec())) };
        if let Ok(key) = key_of_input {
            let _ = (key.check(), key.check_value());
        }
        if cipher.is_toy() {
            if let Ok(toy) = ToyEncryption::new(KEYS[3].as_bytes(), &place()) {
                let _ = toy.run(workers(), reader(), &place(), |_, _| Ok(()));
            }
        }
        match kind % 6 {
            0..3 => {
                let with = match (kind % 6, key) {
                    (0, Ok(key)) => Opener::Key { key, iv: Iv::Known([3; 8]) },
                    (1, Ok(key)) => Opener::Key { key, iv: Iv::InFront },
                    _ if cipher.is_toy() => return,
                    _ => Opener::Password(password().expect("it is a password")),
                };
                let (decryption, mut text) = (Decryption { with, padding }, Vec::new());
                let armored = kind & 64 != 0;
                let input = || if armored { armor.reader(reader(), place()) } else { reader() };
                let done = decryption.run(workers(), input(), &place(), |piece, _| {
                    text.extend_from_slice(piece);
                    Ok(())
                });
                let mut read = Vec::new();
                let mut reader = decryption.into_reader(workers(), input(), place());
                let done_again = reader.read_to_end(&mut read);
                assert_eq!(done.is_ok(), done_again.is_ok(), "the reader ends otherwise");
                if done.is_ok() {
                    assert!(text == read, "the reader has another text");
                }
            }
            _ => {
                let iv = [ValueIv::Known([3; 8]), ValueIv::InFront, ValueIv::Column];
                let iv = iv[usize::from(derivation) % 3];
                let with = match (kind % 6, key) {
                    (3, Ok(key)) => ValueOpener::Key { key, iv },
                    _ if cipher.is_toy() => return,
                    (4, _) => ValueOpener::Column { cipher, iv },
                    _ => ValueOpener::Password(password().expect("it is a password")),
                };
                let values = Values { with, armor, padding };
                let (mut text, mut failed) = (Vec::new(), 0);
                let write = |piece: &[u8], _: &Totals| {
                    text.extend_from_slice(piece);
                    Ok(())
                };
                let done = values.run(workers(), reader(), &place(), write, |_| {
                    failed += 1;
                    Ok(())
                });
                let lines = bytes.split_inclusive(|&byte| byte == b'\n').count() as u64;
                if let Ok(totals) = done {
                    assert!(totals.orders + failed <= lines, "more values than lines");
                }
            }
        }
    }
);
