//! `RSA-OAEP` and its forms with longer hashes (RFC 7518 section 4.3), eight keys at a time where the processor can.

use super::{OneOrEach, UnwrapJob, Wrapped, fitting};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{self, OaepHash, PrivateKey, PublicKey};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, KeyRef};
use crate::protocol::model::{KeyError, Suite};

pub(super) fn wrapping_key(key: &EncryptingKey, suite: Suite) -> Result<&PublicKey, KeyError> {
    fitting(key.as_key().public_rsa(), key.name(), suite)
}

pub(super) fn unwrapping_key(key: KeyRef<'_>, suite: Suite) -> Result<&PrivateKey, KeyError> {
    fitting(key.rsa_pair(), key.name(), suite)
}

pub(super) fn wrap(
    backend: Backend,
    (hash, keks): (OaepHash, &OneOrEach<&PublicKey>),
    first: usize,
    ceks: &[&[u8]],
    rng: &mut KeyStream,
    wrapped: &mut Wrapped,
) {
    let jobs = (first..).zip(ceks);
    let jobs: Vec<_> = jobs
        .map(|(index, cek)| rsa::WrapJob { key: keks.of(index), hash, label: b"", message: cek })
        .collect();
    for job in &jobs {
        wrapped.push(job.key.size());
    }
    rsa::oaep_wrap_many(backend, &jobs, rng, &mut wrapped.bytes)
        .expect("a content key fits any modulus that is accepted");
}

pub(super) fn unwrap(
    backend: Backend,
    jobs: &mut [UnwrapJob<'_, (OaepHash, &PrivateKey)>],
    rng: &mut KeyStream,
) {
    let ciphertexts: Vec<_> = jobs
        .iter()
        .map(|job| {
            let (hash, key) = job.key;
            rsa::UnwrapJob { key, hash, label: b"", ciphertext: job.encrypted_key }
        })
        .collect();
    let unwrapped = rsa::oaep_unwrap_many(backend, &ciphertexts, rng);
    for (job, found) in jobs.iter_mut().zip(unwrapped) {
        // Whether there was a key is not looked at: a random one is there already.
        let _ = found.replace(job.cek);
    }
}
