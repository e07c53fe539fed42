//! Counts how much of the pads was used, according to the lines of sealed orders: for the shop,
//! whose file keeps no such record.

use std::collections::BTreeMap;
use std::io::Read;

use crate::ciphers::base64url;
use crate::protocol::jose::jwe::{Header, MAX_SEALED_LINE, Sealed, Shape, Token};
use crate::protocol::model::{Kid, Place, Result};
use crate::protocol::pipeline::{Block, LineLimits, Part, Workers};
use crate::protocol::store::keyfile::AnyKeys;

/// The pads of a key file, with one bit per byte of pad that marks it as used.
pub struct PadUse {
    pads: BTreeMap<Option<Kid>, Used>,
}

struct Used {
    offset: u64,
    len: u64,
    bits: Vec<u64>,
    twice: u64,
}

/// Numbers of pad bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Used by at least one order.
    pub used: u64,
    /// Reused, counted once per reuse: orders encrypted with these bytes are no longer secret.
    pub twice: u64,
}

/// The piece of pad that an order used: key name, offset of the first byte, and length.
type Piece = (Option<Kid>, u64, u64);

impl PadUse {
    /// Creates a count for the pads of a file, with nothing used yet.
    pub fn new(keys: &dyn AnyKeys) -> Self {
        let pads = keys.views().filter_map(|key| {
            let pad = key.material.pad()?;
            Some((key.kid.cloned(), Used::new(pad.offset(), pad.len())))
        });
        Self { pads: pads.collect() }
    }

    /// Adds the pieces that a batch of sealed orders used. Nothing is opened or verified. Lines of
    /// other keys, and lines that cannot have been sealed under a pad of the file, are ignored.
    ///
    /// # Errors
    /// Errors of reading, and a line that is too long.
    pub fn add(
        &mut self,
        workers: &Workers,
        input: Box<dyn Read + Send>,
        place: &Place,
    ) -> Result<()> {
        let limits =
            LineLimits { max_line: MAX_SEALED_LINE, what: "sealed line", max_lines: usize::MAX };
        workers.run(
            vec![Part { place: place.clone(), reader: input }],
            limits,
            |_| Ok(()),
            |block: &mut Block, ()| {
                let pieces = block.lines().into_iter().filter_map(|line| piece(line, Shape::Line));
                pieces.collect::<Vec<Piece>>()
            },
            |pieces, _| {
                for (kid, offset, len) in pieces {
                    if let Some(used) = self.pads.get_mut(&kid) {
                        used.mark(offset, len);
                    }
                }
                Ok(())
            },
        )
    }

    /// Totals for the pads whose key names `chosen` accepts.
    pub fn totals(&self, chosen: impl Fn(Option<&Kid>) -> bool) -> Totals {
        let pads = self.pads.iter().filter(|(kid, _)| chosen(kid.as_ref()));
        pads.fold(Totals::default(), |sum, (_, used)| Totals {
            used: sum.used + used.bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>(),
            twice: sum.twice + used.twice,
        })
    }
}

/// The piece of pad that an order claims to have used.
pub(super) fn piece(order: &[u8], shape: Shape) -> Option<Piece> {
    let sealed = Sealed::read(order, shape).ok()??;
    let Token { header, iv, ciphertext, .. } = sealed.tokens().next()?;
    let mut text = Vec::new();
    let header = Header::decode(header, &mut text).ok()?;
    let kid = match header.kid {
        Some(kid) => Some(Kid::new(&kid)?),
        None => None,
    };
    let offset = base64url::decode_to_vec(iv)?.try_into().ok()?;
    let len = base64url::decoded_length(ciphertext.len())?;
    Some((kid, u64::from_be_bytes(offset), len as u64))
}

impl Used {
    fn new(offset: u64, len: u64) -> Self {
        Self { offset, len, bits: vec![0; len.div_ceil(64) as usize], twice: 0 }
    }

    fn mark(&mut self, offset: u64, len: u64) {
        let Some(from) = offset.checked_sub(self.offset) else { return };
        let Some(end) = from.checked_add(len).filter(|end| *end <= self.len) else { return };
        for byte in from..end {
            let (word, bit) = (&mut self.bits[(byte / 64) as usize], 1 << (byte % 64));
            self.twice += u64::from(*word & bit != 0);
            *word |= bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_once_and_what_is_outside_is_not() {
        let mut used = Used::new(100, 130);
        for (offset, len) in [(100, 64), (229, 1), (99, 1), (229, 2), (u64::MAX, 2), (110, 0)] {
            used.mark(offset, len);
        }
        let pads = BTreeMap::from([(None, used)]);
        let mut all = PadUse { pads };
        assert_eq!(all.totals(|_| true), Totals { used: 65, twice: 0 });
        all.pads.get_mut(&None).unwrap().mark(160, 10);
        assert_eq!(all.totals(|_| true), Totals { used: 71, twice: 4 });
        assert_eq!(all.totals(|kid| kid.is_some()), Totals::default());
    }
}
