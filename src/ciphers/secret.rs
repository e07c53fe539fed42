//! Bytes that must not be seen.

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use subtle::ConstantTimeEq;
use zeroize::zeroize_bytes;

/// Secret bytes: wiped on drop, compared in constant time, and never printed.
pub struct Secret(Wiped);

impl Secret {
    /// As many zero bytes as asked for, to be filled.
    pub fn zeroed(len: usize) -> Self {
        Self(vec![0; len].into())
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self::from(&self[..])
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Secret {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

/// A buffer of secret bytes, wiped on drop together with what is free behind them: all at once, where
/// `zeroize` wipes a vector byte by byte, which for the text of an order takes longer than encrypting
/// it. To grow it beyond its capacity would leave a copy behind.
#[derive(Default)]
pub struct Wiped(Vec<u8>);

impl From<Vec<u8>> for Wiped {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Wiped {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Wiped {
    /// Overwrites the bytes and what is free behind them. The memory stays, empty, and may then grow.
    pub fn wipe(&mut self) {
        zeroize_bytes(&mut self.0);
        self.0.clear();
        let free = self.0.spare_capacity_mut();
        free.fill(MaybeUninit::new(0));
        zeroize::optimization_barrier(free);
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for Wiped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wiped({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies behind the length after `clear` must go as well. It can be looked at only before the
    /// memory is given back, so that this calls what `drop` calls.
    #[test]
    fn what_is_free_behind_the_bytes_is_wiped_too() {
        let mut buffer = Wiped::from(vec![0xa5; 100]);
        buffer.truncate(10);
        buffer.wipe();
        // SAFETY: all 100 bytes were written above.
        unsafe { buffer.set_len(100) };
        assert_eq!(buffer[..], [0; 100]);
    }

    #[test]
    fn debug_shows_the_length_only() {
        assert_eq!(format!("{:?}", Secret::from(vec![0xab; 3])), "Secret(3 bytes)");
    }
}
