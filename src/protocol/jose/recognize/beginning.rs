//! Signatures of files that are no text: the first bytes that their formats prescribe.

use memchr::memmem;

/// Fewest bytes from which UTF-16 without a byte-order mark is recognized.
const MIN_UTF_16: usize = 8;

/// Most bytes that are looked at for UTF-16 without a byte-order mark.
const MAX_UTF_16: usize = 64;

/// The name of compressed or archived data. Each signature has at least four certain bytes, so
/// that random data, such as ciphertext, is not taken for one.
pub(super) fn packed(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        // RFC 1952 section 2.3.1: deflate, no reserved flags, a known level and system.
        [0x1f, 0x8b, 8, 0..=0x1f, _, _, _, _, 0 | 2 | 4, 0..=13 | 255, ..] => "gzip data",
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, b'r', b'E', b'8', b'P', 0x90, ..] => "bzip2 data",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz data",
        // RFC 8878 section 3.1.1.
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "Zstandard data",
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => {
            "a zip archive, perhaps an office document"
        }
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "a 7z archive",
        _ => return None,
    })
}

/// Whether bytes begin like UTF-16: with a byte-order mark and a character, or with characters that
/// are all ASCII in one of the two byte orders.
pub(super) fn is_utf_16(bytes: &[u8]) -> bool {
    if let [0xff, 0xfe, _, _, ..] | [0xfe, 0xff, _, _, ..] = bytes {
        return true;
    }
    if bytes.len() < MIN_UTF_16 {
        return false;
    }
    let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let (units, _) = bytes[..bytes.len().min(MAX_UTF_16)].as_chunks::<2>();
    units.iter().all(|&[low, high]| high == 0 && is_text(low))
        || units.iter().all(|&[high, low]| high == 0 && is_text(low))
}

/// Whether bytes begin like a PKCS #12 file (RFC 7292 section 4): a SEQUENCE with version 3 and a
/// ContentInfo of PKCS #7, in DER or in BER.
pub(super) fn is_pkcs12(bytes: &[u8]) -> bool {
    const VERSION: [u8; 4] = [0x02, 0x01, 0x03, 0x30];
    const PKCS_7: [u8; 10] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    let beginning = &bytes[..bytes.len().min(32)];
    let version = memmem::find(beginning, &VERSION).filter(|at| (2..=6).contains(at));
    let kind = memmem::find(beginning, &PKCS_7);
    beginning.first() == Some(&0x30) && version.is_some() && version < kind
}

/// Whether bytes begin like data that `openssl enc` encrypted under a password.
pub(super) fn is_salted(bytes: &[u8]) -> bool {
    bytes.starts_with(b"Salted__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_recognized_where_it_is_certain() {
        let units = |order: fn(u16) -> [u8; 2]| "a,b\r\n1,2\r\n".encode_utf16().flat_map(order);
        for text in [units(u16::to_le_bytes), units(u16::to_be_bytes)] {
            let text: Vec<u8> = text.collect();
            assert!(is_utf_16(&text));
            assert!(!is_utf_16(&text[..MIN_UTF_16 - 1]));
            assert!(!is_utf_16(&[&text[..], &text[1..]].concat()));
        }
        assert!(is_utf_16(b"\xff\xfea\0") && is_utf_16(b"\xfe\xff\0a"));
        for other in [&b"\xff\xfe\x80"[..], b"plain text", &[0; 64], b"nul \0 nul\n", b""] {
            assert!(!is_utf_16(other), "{other:?}");
        }
    }
}
