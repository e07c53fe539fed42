//! What a shop remembers of the orders that it opened, so that each opens once.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use crate::ciphers::cut::part;
use crate::protocol::model::{Kid, Result};

/// An order that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// What may be used once: a transaction id; for keys that may be used again, the order itself.
    pub slot: u128,
    /// The order: half of its hash. Another order in the same slot has another mark.
    pub mark: u128,
}

impl Use {
    /// The use of a listed transaction id by an order with this hash.
    pub fn of_id(kid: &Kid, line: &[u8; 32]) -> Self {
        let hash = Sha256::new().chain_update(b"orderseal ledger id\0").chain_update(kid.as_str());
        Self { slot: first_half(&hash.finalize().into()), mark: second_half(line) }
    }

    /// The use of a leaf of a key tree.
    pub fn of_leaf(tree: TreeSlots, leaf: u32, line: &[u8; 32]) -> Self {
        Self { slot: tree.0 | u128::from(leaf), mark: second_half(line) }
    }

    /// The use of bytes of a pad by an order with this hash.
    pub fn of_piece(piece: PadPiece, line: &[u8; 32]) -> Self {
        Self { slot: piece.slot(), mark: second_half(line) }
    }

    /// The use of a key that may be used again, where only the order itself must be new.
    pub fn of_order(line: &[u8; 32]) -> Self {
        Self { slot: first_half(line), mark: second_half(line) }
    }
}

/// The slots of a key tree: those with the same first 96 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeSlots(u128);

impl TreeSlots {
    /// The slots of the tree whose leaves have names that begin with `name`.
    pub fn new(name: &str) -> Self {
        let hash = Sha256::new().chain_update(b"orderseal ledger tree\0").chain_update(name);
        Self(first_half(&hash.finalize().into()) >> 32 << 32)
    }
}

/// The slots of a pad: those with the same first 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PadSlots(u64);

impl PadSlots {
    /// The slots of the pad with this MAC key. Its name does not count: a new pad may get the name of
    /// one that was used up.
    pub fn new(mac_key: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(b"orderseal ledger pad\0").chain_update(mac_key);
        Self((first_half(&hash.finalize().into()) >> 64) as u64)
    }

    /// All slots of the pad.
    pub fn all(self) -> RangeInclusive<u128> {
        let first = u128::from(self.0) << 64;
        first..=first | u128::from(u64::MAX)
    }
}

/// Bytes of a pad with which an order was sealed, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PadPiece {
    /// The pad.
    pub pad: PadSlots,
    /// The first byte.
    pub from: u64,
    /// The byte after the last.
    pub end: u64,
}

/// Bits of a slot that have the length of a piece, less one.
const LEN_BITS: u32 = 24;

impl PadPiece {
    /// A piece of `len` bytes that begins at byte `from`; `None` if an order cannot have it.
    pub fn new(pad: PadSlots, from: u64, len: u64) -> Option<Self> {
        let fits = (1..=1 << LEN_BITS).contains(&len) && from < 1 << (64 - LEN_BITS);
        fits.then(|| Self { pad, from, end: from + len })
    }

    /// The piece with this slot of a pad.
    pub fn of_slot(pad: PadSlots, slot: u128) -> Self {
        let (from, len) = (slot as u64 >> LEN_BITS, slot as u64 % (1 << LEN_BITS) + 1);
        Self { pad, from, end: from + len }
    }

    fn slot(self) -> u128 {
        self.pad.all().start() | u128::from(self.from << LEN_BITS | (self.end - self.from - 1))
    }
}

fn first_half(hash: &[u8; 32]) -> u128 {
    u128::from_be_bytes(*part::<0, _, _>(hash))
}

fn second_half(hash: &[u8; 32]) -> u128 {
    u128::from_be_bytes(*part::<16, _, _>(hash))
}

/// What is known about a slot that was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// It was used by another order.
    OtherOrder,
    /// Some of the same bytes of a pad were used by another order.
    Overlap,
    /// It was used by the same order.
    SameOrder,
    /// The same order was being handed on by a run that did not finish.
    Unfinished,
}

/// The memory of the orders that were opened.
pub trait UseLedger {
    /// Enters an order that is about to be handed on.
    ///
    /// # Errors
    /// Those of reading the ledger.
    fn enter(&mut self, used: Use) -> Result<std::result::Result<(), Earlier>>;

    /// Enters an order with this [hash](crate::protocol::jose::jwe::line_hash) that is about to be
    /// handed on and that used these bytes of a pad, none of which another order may use.
    ///
    /// # Errors
    /// As [`enter`](Self::enter).
    fn enter_piece(
        &mut self,
        piece: PadPiece,
        line: &[u8; 32],
    ) -> Result<std::result::Result<(), Earlier>>;

    /// Makes what was entered durable, as far as that has to be done before it is written to the
    /// output.
    ///
    /// # Errors
    /// Those of writing the ledger.
    fn secure(&mut self) -> Result<()>;
}
