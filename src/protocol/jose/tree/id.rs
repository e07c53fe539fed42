//! Identifiers of trees and leaves, and how a transaction id names them.

use std::fmt;
use std::ops::Range;

use crate::protocol::model::Name;

/// Identifier of a tree: 64 random bits, written as 16 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeId(u64);

impl TreeId {
    /// Creates the identifier with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The identifier as a number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Parses 16 lower-case hexadecimal digits; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        hexadecimal::<16>(text.as_bytes()).map(Self)
    }
}

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Transaction id of a leaf: the tree's identifier, a dot, and the leaf's number as 8 lower-case
/// hexadecimal digits, so that the ids of a tree sort by number. A leaf has no other name.
///
/// Ids that are listed, as the service makes them, have no dot; a user's id must not have the form
/// of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeafId {
    /// The tree.
    pub tree: TreeId,
    /// The leaf's number.
    pub leaf: u32,
}

impl LeafId {
    /// Number of digits of the leaf's number in an id.
    pub const DIGITS: usize = 8;

    /// Parses a transaction id; `None` if it does not have the form of a leaf.
    pub fn parse(id: &str) -> Option<Self> {
        let id: &[u8; 25] = id.as_bytes().try_into().ok()?;
        if id[16] != b'.' {
            return None;
        }
        let tree = TreeId(hexadecimal::<16>(&id[..16])?);
        let leaf = hexadecimal::<8>(&id[17..])? as u32;
        Some(Self { tree, leaf })
    }

    /// The leaf alone, as a range of numbers.
    pub fn range(self) -> Range<u64> {
        let leaf = u64::from(self.leaf);
        leaf..leaf + 1
    }

    /// The leaf's number, from the end of a transaction id.
    pub fn parse_leaf(digits: &str) -> Option<u32> {
        hexadecimal::<8>(digits.as_bytes()).map(|leaf| leaf as u32)
    }

    /// The id as a name.
    pub fn name(self) -> Name {
        // At transaction scope, formatting would take longer than deriving the key.
        let mut id = [b'.'; 25];
        write_hexadecimal(self.tree.0, &mut id[..16]);
        write_hexadecimal(u64::from(self.leaf), &mut id[17..]);
        let id = str::from_utf8(&id).expect("ASCII");
        Name::new(id).expect("hexadecimal digits and a dot are a name")
    }
}

impl fmt::Display for LeafId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().as_str())
    }
}

/// Fills `digits` with the last digits of a number.
fn write_hexadecimal(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// The number that exactly `DIGITS` lower-case hexadecimal digits stand for.
fn hexadecimal<const DIGITS: usize>(text: &[u8]) -> Option<u64> {
    let text: &[u8; DIGITS] = text.try_into().ok()?;
    text.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number << 4 | u64::from(digit - b'0')),
        b'a'..=b'f' => Some(number << 4 | u64::from(digit - b'a' + 10)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_one_name() {
        let leaf = LeafId { tree: TreeId::new(0x5f11_1ff2_ee82_3061), leaf: 0x2a };
        assert_eq!(leaf.name().as_str(), "5f111ff2ee823061.0000002a");
        assert_eq!(LeafId::parse("5f111ff2ee823061.0000002a"), Some(leaf));
        for other in [
            "5f111ff2ee823061.000002a",
            "5f111ff2ee823061.00000002a",
            "5f111ff2ee823061.0000002A",
            "5F111ff2ee823061.0000002a",
            "5f111ff2ee823061.+000002a",
            "5f111ff2ee823061-0000002a",
            "05f111ff2ee823061.0000002",
            "5f111ff2ee82306.10000002a",
            "5f111ff2ee823061",
            "5f111ff2ee823061.",
            "",
        ] {
            assert_eq!(LeafId::parse(other), None, "{other}");
        }
        assert_eq!(TreeId::parse("5f111ff2ee823061"), Some(leaf.tree));
        assert_eq!(TreeId::parse("5F111FF2EE823061"), None);
    }
}
