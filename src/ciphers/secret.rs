//! Containers for secret bytes.

use std::collections::TryReserveError;
use std::fmt;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use subtle::ConstantTimeEq;
use zeroize::zeroize_bytes;

/// Secret bytes: wiped on drop, compared in constant time, and never printed.
pub struct Secret(Wiped);

impl Secret {
    /// Creates `len` zero bytes, to be filled.
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

impl From<Wiped> for Secret {
    fn from(bytes: Wiped) -> Self {
        Self(bytes)
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

impl PartialEq<&str> for Secret {
    fn eq(&self, text: &&str) -> bool {
        self.ct_eq(text.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

/// A buffer of secret bytes. On drop, wipes them and the spare capacity in one pass; `zeroize`
/// wipes a vector byte by byte, which for the text of an order takes longer than encrypting it.
///
/// Methods of the inner vector leave a copy behind when they outgrow its capacity. [`Write`] and
/// the methods here wipe the smaller buffer when they move to a larger one.
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

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Wiped {
    /// Creates an empty buffer with room for `len` bytes.
    pub fn with_capacity(len: usize) -> Self {
        Self(Vec::with_capacity(len))
    }

    /// Returns the bytes unprotected: the caller must wipe them.
    pub fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Reads `reader` to its end and appends the bytes, without an intermediate copy. `expected` is how many
    /// they are, as far as that is known: if there are more, they move to a larger buffer.
    ///
    /// # Errors
    /// Those of the reader, and [`io::ErrorKind::OutOfMemory`].
    pub fn read_all(&mut self, mut reader: impl Read, expected: usize) -> io::Result<()> {
        self.make_room(expected + LEAST_READ)?;
        loop {
            self.make_room(LEAST_READ)?;
            let at = self.0.len();
            self.0.resize(self.0.capacity().min(at + MOST_READ), 0);
            let read = reader.read(&mut self.0[at..]);
            self.0.truncate(at + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }

    /// Appends zeros up to a length. If the bytes move to a larger buffer, wipes the smaller one.
    ///
    /// # Panics
    /// If there is no memory.
    pub fn extend_to(&mut self, len: usize) {
        self.make_room(len.saturating_sub(self.0.len())).expect("there is memory");
        self.0.resize(len, 0);
    }

    /// Appends bytes. If they move to a larger buffer, wipes the smaller one.
    ///
    /// # Panics
    /// If there is no memory.
    pub fn append(&mut self, bytes: &[u8]) {
        self.write_all(bytes).expect("there is memory");
    }

    /// Reserves room for `more` bytes. If the bytes move to a larger buffer, wipes the smaller one.
    fn make_room(&mut self, more: usize) -> Result<(), TryReserveError> {
        if self.0.capacity() - self.0.len() >= more {
            return Ok(());
        }
        let mut larger = Vec::new();
        larger.try_reserve_exact((self.0.len() + more).max(2 * self.0.capacity()))?;
        larger.extend_from_slice(&self.0);
        *self = Self(larger);
        Ok(())
    }

    /// Overwrites the bytes and the spare capacity. The memory is kept, empty, and may be reused.
    pub fn wipe(&mut self) {
        zeroize_bytes(&mut self.0);
        self.0.clear();
        let free = self.0.spare_capacity_mut();
        free.fill(MaybeUninit::new(0));
        zeroize::optimization_barrier(free);
    }
}

/// Appends bytes, and wipes the old buffer when it grows.
impl Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.make_room(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether something was authentic, which everybody may see from here on. `scripts/ct-check.sh` takes
/// what depends on a secret for secret up to here.
#[inline(always)]
pub(crate) fn verdict(valid: bool) -> bool {
    #[cfg(ct_check)]
    let valid = {
        unsafe extern "C" {
            fn __msan_unpoison(start: *const std::ffi::c_void, size: usize);
        }
        let valid = std::hint::black_box(valid);
        // SAFETY: only the sanitizer's notes about this memory change, not the memory.
        unsafe { __msan_unpoison((&raw const valid).cast(), size_of_val(&valid)) }
        valid
    };
    valid
}

/// Minimum and maximum number of bytes that [`Wiped::read_all`] requests at once.
const LEAST_READ: usize = 8 << 10;
const MOST_READ: usize = 256 << 10;

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

/// Overwrites `KIB` KiB of the stack below the caller's frame, where a function that returned may have
/// left secrets.
///
/// Clears in parts: for a single large array the compiler uses a microcoded instruction, which
/// measured some 60 cycles slower for 4 KiB.
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]
#[inline(never)]
pub(crate) fn clear_stack<const KIB: usize>() {
    let mut frame = [const { MaybeUninit::<[u8; 1024]>::uninit() }; KIB];
    for part in &mut frame {
        zeroize::optimization_barrier(part.write([0; 1024]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes beyond the length after `clear` must be wiped as well. They can be inspected only
    /// before the memory is freed, so this test calls the function that `drop` calls.
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
    fn everything_is_read_and_written_in_order() {
        let text: Vec<u8> = (0..100_000u32).map(|number| number as u8).collect();
        let mut read = Wiped::default();
        read.read_all(&text[..], 0).unwrap();
        assert_eq!(read[..], text);
        let mut written = Wiped::with_capacity(10);
        for piece in text.chunks(999) {
            written.write_all(piece).unwrap();
        }
        assert_eq!(written[..], text);
        assert_eq!(written.into_vec(), text);
    }

    #[test]
    fn debug_shows_the_length_only() {
        assert_eq!(format!("{:?}", Secret::from(vec![0xab; 3])), "Secret(3 bytes)");
    }
}
