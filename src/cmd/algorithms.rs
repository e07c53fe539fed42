//! Algorithm names on the command line.

use orderseal::ciphers::content::ContentCipher;
use orderseal::protocol::model::{Pbes2, WrapAlgorithm};
use orderseal::protocol::store::files::Loaded;
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::{Alg, Content, Enc, Error, KeyError, Kind, Result, Scheme, Suite};

use super::values::{OneOf, Spelling, one_of};
use crate::cmd::hints::usage;

/// Algorithm names as used by `bench`, where they differ from those of JOSE by more than case.
pub const SPELLINGS: &[Spelling] = &[
    ("aes-256-gcm", "A256GCM"),
    ("aes-192-gcm", "A192GCM"),
    ("aes-128-gcm", "A128GCM"),
    ("aes-256-cbc-hs512", "A256CBC-HS512"),
    ("aes-192-cbc-hs384", "A192CBC-HS384"),
    ("aes-128-cbc-hs256", "A128CBC-HS256"),
    ("toy-des", "TOYDES-ECB-HS256"),
    ("des", "DES-CBC-HS256"),
    ("des-ede3", "DES-EDE3-CBC-HS256"),
    ("feal8", "FEAL8-CBC-HS256"),
    ("grain128", "GRAIN128AEADV2"),
    ("vernam", "VERNAM-HS256"),
    ("aes-256-kw", "A256KW"),
    ("aes-192-kw", "A192KW"),
    ("aes-128-kw", "A128KW"),
    ("ecdh-es-a256kw", "ECDH-ES+A256KW"),
    ("ecdh-es-a192kw", "ECDH-ES+A192KW"),
    ("ecdh-es-a128kw", "ECDH-ES+A128KW"),
    ("aes-256-gcmkw", "A256GCMKW"),
    ("aes-192-gcmkw", "A192GCMKW"),
    ("aes-128-gcmkw", "A128GCMKW"),
    ("aes-128-cbc-hs256kw", "A128CBC-HS256KW"),
    ("knapsack", "MH-KNAPSACK"),
];

/// An algorithm to seal with.
#[derive(Debug, Clone, Copy)]
pub enum SealingAlg {
    /// For a key that names none.
    Key(&'static str),
    /// For a password.
    Password(Pbes2),
}

/// Content ciphers for `--enc`.
pub fn content_names() -> OneOf<Enc> {
    one_of(ContentCipher::ALL.map(|cipher| (cipher.name(), Enc::Cipher(cipher)))).spelled(SPELLINGS)
}

/// Key management algorithms for `--wrap`.
pub fn wrap_names() -> OneOf<Alg> {
    let algorithms = WrapAlgorithm::ALL.map(Alg::Wrap).into_iter().chain([Alg::Agree]);
    one_of(algorithms.map(|it| (it.name(), it))).spelled(SPELLINGS)
}

/// All algorithms that a key can have, for `--alg`.
pub fn key_names() -> OneOf<&'static str> {
    one_of(names(ContentCipher::ALL).map(|name| (name, name))).spelled(SPELLINGS)
}

/// Name of the algorithm of keys that sign (RFC 8037).
pub const SIGNING: &str = "EdDSA";

/// Algorithms of keys that `keygen` makes, for `--alg`.
pub fn made_names() -> OneOf<&'static str> {
    let names = names(ContentCipher::ALL).chain([SIGNING]);
    one_of(names.map(|name| (name, name))).spelled(SPELLINGS)
}

/// Algorithms to assume for keys that name none, for `--alg`: all but pads, which are recognized by
/// their own members.
pub fn assumed_names() -> OneOf<&'static str> {
    one_of(assumed().map(|name| (name, name))).spelled(SPELLINGS)
}

/// Algorithms to seal with, for `--alg`: those to assume for keys, and those that take a password.
pub fn sealing_names() -> OneOf<SealingAlg> {
    let keys = assumed().map(|name| (name, SealingAlg::Key(name)));
    let passwords = Pbes2::ALL.map(|it| (it.name(), SealingAlg::Password(it)));
    one_of(keys.chain(passwords)).spelled(SPELLINGS)
}

fn assumed() -> impl Iterator<Item = &'static str> {
    names(ContentCipher::ALL.into_iter().filter(|cipher| !cipher.takes_pad()))
}

fn names(content: impl IntoIterator<Item = ContentCipher>) -> impl Iterator<Item = &'static str> {
    let content = content.into_iter().map(ContentCipher::name);
    let wrap = WrapAlgorithm::ALL.map(WrapAlgorithm::name);
    content.chain(wrap).chain([Alg::Agree.name(), Enc::RsaBlocks.name()])
}

/// Sets the algorithm of keys in plain files that name none.
///
/// # Errors
/// [`KeyError::NoneFor`] if no key fits the algorithm.
pub fn assume<'f>(
    alg: Option<&str>,
    files: impl IntoIterator<Item = &'f mut Loaded>,
) -> Result<()> {
    let Some(alg) = alg else { return Ok(()) };
    let mut found = false;
    let mut first = None;
    for loaded in files {
        found |= match &mut loaded.file {
            KeyFile::Plain(file) => file.assume_alg(alg),
            KeyFile::Keyring(_) | KeyFile::Shop(_) | KeyFile::Client(_) => false,
        };
        first.get_or_insert(&loaded.place);
    }
    match first {
        Some(place) if !found => Err(Error::key(place, KeyError::NoneFor(alg.to_owned()))),
        _ => Ok(()),
    }
}

/// Returns the algorithms of a scheme: those requested, or the defaults.
///
/// # Errors
/// A usage error if they do not fit the scheme.
pub fn suite(scheme: Scheme, enc: Option<Enc>, wrap: Option<Alg>) -> Result<Suite> {
    let refused = |why: &str| Err(usage(format!("{why} (the scheme is {scheme})")));
    let default = Suite::default_for(scheme);
    let alg = match (scheme.content, wrap) {
        (Content::Direct, Some(Alg::Agree)) => Alg::Agree,
        (Content::Direct, Some(Alg::Direct | Alg::Wrap(_))) => {
            return refused("--wrap is for hybrid schemes: a direct one wraps no key");
        }
        (_, Some(Alg::Password(_))) => {
            return refused("PBES2 takes a password, and schemes have keys");
        }
        (Content::Hybrid, Some(Alg::Agree)) => {
            return refused("ECDH-ES wraps no key and is for direct schemes");
        }
        (Content::Hybrid, Some(alg @ (Alg::Direct | Alg::Wrap(_)))) => alg,
        (Content::Direct | Content::Hybrid, None) => default.alg(),
    };
    let default_enc = match alg {
        Alg::Agree => Enc::Cipher(ContentCipher::A256Gcm),
        Alg::Direct | Alg::Password(_) | Alg::Wrap(_) => default.enc(),
    };
    let enc = match enc {
        Some(_) if default_enc == Enc::RsaBlocks => {
            return refused("--enc is for other schemes: this one encrypts orders by RSA itself");
        }
        enc => enc.unwrap_or(default_enc),
    };
    if enc.takes_pad() && alg != Alg::Direct {
        return refused("a one-time pad is for direct schemes: it encrypts orders itself");
    }
    match Suite::new(alg, enc).filter(|suite| suite.kind() == scheme.kind) {
        Some(suite) => Ok(suite),
        None if alg == Alg::Agree && scheme.kind == Kind::Public => {
            refused("ECDH-ES agrees on keys of standard ciphers only")
        }
        None => refused("--wrap names an algorithm of the other kind of key"),
    }
}

#[cfg(test)]
mod tests {
    use orderseal::bench::rows::GROUPS;

    use super::*;

    #[test]
    fn names_are_understood_in_any_case_and_as_bench_spells_them() {
        for name in [
            "A256GCM",
            "a256gcm",
            "VERNAM",
            "Grain128AeadV2",
            "rsa-oaep-256",
            "mh-knapsack",
            "ecdh-es",
        ] {
            assert!(key_names().find(name).is_some(), "{name}");
        }
        assert!(assumed_names().find("vernam").is_none());
        let rows = GROUPS.iter().flat_map(|(_, lists)| lists.iter().flat_map(|list| list()));
        for row in rows.filter(|row| row.operation == "seal" || row.operation == "wrap") {
            // The names of RSA rows also contain the size of the key, and begin with the curve for others.
            let cipher = ["x25519-", "p-256-"].iter().find_map(|on| row.cipher.strip_prefix(on));
            let cipher = cipher.unwrap_or(&row.cipher);
            let found = match row.operation {
                "seal" => content_names().find(cipher).is_some(),
                _ => cipher.starts_with("rsa-") || wrap_names().find(cipher).is_some(),
            };
            assert!(found, "{}", row.id());
        }
        for cipher in ["toy-des", "des", "des-ede3", "feal8", "vernam"] {
            assert!(content_names().find(cipher).is_some(), "{cipher}");
        }
    }
}
