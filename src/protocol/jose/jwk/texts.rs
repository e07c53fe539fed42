//! The texts of keys, one after the other.
//!
//! The keys of a pool differ in nothing but their secrets and their names. Such a key is read and
//! written by what its text has in common with that of the key before it, without looking for members.

use std::borrow::Cow;

use super::{DecryptingKey, Jwk, JwkRef, KeyRef, Refusal, Usage};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::Origin;
use crate::ciphers::{Wiped, base64url};
use crate::protocol::jose::json;
use crate::protocol::model::Kid;

/// Reads or writes the texts of keys, one after the other.
#[derive(Debug, Default)]
pub(in crate::protocol) struct KeyTexts {
    last: Option<Pattern>,
}

/// What secret keys, and their texts as they are written here, have in common.
#[derive(Debug)]
struct Pattern {
    alg: Option<Cow<'static, str>>,
    usage: Usage,
    origin: Origin,
    /// Length of the secret in bytes.
    len: usize,
    /// The text before the secret, from there to the name, and after the name.
    parts: [Vec<u8>; 3],
}

impl KeyTexts {
    /// Reads the next key; `None` if its text is no JSON object, or one with very many arrays and objects.
    pub fn read(&mut self, text: &[u8]) -> Option<Result<Jwk, Refusal>> {
        if let Some(key) = self.last.as_ref().and_then(|pattern| pattern.read(text)) {
            return Some(Ok(key));
        }
        let key = json::read_object(text, |members| Jwk::from_members(Some(members)))?;
        self.last = key.as_ref().ok().and_then(|key| {
            let pattern = Pattern::of(key.view(), text)?;
            // A name that is known is not copied for each key.
            Some(Pattern { alg: key.alg.clone(), ..pattern })
        });
        Some(key)
    }

    /// Writes the next key, as [`JwkRef::write`] does.
    pub fn write(&mut self, key: JwkRef<'_>, out: &mut Wiped) {
        if self.last.as_ref().is_some_and(|pattern| pattern.write(key, out)) {
            return;
        }
        let from = out.len();
        key.write(None, out);
        self.last = Pattern::of(key, &out[from..]);
    }

    /// Length in bytes of the next key's text.
    pub fn len(&mut self, key: JwkRef<'_>) -> usize {
        if let Some((pattern, (_, kid))) = self.last.as_ref().and_then(|p| Some((p, p.holes(key)?)))
        {
            let parts: usize = pattern.parts.iter().map(Vec::len).sum();
            return parts + base64url::encoded_length(pattern.len) + kid.as_str().len();
        }
        let mut text = Wiped::default();
        key.write(None, &mut text);
        self.last = Pattern::of(key, &text);
        text.len()
    }
}

impl Pattern {
    /// The pattern of a secret key, if `text` is what is written for it.
    fn of(key: JwkRef<'_>, text: &[u8]) -> Option<Self> {
        let (KeyRef::Secret(secret), Some(kid)) = (key.material, key.kid) else { return None };
        if !json::is_plain(kid.as_str()) {
            return None;
        }
        let mut written = Wiped::with_capacity(text.len());
        key.write(None, &mut written);
        if written[..] != *text {
            return None;
        }
        // Members stand in the order of their names, and a quote in a text is escaped.
        let secret_at = memchr::memmem::find(text, SECRET)? + SECRET.len();
        let after_secret = secret_at + base64url::encoded_length(secret.len());
        let kid_at = after_secret + memchr::memmem::find(&text[after_secret..], NAME)? + NAME.len();
        let after_kid = kid_at + kid.as_str().len();
        let parts = [&text[..secret_at], &text[after_secret..kid_at], &text[after_kid..]];
        Some(Self {
            alg: key.alg.map(|alg| alg.to_owned().into()),
            usage: key.usage.clone(),
            origin: key.origin,
            len: secret.len(),
            parts: parts.map(<[u8]>::to_vec),
        })
    }

    /// The key of this text, if it fits.
    fn read(&self, text: &[u8]) -> Option<Jwk> {
        let [before, between, after] = &self.parts;
        let rest = text.strip_prefix(&before[..])?.strip_suffix(&after[..])?;
        let (secret, rest) = rest.split_at_checked(base64url::encoded_length(self.len))?;
        let kid = std::str::from_utf8(rest.strip_prefix(&between[..])?).ok()?;
        let kid = Kid::new(kid).filter(|_| json::is_plain(kid))?;
        let secret = base64url::decode_to_vec(secret)?;
        Some(Jwk {
            kid: Some(kid),
            alg: self.alg.clone(),
            usage: self.usage.clone(),
            origin: self.origin,
            material: DecryptingKey::Secret(secret.into()).into(),
        })
    }

    /// The secret and the name of a key, if nothing else of it differs.
    fn holes<'k>(&self, key: JwkRef<'k>) -> Option<(&'k [u8], &'k Kid)> {
        let KeyRef::Secret(secret) = key.material else { return None };
        let kid = key.kid.filter(|kid| json::is_plain(kid.as_str()))?;
        let is_alike = (key.alg, key.usage, key.origin, secret.len())
            == (self.alg.as_deref(), &self.usage, self.origin, self.len);
        is_alike.then_some((secret, kid))
    }

    /// Writes a key, if it fits.
    fn write(&self, key: JwkRef<'_>, out: &mut Wiped) -> bool {
        let Some((secret, kid)) = self.holes(key) else { return false };
        let [before, between, after] = &self.parts;
        out.append(before);
        let from = out.len();
        out.extend_to(from + base64url::encoded_length(secret.len()));
        base64url::encode(Backend::detect(), secret, &mut out[from..]);
        out.append(between);
        out.append(kid.as_str().as_bytes());
        out.append(after);
        true
    }
}

/// What stands before a secret and before a name.
const SECRET: &[u8] = b"\"k\":\"";
const NAME: &[u8] = b"\"kid\":\"";

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"alg":"A256KW","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","kid":"tokyo/1","kty":"oct","use":"enc"}"#;

    fn alone(text: &str) -> Option<Result<Jwk, Refusal>> {
        KeyTexts::default().read(text.as_bytes())
    }

    /// Texts that differ from the first in all ways that a pattern could overlook.
    fn others() -> Vec<String> {
        let mut others = vec![
            FIRST.replace("tokyo/1", "osaka/23456"),
            FIRST.replace("tokyo/1", "to\\u006byo"),
            FIRST.replace("tokyo/1", "to\"kyo"),
            FIRST.replace("tokyo/1", "té"),
            FIRST.replace("tokyo/1", "to\u{1}kyo"),
            FIRST.replace("tokyo/1", ""),
            FIRST.replace("tokyo/1", &"x".repeat(1025)),
            FIRST.replace("tokyo/1", "1\",\"kid\":\"2"),
            FIRST.replace("tokyo/1", "1\",\"origin\":\"seeded"),
            FIRST.replace("A256KW", "A256GCMKW"),
            FIRST.replace("A256KW", "A128KW"),
            FIRST.replace("Hh8\"", "Hh9\""),
            FIRST.replace("Hh8\"", "Hg8\""),
            FIRST.replace("Hh8\"", "Hh+\""),
            FIRST.replace("Hh8\"", "\""),
            FIRST.replace("\"use\":\"enc\"", "\"use\":\"sig\""),
            FIRST.replace(",\"use\":\"enc\"", ""),
            FIRST.replace("\"use\"", "\"origin\":\"seeded\",\"use\""),
            FIRST.replace("{\"alg\"", "{\"a\":{\"k\":\"AAAA\"},\"alg\""),
            FIRST.replace("\"alg\":\"A256KW\",", ""),
            format!("{FIRST} "),
            format!("{FIRST}}}"),
            FIRST.replace(',', ", "),
            "[]".to_owned(),
            String::new(),
        ];
        for at in 1..FIRST.len() {
            others.push(FIRST[at..].to_owned());
            others.push(FIRST[..at].to_owned());
        }
        others
    }

    #[test]
    fn a_key_after_another_is_read_as_alone() {
        for other in others() {
            let mut texts = KeyTexts::default();
            for text in [FIRST, &other, &other, FIRST] {
                assert_eq!(texts.read(text.as_bytes()), alone(text), "{text}");
            }
        }
    }

    #[test]
    fn a_key_after_another_is_written_as_alone() {
        for other in others() {
            let (mut written, mut counted) = (KeyTexts::default(), KeyTexts::default());
            for text in [FIRST, &other, &other, FIRST] {
                let Some(Ok(key)) = alone(text) else { continue };
                let (mut whole, mut alike) = (Wiped::default(), Wiped::default());
                key.view().write(None, &mut whole);
                written.write(key.view(), &mut alike);
                assert_eq!(*alike, *whole);
                assert_eq!(counted.len(key.view()), whole.len());
            }
        }
    }

    #[test]
    fn a_text_in_another_form_is_no_pattern() {
        // In the second text, the first `k` is not the key's.
        let nested = FIRST.replace(
            "{\"alg\"",
            "{\"a\":{\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"},\"alg\"",
        );
        let changed = nested.replacen("AAEC", "BBEC", 1);
        let mut texts = KeyTexts::default();
        for text in [FIRST, &nested, &changed] {
            assert_eq!(texts.read(text.as_bytes()), alone(FIRST), "{text}");
        }
    }
}
