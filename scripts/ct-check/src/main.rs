//! Runs kernels under MemorySanitizer with all secrets marked as uninitialized memory: the sanitizer
//! reports any branch and any address that depends on them.
//!
//! The first argument says what to run: `rsa` (private operations, OAEP unpadding, the joining of
//! blocks), `x25519`, `aes` (GCM, key wrap, counter mode, CMAC), `des` or `hmac`, which must pass, or
//! one of two leaky variants, `leaky-address` and `leaky-branch`, which must be reported. The second
//! names the backend. Exit code 0 after a correct result, 3 if the processor lacks the backend.

#![no_main]
#![allow(dead_code, unused_imports, unused_mut, missing_docs)]

#[path = "../../../src/ciphers"]
mod ciphers {
    pub mod aes;
    pub mod cpu;
    pub mod des;
    pub mod partial;
    pub mod rsa;
    pub mod secret;
    pub mod x25519;
}

mod aes;
mod des;
mod hmac;
mod rsa;
mod secrets;
mod x25519;

use std::ffi::{CStr, c_char, c_int};

use ciphers::cpu::Backend;

/// The C runtime's entry point: the standard library's own is not instrumented.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    // SAFETY: the C runtime passes `count` pointers to strings that end in zero.
    let arguments = unsafe { std::slice::from_raw_parts(arguments, count as usize) };
    // SAFETY: as above.
    let argument = |i| arguments.get(i).map(|text| unsafe { CStr::from_ptr(*text) }.to_bytes());
    let name = match argument(2) {
        Some(b"portable") => "portable",
        Some(b"avx2") => "avx2",
        Some(b"vaes") => "vaes",
        Some(b"avx512") => "avx512",
        _ => return 2,
    };
    let Ok(backend) = Backend::from_name(name) else {
        eprintln!("ct-check: this processor cannot run the backend {name}");
        return 3;
    };
    let right = match argument(1) {
        Some(b"rsa") => [2048, 3072, 4096]
            .into_iter()
            .all(|bits| rsa::unwrap(backend, bits, false) && rsa::join_blocks(backend, bits)),
        Some(b"x25519") => x25519::x25519(backend),
        Some(b"aes") => {
            aes::gcm(backend) && aes::kw(backend) && aes::ctr(backend) && aes::cmac(backend)
        }
        Some(b"des") => des::des(backend),
        Some(b"hmac") => hmac::hmac(),
        Some(b"leaky-branch") => rsa::unwrap(backend, 2048, true),
        Some(b"leaky-address") => ciphers::rsa::ct_check::leaky_look_up(backend, secrets::conceal),
        _ => return 2,
    };
    c_int::from(!right)
}
