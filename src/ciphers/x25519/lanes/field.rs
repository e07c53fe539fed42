//! Arithmetic modulo p = 2²⁵⁵ − 19 on eight numbers at a time, in radix 2⁵².
//!
//! A number has five digits, 260 bits, of which the top five are slack: 2²⁶⁰ ≡ 608 (mod p), and
//! 2²⁵⁵ ≡ 19. The multipliers take the low 52 bits of each digit and ignore the others. There are
//! two forms:
//!
//! - [`Sum`]: what comes out of a multiplication, with carries of some bits left in each digit.
//!   Sums and differences of these are taken digit by digit.
//! - [`Factor`]: what goes into a multiplication. Its carries have been added to the next digits,
//!   but not removed from the digits themselves, since the multipliers ignore them.
//!
//! So carries are propagated once per multiplication, not once per addition. Bounds: digit `i` of a
//! product is below (2i + 3)·2⁵², and all functions accept sums of four products.

use super::{Words, X25519Lanes};

/// Digits of a number.
pub(super) const DIGITS: usize = 5;
/// Bits in a digit: the width of AVX-512 IFMA's multiplier.
const DIGIT_BITS: u32 = 52;
/// Bits in the top digit of a number below 2²⁵⁵.
const TOP_BITS: u32 = 47;
/// The low 52 bits.
const DIGIT_MASK: u64 = (1 << DIGIT_BITS) - 1;
/// The low 47 bits.
const TOP_MASK: u64 = (1 << TOP_BITS) - 1;
/// 2²⁵⁵ modulo p.
const AT_255: u64 = 19;
/// 2²⁶⁰ modulo p.
const AT_260: u64 = 19 << 5;

/// The digits of eight numbers, least significant first.
pub(super) type Digits<L> = [<L as X25519Lanes>::Word; DIGITS];

/// Eight numbers with unpropagated carries.
#[derive(Clone, Copy)]
pub(super) struct Sum<L: X25519Lanes>(Digits<L>);

/// Eight numbers below 2²⁶⁰ in the low 52 bits of their digits.
#[derive(Clone, Copy)]
pub(super) struct Factor<L: X25519Lanes>(Digits<L>);

/// Eight numbers in memory, with digits of at most 52 bits.
pub(super) type Stored = [Words; DIGITS];

impl<L: X25519Lanes> Sum<L> {
    /// Returns a number below 2⁵² in every lane.
    #[inline(always)]
    pub(super) fn small(lanes: L, value: u64) -> Self {
        let zero = lanes.splat(0);
        Self([lanes.splat(value), zero, zero, zero, zero])
    }

    #[inline(always)]
    pub(super) fn load(lanes: L, from: &Stored) -> Self {
        let [a, b, c, d, e] = from;
        Self([lanes.load(a), lanes.load(b), lanes.load(c), lanes.load(d), lanes.load(e)])
    }

    /// Decodes little-endian 64-bit words; bit 255 is ignored (RFC 7748, section 5).
    #[inline(always)]
    pub(super) fn from_words(lanes: L, words: &[Words; 4]) -> Self {
        let mut stored = [Words::ZERO; DIGITS];
        for lane in 0..super::LANES {
            let [a, b, c, d] = words.each_ref().map(|word| word.0[lane]);
            stored[0].0[lane] = a & DIGIT_MASK;
            stored[1].0[lane] = (a >> 52 | b << 12) & DIGIT_MASK;
            stored[2].0[lane] = (b >> 40 | c << 24) & DIGIT_MASK;
            stored[3].0[lane] = (c >> 28 | d << 36) & DIGIT_MASK;
            stored[4].0[lane] = (d >> 16) & TOP_MASK;
        }
        Self::load(lanes, &stored)
    }

    #[inline(always)]
    pub(super) fn add(self, lanes: L, other: Self) -> Self {
        let mut sum = self.0;
        for (digit, other) in sum.iter_mut().zip(other.0) {
            *digit = lanes.add(*digit, other);
        }
        Self(sum)
    }

    /// Returns `self` + `factor`·`small`, for `small` below 2¹⁸.
    #[inline(always)]
    pub(super) fn add_multiple(self, lanes: L, factor: Factor<L>, small: u64) -> Self {
        let (Self([a, b, c, d, e]), Factor(f)) = (self, factor);
        let small = lanes.splat(small);
        let mut sum = [a, b, c, d, e, lanes.splat(0)];
        for i in 0..DIGITS {
            sum[i] = lanes.add_low(sum[i], f[i], small);
            sum[i + 1] = lanes.add_high(sum[i + 1], f[i], small);
        }
        let [a, b, c, d, e, over] = sum;
        Self([lanes.add_low(a, over, lanes.splat(AT_260)), b, c, d, e])
    }

    /// Propagates carries of digits that are not negative.
    #[inline(always)]
    pub(super) fn reduce(self, lanes: L) -> Factor<L> {
        let mut digits = self.0;
        let over = lanes.shift::<TOP_BITS>(digits[4]);
        digits[4] = lanes.and(digits[4], lanes.splat(TOP_MASK));
        digits[0] = lanes.add_low(digits[0], over, lanes.splat(AT_255));
        carry(lanes, &mut digits);
        Factor(digits)
    }

    #[inline(always)]
    pub(super) fn plus(self, lanes: L, other: Self) -> Factor<L> {
        self.add(lanes, other).reduce(lanes)
    }

    /// Returns `self` − `other`.
    #[inline(always)]
    pub(super) fn minus(self, lanes: L, other: Self) -> Factor<L> {
        // A multiple of p keeps the top digit above zero before it is split at bit 255, and 2p,
        // added after that, keeps it above zero when it takes the borrow of the digit below.
        const BIAS: u64 = 1 << 11;
        let mut digits = self.0;
        for (digit, other) in digits.iter_mut().zip(other.0) {
            *digit = lanes.sub(*digit, other);
        }
        let top = lanes.add(digits[4], lanes.splat(BIAS << TOP_BITS));
        let over = lanes.shift::<TOP_BITS>(top);
        digits[4] = lanes.or(lanes.and(top, lanes.splat(TOP_MASK)), lanes.splat(2 << TOP_BITS));
        digits[0] = lanes.add(digits[0], lanes.splat(((BIAS + 2) * AT_255).wrapping_neg()));
        digits[0] = lanes.add_low(digits[0], over, lanes.splat(AT_255));
        carry(lanes, &mut digits);
        Factor(digits)
    }

    #[inline(always)]
    pub(super) fn select(lanes: L, mask: L::Mask, yes: Self, no: Self) -> Self {
        Self(select(lanes, mask, yes.0, no.0))
    }
}

impl<L: X25519Lanes> Factor<L> {
    #[inline(always)]
    pub(super) fn load(lanes: L, from: &Stored) -> Self {
        Self(Sum::load(lanes, from).0)
    }

    /// Encodes the numbers, below p, as little-endian 64-bit words.
    #[inline(always)]
    pub(super) fn to_words(self, lanes: L) -> [Words; 4] {
        let mut words = [Words::ZERO; 4];
        let stored = self.canonical(lanes);
        for lane in 0..super::LANES {
            let [a, b, c, d, e] = stored.each_ref().map(|digit| digit.0[lane]);
            words[0].0[lane] = a | b << 52;
            words[1].0[lane] = b >> 12 | c << 40;
            words[2].0[lane] = c >> 24 | d << 28;
            words[3].0[lane] = d >> 36 | e << 16;
        }
        words
    }

    /// Reduces modulo p, to the one representative below p.
    #[inline(always)]
    fn canonical(self, lanes: L) -> Stored {
        let (mask, top_mask) = (lanes.splat(DIGIT_MASK), lanes.splat(TOP_MASK));
        let Self(mut digits) = self;
        // The first round leaves less than 2²⁵⁵ + 2⁸ of the number, the second less than 2²⁵⁵. The
        // third subtracts p, or nothing: p has to be subtracted if adding 19 reaches bit 255.
        for round in 0..3 {
            for digit in &mut digits[..4] {
                *digit = lanes.and(*digit, mask);
            }
            let mut over = digits;
            if round == 2 {
                over[0] = lanes.add(over[0], lanes.splat(AT_255));
                carry(lanes, &mut over);
            }
            let over = lanes.shift::<TOP_BITS>(over[4]);
            digits[0] = lanes.add_low(digits[0], over, lanes.splat(AT_255));
            if round < 2 {
                digits[4] = lanes.and(digits[4], top_mask);
            }
            carry(lanes, &mut digits);
        }
        let mut stored = [Words::ZERO; DIGITS];
        for (i, (stored, digit)) in stored.iter_mut().zip(digits).enumerate() {
            lanes.store(stored, lanes.and(digit, if i < 4 { mask } else { top_mask }));
        }
        stored
    }

    /// Whether the numbers are not multiples of p.
    #[inline(always)]
    pub(super) fn is_not_zero(self, lanes: L) -> L::Mask {
        let Self([a, b, c, d, e]) = Self::load(lanes, &self.canonical(lanes));
        let any = lanes.or(lanes.or(lanes.or(a, b), lanes.or(c, d)), e);
        lanes.test(any, any)
    }

    #[inline(always)]
    pub(super) fn from_digits(digits: Digits<L>) -> Self {
        Self(digits)
    }

    #[inline(always)]
    pub(super) fn store(self, lanes: L, to: &mut Stored) {
        for (to, digit) in to.iter_mut().zip(self.0) {
            lanes.store(to, lanes.and(digit, lanes.splat(DIGIT_MASK)));
        }
    }

    #[inline(always)]
    pub(super) fn select(lanes: L, mask: L::Mask, yes: Self, no: Self) -> Self {
        Self(select(lanes, mask, yes.0, no.0))
    }

    #[inline(always)]
    pub(super) fn times(self, lanes: L, other: Self) -> Sum<L> {
        let (Self(a), Self(b)) = (self, other);
        let mut product = [lanes.splat(0); 2 * DIGITS];
        for i in 0..DIGITS {
            for j in 0..DIGITS {
                product[i + j] = lanes.add_low(product[i + j], a[i], b[j]);
            }
            for j in 0..DIGITS {
                product[i + j + 1] = lanes.add_high(product[i + j + 1], a[i], b[j]);
            }
        }
        fold(lanes, product)
    }

    /// Returns the squares; products of different digits are computed once and doubled.
    #[inline(always)]
    pub(super) fn squared(self, lanes: L) -> Sum<L> {
        let Self(a) = self;
        let mut product = [lanes.splat(0); 2 * DIGITS];
        for i in 0..DIGITS {
            for j in i + 1..DIGITS {
                product[i + j] = lanes.add_low(product[i + j], a[i], a[j]);
            }
            for j in i + 1..DIGITS {
                product[i + j + 1] = lanes.add_high(product[i + j + 1], a[i], a[j]);
            }
        }
        for digit in &mut product[1..2 * DIGITS - 1] {
            *digit = lanes.add(*digit, *digit);
        }
        for i in 0..DIGITS {
            product[2 * i] = lanes.add_low(product[2 * i], a[i], a[i]);
            product[2 * i + 1] = lanes.add_high(product[2 * i + 1], a[i], a[i]);
        }
        fold(lanes, product)
    }

    /// Returns the power with the exponent 2ⁿ.
    #[inline(always)]
    fn raised(self, lanes: L, n: usize) -> Self {
        let mut power = self;
        for _ in 0..n {
            power = power.squared(lanes).reduce(lanes);
        }
        power
    }

    /// Returns the inverses: the powers with the exponent p − 2. The inverse of zero is zero.
    #[inline(always)]
    pub(super) fn inverted(self, lanes: L) -> Self {
        // The names give the exponent: `ones_5` has the exponent 2⁵ − 1, five ones in binary.
        let two = self.raised(lanes, 1);
        let nine = two.raised(lanes, 2).multiplied(lanes, self);
        let eleven = nine.multiplied(lanes, two);
        let ones_5 = eleven.raised(lanes, 1).multiplied(lanes, nine);
        let ones_10 = ones_5.raised(lanes, 5).multiplied(lanes, ones_5);
        let ones_20 = ones_10.raised(lanes, 10).multiplied(lanes, ones_10);
        let ones_40 = ones_20.raised(lanes, 20).multiplied(lanes, ones_20);
        let ones_50 = ones_40.raised(lanes, 10).multiplied(lanes, ones_10);
        let ones_100 = ones_50.raised(lanes, 50).multiplied(lanes, ones_50);
        let ones_200 = ones_100.raised(lanes, 100).multiplied(lanes, ones_100);
        let ones_250 = ones_200.raised(lanes, 50).multiplied(lanes, ones_50);
        ones_250.raised(lanes, 5).multiplied(lanes, eleven)
    }

    /// Returns the product, to be multiplied again.
    #[inline(always)]
    pub(super) fn multiplied(self, lanes: L, other: Self) -> Self {
        self.times(lanes, other).reduce(lanes)
    }
}

#[inline(always)]
fn select<L: X25519Lanes>(lanes: L, mask: L::Mask, yes: Digits<L>, mut no: Digits<L>) -> Digits<L> {
    for (no, yes) in no.iter_mut().zip(yes) {
        *no = lanes.select(mask, yes, *no);
    }
    no
}

/// Adds the carry or the borrow of each digit to the next one; does not remove it from the digit.
#[inline(always)]
fn carry<L: X25519Lanes>(lanes: L, digits: &mut Digits<L>) {
    for i in 0..DIGITS - 1 {
        digits[i + 1] = lanes.add(digits[i + 1], lanes.shift::<DIGIT_BITS>(digits[i]));
    }
}

/// Reduces a product of ten digits to five.
#[inline(always)]
fn fold<L: X25519Lanes>(lanes: L, mut product: [L::Word; 2 * DIGITS]) -> Sum<L> {
    let at_260 = lanes.splat(AT_260);
    // The upper half is below 2²⁶⁰, so the top digit has no carry.
    for i in DIGITS..2 * DIGITS - 1 {
        product[i + 1] = lanes.add(product[i + 1], lanes.shift::<DIGIT_BITS>(product[i]));
    }
    let [mut a, mut b, mut c, mut d, mut e, f, g, h, i, j] = product;
    let over = lanes.add_high(lanes.splat(0), j, at_260);
    a = lanes.add_low(a, f, at_260);
    b = lanes.add_low(lanes.add_high(b, f, at_260), g, at_260);
    c = lanes.add_low(lanes.add_high(c, g, at_260), h, at_260);
    d = lanes.add_low(lanes.add_high(d, h, at_260), i, at_260);
    e = lanes.add_low(lanes.add_high(e, i, at_260), j, at_260);
    a = lanes.add_low(a, over, at_260);
    Sum([a, b, c, d, e])
}
