//! A client's bundle with its journal, to spend from.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::excerpt::Excerpt;
use super::file_system::is_remote;
use super::joined::{Light, ids, journal_of, refuse_older, spent_numbers};
use super::journal::{FileState, Journal, Names, Purpose, ReadWhole};
use super::locked::Locked;
use super::paths::FileId;
use crate::ciphers::random::Origin;
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::tree::Leaves;
use crate::protocol::model::{
    Error, JournalFault, KeyError, Malformed, Name, Place, Result, ShopName,
};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, Parsed};

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
                // Only other programs add to these.
                for range in spent_numbers(&client).difference(&journal.spent).ranges() {
                    journal.reserve(range.clone(), None)?;
                }
                let ours = client.text_with(number, place)?;
                let keys_end = ours.keys_end().filter(|_| locked.is(&ours));
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
    pub fn shop(&self) -> &ShopName {
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
                let mut keys = Vec::with_capacity(taken.count() as usize);
                keys.extend(
                    taken.iter().filter_map(|at| self.client.keys.get(at as usize)).cloned(),
                );
                (keys, Vec::new())
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
    let text = client.text_with(journal.number, &locked.place)?;
    locked.mark(&text, &client, journal.number)?;
    // A protected bundle has other bytes, and is always read whole.
    let keys_end = text.keys_end().filter(|_| !locked.is_protected());
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
