//! Trinomials over the field of two elements, and the test for primitivity.

use std::fmt;

use super::factors;

/// The smallest degree of a trinomial.
pub const MIN_DEGREE: u32 = 2;
/// The largest degree for which the factors of 2^P − 1 are known here.
pub const MAX_DEGREE: u32 = factors::MAX_DEGREE;

/// A primitive polynomial x^P + x^Q + 1; values of this type are always primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trinomial {
    pub(super) degree: u32,
    pub(super) tap: u32,
}

/// Reason why a trinomial is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrinomialError {
    /// The degree is too small for a trinomial, or too large to test.
    #[error(
        "degree {0} cannot be tested: the factors of 2^P - 1 are known here for P from 2 to 127, and x^127 + x + 1 is primitive"
    )]
    Degree(u32),
    /// The middle exponent is not strictly between 0 and the degree.
    #[error("the middle exponent of a trinomial of degree {degree} is from 1 to {}, found {tap}", degree - 1)]
    Tap {
        /// The degree P.
        degree: u32,
        /// The middle exponent Q.
        tap: u32,
    },
    /// The polynomial is reducible.
    #[error(
        "{} is not primitive: it is a product of smaller polynomials; {instead} is primitive", name(*degree, *tap)
    )]
    Reducible {
        /// The degree P.
        degree: u32,
        /// The middle exponent Q.
        tap: u32,
        /// A primitive trinomial of that degree, or of the next degree that has one.
        instead: Trinomial,
    },
    /// The polynomial is irreducible but not primitive: the register would repeat early.
    #[error(
        "{} is not primitive: its register repeats after (2^{degree} - 1)/{divisor} bits or sooner; {instead} is primitive", name(*degree, *tap)
    )]
    ShortPeriod {
        /// The degree P.
        degree: u32,
        /// The middle exponent Q.
        tap: u32,
        /// A prime factor that the period lacks.
        divisor: u128,
        /// A primitive trinomial of that degree, or of the next degree that has one.
        instead: Trinomial,
    },
}

/// Result of the order computation.
enum Order {
    Full,
    Reducible,
    Divides(u128),
}

impl Trinomial {
    /// Returns x^`degree` + x^`tap` + 1 if it is primitive, which is computed, not looked up.
    ///
    /// # Errors
    /// [`TrinomialError`] gives the reason and names a primitive trinomial.
    pub fn new(degree: u32, tap: u32) -> Result<Self, TrinomialError> {
        if !(MIN_DEGREE..=MAX_DEGREE).contains(&degree) {
            return Err(TrinomialError::Degree(degree));
        }
        if tap == 0 || tap >= degree {
            return Err(TrinomialError::Tap { degree, tap });
        }
        let instead = || {
            (degree..=MAX_DEGREE)
                .find_map(Self::of_degree)
                .expect("the largest degree has x^127 + x + 1")
        };
        match (Residues { degree, tap }).order_of_x() {
            Order::Full => Ok(Self { degree, tap }),
            Order::Divides(divisor) => {
                Err(TrinomialError::ShortPeriod { degree, tap, divisor, instead: instead() })
            }
            Order::Reducible => Err(TrinomialError::Reducible { degree, tap, instead: instead() }),
        }
    }

    /// Returns the primitive trinomial of a degree with the lowest middle exponent. Many degrees
    /// have none, including every multiple of 8.
    pub fn of_degree(degree: u32) -> Option<Self> {
        if !(MIN_DEGREE..=MAX_DEGREE).contains(&degree) {
            return None;
        }
        // x^P + x^(P−Q) + 1 is primitive exactly if x^P + x^Q + 1 is.
        (1..=degree / 2)
            .find(|tap| matches!(Residues { degree, tap: *tap }.order_of_x(), Order::Full))
            .map(|tap| Self { degree, tap })
    }

    /// The degree P.
    pub fn degree(self) -> u32 {
        self.degree
    }

    /// The middle exponent Q.
    pub fn tap(self) -> u32 {
        self.tap
    }
}

impl fmt::Display for Trinomial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name(self.degree, self.tap))
    }
}

fn name(degree: u32, tap: u32) -> String {
    match tap {
        1 => format!("x^{degree} + x + 1"),
        _ => format!("x^{degree} + x^{tap} + 1"),
    }
}

/// The ring of polynomials modulo x^degree + x^tap + 1. Bit i of a number is the coefficient of x^i.
struct Residues {
    degree: u32,
    tap: u32,
}

impl Residues {
    /// Computes the order of x in the ring. If it is 2^P − 1, the powers of x are all nonzero
    /// elements of the ring: the ring is a field, and the polynomial is irreducible and primitive.
    fn order_of_x(&self) -> Order {
        const X: u128 = 2;
        let mut frobenius = X;
        for _ in 0..self.degree {
            frobenius = self.multiply(frobenius, frobenius);
        }
        if frobenius != X {
            return Order::Reducible;
        }
        let full = u128::MAX >> (128 - self.degree);
        match factors::of_order(self.degree).find(|prime| self.power_of_x(full / prime) == 1) {
            None => Order::Full,
            Some(prime) => Order::Divides(prime),
        }
    }

    fn power_of_x(&self, exponent: u128) -> u128 {
        (0..128 - exponent.leading_zeros()).rev().fold(1, |power, i| {
            let square = self.multiply(power, power);
            if exponent >> i & 1 == 1 { self.multiply_by_x(square) } else { square }
        })
    }

    fn multiply(&self, a: u128, b: u128) -> u128 {
        (0..self.degree)
            .rev()
            .fold(0, |product, i| self.multiply_by_x(product) ^ a & (b >> i & 1).wrapping_neg())
    }

    fn multiply_by_x(&self, a: u128) -> u128 {
        let polynomial = 1 << self.degree | 1 << self.tap | 1;
        let shifted = a << 1;
        shifted ^ polynomial & (shifted >> self.degree & 1).wrapping_neg()
    }
}
