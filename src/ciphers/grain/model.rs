//! Grain-128AEADv2 bit by bit, in the order of its specification: the reference for the tests.

use std::collections::VecDeque;

struct Model {
    b: VecDeque<bool>,
    s: VecDeque<bool>,
}

fn bits(bytes: &[u8]) -> impl Iterator<Item = bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |i| byte >> i & 1 == 1))
}

fn bytes(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8)
        .map(|byte| byte.iter().enumerate().map(|(i, bit)| u8::from(*bit) << i).sum())
        .collect()
}

impl Model {
    fn y(&self) -> bool {
        let (b, s) = (&self.b, &self.s);
        let h =
            b[12] & s[8] ^ s[13] & s[20] ^ b[95] & s[42] ^ s[60] & s[79] ^ b[12] & b[95] & s[94];
        [2, 15, 36, 45, 64, 73, 89].iter().fold(h ^ s[93], |y, i| y ^ b[*i])
    }

    fn clock(&mut self, add_b: bool, add_s: bool) {
        let (b, s) = (&self.b, &self.s);
        let new_s = s[0] ^ s[7] ^ s[38] ^ s[70] ^ s[81] ^ s[96];
        let products: [&[usize]; 15] = [
            &[0],
            &[26],
            &[56],
            &[91],
            &[96],
            &[3, 67],
            &[11, 13],
            &[17, 18],
            &[27, 59],
            &[40, 48],
            &[61, 65],
            &[68, 84],
            &[22, 24, 25],
            &[70, 78, 82],
            &[88, 92, 93, 95],
        ];
        let new_b = products.iter().fold(s[0], |sum, product| sum ^ product.iter().all(|i| b[*i]));
        self.b.pop_front();
        self.s.pop_front();
        self.b.push_back(new_b ^ add_b);
        self.s.push_back(new_s ^ add_s);
    }

    fn next(&mut self) -> bool {
        let y = self.y();
        self.clock(false, false);
        y
    }
}

/// Returns the ciphertext followed by the tag.
pub(super) fn seal(key: &[u8; 16], nonce: &[u8; 12], associated: &[u8], text: &[u8]) -> Vec<u8> {
    let k: Vec<bool> = bits(key).collect();
    let padding = (0..32).map(|i| i != 31);
    let mut model =
        Model { b: k.iter().copied().collect(), s: bits(nonce).chain(padding).collect() };
    for _ in 0..320 {
        let y = model.y();
        model.clock(y, y);
    }
    for t in 0..64 {
        let y = model.y();
        model.clock(y ^ k[t], y ^ k[t + 64]);
    }
    let mut accumulator: Vec<bool> = (0..64).map(|_| model.next()).collect();
    let mut register: VecDeque<bool> = (0..64).map(|_| model.next()).collect();

    let mut length = associated.len().to_be_bytes().to_vec();
    while length.len() > 1 && length[0] == 0 {
        length.remove(0);
    }
    if associated.len() > 127 {
        length.insert(0, 0x80 | length.len() as u8);
    }
    let clear = 8 * (length.len() + associated.len());
    let message: Vec<bool> =
        bits(&length).chain(bits(associated)).chain(bits(text)).chain([true]).collect();
    let mut output = Vec::new();
    for bit in &message {
        output.push(bit ^ model.next());
        let next = model.next();
        if *bit {
            for (sum, r) in accumulator.iter_mut().zip(&register) {
                *sum ^= r;
            }
        }
        register.pop_front();
        register.push_back(next);
    }
    output.pop();
    let mut sealed = bytes(&output[clear..]);
    sealed.extend(bytes(&accumulator));
    sealed
}
