//! `keys protect` and `keys unprotect`: protection of key files at rest.

use std::path::PathBuf;

use clap::Args;
use orderseal::protocol::Result;
use orderseal::protocol::store::files;
use serde_json::json;

use super::report;
use crate::cmd::hints::usage;
use crate::cmd::protection::With;
use crate::cmd::{Global, signals, ui};

/// Protect key files by a passphrase, or seal them to a public key
///
/// Every command then takes the files as they are, with the passphrase: from --passphrase-file or
/// --passphrase-fd, or typed at the terminal. A file that is protected already is protected anew, so that
/// this also changes its passphrase. Other JOSE software opens the files, too: each is a JWE.
///
/// The keys were in the clear until now: copies of them may remain, as with `orderseal erase`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal keys protect service.jwks --new-passphrase-file password.txt
  orderseal keys protect service.jwks --passphrase-file password.txt \\
    --new-passphrase-rounds 1000000
  orderseal keys protect tokyo.jwks --recipient recipient.jwk")]
pub struct Protect {
    /// Key files to protect
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    with: With,
}

/// Write protected key files in the clear
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  orderseal keys unprotect service.jwks --passphrase-file password.txt")]
pub struct Unprotect {
    /// Key files to write in the clear
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Protect {
    pub fn run(&self, global: &Global) -> Result<()> {
        let openers: Vec<_> = self.with.ids().chain(global.unlocking.ids()).collect();
        // Old passphrases are asked for before the new one.
        for path in &self.files {
            files::check_changeable(path)?;
            if files::identify(path).is_some_and(|id| openers.contains(&id)) {
                let found = format!("{}: is needed to open what is protected", ui::shown(path));
                return Err(usage(found));
            }
            files::check_openable(path, global.access()?)?;
        }
        let protection = self.with.protection(global)?;
        for path in &self.files {
            files::refuse_own_recipient(path, global.access()?, &protection)?;
        }
        let _unfinished = signals::begin();
        for path in &self.files {
            files::protect(path, global.access()?, &protection)?;
            let done = json!({"file": path.display().to_string(), "protected": true});
            report(global, &done, &format!("{}: protected", path.display()))?;
        }
        Ok(())
    }
}

impl Unprotect {
    pub fn run(&self, global: &Global) -> Result<()> {
        for path in &self.files {
            files::check_changeable(path)?;
            files::check_openable(path, global.access()?)?;
        }
        for path in &self.files {
            files::unprotect(path, global.access()?)?;
            let done = json!({"file": path.display().to_string(), "protected": false});
            report(global, &done, &format!("{}: in the clear", path.display()))?;
        }
        Ok(())
    }
}
