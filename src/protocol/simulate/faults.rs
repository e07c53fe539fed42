//! Faults and attacks on the way from client to shop, each with the outcome it has to have.

use super::play::{Played, open};
use super::{Case, FaultReport};
use crate::ciphers::base64url;
use crate::ciphers::random::{KeySource, SeededSource};
use crate::protocol::batch::Workers;
use crate::protocol::jwk::Jwk;
use crate::protocol::keyfile::KeyFile;
use crate::protocol::service::{self, Sizes};
use crate::protocol::{Error, KeyTrouble, Kid, Result, Scope};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A character of the ciphertext is changed.
    TamperedCiphertext,
    /// The header names another content cipher.
    ChangedHeader,
    /// Two orders exchange their ciphertexts.
    SwappedCiphertexts,
    /// A line ends too early.
    TruncatedLine,
    /// The shop has another key under the name.
    WrongKey,
    /// An order arrives at another shop.
    MixedUpShop,
    /// The header names the key of another transaction, or of another shop.
    ForeignId,
    /// An order arrives twice.
    Repeated,
    /// Orders arrive in another order.
    Reordered,
    /// An order does not arrive.
    Dropped,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The shop refuses the order.
    Refused,
    /// The ledger of transaction ids notices it.
    Noticed,
    /// All orders arrive as they were sent.
    Harmless,
    /// The shop accepts what was not sent so: no cryptography of this system tells.
    Undetectable,
    /// The fault could not be played with so few shops or orders.
    NotPlayed,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 10] = [
        Self::TamperedCiphertext,
        Self::ChangedHeader,
        Self::SwappedCiphertexts,
        Self::TruncatedLine,
        Self::WrongKey,
        Self::MixedUpShop,
        Self::ForeignId,
        Self::Repeated,
        Self::Reordered,
        Self::Dropped,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TamperedCiphertext => "tampered ciphertext",
            Self::ChangedHeader => "changed header",
            Self::SwappedCiphertexts => "swapped ciphertexts",
            Self::TruncatedLine => "truncated line",
            Self::WrongKey => "wrong key",
            Self::MixedUpShop => "mixed-up shop",
            Self::ForeignId => "foreign id",
            Self::Repeated => "repeated order",
            Self::Reordered => "reordered lines",
            Self::Dropped => "dropped order",
        }
    }

    /// The outcome that the fault has to have.
    pub const fn expected(self, scope: Scope) -> Outcome {
        match (self, scope) {
            (Self::Repeated, Scope::Transaction) => Outcome::Noticed,
            (Self::Repeated, Scope::Shop) | (Self::Dropped, _) => Outcome::Undetectable,
            (Self::Reordered, _) => Outcome::Harmless,
            _ => Outcome::Refused,
        }
    }
}

impl Outcome {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Noticed => "noticed by the transaction-id ledger",
            Self::Harmless => "harmless",
            Self::Undetectable => "not detectable",
            Self::NotPlayed => "not played",
        }
    }
}

/// Plays every fault on a shop that got at least two orders.
pub(super) fn play(case: &Case, played: &Played, workers: &Workers) -> Result<Vec<FaultReport>> {
    let mut reports = Vec::with_capacity(Fault::ALL.len());
    for fault in Fault::ALL {
        let expected = fault.expected(case.scheme.scope);
        let observed = observe(fault, case, played, workers)?;
        reports.push(FaultReport { fault, expected, observed });
    }
    Ok(reports)
}

fn observe(fault: Fault, case: &Case, played: &Played, workers: &Workers) -> Result<Outcome> {
    let Some(shop) = played.shops.iter().find(|shop| shop.orders.len() > 1) else {
        return Ok(Outcome::NotPlayed);
    };
    let other = played.shops.iter().find(|other| !std::ptr::eq(*other, shop));
    let mut bundle = shop.bundle.clone();
    let text = String::from_utf8_lossy(&shop.sealed).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match fault {
        Fault::TamperedCiphertext => tamper(&mut lines[0], 3),
        Fault::ChangedHeader => change_header(&mut lines[0], |header| {
            let own = case.suite.enc().name();
            header.replace(own, if own == "A256GCM" { "A128CBC-HS256" } else { "A256GCM" })
        }),
        Fault::SwappedCiphertexts => {
            let (first, second) = (segment(&lines[0], 3), segment(&lines[1], 3));
            replace(&mut lines[0], 3, &second);
            replace(&mut lines[1], 3, &first);
        }
        Fault::TruncatedLine => {
            let cut = lines[0].len() / 2;
            lines[0].truncate(cut);
        }
        Fault::WrongKey => bundle = with_wrong_keys(&bundle, case)?,
        Fault::MixedUpShop => match other {
            Some(other) => bundle = other.bundle.clone(),
            None => return Ok(Outcome::NotPlayed),
        },
        Fault::ForeignId => match foreign_name(&lines[0], &shop.bundle, other.map(|o| &o.bundle)) {
            Some((own, foreign)) => {
                change_header(&mut lines[0], |header| header.replace(&own, &foreign));
            }
            None => return Ok(Outcome::NotPlayed),
        },
        Fault::Repeated => lines.push(lines[0].clone()),
        Fault::Reordered => lines.reverse(),
        Fault::Dropped => {
            lines.remove(0);
        }
    }
    let mut sealed = lines.join("\n");
    sealed.push('\n');
    Ok(classify(open(workers, &bundle, sealed.into_bytes()), &shop.orders))
}

fn classify(opened: Result<Vec<String>>, sent: &[String]) -> Outcome {
    match opened {
        Err(Error::Key { trouble: KeyTrouble::Repeated { .. }, .. }) => Outcome::Noticed,
        Err(_) => Outcome::Refused,
        Ok(mut opened) => {
            let mut sent = sent.to_vec();
            opened.sort_unstable();
            sent.sort_unstable();
            if opened == sent { Outcome::Harmless } else { Outcome::Undetectable }
        }
    }
}

fn segment(line: &str, index: usize) -> String {
    line.split('.').nth(index).unwrap_or_default().to_owned()
}

fn replace(line: &mut String, index: usize, segment: &str) {
    let mut segments: Vec<&str> = line.split('.').collect();
    segments[index] = segment;
    *line = segments.join(".");
}

/// Changes the first character of a segment, which leaves its encoding canonical.
fn tamper(line: &mut String, index: usize) {
    let found = segment(line, index);
    let first = if found.starts_with('A') { "B" } else { "A" };
    replace(line, index, &format!("{first}{}", &found[1..]));
}

fn change_header(line: &mut String, change: impl Fn(&str) -> String) {
    let decoded = base64url::decode_to_vec(segment(line, 0).as_bytes()).unwrap_or_default();
    let header = String::from_utf8_lossy(&decoded).into_owned();
    replace(line, 0, &base64url::encode_to_string(change(&header).as_bytes()));
}

/// The same names with other keys of the same kind behind them.
fn with_wrong_keys(bundle: &KeyFile, case: &Case) -> Result<KeyFile> {
    let mut wrong = bundle.clone();
    let mut rng = SeededSource::new(0).stream(0);
    let place = crate::protocol::Place::file("wrong key");
    let sizes = Sizes { rsa_bits: 2048, pad_bytes: super::play::PAD_OF_ORDER };
    let material = service::make_material(case.suite, sizes, &mut rng)
        .map_err(|trouble| Error::key(&place, trouble))?;
    for key in bundle.keys() {
        wrong.push(Jwk { material: material.clone(), ..key.clone() });
    }
    Ok(wrong)
}

/// The name in a line's header, and another that exists: at the same shop if there is one.
fn foreign_name(line: &str, own: &KeyFile, other: Option<&KeyFile>) -> Option<(String, String)> {
    let decoded = base64url::decode_to_vec(segment(line, 0).as_bytes())?;
    let names = |file: &KeyFile| -> Vec<String> {
        file.keys().iter().filter_map(|key| key.kid.as_ref().map(Kid::to_string)).collect()
    };
    let header = String::from_utf8_lossy(&decoded).into_owned();
    let named = names(own).into_iter().find(|name| header.contains(&format!("\"{name}\"")))?;
    let mut others = names(own);
    others.extend(other.map(names).unwrap_or_default());
    let foreign = others.into_iter().rev().find(|name| *name != named)?;
    Some((named, foreign))
}
