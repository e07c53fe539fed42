//! `MH-KNAPSACK`: the content key as a sum of numbers of the public knapsack.

pub(super) use crate::ciphers::knapsack::{PrivateKey, PublicKey};

use super::{OneOrEach, UnwrapJob, Wrapped, fitting};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, KeyRef};
use crate::protocol::model::{KeyError, Suite};

pub(super) fn wrapping_key(key: &EncryptingKey, suite: Suite) -> Result<&PublicKey, KeyError> {
    fitting(key.as_key().public_knapsack(), key.name(), suite)
}

pub(super) fn unwrapping_key(key: KeyRef<'_>, suite: Suite) -> Result<&PrivateKey, KeyError> {
    fitting(key.knapsack(), key.name(), suite)
}

pub(super) fn wrap(
    keks: &OneOrEach<&PublicKey>,
    first: usize,
    ceks: &[&[u8]],
    wrapped: &mut Wrapped,
) {
    for (index, cek) in (first..).zip(ceks) {
        let sums = keks.of(index).encrypt(cek).expect("a knapsack of ours takes any key");
        wrapped.push(sums.len()).copy_from_slice(&sums);
    }
}

pub(super) fn unwrap(jobs: &mut [UnwrapJob<'_, &PrivateKey>]) {
    for job in jobs {
        if let Ok(found) = job.key.decrypt(job.encrypted_key, job.cek.len()) {
            job.cek.copy_from_slice(&found);
        }
    }
}
