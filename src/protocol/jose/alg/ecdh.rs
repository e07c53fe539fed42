//! `ECDH-ES`, alone and with AES key wrap: a key agreed on with the recipient's static key and an
//! ephemeral key that each order has for itself (RFC 7518 section 4.6; RFC 8037 section 3.2).

use super::{KeyParams, OneOrEach, UnwrapJob, Wrapped, aes_kw, fitting};
use crate::ciphers::Wiped;
use crate::ciphers::aes::{AesKey, KeySize};
use crate::ciphers::base64url;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::{self, Curve, PartyInfo, PrivateKey, PublicKey, concat_kdf};
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::json::{Object, ObjectText, optional_text, text};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, KeyRef, curve};
use crate::protocol::model::{Alg, KeyError, LineFault, Malformed, Suite, WrapAlgorithm};

/// The members of an agreement in a header (RFC 7518 section 4.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// `epk`: the ephemeral public key.
    epk: PublicKey,
    /// `apu`: information about the sender; empty if the member is missing.
    apu: Vec<u8>,
    /// `apv`: information about the recipient; empty if the member is missing.
    apv: Vec<u8>,
}

/// What the agreed key is for, which its derivation depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol::jose) enum Purpose {
    /// It encrypts the order with this cipher.
    Content(ContentCipher),
    /// It wraps the content-encryption key.
    Kek(KeySize),
}

impl Purpose {
    /// The AlgorithmID of the derivation (RFC 7518 section 4.6.2).
    fn algorithm(self) -> &'static str {
        match self {
            Self::Content(cipher) => cipher.name(),
            Self::Kek(size) => WrapAlgorithm::EcdhEs(size).name(),
        }
    }
}

pub(super) fn sealing_key(key: &EncryptingKey, suite: Suite) -> Result<&PublicKey, KeyError> {
    fitting(key.as_key().public_curve(), key.name(), suite)
}

pub(super) fn opening_key(key: KeyRef<'_>, suite: Suite) -> Result<&PrivateKey, KeyError> {
    fitting(key.curve_pair(), key.name(), suite)
}

/// Whether `alg` is of this family. Under another one, the members are not ours.
fn is_ours(alg: &str) -> bool {
    match Alg::from_name(alg) {
        Some(Alg::Agree | Alg::Wrap(WrapAlgorithm::EcdhEs(_))) => true,
        Some(Alg::Direct | Alg::Password(_) | Alg::Wrap(_)) | None => false,
    }
}

/// Parses an ephemeral key on X25519 as [`Agreement::write`] writes it.
pub(super) fn plain(alg: &str, members: &[u8]) -> Option<KeyParams> {
    let x = members.strip_prefix(br#""epk":{"kty":"OKP","crv":"X25519","x":""#)?;
    let x = x.strip_suffix(br#""}"#).filter(|_| is_ours(alg))?;
    let epk = PublicKey::new(Curve::X25519, &base64url::decode_to_vec(x)?, b"").ok()?;
    let agreement = Agreement { epk, apu: Vec::new(), apv: Vec::new() };
    Some(KeyParams::Agreement(Box::new(agreement)))
}

/// Reads the members.
pub(super) fn read(members: &Object) -> Result<KeyParams, Malformed> {
    let is_ours = optional_text(members, "alg")?.is_some_and(is_ours);
    let Some(epk) = members.get("epk").filter(|_| is_ours) else { return Ok(KeyParams::None) };
    let epk = epk.as_object().ok_or(Malformed::member("epk", "a key as a JSON object"))?;
    let epk = curve::public_key(epk).map_err(|fault| match fault {
        curve::Fault::Malformed(found) => found.within("epk"),
        curve::Fault::Unimplemented(name) => LineFault::from(name).into(),
        curve::Fault::Unsound(error) => LineFault::from(error).into(),
    })?;
    let (apu, apv) = (info(members, "apu")?, info(members, "apv")?);
    Ok(KeyParams::Agreement(Box::new(Agreement { epk, apu, apv })))
}

/// Reads the information about a party.
fn info(members: &Object, name: &'static str) -> Result<Vec<u8>, Malformed> {
    // It goes into the derivation, so `null` does not count as absent.
    let text = if members.contains_key(name) { text(members, name)? } else { "" };
    let fault = || Malformed::member(name, "base64url without padding");
    base64url::decode_to_vec(text.as_bytes()).ok_or_else(fault)
}

/// Checks that there is an ephemeral key on the curve of the recipient's.
pub(super) fn check(key: &PrivateKey, params: &KeyParams) -> Result<(), Malformed> {
    let (expected, found) = match params {
        KeyParams::Agreement(agreement) => (key.curve(), agreement.epk.curve()),
        KeyParams::None | KeyParams::IvAndTag(..) | KeyParams::Pbes2(_) => {
            return Err(LineFault::NoEpk.into());
        }
    };
    match found == expected {
        true => Ok(()),
        false => Err(LineFault::EpkCurve { found, expected }.into()),
    }
}

impl Agreement {
    pub(super) fn write(&self, header: &mut ObjectText) {
        let curve = self.epk.curve();
        let (kty, crv) = (curve::key_type(curve), curve.name());
        let x = base64url::encode_to_string(self.epk.x());
        let y = self
            .epk
            .y()
            .map_or(String::new(), |y| format!(r#","y":"{}""#, base64url::encode_to_string(y)));
        header.json("epk", &format!(r#"{{"kty":"{kty}","crv":"{crv}","x":"{x}"{y}}}"#));
    }
}

/// Agrees on a key of `len` bytes with each of these recipients, each time with a new ephemeral key.
/// Returns the keys, concatenated, and the members for the headers.
fn agree<'k>(
    backend: Backend,
    recipients: impl Iterator<Item = &'k PublicKey>,
    (purpose, len): (Purpose, usize),
    rng: &mut KeyStream,
) -> (Wiped, Vec<KeyParams>) {
    let recipients: Vec<&PublicKey> = recipients.collect();
    let curves: Vec<Curve> = recipients.iter().map(|key| key.curve()).collect();
    let ephemeral = ecdh::generate(backend, &curves, rng);
    let pairs: Vec<_> = ephemeral.iter().zip(recipients).collect();
    let mut keys = Wiped::from(vec![0; pairs.len() * len]);
    let info = PartyInfo { algorithm: purpose.algorithm(), apu: b"", apv: b"" };
    for (shared, key) in ecdh::agree(backend, &pairs).iter().zip(keys.chunks_exact_mut(len)) {
        let shared = shared.as_ref().expect("both keys are on one curve and were checked");
        concat_kdf(shared.as_bytes(), info, key);
    }
    let params = ephemeral.iter().map(|key| {
        let agreement = Agreement { epk: *key.public(), apu: Vec::new(), apv: Vec::new() };
        KeyParams::Agreement(Box::new(agreement))
    });
    (keys, params.collect())
}

/// Agrees on the content-encryption keys of `count` orders.
pub(in crate::protocol::jose) fn content_keys(
    backend: Backend,
    recipients: &OneOrEach<&PublicKey>,
    (first, count): (usize, usize),
    cipher: ContentCipher,
    rng: &mut KeyStream,
) -> (Wiped, Wrapped) {
    let recipients = (first..first + count).map(|index| *recipients.of(index));
    let purpose = (Purpose::Content(cipher), cipher.key_len());
    let (keys, params) = agree(backend, recipients, purpose, rng);
    (keys, Wrapped { params, ..Wrapped::default() })
}

pub(super) fn wrap(
    backend: Backend,
    (size, recipients): (KeySize, &OneOrEach<&PublicKey>),
    first: usize,
    ceks: &[&[u8]],
    rng: &mut KeyStream,
    wrapped: &mut Wrapped,
) {
    let recipients = (first..).take(ceks.len()).map(|index| *recipients.of(index));
    let purpose = (Purpose::Kek(size), size.bytes());
    let (keys, params) = agree(backend, recipients, purpose, rng);
    let keks = (0..ceks.len()).map(|index| AesKey::nth(size, &keys, index)).collect();
    aes_kw::wrap(backend, &OneOrEach::Each(keks), 0, ceks, wrapped);
    wrapped.params = params;
}

type Job<'a> = UnwrapJob<'a, (&'a PrivateKey, Purpose)>;

pub(super) fn unwrap(backend: Backend, jobs: &mut [Job<'_>]) {
    let jobs: Vec<_> = jobs.iter_mut().filter_map(agreed).collect();
    let pairs: Vec<_> = jobs.iter().map(|(job, agreed)| (job.key.0, &agreed.epk)).collect();
    let shared = ecdh::agree(backend, &pairs);
    let mut keks = Wiped::from(vec![0; jobs.len() * KeySize::Aes256.bytes()]);
    let mut wrapped = Vec::with_capacity(jobs.len());
    let each = jobs.into_iter().zip(&shared).zip(keks.chunks_exact_mut(KeySize::Aes256.bytes()));
    for (((job, agreed), shared), kek) in each {
        let ((_, purpose), Some(shared)) = (job.key, shared) else { continue };
        let Agreement { apu, apv, .. } = agreed;
        let info = PartyInfo { algorithm: purpose.algorithm(), apu, apv };
        match purpose {
            Purpose::Content(_) => concat_kdf(shared.as_bytes(), info, job.cek),
            Purpose::Kek(size) => {
                concat_kdf(shared.as_bytes(), info, &mut kek[..size.bytes()]);
                let (encrypted_key, params) = (job.encrypted_key, job.params);
                let key = AesKey::nth(size, kek, 0);
                wrapped.push(UnwrapJob { key, encrypted_key, params, cek: &mut *job.cek });
            }
        }
    }
    aes_kw::unwrap(backend, &mut wrapped);
}

/// A job, and the agreement in its header, which was checked.
fn agreed<'j, 'a>(job: &'j mut Job<'a>) -> Option<(&'j mut Job<'a>, &'a Agreement)> {
    match job.params {
        KeyParams::Agreement(agreement) => Some((job, agreement)),
        KeyParams::None | KeyParams::IvAndTag(..) | KeyParams::Pbes2(_) => None,
    }
}
