//! X25519.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::ciphers::cpu::Backend;
use crate::ciphers::x25519::{PublicKey, SecretKey, SharedSecret, agree, public_keys};
use crate::secrets::{Concealed, reveal};

/// Number of X25519 keys for which public keys come from the table of multiples, after those that
/// come from the ladder, and more than share an inversion.
const X25519_KEYS: usize = 130;

/// Makes public keys and agrees with both sides' keys, few at a time and many, one pair with a
/// public key that must be refused.
pub fn x25519(backend: Backend) -> bool {
    [3, X25519_KEYS].into_iter().all(|count| {
        let mut rng = Concealed(StdRng::seed_from_u64(4));
        let mut side = || {
            let secrets: Vec<_> = (0..count).map(|_| SecretKey::random(&mut rng)).collect();
            let mut publics = vec![PublicKey::default(); count];
            public_keys(backend, &secrets, &mut publics);
            reveal(&mut publics);
            (secrets, publics)
        };
        let ((ours, mut ours_public), (theirs, mut theirs_public)) = (side(), side());
        (ours_public[1], theirs_public[1]) = (PublicKey::default(), PublicKey::default());
        let shared = |secrets: &[SecretKey], publics: &[PublicKey]| {
            let pairs: Vec<_> = secrets.iter().zip(publics).collect();
            let mut out = vec![SharedSecret::default(); count];
            agree(backend, &pairs, &mut out);
            reveal(&mut out);
            out
        };
        let (one, other) = (shared(&ours, &theirs_public), shared(&theirs, &ours_public));
        one.iter().zip(&other).enumerate().all(|(i, (one, other))| {
            one.bytes() == other.bytes() && one.bytes().is_some() == (i != 1)
        })
    })
}
