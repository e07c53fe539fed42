//! Faults and attacks between client and shop, each with its expected outcome.

use sha2::{Digest, Sha256};

use super::play::{Played, open};
use super::users::{self, UserCase};
use super::{Case, FaultReport, Setup};
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::PrivateKey;
use crate::ciphers::random::{KeySource, SeededSource};
use crate::ciphers::rsa::{self, OaepHash, PublicKey, WrapJob};
use crate::protocol::jose::jwe::block_label;
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, Jwk};
use crate::protocol::model::{Enc, Error, Kid, Place, Result, Scope, Suite};
use crate::protocol::pipeline::Workers;
use crate::protocol::roles::service::{self, Sizes};
use crate::protocol::store::keyfile::ShopBundle;

/// Faults and attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A character of the ciphertext is changed.
    TamperedCiphertext,
    /// The header names another content cipher.
    ChangedHeader,
    /// The header is replaced by another one with the same meaning.
    ExchangedHeader,
    /// The blocks of an order encrypted directly with RSA are attacked.
    Blocks(BlockAttack),
    /// Two orders exchange their ciphertexts.
    SwappedCiphertexts,
    /// A line is cut off.
    TruncatedLine,
    /// The shop has a different key with the same name.
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
    /// Somebody orders as a user.
    User(UserCase),
}

/// Attacks on the blocks of an order in direct RSA, by someone who has the public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockAttack {
    /// The first block is replaced by one of the attacker's.
    FirstReplaced,
    /// A middle block is replaced by one of the attacker's.
    MiddleReplaced,
    /// The last block is replaced by one of the attacker's.
    LastReplaced,
    /// All blocks except the first are replaced, by blocks that belong together.
    OthersReplaced,
    /// A block is taken from another order.
    Mixed,
    /// A middle block is removed.
    Dropped,
    /// The last block is removed.
    CutOff,
}

/// Outcome of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The shop refuses the order, or the service hands nothing out.
    Refused,
    /// The ledger of transaction ids detects it.
    Noticed,
    /// All orders arrive as they were sent.
    Harmless,
    /// The shop accepts orders that were not sent this way: the system's cryptography cannot detect
    /// it.
    Undetectable,
    /// The fault needs more shops or orders.
    NotPlayed,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 22] = [
        Self::TamperedCiphertext,
        Self::ChangedHeader,
        Self::ExchangedHeader,
        Self::Blocks(BlockAttack::FirstReplaced),
        Self::Blocks(BlockAttack::MiddleReplaced),
        Self::Blocks(BlockAttack::LastReplaced),
        Self::Blocks(BlockAttack::OthersReplaced),
        Self::Blocks(BlockAttack::Mixed),
        Self::Blocks(BlockAttack::Dropped),
        Self::Blocks(BlockAttack::CutOff),
        Self::SwappedCiphertexts,
        Self::TruncatedLine,
        Self::WrongKey,
        Self::MixedUpShop,
        Self::ForeignId,
        Self::Repeated,
        Self::Reordered,
        Self::Dropped,
        Self::User(UserCase::Admitted),
        Self::User(UserCase::NotAdmitted),
        Self::User(UserCase::RevokedAtService),
        Self::User(UserCase::RevokedAtShop),
    ];

    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TamperedCiphertext => "tampered ciphertext",
            Self::ChangedHeader => "changed header",
            Self::ExchangedHeader => "exchanged header",
            Self::Blocks(BlockAttack::FirstReplaced) => "first block replaced",
            Self::Blocks(BlockAttack::MiddleReplaced) => "middle block replaced",
            Self::Blocks(BlockAttack::LastReplaced) => "last block replaced",
            Self::Blocks(BlockAttack::OthersReplaced) => "other blocks replaced",
            Self::Blocks(BlockAttack::Mixed) => "blocks of two orders mixed",
            Self::Blocks(BlockAttack::Dropped) => "dropped block",
            Self::Blocks(BlockAttack::CutOff) => "last block cut off",
            Self::SwappedCiphertexts => "swapped ciphertexts",
            Self::TruncatedLine => "truncated line",
            Self::WrongKey => "wrong key",
            Self::MixedUpShop => "mixed-up shop",
            Self::ForeignId => "foreign id",
            Self::Repeated => "repeated order",
            Self::Reordered => "reordered lines",
            Self::Dropped => "dropped order",
            Self::User(UserCase::Admitted) => "admitted user",
            Self::User(UserCase::NotAdmitted) => "user not admitted",
            Self::User(UserCase::RevokedAtService) => "user revoked at service",
            Self::User(UserCase::RevokedAtShop) => "user revoked at shop",
        }
    }

    /// Whether the fault can affect orders under this scope and these algorithms.
    pub fn applies_to(self, scope: Scope, suite: Suite) -> bool {
        match self {
            Self::Blocks(_) => suite.enc() == Enc::RsaBlocks,
            Self::User(_) => scope == Scope::Transaction,
            Self::TamperedCiphertext
            | Self::ChangedHeader
            | Self::ExchangedHeader
            | Self::SwappedCiphertexts
            | Self::TruncatedLine
            | Self::WrongKey
            | Self::MixedUpShop
            | Self::ForeignId
            | Self::Repeated
            | Self::Reordered
            | Self::Dropped => true,
        }
    }

    /// Expected outcome of the fault.
    pub const fn expected(self, scope: Scope) -> Outcome {
        match (self, scope) {
            (Self::Repeated, Scope::Transaction) => Outcome::Noticed,
            (Self::Repeated, Scope::Shop) | (Self::Dropped, _) => Outcome::Undetectable,
            (Self::Reordered | Self::User(UserCase::Admitted), _) => Outcome::Harmless,
            (
                Self::TamperedCiphertext
                | Self::ChangedHeader
                | Self::ExchangedHeader
                | Self::Blocks(_)
                | Self::SwappedCiphertexts
                | Self::TruncatedLine
                | Self::WrongKey
                | Self::MixedUpShop
                | Self::ForeignId
                | Self::User(
                    UserCase::NotAdmitted | UserCase::RevokedAtService | UserCase::RevokedAtShop,
                ),
                _,
            ) => Outcome::Refused,
        }
    }
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 5] =
        [Self::Refused, Self::Noticed, Self::Harmless, Self::Undetectable, Self::NotPlayed];

    /// Name in reports.
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

/// Plays every fault on a shop that received at least two orders.
pub(super) fn play(
    setup: &Setup,
    case: &Case,
    played: &Played,
    workers: &Workers,
) -> Result<Vec<FaultReport>> {
    let mut reports = Vec::with_capacity(Fault::ALL.len());
    for fault in
        Fault::ALL.into_iter().filter(|fault| fault.applies_to(case.scheme.scope, case.suite))
    {
        let start = (setup.clock)();
        let instead = setup.expected.iter().rev().find(|(other, _)| *other == fault);
        let expected = instead.map_or(fault.expected(case.scheme.scope), |(_, outcome)| *outcome);
        let observed = observe(fault, case, played, workers)?;
        let took = (setup.clock)().saturating_sub(start);
        reports.push(FaultReport { fault, expected, observed, took });
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
        Fault::ExchangedHeader => {
            change_header(&mut lines[0], |header| header.replacen('{', r#"{"typ":"JOSE","#, 1));
        }
        Fault::Blocks(attack) => {
            let [line, other, ..] = &mut lines[..] else { return Ok(Outcome::NotPlayed) };
            if !attack_blocks(attack, line, other, &shop.bundle) {
                return Ok(Outcome::NotPlayed);
            }
        }
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
        Fault::User(case) => {
            return match users::order(case, &played.service, &shop.bundle, workers) {
                Err(error @ Error::Key { .. }) => Ok(classify(Err(error), &[])),
                Err(other) => Err(other),
                opened => Ok(classify(opened, &users::ORDERS.map(str::to_owned))),
            };
        }
    }
    let mut sealed = lines.join("\n");
    sealed.push('\n');
    Ok(classify(open(workers, &bundle, sealed.into_bytes()), &shop.orders))
}

fn classify(opened: Result<Vec<String>>, sent: &[String]) -> Outcome {
    match opened {
        Err(Error::Reused { .. }) => Outcome::Noticed,
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

/// Changes the first character of a segment; the encoding stays canonical.
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

/// Attacks the blocks of a line, with the public key and another line; returns `false` if the line
/// has fewer than three blocks.
fn attack_blocks(attack: BlockAttack, line: &mut String, other: &str, bundle: &ShopBundle) -> bool {
    let key =
        named_key(line, bundle).and_then(|key| Some(key.material.as_key().rsa_pair()?.public()));
    let Some(key) = key else { return false };
    let (mut blocks, others) = (blocks(line, key.size()), blocks(other, key.size()));
    let last = blocks.len() - 1;
    if last < 2 || others.len() < 2 {
        return false;
    }
    match attack {
        BlockAttack::FirstReplaced => blocks[0] = forged_block(line, key, 0, last + 1),
        BlockAttack::MiddleReplaced => blocks[1] = forged_block(line, key, 1, last + 1),
        BlockAttack::LastReplaced => blocks[last] = forged_block(line, key, last, last + 1),
        BlockAttack::OthersReplaced => {
            for (number, block) in blocks.iter_mut().enumerate().skip(1) {
                *block = forged_block(line, key, number, last + 1);
            }
        }
        BlockAttack::Mixed => blocks[1].clone_from(&others[1]),
        BlockAttack::Dropped => {
            blocks.remove(1);
        }
        BlockAttack::CutOff => blocks.truncate(last),
    }
    replace(line, 3, &base64url::encode_to_string(&blocks.concat()));
    true
}

fn blocks(line: &str, size: usize) -> Vec<Vec<u8>> {
    let text = base64url::decode_to_vec(segment(line, 3).as_bytes()).unwrap_or_default();
    text.chunks(size).map(<[u8]>::to_vec).collect()
}

/// Creates a block with the correct label, and with a secret and a text of the attacker's.
fn forged_block(line: &str, key: &PublicKey, number: usize, count: usize) -> Vec<u8> {
    let iv = base64url::decode_to_vec(segment(line, 2).as_bytes()).unwrap_or_default();
    let seen = Sha256::new_with_prefix(segment(line, 0)).chain_update(iv);
    let label = block_label(&seen, number, count);
    let mut message = vec![b'm'; key.max_message(OaepHash::Sha256)];
    message[..rsa::SECRET].fill(0xa7);
    let mut block = vec![0; key.size()];
    let job = WrapJob { key, hash: OaepHash::Sha256, label: &label, message: &message };
    let mut rng = SeededSource::new(0).stream(number as u64);
    rsa::oaep_wrap_many(Backend::detect(), &[job], &mut rng, &mut block).expect("it is full");
    block
}

/// Finds the key that a line's header names.
fn named_key<'f>(line: &str, file: &'f ShopBundle) -> Option<&'f Jwk<DecryptingKey>> {
    let decoded = base64url::decode_to_vec(segment(line, 0).as_bytes())?;
    let header = String::from_utf8_lossy(&decoded).into_owned();
    let named =
        |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| header.contains(&format!("\"{kid}\"")));
    file.keys.iter().find(named)
}

/// Returns the same names with different keys of the same kind.
fn with_wrong_keys(bundle: &ShopBundle, case: &Case) -> Result<ShopBundle> {
    let mut wrong = bundle.clone();
    let mut rng = SeededSource::new(0).stream(0);
    let place = Place::file("wrong key");
    let pair = bundle.keys.iter().find_map(|key| key.material.as_key().curve_pair());
    let curve = pair.map_or(Sizes::default().curve, PrivateKey::curve);
    let sizes = Sizes { rsa_bits: 2048, pad_bytes: super::play::PAD_OF_ORDER, curve };
    let material = service::make_material(case.suite, sizes, &mut rng)
        .map_err(|error| Error::key(&place, error))?;
    for key in bundle.keys.iter() {
        wrong.keys.push(key.with(material.clone()));
    }
    Ok(wrong)
}

/// Returns the name in a line's header and another existing name, at the same shop if possible.
fn foreign_name(
    line: &str,
    own: &ShopBundle,
    other: Option<&ShopBundle>,
) -> Option<(String, String)> {
    let names =
        |file: &ShopBundle| -> Vec<String> { file.keys.names().map(Kid::to_string).collect() };
    let named = named_key(line, own)?.kid.as_ref()?.to_string();
    let mut others = names(own);
    others.extend(other.map(names).unwrap_or_default());
    let foreign = others.into_iter().rev().find(|name| *name != named)?;
    Some((named, foreign))
}
