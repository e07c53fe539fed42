//! The Concat KDF (SP 800-56A section 5.8.2.1) with SHA-256, as JOSE uses it (RFC 7518 section
//! 4.6.2).

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// The public values that a derived key is bound to.
#[derive(Debug, Clone, Copy)]
pub struct PartyInfo<'a> {
    /// AlgorithmID: the algorithm that uses the key.
    pub algorithm: &'a str,
    /// PartyUInfo: the member `apu`, decoded.
    pub apu: &'a [u8],
    /// PartyVInfo: the member `apv`, decoded.
    pub apv: &'a [u8],
}

/// Derives a key from a shared secret.
///
/// # Panics
/// If a value is longer than 2³² − 1 bytes.
pub fn concat_kdf(secret: &[u8], info: PartyInfo<'_>, key: &mut [u8]) {
    let PartyInfo { algorithm, apu, apv } = info;
    let len = |len: usize| u32::try_from(len).expect("a length of 32 bits").to_be_bytes();
    let bits = len(8 * key.len());
    for (round, part) in (1u32..).zip(key.chunks_mut(32)) {
        let mut hash = Sha256::new_with_prefix(round.to_be_bytes()).chain_update(secret);
        for value in [algorithm.as_bytes(), apu, apv] {
            hash.update(len(value.len()));
            hash.update(value);
        }
        let mut digest = hash.chain_update(bits).finalize();
        part.copy_from_slice(&digest[..part.len()]);
        digest.as_mut_slice().zeroize();
    }
}
