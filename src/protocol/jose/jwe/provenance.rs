//! What a line was before it was rewrapped.

use super::token::is_json;
use crate::ciphers::base64url;
use crate::protocol::jose::json;
use crate::protocol::model::{Kind, Suite};

/// The header member.
pub(super) const MEMBER: &str = "was";

/// Most algorithms that a line keeps: those of the first rewrapping and of the last ones.
const MOST: usize = 8;

/// The algorithms of a line before it was rewrapped, where others than those who can make it now could
/// have made it; the oldest first, separated by spaces, each as `ALG+ENC`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provenance(String);

impl Provenance {
    /// Reads the header member; `None` for one of other software.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-+".contains(&byte);
        let is_pair =
            |pair: &str| pair.contains('+') && pair.len() <= 64 && pair.bytes().all(plain);
        let pairs = || text.split(' ');
        (pairs().count() <= MOST && pairs().all(is_pair)).then(|| Self(text.to_owned()))
    }

    /// What the protected header of a line in any serialization says. Others than the maker can write into
    /// the rest of a line in a JSON serialization.
    pub fn of_line(line: &[u8]) -> Option<Self> {
        let decode = |header: &[u8]| {
            let text = base64url::decode_to_vec(header)?;
            // Most lines have no such member.
            memchr::memmem::find(&text, MEMBER.as_bytes())?;
            let header = json::parse(&text).ok()?;
            Self::parse(header.get(MEMBER)?.as_str()?)
        };
        if !is_json(line) {
            let header = &line[..memchr::memchr(b'.', line)?];
            return decode(header);
        }
        let line = json::parse(line).ok()?;
        decode(line.get("protected")?.as_str()?.as_bytes())
    }

    /// The provenance of a line that is made for `next` from a line that was made for `last` and had a
    /// provenance of its own, perhaps; `None` if it tells nothing.
    pub fn after(earlier: Option<Self>, last: Suite, next: Suite) -> Option<Self> {
        if makers(last) <= makers(next) {
            return earlier;
        }
        let last = format!("{}+{}", last.alg().name(), last.enc().name());
        let mut pairs: Vec<&str> = earlier.iter().flat_map(|own| own.0.split(' ')).collect();
        if pairs.last() != Some(&last.as_str()) {
            pairs.truncate(MOST - 1);
            pairs.push(&last);
        }
        Some(Self(pairs.join(" ")))
    }

    /// The text of the header member.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who can make a line that opens, the fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Makers {
    /// Who has the key.
    KeyHolders,
    /// Who breaks a weak cipher, too.
    Breakers,
    /// Everybody who has the public key.
    Anybody,
}

fn makers(suite: Suite) -> Makers {
    match (suite.kind(), suite.weak()) {
        (Kind::Public, _) => Makers::Anybody,
        (Kind::Secret, Some(_)) => Makers::Breakers,
        (Kind::Secret, None) => Makers::KeyHolders,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(alg: &str, enc: &str) -> Suite {
        Suite::from_header(alg, enc).unwrap()
    }

    #[test]
    fn a_line_keeps_what_more_people_could_have_made() {
        let public = suite("RSA-OAEP-256", "A256GCM");
        let weak = suite("dir", "DES-CBC-HS256");
        let secret = suite("A256KW", "A128GCM");
        let after = |earlier: Option<&str>, last, next| {
            let earlier = earlier.map(|text| Provenance::parse(text).unwrap());
            Provenance::after(earlier, last, next).map(|own| own.as_str().to_owned())
        };
        assert_eq!(after(None, secret, public), None);
        assert_eq!(after(None, secret, secret), None);
        assert_eq!(after(None, public, secret).as_deref(), Some("RSA-OAEP-256+A256GCM"));
        assert_eq!(after(None, public, weak).as_deref(), Some("RSA-OAEP-256+A256GCM"));
        assert_eq!(after(None, weak, secret).as_deref(), Some("dir+DES-CBC-HS256"));
        assert_eq!(after(None, weak, public), None);
        // What a line was is carried on, also through keys with which anybody could have said it.
        let was = "dir+DES-CBC-HS256";
        assert_eq!(after(Some(was), secret, public).as_deref(), Some(was));
        assert_eq!(
            after(Some(was), public, secret).as_deref(),
            Some("dir+DES-CBC-HS256 RSA-OAEP-256+A256GCM")
        );
        assert_eq!(
            after(Some("RSA-OAEP-256+A256GCM"), public, secret).as_deref(),
            Some("RSA-OAEP-256+A256GCM")
        );
    }

    #[test]
    fn it_stays_short_and_its_last_part_is_always_there() {
        let (public, weak) = (suite("RSA-OAEP-256", "A256GCM"), suite("dir", "DES-CBC-HS256"));
        let secret = suite("A256KW", "A128GCM");
        let mut was = None;
        for _ in 0..20 {
            for last in [weak, public] {
                was = Provenance::after(was, last, secret);
                let text = was.as_ref().unwrap().as_str();
                assert_eq!(Provenance::parse(text), was);
                let last = format!("{}+{}", last.alg().name(), last.enc().name());
                assert!(text.ends_with(&last), "{text}");
            }
        }
        for foreign in ["", "yesterday", "a+b  c+d", "a+b,c+d", "\u{1b}[1m+b"] {
            assert_eq!(Provenance::parse(foreign), None, "{foreign:?}");
        }
        assert_eq!(Provenance::parse(&["a+b"; MOST + 1].join(" ")), None);
    }
}
