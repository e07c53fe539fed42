//! Client's bundles whose spent ids are in a journal.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use super::excerpt::Excerpt;
use super::file_system::is_remote;
use super::journal::{FileState, Journal, Names, Purpose, ReadWhole};
use super::locked::Locked;
use super::paths::FileId;
use crate::ciphers::random::Origin;
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::tree::Leaves;
use crate::protocol::model::{
    Error, JournalFault, JournalTrouble, KeyError, Kid, Malformed, Name, Place, Result,
};
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
fn refuse_older(client: &ClientBundle, found: &Journal, place: &Place) -> Result<()> {
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
fn spent_numbers(client: &ClientBundle) -> Leaves {
    let is_spent = |kid: &Kid| kid.parts().1.is_some_and(|id| client.spent.contains(id));
    let numbers = (0u32..).zip(client.keys.names()).filter(|(_, kid)| is_spent(kid));
    numbers.map(|(number, _)| number).collect()
}

/// The ids of the keys with these numbers.
fn ids(client: &ClientBundle, numbers: &Leaves) -> impl Iterator<Item = Name> {
    numbers.iter().filter_map(|number| client.keys.get(number as usize)?.kid.as_ref()?.id())
}

/// The journal of a bundle.
fn journal_of(
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

/// A client's bundle with its journal, both locked.
pub(super) struct Journaled<'l> {
    locked: &'l Locked,
    /// The bundle, without its keys if it was not read whole.
    client: ClientBundle,
    /// The bundle's file if it was not read whole.
    as_noted: Option<ReadWhole>,
    pub journal: Journal,
}

impl<'l> Journaled<'l> {
    /// Opens the journal of a bundle. `None` for a file that records its spent ids itself.
    ///
    /// # Errors
    /// As [`join`].
    pub fn open(locked: &'l mut Locked) -> Result<Option<Self>> {
        Self::open_or(|_, _| Ok(None), locked)
    }

    /// Opens the journal of a bundle, or begins one if the bundle is to have one. `None` for a file that
    /// records its spent ids itself.
    ///
    /// # Errors
    /// As [`join`]; [`JournalTrouble::Ahead`] for a copy of the bundle from before its first use.
    pub fn open_or_begin(locked: &'l mut Locked) -> Result<Option<Self>> {
        Self::open_or(begin, locked)
    }

    fn open_or(
        begin: impl FnOnce(ClientBundle, &mut Locked) -> Result<Option<Begun>>,
        locked: &'l mut Locked,
    ) -> Result<Option<Self>> {
        if let Some(light) =
            Light::open(&locked.file, &locked.path, &locked.place, Purpose::Append)?
        {
            let Light { journal, noted, client } = light;
            return Ok(Some(Self { locked, client, as_noted: Some(noted), journal }));
        }
        let failed = |error, place: &Place| Error::io(place, "cannot read", error);
        let before = FileState::of(&locked.file).map_err(|error| failed(error, &locked.place))?;
        let id = FileId::of(&locked.file);
        let parsed = locked.read_parsed()?;
        let (KeyFile::Client(client), journal) = (parsed.file, parsed.journal) else {
            return Ok(None);
        };
        let (client, mut journal, keys_end) = match journal {
            Some(number) => {
                let (path, place) = (&locked.path, &locked.place);
                let mut journal = journal_of(&client, number, path, place, Purpose::Append)?;
                // Nobody but another program adds to these.
                for range in spent_numbers(&client).difference(&journal.spent).ranges() {
                    journal.reserve(range.clone(), None)?;
                }
                let ours = client.to_bytes_with(number, place)?;
                let keys_end = Excerpt::keys_end(&ours).filter(|_| locked.is(&ours));
                (client, journal, keys_end)
            }
            None => match begin(client, locked)? {
                Some((client, journal, keys_end)) => (client, journal, keys_end),
                None => return Ok(None),
            },
        };
        let after = FileState::of(&locked.file).map_err(|error| failed(error, &locked.place))?;
        let is_steady = after == before || FileId::of(&locked.file) != id;
        if let Some(keys_end) = keys_end.filter(|_| is_steady && can_be_excerpted(&client, locked))
        {
            journal.note_read(ReadWhole { file: after, keys_end })?;
        }
        Ok(Some(Self { locked, client, as_noted: None, journal }))
    }

    /// The shop's name.
    pub fn shop(&self) -> &Name {
        &self.client.name
    }

    /// Reserves the first unspent ids, this many, durably; returns their numbers and keys.
    ///
    /// # Errors
    /// [`Error::Io`], and [`KeyError::Exchanged`] if the bundle was changed by another program meanwhile.
    pub fn reserve(&mut self, count: u64) -> Result<(Leaves, Vec<Jwk<EncryptingKey>>)> {
        let taken = self.journal.unspent().first(count);
        let (keys, ends) = match self.as_noted {
            None => {
                let key = |number| self.client.keys.get(number as usize).cloned();
                (taken.iter().filter_map(key).collect(), Vec::new())
            }
            Some(noted) => self.read_keys(&taken, noted)?,
        };
        let exchanged = || Error::key(&self.locked.place, KeyError::Exchanged);
        if keys.len() as u64 != taken.count() {
            return Err(exchanged());
        }
        let ends = ends.into_iter().map(Some).chain(std::iter::repeat(None));
        for (range, end) in taken.ranges().iter().zip(ends) {
            self.journal.reserve(range.clone(), end)?;
        }
        match FileId::of(&self.locked.file) == FileId::at(&self.locked.path) {
            true => Ok((taken, keys)),
            false => Err(exchanged()),
        }
    }

    /// Reads keys that were not read yet; returns them and where each range of them ends.
    fn read_keys(
        &self,
        numbers: &Leaves,
        noted: ReadWhole,
    ) -> Result<(Vec<Jwk<EncryptingKey>>, Vec<u64>)> {
        let (file, place) = (&self.locked.file, &self.locked.place);
        let failed = |error| Error::io(place, "cannot read", error);
        let mut excerpt = Excerpt::of(file);
        let mut ends = Vec::new();
        for range in numbers.ranges() {
            let from = self.journal.noted_before(range.start).unwrap_or(Excerpt::FIRST);
            ends.extend(excerpt.add(range, from).map_err(failed)?);
        }
        let text = excerpt.finish(noted.keys_end).map_err(failed)?;
        let parsed = Parsed::read(&text, None, place)?;
        let is_as_noted = FileState::of(file).map_err(failed)? == noted.file;
        match parsed {
            Parsed { file: KeyFile::Client(client), journal: Some(number) }
                if is_as_noted && number == self.journal.number =>
            {
                Ok((client.keys.to_vec(), ends))
            }
            Parsed { .. } => Err(Error::key(place, KeyError::Exchanged)),
        }
    }
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

/// A bundle and its new journal, and where the list of keys in the bundle's file ends.
type Begun = (ClientBundle, Journal, Option<u64>);

/// Begins a journal for a bundle that is to have one, and notes its number in the bundle.
fn begin(mut client: ClientBundle, locked: &mut Locked) -> Result<Option<Begun>> {
    if !client.wants_journal() {
        return Ok(None);
    }
    let found = match Journal::open(&locked.path, Purpose::Append) {
        // It is the file of another program, or there can be none.
        Err(Error::Malformed { found: Malformed::Journal(JournalFault::NotOne), .. }) => {
            return Ok(None);
        }
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::InvalidFilename => {
            return Ok(None);
        }
        found => found?,
    };
    if let Some(found) = &found {
        refuse_older(&client, found, &locked.place)?;
    }
    let spent = spent_numbers(&client);
    let names = Names::of(client.keys.names());
    let journal = Journal::create(&locked.path, names, &spent, found.as_ref())?;
    let moved: BTreeSet<Name> = ids(&client, &spent).collect();
    client.spent.retain(|id| !moved.contains(id));
    client.absorbed = None;
    let bytes = client.to_bytes_with(journal.number, &locked.place)?;
    locked.mark(&bytes, &client, journal.number)?;
    let keys_end = Excerpt::keys_end(&bytes);
    Ok(Some((client, journal, keys_end)))
}

/// Whether keys of a bundle may be read without the others: pads differ in length, and keys that are not
/// random are for all to see.
fn can_be_excerpted(client: &ClientBundle, locked: &Locked) -> bool {
    let is_plain = |key: &Jwk<EncryptingKey>| match key.material {
        EncryptingKey::Secret(_) | EncryptingKey::Public(_) => key.origin == Origin::System,
        EncryptingKey::Pad(_) => false,
    };
    !is_remote(&locked.file) && client.keys.iter().all(is_plain)
}
