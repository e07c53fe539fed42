//! Ascending numbers in few bytes: runs of consecutive ones, each after a gap.
//!
//! A run is the gap since the number after the previous run (since 0 for the first), then its length
//! less 1, both in LEB128: 7 bits a byte, least significant first, the top bit set in all but the
//! last.

/// Consecutive numbers in an ascending sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The first number.
    pub first: u128,
    /// How many there are, at least one.
    pub len: u32,
    /// Index of the first number in the sequence.
    pub index: u32,
}

impl Run {
    /// Index of a number in the sequence, if it is in this run.
    fn index_of(&self, number: u128) -> Option<u32> {
        let from_first = number.checked_sub(self.first)?;
        (from_first < u128::from(self.len)).then(|| self.index + from_first as u32)
    }

    fn numbers(&self) -> impl Iterator<Item = u128> + use<> {
        let first = self.first;
        (0..self.len).map(move |offset| first + u128::from(offset))
    }
}

/// Index of a number in the sequence of these runs.
pub(super) fn index_of(runs: &[Run], number: u128) -> Option<u32> {
    let after = runs.partition_point(|run| run.first <= number);
    runs[..after].last()?.index_of(number)
}

/// All numbers of these runs.
pub(super) fn numbers(runs: &[Run]) -> impl Iterator<Item = u128> {
    runs.iter().flat_map(Run::numbers)
}

/// Appends strictly ascending numbers.
pub(super) fn encode(numbers: impl IntoIterator<Item = u128>, out: &mut Vec<u8>) {
    let mut numbers = numbers.into_iter().peekable();
    let mut next = 0;
    while let Some(first) = numbers.next() {
        let mut last = first;
        while numbers.next_if(|number| last.checked_add(1) == Some(*number)).is_some() {
            last += 1;
        }
        put(first - next, out);
        put(last - first, out);
        next = last.wrapping_add(1);
    }
}

/// Reads `count` numbers and returns their runs and the bytes after them; `None` if these are not
/// the bytes of so many numbers.
pub(super) fn decode(mut bytes: &[u8], count: u32) -> Option<(Vec<Run>, &[u8])> {
    let mut runs = Vec::new();
    let (mut next, mut index) = (Some(0u128), 0);
    while index < count {
        let (gap, longer) = (take(&mut bytes)?, take(&mut bytes)?);
        let first = next?.checked_add(gap)?;
        let last = first.checked_add(longer)?;
        let len = u32::try_from(longer).ok()?.checked_add(1)?;
        if gap == 0 && index > 0 || len > count - index {
            return None;
        }
        runs.push(Run { first, len, index });
        index += len;
        next = last.checked_add(1);
    }
    Some((runs, bytes))
}

fn put(mut number: u128, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u128> {
    let mut number = 0u128;
    for shift in (0..).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u128::from(byte & 0x7f);
        if bits.checked_shl(shift)? >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(numbers: &[u128]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(numbers.iter().copied(), &mut out);
        out
    }

    #[test]
    fn consecutive_numbers_take_one_run() {
        let numbers: Vec<u128> = (1000..2024).collect();
        let bytes = encoded(&numbers);
        assert_eq!(bytes, [0xe8, 0x07, 0xff, 0x07]);
        let (runs, rest) = decode(&bytes, 1024).unwrap();
        assert_eq!((runs.len(), rest), (1, &[][..]));
        assert_eq!(index_of(&runs, 1000), Some(0));
        assert_eq!(index_of(&runs, 2023), Some(1023));
        assert_eq!((index_of(&runs, 999), index_of(&runs, 2024)), (None, None));
    }

    #[test]
    fn the_ends_of_the_range_can_be_written() {
        let numbers = [0, 1, u128::MAX - 2, u128::MAX - 1, u128::MAX];
        let bytes = encoded(&numbers);
        let (runs, rest) = decode(&bytes, 5).unwrap();
        assert_eq!((runs.len(), rest.len()), (2, 0));
        assert_eq!(super::numbers(&runs).collect::<Vec<_>>(), numbers);
    }

    #[test]
    fn other_bytes_are_refused() {
        // Cut off; a second run without a gap; more numbers than there should be; too large.
        for bytes in [&[0x80][..], &[0, 0, 0, 0], &[0, 2], &[0xff; 19], &[0x80; 40]] {
            assert!(decode(bytes, 2).is_none(), "{bytes:?}");
        }
        let max = encoded(&[u128::MAX]);
        assert!(decode(&[&max[..], &[1, 0]].concat(), 2).is_none());
    }

    proptest! {
        #[test]
        fn every_sequence_comes_back(
            set in proptest::collection::btree_set(prop_oneof![0..40u128, any::<u128>()], 0..60),
            rest in proptest::collection::vec(any::<u8>(), 0..4),
        ) {
            let expected: Vec<u128> = set.iter().copied().collect();
            let bytes = [encoded(&expected), rest.clone()].concat();
            let (runs, left) = decode(&bytes, expected.len() as u32).unwrap();
            prop_assert_eq!(numbers(&runs).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(left, &rest[..]);
            for (index, number) in expected.iter().enumerate() {
                prop_assert_eq!(index_of(&runs, *number), Some(index as u32));
            }
            prop_assert_eq!(index_of(&runs, 41), expected.iter().position(|n| *n == 41).map(|i| i as u32));
        }

        #[test]
        fn no_bytes_cause_a_panic(bytes: Vec<u8>, count in 0..50u32) {
            if let Some((runs, rest)) = decode(&bytes, count) {
                let again = encoded(&numbers(&runs).collect::<Vec<_>>());
                prop_assert!(again.len() <= bytes.len() - rest.len());
            }
        }
    }
}
