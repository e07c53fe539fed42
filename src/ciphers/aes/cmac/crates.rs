//! CMAC over the block cipher of the crate `aes`, one message at a time.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use zeroize::Zeroize;

use super::Macs;
use crate::ciphers::aes::{Block, KeySize};

pub(super) fn macs(job: Macs<'_>) {
    match job.size {
        KeySize::Aes128 => with::<Aes128>(job),
        KeySize::Aes192 => with::<Aes192>(job),
        KeySize::Aes256 => with::<Aes256>(job),
    }
}

fn with<C: KeyInit + BlockCipherEncrypt>(job: Macs<'_>) {
    for (index, key) in job.keys.chunks_exact(job.size.bytes()).enumerate() {
        let cipher = C::new_from_slice(key).expect("the length was checked");
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

fn encrypt(cipher: &impl BlockCipherEncrypt, block: &mut Block) {
    let block: &mut [u8] = block;
    cipher.encrypt_block(block.try_into().expect("AES has blocks of 16 bytes"));
}

fn add(state: &mut Block, block: &Block) {
    for (byte, other) in state.iter_mut().zip(block) {
        *byte ^= other;
    }
}
