//! First circuits for the walk: correct, and far from small.

use crate::circuit::{Circuit, Gate, INPUTS};
use crate::tables;

/// The table of `a ? b : c`.
const CHOOSE: u8 = 0b1100_1010;

/// A tree of three-input gates for each output: leaves on b4 to b6, then choices by b3, b2 and b1.
pub fn tree(sbox: usize) -> Circuit {
    fn build(function: u64, variables: usize, gates: &mut Vec<Gate>) -> usize {
        if variables == 3 {
            let table = function as u8;
            gates.push(Gate { table, inputs: [3, 4, 5] });
        } else {
            let half = 1 << (variables - 1);
            let zero = build(function & ((1 << half) - 1), variables - 1, gates);
            let one = build(function >> half, variables - 1, gates);
            let inputs = [INPUTS - variables, one, zero];
            gates.push(Gate { table: CHOOSE, inputs });
        }
        INPUTS + gates.len() - 1
    }
    let mut gates = Vec::new();
    let outputs = tables::functions(sbox).map(|function| build(function, INPUTS, &mut gates));
    Circuit { gates, outputs }
}

/// Splits each gate of three inputs into at most four of two: with f₀ and f₁ for c = 0 and c = 1,
/// f = f₀ ⊕ (c ∧ (f₀ ⊕ f₁)).
pub fn split(circuit: &Circuit) -> Circuit {
    let mut wires: Vec<usize> = (0..INPUTS).collect();
    let mut gates = Vec::new();
    for gate in &circuit.gates {
        let [a, b, c] = gate.inputs.map(|wire| wires[wire]);
        let given = |c: usize| (0..4).fold(0, |f, k| f | (gate.table >> (2 * k + c) & 1) << k);
        let mut wire = two_inputs(given(0), a, b, &mut gates);
        if given(0) != given(1) {
            let difference = two_inputs(given(0) ^ given(1), a, b, &mut gates);
            let masked = two_inputs(0b1000, c, difference, &mut gates);
            wire = two_inputs(0b0110, wire, masked, &mut gates);
        }
        wires.push(wire);
    }
    Circuit { gates, outputs: circuit.outputs.map(|wire| wires[wire]) }
}

/// Adds a gate whose value is bit 2a + b of a table of four bits, and returns its wire.
fn two_inputs(table: u8, a: usize, b: usize, gates: &mut Vec<Gate>) -> usize {
    let bit = |k: u8| table >> (2 * (k >> 2) + (k & 1)) & 1;
    let table = (0..8).fold(0, |all, k| all | bit(k) << k);
    gates.push(Gate { table, inputs: [a, b, b] });
    INPUTS + gates.len() - 1
}
