//! AES key wrap (RFC 3394), for one key or many at a time.

use super::{OneOrEach, UnwrapJob, UnwrappingKey, Wrapped};
use crate::ciphers::Wiped;
use crate::ciphers::aes::AesKey;
use crate::ciphers::aes::kw::{self, Keks, OVERHEAD};
use crate::ciphers::cpu::Backend;

pub(super) fn wrap<'k, const N: usize>(
    backend: Backend,
    keks: &OneOrEach<&'k [u8; N]>,
    first: usize,
    ceks: &[&[u8]],
    wrapped: &mut Wrapped,
) where
    AesKey<'k>: From<&'k [u8; N]>,
{
    let Some(len) = ceks.first().map(|cek| cek.len()) else { return };
    let flat = Wiped::from(ceks.concat());
    let keys: Vec<AesKey<'_>> = match keks {
        OneOrEach::One(key) => vec![AesKey::from(*key)],
        OneOrEach::Each(keys) => {
            keys[first..][..ceks.len()].iter().map(|key| AesKey::from(*key)).collect()
        }
    };
    let each = KekBytes::new(&keys);
    wrapped.bytes.resize(ceks.len() * (len + OVERHEAD), 0);
    wrapped.ends.extend((1..=ceks.len()).map(|number| number * (len + OVERHEAD)));
    kw::wrap_many(backend, each.keks(&keys), len, &flat, &mut wrapped.bytes);
}

pub(super) fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_>]) {
    let len = jobs[0].cek.len();
    if jobs[0].encrypted_key.len() != len + OVERHEAD || len < 16 || !len.is_multiple_of(8) {
        return;
    }
    let keys: Vec<AesKey<'_>> = jobs
        .iter()
        .map(|job| match job.kek {
            UnwrappingKey::A128Kw(key) => AesKey::from(key),
            UnwrappingKey::A256Kw(key) => AesKey::from(key),
            UnwrappingKey::A128GcmKw(_)
            | UnwrappingKey::A256GcmKw(_)
            | UnwrappingKey::Rsa(_)
            | UnwrappingKey::Knapsack(_) => unreachable!("the jobs of a run are of one kind"),
        })
        .collect();
    let each = KekBytes::new(&keys);
    let wrapped: Vec<&[u8]> = jobs.iter().map(|job| job.encrypted_key).collect();
    let flat = wrapped.concat();
    let mut ceks = Wiped::from(vec![0; jobs.len() * len]);
    let mut valid = vec![false; jobs.len()];
    kw::unwrap_many(backend, each.keks(&keys), len, &flat, &mut ceks, &mut valid);
    for ((job, cek), valid) in jobs.iter_mut().zip(ceks.chunks_exact(len)).zip(valid) {
        if valid {
            job.cek.copy_from_slice(cek);
        }
    }
}

/// Concatenated KEKs, or nothing if all are the same.
struct KekBytes(Option<Wiped>);

impl KekBytes {
    fn new(keys: &[AesKey<'_>]) -> Self {
        let mut bytes = keys.iter().map(|key| key.bytes());
        let same = bytes.all(|key| std::ptr::eq(key, keys[0].bytes()));
        let concat = || keys.iter().map(|key| key.bytes()).collect::<Vec<_>>().concat();
        Self((!same).then(|| Wiped::from(concat())))
    }

    fn keks<'a>(&'a self, keys: &[AesKey<'a>]) -> Keks<'a> {
        match &self.0 {
            None => Keks::one(keys[0]),
            Some(each) => Keks::each(keys[0].size(), each),
        }
    }
}

/// Wraps one key under another.
pub fn wrap_one(kek: AesKey<'_>, cek: &[u8]) -> Vec<u8> {
    let mut wrapped = vec![0; cek.len() + OVERHEAD];
    kw::wrap_many(Backend::detect(), Keks::one(kek), cek.len(), cek, &mut wrapped);
    wrapped
}

/// Unwraps one key under another. Returns whether it was intact.
#[must_use]
pub fn unwrap_one(kek: AesKey<'_>, wrapped: &[u8], cek: &mut [u8]) -> bool {
    if wrapped.len() != cek.len() + OVERHEAD || cek.len() < 16 || !cek.len().is_multiple_of(8) {
        return false;
    }
    let mut valid = [false];
    kw::unwrap_many(Backend::detect(), Keks::one(kek), cek.len(), wrapped, cek, &mut valid);
    valid[0]
}
