//! Sealed lines with their tickets, and how they are sent together.

use std::ops::Range;

use crate::protocol::jose::jwe::MAX_SEALED_LINE;
use crate::protocol::jose::ticket::{MAX_TICKET, MOST_IDS};
use crate::protocol::model::{Error, Malformed, Place, Result};

/// Most bytes sent in one request, unless one line is longer.
const MOST_BYTES: usize = 4 << 20;

/// Stands for a ticket where the shop asks for none.
const NO_TICKET: &str = "-";

/// Longest line of a file with sealed lines and their tickets, in bytes.
pub(super) const MAX_LINE: usize = MAX_SEALED_LINE + MAX_TICKET + 1;

/// Sealed lines in their order, each with its ticket.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    ticket: Option<String>,
    text: String,
}

/// Lines that one request sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Post {
    /// Which of the lines.
    pub(super) lines: Range<usize>,
    /// Their ticket.
    pub(super) ticket: Option<String>,
    /// The lines.
    pub(super) body: Vec<u8>,
}

impl Sealed {
    /// Number of lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Adds a line.
    pub(super) fn push(&mut self, ticket: Option<&str>, text: &str) {
        self.lines.push(Line { ticket: ticket.map(str::to_owned), text: text.to_owned() });
    }

    /// Adds a line with its ticket, as in a file.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(super) fn read(&mut self, line: &[u8], place: &Place) -> Result<()> {
        let text = str::from_utf8(line).ok().filter(|text| text.is_ascii());
        let parts = text.and_then(|text| text.trim_end().split_once(' '));
        let is_plain =
            |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_graphic());
        match parts {
            Some((ticket, text)) if is_plain(ticket) && is_plain(text) => {
                self.push((ticket != NO_TICKET).then_some(ticket), text);
                Ok(())
            }
            Some(_) | None => {
                let expected = "a ticket or -, a space and a sealed order";
                Err(Error::malformed(place, Malformed::Expected(expected)))
            }
        }
    }

    /// The lines from one on, as in a file.
    pub(super) fn to_bytes(&self, from: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for Line { ticket, text } in &self.lines[from..] {
            for part in [ticket.as_deref().unwrap_or(NO_TICKET), " ", text, "\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes
    }

    /// Cuts the lines into requests, in their order: those of one ticket that follow each other.
    pub(super) fn posts(&self) -> impl Iterator<Item = Post> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let ticket = &self.lines.get(start)?.ticket;
            let (mut end, mut body) = (start, Vec::new());
            for line in self.lines[start..].iter().take(MOST_IDS) {
                let is_full = end > start && body.len() + line.text.len() >= MOST_BYTES;
                if line.ticket != *ticket || is_full {
                    break;
                }
                body.extend_from_slice(line.text.as_bytes());
                body.push(b'\n');
                end += 1;
            }
            let post = Post { lines: start..end, ticket: ticket.clone(), body };
            start = end;
            Some(post)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(lines: &[(Option<&str>, &str)]) -> Sealed {
        let mut sealed = Sealed::default();
        lines.iter().for_each(|(ticket, text)| sealed.push(*ticket, text));
        sealed
    }

    #[test]
    fn a_request_has_at_most_a_hundred_lines_of_one_ticket() {
        let mut lines = vec![(Some("a"), "x"); 150];
        lines.extend([(Some("b"), "y"), (Some("a"), "x"), (None, "z"), (None, "z")]);
        let sealed = sealed(&lines);
        let posts: Vec<Post> = sealed.posts().collect();
        let ranges: Vec<_> = posts.iter().map(|post| post.lines.clone()).collect();
        assert_eq!(ranges, [0..100, 100..150, 150..151, 151..152, 152..154]);
        assert_eq!(posts[4], Post { lines: 152..154, ticket: None, body: b"z\nz\n".to_vec() });
        assert_eq!(posts[2].ticket.as_deref(), Some("b"));
    }

    #[test]
    fn a_request_has_at_most_four_mebibytes_or_one_line() {
        let (long, huge) = ("x".repeat(MOST_BYTES / 2 - 1), "y".repeat(MOST_BYTES + 1));
        let lines = [long.as_str(), &long, &long, &huge, "z"].map(|text| (None, text));
        let ranges: Vec<_> = sealed(&lines).posts().map(|post| post.lines).collect();
        assert_eq!(ranges, [0..2, 2..3, 3..4, 4..5]);
        assert!(sealed(&lines).posts().next().unwrap().body.len() <= MOST_BYTES);
    }

    #[test]
    fn lines_are_read_back_as_written() {
        let sealed = sealed(&[(Some("a.b.c"), "x"), (None, "y"), (Some("a.b.c"), "z")]);
        assert_eq!(sealed.to_bytes(1), b"- y\na.b.c z\n");
        let (all, mut again) = (sealed.to_bytes(0), Sealed::default());
        for line in all.trim_ascii_end().split(|&byte| byte == b'\n') {
            again.read(line, &Place::file("f")).unwrap();
        }
        assert_eq!(again.to_bytes(0), all);
        for wrong in ["", "x", " x", "a ", "a  x", "a x y", "ä x", "a\tb x"] {
            assert!(again.read(wrong.as_bytes(), &Place::file("f")).is_err(), "{wrong:?}");
        }
    }
}
