//! `erase`: keys, programs or whole files.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::files::{self, Erased};
use orderseal::protocol::jwk::Jwk;
use orderseal::protocol::keyfile::KeyFile;
use orderseal::protocol::{Erase as What, Error, KeyTrouble, Kid, Program, Result};
use serde_json::json;

use super::{Global, ui};

/// Arguments of `erase`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  orderseal erase client.jwks
  orderseal erase --keys client.jwks
  orderseal erase tokyo.jwks --kid tokyo/0123456789abcdef tokyo/fedcba9876543210
  orderseal erase --dry-run client.jwks

Erasing reaches the blocks that this file system uses for the file now. Copies may remain in
snapshots, journals, backups, swap, and spare blocks of flash memory. What makes every copy of a
sealed order useless is that no copy of its key is left.")]
pub struct Erase {
    /// Erase the keys, and keep the program
    #[arg(long, conflicts_with_all = ["programs", "kid"])]
    keys: bool,
    /// Erase the program, and keep the keys
    #[arg(long, conflicts_with = "kid")]
    programs: bool,
    /// Erase the keys of these names; the files stand before it, or after another option
    #[arg(long, value_name = "KID", num_args = 1..)]
    kid: Vec<Kid>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Files to erase, or to erase from
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What is erased from a file.
enum Selection<'a> {
    File,
    Keys,
    Programs,
    Named(&'a [Kid]),
}

impl Erase {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let selection = match (self.keys, self.programs, self.kid.as_slice()) {
            (true, ..) => Selection::Keys,
            (_, true, _) => Selection::Programs,
            (_, _, []) => Selection::File,
            (.., kids) => Selection::Named(kids),
        };
        if self.files.is_empty() {
            let found = match selection {
                Selection::Named(_) => "no file to erase from: it stands before --kid",
                _ => "no file to erase",
            };
            return Err(Error::Usage(found.to_owned()));
        }
        self.files.iter().try_for_each(|path| {
            if self.dry_run {
                return selection.describe(path, global);
            }
            selection.check(path, global)?;
            report(&selection.erase(path)?, &selection, global)
        })
    }
}

/// What a client's program erases after sending.
pub fn erase_client(path: &Path, what: What, global: &Global) -> Result<()> {
    let selection = match what {
        What::All => Selection::File,
        What::Keys => Selection::Keys,
        What::Programs => Selection::Programs,
    };
    let erased = selection.erase(path)?;
    if !global.quiet {
        ui::say(&in_words(&erased, &selection));
    }
    Ok(())
}

impl Selection<'_> {
    fn erase(&self, path: &Path) -> Result<Erased> {
        match self {
            Self::File => files::erase_file(path),
            _ => files::rewrite_and_erase(path, |file| {
                self.apply(file);
                Ok(())
            }),
        }
    }

    fn apply(&self, file: &mut KeyFile) {
        match self {
            Self::File => {}
            Self::Keys => {
                file.erase_keys(|_| true);
            }
            Self::Programs => {
                // A program with keys built in takes them along.
                if let Some(Program::Shop { built_in: Some(_), .. }) = &file.program {
                    file.erase_keys(|_| true);
                }
                file.program = None;
            }
            Self::Named(kids) => {
                file.erase_keys(|key| is_named(key, kids));
            }
        }
    }

    /// What is not there cannot be erased, and that is told before anything is.
    fn check(&self, path: &Path, global: &Global) -> Result<()> {
        files::check_changeable(path)?;
        if matches!(self, Self::File) {
            return Ok(());
        }
        let loaded = files::load(path, global.allow_readable_keys)?;
        let missing = match self {
            Self::Keys if loaded.file.keys().is_empty() => "key at all",
            Self::Programs if loaded.file.program.is_none() => "program",
            Self::Named(kids) => {
                let held = |kid: &&Kid| loaded.file.key(kid.as_str()).is_none();
                match kids.iter().find(held) {
                    Some(kid) => {
                        return Err(Error::key(&loaded.place, not_held(kid, &loaded.file)));
                    }
                    None => return Ok(()),
                }
            }
            _ => return Ok(()),
        };
        Err(Error::key(&loaded.place, KeyTrouble::Missing(missing)))
    }

    fn describe(&self, path: &Path, global: &Global) -> Result<()> {
        self.check(path, global)?;
        let what = self.what();
        match global.json {
            true => {
                let report = json!({"file": ui::shown(path), "would_erase": what});
                ui::print(&format!("{report}\n"))
            }
            false => ui::print(&format!("{}: would erase {what}\n", path.display())),
        }
    }

    fn what(&self) -> String {
        match self {
            Self::File => "the whole file".to_owned(),
            Self::Keys => "all keys".to_owned(),
            Self::Programs => "the program".to_owned(),
            Self::Named(kids) => kids.iter().map(Kid::as_str).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Why a key of that name cannot be erased.
fn not_held(kid: &Kid, file: &KeyFile) -> KeyTrouble {
    match file.was_erased(kid) {
        true => KeyTrouble::Erased(kid.clone()),
        false => KeyTrouble::Unfit(format!(
            "no key {kid} in this file, which holds {} keys",
            file.keys().len()
        )),
    }
}

fn is_named(key: &Jwk, kids: &[Kid]) -> bool {
    key.kid.as_ref().is_some_and(|kid| kids.contains(kid))
}

fn report(erased: &Erased, selection: &Selection<'_>, global: &Global) -> Result<()> {
    if global.json {
        let report = json!({
            "file": erased.file,
            "erased": selection.what(),
            "bytes_overwritten": erased.overwritten,
            "links": erased.links,
            "file_system": erased.file_system,
            "note": REMAINS,
        });
        return ui::print(&format!("{report}\n"));
    }
    match global.quiet {
        true => Ok(()),
        false => ui::print(&format!("{}\n", in_words(erased, selection))),
    }
}

const REMAINS: &str =
    "copies may remain in snapshots, journals, backups, swap or spare blocks of flash memory";

fn in_words(erased: &Erased, selection: &Selection<'_>) -> String {
    format!(
        "{}: erased {}: {} bytes overwritten and read back, {} link, file system {}; {REMAINS}",
        erased.file,
        selection.what(),
        erased.overwritten,
        erased.links,
        erased.file_system
    )
}
