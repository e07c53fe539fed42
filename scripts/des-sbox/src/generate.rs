//! Rust code from circuits.

use std::fmt::Write as _;

use crate::circuit::{Circuit, Gate, INPUTS};
use crate::select::{self, Kind};

/// The code for look-up gates of three inputs, as they are.
pub fn lut3(circuits: &[Circuit]) -> String {
    let mut code = head("lut3.txt", "three-input look-ups", "LookUp", circuits);
    for (i, circuit) in circuits.iter().enumerate() {
        function_head(&mut code, i, circuit, "LookUp");
        for (g, Gate { table, inputs: [a, b, c] }) in circuit.gates.iter().enumerate() {
            let wire = INPUTS + g;
            let _ = writeln!(code, "    let w{wire} = w{a}.look_up::<{table}>(w{b}, w{c});");
        }
        function_end(&mut code, circuit.outputs);
    }
    code
}

/// The code for gates of two inputs, in AND, OR, XOR and AND-NOT.
///
/// All four are 0 where both inputs are 0, so a circuit of them is 0 on the input of zeros. Gates
/// with inverted outputs are avoided by inverting chosen S-box inputs, such that the row of zeros
/// becomes one on which the S-box is 0 (every S-box has four): when each wire is replaced by its
/// sum with its value on that row, each gate becomes one of the four.
pub fn logic(circuits: &[Circuit]) -> String {
    let rows: Vec<usize> = circuits.iter().map(zero_row).collect();
    let mut code = head("logic.txt", "AND, OR, XOR and AND-NOT", "Logic", circuits);
    code += &inverted(&rows);
    for (i, (circuit, row)) in circuits.iter().zip(rows).enumerate() {
        function_head(&mut code, i, circuit, "Logic");
        let values: Vec<u8> = circuit.tables().iter().map(|t| (t >> row & 1) as u8).collect();
        for (g, gate) in circuit.gates.iter().enumerate() {
            let [a, b, _] = gate.inputs;
            let bit = |x: u8, y: u8| gate.table >> (4 * x + 3 * y) & 1;
            let (va, vb) = (values[a], values[b]);
            let table = (0..4)
                .fold(0, |table, k| table | (bit(k >> 1 ^ va, k & 1 ^ vb) ^ bit(va, vb)) << k);
            let (a, b, name) = match table {
                0b1000 => (a, b, "and"),
                0b1110 => (a, b, "or"),
                0b0110 => (a, b, "xor"),
                0b0100 => (a, b, "and_not"),
                0b0010 => (b, a, "and_not"),
                _ => panic!("S{} has a gate of one input", i + 1),
            };
            let _ = writeln!(code, "    let w{} = w{a}.{name}(w{b});", INPUTS + g);
        }
        function_end(&mut code, circuit.outputs);
    }
    code
}

/// The code for gates of two inputs and selections; see [`select`](crate::select).
pub fn select(circuits: &[Circuit]) -> String {
    let row = |circuit| select::zero_row(circuit).expect("gates of the kinds");
    let rows: Vec<usize> = circuits.iter().map(row).collect();
    let gates = "AND, OR, XOR, AND-NOT and selections";
    let mut code = head("select.txt", gates, "Select", circuits);
    code += &inverted(&rows);
    for (i, (circuit, row)) in circuits.iter().zip(rows).enumerate() {
        function_head(&mut code, i, circuit, "Select");
        for (g, gate) in circuit.gates.iter().enumerate() {
            let (kind, [a, b, c]) = select::kind_of(*gate, row).expect("gates of the kinds");
            let wire = INPUTS + g;
            let _ = match kind {
                Kind::And => writeln!(code, "    let w{wire} = w{a}.and(w{b});"),
                Kind::Or => writeln!(code, "    let w{wire} = w{a}.or(w{b});"),
                Kind::Xor => writeln!(code, "    let w{wire} = w{a}.xor(w{b});"),
                Kind::AndNot => writeln!(code, "    let w{wire} = w{a}.and_not(w{b});"),
                Kind::Select => writeln!(code, "    let w{wire} = w{a}.select(w{b}, w{c});"),
            };
        }
        function_end(&mut code, circuit.outputs);
    }
    code
}

/// The declaration of the inputs that are inverted for these rows of zeros.
fn inverted(rows: &[usize]) -> String {
    let list: Vec<String> = rows.iter().map(|row| format!("0b{row:06b}")).collect();
    format!(
        "\n/// The inputs that each box takes inverted, b1 in bit 5.\n\
         pub const INVERTED: [u8; 8] =\n    [{}];\n",
        list.join(", ")
    )
}

/// A row on which all outputs are 0, the one with the fewest ones.
fn zero_row(circuit: &Circuit) -> usize {
    let tables = circuit.tables();
    let zero = |row: &usize| circuit.outputs.iter().all(|&wire| tables[wire] >> row & 1 == 0);
    (0..64).filter(zero).min_by_key(|row| row.count_ones()).expect("S-box rows are permutations")
}

fn head(file: &str, gates: &str, bound: &str, circuits: &[Circuit]) -> String {
    let counts: Vec<String> = circuits.iter().map(|c| c.gates.len().to_string()).collect();
    let total: usize = circuits.iter().map(|c| c.gates.len()).sum();
    let mut code = format!(
        "//! The S-boxes in {total} gates ({}): {gates}.\n\
         //!\n\
         //! Generated from `{file}` by `scripts/des-sbox`; do not edit.\n\n\
         use super::{bound};\n\n\
         /// S-box `BOX`, from 0: inputs b1 to b6, outputs most significant first.\n\
         #[inline(always)]\n\
         pub fn sbox<const BOX: usize, L: {bound}>(inputs: [L; 6]) -> [L; 4] {{\n    match BOX {{\n",
        counts.join(" ")
    );
    for i in 0..8 {
        let pattern = if i == 7 { "_".to_owned() } else { i.to_string() };
        let _ = writeln!(code, "        {pattern} => s{}(inputs),", i + 1);
    }
    code + "    }\n}\n"
}

fn function_head(code: &mut String, i: usize, circuit: &Circuit, bound: &str) {
    let _ = write!(
        code,
        "\n/// S{}: {} gates on a longest path of {}.\n\
         #[inline(always)]\n\
         fn s{}<L: {bound}>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {{\n",
        i + 1,
        circuit.gates.len(),
        circuit.depth(),
        i + 1
    );
}

fn function_end(code: &mut String, [y1, y2, y3, y4]: [usize; 4]) {
    let _ = write!(code, "    [w{y1}, w{y2}, w{y3}, w{y4}]\n}}\n");
}
