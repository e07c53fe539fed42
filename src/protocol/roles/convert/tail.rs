//! The beginning and the end of the text, which show whether the key was right.

use super::Padding;
use crate::ciphers::Wiped;
use crate::ciphers::des::BLOCK;
use crate::protocol::model::{Error, NoPadding, OldDataFault, Place, Result};

/// Bytes of text that are held back, so that nothing is written of data that proves wrong within them.
pub(super) const HELD: usize = 1 << 20;

/// The beginning of the text, held back until there is more of it or the end was right.
pub(super) struct Beginning {
    held: Option<Wiped>,
}

impl Beginning {
    pub(super) fn new() -> Self {
        // It never grows, which would leave copies of the text in memory.
        Self { held: Some(Wiped::with_capacity(HELD)) }
    }

    /// Passes text on, or keeps it.
    pub(super) fn write(
        &mut self,
        text: &[u8],
        write: &mut impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        match &mut self.held {
            None => write(text),
            Some(held) if held.len() + text.len() <= HELD => {
                held.extend_from_slice(text);
                Ok(())
            }
            Some(_) => {
                self.release(write)?;
                write(text)
            }
        }
    }

    /// Passes on what was kept; after this, nothing more is.
    pub(super) fn release(&mut self, write: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self.held.take() {
            Some(held) if !held.is_empty() => write(&held),
            Some(_) | None => Ok(()),
        }
    }
}

/// The end of the text: holds back the last block until it is known to be the last.
pub(super) struct Tail {
    pub(super) padding: Padding,
    /// Whether the data consists of whole blocks.
    pub(super) whole: bool,
    /// Whether the key was derived from a password.
    pub(super) derived: bool,
    held: Option<[u8; BLOCK]>,
}

impl Tail {
    pub(super) fn new(padding: Padding, whole: bool, derived: bool) -> Self {
        Self { padding, whole, derived, held: None }
    }

    /// Takes a decrypted piece that begins at byte `start` of the input, and passes on its text.
    pub(super) fn write(
        &mut self,
        piece: &[u8],
        start: u64,
        last: bool,
        place: &Place,
        mut write: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut pass_on = |text: &[u8]| if text.is_empty() { Ok(()) } else { write(text) };
        if self.padding == Padding::None && !self.whole {
            return pass_on(piece);
        }
        let (blocks, part) = piece.split_at(piece.len() - piece.len() % BLOCK);
        let end = start + blocks.len() as u64;
        if let Some((text, block)) = blocks.split_last_chunk() {
            let before = self.held.replace(*block);
            pass_on(before.as_ref().map_or(&[], |block| block))?;
            pass_on(text)?;
        }
        if !part.is_empty() {
            pass_on(self.held.as_ref().map_or(&[], |block| block))?;
            let fault = OldDataFault::CutBlock { at: end, found: part.len(), expected: BLOCK };
            return Err(Error::malformed(place, fault));
        }
        if !last {
            return Ok(());
        }
        let block = self.held.as_ref().map_or(&[][..], |block| block);
        let text = self.padding.strip(block).ok_or_else(|| {
            let padding = self.padding.title();
            match end.checked_sub(BLOCK as u64).filter(|_| !block.is_empty()) {
                Some(at) => {
                    let found = NoPadding { padding, at: Some(at), derived: self.derived };
                    Error::NotDecrypted { place: place.clone(), found }
                }
                None => Error::malformed(place, OldDataFault::NoData { at: end, padding }),
            }
        })?;
        pass_on(&block[..text])
    }
}
