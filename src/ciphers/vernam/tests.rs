//! Hand-computed arithmetic, range accounting, and rejected inputs.

use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::*;

/// Computed by hand: ASCII "HELLO" under the pad 5, 250, 255, 0, 85.
#[test]
fn known_answer() {
    let pad = Pad::new(vec![9, 5, 250, 255, 0, 85, 9]);
    let mut text = *b"HELLO";
    pad.xor(PadRange::new(1, 5).unwrap(), &mut text).unwrap();
    assert_eq!(text, [0x4d, 0xbf, 0xb3, 0x4c, 0x1a]);
}

#[test]
fn ranges_taken_one_after_the_other_are_disjoint_until_the_pad_is_short() {
    let pad = Pad::generate(100, &mut StdRng::seed_from_u64(1));
    let mut left = pad.range();
    let taken: Vec<_> = (0..13).map(|i| left.take(i).unwrap()).collect();
    assert_eq!((left.offset(), left.length()), (78, 22));
    for (i, a) in taken.iter().enumerate() {
        assert!(a.is_disjoint(&left));
        assert!(taken[..i].iter().all(|b| a.is_disjoint(b) && b.is_disjoint(a)));
    }
    let short = PadError::Short { needed: 23, left: 22 };
    assert_eq!(left.take(23), Err(short));
    assert_eq!(left.take(22).unwrap(), PadRange::new(78, 22).unwrap());
    assert_eq!(left.take(0).unwrap().length(), 0);
}

#[test]
fn overlapping_ranges_are_not_disjoint() {
    let range = |offset, length| PadRange::new(offset, length).unwrap();
    assert!(!range(5, 10).is_disjoint(&range(14, 1)));
    assert!(!range(5, 10).is_disjoint(&range(0, 6)));
    assert!(!range(5, 10).is_disjoint(&range(7, 1)));
    assert!(range(5, 10).is_disjoint(&range(15, 1)));
    assert!(range(5, 10).is_disjoint(&range(0, 5)));
    assert!(range(5, 10).is_disjoint(&range(7, 0)));
}

#[test]
fn ranges_outside_the_pad_and_texts_of_another_length_are_refused() {
    let mut pad = Pad::new(vec![1; 10]);
    for (offset, length) in [(10, 1), (9, 2), (0, 11), (u64::MAX - 2, 2)] {
        let mut text = vec![7; length as usize];
        let range = PadRange::new(offset, length).unwrap();
        let refused = Err(PadError::Outside { offset, length, pad: 10 });
        assert_eq!(pad.xor(range, &mut text), refused);
        assert_eq!(text, vec![7; length as usize]);
        assert_eq!(pad.erase(offset, length), refused);
    }
    let refused = Err(PadError::Length { text: 3, range: 2 });
    assert_eq!(pad.xor(PadRange::new(0, 2).unwrap(), &mut [7; 3]), refused);
    let overflow = PadError::Overflow { offset: u64::MAX, length: 1 };
    assert_eq!(PadRange::new(u64::MAX, 1), Err(overflow));
    assert_eq!(pad.xor(PadRange::new(10, 0).unwrap(), &mut []), Ok(()));
}

#[test]
fn an_erased_range_is_zero_and_nothing_else_is() {
    let mut pad = Pad::new(vec![1; 6]);
    pad.erase(2, 3).unwrap();
    assert_eq!(pad.as_bytes(), [1, 1, 0, 0, 0, 1]);
}

#[test]
fn debug_shows_no_pad() {
    let shown = format!("{:?}", Pad::new(vec![0xd7; 3]));
    assert_eq!(shown, "Pad { bytes: 3, content: [redacted] }");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn the_same_range_decrypts_and_another_does_not(plain: [u8; 24], seed: u64, offset in 0u64..40) {
        let pad = Pad::generate(64, &mut StdRng::seed_from_u64(seed));
        let range = |offset| PadRange::new(offset, 24).unwrap();
        let mut text = plain;
        pad.xor(range(offset), &mut text).unwrap();
        let mut other = text;
        pad.xor(range((offset + 1) % 41), &mut other).unwrap();
        prop_assert_ne!(other, plain);
        pad.xor(range(offset), &mut text).unwrap();
        prop_assert_eq!(text, plain);
    }
}
