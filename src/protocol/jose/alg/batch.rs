//! What families take and give for a batch of orders, whatever the algorithm.

use super::{KeyParams, Unwrapping};

/// A value shared by all items of a batch, or one value per item.
#[derive(Debug, Clone)]
pub(in crate::protocol::jose) enum OneOrEach<T> {
    /// One value for all items.
    One(T),
    /// One value per item, in order.
    Each(Vec<T>),
}

impl<T> OneOrEach<T> {
    /// Returns the value for the item with the given index.
    ///
    /// # Panics
    /// Panics if each item has its own value and the index is out of range.
    pub(in crate::protocol::jose) fn of(&self, index: usize) -> &T {
        match self {
            Self::One(one) => one,
            Self::Each(each) => &each[index],
        }
    }

    /// Applies `make` to each value.
    pub(in crate::protocol::jose) fn map<U>(&self, make: impl Fn(&T) -> U) -> OneOrEach<U> {
        match self {
            Self::One(one) => OneOrEach::One(make(one)),
            Self::Each(each) => OneOrEach::Each(each.iter().map(make).collect()),
        }
    }

    /// Applies `make` to each value and stops at the first error.
    pub(super) fn try_map<U, E>(
        &self,
        make: impl Fn(&T) -> Result<U, E>,
    ) -> Result<OneOrEach<U>, E> {
        Ok(match self {
            Self::One(one) => OneOrEach::One(make(one)?),
            Self::Each(each) => OneOrEach::Each(each.iter().map(make).collect::<Result<_, _>>()?),
        })
    }

    /// Returns all values in order, or the single shared one.
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Each(each) => each,
        }
    }
}

/// Wrapped keys, concatenated, and their parameters.
#[derive(Debug, Default)]
pub(in crate::protocol::jose) struct Wrapped {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
    /// Parameters of each key, in the families that have any.
    pub(super) params: Vec<KeyParams>,
}

impl Wrapped {
    /// The JWE encrypted key of an order; empty if nothing was wrapped.
    pub(in crate::protocol::jose) fn encrypted_key(&self, index: usize) -> &[u8] {
        let Some(&end) = self.ends.get(index) else { return b"" };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..end]
    }

    /// The parameters of an order's key.
    pub(in crate::protocol::jose) fn params(&self, index: usize) -> &KeyParams {
        self.params.get(index).unwrap_or(&KeyParams::None)
    }

    /// Whether each key has parameters of its own.
    pub(in crate::protocol::jose) fn has_params(&self) -> bool {
        !self.params.is_empty()
    }

    /// Appends room for a key and returns it.
    pub(super) fn push(&mut self, len: usize) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        self.ends.push(self.bytes.len());
        &mut self.bytes[start..]
    }
}

/// A key to unwrap.
#[derive(Debug)]
pub(in crate::protocol::jose) struct UnwrapJob<'a, K = Unwrapping<'a>> {
    /// The unwrapping key.
    pub(in crate::protocol::jose) key: K,
    /// The wrapped key.
    pub(in crate::protocol::jose) encrypted_key: &'a [u8],
    /// Its parameters, from the header.
    pub(in crate::protocol::jose) params: &'a KeyParams,
    /// Buffer for the key, filled with random bytes beforehand. If unwrapping fails, they stay, so
    /// that decryption fails in one way only: by its authentication tag (RFC 7516 section 11.5).
    pub(in crate::protocol::jose) cek: &'a mut [u8],
}

impl<'a, K> UnwrapJob<'a, K> {
    pub(super) fn with<L>(self, key: L) -> UnwrapJob<'a, L> {
        UnwrapJob { key, encrypted_key: self.encrypted_key, params: self.params, cek: self.cek }
    }
}
