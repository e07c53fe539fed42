//! Keys and texts for measuring, the same in every run.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::ciphers::cpu::Backend;
use crate::ciphers::random::{KeySource, KeyStream, SeededSource};
use crate::ciphers::rsa::{self, PrivateKey};
use crate::protocol::{Alg, Content, Enc, Kind, Name, Scheme, Suite};
use ::aes::cipher::array::{Array, ArraySize};
use ::aes::cipher::{Key, KeySizeUser};
use ::rsa::BoxedUint;
use rand::Rng;

/// Returns the source of all fixtures. Nothing sealed here is secret.
pub fn source() -> SeededSource {
    SeededSource::new(1)
}

/// Returns a repeatable stream of random bytes, for set-up and for operations that draw from one.
pub fn rng() -> KeyStream {
    source().stream(0)
}

/// Returns bytes for a text or a key.
pub fn bytes(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng().fill_bytes(&mut bytes);
    bytes
}

/// Returns bytes for a key of a fixed length.
pub fn array<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rng().fill_bytes(&mut bytes);
    bytes
}

/// Returns `count` keys of a fixed length, or the blocks of a text.
pub fn arrays<const N: usize>(count: usize) -> Vec<[u8; N]> {
    bytes(count * N).as_chunks().0.to_vec()
}

/// Returns a key or an IV in the type of the crates.
pub fn crate_array<N: ArraySize>() -> Array<u8, N> {
    let mut bytes = Array::default();
    rng().fill_bytes(&mut bytes);
    bytes
}

/// Returns `count` keys in the type of the crates.
pub fn crate_keys<C: KeySizeUser>(count: usize) -> Vec<Key<C>> {
    Array::slice_as_chunks(&bytes(count * C::key_size())).0.to_vec()
}

/// Returns the name of the shop of all fixtures.
pub fn shop() -> Name {
    "tokyo".parse().expect("a name")
}

/// Returns `count` texts or keys of `len` bytes each.
pub fn pieces(count: usize, len: usize) -> Vec<Vec<u8>> {
    match len {
        0 => vec![Vec::new(); count],
        len => bytes(count * len).chunks_exact(len).map(<[u8]>::to_vec).collect(),
    }
}

/// Returns orders of `size` bytes each: printable, since an order is a line.
pub fn orders(count: usize, size: usize) -> Vec<Vec<u8>> {
    let mut orders = pieces(count, size);
    for byte in orders.iter_mut().flatten() {
        *byte = b' ' + *byte % 95;
    }
    orders
}

/// Returns the algorithms with the given names.
pub fn suite(alg: &str, enc: &str) -> Suite {
    Alg::from_name(alg)
        .zip(Enc::from_name(enc))
        .and_then(|(alg, enc)| Suite::new(alg, enc))
        .expect("a suite of ours")
}

/// Returns the default algorithms of a scheme.
pub fn usual_suite(scheme: Scheme) -> Suite {
    match (scheme.content, scheme.kind) {
        (Content::Direct, Kind::Secret) => suite("dir", "A256GCM"),
        (Content::Hybrid, Kind::Secret) => suite("A256KW", "A256GCM"),
        (Content::Direct, Kind::Public) => suite("dir", "RSA-OAEP-256-BOUND-BLOCKS"),
        (Content::Hybrid, Kind::Public) => suite("RSA-OAEP-256", "A256GCM"),
    }
}

/// Returns RSA key pairs of `bits` bits, made once and cached: eight, or two where making them is
/// slow.
pub fn pairs(bits: usize) -> &'static [PrivateKey] {
    static MADE: Mutex<BTreeMap<usize, &[PrivateKey]>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().expect("nothing panics while it holds this lock");
    made.entry(bits).or_insert_with(|| {
        let count = if bits == 2048 { 8 } else { 2 };
        rsa::generate(Backend::detect(), count, bits, &mut rng())
            .expect("a size that RSA has")
            .leak()
    })
}

/// Converts a pair to the type of the crate `rsa`.
pub fn crate_pair(pair: &PrivateKey) -> ::rsa::PrivateKey {
    let uint = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    let (n, e) = (pair.public().modulus_be_bytes(), pair.public().exponent());
    let primes = vec![uint(&pair.p()), uint(&pair.q())];
    ::rsa::PrivateKey::from_components(uint(&n), BoxedUint::from(e), uint(&pair.d()), primes)
        .expect("numbers of a pair")
}
