//! Algorithm names on the command line.

use crate::cmd::exit::usage;
use clap::builder::PossibleValuesParser;
use orderseal::ciphers::content::ContentCipher;
use orderseal::ciphers::wrap::WrapAlgorithm;
use orderseal::protocol::model::Role;
use orderseal::protocol::store::files::Loaded;
use orderseal::protocol::{Alg, Content, Enc, Error, KeyTrouble, Kind, Result, Scheme, Suite};

/// Content ciphers for `--enc`.
pub fn content_names() -> PossibleValuesParser {
    ContentCipher::ALL.map(ContentCipher::name).into()
}

/// Wrapping algorithms for `--wrap`.
pub fn wrap_names() -> PossibleValuesParser {
    WrapAlgorithm::ALL.map(WrapAlgorithm::name).into()
}

/// All algorithms that a key can be for, for `--alg`.
pub fn key_names() -> PossibleValuesParser {
    let content = ContentCipher::ALL.map(ContentCipher::name);
    let wrap = WrapAlgorithm::ALL.map(WrapAlgorithm::name);
    let others = [Enc::RsaBlocks.name(), PAD];
    content.into_iter().chain(wrap).chain(others).collect::<Vec<_>>().into()
}

/// Algorithms for keys that name none, for `--alg`: all but pads, which are recognized by theirs.
pub fn assumed_names() -> PossibleValuesParser {
    let content = ContentCipher::ALL.into_iter().filter(|cipher| !cipher.takes_pad());
    let wrap = WrapAlgorithm::ALL.map(WrapAlgorithm::name);
    let names = content.map(ContentCipher::name).chain(wrap).chain([Enc::RsaBlocks.name()]);
    names.collect::<Vec<_>>().into()
}

/// Says what the keys of plain files are for that name no algorithm.
///
/// # Errors
/// [`KeyTrouble::NoneFor`] when no key is for the algorithm then.
pub fn assume<'f>(
    alg: Option<&str>,
    files: impl IntoIterator<Item = &'f mut Loaded>,
) -> Result<()> {
    let Some(alg) = alg else { return Ok(()) };
    let mut found = false;
    let mut first = None;
    for loaded in files {
        found |= loaded.file.role == Role::Plain && loaded.file.assume_alg(alg);
        first.get_or_insert(&loaded.place);
    }
    match first {
        Some(place) if !found => Err(Error::key(place, KeyTrouble::NoneFor(alg.to_owned()))),
        _ => Ok(()),
    }
}

/// What a one-time pad may be called where a key is made.
const PAD: &str = "VERNAM";

/// The full name of an algorithm for `--alg`.
pub fn full_name(name: &str) -> &str {
    if name == PAD { ContentCipher::VernamHs256.name() } else { name }
}

/// The algorithms of a scheme, from what was asked for and the defaults.
///
/// # Errors
/// [`Error::Usage`] when they do not go with the scheme.
pub fn suite(scheme: Scheme, enc: Option<&str>, wrap: Option<&str>) -> Result<Suite> {
    let refused = |why: &str| Err(usage(format!("{why} (the scheme is {scheme})")));
    let alg = match (scheme.content, wrap) {
        (Content::Direct, Some(_)) => {
            return refused("--wrap is for hybrid schemes: a direct one wraps no key");
        }
        (Content::Direct, None) => Alg::Direct,
        (Content::Hybrid, Some(name)) => known_alg(name),
        (Content::Hybrid, None) if scheme.kind == Kind::Public => known_alg("RSA-OAEP-256"),
        (Content::Hybrid, None) => known_alg("A256KW"),
    };
    let blocks = (scheme.content, scheme.kind) == (Content::Direct, Kind::Public);
    let enc = match enc {
        Some(_) if blocks => {
            return refused("--enc is for other schemes: this one encrypts orders by RSA itself");
        }
        None if blocks => Enc::RsaBlocks,
        name => Enc::named(name.unwrap_or("A256GCM")).expect("clap knows the names"),
    };
    if enc.takes_pad() && alg != Alg::Direct {
        return refused("a one-time pad is for direct schemes: it encrypts orders itself");
    }
    match Suite::new(alg, enc).filter(|suite| suite.kind() == scheme.kind) {
        Some(suite) => Ok(suite),
        None => refused("--wrap names an algorithm of the other kind of key"),
    }
}

fn known_alg(name: &str) -> Alg {
    Alg::named(name).expect("clap knows the names")
}
