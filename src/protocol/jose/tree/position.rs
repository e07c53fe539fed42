//! Positions of nodes in a tree.

use std::fmt;
use std::ops::Range;

/// Number of levels below the root: leaves have this depth.
pub const HEIGHT: u8 = 32;

/// Number of leaves of a tree.
pub const LEAVES: u64 = 1 << HEIGHT;

/// Position of a node: its depth, 0 for the root, and its number from the left among the nodes of
/// this depth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Position {
    depth: u8,
    index: u32,
}

impl Position {
    /// The root.
    pub const ROOT: Self = Self { depth: 0, index: 0 };

    /// Creates a position; `None` if no tree has it.
    pub fn new(depth: u64, index: u64) -> Option<Self> {
        let depth = u8::try_from(depth).ok().filter(|depth| *depth <= HEIGHT)?;
        let index = (index >> depth == 0).then_some(index as u32)?;
        Some(Self { depth, index })
    }

    /// Position of a leaf.
    pub const fn leaf(number: u32) -> Self {
        Self { depth: HEIGHT, index: number }
    }

    /// Distance from the root.
    pub const fn depth(self) -> u8 {
        self.depth
    }

    /// Number from the left among the nodes of the same depth.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Whether the node is a leaf.
    pub const fn is_leaf(self) -> bool {
        self.depth == HEIGHT
    }

    /// The leaves under this node; a leaf has itself.
    pub const fn leaves(self) -> Range<u64> {
        let below = HEIGHT - self.depth;
        let first = (self.index as u64) << below;
        first..first + (1 << below)
    }

    /// Whether `other` is this node or below it.
    pub const fn contains(self, other: Self) -> bool {
        self.depth <= other.depth
            && other.index as u64 >> (other.depth - self.depth) == self.index as u64
    }

    /// The two children of a node that is not a leaf.
    pub(super) fn children(self) -> [Self; 2] {
        assert!(!self.is_leaf(), "leaves have no children");
        [0, 1].map(|right| Self { depth: self.depth + 1, index: 2 * self.index + right })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} at depth {}", self.index, self.depth)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.depth, self.index)
    }
}

/// Positions of the fewest nodes that together have exactly these leaves, from left to right.
pub(super) fn covering(range: Range<u64>) -> impl Iterator<Item = Position> {
    debug_assert!(range.end <= LEAVES);
    let mut at = range.start;
    std::iter::from_fn(move || {
        let left = range.end.checked_sub(at).filter(|left| *left > 0)?;
        // The largest node that begins here and does not reach beyond the end.
        let below = at.trailing_zeros().min(left.ilog2()).min(HEIGHT.into());
        let position = Position { depth: HEIGHT - below as u8, index: (at >> below) as u32 };
        at += 1 << below;
        Some(position)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positions_that_exist_are_made() {
        assert_eq!(Position::new(0, 0), Some(Position::ROOT));
        assert_eq!(Position::new(32, LEAVES - 1), Some(Position::leaf(u32::MAX)));
        for (depth, index) in [(0, 1), (1, 2), (31, 1 << 31), (32, LEAVES), (33, 0), (256, 0)] {
            assert_eq!(Position::new(depth, index), None, "{depth}/{index}");
        }
    }

    #[test]
    fn a_range_is_covered_by_the_fewest_nodes() {
        let of = |range| covering(range).collect::<Vec<_>>();
        assert_eq!(of(0..LEAVES), [Position::ROOT]);
        assert_eq!(of(7..7), []);
        assert_eq!(of(LEAVES - 1..LEAVES), [Position::leaf(u32::MAX)]);
        let spread = [(32, 1), (31, 1), (30, 1), (31, 4), (32, 10)];
        let spread = spread.map(|(depth, index)| Position::new(depth, index).unwrap());
        assert_eq!(of(1..11), spread);
        // The worst range has 62 nodes: two on each level but the first.
        assert_eq!(of(1..LEAVES - 1).len(), 62);
    }
}
