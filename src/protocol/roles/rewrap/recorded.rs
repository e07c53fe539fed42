//! The ledger of a shop while orders are opened and sealed anew.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::model::Result;
use crate::protocol::roles::client::Sink;
use crate::protocol::store::files::{Ledger, Output};
use crate::protocol::store::keyfile::Sent;
use crate::protocol::store::uses::{Earlier, PadPiece, Use, UseLedger};

/// A ledger that opening and sealing share.
pub struct SharedLedger<'l>(pub &'l Mutex<Ledger>);

impl SharedLedger<'_> {
    /// Enters a line that takes the place of one that was handed on before, so that it does not open.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn replace(&self, used: Use) -> Result<()> {
        let mut ledger = self.lock();
        // What is there already needs no entry.
        let _ = ledger.enter(used)?;
        ledger.secure()
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UseLedger for SharedLedger<'_> {
    fn enter(&mut self, used: Use) -> Result<std::result::Result<(), Earlier>> {
        self.lock().enter(used)
    }

    fn enter_piece(
        &mut self,
        piece: PadPiece,
        line: &[u8; 32],
    ) -> Result<std::result::Result<(), Earlier>> {
        self.lock().enter_piece(piece, line)
    }

    fn secure(&mut self) -> Result<()> {
        self.lock().secure()
    }
}

/// An output, and the ledger that records the lines in it.
pub struct Recorded<'l> {
    /// The output.
    pub output: Output,
    /// The ledger, which knows the output.
    pub ledger: Option<&'l Mutex<Ledger>>,
}

impl Sink for Recorded<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.output.write(bytes)
    }

    fn send(&mut self) -> Result<()> {
        match self.ledger {
            Some(ledger) => SharedLedger(ledger).lock().send(&mut self.output),
            None => self.output.send(),
        }
    }

    fn make_ready(&mut self) -> Result<Option<Sent>> {
        match self.ledger {
            // Only this process can record what it sends.
            Some(_) => Ok(None),
            None => self.output.make_ready(),
        }
    }

    fn withdraw(&mut self, ready: &Sent) {
        self.output.withdraw(ready);
    }

    fn discard(&mut self) {
        self.output.discard();
    }

    fn may_have_left(&self) -> bool {
        self.output.may_have_left()
    }
}
