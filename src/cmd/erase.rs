//! `erase`: destroys keys, programs or whole files.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::model::Amounts;
use orderseal::protocol::roles::service::Share;
use orderseal::protocol::store::files::{self, AfterSending, Erased, Kept, Left, Selection};
use orderseal::protocol::store::keyfile::{KeyFile, KeyHolder, Stage};
use orderseal::protocol::{Error, KeyError, Kid, Place, Result, ShopName, Unfit};
use serde_json::{Value, json};

use super::{Global, signals, ui};
use crate::cmd::dates::now;
use crate::cmd::hints::usage;

/// Destroy keys, programs or whole files
///
/// Erasing overwrites the blocks that this file system uses for the file now. Copies may remain in
/// snapshots, journals, backups, swap and spare blocks of flash memory. A copy of a sealed order is
/// useless only once no copy of its key is left. What a killed process left beside a file is erased
/// too, even if the file itself is gone.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal erase --dry-run client.jwks
  orderseal erase --keys client.jwks
  orderseal erase client.jwks
  orderseal erase tokyo.jwks \\
    --kid tokyo/0123456789abcdef tokyo/fedcba9876543210
  orderseal erase --generation tokyo tokyo.jwks
  orderseal erase --return-to service.jwks new.jwks")]
pub struct Erase {
    /// Erase the keys and keep the program
    #[arg(long, conflicts_with_all = ["programs", "kid"])]
    keys: bool,
    /// Erase the program and keep the keys
    #[arg(long, conflicts_with = "kid")]
    programs: bool,
    /// Erase the keys with these names; give the files before it, or after another option
    #[arg(long, value_name = "KID", num_args = 1..)]
    kid: Vec<Kid>,
    /// Erase the keys of this generation, SHOP or SHOP@N as `inspect` names it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["keys", "programs", "kid", "return_to"])]
    generation: Option<ShopName>,
    /// Erase clients' files and give back to this keyring what they have not used
    #[arg(long, value_name = "KEYRING", conflicts_with_all = ["keys", "programs", "kid"])]
    return_to: Option<PathBuf>,
    /// Print what would be erased, and erase nothing
    #[arg(long)]
    dry_run: bool,
    /// Files to erase, or to erase from
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Erase {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let selection = match (self.keys, self.programs, &self.generation, self.kid.as_slice()) {
            (true, ..) => Selection::Keys,
            (_, true, ..) => Selection::Programs,
            (.., Some(generation), _) => Selection::Generation(generation),
            (.., []) => Selection::File,
            (.., kids) => Selection::Named(kids),
        };
        if self.files.is_empty() {
            let found = match selection {
                Selection::Named(_) => "no file to erase from: it stands before --kid",
                _ => "no file to erase",
            };
            return Err(usage(found.to_owned()));
        }
        // A file that cannot be erased does not stop the others from being erased.
        let mut first = Ok(());
        for path in &self.files {
            match self.erase_one(path, selection, global) {
                Err(error) if first.is_err() => drop(super::report(&error, global.json)),
                Err(error) => first = Err(error),
                Ok(()) => {}
            }
        }
        first
    }

    fn erase_one(&self, path: &Path, selection: Selection<'_>, global: &Global) -> Result<()> {
        if let Some(keyring) = &self.return_to {
            return self.return_to(keyring, path, global);
        }
        if self.dry_run {
            return describe(selection, path, global);
        }
        check(selection, path, global)?;
        let access = match selection {
            // What cannot be read can be erased all the same.
            Selection::File => global.access()?.without_asking(),
            Selection::Keys
            | Selection::Programs
            | Selection::Named(_)
            | Selection::Generation(_) => global.access()?.clone(),
        };
        let _unfinished = signals::begin();
        report(&files::erase(path, selection, &access)?, selection, None, global)
    }

    /// Erases a client's file, then returns its unused part to the keyring. In this order, a
    /// failure in between loses that part, but nothing is issued twice.
    fn return_to(&self, keyring: &Path, path: &Path, global: &Global) -> Result<()> {
        files::check_changeable(keyring)?;
        let service = files::load(keyring, global.access()?)?;
        let place = Place::file(ui::shown(path));
        let look = |client: KeyFile| {
            let share = Share::unused(&client.into_client(&place)?, &place);
            let amounts = share
                .give_back(service.file.clone().keyring_mut(&service.place)?, &service.place)?;
            Ok((share, amounts))
        };
        if self.dry_run {
            files::check_changeable(path)?;
            let (_, amounts) = look(files::load(path, global.access()?)?.file)?;
            let returned = returned_in_words(amounts, &service.place);
            return match global.json {
                true => {
                    let mut report =
                        json!({"file": place.file, "would_erase": words(Selection::File)});
                    report["would_return"] = amounts_to_json(amounts);
                    ui::print(&format!("{report}\n"))
                }
                false => ui::print(&format!(
                    "{place}: would erase {}; then {returned}\n",
                    words(Selection::File)
                )),
            };
        }
        let _unfinished = signals::begin();
        let ((share, expected), erased) = files::erase_key_file(path, global.access()?, look)?;
        let returned = files::update(keyring, global.access()?, |file| {
            share.give_back(file.keyring_mut(&service.place)?, &service.place)
        });
        let returned = returned.map_err(|source| {
            let lost = super::amounts_in_words(expected).unwrap_or("nothing".to_owned());
            let what = format!("{place} was erased, and {lost} not returned,");
            Error::Changed { what, source: Box::new(source) }
        })?;
        report(&erased, Selection::File, Some((returned, &service.place)), global)
    }
}

fn amounts_to_json(amounts: Amounts) -> Value {
    json!({"ids": amounts.ids, "ivs": amounts.ivs, "pad_bytes": amounts.pad_bytes})
}

fn returned_in_words(amounts: Amounts, keyring: &Place) -> String {
    let words = super::amounts_in_words(amounts).unwrap_or("nothing".to_owned());
    format!("returned to {keyring}: {words}")
}

/// Reports what a client's program erased after sending.
pub fn say_after_sending(done: &AfterSending, bundle: &str, global: &Global) {
    if global.quiet {
        return;
    }
    ui::say(&match done {
        AfterSending::All(erased) => in_words(erased, "what its program erases"),
        AfterSending::Own(erased) => {
            let words = in_words(erased, "the keys of these orders");
            format!("{words}; the last process that uses the file erases the rest")
        }
        AfterSending::Nothing => {
            format!("{bundle}: in use by another process, which erases it at its end")
        }
    });
}

/// Checks that everything to erase exists, before erasing anything.
fn check(selection: Selection<'_>, path: &Path, global: &Global) -> Result<()> {
    let missing = match selection {
        // Leftovers of a killed process are erased even if the file itself is gone.
        Selection::File if !path.exists() && files::has_leftover(path) => return Ok(()),
        Selection::File => return files::check_changeable(path),
        Selection::Keys | Selection::Programs | Selection::Named(_) | Selection::Generation(_) => {
            files::check_changeable(path)?;
            let loaded = files::load(path, global.access()?)?;
            let missing = missing(selection, &loaded.file);
            missing.map(|error| Error::key(&loaded.place, error))
        }
    };
    missing.map_or(Ok(()), Err)
}

/// Returns the error for the first selected part that is not in the file.
fn missing(selection: Selection<'_>, file: &KeyFile) -> Option<KeyError> {
    let holder = file.holder();
    match selection {
        Selection::File => None,
        Selection::Keys => (holder.count_held() == 0).then_some(KeyError::Missing("key at all")),
        Selection::Programs => (!file.has_program()).then_some(KeyError::Missing("program")),
        Selection::Named(kids) => {
            kids.iter().find(|kid| !holder.holds(kid)).map(|kid| not_held(kid, holder))
        }
        Selection::Generation(name) => match holder.stage(name, now()) {
            None => Some(KeyError::Missing("keys of that generation")),
            Some(Stage::Erased) => Some(KeyError::Missing("keys of that generation any more")),
            Some(Stage::Coming | Stage::Current | Stage::Retiring | Stage::Retired) => None,
        },
    }
}

fn describe(selection: Selection<'_>, path: &Path, global: &Global) -> Result<()> {
    check(selection, path, global)?;
    let what = words(selection);
    match global.json {
        true => {
            let report = json!({"file": ui::shown(path), "would_erase": what});
            ui::print(&ui::json_line(&report))
        }
        false => {
            let words = format!("{}: would erase {what}", path.display());
            ui::print(&format!("{}\n", ui::escaped(&words)))
        }
    }
}

fn words(selection: Selection<'_>) -> String {
    match selection {
        Selection::File => "the whole file".to_owned(),
        Selection::Keys => "all keys".to_owned(),
        Selection::Programs => "the program".to_owned(),
        Selection::Named(kids) => kids.iter().map(Kid::as_str).collect::<Vec<_>>().join(", "),
        Selection::Generation(name) => format!("the keys of {name}"),
    }
}

/// Returns the reason why a key with this name cannot be erased.
fn not_held(kid: &Kid, file: &dyn KeyHolder) -> KeyError {
    match file.was_erased(kid) {
        true => KeyError::Erased(kid.clone()),
        false => Unfit::NotHeld { kid: kid.clone(), held: file.count_held() }.into(),
    }
}

fn report(
    erased: &Erased,
    selection: Selection<'_>,
    returned: Option<(Amounts, &Place)>,
    global: &Global,
) -> Result<()> {
    if global.json {
        let mut report = json!({
            "file": erased.file,
            "erased": words(selection),
            "bytes_overwritten": erased.overwritten,
            "leftover_bytes_overwritten": erased.leftover,
            "in_place": erased.in_place,
            "links": erased.links,
            "file_system": erased.file_system,
            "note": remains(erased),
        });
        if let Some(Left { keys, idle }) = erased.left {
            report["keys_left"] = json!(keys);
            report["keys_usable"] = json!(if idle { 0 } else { keys });
        }
        if let Some((amounts, _)) = returned {
            report["returned"] = amounts_to_json(amounts);
        }
        return ui::print(&ui::json_line(&report));
    }
    match global.quiet {
        true => Ok(()),
        false => {
            let returned = returned.map_or(String::new(), |(amounts, keyring)| {
                format!("{}\n", ui::escaped(&returned_in_words(amounts, keyring)))
            });
            let words = in_words(erased, &words(selection));
            ui::print(&format!("{}\n{returned}", ui::escaped(&words)))
        }
    }
}

/// Describes copies that erasing does not reach.
fn remains(erased: &Erased) -> String {
    let copies =
        "copies may remain in snapshots, journals, backups, swap or spare blocks of flash memory";
    let kept = match erased.kept {
        None => return copies.to_owned(),
        Some(Kept::LowerLayer) => {
            "a lower layer of this file system may keep the bytes as they were"
        }
        Some(Kept::OlderBlocks) => {
            "this file system writes to other blocks, and the older ones keep the bytes"
        }
        Some(Kept::Server) => "what the file server keeps cannot be seen from here",
    };
    format!("{kept}; {copies}")
}

fn in_words(erased: &Erased, what: &str) -> String {
    let leftover = match erased.leftover {
        0 => String::new(),
        bytes => {
            format!("; {bytes} bytes that a killed process had left beside it were overwritten")
        }
    };
    let in_place = match erased.in_place {
        false => "",
        true => " (in place, as the disk is full)",
    };
    let left = match erased.left {
        None => String::new(),
        Some(Left { keys: 0, .. }) => "; it has no key left".to_owned(),
        Some(Left { keys, idle }) => {
            let unusable = if idle { ", and no program to use them" } else { "" };
            format!("; it has {} left{unusable}", ui::counted(keys, "key"))
        }
    };
    let file = &erased.file;
    let remains = remains(erased);
    if erased.links == 0 {
        return format!("{file}: is not there{leftover}; {remains}");
    }
    format!(
        "{file}: erased {what}{in_place}: {} bytes overwritten and read back, {} link, file system {}{leftover}{left}; {remains}",
        erased.overwritten, erased.links, erased.file_system
    )
}
