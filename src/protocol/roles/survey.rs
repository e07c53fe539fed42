//! Statistics of sealed orders that need no key.
//!
//! Nothing here is verified, so everything counted may be made up; the memory used is limited.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use crate::protocol::jose::batch::Manifest;
use crate::protocol::jose::jwe::{
    Carries, Failure, Header, MAX_SEALED_LINE, Provenance, Sealed, Shape,
};
use crate::protocol::model::{Kid, Place, Result};
use crate::protocol::pipeline::{Block, LineLimits, Part, Workers};

/// Maximum number of different key names that are kept, each with a count of its lines.
pub const MAX_NAMES: usize = 1_000_000;

/// Maximum total length in bytes of these names: enough for more than [`MAX_NAMES`] of the names
/// made here.
pub const MAX_NAME_BYTES: usize = 128 << 20;

/// Maximum number of kinds of lines that are counted separately.
pub const MAX_KINDS: usize = 1000;

/// Statistics of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Total number of lines.
    pub lines: u64,
    /// Total number of bytes.
    pub bytes: u64,
    /// Length of the longest line in bytes.
    pub longest: usize,
    /// Lines by kind: the first [`MAX_KINDS`] kinds in the order of the input.
    pub groups: BTreeMap<GroupKey, Group>,
    /// Lines of all other kinds.
    pub others: Group,
    /// Number of lines that are manifests of signed batches.
    pub manifests: u64,
    /// The first line that is not a sealed order, and the reason.
    pub malformed: Option<(u64, Failure)>,
    kept: Kept,
}

/// Properties that lines of one kind share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// The shop, if the lines name a key.
    pub shop: Option<String>,
    /// Key management algorithm.
    pub alg: String,
    /// Content encryption algorithm.
    pub enc: String,
    /// The header's `typ`, if present.
    pub typ: Option<String>,
    /// The content of the lines.
    pub carries: Carries,
    /// Content-encryption keys per line.
    pub layers: usize,
    /// What the lines were before they were rewrapped, if that tells something.
    pub was: Option<Provenance>,
}

/// Lines of one kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Number of lines.
    pub lines: u64,
    /// Number of lines per key name, for the first [`MAX_NAMES`] names of all groups together in
    /// the order of the input.
    pub kids: BTreeMap<Box<str>, u64>,
    /// Lines that name keys not listed in `kids`. If there are any, the number of names is a lower bound.
    pub beyond: u64,
}

/// Number and total length of the names that are kept.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kept {
    names: usize,
    bytes: usize,
}

impl Kept {
    /// Reserves space for a name, and returns whether it fits.
    fn takes(&mut self, name: &str) -> bool {
        let fits = self.names < MAX_NAMES && name.len() <= MAX_NAME_BYTES - self.bytes;
        if fits {
            self.names += 1;
            self.bytes += name.len();
        }
        fits
    }
}

/// Reads a batch and collects its statistics. Memory use is limited, whatever the lines contain.
///
/// # Errors
/// Errors of reading, and a line that is too long.
pub fn survey(workers: &Workers, input: Box<dyn Read + Send>, place: &Place) -> Result<Survey> {
    let limits =
        LineLimits { max_line: MAX_SEALED_LINE, what: "sealed line", max_lines: usize::MAX };
    let mut total = Survey::default();
    workers.run(
        vec![Part { place: place.clone(), reader: input }],
        limits,
        |_| Ok(()),
        |block, ()| Counts::of(block.lines(), block.first_line),
        |counts, block: &mut Block| {
            total.lines += block.lines as u64;
            total.bytes += block.len() as u64;
            total.add(counts);
            Ok(())
        },
    )?;
    Ok(total)
}

/// Statistics of the first line alone, and its length in bytes, including the line feed.
pub fn first_line(bytes: &[u8]) -> (Survey, usize) {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut survey = Survey { lines: 1, bytes: line.len() as u64, ..Survey::default() };
    survey.add(Counts::of([line], 1));
    (survey, line.len() + 1)
}

/// Statistics of one block.
struct Counts {
    longest: usize,
    manifests: u64,
    /// Lines by kind and key, in the order of first appearance.
    lines: Vec<((GroupKey, Option<String>), u64)>,
    malformed: Option<(u64, Failure)>,
}

impl Counts {
    fn of<'l>(lines: impl IntoIterator<Item = &'l [u8]>, first: u64) -> Self {
        let mut counts: BTreeMap<_, (u64, u64)> = BTreeMap::new();
        let (mut longest, mut manifests, mut malformed) = (0, 0, None);
        for (number, line) in (first..).zip(lines) {
            longest = longest.max(line.len());
            match describe(line) {
                Ok(None) => manifests += u64::from(Manifest::is_one(line)),
                Ok(Some(named)) => counts.entry(named).or_insert((number, 0)).1 += 1,
                Err(why) => {
                    malformed.get_or_insert((number, why));
                }
            }
        }
        let mut lines: Vec<_> = counts.into_iter().collect();
        lines.sort_unstable_by_key(|(_, (first, _))| *first);
        let lines = lines.into_iter().map(|(named, (_, count))| (named, count)).collect();
        Self { longest, manifests, lines, malformed }
    }
}

/// The kind and the key of a line, for its first recipient; `None` if it is blank or a
/// manifest.
fn describe(line: &[u8]) -> std::result::Result<Option<(GroupKey, Option<String>)>, Failure> {
    let Some(sealed) = Sealed::read(line, Shape::Line)? else { return Ok(None) };
    let header = sealed.tokens().next().map(|token| token.header).unwrap_or_default();
    let mut text = Vec::new();
    let header = Header::decode(header, &mut text).map_err(Failure::Malformed)?;
    let key = GroupKey {
        shop: header
            .kid
            .as_deref()
            .and_then(Kid::new)
            .and_then(|kid| kid.shop())
            .map(|shop| shop.to_string()),
        alg: header.alg.into_owned(),
        enc: header.enc.into_owned(),
        typ: header.typ,
        carries: header.carries,
        layers: header.chain.len() + 1,
        was: Provenance::of_line(line),
    };
    Ok(Some((key, header.kid.map(Cow::into_owned))))
}

impl Survey {
    fn add(&mut self, counts: Counts) {
        self.longest = self.longest.max(counts.longest);
        self.manifests += counts.manifests;
        for ((kind, kid), lines) in counts.lines {
            let known = self.groups.contains_key(&kind) || self.groups.len() < MAX_KINDS;
            let group = match known {
                true => self.groups.entry(kind).or_default(),
                false => &mut self.others,
            };
            group.lines += lines;
            let Some(kid) = kid else { continue };
            if let Some(count) = group.kids.get_mut(&*kid) {
                *count += lines;
            } else if self.kept.takes(&kid) {
                group.kids.insert(kid.into_boxed_str(), lines);
            } else {
                group.beyond += lines;
            }
        }
        if self.malformed.is_none() {
            self.malformed = counts.malformed;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::ciphers::base64url;

    fn line(shop: u64, id: u64) -> String {
        let header = format!(r#"{{"alg":"dir","enc":"A256GCM","kid":"s{shop}/{id}"}}"#);
        format!("{}....\n", base64url::encode_to_string(header.as_bytes()))
    }

    fn read(lines: impl Iterator<Item = String>, threads: usize) -> Survey {
        let workers = Workers::new(Some(threads)).unwrap();
        let input = Box::new(Cursor::new(lines.collect::<String>().into_bytes()));
        survey(&workers, input, &Place::file("in")).unwrap()
    }

    #[test]
    fn names_are_counted_exactly_until_there_are_too_many() {
        let many = MAX_NAMES as u64 + 1000;
        let lines = || (0..many).chain([0, many - 1]).map(|id| line(id % 2, id));
        let found = read(lines(), 2);
        let groups: Vec<&Group> = found.groups.values().collect();
        assert_eq!((found.lines, groups.len()), (many + 2, 2));
        assert_eq!(groups.iter().map(|group| group.kids.len()).sum::<usize>(), MAX_NAMES);
        assert_eq!(groups.iter().map(|group| group.beyond).sum::<u64>(), 1001);
        assert_eq!((groups[0].kids["s0/0"], groups[1].kids["s1/1"]), (2, 1));
        assert_eq!(found, read(lines(), 1), "which names are kept does not depend on the threads");
        let exact = read((0..many - 1000).map(|id| line(0, id)), 2);
        let group = exact.groups.values().next().unwrap();
        assert_eq!((group.kids.len(), group.beyond), (MAX_NAMES, 0));
    }

    #[test]
    fn kinds_are_told_apart_until_there_are_too_many() {
        let found = read((0..MAX_KINDS as u64 + 5).chain([0]).map(|shop| line(shop, 7)), 2);
        assert_eq!(found.groups.len(), MAX_KINDS);
        assert_eq!((found.others.lines, found.others.kids.len()), (5, 5));
        let first = found.groups.iter().find(|(kind, _)| kind.shop.as_deref() == Some("s0"));
        assert_eq!(first.unwrap().1.lines, 2);
    }

    #[test]
    fn long_names_fill_the_room_sooner() {
        let mut kept = Kept { names: 0, bytes: MAX_NAME_BYTES - 5 };
        assert!(!kept.takes("123456") && kept.takes("12345") && !kept.takes("1") && kept.takes(""));
    }
}
