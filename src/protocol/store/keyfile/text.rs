//! The text of a key file: one key per line, so that people and diffs can follow it.

use std::fmt;

use serde_json::Value;

use super::AnyKeys;
use crate::ciphers::{Secret, Wiped};
use crate::protocol::jose::json::{self, SecretJson};
use crate::protocol::jose::jwk::{JwkRef, KeyTexts};

/// Upper bound in bytes for the record of one key: its id among those issued or spent, or its name
/// and a count, and the name of the member.
pub(super) const MOST_RECORDED: u64 = 256;

/// A piece is written once it has this many bytes.
const PIECE: usize = 256 << 10;

const BEFORE_KEYS: &[u8] = b"{\"keys\":[";
const AFTER_KEYS: &[u8] = b"\n]";

/// What is before the value of the member `orderseal`.
const NAME: &[u8] = b",\n\"orderseal\":";

/// What is before and after the keys in a file with a member `orderseal`.
pub const AROUND_KEYS: (&[u8], &[u8]) = (BEFORE_KEYS, b"\n],\n\"orderseal\":");

/// The text of a key file. It is made piece by piece: with a million keys it is longer than the keys.
pub struct FileText<'f>(Content<'f>);

enum Content<'f> {
    Lone(Secret),
    Set {
        keys: &'f dyn AnyKeys,
        /// Length in bytes of their texts, with what is between them.
        keys_len: usize,
        /// The other member, with its name. It may have the nodes of trees.
        member: Wiped,
    },
}

impl fmt::Debug for FileText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileText({} bytes)", self.length())
    }
}

impl<'f> FileText<'f> {
    /// The text of a lone key with a member `orderseal`.
    pub(super) fn lone(key: JwkRef<'_>, member: Option<&Value>) -> Self {
        let mut out = Wiped::with_capacity(key.text_len() + MOST_RECORDED as usize);
        key.write(member, &mut out);
        out.append(b"\n");
        Self(Content::Lone(out.into()))
    }

    /// The text of a set with a member `orderseal`.
    pub(super) fn set(keys: &'f dyn AnyKeys, member: Option<Value>) -> Self {
        let mut text = Wiped::default();
        if let Some(member) = member.map(SecretJson::new) {
            text = Wiped::with_capacity(NAME.len() + json::length(&*member));
            text.append(NAME);
            json::append(&mut text, &*member);
        }
        let mut texts = KeyTexts::default();
        let keys_len: usize = keys.views().map(|key| texts.len(key) + ",\n".len()).sum();
        // The first key has no comma before it.
        Self(Content::Set { keys, keys_len: keys_len.saturating_sub(1), member: text })
    }

    /// Length in bytes.
    pub fn length(&self) -> u64 {
        let length = match &self.0 {
            Content::Lone(text) => text.len(),
            Content::Set { keys_len, member, .. } => {
                [BEFORE_KEYS.len(), *keys_len, AFTER_KEYS.len(), member.len(), "}\n".len()]
                    .iter()
                    .sum()
            }
        };
        length as u64
    }

    /// Where the list of keys of a set ends: behind the line feed after the last key.
    pub fn keys_end(&self) -> Option<u64> {
        match &self.0 {
            Content::Lone(_) => None,
            Content::Set { keys_len, .. } => {
                Some((BEFORE_KEYS.len() + keys_len + "\n".len()) as u64)
            }
        }
    }

    /// The whole text.
    pub fn to_bytes(&self) -> Secret {
        let mut out = Wiped::with_capacity(self.length() as usize);
        let Ok(()) = self.append(&mut out, |_| Ok::<_, std::convert::Infallible>(()));
        out.into()
    }

    /// Calls `take` with one piece of the text after the other.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn pieces<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut out = Wiped::with_capacity(PIECE + PIECE / 4);
        self.append(&mut out, |out| {
            if out.len() >= PIECE {
                take(out)?;
                out.clear();
            }
            Ok(())
        })?;
        take(&out)
    }

    /// Appends the text to `out`, which `written` may empty after each line.
    fn append<E>(
        &self,
        out: &mut Wiped,
        mut written: impl FnMut(&mut Wiped) -> Result<(), E>,
    ) -> Result<(), E> {
        let (keys, member) = match &self.0 {
            Content::Lone(text) => {
                out.append(text);
                return Ok(());
            }
            Content::Set { keys, member, .. } => (keys, member),
        };
        out.append(BEFORE_KEYS);
        let mut texts = KeyTexts::default();
        for (index, key) in keys.views().enumerate() {
            out.append(if index == 0 { b"\n" } else { b",\n" });
            texts.write(key, out);
            written(out)?;
        }
        for part in [AFTER_KEYS, member, b"}\n"] {
            out.append(part);
        }
        Ok(())
    }
}

/// The texts of the keys in a file as it is written here, and all that follows them; `None` if the file
/// is another.
pub(super) fn parts(file: &[u8]) -> Option<(Lines<'_>, &[u8])> {
    let keys = file.strip_prefix(BEFORE_KEYS)?;
    let end = memchr::memmem::find(keys, AFTER_KEYS)?;
    let (keys, rest) = keys.split_at(end);
    let text = match keys {
        [] => None,
        [b'\n', keys @ ..] => Some(keys),
        _ => return None,
    };
    let count = memchr::memchr_iter(b'\n', keys).count();
    // Room is made for as many keys as there are lines.
    if keys.len() < count * LEAST_KEY {
        return None;
    }
    Some((Lines { text, count }, &rest[AFTER_KEYS.len()..]))
}

/// No key has a shorter text.
const LEAST_KEY: usize = r#"{"k":"AA","kty":"oct"}"#.len();

/// A file with the same members and no keys, which has `rest` after them.
pub(super) fn without_keys(rest: &[u8]) -> Wiped {
    Wiped::from([BEFORE_KEYS, AFTER_KEYS, rest].concat())
}

/// Texts of keys, each on a line of its own.
pub(super) struct Lines<'f> {
    /// The lines that are left, if any.
    text: Option<&'f [u8]>,
    count: usize,
}

impl<'f> Iterator for Lines<'f> {
    type Item = &'f [u8];

    fn next(&mut self) -> Option<&'f [u8]> {
        let text = self.text?;
        self.count -= 1;
        let Some(end) = memchr::memchr(b'\n', text) else {
            self.text = None;
            return Some(text);
        };
        self.text = Some(&text[end + 1..]);
        // A line without a comma at its end is no key, and neither is the rest of one with two.
        Some(text[..end].strip_suffix(b",").unwrap_or_default())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}
