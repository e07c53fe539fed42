//! RSA-OAEP-256, eight keys at a time where the processor can.

use super::{UnwrapJob, UnwrappingKey, Wrapped, WrappingKey};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa;

pub(super) fn wrap(
    backend: Backend,
    keks: &[&WrappingKey<'_>],
    ceks: &[&[u8]],
    rng: &mut KeyStream,
    wrapped: &mut Wrapped,
) {
    let jobs: Vec<_> = keks
        .iter()
        .zip(ceks)
        .map(|(kek, cek)| match kek {
            WrappingKey::Rsa(key) => rsa::WrapJob { key, label: b"", message: cek },
            _ => unreachable!("the keys of a batch are for one algorithm"),
        })
        .collect();
    for job in &jobs {
        wrapped.push(job.key.size());
    }
    rsa::oaep_wrap_many(backend, &jobs, rng, &mut wrapped.bytes)
        .expect("a content key fits any modulus that is accepted");
}

pub(super) fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_>], rng: &mut KeyStream) {
    let ciphertexts: Vec<_> = jobs
        .iter()
        .map(|job| match job.kek {
            UnwrappingKey::Rsa(key) => {
                rsa::UnwrapJob { key, label: b"", ciphertext: job.encrypted_key }
            }
            _ => unreachable!("the jobs of a run are of one kind"),
        })
        .collect();
    let unwrapped = rsa::oaep_unwrap_many(backend, &ciphertexts, rng);
    for (job, found) in jobs.iter_mut().zip(unwrapped) {
        // Whether there was a key is not looked at: a random one is there already.
        let _ = found.replace(job.cek);
    }
}
