//! Keys for one block after another, spent before they are used.

use super::OnFailure;
use crate::protocol::Result;
use crate::protocol::jwk::Jwk;
use crate::protocol::spend::{Budget, Ids, KeyStore, Pads};

/// Where the keys for the next block come from.
pub(super) enum Supply<'s, K: ?Sized> {
    Shared { key: Box<Jwk>, budget: Option<Budget<'s, K>> },
    Ids(Ids<'s, K>),
    Pads(Pads<'s, K>),
}

/// The keys for a block.
pub(super) enum Ticket {
    Shared(Box<Jwk>),
    Each(Vec<Jwk>),
}

impl Ticket {
    pub(super) fn first(&self) -> &Jwk {
        match self {
            Self::Shared(key) => key,
            Self::Each(keys) => &keys[0],
        }
    }
}

impl<K: KeyStore + ?Sized> Supply<'_, K> {
    pub(super) fn take(&mut self, orders: &[&[u8]], first_line: u64) -> Result<Ticket> {
        match self {
            Self::Ids(ids) => Ok(Ticket::Each(ids.take(orders.len(), first_line)?)),
            Self::Pads(pads) => Ok(Ticket::Each(pads.take(orders, first_line)?)),
            Self::Shared { key, budget } => {
                if let Some(budget) = budget {
                    budget.take(orders.len() as u64, first_line)?;
                }
                Ok(Ticket::Shared(key.clone()))
            }
        }
    }

    /// Gives back what was not used; the first error counts.
    pub(super) fn finish<T>(self, done: Result<T>, on_failure: OnFailure) -> Result<T> {
        let nothing_left = done.is_err() && on_failure == OnFailure::Discarded;
        let settled = self.settle(nothing_left);
        let done = done?;
        settled.map(|()| done)
    }

    fn settle(self, nothing_left: bool) -> Result<()> {
        match self {
            Self::Ids(ids) => ids.settle(nothing_left),
            Self::Pads(pads) => pads.settle(),
            Self::Shared { budget: Some(budget), .. } => budget.settle(),
            Self::Shared { budget: None, .. } => Ok(()),
        }
    }
}
