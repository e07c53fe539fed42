//! `dir` with a one-time pad: each order is encrypted with a piece of its own, whose offset in the
//! whole pad is the order's IV.

use rand::Rng;

use super::fitting;
use crate::ciphers::Wiped;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::cut::parts_mut;
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, KeyRef};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{KeyError, Suite};

pub(super) fn sealing_key(key: &EncryptingKey, suite: Suite) -> Result<&Pad, KeyError> {
    fitting(key.as_key().pad(), key.name(), suite)
}

pub(super) fn opening_key(key: KeyRef<'_>, suite: Suite) -> Result<&Pad, KeyError> {
    fitting(key.pad(), key.name(), suite)
}

/// The keys of orders, concatenated: the MAC key and a piece of pad for each.
pub(in crate::protocol::jose) fn keys(
    cipher: ContentCipher,
    orders: &[&[u8]],
    pads: &[&Pad],
) -> Result<Wiped, (usize, KeyError)> {
    let lengths = orders.iter().map(|order| cipher.key_len_for(order.len()));
    let mut keys = Wiped::from(vec![0; lengths.clone().sum()]);
    let each = orders.iter().zip(pads).zip(parts_mut(&mut keys, lengths));
    for (index, ((order, pad), key)) in each.enumerate() {
        pad.copy_key(pad.offset(), key).ok_or_else(|| {
            let (needed, left) = (order.len() as u64, pad.len());
            (index, KeyError::PadShort { needed, left })
        })?;
    }
    Ok(keys)
}

/// The IVs of orders, concatenated.
pub(in crate::protocol::jose) fn ivs(pads: &[&Pad]) -> Vec<u8> {
    pads.iter().flat_map(|pad| pad.offset().to_be_bytes()).collect()
}

/// Writes the key of an order with this IV; a random one if the pad does not have its piece.
pub(in crate::protocol::jose) fn key(pad: &Pad, iv: &[u8], key: &mut [u8], rng: &mut KeyStream) {
    let offset = iv.try_into().map(u64::from_be_bytes).ok();
    if offset.and_then(|offset| pad.copy_key(offset, key)).is_none() {
        rng.fill_bytes(key);
    }
}
