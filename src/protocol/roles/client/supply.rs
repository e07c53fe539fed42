//! Keys for successive blocks, recorded as spent before they are used.

use std::ops::Range;
use std::sync::Arc;

use super::Sink;
use crate::protocol::jose::jwe::{Carries, SealingKeys};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::password::DerivedKey;
use crate::protocol::model::{Error, KeyError, Kid, Place, Result, Spent, Suite};
use crate::protocol::store::spend::{Budget, Ids, KeyStore, Pads};

/// Source of the keys for the next block.
pub(super) enum Supply<'s, K: ?Sized> {
    Shared { key: Box<Jwk<EncryptingKey>>, budget: Option<Budget<'s, K>> },
    Password(Arc<DerivedKey>),
    Ids(Ids<'s, K>),
    Pads(Pads<'s, K>),
}

/// The keys for a block.
pub(super) enum Ticket {
    Shared(Box<Jwk<EncryptingKey>>),
    Password(Arc<DerivedKey>),
    Each(Vec<Jwk<EncryptingKey>>),
}

impl Ticket {
    /// Prepares the keys for sealing these of the block's orders.
    pub(super) fn make_ready(
        &self,
        suite: Suite,
        carries: Carries,
        orders: Range<usize>,
    ) -> std::result::Result<SealingKeys<'_>, KeyError> {
        match self {
            Self::Shared(key) => SealingKeys::one(key, suite, carries),
            Self::Password(key) => SealingKeys::by_password(key, suite, carries),
            Self::Each(keys) => SealingKeys::each(&keys[orders], suite, carries),
        }
    }
}

impl<K: KeyStore + ?Sized> Supply<'_, K> {
    /// Takes keys for the orders that start at a place.
    pub(super) fn take(&mut self, orders: &[&[u8]], at: &Place) -> Result<Ticket> {
        match self {
            Self::Ids(ids) => Ok(Ticket::Each(ids.take(orders.len(), at)?)),
            Self::Pads(pads) => Ok(Ticket::Each(pads.take(orders, at)?)),
            Self::Password(key) => Ok(Ticket::Password(Arc::clone(key))),
            Self::Shared { key, budget } => {
                if let Some(budget) = budget {
                    budget.take(orders.len() as u64, at)?;
                }
                Ok(Ticket::Shared(key.clone()))
            }
        }
    }

    /// Ends a run with the result `done`: gives back what was not used and sends; if nothing can
    /// have left, used ids are given back too. Returns the names of the ids that stay used.
    ///
    /// # Errors
    /// The error of the run, with what stays used up as a result; otherwise an error of giving
    /// back, which names `bundle`.
    pub(super) fn finish(
        mut self,
        done: Result<()>,
        sink: &mut impl Sink,
        bundle: &Place,
    ) -> Result<Vec<Kid>> {
        // The reader of a pipe may be slow, and other processes may wait for what is not used.
        if done.is_err() {
            sink.discard();
        }
        let given_back = self.give_back();
        let done = done.and_then(|()| sink.send()).inspect_err(|_| sink.discard());
        let nothing_left = done.is_err() && !sink.may_have_left();
        let (used, spent, settled) = match self {
            Self::Ids(ids) => {
                let (used, settled) = ids.settle(nothing_left);
                let spent = Spent::Ids(used.count);
                (used.names, spent, settled)
            }
            Self::Pads(pads) => (Vec::new(), Spent::PadBytes(pads.used()), Ok(())),
            Self::Shared { budget: Some(budget), .. } => {
                (Vec::new(), Spent::Ivs(budget.used()), Ok(()))
            }
            Self::Shared { budget: None, .. } | Self::Password(_) => {
                (Vec::new(), Spent::Ids(0), Ok(()))
            }
        };
        let bundle = bundle.file.clone();
        match (done, given_back.and(settled)) {
            (Ok(()), Ok(())) => Ok(used),
            (Err(source), _) if spent.is_empty() => Err(source),
            (Err(source), _) => Err(Error::Spending { spent, bundle, source: Box::new(source) }),
            (Ok(()), Err(source)) => Err(Error::Unsettled { bundle, source: Box::new(source) }),
        }
    }

    fn give_back(&mut self) -> Result<()> {
        match self {
            Self::Ids(ids) => ids.give_back(),
            Self::Pads(pads) => pads.give_back(),
            Self::Shared { budget: Some(budget), .. } => budget.give_back(),
            Self::Shared { budget: None, .. } | Self::Password(_) => Ok(()),
        }
    }
}
