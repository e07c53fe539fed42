//! DES and triple DES, bitsliced.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::ciphers::cpu::Backend;
use crate::ciphers::des::{
    DesKey, Key, Message, TripleDesKey, cbc_decrypt, cbc_decrypt_many, cbc_encrypt_many, ctr,
    ecb_decrypt, ecb_encrypt,
};
use crate::secrets::{conceal, is_concealed, reveal};

/// Lengths of texts in blocks: narrow, wide, and more than one pass. None leaves fewer than six blocks at
/// the end of a pass, which the crate would take: it looks S-boxes up in tables.
const BLOCKS: [usize; 6] = [6, 64, 72, 300, 512, 1_096];

/// Both ciphers in all modes.
pub fn des(backend: Backend) -> bool {
    let mut rng = StdRng::seed_from_u64(7);
    let mut secret = [0; 24];
    rng.fill_bytes(&mut secret);
    conceal(&mut secret);
    let single: [u8; 8] = std::array::from_fn(|at| secret[at]);
    modes(backend, &DesKey::from(single)) && modes(backend, &TripleDesKey::from(secret))
}

fn modes<K: Key>(backend: Backend, key: &K) -> bool {
    let there = |text: &mut [u8]| {
        let right = is_concealed(text);
        reveal(text);
        right && text.iter().any(|byte| *byte != 7)
    };
    let back = |text: &mut [u8]| {
        let right = is_concealed(text);
        reveal(text);
        right && text.iter().all(|byte| *byte == 7)
    };
    let iv = [3; 8];
    let mut right = true;
    for blocks in BLOCKS {
        let text = || {
            let mut text = vec![7; 8 * blocks];
            conceal(&mut text);
            text
        };
        let mut ecb = text();
        ecb_encrypt(backend, key, &mut ecb).expect("whole blocks");
        right &= there(&mut ecb);
        ecb_decrypt(backend, key, &mut ecb).expect("whole blocks");
        right &= back(&mut ecb);

        let mut stream = text();
        ctr(backend, key, iv, &mut stream);
        right &= there(&mut stream);
        ctr(backend, key, iv, &mut stream);
        right &= back(&mut stream);

        // As many messages of three blocks.
        let mut texts: Vec<_> = (0..blocks).map(|_| [7; 24]).collect();
        texts.iter_mut().for_each(|text| conceal(text));
        let mut messages: Vec<_> = texts.iter_mut().map(|data| Message { key, iv, data }).collect();
        cbc_encrypt_many(backend, &mut messages).expect("whole blocks");
        right &= messages.iter_mut().all(|message| there(message.data));
        cbc_decrypt_many(backend, &mut messages).expect("whole blocks");
        right &= messages.iter_mut().all(|message| back(message.data));

        // Blocks of one message are decrypted side by side.
        let mut one = text();
        cbc_decrypt(backend, key, iv, &mut one).expect("whole blocks");
        right &= there(&mut one);
    }
    right
}
