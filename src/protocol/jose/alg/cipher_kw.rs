//! Key wrap by a content cipher: `A128GCMKW`, `A192GCMKW` and `A256GCMKW` (RFC 7518 section 4.7), and
//! the same form with other ciphers, `DES-CBC-HS256KW` and so on.
//!
//! The distributed key is a key of the cipher, the content key is its plaintext, and there is no
//! additional data. Each key has a random IV; the header has IV and tag.

use rand::Rng;

use super::{KeyParams, OneOrEach, UnwrapJob, Wrapped, direct, fitting};
use crate::ciphers::content::{ContentCipher, Keys, MAX_IV, MAX_TAG, Record};
use crate::ciphers::cpu::Backend;
use crate::ciphers::cut::parts_mut;
use crate::ciphers::random::KeyStream;
use crate::ciphers::{CipherError, Secret, Wiped, base64url};
use crate::protocol::jose::json::{Object, ObjectText, text};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, KeyRef};
use crate::protocol::model::{KeyError, LineFault, Malformed, Suite};

/// A distributed key and the cipher that wraps with it.
pub(super) type CipherKey<'k> = (ContentCipher, &'k Secret);

pub(super) fn wrapping_key(
    key: &EncryptingKey,
    cipher: ContentCipher,
    suite: Suite,
) -> Result<&Secret, KeyError> {
    sized(fitting(key.as_key().secret(), key.name(), suite)?, cipher, suite)?;
    direct::sealing_key(key, cipher, suite)
}

pub(super) fn unwrapping_key(
    key: KeyRef<'_>,
    cipher: ContentCipher,
    suite: Suite,
) -> Result<&Secret, KeyError> {
    sized(fitting(key.secret(), key.name(), suite)?, cipher, suite)
}

fn sized(key: &Secret, cipher: ContentCipher, suite: Suite) -> Result<&Secret, KeyError> {
    let (expected, found) = (cipher.key_len(), key.len());
    match expected == found {
        true => Ok(key),
        false => Err(CipherError::KeyLength { cipher: suite.key_alg(), expected, found }.into()),
    }
}

/// Reads the members; [`KeyParams::None`] if one is missing.
pub(super) fn read(cipher: ContentCipher, members: &Object) -> Result<KeyParams, Malformed> {
    let has_iv = cipher.iv_len() == 0 || members.contains_key("iv");
    if !has_iv || !members.contains_key("tag") {
        return Ok(KeyParams::None);
    }
    let (mut iv, mut tag) = ([0; MAX_IV], [0; MAX_TAG]);
    if cipher.iv_len() > 0 {
        exact(members, "iv", &mut iv[..cipher.iv_len()])?;
    }
    exact(members, "tag", &mut tag[..cipher.tag_len()])?;
    Ok(KeyParams::IvAndTag(cipher, iv, tag))
}

fn exact(members: &Object, name: &'static str, out: &mut [u8]) -> Result<(), Malformed> {
    let bytes = base64url::decode_to_vec(text(members, name)?.as_bytes())
        .filter(|bytes| bytes.len() == out.len())
        .ok_or(LineFault::Bytes { name, bytes: out.len() })?;
    out.copy_from_slice(&bytes);
    Ok(())
}

pub(super) fn check(cipher: ContentCipher, params: &KeyParams) -> Result<(), Malformed> {
    match params {
        KeyParams::IvAndTag(..) => Ok(()),
        KeyParams::None | KeyParams::Agreement(_) | KeyParams::Pbes2(_) => {
            Err(if cipher.iv_len() == 0 { LineFault::NoTag } else { LineFault::NoIvAndTag }.into())
        }
    }
}

pub(super) fn write(
    cipher: ContentCipher,
    iv: &[u8; MAX_IV],
    tag: &[u8; MAX_TAG],
    header: &mut ObjectText,
) {
    if cipher.iv_len() > 0 {
        header.bytes("iv", &iv[..cipher.iv_len()]);
    }
    header.bytes("tag", &tag[..cipher.tag_len()]);
}

pub(super) fn wrap(
    backend: Backend,
    (cipher, keks): (ContentCipher, &OneOrEach<&Secret>),
    first: usize,
    ceks: &[&[u8]],
    rng: &mut KeyStream,
    wrapped: &mut Wrapped,
) {
    let mut ivs = vec![[0; MAX_IV]; ceks.len()];
    for iv in &mut ivs {
        rng.fill_bytes(&mut iv[..cipher.iv_len()]);
    }
    for cek in ceks {
        wrapped.push(cipher.sealed_len(cek.len()))[..cek.len()].copy_from_slice(cek);
    }
    let lengths = ceks.iter().map(|cek| cipher.sealed_len(cek.len()));
    let records = ceks.iter().zip(&ivs).zip(parts_mut(&mut wrapped.bytes, lengths));
    let mut records: Vec<_> = records
        .map(|((cek, iv), text)| record(cipher, iv, text, cek.len(), [0; MAX_TAG]))
        .collect();
    match keks {
        OneOrEach::One(key) => cipher.seal(backend, Keys::One(key), &mut records),
        OneOrEach::Each(keys) => {
            let keys = concat(keys[first..][..ceks.len()].iter().copied());
            cipher.seal(backend, Keys::Each(&keys), &mut records);
        }
    }
    let tags = records.iter().map(|record| record.tag);
    wrapped.params =
        ivs.iter().zip(tags).map(|(iv, tag)| KeyParams::IvAndTag(cipher, *iv, tag)).collect();
}

/// Verifies each key, and decrypts it into the job's buffer if it is authentic and its length fits.
pub(super) fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_, CipherKey<'_>>]) {
    for run in jobs.chunk_by_mut(|a, b| a.key.0 == b.key.0) {
        unwrap_run(backend, run[0].key.0, run);
    }
}

fn unwrap_run(backend: Backend, cipher: ContentCipher, jobs: &mut [UnwrapJob<'_, CipherKey<'_>>]) {
    // Lengths are public.
    let fits =
        |job: &&mut UnwrapJob<'_, _>| job.encrypted_key.len() == cipher.sealed_len(job.cek.len());
    let mut jobs: Vec<_> = jobs.iter_mut().filter(fits).collect();
    let Some((_, key)) = jobs.first().map(|job| job.key) else { return };
    let encrypted: Vec<&[u8]> = jobs.iter().map(|job| job.encrypted_key).collect();
    let mut texts = Wiped::from(encrypted.concat());
    let texts = parts_mut(&mut texts, encrypted.iter().map(|key| key.len()));
    let records = jobs.iter().zip(texts).map(|(job, text)| {
        let (iv, tag) = match job.params {
            KeyParams::IvAndTag(_, iv, tag) => (iv, *tag),
            KeyParams::None | KeyParams::Agreement(_) | KeyParams::Pbes2(_) => {
                unreachable!("the members were checked with the line")
            }
        };
        record(cipher, iv, text, 0, tag)
    });
    let mut records: Vec<_> = records.collect();
    if jobs.iter().all(|job| std::ptr::eq(job.key.1, key)) {
        cipher.open(backend, Keys::One(key), &mut records);
    } else {
        let keys = concat(jobs.iter().map(|job| job.key.1));
        cipher.open(backend, Keys::Each(&keys), &mut records);
    }
    for (job, record) in jobs.iter_mut().zip(&records) {
        if record.authentic && record.len == job.cek.len() {
            job.cek.copy_from_slice(&record.text[..record.len]);
        }
    }
}

fn record<'r>(
    cipher: ContentCipher,
    iv: &'r [u8; MAX_IV],
    text: &'r mut [u8],
    len: usize,
    tag: [u8; MAX_TAG],
) -> Record<'r> {
    Record { iv: &iv[..cipher.iv_len()], aad: b"", text, len, tag, authentic: false }
}

fn concat<'k>(keys: impl Iterator<Item = &'k Secret>) -> Wiped {
    Wiped::from(keys.map(|key| &key[..]).collect::<Vec<_>>().concat())
}
