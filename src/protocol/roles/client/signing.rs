//! Signing a batch: each line names it, and a manifest over all lines ends it.

use crate::ciphers::random::KeySource;
use crate::protocol::jose::batch::{BatchId, BatchMark, Hash, LinesHash, hash_of_line};
use crate::protocol::jose::jws::Thumbprint;
use crate::protocol::model::{Error, KeyError, Name, Place, Result, Time};
use crate::protocol::store::keyfile::{ClientBundle, ToSign};
use crate::protocol::store::spend::{KeyStore, Spendable, Spending};

/// The stream of a source from which the id of a batch is drawn: no line uses it.
const ID_STREAM: u64 = u64::MAX - 4;

/// How a client's batches are signed.
#[derive(Debug, Clone)]
pub(super) struct Signing {
    shop: Name,
    by: Thumbprint,
    now: Time,
}

/// A batch that is being sealed.
pub(super) struct Batch {
    signing: Signing,
    mark: BatchMark,
    count: u64,
    lines: LinesHash,
}

impl Signing {
    /// How a client signs, if its program does.
    pub(super) fn of(client: &ClientBundle, now: Time, place: &Place) -> Result<Option<Self>> {
        if !client.program.is_some_and(|program| program.signs) {
            return Ok(None);
        }
        let missing = KeyError::Missing("signing key any more: it was erased");
        let signer = client.signer.as_ref().ok_or_else(|| Error::key(place, missing))?;
        let by = signer.key.verifying().thumbprint();
        Ok(Some(Self { shop: client.name.name(), by, now }))
    }

    /// Begins a batch.
    pub(super) fn begin(self, source: &impl KeySource) -> Batch {
        let batch = BatchId::random(&mut source.stream(ID_STREAM));
        let mark = BatchMark { by: self.by, batch };
        Batch { signing: self, mark, count: 0, lines: LinesHash::default() }
    }
}

/// The hashes of sealed lines.
pub(super) fn hashes_of(lines: &[u8]) -> Vec<Hash> {
    lines.split_inclusive(|&byte| byte == b'\n').map(hash_of_line).collect()
}

impl Batch {
    /// What its lines say of it.
    pub(super) fn mark(&self) -> BatchMark {
        self.mark.clone()
    }

    /// Adds the hashes of the next lines.
    pub(super) fn add(&mut self, lines: &[Hash]) {
        self.count += lines.len() as u64;
        lines.iter().for_each(|line| self.lines.add(line));
    }

    /// Signs it, and records that in the client's bundle; returns the manifest as a line.
    pub(super) fn sign<K: KeyStore + ?Sized>(self, store: &K, bundle: &Place) -> Result<Vec<u8>> {
        let Self { signing: Signing { shop, by, now }, mark, count, lines } = self;
        let lines = lines.finish();
        let batch = ToSign { shop: &shop, batch: mark.batch, time: now, count, lines };
        let exchanged = || Error::key(bundle, KeyError::Exchanged);
        let manifest = store.update(|file| match file.spending() {
            Some(Spending::Client(client)) => {
                let own = client.signer.as_mut();
                let own = own.filter(|own| own.key.verifying().thumbprint() == by);
                Ok(own.ok_or_else(exchanged)?.sign(&batch))
            }
            Some(Spending::Lone(_)) | None => Err(exchanged()),
        })?;
        Ok((manifest + "\n").into_bytes())
    }
}
