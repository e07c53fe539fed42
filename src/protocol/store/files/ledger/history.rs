//! What a ledger knows besides its snapshot: the uses in its records, and those of this run.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::followed::Followed;
use super::records::{Record, Route};
use crate::protocol::model::KidHash;
use crate::protocol::store::files::arrivals::InboxId;
use crate::protocol::store::uses::{Earlier, Use};

/// Uses by slot, each with its run.
#[derive(Debug)]
pub(super) struct History {
    recent: Slots<Recent>,
    runs: Vec<Run>,
    /// Whether this process's run has entered any order.
    has_own: bool,
    /// How far each inbox was followed.
    followed: BTreeMap<InboxId, Followed>,
}

/// Map by slot.
#[expect(clippy::disallowed_types, reason = "it has a hasher of its own")]
type Slots<V> = std::collections::HashMap<u128, V, KidHash>;

/// A use of a slot that is not in the snapshot.
#[derive(Debug, Clone, Copy)]
struct Recent {
    mark: u128,
    /// Index of its run.
    run: u32,
    /// The way on which the order left, or may have left before.
    route: Route,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    number: u64,
    is_done: bool,
}

fn is_done(runs: &[Run], recent: &Recent) -> bool {
    recent.run == FOLLOWED || runs[recent.run as usize].is_done
}

/// Index of this process's own run.
const OWN: u32 = 0;

/// In place of an index: an order that was handed on from an inbox.
const FOLLOWED: u32 = u32::MAX;

/// Numbers of uses.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub done: u64,
    /// Opening, for an output that appeared whole or not at all.
    pub to_file: u64,
    /// Opening, for an output that may have had a reader.
    pub to_pipe: u64,
}

/// Uses that are not done, by run and route, in ascending order of their slots.
pub(super) type Unfinished = BTreeMap<(u64, Route), Vec<Use>>;

impl History {
    /// The uses in these records; `own` is the number of this process's run.
    pub fn new(own: u64, records: Vec<Record>) -> Self {
        let runs = vec![Run { number: own, is_done: false }];
        let (recent, followed) = (Slots::default(), BTreeMap::new());
        let mut history = Self { recent, runs, has_own: false, followed };
        records.into_iter().for_each(|record| history.apply(record));
        history
    }

    /// A later record replaces what an earlier one says about a slot.
    fn apply(&mut self, record: Record) {
        match record {
            Record::Opening { run, route, uses } => {
                let run = self.index_of(run);
                let recent = |mark| Recent { mark, run, route };
                self.recent.extend(uses.into_iter().map(|used| (used.slot, recent(used.mark))));
            }
            Record::Done { run } => {
                let run = self.index_of(run);
                self.runs[run as usize].is_done = true;
            }
            Record::Followed { inbox, followed, uses } => self.follow(inbox, followed, uses),
        }
    }

    /// Notes how far an inbox was followed, and what was handed on from it.
    pub fn follow(
        &mut self,
        inbox: InboxId,
        followed: Followed,
        uses: impl IntoIterator<Item = Use>,
    ) {
        let recent = |mark| Recent { mark, run: FOLLOWED, route: Route::File };
        self.recent.extend(uses.into_iter().map(|used| (used.slot, recent(used.mark))));
        self.followed.insert(inbox, followed);
    }

    /// How far each inbox was followed.
    pub fn followed(&self) -> &BTreeMap<InboxId, Followed> {
        &self.followed
    }

    /// Forgets what is done, as a new snapshot has it.
    pub fn forget_done(&mut self) {
        let runs = &self.runs;
        self.recent.retain(|_, recent| !is_done(runs, recent));
    }

    /// Index of the run with this number.
    fn index_of(&mut self, number: u64) -> u32 {
        let known = self.runs.iter().rposition(|run| run.number == number);
        known.unwrap_or_else(|| {
            self.runs.push(Run { number, is_done: false });
            self.runs.len() - 1
        }) as u32
    }

    fn is_done(&self, recent: &Recent) -> bool {
        is_done(&self.runs, recent)
    }

    /// Whether this process's run has entered any order.
    pub fn has_own(&self) -> bool {
        self.has_own
    }

    /// Number of this process's run.
    pub fn own(&self) -> u64 {
        self.runs[OWN as usize].number
    }

    /// Whether an order may be opened, if its slot is known; and the way on which it then counts as
    /// leaving, if it is about to leave on `route`.
    pub fn check(&self, used: Use, route: Route, reopen: bool) -> Option<Result<Route, Earlier>> {
        let recent = self.recent.get(&used.slot)?;
        let is_closed = recent.run == OWN || self.is_done(recent);
        Some(match (recent.mark == used.mark, is_closed, recent.route) {
            (false, ..) => Err(Earlier::OtherOrder),
            (true, true, _) => Err(Earlier::SameOrder),
            (true, false, Route::Pipe) if !reopen => Err(Earlier::Unfinished),
            // What may have left once stays uncertain until it is done.
            (true, false, Route::Pipe) => Ok(Route::Pipe),
            (true, false, Route::File) => Ok(route),
        })
    }

    /// The slots in a range that were used, in no order.
    pub fn slots_within(&self, range: &RangeInclusive<u128>) -> impl Iterator<Item = u128> {
        self.recent.keys().copied().filter(|slot| range.contains(slot))
    }

    /// Enters an order of this run.
    pub fn enter(&mut self, used: Use, route: Route) {
        self.has_own = true;
        self.recent.insert(used.slot, Recent { mark: used.mark, run: OWN, route });
    }

    /// Notes that all that this run entered was handed on.
    pub fn finish_own(&mut self) {
        self.runs[OWN as usize].is_done = true;
    }

    /// The slots that are done, with 16 bits of each mark, in ascending order.
    pub fn done(&self) -> Vec<(u128, u16)> {
        let done = self.recent.iter().filter(|(_, recent)| self.is_done(recent));
        let mut done: Vec<_> = done.map(|(slot, recent)| (*slot, recent.mark as u16)).collect();
        done.sort_unstable();
        done
    }

    /// The uses that are not done.
    pub fn unfinished(&self) -> Unfinished {
        let mut unfinished = Unfinished::new();
        for (&slot, recent) in self.recent.iter().filter(|(_, recent)| !self.is_done(recent)) {
            let key = (self.runs[recent.run as usize].number, recent.route);
            unfinished.entry(key).or_default().push(Use { slot, mark: recent.mark });
        }
        unfinished.values_mut().for_each(|uses| uses.sort_unstable_by_key(|used| used.slot));
        unfinished
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for recent in self.recent.values() {
            match (self.is_done(recent), recent.route) {
                (true, _) => counts.done += 1,
                (false, Route::File) => counts.to_file += 1,
                (false, Route::Pipe) => counts.to_pipe += 1,
            }
        }
        counts
    }
}
