//! Communication keys derived from text that the user types, instead of random data.

use hkdf::Hkdf;
use rand::Rng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ciphers::base64url;
use crate::ciphers::random::KeySource;

/// Rounds of PBKDF2-HMAC-SHA-256 (OWASP's recommendation of 2023 for this function).
const ROUNDS: u32 = 600_000;

/// Minimum number of characters in a typed text, not counting white space at its ends; an order
/// page requires the same. Anyone with a sealed line can try candidate texts, so a short one
/// protects nothing.
pub const MIN_TYPED: usize = 12;

/// The key stretched from a typed text: one per run, from which each order's own key is derived.
pub struct TypedKey {
    master: Zeroizing<[u8; 32]>,
    salt: [u8; 16],
}

impl TypedKey {
    /// Stretches a text with a fresh salt of 16 bytes. Deliberately takes some tenths of a second.
    pub fn stretch(text: &[u8], source: &impl KeySource) -> Self {
        let mut salt = [0; 16];
        source.stream(u64::MAX).fill_bytes(&mut salt);
        let mut master = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(text, &salt, ROUNDS, &mut *master);
        Self { master, salt }
    }

    /// Derives the content-encryption key of order `index`: HKDF-Expand (RFC 5869 section 2.3) with
    /// the index as a big-endian u64 for info.
    pub(super) fn derive(&self, index: u64, key: &mut [u8]) {
        Hkdf::<Sha256>::from_prk(&*self.master)
            .expect("a master of 32 bytes is a pseudorandom key")
            .expand(&index.to_be_bytes(), key)
            .expect("a content-encryption key is far shorter than 8,160 bytes");
    }

    /// The header member with the parameters of the derivation.
    pub(super) fn describe(&self, index: u64) -> String {
        let salt = base64url::encode_to_string(&self.salt);
        format!(r#"{{"i":{index},"rounds":{ROUNDS},"salt":"{salt}"}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::SeededSource;

    #[test]
    fn keys_differ_by_order_and_by_run() {
        let derive = |typed: &TypedKey, index| {
            let mut key = [0; 32];
            typed.derive(index, &mut key);
            key
        };
        let one = TypedKey::stretch(b"plum blossom", &SeededSource::new(1));
        let other = TypedKey::stretch(b"plum blossom", &SeededSource::new(2));
        assert_ne!(derive(&one, 0), derive(&one, 1));
        assert_ne!(derive(&one, 0), derive(&other, 0));
    }
}
