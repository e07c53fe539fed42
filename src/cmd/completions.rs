//! `completions` and `man`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use orderseal::protocol::{Error, Result};

use super::{Cli, ui};

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  orderseal completions bash > ~/.local/share/bash-completion/completions/orderseal")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  orderseal man > orderseal.1")]
pub struct Man {}

impl Completions {
    /// Runs the command.
    pub fn run(&self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "orderseal", &mut script);
        ui::print(&String::from_utf8_lossy(&script))
    }
}

impl Man {
    /// Runs the command: one page for the program and each of its subcommands.
    pub fn run(&self) -> Result<()> {
        let mut page = Vec::new();
        let mut command = Cli::command();
        command.build();
        render(&command, &mut page).map_err(|error| Error::io("man", "cannot make", error))?;
        ui::print(&String::from_utf8_lossy(&page))
    }
}

fn render(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(page)?;
    for subcommand in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        render(subcommand, page)?;
    }
    Ok(())
}
