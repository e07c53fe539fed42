//! Random numbers by which one file knows another.

use std::fmt;

use crate::ciphers::base64url;

/// 16 random bytes by which a bundle knows the ledger of its orders, or the journal of its spent ids, and a
/// keyring the token of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileNumber(pub [u8; 16]);

impl FileNumber {
    /// Reads a number in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(base64url::decode_to_vec(text.as_bytes())?.try_into().ok()?))
    }
}

impl fmt::Display for FileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode_to_string(&self.0))
    }
}
