//! Description of the machine that was measured.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ciphers::cpu::Backend;

use super::rounded;

/// Version of the lines of [`Report::to_lines`](super::report::Report::to_lines).
const SCHEMA: u32 = 1;

/// The program, the processor, and how much of it was used: the header of a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// Version of the report's form. Stands first: it tells a header from a row.
    schema: u32,
    /// Version of the program.
    pub version: String,
    /// The commit that it was built from.
    pub commit: String,
    /// The target that it was built for.
    target: String,
    /// Start of the run (RFC 3339, UTC).
    pub date: String,
    /// The processor's name.
    pub processor: String,
    /// The processor's instruction sets that matter to ciphers.
    pub features: Vec<String>,
    /// Clock rate in hertz, if known.
    pub clock: Option<f64>,
    /// Backends that can run, slowest first.
    backends: Vec<String>,
    /// The backend that `encrypt` and `decrypt` run on.
    pub backend: String,
    /// Number of working threads.
    pub threads: usize,
    /// Number of threads that can run at once.
    cores: usize,
    /// Average number of programs that wanted to run in the minute before, if known.
    pub load: Option<f64>,
}

impl Machine {
    /// Describes this machine before a run on a number of threads.
    pub fn this(threads: usize) -> Self {
        let backends = Backend::available();
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env!("ORDERSEAL_COMMIT").to_owned(),
            target: env!("ORDERSEAL_TARGET").to_owned(),
            date: Timestamp::now().strftime("%FT%TZ").to_string(),
            processor: processor(),
            features: features().into_iter().map(str::to_owned).collect(),
            clock: None,
            backends: backends.into_iter().map(|backend| backend.name().to_owned()).collect(),
            backend: Backend::detect().name().to_owned(),
            threads,
            cores: cores(),
            load: load(),
        }
    }

    /// Adds the clock rate in hertz.
    pub fn at(self, hertz: Option<f64>) -> Self {
        Self { clock: hertz.map(rounded), ..self }
    }

    /// Returns program, processor and threads on one line.
    pub fn title(&self) -> String {
        let threads = match self.threads {
            1 => "one thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        format!("orderseal {} on {}, {threads}", self.version, self.processor)
    }

    /// Returns what makes runs here and there incomparable.
    pub fn differs(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.processor != other.processor => Some("processor"),
            () if self.features != other.features => Some("set of features"),
            () if self.backends != other.backends => Some("set of backends"),
            () if self.threads != other.threads => Some("number of threads"),
            () => None,
        }
    }

    /// Refuses a header in another form.
    pub(super) fn check_schema(&self) -> Result<(), String> {
        match self.schema {
            SCHEMA => Ok(()),
            other => Err(format!("found schema {other}, expected {SCHEMA}")),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "orderseal {}, {}", self.version, self.target)?;
        writeln!(f, "commit     {}", self.commit)?;
        match self.clock {
            Some(hertz) => {
                writeln!(f, "processor  {}, at {:.2} GHz", self.processor, hertz / 1e9)?;
            }
            None => writeln!(f, "processor  {}", self.processor)?,
        }
        writeln!(f, "features   {}", self.features.join(" "))?;
        let Self { backends, backend, .. } = self;
        writeln!(f, "backends   {}; encrypt and decrypt run on {backend}", backends.join(" "))?;
        writeln!(f, "threads    {} of {}", self.threads, self.cores)?;
        match self.load {
            Some(load) => writeln!(f, "started    {}, load {load:.2}", self.date),
            None => writeln!(f, "started    {}", self.date),
        }
    }
}

/// Returns the number of threads that can run at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the processor's name as reported by Linux, or the architecture on other systems.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

/// Returns the load of the last minute as reported by Linux.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// Lists the processor's instruction sets that matter to ciphers.
#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    macro_rules! detected {
        ($($feature:tt)+) => {
            [$(std::arch::is_x86_feature_detected!($feature).then_some($feature)),+]
        };
    }
    let all = detected! {
        "aes" "pclmulqdq" "sha" "avx2" "bmi2" "vaes" "vpclmulqdq" "gfni" "avx512f" "avx512bw"
        "avx512vbmi" "avx512ifma"
    };
    all.into_iter().flatten().collect()
}

/// Lists the processor's instruction sets that matter to ciphers.
#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    macro_rules! detected {
        ($($feature:tt)+) => {
            [$(std::arch::is_aarch64_feature_detected!($feature).then_some($feature)),+]
        };
    }
    let all = detected! { "neon" "aes" "pmull" "sha2" "sha3" };
    all.into_iter().flatten().collect()
}

/// Lists nothing: there are no kernels for other architectures.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    vec![std::env::consts::ARCH]
}
