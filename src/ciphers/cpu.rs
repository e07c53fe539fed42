//! Processor features and the backends that use them.
//!
//! [`Avx2`], [`Vaes`], [`Avx512`] and [`Neon`] are proofs: a value of such a type exists only if the
//! processor has every instruction set of its level. Each level's instruction sets are listed once,
//! here; the list generates both the detection and the function that kernels are compiled into.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, Ordering};

/// Proof that the processor has some instructions; `()` where no proof is needed.
pub(crate) trait Proof: Copy {
    /// Runs a kernel in a function that is compiled for the instructions.
    fn enter<K: Kernel<Self>>(self, kernel: K) -> K::Output;
}

/// A computation compiled as a whole for the instructions of the proof `P`.
pub(crate) trait Kernel<P> {
    /// Return type of the computation.
    type Output;
    /// Runs the computation. This method and everything it calls on vectors must be
    /// `#[inline(always)]`, to be inlined into the function that enables the instructions. Closures
    /// are not inlined this way: use no vectors in them.
    fn run(self, proof: P) -> Self::Output;
}

/// A computation written over a cipher's lane trait, with the lanes to compile it for.
pub(crate) struct Over<L, C> {
    pub(crate) computation: C,
    lanes: PhantomData<L>,
}

impl<L, C> Over<L, C> {
    pub(crate) fn new(computation: C) -> Self {
        Self { computation, lanes: PhantomData }
    }
}

#[cfg(test)]
thread_local! {
    /// The levels whose kernels ran on this thread, for tests.
    pub(crate) static ENTERED: std::cell::RefCell<Vec<&'static str>> = const {
        std::cell::RefCell::new(Vec::new())
    };
}

impl Proof for () {
    #[inline(never)]
    fn enter<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

/// Declares the levels of an architecture, narrowest first, by the instruction sets each adds to
/// those before it.
macro_rules! levels {
    ($arch:literal $detected:ident [$($narrower:ty),*] [$($had:tt)*]) => {};
    (
        $arch:literal $detected:ident [$($narrower:ty),*] [$($had:tt)*]
        $(#[$doc:meta])* $proof:ident [$($new:tt)+]
        $($wider:tt)*
    ) => {
        levels!(@one $arch $detected [$($narrower),*] [$($had)* $($new)+] $(#[$doc])* $proof);
        levels!($arch $detected [$($narrower,)* $proof] [$($had)* $($new)+] $($wider)*);
    };
    (
        @one $arch:literal $detected:ident [$($narrower:ty),*] [$($feature:tt)+]
        $(#[$doc:meta])* $proof:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[cfg(target_arch = $arch)]
        pub struct $proof(());

        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[cfg(not(target_arch = $arch))]
        pub struct $proof(pub(crate) std::convert::Infallible);

        impl $proof {
            #[doc = concat!("Looks for ", $("`", $feature, "` ",)+ "on this processor.")]
            pub fn detect() -> Option<Self> {
                #[cfg(target_arch = $arch)]
                if $(std::arch::$detected!($feature))&&+ {
                    return Some(Self(()));
                }
                None
            }
        }

        #[cfg(target_arch = $arch)]
        impl Proof for $proof {
            fn enter<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                $(#[target_feature(enable = $feature)])+
                #[inline(never)]
                fn enabled<K: Kernel<$proof>>(proof: $proof, kernel: K) -> K::Output {
                    kernel.run(proof)
                }
                #[cfg(test)]
                ENTERED.with_borrow_mut(|levels| levels.push(stringify!($proof)));
                // SAFETY: a proof exists only where all features of this list were detected.
                unsafe { enabled(self, kernel) }
            }
        }

        $(impl From<$proof> for $narrower {
            /// Proves the narrower level, whose instruction sets the wider one includes.
            fn from(wider: $proof) -> Self {
                Self(wider.0)
            }
        })*
    };
}

levels! { "x86_64" is_x86_feature_detected [] []
    /// Proof of AVX2 with BMI1/2 and AES-NI (Intel Haswell, AMD Zen, and later).
    Avx2 ["avx2" "bmi1" "bmi2" "aes" "pclmulqdq"]

    /// Proof of [`Avx2`]'s instructions and of AES and carry-less multiplication on 256-bit
    /// registers (Intel Alder Lake, AMD Zen 3, and later).
    Vaes ["vaes" "vpclmulqdq"]

    /// Proof of AVX-512 with VBMI, IFMA, GFNI, VAES and VPCLMULQDQ (Intel Ice Lake, AMD Zen 4, and
    /// later).
    Avx512 [
        "avx512f" "avx512bw" "avx512dq" "avx512vl" "avx512vbmi" "avx512ifma" "gfni"
    ]
}

levels! { "aarch64" is_aarch64_feature_detected [] []
    /// Proof of NEON with AES and carry-less multiplication (ARMv8 with the cryptography extension:
    /// Apple's processors, servers, phones; not the Raspberry Pi before its fifth model).
    Neon ["neon" "aes"]
}

/// Selects the kernels for a computation: detected, or forced by name.
///
/// Each cipher lists the backends with their own code in its `BACKENDS`. A match over the levels
/// has an arm for every other level too, naming the narrower code that runs there.
#[derive(Clone, Copy, Debug)]
pub struct Backend(Level);

/// The level of a [`Backend`], with the proof that this processor supports it.
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
    /// 128-bit registers with AES instructions, on ARM.
    Neon(Neon),
}

impl Level {
    /// Position among the levels of its architecture, narrowest first.
    fn rank(self) -> u8 {
        match self {
            Self::RustCrypto => 0,
            Self::Portable => 1,
            Self::Avx2(_) => 2,
            Self::Vaes(_) => 3,
            Self::Avx512(_) => 4,
            Self::Neon(_) => 2,
        }
    }
}

/// Rank of the widest level that may be used; see [`Backend::limit`].
static LIMIT: AtomicU8 = AtomicU8::new(u8::MAX);

/// Reason why a backend requested by name is not available.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No backend has this name.
    #[error("unknown backend {0:?}: expected rustcrypto, portable, avx2, vaes, avx512 or neon")]
    Unknown(String),
    /// The processor lacks its instructions, or a [limit](Backend::limit) rules it out.
    #[error("backend {0} is not available on this processor")]
    Unavailable(&'static str),
}

impl Backend {
    /// Returns every backend that this processor can run and the [`limit`](Self::limit) allows,
    /// slowest first.
    pub fn available() -> Vec<Self> {
        Self::usable().collect()
    }

    /// Returns the widest backend that this processor can run and the [`limit`](Self::limit)
    /// allows.
    pub fn detect() -> Self {
        Self::usable().next_back().expect("the narrowest backend is always usable")
    }

    /// Limits the whole process to this backend and narrower ones, in all later calls of
    /// [`available`](Self::available), [`detect`](Self::detect) and [`named`](Self::from_name).
    ///
    /// A limit is for support and for comparisons. A later call can lower it, never raise it.
    ///
    /// ```
    /// use orderseal::ciphers::cpu::Backend;
    ///
    /// let widest = Backend::detect();
    /// Backend::from_name("portable")?.limit();
    /// assert_eq!(Backend::detect().name(), "portable");
    /// assert!(Backend::from_name("avx2").is_err());
    /// widest.limit();
    /// assert_eq!(Backend::detect().name(), "portable");
    /// # Ok::<(), orderseal::ciphers::cpu::BackendError>(())
    /// ```
    pub fn limit(self) {
        LIMIT.fetch_min(self.0.rank(), Ordering::Relaxed);
    }

    /// The backends that can run here, slowest first.
    fn usable() -> impl DoubleEndedIterator<Item = Self> {
        let limit = LIMIT.load(Ordering::Relaxed);
        let levels = [
            Some(Level::RustCrypto),
            Some(Level::Portable),
            Avx2::detect().map(Level::Avx2),
            Vaes::detect().map(Level::Vaes),
            Avx512::detect().map(Level::Avx512),
            Neon::detect().map(Level::Neon),
        ];
        levels.into_iter().flatten().filter(move |level| level.rank() <= limit).map(Self)
    }

    /// Returns the backend with the given name.
    ///
    /// # Errors
    /// [`BackendError`] if the name is unknown, the processor cannot run the backend, or the
    /// [`limit`](Self::limit) does not allow it.
    pub fn from_name(name: &str) -> Result<Self, BackendError> {
        const NAMES: [&str; 6] = ["rustcrypto", "portable", "avx2", "vaes", "avx512", "neon"];
        let known = NAMES
            .into_iter()
            .find(|known| *known == name)
            .ok_or_else(|| BackendError::Unknown(name.to_owned()))?;
        Self::usable()
            .find(|backend| backend.name() == known)
            .ok_or(BackendError::Unavailable(known))
    }

    /// Returns the name shown in benchmarks: `rustcrypto`, `portable`, `avx2`, `vaes`, `avx512` or
    /// `neon`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::RustCrypto => "rustcrypto",
            Level::Portable => "portable",
            Level::Avx2(_) => "avx2",
            Level::Vaes(_) => "vaes",
            Level::Avx512(_) => "avx512",
            Level::Neon(_) => "neon",
        }
    }

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
        for name in ["rustcrypto", "portable", "avx2", "vaes", "avx512", "neon"] {
            match Backend::from_name(name) {
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
        assert!(matches!(Backend::from_name("sse9"), Err(BackendError::Unknown(_))));
    }
}
