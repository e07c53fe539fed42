//! All sets of circuits, as data and as code, on all 64 inputs of all boxes.

use super::{LookUp, Select, logic, lut3, select};

/// FIPS 46-3, appendix 1: box, row b1b6, column b2b3b4b5.
const SBOXES: [[[u8; 16]; 4]; 8] = [
    [
        [14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7],
        [0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8],
        [4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0],
        [15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13],
    ],
    [
        [15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10],
        [3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5],
        [0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15],
        [13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9],
    ],
    [
        [10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8],
        [13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1],
        [13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7],
        [1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12],
    ],
    [
        [7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15],
        [13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9],
        [10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4],
        [3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14],
    ],
    [
        [2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9],
        [14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6],
        [4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14],
        [11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3],
    ],
    [
        [12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11],
        [10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8],
        [9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6],
        [4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13],
    ],
    [
        [4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1],
        [13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6],
        [1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2],
        [6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12],
    ],
    [
        [13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7],
        [1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2],
        [7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8],
        [2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11],
    ],
];

/// Returns the truth tables of a box's outputs: bit x is the value on input x = b1b2b3b4b5b6.
fn functions(sbox: usize) -> [u64; 4] {
    let mut functions = [0; 4];
    for x in 0..64 {
        let value = SBOXES[sbox][x >> 5 << 1 | x & 1][x >> 1 & 15];
        for (bit, function) in functions.iter_mut().enumerate() {
            *function |= u64::from(value >> (3 - bit) & 1) << x;
        }
    }
    functions
}

/// Returns the truth tables of b1 to b6.
fn inputs() -> [u64; 6] {
    std::array::from_fn(|i| (0..64).fold(0, |table, x| table | (x >> (5 - i) & 1) << x))
}

impl LookUp for u64 {
    fn look_up<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        look_up(TABLE, [self, b, c])
    }
}

impl Select for u64 {
    fn select(self, yes: Self, no: Self) -> Self {
        self & yes | !self & no
    }
}

fn look_up(table: i32, [a, b, c]: [u64; 3]) -> u64 {
    (0..64).fold(0, |sum, x| {
        let index = 4 * (a >> x & 1) + 2 * (b >> x & 1) + (c >> x & 1);
        sum | ((table >> index & 1) as u64) << x
    })
}

#[test]
fn the_look_up_code_computes_the_boxes() {
    let x = inputs();
    let found = [
        lut3::sbox::<0, u64>(x),
        lut3::sbox::<1, u64>(x),
        lut3::sbox::<2, u64>(x),
        lut3::sbox::<3, u64>(x),
        lut3::sbox::<4, u64>(x),
        lut3::sbox::<5, u64>(x),
        lut3::sbox::<6, u64>(x),
        lut3::sbox::<7, u64>(x),
    ];
    for (sbox, found) in found.into_iter().enumerate() {
        assert_eq!(found, functions(sbox), "S{}", sbox + 1);
    }
}

/// The inputs, of which some are inverted, b1 in bit 5.
fn inverted_inputs(inverted: u8) -> [u64; 6] {
    let mut inputs = inputs();
    for (i, input) in inputs.iter_mut().enumerate() {
        if inverted >> (5 - i) & 1 == 1 {
            *input = !*input;
        }
    }
    inputs
}

#[test]
fn the_logic_code_computes_the_boxes() {
    let x = |sbox: usize| inverted_inputs(logic::INVERTED[sbox]);
    let found = [
        logic::sbox::<0, u64>(x(0)),
        logic::sbox::<1, u64>(x(1)),
        logic::sbox::<2, u64>(x(2)),
        logic::sbox::<3, u64>(x(3)),
        logic::sbox::<4, u64>(x(4)),
        logic::sbox::<5, u64>(x(5)),
        logic::sbox::<6, u64>(x(6)),
        logic::sbox::<7, u64>(x(7)),
    ];
    for (sbox, found) in found.into_iter().enumerate() {
        assert_eq!(found, functions(sbox), "S{}", sbox + 1);
    }
}

#[test]
fn the_code_with_selections_computes_the_boxes() {
    let x = |sbox: usize| inverted_inputs(select::INVERTED[sbox]);
    let found = [
        select::sbox::<0, u64>(x(0)),
        select::sbox::<1, u64>(x(1)),
        select::sbox::<2, u64>(x(2)),
        select::sbox::<3, u64>(x(3)),
        select::sbox::<4, u64>(x(4)),
        select::sbox::<5, u64>(x(5)),
        select::sbox::<6, u64>(x(6)),
        select::sbox::<7, u64>(x(7)),
    ];
    for (sbox, found) in found.into_iter().enumerate() {
        assert_eq!(found, functions(sbox), "S{}", sbox + 1);
    }
}

/// Evaluates the circuits of a data file and returns their total number of gates.
fn check_data(text: &str) -> usize {
    let mut boxes = 0;
    let mut gates = 0;
    let mut wires = Vec::new();
    let mut outputs = Vec::new();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    for line in lines.chain(["end"]) {
        if line.starts_with('S') || line == "end" {
            for (output, function) in outputs.iter().zip(functions(boxes.max(1) - 1)) {
                let wire: usize = *output;
                assert_eq!(wires[wire], function, "S{boxes}");
            }
            boxes += 1;
            wires = inputs().to_vec();
            let numbers = line.split_whitespace().skip(2);
            outputs = numbers.map(|number| number.parse().unwrap()).collect();
        } else {
            let numbers: Vec<usize> = line.split(' ').map(|n| n.parse().unwrap()).collect();
            let [table, a, b, c] = numbers[..] else { panic!("{line}") };
            wires.push(look_up(table as i32, [wires[a], wires[b], wires[c]]));
            gates += 1;
        }
    }
    assert_eq!(boxes, 9);
    gates
}

#[test]
fn the_data_computes_the_boxes() {
    assert_eq!(check_data(include_str!("lut3.txt")), 165);
    let gates = check_data(include_str!("logic.txt"));
    assert!(gates <= 340, "{gates} gates");
    let gates = check_data(include_str!("select.txt"));
    assert!(gates <= 266, "{gates} gates");
}
