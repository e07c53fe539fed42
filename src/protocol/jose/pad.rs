//! One-time pads as keys: a MAC key with a pad or a piece of one. Each order uses a piece of its own.

use std::fmt;
use std::sync::Arc;

use crate::ciphers::Secret;
use crate::protocol::model::KeyFault;

/// Maximum length of a pad in bytes.
pub const MAX_PAD: u64 = 64 << 20;

/// Length of the MAC key in bytes.
const MAC_KEY_LEN: usize = 16;

/// A pad, or a consecutive piece of one, with the MAC key that all pieces share. Clones share memory.
#[derive(Clone)]
pub struct Pad {
    offset: u64,
    key: Arc<Secret>,
}

impl Pad {
    /// Creates a piece that begins at byte `offset` of the whole pad; `key` is the MAC key (16
    /// bytes) followed by the piece.
    ///
    /// # Errors
    /// No pad after the MAC key, or a pad that ends after [`MAX_PAD`] bytes.
    pub fn new(offset: u64, key: Secret) -> Result<Self, KeyFault> {
        let Some(len) = key.len().checked_sub(MAC_KEY_LEN) else {
            return Err(KeyFault::ShortPad { found: key.len(), mac_key: MAC_KEY_LEN });
        };
        match offset.checked_add(len as u64) {
            Some(end) if end <= MAX_PAD => Ok(Self { offset, key: Arc::new(key) }),
            _ => Err(KeyFault::LongPad(MAX_PAD)),
        }
    }

    /// A zeroed key of the right length for a pad of `len` bytes, to be filled with random bytes.
    pub fn unfilled(len: usize) -> Secret {
        Secret::zeroed(Self::key_len(len))
    }

    /// Length in bytes of a MAC key and a pad of `len` bytes.
    pub const fn key_len(len: usize) -> usize {
        MAC_KEY_LEN + len
    }

    /// Offset in bytes within the whole pad.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Length of the pad in bytes, without the MAC key.
    pub fn len(&self) -> u64 {
        (self.key.len() - MAC_KEY_LEN) as u64
    }

    /// Whether the pad is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The MAC key followed by the pad.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The MAC key, by which pieces of the same pad are known.
    pub fn mac_key(&self) -> &[u8] {
        &self.key[..MAC_KEY_LEN]
    }

    /// The piece of `len` bytes that begins at byte `from` of this one, with the MAC key.
    pub fn piece(&self, from: u64, len: u64) -> Option<Self> {
        if from.checked_add(len)? > self.len() {
            return None;
        }
        let mut key = Self::unfilled(len as usize);
        self.copy_key(self.offset + from, &mut key)?;
        Some(Self { offset: self.offset + from, key: Arc::new(key) })
    }

    /// Writes the key for a text to `key`: the MAC key, then as many bytes of pad as fit, from byte
    /// `offset` of the whole pad. `None` if this piece does not contain all of them.
    pub fn copy_key(&self, offset: u64, key: &mut [u8]) -> Option<()> {
        let (own_mac, own_pad) = self.key.split_at(MAC_KEY_LEN);
        let (mac, pad) = key.split_at_mut_checked(MAC_KEY_LEN)?;
        let from = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        pad.copy_from_slice(own_pad.get(from..)?.get(..pad.len())?);
        mac.copy_from_slice(own_mac);
        Some(())
    }
}

impl PartialEq for Pad {
    fn eq(&self, other: &Self) -> bool {
        self.offset == other.offset && (Arc::ptr_eq(&self.key, &other.key) || self.key == other.key)
    }
}

impl Eq for Pad {}

impl fmt::Debug for Pad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pad({} bytes from byte {})", self.len(), self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Pad {
        Pad::new(0, (0..116).collect::<Vec<u8>>().into()).unwrap()
    }

    #[test]
    fn a_piece_of_a_piece_lies_where_the_whole_has_it() {
        let piece = whole().piece(40, 30).unwrap().piece(5, 10).unwrap();
        assert_eq!((piece.offset(), piece.len()), (45, 10));
        let mut key = [0; 20];
        piece.copy_key(50, &mut key).unwrap();
        assert_eq!(key[..16], whole().key()[..16]);
        assert_eq!(key[16..], [66, 67, 68, 69]);
    }

    #[test]
    fn what_is_not_in_the_pad_is_not_given() {
        let piece = whole().piece(40, 30).unwrap();
        for (offset, len) in [(39, 1), (70, 1), (40, 31), (u64::MAX, 1)] {
            assert!(piece.copy_key(offset, &mut vec![0; 16 + len]).is_none(), "{offset} {len}");
        }
        assert!(whole().piece(0, 101).is_none());
        assert!(whole().piece(u64::MAX, u64::MAX).is_none());
    }

    #[test]
    fn sizes_are_checked() {
        assert!(Pad::new(0, vec![0; 15].into()).is_err());
        assert!(Pad::new(MAX_PAD - 1, vec![0; 18].into()).is_err());
        assert!(Pad::new(u64::MAX, vec![0; 18].into()).is_err());
        assert!(Pad::new(MAX_PAD - 2, vec![0; 18].into()).is_ok());
    }
}
