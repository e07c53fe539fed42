//! Ascending numbers in few bytes, in the shorter of two forms; the first byte says which.
//!
//! | form | bytes |
//! |---|---|
//! | 0, runs of consecutive numbers | for each, the gap since the number after the previous run (since 0 for the first), then its length less 1 |
//! | 1, bits | the first number, the number of bytes that follow, and these: a bit for each number from the first on, least significant first; the last byte is not 0 |
//!
//! Gaps, lengths and numbers are in LEB128: 7 bits a byte, least significant first, the top bit set in
//! all but the last.

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

const RUNS: u8 = 0;
const BITS: u8 = 1;

/// Appends strictly ascending numbers.
pub(super) fn encode(numbers: &[u128], out: &mut Vec<u8>) {
    let begin = out.len();
    out.push(RUNS);
    let mut next = 0;
    for run in numbers.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        put(run[0] - next, out);
        put(run.len() as u128 - 1, out);
        next = run[0].wrapping_add(run.len() as u128);
    }
    if let Some(bits) = bits(numbers, out.len() - begin) {
        out.truncate(begin);
        out.extend(bits);
    }
}

/// The numbers in form of bits, if that is shorter than `most` bytes.
fn bits(numbers: &[u128], most: usize) -> Option<Vec<u8>> {
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    let len = (last - first) / 8 + 1;
    let mut out = vec![BITS];
    put(first, &mut out);
    put(len, &mut out);
    let begin = out.len();
    if len >= most as u128 || begin + len as usize >= most {
        return None;
    }
    // The last bit must stand for a number, too.
    first.checked_add(8 * len - 1)?;
    out.resize(begin + len as usize, 0);
    for number in numbers {
        let at = (number - first) as usize;
        out[begin + at / 8] |= 1 << (at % 8);
    }
    Some(out)
}

/// Reads `count` numbers and returns their runs and the bytes after them; `None` if these are not
/// the bytes of so many numbers.
pub(super) fn decode(bytes: &[u8], count: u32) -> Option<(Vec<Run>, &[u8])> {
    match bytes.split_first()? {
        (&RUNS, rest) => decode_runs(rest, count),
        (&BITS, rest) => decode_bits(rest, count),
        _ => None,
    }
}

fn decode_bits(mut bytes: &[u8], count: u32) -> Option<(Vec<Run>, &[u8])> {
    let (first, len) = (take(&mut bytes)?, usize::try_from(take(&mut bytes)?).ok()?);
    let (bits, rest) = bytes.split_at_checked(len)?;
    if bits.first()? & 1 == 0 || *bits.last()? == 0 {
        return None;
    }
    first.checked_add(8 * len as u128 - 1)?;
    let is_set = |at: &usize| bits[at / 8] >> (at % 8) & 1 == 1;
    let offsets: Vec<usize> = (0..8 * len).filter(is_set).collect();
    let (mut runs, mut index) = (Vec::new(), 0);
    for run in offsets.chunk_by(|a, b| a + 1 == *b) {
        let len = run.len() as u32;
        runs.push(Run { first: first + run[0] as u128, len, index });
        index += len;
    }
    (index == count).then_some((runs, rest))
}

fn decode_runs(mut bytes: &[u8], count: u32) -> Option<(Vec<Run>, &[u8])> {
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
        encode(numbers, &mut out);
        out
    }

    #[test]
    fn consecutive_numbers_take_one_run() {
        let numbers: Vec<u128> = (1000..2024).collect();
        let bytes = encoded(&numbers);
        assert_eq!(bytes, [0, 0xe8, 0x07, 0xff, 0x07]);
        let (runs, rest) = decode(&bytes, 1024).unwrap();
        assert_eq!((runs.len(), rest), (1, &[][..]));
        assert_eq!(index_of(&runs, 1000), Some(0));
        assert_eq!(index_of(&runs, 2023), Some(1023));
        assert_eq!((index_of(&runs, 999), index_of(&runs, 2024)), (None, None));
    }

    #[test]
    fn the_largest_numbers_take_bits_as_well() {
        let numbers: Vec<u128> =
            (0..8).map(|step| u128::MAX - 15 + 2 * step).chain([u128::MAX]).collect();
        let bytes = encoded(&numbers);
        assert_eq!(bytes[0], BITS);
        let (runs, rest) = decode(&bytes, 9).unwrap();
        assert!(rest.is_empty());
        for (index, number) in (0..).zip(&numbers) {
            assert_eq!(index_of(&runs, *number), Some(index));
        }
    }

    #[test]
    fn scattered_numbers_take_bits_if_that_is_shorter() {
        let numbers: Vec<u128> = (0..800).filter(|number| number % 3 != 1).collect();
        let bytes = encoded(&numbers);
        assert_eq!((bytes[0], bytes.len()), (BITS, 1 + 1 + 1 + 100));
        let (runs, _) = decode(&bytes, numbers.len() as u32).unwrap();
        assert_eq!(super::numbers(&runs).collect::<Vec<_>>(), numbers);
        let far: Vec<u128> = (0..100).map(|number| number * 1000).collect();
        assert_eq!(encoded(&far)[0], RUNS);
    }

    #[test]
    fn the_ends_of_the_range_can_be_written() {
        let near: Vec<u128> = (0..40).map(|back| u128::MAX - 2 * back).rev().collect();
        let bytes = encoded(&near);
        assert_eq!(numbers(&decode(&bytes, 40).unwrap().0).collect::<Vec<_>>(), near);
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
            assert!(decode(&[&[RUNS], bytes].concat(), 2).is_none(), "{bytes:?}");
        }
        // No bit for the first; a last byte without bits; more and fewer bits; no bytes; cut off.
        for bytes in [&[5, 1, 6][..], &[5, 2, 3, 0], &[5, 1, 7], &[5, 1, 1], &[5, 0], &[5, 2, 3]] {
            assert!(decode(&[&[BITS], bytes].concat(), 2).is_none(), "{bytes:?}");
        }
        assert!(decode(&[2, 5, 0], 1).is_none());
        let max = encoded(&[u128::MAX]);
        assert!(decode(&[&max[..], &[1, 0]].concat(), 2).is_none());
    }

    proptest! {
        #[test]
        fn every_sequence_comes_back(
            set in proptest::collection::btree_set(prop_oneof![6 => 0..90u128, 1 => any::<u128>()], 0..90),
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
            let position = expected.iter().position(|number| *number == 91);
            prop_assert_eq!(index_of(&runs, 91), position.map(|index| index as u32));
        }

        #[test]
        fn no_bytes_cause_a_panic(bytes: Vec<u8>, count in 0..50u32) {
            if let Some((runs, rest)) = decode(&bytes, count) {
                let numbers: Vec<u128> = numbers(&runs).collect();
                prop_assert_eq!(numbers.len(), count as usize);
                prop_assert!(numbers.is_sorted() && encoded(&numbers).len() <= bytes.len() - rest.len() + 1);
            }
        }
    }
}
