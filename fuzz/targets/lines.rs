//! Opens sealed lines and documents in every serialization with keys of many algorithms. Whatever
//! opens must be a text that was sealed, under algorithms that the key has.

#![no_main]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use orderseal::Totals;
use orderseal::protocol::jose::password::Password;
use orderseal::protocol::pipeline::Part;
use orderseal::protocol::roles::shop::{self, Accepted, Options, Uses, open_document};
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::store::{OpeningFile, OpeningKeys};
use orderseal_fuzz::{Input, begin, keys, line, place, plain, repository, workers};

/// Most PBES2 rounds for an input.
const MOST_ROUNDS: u64 = 3_000;

/// What opens the lines of some seeds.
enum Opens {
    Keys(OpeningKeys),
    /// Rounds are counted anew for each input.
    Password(String),
}

impl Opens {
    fn with<T>(&self, run: impl FnOnce(&OpeningKeys) -> T) -> T {
        match self {
            Self::Keys(keys) => run(keys),
            Self::Password(text) => {
                let password = Password::read(text.as_bytes()).expect("the test kit has passwords");
                run(&OpeningKeys::of_password(password.open_with(MOST_ROUNDS), true))
            }
        }
    }
}

/// Keys, the lines that were sealed for them, and their texts.
struct Set {
    opens: Opens,
    seeds: Vec<Vec<u8>>,
    texts: BTreeSet<Vec<u8>>,
}

/// The keyring comes first, then each key file of the test kit.
fn sets() -> &'static [Set] {
    static SETS: OnceLock<Vec<Set>> = OnceLock::new();
    SETS.get_or_init(|| {
        let opens = Opens::Keys(keys::opening(keys::keyring()));
        let texts = BTreeSet::from([keys::TEXT.as_bytes().to_vec()]);
        let mut sets = vec![(String::new(), Set { opens, seeds: Vec::new(), texts })];
        for vector in repository::vectors() {
            let key = [vector.field("keys"), vector.field("password")].concat();
            if !["line", "batch"].contains(&vector.field("kind")) {
                continue;
            }
            let Some(opens) = opens_of(vector.field("keys"), vector.field("password")) else {
                continue;
            };
            let new = Set { opens, seeds: Vec::new(), texts: BTreeSet::new() };
            let at = sets.iter().position(|(known, _)| *known == key);
            let at = at.unwrap_or_else(|| {
                sets.push((key, new));
                sets.len() - 1
            });
            let set = &mut sets[at].1;
            if ["opens", "used"].contains(&vector.field("expect")) {
                let opened = set.opens.with(|keys| open(keys, &vector.body));
                set.texts.extend(opened.into_iter().map(|(text, _)| text));
            }
            let has_documents = vector.field("options").contains("--document");
            if ["line feed", "weak"].contains(&vector.field("reason")) || has_documents {
                // Its lines are authentic, and open as documents with weak ciphers allowed.
                for line in vector.body.split(|&byte| byte == b'\n') {
                    let opened = set.opens.with(|keys| document(keys, line));
                    set.texts.extend(opened);
                }
            }
            set.seeds.push(vector.body);
        }
        sets.into_iter().map(|(_, set)| set).collect()
    })
}

fn opens_of(file: &str, password: &str) -> Option<Opens> {
    if file.is_empty() {
        return (!password.is_empty()).then(|| Opens::Password(password.to_owned()));
    }
    let file = KeyFile::parse(file.as_bytes(), &place()).ok()?;
    let mut keys = OpeningKeys::new(true);
    keys.add(OpeningFile::of(file, &place()).ok()?, &place()).ok()?;
    Some(Opens::Keys(keys))
}

/// The texts that open, each with its line.
fn open(keys: &OpeningKeys, lines: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut opened, mut texts) = (Vec::new(), Vec::new());
    let mut each = |accepted: Accepted<'_>| opened.push(accepted.sealed.to_vec());
    let options = Options { uses: Uses::Any, skip_failed: true, each: Some(&mut each) };
    let part = Part::memory("lines", lines.to_vec());
    let write = |text: &[u8], _: &Totals| {
        texts.extend_from_slice(text);
        Ok(())
    };
    // A line that is too long ends the run.
    let _ = shop::open(workers(), part, keys, options, write, |_| Ok(()));
    let mut texts: Vec<Vec<u8>> = texts.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    assert_eq!(texts.pop(), Some(Vec::new()), "orders end with a line feed");
    assert_eq!(texts.len(), opened.len(), "an order for each line");
    texts.into_iter().zip(opened).collect()
}

/// The content of a document that opens.
fn document(keys: &OpeningKeys, sealed: &[u8]) -> Option<Vec<u8>> {
    let opened = open_document(sealed, &place(), keys, Uses::Any);
    opened.ok().map(|(_, text)| text.to_vec())
}

/// Whether one of the headers names the algorithms of the shop that it names.
fn has_its_algorithms(line: &[u8]) -> bool {
    plain::headers(line).expect("it was opened").iter().any(|header| {
        let text =
            |name: &str| header.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        let shop = text("kid").split('/').next().unwrap_or_default();
        let mut shops = keys::keyring().shops.iter();
        shops.any(|(name, account)| {
            let suite = account.shop.suite;
            name.as_str() == shop
                && (suite.alg().name(), suite.enc().name()) == (text("alg"), text("enc"))
        })
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let own = [keys::lines(), keys::lines_of_other_algorithms()].concat();
    let with_forms = |line: &Vec<u8>| {
        let forms = [vec![line.clone()], line::serialized(line)].concat();
        forms.iter().flat_map(|form| line::inputs(form)).collect::<Vec<_>>()
    };
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    let others = sets().iter().map(|set| set.seeds.clone());
    for (number, lines) in [own].into_iter().chain(others.skip(1)).enumerate() {
        for input in lines.iter().flat_map(with_forms) {
            seeds.push([&(number as u16).to_le_bytes()[..], &input].concat());
        }
    }
    seeds
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        let number = usize::from(u16::from_le_bytes(input.bytes())) % sets().len();
        let set = &sets()[number];
        let sealed = line::text(input.rest());
        let opened = set.opens.with(|keys| open(keys, &sealed));
        for (text, line) in opened {
            assert!(set.texts.contains(&text), "a text opened that nobody sealed");
            assert!(number > 0 || has_its_algorithms(&line), "a key opened by another algorithm");
        }
        if let Some(text) = set.opens.with(|keys| document(keys, &sealed)) {
            assert!(set.texts.contains(&text), "a document opened that nobody sealed");
            assert!(number > 0 || has_its_algorithms(&sealed), "a key opened by another algorithm");
        }
    }
);
