//! Decryption of many messages side by side, in every mode.
//!
//! All modes except OFB decrypt their blocks independently: each is one call of the block cipher, on
//! the ciphertext itself (ECB, CBC) or on what precedes it (CFB, CTR), and an addition. The blocks of
//! all messages fill the lanes together, however short each message is. Key stream of OFB is a chain,
//! the same one that CBC makes of zeros: one lane per message.

use std::slice::from_mut;

use zeroize::{Zeroize, Zeroizing};

use super::old_cipher::Mode;
use crate::ciphers::cpu::Backend;
use crate::ciphers::cut::whole_blocks;
use crate::ciphers::des::{self, BLOCK, Block, Key};

/// A message of any length.
pub(super) struct Message<'a, K> {
    pub key: &'a K,
    pub iv: Block,
    pub data: &'a mut [u8],
}

/// The keys of messages.
pub(super) enum KeysAre {
    /// One and the same.
    One,
    /// Of each message its own.
    Own,
}

/// Decrypts a message; in ECB and CBC mode it has whole blocks.
pub(super) fn decrypt<K: Key>(backend: Backend, mode: Mode, message: Message<'_, K>) {
    let Message { key, iv, data } = message;
    match mode {
        Mode::Ecb => des::ecb_decrypt(backend, key, whole_blocks(data)),
        Mode::Cbc => des::cbc_decrypt(backend, key, iv, whole_blocks(data)),
        Mode::Ctr => des::ctr(backend, key, iv, data),
        Mode::Cfb | Mode::Cfb8 | Mode::Ofb => {
            decrypt_many(backend, mode, KeysAre::One, vec![Message { key, iv, data }]);
        }
    }
}

/// Decrypts messages; in ECB and CBC mode all have whole blocks.
pub(super) fn decrypt_many<K: Key>(
    backend: Backend,
    mode: Mode,
    keys: KeysAre,
    mut messages: Vec<Message<'_, K>>,
) {
    if mode == Mode::Ofb {
        return ofb(backend, messages);
    }
    let mut blocks = Zeroizing::new(Vec::new());
    for message in &messages {
        inputs(mode, message.iv, message.data, &mut blocks);
    }
    let decrypts = match mode {
        Mode::Ecb | Mode::Cbc => true,
        Mode::Ctr | Mode::Cfb | Mode::Cfb8 | Mode::Ofb => false,
    };
    match (keys, messages.first()) {
        (_, None) => return,
        (KeysAre::One, Some(Message { key, .. })) => match decrypts {
            true => des::ecb_decrypt(backend, *key, &mut blocks),
            false => des::ecb_encrypt(backend, *key, &mut blocks),
        },
        (KeysAre::Own, Some(_)) => {
            // A message of one block without IV is a block of ECB with a key of its own.
            let keys = messages.iter().flat_map(|message| {
                std::iter::repeat_n(message.key, count(mode, message.data.len()))
            });
            let mut each: Vec<_> = keys
                .zip(blocks.iter_mut())
                .map(|(key, block)| des::Message { key, iv: [0; BLOCK], data: from_mut(block) })
                .collect();
            match decrypts {
                true => des::cbc_decrypt_many(backend, &mut each),
                false => des::cbc_encrypt_many(backend, &mut each),
            }
        }
    }
    let mut blocks = blocks.iter();
    for message in &mut messages {
        outputs(mode, message.iv, message.data, &mut blocks);
    }
}

/// Number of calls of the block cipher for a message.
fn count(mode: Mode, len: usize) -> usize {
    match mode {
        Mode::Cfb8 => len,
        Mode::Ecb | Mode::Cbc | Mode::Ctr | Mode::Cfb | Mode::Ofb => len.div_ceil(BLOCK),
    }
}

/// Adds what the block cipher is called with for a message.
fn inputs(mode: Mode, iv: Block, data: &[u8], blocks: &mut Vec<Block>) {
    let (whole, _) = data.as_chunks();
    match mode {
        Mode::Ecb | Mode::Cbc => blocks.extend(whole),
        Mode::Ctr => {
            let first = u64::from_be_bytes(iv);
            let counters = 0..count(mode, data.len()) as u64;
            blocks.extend(counters.map(|i| first.wrapping_add(i).to_be_bytes()));
        }
        Mode::Cfb => {
            let before = std::iter::once(&iv).chain(whole);
            blocks.extend(before.take(count(mode, data.len())));
        }
        Mode::Cfb8 => {
            let mut window = iv;
            for byte in data {
                blocks.push(window);
                window.rotate_left(1);
                window[BLOCK - 1] = *byte;
            }
        }
        Mode::Ofb => unreachable!("its key stream is a chain"),
    }
}

/// Makes the text of a message from what the block cipher returned.
fn outputs<'b>(
    mode: Mode,
    iv: Block,
    data: &mut [u8],
    blocks: &mut impl Iterator<Item = &'b Block>,
) {
    let count = count(mode, data.len());
    let blocks = blocks.take(count);
    match mode {
        Mode::Ecb => {
            data.as_chunks_mut().0.iter_mut().zip(blocks).for_each(|(to, block)| *to = *block)
        }
        Mode::Cbc => {
            let mut before = iv;
            for (to, block) in data.as_chunks_mut().0.iter_mut().zip(blocks) {
                let ciphertext = std::mem::replace(to, *block);
                add(to, &before);
                before = ciphertext;
            }
        }
        Mode::Ctr | Mode::Cfb | Mode::Ofb => {
            data.chunks_mut(BLOCK).zip(blocks).for_each(|(to, block)| add(to, block));
        }
        Mode::Cfb8 => data.iter_mut().zip(blocks).for_each(|(to, block)| *to ^= block[0]),
    }
}

fn ofb<K: Key>(backend: Backend, messages: Vec<Message<'_, K>>) {
    let room = |message: &Message<'_, K>| message.data.len().div_ceil(BLOCK);
    let mut streams = Zeroizing::new(vec![[0; BLOCK]; messages.iter().map(room).sum()]);
    let mut rest = &mut streams[..];
    let mut chains = Vec::with_capacity(messages.len());
    for message in &messages {
        let data;
        (data, rest) = rest.split_at_mut(room(message));
        chains.push(des::Message { key: message.key, iv: message.iv, data });
    }
    des::cbc_encrypt_many(backend, &mut chains);
    for (message, chain) in messages.into_iter().zip(chains) {
        add(message.data, chain.data.as_flattened());
        chain.data.as_flattened_mut().zeroize();
    }
}

fn add(to: &mut [u8], other: &[u8]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to ^= other);
}
