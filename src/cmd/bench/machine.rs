//! What the figures were measured on.

use std::fmt;

use orderseal::ciphers::cpu::Backend;

/// The processor, and what of it was used.
pub struct Machine {
    processor: String,
    cores: usize,
    threads: usize,
}

impl Machine {
    /// This machine, of which so many threads work.
    pub fn this(threads: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { processor: processor(), cores, threads }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, threads } = self;
        let backends: Vec<_> = Backend::available().into_iter().map(Backend::name).collect();
        let version = env!("CARGO_PKG_VERSION");
        writeln!(f, "orderseal {version}, {}-bit {}", usize::BITS, std::env::consts::OS)?;
        writeln!(f, "processor  {processor}")?;
        writeln!(f, "backends   {}", backends.join(" "))?;
        writeln!(f, "threads    {threads} of {cores}")
    }
}

/// The processor's name as Linux tells it; elsewhere, the architecture's.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}
