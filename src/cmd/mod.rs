//! The subcommands. Each one reads its arguments, opens the files that they name, makes one call
//! into the library, and writes the results.

mod algorithms;
mod arguments;
mod batches;
mod beginnings;
mod bench;
mod bundle;
mod completions;
mod convert;
mod dates;
mod decrypt;
mod diagnosis;
mod encrypt;
mod erase;
mod exit;
mod guide;
mod help;
mod hints;
mod inspect;
mod keygen;
mod keys;
mod ledger;
mod man;
#[cfg(not(feature = "serve"))]
mod not_built;
mod order_page;
mod passwords;
mod protection;
#[cfg(feature = "serve")]
mod reaching;
mod request;
mod rewrap;
mod seal_with;
#[cfg(feature = "serve")]
mod send;
#[cfg(feature = "serve")]
mod serve;
mod signals;
mod signing;
mod simulate;
mod terminal;
mod ui;
mod values;
mod wrap;

use std::path::{Path, PathBuf};

use arguments::COMMON;
use clap::{Args, Parser, Subcommand};

pub use exit::{report, report_usage};
pub use help::parse;
pub use hints::amounts_in_words;
use hints::{usage, usage_with};
use orderseal::ciphers::cpu::Backend;
use orderseal::protocol::store::files;
use orderseal::protocol::{Error, Result};
pub use signals::heed;

/// Seal batches of orders: security service, client and shop over files and pipes
#[derive(Debug, Parser)]
#[command(name = "orderseal", max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every subcommand takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Print no progress, summary or warnings
    #[arg(short, long, global = true, help_heading = COMMON)]
    pub quiet: bool,
    /// Print reports as JSON
    #[arg(long, global = true, help_heading = COMMON)]
    pub json: bool,
    /// Number of threads [default: all cores]
    #[arg(long, global = true, help_heading = COMMON, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Allow weak ciphers and keys that are not random
    #[arg(long, global = true, help_heading = COMMON)]
    pub allow_weak: bool,
    /// Accept key files that group or others can read
    #[arg(long, global = true, help_heading = COMMON)]
    pub allow_readable_keys: bool,
    #[command(flatten)]
    unlocking: protection::Unlocking,
}

#[derive(Debug, Subcommand)]
enum Command {
    Keygen(keygen::Keygen),
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    #[command(subcommand)]
    Keys(keys::Keys),
    Request(request::Request),
    Encrypt(encrypt::Encrypt),
    Wrap(wrap::Wrap),
    #[cfg(feature = "serve")]
    Send(send::Send),
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Serve(serve::Serve),
    /// Seal orders and send them to a shop's server (not built in)
    #[cfg(not(feature = "serve"))]
    Send(not_built::NotBuilt),
    /// Run the security service or a shop as a server (not built in)
    #[cfg(not(feature = "serve"))]
    Serve(not_built::NotBuilt),
    Decrypt(decrypt::Decrypt),
    Rewrap(rewrap::Rewrap),
    Erase(erase::Erase),
    Convert(convert::Convert),
    Inspect(inspect::Inspect),
    Simulate(simulate::Simulate),
    Bench(bench::Bench),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs a parsed command line.
pub fn run(cli: Cli) -> Result<()> {
    let sends = cli.command.sends();
    match run_command(cli) {
        Err(Error::ClosedPipe { .. }) if !sends => Ok(()),
        done => done,
    }
}

impl Command {
    /// Whether the command sends data: it then fails if the reader of its output closes the pipe.
    /// Commands that only show something do not fail.
    fn sends(&self) -> bool {
        match self {
            Self::Keygen(_)
            | Self::Bundle(_)
            | Self::Keys(_)
            | Self::Request(_)
            | Self::Encrypt(_)
            | Self::Wrap(_)
            | Self::Send(_)
            | Self::Rewrap(_) => true,
            Self::Convert(command) => command.seals(),
            Self::Decrypt(command) => command.records(),
            Self::Serve(_)
            | Self::Erase(_)
            | Self::Simulate(_)
            | Self::Inspect(_)
            | Self::Bench(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

fn run_command(cli: Cli) -> Result<()> {
    let global = &cli.global;
    match cli.command {
        Command::Keygen(command) => command.run(global),
        Command::Bundle(command) => command.run(global),
        Command::Keys(command) => command.run(global),
        Command::Request(command) => command.run(global),
        Command::Encrypt(command) => command.run(global),
        Command::Wrap(command) => command.run(global),
        #[cfg(feature = "serve")]
        Command::Send(command) => command.run(global),
        #[cfg(feature = "serve")]
        Command::Serve(command) => command.run(global),
        #[cfg(not(feature = "serve"))]
        Command::Send(command) => command.run("send"),
        #[cfg(not(feature = "serve"))]
        Command::Serve(command) => command.run("serve"),
        Command::Decrypt(command) => command.run(global),
        Command::Rewrap(command) => command.run(global),
        Command::Convert(command) => command.run(global),
        Command::Erase(command) => command.run(global),
        Command::Simulate(command) => command.run(global),
        Command::Inspect(command) => command.run(global),
        Command::Bench(command) => command.run(global),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    }
}

/// Keeps secrets out of core dumps. A limit of one byte also stops dumps to a collector's pipe,
/// which ignore a limit of zero (core(5)).
pub fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(1), maximum: Some(1) };
    // If the system does not allow it, continue anyway.
    let _ = setrlimit(Resource::Core, none);
}

/// Limits the instruction sets in use to those of the backend named by `ORDERSEAL_BACKEND`, if it
/// is set. The crates, which stay available to `bench`, are no limit.
pub fn limit_backend() -> Result<()> {
    let Some(wanted) = std::env::var_os(help::BACKEND_VARIABLE) else { return Ok(()) };
    let mut usable = Backend::available();
    usable.retain(|backend| backend.name() != "rustcrypto");
    match usable.iter().find(|backend| wanted == backend.name()) {
        Some(backend) => {
            backend.limit();
            Ok(())
        }
        None => {
            let names: Vec<_> = usable.iter().map(|backend| backend.name()).collect();
            let names = names.join(", ");
            Err(usage_with(
                format!(
                    "{} is {wanted:?}, which this processor cannot run",
                    help::BACKEND_VARIABLE
                ),
                format!("set it to one of {names}, or leave it out to use the last of them"),
            ))
        }
    }
}

/// Returns the input that a command reads: the named file, or stdin.
fn main_input(path: &Option<PathBuf>) -> Option<&Path> {
    Some(path.as_deref().unwrap_or(Path::new("-")))
}

/// Returns the inputs of a command that reads several files in turn.
fn main_inputs(paths: &[PathBuf]) -> impl Iterator<Item = Option<&Path>> {
    let stdin = paths.is_empty().then_some(Path::new("-"));
    paths.iter().map(PathBuf::as_path).chain(stdin).map(Some)
}

/// Rejects several inputs from stdin, since all but the first would seem empty.
fn one_from_stdin<'a>(inputs: impl IntoIterator<Item = Option<&'a Path>>) -> Result<()> {
    match inputs.into_iter().flatten().filter(|path| files::is_dash(path)).count() {
        0 | 1 => Ok(()),
        _ => Err(usage("several inputs from stdin: name a file for all but one".to_owned())),
    }
}

/// Rejects several outputs to stdout, where they would mix; an output of `None` is not written.
fn one_to_stdout<'a>(outputs: impl IntoIterator<Item = Option<&'a Path>>) -> Result<()> {
    let to_stdout = |path: &&Path| arguments::is_stdout(Some(path));
    match outputs.into_iter().flatten().filter(to_stdout).count() {
        0 | 1 => Ok(()),
        _ => Err(usage("several outputs to stdout: name a file for all but one".to_owned())),
    }
}

impl Global {
    /// What key files may be read, and what opens those that are protected.
    fn access(&self) -> Result<&files::Access> {
        self.unlocking.access(self)
    }

    fn workers(&self) -> Result<orderseal::protocol::pipeline::Workers> {
        let workers = orderseal::protocol::pipeline::Workers::new(self.threads.map(usize::from))?;
        Ok(workers.stopped_by(signals::stop()))
    }
}
