//! Wrapping and unwrapping many messages, each under its own key.

use super::key::boxed;
use super::lanes::Lanes;
use super::lanes::private::{Block, Decrypt};
use super::lanes::public::Encrypt;
use super::oaep::{MAX_HASH, OaepHash, Unwrapped};
use super::{PrivateKey, PublicKey, words};
use crate::ciphers::cpu::Backend;
use rand::CryptoRng;
use rsa::hazmat;
use subtle::Choice;
use zeroize::Zeroizing;

/// A message to wrap with RSA-OAEP.
#[derive(Clone, Copy)]
pub struct WrapJob<'a> {
    /// The key to wrap under.
    pub key: &'a PublicKey,
    /// The hash function.
    pub hash: OaepHash,
    /// The label; empty in JOSE.
    pub label: &'a [u8],
    /// At most [`PublicKey::max_message`] bytes.
    pub message: &'a [u8],
}

/// A ciphertext to unwrap with RSA-OAEP.
#[derive(Clone, Copy)]
pub struct UnwrapJob<'a> {
    /// The key that it was wrapped under.
    pub key: &'a PrivateKey,
    /// The hash function.
    pub hash: OaepHash,
    /// The label; empty in JOSE.
    pub label: &'a [u8],
    /// Ciphertext of [`PublicKey::size`] bytes, below the modulus; anything else is treated as
    /// invalid.
    pub ciphertext: &'a [u8],
}

/// A message is too long for its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("job {job}: a message of {len} bytes, but RSA-OAEP under this key takes {max}")]
pub struct MessageTooLong {
    /// Index of the job.
    pub job: usize,
    /// Length of the message in bytes.
    pub len: usize,
    /// Longest length that fits, in bytes.
    pub max: usize,
}

/// Wraps each message. `out` receives the concatenated ciphertexts in the order of the jobs, each
/// as long as its key's modulus, so its length must be the sum of [`PublicKey::size`].
///
/// Keys may differ in size; four or eight jobs of one size fill the lanes, so batches should have
/// many jobs of each size; hash functions may differ. Seeds as long as the hash are drawn in the order
/// of the jobs: the same `rng` gives the same ciphertexts with every backend.
///
/// # Errors
/// [`MessageTooLong`] for the first message that does not fit; nothing is then written.
///
/// # Panics
/// If `out` does not have that length.
pub fn oaep_wrap_many<R: CryptoRng + ?Sized>(
    backend: Backend,
    jobs: &[WrapJob<'_>],
    rng: &mut R,
    out: &mut [u8],
) -> Result<(), MessageTooLong> {
    for (i, job) in jobs.iter().enumerate() {
        let (len, max) = (job.message.len(), job.key.max_message(job.hash));
        if len > max {
            return Err(MessageTooLong { job: i, len, max });
        }
    }
    let total: usize = jobs.iter().map(|job| job.key.size()).sum();
    assert_eq!(out.len(), total, "room for the ciphertexts");
    let mut rest = out;
    let mut blocks = Vec::with_capacity(jobs.len());
    for job in jobs {
        let (block, tail) = rest.split_at_mut(job.key.size());
        rest = tail;
        let seed = &mut [0; MAX_HASH][..job.hash.len()];
        rng.fill_bytes(seed);
        job.hash.encode(job.label, job.message, seed, block);
        blocks.push((job.key, block));
    }
    let lanes = Lanes::of(backend);
    blocks.sort_by_key(|(key, _)| key.bits());
    for group in blocks.chunk_by_mut(|(a, _), (b, _)| a.bits() == b.bits()) {
        match lanes {
            Some(lanes) if group[0].0.fits_lanes() => lanes.run(Encrypt { jobs: group }),
            _ => group.iter_mut().for_each(|(key, block)| encrypt_by_crate(key, block)),
        }
    }
    Ok(())
}

/// Replaces a block, a number below the modulus, with its e-th power.
fn encrypt_by_crate(key: &PublicKey, block: &mut [u8]) {
    let number = Zeroizing::new(boxed(&words::all_be_bytes(block)));
    let power = key
        .for_crate()
        .and_then(|key| hazmat::rsa_encrypt(key, &number).ok())
        .expect("the key was checked as the crate checks it");
    words::to_be_bytes(power.as_words(), block);
}

/// Unwraps each ciphertext; the results are in the order of the jobs.
///
/// Every cause of failure (length, range, padding, label, a fault in the computation) gives the
/// same result; see [`Unwrapped::replace`]. The private operation is blinded with values drawn from
/// `rng`, and its result is checked with the public exponent before it is used. Every job runs one,
/// even with a ciphertext that cannot belong to its key.
///
/// Keys may differ in size; each job takes two lanes, of four or eight.
pub fn oaep_unwrap_many<R: CryptoRng + ?Sized>(
    backend: Backend,
    jobs: &[UnwrapJob<'_>],
    rng: &mut R,
) -> Vec<Unwrapped> {
    let lanes = Lanes::of(backend);
    let replaced: Vec<Option<Vec<u8>>> = jobs.iter().map(replacement).collect();
    let mut out = Vec::with_capacity(jobs.len());
    let kind = |i: &usize| (jobs[*i].key.fits_lanes(), jobs[*i].key.public().bits());
    let mut order: Vec<_> = (0..jobs.len()).collect();
    order.sort_by_key(kind);
    for group in order.chunk_by(|a, b| kind(a) == kind(b)) {
        let pair = |&i: &usize| (jobs[i].key, replaced[i].as_deref().unwrap_or(jobs[i].ciphertext));
        let pairs: Vec<_> = group.iter().map(pair).collect();
        let blocks = match lanes {
            Some(lanes) if pairs[0].0.fits_lanes() => lanes.run(Decrypt { jobs: &pairs, rng }),
            _ => pairs.iter().map(|(key, text)| decrypt_by_crate(key, text, rng)).collect(),
        };
        for (&i, (block, sound)) in group.iter().zip(blocks) {
            let sound = sound & Choice::from(u8::from(replaced[i].is_none()));
            out.push((i, jobs[i].hash.decode(jobs[i].label, block, sound)));
        }
    }
    out.sort_unstable_by_key(|(i, _)| *i);
    out.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Returns zero as the substitute for a ciphertext that is not as long as the modulus or not below
/// it (RFC 8017, 7.1.2, step 1, and 5.1.2, step 1), so that it takes as long as any other; `None`
/// for a valid one. Length and value of the ciphertext are public.
fn replacement(job: &UnwrapJob<'_>) -> Option<Vec<u8>> {
    let key = job.key.public();
    let in_range = job.ciphertext.len() == key.size()
        && words::from_be_bytes(job.ciphertext, key.modulus().len())
            .is_some_and(|c| words::less(&c, key.modulus()).into());
    (!in_range).then(|| vec![0; key.size()])
}

impl PrivateKey {
    /// Whether a message wrapped under the public half can be unwrapped (the pair-wise consistency
    /// test of NIST SP 800-56B revision 2, section 6.4.1.1). This fails if p or q is not prime,
    /// which no other check detects.
    pub fn is_consistent<R: CryptoRng + ?Sized>(&self, backend: Backend, rng: &mut R) -> bool {
        let mut message = [0; 32];
        rng.fill_bytes(&mut message);
        let mut ciphertext = vec![0; self.public().size()];
        let job =
            WrapJob { key: self.public(), hash: OaepHash::Sha256, label: b"", message: &message };
        oaep_wrap_many(backend, &[job], rng, &mut ciphertext).expect("32 bytes fit");
        let job =
            UnwrapJob { key: self, hash: OaepHash::Sha256, label: b"", ciphertext: &ciphertext };
        oaep_unwrap_many(backend, &[job], rng)[0].message() == Some(&message)
    }
}

/// Decrypts a ciphertext, as long as the modulus and below it, with blinding and a check.
fn decrypt_by_crate<R: CryptoRng + ?Sized>(
    key: &PrivateKey,
    ciphertext: &[u8],
    rng: &mut R,
) -> Block {
    let number = boxed(&words::all_be_bytes(ciphertext));
    let result = key
        .for_crate()
        .and_then(|key| hazmat::rsa_decrypt_and_check(key, Some(rng), &number).ok())
        .map(Zeroizing::new);
    let mut block = Zeroizing::new(vec![0; key.public().size()]);
    if let Some(number) = &result {
        words::to_be_bytes(number.as_words(), &mut block);
    }
    (block, Choice::from(u8::from(result.is_some())))
}
