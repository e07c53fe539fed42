//! Why components of keys are rejected.

use super::Curve;

/// Reason why the components of a key are rejected. Members are named as in RFC 7518 section 6.2 and
/// RFC 8037 section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A member of the wrong length.
    #[error("member {member:?} has {found} bytes, {} takes {}", .curve.name(), .curve.bytes())]
    Length {
        /// The member.
        member: &'static str,
        /// The curve.
        curve: Curve,
        /// Length found.
        found: usize,
    },
    /// Coordinates that are no point of the curve, or not below its prime.
    #[error("members \"x\" and \"y\" are not a point of {}", .0.name())]
    NotOnCurve(Curve),
    /// A point that makes every shared secret zero (RFC 7748 section 6.1).
    #[error("member \"x\" is a point of low order, with which every shared secret is zero")]
    LowOrder,
    /// A secret number that is zero or not below the order of the curve.
    #[error("member \"d\" is zero, or not below the order of {}", .0.name())]
    Range(Curve),
    /// The public key does not belong to the secret number.
    #[error("member \"d\" is not the secret number of the public key")]
    Halves,
}

/// Converts the bytes of a member of a key.
pub(super) fn array<const N: usize>(
    curve: Curve,
    member: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], KeyError> {
    bytes.try_into().map_err(|_| KeyError::Length { member, curve, found: bytes.len() })
}
