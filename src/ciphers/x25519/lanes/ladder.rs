//! Agreement: the Montgomery ladder of RFC 7748, section 5, on eight keys at a time.
//!
//! A step of the ladder doubles one of two points and adds them. Which one it doubles is a bit of
//! the secret. Their sum does not depend on that, so only the input of the doubling is selected:
//! ten blends a step, instead of the twenty of a conditional swap.

use super::field::{Factor, Sum};
use super::fraction::Fraction;
use super::{LANES, Words, X25519Lanes};
use zeroize::Zeroizing;

/// (A − 2) / 4 of the curve v² = u³ + A·u² + u, with A = 486662.
const A24: u64 = 121_665;
/// Bits in a clamped scalar.
const BITS: usize = 255;

/// A point by its coordinate u = x / z. The neutral element has z = 0.
#[derive(Clone, Copy)]
struct Point<L: X25519Lanes> {
    x: Sum<L>,
    z: Sum<L>,
}

/// Doubles one of two points, the second where the mask is set, and adds them. Their difference has
/// the coordinate `u`.
#[inline(always)]
fn step<L: X25519Lanes>(
    lanes: L,
    [first, second]: [Point<L>; 2],
    doubles_second: L::Mask,
    u: Factor<L>,
) -> [Point<L>; 2] {
    let (a_plus, a_minus) = (first.x.plus(lanes, first.z), first.x.minus(lanes, first.z));
    let (b_plus, b_minus) = (second.x.plus(lanes, second.z), second.x.minus(lanes, second.z));

    // The two computations alternate: each multiplication waits for the one before it, and the
    // processor does not look far enough ahead to find other work. This saves 10 % of the time.
    let plus = Factor::select(lanes, doubles_second, b_plus, a_plus).squared(lanes);
    let minus = Factor::select(lanes, doubles_second, b_minus, a_minus).squared(lanes);
    let one_cross = a_minus.times(lanes, b_plus);
    let difference = plus.minus(lanes, minus);
    let other_cross = a_plus.times(lanes, b_minus);
    let double_x = plus.reduce(lanes).times(lanes, minus.reduce(lanes));
    let weighted = plus.add_multiple(lanes, difference, A24).reduce(lanes);
    let sum_of_crosses = one_cross.plus(lanes, other_cross);
    let difference_of_crosses = one_cross.minus(lanes, other_cross);
    let double_z = weighted.times(lanes, difference);
    let square = difference_of_crosses.squared(lanes).reduce(lanes);
    let sum_x = sum_of_crosses.squared(lanes);
    let sum_z = square.times(lanes, u);
    [Point { x: double_x, z: double_z }, Point { x: sum_x, z: sum_z }]
}

/// Multiplies the points with the coordinates `u` by clamped scalars.
#[inline(always)]
pub(super) fn multiply<L: X25519Lanes>(
    lanes: L,
    scalars: &[Words; 4],
    u: &[Words; 4],
) -> Fraction<L> {
    let changes = changes(scalars);
    let (zero, one) = (Sum::small(lanes, 0), Sum::small(lanes, 1));
    let u = Sum::from_words(lanes, u);
    let mut points = [Point { x: one, z: zero }, Point { x: u, z: one }];
    let u = u.reduce(lanes);
    for bit in (0..BITS).rev() {
        let changed = lanes.test(lanes.load(&changes[bit / 64]), lanes.splat(1 << (bit % 64)));
        points = step(lanes, points, changed, u);
    }
    // The lowest bit is zero, so the point that was doubled last is the result.
    let [Point { x, z }, _] = points;
    Fraction::new(x.reduce(lanes), z.reduce(lanes))
}

/// Returns the scalars' bits that differ from the next higher one. There, the point to double is
/// the sum of the last step; otherwise it is the double.
#[inline(always)]
fn changes(scalars: &[Words; 4]) -> Zeroizing<[Words; 4]> {
    let mut changes = Zeroizing::new(*scalars);
    for lane in 0..LANES {
        for i in 0..4 {
            let next = scalars.get(i + 1).map_or(0, |next| next.0[lane]);
            changes[i].0[lane] ^= scalars[i].0[lane] >> 1 | next << 63;
        }
    }
    changes
}
