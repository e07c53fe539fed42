//! Keys as other software reads them: PKCS #8 and SubjectPublicKeyInfo, in DER or PEM, and secret keys as
//! raw bytes, in hexadecimal or in base64.

use base64_simd::STANDARD;
use pkcs8::der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use pkcs8::der::pem::{LineEnding, encode_string};
use pkcs8::der::{self, Encode};
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{PrivateKeyInfoRef, pkcs5};
use rand::Rng;
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use super::{CURVES, EC, RSA, X25519};
use crate::ciphers::ecdh::{self, Curve};
use crate::ciphers::random::KeySource;
use crate::ciphers::rsa;
use crate::protocol::jose::jwk::{JwkRef, KeyRef, PrivateHalf, PublicHalf, Refusal};
use crate::protocol::jose::password::{Password, Rounds};
use crate::protocol::model::{KeyError, KeyFault, Unfit};

/// A form of a single key other than JWK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// PKCS #8 or SubjectPublicKeyInfo in PEM (RFC 7468).
    Pem,
    /// The same in DER.
    Der,
    /// The bytes of a secret key.
    Raw,
    /// These in hexadecimal, as a line.
    Hex,
    /// These in base64, as a line.
    Base64,
}

/// A text or bytes that may be a key.
pub type Encoded = Zeroizing<Vec<u8>>;

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pem, Self::Der, Self::Raw, Self::Hex, Self::Base64];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Der => "der",
            Self::Raw => "raw",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    /// Whether it is lines of text.
    pub fn is_text(self) -> bool {
        match self {
            Self::Pem | Self::Hex | Self::Base64 => true,
            Self::Der | Self::Raw => false,
        }
    }
}

impl JwkRef<'_> {
    /// The key in another form. A private key in PEM or DER is encrypted under the password, if there is
    /// one, by PBKDF2 with SHA-256 and AES-256-CBC; its salt and IV come from `source`.
    ///
    /// # Errors
    /// [`Unfit::NotWritten`] for a key that the form is not for.
    pub fn encode(
        &self,
        encoding: Encoding,
        password: Option<&Password>,
        source: &impl KeySource,
    ) -> Result<Encoded, Refusal> {
        let unfit = || {
            let unfit = Unfit::NotWritten { key: self.material.name(), form: encoding.name() };
            Refusal::from(KeyError::from(unfit))
        };
        match (encoding, self.material) {
            (Encoding::Raw, KeyRef::Secret(key)) => Ok(Zeroizing::new(key.to_vec())),
            (Encoding::Hex, KeyRef::Secret(key)) => Ok(line(hex::encode(&**key))),
            (Encoding::Base64, KeyRef::Secret(key)) => Ok(line(STANDARD.encode_to_string(&**key))),
            (Encoding::Pem | Encoding::Der, key) => {
                let (label, der) = match key {
                    KeyRef::Public(half) => ("PUBLIC KEY", public(half).ok_or_else(unfit)?),
                    KeyRef::Private(half) => match (private(half).ok_or_else(unfit)?, password) {
                        (der, None) => ("PRIVATE KEY", der),
                        (der, Some(password)) => {
                            let der = der.and_then(|der| encrypt(&der, password, source));
                            ("ENCRYPTED PRIVATE KEY", der)
                        }
                    },
                    KeyRef::Secret(_) | KeyRef::Pad(_) => return Err(unfit()),
                };
                let in_form = der.and_then(|der| match encoding.is_text() {
                    true => Ok(text(encode_string(label, LineEnding::LF, &der)?)),
                    false => Ok(der),
                });
                in_form.map_err(|_| KeyFault::Encoding("DER").into())
            }
            (
                Encoding::Raw | Encoding::Hex | Encoding::Base64,
                KeyRef::Pad(_) | KeyRef::Public(_) | KeyRef::Private(_),
            ) => Err(unfit()),
        }
    }
}

fn text(text: String) -> Encoded {
    Zeroizing::new(text.into_bytes())
}

fn line(digits: String) -> Encoded {
    let digits = text(digits);
    // Without another buffer that would have to be wiped as well.
    let mut line = Zeroizing::new(Vec::with_capacity(digits.len() + 1));
    line.extend_from_slice(&digits);
    line.push(b'\n');
    line
}

/// A public key as SubjectPublicKeyInfo; `None` if it has no such form.
fn public(half: &PublicHalf) -> Option<der::Result<Encoded>> {
    match half {
        PublicHalf::Rsa(key) => Some(public_rsa(key)),
        PublicHalf::Curve(key) => Some(spki(algorithm(key.curve()), &point(key))),
        PublicHalf::Knapsack(_) => None,
    }
}

/// A private key as PKCS #8; `None` if it has no such form.
fn private(half: &PrivateHalf) -> Option<der::Result<Encoded>> {
    match half {
        PrivateHalf::Rsa(key) => Some(private_rsa(key)),
        PrivateHalf::Curve(key) => Some(private_curve(key)),
        PrivateHalf::Knapsack(_) => None,
    }
}

const OF_RSA: AlgorithmIdentifierRef<'_> =
    AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) };

fn public_rsa(key: &rsa::PublicKey) -> der::Result<Encoded> {
    let (modulus, exponent) = (key.modulus_be_bytes(), key.exponent_be_bytes());
    let key = pkcs1::RsaPublicKeyRef {
        modulus: UintRef::new(&modulus)?,
        public_exponent: UintRef::new(&exponent)?,
    };
    spki(OF_RSA, &key.to_der()?)
}

fn private_rsa(key: &rsa::PrivateKey) -> der::Result<Encoded> {
    let (n, e) = (key.public().modulus_be_bytes(), key.public().exponent_be_bytes());
    let (d, p, q) = (key.d(), key.p(), key.q());
    let (dp, dq, qi) = (key.dp(), key.dq(), key.qi());
    let key = pkcs1::RsaPrivateKeyRef {
        modulus: UintRef::new(&n)?,
        public_exponent: UintRef::new(&e)?,
        private_exponent: UintRef::new(&d)?,
        prime1: UintRef::new(&p)?,
        prime2: UintRef::new(&q)?,
        exponent1: UintRef::new(&dp)?,
        exponent2: UintRef::new(&dq)?,
        coefficient: UintRef::new(&qi)?,
        other_prime_infos: None,
    };
    pkcs8(OF_RSA, &Zeroizing::new(key.to_der()?))
}

fn private_curve(key: &ecdh::PrivateKey) -> der::Result<Encoded> {
    let algorithm = algorithm(key.curve());
    let secret = match key.curve() {
        Curve::X25519 => OctetStringRef::new(key.secret())?.to_der()?,
        Curve::P256 | Curve::P384 | Curve::P521 => {
            let public = point(key.public());
            // The curve is in the algorithm.
            let key = EcPrivateKey {
                private_key: key.secret(),
                parameters: None,
                public_key: Some(&public),
            };
            key.to_der()?
        }
    };
    pkcs8(algorithm, &Zeroizing::new(secret))
}

fn algorithm(curve: Curve) -> AlgorithmIdentifierRef<'static> {
    let named = CURVES.iter().find(|(_, name, _)| *name == curve.name());
    match named {
        Some((oid, ..)) => AlgorithmIdentifierRef { oid: EC, parameters: Some(oid.into()) },
        None => AlgorithmIdentifierRef { oid: X25519, parameters: None },
    }
}

/// A point, uncompressed (SEC 1 section 2.3.3), or the bytes of X25519.
fn point(key: &ecdh::PublicKey) -> Vec<u8> {
    match key.y() {
        Some(y) => [&[4], key.x(), y].concat(),
        None => key.x().to_vec(),
    }
}

fn spki(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> der::Result<Encoded> {
    let subject_public_key = BitStringRef::from_bytes(key)?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().map(Zeroizing::new)
}

fn pkcs8(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> der::Result<Encoded> {
    PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(key)?).to_der().map(Zeroizing::new)
}

/// Encrypts PKCS #8 (RFC 5958 section 3).
fn encrypt(der: &[u8], password: &Password, source: &impl KeySource) -> der::Result<Encoded> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    let mut random = source.stream(0);
    random.fill_bytes(&mut salt);
    random.fill_bytes(&mut iv);
    let rounds = Rounds::default().get();
    let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, &salt, iv);
    let sealed = scheme.and_then(|scheme| Ok((scheme.encrypt(password.bytes(), der)?, scheme)));
    let (sealed, scheme) = sealed.map_err(|_| der::ErrorKind::Failed)?;
    let encryption_algorithm = pkcs5::EncryptionScheme::from(scheme);
    let encrypted_data = OctetStringRef::new(&sealed)?;
    pkcs8::EncryptedPrivateKeyInfoRef { encryption_algorithm, encrypted_data }
        .to_der()
        .map(Zeroizing::new)
}
