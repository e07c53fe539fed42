//! HMAC with SHA-256, SHA-384 and SHA-512, by the crates that orderseal uses.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::secrets::{conceal, is_concealed, reveal};

/// Tags of texts under secret keys, of all lengths around a block of the hash.
pub fn hmac() -> bool {
    [0, 1, 55, 56, 64, 111, 112, 128, 1_000].into_iter().all(|length| {
        let (mut key, mut text) = (vec![5; 32], vec![7; length]);
        conceal(&mut key);
        conceal(&mut text);
        tag::<Hmac<Sha256>>(&key, &text)
            && tag::<Hmac<Sha384>>(&key, &text)
            && tag::<Hmac<Sha512>>(&key, &text)
    })
}

fn tag<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> bool {
    let mut mac = M::new_from_slice(key).expect("keys of any length");
    mac.update(text);
    let mut tag = mac.finalize().into_bytes();
    let right = is_concealed(&tag);
    reveal(&mut tag);
    right && tag.iter().any(|byte| *byte != 0)
}
