//! The pieces of pads that were used, of the pads that come up in a run.

use std::collections::BTreeMap;

use crate::protocol::store::uses::{PadPiece, PadSlots};

/// Pieces by pad.
#[derive(Debug, Default)]
pub(super) struct Pads(BTreeMap<PadSlots, Pieces>);

/// The end of each piece by its beginning.
type Pieces = BTreeMap<u64, u64>;

impl Pads {
    /// Whether the pieces of a pad were added.
    pub fn has(&self, pad: PadSlots) -> bool {
        self.0.contains_key(&pad)
    }

    /// Adds a pad with the pieces that have these slots.
    pub fn add_pad(&mut self, pad: PadSlots, slots: impl IntoIterator<Item = u128>) {
        let pieces = slots.into_iter().map(|slot| PadPiece::of_slot(pad, slot));
        self.0.insert(pad, pieces.map(|piece| (piece.from, piece.end)).collect());
    }

    /// Adds a piece, if its pad was added.
    pub fn add(&mut self, piece: PadPiece) {
        if let Some(pieces) = self.0.get_mut(&piece.pad) {
            pieces.insert(piece.from, piece.end);
        }
    }

    /// Whether a piece has a byte in common with one that was added.
    pub fn overlap(&self, piece: PadPiece) -> bool {
        // Those that were added do not overlap: of those that begin before its end, the last one ends last.
        let before =
            self.0.get(&piece.pad).and_then(|pieces| pieces.range(..piece.end).next_back());
        before.is_some_and(|(_, &end)| end > piece.from)
    }
}
