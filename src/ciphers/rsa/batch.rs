//! Wrapping and unwrapping many messages, under a key each.

use super::oaep::{self, HASH, Unwrapped};
use super::{PrivateKey, PublicKey, lanes, words};
use crate::ciphers::cpu::Backend;
use rand::CryptoRng;
use sha2::Sha256;

/// A message to be wrapped with RSA-OAEP.
#[derive(Clone, Copy)]
pub struct WrapJob<'a> {
    /// Whose key to wrap under.
    pub key: &'a PublicKey,
    /// The label; empty for `RSA-OAEP-256`.
    pub label: &'a [u8],
    /// At most [`PublicKey::max_message`] bytes.
    pub message: &'a [u8],
}

/// A ciphertext to be unwrapped with RSA-OAEP.
#[derive(Clone, Copy)]
pub struct UnwrapJob<'a> {
    /// The key it was wrapped under.
    pub key: &'a PrivateKey,
    /// The label; empty for `RSA-OAEP-256`.
    pub label: &'a [u8],
    /// [`PublicKey::size`] bytes; anything else counts as invalid.
    pub ciphertext: &'a [u8],
}

/// A message does not fit its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("job {job}: a message of {len} bytes, but RSA-OAEP-256 under this key takes {max}")]
pub struct MessageTooLong {
    /// Position of the job.
    pub job: usize,
    /// Bytes of the message.
    pub len: usize,
    /// Bytes that fit.
    pub max: usize,
}

/// Wraps each message; `out` receives the ciphertexts one after the other in the order of the
/// jobs, each as long as its key's modulus, so it must have the sum of [`PublicKey::size`] bytes.
///
/// Keys may differ in size; eight jobs of one size fill the lanes, so batches should have many
/// jobs of each size. The 32-byte seeds are drawn in the order of the jobs: one `rng` gives the
/// same ciphertexts with every backend.
///
/// # Errors
/// [`MessageTooLong`] for the first message that does not fit; nothing is written then.
///
/// # Panics
/// If `out` has not that length.
pub fn oaep_wrap_many<R: CryptoRng + ?Sized>(
    backend: Backend,
    jobs: &[WrapJob<'_>],
    rng: &mut R,
    out: &mut [u8],
) -> Result<(), MessageTooLong> {
    for (i, job) in jobs.iter().enumerate() {
        let (len, max) = (job.message.len(), job.key.max_message());
        if len > max {
            return Err(MessageTooLong { job: i, len, max });
        }
    }
    let total: usize = jobs.iter().map(|job| job.key.size()).sum();
    assert_eq!(out.len(), total, "room for the ciphertexts");
    let lanes = lanes::of(backend);
    let mut rest = out;
    let mut blocks = Vec::with_capacity(jobs.len());
    for job in jobs {
        let (block, tail) = rest.split_at_mut(job.key.size());
        rest = tail;
        if lanes.is_some() {
            let mut seed = [0; HASH];
            rng.fill_bytes(&mut seed);
            oaep::encode(job.label, job.message, &seed, block);
            blocks.push((job.key, block));
        } else {
            wrap_by_crate(job, rng, block);
        }
    }
    if let Some(lanes) = lanes {
        blocks.sort_by_key(|(key, _)| key.bits());
        for group in blocks.chunk_by_mut(|(a, _), (b, _)| a.bits() == b.bits()) {
            lanes::public::encrypt(lanes, group);
        }
    }
    Ok(())
}

fn wrap_by_crate<R: CryptoRng + ?Sized>(job: &WrapJob<'_>, rng: &mut R, out: &mut [u8]) {
    let padding = rsa::Oaep::<Sha256>::new_with_label(job.label);
    let wrapped = job
        .key
        .for_crate()
        .and_then(|key| key.encrypt(rng, padding, job.message).ok())
        .expect("key and length were checked as the crate checks them");
    out.copy_from_slice(&wrapped);
}

/// Unwraps each ciphertext; the outcomes are in the order of the jobs.
///
/// Every cause of failure (length, range, padding, label, a fault in the computation) gives the
/// same outcome; see [`Unwrapped::replace`]. The private operation is blinded with values drawn
/// from `rng`, and its result is checked with the public exponent before it is used.
///
/// Keys may differ in size; four jobs of one size fill the lanes, eight fill them twice.
pub fn oaep_unwrap_many<R: CryptoRng + ?Sized>(
    backend: Backend,
    jobs: &[UnwrapJob<'_>],
    rng: &mut R,
) -> Vec<Unwrapped> {
    let Some(lanes) = lanes::of(backend) else {
        return jobs.iter().map(|job| unwrap_by_crate(job, rng)).collect();
    };
    let mut out: Vec<_> = jobs.iter().map(|_| Unwrapped::invalid()).collect();
    let bits = |i: &usize| jobs[*i].key.public().bits();
    let mut sound: Vec<_> = (0..jobs.len()).filter(|i| in_range(&jobs[*i])).collect();
    sound.sort_by_key(bits);
    for group in sound.chunk_by(|a, b| bits(a) == bits(b)) {
        let pairs: Vec<_> = group.iter().map(|i| (jobs[*i].key, jobs[*i].ciphertext)).collect();
        let blocks = lanes::private::decrypt(lanes, &pairs, rng);
        for (i, (block, sound)) in group.iter().zip(blocks) {
            out[*i] = Unwrapped::decode(jobs[*i].label, block, sound);
        }
    }
    out
}

/// Whether the ciphertext is as long as the modulus and below it (RFC 8017, 7.1.2, step 1, and
/// 5.1.2, step 1); both are public.
fn in_range(job: &UnwrapJob<'_>) -> bool {
    let key = job.key.public();
    job.ciphertext.len() == key.size()
        && words::from_be_bytes(job.ciphertext, key.modulus().len())
            .is_some_and(|c| words::less(&c, key.modulus()).into())
}

fn unwrap_by_crate<R: CryptoRng + ?Sized>(job: &UnwrapJob<'_>, rng: &mut R) -> Unwrapped {
    if !in_range(job) {
        return Unwrapped::invalid();
    }
    let padding = rsa::Oaep::<Sha256>::new_with_label(job.label);
    job.key
        .for_crate()
        .and_then(|key| key.decrypt_blinded(rng, padding, job.ciphertext).ok())
        .map_or_else(Unwrapped::invalid, Unwrapped::from_message)
}
