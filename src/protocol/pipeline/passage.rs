//! A pipe in memory, from one run to another.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::ciphers::Wiped;

/// Texts that may be on their way. A run takes them in blocks, and waits for none of them for long.
const ON_THE_WAY: usize = 8;

/// The end of a passage that takes text. If it is dropped before [`end`](Self::end), reading the other
/// end fails.
pub struct Inlet(SyncSender<Option<Wiped>>);

/// The end of a passage that gives text, which is wiped as it was read.
pub struct Outlet {
    texts: Receiver<Option<Wiped>>,
    text: Wiped,
    /// Bytes of the text that were read.
    read: usize,
    ended: bool,
    broken: Arc<AtomicBool>,
}

/// Tells whether reading a passage failed because the other end was dropped.
pub struct Break(Arc<AtomicBool>);

/// Makes a passage.
pub fn passage() -> (Inlet, Outlet, Break) {
    let (inlet, texts) = sync_channel(ON_THE_WAY);
    let broken = Arc::new(AtomicBool::new(false));
    let (text, read, ended) = (Wiped::default(), 0, false);
    let outlet = Outlet { texts, text, read, ended, broken: Arc::clone(&broken) };
    (Inlet(inlet), outlet, Break(broken))
}

impl Inlet {
    /// Passes text on; waits while much of it is on its way.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn pass(&self, text: impl Into<Wiped>) -> io::Result<()> {
        self.0.send(Some(text.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Ends the text.
    pub fn end(self) {
        // If nobody reads any more, nobody misses the end.
        let _ = self.0.send(None);
    }
}

impl Break {
    /// Whether that happened.
    pub fn happened(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Read for Outlet {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.read == self.text.len() && !self.ended {
            match self.texts.recv() {
                Ok(Some(text)) => (self.text, self.read) = (text, 0),
                Ok(None) => self.ended = true,
                Err(_) => {
                    self.broken.store(true, Ordering::Release);
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        let rest = &self.text[self.read..];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let (inlet, mut outlet, broken) = passage();
        let writing = thread::Builder::new().spawn(move || {
            for number in 0..100_u8 {
                inlet.pass(vec![number; usize::from(number)]).unwrap();
            }
            inlet.end();
        });
        let mut text = Vec::new();
        outlet.read_to_end(&mut text).unwrap();
        writing.unwrap().join().unwrap();
        let expected: Vec<u8> =
            (0..100_u8).flat_map(|number| vec![number; usize::from(number)]).collect();
        assert_eq!(text, expected);
        assert_eq!(outlet.read(&mut [0; 4]).unwrap(), 0);
        assert!(!broken.happened());
    }

    #[test]
    fn a_text_that_breaks_off_is_no_end() {
        let (inlet, mut outlet, broken) = passage();
        inlet.pass(b"tea".to_vec()).unwrap();
        drop(inlet);
        let mut text = Vec::new();
        assert!(outlet.read_to_end(&mut text).is_err());
        assert_eq!((&text[..], broken.happened()), (&b"tea"[..], true));
    }

    #[test]
    fn nobody_waits_for_a_reader_who_has_gone() {
        let (inlet, outlet, broken) = passage();
        drop(outlet);
        assert!(inlet.pass(b"tea".to_vec()).is_err());
        assert!(!broken.happened());
    }
}
