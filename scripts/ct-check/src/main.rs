//! Runs RSA private operations, OAEP unpadding, the joining of blocks, and X25519 under
//! MemorySanitizer with all secrets marked as uninitialized memory: the sanitizer reports any branch
//! and any address that depends on them.
//!
//! The first argument says what to run: `kernel` (RSA) or `x25519`, which must pass, or one of two
//! leaky variants, `leaky-address` and `leaky-branch`, which must be reported. The second names the
//! backend. Exit code 0 after a correct result, 3 if the processor lacks the backend.

#![no_main]
#![allow(dead_code, unused_imports, missing_docs)]

#[path = "../../../src/ciphers"]
mod ciphers {
    pub mod cpu;
    pub mod rsa;
    pub mod secret;
    pub mod x25519;
}

use ciphers::cpu::Backend;
use ciphers::rsa::{
    OaepHash, PrivateKey, SECRET, UnwrapJob, WrapJob, ct_check, generate, join, oaep_unwrap_many,
    oaep_wrap_many,
};
use ciphers::x25519::{PublicKey, SecretKey, SharedSecret, agree, public_keys};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng, TryCryptoRng, TryRng};
use std::convert::Infallible;
use std::ffi::{CStr, c_char, c_int, c_void};

unsafe extern "C" {
    fn __msan_poison(start: *const c_void, size: usize);
    fn __msan_unpoison(start: *const c_void, size: usize);
}

/// Marks memory as secret.
fn conceal<T>(memory: &mut [T]) {
    // SAFETY: only the sanitizer's notes about this memory change, not the memory.
    unsafe { __msan_poison(memory.as_ptr().cast(), size_of_val(memory)) }
}

/// Marks memory as public again.
fn reveal<T>(memory: &mut [T]) {
    // SAFETY: only the sanitizer's notes about this memory change, not the memory.
    unsafe { __msan_unpoison(memory.as_ptr().cast(), size_of_val(memory)) }
}

/// Random numbers that are secret.
struct Concealed(StdRng);

impl TryRng for Concealed {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [self.0.next_u64()];
        conceal(&mut word);
        Ok(word[0])
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(out);
        conceal(out);
        Ok(())
    }
}

impl TryCryptoRng for Concealed {}

/// The content keys that the messages carry.
const MESSAGE: [u8; 32] = [7; 32];

/// Five keys of one size, wrapped and unwrapped: the halves fill eight lanes once and a bit.
fn unwrap(backend: Backend, bits: usize, look_at_outcome: bool) -> bool {
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
fn join_blocks(backend: Backend, bits: usize) -> bool {
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

/// Number of X25519 keys for which public keys come from the table of multiples, after those that
/// come from the ladder, and more than share an inversion.
const X25519_KEYS: usize = 130;

/// Makes public keys and agrees with both sides' keys, few at a time and many, one pair with a
/// public key that must be refused.
fn x25519(backend: Backend) -> bool {
    [3, X25519_KEYS].into_iter().all(|count| {
        let mut rng = Concealed(StdRng::seed_from_u64(4));
        let mut side = || {
            let secrets: Vec<_> = (0..count).map(|_| SecretKey::random(&mut rng)).collect();
            let mut publics = vec![PublicKey::default(); count];
            public_keys(backend, &secrets, &mut publics);
            reveal(&mut publics);
            (secrets, publics)
        };
        let ((ours, mut ours_public), (theirs, mut theirs_public)) = (side(), side());
        (ours_public[1], theirs_public[1]) = (PublicKey::default(), PublicKey::default());
        let shared = |secrets: &[SecretKey], publics: &[PublicKey]| {
            let pairs: Vec<_> = secrets.iter().zip(publics).collect();
            let mut out = vec![SharedSecret::default(); count];
            agree(backend, &pairs, &mut out);
            reveal(&mut out);
            out
        };
        let (one, other) = (shared(&ours, &theirs_public), shared(&theirs, &ours_public));
        one.iter().zip(&other).enumerate().all(|(i, (one, other))| {
            one.bytes() == other.bytes() && one.bytes().is_some() == (i != 1)
        })
    })
}

/// The C runtime's entry point: the standard library's own is not instrumented.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    // SAFETY: the C runtime passes `count` pointers to strings that end in zero.
    let arguments = unsafe { std::slice::from_raw_parts(arguments, count as usize) };
    // SAFETY: as above.
    let argument = |i| arguments.get(i).map(|text| unsafe { CStr::from_ptr(*text) }.to_bytes());
    let name = match argument(2) {
        Some(b"avx2") => "avx2",
        Some(b"avx512") => "avx512",
        _ => return 2,
    };
    let Ok(backend) = Backend::from_name(name) else {
        eprintln!("ct-check: this processor cannot run the backend {name}");
        return 3;
    };
    let right = match argument(1) {
        Some(b"kernel") => [2048, 3072, 4096]
            .into_iter()
            .all(|bits| unwrap(backend, bits, false) && join_blocks(backend, bits)),
        Some(b"x25519") => x25519(backend),
        Some(b"leaky-branch") => unwrap(backend, 2048, true),
        Some(b"leaky-address") => ct_check::leaky_look_up(backend, conceal),
        _ => return 2,
    };
    c_int::from(!right)
}
