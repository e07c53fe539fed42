//! Opening a block of sealed lines.

mod decoded;
mod group;

use std::fmt::Debug;

use self::group::Group;
use super::token::{self, Sealed, Token};
use super::{Carries, Failure, Header, Shape, Spread, Watch};
use crate::ciphers::Wiped;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::alg::Opening;
use crate::protocol::jose::jwk::JwkRef;
use crate::protocol::jose::password::OpeningPassword;
use crate::protocol::jose::run::{in_turn, unwatched};
use crate::protocol::model::{Alg, KeyError, KeyUse, Suite, Task, Unfit};

/// Lines opened side by side: enough that the memory cleared by kernels hardly counts, and few
/// enough to stay in the cache.
const GROUP: usize = 256;

/// Opens lines with a set of keys.
#[derive(Debug, Clone, Copy)]
pub struct Opener<'a> {
    /// The keys to choose from.
    pub keys: &'a dyn KeyLookup,
    /// The content that the lines must carry.
    pub expect: Carries,
    /// The form of the orders in them.
    pub shape: Shape,
    /// The kernels to use.
    pub backend: Backend,
    /// Spreads the blocks of an order over threads.
    pub spread: Spread,
    /// Called at the end of each stage.
    pub watch: Watch,
}

/// A line that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The key that opened it.
    pub key: KeyNumber,
    /// End of its text in [`OpenedBlock::text`], including the line feed; it begins where the
    /// previous one ends.
    pub end: usize,
}

/// The result of opening a block of lines.
#[derive(Debug, Default)]
pub struct OpenedBlock {
    /// The orders that were opened, each followed by a line feed.
    pub text: Wiped,
    /// For each line, in the order of the input: the order, nothing if the line is blank, or the
    /// reason why it failed.
    pub lines: Vec<Result<Option<Opened>, Failure>>,
}

impl<'a> Opener<'a> {
    /// Creates an opener with the widest backend, one thread, and no watch.
    pub fn new(keys: &'a dyn KeyLookup, expect: Carries) -> Self {
        let (shape, backend) = (Shape::Line, Backend::detect());
        Self { keys, expect, shape, backend, spread: in_turn, watch: unwatched }
    }

    /// Opens lines; `memory` may be reused from an earlier block. The result contains authentic
    /// text only.
    pub fn open(&self, lines: &[&[u8]], memory: Wiped, rng: &mut KeyStream) -> OpenedBlock {
        let mut block = OpenedBlock { text: memory, lines: Vec::new() };
        block.text.clear();
        // A ciphertext is shorter than its line, so the text never has to be reallocated.
        block.text.reserve(lines.iter().map(|line| line.len() + 1).sum());
        block.lines.reserve(lines.len());
        let mut group = Group::new(self);
        let is_compact = |line: &[u8]| !token::is_json(line);
        for run in lines.chunk_by(|one, next| is_compact(one) && is_compact(next)) {
            match run {
                [line] if !is_compact(line) => self.open_json(line, rng, &mut block),
                run => run.chunks(GROUP).for_each(|lines| group.open(lines, rng, &mut block)),
            }
        }
        block
    }

    /// Opens a line in the JSON serialization, for the first of its recipients whose key is here and
    /// opens it. If there is none, the failure is that of the first recipient; but one that was not
    /// tried for lack of rounds comes before those that failed, as it might open the order.
    fn open_json(&self, line: &[u8], rng: &mut KeyStream, block: &mut OpenedBlock) {
        let sealed = match Sealed::read(line, self.shape) {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return block.lines.push(Ok(None)),
            Err(failure) => return block.lines.push(Err(failure)),
        };
        let mut failed = None::<Failure>;
        for token in sealed.tokens() {
            Group::new(self).open_token(token, rng, block);
            match block.lines.pop() {
                Some(Err(failure)) => {
                    failed = Some(match failed {
                        Some(earlier) => earlier.before(failure),
                        None => failure,
                    });
                }
                opened => return block.lines.extend(opened),
            }
        }
        block.lines.extend(failed.map(Err));
    }
}

type Checked<T> = Result<T, KeyError>;

/// A key in a set of keys for opening orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyNumber {
    /// A listed key.
    Listed(usize),
    /// A key derived from a tree.
    Derived {
        /// The tree.
        tree: usize,
        /// Its leaf.
        leaf: u32,
    },
    /// A password.
    Password,
}

/// A set of keys for opening orders.
pub trait KeyLookup: Debug + Sync {
    /// Chooses the key that a header names, for the algorithms that it names. `guess` is the number
    /// of the listed key that is likely to be next; where orders come in the order of their keys, it saves
    /// the search by name.
    ///
    /// # Errors
    /// [`Failure::Key`].
    fn choose(&self, header: &Header<'_>, guess: usize) -> Result<OpeningKey<'_>, Failure>;
}

/// The algorithms that a key may be used with.
#[derive(Debug)]
pub(in crate::protocol) enum Algorithms {
    /// This suite, as the key file specifies.
    Fixed(Suite),
    /// This key management algorithm with any content cipher; weak ciphers only if they are allowed.
    /// A lone key specifies no more.
    AnyContent(Alg),
    /// Any algorithms that an order names, if they fit the key and are standard: neither weak,
    /// private nor derived from a password. A foreign key may specify nothing, and the user chose it.
    Unsaid,
}

/// A key prepared for the orders that a header is for.
#[derive(Debug, Clone, Copy)]
pub struct OpeningKey<'k> {
    /// Its number in the set of keys.
    number: KeyNumber,
    /// The key itself, with the order's content cipher.
    ready: Opening<'k>,
}

impl<'k> OpeningKey<'k> {
    /// Prepares a key with these algorithms for an order that names some of them.
    ///
    /// # Errors
    /// [`KeyError`] if the key may not be used for the order.
    pub(in crate::protocol) fn new(
        number: KeyNumber,
        key: JwkRef<'k>,
        algorithms: &Algorithms,
        header: &Header<'_>,
        allow_weak: bool,
    ) -> Checked<Self> {
        let suite = algorithms.suite(key, header, allow_weak)?;
        key.check_usage(suite, Task::Open)?;
        Ok(Self { number, ready: Opening::prepare(key.material, suite)? })
    }

    /// Prepares a password for an order, and derives the key that the order's header describes.
    ///
    /// # Errors
    /// [`Failure::Key`] if the order is for a key of another kind, or its cipher is weak and that is
    /// not allowed; [`Failure::Rounds`].
    pub(in crate::protocol) fn by_password(
        password: &'k OpeningPassword,
        header: &Header<'_>,
        allow_weak: bool,
    ) -> Result<Self, Failure> {
        let asked = Suite::from_header(&header.alg, &header.enc).map_err(KeyError::from)?;
        let cipher = match asked.key_use() {
            KeyUse::Password(_, cipher) if cipher.is_weak() && !allow_weak => {
                return Err(KeyError::Weak(cipher.name()).into());
            }
            KeyUse::Password(_, cipher) => cipher,
            KeyUse::Direct(_)
            | KeyUse::Pad(_)
            | KeyUse::Blocks
            | KeyUse::Agree(_)
            | KeyUse::Wrap(..) => {
                let error = Unfit::Suite { key: "a password", suite: asked };
                return Err(KeyError::from(error).into());
            }
        };
        // A line without these parameters will be refused.
        if let Some(derivation) = header.params.derivation() {
            password.derive(derivation).map_err(|most| Failure::Rounds { most })?;
        }
        Ok(Self { number: KeyNumber::Password, ready: Opening::by_password(password, cipher) })
    }
}

impl Algorithms {
    /// The algorithms that the order names, if the key may be used with them.
    fn suite(&self, key: JwkRef<'_>, header: &Header<'_>, allow_weak: bool) -> Checked<Suite> {
        if let Self::Fixed(own) = self
            && own.alg().name() == header.alg
            && own.enc().name() == header.enc
        {
            return Ok(*own);
        }
        let asked = Suite::from_header(&header.alg, &header.enc)?;
        let is_for_it = match self {
            Self::Fixed(_) => false,
            Self::AnyContent(own) => asked.alg() == *own && (allow_weak || !asked.enc().is_weak()),
            Self::Unsaid if !header.protected => {
                return Err(KeyError::Unprotected(key.words()));
            }
            Self::Unsaid => asked.is_standard() && key.material.fits(asked),
        };
        match is_for_it {
            true => Ok(asked),
            false => Err(self.other(key, asked)),
        }
    }

    fn other(&self, key: JwkRef<'_>, asked: Suite) -> KeyError {
        let own = match self {
            Self::Fixed(own) => own.to_string(),
            Self::AnyContent(own) if asked.alg() == *own => {
                return KeyError::Weak(asked.enc().name());
            }
            Self::AnyContent(own) => own.name().to_owned(),
            Self::Unsaid => "standard algorithms of its type and size".to_owned(),
        };
        KeyError::OtherAlgorithm { key: key.words(), own, asked }
    }
}
