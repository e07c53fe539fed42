//! The steps of a client after sealing: send, confirm, record, erase. This is the only place that
//! puts them in order.

use std::cell::RefCell;

use crate::protocol::model::{Error, Kid, Place, Result};
#[cfg(feature = "store")]
use crate::protocol::store::files::{AfterSending, InUse, Output};
use crate::protocol::store::keyfile::{ClientBundle, Sent};
use crate::protocol::store::spend::KeyStore;

/// Totals of a sealed or opened batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of orders.
    pub orders: u64,
    /// Number of bytes read.
    pub read: u64,
    /// Number of bytes written.
    pub written: u64,
}

/// The result of sealing.
#[derive(Debug)]
pub struct Sealed {
    /// Number of orders and bytes.
    pub totals: Totals,
    /// The names of the keys that sealed one order each.
    pub used: Vec<Kid>,
}

/// Destination of sealed orders.
pub trait Sink {
    /// Writes bytes.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::ClosedPipe`].
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Sends what was written; after this it counts as sent.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::ClosedPipe`] and [`Error::Usage`]; on an error nothing counts as sent.
    fn send(&mut self) -> Result<()>;

    /// Prepares what was written so that another process can send it if this one is killed.
    /// Returns the data needed for that, or `None` if only this process can send it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn make_ready(&mut self) -> Result<Option<Sent>> {
        Ok(None)
    }

    /// Undoes [`make_ready`](Self::make_ready).
    fn withdraw(&mut self, _ready: &Sent) {}

    /// Discards what was written but has not left, and frees its space.
    fn discard(&mut self);

    /// Whether anything written may have reached a recipient, whether sent or not.
    fn may_have_left(&self) -> bool;
}

/// A client's file from which something can be erased after sending.
pub trait ClientFile: KeyStore {
    /// What was erased.
    type Erased;

    /// Changes the client's bundle; when this returns, the change is durable.
    ///
    /// # Errors
    /// As [`update`](crate::protocol::store::spend::Durable::update).
    fn record(&self, change: impl FnOnce(&mut ClientBundle)) -> Result<()>;

    /// Erases what the program requires after sending; `sent` is the record made before, and `used`
    /// are the keys that sealed one order each.
    ///
    /// # Errors
    /// Errors of reading and erasing.
    fn erase(&mut self, sent: Option<&Sent>, used: &[Kid]) -> Result<Self::Erased>;
}

/// Asks the user before steps, and shows the totals in between. By default, every step goes on.
pub trait Attendant {
    /// Called before the sealed orders are sent.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn before_sending(&self) -> Result<()> {
        Ok(())
    }

    /// Called after the sealed orders have been sent.
    fn sent(&self, _totals: &Totals) {}

    /// Called before anything is erased.
    ///
    /// # Errors
    /// Whatever stops the run.
    fn before_erasing(&self) -> Result<()> {
        Ok(())
    }
}

/// Asks nobody.
#[derive(Debug)]
pub struct Unattended;

impl Attendant for Unattended {}

/// A client's file with which orders are sealed and sent.
#[derive(Debug)]
pub struct Sender<'r, F, A> {
    /// The file.
    pub file: &'r mut F,
    /// The name of the file.
    pub place: &'r Place,
    /// Whether the program erases after sending.
    pub erases: bool,
    /// Asks the user before steps.
    pub attendant: &'r A,
}

impl<F: ClientFile, A: Attendant> Sender<'_, F, A> {
    /// Lets `seal` write sealed orders and send them, and then erases what the program requires. If
    /// the program erases, the point of no return is recorded in the file before sending.
    ///
    /// # Errors
    /// Those of `seal`, of [`Sink::send`] and of the attendant, in which case nothing is erased;
    /// [`Error::NotErased`] if erasing fails.
    pub fn run<S: Sink>(
        self,
        sink: &mut S,
        seal: impl FnOnce(&F, &mut Delivery<'_, F, S, A>) -> Result<Sealed>,
    ) -> Result<(Sealed, Option<F::Erased>)> {
        let Self { file, place, erases, attendant } = self;
        let mut delivery = Delivery { sink, file: &*file, erases, attendant, sent: None };
        let sealed = seal(&*file, &mut delivery)?;
        let sent = delivery.sent;
        attendant.sent(&sealed.totals);
        if !erases {
            return Ok((sealed, None));
        }
        if let Err(stopped) = attendant.before_erasing() {
            if let Some(sent) = &sent {
                keep(&*file, sent)?;
            }
            return Err(stopped);
        }
        let erased = file.erase(sent.as_ref(), &sealed.used).map_err(|source| {
            Error::NotErased { bundle: place.file.clone(), source: Box::new(source) }
        })?;
        Ok((sealed, Some(erased)))
    }
}

/// A sink that asks before it sends, and records sending in the client's file if the program erases.
pub struct Delivery<'r, F, S, A> {
    sink: &'r mut S,
    file: &'r F,
    erases: bool,
    attendant: &'r A,
    /// The record made before sending.
    sent: Option<Sent>,
}

impl<F: ClientFile, S: Sink, A: Attendant> Sink for Delivery<'_, F, S, A> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write(bytes)
    }

    fn send(&mut self) -> Result<()> {
        self.attendant.before_sending()?;
        let Some(sent) = (if self.erases { self.sink.make_ready()? } else { None }) else {
            return self.sink.send();
        };
        let recorded = self.file.record(|file| file.sent.push(sent.clone()));
        if let Err(error) = recorded.and_then(|()| self.sink.send()) {
            // In this order: a recorded output without its temporary name counts as sent.
            keep(self.file, &sent)?;
            self.sink.withdraw(&sent);
            return Err(error);
        }
        self.sent = Some(sent);
        Ok(())
    }

    fn discard(&mut self) {
        self.sink.discard();
    }

    fn may_have_left(&self) -> bool {
        self.sink.may_have_left()
    }
}

/// Keeps the file although its program erases, because the program was stopped before that.
fn keep(file: &impl ClientFile, sent: &Sent) -> Result<()> {
    file.record(|file| file.sent.retain(|other| other != sent))
}

#[cfg(feature = "store")]
impl Sink for Output {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Self::write(self, bytes)
    }

    fn send(&mut self) -> Result<()> {
        Self::send(self)
    }

    fn make_ready(&mut self) -> Result<Option<Sent>> {
        Self::make_ready(self)
    }

    fn withdraw(&mut self, ready: &Sent) {
        Self::withdraw(self, ready);
    }

    fn discard(&mut self) {
        Self::discard(self);
    }

    fn may_have_left(&self) -> bool {
        Self::may_have_left(self)
    }
}

/// Collects sealed orders in memory.
impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        Ok(())
    }

    fn discard(&mut self) {
        self.clear();
    }

    fn may_have_left(&self) -> bool {
        false
    }
}

#[cfg(feature = "store")]
impl ClientFile for InUse {
    type Erased = AfterSending;

    fn record(&self, change: impl FnOnce(&mut ClientBundle)) -> Result<()> {
        self.update_client(change)
    }

    fn erase(&mut self, sent: Option<&Sent>, used: &[Kid]) -> Result<AfterSending> {
        Self::erase(self, sent, used)
    }
}

/// A client's bundle in memory.
impl ClientFile for RefCell<ClientBundle> {
    type Erased = ();

    fn record(&self, change: impl FnOnce(&mut ClientBundle)) -> Result<()> {
        change(&mut self.borrow_mut());
        Ok(())
    }

    fn erase(&mut self, _: Option<&Sent>, _: &[Kid]) -> Result<()> {
        let bundle = self.get_mut();
        if let Some(what) = bundle.erases() {
            bundle.erase(what);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
