//! Circuits as text: for every box a line `S1 outputs 15 19 24 28`, then a line a gate: its table
//! and its three input wires. Lines that start with `#` are comments.

use crate::circuit::{Circuit, Gate};

/// What the files begin with.
const HEAD: &str = "\
# Circuits of the DES S-boxes, found by scripts/des-sbox, which generates the code from them.
# Wires 0 to 5 are the inputs b1 to b6 of FIPS 46-3, wires from 6 on the gates in their order.
# A gate is its table and its input wires a, b, c; its value is bit 4a + 2b + c of the table.
# Outputs are wires, most significant bit of the S-box value first.
";

/// Reads the circuits of the eight boxes.
///
/// # Errors
/// Says which line is not as described.
pub fn parse(text: &str) -> Result<Vec<Circuit>, String> {
    let mut circuits: Vec<Circuit> = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let wrong = || format!("line {}: {line:?}", i + 1);
        let numbers = |text: &str| -> Option<Vec<usize>> {
            text.split_whitespace().map(|number| number.parse().ok()).collect()
        };
        if let Some((_, outputs)) = line.split_once(" outputs ") {
            let outputs = numbers(outputs).and_then(|o| o.try_into().ok()).ok_or_else(wrong)?;
            circuits.push(Circuit { gates: Vec::new(), outputs });
        } else {
            let [table, a, b, c] =
                numbers(line).and_then(|n| n.try_into().ok()).ok_or_else(wrong)?;
            let table = u8::try_from(table).map_err(|_| wrong())?;
            let gate = Gate { table, inputs: [a, b, c] };
            circuits.last_mut().ok_or_else(wrong)?.gates.push(gate);
        }
    }
    if circuits.len() == 8 { Ok(circuits) } else { Err(format!("{} boxes", circuits.len())) }
}

/// Writes what [`parse`] reads.
pub fn print(circuits: &[Circuit]) -> String {
    let mut text = HEAD.to_owned();
    for (i, circuit) in circuits.iter().enumerate() {
        let [y1, y2, y3, y4] = circuit.outputs;
        text += &format!("S{} outputs {y1} {y2} {y3} {y4}\n", i + 1);
        for Gate { table, inputs: [a, b, c] } in &circuit.gates {
            text += &format!("{table} {a} {b} {c}\n");
        }
    }
    text
}
