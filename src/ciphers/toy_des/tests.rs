//! The founding document's example, and every backend against the plain rounds.

use super::*;

/// Computes figure 2 literally: four rounds with the round keys in the given order.
fn crypt(keys: [u8; 4], sbox: &SBox, byte: u8) -> u8 {
    let (mut left, mut right) = (byte >> 4, byte & 0b1111);
    for key in keys {
        (left, right) = (right, left ^ sbox.0[usize::from(right ^ key)]);
    }
    right << 4 | left
}

fn cipher(key: u16) -> ToyDes {
    ToyDes::new(&Key::new(key).unwrap(), &SBox::default())
}

#[test]
fn the_round_keys_of_the_example() {
    let key = Key::new(0b001_010_000_110).unwrap();
    assert_eq!(portable::round_keys(&key), [0b1001, 0b0010, 0b1000, 0b0110]);
}

#[test]
fn the_example_of_the_founding_document() {
    for backend in Backend::available() {
        let mut byte = [0b0100_1101];
        cipher(0b001_010_000_110).encrypt(backend, &mut byte);
        assert_eq!(byte, [0b1001_0111], "{backend}");
        cipher(0b001_010_000_110).decrypt(backend, &mut byte);
        assert_eq!(byte, [0b0100_1101], "{backend}");
    }
}

#[test]
fn the_default_box_satisfies_what_the_text_says() {
    let SBox(s) = SBox::default();
    assert_eq!(s[1], 14);
    assert_eq!(s[15], 3 ^ s[4]);
    assert_eq!(s[usize::from(6 ^ s[4])], 10);
}

#[test]
fn every_backend_agrees_with_the_plain_rounds_under_every_key() {
    let constant = SBox::new([9; 16]).unwrap();
    for backend in Backend::available() {
        println!("backend {backend}");
        for bits in 0..1 << 12 {
            let key = Key::new(bits).unwrap();
            let sbox = if bits % 16 == 0 { constant } else { SBox::default() };
            let keys = portable::round_keys(&key);
            let cipher = ToyDes::new(&key, &sbox);
            // Lengths that go through the rounds, and longer ones that go through a table.
            for length in [256, 512] {
                let all: Vec<u8> = (0..=255).cycle().take(length).collect();
                let expected: Vec<u8> = all.iter().map(|x| crypt(keys, &sbox, *x)).collect();
                let mut data = all.clone();
                cipher.encrypt(backend, &mut data);
                assert_eq!(data, expected, "{backend}, key {bits:#x}, {length} bytes");
                cipher.decrypt(backend, &mut data);
                assert_eq!(data, all, "{backend}, key {bits:#x}, {length} bytes");
            }
        }
    }
}

#[test]
fn every_length_and_offset_stays_within_its_bounds() {
    let (key, sbox) = (Key::new(0xABC).unwrap(), SBox::default());
    let keys = portable::round_keys(&key);
    let cipher = ToyDes::new(&key, &sbox);
    for backend in Backend::available() {
        for length in (0..200).chain([255, 256, 257, 1023, 1024, 1025]) {
            let offset = 1 + length % 7;
            let mut buffer: Vec<u8> = (0..length + 100).map(|i| (i * 7) as u8).collect();
            let mut expected = buffer.clone();
            cipher.encrypt(backend, &mut buffer[offset..][..length]);
            for byte in &mut expected[offset..][..length] {
                *byte = crypt(keys, &sbox, *byte);
            }
            assert_eq!(buffer, expected, "{backend}, {length} bytes");
        }
    }
}

#[test]
fn long_keys_and_values_are_refused() {
    assert_eq!(Key::new(4096).unwrap_err(), KeyTooLong);
    let mut values = [0; 16];
    values[3] = 16;
    let error = ValueTooLong { index: 3, found: 16 };
    assert_eq!(SBox::new(values), Err(error));
}
