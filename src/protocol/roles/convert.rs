//! Old data: raw DES and triple DES turned into plaintext, on all cores.
//!
//! Such data has no tag. Nothing here can detect whether it was altered or whether the key is
//! right; bad padding at its end is a hint of either, but no proof.

mod old_key;
mod reader;
#[cfg(test)]
mod tests;
mod toy;

use std::io::Read;

pub use old_key::{OldCipher, OldKey, read_iv, read_key};
pub use toy::ToyEncryption;

use crate::ciphers::cpu::Backend;
use crate::ciphers::des::BLOCK;
use crate::protocol::model::{Error, OldDataFault, Place, Result};
use crate::protocol::pipeline::{Chunking, Workers};
use crate::protocol::roles::client::Totals;
use old_key::Mode;

/// Bytes decrypted at once: enough that starting costs nothing, few enough for the second-level cache.
const PIECE: usize = 256 << 10;

/// Padding of the last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// 1 to 8 bytes, each of which holds their number (PKCS #7, RFC 5652 section 6.3).
    Pkcs7,
    /// 0 to 7 zero bytes. Zeros at the end of the text are removed with them.
    Zero,
    /// No padding.
    None,
}

/// Source of the initialization vector: in CTR mode it is the first counter, in ECB mode there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iv {
    /// Known in advance; ignored in ECB mode.
    Known([u8; BLOCK]),
    /// The first 8 bytes of the data.
    InFront,
}

/// Settings for decrypting old data.
#[derive(Debug)]
pub struct Decryption {
    /// The key, with its cipher.
    pub key: OldKey,
    /// The initialization vector.
    pub iv: Iv,
    /// The padding of the last block.
    pub padding: Padding,
}

impl Decryption {
    /// Decrypts `input`, and passes the text to `write` piece by piece.
    ///
    /// # Errors
    /// [`Error::Malformed`] for data that is not in whole blocks or lacks the expected padding,
    /// after the blocks before have been written; [`Error::Io`]; and errors of `write`.
    pub fn run(
        &self,
        workers: &Workers,
        mut input: Box<dyn Read + Send>,
        place: &Place,
        mut write: impl FnMut(&[u8], &Totals) -> Result<()>,
    ) -> Result<Totals> {
        let mut totals = Totals::default();
        let iv = match self.iv {
            Iv::Known(iv) => iv,
            Iv::InFront => take_iv(&mut input, place)?,
        };
        if self.iv == Iv::InFront {
            totals.read = BLOCK as u64;
        }
        let mut chain = iv;
        let mut tail = Tail { padding: self.padding, whole: self.key.whole_blocks(), held: None };
        let backend = Backend::detect();
        workers.run_chunks(
            input,
            place,
            Chunking { len: PIECE, room: 0, count: 1 },
            |piece| {
                let first = piece.first * (PIECE / BLOCK) as u64;
                self.decrypt(backend, iv, first, piece.cells())
            },
            |last_block, piece| {
                if self.key.mode() == Mode::Cbc {
                    // The ciphertext block before a piece is known only at this point.
                    let first = piece.cells().iter_mut().zip(chain);
                    first.for_each(|(byte, chain)| *byte ^= chain);
                    chain = last_block;
                }
                let start = totals.read;
                totals.read += piece.read as u64;
                let last = piece.last;
                tail.write(piece.cells(), start, last, place, |text| {
                    totals.written += text.len() as u64;
                    write(text, &totals)
                })
            },
        )?;
        Ok(totals)
    }

    /// Decrypts a piece whose first block has number `first`, except for the chaining that CBC mode
    /// adds to that block; a partial block at the end is left unchanged. Returns the last
    /// ciphertext block.
    fn decrypt(
        &self,
        backend: Backend,
        iv: [u8; BLOCK],
        first: u64,
        data: &mut [u8],
    ) -> [u8; BLOCK] {
        let whole = match self.key.whole_blocks() {
            true => data.len() - data.len() % BLOCK,
            false => data.len(),
        };
        let data = &mut data[..whole];
        let last_block = data.last_chunk().copied().unwrap_or_default();
        self.key.decrypt(backend, iv, first, data);
        last_block
    }
}

/// Reads the initialization vector from the front of the data.
fn take_iv(input: &mut dyn Read, place: &Place) -> Result<[u8; BLOCK]> {
    let mut iv = Vec::new();
    let read = input.take(BLOCK as u64).read_to_end(&mut iv);
    read.map_err(|error| Error::io(place, "cannot read", error))?;
    iv.as_slice().try_into().map_err(|_| {
        Error::malformed(place, OldDataFault::NoIv { found: iv.len(), expected: BLOCK })
    })
}

/// The end of the text: holds back the last block until it is known to be the last.
struct Tail {
    padding: Padding,
    whole: bool,
    held: Option<[u8; BLOCK]>,
}

impl Tail {
    /// Takes a decrypted piece that begins at byte `start` of the input, and passes on its text.
    fn write(
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
        let text = strip(block, self.padding).ok_or_else(|| {
            let fault = match end.checked_sub(BLOCK as u64).filter(|_| !block.is_empty()) {
                Some(at) => OldDataFault::NoPadding(at),
                None => OldDataFault::NoData(end),
            };
            Error::malformed(place, fault)
        })?;
        pass_on(&block[..text])
    }
}

/// Length in bytes of the text in the last block, if its padding is valid.
fn strip(block: &[u8], padding: Padding) -> Option<usize> {
    match padding {
        Padding::None => Some(block.len()),
        Padding::Zero => {
            let zeros = block.iter().rev().take(BLOCK - 1).take_while(|byte| **byte == 0);
            Some(block.len() - zeros.count())
        }
        Padding::Pkcs7 => {
            let count = *block.last()?;
            let text = block.len().checked_sub(usize::from(count)).filter(|_| count > 0)?;
            block[text..].iter().all(|byte| *byte == count).then_some(text)
        }
    }
}
