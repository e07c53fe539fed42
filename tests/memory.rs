//! Memory that held a key is wiped before it goes back to the allocator: an allocator of this test's own
//! looks for the known keys, raw and in base64url, in every block that is freed or outgrown while key
//! files are read, changed, written, handed out, wrapped and erased.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};

use common::base64url;
use memchr::memmem::Finder;
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::jose::jwk::Jwk;
use orderseal::protocol::jose::password::{Password, Rounds};
use orderseal::protocol::page::{self, Fields, Form};
use orderseal::protocol::pipeline::{Part, Workers};
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::roles::service::{self, ClientRequest, IdRequest, ShopForm};
use orderseal::protocol::roles::shop::{self, Options, Uses};
use orderseal::protocol::store::files::{
    self, Access, Existing, Output, Privacy, Protection, Selection,
};
use orderseal::protocol::store::keyfile::{
    ClientBundle, JwkSet, KeyFile, KeyHolder, KeySet, Keyring, PlainFile, Standing,
};
use orderseal::protocol::store::{OpeningFile, OpeningKeys};
use orderseal::protocol::{Kid, Name, Place, Time};
use serde_json::{Value, json};

/// Looks at every block that is freed. The standard `realloc` allocates, copies and frees, so that a
/// block that was outgrown is looked at as well.
struct Watching;

static WATCHED: OnceLock<Vec<Finder<'static>>> = OnceLock::new();
static ARMED: AtomicBool = AtomicBool::new(false);
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

// SAFETY: the system's allocator does the work. Its blocks come zeroed, so that every byte of a block
// may be read until it is freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as demanded of the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if ARMED.load(Ordering::Relaxed) && !REPORTING.get() {
            // SAFETY: the block is this long, initialized, and nobody else's any more.
            look(unsafe { std::slice::from_raw_parts(block, layout.size()) });
        }
        // SAFETY: as demanded of the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

fn look(block: &[u8]) {
    let watched = WATCHED.get().expect("set before watching begins");
    if let Some(finder) = watched.iter().find(|finder| finder.find(block).is_some()) {
        REPORTING.set(true);
        report(block.len(), finder.needle());
        REPORTING.set(false);
    }
}

fn report(len: usize, needle: &[u8]) {
    let mut found = FOUND.lock().unwrap();
    // One trace is enough, and takes its time.
    let trace = found.is_empty().then(Backtrace::force_capture);
    let trace = trace.map_or(String::new(), |trace| trace.to_string());
    found.push(format!("{len} bytes with {:?}:\n{trace}", String::from_utf8_lossy(needle)));
}

/// Does something under the eyes of the allocator; its result is dropped there, too.
fn watch<T>(what: &str, action: impl FnOnce() -> T) {
    ARMED.store(true, Ordering::SeqCst);
    drop(action());
    ARMED.store(false, Ordering::SeqCst);
    let found = std::mem::take(&mut *FOUND.lock().unwrap());
    assert!(found.is_empty(), "{what}: {} blocks, first {}", found.len(), found[0]);
}

/// The first 18 bytes of every secret key here, which are 24 characters.
const MARK: &[u8; 18] = b"\xf1known secret key\x9e";

fn secret(number: usize, len: usize) -> Vec<u8> {
    let mut key = MARK.to_vec();
    key.extend((MARK.len()..len).map(|at| (at * 7 + number) as u8));
    key
}

const RSA: &str = include_str!("keys/rsa-2048.jwk");

/// Parts of the known keys that must not be found: their first 18 bytes, and the text of these.
fn watched() -> Vec<Finder<'static>> {
    let rsa: Value = serde_json::from_str(RSA).unwrap();
    let private = ["d", "p", "q", "dp", "dq", "qi"];
    let texts = private.map(|name| rsa[name].as_str().unwrap()[..24].to_owned());
    let texts = texts.into_iter().chain([base64url(MARK)]).chain(pairs());
    let parts = texts.flat_map(|text| [common::base64url_decode(&text), text.into_bytes()]);
    parts.map(|part| Finder::new(&part).into_owned()).collect()
}

/// The beginnings of the first secret numbers of the key trees.
fn pairs() -> Vec<String> {
    let keyring = read_keyring();
    let first = |shop: &str| {
        let bundle = service::bundle_shop(&keyring, Some(&name(shop)), ShopForm::Key, &place());
        let bundle = bundle.unwrap();
        let number = |key: Jwk<_>| base64url(key.view().material.curve_pair().unwrap().secret());
        let keys = bundle.generations.iter();
        let keys = keys.flat_map(|(name, own)| own.trees.values().flat_map(|tree| tree.keys(name)));
        keys.map(|key| number(key)[..24].to_owned()).collect::<Vec<_>>()
    };
    [first("kobe"), first("chiba")].concat()
}

fn tree(curve: &str) -> Value {
    let nodes = json!([{"depth": 28, "index": 0, "k": base64url(&secret(3, 32))}]);
    let tree = json!({"curve": curve, "ids": [[0, 16]], "next": 0, "nodes": nodes});
    let mut shop = shop("hybrid", "transaction", "public", "ECDH-ES+A256KW", "A256GCM");
    shop["trees"] = json!({"5f111ff2ee823061": tree});
    shop
}

fn shop(content: &str, scope: &str, kind: &str, alg: &str, enc: &str) -> Value {
    json!({
        "scheme": {"content": content, "scope": scope, "kind": kind},
        "alg": alg, "enc": enc,
    })
}

fn oct(kid: &str, alg: &str, key: &[u8]) -> Value {
    json!({"kty": "oct", "kid": kid, "alg": alg, "k": base64url(key)})
}

/// A service's keyring with keys of each kind.
static KEYRING: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut rsa: Value = serde_json::from_str(RSA).unwrap();
    rsa["kid"] = json!("kyoto");
    rsa["alg"] = json!("RSA-OAEP-256");
    let mut keys = vec![rsa];
    keys.extend(
        (0..300).map(|number| oct(&format!("tokyo/{number:016x}"), "A256KW", &secret(number, 32))),
    );
    keys.push(oct("osaka", "A256GCM", &secret(0, 32)));
    keys.push(oct("nara", "VERNAM-HS256", &secret(0, 100_000)));
    let keyring = json!({"keys": keys, "orderseal": {"version": 2, "role": "service", "shops": {
        "tokyo": shop("hybrid", "transaction", "secret", "A256KW", "A256GCM"),
        "osaka": shop("direct", "shop", "secret", "dir", "A256GCM"),
        "nara": shop("direct", "shop", "secret", "dir", "VERNAM-HS256"),
        "kyoto": shop("hybrid", "shop", "public", "RSA-OAEP-256", "A256GCM"),
        "kobe": tree("X25519"),
        "chiba": tree("P-256"),
    }}});
    keyring.to_string().into_bytes()
});

fn place() -> Place {
    Place::file("keys")
}

fn parse(bytes: &[u8]) -> KeyFile {
    KeyFile::parse(bytes, &place()).unwrap()
}

fn read_keyring() -> Keyring {
    parse(&KEYRING).into_keyring(&place()).unwrap()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn request(shop: &str, orders: u64) -> ClientRequest {
    ClientRequest::new(name(shop), IdRequest::Pool(orders), Time::UNIX_EPOCH)
}

fn client(shop: &str, orders: usize) -> ClientBundle {
    let mut keyring = read_keyring();
    let source = SystemSource::new().unwrap();
    let request = request(shop, orders as u64);
    let made = service::bundle_client(
        &mut keyring,
        &request,
        &source,
        |_| unreachable!("nothing is made"),
        &place(),
    );
    made.unwrap().client
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Gives a few bytes at a time, as a pipe may.
struct Slow<'b>(&'b [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(1000);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn no_freed_block_holds_a_key() {
    WATCHED.set(watched()).expect("set once");
    LazyLock::force(&KEYRING);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.jwks");
    let shops = ["tokyo", "osaka", "nara", "kyoto", "kobe", "chiba"];

    // That the allocator sees what it should.
    for leak in [secret(1, 32), base64url(&secret(1, 32)).into_bytes()] {
        ARMED.store(true, Ordering::SeqCst);
        drop(leak);
        ARMED.store(false, Ordering::SeqCst);
        assert_eq!(std::mem::take(&mut *FOUND.lock().unwrap()).len(), 1);
    }

    watch("reading from a pipe", || {
        let bytes = files::read_limited(Slow(&KEYRING), 1 << 20, &place()).unwrap();
        parse(&bytes)
    });
    let keyring = read_keyring();
    watch("writing", || keyring.to_bytes(&place()).unwrap());
    watch("copying and removing", || {
        let mut copy = keyring.clone();
        copy.erase_keys(&|kid| kid.is_some_and(|kid| kid.id().is_some()));
        copy
    });

    write(&path, &KEYRING);
    watch("changing on the disk", || {
        files::update(&path, &Access::default(), |file| {
            let keyring = file.keyring_mut(&place())?;
            keyring
                .record_mut(&"osaka".parse().expect("a name"), &place())?
                .shop
                .users
                .insert(name("alice"), Standing::Admitted);
            Ok(())
        })
        .unwrap();
        files::load(&path, &Access::default()).unwrap()
    });
    watch("erasing some keys", || {
        let kids = [Kid::new("osaka").unwrap()];
        files::erase(&path, Selection::Named(&kids), &Access::default()).unwrap();
        files::erase(&path, Selection::File, &Access::default()).unwrap()
    });

    let password = || Password::read(b"plum blossom").unwrap();
    let access = Access::default().with_passphrase(password());
    let rounds = Rounds::new(1000).expect("the fewest");
    write(&path, &KEYRING);
    watch("protecting", || {
        let protection = Protection::by_passphrase(&password(), rounds).unwrap();
        files::protect(&path, &access, &protection).unwrap();
        protection
    });
    watch("changing a protected file", || {
        let known = files::load(&path, &access).unwrap();
        files::update(&path, &access, |file| {
            file.keyring_mut(&place())?.erase_keys(&|kid| kid.is_none());
            Ok(())
        })
        .unwrap();
        known
    });
    watch("a new protected file", || {
        let mut output =
            Output::create(Some(&path), Existing::Replace, Privacy::Owner, &[]).unwrap();
        output.protect(Some(Protection::by_passphrase(&password(), rounds).unwrap())).unwrap();
        output.write(&keyring.to_bytes(&place()).unwrap()).unwrap();
        output.commit().unwrap();
    });

    for shop in shops {
        watch(&format!("handing out for {shop}"), || {
            let bundle =
                service::bundle_shop(&keyring, Some(&name(shop)), ShopForm::Program, &place());
            bundle.unwrap().to_bytes(&place()).unwrap();
            client(shop, 5).to_bytes(&place()).unwrap()
        });
    }
    watch("public keys", || {
        JwkSet::of_public_keys(&keyring, &place()).unwrap().to_bytes(&place()).unwrap()
    });
    watch("a page", || {
        let form = Form { items: None, fields: Fields::default(), send_to: None, lang: None };
        let mut rng = SystemSource::new().unwrap().stream(0);
        (
            page::page(&client("tokyo", 5), &form, &mut rng).unwrap(),
            page::page(&client("osaka", 1), &form, &mut rng).unwrap(),
        )
    });

    for (alg, len) in [("A256GCM", 32), ("VERNAM-HS256", 5000)] {
        let text = oct("cek", alg, &secret(2, len)).to_string();
        watch(&format!("wrapping and unwrapping a key for {alg}"), || {
            let store = std::cell::RefCell::new(client("tokyo", 2));
            let plan = Plan::of_client(&store.borrow(), Time::UNIX_EPOCH, &place()).unwrap();
            let (mut line, source) = (Vec::new(), SystemSource::new().unwrap());
            let KeyFile::Plain(PlainFile::Lone(key)) = parse(text.as_bytes()) else {
                panic!("not a lone key");
            };
            plan.wrap_key(&key, &place(), &source, &store, &mut line).unwrap();
            let mut keys = OpeningKeys::new(false);
            keys.add(OpeningFile::of(parse(&KEYRING), &place()).unwrap(), &place()).unwrap();
            shop::open_key(line.trim_ascii_end(), &place(), &keys, Uses::Any).unwrap().1
        });
    }
    watch("making ready, sealing and opening under every kind of key", || {
        for shop in ["tokyo", "osaka", "kyoto", "kobe", "chiba"] {
            let store = std::cell::RefCell::new(client(shop, 2));
            let plan = Plan::of_client(&store.borrow(), Time::UNIX_EPOCH, &place()).unwrap();
            let input = Part::memory("orders", b"tea\n".to_vec());
            let (workers, source) = (Workers::new(Some(1)).unwrap(), SystemSource::new().unwrap());
            let mut sealed = Vec::new();
            plan.seal(&workers, input, &source, &store, &mut sealed, |_| {}).unwrap();
            let mut keys = OpeningKeys::new(false);
            keys.add(OpeningFile::of(parse(&KEYRING), &place()).unwrap(), &place()).unwrap();
            let input = Part::memory("sealed", sealed);
            shop::open(&workers, input, &keys, Options::default(), |_, _| Ok(()), |_| Ok(()))
                .unwrap();
        }
    });

    let text = String::from_utf8(KEYRING.clone()).unwrap();
    let key = base64url(&secret(299, 32));
    let malformed = [
        ("cut off", text[..text.len() / 2].to_owned()),
        ("a name twice", text.replacen("\"kid\"", "\"k\"", 1)),
        ("no base64url", text.replace(&key, &format!("{}~", &key[..40]))),
        ("a key too short", text.replace(&key, &key[..40])),
        ("another role", text.replace("\"service\"", "\"client\"")),
    ];
    for (what, text) in &malformed {
        watch(what, || KeyFile::parse(text.as_bytes(), &place()).unwrap_err());
    }
}
