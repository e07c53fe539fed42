//! Encodes and decodes base64url on every backend, and compares that with a plain implementation.

#![no_main]

use orderseal::ciphers::base64url::{
    decode_append, decode_to_vec, decoded_length, encode, encode_to_string, encoded_length,
};
use orderseal::ciphers::cpu::Backend;
use orderseal_fuzz::{Input, begin, plain};

fn seeds() -> Vec<Vec<u8>> {
    let lengths = (0..70).chain([95, 96, 97, 127, 128, 129, 191, 192, 193, 300]);
    let bytes = |length: usize| (0..length).map(|at| (at * 151 + length) as u8).collect::<Vec<_>>();
    lengths.flat_map(|n| [bytes(n), [&[0], plain::encode(&bytes(n)).as_bytes()].concat()]).collect()
}

/// Decodes a text on every backend, behind bytes that stay.
fn decoded(text: &[u8]) {
    let expected = plain::decode(text);
    assert_eq!(decode_to_vec(text), expected);
    for backend in Backend::available() {
        let mut bytes = b"before".to_vec();
        let length = decode_append(backend, text, &mut bytes);
        assert_eq!(length, expected.as_ref().map(Vec::len), "{backend}: {text:?}");
        let expected = expected.as_deref().unwrap_or_default();
        assert_eq!(bytes, [b"before", expected].concat(), "{backend}: {text:?}");
    }
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let expected = plain::encode(data);
        assert_eq!(encode_to_string(data), expected);
        assert_eq!(encoded_length(data.len()), expected.len());
        assert_eq!(decoded_length(expected.len()), Some(data.len()));
        for backend in Backend::available() {
            let mut text = vec![b'!'; expected.len() + 3];
            let length = encode(backend, data, &mut text);
            assert_eq!(&text[..length], expected.as_bytes(), "{backend}");
            assert_eq!(&text[length..], b"!!!", "{backend}: written behind the end");
        }
        decoded(expected.as_bytes());
        let mut input = Input::new(data);
        let (at, other) = (usize::from(input.byte()), input.byte());
        decoded(input.rest());
        // A text with one wrong character.
        let mut text = expected.into_bytes();
        if !text.is_empty() {
            let at = at % text.len();
            text[at] = other;
            decoded(&text);
        }
    }
);
