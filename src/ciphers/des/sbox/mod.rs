//! The S-boxes as circuits of three-input look-ups, of two-input logic, and of logic with
//! selections.
//!
//! `lut3.rs`, `logic.rs` and `select.rs` are generated from the circuits in the `.txt` beside each
//! by `scripts/des-sbox`, which also holds the search that found them.

pub(super) mod logic;
#[cfg(any(test, target_arch = "x86_64"))]
pub(super) mod lut3;
#[cfg(any(test, target_arch = "aarch64"))]
pub(super) mod select;

/// Two-input logic on all bits of a register.
pub(super) trait Logic: Copy {
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// Computes `self & !other`.
    fn and_not(self, other: Self) -> Self;
}

/// Logic with a selection.
#[cfg(any(test, target_arch = "aarch64"))]
pub(super) trait Select: Logic {
    /// Takes the bits of `yes` where `self` is 1, those of `no` elsewhere.
    fn select(self, yes: Self, no: Self) -> Self;
}

/// Any function of three inputs on all bits of a register.
#[cfg(any(test, target_arch = "x86_64"))]
pub(super) trait LookUp: Copy {
    /// Computes bit `4 * self + 2 * b + c` of `TABLE`.
    fn look_up<const TABLE: i32>(self, b: Self, c: Self) -> Self;
}

#[cfg(test)]
mod tests;
