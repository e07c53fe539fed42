//! A random walk through the circuits that compute an S-box.
//!
//! All behaviour is 64 rows, so the freedom left to a gate is exact: flip the gate, propagate, and
//! the rows on which no output changes are free. What a wire must be is a [`Demand`]: the rows on
//! which it must be 1 and those on which it must be 0. The moves:
//!
//! - **one gate**: meet the demand on a gate by an existing wire, or by another gate on any wires
//!   that do not depend on it;
//! - **two gates**: meet it by a gate that reads a new gate and another wire. If the old gate was
//!   the only reader of one of its inputs this costs nothing, else it costs one gate.
//!
//! Gates that nothing reads any more are dropped; that is the gain. A move that keeps the size is
//! always taken, which is what carries the walk across plateaus; one that adds a gate only now and
//! then, and never beyond a slack over the best.

use crate::circuit::{Circuit, Gate, INPUTS, MAX_WIRES, cell};

/// A xorshift generator: searches repeat from their seed.
pub struct Rng(u64);

impl Rng {
    /// A generator from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// What a wire must be: 1 on the rows `one`, 0 on the rows `zero`, anything elsewhere.
#[derive(Clone, Copy)]
struct Demand {
    one: u64,
    zero: u64,
}

impl Demand {
    fn on(self, rows: u64) -> Self {
        Self { one: self.one & rows, zero: self.zero & rows }
    }

    fn inverted(self) -> Self {
        Self { one: self.zero, zero: self.one }
    }

    fn and(self, other: Self) -> Self {
        Self { one: self.one | other.one, zero: self.zero | other.zero }
    }

    fn is_constant(self) -> bool {
        self.one == 0 || self.zero == 0
    }

    /// Whether the wire, or its inverse, meets the demand.
    fn met_by(self, table: u64) -> bool {
        (self.one & !table | self.zero & table) == 0 || (self.one & table | self.zero & !table) == 0
    }
}

/// The parameters of a walk.
#[derive(Clone, Copy)]
pub struct Params {
    /// Inputs of a gate: 2 or 3.
    pub arity: usize,
    /// Moves in a thousand that try two gates.
    pub two_gates: usize,
    /// Moves in a thousand that may add a gate.
    pub grow: usize,
    /// Gates over the best that growing may reach.
    pub slack: usize,
}

/// A walk and its present circuit, which is always correct.
pub struct Walk<'a> {
    circuit: Circuit,
    tables: Vec<u64>,
    params: Params,
    rng: &'a mut Rng,
}

impl<'a> Walk<'a> {
    /// Starts from a correct circuit.
    pub fn new(circuit: Circuit, params: Params, rng: &'a mut Rng) -> Self {
        let tables = circuit.tables();
        Self { circuit, tables, params, rng }
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

    /// One move; the circuit stays correct and not larger than `limit`.
    fn step(&mut self, limit: usize) {
        let dice = self.rng.below(1000);
        let gate = self.rng.below(self.circuit.gates.len());
        let wire = INPUTS + gate;
        let seen = self.circuit.observable_rows(wire, &self.tables);
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
            self.tables = self.circuit.tables();
        }
    }

    fn has_private_input(&self, gate: usize) -> bool {
        let readers = self.circuit.readers();
        let inputs = self.circuit.gates[gate].inputs;
        inputs.iter().any(|&input| input >= INPUTS && readers[input] == 1)
    }

    fn one_gate(&mut self, gate: usize, demand: Demand, free: &[usize]) -> bool {
        if let Some(&wire) = free.iter().find(|&&wire| demand.met_by(self.tables[wire])) {
            return self.replace_by_wire(gate, wire, demand);
        }
        let Some(inputs) = self.separating(demand, free) else { return false };
        self.circuit.gates[gate] = self.fit(demand, inputs);
        true
    }

    /// Lets all readers of a gate read a wire that meets its demand, or the wire's inverse.
    fn replace_by_wire(&mut self, gate: usize, wire: usize, demand: Demand) -> bool {
        let inverted = (demand.one & !self.tables[wire] | demand.zero & self.tables[wire]) != 0;
        let old = INPUTS + gate;
        if inverted && self.circuit.outputs.contains(&old) {
            // An output must have the right sign: at best the gate becomes an inverter.
            self.circuit.gates[gate] = self.fit(demand, [wire; 3]);
            return true;
        }
        for reader in &mut self.circuit.gates {
            for position in 0..3 {
                if reader.inputs[position] == old {
                    reader.inputs[position] = wire;
                    if inverted {
                        reader.table = invert_input(reader.table, position);
                    }
                }
            }
        }
        for output in &mut self.circuit.outputs {
            if *output == old {
                *output = wire;
            }
        }
        true
    }

    /// Meets the demand on a gate by `gate(new gate, others)`.
    fn two_gates(&mut self, gate: usize, demand: Demand, free: &[usize]) -> bool {
        if INPUTS + self.circuit.gates.len() == MAX_WIRES {
            return false;
        }
        let start = self.rng.below(free.len());
        for i in 0..free.len() {
            let first = free[(start + i) % free.len()];
            let second = match self.params.arity {
                2 => first,
                _ => free[self.rng.below(free.len())],
            };
            let (a, b) = (self.tables[first], self.tables[second]);
            // On each cell of the other inputs the new gate must be the function or its inverse.
            let mut inner = Demand { one: 0, zero: 0 };
            for rows in [a & b, a & !b, !a & b, !a & !b] {
                let part = demand.on(rows);
                if !part.is_constant() {
                    let flip = self.rng.below(2) == 1;
                    inner = inner.and(if flip { part.inverted() } else { part });
                }
            }
            let Some(inputs) = self.separating(inner, free) else { continue };
            let new = self.fit(inner, inputs);
            let table = new.eval(new.inputs.map(|wire| self.tables[wire]));
            let wire = self.tables.len();
            self.circuit.gates.push(new);
            self.tables.push(table);
            self.circuit.gates[gate] = self.fit(demand, [wire, first, second]);
            return true;
        }
        false
    }

    /// A gate on `inputs` that meets the demand; table bits that are free are drawn at random.
    fn fit(&mut self, demand: Demand, inputs: [usize; 3]) -> Gate {
        let random = self.rng.next();
        let tables = inputs.map(|wire| self.tables[wire]);
        let mut gate = Gate { table: 0, inputs };
        for k in 0..8 {
            let part = demand.on(cell(k, tables));
            let free = part.one == 0 && part.zero == 0;
            let bit = if free { random >> k & 1 == 1 } else { part.one != 0 };
            gate.table |= u8::from(bit) << k;
        }
        gate
    }

    /// Wires on which some gate meets the demand, found by branching: a row that must be 1 and one
    /// that must be 0 have to be told apart by one of the wires.
    fn separating(&mut self, demand: Demand, free: &[usize]) -> Option<[usize; 3]> {
        let start = self.rng.below(free.len());
        let mut inputs = [free[start]; 3];
        let found = self.separate(&[demand], free, start, &mut inputs, 0)?;
        let last = inputs[found.saturating_sub(1)];
        inputs[found..].fill(last);
        Some(inputs)
    }

    /// Extends `inputs[..depth]`, which divide the rows into `cells`, and returns how many inputs it
    /// took.
    fn separate(
        &self,
        cells: &[Demand],
        free: &[usize],
        start: usize,
        inputs: &mut [usize; 3],
        depth: usize,
    ) -> Option<usize> {
        let Some(open) = cells.iter().find(|cell| !cell.is_constant()) else { return Some(depth) };
        if depth == self.params.arity {
            return None;
        }
        let (one, zero) = (open.one.trailing_zeros(), open.zero.trailing_zeros());
        for i in 0..free.len() {
            let wire = free[(start + i) % free.len()];
            let table = self.tables[wire];
            if (table >> one ^ table >> zero) & 1 == 0 {
                continue;
            }
            inputs[depth] = wire;
            let mut split = [Demand { one: 0, zero: 0 }; 8];
            for (i, cell) in cells.iter().enumerate() {
                split[2 * i] = cell.on(table);
                split[2 * i + 1] = cell.on(!table);
            }
            let split = &split[..2 * cells.len()];
            let next = start.wrapping_mul(7) % free.len();
            if let Some(found) = self.separate(split, free, next, inputs, depth + 1) {
                return Some(found);
            }
        }
        None
    }
}

/// The table of a gate whose input at `position` is inverted.
fn invert_input(table: u8, position: usize) -> u8 {
    let shift = 4 >> position;
    (0..8).fold(0, |new, k| new | (table >> (k ^ shift) & 1) << k)
}
