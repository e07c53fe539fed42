//! Marks memory as secret: the sanitizer takes it for uninitialized.

use std::convert::Infallible;
use std::ffi::c_void;

use rand::rngs::StdRng;
use rand::{Rng, TryCryptoRng, TryRng};

unsafe extern "C" {
    fn __msan_test_shadow(start: *const c_void, size: usize) -> isize;
    fn __msan_poison(start: *const c_void, size: usize);
    fn __msan_unpoison(start: *const c_void, size: usize);
}

/// Marks memory as secret.
pub fn conceal<T>(memory: &mut [T]) {
    // SAFETY: only the sanitizer's notes about this memory change, not the memory.
    unsafe { __msan_poison(memory.as_ptr().cast(), size_of_val(memory)) }
}

/// Marks memory as public again.
pub fn reveal<T>(memory: &mut [T]) {
    // SAFETY: only the sanitizer's notes about this memory change, not the memory.
    unsafe { __msan_unpoison(memory.as_ptr().cast(), size_of_val(memory)) }
}

/// Whether the sanitizer takes every byte for secret. If not, something on the way was hidden from it, and
/// it would not have noticed a leak there.
pub fn is_concealed(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| {
        // SAFETY: the sanitizer's notes are read, not the byte.
        unsafe { __msan_test_shadow((&raw const *byte).cast(), 1) == 0 }
    })
}

/// Random numbers that are secret.
pub struct Concealed(pub StdRng);

impl TryRng for Concealed {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [self.0.next_u64()];
        conceal(&mut word);
        Ok(word[0])
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(out);
        conceal(out);
        Ok(())
    }
}

impl TryCryptoRng for Concealed {}
