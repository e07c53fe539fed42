//! The file of a shop's ledger: what it keeps through crashes, damage and renewals, compared with a
//! model.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use orderseal::protocol::store::files::{
    Access, Arrivals, Existing, Followed, Ledger, LedgerPurpose, LedgerUser, Output, Privacy, Spot,
    identify,
};
use orderseal::protocol::store::uses::{Earlier, PadPiece, PadSlots, Use, UseLedger};
use orderseal::protocol::{Error, Place};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const RECORD: LedgerPurpose = LedgerPurpose::Record { reopen: false };

fn open(path: &Path, reopen: bool) -> Ledger {
    let purpose = LedgerPurpose::Record { reopen };
    let found = Ledger::open(path, purpose).unwrap();
    Ledger::join(found, path, &[], purpose).unwrap().unwrap()
}

fn output(folder: &TempDir, to_pipe: bool) -> Output {
    let path = if to_pipe { "/dev/null".into() } else { folder.path().join("output") };
    Output::create(Some(&path), Existing::Replace, Privacy::Owner, &[]).unwrap()
}

/// Opens and hands on orders in one run.
fn hand_on(folder: &TempDir, path: &Path, uses: impl IntoIterator<Item = Use>) {
    let (mut ledger, mut output) = (open(path, false), output(folder, false));
    ledger.set_output(&output);
    for used in uses {
        ledger.enter(used).unwrap().unwrap();
    }
    ledger.send(&mut output).unwrap();
}

fn used(slot: u128) -> Use {
    Use { slot, mark: slot.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) }
}

fn other(slot: u128) -> Use {
    Use { mark: !used(slot).mark, ..used(slot) }
}

#[test]
fn many_orders_take_two_bytes_each() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    let tree = 0xabcd << 32;
    let ids = |range: std::ops::Range<u128>| range.map(move |leaf| used(tree | leaf));
    hand_on(&folder, &path, ids(0..300_000));
    let len = fs::metadata(&path).unwrap().len();
    assert!((600_000..640_000).contains(&len), "{len}");
    // Half of the ids of another tree, which are told apart by bits.
    let half: Vec<Use> =
        (0..400_000).filter(|n| used(*n).mark & 1 == 0).map(|n| used(n | 7 << 64)).collect();
    let other = folder.path().join("other");
    hand_on(&folder, &other, half.iter().copied());
    let each = fs::metadata(&other).unwrap().len() as f64 / half.len() as f64;
    assert!((2.0..2.5).contains(&each), "{each}");
    let mut again = open(&other, false);
    assert!(half.iter().all(|used| again.enter(*used).unwrap() == Err(Earlier::SameOrder)));
    // In between, in front and behind; and ids in no order, as listed ones are.
    let scattered: Vec<Use> = (1..=300_000u128).map(|n| used(used(n).mark << 1 | 1)).collect();
    hand_on(&folder, &path, scattered.iter().copied());
    hand_on(&folder, &path, ids(299_999 + 1..300_050));
    let mut ledger = open(&path, false);
    for used in ids(0..300_050).chain(scattered) {
        assert_eq!(ledger.enter(used).unwrap(), Err(Earlier::SameOrder), "{used:?}");
        let other = Use { mark: !used.mark, ..used };
        assert_eq!(ledger.enter(other).unwrap(), Err(Earlier::OtherOrder), "{used:?}");
    }
    for new in ids(300_050..300_100) {
        assert_eq!(ledger.enter(new).unwrap(), Ok(()));
    }
}

#[test]
fn what_is_not_done_survives_a_renewal() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    // A run that may have handed on one order, and one that did not get so far.
    for (slot, to_pipe) in [(7, true), (8, false)] {
        let (mut ledger, mut lost) = (open(&path, false), output(&folder, to_pipe));
        ledger.set_output(&lost);
        ledger.enter(used(slot)).unwrap().unwrap();
        ledger.secure().unwrap();
        if !to_pipe {
            // The output's folder is gone, so that it cannot get its name.
            let gone = TempDir::new().unwrap();
            lost = output(&gone, false);
            drop(gone);
            ledger.send(&mut lost).unwrap_err();
        }
    }
    // One that opens it again into a file that does not appear.
    let gone = TempDir::new().unwrap();
    let (mut ledger, mut lost) = (open(&path, true), output(&gone, false));
    ledger.set_output(&lost);
    assert_eq!(ledger.enter(used(7)).unwrap(), Ok(()));
    drop(gone);
    ledger.send(&mut lost).unwrap_err();
    drop(ledger);
    hand_on(&folder, &path, (1000..300_000).map(used));
    assert!(fs::metadata(&path).unwrap().len() < 700_000, "renewed");
    let mut ledger = open(&path, false);
    assert_eq!(ledger.enter(used(7)).unwrap(), Err(Earlier::Unfinished));
    assert_eq!(ledger.enter(other(7)).unwrap(), Err(Earlier::OtherOrder));
    assert_eq!(ledger.enter(used(8)).unwrap(), Ok(()));
    drop(ledger);
    assert_eq!(open(&path, true).enter(used(7)).unwrap(), Ok(()));
}

#[test]
fn bytes_of_a_pad_serve_one_order_wherever_the_ledger_has_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    let pad = PadSlots::new(b"0123456789abcdef");
    let piece = |from, len| PadPiece::new(pad, from, len).unwrap();
    let hash = |seed: u8| [seed; 32];
    // One in the snapshot, one in a record, one of this run, with gaps between them.
    for (from, filler) in [(100, 1000..300_000), (200, 0..1)] {
        let (mut ledger, mut output) = (open(&path, false), output(&folder, false));
        ledger.set_output(&output);
        assert_eq!(ledger.enter_piece(piece(from, 50), &hash(from as u8)).unwrap(), Ok(()));
        filler.for_each(|slot| ledger.enter(used(slot)).unwrap().unwrap());
        ledger.send(&mut output).unwrap();
    }
    let mut ledger = open(&path, false);
    assert_eq!(ledger.enter_piece(piece(300, 50), &hash(44)).unwrap(), Ok(()));
    for from in [100, 200, 300] {
        for (other, len) in
            [(from - 5, 6), (from + 49, 1), (from + 49, 30), (from + 10, 5), (0, 1000)]
        {
            let found = ledger.enter_piece(piece(other, len), &hash(9)).unwrap();
            assert_eq!(found, Err(Earlier::Overlap), "{other} + {len}");
        }
        let mut again = |seed: u8| ledger.enter_piece(piece(from, 50), &hash(seed)).unwrap();
        assert_eq!(again(from as u8), Err(Earlier::SameOrder), "{from}");
        assert_eq!(again(9), Err(Earlier::OtherOrder), "{from}");
    }
    for (from, len) in [(0, 100), (150, 50), (250, 50), (350, 1), (351, 1 << 24)] {
        let found = ledger.enter_piece(piece(from, len), &hash(from as u8)).unwrap();
        assert_eq!(found, Ok(()), "{from} + {len}");
    }
    // Another pad has bytes of its own.
    let other = PadPiece::new(PadSlots::new(b"another MAC key."), 100, 50).unwrap();
    assert_eq!(ledger.enter_piece(other, &hash(8)).unwrap(), Ok(()));
    for (from, len) in [(0, 0), (0, (1 << 24) + 1), (1 << 40, 1)] {
        assert_eq!(PadPiece::new(pad, from, len), None, "{from} + {len}");
    }
}

#[test]
fn a_torn_record_is_cut_and_other_damage_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    hand_on(&folder, &path, (1..300_000).map(used));
    let snapshot = fs::metadata(&path).unwrap().len() as usize;
    hand_on(&folder, &path, [used(400_001)]);
    let first = fs::metadata(&path).unwrap().len() as usize;
    hand_on(&folder, &path, [used(400_002)]);
    let whole = fs::read(&path).unwrap();
    let is_known = |slot| {
        let known = open(&path, false).enter(used(slot)).unwrap();
        known == Err(Earlier::SameOrder)
    };
    for len in snapshot..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(is_known(1), "{len}");
        assert_eq!(is_known(400_001), len + 56 >= first, "{len}");
        // What is written after a cut is read again.
        hand_on(&folder, &path, [used(500_000)]);
        assert!(is_known(500_000), "{len}");
    }
    // A sound record after a damaged one, or damage to what does not change.
    let damage =
        (snapshot..first - 64).step_by(7).chain((0..200).step_by(3)).chain([snapshot - 65]);
    for at in damage {
        if (first - 128 + 72..first - 64).contains(&at) {
            continue;
        }
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let opened = Ledger::open(&path, RECORD);
        let found = opened.map(|ledger| ledger.unwrap().enter(used(1)).is_err());
        let is_zero = |range: std::ops::Range<usize>| range.contains(&at);
        match found {
            Err(Error::Malformed { .. }) | Ok(true) => {}
            // Zeros up to the next record do not matter.
            Ok(false) if whole[at] == 0 && at >= snapshot && !is_zero(snapshot..snapshot + 64) => {}
            other => panic!("{at}: {other:?}"),
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "{at}");
    }
    for len in [0, 1, 127, 128, 200, snapshot - 1] {
        fs::write(&path, &whole[..len]).unwrap();
        let opened = Ledger::open(&path, RECORD);
        assert!(matches!(opened, Err(Error::Malformed { .. })), "{len}: {opened:?}");
    }
}

/// Otherwise the header would be cut off as an incomplete record.
#[test]
fn a_header_that_places_records_within_itself_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    hand_on(&folder, &path, []);
    let mut bytes = fs::read(&path).unwrap();
    // Where the directory and the records are.
    bytes[48..64].fill(0);
    let check = Sha256::digest(&bytes[..96]);
    bytes[96..128].copy_from_slice(&check);
    fs::write(&path, &bytes).unwrap();
    let opened = Ledger::open(&path, RECORD);
    assert!(matches!(opened, Err(Error::Malformed { .. })), "{opened:?}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_record_of_an_older_file_does_not_count() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    hand_on(&folder, &path, (1..50_000).map(used));
    let first = fs::metadata(&path).unwrap().len() as usize;
    hand_on(&folder, &path, [used(60_000)]);
    let old = fs::read(&path).unwrap();
    hand_on(&folder, &path, (70_000..120_000).map(used));
    // Blocks of the file before, at their old place behind the end of the new one.
    let renewed = fs::read(&path).unwrap();
    assert!(renewed.len() < first, "{} {first}", renewed.len());
    let mut bytes = renewed.clone();
    bytes.resize(first, 0);
    bytes.extend(&old[first..]);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(open(&path, false).enter(used(60_000)).unwrap(), Err(Earlier::SameOrder));
    assert_eq!(fs::read(&path).unwrap(), renewed, "cut");
}

#[test]
fn bundles_that_cannot_note_a_ledger_create_none() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    let place = Place::file("tokyo.jwks");
    let user = |changeable| LedgerUser {
        path: "missing".into(),
        place: place.clone(),
        ledger: None,
        changeable,
        access: Access::default(),
    };
    for changeable in [true, false] {
        Ledger::join(None, &path, &[user(changeable)], RECORD).unwrap_err();
        assert!(!path.exists());
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A run: orders in these slots, whether the same ones as before, and how it ends.
    Run { orders: Vec<(u8, bool)>, to_pipe: bool, reopen: bool, ends: Ends },
    /// The end of the file is torn off.
    Torn(u8),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Ends {
    Well,
    Early,
    AfterOpening,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Opening { to_pipe: bool },
    Done,
}

fn step() -> impl Strategy<Value = Step> {
    let ends = prop_oneof![Just(Ends::Well), Just(Ends::Early), Just(Ends::AfterOpening)];
    let orders = proptest::collection::vec((0..12u8, prop::bool::weighted(0.8)), 0..8);
    let run = (orders, any::<bool>(), any::<bool>(), ends)
        .prop_map(|(orders, to_pipe, reopen, ends)| Step::Run { orders, to_pipe, reopen, ends });
    prop_oneof![8 => run, 1 => (1..64u8).prop_map(Step::Torn)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever happens, the file says what the model says.
    #[test]
    fn the_file_and_a_model_agree(steps in proptest::collection::vec(step(), 1..20)) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ledger");
        let mut model: BTreeMap<u128, (u128, State)> = BTreeMap::new();
        for step in steps {
            let (orders, to_pipe, reopen, ends) = match step {
                Step::Run { orders, to_pipe, reopen, ends } => (orders, to_pipe, reopen, ends),
                Step::Torn(more) => {
                    // Bytes of a record that was never synced.
                    drop(open(&path, false));
                    let mut bytes = fs::read(&path).unwrap();
                    bytes.extend((0..more).map(|byte| byte.wrapping_mul(37)));
                    fs::write(&path, bytes).unwrap();
                    continue;
                }
            };
            let mut ledger = open(&path, reopen);
            let mut output = output(&folder, to_pipe);
            ledger.set_output(&output);
            let mut own = BTreeMap::new();
            for (slot, same) in orders {
                let slot = u128::from(slot) << 100 | u128::from(slot);
                let used = if same { used(slot) } else { other(slot) };
                let expected = match (own.get(&slot), model.get(&slot)) {
                    (Some((mark, _)), _) | (None, Some((mark, State::Done))) => {
                        Err(if *mark == used.mark { Earlier::SameOrder } else { Earlier::OtherOrder })
                    }
                    (None, Some((mark, _))) if *mark != used.mark => Err(Earlier::OtherOrder),
                    (None, Some((_, State::Opening { to_pipe: true }))) if !reopen => {
                        Err(Earlier::Unfinished)
                    }
                    (None, Some((_, State::Opening { to_pipe: before }))) => Ok(*before || to_pipe),
                    (None, None) => Ok(to_pipe),
                };
                prop_assert_eq!(ledger.enter(used).unwrap(), expected.map(|_| ()));
                if let Ok(to_pipe) = expected {
                    own.insert(slot, (used.mark, State::Opening { to_pipe }));
                }
            }
            match (ends, to_pipe) {
                (Ends::Well, _) => {
                    ledger.send(&mut output).unwrap();
                    own.values_mut().for_each(|(_, state)| *state = State::Done);
                }
                (Ends::Early, _) => own.clear(),
                (Ends::AfterOpening, true) => ledger.secure().unwrap(),
                // For a file, opening is recorded only when the output is sent.
                (Ends::AfterOpening, false) => {
                    ledger.secure().unwrap();
                    own.clear();
                }
            }
            model.extend(own);
        }
    }
}

#[test]
fn how_far_an_inbox_was_followed_is_recorded_with_its_orders_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    let inbox = |name: &str| Arrivals::of(&folder.path().join(name)).unwrap().id();
    let (inbox, other_inbox) = (inbox("inbox"), inbox("other"));
    let opened = folder.path().join("opened");
    fs::write(&opened, "").unwrap();
    let output = identify(&opened).unwrap();
    let followed = |offset: u64| Followed {
        read: Spot {
            file: "00000001-20261128.jwe".to_owned(),
            offset,
            lines: offset / 7,
            before: offset.to_le_bytes(),
        },
        output,
        written: offset * 3,
    };
    let follow = |ledger: &mut Ledger, offset, uses: &[Use]| {
        ledger.set_following();
        for used in uses {
            ledger.enter(*used).unwrap().unwrap();
        }
        ledger.follow(inbox, followed(offset)).unwrap();
    };
    let mut ledger = open(&path, false);
    assert_eq!(ledger.followed(inbox), None);
    follow(&mut ledger, 70, &[used(1), used(2)]);
    ledger.follow(other_inbox, followed(7)).unwrap();
    drop(ledger);
    let before = fs::read(&path).unwrap();
    let mut ledger = open(&path, false);
    follow(&mut ledger, 140, &[used(4), used(3)]);
    assert_eq!(ledger.enter(used(3)).unwrap(), Err(Earlier::SameOrder));
    drop(ledger);
    let after = fs::read(&path).unwrap();
    for len in before.len()..=after.len() {
        fs::write(&path, &after[..len]).unwrap();
        let mut ledger = open(&path, false);
        let is_recorded = ledger.followed(inbox).unwrap().read.offset == 140;
        assert_eq!(ledger.followed(inbox), Some(&followed(if is_recorded { 140 } else { 70 })));
        let expected = if is_recorded { Err(Earlier::SameOrder) } else { Ok(()) };
        assert_eq!(ledger.enter(used(3)).unwrap(), expected);
        assert_eq!(ledger.enter(used(4)).unwrap(), expected);
        assert_eq!(ledger.enter(used(1)).unwrap(), Err(Earlier::SameOrder));
        assert_eq!(ledger.enter(other(1)).unwrap(), Err(Earlier::OtherOrder));
    }

    // A process that follows for so long that the file is renewed, more than once.
    let mut ledger = open(&path, false);
    let scattered = |n: u128| used(used(n).mark << 1 | 1);
    for batch in 0..200u64 {
        let first = u128::from(batch) * 1000 + 10;
        let uses: Vec<Use> = (first..first + 1000).map(scattered).collect();
        follow(&mut ledger, 200 + batch, &uses);
    }
    assert_eq!(ledger.enter(scattered(10)).unwrap(), Err(Earlier::SameOrder));
    drop(ledger);
    assert!(fs::metadata(&path).unwrap().len() < 5_500_000, "renewed");
    let mut ledger = open(&path, false);
    assert_eq!(ledger.followed(inbox), Some(&followed(399)));
    assert_eq!(ledger.followed(other_inbox), Some(&followed(7)));
    for n in 10..200_010 {
        assert_eq!(ledger.enter(scattered(n)).unwrap(), Err(Earlier::SameOrder), "{n}");
    }
    assert_eq!(ledger.enter(used(2)).unwrap(), Err(Earlier::SameOrder));
    assert_eq!(ledger.enter(scattered(200_010)).unwrap(), Ok(()));
}
