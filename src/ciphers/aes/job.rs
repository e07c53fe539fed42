//! Jobs for AES, and the dispatch into a kernel.

use super::lanes::AesLanes;
#[cfg(target_arch = "aarch64")]
use super::neon;
#[cfg(target_arch = "x86_64")]
use super::{aesni::Single, avx512::Wide, vaes::Pair};
use crate::ciphers::cpu::{Backend, Kernel, Level, Over, Proof};
use crate::ciphers::secret::clear_stack;

/// Backends with their own AES code.
pub const BACKENDS: &[&str] = &["rustcrypto", "avx2", "vaes", "avx512", "neon"];

/// A computation written over lanes, and its equivalent with the crates.
pub(crate) trait Job {
    /// KiB of stack to overwrite afterwards, more than the kernel's frame.
    const STACK: usize = 4;
    /// Return type of the job.
    type Output;
    /// Runs the computation over lanes. Must be `#[inline(always)]`.
    fn over<L: AesLanes>(self, proof: L::Proof) -> Self::Output;
    /// Runs the computation with the RustCrypto crates.
    fn by_crates(self) -> Self::Output;
}

impl<L: AesLanes, J: Job> Kernel<L::Proof> for Over<L, J> {
    type Output = J::Output;

    #[inline(always)]
    fn run(self, proof: L::Proof) -> J::Output {
        self.computation.over::<L>(proof)
    }
}

/// Whether the backend runs jobs over lanes.
pub(super) fn has_lanes(backend: Backend) -> bool {
    match backend.level() {
        Level::Avx2(_) | Level::Vaes(_) | Level::Avx512(_) | Level::Neon(_) => true,
        Level::RustCrypto | Level::Portable => false,
    }
}

/// Runs a job on the backend.
pub(super) fn run<J: Job>(backend: Backend, job: J) -> J::Output {
    match backend.level() {
        Level::RustCrypto | Level::Portable => job.by_crates(),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(proof) => over::<Single, J>(proof, job),
        #[cfg(target_arch = "x86_64")]
        Level::Vaes(proof) => over::<Pair, J>(proof, job),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(proof) => over::<Wide, J>(proof, job),
        #[cfg(target_arch = "aarch64")]
        Level::Neon(proof) => over::<neon::Single, J>(proof, job),
    }
}

/// Runs a job over lanes, then clears the stack that it used.
fn over<L: AesLanes, J: Job>(proof: L::Proof, job: J) -> J::Output {
    let output = proof.enter(Over::<L, J>::new(job));
    clear_frame::<J>();
    output
}

/// Overwrites secrets that a kernel's frame may have left on the stack.
///
/// Kernels clear their tables themselves; this clears copies that the compiler made. Measured
/// frames were 1.5 KiB in counter mode, up to 2 KiB for the others and up to 23 KiB for the large
/// ones.
fn clear_frame<J: Job>() {
    const { assert!(J::STACK <= 32, "more than is ever cleared") };
    match J::STACK {
        ..=2 => clear_stack::<2>(),
        3..=4 => clear_stack::<4>(),
        _ => clear_stack::<32>(),
    }
}
