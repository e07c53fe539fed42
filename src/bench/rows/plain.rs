//! The peer of our batch path: the crates, called for one order at a time, as a typical program
//! that reads and writes JWE lines would.
//!
//! On Intel processors the crates' AES leaves 512-bit registers in a state in which the older
//! instructions of their GHASH run several times slower (`aes` 0.9.4, `polyval` 0.7). Base64 with
//! AVX2 clears that state, so here it runs between key wrap and AES-GCM, to measure the peer at its
//! best.

use aes_gcm::aead::{AeadInOut, Nonce, Tag};
use aes_gcm::{Aes256Gcm, KeyInit};
use aes_kw::KwAes256;
use base64_simd::URL_SAFE_NO_PAD;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};

use super::fixtures::{array, crate_array, orders};
use super::{Row, orders_at_once};

/// The header of every order.
const HEADER: &str = r#"{"alg":"A256KW","enc":"A256GCM","kid":"tokyo"}"#;

/// Sealing and opening with A256KW and A256GCM.
pub fn rows(cipher: &'static str, size: usize) -> [Row; 2] {
    let count = orders_at_once(size);
    let seal = move || {
        let (kek, mut rng) = (kek(), StdRng::seed_from_u64(1));
        let header = URL_SAFE_NO_PAD.encode_to_string(HEADER);
        let texts = orders(count, size);
        let mut lines = String::new();
        move || {
            lines.clear();
            for text in &texts {
                seal_order(&kek, &header, text, &mut rng, &mut lines);
                lines.push('\n');
            }
        }
    };
    let open = move || {
        let (kek, mut rng) = (kek(), StdRng::seed_from_u64(1));
        let header = URL_SAFE_NO_PAD.encode_to_string(HEADER);
        let seal = |text: Vec<u8>| {
            let mut line = String::new();
            seal_order(&kek, &header, &text, &mut rng, &mut line);
            line
        };
        let lines: Vec<String> = orders(count, size).into_iter().map(seal).collect();
        let mut texts = Vec::new();
        move || {
            texts.clear();
            for line in &lines {
                let text = open_order(&kek, line).expect("what was sealed above opens");
                texts.extend_from_slice(&text);
                texts.push(b'\n');
            }
        }
    };
    [
        Row::new("seal-jwe", cipher, "rustcrypto", size, seal).batch(count),
        Row::new("open-jwe", cipher, "rustcrypto", size, open).batch(count),
    ]
}

/// Sealing and opening with ECDH-ES+A256KW on X25519 and A256GCM, an ephemeral key for each order.
pub fn agreement_rows(cipher: &'static str, size: usize) -> [Row; 2] {
    let count = orders_at_once(size);
    let shop = || StaticSecret::from(array::<32>());
    let seal_all = |shop: &PublicKey, texts: &[Vec<u8>], rng: &mut StdRng, lines: &mut String| {
        for text in texts {
            let ephemeral = StaticSecret::random_from_rng(rng);
            let epk = URL_SAFE_NO_PAD.encode_to_string(PublicKey::from(&ephemeral).as_bytes());
            let header = format!(
                r#"{{"alg":"ECDH-ES+A256KW","enc":"A256GCM","kid":"tokyo","epk":{{"kty":"OKP","crv":"X25519","x":"{epk}"}}}}"#
            );
            let header = URL_SAFE_NO_PAD.encode_to_string(header);
            let kek = agreed_kek(&ephemeral, shop);
            seal_order(&kek, &header, text, rng, lines);
            lines.push('\n');
        }
    };
    let seal = move || {
        let (shop, mut rng) = (PublicKey::from(&shop()), StdRng::seed_from_u64(1));
        let (texts, mut lines) = (orders(count, size), String::new());
        move || {
            lines.clear();
            seal_all(&shop, &texts, &mut rng, &mut lines);
        }
    };
    let open = move || {
        let (shop, mut rng) = (shop(), StdRng::seed_from_u64(1));
        let mut lines = String::new();
        seal_all(&PublicKey::from(&shop), &orders(count, size), &mut rng, &mut lines);
        let mut texts = Vec::new();
        move || {
            texts.clear();
            for line in lines.lines() {
                let text = open_agreed(&shop, line).expect("what was sealed above opens");
                texts.extend_from_slice(&text);
                texts.push(b'\n');
            }
        }
    };
    [
        Row::new("seal-jwe", cipher, "rustcrypto", size, seal).batch(count),
        Row::new("open-jwe", cipher, "rustcrypto", size, open).batch(count),
    ]
}

/// The key that wraps the content key (RFC 7518 section 4.6.2).
fn agreed_kek(own: &StaticSecret, other: &PublicKey) -> KwAes256 {
    let hash = Sha256::new_with_prefix(1u32.to_be_bytes());
    let hash = hash.chain_update(own.diffie_hellman(other).as_bytes());
    let hash = hash.chain_update(14u32.to_be_bytes()).chain_update("ECDH-ES+A256KW");
    let hash = hash.chain_update([0; 8]).chain_update(256u32.to_be_bytes());
    KwAes256::new(&hash.finalize())
}

/// Header members that are read of a line with an ephemeral key.
#[derive(Deserialize)]
struct AgreedHeader<'a> {
    alg: &'a str,
    enc: &'a str,
    kid: &'a str,
    #[serde(borrow)]
    epk: Epk<'a>,
}

#[derive(Deserialize)]
struct Epk<'a> {
    kty: &'a str,
    crv: &'a str,
    x: &'a str,
}

fn open_agreed(shop: &StaticSecret, line: &str) -> Option<Vec<u8>> {
    let json = URL_SAFE_NO_PAD.decode_to_vec(line.split('.').next()?).ok()?;
    let header: AgreedHeader<'_> = serde_json::from_slice(&json).ok()?;
    let AgreedHeader { alg, enc, kid, epk } = header;
    if [alg, enc, kid, epk.kty, epk.crv] != ["ECDH-ES+A256KW", "A256GCM", "tokyo", "OKP", "X25519"]
    {
        return None;
    }
    let x = URL_SAFE_NO_PAD.decode_to_vec(epk.x).ok()?;
    let epk = PublicKey::from(<[u8; 32]>::try_from(x).ok()?);
    open_content(&agreed_kek(shop, &epk), line)
}

fn kek() -> KwAes256 {
    KwAes256::new(&crate_array())
}

/// Appends an order's line; `header` is already in base64url.
fn seal_order(kek: &KwAes256, header: &str, text: &[u8], rng: &mut StdRng, line: &mut String) {
    let (mut cek, mut iv, mut wrapped) = ([0; 32], [0; 12], [0; 40]);
    rng.fill_bytes(&mut cek);
    rng.fill_bytes(&mut iv);
    let mut text = text.to_vec();
    let tag = Aes256Gcm::new(&cek.into())
        .encrypt_inout_detached(&iv.into(), header.as_bytes(), text.as_mut_slice().into())
        .expect("far shorter than 64 GiB");
    kek.wrap_key(&cek, &mut wrapped).expect("40 bytes for 32");
    line.push_str(header);
    for part in [&wrapped[..], &iv, &text, &tag] {
        line.push('.');
        URL_SAFE_NO_PAD.encode_append(part, line);
    }
}

/// Header members that are read.
#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
    enc: &'a str,
    kid: &'a str,
}

/// Returns the text of a line if it is authentic.
fn open_order(kek: &KwAes256, line: &str) -> Option<Vec<u8>> {
    let json = URL_SAFE_NO_PAD.decode_to_vec(line.split('.').next()?).ok()?;
    let header: Header<'_> = serde_json::from_slice(&json).ok()?;
    if (header.alg, header.enc, header.kid) != ("A256KW", "A256GCM", "tokyo") {
        return None;
    }
    open_content(kek, line)
}

/// Returns the text of a line whose header was read, if it is authentic.
fn open_content(kek: &KwAes256, line: &str) -> Option<Vec<u8>> {
    let mut parts = line.split('.');
    let aad = parts.next()?;
    let mut decoded = || URL_SAFE_NO_PAD.decode_to_vec(parts.next()?).ok();
    let mut cek = [0; 32];
    kek.unwrap_key(&decoded()?, &mut cek).ok()?;
    let (iv, mut text, tag) = (decoded()?, decoded()?, decoded()?);
    let nonce = <&Nonce<Aes256Gcm>>::try_from(&iv[..]).ok()?;
    let tag = <&Tag<Aes256Gcm>>::try_from(&tag[..]).ok()?;
    Aes256Gcm::new(&cek.into())
        .decrypt_inout_detached(nonce, aad.as_bytes(), text.as_mut_slice().into(), tag)
        .ok()?;
    Some(text)
}
