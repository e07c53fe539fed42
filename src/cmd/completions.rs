//! `completions`: prints a completion script for a shell.

use clap::Args;
use clap_complete::Shell;
use orderseal::protocol::Result;

use super::{help, ui};

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  orderseal completions bash > ~/.local/share/bash-completion/completions/orderseal")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub fn run(&self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut help::command(), "orderseal", &mut script);
        ui::print(&String::from_utf8_lossy(&script))
    }
}
