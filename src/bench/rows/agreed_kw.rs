//! Wrapping and unwrapping content-encryption keys by ECDH-ES+A256KW: under keys that are agreed on,
//! each with a new ephemeral key.

use crate::ciphers::aes::KeySize;
use crate::ciphers::aes::kw::{self, Keks, OVERHEAD};
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::{
    Curve, NIST_BACKENDS, PartyInfo, PrivateKey, PublicKey, agree, concat_kdf, generate,
};
use crate::ciphers::random::KeyStream;
use crate::ciphers::x25519;

use super::fixtures::{bytes, rng};
use super::{CEK, Iteration, Row, available};

const KEK: KeySize = KeySize::Aes256;

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    // X25519 fills its lanes with as many keys as share an inversion.
    let x25519 = available(x25519::BACKENDS).into_iter();
    let x25519 =
        x25519.flat_map(|backend| lanes("x25519-ecdh-es-a256kw", [Curve::X25519; 128], backend));
    let p256 = available(NIST_BACKENDS).into_iter();
    let p256 = p256.flat_map(|backend| lanes("p-256-ecdh-es-a256kw", [Curve::P256; 16], backend));
    x25519.chain(p256).collect()
}

/// Rows for recipients on these curves.
fn lanes<const N: usize>(cipher: &'static str, curves: [Curve; N], backend: Backend) -> [Row; 2] {
    let ready = move || {
        (generate(backend, &curves, &mut rng()), bytes(N * CEK), vec![0; N * (CEK + OVERHEAD)])
    };
    let wrap = move || -> Iteration {
        let ((recipients, ceks, mut wrapped), mut rng) = (ready(), rng());
        Box::new(move || {
            wrap(backend, &recipients, &ceks, &mut wrapped, &mut rng);
        })
    };
    let unwrap = move || -> Iteration {
        let (recipients, mut ceks, mut wrapped) = ready();
        let ephemeral = self::wrap(backend, &recipients, &ceks, &mut wrapped, &mut rng());
        let mut valid = [false; N];
        Box::new(move || {
            let pairs: Vec<_> = recipients.iter().zip(&ephemeral).collect();
            let keks = keks(backend, &pairs);
            kw::unwrap_many(backend, Keks::each(KEK, &keks), CEK, &wrapped, &mut ceks, &mut valid);
            assert!(valid.iter().all(|valid| *valid), "what was wrapped above");
        })
    };
    [
        Row::new("wrap", cipher, backend.name(), CEK, wrap).batch(N),
        Row::new("unwrap", cipher, backend.name(), CEK, unwrap).batch(N),
    ]
}

/// Wraps a key for each recipient; returns the ephemeral public keys.
fn wrap(
    backend: Backend,
    recipients: &[PrivateKey],
    ceks: &[u8],
    wrapped: &mut [u8],
    rng: &mut KeyStream,
) -> Vec<PublicKey> {
    let curves: Vec<_> = recipients.iter().map(PrivateKey::curve).collect();
    let ephemeral = generate(backend, &curves, rng);
    let pairs: Vec<_> = ephemeral.iter().zip(recipients.iter().map(PrivateKey::public)).collect();
    let keks = keks(backend, &pairs);
    kw::wrap_many(backend, Keks::each(KEK, &keks), CEK, ceks, wrapped);
    ephemeral.iter().map(|key| *key.public()).collect()
}

/// The keys on which each pair agrees.
fn keks(backend: Backend, pairs: &[(&PrivateKey, &PublicKey)]) -> Vec<u8> {
    let mut keks = vec![0; pairs.len() * KEK.bytes()];
    let info = PartyInfo { algorithm: "ECDH-ES+A256KW", apu: b"", apv: b"" };
    for (shared, kek) in agree(backend, pairs).iter().zip(keks.chunks_exact_mut(KEK.bytes())) {
        let shared = shared.as_ref().expect("keys on one curve");
        concat_kdf(shared.as_bytes(), info, kek);
    }
    keks
}
