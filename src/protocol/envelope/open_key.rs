//! The keys that a shop opens orders with.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use super::seal_key::unfit;
use super::{Failure, Header};
use crate::ciphers::content::ContentCipher;
use crate::ciphers::rsa::PrivateKey;
use crate::ciphers::wrap::{UnwrappingKey, WrapAlgorithm};
use crate::ciphers::{CipherError, Secret};
use crate::protocol::jwk::{Jwk, Material};
use crate::protocol::keyfile::{KeyFile, Role};
use crate::protocol::pad::Pad;
use crate::protocol::{Alg, Enc, Error, KeyTrouble, Kid, Place, Result, Scope, Suite};

/// Keys by name, each with the one pair of algorithms it is for.
///
/// A name chooses exactly one key; no key is ever tried.
#[derive(Debug, Default)]
pub struct OpeningKeys {
    keys: Vec<OpeningKey>,
    index: HashMap<Kid, usize>,
    unnamed: Option<usize>,
    lone: usize,
    allow_weak: bool,
    erased: Vec<Kid>,
}

/// A key, made ready when an order first needs it.
#[derive(Debug)]
pub(super) struct OpeningKey {
    pub(super) kid: Option<Kid>,
    pub(super) single_use: bool,
    algorithms: Algorithms,
    material: Material,
    allow_weak: bool,
    /// One for each way of using a key, as [`slot`] numbers them.
    ready: [OnceLock<std::result::Result<Ready, KeyTrouble>>; SLOTS],
}

/// Ways of using a key.
const SLOTS: usize = 4;

/// The way in which a suite uses its key.
fn slot(suite: Suite) -> usize {
    match (suite.alg(), suite.enc()) {
        (Alg::Direct, Enc::Cipher(_)) => 0,
        (Alg::Direct, Enc::RsaBlocks) => 1,
        (Alg::Wrap(algorithm), _) if algorithm.draws_iv() => 2,
        (Alg::Wrap(_), _) => 3,
    }
}

/// What a key is for.
#[derive(Debug)]
enum Algorithms {
    /// These, as the key file says.
    Fixed(Suite),
    /// Wrapping by this algorithm for any content cipher that is not weak, unless that is allowed
    /// (a lone key says no more).
    AnyContent(WrapAlgorithm),
    /// Whatever an order asks for, if it is not weak and fits the key (a foreign key may say
    /// nothing, and the user named it as the one to use).
    Unsaid,
}

/// A key that is ready for use.
#[derive(Debug)]
pub(super) enum Ready {
    Direct(Secret),
    Pad(Pad),
    Unwrap(UnwrappingKey),
    Blocks(Box<PrivateKey>),
}

impl OpeningKeys {
    /// No keys yet. A key that does not say for which content cipher it is opens orders under a
    /// weak one only if that is allowed.
    pub fn new(allow_weak: bool) -> Self {
        Self { allow_weak, ..Self::default() }
    }

    /// Adds the keys of a shop's or the service's file, or of a plain one, which the user named
    /// as the key to open with.
    ///
    /// # Errors
    /// [`KeyTrouble::Role`] for a client's file; [`KeyTrouble::Conflict`] when a name is there
    /// already with another key; [`KeyTrouble::Missing`] when the file has no key.
    pub fn add(&mut self, file: &KeyFile, place: &Place) -> Result<()> {
        file.require(&[Role::Shop, Role::Service, Role::Plain], "shop", place)?;
        for key in file.keys() {
            self.add_key(file, key, place)?;
        }
        for (name, shop) in &file.shops {
            let of_id = |id| Kid::of_id(name, id);
            self.erased.extend(shop.erased.iter().map(of_id));
            self.erased.extend(shop.erased_shop_key.then(|| Kid::of_shop(name)));
        }
        if file.keys().is_empty() && self.erased.is_empty() {
            return Err(Error::key(place, KeyTrouble::Missing("at all")));
        }
        Ok(())
    }

    fn add_key(&mut self, file: &KeyFile, key: &Jwk, place: &Place) -> Result<()> {
        let only = file.role == Role::Plain && file.keys().len() == 1;
        let shop = key.kid.as_ref().and_then(|kid| file.shops.get(&kid.shop()));
        let algorithms = match (shop, key.alg.as_deref()) {
            (Some(shop), _) => Algorithms::Fixed(shop.suite),
            (None, None) => Algorithms::Unsaid,
            (None, Some(alg)) => match (WrapAlgorithm::named(alg), file.direct_cipher(alg)) {
                (Some(algorithm), _) => Algorithms::AnyContent(algorithm),
                (None, Some(enc)) => Algorithms::Fixed(
                    Suite::new(Alg::Direct, enc).expect("direct goes with every cipher"),
                ),
                (None, None) => {
                    let unknown = format!("a key is for {alg:?}, which is unknown here");
                    return Err(Error::key(place, KeyTrouble::Unfit(unknown)));
                }
            },
        };
        let single_use = shop.is_some_and(|shop| {
            shop.scheme.scope == Scope::Transaction
                && key.kid.as_ref().and_then(Kid::id).is_some_and(|id| !shop.users.contains(&id))
        });
        let added = OpeningKey {
            kid: key.kid.clone(),
            single_use,
            algorithms,
            material: key.material.clone(),
            allow_weak: self.allow_weak,
            ready: Default::default(),
        };
        match &key.kid {
            Some(kid) => match self.index.get(kid) {
                Some(&held) if self.keys[held].material == key.material => return Ok(()),
                Some(_) => {
                    return Err(Error::key(place, KeyTrouble::Conflict(kid.to_string())));
                }
                None => {
                    self.index.insert(kid.clone(), self.keys.len());
                }
            },
            None if only && self.unnamed.is_some() => {
                return Err(Error::Usage("only one key without a name can be given".into()));
            }
            None => {}
        }
        if only {
            // Of two keys, neither is the one that a line without a name means.
            self.unnamed = (self.lone == 0).then_some(self.keys.len());
            self.lone += 1;
        }
        self.keys.push(added);
        Ok(())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether some key is an RSA pair, which makes opening slow.
    pub fn has_pairs(&self) -> bool {
        self.keys.iter().any(|key| matches!(key.material, Material::PrivateRsa(_)))
    }

    /// The name of a key, for counts and reports.
    pub fn name(&self, index: usize) -> Option<&Kid> {
        self.keys[index].kid.as_ref()
    }

    /// Whether a key may open one order only.
    pub fn is_single_use(&self, index: usize) -> bool {
        self.keys[index].single_use
    }

    /// The key that a header names.
    pub(super) fn find(&self, header: &Header) -> std::result::Result<usize, Failure> {
        let trouble = match &header.kid {
            Some(kid) => match self.index.get(kid) {
                Some(&index) => return Ok(index),
                // The one key that the user gave by name serves for orders that name another
                // only if it has no name itself.
                None => match self.unnamed.filter(|&only| self.keys[only].kid.is_none()) {
                    Some(index) => return Ok(index),
                    None if self.erased.contains(kid) => KeyTrouble::Erased(kid.clone()),
                    None => self.unknown(kid),
                },
            },
            None => match self.unnamed {
                Some(index) => return Ok(index),
                None => KeyTrouble::Unnamed,
            },
        };
        Err(Failure::Key(trouble))
    }

    fn unknown(&self, kid: &Kid) -> KeyTrouble {
        let shops: BTreeSet<_> = self.index.keys().map(Kid::shop).collect();
        let shops: Vec<String> = shops.iter().map(ToString::to_string).collect();
        let of =
            if shops.is_empty() { String::new() } else { format!(" (of {})", shops.join(", ")) };
        KeyTrouble::Unknown { kid: kid.to_string(), held: self.keys.len(), of }
    }

    /// The key of that index, ready for an order with that header.
    pub(super) fn ready(
        &self,
        index: usize,
        header: &Header,
    ) -> std::result::Result<(Suite, &Ready), Failure> {
        self.keys[index].ready(header).map_err(Failure::Key)
    }
}

impl OpeningKey {
    fn ready(&self, header: &Header) -> std::result::Result<(Suite, &Ready), KeyTrouble> {
        let suite = self.suite(header)?;
        let ready = self.ready[slot(suite)].get_or_init(|| Ready::new(&self.material, suite));
        ready.as_ref().map(|ready| (suite, ready)).map_err(Clone::clone)
    }

    /// The algorithms that the order asks for, if the key is for them.
    fn suite(&self, header: &Header) -> std::result::Result<Suite, KeyTrouble> {
        let asked = Alg::named(&header.alg)
            .zip(Enc::named(&header.enc))
            .and_then(|(alg, enc)| Suite::new(alg, enc));
        match (&self.algorithms, asked) {
            (Algorithms::Fixed(own), _)
                if (own.alg().name(), own.enc().name()) == (&header.alg, &header.enc) =>
            {
                Ok(*own)
            }
            (Algorithms::Fixed(own), _) => Err(self.other_algorithm(header, own.to_string())),
            (Algorithms::AnyContent(own), Some(asked))
                if asked.alg() == Alg::Wrap(*own)
                    && (self.allow_weak || !asked.enc().is_weak()) =>
            {
                Ok(asked)
            }
            (Algorithms::AnyContent(own), _) => {
                Err(self.other_algorithm(header, own.name().to_owned()))
            }
            (Algorithms::Unsaid, Some(asked)) if asked.weak().is_none() && self.fits(asked) => {
                Ok(asked)
            }
            (Algorithms::Unsaid, _) => {
                Err(self.other_algorithm(header, "algorithms of its type and size".to_owned()))
            }
        }
    }

    fn fits(&self, suite: Suite) -> bool {
        match &self.material {
            Material::Secret(secret) => suite.secret_len() == Some(secret.len()),
            other => suite.material() == other.family(),
        }
    }

    fn other_algorithm(&self, header: &Header, own: String) -> KeyTrouble {
        let kid = self.kid.as_ref().map_or("given by --key".to_owned(), Kid::to_string);
        let asked = format!("{} with {}", printable(&header.alg), printable(&header.enc));
        KeyTrouble::OtherAlgorithm { kid, own, asked }
    }
}

/// Text from a header, fit for a terminal.
fn printable(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_default).collect()
}

impl Ready {
    fn new(material: &Material, suite: Suite) -> std::result::Result<Self, KeyTrouble> {
        match (suite.alg(), suite.enc()) {
            (Alg::Direct, Enc::Cipher(cipher)) if cipher.takes_pad() => match material {
                Material::Pad(pad) => Ok(Self::Pad(pad.clone())),
                _ => Err(unfit(material, suite)),
            },
            (Alg::Direct, Enc::Cipher(cipher)) => {
                let key = secret(material, suite)?;
                length(cipher, key)?;
                Ok(Self::Direct(key.clone()))
            }
            (Alg::Direct, Enc::RsaBlocks) => Ok(Self::Blocks(private(material, suite)?)),
            (Alg::Wrap(algorithm), _) => {
                Ok(Self::Unwrap(unwrapping_key(material, suite, algorithm)?))
            }
        }
    }
}

/// Old data may lie under a weak key: reading asks for the length only.
fn length(cipher: ContentCipher, key: &[u8]) -> std::result::Result<(), CipherError> {
    match cipher.check_key(key) {
        Err(CipherError::WeakKey { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

fn unwrapping_key(
    material: &Material,
    suite: Suite,
    algorithm: WrapAlgorithm,
) -> std::result::Result<UnwrappingKey, KeyTrouble> {
    match algorithm {
        WrapAlgorithm::A128Kw | WrapAlgorithm::A256Kw => {
            let key = secret(material, suite)?;
            algorithm.check_key(key)?;
            Ok(UnwrappingKey::AesKw(key.clone()))
        }
        WrapAlgorithm::A128GcmKw | WrapAlgorithm::A256GcmKw => {
            let key = secret(material, suite)?;
            algorithm.check_key(key)?;
            Ok(UnwrappingKey::AesGcmKw(key.clone()))
        }
        WrapAlgorithm::RsaOaep256 => Ok(UnwrappingKey::Rsa(private(material, suite)?)),
        WrapAlgorithm::MhKnapsack => match material.private_knapsack() {
            Some(key) => Ok(UnwrappingKey::Knapsack(Box::new(key.map_err(KeyTrouble::Unfit)?))),
            None => Err(unfit(material, suite)),
        },
    }
}

fn secret(material: &Material, suite: Suite) -> std::result::Result<&Secret, KeyTrouble> {
    match material {
        Material::Secret(secret) => Ok(secret),
        _ => Err(unfit(material, suite)),
    }
}

fn private(material: &Material, suite: Suite) -> std::result::Result<Box<PrivateKey>, KeyTrouble> {
    match material.private_rsa() {
        Some(key) => Ok(Box::new(key.map_err(KeyTrouble::Unfit)?)),
        None => Err(unfit(material, suite)),
    }
}
