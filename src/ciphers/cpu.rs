//! What the processor can do, and the backend that goes with it.
//!
//! [`Avx2`], [`Vaes`] and [`Avx512`] are proofs: a value of such a type exists only where the
//! processor has every instruction set named in its `detect`, so a kernel whose
//! `#[target_feature]` list is the same may be called by whoever holds one.

use std::fmt;

/// Proof of AVX2 with BMI1/2 and AES-NI (Intel Haswell, AMD Zen, and later).
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// Proof of [`Avx2`]'s instructions and of AES and carry-less multiplication on 256-bit registers
/// (Intel Alder Lake, AMD Zen 3, and later).
#[derive(Clone, Copy, Debug)]
pub struct Vaes(());

/// Proof of AVX-512 with VBMI, IFMA, GFNI, VAES and VPCLMULQDQ (Intel Ice Lake, AMD Zen 4, and
/// later).
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

#[cfg(target_arch = "x86_64")]
macro_rules! has_all {
    ($($feature:tt),+) => { $(std::arch::is_x86_feature_detected!($feature))&&+ };
}

impl Avx2 {
    /// Looks for `avx2,bmi1,bmi2,aes,pclmulqdq`.
    #[cfg(target_arch = "x86_64")]
    pub fn detect() -> Option<Self> {
        has_all!("avx2", "bmi1", "bmi2", "aes", "pclmulqdq").then_some(Self(()))
    }

    /// There is no AVX2 on this architecture.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn detect() -> Option<Self> {
        None
    }
}

impl From<Vaes> for Avx2 {
    /// Every processor with VAES has what [`Avx2`] proves: `Vaes::detect` asks for it.
    fn from(_: Vaes) -> Self {
        Self(())
    }
}

impl Vaes {
    /// Looks for `avx2,bmi1,bmi2,aes,pclmulqdq,vaes,vpclmulqdq`.
    #[cfg(target_arch = "x86_64")]
    pub fn detect() -> Option<Self> {
        (Avx2::detect().is_some() && has_all!("vaes", "vpclmulqdq")).then_some(Self(()))
    }

    /// There is no VAES on this architecture.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn detect() -> Option<Self> {
        None
    }
}

impl Avx512 {
    /// Looks for `avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512ifma,gfni,vaes,vpclmulqdq`
    /// and all that [`Avx2`] has.
    #[cfg(target_arch = "x86_64")]
    pub fn detect() -> Option<Self> {
        (Vaes::detect().is_some()
            && has_all!("avx512f", "avx512bw", "avx512dq", "avx512vl")
            && has_all!("avx512vbmi", "avx512ifma", "gfni"))
        .then_some(Self(()))
    }

    /// There is no AVX-512 on this architecture.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn detect() -> Option<Self> {
        None
    }
}

/// The kernels that a computation runs on: detected, or forced by name.
///
/// Which of them a cipher has is told by that cipher's module; a cipher without kernels for the
/// level asked for refuses it rather than falling back in silence.
#[derive(Clone, Copy, Debug)]
pub struct Backend(Level);

/// The level of a [`Backend`], with the proof that it exists on this processor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    /// The RustCrypto crates, one operation at a time.
    RustCrypto,
    /// Our code without special instructions.
    Portable,
    /// 256-bit registers.
    Avx2(Avx2),
    /// 256-bit registers with AES instructions of that width.
    Vaes(Vaes),
    /// 512-bit registers.
    Avx512(Avx512),
}

/// Why a backend asked for by name cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No backend has this name.
    #[error("unknown backend {0:?}: expected rustcrypto, portable, avx2, vaes or avx512")]
    Unknown(String),
    /// The processor lacks its instructions.
    #[error("backend {0} is not available on this processor")]
    Unavailable(&'static str),
}

impl Backend {
    /// Every backend that this processor can run, slowest first.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self(Level::RustCrypto), Self(Level::Portable)];
        all.extend(Avx2::detect().map(|proof| Self(Level::Avx2(proof))));
        all.extend(Vaes::detect().map(|proof| Self(Level::Vaes(proof))));
        all.extend(Avx512::detect().map(|proof| Self(Level::Avx512(proof))));
        all
    }

    /// The widest backend that this processor can run.
    pub fn detect() -> Self {
        if let Some(proof) = Avx512::detect() {
            Self(Level::Avx512(proof))
        } else if let Some(proof) = Vaes::detect() {
            Self(Level::Vaes(proof))
        } else if let Some(proof) = Avx2::detect() {
            Self(Level::Avx2(proof))
        } else {
            Self(Level::Portable)
        }
    }

    /// The backend of that name.
    ///
    /// # Errors
    /// [`BackendError`] when there is no such name, or the processor cannot run it.
    pub fn named(name: &str) -> Result<Self, BackendError> {
        const NAMES: [&str; 5] = ["rustcrypto", "portable", "avx2", "vaes", "avx512"];
        let known = NAMES
            .into_iter()
            .find(|known| *known == name)
            .ok_or_else(|| BackendError::Unknown(name.to_owned()))?;
        Self::available()
            .into_iter()
            .find(|backend| backend.name() == known)
            .ok_or(BackendError::Unavailable(known))
    }

    /// The name that benchmarks print: `rustcrypto`, `portable`, `avx2`, `vaes` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::RustCrypto => "rustcrypto",
            Level::Portable => "portable",
            Level::Avx2(_) => "avx2",
            Level::Vaes(_) => "vaes",
            Level::Avx512(_) => "avx512",
        }
    }

    /// Proof of AVX2, which the wider levels contain.
    #[allow(dead_code)]
    pub(crate) fn avx2(self) -> Option<Avx2> {
        match self.0 {
            Level::RustCrypto | Level::Portable => None,
            Level::Avx2(proof) => Some(proof),
            Level::Vaes(_) | Level::Avx512(_) => Some(Avx2(())),
        }
    }

    #[allow(dead_code)]
    pub(crate) fn level(self) -> Level {
        self.0
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::not_run;

    #[test]
    fn every_available_backend_answers_to_its_name() {
        for name in ["rustcrypto", "portable", "avx2", "vaes", "avx512"] {
            match Backend::named(name) {
                Ok(backend) => {
                    assert_eq!(backend.name(), name);
                    assert!(Backend::available().iter().any(|other| other.name() == name));
                }
                Err(error) => {
                    not_run(&format!("every test on the backend {name}"), &error.to_string())
                }
            }
        }
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(matches!(Backend::named("sse9"), Err(BackendError::Unknown(_))));
    }
}
