//! `A128GCMKW` and `A256GCMKW` (RFC 7518 section 4.7): no additional data, IV and tag in the header.
//! Keys are prepared as for AES key wrap.

use rand::Rng;
use zeroize::Zeroizing;

use super::{KeyParams, OneOrEach, UnwrapJob, Wrapped};
use crate::ciphers::aes::AesKey;
use crate::ciphers::aes::gcm::Gcm;
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::json::{Object, ObjectText, text};
use crate::protocol::model::{LineFault, Malformed};

pub(super) fn read(members: &Object) -> Result<KeyParams, Malformed> {
    match members.contains_key("iv") && members.contains_key("tag") {
        true => Ok(KeyParams::IvAndTag(exact(members, "iv")?, exact(members, "tag")?)),
        false => Ok(KeyParams::None),
    }
}

fn exact<const N: usize>(members: &Object, name: &'static str) -> Result<[u8; N], Malformed> {
    base64url::decode_to_vec(text(members, name)?.as_bytes())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| LineFault::Bytes { name, bytes: N }.into())
}

pub(super) fn check(params: &KeyParams) -> Result<(), Malformed> {
    match params {
        KeyParams::IvAndTag(..) => Ok(()),
        KeyParams::None | KeyParams::Agreement(_) => Err(LineFault::NoIvAndTag.into()),
    }
}

pub(super) fn write(iv: &[u8; 12], tag: &[u8; 16], header: &mut ObjectText) {
    header.bytes("iv", iv);
    header.bytes("tag", tag);
}

pub(super) fn wrap(
    backend: Backend,
    keks: &OneOrEach<AesKey<'_>>,
    first: usize,
    ceks: &[&[u8]],
    rng: &mut KeyStream,
    wrapped: &mut Wrapped,
) {
    for (index, cek) in (first..).zip(ceks) {
        let mut iv = [0; 12];
        rng.fill_bytes(&mut iv);
        let room = wrapped.push(cek.len());
        room.copy_from_slice(cek);
        let tag = Gcm::new(backend, *keks.of(index)).seal(&iv, b"", room);
        wrapped.params.push(KeyParams::IvAndTag(iv, tag));
    }
}

/// Decrypts into each job's buffer if the tag matches and the length fits.
pub(super) fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_, AesKey<'_>>]) {
    for job in jobs {
        let (iv, tag) = match job.params {
            KeyParams::IvAndTag(iv, tag) => (iv, tag),
            KeyParams::None | KeyParams::Agreement(_) => continue,
        };
        let mut key = Zeroizing::new(job.encrypted_key.to_vec());
        let opened = Gcm::new(backend, job.key).open(iv, b"", &mut key, tag);
        if opened.is_ok() && key.len() == job.cek.len() {
            job.cek.copy_from_slice(&key);
        }
    }
}
