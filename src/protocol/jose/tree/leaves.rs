//! Sets of leaves, without keys.

use std::ops::Range;

use super::position::LEAVES;

/// A set of leaves, as ranges in ascending order that do not touch each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leaves(Vec<Range<u64>>);

impl Leaves {
    /// The leaves with numbers from `first`, `count` of them, as far as there are so many.
    pub fn starting_at(first: u32, count: u64) -> Self {
        let first = u64::from(first);
        std::iter::once(first..first.saturating_add(count)).collect()
    }

    /// The ranges of the set, in ascending order.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }

    /// Number of leaves in the set.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether the set has no leaf.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a leaf is in the set.
    pub fn contains(&self, leaf: u32) -> bool {
        self.next_from(leaf) == Some(leaf)
    }

    /// The first leaf of the set whose number is not below `leaf`.
    pub fn next_from(&self, leaf: u32) -> Option<u32> {
        let leaf = u64::from(leaf);
        let range = self.0.get(self.0.partition_point(|range| range.end <= leaf))?;
        Some(range.start.max(leaf) as u32)
    }

    /// The number after the last leaf of the set; `None` if the set is empty.
    pub fn end(&self) -> Option<u64> {
        self.0.last().map(|range| range.end)
    }

    /// Whether a range is in the set.
    pub fn contains_all(&self, range: &Range<u64>) -> bool {
        let at = self.0.partition_point(|own| own.end <= range.start);
        self.0.get(at).is_some_and(|own| own.start <= range.start && range.end <= own.end)
    }

    /// Whether a leaf of a range is in the set.
    pub fn contains_any(&self, range: &Range<u64>) -> bool {
        let at = self.0.partition_point(|own| own.end <= range.start);
        self.0.get(at).is_some_and(|own| own.start < range.end)
    }

    /// Adds a range; this takes little time if it comes after all leaves of the set.
    pub fn add(&mut self, range: Range<u64>) {
        match self.0.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end.min(LEAVES),
            Some(last) if last.end > range.start => {
                *self = self.union(&std::iter::once(range).collect());
            }
            Some(_) | None => self.0.extend(std::iter::once(range).collect::<Self>().0),
        }
    }

    /// The leaves in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(|range| range.clone().map(|leaf| leaf as u32))
    }

    /// The first leaves of the set, at most `count` of them.
    pub fn first(&self, mut count: u64) -> Self {
        let ranges = self.0.iter().map_while(|range| {
            let taken = (range.end - range.start).min(count);
            count -= taken;
            (taken > 0).then_some(range.start..range.start + taken)
        });
        Self(ranges.collect())
    }

    /// The leaves that are in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(overlaps(&self.0, &other.0).collect())
    }

    /// The leaves of this set that are not in the other.
    pub fn difference(&self, other: &Self) -> Self {
        self.intersection(&other.complement())
    }

    /// The leaves that are in at least one of the sets.
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).cloned().collect()
    }

    /// The leaves of a tree that are not in the set.
    fn complement(&self) -> Self {
        let ends = self.0.iter().map(|range| range.start).chain([LEAVES]);
        let starts = [0].into_iter().chain(self.0.iter().map(|range| range.end));
        let between = starts.zip(ends).map(|(start, end)| start..end);
        Self(between.filter(|range| !range.is_empty()).collect())
    }
}

/// Puts ranges together in any order; they may overlap, and what is beyond the last leaf is left out.
impl FromIterator<Range<u64>> for Leaves {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let within = ranges.into_iter().map(|range| range.start..range.end.min(LEAVES));
        let mut ranges: Vec<_> = within.filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, range| {
            let touch = next.start <= range.end;
            if touch {
                range.end = range.end.max(next.end);
            }
            touch
        });
        Self(ranges)
    }
}

/// Collects leaves in any order.
impl FromIterator<u32> for Leaves {
    fn from_iter<I: IntoIterator<Item = u32>>(leaves: I) -> Self {
        leaves.into_iter().map(|leaf| u64::from(leaf)..u64::from(leaf) + 1).collect()
    }
}

/// The parts that two lists of ranges share; each list is in ascending order without overlaps.
/// Parts end where a range of either list ends.
pub(super) fn overlaps<'r>(
    these: &'r [Range<u64>],
    those: &'r [Range<u64>],
) -> impl Iterator<Item = Range<u64>> + 'r {
    let (mut these, mut those) = (these.iter().peekable(), those.iter().peekable());
    std::iter::from_fn(move || {
        loop {
            let (a, b) = (*these.peek()?, *those.peek()?);
            let part = a.start.max(b.start)..a.end.min(b.end);
            if a.end <= b.end {
                these.next()
            } else {
                those.next()
            };
            if !part.is_empty() {
                return Some(part);
            }
        }
    })
}
