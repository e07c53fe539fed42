//! P-256, P-384 and P-521: public keys checked, numbers drawn and multiplied.

use crypto_bigint::{NonZero, U576, U640};
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::{KeyError, array};
#[cfg(target_arch = "x86_64")]
use super::graviola;
use super::point::Point;
use super::{Curve, rustcrypto};
use crate::ciphers::cpu::{Backend, Level};

/// A secret number from 1 to below the order of the curve, big-endian.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Number<const N: usize>([u8; N]);

/// The curve whose coordinates have this length.
pub(super) trait NistCurve<const N: usize>: rustcrypto::HasCrate<N> + Sized {
    const CURVE: Curve;

    /// The bits that numbers below the order have in their first byte.
    const TOP: u8;

    /// Computes a public key with assembly. `None` where there is none, or it reports a fault.
    fn public_by_assembly(_: &[u8; N]) -> Option<Self> {
        None
    }

    /// Computes a shared secret with assembly. `None` as above.
    fn agree_by_assembly(&self, _: &[u8; N]) -> Option<Zeroizing<[u8; N]>> {
        None
    }
}

impl NistCurve<32> for Point<32> {
    const CURVE: Curve = Curve::P256;
    const TOP: u8 = 0xff;

    #[cfg(target_arch = "x86_64")]
    fn public_by_assembly(secret: &[u8; 32]) -> Option<Self> {
        graviola::p256_public(secret)
    }

    #[cfg(target_arch = "x86_64")]
    fn agree_by_assembly(&self, secret: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        graviola::p256_agree(secret, self)
    }
}

impl NistCurve<48> for Point<48> {
    const CURVE: Curve = Curve::P384;
    const TOP: u8 = 0xff;

    #[cfg(target_arch = "x86_64")]
    fn public_by_assembly(secret: &[u8; 48]) -> Option<Self> {
        graviola::p384_public(secret)
    }

    #[cfg(target_arch = "x86_64")]
    fn agree_by_assembly(&self, secret: &[u8; 48]) -> Option<Zeroizing<[u8; 48]>> {
        graviola::p384_agree(secret, self)
    }
}

impl NistCurve<66> for Point<66> {
    const CURVE: Curve = Curve::P521;
    const TOP: u8 = 0x01;
}

/// Checks that coordinates are those of a point.
pub(super) fn point<const N: usize>(x: &[u8], y: &[u8]) -> Result<Point<N>, KeyError>
where
    Point<N>: NistCurve<N>,
{
    let member = |name, bytes| array(Point::<N>::CURVE, name, bytes);
    let point = Point { x: member("x", x)?, y: member("y", y)? };
    match rustcrypto::is_on_curve(&point) {
        true => Ok(point),
        false => Err(KeyError::NotOnCurve(Point::<N>::CURVE)),
    }
}

impl<const N: usize> Number<N>
where
    Point<N>: NistCurve<N>,
{
    /// Draws a number.
    pub(super) fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        loop {
            let mut number = Self([0; N]);
            rng.fill_bytes(&mut number.0);
            number.0[0] &= Point::<N>::TOP;
            // Numbers out of range are drawn again, which reveals nothing about the one that stays.
            if rustcrypto::Scalar::new(&number.0).is_some() {
                return number;
            }
        }
    }

    /// Makes a number of a [seed](super::from_seeds).
    pub(super) fn of_seed(seed: &[u8]) -> Self {
        let mut wide = Zeroizing::new([0; U640::BYTES]);
        wide[U640::BYTES - seed.len()..].copy_from_slice(seed);
        let mut most = [0; U576::BYTES];
        most[U576::BYTES - N..].copy_from_slice(&rustcrypto::largest_scalar::<N>());
        let most = NonZero::new(U576::from_be_slice(&most)).expect("it is not zero");
        // The time depends on the divisor alone, which is public.
        let rest = Zeroizing::new(U640::from_be_slice(&wide[..]).rem_vartime(&most));
        let bytes = Zeroizing::new(rest.wrapping_add(&U576::ONE).to_be_bytes());
        let mut number = Self([0; N]);
        number.0.copy_from_slice(&bytes[U576::BYTES - N..]);
        number
    }

    /// Checks the range of a number.
    pub(super) fn new(d: &[u8]) -> Result<Self, KeyError> {
        let number = Self(array(Point::<N>::CURVE, "d", d)?);
        match rustcrypto::Scalar::new(&number.0) {
            Some(_) => Ok(number),
            None => Err(KeyError::Range(Point::<N>::CURVE)),
        }
    }

    pub(super) fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// Computes the public key, the product with the base point.
    pub(super) fn public(&self, backend: Backend) -> Point<N> {
        let by_assembly = uses_assembly(backend).then(|| Point::public_by_assembly(&self.0));
        by_assembly.flatten().unwrap_or_else(|| self.scalar().public())
    }

    /// Computes the shared secret, the coordinate x of the product with a point.
    pub(super) fn agree(&self, backend: Backend, public: &Point<N>) -> Zeroizing<[u8; N]> {
        let by_assembly = uses_assembly(backend).then(|| public.agree_by_assembly(&self.0));
        by_assembly.flatten().unwrap_or_else(|| self.scalar().agree(public))
    }

    fn scalar(&self) -> rustcrypto::Scalar<N> {
        rustcrypto::Scalar::new(&self.0).expect("the range was checked")
    }
}

/// Whether a backend runs assembly where there is any.
fn uses_assembly(backend: Backend) -> bool {
    match backend.level() {
        Level::RustCrypto | Level::Portable | Level::Neon(_) => false,
        Level::Avx2(_) | Level::Vaes(_) | Level::Avx512(_) => true,
    }
}
