//! Old data: raw DES and triple DES turned into plaintext, on all cores.
//!
//! Such data has no tag. Nothing here can detect whether it was altered or whether the key is
//! right; bad padding at its end is a hint of either, but no proof.

mod armor;
mod lines;
mod modes;
mod old_cipher;
mod old_key;
mod padding;
mod password;
mod reader;
mod tail;
#[cfg(test)]
mod tests;
mod toy;

use std::io::Read;

pub use armor::Armor;
pub use lines::{ValueIv, ValueOpener, Values};
pub use old_cipher::OldCipher;
pub use old_key::{OldKey, read_iv, read_key};
pub use padding::Padding;
pub use password::{Kdf, OPENSSL_ROUNDS, OldPassword};
pub use toy::ToyEncryption;

use crate::ciphers::cpu::Backend;
use crate::ciphers::des::BLOCK;
use crate::protocol::model::{Error, OldDataFault, Place, Result};
use crate::protocol::pipeline::{Chunking, Workers};
use crate::protocol::roles::client::Totals;
use old_cipher::Mode;
use tail::{Beginning, Tail};

/// Bytes decrypted at once: enough that starting costs nothing, few enough for the second-level cache.
const PIECE: usize = 256 << 10;

/// Source of the initialization vector: in CTR mode it is the first counter, in ECB mode there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iv {
    /// Known in advance; ignored in ECB mode.
    Known([u8; BLOCK]),
    /// The first 8 bytes of the data.
    InFront,
}

/// What decrypts old data.
#[derive(Debug)]
pub enum Opener {
    /// A key.
    Key {
        /// The key, with its cipher.
        key: OldKey,
        /// The initialization vector.
        iv: Iv,
    },
    /// A password, from which the key and the initialization vector are derived with the salt in front
    /// of the data.
    Password(OldPassword),
}

/// Settings for decrypting old data.
#[derive(Debug)]
pub struct Decryption {
    /// What decrypts it.
    pub with: Opener,
    /// The padding of the last block.
    pub padding: Padding,
}

impl Decryption {
    /// Decrypts `input`, and passes the text to `write` piece by piece; the first MiB only when the
    /// text is longer or has ended as it should.
    ///
    /// # Errors
    /// [`Error::Malformed`] for data that is not in whole blocks; [`Error::NotDecrypted`] for data that
    /// lacks the expected padding, after what is longer than a MiB has been written; [`Error::Io`]; and
    /// errors of `write`.
    pub fn run(
        &self,
        workers: &Workers,
        mut input: Box<dyn Read + Send>,
        place: &Place,
        mut write: impl FnMut(&[u8], &Totals) -> Result<()>,
    ) -> Result<Totals> {
        let mut totals = Totals::default();
        let derived;
        let (key, iv) = match &self.with {
            Opener::Key { key, iv: Iv::Known(iv) } => (key, *iv),
            Opener::Key { key, iv: Iv::InFront } => {
                totals.read = BLOCK as u64;
                (key, take_iv(&mut input, place)?)
            }
            Opener::Password(password) => {
                totals.read = password::HEADER as u64;
                let header = take(&mut input, password::HEADER, place)?;
                derived = password.derive(&header, place)?;
                (&derived.0, derived.1)
            }
        };
        let is_derived = match self.with {
            Opener::Key { .. } => false,
            Opener::Password(_) => true,
        };
        let mut chain = iv;
        let mut beginning = Beginning::new();
        let mut tail = Tail::new(self.padding, key.whole_blocks(), is_derived);
        let backend = Backend::detect();
        let written = &mut 0;
        workers.run_chunks(
            input,
            place,
            Chunking { len: PIECE, room: 0, count: 1 },
            |piece| {
                let first = piece.first * (PIECE / BLOCK) as u64;
                key.decrypt_piece(backend, iv, first, piece.cells())
            },
            |last_block, piece| {
                key.finish_piece(backend, &mut chain, last_block, piece.cells());
                let start = totals.read;
                totals.read += piece.read as u64;
                let last = piece.last;
                let mut write = |text: &[u8]| {
                    *written += text.len() as u64;
                    write(text, &Totals { written: *written, ..totals })
                };
                let kept = |text: &[u8]| beginning.write(text, &mut write);
                tail.write(piece.cells(), start, last, place, kept)?;
                if last { beginning.release(&mut write) } else { Ok(()) }
            },
        )?;
        Ok(Totals { written: *written, ..totals })
    }
}

impl OldKey {
    /// Decrypts a piece whose first block has number `first`, except for what depends on the ciphertext
    /// before it: see [`Self::finish_piece`]. A partial block at the end of what has whole blocks is left
    /// unchanged. Returns the last ciphertext block.
    fn decrypt_piece(
        &self,
        backend: Backend,
        iv: [u8; BLOCK],
        first: u64,
        data: &mut [u8],
    ) -> [u8; BLOCK] {
        let whole = match self.whole_blocks() {
            true => data.len() - data.len() % BLOCK,
            false => data.len(),
        };
        let data = &mut data[..whole];
        let last_block = data.last_chunk().copied().unwrap_or_default();
        match self.mode() {
            Mode::Ecb | Mode::Cbc => self.decrypt(backend, [0; BLOCK], data),
            Mode::Ctr => {
                let counter = u64::from_be_bytes(iv).wrapping_add(first);
                self.decrypt(backend, counter.to_be_bytes(), data);
            }
            Mode::Cfb | Mode::Cfb8 => {
                if let Some((before, rest)) = data.split_first_chunk_mut() {
                    self.decrypt(backend, *before, rest);
                }
            }
            Mode::Ofb => {}
        }
        last_block
    }

    /// Decrypts what depends on the ciphertext before a piece, which is known only in the order of the
    /// input: the first block, in CBC and CFB mode, or all of it in OFB mode, whose key stream has no
    /// shortcut. `chain` is the ciphertext block before the piece (OFB: the key stream's), then the last
    /// one in it.
    fn finish_piece(
        &self,
        backend: Backend,
        chain: &mut [u8; BLOCK],
        last_block: [u8; BLOCK],
        data: &mut [u8],
    ) {
        match self.mode() {
            Mode::Ecb | Mode::Ctr => {}
            Mode::Cbc => data.iter_mut().zip(*chain).for_each(|(byte, chain)| *byte ^= chain),
            Mode::Cfb | Mode::Cfb8 => {
                let first = data.len().min(BLOCK);
                self.decrypt(backend, *chain, &mut data[..first]);
            }
            Mode::Ofb => self.decrypt(backend, *chain, data),
        }
        *chain = last_block;
        if self.mode() == Mode::Ofb
            && let Some(text) = data.last_chunk::<BLOCK>()
        {
            chain.iter_mut().zip(text).for_each(|(chain, text)| *chain ^= text);
        }
    }
}

/// Reads bytes from the front of the data, or all of it if it is shorter.
fn take(input: &mut dyn Read, count: usize, place: &Place) -> Result<Vec<u8>> {
    let mut front = Vec::new();
    let read = input.take(count as u64).read_to_end(&mut front);
    read.map_err(|error| Error::io(place, "cannot read", error))?;
    Ok(front)
}

/// Reads the initialization vector from the front of the data.
fn take_iv(input: &mut dyn Read, place: &Place) -> Result<[u8; BLOCK]> {
    let iv = take(input, BLOCK, place)?;
    iv.as_slice().try_into().map_err(|_| {
        Error::malformed(place, OldDataFault::NoIv { found: iv.len(), expected: BLOCK })
    })
}
