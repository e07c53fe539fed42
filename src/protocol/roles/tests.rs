//! Opening whole batches, and attacks that a failed unwrapping might allow.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use sha2::Sha256;

use crate::ciphers::aes::kw;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::ecdh::Curve;
use crate::ciphers::random::{KeySource, Origin, SeededSource};
use crate::ciphers::{Secret, Wiped, base64url};
use crate::protocol::jose::jwe::{Carries, Failure, KeyNumber, Opener, Sealer, SealingKeys, Shape};
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, Jwk, Usage};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{KeyError, Kid, Place, Suite};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::service::{Sizes, make_material};
use crate::protocol::roles::shop::{self, Options, Refused, Uses};
use crate::protocol::store::keyfile::{JwkSet, LoneKey, PlainFile};
use crate::protocol::store::{BlockKeys, OpeningFile, OpeningKeys};

fn place() -> Place {
    Place::file("keys")
}

fn jwk(kid: Option<&str>, alg: Option<&str>, material: DecryptingKey) -> Jwk {
    let kid = kid.map(|kid| Kid::new(kid).unwrap());
    let alg = alg.map(|alg| alg.to_owned().into());
    Jwk { kid, alg, usage: Usage::Unsaid, origin: Origin::System, material: material.into() }
}

fn secret(len: usize, fill: u8) -> DecryptingKey {
    DecryptingKey::Secret(Secret::from(vec![fill; len]))
}

fn opening_keys(keys: &[Jwk]) -> OpeningKeys {
    let mut opening = OpeningKeys::new(false);
    for key in keys {
        let file = PlainFile::Lone(LoneKey::new(key.clone()));
        opening.add(OpeningFile::Plain(Arc::new(file)), &place()).unwrap();
    }
    opening
}

fn suite(alg: &str, enc: &str) -> Suite {
    Suite::from_header(alg, enc).unwrap()
}

/// Seals an order and returns the line without its line feed.
fn seal(key: &Jwk, suite: Suite, layers: u8, order: &[u8], stream: u64) -> Vec<u8> {
    let key = key.encrypting_half();
    let keys = SealingKeys::one(&key, suite, Carries::Order).unwrap();
    let sealer = Sealer { layers, ..Sealer::default() };
    let (mut line, mut rng) = (Vec::new(), SeededSource::new(7).stream(stream));
    sealer.seal(&[order], &keys, 0, &mut rng, &mut line).unwrap();
    line.pop();
    line
}

/// Builds a line from its header as JSON and the raw bytes of the other segments.
fn line(header: &str, parts: [&[u8]; 4]) -> Vec<u8> {
    let mut line = base64url::encode_to_string(header.as_bytes());
    for part in parts {
        line.push('.');
        line.push_str(&base64url::encode_to_string(part));
    }
    line.into_bytes()
}

type Outcome = Result<Vec<u8>, (&'static str, String)>;

fn outcome(result: Result<&[u8], Failure>) -> Outcome {
    result.map(<[u8]>::to_vec).map_err(|failure| {
        let kind = failure.kind();
        (kind, failure.at(place()).to_string())
    })
}

fn open_alone(keys: &OpeningKeys, line: &[u8]) -> Outcome {
    let mut rng = SeededSource::new(2).stream(0);
    let opened =
        crate::protocol::store::open_alone(line, Carries::Order, Shape::Line, keys, &mut rng);
    outcome(opened.as_ref().map(|(_, text)| &text[..]).map_err(Clone::clone))
}

/// The outcome of each line of a batch.
fn open_batch(keys: &OpeningKeys, lines: &[&[u8]], threads: usize) -> Vec<Outcome> {
    let mut input = lines.join(&b'\n');
    input.push(b'\n');
    let workers = Workers::new(Some(threads)).unwrap();
    let (mut opened, mut failed) = (Vec::new(), Vec::new());
    shop::open(
        &workers,
        Part::memory(&place().file, input),
        keys,
        Options { uses: Uses::Any, skip_failed: true, each: None },
        |text, _| {
            opened.extend_from_slice(text);
            Ok(())
        },
        |skipped| {
            let Refused::Line(failure) = skipped.refused else { panic!("{skipped:?}") };
            failed.push((skipped.place.line.unwrap(), outcome(Err(failure))));
            Ok(())
        },
    )
    .unwrap();
    let mut opened = opened.split_inclusive(|&byte| byte == b'\n');
    let mut failed = failed.into_iter().peekable();
    (1..=lines.len() as u64)
        .map(|number| match failed.next_if(|(line, _)| *line == number) {
            Some((_, failure)) => failure,
            None => {
                let order = opened.next().expect("an order for each line that did not fail");
                Ok(order[..order.len() - 1].to_vec())
            }
        })
        .collect()
}

/// Lines of every kind under keys with and without `alg`, and altered copies of them.
fn lines_of_all_kinds(keys: &[Jwk], rng: &mut StdRng) -> Vec<Vec<u8>> {
    let suites = [
        ("dir", "A256GCM"),
        ("dir", "A128GCM"),
        ("dir", "A128CBC-HS256"),
        ("dir", "A192GCM"),
        ("dir", "A192CBC-HS384"),
        ("dir", "A256CBC-HS512"),
        ("A256KW", "A256GCM"),
        ("A256KW", "A128CBC-HS256"),
        ("A256KW", "A256CBC-HS512"),
        ("A128KW", "A128GCM"),
        ("A192KW", "A256GCM"),
        ("A256GCMKW", "A256GCM"),
        ("A192GCMKW", "A192GCM"),
        ("A128GCMKW", "A256GCM"),
        ("A128CBC-HS256KW", "A256GCM"),
        ("DES-EDE3-CBC-HS256KW", "DES-EDE3-CBC-HS256"),
        ("DES-CBC-HS256KW", "A256GCM"),
        ("TOYDES-ECB-HS256KW", "TOYDES-ECB-HS256"),
        ("GRAIN128AEADV2KW", "GRAIN128AEADV2"),
        ("RSA-OAEP", "A256GCM"),
        ("RSA-OAEP-256", "A256GCM"),
        ("RSA-OAEP-384", "A256GCM"),
        ("RSA-OAEP-512", "A256CBC-HS512"),
        ("ECDH-ES", "A128CBC-HS256"),
        ("ECDH-ES", "A256GCM"),
        ("ECDH-ES+A128KW", "A256GCM"),
        ("ECDH-ES+A192KW", "A256GCM"),
        ("ECDH-ES+A256KW", "A256GCM"),
    ];
    let mut lines = Vec::new();
    for (alg, enc) in suites {
        for key in keys {
            let suite = suite(alg, enc);
            if SealingKeys::one(&key.encrypting_half(), suite, Carries::Order).is_err() {
                continue;
            }
            for layers in [1, 1, 2, 3] {
                if layers > 1 && !suite.takes_chain() {
                    continue;
                }
                let mut order = vec![b'x'; rng.random_range(0..120)];
                rng.fill_bytes(&mut order);
                order.retain(|&byte| byte != b'\n');
                let sealed = seal(key, suite, layers, &order, rng.random());
                let mut altered = sealed.clone();
                let at = rng.random_range(0..altered.len());
                altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
                lines.extend([sealed, altered]);
            }
        }
    }
    for header in [
        r#"{"alg":"dir","enc":"A256GCM","kid":"nobody"}"#,
        r#"{"alg":"RSA1_5","enc":"A256GCM","kid":"a"}"#,
        r#"{"alg":"dir","enc":"DES-CBC-HS256","kid":"a"}"#,
        r#"{"alg":"A256KW","enc":"A512GCM","kid":"a"}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
    ] {
        lines.push(line(header, [b"", &[1; 12], b"text", &[2; 16]]));
    }
    lines.extend([b"an order".to_vec(), b"a.b.c.d.e".to_vec()]);
    lines
}

fn batch_gives_what_its_lines_give_alone(keys: &[Jwk], repeat: usize, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let opening = opening_keys(keys);
    let kinds = lines_of_all_kinds(keys, &mut rng);
    let alone: Vec<Outcome> = kinds.iter().map(|line| open_alone(&opening, line)).collect();
    assert!(alone.iter().filter(|it| it.is_ok()).count() > kinds.len() / 6);
    let mut order: Vec<usize> = (0..repeat * kinds.len()).map(|i| i % kinds.len()).collect();
    for threads in [1, 2, 8] {
        order.shuffle(&mut rng);
        let batch: Vec<&[u8]> = order.iter().map(|&kind| &kinds[kind][..]).collect();
        let together = open_batch(&opening, &batch, threads);
        for ((number, &kind), found) in (1..).zip(&order).zip(&together) {
            assert_eq!(found, &alone[kind], "line {number} of {threads} threads");
        }
    }
}

#[test]
fn a_batch_gives_what_its_lines_give_alone() {
    let keys = [
        jwk(Some("a"), None, secret(32, 1)),
        jwk(Some("b"), None, secret(16, 2)),
        jwk(Some("c"), Some("A256KW"), secret(32, 3)),
        jwk(Some("d"), Some("A256GCM"), secret(32, 4)),
        jwk(Some("e"), Some("A128CBC-HS256"), secret(32, 5)),
        jwk(Some("f"), Some("A128GCMKW"), secret(16, 6)),
        jwk(Some("g"), None, secret(24, 7)),
        jwk(Some("h"), None, secret(48, 8)),
        jwk(Some("i"), None, secret(64, 9)),
        jwk(Some("j"), Some("A128CBC-HS256KW"), secret(32, 10)),
        jwk(Some("k"), Some("DES-CBC-HS256KW"), secret(24, 11)),
        jwk(Some("l"), Some("GRAIN128AEADV2KW"), secret(16, 12)),
    ];
    // Some 200 lines, repeated so often that groups of 256 and blocks of 256 KiB begin anywhere.
    for seed in 0..3 {
        batch_gives_what_its_lines_give_alone(&keys, 30, seed);
    }
}

#[test]
fn a_batch_with_rsa_gives_what_its_lines_give_alone() {
    let mut rng = SeededSource::new(11).stream(0);
    let sizes = Sizes { rsa_bits: 2048, ..Sizes::default() };
    let mut pair = || make_material(suite("RSA-OAEP-256", "A256GCM"), sizes, &mut rng).unwrap();
    let keys = [
        jwk(Some("p"), None, pair()),
        jwk(Some("q"), Some("RSA-OAEP-256"), pair()),
        jwk(Some("a"), None, secret(32, 1)),
    ];
    batch_gives_what_its_lines_give_alone(&keys, 6, 3);
}

#[test]
fn a_batch_with_curves_gives_what_its_lines_give_alone() {
    let mut rng = SeededSource::new(12).stream(0);
    let mut pair = |curve| {
        let sizes = Sizes { curve, ..Sizes::default() };
        make_material(suite("ECDH-ES", "A256GCM"), sizes, &mut rng).unwrap()
    };
    let keys = [
        jwk(Some("x"), None, pair(Curve::X25519)),
        jwk(Some("y"), Some("ECDH-ES+A256KW"), pair(Curve::X25519)),
        jwk(Some("p"), None, pair(Curve::P256)),
        jwk(Some("q"), Some("ECDH-ES"), pair(Curve::P521)),
        jwk(Some("a"), None, secret(32, 1)),
    ];
    batch_gives_what_its_lines_give_alone(&keys, 4, 4);
}

#[test]
fn a_key_without_alg_serves_standard_algorithms_alone() {
    let key = jwk(Some("a"), None, secret(32, 1));
    let keys = opening_keys(std::slice::from_ref(&key));
    for (alg, enc) in [
        ("dir", "A256GCM"),
        ("dir", "A128CBC-HS256"),
        ("A256KW", "A128GCM"),
        ("A256GCMKW", "A256GCM"),
    ] {
        let sealed = seal(&key, suite(alg, enc), 1, b"order", 0);
        assert_eq!(open_alone(&keys, &sealed), Ok(b"order".to_vec()), "{alg} {enc}");
    }
    let longer = jwk(Some("b"), None, secret(40, 1));
    let keys = opening_keys(&[longer, jwk(Some("c"), None, secret(24, 1))]);
    for (kid, alg, enc) in [
        ("b", "dir", "DES-EDE3-CBC-HS256"),
        ("c", "dir", "DES-CBC-HS256"),
        ("b", "A256KW", "DES-CBC-HS256"),
        ("b", "A256KW", "A256GCM"),
    ] {
        let header = format!(r#"{{"alg":"{alg}","enc":"{enc}","kid":"{kid}"}}"#);
        let sealed = line(&header, [b"", &[1; 8], b"text", &[2; 16]]);
        let (kind, message) = open_alone(&keys, &sealed).unwrap_err();
        assert_eq!(kind, "key", "{message}");
        assert!(message.contains("standard algorithms"), "{message}");
    }
}

#[test]
fn use_and_key_ops_limit_what_a_key_opens() {
    let read = |ops: &str| {
        let text = format!(
            r#"{{"kty":"oct","kid":"a","k":"{}","key_ops":[{ops}]}}"#,
            base64url::encode_to_string(&[1; 32])
        );
        Jwk::from_json(&serde_json::from_str(&text).unwrap()).unwrap()
    };
    let plain = jwk(Some("a"), None, secret(32, 1));
    let lines = [("dir", "A256GCM"), ("A256KW", "A256GCM"), ("A256GCMKW", "A256GCM")]
        .map(|(alg, enc)| seal(&plain, suite(alg, enc), 1, b"order", 0));
    for (ops, expected) in [
        (r#""decrypt""#, [true, true, true]),
        (r#""unwrapKey""#, [false, true, true]),
        (r#""decrypt","unwrapKey""#, [true, true, true]),
        (r#""encrypt","wrapKey""#, [false, false, false]),
    ] {
        let keys = opening_keys(&[read(ops)]);
        let opens = lines.each_ref().map(|line| match open_alone(&keys, line) {
            Ok(_) => true,
            Err((kind, message)) => {
                assert!(kind == "key" && message.contains("(key_ops)"), "{message}");
                false
            }
        });
        assert_eq!(opens, expected, "{ops}");
    }
    let error = read(r#""decrypt""#)
        .view()
        .check_usage(suite("dir", "A256GCM"), crate::protocol::model::Task::Seal);
    assert!(matches!(error, Err(KeyError::OtherUse { .. })));
}

/// Links that an attacker can forge by guessing that a failed unwrapping leaves zeros.
#[test]
fn a_failed_unwrapping_leaves_no_key_that_could_be_known() {
    let keys = opening_keys(&[jwk(Some("a"), Some("A256KW"), secret(32, 1))]);
    let cek = jwk(None, Some("A256GCM"), secret(32, 9));
    let cek_bytes = cek.material.as_key().secret().unwrap();
    let forge = |header: &str, encrypted_key: &[u8], key: &[u8]| {
        let aad = base64url::encode_to_string(header.as_bytes());
        let (mut text, iv) = (b"forged".to_vec(), [3; 12]);
        let mut record = [crate::ciphers::content::Record {
            iv: &iv,
            aad: aad.as_bytes(),
            len: text.len(),
            text: &mut text,
            tag: [0; crate::ciphers::content::MAX_TAG],
            authentic: false,
        }];
        let keys = crate::ciphers::content::Keys::One(key);
        ContentCipher::A256Gcm.seal(crate::ciphers::cpu::Backend::detect(), keys, &mut record);
        let tag = record[0].tag;
        let tag = &tag[..ContentCipher::A256Gcm.tag_len()];
        line(header, [encrypted_key, &iv, &text, tag])
    };
    let link = base64url::encode_to_string(&kw::wrap_one((&[0; 32]).into(), cek_bytes));
    let chained = format!(
        r#"{{"alg":"A256KW","enc":"A256GCM","kid":"a","chain":["{link}"],"crit":["chain"]}}"#
    );
    let plain = r#"{"alg":"A256KW","enc":"A256GCM","kid":"a"}"#;
    for forged in [forge(&chained, &[5; 40], cek_bytes), forge(plain, &[5; 40], &[0; 32])] {
        assert_eq!(open_alone(&keys, &forged).unwrap_err().0, "authentication");
    }
    // The same line opens under a known key, so it is refused above because of the key.
    let zero = opening_keys(&[jwk(Some("a"), Some("A256KW"), secret(32, 0))]);
    let good = forge(&chained, &kw::wrap_one((&[0; 32]).into(), &[0; 32]), cek_bytes);
    assert_eq!(open_alone(&zero, &good), Ok(b"forged".to_vec()));
}

fn pad() -> Jwk {
    let pad = Pad::new(0, Secret::from(vec![0x11; 16 + 100])).unwrap();
    jwk(Some("a"), Some("VERNAM-HS256"), DecryptingKey::Pad(pad))
}

/// The tag of an -HS256 form (RFC 7518 section 5.2.2.1).
fn tag(mac_key: &[u8; 16], aad: &str, iv: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(mac_key).unwrap();
    mac.update(aad.as_bytes());
    mac.update(iv);
    mac.update(ciphertext);
    mac.update(&(8 * aad.len() as u64).to_be_bytes());
    mac.finalize().into_bytes()[..16].to_vec()
}

#[test]
fn a_piece_that_is_not_in_the_pad_leaves_no_key_that_could_be_known() {
    let keys = opening_keys(&[pad()]);
    let header = r#"{"alg":"dir","enc":"VERNAM-HS256","kid":"a"}"#;
    let aad = base64url::encode_to_string(header.as_bytes());
    for offset in [96_u64, 100, u64::MAX] {
        let iv = offset.to_be_bytes();
        for mac_key in [[0; 16], [0x11; 16]] {
            let text = b"forged";
            let forged = line(header, [b"", &iv, text, &tag(&mac_key, &aad, &iv, text)]);
            assert_eq!(open_alone(&keys, &forged).unwrap_err().0, "authentication", "{offset}");
        }
    }
    let iv = 0_u64.to_be_bytes();
    let text = b"forged".map(|byte| byte ^ 0x11);
    let good = line(header, [b"", &iv, &text, &tag(&[0x11; 16], &aad, &iv, &text)]);
    assert_eq!(open_alone(&keys, &good), Ok(b"forged".to_vec()));
}

#[test]
fn a_chain_beside_a_pad_is_malformed() {
    let keys = opening_keys(&[pad()]);
    let link = base64url::encode_to_string(&[0; 40]);
    let header = format!(
        r#"{{"alg":"dir","enc":"VERNAM-HS256","kid":"a","chain":["{link}"],"crit":["chain"]}}"#
    );
    let sealed = line(&header, [b"", &[0; 8], b"text", &[0; 16]]);
    let (kind, message) = open_alone(&keys, &sealed).unwrap_err();
    assert_eq!((kind, message.as_str()), ("malformed", "keys: a chain of keys beside a pad"));
}

#[test]
fn a_key_that_stands_twice_has_one_number() {
    let key = |kid: &str| jwk(Some(kid), Some("A256KW"), secret(32, 1));
    let mut set = JwkSet::default();
    set.keys.push(key("a"));
    set.keys.push(key("b"));
    let mut keys = OpeningKeys::new(false);
    let set = OpeningFile::Plain(Arc::new(PlainFile::Set(set)));
    keys.add(set.clone(), &place()).unwrap();
    keys.add(set, &place()).unwrap();
    let lines =
        ["a", "b", "a", "b"].map(|kid| seal(&key(kid), suite("A256KW", "A256GCM"), 1, b"order", 0));
    let lines = lines.each_ref().map(Vec::as_slice);
    let mut rng = SeededSource::new(1).stream(0);
    let keys = BlockKeys::new(&keys, &lines);
    let block = Opener::new(&keys, Carries::Order).open(&lines, Wiped::default(), &mut rng);
    let numbers: Vec<KeyNumber> =
        block.lines.into_iter().map(|line| line.unwrap().unwrap().key).collect();
    assert_eq!(numbers, [0, 1, 0, 1].map(KeyNumber::Listed));
}
