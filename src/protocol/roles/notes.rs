//! What is known of orders while they go from opening to sealing.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::jose::jwe::Provenance;

/// What is known of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Note {
    /// What its line was, if that tells something.
    pub was: Option<Provenance>,
    /// Whether it was handed on before.
    pub repeated: bool,
}

/// Notes on orders, by their number from 1. Those on neighbours that are the same take room once.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The first order of each run of orders with the same note.
    runs: VecDeque<(u64, Note)>,
    orders: u64,
}

impl Notes {
    /// Adds a note on the next order.
    pub fn add(&self, note: Note) {
        let mut kept = self.lock();
        kept.orders += 1;
        if kept.runs.back().is_none_or(|(_, last)| *last != note) {
            let order = kept.orders;
            kept.runs.push_back((order, note));
        }
    }

    /// The note on an order.
    pub fn of(&self, order: u64) -> Note {
        self.run(order, 1).0
    }

    /// The note on an order, and how many orders from this one on have it, at most `most`.
    pub fn run(&self, order: u64, most: usize) -> (Note, usize) {
        let kept = self.lock();
        let next = kept.runs.partition_point(|(first, _)| *first <= order);
        let note = next.checked_sub(1).map_or_else(Note::default, |run| kept.runs[run].1.clone());
        let end = kept.runs.get(next).map_or(u64::MAX, |(first, _)| *first);
        (note, usize::try_from(end - order).unwrap_or(most).min(most))
    }

    /// Drops the notes on orders before this one.
    pub fn forget_before(&self, order: u64) {
        let mut kept = self.lock();
        while kept.runs.get(1).is_some_and(|(first, _)| *first <= order) {
            kept.runs.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_with_the_same_note_are_a_run() {
        let note = |text: &str| Note { was: Provenance::parse(text), repeated: false };
        let (one, two) = (note("a+b"), note("c+d"));
        let notes = Notes::default();
        for note in [&one, &one, &two, &one] {
            notes.add(note.clone());
        }
        assert_eq!(notes.run(1, 9), (one.clone(), 2));
        assert_eq!(notes.run(2, 9), (one.clone(), 1));
        assert_eq!(notes.run(3, 9), (two.clone(), 1));
        assert_eq!(notes.run(4, 9), (one.clone(), 9));
        assert_eq!(notes.run(1, 1), (one.clone(), 1));
        notes.forget_before(3);
        assert_eq!((notes.of(3), notes.of(4)), (two, one));
        assert_eq!(notes.lock().runs.len(), 2);
    }
}
