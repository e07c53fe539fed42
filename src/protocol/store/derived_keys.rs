//! Keys of trees with which a shop opens orders, derived for a block of lines at a time.

use std::collections::BTreeMap;

use super::OpeningKeys;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::{KeyStream, Origin};
use crate::ciphers::{Wiped, base64url};
use crate::protocol::jose::jwe::{
    Algorithms, Carries, Failure, Header, KeyLookup, KeyNumber, Opener, OpeningKey, Shape, headers,
    headers_of,
};
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, JwkRef, Usage};
use crate::protocol::model::{Form, KeyError, Suite};
use crate::protocol::pipeline::Workers;

/// The keys of an [`OpeningKeys`], and those keys of its trees that a block of lines names.
#[derive(Debug)]
pub struct BlockKeys<'k> {
    keys: &'k OpeningKeys,
    /// The keys of each tree that were derived.
    derived: BTreeMap<usize, Derived>,
}

/// Keys of a tree.
#[derive(Debug)]
struct Derived {
    suite: Suite,
    /// The leaves, in ascending order.
    leaves: Vec<u32>,
    keys: Vec<DecryptingKey>,
}

impl<'k> BlockKeys<'k> {
    /// Derives the keys that the headers of these lines name, if they are leaves of a tree and were
    /// not erased.
    pub fn new(keys: &'k OpeningKeys, lines: &[&[u8]]) -> Self {
        let mut wanted = BTreeMap::<usize, Vec<u32>>::new();
        if keys.has_trees() {
            let mut text = Vec::new();
            let mut want = |(tree, leaf)| wanted.entry(tree).or_default().push(leaf);
            for line in lines {
                each_kid(line, &mut text, |kid| keys.leaf(kid).into_iter().for_each(&mut want));
            }
            keys.unnamed_leaf().into_iter().for_each(want);
        }
        // Each tree derives its leaves together.
        let derived = wanted.into_iter().map(|(tree, mut leaves)| {
            leaves.sort_unstable();
            leaves.dedup();
            let part = keys.tree(tree);
            let keys = part.nodes().keys(Backend::detect(), &leaves);
            let keys = keys.expect("only leaves with nodes are looked up");
            (tree, Derived { suite: part.tree().suite(), leaves, keys })
        });
        Self { keys, derived: derived.collect() }
    }

    fn prepare(&self, header: &Header<'_>, guess: usize) -> Result<OpeningKey<'_>, Failure> {
        let kid = header.kid.as_deref();
        let number = self.keys.find(kid, guess)?;
        let (tree, leaf) = match number {
            KeyNumber::Listed(number) => return Ok(self.keys.ready(number, header)?),
            KeyNumber::Derived { tree, leaf } => (tree, leaf),
            KeyNumber::Password => return self.keys.ready_password(header),
        };
        let derived = self.derived.get(&tree).and_then(|derived| derived.get(leaf));
        let (suite, key) = derived.ok_or_else(|| self.keys.unknown(kid.unwrap_or_default()))?;
        let key = JwkRef {
            kid: None,
            alg: Some(suite.key_alg()),
            usage: &Usage::Encryption,
            origin: Origin::System,
            material: key.as_key(),
        };
        Ok(OpeningKey::new(number, key, &Algorithms::Fixed(suite), header, false)?)
    }
}

impl Derived {
    fn get(&self, leaf: u32) -> Option<(Suite, &DecryptingKey)> {
        let at = self.leaves.binary_search(&leaf).ok()?;
        Some((self.suite, &self.keys[at]))
    }
}

/// Passes on the names of the keys in the headers of a sealed line, one for each recipient; they are
/// not checked yet. `text` is the memory for a header's text.
fn each_kid(line: &[u8], text: &mut Vec<u8>, mut found: impl FnMut(&str)) {
    for header in headers_of(line) {
        let decoded = base64url::decode_into(&header, text).is_some();
        if let Some(Ok(kid)) = Header::hint(text).filter(|_| decoded).map(str::from_utf8) {
            found(kid);
        } else if let Some(kid) = kid(&header) {
            found(&kid);
        }
    }
}

/// The name of the key in the first header of a sealed line that names one.
pub fn named_key(line: &[u8]) -> Option<String> {
    headers(line).iter().find_map(|header| kid(header))
}

fn kid(header: &[u8]) -> Option<String> {
    Some(Header::decode(header, &mut Vec::new()).ok()?.kid?.into_owned())
}

impl KeyLookup for BlockKeys<'_> {
    fn choose(&self, header: &Header<'_>, guess: usize) -> Result<OpeningKey<'_>, Failure> {
        self.prepare(header, guess).map_err(|error| {
            // Algorithms that no key could open are reported first.
            let none = Suite::from_header(&header.alg, &header.enc).err().map(KeyError::from);
            none.map_or(error, Failure::from)
        })
    }
}

/// Opens one line; returns the number of the key that opened it, and the content. If a key cannot
/// be unwrapped, a random key from `rng` takes its place.
pub(in crate::protocol) fn open_alone(
    line: &[u8],
    expect: Carries,
    shape: Shape,
    keys: &OpeningKeys,
    rng: &mut KeyStream,
) -> Result<(KeyNumber, Wiped), Failure> {
    keys.allot(&[line]);
    let keys = BlockKeys::new(keys, &[line]);
    let opener = Opener { shape, spread: Workers::spread, ..Opener::new(&keys, expect) };
    let mut block = opener.open(&[line], Wiped::default(), rng);
    let opened = block.lines.pop().and_then(Result::transpose);
    let opened = opened.unwrap_or(Err(Failure::Unexpected(Form::EmptyLine)))?;
    block.text.pop();
    Ok((opened.key, block.text))
}
