//! Commands of the feature `serve`, in a program that was built without it.

use std::ffi::OsString;

use clap::Args;
use orderseal::protocol::{Error, Result};

use super::hints::usage_with;

/// Arguments of a command that this program does not have: any.
#[derive(Debug, Args)]
pub struct NotBuilt {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl NotBuilt {
    /// Says how to get the command.
    ///
    /// # Errors
    /// A usage error, always.
    pub fn run(&self, name: &str) -> Result<()> {
        Err(error(name))
    }
}

/// The error that says so.
pub fn error(name: &str) -> Error {
    usage_with(
        format!("this program was built without `{name}`"),
        "the programs of a release have it; to build one: cargo install orderseal --features serve",
    )
}
