use std::fs;

use proptest::prelude::*;

use super::*;
use crate::protocol::model::Malformed;

const KEYS: u64 = 2000;

fn names() -> Names {
    Names { count: KEYS, hash: [7; 16], ends: [[1; 8], [2; 8]] }
}

/// A journal in a folder of its own, in which some ids are spent.
fn journal() -> (tempfile::TempDir, PathBuf, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("client.jwks");
    fs::write(&bundle, "").unwrap();
    let spent: Leaves = [5u32, 6, 9].into_iter().collect();
    let journal = Journal::create(&bundle, names(), &spent, None).unwrap();
    (folder, bundle, journal)
}

fn open(bundle: &Path) -> Result<Journal> {
    Journal::open(bundle, Purpose::Append).map(Option::unwrap)
}

fn is_damaged(opened: Result<Journal>) -> bool {
    matches!(
        opened,
        Err(Error::Malformed { found: Malformed::Journal(JournalFault::Damaged { .. }), .. })
    )
}

#[test]
fn what_was_recorded_is_read_again() {
    let (_folder, bundle, mut journal) = journal();
    let number = journal.number;
    journal.reserve(10..700, Some(4242)).unwrap();
    journal.give_back(400..500).unwrap();
    journal.reserve(400..401, None).unwrap();
    let (spent, last) = (journal.spent.clone(), journal.last);
    drop(journal);
    let journal = open(&bundle).unwrap();
    assert_eq!((journal.number, journal.names, journal.last), (number, names(), last));
    assert_eq!(journal.spent, spent);
    assert_eq!(journal.spent.ranges(), [5..7, 9..401, 500..700]);
    assert_eq!(journal.unspent().first(6).ranges(), [0..5, 7..8]);
    assert_eq!(journal.noted_before(699), None);
    assert_eq!(journal.noted_before(800), Some((700, 4242)));
    drop(journal);
    let counts = JournalCounts::survey(&Journal::path_beside(&bundle)).unwrap();
    assert_eq!(counts, Some(JournalCounts { number, ids: KEYS, spent: 594 }));
}

#[test]
fn places_in_an_earlier_file_are_forgotten() {
    let (_folder, bundle, mut journal) = journal();
    let read = ReadWhole { file: FileState([3; 16]), keys_end: 99 };
    journal.reserve(10..20, Some(1000)).unwrap();
    journal.note_read(read).unwrap();
    journal.reserve(20..30, Some(2000)).unwrap();
    drop(journal);
    let journal = open(&bundle).unwrap();
    assert_eq!(journal.read, Some(read));
    assert_eq!((journal.noted_before(29), journal.noted_before(30)), (None, Some((30, 2000))));
}

#[test]
fn a_record_that_was_not_written_completely_is_cut_off() {
    let (_folder, bundle, mut journal) = journal();
    let path = Journal::path_beside(&bundle);
    journal.reserve(10..20, None).unwrap();
    let before = fs::read(&path).unwrap();
    let sound = journal.spent.clone();
    journal.reserve(20..30, None).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    for len in before.len()..whole.len() {
        let mut zeros = whole[..len].to_vec();
        for torn in [whole[..len].to_vec(), {
            zeros.resize(whole.len(), 0);
            zeros
        }] {
            if torn == whole {
                continue;
            }
            fs::write(&path, &torn).unwrap();
            let looked = Journal::open(&bundle, Purpose::Look).unwrap().unwrap();
            assert_eq!(looked.spent, sound, "{len}");
            drop(looked);
            let mut journal = open(&bundle).unwrap();
            assert_eq!(fs::read(&path).unwrap(), torn, "opening changes nothing");
            journal.reserve(20..30, None).unwrap();
            drop(journal);
            assert_eq!(fs::read(&path).unwrap(), whole, "{len}");
        }
        if len + ZERO_TAIL >= whole.len() {
            break;
        }
    }
}

/// Length of the zeros by which an incomplete record is known.
const ZERO_TAIL: usize = 8;

#[test]
fn any_other_damage_is_noticed() {
    let (_folder, bundle, mut journal) = journal();
    let path = Journal::path_beside(&bundle);
    journal.reserve(10..20, None).unwrap();
    drop(journal);
    let sound = fs::read(&path).unwrap();
    for at in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, damaged).unwrap();
        let opened = open(&bundle);
        // The first bytes tell the kind of file, and those after them its version.
        assert!(if at < 20 { opened.is_err() } else { is_damaged(opened) }, "byte {at}");
    }
    let without_first = [&sound[..HEADER_LEN], &sound[HEADER_LEN + RECORD_LEN..]].concat();
    fs::write(&path, without_first).unwrap();
    assert!(is_damaged(open(&bundle)));
    fs::write(&path, &sound[..HEADER_LEN - 1]).unwrap();
    assert!(is_damaged(open(&bundle)));
}

#[test]
fn records_that_contradict_earlier_ones_are_damage() {
    for record in [
        Record::Reserve { keys: 6..8, end: None },
        Record::Return { keys: 5..8 },
        Record::Reserve { keys: KEYS - 1..KEYS + 1, end: None },
        Record::Reserve { keys: 3..3, end: None },
    ] {
        let (_folder, bundle, journal) = journal();
        let (bytes, _) = record.to_bytes(journal.last);
        journal.file.write_all_at(&bytes, journal.end()).unwrap();
        drop(journal);
        assert!(is_damaged(open(&bundle)), "{record:?}");
    }
}

#[test]
fn a_long_journal_becomes_short_and_says_the_same() {
    let (_folder, bundle, mut journal) = journal();
    let path = Journal::path_beside(&bundle);
    let read = ReadWhole { file: FileState([3; 16]), keys_end: 99 };
    journal.note_read(read).unwrap();
    for key in 10..1200 {
        journal.reserve(key..key + 1, Some(100 * key)).unwrap();
    }
    let spent = journal.spent.clone();
    drop(journal);
    assert!(fs::metadata(&path).unwrap().len() < 20_000);
    let journal = open(&bundle).unwrap();
    assert_eq!((&journal.spent, journal.read), (&spent, Some(read)));
    assert_eq!(journal.noted_before(1200), Some((1200, 119_900)));
    assert_eq!(fs::read_dir(bundle.parent().unwrap()).unwrap().count(), 2);
}

#[test]
fn a_record_in_a_file_that_lost_its_name_does_not_count() {
    let (_folder, bundle, mut journal) = journal();
    let path = Journal::path_beside(&bundle);
    fs::copy(&path, path.with_extension("copy")).unwrap();
    journal.reserve(20..30, None).unwrap();
    fs::rename(path.with_extension("copy"), &path).unwrap();
    assert!(journal.reserve(30..40, None).is_err());
}

#[test]
fn a_journal_of_many_ranges_is_read_in_a_moment() {
    let (_folder, bundle, journal) = journal();
    let many = Names { count: 400_000, ..names() };
    let spent: Leaves = (0..200_000u32).map(|key| 2 * key).collect();
    Journal::create(&bundle, many, &spent, Some(&journal)).unwrap();
    drop(journal);
    assert_eq!(open(&bundle).unwrap().spent, spent);
}

#[test]
fn removing_leaves_files_of_others_alone() {
    let (_folder, bundle, journal) = journal();
    let path = Journal::path_beside(&bundle);
    drop(journal);
    assert!(Journal::remove(&bundle).unwrap() && !path.exists());
    assert!(!Journal::remove(&bundle).unwrap());
    fs::write(&path, "expenses").unwrap();
    assert!(!Journal::remove(&bundle).unwrap());
    assert!(path.exists());
    let not_one = |error| {
        matches!(error, Error::Malformed { found: Malformed::Journal(JournalFault::NotOne), .. })
    };
    assert!(open(&bundle).is_err_and(not_one));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_sequence_ends_as_a_set_would(steps in proptest::collection::vec((any::<bool>(), 0..KEYS, 1..300u64), 0..60)) {
        let (_folder, bundle, mut journal) = journal();
        let mut model: std::collections::BTreeSet<u64> = [5, 6, 9].into();
        for (reserves, at, count) in steps {
            if reserves {
                for range in journal.unspent().first(count).ranges() {
                    journal.reserve(range.clone(), None).unwrap();
                    model.extend(range.clone());
                }
            } else {
                let end = (at + count).min(KEYS);
                if journal.spent.contains_all(&(at..end)) {
                    journal.give_back(at..end).unwrap();
                    (at..end).for_each(|key| { model.remove(&key); });
                }
            }
            drop(journal);
            journal = open(&bundle).unwrap();
            let spent: Vec<u64> = journal.spent.iter().map(u64::from).collect();
            prop_assert_eq!(spent, model.iter().copied().collect::<Vec<_>>());
        }
    }
}
