//! How much of what may be used only so often.

/// How much of each limited resource.
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
    /// Whether it is nothing at all.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// What was recorded as used.
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
    /// Whether it is nothing at all.
    pub fn is_nothing(self) -> bool {
        match self {
            Self::Ids(count) | Self::Ivs(count) | Self::PadBytes(count) => count == 0,
        }
    }
}
