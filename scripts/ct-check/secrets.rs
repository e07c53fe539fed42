//! What `ct-check` needs from inside the RSA module; compiled with `--cfg ct_check` only.

use super::key::PrivateKey;
use super::lanes::{self, Limbs, Number, RsaLanes, zero};
use crate::ciphers::cpu::{Backend, Kernel, Proof};

/// Marks every secret number of a key.
pub fn conceal(key: &mut PrivateKey, mark: fn(&mut [u64])) {
    for number in [&mut key.d, &mut key.p, &mut key.q, &mut key.dp, &mut key.dq, &mut key.qi] {
        mark(number);
    }
}

/// A table look-up as it must not be: each lane reads its entry only.
struct LeakyLookUp<'a> {
    table: &'a [Number<2>],
    index: &'a Limbs,
}

impl<L: RsaLanes> Kernel<L> for LeakyLookUp<'_> {
    type Output = u64;
    #[inline(always)]
    fn run(self, lanes: L) -> u64 {
        let mut out = Limbs::ZERO;
        let mut sum = lanes.splat(0);
        for index in self.index.0 {
            let entry = &self.table[index as usize & (self.table.len() - 1)];
            sum = lanes.add(sum, lanes.load(&entry[0][0]));
        }
        lanes.store(&mut out, sum);
        out.0[0]
    }
}

/// Looks up secret indices in the leaky way.
pub fn leaky_look_up(backend: Backend, mark: fn(&mut [u64])) -> bool {
    let Some(lanes) = lanes::of(backend) else {
        return false;
    };
    let table = vec![zero::<2>(); 16];
    let mut index = Limbs([3; 8]);
    mark(&mut index.0);
    let sum = lanes.enter(LeakyLookUp { table: &table, index: &index });
    std::hint::black_box(sum);
    true
}
