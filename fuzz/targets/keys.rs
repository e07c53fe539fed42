//! Reads key files of every form and role and uses what it read: written and read again, it is the
//! same; orders that its keys seal open; bundles are made of keyrings, merged and handed out.

#![no_main]

use std::cell::RefCell;
use std::sync::Arc;

use orderseal::ciphers::random::{SeededSource, SystemSource};
use orderseal::protocol::jose::jwk::{Encoding, Jwk};
use orderseal::protocol::jose::password::Password;
use orderseal::protocol::model::{Expected, Family, Form};
use orderseal::protocol::pipeline::Part;
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::roles::merge::{OnErased, merge};
use orderseal::protocol::roles::pad_use::PadUse;
use orderseal::protocol::roles::service::{self, KeyRequest, Rotation, Sizes};
use orderseal::protocol::roles::shop::{self, Options};
use orderseal::protocol::roles::{export, revoke};
use orderseal::protocol::store::files::ProtectedBy;
use orderseal::protocol::store::keyfile::{
    ClientBundle, JwkSet, KeyFile, KeyHolder, Keyring, PlainFile, ShopBundle,
};
use orderseal::protocol::store::spend::KeyStore;
use orderseal::protocol::store::{OpeningFile, OpeningKeys};
use orderseal::{Error, Result, Scope, Time};
use orderseal_fuzz::{begin, keys, place, repository, workers};

/// The password of the encrypted private keys among the seeds.
const PASSWORD: &str = "hunter2";

/// Most rounds of an encrypted private key that is opened.
const MOST_ROUNDS: u64 = 3_000;

fn seeds() -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = Vec::new();
    for folder in ["tests/encodings", "tests/foreign", "tests/keys", "tests/cases", "tests/rfc7517"]
    {
        files.extend(repository::files(folder).into_iter().map(|(_, file)| file));
    }
    files.extend(repository::texts("tests/malformed-keys.ndjson", &["file"]));
    files.extend(repository::texts("tests/rfc7520.ndjson", &["key"]));
    for vector in repository::vectors() {
        files.push(vector.field("keys").as_bytes().to_vec());
        if vector.field("kind") == "key file" {
            files.push(vector.body.clone());
        }
        if vector.field("kind") == "transcript" {
            let messages = vector.body.split(|&byte| byte == b'\n');
            let messages =
                messages.filter_map(|m| serde_json::from_slice::<serde_json::Value>(m).ok());
            files.extend(messages.map(|message| match &message["content"] {
                serde_json::Value::String(text) => text.clone().into_bytes(),
                other => other.to_string().into_bytes(),
            }));
        }
    }
    for shop in keys::shops(keys::keyring()) {
        let mut keyring = keys::keyring().clone();
        let client = keys::client(&mut keyring, &shop, 2).expect("the shop has keys");
        files.push(client.to_bytes(&place()).expect("it is short").to_vec());
        let bundle = keys::shop(&keyring, &shop).expect("the shop has keys");
        files.push(bundle.to_bytes(&place()).expect("it is short").to_vec());
        let mut small = Keyring { signing: None, ..Keyring::new() };
        let kept: Vec<_> = keyring.shops.iter().filter(|(name, _)| name.name() == shop).collect();
        small.shops.extend(kept.into_iter().map(|(name, account)| (name.clone(), account.clone())));
        for key in keyring.keys.iter() {
            let shop_of = |key: &orderseal::protocol::model::Kid| key.parts().0.to_owned();
            if key.kid.as_ref().map(shop_of).as_deref() == Some(shop.as_str()) {
                small.keys.push(key.clone());
            }
        }
        files.push(small.to_bytes(&place()).expect("it is short").to_vec());
    }
    files.extend([16, 24, 32, 48, 64].map(|length| vec![0x5a; length]));
    files.extend([32, 48, 64].map(|length| "5a".repeat(length / 2).into_bytes()));
    files.retain(|file| !file.is_empty() && file.len() < 64 << 10);
    files
}

/// Whether a file has no key encrypted with so many rounds that opening it would take long.
fn is_fast(bytes: &[u8]) -> bool {
    const PBKDF2: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
    let text: Vec<u8> = match bytes.windows(5).position(|five| five == b"-----") {
        Some(_) => {
            let lines = bytes.split(|&byte| byte == b'\n');
            let lines = lines.filter(|line| !line.contains(&b'-') && !line.contains(&b':'));
            let text = lines.collect::<Vec<_>>().concat().into_iter().map(|byte| match byte {
                b'+' => b'-',
                b'/' => b'_',
                byte => byte,
            });
            let text: Vec<u8> = text.filter(|&b| b != b'=' && !b.is_ascii_whitespace()).collect();
            // Bits that are not used do not matter here.
            let whole = &text[..text.len() / 4 * 4];
            orderseal_fuzz::plain::decode(whole).unwrap_or_default()
        }
        None => bytes.to_vec(),
    };
    let Some(at) = text.windows(PBKDF2.len()).position(|bytes| bytes == PBKDF2) else {
        // Other derivations are refused, or have a fixed cost.
        return !bytes.windows(9).any(|nine| nine == b"ENCRYPTED") || !text.is_empty();
    };
    // SEQUENCE, OCTET STRING (the salt), INTEGER (the rounds).
    let rest = &text[at + PBKDF2.len()..];
    let rounds = (|| {
        let [0x30, _, 0x04, salt, rest @ ..] = rest else { return None };
        let [0x02, length, rest @ ..] = rest.get(usize::from(*salt)..)? else { return None };
        let bytes = rest.get(..usize::from(*length))?;
        (bytes.len() <= 4).then(|| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    })();
    rounds.is_some_and(|rounds| rounds <= MOST_ROUNDS)
}

/// Seals one order with a plan, and returns the line.
fn seal<K: KeyStore + ?Sized>(plan: Plan, store: &K) -> Result<Vec<u8>> {
    let mut sealed = Vec::new();
    let orders = Part::memory("orders", keys::TEXT.as_bytes().to_vec());
    plan.seal(workers(), orders, &SystemSource::new()?, store, &mut sealed, |_| {})?;
    Ok(sealed)
}

/// Opens lines with a file's keys.
fn open(file: OpeningFile, lines: &[u8]) -> Result<Vec<u8>> {
    let mut keys = OpeningKeys::new(true);
    keys.add(file, &place())?;
    let mut text = Vec::new();
    let write = |piece: &[u8], _: &orderseal::Totals| {
        text.extend_from_slice(piece);
        Ok(())
    };
    let part = Part::memory("lines", lines.to_vec());
    shop::open(workers(), part, &keys, Options::default(), write, |_| Ok(()))?;
    Ok(text)
}

/// The order that was opened, if any, must be the one that was sealed.
fn check_opened(opened: Result<Vec<u8>>) {
    if let Ok(text) = opened {
        assert_eq!(text.trim_ascii(), keys::TEXT.as_bytes());
    }
}

/// Whether a file can be used without long computations.
fn is_small(file: &dyn KeyHolder) -> bool {
    file.all_keys().count() < 300 && file.shops().count() < 80
}

/// Writes a file and reads it again.
fn written_and_read(file: &KeyFile) -> Option<KeyFile> {
    let bytes = file.holder().to_bytes(&place()).ok()?;
    Some(KeyFile::parse(&bytes, &place()).expect("what was written is read"))
}

fn use_keys(file: &KeyFile) {
    for key in file.holder().all_keys().views().take(3) {
        let _ = (key.thumbprint(), key.check_value(), key.words());
        let half = key.encrypting_half();
        let _ = (half.view().thumbprint(), half.view().words());
        for encoding in Encoding::ALL {
            let Ok(encoded) = key.encode(encoding, None, &SeededSource::new(1)) else { continue };
            // Raw bytes that are a text may be read as one.
            let is_text = encoded.iter().all(|byte| byte.is_ascii_graphic());
            if encoding == Encoding::Raw && is_text {
                continue;
            }
            // Base64 with nothing but hexadecimal digits is read as these, such as that of zeros.
            let is_hexadecimal = encoded.trim_ascii().iter().all(u8::is_ascii_hexdigit);
            if encoding != Encoding::Hex && is_hexadecimal {
                continue;
            }
            let Some(Ok(again)) = Jwk::from_encoding(&encoded, None) else { continue };
            assert_eq!(again.view().material, key.material, "a key changed when it was encoded");
        }
        if let Some(kid) = key.kid {
            let _ = export::one(file, Some(kid), None, &place());
            let _ = (file.holder().holds(kid), file.holder().leaf(kid.as_str()).is_some());
        }
    }
    let _ = PadUse::new(file.holder().all_keys());
    if file.holder().count_derived() < 200 {
        let _ = export::all(file, &place());
        let _ = JwkSet::of_public_keys(file.holder(), &place());
    }
}

fn use_plain(file: PlainFile) {
    let kid = file.keys().iter().find_map(|key| key.kid.clone());
    let _ = file.import(kid.as_ref(), None, &place());
    for alg in ["A256GCM", "dir", "ECDH-ES"] {
        let mut file = file.clone();
        let _ = (file.assume_alg(alg), file.import(None, Some(alg), &place()));
    }
    let store = RefCell::new(KeyFile::Plain(file.clone()));
    let plan = Plan::of_key(&file, kid.as_ref(), None, Time::UNIX_EPOCH, &place());
    if let Ok(line) = plan.and_then(|plan| seal(plan, &store)) {
        check_opened(open(OpeningFile::Plain(Arc::new(file)), &line));
    }
}

fn use_client(file: &ClientBundle) -> Result<Vec<u8>> {
    let plan = Plan::of_client(file, Time::UNIX_EPOCH, &place())?;
    let store = RefCell::new(file.clone());
    let line = seal(plan, &store);
    let after = KeyFile::Client(store.into_inner());
    if let Some(again) = written_and_read(&after) {
        assert_eq!(again, after, "a bundle changed when it was written after sealing");
    }
    let line = line?;
    assert!(!line.is_empty(), "an order was sealed and is not there");
    Ok(line)
}

fn use_shop(file: &ShopBundle) {
    let mut merged = file.clone();
    if merge(&mut merged, file, OnErased::Refuse, &place()).is_ok() {
        assert_eq!(&merged, file, "a bundle changed when it was merged with itself");
    }
    let users = file.generations.values().flat_map(|own| own.shop.users.keys()).take(1);
    let users = users.cloned().collect();
    let _ = revoke::at_shop(&mut file.clone(), &users, &place());
    if let Ok(plan) = Plan::of_shop(file, Time::UNIX_EPOCH, &place()) {
        let store = RefCell::new(KeyFile::Shop(file.clone()));
        if let Ok(line) = seal(plan, &store) {
            check_opened(open(OpeningFile::Shop(Arc::new(file.clone())), &line));
        }
    }
}

fn use_keyring(file: &Keyring) {
    let names: Vec<_> =
        file.shops.iter().take(2).map(|(name, own)| (name.name(), own.clone())).collect();
    for (name, own) in names {
        let mut keyring = file.clone();
        let client = keys::client(&mut keyring, &name, 1);
        let bundle = keys::shop(&keyring, &name);
        if let Ok(bundle) = &bundle {
            use_shop(bundle);
            let after = KeyFile::Shop(bundle.clone());
            let again = written_and_read(&after).expect("a bundle is no longer than its keyring");
            assert_eq!(again, after, "a shop's bundle changed when it was written");
        }
        if let Ok(client) = client {
            if let (Ok(line), Ok(bundle)) = (use_client(&client), bundle) {
                check_opened(open(OpeningFile::Shop(Arc::new(bundle)), &line));
                check_opened(open(OpeningFile::Keyring(Arc::new(keyring.clone())), &line));
            }
        }
        let after = KeyFile::Keyring(keyring.clone());
        if let Some(again) = written_and_read(&after) {
            assert_eq!(again, after, "a keyring changed when it was written");
        }
        let _ = service::skip(&mut keyring, Some(&name), 1, &place());
        if let Ok(cut) = service::split(&mut keyring, Some(&name), 1, &place()) {
            assert!(service::rejoin(&mut keyring, &cut), "ids that were cut off are put back");
        }
        let users = [keys::name("alice")].into();
        if own.shop.suite.material() != Family::Rsa {
            let fresh = || Ok(SeededSource::new(9));
            let rotation = Rotation { orders: Some(1), ..Rotation::default() };
            let _ =
                service::rotate(&mut keyring, Some(&name), &rotation, fresh, workers(), &place());
            let source = SeededSource::new(10);
            let _ = service::admit(&mut keyring, Some(&name), &users, &source, workers(), &place());
            if own.shop.scheme.scope == Scope::Transaction {
                if let Ok(request) = KeyRequest::more(&keyring, &name, 1, &place()) {
                    let request =
                        KeyRequest { sizes: Sizes { pad_bytes: 64, ..request.sizes }, ..request };
                    let made = service::make_keys(&request, &source, workers(), &|| {}, &place());
                    if let Ok(made) = made {
                        let _ = service::add_keys(&mut keyring, &request, made, &source, &place());
                    }
                }
            }
        }
        let _ = revoke::at_service(&mut keyring, Some(&name), &users, &place());
        let _ = service::public_halves(&keyring, Some(&name), &place());
        let after = KeyFile::Keyring(keyring);
        if let Some(again) = written_and_read(&after) {
            assert_eq!(again, after, "a keyring changed when it was written after changes");
        }
    }
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let password = Password::read(PASSWORD.as_bytes()).expect("it is one");
        let password = Some(&password).filter(|_| is_fast(data));
        let _ = ProtectedBy::read(data, &place());
        let file = match KeyFile::parse_encrypted(data, password, &place()) {
            Ok(file) => file,
            Err(Error::Unexpected { expected, found, .. }) => {
                assert_eq!(expected, Expected::KeyFile);
                let form = Form::of_file(data).map(|form| form.to_string());
                assert!(form.is_none_or(|form| form == found.to_string()));
                return;
            }
            Err(_) => return,
        };
        let again = written_and_read(&file).expect("a short file is written");
        match (&again, &file) {
            // What was passed over is not written.
            (KeyFile::Plain(again), KeyFile::Plain(file)) => assert_eq!(again.keys(), file.keys()),
            _ => assert_eq!(again, file, "a key file changed when it was written"),
        }
        let second = written_and_read(&again);
        assert_eq!(second.as_ref(), Some(&again), "a file changed the second time");
        if !is_small(file.holder()) {
            return;
        }
        use_keys(&file);
        match file {
            KeyFile::Plain(file) => use_plain(file),
            KeyFile::Client(file) => drop(use_client(&file)),
            KeyFile::Shop(file) => use_shop(&file),
            KeyFile::Keyring(file) => use_keyring(&file),
        }
    }
);
