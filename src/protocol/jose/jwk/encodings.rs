//! Keys as other software stores them: PEM and DER (RFC 5958, 8017, 5915, 5280, 8410), and secret
//! keys as raw bytes, in hexadecimal or in base64. They are translated to a JWK, and read as one.

mod encrypted;
mod written;

use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use memchr::memmem;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::{ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode, pem};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use sec1::EcPrivateKey;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::ciphers::cpu::Backend;
use crate::ciphers::{base64url, x25519};
use crate::protocol::jose::json::SecretJson;
use crate::protocol::jose::jwk::Refusal;
use crate::protocol::jose::password::Password;
use crate::protocol::model::{KeyFault, Malformed};

pub use written::{Encoded, Encoding};

/// Lengths in bytes of secret keys that are recognized by their length.
const SECRETS: [usize; 5] = [16, 24, 32, 48, 64];

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_OAEP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.7");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");

/// The named curves of RFC 5480 section 2.1.1.1, with the names of RFC 7518 section 6.2.1.1 and the
/// length of a coordinate in bytes.
const CURVES: [(ObjectIdentifier, &str, usize); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), "P-256", 32),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "P-384", 48),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "P-521", 66),
];

type Translated = Result<SecretJson, Refusal>;

/// Reads a key of one kind in DER.
type Read<'r> = &'r dyn Fn(&[u8]) -> Translated;

/// Translates a key file that is not JSON; `None` if it has none of these encodings, or is encrypted in
/// the way of PEM. `password` is the one of an encrypted private key.
///
/// # Errors
/// [`Malformed::Key`] for a key that is damaged, or that no algorithm here uses, and
/// [`KeyError::Encrypted`](crate::protocol::model::KeyError::Encrypted).
pub fn translate(file: &[u8], password: Option<&Password>) -> Option<Translated> {
    let translated = match file.first()? {
        b'{' => return None,
        0x30 => der(file, password),
        _ => pem(file, password),
    };
    let secret = || secret(file).map(|bytes| json!({"kty": "oct", "k": b64(&bytes)})).map(done);
    translated.or_else(secret)
}

fn done(jwk: Value) -> Translated {
    Ok(SecretJson::new(jwk))
}

/// The first key among the blocks of a PEM file (RFC 7468).
fn pem(file: &[u8], password: Option<&Password>) -> Option<Translated> {
    let mut rest = file;
    loop {
        rest = &rest[memmem::find(rest, b"-----BEGIN ")?..];
        let label = &rest[11..];
        let label = str::from_utf8(&label[..memmem::find(label, b"-----")?]).ok()?;
        let read: Read<'_> = match label {
            "PRIVATE KEY" => &pkcs8,
            "ENCRYPTED PRIVATE KEY" => &|der| encrypted(der, password),
            "PUBLIC KEY" => &spki,
            "RSA PRIVATE KEY" => &rsa_private,
            "RSA PUBLIC KEY" => &rsa_public,
            "EC PRIVATE KEY" => &|der| sec1(der, None),
            _ => {
                rest = &rest[11..];
                continue;
            }
        };
        let end = format!("-----END {label}-----");
        let length = memmem::find(rest, end.as_bytes())? + end.len();
        if memmem::find(&rest[..length], b"Proc-Type: 4,ENCRYPTED").is_some() {
            return None;
        }
        return Some(match pem::decode_vec(&rest[..length]) {
            Ok((_, der)) => read(&Zeroizing::new(der)),
            Err(_) => Err(KeyFault::Encoding("PEM").into()),
        });
    }
}

/// A key in DER of any kind; `None` if it is none.
fn der(file: &[u8], password: Option<&Password>) -> Option<Translated> {
    let encrypted = |der: &[u8]| encrypted(der, password);
    let sec1 = |der: &[u8]| sec1(der, None);
    let readers: [Read<'_>; 6] = [&pkcs8, &encrypted, &spki, &rsa_private, &rsa_public, &sec1];
    readers.into_iter().map(|read| read(file)).find(|read| !is_other(read))
}

/// Whether a key has another encoding than the one that was tried.
fn is_other(read: &Translated) -> bool {
    match read {
        Err(Refusal::Malformed(Malformed::Key(fault))) => matches!(fault, KeyFault::Encoding(_)),
        Ok(_) | Err(Refusal::Malformed(_) | Refusal::Unusable(_)) => false,
    }
}

fn encrypted(der: &[u8], password: Option<&Password>) -> Translated {
    pkcs8(&encrypted::decrypt(der, password)?)
}

fn pkcs8(der: &[u8]) -> Translated {
    let key = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyFault::Encoding("PKCS #8"))?;
    let bytes = key.private_key.as_bytes();
    match key.algorithm.oid {
        RSA | RSA_OAEP => rsa_private(bytes),
        EC => sec1(bytes, Some(&key.algorithm)),
        X25519 => {
            let fault = |_| KeyFault::Encoding("X25519");
            let secret = <&OctetStringRef>::from_der(bytes).map_err(fault)?.as_bytes();
            let secret: [u8; 32] = secret.try_into().map_err(|_| KeyFault::Encoding("X25519"))?;
            let secret = Zeroizing::new(secret);
            let mut public = [x25519::PublicKey::from([0; 32])];
            let pair = [x25519::SecretKey::from(*secret)];
            x25519::public_keys(Backend::detect(), &pair, &mut public);
            done(json!({
                "kty": "OKP", "crv": "X25519", "x": b64(public[0].as_bytes()), "d": b64(&*secret),
            }))
        }
        other => Err(KeyFault::NotForEncryption(other.to_string()).into()),
    }
}

fn spki(der: &[u8]) -> Translated {
    let fault = || KeyFault::Encoding("SubjectPublicKeyInfo");
    let key = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| fault())?;
    let bytes = key.subject_public_key.as_bytes().ok_or_else(fault)?;
    match key.algorithm.oid {
        RSA | RSA_OAEP => rsa_public(bytes),
        EC => {
            let (name, size) = curve(Some(&key.algorithm), None)?;
            let (x, y) = point(bytes, size)?;
            done(json!({"kty": "EC", "crv": name, "x": x, "y": y}))
        }
        X25519 => done(json!({"kty": "OKP", "crv": "X25519", "x": b64(bytes)})),
        other => Err(KeyFault::NotForEncryption(other.to_string()).into()),
    }
}

fn rsa_private(der: &[u8]) -> Translated {
    let key = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| KeyFault::Encoding("PKCS #1"))?;
    if key.other_prime_infos.is_some() {
        return Err(KeyFault::ManyPrimes.into());
    }
    let numbers = [
        ("n", key.modulus),
        ("e", key.public_exponent),
        ("d", key.private_exponent),
        ("p", key.prime1),
        ("q", key.prime2),
        ("dp", key.exponent1),
        ("dq", key.exponent2),
        ("qi", key.coefficient),
    ];
    let mut jwk = json!({"kty": "RSA"});
    for (name, number) in numbers {
        jwk[name] = json!(b64(number.as_bytes()));
    }
    done(jwk)
}

fn rsa_public(der: &[u8]) -> Translated {
    let key = pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| KeyFault::Encoding("PKCS #1"))?;
    let (n, e) = (b64(key.modulus.as_bytes()), b64(key.public_exponent.as_bytes()));
    done(json!({"kty": "RSA", "n": n, "e": e}))
}

/// A private key of SEC 1 (RFC 5915), inside of PKCS #8 with its algorithm.
fn sec1(der: &[u8], algorithm: Option<&AlgorithmIdentifierRef<'_>>) -> Translated {
    let key = EcPrivateKey::from_der(der).map_err(|_| KeyFault::Encoding("SEC 1"))?;
    let named = key.parameters.and_then(|parameters| parameters.named_curve());
    let (name, size) = curve(algorithm, named)?;
    // The public key is optional, but OpenSSL and others write it.
    let (x, y) = point(key.public_key.ok_or(KeyFault::NoPublicKey)?, size)?;
    done(json!({"kty": "EC", "crv": name, "x": x, "y": y, "d": b64(key.private_key)}))
}

fn curve(
    algorithm: Option<&AlgorithmIdentifierRef<'_>>,
    named: Option<ObjectIdentifier>,
) -> Result<(&'static str, usize), KeyFault> {
    let outer = algorithm.and_then(|algorithm| algorithm.parameters_oid().ok());
    let oid = outer.or(named).ok_or(KeyFault::Encoding("named curve"))?;
    let curve = CURVES.iter().find(|(known, ..)| *known == oid);
    let unknown = || KeyFault::NotForEncryption(oid.to_string());
    curve.map(|(_, name, size)| (*name, *size)).ok_or_else(unknown)
}

/// The coordinates of an uncompressed point (SEC 1 section 2.3.3).
fn point(bytes: &[u8], size: usize) -> Result<(String, String), KeyFault> {
    match bytes {
        [4, coordinates @ ..] if coordinates.len() == 2 * size => {
            let (x, y) = coordinates.split_at(size);
            Ok((b64(x), b64(y)))
        }
        _ => Err(KeyFault::Compressed),
    }
}

/// A secret key: hexadecimal digits, with colons or not; base64 of any kind; or
/// raw bytes that are not all text. White space around it and a line feed after raw bytes do not belong
/// to it.
fn secret(file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    written(file, &SECRETS).or_else(|| raw(file, &SECRETS).filter(|raw| !raw.iter().all(is_text)))
}

/// Bytes of one of these lengths in hexadecimal, with colons or not, or in base64 of any kind, with white
/// space around them.
pub fn written(file: &[u8], lengths: &[usize]) -> Option<Zeroizing<Vec<u8>>> {
    let text = file.trim_ascii();
    let digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|&byte| byte != b':').collect());
    let fits = |bytes: &Vec<u8>| lengths.contains(&bytes.len());
    let base64 = [URL_SAFE_NO_PAD, URL_SAFE, STANDARD_NO_PAD, STANDARD];
    hex::decode(&*digits)
        .ok()
        .filter(fits)
        .or_else(|| base64.iter().find_map(|kind| kind.decode_to_vec(text).ok().filter(fits)))
        .map(Zeroizing::new)
}

/// Raw bytes of one of these lengths, with a line feed after them or not.
pub fn raw(file: &[u8], lengths: &[usize]) -> Option<Zeroizing<Vec<u8>>> {
    let line = file.strip_suffix(b"\n").unwrap_or(file);
    let line = [line, line.strip_suffix(b"\r").unwrap_or(line)];
    let mut forms = [file].into_iter().chain(line);
    let fits = forms.find(|bytes| lengths.contains(&bytes.len()))?;
    Some(Zeroizing::new(fits.to_vec()))
}

fn b64(bytes: &[u8]) -> String {
    base64url::encode_to_string(bytes)
}
