//! Following an inbox. The orders that were appended to its output, the place up to which it was read, and
//! the length of the output are one record: a crash leaves all of it or nothing.

use super::Ledger;
use super::followed::Followed;
use super::records::{Record, Route};
use crate::protocol::model::Result;
use crate::protocol::store::files::arrivals::InboxId;
use crate::protocol::store::uses::Use;

impl Ledger {
    /// How far an inbox was followed; `None` if it was not.
    pub fn followed(&self, inbox: InboxId) -> Option<&Followed> {
        self.history.followed().get(&inbox)
    }

    /// Sets that the orders are appended to the output of an inbox, and recorded by
    /// [`follow`](Self::follow).
    pub fn set_following(&mut self) {
        self.route = Some(Route::File);
    }

    /// Records the orders that were entered as handed on, and how far the inbox was followed with them.
    /// The output has to be synced before.
    ///
    /// # Errors
    /// Those of writing. The ledger must be opened anew then: what is in the file decides.
    pub fn follow(&mut self, inbox: InboxId, followed: Followed) -> Result<()> {
        let entered = std::mem::take(&mut self.entered).into_iter();
        let mut uses: Vec<Use> = entered.map(|(_, used)| used).collect();
        uses.sort_unstable_by_key(|used| used.slot);
        self.history.follow(inbox, followed.clone(), uses.iter().copied());
        self.append(&Record::Followed { inbox, followed, uses }, 0)?;
        if !self.is_long() {
            return Ok(());
        }
        match self.renew() {
            // The next record must not go into a file that has lost its name.
            Err(error) if !self.is_at(&self.locked.path) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
