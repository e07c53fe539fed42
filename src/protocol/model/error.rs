//! What can go wrong, told so that a person can act on it.

use std::fmt;
use std::io;

use crate::ciphers::CipherError;
use crate::ciphers::random::{Origin, RandomError};
use crate::protocol::jose::foreign::{Expected, Form, Member};
use crate::protocol::model::{Kid, Name, Suite};
use crate::protocol::roles::service::Aftermath;
use crate::protocol::store::keyfile::{KeyFile, MAX_KEY_FILE, Role};

/// The result of everything in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A file, or a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user gave it, or `stdin`.
    pub file: String,
    /// The line, counted from 1.
    pub line: Option<u64>,
}

impl Place {
    /// A file as a whole.
    pub fn file(name: impl Into<String>) -> Self {
        Self { file: name.into(), line: None }
    }

    /// The same file at a line.
    pub fn at(&self, line: u64) -> Self {
        Self { file: self.file.clone(), line: Some(line) }
    }

    /// The place that is `lines` further on, in the same file. A file as a whole counts from line 1.
    pub fn lines_on(&self, lines: u64) -> Self {
        self.at(self.line.unwrap_or(1) + lines)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.line {
            Some(line) => write!(f, ": line {line}"),
            None => Ok(()),
        }
    }
}

/// An error of the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing failed.
    #[error("{file}: {action}: {source}")]
    Io {
        /// The file's name.
        file: String,
        /// What was being done, as in "cannot read".
        action: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// There is nothing to make keys from.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The operating system has no thread to give.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The reader of our output went away.
    #[error("{file}: the reader closed the pipe")]
    ClosedPipe {
        /// The output's name.
        file: String,
    },
    /// What was asked for contradicts itself or what is there.
    #[error("{0}")]
    Usage(String),
    /// Input that is not what it should be.
    #[error("{place}: {found}")]
    Malformed {
        /// Where it stands.
        place: Place,
        /// What was found, and what was expected.
        found: String,
    },
    /// Input of another form, which was recognized.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// Where it stands.
        place: Place,
        /// What was found.
        found: Form,
        /// What was expected.
        expected: Expected,
    },
    /// A key file that would be too long to be read again.
    #[error(
        "{place}: the key file would take {len} bytes, with what will be recorded in it; {} is the \
         most",
        MAX_KEY_FILE
    )]
    KeyFileFull {
        /// The key file, or who makes it.
        place: Place,
        /// Bytes that it would take.
        len: u64,
    },
    /// A failure after something had been changed that stays changed.
    #[error("{source}")]
    Changed {
        /// What was changed, in words.
        what: String,
        /// Why the command failed.
        source: Box<Error>,
    },
    /// A key that is missing, or may not be used for this.
    #[error("{place}: {trouble}")]
    Key {
        /// Where the key was needed, or where it stands.
        place: Place,
        /// What is the matter.
        trouble: KeyTrouble,
    },
    /// What was handed out could not be delivered, and not everything could be taken back.
    #[error("{source}")]
    Undelivered {
        /// What is different now.
        aftermath: Box<Aftermath>,
        /// Why it could not be delivered.
        source: Box<Error>,
    },
    /// The run was asked to stop.
    #[error("stopped by a signal")]
    Stopped,
    /// A run failed after something was recorded as used.
    #[error("{source}")]
    Spending {
        /// What stays spent.
        spent: Spent,
        /// The client's file or lone key.
        bundle: String,
        /// Why the run failed.
        source: Box<Error>,
    },
    /// Everything was sent, but what was not used could not be given back.
    #[error("{source}")]
    Unsettled {
        /// The client's file or lone key.
        bundle: String,
        /// Why it could not be given back.
        source: Box<Error>,
    },
    /// What a killed process had ready to be sent could not be published.
    #[error("{bundle}: cannot finish sending {output}: {source}")]
    Unpublished {
        /// The client's file.
        bundle: String,
        /// Where the orders were to go.
        output: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Everything was sent, but the program could not erase.
    #[error("{source}")]
    NotErased {
        /// The client's file.
        bundle: String,
        /// Why it could not be erased.
        source: Box<Error>,
    },
    /// An order or a key that is not authentic. Every cause has this one form.
    #[error("{0}: authentication failed")]
    Authentication(Place),
    /// Some records failed, and the others went out as asked.
    #[error("{failed} of {total} {what} failed")]
    SomeFailed {
        /// What they are, in the plural.
        what: &'static str,
        /// How many failed.
        failed: u64,
        /// How many there are in all.
        total: u64,
    },
}

/// What was recorded as used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// Transaction ids.
    Ids(u64),
    /// Random IVs of a key's budget.
    Ivs(u64),
    /// Bytes of a one-time pad.
    PadBytes(u64),
}

impl Spent {
    /// Whether it is nothing at all.
    pub fn is_nothing(self) -> bool {
        match self {
            Self::Ids(count) | Self::Ivs(count) | Self::PadBytes(count) => count == 0,
        }
    }
}

/// What is the matter with a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyTrouble {
    /// No key has that name.
    #[error("no key {kid:?} among the {held} keys given{of}")]
    Unknown {
        /// The key's name, as it stands in the order.
        kid: String,
        /// How many keys there are.
        held: usize,
        /// Whose they are, as in ` (of osaka)`, if that can be told.
        of: String,
    },
    /// The order names no key, and no key was chosen for such orders.
    #[error("the order names no key (it has no kid)")]
    Unnamed,
    /// A name that a standard defines and this program does not implement.
    #[error("{member} {name:?} ({standard}) is not supported")]
    NotSupported {
        /// Where the name stands.
        member: Member,
        /// The name.
        name: String,
        /// The standard.
        standard: &'static str,
    },
    /// A name that means nothing here.
    #[error("{member} {name:?} is unknown here")]
    UnknownHere {
        /// Where the name stands.
        member: Member,
        /// The name.
        name: String,
    },
    /// The key is for another algorithm.
    #[error("{key} is for {own}, the order asks for {asked}")]
    OtherAlgorithm {
        /// The key, as [`Jwk::words`](crate::protocol::jose::jwk::Jwk::words) names it.
        key: String,
        /// The algorithms that the key is for.
        own: String,
        /// The algorithms in the order's header.
        asked: Suite,
    },
    /// The key's `use` or `key_ops` does not permit what it is needed for.
    #[error("{key} is for {own}, {wanted} is needed")]
    OtherUse {
        /// The key, as [`Jwk::words`](crate::protocol::jose::jwk::Jwk::words) names it.
        key: String,
        /// What it is for, as it says.
        own: String,
        /// The operations of which it should permit one.
        wanted: String,
    },
    /// A key that is to seal and names no algorithm.
    #[error("{0} does not say which algorithm (\"alg\") it is for")]
    NoAlgorithm(String),
    /// No key is for the algorithm that was asked for.
    #[error("holds no key for {0}: each names another algorithm")]
    NoneFor(String),
    /// Of several keys that fit, none was chosen.
    #[error("holds {0} keys that could be used, and none was chosen")]
    Several(usize),
    /// A key whose use has to be counted, which only the file of a lone key does.
    #[error("{key} is for {alg}: what it seals is counted in its file, which has to be a lone key")]
    Uncounted {
        /// The key, as [`Jwk::words`](crate::protocol::jose::jwk::Jwk::words) names it.
        key: String,
        /// The algorithm.
        alg: &'static str,
    },
    /// The file belongs to another role.
    #[error("this is a {found} key file, expected {}", file_of(.expected))]
    Role {
        /// Whose file it is.
        found: Role,
        /// Whose file was needed.
        expected: &'static str,
    },
    /// The client has sealed as many orders as it has ids.
    #[error(
        "no unused transaction id for shop {shop} is left in {bundle}: {issued} issued, all spent"
    )]
    Spent {
        /// The client's file.
        bundle: String,
        /// The shop.
        shop: Name,
        /// Ids in the file.
        issued: usize,
    },
    /// The service has handed out all ids.
    #[error("shop {shop} has {unused} unused transaction ids, {wanted} wanted")]
    PoolEmpty {
        /// The shop.
        shop: Name,
        /// Ids not handed out.
        unused: usize,
        /// Ids asked for.
        wanted: usize,
    },
    /// The random IVs that a key allows are all in the hands of clients.
    #[error("all of the 2^32 random IVs of key {0} were given to clients")]
    AllAllotted(Kid),
    /// A reusable key has sealed as many orders as random IVs allow.
    #[error("the budget of key {kid} is used up: a key may serve 2^32 random IVs at most")]
    Budget {
        /// The key's name.
        kid: String,
    },
    /// Less of a one-time pad is left than the orders are long.
    #[error("the pad is too short: {needed} bytes are needed, {left} are left")]
    PadShort {
        /// Bytes of pad needed.
        needed: u64,
        /// Bytes of pad left.
        left: u64,
    },
    /// A killed process had sent its orders, and what its program erases was erased now.
    #[error("a killed process had sent its orders: the file was erased now, as its program says")]
    ErasedNow,
    /// Another file stands where the one was that was used.
    #[error("another file was put there meanwhile, and is left alone")]
    Exchanged,
    /// The key was erased.
    #[error("key {0} was erased from this file")]
    Erased(Kid),
    /// A transaction id came twice.
    #[error("transaction id {kid} was used before, in {first}")]
    Repeated {
        /// The id.
        kid: Kid,
        /// Where it was used first.
        first: Place,
    },
    /// The shop is not in the file.
    #[error("no shop {wanted} in this file, which has {}", list(.held))]
    UnknownShop {
        /// The shop asked for.
        wanted: Name,
        /// Shops in the file.
        held: Vec<Name>,
    },
    /// The file holds no key that fits, or no program.
    #[error("holds no {0}")]
    Missing(&'static str),
    /// A weak algorithm.
    #[error("{0} is weak, for teaching and old data only")]
    Weak(&'static str),
    /// A key made from a repeatable source.
    #[error("key {kid} is marked as {}: whoever knows the seed knows the key", described(.origin))]
    Marked {
        /// The key's name.
        kid: String,
        /// Where it comes from.
        origin: Origin,
    },
    /// A key file that others can read.
    #[error("the file holds secrets and others can read it (mode {0:04o})")]
    Readable(u32),
    /// Two files hold different keys under one name.
    #[error("key {0} is in two of the files given, with different contents")]
    Conflict(String),
    /// The cipher does not take the key.
    #[error(transparent)]
    Unusable(#[from] CipherError),
    /// The key's numbers are out of range or contradict each other.
    #[error("{0}")]
    Unsound(String),
    /// The key does not fit what was asked.
    #[error("{0}")]
    Unfit(String),
}

impl KeyTrouble {
    /// A key that is not in a file.
    pub fn unknown(kid: &Kid, file: &KeyFile) -> Self {
        let shops: Vec<Name> = file.shops.keys().cloned().collect();
        let of = if shops.is_empty() { String::new() } else { format!(" (of {})", list(&shops)) };
        Self::Unknown { kid: kid.to_string(), held: file.keys().len(), of }
    }
}

fn list(names: &[Name]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(Name::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// A lone key belongs to nobody's role.
fn file_of(expected: &str) -> String {
    match expected {
        "lone key" => "a lone key".to_owned(),
        role => format!("one of a {role}"),
    }
}

fn described(origin: &Origin) -> &'static str {
    match origin {
        Origin::System => "random",
        Origin::Seeded => "made from a simulation's seed",
        Origin::Register => "made by a shift register",
    }
}

impl Error {
    /// An input or output error; a closed pipe has a form of its own, and an error of ours that
    /// came by way of a reader stays what it was.
    pub fn io(file: impl fmt::Display, action: &'static str, source: io::Error) -> Self {
        let source = match source.downcast::<Self>() {
            Ok(own) => return own,
            Err(source) => source,
        };
        let file = file.to_string();
        match source.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe { file },
            _ => Self::Io { file, action, source },
        }
    }

    /// Malformed input.
    pub fn malformed(place: &Place, found: impl Into<String>) -> Self {
        Self::Malformed { place: place.clone(), found: found.into() }
    }

    /// Input of another form.
    pub fn unexpected(place: &Place, found: Form, expected: Expected) -> Self {
        Self::Unexpected { place: place.clone(), found, expected }
    }

    /// Trouble with a key.
    pub fn key(place: &Place, trouble: KeyTrouble) -> Self {
        Self::Key { place: place.clone(), trouble }
    }
}
