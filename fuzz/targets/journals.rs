//! Opens a client's bundle whose spent ids are in a journal of the input, and seals with it: no id
//! is used that a sound record says is spent, and a damaged journal is refused or read up to where
//! it was torn.

#![no_main]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::pipeline::Part;
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::roles::survey::first_line;
use orderseal::protocol::store::files::{Access, InUse, JournalCounts, load, load_to_seal};
use orderseal::protocol::store::keyfile::{JOURNALED, KeyHolder, Keyring};
use orderseal::{Result, Scope, Suite, Time};
use orderseal_fuzz::{Input, begin, folder, keys, place, workers};
use sha2::{Digest, Sha256};

const HEADER: usize = 128;
const RECORD: usize = 64;
/// Length of a record without its check value.
const BODY: usize = 32;

/// A bundle and its journal, as the first run left them.
struct Files {
    folder: PathBuf,
    bundle: Vec<u8>,
    journal: Vec<u8>,
    /// The names of the keys in their order.
    names: Vec<String>,
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = folder("journals");
        let suite = Suite::from_header("dir", "A128GCM").expect("they are standard");
        let mut keyring = Keyring::new();
        let count = JOURNALED as u64 + 6;
        let curve = orderseal::ciphers::ecdh::Curve::P256;
        keys::add(&mut keyring, &keys::request("tokyo", Scope::Transaction, suite, count, curve));
        let client = keys::client(&mut keyring, &keys::name("tokyo"), count);
        let client = client.expect("there are keys");
        let names = client.keys.names().map(|kid| kid.as_str().to_owned()).collect();
        let path = folder.join("client.jwks");
        write(&path, &client.to_bytes(&place()).expect("it is short"));
        seal(&path, 1).expect("a new bundle seals");
        let journal = fs::read(beside(&path)).expect("a bundle of this size has a journal");
        assert_eq!((journal.len() - HEADER) % RECORD, 0, "the layout of journals is another one");
        Files { bundle: fs::read(&path).expect("it is there"), journal, folder, names }
    })
}

fn beside(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".spent");
    name.into()
}

fn write(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, bytes).expect("a file can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is our own");
}

/// Seals orders with the bundle at a path; returns the names of their keys.
fn seal(path: &Path, count: usize) -> Result<Vec<String>> {
    let access = Access::default();
    let loaded = load_to_seal(path, &access)?;
    let client = loaded.file.into_client(&loaded.place)?;
    let plan = Plan::of_client(&client, Time::UNIX_EPOCH, &loaded.place)?;
    let store = InUse::join(path, loaded.known, &access)?;
    let (orders, mut sealed) = (Part::memory("orders", b"tea\n".repeat(count)), Vec::new());
    plan.seal(workers(), orders, &SystemSource::new()?, &store, &mut sealed, |_| {})?;
    let lines = sealed.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let name = |line| {
        let (survey, _) = first_line(line);
        let group = survey.groups.into_values().next().expect("a sealed line has a kind");
        group.kids.into_keys().next().expect("a sealed line names its key").into()
    };
    Ok(lines.map(name).collect())
}

/// The journal of an input: records with their check values, then bytes as they are.
fn journal(input: &mut Input<'_>) -> Vec<u8> {
    let mut journal = files().journal[..HEADER].to_vec();
    if input.byte() % 16 == 15 {
        let at = input.below(HEADER);
        journal[at] ^= input.byte();
    }
    for _ in 0..input.below(20) {
        let before = &journal[journal.len() - 32..];
        let mut record = [0; RECORD];
        record[0] = 1 + input.byte() % 3;
        let (from, count) = (input.below(JOURNALED + 8) as u64, input.below(300) as u64);
        let (to, at) = (from + count, input.below(65_536) as u64);
        for (field, number) in record[8..BODY].chunks_mut(8).zip([from, to, at]) {
            field.copy_from_slice(&number.to_le_bytes());
        }
        if input.byte() % 32 == 31 {
            let at = input.below(BODY);
            record[at] = input.byte();
        }
        let check = Sha256::new().chain_update(before).chain_update(&record[..BODY]).finalize();
        record[BODY..].copy_from_slice(&check);
        journal.extend(record);
    }
    match input.byte() % 4 {
        0 => {}
        1 => journal.truncate(journal.len().saturating_sub(input.below(200))),
        2 => {
            let at = input.below(journal.len());
            journal[at] ^= input.byte();
        }
        _ => journal.extend(input.rest()),
    }
    journal
}

/// The ids that a journal has as spent, up to where its records are sound, and whether all of it
/// is.
fn spent(journal: &[u8]) -> Option<(BTreeSet<u64>, bool)> {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
    let own = &files().journal[..HEADER];
    let mut before = journal.get(..HEADER).filter(|header| *header == own)?[HEADER - 32..].to_vec();
    let (records, rest) = journal[HEADER..].as_chunks::<RECORD>();
    let mut ids = BTreeSet::new();
    for record in records {
        let check = Sha256::new().chain_update(&before).chain_update(&record[..BODY]).finalize();
        if record[BODY..] != check[..] {
            return Some((ids, false));
        }
        let (from, to) = (number(&record[8..16]), number(&record[16..24]));
        let is_within = from < to && to <= files().names.len() as u64;
        match record[0] {
            1 if is_within => ids.extend(from..to),
            2 if is_within => ids.retain(|id| !(from..to).contains(id)),
            3 => {}
            _ => return Some((ids, false)),
        }
        before = check.to_vec();
    }
    Some((ids, rest.is_empty()))
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![], vec![0, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0]];
    for kind in 0..4 {
        let first = [0, 3, 0, 0, 0, 9, 0, 7, 1, 0, 1, 5, 0, 2, 0, 0, 0, 0, 0, 40, 0, 4, 0, 0, 0, 0];
        seeds.push([&first[..], &[kind, 30, 0, 1, 2]].concat());
    }
    seeds
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let files = files();
        let path = files.folder.join("client.jwks");
        let mut input = Input::new(data);
        let count = 1 + input.below(3);
        let journal = journal(&mut input);
        write(&path, &files.bundle);
        write(&beside(&path), &journal);
        let counts = JournalCounts::survey(&beside(&path));
        let loaded = load(&path, &Access::default());
        let Some((spent, is_sound)) = spent(&journal) else {
            assert!(loaded.is_err(), "a bundle was read with another journal");
            return;
        };
        let is_spent = |name: &String| spent.iter().any(|id| files.names[*id as usize] == *name);
        if let Ok(loaded) = loaded {
            let client = loaded.file.into_client(&loaded.place).expect("it is a client's bundle");
            if let (true, Ok(Some(counts))) = (is_sound, counts) {
                assert_eq!(counts.spent, spent.len() as u64);
            }
            for kid in client.keys.names() {
                let listed = client.spent.iter().any(|id| kid.id().as_ref() == Some(id));
                assert!(listed || !is_spent(&kid.as_str().to_owned()), "a spent id is not spent");
            }
        } else {
            assert!(seal(&path, 1).is_err(), "a bundle seals that is not read");
            return;
        }
        let mut used = BTreeSet::new();
        for _ in 0..2 {
            for name in seal(&path, count).unwrap_or_default() {
                assert!(!is_spent(&name), "a spent id was used");
                assert!(used.insert(name), "an id was used twice");
            }
        }
    }
);
