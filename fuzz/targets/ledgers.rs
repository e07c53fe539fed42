//! Ledgers and inboxes. Orders are entered, recorded and looked up, with files that are cut and
//! damaged in between, and compared with a plain map; ledgers of the input are read, with their
//! check values made right; inboxes of the input are followed.

#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use orderseal::protocol::roles::follow::Follower;
use orderseal::protocol::store::OpeningKeys;
use orderseal::protocol::store::files::{
    Arrivals, Followed, Ledger, LedgerCounts, LedgerPurpose, Spot, identify,
};
use orderseal::protocol::store::uses::{Earlier, Use, UseLedger};
use orderseal::protocol::{Place, Result};
use orderseal_fuzz::{Input, begin, folder, keys, workers};
use sha2::{Digest, Sha256};

const RECORD: LedgerPurpose = LedgerPurpose::Record { reopen: false };

fn own_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| folder("ledgers"))
}

/// A new ledger's bytes.
fn empty() -> &'static Vec<u8> {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let path = own_folder().join("new");
        Ledger::join(None, &path, &[], RECORD).expect("a ledger can be created");
        fs::read(path).expect("it is there")
    })
}

fn used(input: &mut Input<'_>) -> Use {
    // Few slots, some of them neighbours, so that they meet again.
    let slot = u128::from(input.byte() % 64) << (32 * u32::from(input.byte() % 4));
    Use { slot, mark: input.byte().into() }
}

fn open(path: &Path, purpose: LedgerPurpose) -> Result<Ledger> {
    Ledger::open(path, purpose).map(|ledger| ledger.expect("it is there"))
}

fn survey(path: &Path) -> Result<LedgerCounts> {
    let file = fs::File::open(path).expect("it is there");
    Ledger::survey(&file, &Place::file("ledger"))
}

/// Enters and records orders, with crashes in between.
fn model(input: &mut Input<'_>) {
    let (path, inbox) = (own_folder().join("ledger"), own_folder().join("inbox"));
    let _ = fs::create_dir(&inbox);
    fs::write(&path, empty()).expect("a file can be written");
    let output = identify(&path).expect("it is a file");
    let inbox = Arrivals::of(&inbox).expect("it is a folder").id();
    let mut known: BTreeMap<u128, u128> = BTreeMap::new();
    // What was known when the file had some length.
    let mut states = vec![(empty().len() as u64, known.clone())];
    let mut ledger = open(&path, RECORD).expect("a new ledger is read");
    ledger.set_following();
    let mut entered = known.clone();
    for _ in 0..40 {
        if input.is_empty() {
            break;
        }
        match input.byte() % 8 {
            0..4 => {
                let used = used(input);
                let found = ledger.enter(used).expect("a ledger that was read is sound");
                match (entered.get(&used.slot), found) {
                    (None, Ok(())) => drop(entered.insert(used.slot, used.mark)),
                    (Some(mark), Err(Earlier::SameOrder)) => assert_eq!(*mark, used.mark),
                    (Some(mark), Err(Earlier::OtherOrder)) => assert_ne!(*mark, used.mark),
                    (known, found) => panic!("{known:?} is known, and {found:?} was found"),
                }
            }
            4 | 5 => {
                let written = entered.len() as u64;
                let followed = Followed { read: Spot::default(), output, written };
                ledger.follow(inbox, followed).expect("a record can be written");
                known.clone_from(&entered);
                let length = fs::metadata(&path).expect("it is there").len();
                states.push((length, known.clone()));
            }
            6 => {
                drop(ledger);
                ledger = open(&path, RECORD).expect("a ledger is read again");
                ledger.set_following();
                entered.clone_from(&known);
            }
            _ => {
                drop(ledger);
                let mut bytes = fs::read(&path).expect("it is there");
                let cut = input.below(300).min(bytes.len() - empty().len());
                bytes.truncate(bytes.len() - cut);
                fs::write(&path, &bytes).expect("a file can be written");
                // Zeros at the end of a record do not matter.
                let tail = |length: u64| length.saturating_sub(bytes.len() as u64);
                let counts = survey(&path);
                let done = counts.expect("a torn record is passed over").done;
                states.retain(|(length, known)| tail(*length) < 64 && known.len() as u64 <= done);
                let (_, last) = states.last().expect("a new ledger is never torn");
                assert_eq!(last.len() as u64, done, "a record that was not torn is lost");
                known = last.clone();
                ledger = open(&path, RECORD).expect("a torn record is cut off");
                ledger.set_following();
                entered.clone_from(&known);
            }
        }
    }
}

/// The bytes of an input as a ledger with right check values.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let number = |bytes: &[u8], at: usize| {
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        bytes.get(at..at + 8).map_or(0, number)
    };
    if bytes.len() < 128 {
        bytes.resize(128, 0);
    }
    bytes[..20].copy_from_slice(&empty()[..20]);
    let chunks = u32::from_le_bytes(bytes[20..24].try_into().expect("4 bytes")) as usize;
    let (directory, records) = (number(&bytes, 48) as usize, number(&bytes, 56) as usize);
    let end = chunks.saturating_mul(40).saturating_add(directory);
    if let Some(directory) = bytes.get(directory..end).map(<[u8]>::to_vec) {
        // The check values of chunks.
        let mut directory = directory;
        for entry in directory.chunks_mut(40) {
            let at = number(entry, 16) as usize;
            let length = u32::from_le_bytes(entry[24..28].try_into().expect("4 bytes")) as usize;
            if let Some(chunk) = bytes.get(at..at.saturating_add(length)) {
                entry[32..].copy_from_slice(&Sha256::digest(chunk)[..8]);
            }
        }
        bytes[end - directory.len()..end].copy_from_slice(&directory);
        let check = Sha256::new().chain_update(&bytes[..96]).chain_update(&directory).finalize();
        bytes[96..128].copy_from_slice(&check);
    }
    let ledger = bytes[24..40].to_vec();
    let generation = bytes[64..72].to_vec();
    let mut at = records;
    while at.checked_add(64).is_some_and(|end| end <= bytes.len()) {
        let length = number(&bytes, at + 8) as usize;
        let Some(content) = bytes.get(at + 64..(at + 64).saturating_add(length)) else { break };
        let content = content.to_vec();
        bytes[at + 16..at + 24].copy_from_slice(&(at as u64).to_le_bytes());
        bytes[at + 24..at + 32].copy_from_slice(&generation);
        let hash = Sha256::new().chain_update(&ledger).chain_update(&bytes[at..at + 32]);
        let check = hash.chain_update(&content).finalize();
        bytes[at + 32..at + 64].copy_from_slice(&check);
        at = (at + 64 + length).next_multiple_of(64);
    }
    bytes
}

fn read(bytes: &[u8]) {
    let path = own_folder().join("ledger");
    fs::write(&path, bytes).expect("a file can be written");
    let counts = survey(&path);
    for purpose in [LedgerPurpose::Look, RECORD, LedgerPurpose::Record { reopen: true }] {
        let Ok(mut ledger) = open(&path, purpose) else { continue };
        assert!(counts.is_ok(), "a ledger was opened that cannot be counted");
        for slot in [0, 1, 7 << 32, u128::MAX] {
            let _ = ledger.enter(Use { slot, mark: 9 });
        }
        if purpose != LedgerPurpose::Look {
            ledger.set_following();
            let _ = ledger.enter(Use { slot: 12, mark: 1 });
            let inbox = Arrivals::of(own_folder()).expect("it is a folder").id();
            let output = identify(&path).expect("it is a file");
            let followed = Followed { read: Spot::default(), output, written: 0 };
            let _ = ledger.follow(inbox, followed);
            drop(ledger);
            let again = open(&path, LedgerPurpose::Look);
            assert!(again.is_ok(), "a ledger is not read after a record");
        }
    }
}

/// Follows an inbox of the input; orders that open are ours.
fn follow(input: &mut Input<'_>) {
    let (path, inbox) = (own_folder().join("ledger"), own_folder().join("inbox"));
    let output = own_folder().join("orders");
    let _ = (fs::remove_dir_all(&inbox), fs::remove_file(&output));
    fs::create_dir(&inbox).expect("a folder can be created");
    fs::write(&path, empty()).expect("a file can be written");
    static KEYS: OnceLock<(OpeningKeys, Vec<Vec<u8>>)> = OnceLock::new();
    let (opening, lines) = KEYS.get_or_init(|| (keys::opening(keys::keyring()), keys::few_lines()));
    for _ in 0..3 {
        let file = inbox.join(format!("0000000{}-20261128.jwe", 1 + input.byte() % 3));
        let mut bytes = fs::read(&file).unwrap_or_default();
        for _ in 0..input.below(4) {
            match input.byte() % 8 {
                0 => bytes.extend(input.take(30)),
                1 => bytes.truncate(bytes.len().saturating_sub(input.below(500))),
                2 => drop(bytes.pop()),
                _ => {
                    bytes.extend(&lines[input.below(lines.len())]);
                    bytes.push(b'\n');
                }
            }
        }
        fs::write(&file, bytes).expect("a file can be written");
        let ledger = open(&path, RECORD).expect("a ledger is read again");
        let arrivals = Arrivals::of(&inbox).expect("it is a folder");
        let Ok(mut follower) = Follower::open(arrivals, &output, &[], ledger) else { return };
        for _ in 0..8 {
            if !matches!(follower.step(workers(), opening, |_| Ok(())), Ok(Some(_))) {
                break;
            }
        }
        let orders = fs::read(&output).unwrap_or_default();
        let orders = orders.split(|&byte| byte == b'\n').filter(|order| !order.is_empty());
        let mut count = 0;
        for order in orders {
            assert_eq!(order, keys::TEXT.as_bytes());
            count += 1;
        }
        assert!(count <= lines.len(), "an order was opened twice");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![[&[1], &empty()[..]].concat(), [&[2], &empty()[..]].concat()];
    let mut number = 5_u64;
    for kind in [0, 3] {
        for _ in 0..30 {
            let bytes = (0..70).map(|_| {
                number = number.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (number >> 56) as u8
            });
            seeds.push(std::iter::once(kind).chain(bytes).collect());
        }
    }
    // Ledgers with records.
    for seed in seeds.clone().iter().filter(|seed| seed[0] == 0).take(20) {
        model(&mut Input::new(&seed[1..]));
        let bytes = fs::read(own_folder().join("ledger")).expect("it is there");
        seeds.push([&[1], &bytes[..]].concat());
        seeds.push([&[2], &bytes[..]].concat());
    }
    let _ = fs::remove_dir_all(own_folder());
    seeds
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        match input.byte() % 4 {
            0 => model(&mut input),
            1 => read(&mended(input.rest())),
            2 => read(input.rest()),
            _ => follow(&mut input),
        }
    }
);
