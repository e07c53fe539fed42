//! What `ct-check` needs from inside the RSA module; compiled with `--cfg ct_check` only.

use super::key::PrivateKey;
use super::lanes::{Lanes, Number, OverLanes, RsaLanes};
use crate::ciphers::cpu::{Backend, Kernel};

/// Marks every secret number of a key.
pub fn conceal(key: &mut PrivateKey, mark: fn(&mut [u64])) {
    for number in [&mut key.d, &mut key.p, &mut key.q, &mut key.dp, &mut key.dq, &mut key.qi] {
        mark(number);
    }
}

/// A table look-up as it must not be: each lane reads its entry only.
struct LeakyLookUp<'a, L: RsaLanes> {
    table: &'a [Number<L, 2>],
    index: &'a L::Limbs,
}

impl<L: RsaLanes> Kernel<L> for LeakyLookUp<'_, L> {
    type Output = u64;
    #[inline(always)]
    fn run(self, lanes: L) -> u64 {
        let mut out = L::Limbs::default();
        let mut sum = lanes.splat(0);
        for index in self.index.as_ref() {
            let entry = &self.table[*index as usize & (self.table.len() - 1)];
            sum = lanes.add(sum, lanes.load(&entry.limbs()[0]));
        }
        lanes.store(&mut out, sum);
        out.as_ref()[0]
    }
}

/// Runs [`LeakyLookUp`] with an index marked as secret.
struct MarkedLookUp(fn(&mut [u64]));

impl OverLanes for MarkedLookUp {
    type Output = ();
    fn run<L: RsaLanes>(self, lanes: L) {
        let table = vec![Number::zero(); 16];
        let mut index = L::Limbs::default();
        index.as_mut().fill(3);
        (self.0)(index.as_mut());
        std::hint::black_box(lanes.enter(LeakyLookUp { table: &table, index: &index }));
    }
}

/// Looks up secret indices in the leaky way.
pub fn leaky_look_up(backend: Backend, mark: fn(&mut [u64])) -> bool {
    Lanes::of(backend).map(|lanes| lanes.run(MarkedLookUp(mark))).is_some()
}
