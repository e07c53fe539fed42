//! Amounts of limited resources: ids, IVs and pad bytes.

/// Amount of each limited resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Transaction ids, each for one order.
    pub ids: u64,
    /// Random IVs.
    pub ivs: u64,
    /// Bytes of pads.
    pub pad_bytes: u64,
}

impl Amounts {
    /// Whether all amounts are zero.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Amount that was recorded as used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// Transaction ids.
    Ids(u64),
    /// Random IVs of a key's budget.
    Ivs(u64),
    /// Bytes of a one-time pad.
    PadBytes(u64),
}

impl Spent {
    /// Whether the amount is zero.
    pub fn is_empty(self) -> bool {
        match self {
            Self::Ids(count) | Self::Ivs(count) | Self::PadBytes(count) => count == 0,
        }
    }
}
