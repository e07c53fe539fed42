//! `PBES2-HS256+A128KW` and its longer forms (RFC 7518 section 4.8): AES key wrap under a key that
//! PBKDF2 derives from a password.

use super::{KeyParams, UnwrapJob, aes_kw};
use crate::ciphers::aes::AesKey;
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::protocol::jose::json::{Object, ObjectText, text};
use crate::protocol::jose::password::{Derivation, DerivedKey, OpeningPassword, Rounds};
use crate::protocol::model::{LineFault, Malformed, Pbes2};

/// Least and greatest length of a salt in bytes; RFC 7518 section 4.8.1.1 has the least.
const SALT: (usize, usize) = (8, 1024);

pub(super) fn wrapping_key(key: &DerivedKey) -> AesKey<'_> {
    AesKey::nth(key.algorithm().key_size(), key.key(), 0)
}

/// Reads the members; [`KeyParams::None`] if one is missing.
pub(super) fn read(algorithm: Pbes2, members: &Object) -> Result<KeyParams, Malformed> {
    let (true, Some(rounds)) = (members.contains_key("p2s"), members.get("p2c")) else {
        return Ok(KeyParams::None);
    };
    let salt = base64url::decode_to_vec(text(members, "p2s")?.as_bytes())
        .filter(|salt| (SALT.0..=SALT.1).contains(&salt.len()))
        .ok_or_else(|| Malformed::member("p2s", "base64url of 8 to 1024 bytes"))?;
    match rounds.as_u64().and_then(Rounds::new) {
        Some(rounds) => Ok(KeyParams::Pbes2(Box::new(Derivation { algorithm, salt, rounds }))),
        None => {
            let (least, most) = (Rounds::LEAST.into(), Rounds::MOST.into());
            Err(Malformed::OutOfRange { name: "p2c", least, most })
        }
    }
}

pub(super) fn check(params: &KeyParams) -> Result<(), Malformed> {
    params.derivation().map(|_| ()).ok_or_else(|| LineFault::NoSaltAndRounds.into())
}

pub(super) fn write(derivation: &Derivation, header: &mut ObjectText) {
    header.bytes("p2s", &derivation.salt);
    header.json("p2c", &derivation.rounds.get().to_string());
}

/// Unwraps keys under those that were derived when their headers were read.
pub(super) fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_, &OpeningPassword>]) {
    let alike = |a: &UnwrapJob<'_, &OpeningPassword>, b: &UnwrapJob<'_, &OpeningPassword>| {
        std::ptr::eq(a.key, b.key) && a.params == b.params
    };
    for run in jobs.chunk_by_mut(alike) {
        let Some(derivation) = run[0].params.derivation() else { continue };
        let Some(kek) = run[0].key.derived(derivation) else { continue };
        let key = AesKey::nth(derivation.algorithm.key_size(), &kek, 0);
        let jobs = run.iter_mut().map(|job| {
            let (encrypted_key, params) = (job.encrypted_key, job.params);
            UnwrapJob { key, encrypted_key, params, cek: &mut *job.cek }
        });
        aes_kw::unwrap(backend, &mut jobs.collect::<Vec<_>>());
    }
}
