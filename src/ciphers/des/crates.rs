//! DES with the crate `des`, one block at a time: for comparison, and for too few blocks to make
//! lanes worthwhile.

use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde3};

use super::BLOCK;
use super::job::{Direction, Job, Message};

/// Runs the job block by block.
pub(super) fn run(job: Job<'_>) {
    match job {
        Job::Ecb { key, direction, data } => {
            let cipher = Cipher::new(key);
            for block in data.as_chunks_mut().0 {
                *block = cipher.crypt(direction, *block);
            }
        }
        Job::Ctr { key, iv, data } => ctr(&Cipher::new(key), iv, data),
        Job::CbcDecrypt { key, iv, data } => cbc(Direction::Decrypt, Message { key, iv, data }),
        Job::CbcMany { direction, messages } => {
            messages.into_iter().for_each(|message| cbc(direction, message))
        }
    }
}

fn ctr(cipher: &Cipher, iv: [u8; BLOCK], data: &mut [u8]) {
    let mut counter = u64::from_be_bytes(iv);
    for part in data.chunks_mut(BLOCK) {
        let stream = cipher.crypt(Direction::Encrypt, counter.to_be_bytes());
        counter = counter.wrapping_add(1);
        for (byte, stream) in part.iter_mut().zip(stream) {
            *byte ^= stream;
        }
    }
}

fn cbc(direction: Direction, message: Message<'_>) {
    let cipher = Cipher::new(message.key);
    let mut chain = message.iv;
    for block in message.data.as_chunks_mut().0 {
        match direction {
            Direction::Encrypt => {
                *block = cipher.crypt(direction, xor(*block, chain));
                chain = *block;
            }
            Direction::Decrypt => {
                let ciphertext = *block;
                *block = xor(cipher.crypt(direction, ciphertext), chain);
                chain = ciphertext;
            }
        }
    }
}

fn xor(a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
    (u64::from_ne_bytes(a) ^ u64::from_ne_bytes(b)).to_ne_bytes()
}

/// A cipher with its key; the crate wipes the key.
enum Cipher {
    Single(Des),
    Triple(Box<TdesEde3>),
}

impl Cipher {
    /// Creates a cipher from a key of 8 or 24 bytes.
    fn new(key: &[u8]) -> Self {
        match Des::new_from_slice(key) {
            Ok(cipher) => Self::Single(cipher),
            Err(_) => Self::Triple(Box::new(
                TdesEde3::new_from_slice(key).expect("a key has 8 or 24 bytes"),
            )),
        }
    }

    fn crypt(&self, direction: Direction, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        match (self, direction) {
            (Self::Single(cipher), Direction::Encrypt) => cipher.encrypt_block(&mut block),
            (Self::Single(cipher), Direction::Decrypt) => cipher.decrypt_block(&mut block),
            (Self::Triple(cipher), Direction::Encrypt) => cipher.encrypt_block(&mut block),
            (Self::Triple(cipher), Direction::Decrypt) => cipher.decrypt_block(&mut block),
        }
        block.into()
    }
}
