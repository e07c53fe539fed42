//! Public keys: multiples of the base point, on the Edwards curve −x² + y² = 1 + d·x²·y² that is
//! birationally equivalent to Curve25519 (RFC 7748, section 4.1), from a table.
//!
//! A clamped scalar is 8·b with b of 252 bits, in 42 windows bᵢ of six. With dᵢ = 2·bᵢ − 63, an odd
//! number between −63 and 63, 2·b = Σ dᵢ·64ⁱ + 2²⁵² − 1. So the multiple is the sum of a constant
//! point and of dᵢ·64ⁱ·4B, without doublings. The table has the 32 positive multiples for each
//! window; a permutation of registers looks them up for eight keys at a time, so that no address
//! depends on a secret.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::field::{DIGITS, Factor, Stored, Sum};
use super::fraction::{Fraction, divide};
use super::{LANES, Words, X25519Lanes};
use crate::ciphers::cpu::Kernel;
use zeroize::Zeroizing;

/// Bits that clamping sets to zero at the lower end of a scalar.
const COFACTOR_BITS: usize = 3;
/// Bits in a window.
const WINDOW_BITS: usize = 6;
/// Windows of a scalar without the three bits that clamping sets to zero.
const WINDOWS: usize = 252 / WINDOW_BITS;
/// Keys of a process from which on it computes the table.
const PAYS: usize = 64;
/// Registers for one digit of a window's 32 points.
const ROWS: usize = 4;

/// Digits of the base point's x, least significant first (RFC 7748, section 4.1).
const BASE_X: [u64; DIGITS] = [
    0x0006_2d60_8f25_d51a,
    0x0006_0952_5a7b_2c95,
    0x000d_d6dc_5c69_2cc7,
    0x0005_3fec_0a4e_231f,
    0x0000_2169_36d3_cd6e,
];
/// Digits of the base point's y.
const BASE_Y: [u64; DIGITS] = [
    0x0006_6666_6666_6658,
    0x0006_6666_6666_6666,
    0x0006_6666_6666_6666,
    0x0006_6666_6666_6666,
    0x0000_6666_6666_6666,
];
/// Digits of 2·d.
const TWICE_D: [u64; DIGITS] = [
    0x0006_9b94_26b2_f159,
    0x0009_a828_3b15_6ebd,
    0x000e_f3d1_3000_e014,
    0x000f_ce71_98e8_0f2e,
    0x0000_2406_d9dc_56df,
];

/// A point in extended coordinates: x = `x`/`z`, y = `y`/`z`, x·y = `t`/`z` (Hisil, Wong, Carter
/// and Dawson 2008).
#[derive(Clone, Copy)]
struct Point<L: X25519Lanes> {
    x: Sum<L>,
    y: Sum<L>,
    z: Sum<L>,
    t: Sum<L>,
}

/// A point to add: y − x, y + x and 2·d·x·y.
#[derive(Clone, Copy)]
struct Addend<L: X25519Lanes> {
    minus: Factor<L>,
    plus: Factor<L>,
    product: Factor<L>,
}

impl<L: X25519Lanes> Point<L> {
    #[inline(always)]
    fn neutral(lanes: L) -> Self {
        let (zero, one) = (Sum::small(lanes, 0), Sum::small(lanes, 1));
        Self { x: zero, y: one, z: one, t: zero }
    }

    #[inline(always)]
    fn select(lanes: L, mask: L::Mask, yes: Self, no: Self) -> Self {
        Self {
            x: Sum::select(lanes, mask, yes.x, no.x),
            y: Sum::select(lanes, mask, yes.y, no.y),
            z: Sum::select(lanes, mask, yes.z, no.z),
            t: Sum::select(lanes, mask, yes.t, no.t),
        }
    }

    /// Adds a point where the mask is set, and subtracts it elsewhere.
    #[inline(always)]
    fn plus_or_minus(self, lanes: L, adds: L::Mask, point: Addend<L>) -> Self {
        // The negative point has −x: y − x and y + x change places, and the product its sign.
        let for_minus = Factor::select(lanes, adds, point.minus, point.plus);
        let for_plus = Factor::select(lanes, adds, point.plus, point.minus);
        let a = self.y.minus(lanes, self.x).times(lanes, for_minus);
        let b = self.y.plus(lanes, self.x).times(lanes, for_plus);
        let c = self.t.reduce(lanes).times(lanes, point.product);
        let d = self.z.add(lanes, self.z);
        let (d_minus_c, d_plus_c) = (d.minus(lanes, c), d.plus(lanes, c));
        let e = b.minus(lanes, a);
        let f = Factor::select(lanes, adds, d_minus_c, d_plus_c);
        let g = Factor::select(lanes, adds, d_plus_c, d_minus_c);
        let h = b.plus(lanes, a);
        Self {
            x: e.times(lanes, f),
            y: g.times(lanes, h),
            z: f.times(lanes, g),
            t: e.times(lanes, h),
        }
    }

    #[inline(always)]
    fn doubled(self, lanes: L) -> Self {
        let a = self.x.reduce(lanes).squared(lanes);
        let b = self.y.reduce(lanes).squared(lanes);
        let c = self.z.reduce(lanes).squared(lanes);
        let sum = a.add(lanes, b);
        let e = self.x.plus(lanes, self.y).squared(lanes).minus(lanes, sum);
        let f = c.add(lanes, c).add(lanes, a).minus(lanes, b);
        let g = b.minus(lanes, a);
        let h = sum.reduce(lanes);
        Self {
            x: e.times(lanes, f),
            y: g.times(lanes, h),
            z: f.times(lanes, g),
            t: e.times(lanes, h),
        }
    }
}

/// The 32 multiples of a window, digit by digit: y − x, y + x and 2·d·x·y.
type Window = [[[Words; 2]; ROWS / 2]; 3 * DIGITS];

/// The multiples of the base point.
pub(super) struct Table {
    windows: Vec<Window>,
    /// (2²⁵² − 1)·4B in extended coordinates.
    start: [Stored; 4],
}

impl Table {
    /// Returns the table if it pays for `keys` more keys, and counts them: it takes as long to
    /// compute as the multiples of [`PAYS`] keys without it.
    #[inline(always)]
    pub(super) fn for_keys<L: X25519Lanes>(lanes: L, keys: usize) -> Option<&'static Self> {
        static TABLE: OnceLock<Table> = OnceLock::new();
        static KEYS: AtomicUsize = AtomicUsize::new(0);
        if let Some(table) = TABLE.get() {
            return Some(table);
        }
        let keys = KEYS.fetch_add(keys, Ordering::Relaxed) + keys;
        (keys >= PAYS).then(|| TABLE.get_or_init(|| lanes.enter(Make)))
    }

    /// Returns `start` + Σ dᵢ·64ⁱ·4B.
    #[inline(always)]
    fn add_windows<L: X25519Lanes>(
        &self,
        lanes: L,
        start: Point<L>,
        windows: &[Words; WINDOWS],
    ) -> Point<L> {
        let mut point = start;
        for (bits, window) in windows.iter().zip(&self.windows) {
            let bits = lanes.load(bits);
            // Windows of 32 and more have positive multiples, the others negative ones, in reverse.
            let positive = lanes.test(bits, lanes.splat(32));
            let index = lanes.select(positive, bits, lanes.xor(bits, lanes.splat(31)));
            point = point.plus_or_minus(lanes, positive, look_up(lanes, window, index));
        }
        point
    }
}

/// Returns the multiples whose numbers are in the low five bits of each lane of `index`.
#[inline(always)]
fn look_up<L: X25519Lanes>(lanes: L, window: &Window, index: L::Word) -> Addend<L> {
    let high = lanes.test(index, lanes.splat(16));
    let mut digits = [lanes.splat(0); 3 * DIGITS];
    for (digit, [low_half, high_half]) in digits.iter_mut().zip(window) {
        let (yes, no) = (lanes.pick(high_half, index), lanes.pick(low_half, index));
        *digit = lanes.select(high, yes, no);
    }
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = digits;
    Addend {
        minus: Factor::from_digits([a, b, c, d, e]),
        plus: Factor::from_digits([f, g, h, i, j]),
        product: Factor::from_digits([k, l, m, n, o]),
    }
}

/// Returns the base point's multiples by clamped scalars as fractions: the coordinates u.
#[inline(always)]
pub(super) fn multiply<L: X25519Lanes>(
    lanes: L,
    table: &Table,
    scalars: &[Words; 4],
) -> Fraction<L> {
    let [x, y, z, t] = table.start.each_ref().map(|from| Sum::load(lanes, from));
    let point = table.add_windows(lanes, Point { x, y, z, t }, &windows(scalars));
    // u = (1 + y) / (1 − y).
    Fraction::new(point.z.plus(lanes, point.y), point.z.minus(lanes, point.y))
}

/// Splits clamped scalars, without the three lowest bits, into windows, least significant first.
#[inline(always)]
fn windows(scalars: &[Words; 4]) -> Zeroizing<[Words; WINDOWS]> {
    let mut windows = Zeroizing::new([Words::ZERO; WINDOWS]);
    for (i, window) in windows.iter_mut().enumerate() {
        let at = COFACTOR_BITS + i * WINDOW_BITS;
        let (word, bit) = (at / 64, at % 64);
        let next = &scalars[(word + 1).min(3)];
        for lane in 0..LANES {
            // Two shifts, since a shift by 64 would be an error.
            let bits = scalars[word].0[lane] >> bit | next.0[lane] << 1 << (63 - bit);
            window.0[lane] = bits & ((1 << WINDOW_BITS) - 1);
        }
    }
    windows
}

/// Computes the table.
struct Make;

impl<L: X25519Lanes> Kernel<L> for Make {
    type Output = Table;

    #[inline(always)]
    fn run(self, lanes: L) -> Table {
        let splat = |digits: [u64; DIGITS]| digits.map(|digit| Words([digit; LANES]));
        let base_x = Sum::load(lanes, &splat(BASE_X));
        let base_y = Sum::load(lanes, &splat(BASE_Y));
        let twice_d = Factor::load(lanes, &splat(TWICE_D));
        let base = Addend {
            minus: base_y.minus(lanes, base_x),
            plus: base_y.plus(lanes, base_x),
            product: base_x
                .reduce(lanes)
                .multiplied(lanes, base_y.reduce(lanes))
                .multiplied(lanes, twice_d),
        };
        let all = lanes.test(lanes.splat(1), lanes.splat(1));

        // Lane l of row r of the first window: the multiple by 4·(2·(8·r + l) + 1).
        let mut rows = [Point::neutral(lanes); ROWS];
        for (r, point) in rows.iter_mut().enumerate() {
            let multiples = Words(std::array::from_fn(|l| 4 * (2 * (8 * r + l) as u64 + 1)));
            for bit in (0..8).rev() {
                *point = point.doubled(lanes);
                let set = lanes.test(lanes.load(&multiples), lanes.splat(1 << bit));
                *point = Point::select(lanes, set, point.plus_or_minus(lanes, all, base), *point);
            }
        }
        let one = Sum::small(lanes, 1).reduce(lanes);
        let mut points = Vec::with_capacity(WINDOWS * ROWS);
        let mut inverses = Vec::with_capacity(WINDOWS * ROWS);
        for _ in 0..WINDOWS {
            for point in rows {
                points.push([point.x.reduce(lanes), point.y.reduce(lanes)]);
                inverses.push(Fraction::new(one, point.z.reduce(lanes)));
            }
            for _ in 0..WINDOW_BITS {
                for point in &mut rows {
                    *point = point.doubled(lanes);
                }
            }
        }
        divide(lanes, &mut inverses);

        let mut table = Table {
            windows: vec![[[[Words::ZERO; 2]; ROWS / 2]; 3 * DIGITS]; WINDOWS],
            start: [[Words::ZERO; DIGITS]; 4],
        };
        for (i, ([x, y], inverse)) in points.into_iter().zip(&inverses).enumerate() {
            let (window, row) = (&mut table.windows[i / ROWS], i % ROWS);
            let x = x.times(lanes, inverse.over);
            let y = y.times(lanes, inverse.over);
            let product =
                x.reduce(lanes).multiplied(lanes, y.reduce(lanes)).multiplied(lanes, twice_d);
            let parts = [y.minus(lanes, x), y.plus(lanes, x), product];
            for (part, digits) in parts.iter().zip(window.chunks_exact_mut(DIGITS)) {
                let mut stored = [Words::ZERO; DIGITS];
                part.store(lanes, &mut stored);
                for (to, from) in digits.iter_mut().zip(stored) {
                    to[row / 2][row % 2] = from;
                }
            }
        }

        // Windows of ones have the multiples 63·64ⁱ, whose sum is 2²⁵² − 1.
        let ones = [Words([(1 << WINDOW_BITS) - 1; LANES]); WINDOWS];
        let start = table.add_windows(lanes, Point::neutral(lanes), &ones);
        for (stored, sum) in table.start.iter_mut().zip([start.x, start.y, start.z, start.t]) {
            sum.reduce(lanes).store(lanes, stored);
        }
        table
    }
}
