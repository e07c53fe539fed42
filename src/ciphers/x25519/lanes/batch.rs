//! Batches of keys in groups of eight.

use super::super::{PublicKey, SecretKey, SharedSecret};
use super::comb::{self, Table};
use super::fraction::{Fraction, divide};
use super::ladder;
use super::{LANES, Words, X25519Lanes};
use crate::ciphers::cpu::Kernel;
use zeroize::Zeroizing;

/// Groups that share an inversion, which then takes 1 % of the time of an agreement.
const GROUPS: usize = 16;
/// Keys that share an inversion.
const KEYS: usize = GROUPS * LANES;

/// The base point, u = 9 (RFC 7748, section 4.1), in every lane.
const BASE: [Words; 4] = [Words([9; LANES]), Words::ZERO, Words::ZERO, Words::ZERO];

/// Computes `out` from pairs of keys.
pub(in super::super) struct Agree<'a> {
    pub(in super::super) pairs: &'a [(&'a SecretKey, &'a PublicKey)],
    pub(in super::super) out: &'a mut [SharedSecret],
}

impl<L: X25519Lanes> Kernel<L> for Agree<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        for (pairs, out) in self.pairs.chunks(KEYS).zip(self.out.chunks_mut(KEYS)) {
            let mut fractions = empty(lanes);
            let fractions = &mut fractions[..pairs.len().div_ceil(LANES)];
            for (group, fraction) in pairs.chunks(LANES).zip(&mut *fractions) {
                let scalars = gather(group, |(secret, _)| secret.scalar());
                let u = gather(group, |(_, public)| Zeroizing::new(*public.as_bytes()));
                *fraction = ladder::multiply(lanes, &scalars, &u);
            }
            finish(lanes, fractions, out, |out| &mut out.0);
        }
    }
}

/// Computes `out` from secret keys.
pub(in super::super) struct PublicKeys<'a> {
    pub(in super::super) secrets: &'a [SecretKey],
    pub(in super::super) out: &'a mut [PublicKey],
}

impl<L: X25519Lanes> Kernel<L> for PublicKeys<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: L) {
        let table = Table::for_keys(lanes, self.secrets.len());
        for (secrets, out) in self.secrets.chunks(KEYS).zip(self.out.chunks_mut(KEYS)) {
            let mut fractions = empty(lanes);
            let fractions = &mut fractions[..secrets.len().div_ceil(LANES)];
            for (group, fraction) in secrets.chunks(LANES).zip(&mut *fractions) {
                let scalars = gather(group, SecretKey::scalar);
                *fraction = match table {
                    Some(table) => comb::multiply(lanes, table, &scalars),
                    None => ladder::multiply(lanes, &scalars, &BASE),
                };
            }
            finish(lanes, fractions, out, |out| &mut out.0);
        }
    }
}

#[inline(always)]
fn empty<L: X25519Lanes>(lanes: L) -> [Fraction<L>; GROUPS] {
    [Fraction::zero(lanes); GROUPS]
}

/// Divides, stores the quotients and forgets them.
#[inline(always)]
fn finish<L: X25519Lanes, T>(
    lanes: L,
    fractions: &mut [Fraction<L>],
    out: &mut [T],
    bytes: impl Fn(&mut T) -> &mut [u8; 32],
) {
    divide(lanes, fractions);
    for (group, fraction) in out.chunks_mut(LANES).zip(&*fractions) {
        scatter(&Zeroizing::new(fraction.over.to_words(lanes)), group, &bytes);
    }
    // An ordinary overwrite: the optimizer may leave copies.
    fractions.fill(Fraction::zero(lanes));
    std::hint::black_box(fractions);
}

/// Loads one number into each lane; lanes past the end of the group repeat the first.
fn gather<T>(group: &[T], bytes: impl Fn(&T) -> Zeroizing<[u8; 32]>) -> Zeroizing<[Words; 4]> {
    let mut words = Zeroizing::new([Words::ZERO; 4]);
    for lane in 0..LANES {
        let bytes = bytes(group.get(lane).unwrap_or(&group[0]));
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            word.0[lane] = u64::from_le_bytes(*bytes);
        }
    }
    words
}

/// Stores the number in each lane.
fn scatter<T>(words: &[Words; 4], group: &mut [T], bytes: impl Fn(&mut T) -> &mut [u8; 32]) {
    for (lane, out) in group.iter_mut().enumerate() {
        for (bytes, word) in bytes(out).as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.0[lane].to_le_bytes();
        }
    }
}
