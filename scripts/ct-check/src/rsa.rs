//! RSA private operations, OAEP unpadding, and the joining of blocks.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::ciphers::cpu::Backend;
use crate::ciphers::rsa::{
    OaepHash, SECRET, UnwrapJob, WrapJob, ct_check, generate, join, oaep_unwrap_many,
    oaep_wrap_many,
};
use crate::secrets::{Concealed, conceal, reveal};

/// The content keys that the messages carry.
const MESSAGE: [u8; 32] = [7; 32];

/// Five keys of one size, wrapped and unwrapped: the halves fill eight lanes once and a bit.
pub fn unwrap(backend: Backend, bits: usize, look_at_outcome: bool) -> bool {
    let mut rng = StdRng::seed_from_u64(1);
    let mut keys = generate(backend, 5, bits, &mut rng).expect("a size that is made");
    let jobs: Vec<_> = keys
        .iter()
        .map(|key| WrapJob {
            key: key.public(),
            hash: OaepHash::Sha256,
            label: b"label",
            message: &MESSAGE,
        })
        .collect();
    let mut wrapped = vec![0; 5 * bits / 8];
    oaep_wrap_many(backend, &jobs, &mut rng, &mut wrapped).expect("short messages");
    wrapped[2 * bits / 8 - 1] ^= 1;
    keys.iter_mut().for_each(|key| ct_check::conceal(key, conceal));
    let jobs: Vec<_> = keys
        .iter()
        .zip(wrapped.chunks(bits / 8))
        .map(|(key, ciphertext)| UnwrapJob {
            key,
            hash: OaepHash::Sha256,
            label: b"label",
            ciphertext,
        })
        .collect();
    let outcomes = oaep_unwrap_many(backend, &jobs, &mut Concealed(rng));
    let mut right = true;
    for (i, outcome) in outcomes.iter().enumerate() {
        let mut key = [9; 32];
        conceal(&mut key);
        if look_at_outcome && outcome.message().is_some() {
            key = [0; 32];
        }
        outcome.replace(&mut key);
        reveal(&mut key);
        right &= key == if i == 1 { [9; 32] } else { MESSAGE };
    }
    right
}

/// Three blocks of a text under one key, one of them wrong in a way that must not show before the
/// verdict is asked for: nothing, a block that does not open, another secret, a block that is not
/// full, and a number above the modulus.
pub fn join_blocks(backend: Backend, bits: usize) -> bool {
    let mut rng = StdRng::seed_from_u64(2);
    let mut keys = generate(backend, 1, bits, &mut rng).expect("a size that is made");
    let (size, room) = (bits / 8, keys[0].public().max_message(OaepHash::Sha256));
    let mut right = true;
    for fault in 0..5 {
        let mut messages = [vec![7; room], vec![7; room], vec![7; SECRET + 5]];
        match fault {
            2 => messages[1][SECRET - 1] = 8,
            3 => messages[1].truncate(room - 1),
            _ => {}
        }
        let jobs: Vec<_> = messages
            .iter()
            .map(|message| WrapJob {
                key: keys[0].public(),
                hash: OaepHash::Sha256,
                label: b"label",
                message,
            })
            .collect();
        let mut sealed = vec![0; 3 * size];
        oaep_wrap_many(backend, &jobs, &mut rng, &mut sealed).expect("they fit");
        match fault {
            1 => sealed[2 * size - 1] ^= 1,
            4 => sealed[size..2 * size].fill(0xff),
            _ => {}
        }
        keys.iter_mut().for_each(|key| ct_check::conceal(key, conceal));
        let jobs: Vec<_> = sealed
            .chunks(size)
            .map(|ciphertext| UnwrapJob {
                key: &keys[0],
                hash: OaepHash::Sha256,
                label: b"label",
                ciphertext,
            })
            .collect();
        let blocks = oaep_unwrap_many(backend, &jobs, &mut Concealed(StdRng::seed_from_u64(3)));
        let mut joined = join(&blocks, room);
        // The verdict and the length of the text are public from here on; the text is not.
        reveal(std::slice::from_mut(&mut joined));
        let len = joined.write(&mut sealed);
        right &= len == (fault == 0).then_some(2 * (room - SECRET) + 5);
    }
    right
}
