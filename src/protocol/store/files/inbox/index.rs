//! The index of an inbox: which keys have an order, and which lines were kept.
//!
//! It has a table for each month, of which the last two are looked at: no ticket lives longer.

use std::fmt::Display;
use std::io;
use std::path::Path;

use redb::{
    Builder, Database, Durability, ReadableDatabase, ReadableTable, Table, TableDefinition,
    TableHandle,
};
use sha2::{Digest, Sha256};

use crate::ciphers::cut::part;
use crate::protocol::jose::batch::Hash;
use crate::protocol::jose::ticket::KeyUse;
use crate::protocol::model::{Kid, Time};

/// Most memory that the index takes, in bytes.
const CACHE: usize = 32 << 20;

/// How far the inbox is in the index.
const POSITION: TableDefinition<'static, (), (u64, u64)> = TableDefinition::new("position");

/// First part of the names of tables with lines.
const KEPT: &str = "kept-";

/// Half of a hash by SHA-256.
type Half = [u8; 16];

/// The entry of a line: of its key if that is for one order, otherwise of the line itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(Half);

/// A place in an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// Number of the file.
    pub file: u64,
    /// Number of bytes in it.
    pub offset: u64,
    /// Whether the index has to be synced with it: the file was begun just now, and its number must not be
    /// used again, even if somebody takes the file away.
    pub synced: bool,
}

#[derive(Debug)]
pub(super) struct Index {
    database: Database,
}

impl Entry {
    /// The entry of a line.
    pub fn of(kid: &Kid, hash: &Hash, uses: KeyUse) -> Self {
        let digest = match uses {
            KeyUse::Once => Sha256::new_with_prefix(b"key\0").chain_update(kid.as_str()),
            KeyUse::Again => Sha256::new_with_prefix(b"line\0").chain_update(hash),
        };
        Self(*part::<0, _, 32>(&digest.finalize().into()))
    }
}

impl Index {
    /// Opens the index, and drops what is too old to be asked for.
    pub fn open(path: &Path, now: Time) -> io::Result<Self> {
        let database = Builder::new().set_cache_size(CACHE).create(path).map_err(failed)?;
        let index = Self { database };
        let (this, last) = months(now);
        let writing = index.database.begin_write().map_err(failed)?;
        writing.open_table(POSITION).map_err(failed)?;
        let tables: Vec<String> = writing
            .list_tables()
            .map_err(failed)?
            .map(|table| table.name().to_owned())
            .filter(|name| name.starts_with(KEPT))
            .collect();
        for name in tables.iter().filter(|name| **name < last && **name < this) {
            writing.delete_table(definition(name)).map_err(failed)?;
        }
        for name in [&last, &this] {
            writing.open_table(definition(name)).map_err(failed)?;
        }
        writing.commit().map_err(failed)?;
        Ok(index)
    }

    /// How far the inbox is in the index.
    pub fn position(&self) -> io::Result<Position> {
        let reading = self.database.begin_read().map_err(failed)?;
        let table = reading.open_table(POSITION).map_err(failed)?;
        let found = table.get(()).map_err(failed)?.map(|found| found.value());
        let (file, offset) = found.unwrap_or_default();
        Ok(Position { file, offset, synced: true })
    }

    /// Lets `enter` enter lines. If it says how far the inbox is in the index then, they stay; otherwise
    /// nothing is changed.
    pub fn write<T>(
        &self,
        now: Time,
        enter: impl FnOnce(&mut Tables<'_>) -> io::Result<(T, Option<Position>)>,
    ) -> io::Result<T> {
        let mut transaction = self.database.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::None).map_err(failed)?;
        let (this, last) = months(now);
        let entered = {
            let this = transaction.open_table(definition(&this)).map_err(failed)?;
            let last = transaction.open_table(definition(&last)).map_err(failed)?;
            enter(&mut Tables { this, last })?
        };
        let (result, Some(position)) = entered else {
            transaction.abort().map_err(failed)?;
            return Ok(entered.0);
        };
        let mut table = transaction.open_table(POSITION).map_err(failed)?;
        table.insert((), (position.file, position.offset)).map_err(failed)?;
        drop(table);
        if position.synced {
            transaction.set_durability(Durability::Immediate).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(result)
    }

    /// Makes everything durable.
    pub fn sync(&self) -> io::Result<()> {
        let mut transaction = self.database.begin_write().map_err(failed)?;
        transaction.set_quick_repair(true);
        transaction.commit().map_err(failed)
    }
}

/// The tables of this month and the last.
pub(super) struct Tables<'t> {
    this: Table<'t, Half, Hash>,
    last: Table<'t, Half, Hash>,
}

impl Tables<'_> {
    /// Enters a line, unless there is one; returns the hash of that.
    pub fn enter(&mut self, entry: &Entry, hash: &Hash) -> io::Result<Option<Hash>> {
        for table in [&self.this, &self.last] {
            if let Some(found) = table.get(entry.0).map_err(failed)? {
                return Ok(Some(found.value()));
            }
        }
        self.this.insert(entry.0, hash).map_err(failed)?;
        Ok(None)
    }

    /// Takes back an entry that was made here.
    pub fn remove(&mut self, entry: &Entry) -> io::Result<()> {
        self.this.remove(entry.0).map_err(failed)?;
        Ok(())
    }
}

fn definition(name: &str) -> TableDefinition<'_, Half, Hash> {
    TableDefinition::new(name)
}

/// The tables of the month of a time and of the month before.
fn months(now: Time) -> (String, String) {
    let text = now.to_string();
    let (year, month) = (text[..4].parse().unwrap_or(0u32), text[5..7].parse().unwrap_or(1u32));
    let name = |year: u32, month: u32| format!("{KEPT}{year:04}-{month:02}");
    let last = if month == 1 { name(year.saturating_sub(1), 12) } else { name(year, month - 1) };
    (name(year, month), last)
}

fn failed(error: impl Display) -> io::Error {
    io::Error::other(format!("the index: {error}"))
}
