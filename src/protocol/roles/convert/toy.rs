//! Encryption by the toy DES, for teaching, as shown in figure 2.

use std::io::Read;

use super::PIECE;
use super::old_key::read_toy_key;
use crate::ciphers::cpu::Backend;
use crate::ciphers::toy_des::ToyDes;
use crate::protocol::model::{Place, Result};
use crate::protocol::pipeline::{Chunking, Workers};
use crate::protocol::roles::client::Totals;

/// Encrypts bytes one by one with the toy DES, which protects nothing.
#[derive(Debug)]
pub struct ToyEncryption(ToyDes);

impl ToyEncryption {
    /// Reads the key from the content of its file: 3 hexadecimal digits with optional white space
    /// around them.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::protocol::model::Error::Malformed) for anything else.
    pub fn new(key: &[u8], place: &Place) -> Result<Self> {
        read_toy_key(key, place).map(Self)
    }

    /// Encrypts `input`, and passes the result to `write` piece by piece.
    ///
    /// # Errors
    /// [`Error::Io`](crate::protocol::model::Error::Io), and those of `write`.
    pub fn run(
        &self,
        workers: &Workers,
        input: Box<dyn Read + Send>,
        place: &Place,
        mut write: impl FnMut(&[u8], &Totals) -> Result<()>,
    ) -> Result<Totals> {
        let mut totals = Totals::default();
        let backend = Backend::detect();
        let chunking = Chunking { len: PIECE, room: 0, count: 1 };
        workers.run_chunks(
            input,
            place,
            chunking,
            |piece| self.0.encrypt(backend, piece.cells()),
            |(), piece| {
                totals.read += piece.read as u64;
                totals.written += piece.read as u64;
                write(piece.cells(), &totals)
            },
        )?;
        Ok(totals)
    }
}
