//! The private key: the easy knapsack.

use std::fmt;

use crypto_bigint::{CtLt, CtSelect, NonZero};
use rand::Rng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::number::{self, Number};
use super::{
    BLOCK_BYTES, DecryptionFailed, ELEMENTS, KeyError, NUMBER_BYTES, PRIVATE_KEY_BYTES, PublicKey,
    SUM_BYTES,
};

/// A superincreasing knapsack with modulus, multiplier and permutation. Zeroized on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PrivateKey {
    /// w₁ … wₙ.
    elements: Vec<Number>,
    /// q.
    modulus: NonZero<Number>,
    /// r and its inverse modulo q.
    multiplier: Number,
    inverse: Number,
    /// π, counted from 0.
    permutation: Vec<u8>,
    #[zeroize(skip)]
    public: PublicKey,
}

impl PrivateKey {
    /// Generates a key of 256 elements by the recipe of Merkle and Hellman (1978) for n = 256: wᵢ
    /// from (2^(i−1) − 1)·2ⁿ + 1 to 2^(i−1)·2ⁿ, q from 2^(2n+1) + 1 to 2^(2n+2) − 1, r from 2 to q
    /// − 2 and coprime to q, and a random permutation.
    ///
    /// Where the paper divides r by its common factor with q, this draws another r.
    pub fn generate(rng: &mut (impl Rng + ?Sized)) -> Self {
        let one = Number::ONE;
        let n = ELEMENTS as u32;
        let elements = (0..n)
            .map(|i| {
                let high = one.shl_vartime(i + n);
                let low = high.wrapping_sub(&one.shl_vartime(n)).wrapping_add(&one);
                number::between(&low, &high, rng)
            })
            .collect();
        let low = one.shl_vartime(2 * n + 1).wrapping_add(&one);
        let high = one.shl_vartime(2 * n + 2).wrapping_sub(&one);
        let modulus = number::between(&low, &high, rng);
        let mut permutation: Vec<u8> = (0..=u8::MAX).collect();
        shuffle(&mut permutation, rng);
        loop {
            let two = Number::from_u64(2);
            let multiplier = number::between(&two, &modulus.wrapping_sub(&two), rng);
            let divisor = NonZero::new(modulus).expect("the modulus is not below 2^513");
            if let Some(inverse) = number::inverse(&multiplier, &divisor) {
                let mut key = Self {
                    elements,
                    modulus: divisor,
                    multiplier,
                    inverse,
                    permutation,
                    public: PublicKey::of(Vec::new()),
                };
                key.derive_public();
                return key;
            }
        }
    }

    /// Builds a key of up to 255 elements for textbook examples. The permutation counts from 1: aᵢ
    /// comes from the element that its i-th entry names.
    ///
    /// # Errors
    /// [`KeyError`] for the rule that is broken.
    pub fn from_parts(
        elements: &[u64],
        modulus: u64,
        multiplier: u64,
        permutation: &[u8],
    ) -> Result<Self, KeyError> {
        let elements = elements.iter().copied().map(Number::from_u64).collect();
        let permutation: Option<Vec<u8>> = permutation.iter().map(|i| i.checked_sub(1)).collect();
        Self::checked(
            elements,
            Number::from_u64(modulus),
            Number::from_u64(multiplier),
            permutation.ok_or(KeyError::Permutation)?,
        )
    }

    /// Decodes a private key of 256 elements, which need not come from [`Self::generate`]: q, r and
    /// w₁ … wₙ in 65 bytes each, big-endian, then the permutation, counted from 0, in one byte
    /// each.
    ///
    /// # Errors
    /// [`KeyError`] for the rule that is broken.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != PRIVATE_KEY_BYTES {
            return Err(KeyError::Length { expected: PRIVATE_KEY_BYTES, found: bytes.len() });
        }
        let (numbers, permutation) = bytes.split_at(PRIVATE_KEY_BYTES - ELEMENTS);
        let mut numbers = numbers.chunks_exact(NUMBER_BYTES).map(number::from_bytes);
        let mut next = || numbers.next().unwrap_or_default();
        let (modulus, multiplier) = (next(), next());
        Self::checked(numbers.collect(), modulus, multiplier, permutation.to_vec())
    }

    /// Encodes the key in the format of [`Self::from_bytes`].
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Vec::with_capacity(PRIVATE_KEY_BYTES);
        for number in [self.modulus.as_ref(), &self.multiplier].into_iter().chain(&self.elements) {
            number::append(number, NUMBER_BYTES, &mut bytes);
        }
        bytes.extend_from_slice(&self.permutation);
        Zeroizing::new(bytes)
    }

    fn checked(
        elements: Vec<Number>,
        modulus: Number,
        multiplier: Number,
        permutation: Vec<u8>,
    ) -> Result<Self, KeyError> {
        // From here on, a rejected key is wiped as well.
        let mut key = Self {
            elements,
            modulus: NonZero::new(modulus).into_option().ok_or(KeyError::Modulus)?,
            multiplier,
            inverse: Number::ZERO,
            permutation,
            public: PublicKey::of(Vec::new()),
        };
        if !(1..=ELEMENTS).contains(&key.elements.len()) {
            return Err(KeyError::Elements(key.elements.len()));
        }
        if modulus.bit_width_vartime() > number::MAX_BITS {
            return Err(KeyError::TooLarge);
        }
        let mut sum = Number::ZERO;
        for (i, element) in key.elements.iter().enumerate() {
            if *element <= sum {
                return Err(KeyError::NotSuperincreasing(i + 1));
            }
            // No overflow: the elements before sum to less than the modulus, and so is this one.
            if *element >= modulus {
                return Err(KeyError::Modulus);
            }
            sum = sum.wrapping_add(element);
            if sum >= modulus {
                return Err(KeyError::Modulus);
            }
        }
        if multiplier >= modulus {
            return Err(KeyError::Multiplier);
        }
        key.inverse = number::inverse(&multiplier, &key.modulus).ok_or(KeyError::Multiplier)?;
        let mut named = key.permutation.clone();
        named.sort_unstable();
        if !named.iter().copied().map(usize::from).eq(0..key.elements.len()) {
            return Err(KeyError::Permutation);
        }
        key.derive_public();
        Ok(key)
    }

    fn derive_public(&mut self) {
        let element =
            |i: &u8| self.elements[usize::from(*i)].mul_mod(&self.multiplier, &self.modulus);
        self.public = PublicKey::of(self.permutation.iter().map(element).collect());
    }

    /// Returns the public key that belongs to this one.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Checks that a public key belongs to this key.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`] if it is not.
    pub fn check_public(&self, public: &PublicKey) -> Result<(), KeyError> {
        if self.public == *public { Ok(()) } else { Err(KeyError::Mismatch) }
    }

    /// Returns the bits that make up a sum, one per byte.
    ///
    /// Going from the greatest element down, an element belongs to the sum exactly if the remainder
    /// is not less than it; the final remainder must be zero. The loop always visits all elements.
    pub(super) fn bits(&self, sum: &Number) -> Result<Zeroizing<Vec<u8>>, DecryptionFailed> {
        let n = self.elements.len();
        let mut rest = sum.mul_mod(&self.inverse, &self.modulus);
        let mut easy = Zeroizing::new(vec![0; n]);
        for (bit, element) in easy.iter_mut().zip(&self.elements).rev() {
            let less = rest.ct_lt(element);
            rest = rest.wrapping_sub(element).ct_select(&rest, less);
            *bit = 1 ^ less.to_u8();
        }
        let bits = self.permutation.iter().map(|i| easy[usize::from(*i)]);
        let bits = Zeroizing::new(bits.collect::<Vec<u8>>());
        // A sum that is off by multiples of the modulus also yields bits, but they have another
        // sum.
        let fits = rest == Number::ZERO && self.public.sum(bits.iter().copied()) == *sum;
        rest.zeroize();
        if fits { Ok(bits) } else { Err(DecryptionFailed) }
    }

    /// Decrypts `length` bytes of key material, the inverse of [`PublicKey::encrypt`].
    ///
    /// # Errors
    /// [`DecryptionFailed`] if the ciphertext is not [`encrypted_bytes`](super::encrypted_bytes) of
    /// `length` long, a sum does not belong to this key, bits after the last byte are not zero, or
    /// the knapsack does not have 256 elements. A changed ciphertext that happens to be another
    /// valid sum is *not* detected: authenticate whatever the material decrypts.
    pub fn decrypt(
        &self,
        ciphertext: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, DecryptionFailed> {
        if ciphertext.len() != super::encrypted_bytes(length) || self.elements.len() != ELEMENTS {
            return Err(DecryptionFailed);
        }
        let mut material = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(BLOCK_BYTES)));
        for sum in ciphertext.chunks_exact(SUM_BYTES) {
            let bits = self.bits(&number::from_bytes(sum))?;
            let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
            material.extend(bits.chunks_exact(8).map(byte));
        }
        if material[length..].iter().any(|byte| *byte != 0) {
            return Err(DecryptionFailed);
        }
        material.truncate(length);
        Ok(material)
    }
}

/// Shuffles by Fisher–Yates: every order is equally likely.
fn shuffle(permutation: &mut [u8], rng: &mut (impl Rng + ?Sized)) {
    for i in (1..permutation.len()).rev() {
        let high = Number::from_u64(i as u64);
        let j = number::between(&Number::ZERO, &high, rng).to_words()[0] as usize;
        permutation.swap(i, j);
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes().ct_eq(&other.to_bytes()).into()
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey {{ elements: {}, secret: [redacted] }}", self.elements.len())
    }
}
