//! Whole orders: from text to JWE line and back, in memory, in each embodiment.

use std::sync::Arc;

use crate::ciphers::Wiped;
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::Curve;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa;
use crate::protocol::jose::jwe::{Carries, Opener, Sealer, SealingKeys};
use crate::protocol::jose::jwk::{DecryptingKey, EncryptingKey, Jwk, PrivateHalf};
use crate::protocol::model::Dates;
use crate::protocol::roles::service::{self, KeyRequest, Pool, ShopForm, Sizes};
use crate::protocol::store::keyfile::{Keyring, ShopBundle};
use crate::protocol::store::{BlockKeys, OpeningFile, OpeningKeys};
use crate::protocol::{Content, Family, Kind, Place, Scheme, Scope, Suite};

use super::fixtures::{orders, pairs, rng, shop, source, suite, usual_suite};
use super::{ORDER_SIZES, Row, USUAL_ORDER, available, orders_at_once, plain, widest};

/// Number of orders per iteration if each takes an RSA operation.
const FEW: usize = 16;

/// Backends on which the batch path differs, because AES does; on `portable`, the crates do the
/// work.
const BACKENDS: &[&str] = &["portable", "avx2", "vaes", "avx512", "neon"];

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for size in ORDER_SIZES {
        let usual = size == USUAL_ORDER;
        let peer = plain::rows("A256KW+A256GCM", size);
        rows.extend(peer.map(|row| row.extra(!usual)));
        for backend in available(BACKENDS) {
            let batch = jwe(
                "A256KW+A256GCM".to_owned(),
                with_defaults(Scheme::HYBRID_SHOP_SECRET),
                backend,
                size,
            );
            let usual = usual && backend.name() == widest(BACKENDS).name();
            rows.extend(batch.map(|row| row.extra(!usual)));
        }
    }
    for (number, scheme) in (1..=6).zip(Scheme::ALL) {
        let name = format!("embodiment-{number}");
        for size in ORDER_SIZES {
            let both = jwe(name.clone(), with_defaults(scheme), widest(BACKENDS), size);
            rows.extend(both.map(|row| row.extra(size != USUAL_ORDER)));
        }
    }
    rows.extend(plain::agreement_rows(X25519, USUAL_ORDER));
    for (cipher, curve) in [(X25519, Curve::X25519), ("P-256+ECDH-ES+A256KW", Curve::P256)] {
        let scheme = Scheme::new(Content::Hybrid, Scope::Shop, Kind::Public);
        let keys = (scheme, suite("ECDH-ES+A256KW", "A256GCM"), curve);
        rows.extend(jwe(cipher.to_owned(), keys, widest(BACKENDS), USUAL_ORDER));
    }
    rows
}

/// The name of the rows for lines of ECDH-ES+A256KW on X25519, each with its own ephemeral key.
const X25519: &str = "X25519+ECDH-ES+A256KW";

/// A scheme, its algorithms, and the curve of its keys if they are on one.
type Keys = (Scheme, Suite, Curve);

/// A scheme with its default algorithms.
fn with_defaults(scheme: Scheme) -> Keys {
    (scheme, usual_suite(scheme), Sizes::default().curve)
}

/// Sealing and opening with the batch path of `encrypt` and `decrypt`.
///
/// At transaction scope every order has its own key, and preparing that key is part of the
/// operation, as it is for client and shop.
fn jwe(cipher: String, keys: Keys, backend: Backend, size: usize) -> [Row; 2] {
    let count = match keys.1.material() {
        Family::Rsa => FEW,
        Family::Secret | Family::Pad | Family::Password | Family::Curve | Family::Knapsack => {
            orders_at_once(size)
        }
    };
    let seal = move || {
        let (party, mut rng) = (Party::new(keys, backend, count), rng());
        let texts = orders(count, size);
        let mut lines = Vec::new();
        move || {
            lines.clear();
            party.seal(&texts, &mut rng, &mut lines);
        }
    };
    let open = move || {
        let (party, mut rng) = (Party::new(keys, backend, count), rng());
        let mut lines = Vec::new();
        party.seal(&orders(count, size), &mut rng, &mut lines);
        let lines: Vec<Vec<u8>> =
            lines.trim_ascii_end().split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        move || party.open(&lines, &mut rng)
    };
    [
        Row::new("seal-jwe", cipher.clone(), backend.name(), size, seal).batch(count),
        Row::new("open-jwe", cipher, backend.name(), size, open).batch(count),
    ]
}

/// Client and shop with their keys.
struct Party {
    suite: Suite,
    backend: Backend,
    /// The client's keys.
    keys: Vec<Jwk<EncryptingKey>>,
    /// The shop's file.
    file: Arc<ShopBundle>,
    scope: Scope,
    /// At shop scope, the one key, prepared for opening.
    shared: Option<Arc<OpeningKeys>>,
}

impl Party {
    fn new((scheme, suite, curve): Keys, backend: Backend, count: usize) -> Self {
        let file = Arc::new(shop_file((scheme, suite, curve), count));
        let shared = (scheme.scope == Scope::Shop).then(|| opening_keys(&file));
        let keys = file.keys.iter().map(Jwk::encrypting_half).collect();
        Self { suite, backend, keys, file, scope: scheme.scope, shared }
    }

    fn seal(&self, texts: &[Vec<u8>], rng: &mut KeyStream, lines: &mut Vec<u8>) {
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let sealer = Sealer { backend: self.backend, ..Sealer::default() };
        let (keys, carries) = (&self.keys, Carries::Order);
        let keys = match self.scope {
            Scope::Shop => SealingKeys::one(&keys[0], self.suite, carries),
            Scope::Transaction => SealingKeys::each(keys, self.suite, carries),
        };
        let keys = keys.expect("keys for this suite");
        sealer.seal(&texts, &keys, 0, rng, lines).expect("these orders can be sealed");
    }

    fn open(&self, lines: &[Vec<u8>], rng: &mut KeyStream) {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let keys = self.shared.clone().unwrap_or_else(|| opening_keys(&self.file));
        let keys = BlockKeys::new(&keys, &lines);
        let opener = Opener { backend: self.backend, ..Opener::new(&keys, Carries::Order) };
        let opened = opener.open(&lines, Wiped::default(), rng);
        assert!(opened.lines.iter().all(Result::is_ok), "what was sealed above opens");
    }
}

fn opening_keys(file: &Arc<ShopBundle>) -> Arc<OpeningKeys> {
    let mut keys = OpeningKeys::new(false);
    keys.add(OpeningFile::Shop(Arc::clone(file)), &place()).expect("a shop's file");
    Arc::new(keys)
}

/// Returns a shop's file: one key at shop scope, or one for each order.
fn shop_file((scheme, suite, curve): Keys, count: usize) -> ShopBundle {
    let count = if scheme.scope == Scope::Shop { 1 } else { count };
    let sizes = Sizes { rsa_bits: 2048, curve, ..Sizes::default() };
    let private =
        |pair: &rsa::PrivateKey| DecryptingKey::Private(PrivateHalf::Rsa(Box::new(pair.clone())));
    let materials = match suite.material() {
        Family::Rsa => pairs(2048).iter().cycle().map(private).take(count).collect(),
        Family::Secret | Family::Pad | Family::Password | Family::Curve | Family::Knapsack => {
            let mut rng = rng();
            let make =
                || service::make_material(suite, sizes, &mut rng).expect("a key of this suite");
            std::iter::repeat_with(make).take(count).collect()
        }
    };
    let service = None;
    let pool = Pool::Listed;
    let request = KeyRequest {
        shop: shop(),
        scheme,
        suite,
        orders: count as u64,
        pool,
        sizes,
        service,
        dates: Dates::default(),
    };
    let mut keyring = Keyring::new();
    service::add_keys(&mut keyring, &request, materials, &source(), &place())
        .and_then(|_| service::bundle_shop(&keyring, None, ShopForm::Program, &place()))
        .expect("a keyring with one shop")
}

fn place() -> Place {
    Place::file("bench")
}
