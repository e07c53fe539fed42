//! Jobs for DES, independent of the backend.

use super::BLOCK;

/// Order of the round keys: first to last, or last to first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

impl Direction {
    /// Returns the opposite direction.
    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Encrypt => Self::Decrypt,
            Self::Decrypt => Self::Encrypt,
        }
    }
}

/// Work for a backend. Keys are 8 bytes for DES and 24 for triple DES.
pub(crate) enum Job<'a> {
    Ecb { key: &'a [u8], direction: Direction, data: &'a mut [u8] },
    Ctr { key: &'a [u8], iv: [u8; BLOCK], data: &'a mut [u8] },
    CbcDecrypt { key: &'a [u8], iv: [u8; BLOCK], data: &'a mut [u8] },
    CbcMany { direction: Direction, messages: Vec<Message<'a>> },
}

impl Job<'_> {
    /// Number of lanes that the job can fill in its longest pass.
    pub(super) fn lanes(&self) -> usize {
        match self {
            Self::Ecb { data, .. } | Self::Ctr { data, .. } | Self::CbcDecrypt { data, .. } => {
                data.len().div_ceil(BLOCK)
            }
            Self::CbcMany { messages, .. } => messages.len(),
        }
    }
}

/// A message with its key (8 or 24 bytes) and the block before its first, in whole blocks.
#[derive(Default)]
pub(crate) struct Message<'a> {
    pub(super) key: &'a [u8],
    pub(super) iv: [u8; BLOCK],
    pub(super) data: &'a mut [u8],
}
