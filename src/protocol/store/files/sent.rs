//! Sending by a program that erases. Sending is recorded in the client's file before the output
//! gets its name, so that the next command can finish what a killed process began.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::access::Access;
use super::beside::ready_name;
use super::locked::Locked;
use super::overwrite::{Erased, Selection};
use super::paths::{folder_of, sync_folder};
use super::temporary::rename_to_new;
use super::users;
use crate::protocol::model::{Erase, Error, Result};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, Sent};

/// Result of finishing work on a client's file.
#[derive(Debug)]
pub(super) enum Finished {
    /// Nothing was pending.
    Nothing,
    /// The file was erased.
    File(Erased),
    /// Parts of the file were erased.
    Parts(Erased),
}

/// Finishes what the users of a client's file left undone, unless one of them is still running.
///
/// # Errors
/// Errors from reading, sending and erasing.
pub(super) fn finish(path: &Path, access: &Access) -> Result<Finished> {
    let mut locked = Locked::open(path, access)?;
    match users::are_there(path)? {
        true => Ok(Finished::Nothing),
        false => settle(&mut locked, false),
    }
}

/// Finishes pending work on a file that has no users: sends what was ready, and erases as the
/// program requires if anything was sent, or if erasing is `due` for another reason.
///
/// # Errors
/// Errors from reading, sending and erasing; the work then stays pending.
pub(super) fn settle(locked: &mut Locked, due: bool) -> Result<Finished> {
    if !due && locked.is_journaled()? {
        // Only programs that do not erase have one.
        return Ok(Finished::Nothing);
    }
    let file = match locked.read()? {
        KeyFile::Client(file) if file.is_unfinished() || due => file,
        KeyFile::Client(_) | KeyFile::Plain(_) | KeyFile::Keyring(_) | KeyFile::Shop(_) => {
            return Ok(Finished::Nothing);
        }
    };
    publish(locked, &file)?;
    let settled = |file: &mut ClientBundle| {
        file.sent.clear();
        file.erase_due = false;
    };
    match file.erases() {
        Some(Erase::All) => {
            users::remove_unused(&locked.path);
            locked.erase().map(Finished::File)
        }
        Some(Erase::Keys) => {
            locked.rewrite_and_erase(Selection::Keys, settled).map(Finished::Parts)
        }
        Some(Erase::Programs) => {
            locked.rewrite_and_erase(Selection::Programs, settled).map(Finished::Parts)
        }
        // The program has already been erased.
        None => locked.update_client(settled).map(|()| Finished::Nothing),
    }
}

/// Sends what killed processes had ready, if the file is a client's file that records it.
///
/// # Errors
/// Errors from sending.
pub(super) fn publish_of(locked: &mut Locked) -> Result<()> {
    match locked.read() {
        Ok(KeyFile::Client(file)) if !file.sent.is_empty() && !users::are_there(&locked.path)? => {
            publish(locked, &file)
        }
        // Files that are not key files can also be erased.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn publish(locked: &Locked, file: &ClientBundle) -> Result<()> {
    file.sent.iter().try_for_each(|sent| {
        publish_one(sent).map_err(|error| Error::Unpublished {
            bundle: locked.place.file.clone(),
            output: output_of(sent).display().to_string(),
            source: error,
        })
    })
}

/// Sends a file that is ready. If it no longer has its temporary name, it has already been sent.
fn publish_one(sent: &Sent) -> io::Result<()> {
    let output = output_of(sent);
    let ready = ready_name(output, sent.token)?;
    let renamed = match sent.replace {
        true => std::fs::rename(&ready, output),
        false => rename_to_new(&ready, output),
    };
    match renamed {
        // If the folder cannot be read, a missing name proves nothing.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            std::fs::File::open(folder_of(output)).map(|_| ())
        }
        renamed => renamed.and_then(|()| sync_folder(folder_of(output))),
    }
}

fn output_of(sent: &Sent) -> &Path {
    Path::new(OsStr::from_bytes(&sent.output))
}

/// Removes a file that is ready but must not be sent.
pub(super) fn withdraw(sent: &Sent) {
    if let Ok(ready) = ready_name(output_of(sent), sent.token) {
        // It contains no secrets and does no harm if it remains.
        let _ = std::fs::remove_file(ready);
    }
}
