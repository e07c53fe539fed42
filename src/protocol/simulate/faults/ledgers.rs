//! A shop that opens the same orders in two runs with a ledger, to which something happens in between.

use std::path::Path;

use super::LedgerCase;
use crate::protocol::model::{Place, Result};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::shop::{self, Options, Uses};
use crate::protocol::store::files::{
    self, Access, Existing, Ledger, LedgerPurpose, LedgerUser, Output, Privacy, Scratch,
};
use crate::protocol::store::keyfile::{KeyHolder, ShopBundle};
use crate::protocol::store::{OpeningFile, OpeningKeys, named_key};

/// The shop's files.
const BUNDLE: &str = "shop.jwks";
const LEDGER: &str = "shop.ledger";
const OPENED: &str = "opened";
/// Those of a copy of the bundle that has another ledger.
const OTHER_BUNDLE: &str = "other.jwks";
const OTHER_LEDGER: &str = "other.ledger";

/// An output that shows at once what is written, like a pipe.
const SINK: &str = "/dev/null";

/// Plays both runs. Returns the orders that left in either; inside, those of the second run, or why it
/// was refused.
///
/// # Errors
/// Those of the first run.
pub fn open_twice(
    case: LedgerCase,
    bundle: &ShopBundle,
    lines: &[String],
    workers: &Workers,
) -> Result<Result<Vec<String>>> {
    let shop = Shop { folder: Scratch::new()?, workers };
    shop.folder.write(BUNDLE, &excerpt(bundle, lines).to_bytes(&Place::file(BUNDLE))?[..])?;
    let sealed = lines.join("\n") + "\n";
    let opened = shop.folder.path(OPENED);
    let open = |to: &Path| shop.run((BUNDLE, LEDGER), &sealed, to);
    shop.run((BUNDLE, LEDGER), "", &opened)?;
    let empty = shop.folder.read(LEDGER)?;
    let first = open(match case {
        LedgerCase::TornToPipe => Path::new(SINK),
        LedgerCase::Kept
        | LedgerCase::Missing
        | LedgerCase::OfAnother
        | LedgerCase::OldCopy
        | LedgerCase::TornBefore
        | LedgerCase::TornAfter
        | LedgerCase::Damaged => &opened,
    })?;
    let mut full = shop.folder.read(LEDGER)?;
    match case {
        LedgerCase::Kept => {}
        LedgerCase::Missing => shop.folder.remove(LEDGER)?,
        LedgerCase::OfAnother => {
            shop.folder.write(OTHER_BUNDLE, &bundle.to_bytes(&Place::file(OTHER_BUNDLE))?[..])?;
            shop.run((OTHER_BUNDLE, OTHER_LEDGER), "", &opened)?;
            shop.folder.write(LEDGER, &shop.folder.read(OTHER_LEDGER)?)?;
        }
        LedgerCase::OldCopy => shop.folder.write(LEDGER, &empty)?,
        LedgerCase::TornBefore => {
            // The first record, of what is about to leave, is not complete, so that nothing left.
            full.truncate(empty.len() + FIRST_BYTES);
            shop.folder.write(LEDGER, &full)?;
            return Ok(open(&opened));
        }
        LedgerCase::TornAfter | LedgerCase::TornToPipe => {
            // The last record, that all has left, is not complete. A file may end before its zeros.
            let end = full.iter().rposition(|byte| *byte != 0).unwrap_or_default();
            full.truncate(end);
            shop.folder.write(LEDGER, &full)?;
        }
        LedgerCase::Damaged => {
            full[empty.len() + FIRST_BYTES] ^= 1;
            shop.folder.write(LEDGER, &full)?;
        }
    }
    Ok(open(&opened).map(|second| [first, second].concat()))
}

/// Bytes of the first record that are within its head.
const FIRST_BYTES: usize = 40;

/// The bundle with no other keys than those of these lines.
fn excerpt(bundle: &ShopBundle, lines: &[String]) -> ShopBundle {
    let named: Vec<String> = lines.iter().filter_map(|line| named_key(line.as_bytes())).collect();
    let mut excerpt = bundle.clone();
    excerpt.keys.retain(|kid| kid.is_some_and(|kid| named.iter().any(|it| it == kid.as_str())));
    excerpt.generations.values_mut().for_each(|own| own.shop.users.clear());
    excerpt.program = None;
    excerpt
}

/// A shop with files.
struct Shop<'w> {
    folder: Scratch,
    workers: &'w Workers,
}

impl Shop<'_> {
    /// Opens orders as a process of its own does; returns them when they have left.
    fn run(&self, files: (&str, &str), sealed: &str, to: &Path) -> Result<Vec<String>> {
        let (bundle, path) = (self.folder.path(files.0), self.folder.path(files.1));
        let purpose = LedgerPurpose::Record { reopen: false };
        let found = Ledger::open(&path, purpose)?;
        let access = Access::default();
        let loaded = files::load(&bundle, &access)?;
        let (place, changeable) = (loaded.place.clone(), loaded.changeable);
        let file = loaded.file.into_shop(&place)?;
        let user = LedgerUser {
            path: bundle,
            place: place.clone(),
            ledger: file.ledger,
            changeable,
            access,
        };
        let mut keys = OpeningKeys::new(false);
        keys.add(OpeningFile::Shop(file.into()), &place)?;
        let ledger = Ledger::join(found, &path, &[user], purpose)?;
        let mut ledger = ledger.expect("a ledger to record in is created");
        let mut output = Output::create(Some(to), Existing::Replace, Privacy::Owner, &[])?;
        ledger.set_output(&output);
        let mut opened = Vec::new();
        let options = Options { uses: Uses::Ledger(&mut ledger), skip_failed: false, each: None };
        shop::open(
            self.workers,
            Part::memory("sealed orders", sealed.as_bytes().to_vec()),
            &keys,
            options,
            |orders, _| {
                opened.extend_from_slice(orders);
                output.write(orders)
            },
            |_| Ok(()),
        )?;
        ledger.send(&mut output)?;
        Ok(String::from_utf8_lossy(&opened).lines().map(str::to_owned).collect())
    }
}
