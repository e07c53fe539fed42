//! Selection of the rows to measure.

use std::collections::BTreeSet;

use crate::ciphers::cpu::Backend;

use super::report::Id;
use super::rows::{self, GROUPS, Row};

/// The user's selection.
#[derive(Default)]
pub struct Choice<'a> {
    /// Parts of names, see [`Filter`]; if empty, the usual rows.
    pub filter: Filter<'a>,
    /// Backends to compare with the first of them; if empty, all.
    pub compare: &'a [Backend],
    /// The rows to choose from if there is no filter, instead of the usual ones.
    pub among: Option<&'a BTreeSet<Id>>,
}

/// Parts of ids, in upper or lower case and in any spelling of a cipher's name.
#[derive(Default, Clone, Copy)]
pub struct Filter<'a> {
    /// The parts, of which an id contains at least one.
    pub parts: &'a [String],
    /// Pairs of names for the same algorithm, the first as in ids.
    pub spellings: &'a [(&'a str, &'a str)],
}

impl Filter<'_> {
    /// Returns whether an id contains one of the parts.
    pub fn matches(&self, id: &Id) -> bool {
        let names = [id.to_string(), self.spelled_otherwise(id)].map(|name| plain(&name));
        self.parts
            .iter()
            .map(|part| plain(part))
            .any(|part| names.iter().any(|it| it.contains(&part)))
    }

    /// Returns the id with the other names of its algorithms, as far as they have some.
    fn spelled_otherwise(&self, id: &Id) -> String {
        let other = |name: &str| {
            // Of RSA with any modulus, and of the bare cipher by what JOSE makes of it: not the same.
            if let Some((_, padding)) = name.strip_prefix("rsa-").and_then(|it| it.split_once('-'))
            {
                return format!("rsa-{padding}");
            }
            let pair = self.spellings.iter().find_map(|(ours, jose)| match () {
                () if jose.eq_ignore_ascii_case(name) => Some(*ours),
                () if *ours == name && !BARE.contains(&&*id.operation) => Some(*jose),
                () => None,
            });
            pair.unwrap_or(name).to_owned()
        };
        let cipher: Vec<String> = id.cipher.split('+').map(other).collect();
        Id { cipher: cipher.join("+"), ..id.clone() }.to_string()
    }
}

/// Operations of a cipher alone, which the name of a JOSE algorithm does not mean.
const BARE: [&str; 5] = ["ecb", "ctr", "cbc-encrypt", "cbc-decrypt", "xor"];

/// Returns a name in lower case and without the difference between `ECDH-ES+A256KW` and
/// `ecdh-es-a256kw`.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('+', "-")
}

impl Choice<'_> {
    /// Returns the rows, each with its group. Backends that answer the same question are adjacent,
    /// the compared ones in their order, and are timed one after the other.
    pub fn rows(&self) -> Vec<(&'static str, Row)> {
        let usual = usual_questions();
        let mut chosen: Vec<_> = all().collect();
        chosen.retain(|(_, row)| match self.among {
            _ if !self.filter.parts.is_empty() => self.filter.matches(&Id::of(row)),
            Some(ids) => ids.contains(&Id::of(row)),
            None if self.compare.is_empty() => !row.extra,
            None => usual.contains(&row.question()),
        });
        self.keep_compared(&mut chosen);
        let mut questions: Vec<_> = chosen.iter().map(|(_, row)| row.question()).collect();
        questions.dedup();
        let place = |row: &Row| self.compare.iter().position(|it| it.name() == row.backend);
        chosen.sort_by_cached_key(|(_, row)| {
            (questions.iter().position(|question| *question == row.question()), place(row))
        });
        chosen
    }

    /// Keeps the compared backends where the first of them and at least one other have an answer.
    fn keep_compared(&self, chosen: &mut Vec<(&'static str, Row)>) {
        let Some(first) = self.compare.first() else { return };
        chosen.retain(|(_, row)| self.compare.iter().any(|it| it.name() == row.backend));
        let of = |base: bool| -> BTreeSet<_> {
            let rows = chosen.iter().filter(|(_, row)| (row.backend == first.name()) == base);
            rows.map(|(_, row)| row.question()).collect()
        };
        let (base, others) = (of(true), of(false));
        chosen
            .retain(|(_, row)| base.contains(&row.question()) && others.contains(&row.question()));
    }
}

fn all() -> impl Iterator<Item = (&'static str, Row)> {
    let rows = |(group, lists): (&'static str, &'static [rows::List])| {
        lists.iter().flat_map(|list| list()).map(move |row| (group, row))
    };
    GROUPS.into_iter().flat_map(rows)
}

/// Returns the questions measured by default, on every backend.
fn usual_questions() -> BTreeSet<rows::Question> {
    all().filter(|(_, row)| !row.extra).map(|(_, row)| row.question()).collect()
}

/// Returns a few of the usual ids as examples.
pub fn examples() -> Vec<String> {
    let usual: Vec<_> = all().filter(|(_, row)| !row.extra).collect();
    usual.iter().step_by(usual.len().div_ceil(6)).map(|(_, row)| row.id()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPELLINGS: [(&str, &str); 4] = [
        ("aes-256-gcm", "A256GCM"),
        ("aes-256-kw", "A256KW"),
        ("toy-des", "TOYDES-ECB-HS256"),
        ("des", "DES-CBC-HS256"),
    ];

    fn filtered(parts: &[&str]) -> Vec<(&'static str, Row)> {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let filter = Filter { parts: &parts, spellings: &SPELLINGS };
        Choice { filter, ..Choice::default() }.rows()
    }

    #[test]
    fn every_spelling_of_a_cipher_finds_its_rows() {
        let ciphers = |part: &str| -> BTreeSet<String> {
            filtered(&[part]).into_iter().map(|(_, row)| row.cipher.into_owned()).collect()
        };
        let gcm = ciphers("A256GCM");
        assert!(gcm.contains("aes-256-gcm") && gcm.contains("A256KW+A256GCM"), "{gcm:?}");
        for other in ["aes-256-gcm", "AES-256-GCM", "a256gcm"] {
            assert!(ciphers(other).is_superset(&gcm), "{other}");
        }
        let rsa = ciphers("RSA-OAEP-256");
        assert!(rsa.contains("rsa-2048-oaep-256") && rsa.contains("rsa-4096-oaep-256"), "{rsa:?}");
        let curves = ciphers("ECDH-ES+A256KW");
        for cipher in ["p-256-ecdh-es-a256kw", "x25519-ecdh-es-a256kw", "X25519+ECDH-ES+A256KW"] {
            assert!(curves.contains(cipher), "{curves:?}");
        }
        assert!(ciphers("toy-des").contains("toydes-ecb-hs256"));
        // The JOSE algorithm is more than the cipher.
        assert!(!ciphers("DES-CBC-HS256").contains("des"));
        assert!(ciphers("wrap/A256KW").iter().all(|cipher| cipher == "aes-256-kw"));
    }

    #[test]
    fn rows_can_be_those_of_an_earlier_run() {
        let among = BTreeSet::from([Id::of(&all().next().unwrap().1)]);
        let chosen = Choice { among: Some(&among), ..Choice::default() }.rows();
        assert_eq!(chosen.iter().map(|(_, row)| Id::of(row)).collect::<BTreeSet<_>>(), among);
    }

    #[test]
    fn no_id_comes_twice_and_each_has_four_parts() {
        let ids: Vec<String> = all().map(|(_, row)| row.id()).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        for id in &ids {
            let parts: Vec<_> = id.split('/').collect();
            assert_eq!(parts.len(), 4, "{id}");
            assert!(parts.iter().all(|part| !part.is_empty()), "{id}");
        }
    }

    #[test]
    fn backends_of_a_question_stand_together_and_those_asked_for_rarely_are_left_out() {
        let chosen = Choice::default().rows();
        let mut questions: Vec<_> = chosen.iter().map(|(_, row)| row.question()).collect();
        questions.dedup();
        let distinct: BTreeSet<_> = questions.iter().collect();
        assert_eq!(distinct.len(), questions.len());
        assert!(chosen.len() < all().count());
        assert_eq!(filtered(&["/"]).len(), all().count());
    }

    #[test]
    fn compared_backends_answer_the_same_questions() {
        let compare = ["portable", "rustcrypto"].map(|name| Backend::from_name(name).unwrap());
        let chosen = Choice { compare: &compare, ..Choice::default() }.rows();
        assert!(!chosen.is_empty());
        for pair in chosen.chunks(2) {
            let [(_, one), (_, other)] = pair else { panic!("{} stands alone", pair[0].1.id()) };
            assert_eq!(one.question(), other.question());
            assert_eq!((one.backend, other.backend), ("portable", "rustcrypto"));
        }
    }
}
