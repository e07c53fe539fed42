//! Points of P-256, P-384 and P-521.

/// A point of a curve, not the identity: coordinates of `N` bytes, big-endian. The length tells the
/// curves apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Point<const N: usize> {
    pub(super) x: [u8; N],
    pub(super) y: [u8; N],
}
