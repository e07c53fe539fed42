//! Tables in CSV (RFC 4180), as far as it matters where their lines end.

/// The line, counted from 1, on which a quoted field begins that goes on after the end of the line;
/// `None` if the text has none or is not CSV. A quote that the text leaves open does not count: it
/// may be no CSV.
pub fn quoted_line_feed(text: &[u8]) -> Option<u64> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if let Some(b'{' | b'[') = text.trim_ascii_start().first() {
        return None;
    }
    let is_separator = |byte: &u8| matches!(byte, b',' | b';' | b'\t');
    let (mut rest, mut line, mut separated, mut found) = (text, 1, false, None);
    while let Some(first) = rest.first() {
        if *first == b'"' {
            let length = quoted(rest)?;
            let feeds = memchr::memchr_iter(b'\n', &rest[..length]).count() as u64;
            found = found.or((feeds > 0).then_some(line));
            line += feeds;
            rest = &rest[length..];
        } else {
            let end = |byte: &u8| is_separator(byte) || *byte == b'\n';
            rest = &rest[rest.iter().position(end).unwrap_or(rest.len())..];
        }
        match rest.strip_prefix(b"\r").unwrap_or(rest) {
            [b'\n', after @ ..] => (rest, line) = (after, line + 1),
            [byte, after @ ..] if is_separator(byte) => (rest, separated) = (after, true),
            [] => break,
            _ => return None,
        }
        if separated && found.is_some() {
            return found;
        }
    }
    found.filter(|_| separated)
}

/// Length of the quoted field at the beginning of a text, with its quotes.
fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr(b'"', &text[at..])? + 1;
        match text.get(at) {
            Some(b'"') => at += 1,
            Some(_) | None => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted_line_feed;

    #[test]
    fn line_feeds_inside_quotes_are_found_in_csv_only() {
        for (text, line) in [
            ("id,note\n1,\"two\nlines\"\n", Some(2)),
            ("id;note\r\n1;\"two\r\nlines\"\r\n", Some(2)),
            ("\u{feff}\"a\nb\"\t\"c\"", Some(1)),
            ("1,\"he said \"\"no\"\"\n\"\n", Some(1)),
            ("id,note\n1,\"one line\"\n2,two\n", None),
            ("1,\"left open\n2,x\n", None),
            ("\"said she,\nand went\" away, alone\n", None),
            ("\"no\ntable\"\n", None),
            ("said she, \"no\n\", and went\n", None),
            ("{\"a\":1,\"b\":\"c\"}\n{\"a\":\n\"b\"}\n", None),
            ("[\"a\",\n\"b\"]\n", None),
            ("", None),
        ] {
            assert_eq!(quoted_line_feed(text.as_bytes()), line, "{text:?}");
        }
    }
}
