//! Derivation of a message's keys: HKDF-Expand (RFC 5869, section 2.3) with SHA-512.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

use super::{KEY_LEN, SALT_LEN};
use crate::ciphers::cut::part;

/// Length in bytes of the key commitment.
pub(super) const COMMITMENT_LEN: usize = 32;

/// Length in bytes of a nonce.
pub(super) const NONCE_LEN: usize = 12;

/// Length in bytes of the hash.
const HASH_LEN: usize = 64;

/// Purpose of the derivation: the construction, and the cipher by its IANA name.
const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// Key, base nonce and commitment, from two blocks of the hash.
pub(super) struct Derived(Zeroizing<[u8; 2 * HASH_LEN]>);

impl Derived {
    pub(super) fn key(&self) -> &[u8; KEY_LEN] {
        part::<0, _, _>(&self.0)
    }

    pub(super) fn base_nonce(&self) -> &[u8; NONCE_LEN] {
        part::<KEY_LEN, _, _>(&self.0)
    }

    pub(super) fn commitment(&self) -> &[u8; COMMITMENT_LEN] {
        part::<{ KEY_LEN + NONCE_LEN }, _, _>(&self.0)
    }
}

/// Derives the keys of a message. The crate `hkdf` cannot do this: it rejects keys shorter than the
/// hash.
pub(super) fn derive(key: &[u8; KEY_LEN], salt: &[u8; SALT_LEN], context: &[u8]) -> Derived {
    let mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any length");
    let mut blocks = Zeroizing::new([0; 2 * HASH_LEN]);
    let (first, second) = blocks.split_at_mut(HASH_LEN);
    let expand = |before: &[u8], number: u8| {
        let input = [before, INFO, salt, context, &[number]];
        let mac = input.iter().fold(mac.clone(), |mac, part| mac.chain_update(part));
        Zeroizing::new(<[u8; HASH_LEN]>::from(mac.finalize().into_bytes()))
    };
    first.copy_from_slice(&*expand(&[], 1));
    second.copy_from_slice(&*expand(first, 2));
    Derived(blocks)
}
