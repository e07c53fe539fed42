//! Option values chosen by name.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

/// Minimum similarity, from 0 to 1, of a suggested name to the one that was typed.
const SIMILAR: f64 = 0.8;

/// An alternative spelling, and the name that it stands for.
pub type Spelling = (&'static str, &'static str);

/// Parses one of a list of names, case-insensitively.
#[derive(Debug, Clone)]
pub struct OneOf<T> {
    values: Vec<(&'static str, T)>,
    spellings: &'static [Spelling],
    refused: Option<(&'static str, &'static str)>,
}

/// Creates a parser for these names.
pub fn one_of<T>(values: impl IntoIterator<Item = (&'static str, T)>) -> OneOf<T> {
    OneOf { values: values.into_iter().collect(), spellings: &[], refused: None }
}

impl<T> OneOf<T> {
    /// Accepts alternative spellings, which are not listed.
    pub fn spelled(self, spellings: &'static [Spelling]) -> Self {
        Self { spellings, ..self }
    }

    /// Rejects a name with a specific reason.
    pub fn refusing(self, name: &'static str, reason: &'static str) -> Self {
        Self { refused: Some((name, reason)), ..self }
    }

    /// Returns the value of a name or spelling.
    pub fn find(&self, text: &str) -> Option<&T> {
        let spelled = self.spellings.iter().find(|(other, _)| other.eq_ignore_ascii_case(text));
        let name = spelled.map_or(text, |(_, name)| name);
        let mut values = self.values.iter();
        values.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.values.iter().map(|(name, _)| *name)
    }

    /// Returns the name that was probably meant.
    fn similar(&self, text: &str) -> Option<&'static str> {
        let spellings = self.spellings.iter().copied();
        let spellings = spellings.filter(|(_, name)| self.names().any(|known| known == *name));
        similar(text, self.names().map(|name| (name, name)).chain(spellings))
    }
}

/// Returns the name that was probably meant, of names with their spellings.
pub fn similar<'n>(
    text: &str,
    names: impl IntoIterator<Item = (&'n str, &'n str)>,
) -> Option<&'n str> {
    let text = text.to_lowercase();
    // Similarity weighs beginnings most, and would take RSA-OAEP for a misspelled RSA-OAEP-256.
    names
        .into_iter()
        .map(|(typed, name)| (typed.to_lowercase(), name))
        .filter(|(typed, _)| strsim::jaro_winkler(typed, &text) > SIMILAR)
        .min_by_key(|(typed, _)| strsim::osa_distance(typed, &text))
        .map(|(_, name)| name)
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for OneOf<T> {
    type Value = T;

    fn parse_ref(&self, cmd: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let text = value.to_string_lossy();
        if let Some(value) = self.find(&text) {
            return Ok(value.clone());
        }
        let option = arg.map_or(String::new(), ToString::to_string);
        if let Some((_, reason)) = self.refused.filter(|(name, _)| *name == text) {
            let found = format!("invalid value '{text}' for '{option}': {reason}\n");
            return Err(Error::raw(ErrorKind::ValueValidation, found).with_cmd(cmd));
        }
        let mut error = Error::new(ErrorKind::InvalidValue).with_cmd(cmd);
        let names = self.names().map(str::to_owned).collect();
        error.insert(ContextKind::InvalidArg, ContextValue::String(option));
        error.insert(ContextKind::InvalidValue, ContextValue::String(text.to_string()));
        error.insert(ContextKind::ValidValue, ContextValue::Strings(names));
        if let Some(name) = self.similar(&text) {
            error.insert(ContextKind::SuggestedValue, ContextValue::String(name.to_owned()));
        }
        Err(error)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names().map(PossibleValue::new)))
    }
}
