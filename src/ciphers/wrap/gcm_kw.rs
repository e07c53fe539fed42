//! AES-GCM key wrap (RFC 7518 section 4.7): no additional data, IV and tag in the header.

use rand::Rng;
use zeroize::Zeroizing;

use super::{OneOrEach, UnwrapJob, UnwrappingKey, Wrapped};
use crate::ciphers::aes::AesKey;
use crate::ciphers::aes::gcm::Gcm;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;

pub(super) fn wrap<'k, const N: usize>(
    backend: Backend,
    keks: &OneOrEach<&'k [u8; N]>,
    first: usize,
    ceks: &[&[u8]],
    rng: &mut KeyStream,
    wrapped: &mut Wrapped,
) where
    AesKey<'k>: From<&'k [u8; N]>,
{
    for (index, cek) in (first..).zip(ceks) {
        let mut iv = [0; 12];
        rng.fill_bytes(&mut iv);
        let room = wrapped.push(cek.len());
        room.copy_from_slice(cek);
        let kek = AesKey::from(*keks.of(index));
        let tag = Gcm::new(backend, kek).seal(&iv, b"", room);
        wrapped.gcm.push((iv, tag));
    }
}

/// Decrypts into the job's output buffer if the tag matches and the length fits.
pub(super) fn unwrap(backend: Backend, job: &mut UnwrapJob<'_>) {
    let kek = match job.kek {
        UnwrappingKey::A128GcmKw(kek) => AesKey::from(kek),
        UnwrappingKey::A256GcmKw(kek) => AesKey::from(kek),
        UnwrappingKey::A128Kw(_)
        | UnwrappingKey::A256Kw(_)
        | UnwrappingKey::Rsa(_)
        | UnwrappingKey::Knapsack(_) => unreachable!("the jobs of a run are of one kind"),
    };
    let Some((iv, tag)) = job.gcm else { return };
    let mut key = Zeroizing::new(job.encrypted_key.to_vec());
    let opened = Gcm::new(backend, kek).open(iv, b"", &mut key, tag);
    if opened.is_ok() && key.len() == job.cek.len() {
        job.cek.copy_from_slice(&key);
    }
}
