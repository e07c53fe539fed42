//! Every backend against RFC 4648 and a bit-by-bit model.

use super::*;
use crate::ciphers::aes::testing::noise;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const GUARD: usize = 64;

/// Encodes six bits at a time, padded with zero bits.
fn model_encode(bytes: &[u8]) -> Vec<u8> {
    let bit = |i: usize| bytes.get(i / 8).map_or(0, |byte| byte >> (7 - i % 8) & 1);
    let value = |start: usize| (start..start + 6).fold(0, |value, i| value << 1 | bit(i));
    let starts = (0..8 * bytes.len()).step_by(6);
    starts.map(|start| ALPHABET[usize::from(value(start))]).collect()
}

fn decoded(backend: Backend, text: &[u8]) -> Option<Vec<u8>> {
    const BEFORE: &[u8] = b"before";
    let mut bytes = vec![0xa5; BEFORE.len() + text.len() + GUARD];
    let capacity = bytes.len();
    bytes.truncate(BEFORE.len());
    bytes.copy_from_slice(BEFORE);
    let length = decode_append(backend, text, &mut bytes);
    let end = bytes.len();
    assert_eq!(end, BEFORE.len() + length.unwrap_or(0));
    let written = BEFORE.len() + length.unwrap_or(text.len() / 4 * 3 + 2);
    // SAFETY: the capacity was reserved, so nothing moved; all of it was initialized above.
    unsafe { bytes.set_len(capacity) };
    assert!(bytes[written..].iter().all(|byte| *byte == 0xa5));
    bytes.truncate(end);
    assert!(bytes.starts_with(BEFORE));
    length.map(|_| bytes.split_off(BEFORE.len()))
}

#[test]
fn the_examples_of_rfc_4648_and_rfc_7515_hold() {
    // RFC 4648, section 10, without padding; RFC 7515, appendix C.
    let cases: [(&[u8], &str); 8] = [
        (b"", ""),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg"),
        (b"fooba", "Zm9vYmE"),
        (b"foobar", "Zm9vYmFy"),
        (&[3, 236, 255, 224, 193], "A-z_4ME"),
    ];
    for backend in Backend::available() {
        for (bytes, text) in cases {
            let mut out = [0; 16];
            let length = encode(backend, bytes, &mut out);
            assert_eq!(&out[..length], text.as_bytes(), "{backend}");
            assert_eq!(decoded(backend, text.as_bytes()).as_deref(), Some(bytes));
        }
    }
}

#[test]
fn all_lengths_equal_the_model() {
    for backend in Backend::available() {
        eprintln!("backend {backend}");
        for length in 0..=600 {
            let bytes = noise(length as u64, length);
            let expected = model_encode(&bytes);
            let mut text = vec![0xa5; expected.len() + GUARD];
            assert_eq!(encode(backend, &bytes, &mut text), expected.len());
            assert_eq!(text[..expected.len()], expected, "{backend}, {length} bytes");
            assert!(text[expected.len()..].iter().all(|byte| *byte == 0xa5));
            assert_eq!(decoded(backend, &expected), Some(bytes));
        }
    }
}

#[test]
fn every_other_byte_is_refused_at_every_place() {
    for backend in Backend::available() {
        for length in [2, 3, 4, 16, 22, 54, 63, 64, 66, 107, 128, 131, 342] {
            let text = vec![b'A'; length];
            assert!(decoded(backend, &text).is_some());
            for place in 0..length {
                for byte in 0..=255 {
                    let mut text = text.clone();
                    text[place] = byte;
                    let value = ALPHABET.iter().position(|character| *character == byte);
                    let canonical = match (length - place, length % 4, value) {
                        (_, _, None) => false,
                        (1, 2, Some(value)) => value % 16 == 0,
                        (1, 3, Some(value)) => value % 4 == 0,
                        _ => true,
                    };
                    let accepted = decode_append(backend, &text, &mut Vec::new()).is_some();
                    assert_eq!(accepted, canonical, "{backend}: {byte} at {place} of {length}");
                }
            }
        }
    }
}

#[test]
fn impossible_lengths_are_refused() {
    for backend in Backend::available() {
        for length in (1..200).step_by(4) {
            assert_eq!(decoded(backend, &vec![b'A'; length]), None);
        }
    }
}
