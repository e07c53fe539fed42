//! Description of the machine that was measured.

use std::fmt;

use crate::ciphers::cpu::Backend;

/// The processor, and how much of it was used.
pub struct Machine {
    processor: String,
    hertz: Option<f64>,
    cores: usize,
    threads: usize,
}

impl Machine {
    /// Describes this machine, with the number of working threads and, if known, the clock rate.
    pub fn this(threads: usize, hertz: Option<f64>) -> Self {
        Self { processor: processor(), hertz, cores: cores(), threads }
    }

    /// Returns program, processor and threads on one line.
    pub fn title(&self) -> String {
        let threads = match self.threads {
            1 => "one thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        let version = env!("CARGO_PKG_VERSION");
        format!("orderseal {version} on {}, {threads}", self.processor)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, hertz, cores, threads } = self;
        let backends: Vec<_> = Backend::available().into_iter().map(Backend::name).collect();
        let version = env!("CARGO_PKG_VERSION");
        writeln!(f, "orderseal {version}, {}", env!("ORDERSEAL_TARGET"))?;
        writeln!(f, "commit     {}", env!("ORDERSEAL_COMMIT"))?;
        match hertz {
            Some(hertz) => writeln!(f, "processor  {processor}, at {:.2} GHz", hertz / 1e9)?,
            None => writeln!(f, "processor  {processor}")?,
        }
        writeln!(f, "features   {}", features().join(" "))?;
        let used = Backend::detect();
        writeln!(f, "backends   {}; encrypt and decrypt run on {used}", backends.join(" "))?;
        writeln!(f, "threads    {threads} of {cores}")
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

/// Lists nothing: there are no kernels for other architectures.
#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    vec![std::env::consts::ARCH]
}
