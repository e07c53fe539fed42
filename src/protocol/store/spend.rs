//! Limited resources: transaction ids, the random IVs of a key, the bytes of a pad.
//!
//! Use is recorded durably before anything is sealed, so that a crash may waste some of a resource
//! but never repeats any. If the length of the input is known, exactly what it needs is reserved;
//! otherwise blocks of doubling size. What was reserved but not used is given back at the end.
//! Several processes may share a file: one that finds too little gives back what it has not used
//! and waits for the others, which do the same.

mod budget;
mod ids;
mod leaves;
mod pads;

use std::cell::RefCell;
use std::time::{Duration, Instant};

pub use budget::Budget;
pub use ids::{Ids, Used};
pub use pads::Pads;

use crate::protocol::jose::jwk::{AsKey, EncryptingKey, Jwk};
use crate::protocol::model::{Error, KeyError, Place, Result, ShopName};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, LoneKey, PlainFile};

/// A key file of the kind `F` that can be changed durably.
pub trait Durable<F> {
    /// Changes the file; when this returns, the change is durable.
    ///
    /// # Errors
    /// Errors of `change`, in which case the file is unchanged, and [`Error::Io`].
    fn update<T>(&self, change: impl FnOnce(&mut F) -> Result<T>) -> Result<T>;
}

/// A key file to spend from.
pub trait KeyStore: Durable<Self::File> {
    /// The kind of key file.
    type File: Spendable;

    /// Whether other running processes spend from the file, and may give back what they have
    /// reserved. Call this within `update`.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn is_shared(&self) -> Result<bool>;

    /// Reserves ids of a client's bundle whose spent ids are in a journal: as many as `want` returns for
    /// the number of all ids and of those that are left. `None` if the file records them itself.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Malformed`], and [`KeyError`] if bundle and journal do not belong together
    /// or the bundle is of another shop.
    fn reserve_in_journal(
        &self,
        _shop: &ShopName,
        _want: &dyn Fn(u64, u64) -> u64,
    ) -> Result<Option<FromJournal>> {
        Ok(None)
    }

    /// Gives back the ids that were reserved last in a journal. Returns false if the file records them
    /// itself by now.
    ///
    /// # Errors
    /// As [`reserve_in_journal`](Self::reserve_in_journal).
    fn return_to_journal(&self, _count: u64) -> Result<bool> {
        Ok(false)
    }
}

/// Ids that were reserved in a journal.
#[derive(Debug)]
pub struct FromJournal {
    /// Their keys.
    pub keys: Vec<Jwk<EncryptingKey>>,
    /// Number of ids that were left before.
    pub left: u64,
    /// Whether other running processes spend from the file.
    pub is_shared: bool,
}

/// A kind of key file that records what is spent, or that may be of such a kind.
pub trait Spendable {
    /// The file, if it is of such a kind.
    fn spending(&mut self) -> Option<Spending<'_>>;
}

/// A key file that records what is spent.
#[derive(Debug)]
pub enum Spending<'f> {
    /// A lone key.
    Lone(&'f mut LoneKey),
    /// A client's bundle.
    Client(&'f mut ClientBundle),
}

impl Spendable for ClientBundle {
    fn spending(&mut self) -> Option<Spending<'_>> {
        Some(Spending::Client(self))
    }
}

impl Spendable for KeyFile {
    fn spending(&mut self) -> Option<Spending<'_>> {
        match self {
            Self::Plain(PlainFile::Lone(file)) => Some(Spending::Lone(file)),
            Self::Client(file) => Some(Spending::Client(file)),
            Self::Plain(PlainFile::Set(_)) | Self::Keyring(_) | Self::Shop(_) => None,
        }
    }
}

/// A key file in memory.
impl<F: Clone> Durable<F> for RefCell<F> {
    fn update<T>(&self, change: impl FnOnce(&mut F) -> Result<T>) -> Result<T> {
        let mut changed = self.borrow().clone();
        let result = change(&mut changed)?;
        *self.borrow_mut() = changed;
        Ok(result)
    }
}

impl<F: Spendable + Clone> KeyStore for RefCell<F> {
    type File = F;

    fn is_shared(&self) -> Result<bool> {
        Ok(false)
    }
}

/// The result of an attempt to reserve.
enum Reserved<T> {
    /// What was reserved.
    Enough(T),
    /// The file has too little; `left` is the amount that is left.
    TooLittle { left: u64, shared: bool },
}

/// Waits for other processes to give back what they have not used.
struct Patience {
    until: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// Minimum total time to wait for other processes.
    const WHOLE: Duration = Duration::from_secs(10);

    fn new() -> Self {
        Self { until: None, pause: Duration::from_millis(20) }
    }

    /// Gives back what other processes may wait for, waits briefly, and returns true; or returns
    /// false if the total waiting time is over.
    fn wait_after(&mut self, give_back: impl FnOnce() -> Result<()>) -> Result<bool> {
        let whole = Self::WHOLE.mul_f64(1.0 + spread() / 4.0);
        let until = *self.until.get_or_insert_with(|| Instant::now() + whole);
        if Instant::now() >= until {
            return Ok(false);
        }
        give_back()?;
        // Processes that wait wake at different times.
        std::thread::sleep(self.pause.mul_f64(1.0 + spread()));
        self.pause = (self.pause * 3 / 2).min(Duration::from_millis(200));
        Ok(true)
    }
}

/// A number from 0 to 1 that differs between processes, so that they do not wait in step.
fn spread() -> f64 {
    f64::from(std::process::id() % 61) / 60.0
}

/// The remaining use of a key, however the file records it: a client's file as the amount left, a
/// lone key as the amount used of `whole`. Also the earlier pieces that were given back.
struct Left<'f> {
    count: u64,
    gaps: &'f mut Vec<(u64, u64)>,
}

/// Changes the remaining use of a key that comes from `bundle`.
///
/// # Errors
/// [`KeyError::Exchanged`] if the file has another key by now, whose use must not be changed.
fn change_left<S: KeyStore + ?Sized, T>(
    store: &S,
    key: &Jwk<EncryptingKey>,
    bundle: &Place,
    whole: u64,
    change: impl FnOnce(&mut Left<'_>) -> Result<T>,
) -> Result<T> {
    let exchanged = || Error::key(bundle, KeyError::Exchanged);
    store.update(|file| match file.spending() {
        Some(Spending::Lone(file)) => {
            if file.key.material.as_key().encrypting_half() != key.material {
                return Err(exchanged());
            }
            let count = whole.saturating_sub(file.sealed);
            let mut left = Left { count, gaps: &mut file.gaps };
            let result = change(&mut left)?;
            file.sealed = whole - left.count;
            Ok(result)
        }
        Some(Spending::Client(file)) => {
            let kid = key.kid.as_ref().ok_or_else(exchanged)?;
            let held = file.keys.named(kid.as_str()).ok_or_else(exchanged)?;
            if held.material != key.material {
                return Err(exchanged());
            }
            let count = file.budget.entry(kid.clone()).or_default();
            let gaps = file.gaps.entry(kid.clone()).or_default();
            let mut left = Left { count: *count, gaps };
            let result = change(&mut left)?;
            *count = left.count;
            if gaps.is_empty() {
                file.gaps.remove(kid);
            }
            Ok(result)
        }
        None => Err(exchanged()),
    })
}
