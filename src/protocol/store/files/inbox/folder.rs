//! The files of an inbox: `00000001-20261128.jwe` is the first, begun on that day.

use std::fmt;
use std::io;
use std::path::Path;

use crate::protocol::model::Time;

/// The name of a file of an inbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    /// Its number, counted from 1.
    pub number: u64,
    /// The day on which it was begun, as eight digits.
    pub day: String,
}

impl FileName {
    /// Whether it was begun on the day of a time.
    pub fn is_of(&self, now: Time) -> bool {
        self.day == day(now)
    }

    fn parse(name: &str) -> Option<Self> {
        let (number, day) = name.strip_suffix(".jwe")?.split_once('-')?;
        let digits = |text: &str, least| {
            text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(number, 8) || !digits(day, 8) || day.len() != 8 {
            return None;
        }
        let parsed = Self { number: number.parse().ok()?, day: day.to_owned() };
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}-{}.jwe", self.number, self.day)
    }
}

/// The day of a time, UTC, as eight digits.
pub(super) fn day(now: Time) -> String {
    now.to_string().chars().take(10).filter(char::is_ascii_digit).collect()
}

/// The files of an inbox, the oldest first. Other files in the folder are ignored.
pub(super) fn names(folder: &Path) -> io::Result<Vec<FileName>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.extend(entry?.file_name().to_str().and_then(FileName::parse));
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_made_here_are_those_of_files() {
        let name = FileName::parse("00000012-20261128.jwe").unwrap();
        assert_eq!((name.number, name.day.as_str()), (12, "20261128"));
        assert_eq!(FileName::parse("123456789-20261128.jwe").unwrap().number, 123_456_789);
        for other in [
            "12-20261128.jwe",
            "00000012.jwe",
            "00000012-20261128.jwe.gz",
            "000000012-20261128.jwe",
            "00000012-2026112.jwe",
            "-0000012-20261128.jwe",
            "",
        ] {
            assert!(FileName::parse(other).is_none(), "{other}");
        }
    }
}
