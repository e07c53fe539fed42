//! CMAC over the block cipher of the crate `aes`, one message at a time.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroize;

use super::Macs;
use crate::ciphers::aes::Block;

pub(super) fn macs(job: Macs<'_>) {
    for (index, key) in job.keys.iter().enumerate() {
        let cipher = Aes256::new(key.into());
        let mut zero = [0; 16];
        encrypt(&cipher, &mut zero);
        let mut subkey = job.subkey(zero);
        for tag in index * job.per_key..(index + 1) * job.per_key {
            let mut state = [0; 16];
            for block in 0..job.blocks() {
                add(&mut state, &job.block(tag, block));
                if block + 1 == job.blocks() {
                    add(&mut state, &subkey);
                }
                encrypt(&cipher, &mut state);
            }
            job.tags[tag] = state;
        }
        zero.zeroize();
        subkey.zeroize();
    }
}

fn encrypt(cipher: &Aes256, block: &mut Block) {
    cipher.encrypt_block(block.into());
}

fn add(state: &mut Block, block: &Block) {
    for (byte, other) in state.iter_mut().zip(block) {
        *byte ^= other;
    }
}
