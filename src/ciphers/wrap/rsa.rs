//! RSA-OAEP-256, eight keys at a time where the processor can.

use super::{OneOrEach, UnwrapJob, UnwrappingKey, Wrapped};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{self, PublicKey};

pub(super) fn wrap(
    backend: Backend,
    keks: &OneOrEach<&PublicKey>,
    first: usize,
    ceks: &[&[u8]],
    rng: &mut KeyStream,
    wrapped: &mut Wrapped,
) {
    let jobs = (first..).zip(ceks);
    let jobs: Vec<_> = jobs
        .map(|(index, cek)| rsa::WrapJob { key: keks.of(index), label: b"", message: cek })
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
        .map(|job| {
            let UnwrappingKey::Rsa(key) = job.kek else {
                unreachable!("the jobs of a run are of one kind")
            };
            rsa::UnwrapJob { key, label: b"", ciphertext: job.encrypted_key }
        })
        .collect();
    let unwrapped = rsa::oaep_unwrap_many(backend, &ciphertexts, rng);
    for (job, found) in jobs.iter_mut().zip(unwrapped) {
        // Whether there was a key is not looked at: a random one is there already.
        let _ = found.replace(job.cek);
    }
}
