//! Circuits of look-up gates over the six input bits of a DES S-box.
//!
//! A Boolean function of the six bits is one `u64`, its truth table: bit x is the value on the
//! input x = b1b2b3b4b5b6 (b1 most significant, FIPS 46-3). Wires 0 to 5 are b1 to b6, wires from
//! 6 on are the gates, every gate after the wires it reads. The value of a gate is bit
//! `4 * a + 2 * b + c` of its table; a gate of two inputs reads its second wire twice.

/// Wires in a circuit at most, so that a set of wires is a `u128`.
pub const MAX_WIRES: usize = 128;

/// Input bits of an S-box.
pub const INPUTS: usize = 6;

/// A look-up gate: its table and the wires it reads.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Gate {
    /// Bit `4 * a + 2 * b + c` is the gate's value.
    pub table: u8,
    /// The wires a, b and c.
    pub inputs: [usize; 3],
}

impl Gate {
    /// The gate's truth table, from those of its inputs.
    pub fn eval(self, [a, b, c]: [u64; 3]) -> u64 {
        (0..8).filter(|k| self.table >> k & 1 == 1).fold(0, |sum, k| sum | cell(k, [a, b, c]))
    }
}

/// The rows on which three wires have the values of the bits of `k`, the first one on top.
pub fn cell(k: u8, wires: [u64; 3]) -> u64 {
    let literal = |i: usize| if k >> (2 - i) & 1 == 1 { wires[i] } else { !wires[i] };
    literal(0) & literal(1) & literal(2)
}

/// A circuit with four outputs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Circuit {
    /// The gates; gate i drives wire 6 + i.
    pub gates: Vec<Gate>,
    /// The wires of the S-box value, most significant bit first.
    pub outputs: [usize; 4],
}

impl Circuit {
    /// The truth tables of all wires.
    pub fn tables(&self) -> Vec<u64> {
        let mut tables: Vec<u64> = (0..INPUTS).map(input_table).collect();
        for gate in &self.gates {
            tables.push(gate.eval(gate.inputs.map(|wire| tables[wire])));
        }
        tables
    }

    /// Whether the circuit computes the four functions.
    pub fn computes(&self, functions: &[u64; 4]) -> bool {
        let tables = self.tables();
        self.outputs.iter().zip(functions).all(|(&wire, f)| tables[wire] == *f)
    }

    /// The wires that depend on `wire`, itself among them.
    pub fn fan_out_cone(&self, wire: usize) -> u128 {
        let mut cone = 1u128 << wire;
        for (i, gate) in self.gates.iter().enumerate() {
            if gate.inputs.iter().any(|input| cone >> input & 1 == 1) {
                cone |= 1 << (INPUTS + i);
            }
        }
        cone
    }

    /// The rows on which the value of `wire` shows at an output.
    pub fn observable_rows(&self, wire: usize, tables: &[u64]) -> u64 {
        let mut flipped = tables.to_vec();
        flipped[wire] = !flipped[wire];
        let mut cone = 1u128 << wire;
        for (i, gate) in self.gates.iter().enumerate().skip((wire + 1).saturating_sub(INPUTS)) {
            if gate.inputs.iter().any(|input| cone >> input & 1 == 1) {
                flipped[INPUTS + i] = gate.eval(gate.inputs.map(|input| flipped[input]));
                cone |= 1 << (INPUTS + i);
            }
        }
        self.outputs.iter().fold(0, |rows, &wire| rows | (flipped[wire] ^ tables[wire]))
    }

    /// How many gates and outputs read each wire.
    pub fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; INPUTS + self.gates.len()];
        for gate in &self.gates {
            let [a, b, c] = gate.inputs;
            readers[a] += 1;
            readers[b] += usize::from(b != a);
            readers[c] += usize::from(c != a && c != b);
        }
        for &wire in &self.outputs {
            readers[wire] += 1;
        }
        readers
    }

    /// Puts every gate after the wires it reads and drops those that no output depends on.
    /// `gates` may be in any order as long as there is no cycle.
    pub fn normalize(&mut self) {
        const UNSEEN: usize = usize::MAX;
        fn visit(wire: usize, old: &[Gate], new: &mut Vec<Gate>, map: &mut [usize]) -> usize {
            if map[wire] == UNSEEN {
                let gate = old[wire - INPUTS];
                let inputs = gate.inputs.map(|input| visit(input, old, new, map));
                new.push(Gate { inputs, ..gate });
                map[wire] = INPUTS + new.len() - 1;
            }
            map[wire]
        }
        let mut map: Vec<usize> = (0..INPUTS).collect();
        map.resize(INPUTS + self.gates.len(), UNSEEN);
        let old = std::mem::take(&mut self.gates);
        self.outputs = self.outputs.map(|wire| visit(wire, &old, &mut self.gates, &mut map));
    }

    /// Gates on the longest path.
    pub fn depth(&self) -> usize {
        let mut depth = vec![0; INPUTS];
        for gate in &self.gates {
            depth.push(1 + gate.inputs.iter().map(|&input| depth[input]).max().unwrap_or(0));
        }
        self.outputs.iter().map(|&wire| depth[wire]).max().unwrap_or(0)
    }
}

/// The truth table of input bit `i`, 0 for b1.
fn input_table(i: usize) -> u64 {
    (0..64).fold(0, |table, x| table | (x >> (5 - i) & 1) << x)
}
