//! Readers that decrypt old data.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;

use super::{Decryption, Values};
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::pipeline::Workers;

/// Maximum number of pieces of text that wait to be read.
const AHEAD: usize = 4;

impl Decryption {
    /// Returns a reader for the text of `input`, which is decrypted as it is read. Errors are
    /// returned by the reader as an [`io::Error`]; [`Error::io`] recovers the original.
    pub fn into_reader(
        self,
        workers: &Workers,
        input: Box<dyn Read + Send>,
        place: Place,
    ) -> Box<dyn Read + Send> {
        let workers = workers.clone();
        read(move |write| self.run(&workers, input, &place, |text, _| write(text)).map(drop))
    }
}

impl Values {
    /// Returns a reader for the texts of the lines of `input`, as [`Decryption::into_reader`] does; it
    /// fails at the first line that is wrong.
    pub fn into_reader(
        self,
        workers: &Workers,
        input: Box<dyn Read + Send>,
        place: Place,
    ) -> Box<dyn Read + Send> {
        let workers = workers.clone();
        read(move |write| self.run(&workers, input, &place, |text, _| write(text), Err).map(drop))
    }
}

/// Returns a reader for what `run` passes to its argument on a thread of its own.
fn read(
    run: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> + Send + 'static,
) -> Box<dyn Read + Send> {
    let (sender, pieces) = sync_channel(AHEAD);
    let text = sender.clone();
    let started = Builder::new().spawn(move || {
        let done = run(&mut |piece| send(&text, piece));
        // Sending fails only if the reader was dropped, and then the text is not needed any more.
        let _ = text.send(done.map(|()| None));
    });
    if let Err(error) = started {
        sender.send(Err(Error::Thread(error))).expect("the other end is in this function");
    }
    Box::new(Text { pieces, piece: Vec::new(), taken: 0, ended: false })
}

/// A piece of text, the end, or the error that stopped decryption.
type Piece = Result<Option<Vec<u8>>>;

fn send(sender: &SyncSender<Piece>, text: &[u8]) -> Result<()> {
    let closed = |_| Error::ClosedPipe { file: "decrypted data".to_owned() };
    sender.send(Ok(Some(text.to_vec()))).map_err(closed)
}

struct Text {
    pieces: Receiver<Piece>,
    piece: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Read for Text {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.piece.len() && !self.ended {
            // A sender that goes away without sending the end has panicked; that is not the end of
            // the text.
            let next = self.pieces.recv().map_err(|_| io::Error::other("decryption stopped"))?;
            match next.map_err(io::Error::other)? {
                Some(piece) => (self.piece, self.taken) = (piece, 0),
                None => self.ended = true,
            }
        }
        let rest = &self.piece[self.taken..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}
