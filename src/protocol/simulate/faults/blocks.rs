//! Attacks on the blocks of an order in direct RSA.

use sha2::{Digest, Sha256};

use super::lines::{named_key, replace, segment};
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::{KeySource, SeededSource};
use crate::ciphers::rsa::{self, OaepHash, PublicKey, WrapJob};
use crate::protocol::jose::jwe::block_label;
use crate::protocol::jose::jwk::AsKey;
use crate::protocol::store::keyfile::ShopBundle;

/// Attacks on the blocks of an order in direct RSA, by someone who has the public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockAttack {
    /// The first block is replaced by one of the attacker's.
    FirstReplaced,
    /// A middle block is replaced by one of the attacker's.
    MiddleReplaced,
    /// The last block is replaced by one of the attacker's.
    LastReplaced,
    /// All blocks except the first are replaced, by blocks that belong together.
    OthersReplaced,
    /// A block is taken from another order.
    Mixed,
    /// A middle block is removed.
    Dropped,
    /// The last block is removed.
    CutOff,
}

/// Attacks the blocks of a line, with the public key and another line; returns `false` if the line
/// has fewer than three blocks.
pub fn attack(attack: BlockAttack, line: &mut String, other: &str, bundle: &ShopBundle) -> bool {
    let key =
        named_key(line, bundle).and_then(|key| Some(key.material.as_key().rsa_pair()?.public()));
    let Some(key) = key else { return false };
    let (mut blocks, others) = (blocks(line, key.size()), blocks(other, key.size()));
    let last = blocks.len() - 1;
    if last < 2 || others.len() < 2 {
        return false;
    }
    match attack {
        BlockAttack::FirstReplaced => blocks[0] = forged_block(line, key, 0, last + 1),
        BlockAttack::MiddleReplaced => blocks[1] = forged_block(line, key, 1, last + 1),
        BlockAttack::LastReplaced => blocks[last] = forged_block(line, key, last, last + 1),
        BlockAttack::OthersReplaced => {
            for (number, block) in blocks.iter_mut().enumerate().skip(1) {
                *block = forged_block(line, key, number, last + 1);
            }
        }
        BlockAttack::Mixed => blocks[1].clone_from(&others[1]),
        BlockAttack::Dropped => {
            blocks.remove(1);
        }
        BlockAttack::CutOff => blocks.truncate(last),
    }
    replace(line, 3, &base64url::encode_to_string(&blocks.concat()));
    true
}

fn blocks(line: &str, size: usize) -> Vec<Vec<u8>> {
    let text = base64url::decode_to_vec(segment(line, 3).as_bytes()).unwrap_or_default();
    text.chunks(size).map(<[u8]>::to_vec).collect()
}

/// Creates a block with the correct label, and with a secret and a text of the attacker's.
fn forged_block(line: &str, key: &PublicKey, number: usize, count: usize) -> Vec<u8> {
    let iv = base64url::decode_to_vec(segment(line, 2).as_bytes()).unwrap_or_default();
    let seen = Sha256::new_with_prefix(segment(line, 0)).chain_update(iv);
    let label = block_label(&seen, number, count);
    let mut message = vec![b'm'; key.max_message(OaepHash::Sha256)];
    message[..rsa::SECRET].fill(0xa7);
    let mut block = vec![0; key.size()];
    let job = WrapJob { key, hash: OaepHash::Sha256, label: &label, message: &message };
    let mut rng = SeededSource::new(0).stream(number as u64);
    rsa::oaep_wrap_many(Backend::detect(), &[job], &mut rng, &mut block).expect("it is full");
    block
}
