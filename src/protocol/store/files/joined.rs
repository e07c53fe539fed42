//! What the journal beside a client's bundle adds to it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use super::excerpt::Excerpt;
use super::journal::{FileState, Journal, Names, Purpose, ReadWhole};
use crate::protocol::jose::tree::Leaves;
use crate::protocol::model::{Error, JournalTrouble, KeyError, Kid, Name, Place, Result};
use crate::protocol::store::FileNumber;
use crate::protocol::store::keyfile::{ClientBundle, JournalEnd, KeyFile, Parsed};

/// Adds the spent ids in the journal beside a bundle to a file that was parsed; it is locked. Returns
/// also where the journal ends, if there is one.
///
/// # Errors
/// [`JournalTrouble`], [`Error::Malformed`] for a damaged journal, and [`Error::Io`].
pub(super) fn join(
    parsed: Parsed,
    path: &Path,
    place: &Place,
) -> Result<(KeyFile, Option<JournalEnd>)> {
    match parsed {
        Parsed { file: KeyFile::Client(mut client), journal: Some(number) } => {
            let journal = journal_of(&client, number, path, place, Purpose::Look)?;
            client.spent.append(&mut ids(&client, &journal.spent).collect());
            Ok((KeyFile::Client(client), Some(journal.last)))
        }
        Parsed { file: KeyFile::Client(client), journal: None } => {
            let found = Journal::open(path, Purpose::Look).ok().flatten();
            let found =
                found.filter(|found| found.names.are_related(&Names::of(client.keys.names())));
            if let Some(found) = &found {
                refuse_older(&client, found, place)?;
            }
            Ok((KeyFile::Client(client), found.map(|found| found.last)))
        }
        Parsed { file, journal: _ } => Ok((file, None)),
    }
}

/// Refuses a bundle without a journal, beside one in which ids of the same bundle are spent: it is an
/// older copy. It is not if it has taken these ids over, or never began with the journal.
pub(super) fn refuse_older(client: &ClientBundle, found: &Journal, place: &Place) -> Result<()> {
    let names = Names::of(client.keys.names());
    let knows = || ids(client, &found.spent).all(|id| client.spent.contains(&id));
    let is_newer = found.spent.is_empty()
        || client.absorbed == Some(found.last)
        || !names.are_related(&found.names)
        || names == found.names && knows();
    match is_newer {
        true => Ok(()),
        false => {
            let ahead = JournalTrouble::Ahead(found.place.clone());
            Err(Error::key(place, KeyError::Journal(ahead)))
        }
    }
}

/// The numbers of keys whose ids are spent according to the bundle itself.
pub(super) fn spent_numbers(client: &ClientBundle) -> Leaves {
    let is_spent = |kid: &Kid| kid.parts().1.is_some_and(|id| client.spent.contains(id));
    let numbers = (0u32..).zip(client.keys.names()).filter(|(_, kid)| is_spent(kid));
    numbers.map(|(number, _)| number).collect()
}

/// The ids of the keys with these numbers.
pub(super) fn ids(client: &ClientBundle, numbers: &Leaves) -> impl Iterator<Item = Name> {
    numbers.iter().filter_map(|number| client.keys.get(number as usize)?.kid.as_ref()?.id())
}

/// The journal of a bundle.
pub(super) fn journal_of(
    client: &ClientBundle,
    number: FileNumber,
    path: &Path,
    place: &Place,
    purpose: Purpose,
) -> Result<Journal> {
    let trouble = |why| Error::key(place, KeyError::Journal(why));
    let at = Place::file(Journal::path_beside(path).display().to_string());
    let Some(journal) = Journal::open(path, purpose)? else {
        return Err(trouble(JournalTrouble::Missing(at)));
    };
    if journal.number != number {
        return Err(trouble(JournalTrouble::Other(at)));
    }
    if journal.names != Names::of(client.keys.names()) {
        return Err(trouble(JournalTrouble::OtherKeys(at)));
    }
    Ok(journal)
}

/// A bundle of which only some keys were read, as it was read whole and noted before.
pub(super) struct Light {
    pub journal: Journal,
    pub noted: ReadWhole,
    /// The bundle without its keys.
    pub client: ClientBundle,
}

impl Light {
    /// Opens a bundle without reading its keys, if it is as it was noted.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(file: &File, path: &Path, place: &Place, purpose: Purpose) -> Result<Option<Self>> {
        let failed = |error| Error::io(place, "cannot read", error);
        let journal = match Journal::open(path, purpose) {
            // What is wrong with it is said when the bundle is read whole.
            Err(Error::Malformed { .. }) => return Ok(None),
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::InvalidFilename => {
                return Ok(None);
            }
            opened => opened?,
        };
        let Some(journal) = journal else { return Ok(None) };
        let state = FileState::of(file).map_err(failed)?;
        let Some(noted) = journal.read.filter(|noted| noted.file == state) else { return Ok(None) };
        let text = Excerpt::of(file).finish(noted.keys_end).map_err(failed)?;
        match Parsed::read(&text, None, place) {
            Ok(Parsed { file: KeyFile::Client(client), journal: Some(number) })
                if number == journal.number =>
            {
                Ok(Some(Self { journal, noted, client }))
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// The bundle with its first key that is unspent, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`], and those of reading the key.
    pub fn with_next_key(&self, file: &File, place: &Place) -> Result<Option<KeyFile>> {
        let failed = |error| Error::io(place, "cannot read", error);
        let next = self.journal.unspent().first(1);
        let Some(range) = next.ranges().first() else { return Ok(None) };
        let mut excerpt = Excerpt::of(file);
        let from = self.journal.noted_before(range.start).unwrap_or(Excerpt::FIRST);
        excerpt.add(range, from).map_err(failed)?;
        let text = excerpt.finish(self.noted.keys_end).map_err(failed)?;
        let Parsed { file: read, .. } = Parsed::read(&text, None, place)?;
        let is_as_noted = FileState::of(file).map_err(failed)? == self.noted.file;
        Ok(Some(read).filter(|read| is_as_noted && read.holder().all_keys().count() == 1))
    }
}
