//! DES and triple DES, bitsliced.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::ciphers::cpu::Backend;
use crate::ciphers::des::{
    BLOCK, DesKey, Key, Message, TripleDesKey, cbc_decrypt, cbc_decrypt_many, cbc_encrypt_many,
    ctr, ecb_decrypt, ecb_encrypt,
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
    let iv = [3; BLOCK];
    let mut right = true;
    for blocks in BLOCKS {
        let text = || {
            let mut text = vec![[7; BLOCK]; blocks];
            conceal(text.as_flattened_mut());
            text
        };
        let mut ecb = text();
        ecb_encrypt(backend, key, &mut ecb);
        right &= there(ecb.as_flattened_mut());
        ecb_decrypt(backend, key, &mut ecb);
        right &= back(ecb.as_flattened_mut());

        let mut stream = text();
        ctr(backend, key, iv, stream.as_flattened_mut());
        right &= there(stream.as_flattened_mut());
        ctr(backend, key, iv, stream.as_flattened_mut());
        right &= back(stream.as_flattened_mut());

        // As many messages of three blocks.
        let mut texts: Vec<_> = (0..blocks).map(|_| [[7; BLOCK]; 3]).collect();
        texts.iter_mut().for_each(|text| conceal(text.as_flattened_mut()));
        let mut messages: Vec<_> = texts.iter_mut().map(|data| Message { key, iv, data }).collect();
        cbc_encrypt_many(backend, &mut messages);
        right &= messages.iter_mut().all(|message| there(message.data.as_flattened_mut()));
        cbc_decrypt_many(backend, &mut messages);
        right &= messages.iter_mut().all(|message| back(message.data.as_flattened_mut()));

        // Blocks of one message are decrypted side by side.
        let mut one = text();
        cbc_decrypt(backend, key, iv, &mut one);
        right &= there(one.as_flattened_mut());
    }
    right
}
