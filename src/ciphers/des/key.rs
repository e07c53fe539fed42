//! DES and triple-DES keys, and checks for weak ones.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A key of DES or triple DES; the functions of this module are generic over it.
pub trait Key: sealed::AsBytes {}

mod sealed {
    pub trait AsBytes {
        /// 8 bytes for each DES of the cipher.
        fn as_bytes(&self) -> &[u8];
    }
}

/// A DES key: 8 bytes; the lowest bit of each is parity and ignored. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DesKey([u8; 8]);

/// A triple-DES key: three DES keys, 24 bytes, used encrypt-decrypt-encrypt. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TripleDesKey([u8; 24]);

impl From<[u8; 8]> for DesKey {
    fn from(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl From<[u8; 24]> for TripleDesKey {
    fn from(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }
}

impl sealed::AsBytes for DesKey {
    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl sealed::AsBytes for TripleDesKey {
    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Key for DesKey {}
impl Key for TripleDesKey {}

impl fmt::Debug for DesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DesKey(..)")
    }
}

impl fmt::Debug for TripleDesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TripleDesKey(..)")
    }
}

/// Reason why a key is weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// All round keys are equal: encrypting twice returns the plaintext.
    #[error("weak DES key")]
    Weak,
    /// Only two different round keys occur: another key reverses this key's encryption.
    #[error("semi-weak DES key")]
    SemiWeak,
    /// The first two keys are equal: only the third one has an effect, as in DES.
    #[error("triple-DES key with K1 = K2, which is single DES")]
    FirstTwoEqual,
    /// The last two keys are equal: only the first one has an effect, as in DES.
    #[error("triple-DES key with K2 = K3, which is single DES")]
    LastTwoEqual,
}

impl DesKey {
    /// Checks for weak and semi-weak keys (NIST SP 800-67, section 3.3.2); parity bits are ignored.
    ///
    /// # Errors
    /// [`WeakKey::Weak`] or [`WeakKey::SemiWeak`].
    pub fn check(&self) -> Result<(), WeakKey> {
        check_des(&self.0)
    }
}

impl TripleDesKey {
    /// Checks for keys that amount to single DES (K1 = K2 or K2 = K3) or that have a weak or
    /// semi-weak part (NIST SP 800-67, section 3.3); parity bits are ignored.
    ///
    /// # Errors
    /// Any [`WeakKey`].
    pub fn check(&self) -> Result<(), WeakKey> {
        let (parts, _) = self.0.as_chunks::<8>();
        let [k1, k2, k3] = [0, 1, 2].map(|i| without_parity(&parts[i]));
        if k1 == k2 {
            return Err(WeakKey::FirstTwoEqual);
        }
        if k2 == k3 {
            return Err(WeakKey::LastTwoEqual);
        }
        parts.iter().try_for_each(check_des)
    }
}

/// Returns the key as a number, with parity bits cleared.
fn without_parity(key: &[u8; 8]) -> u64 {
    u64::from_be_bytes(*key) & 0xFEFE_FEFE_FEFE_FEFE
}

fn check_des(key: &[u8; 8]) -> Result<(), WeakKey> {
    let key = without_parity(key);
    if WEAK.contains(&key) {
        Err(WeakKey::Weak)
    } else if SEMI_WEAK.iter().flatten().any(|weak| *weak == key) {
        Err(WeakKey::SemiWeak)
    } else {
        Ok(())
    }
}

/// Keys with C₀ and D₀ all zeros or all ones.
const WEAK: [u64; 4] =
    [0x0000_0000_0000_0000, 0xFEFE_FEFE_FEFE_FEFE, 0xE0E0_E0E0_F0F0_F0F0, 0x1E1E_1E1E_0E0E_0E0E];

/// Pairs of keys that reverse each other.
const SEMI_WEAK: [[u64; 2]; 6] = [
    [0x00FE_00FE_00FE_00FE, 0xFE00_FE00_FE00_FE00],
    [0x1EE0_1EE0_0EF0_0EF0, 0xE01E_E01E_F00E_F00E],
    [0x00E0_00E0_00F0_00F0, 0xE000_E000_F000_F000],
    [0x1EFE_1EFE_0EFE_0EFE, 0xFE1E_FE1E_FE0E_FE0E],
    [0x001E_001E_000E_000E, 0x1E00_1E00_0E00_0E00],
    [0xE0FE_E0FE_F0FE_F0FE, 0xFEE0_FEE0_FEF0_FEF0],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn des(key: u64) -> [u8; 8] {
        key.to_be_bytes()
    }

    #[test]
    fn weak_keys_are_named_whatever_their_parity() {
        for key in WEAK {
            for parity in [0, 0x0101_0101_0101_0101, 0x0100_0100_0001_0001] {
                let key = DesKey::from(des(key | parity));
                assert_eq!(key.check(), Err(WeakKey::Weak));
            }
        }
        for key in SEMI_WEAK.as_flattened() {
            assert_eq!(DesKey::from(des(*key | 1)).check(), Err(WeakKey::SemiWeak));
        }
        assert_eq!(DesKey::from(des(0x0123_4567_89AB_CDEF)).check(), Ok(()));
    }

    /// Verifies the definitions of weakness with the crate `des`.
    #[test]
    fn weak_keys_undo_themselves_and_semi_weak_pairs_each_other() {
        use ::des::cipher::{BlockCipherEncrypt, KeyInit};
        let undone = |first: u64, second: u64| {
            let mut block = [1, 2, 3, 4, 5, 6, 7, 8].into();
            ::des::Des::new(&des(first).into()).encrypt_block(&mut block);
            ::des::Des::new(&des(second).into()).encrypt_block(&mut block);
            <[u8; 8]>::from(block) == [1, 2, 3, 4, 5, 6, 7, 8]
        };
        assert!(WEAK.iter().all(|key| undone(*key, *key)));
        assert!(SEMI_WEAK.iter().all(|[one, other]| undone(*one, *other)));
    }

    #[test]
    fn triple_keys_that_are_single_des_are_named() {
        let key = |parts: [u64; 3]| {
            let bytes = parts.map(u64::to_be_bytes);
            TripleDesKey::from(*bytes.as_flattened().first_chunk().unwrap())
        };
        let (a, b, c) = (0x2233_4455_6677_8899, 0x8899_AABB_CCDD_EEFF, 0x1234_5678);
        assert_eq!(key([a, b, c]).check(), Ok(()));
        assert_eq!(key([a, b, a]).check(), Ok(()));
        assert_eq!(key([a, a ^ 1, c]).check(), Err(WeakKey::FirstTwoEqual));
        assert_eq!(key([a, b, b ^ 0x100]).check(), Err(WeakKey::LastTwoEqual));
        assert_eq!(key([a, b, 1]).check(), Err(WeakKey::Weak));
    }
}
