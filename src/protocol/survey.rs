//! What can be said of sealed orders without a key.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use crate::protocol::batch::{Block, Cut, Workers};
use crate::protocol::envelope::{Carries, Failure, Header, MAX_SEALED_LINE};
use crate::protocol::{Kid, Place, Result};

/// What was found in a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Lines in all.
    pub lines: u64,
    /// Bytes in all.
    pub bytes: u64,
    /// The longest line in bytes.
    pub longest: usize,
    /// Lines of one kind.
    pub groups: BTreeMap<GroupKey, Group>,
    /// The first line that is not a sealed order, and why.
    pub malformed: Option<(u64, String)>,
}

/// What lines of one kind have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// The shop, if the lines name a key.
    pub shop: Option<String>,
    /// Key management.
    pub alg: String,
    /// Content encryption.
    pub enc: String,
    /// The header's `typ`, if any.
    pub typ: Option<String>,
    /// What the lines carry.
    pub carries: Carries,
    /// Content-encryption keys of a line.
    pub layers: usize,
}

/// Lines of one kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub lines: u64,
    /// How many lines name each key.
    pub kids: BTreeMap<String, u64>,
}

/// Reads a batch and counts what is in it.
///
/// # Errors
/// Of reading, and for a line that is too long.
pub fn survey(workers: &Workers, input: Box<dyn Read + Send>, place: &Place) -> Result<Survey> {
    let cut = Cut { max_line: MAX_SEALED_LINE, what: "sealed line", max_lines: usize::MAX };
    let mut total = Survey::default();
    workers.run(
        input,
        place,
        cut,
        |_| Ok(()),
        |block, ()| survey_block(block),
        |part, block| {
            total.add(part, block);
            Ok(())
        },
    )?;
    Ok(total)
}

/// What the first line alone says, and its length in bytes, line feed included.
pub fn first_line(bytes: &[u8]) -> (Survey, usize) {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    (survey_lines([line], 1), line.len() + 1)
}

fn survey_block(block: &Block) -> Survey {
    survey_lines(block.lines(), block.first_line)
}

fn survey_lines<'l>(lines: impl IntoIterator<Item = &'l [u8]>, first: u64) -> Survey {
    let mut survey = Survey::default();
    for (number, line) in (first..).zip(lines) {
        survey.longest = survey.longest.max(line.len());
        match describe(line) {
            Ok((key, kid)) => {
                let group = survey.groups.entry(key).or_default();
                group.lines += 1;
                if let Some(kid) = kid {
                    *group.kids.entry(kid).or_default() += 1;
                }
            }
            Err(why) => {
                survey.malformed.get_or_insert((number, why));
            }
        }
    }
    survey
}

fn describe(line: &[u8]) -> std::result::Result<(GroupKey, Option<String>), String> {
    let mut segments = line.split(|&byte| byte == b'.');
    let first = segments.next().unwrap_or_default();
    let mut text = Vec::new();
    let header = Header::decode(first, &mut text).map_err(|failure| match failure {
        Failure::Malformed(found) => found,
        _ => "not a header".to_owned(),
    })?;
    if segments.count() != 4 {
        return Err("not a compact JWE of 5 segments".to_owned());
    }
    let key = GroupKey {
        shop: header.kid.as_deref().and_then(Kid::new).map(|kid| kid.shop().to_string()),
        alg: header.alg.into_owned(),
        enc: header.enc.into_owned(),
        typ: header.typ,
        carries: header.carries,
        layers: header.chain.len() + 1,
    };
    Ok((key, header.kid.map(Cow::into_owned)))
}

impl Survey {
    fn add(&mut self, part: Self, block: &Block) {
        self.lines += block.lines as u64;
        self.bytes += block.len() as u64;
        self.longest = self.longest.max(part.longest);
        for (key, group) in part.groups {
            let sum = self.groups.entry(key).or_default();
            sum.lines += group.lines;
            for (kid, lines) in group.kids {
                *sum.kids.entry(kid).or_default() += lines;
            }
        }
        if self.malformed.is_none() {
            self.malformed = part.malformed;
        }
    }
}
