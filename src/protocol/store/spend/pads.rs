//! The unused bytes of a pad, or of a client's piece of one.

use std::ops::Range;

use super::{KeyStore, Left, Patience, Reserved, change_left};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{Error, KeyError, Place, Result};

/// Minimum number of bytes of pad in the first block that is reserved.
const FIRST_PIECE: u64 = 64 << 10;

/// Divisor of the pad's length for the first block, if the result is larger than `FIRST_PIECE`:
/// every block requires writing the whole file again.
const FIRST_PART: u64 = 16;

/// Maximum number of pieces that were given back; if there are more, the shortest are lost.
const MOST_GAPS: usize = 256;

/// The unused bytes of a pad, or of a client's piece of one. They are used up from the front. If
/// one process gives back bytes after another process has reserved later ones, they form a gap;
/// gaps are used first.
#[derive(Debug)]
pub struct Pads<'s, S: ?Sized> {
    store: &'s S,
    bundle: Place,
    key: Jwk<EncryptingKey>,
    pad: Pad,
    /// Reserved but not used, as a range in `pad`.
    reserved: Range<u64>,
    used: u64,
    block: u64,
}

impl<'s, S: KeyStore + ?Sized> Pads<'s, S> {
    /// Manages the pad of a key in a client's file named `bundle`, or of a lone key.
    pub fn new(store: &'s S, bundle: Place, key: Jwk<EncryptingKey>, pad: Pad) -> Self {
        let block = FIRST_PIECE.max(pad.len() / FIRST_PART);
        Self { store, bundle, key, pad, reserved: 0..0, used: 0, block }
    }

    /// Reserves the bytes for all orders at a place together, before the first of them is sealed.
    ///
    /// # Errors
    /// [`KeyError::PadShort`] if too little is left.
    pub fn expect(&mut self, needed: u64, place: &Place) -> Result<()> {
        self.block = 0;
        match self.make_ready(needed)? {
            Ok(()) => Ok(()),
            Err(left) => Err(Error::key(place, KeyError::PadShort { needed, left })),
        }
    }

    /// Takes a key for each of the orders that start at a line: a piece of pad as long as the order.
    ///
    /// # Errors
    /// [`KeyError::PadShort`] at the first line for which too little is left; nothing is used then.
    pub fn take(&mut self, orders: &[&[u8]], first: &Place) -> Result<Vec<Jwk<EncryptingKey>>> {
        let needed = orders.iter().map(|order| order.len() as u64).sum();
        if let Err(left) = self.make_ready(needed)? {
            let mut rest = left;
            let fits = |order: &&&[u8]| {
                let after = rest.checked_sub(order.len() as u64);
                rest = after.unwrap_or(rest);
                after.is_some()
            };
            let line = first.lines_on(orders.iter().take_while(fits).count() as u64);
            return Err(Error::key(&line, KeyError::PadShort { needed, left }));
        }
        let mut pieces = Vec::with_capacity(orders.len());
        for order in orders {
            let len = order.len() as u64;
            let piece = self.pad.piece(self.reserved.start, len).expect("it is reserved");
            self.reserved.start += len;
            self.used += len;
            pieces.push(self.key.with(EncryptingKey::Pad(piece)));
        }
        Ok(pieces)
    }

    /// Reserves at least `needed` bytes in one piece, or returns the number of bytes left.
    fn make_ready(&mut self, needed: u64) -> Result<std::result::Result<(), u64>> {
        let mut patience = Patience::new();
        while self.reserved.end - self.reserved.start < needed {
            match self.reserve(needed)? {
                Reserved::Enough(reserved) => self.reserved = reserved,
                Reserved::TooLittle { shared: true, .. }
                    if patience.wait_after(|| self.give_back())? => {}
                Reserved::TooLittle { left, .. } => return Ok(Err(left)),
            }
        }
        Ok(Ok(()))
    }

    /// Exchanges the reserved piece for one that is long enough.
    fn reserve(&mut self, needed: u64) -> Result<Reserved<Range<u64>>> {
        let block = self.block;
        self.block *= 2;
        let (reserved, len) = (self.reserved.clone(), self.pad.len());
        self.change(|left| {
            let mut free = Free::of(left, len);
            free.add(reserved);
            match free.take(needed, block) {
                Some(piece) => {
                    free.store(left);
                    Ok(Reserved::Enough(piece))
                }
                None => {
                    let shared = self.store.is_shared()?;
                    Ok(Reserved::TooLittle { left: free.longest(), shared })
                }
            }
        })
    }

    /// Gives back the bytes that were reserved but not used.
    ///
    /// # Errors
    /// [`Error::Io`]; the bytes are then lost, but never used again.
    pub fn give_back(&mut self) -> Result<()> {
        let (unused, len) = (std::mem::replace(&mut self.reserved, 0..0), self.pad.len());
        if unused.is_empty() {
            return Ok(());
        }
        self.change(|left| {
            let mut free = Free::of(left, len);
            free.add(unused);
            free.store(left);
            Ok(())
        })
    }

    /// Number of bytes that stay used, whether or not the orders sealed with them have left.
    pub fn used(&self) -> u64 {
        self.used
    }

    fn change<T>(&self, change: impl FnOnce(&mut Left<'_>) -> Result<T>) -> Result<T> {
        change_left(self.store, &self.key, &self.bundle, self.pad.len(), change)
    }
}

/// The free parts of a pad: the gaps in order, and all bytes from a position on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Free {
    gaps: Vec<Range<u64>>,
    from: u64,
    len: u64,
}

impl Free {
    fn of(left: &Left<'_>, len: u64) -> Self {
        let from = len - left.count.min(len);
        // Gaps from the file are checked, as a wrong one would allow bytes to be used twice.
        let mut end = 0;
        let mut gaps: Vec<Range<u64>> = left.gaps.iter().map(|&(from, to)| from..to).collect();
        gaps.retain(|gap| {
            let fits = end <= gap.start && gap.start < gap.end && gap.end <= from;
            end = if fits { gap.end } else { end };
            fits
        });
        Self { gaps, from, len }
    }

    fn store(self, left: &mut Left<'_>) {
        left.count = self.len - self.from;
        *left.gaps = self.gaps.into_iter().map(|gap| (gap.start, gap.end)).collect();
    }

    /// Adds a piece that was taken earlier.
    fn add(&mut self, piece: Range<u64>) {
        if piece.is_empty() {
            return;
        }
        let at = self.gaps.partition_point(|gap| gap.start < piece.start);
        self.gaps.insert(at, piece);
        let mut merged: Vec<Range<u64>> = Vec::with_capacity(self.gaps.len());
        for gap in self.gaps.drain(..) {
            match merged.last_mut() {
                Some(last) if last.end == gap.start => last.end = gap.end,
                _ => merged.push(gap),
            }
        }
        if let Some(last) = merged.pop_if(|last| last.end == self.from) {
            self.from = last.start;
        }
        while merged.len() > MOST_GAPS
            && let Some(at) = (0..merged.len()).min_by_key(|&at| merged[at].end - merged[at].start)
        {
            merged.remove(at);
        }
        self.gaps = merged;
    }

    /// Takes a piece of at least `needed` bytes, and of `block` bytes if available.
    fn take(&mut self, needed: u64, block: u64) -> Option<Range<u64>> {
        let len = needed.max(block);
        if let Some(at) = self.gaps.iter().position(|gap| gap.end - gap.start >= needed) {
            let gap = &mut self.gaps[at];
            let piece = gap.start..gap.end.min(gap.start + len);
            gap.start = piece.end;
            if gap.is_empty() {
                self.gaps.remove(at);
            }
            return Some(piece);
        }
        if self.len - self.from < needed {
            return None;
        }
        let piece = self.from..self.len.min(self.from + len);
        self.from = piece.end;
        Some(piece)
    }

    /// Length of the longest piece that can be taken.
    fn longest(&self) -> u64 {
        let gaps = self.gaps.iter().map(|gap| gap.end - gap.start);
        gaps.chain([self.len - self.from]).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes and gives back pieces at random, and tracks every byte.
    #[test]
    fn no_byte_is_free_and_taken_at_once() {
        const LEN: u64 = 500;
        let mut free = Free { gaps: Vec::new(), from: 0, len: LEN };
        let mut taken: Vec<Range<u64>> = Vec::new();
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..10_000 {
            if next(2) == 0 {
                taken.extend(free.take(next(40) + 1, next(60)));
            } else if !taken.is_empty() {
                // Now and then the front of a piece is used up for good; here it comes back as well.
                let piece = taken.swap_remove(next(taken.len() as u64) as usize);
                let middle = piece.start + next(piece.end - piece.start);
                free.add(middle..piece.end);
                free.add(piece.start..middle);
            }
            let mut gaps = Vec::new();
            let mut left = Left { count: 0, gaps: &mut gaps };
            free.clone().store(&mut left);
            assert_eq!(Free::of(&left, LEN), free, "what is stored is what is read");
            let mut owners = [0; LEN as usize];
            let free_now = free.gaps.iter().cloned().chain(std::iter::once(free.from..LEN));
            for byte in free_now.chain(taken.iter().cloned()).flatten() {
                owners[byte as usize] += 1;
            }
            assert_eq!(owners, [1; LEN as usize]);
        }
    }

    #[test]
    fn gaps_that_overlap_or_reach_into_what_is_left_are_not_used() {
        let mut gaps = vec![(10, 20), (15, 30), (30, 30), (40, 50), (60, 70), (90, 101)];
        let left = Left { count: 35, gaps: &mut gaps };
        assert_eq!(Free::of(&left, 100).gaps, [10..20, 40..50]);
    }
}
