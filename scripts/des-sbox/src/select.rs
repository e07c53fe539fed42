//! The walk of [`search`](crate::search) for gates of two inputs and selections, `a ? b : c`.
//!
//! NEON has no instruction with an inverted output, so all gates here are 0 where their inputs are
//! 0: AND, OR, XOR, AND-NOT and the selection. An S-box has such circuits if some of its inputs are
//! inverted, such that the row of zeros becomes one on which the box is 0. Inversions are kept in
//! the tables of the gates that read those inputs, so a circuit computes the box itself.

use crate::circuit::{Circuit, Gate, INPUTS, MAX_WIRES};
use crate::search::{Params, Rng};

/// A kind of gate, which is 0 where its inputs are 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    And,
    Or,
    Xor,
    AndNot,
    Select,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::And, Self::Or, Self::Xor, Self::AndNot, Self::Select];

    /// The value for three inputs; only selections read the third.
    pub fn value(self, [a, b, c]: [u64; 3]) -> u64 {
        match self {
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
            Self::AndNot => a & !b,
            Self::Select => a & b | !a & c,
        }
    }

    /// The gate on these wires, of which inputs of the box may be inverted.
    fn gate(self, [a, b, c]: [usize; 3], row: usize) -> Gate {
        let inputs = if self == Self::Select { [a, b, c] } else { [a, b, b] };
        let table = (0..8).fold(0, |table, k: u8| {
            let bits = [0, 1, 2]
                .map(|i| u64::from(k >> (2 - i) & 1) ^ u64::from(is_inverted(inputs[i], row)));
            table | ((self.value(bits) & 1) as u8) << k
        });
        Gate { table, inputs }
    }
}

/// Whether a wire is an input of the box that is inverted for this row of zeros.
fn is_inverted(wire: usize, row: usize) -> bool {
    wire < INPUTS && row >> (INPUTS - 1 - wire) & 1 == 1
}

/// A gate as one of the kinds, with its wires in order; `None` if it is none of them for this row.
pub fn kind_of(gate: Gate, row: usize) -> Option<(Kind, [usize; 3])> {
    let [a, b, c] = gate.inputs;
    let orders = [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]];
    let same = |kind: Kind, order: [usize; 3]| {
        let wires = if kind == Kind::Select { order } else { [order[0], order[1], order[1]] };
        // On each assignment of the distinct wires.
        (0..8_u64).all(|k| {
            let bit = |wire: usize| {
                let position =
                    gate.inputs.iter().position(|other| *other == wire).expect("its own");
                k >> (2 - position) & 1
            };
            let [x, y, z] = gate.inputs.map(bit);
            let primed = wires.map(|wire| bit(wire) ^ u64::from(is_inverted(wire, row)));
            u64::from(gate.table) >> (4 * x + 2 * y + z) & 1 == kind.value(primed) & 1
        })
    };
    let both =
        |kind: &Kind| orders.into_iter().find(|order| same(*kind, *order)).map(|o| (*kind, o));
    Kind::ALL.iter().find_map(both)
}

/// A row of zeros for which all gates of a circuit are of a kind.
pub fn zero_row(circuit: &Circuit) -> Option<usize> {
    let tables = circuit.tables();
    let fits = |row: &usize| {
        circuit.outputs.iter().all(|&wire| tables[wire] >> row & 1 == 0)
            && circuit.gates.iter().all(|gate| kind_of(*gate, *row).is_some())
    };
    (0..64).find(fits)
}

/// A circuit of two-input gates with the inputs inverted by which every gate is of a kind.
pub fn without_inversions(circuit: &Circuit) -> Circuit {
    let tables = circuit.tables();
    let zero = |row: &usize| circuit.outputs.iter().all(|&wire| tables[wire] >> row & 1 == 0);
    let row = (0..64).filter(zero).min_by_key(|row| row.count_ones()).expect("a permutation");
    let value = |wire: usize| u64::from(wire >= INPUTS) & tables[wire] >> row;
    let gates = circuit.gates.iter().enumerate().map(|(at, gate)| {
        let table = (0..8_u8).fold(0, |table, k| {
            let bits = [0, 1, 2].map(|i| u64::from(k >> (2 - i) & 1) ^ value(gate.inputs[i]));
            let bit = u64::from(gate.table) >> (4 * bits[0] + 2 * bits[1] + bits[2]) & 1;
            table | ((bit ^ value(INPUTS + at)) as u8) << k
        });
        Gate { table, ..*gate }
    });
    Circuit { gates: gates.collect(), outputs: circuit.outputs }
}

/// What a wire must be: 1 on some rows, 0 on others.
#[derive(Clone, Copy)]
struct Demand {
    one: u64,
    zero: u64,
}

impl Demand {
    fn met_by(self, table: u64) -> bool {
        self.one & !table | self.zero & table == 0
    }
}

/// One of several things, each with the same chance.
struct Choice<T> {
    seen: usize,
    chosen: Option<T>,
}

impl<T> Choice<T> {
    fn offer(&mut self, weight: usize, rng: &mut Rng, thing: impl FnOnce(&mut Rng) -> T) {
        self.seen += weight;
        if weight > 0 && rng.below(self.seen) < weight {
            self.chosen = Some(thing(rng));
        }
    }
}

/// A walk and its present circuit, which is always correct.
pub struct Walk<'a> {
    circuit: Circuit,
    row: usize,
    /// The tables of all wires, inverted where the inputs are.
    tables: Vec<u64>,
    params: Params,
    rng: &'a mut Rng,
}

impl<'a> Walk<'a> {
    /// Starts from a correct circuit that has a [`zero_row`].
    pub fn new(circuit: Circuit, params: Params, rng: &'a mut Rng) -> Self {
        let row = zero_row(&circuit).expect("gates of the kinds");
        let mut walk = Self { circuit, row, tables: Vec::new(), params, rng };
        walk.evaluate();
        walk
    }

    fn evaluate(&mut self) {
        self.tables = self.circuit.tables();
        for wire in 0..INPUTS {
            if is_inverted(wire, self.row) {
                self.tables[wire] = !self.tables[wire];
            }
        }
    }

    /// Walks for a number of moves and returns the best circuit met, the last of equals.
    pub fn best_of(&mut self, moves: usize) -> Circuit {
        let mut best = self.circuit.clone();
        for _ in 0..moves {
            self.step(best.gates.len() + self.params.slack);
            if self.circuit.gates.len() <= best.gates.len() {
                best.clone_from(&self.circuit);
            }
        }
        best
    }

    fn step(&mut self, limit: usize) {
        let dice = self.rng.below(1000);
        let gate = self.rng.below(self.circuit.gates.len());
        let wire = INPUTS + gate;
        let seen = self.circuit.observable_rows(wire, &self.circuit.tables());
        let demand = Demand { one: self.tables[wire] & seen, zero: !self.tables[wire] & seen };
        let cone = self.circuit.fan_out_cone(wire);
        let free: Vec<usize> = (0..self.tables.len()).filter(|w| cone >> w & 1 == 0).collect();
        let grows = dice < self.params.grow && self.circuit.gates.len() < limit;
        let changed = if grows {
            self.two_gates(gate, demand, &free)
        } else if dice < self.params.grow + self.params.two_gates {
            self.has_private_input(gate) && self.two_gates(gate, demand, &free)
        } else {
            self.one_gate(gate, demand, &free)
        };
        if changed {
            self.circuit.normalize();
            self.evaluate();
        }
    }

    fn has_private_input(&self, gate: usize) -> bool {
        let readers = self.circuit.readers();
        let inputs = self.circuit.gates[gate].inputs;
        inputs.iter().any(|&input| input >= INPUTS && readers[input] == 1)
    }

    fn one_gate(&mut self, gate: usize, demand: Demand, free: &[usize]) -> bool {
        let old = INPUTS + gate;
        let is_output = self.circuit.outputs.contains(&old);
        let wire = free.iter().find(|&&wire| {
            demand.met_by(self.tables[wire]) && !(is_output && is_inverted(wire, self.row))
        });
        if let Some(&wire) = wire {
            self.replace_by_wire(old, wire);
            return true;
        }
        let Some((kind, wires)) = self.meeting(demand, free) else { return false };
        self.circuit.gates[gate] = kind.gate(wires, self.row);
        true
    }

    /// Lets all readers of a wire read another one.
    fn replace_by_wire(&mut self, old: usize, wire: usize) {
        let row = self.row;
        for reader in &mut self.circuit.gates {
            if reader.inputs.contains(&old) {
                let (kind, wires) = kind_of(*reader, row).expect("gates of the kinds");
                *reader = kind.gate(wires.map(|w| if w == old { wire } else { w }), row);
            }
        }
        for output in &mut self.circuit.outputs {
            if *output == old {
                *output = wire;
            }
        }
    }

    /// A gate that meets a demand, any of all with the same chance.
    fn meeting(&mut self, demand: Demand, free: &[usize]) -> Option<(Kind, [usize; 3])> {
        let Demand { one, zero } = demand;
        let (tables, rng) = (&self.tables, &mut *self.rng);
        let mut choice = Choice { seen: 0, chosen: None };
        let wires = |rows: u64, unwanted: u64| -> Vec<usize> {
            let fits = |&&w: &&usize| rows & !tables[w] | unwanted & tables[w] == 0;
            free.iter().filter(fits).copied().collect()
        };
        let (with_ones, without_ones, without_zeros) =
            (wires(one, 0), wires(0, one), wires(0, zero));
        for (at, &a) in with_ones.iter().enumerate() {
            for &b in &with_ones[at + 1..] {
                let fits = zero & tables[a] & tables[b] == 0;
                choice.offer(usize::from(fits), rng, |_| (Kind::And, [a, b, b]));
            }
            for &b in &without_ones {
                let fits = zero & tables[a] & !tables[b] == 0;
                choice.offer(usize::from(fits), rng, |_| (Kind::AndNot, [a, b, b]));
            }
        }
        for (at, &a) in without_zeros.iter().enumerate() {
            for &b in &without_zeros[at + 1..] {
                let fits = one & !(tables[a] | tables[b]) == 0;
                choice.offer(usize::from(fits), rng, |_| (Kind::Or, [a, b, b]));
            }
        }
        for (at, &a) in free.iter().enumerate() {
            for &b in &free[at + 1..] {
                let fits = demand.met_by(tables[a] ^ tables[b]);
                choice.offer(usize::from(fits), rng, |_| (Kind::Xor, [a, b, b]));
            }
        }
        for &a in free {
            let yes = wires(one & tables[a], zero & tables[a]);
            if !yes.is_empty() {
                let no = wires(one & !tables[a], zero & !tables[a]);
                choice.offer(yes.len() * no.len(), rng, |rng| {
                    (Kind::Select, [a, yes[rng.below(yes.len())], no[rng.below(no.len())]])
                });
            }
        }
        choice.chosen
    }

    /// Meets the demand on a gate by a gate that reads a new gate.
    fn two_gates(&mut self, gate: usize, demand: Demand, free: &[usize]) -> bool {
        const TRIES: usize = 12;
        if INPUTS + self.circuit.gates.len() == MAX_WIRES {
            return false;
        }
        for _ in 0..TRIES {
            let [v, w] = [0; 2].map(|_| free[self.rng.below(free.len())]);
            let kind = Kind::ALL[self.rng.below(5)];
            let arity = if kind == Kind::Select { 3 } else { 2 };
            let place = self.rng.below(arity);
            let (tv, tw) = (self.tables[v], self.tables[w]);
            // The gate's value if the new one is 0, and if it is 1.
            let with = |new: u64| {
                let mut inputs = [tv, tw, tw];
                if arity == 2 {
                    inputs = [tv; 3];
                }
                let mut others = inputs.into_iter();
                let inputs: [u64; 3] =
                    std::array::from_fn(|i| if i == place { new } else { others.next().unwrap() });
                kind.value(inputs)
            };
            let (if_zero, if_one) = (with(0), with(!0));
            let impossible = demand.one & !if_zero & !if_one | demand.zero & if_zero & if_one;
            if impossible != 0 {
                continue;
            }
            let inner = Demand {
                one: demand.one & !if_zero | demand.zero & if_zero,
                zero: demand.one & !if_one | demand.zero & if_one,
            };
            let Some((inner_kind, wires)) = self.meeting(inner, free) else { continue };
            let new = self.tables.len();
            self.circuit.gates.push(inner_kind.gate(wires, self.row));
            let mut others = if arity == 2 { [v; 3] } else { [v, w, w] }.into_iter();
            let outer: [usize; 3] =
                std::array::from_fn(|i| if i == place { new } else { others.next().unwrap() });
            self.circuit.gates[gate] = kind.gate(outer, self.row);
            return true;
        }
        false
    }
}
