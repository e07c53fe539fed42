//! `--scenario`: a TOML file with plays. The members of a play are the options of the command without
//! dashes, and are read by the same rules.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{Command, CommandFactory, FromArgMatches, Parser};
use orderseal::protocol::store::files::{self, FileId};
use orderseal::protocol::{Error, Place, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::play::Play;
use crate::cmd::exit::words_of;
use crate::cmd::help;
use crate::cmd::hints::misread;
use crate::cmd::values::similar;

/// Longest scenario, in bytes.
const MAX_LEN: u64 = 1 << 20;

/// A play of a scenario.
#[derive(Debug)]
pub struct NamedPlay {
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    /// The play.
    pub play: Play,
    /// Its seed, if it names one.
    pub seed: Option<u64>,
}

/// The members of a play other than its name.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Members {
    #[command(flatten)]
    play: Play,
    #[arg(long)]
    seed: Option<u64>,
}

/// Reads a scenario; returns its plays, and the identity of the file.
///
/// # Errors
/// [`Error::Io`], and [`Error::Misread`] with the line of the fault.
pub fn read(path: &Path) -> Result<(Vec<NamedPlay>, Option<FileId>)> {
    let files::Small { bytes, place, id } = files::load_small(path, MAX_LEN, false)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok((File { text, place }.plays()?, id)),
        Err(_) => Err(misread(&place, "expected TOML in UTF-8", Vec::new())),
    }
}

/// A scenario as text.
struct File<'t> {
    text: &'t str,
    place: Place,
}

/// A table with the places of its members.
type Table<'t> = DeTable<'t>;

impl<'t> File<'t> {
    fn plays(&self) -> Result<Vec<NamedPlay>> {
        let table = DeTable::parse(self.text)
            .map_err(|error| self.fault(error.span(), error.message(), Vec::new()))?;
        let (mut plays, mut names) = (Vec::new(), BTreeSet::new());
        for (key, value) in in_order(table.get_ref()) {
            if key.get_ref() != "play" {
                return Err(self.unknown(key, ["play"]));
            }
            let expected =
                || self.fault(Some(key.span()), "expected plays, each as [[play]]", vec![]);
            for play in value.get_ref().as_array().ok_or_else(expected)? {
                let members = play.get_ref().as_table().ok_or_else(expected)?;
                let play = self.play(play.span(), members)?;
                if !names.insert(play.name.clone()) {
                    let found = format!("another play is named {:?}", play.name);
                    return Err(misread(&play.place, found, Vec::new()));
                }
                plays.push(play);
            }
        }
        match plays.is_empty() {
            true => {
                Err(misread(&self.place, "no plays, each of which begins with [[play]]", vec![]))
            }
            false => Ok(plays),
        }
    }

    fn play(&self, span: Range<usize>, members: &Table<'t>) -> Result<NamedPlay> {
        let mut command = help::shared(Members::command());
        let (mut name, mut given) = (None, Vec::new());
        for (key, value) in in_order(members) {
            match (key.get_ref().as_ref(), value.get_ref().as_str()) {
                ("name", Some(text)) if !text.is_empty() => name = Some(text.to_owned()),
                ("name", _) => {
                    let found = "name: expected a string that is not empty";
                    return Err(self.fault(Some(value.span()), found, Vec::new()));
                }
                (member, _) if takes(&command, member).is_some() => {
                    self.arguments(&command, key, value, &mut given)?;
                }
                _ => return Err(self.unknown(key, names_of(&command))),
            }
        }
        let place = self.at(span.start);
        let Some(name) = name else {
            return Err(misread(&place, "a play without name", Vec::new()));
        };
        let arguments = given.iter().map(|given| &given.argument);
        let parsed = command.try_get_matches_from_mut(arguments);
        let parsed = parsed.and_then(|found| Members::from_arg_matches(&found));
        let Members { play, seed } =
            parsed.map_err(|error| self.refused(&error, &given, span.start))?;
        Ok(NamedPlay { name, place, play, seed })
    }

    /// The arguments that a member stands for.
    fn arguments(
        &self,
        command: &Command,
        key: &Spanned<toml::de::DeString<'t>>,
        value: &Spanned<DeValue<'t>>,
        given: &mut Vec<Given>,
    ) -> Result<()> {
        let member = key.get_ref().to_string();
        let fault = |value: &Spanned<DeValue<'t>>, expected: &str| {
            let found = format!("{member}: expected {expected}");
            self.fault(Some(value.span()), found, Vec::new())
        };
        let text = |value: &Spanned<DeValue<'t>>| match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) => Ok(number.to_string()),
            DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => Err(fault(value, "a string or a whole number")),
        };
        let mut give = |value: Option<String>, at: usize| {
            let argument = match &value {
                Some(value) => format!("--{member}={value}"),
                None => format!("--{member}"),
            };
            given.push(Given { member: member.clone(), argument, value, at });
        };
        match value.get_ref() {
            DeValue::Boolean(true) => give(None, key.span().start),
            DeValue::Boolean(false) if takes(command, &member) == Some(Takes::Nothing) => {}
            DeValue::Array(values) => {
                for value in values {
                    give(Some(text(value)?), value.span().start);
                }
            }
            DeValue::Table(entries) => {
                for (entry, value) in in_order(entries) {
                    give(Some(format!("{}={}", entry.get_ref(), text(value)?)), entry.span().start);
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(false)
            | DeValue::Datetime(_) => give(Some(text(value)?), value.span().start),
        }
        Ok(())
    }

    /// The error for arguments that the command does not take.
    fn refused(&self, error: &clap::Error, given: &[Given], play: usize) -> Error {
        let (mut message, hints) = words_of(error);
        let mut named = Vec::new();
        for kind in [ContextKind::InvalidArg, ContextKind::PriorArg] {
            for option in strings(error, kind) {
                let member = option.trim_start_matches('-');
                let member = member.split([' ', '[', '=']).next().unwrap_or_default().to_owned();
                message = message.replace(&format!("'{option}'"), &member);
                named.push(member);
            }
        }
        let value = strings(error, ContextKind::InvalidValue);
        let of_member = |given: &&Given| named.contains(&given.member);
        let culprit = given.iter().filter(of_member).find(|given| {
            given.value.is_some() && given.value.as_deref() == value.first().copied()
        });
        let culprit = culprit.or_else(|| given.iter().rfind(of_member));
        let at = culprit.map_or(play, |given| given.at);
        misread(&self.at(at), message, hints)
    }

    fn unknown<'n>(
        &self,
        key: &Spanned<toml::de::DeString<'_>>,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Error {
        let known: Vec<&str> = known.into_iter().collect();
        let hint = match similar(key.get_ref(), known.iter().map(|name| (*name, *name))) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("known are {}", known.join(", ")),
        };
        self.fault(Some(key.span()), format!("unknown member {:?}", key.get_ref()), vec![hint])
    }

    fn fault(
        &self,
        span: Option<Range<usize>>,
        found: impl Into<String>,
        hints: Vec<String>,
    ) -> Error {
        let place = span.map_or(self.place.clone(), |span| self.at(span.start));
        misread(&place, found, hints)
    }

    /// The line that has this byte.
    fn at(&self, byte: usize) -> Place {
        let before = &self.text.as_bytes()[..byte.min(self.text.len())];
        self.place.at(1 + memchr::memchr_iter(b'\n', before).count() as u64)
    }
}

/// An argument, and the member that stands for it.
struct Given {
    member: String,
    argument: String,
    value: Option<String>,
    /// Where the value is.
    at: usize,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Values,
}

/// What the option of this name takes, if there is one.
fn takes(command: &Command, name: &str) -> Option<Takes> {
    let is_named = |arg: &&clap::Arg| {
        let aliases = arg.get_all_aliases().unwrap_or_default();
        arg.get_long() == Some(name) || aliases.contains(&name)
    };
    let arg = command.get_arguments().find(is_named)?;
    Some(if arg.get_action().takes_values() { Takes::Values } else { Takes::Nothing })
}

fn names_of(command: &Command) -> impl Iterator<Item = &str> {
    ["name"].into_iter().chain(command.get_arguments().filter_map(clap::Arg::get_long))
}

/// The members of a table in the order of the file.
fn in_order<'v, 't>(
    table: &'v Table<'t>,
) -> Vec<(&'v Spanned<toml::de::DeString<'t>>, &'v Spanned<DeValue<'t>>)> {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    members
}

/// What an error of the argument parser has of a kind.
fn strings(error: &clap::Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text],
        Some(ContextValue::Strings(texts)) => texts.iter().map(String::as_str).collect(),
        Some(_) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
