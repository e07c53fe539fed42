//! Each cipher runs kernels of exactly the levels that it declares.

use super::content::{ContentCipher, Keys, MAX_TAG, Record};
use super::cpu::{Backend, ENTERED};
use super::{aes, base64url, des, feal, rsa, x25519};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A cipher's name and backends, and a job that fills the widest lanes.
type Case = (&'static str, &'static [&'static str], Box<dyn Fn(Backend)>);

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = vec![
        (
            "AES-CTR",
            aes::BACKENDS,
            Box::new(|backend| {
                aes::ctr::Ctr::new(backend, aes::AesKey::from(&[1; 16]))
                    .apply32(&[0; 16], &mut [0; 64]);
            }),
        ),
        (
            "AES-KW",
            aes::BACKENDS,
            Box::new(|backend| {
                let keks = aes::kw::Keks::one(aes::AesKey::from(&[1; 32]));
                aes::kw::wrap_many(backend, keks, 32, &[2; 32], &mut [0; 40]);
            }),
        ),
        (
            "base64url encode",
            base64url::BACKENDS,
            Box::new(|backend| {
                base64url::encode(backend, &[1; 48], &mut [0; 64]);
            }),
        ),
        (
            "base64url decode",
            base64url::BACKENDS,
            Box::new(|backend| {
                base64url::decode_append(backend, &[b'A'; 64], &mut Vec::new()).unwrap();
            }),
        ),
        (
            "DES",
            des::BACKENDS,
            Box::new(|backend| {
                let key = des::DesKey::from([1; 8]);
                des::ecb_encrypt(backend, &key, &mut [[0; 8]; 512]);
            }),
        ),
        (
            "FEAL decrypt",
            feal::BACKENDS,
            Box::new(|backend| {
                let key = feal::Feal::new(&[1; 8], feal::Rounds::EIGHT);
                key.cbc_decrypt(backend, &[0; 8], &mut [[0; 8]; 64]);
            }),
        ),
        (
            "RSA",
            rsa::BACKENDS,
            Box::new(|backend| {
                let key = rsa::PublicKey::from_be_bytes(&[0xff; 256], &[1, 0, 1]).unwrap();
                let job = rsa::WrapJob {
                    key: &key,
                    hash: rsa::OaepHash::Sha256,
                    label: b"",
                    message: b"1",
                };
                let rng = &mut StdRng::seed_from_u64(1);
                rsa::oaep_wrap_many(backend, &[job; 8], rng, &mut [0; 8 * 256]).unwrap();
            }),
        ),
        (
            "X25519 agreement",
            x25519::BACKENDS,
            Box::new(|backend| {
                let (secret, public) = ([1; 32].into(), [9; 32].into());
                let mut out = [(); 8].map(|()| Default::default());
                x25519::agree(backend, &[(&secret, &public); 8], &mut out);
            }),
        ),
        (
            "X25519 public keys",
            x25519::BACKENDS,
            Box::new(|backend| {
                let secrets = [1; 8].map(|fill| [fill; 32].into());
                x25519::public_keys(backend, &secrets, &mut [Default::default(); 8]);
            }),
        ),
    ];
    cases.extend(ContentCipher::ALL.map(|cipher| -> Case {
        let run = move |backend: Backend| {
            const COUNT: usize = 128;
            let room = cipher.sealed_len(64);
            let keys = vec![1; COUNT * cipher.key_len_for(room)];
            let (iv, mut texts) = (vec![0; cipher.iv_len()], vec![0; COUNT * room]);
            let record = |text| Record {
                iv: &iv,
                aad: b"",
                text,
                len: 64,
                tag: [0; MAX_TAG],
                authentic: false,
            };
            let mut records: Vec<_> = texts.chunks_exact_mut(room).map(record).collect();
            cipher.seal(backend, Keys::Each(&keys), &mut records);
        };
        (cipher.name(), cipher.backends(), Box::new(run))
    }));
    cases
}

#[test]
fn ciphers_enter_the_levels_that_they_have_and_no_others() {
    for backend in Backend::available() {
        for (cipher, backends, run) in cases() {
            ENTERED.take();
            run(backend);
            let entered = ENTERED.take();
            let is_level = ["avx2", "vaes", "avx512", "neon"].contains(&backend.name());
            let own = entered.iter().any(|level| level.eq_ignore_ascii_case(backend.name()));
            assert_eq!(
                own,
                is_level && backends.contains(&backend.name()),
                "{cipher} on {backend}: {entered:?}"
            );
        }
    }
}
