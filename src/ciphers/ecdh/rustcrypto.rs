//! P-256, P-384 and P-521 with the crates of those names.

use p256::elliptic_curve::array::ArraySize;
use p256::elliptic_curve::group::{Curve as _, Group};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::{
    AffinePoint, CurveArithmetic, Field, PrimeField, ProjectivePoint, SecretKey,
};
use zeroize::{Zeroize, Zeroizing};

use super::point::Point;

/// The curve in the crates.
pub(super) trait HasCrate<const N: usize> {
    type Curve: CurveArithmetic<FieldBytesSize: ArraySize<ArrayType<u8> = [u8; N]>>;
}

impl HasCrate<32> for Point<32> {
    type Curve = p256::NistP256;
}

impl HasCrate<48> for Point<48> {
    type Curve = p384::NistP384;
}

impl HasCrate<66> for Point<66> {
    type Curve = p521::NistP521;
}

type Crate<const N: usize> = <Point<N> as HasCrate<N>>::Curve;

/// Whether coordinates are below the prime and fulfil the equation of the curve.
pub(super) fn is_on_curve<const N: usize>(point: &Point<N>) -> bool
where
    Point<N>: HasCrate<N>,
{
    affine(point).is_some()
}

/// The largest secret number: the order of the curve less 1.
pub(super) fn largest_scalar<const N: usize>() -> [u8; N]
where
    Point<N>: HasCrate<N>,
{
    (-<Crate<N> as CurveArithmetic>::Scalar::ONE).to_repr().into()
}

/// A secret number in the range of the curve. Zeroized on drop.
pub(super) struct Scalar<const N: usize>(SecretKey<Crate<N>>)
where
    Point<N>: HasCrate<N>;

impl<const N: usize> Scalar<N>
where
    Point<N>: HasCrate<N>,
{
    /// Checks the range.
    pub(super) fn new(number: &[u8; N]) -> Option<Self> {
        SecretKey::from_slice(number).ok().map(Self)
    }

    /// Multiplies the base point.
    pub(super) fn public(&self) -> Point<N> {
        let scalar = Zeroizing::new(self.0.to_nonzero_scalar());
        let product = ProjectivePoint::<Crate<N>>::mul_by_generator(&scalar).to_affine();
        Point { x: product.x().into(), y: product.y().into() }
    }

    /// Multiplies a point and returns the coordinate x.
    pub(super) fn agree(&self, public: &Point<N>) -> Zeroizing<[u8; N]> {
        let point = ProjectivePoint::<Crate<N>>::from(affine(public).expect("it was checked"));
        let scalar = Zeroizing::new(self.0.to_nonzero_scalar());
        let product = Zeroizing::new(point * **scalar);
        let mut x = Zeroizing::new(product.to_affine()).x();
        let shared = Zeroizing::new(x.into());
        x.as_mut_slice().zeroize();
        shared
    }
}

/// Converts a point to the crate's type; `None` if it is not on the curve.
fn affine<const N: usize>(point: &Point<N>) -> Option<AffinePoint<Crate<N>>>
where
    Point<N>: HasCrate<N>,
{
    AffinePoint::<Crate<N>>::from_coordinates(&point.x.into(), &point.y.into()).into_option()
}
