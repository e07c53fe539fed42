//! Names of shops, ids and keys, validated when they are read so that later uses are safe.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::sync::{Arc, LazyLock};

use crate::ciphers::random::perhaps_random;

/// Name of a shop, a user or a transaction: `[A-Za-z0-9_][A-Za-z0-9._-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

impl Name {
    /// Creates a name; `None` if the text does not have the form.
    pub fn new(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// The name of a transaction: a number as 16 hexadecimal digits.
    pub fn of_transaction(number: u64) -> Self {
        Self(format!("{number:016x}").into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Name {
    type Err = NotName;

    fn from_str(text: &str) -> Result<Self, NotName> {
        Self::new(text).ok_or(NotName::Name)
    }
}

/// Name of a shop with the generation of its keys: `tokyo` for the first, `tokyo@2` for the second.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShopName(Box<str>);

impl ShopName {
    /// Creates a name; `None` if the text does not have the form.
    pub fn new(text: &str) -> Option<Self> {
        is_shop_name(text).then(|| Self(text.into()))
    }

    /// The first generation of a shop's keys.
    pub fn first(shop: &Name) -> Self {
        Self(shop.0.clone())
    }

    /// The next generation of the same shop's keys; `None` after the last possible one.
    pub fn next(&self) -> Option<Self> {
        let next = self.generation().checked_add(1)?;
        Some(Self(format!("{}@{next}", split_generation(&self.0).0).into()))
    }

    /// The shop.
    pub fn name(&self) -> Name {
        Name(split_generation(&self.0).0.into())
    }

    /// Whether this is a generation of the keys of a shop.
    pub fn is_of(&self, shop: &Name) -> bool {
        split_generation(&self.0).0 == shop.as_str()
    }

    /// The number of the generation; the first is 1.
    pub fn generation(&self) -> u32 {
        let (_, number) = split_generation(&self.0);
        number.map_or(1, |number| number.parse().expect("a number up to 2^32"))
    }

    /// Shop and generation as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShopName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ShopName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ShopName {
    type Err = NotName;

    fn from_str(text: &str) -> Result<Self, NotName> {
        Self::new(text).ok_or(NotName::Shop)
    }
}

/// A text that has not the form of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotName {
    /// It does not name a shop, a user or a transaction.
    #[error("expected 1 to 64 of A-Z a-z 0-9 . _ - not starting with a dot or dash")]
    Name,
    /// It does not name a shop, or a generation of its keys.
    #[error(
        "expected 1 to 64 of A-Z a-z 0-9 . _ - not starting with a dot or dash, and perhaps @ with the number of a generation from 2 on"
    )]
    Shop,
    /// It is too long for the name of a key.
    #[error("expected at most {MAX_KID} bytes")]
    Kid,
}

/// Maximum length of a key's name in bytes.
pub const MAX_KID: usize = 1024;

/// Name of a key. Names made here are `SHOP`, or `SHOP/ID` for one transaction or user, where `SHOP` is a
/// [`ShopName`]; those of other software are any text of at most [`MAX_KID`] bytes, which is only compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid(Arc<str>);

impl Kid {
    /// Creates a key name; `None` if it is longer than [`MAX_KID`] bytes.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() <= MAX_KID).then(|| Self(text.into()))
    }

    /// Whether the name is one made here.
    pub fn is_ours(&self) -> bool {
        Self::has_form(&self.0)
    }

    /// Whether a text has the form of the names made here: a [`ShopName`], and perhaps a [`Name`].
    pub fn has_form(text: &str) -> bool {
        let (shop, id) = parts(text);
        is_shop_name(shop) && id.is_none_or(is_name)
    }

    /// Name of a shop's key.
    pub fn of_shop(shop: &ShopName) -> Self {
        Self(shop.as_str().into())
    }

    /// Name of the key of a transaction or user at a shop.
    pub fn of_id(shop: &ShopName, id: &Name) -> Self {
        Self([shop.as_str(), "/", id.as_str()].concat().into())
    }

    /// The whole name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Splits a name made here into the shop's part and the transaction's or user's part. Parts of
    /// other names are no [`Name`]s.
    pub fn parts(&self) -> (&str, Option<&str>) {
        parts(&self.0)
    }

    /// The shop's part of a name made here.
    pub fn shop(&self) -> Option<ShopName> {
        self.is_ours().then(|| ShopName(self.parts().0.into()))
    }

    /// The transaction's or user's part of a name made here.
    pub fn id(&self) -> Option<Name> {
        self.parts().1.filter(|_| self.is_ours()).map(|id| Name(id.into()))
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Kid {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Kid {
    type Err = NotName;

    fn from_str(text: &str) -> Result<Self, NotName> {
        Self::new(text).ok_or(NotName::Kid)
    }
}

fn parts(kid: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'/', kid.as_bytes()) {
        Some(slash) => (&kid[..slash], Some(&kid[slash + 1..])),
        None => (kid, None),
    }
}

/// The name of a shop, and the number of the generation that is not the first.
fn split_generation(shop: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'@', shop.as_bytes()) {
        Some(at) => (&shop[..at], Some(&shop[at + 1..])),
        None => (shop, None),
    }
}

fn is_shop_name(text: &str) -> bool {
    let (name, number) = split_generation(text);
    let is_generation = |number: &str| {
        let plain = number.bytes().all(|digit| digit.is_ascii_digit()) && !number.starts_with('0');
        plain && number.parse::<u32>().is_ok_and(|number| number > 1)
    };
    is_name(name) && number.is_none_or(is_generation)
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=64).contains(&bytes.len())
        && bytes.iter().all(|&byte| IN_NAMES[usize::from(byte)])
        && !b".-".contains(&bytes[0])
}

/// Bytes allowed in a name, as a table. At transaction scope the name in every line is checked;
/// with comparisons, that took an eighth of the time of opening the order.
const IN_NAMES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            matches!(byte as u8, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        byte += 1;
    }
    table
};

/// Hashes names under a secret of this process, so that an attacker cannot choose names that slow a
/// table down. The standard library's [`RandomState`](std::hash::RandomState) does the same but
/// panics if the operating system has no random numbers; in that case this hasher works without the
/// secret.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol) struct KidHash([u8; 16]);

impl Default for KidHash {
    fn default() -> Self {
        static SECRET: LazyLock<[u8; 16]> = LazyLock::new(perhaps_random);
        Self(*SECRET)
    }
}

impl BuildHasher for KidHash {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.0);
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_tricks_are_refused() {
        let long = "x".repeat(65);
        for text in ["", ".", "..", "../x", "-rf", "a b", "a\0", "a\n", "\u{1b}[31m", "é", &long] {
            assert!(Name::new(text).is_none(), "{text:?}");
            for kid in [text, &format!("tokyo/{text}")] {
                assert_eq!(Kid::new(kid).unwrap().shop(), None, "{kid:?}");
            }
        }
        for kid in ["a/b/c", "/b"] {
            assert_eq!(Kid::new(kid).unwrap().shop(), None, "{kid}");
        }
    }

    #[test]
    fn names_of_keys_have_a_limit() {
        assert!(Kid::new(&"x".repeat(MAX_KID)).is_some());
        assert!(Kid::new(&"x".repeat(MAX_KID + 1)).is_none());
    }

    #[test]
    fn a_shop_has_generations() {
        let mut shop = ShopName::first(&Name::new("tokyo").unwrap());
        assert_eq!((shop.as_str(), shop.generation()), ("tokyo", 1));
        for generation in 2..12 {
            shop = shop.next().unwrap();
            assert_eq!(shop.as_str(), format!("tokyo@{generation}"));
            assert_eq!(shop.generation(), generation);
            assert_eq!(shop.name().as_str(), "tokyo");
        }
        let last = ShopName::new("tokyo@4294967295").unwrap();
        assert_eq!(last.next(), None);
        for text in [
            "tokyo@",
            "tokyo@1",
            "tokyo@02",
            "tokyo@x",
            "tokyo@+2",
            "@2",
            "tokyo@2@3",
            "tokyo@4294967296",
            "tokyo@2/",
            "tok yo@2",
        ] {
            assert_eq!(ShopName::new(text), None, "{text}");
        }
        let kid = Kid::new("tokyo@2/0a").unwrap();
        assert_eq!(kid.shop(), ShopName::new("tokyo@2"));
        assert_eq!(kid.id(), Name::new("0a"));
        assert!(Name::new("tokyo@2").is_none());
    }

    #[test]
    fn a_kid_has_a_shop_and_perhaps_an_id() {
        let kid = Kid::new("tokyo/0a.b_c-d").unwrap();
        assert_eq!(kid.shop().unwrap().as_str(), "tokyo");
        assert_eq!(kid.id().unwrap().as_str(), "0a.b_c-d");
        assert_eq!(Kid::new("tokyo").unwrap().id(), None);
    }
}
