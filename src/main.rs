//! The `orderseal` command: parse, dispatch, exit code.
#![forbid(unsafe_code)]

mod cmd;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cmd::harden();
    cmd::heed();
    match cmd::Cli::try_parse() {
        Ok(cli) => match cmd::run(cli) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cmd::report(&error),
        },
        Err(error) => cmd::report_usage(&error),
    }
}
