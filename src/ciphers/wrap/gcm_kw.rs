//! AES-GCM as key wrap (RFC 7518 section 4.7): no additional data, IV and tag in the header.

use zeroize::Zeroizing;

use super::{UnwrapJob, UnwrappingKey};
use crate::ciphers::aes::gcm::Gcm;
use crate::ciphers::cpu::Backend;

/// Encrypts the key in place and returns the tag.
pub(super) fn wrap(backend: Backend, kek: &[u8], iv: &[u8; 12], key: &mut [u8]) -> [u8; 16] {
    cipher(backend, kek).seal(iv, b"", key)
}

/// Decrypts into the job's room if the tag is right and the length fits.
pub(super) fn unwrap(backend: Backend, job: &mut UnwrapJob<'_>) {
    let UnwrappingKey::AesGcmKw(kek) = job.kek else {
        unreachable!("the jobs of a run are of one kind")
    };
    let Some((iv, tag)) = job.gcm else { return };
    let mut key = Zeroizing::new(job.encrypted_key.to_vec());
    let opened = cipher(backend, kek).open(iv, b"", &mut key, tag);
    if opened.is_ok() && key.len() == job.cek.len() {
        job.cek.copy_from_slice(&key);
    }
}

fn cipher(backend: Backend, kek: &[u8]) -> Gcm {
    Gcm::new(backend, kek).expect("a KEK is checked when it is read")
}
