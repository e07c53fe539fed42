//! Selection of the rows to measure.

use std::collections::BTreeSet;

use crate::ciphers::cpu::Backend;

use super::rows::{self, GROUPS, Row};

/// The user's selection.
#[derive(Default)]
pub struct Choice<'a> {
    /// Substrings of ids, case-insensitive; if empty, the usual rows.
    pub filter: &'a [String],
    /// Backends to compare with the first of them; if empty, all.
    pub compare: &'a [Backend],
}

impl Choice<'_> {
    /// Returns the rows, each with its group. Backends that answer the same question are adjacent,
    /// and are timed one after the other.
    pub fn rows(&self) -> Vec<(&'static str, Row)> {
        let usual = usual_questions();
        let filters: Vec<String> = self.filter.iter().map(|text| text.to_lowercase()).collect();
        let mut chosen: Vec<_> = all().collect();
        chosen.retain(|(_, row)| match (filters.is_empty(), self.compare.is_empty()) {
            (true, true) => !row.extra,
            (true, false) => usual.contains(&row.question()),
            _ => filters.iter().any(|filter| row.id().to_lowercase().contains(filter)),
        });
        self.keep_compared(&mut chosen);
        let mut questions: Vec<_> = chosen.iter().map(|(_, row)| row.question()).collect();
        questions.dedup();
        chosen.sort_by_cached_key(|(_, row)| {
            questions.iter().position(|question| *question == row.question())
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
        let everything = Choice { filter: &["/".to_owned()], compare: &[] };
        assert_eq!(everything.rows().len(), all().count());
    }

    #[test]
    fn compared_backends_answer_the_same_questions() {
        let compare = ["rustcrypto", "portable"].map(|name| Backend::from_name(name).unwrap());
        let chosen = Choice { filter: &[], compare: &compare }.rows();
        assert!(!chosen.is_empty());
        for pair in chosen.chunks(2) {
            let [(_, one), (_, other)] = pair else { panic!("{} stands alone", pair[0].1.id()) };
            assert_eq!(one.question(), other.question());
            assert_eq!((one.backend, other.backend), ("rustcrypto", "portable"));
        }
    }
}
