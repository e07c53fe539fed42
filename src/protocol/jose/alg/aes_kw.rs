//! `A128KW` and `A256KW`: AES key wrap (RFC 3394; RFC 7518 section 4.4).

use super::{OneOrEach, UnwrapJob, Wrapped, fitting};
use crate::ciphers::aes::kw::{self, Keks, OVERHEAD};
use crate::ciphers::aes::{AesKey, KeySize};
use crate::ciphers::cpu::Backend;
use crate::ciphers::{CipherError, Secret, Wiped};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, KeyRef};
use crate::protocol::model::{KeyError, Suite};

pub(super) fn wrapping_key(
    key: &EncryptingKey,
    size: KeySize,
    suite: Suite,
) -> Result<AesKey<'_>, KeyError> {
    sized(fitting(key.as_key().secret(), key.name(), suite)?, size, suite)
}

pub(super) fn unwrapping_key(
    key: KeyRef<'_>,
    size: KeySize,
    suite: Suite,
) -> Result<AesKey<'_>, KeyError> {
    sized(fitting(key.secret(), key.name(), suite)?, size, suite)
}

fn sized(key: &Secret, size: KeySize, suite: Suite) -> Result<AesKey<'_>, KeyError> {
    let (cipher, expected, found) = (suite.key_alg(), size.bytes(), key.len());
    match found == expected {
        true => Ok(AesKey::nth(size, key, 0)),
        false => Err(CipherError::KeyLength { cipher, expected, found }.into()),
    }
}

pub(super) fn wrap(
    backend: Backend,
    keks: &OneOrEach<AesKey<'_>>,
    first: usize,
    ceks: &[&[u8]],
    wrapped: &mut Wrapped,
) {
    let Some(len) = ceks.first().map(|cek| cek.len()) else { return };
    let flat = Wiped::from(ceks.concat());
    let keys = match keks {
        OneOrEach::One(key) => std::slice::from_ref(key),
        OneOrEach::Each(keys) => &keys[first..][..ceks.len()],
    };
    let each = KekBytes::new(keys.iter().copied());
    wrapped.bytes.resize(ceks.len() * (len + OVERHEAD), 0);
    wrapped.ends.extend((1..=ceks.len()).map(|number| number * (len + OVERHEAD)));
    kw::wrap_many(backend, each.keks(keys[0]), len, &flat, &mut wrapped.bytes);
}

pub(super) fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_, AesKey<'_>>]) {
    let alike = |a: &UnwrapJob<'_, AesKey<'_>>, b: &UnwrapJob<'_, AesKey<'_>>| {
        let lengths = a.encrypted_key.len() == b.encrypted_key.len() && a.cek.len() == b.cek.len();
        lengths && a.key.size() == b.key.size()
    };
    for run in jobs.chunk_by_mut(alike) {
        unwrap_run(backend, run);
    }
}

/// Unwraps keys that have one length, under keys of one size.
fn unwrap_run(backend: Backend, jobs: &mut [UnwrapJob<'_, AesKey<'_>>]) {
    let len = jobs[0].cek.len();
    if jobs[0].encrypted_key.len() != len + OVERHEAD || len < 16 || !len.is_multiple_of(8) {
        return;
    }
    let each = KekBytes::new(jobs.iter().map(|job| job.key));
    let wrapped: Vec<&[u8]> = jobs.iter().map(|job| job.encrypted_key).collect();
    let flat = wrapped.concat();
    let mut ceks = Wiped::from(vec![0; jobs.len() * len]);
    let mut valid = vec![false; jobs.len()];
    kw::unwrap_many(backend, each.keks(jobs[0].key), len, &flat, &mut ceks, &mut valid);
    for ((job, cek), valid) in jobs.iter_mut().zip(ceks.chunks_exact(len)).zip(valid) {
        if valid {
            job.cek.copy_from_slice(cek);
        }
    }
}

/// Concatenated KEKs, or nothing if all are the same.
struct KekBytes(Option<Wiped>);

impl KekBytes {
    fn new<'k>(keys: impl Iterator<Item = AesKey<'k>> + Clone) -> Self {
        let mut bytes = keys.clone().map(AesKey::bytes);
        let first = bytes.next();
        let same = bytes.all(|key| first.is_some_and(|first| std::ptr::eq(key, first)));
        let concat = || keys.map(AesKey::bytes).collect::<Vec<_>>().concat();
        Self((!same).then(|| Wiped::from(concat())))
    }

    fn keks<'a>(&'a self, first: AesKey<'a>) -> Keks<'a> {
        match &self.0 {
            None => Keks::one(first),
            Some(each) => Keks::each(first.size(), each),
        }
    }
}
