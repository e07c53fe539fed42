//! The `orderseal` command: parse, dispatch, exit code.
#![forbid(unsafe_code)]

mod cmd;

use std::process::ExitCode;

fn main() -> ExitCode {
    cmd::harden();
    cmd::heed();
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    if let Err(error) = cmd::limit_backend() {
        return cmd::report(&error, as_json);
    }
    match cmd::parse() {
        Ok(cli) => match cmd::run(cli) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cmd::report(&error, as_json),
        },
        Err(error) => cmd::report_usage(&error, as_json),
    }
}
