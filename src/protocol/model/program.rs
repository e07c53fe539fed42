//! The delivered programs, as data: the steps that a client or a shop carries out.

use crate::protocol::model::{Content, Kid, Scheme};

/// A step of a delivered program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Client: make a content-encryption key.
    Generate,
    /// Client: encrypt the order.
    Seal,
    /// Client: wrap the content-encryption key.
    Wrap,
    /// Client: send what was sealed.
    Send,
    /// Client: erase.
    Erase,
    /// Shop: unwrap the content-encryption key.
    Unwrap,
    /// Shop: decrypt the order.
    Open,
}

/// What a client erases after sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// The keys; the program stays.
    Keys,
    /// The program; the keys stay.
    Programs,
    /// The whole file.
    All,
}

/// Who starts the client's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// They follow each other by themselves.
    Automatic,
    /// The user is told of each and starts it.
    Guided,
}

/// A delivered program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// What a client does with an order.
    Client {
        /// Whether a content-encryption key is made and wrapped.
        content: Content,
        /// Content-encryption keys of an order, chained if more than one.
        layers: u8,
        /// Who starts the steps.
        run: Run,
        /// What is erased after sending, if anything.
        erase: Option<Erase>,
    },
    /// What a shop does with an order.
    Shop {
        /// Whether a content-encryption key is unwrapped.
        content: Content,
        /// The keys that the program is built with, if it is; it works with no others.
        built_in: Option<Vec<Kid>>,
    },
}

/// The most content-encryption keys that a chain may have.
pub const MAX_LAYERS: u8 = 16;

impl Program {
    /// The steps in order. A file's steps must be exactly these: nothing is interpreted.
    pub fn steps(&self) -> Vec<Step> {
        match self {
            Self::Client { content, erase, .. } => {
                let mut steps = match content {
                    Content::Direct => vec![Step::Seal, Step::Send],
                    Content::Hybrid => vec![Step::Generate, Step::Seal, Step::Wrap, Step::Send],
                };
                steps.extend(erase.map(|_| Step::Erase));
                steps
            }
            Self::Shop { content: Content::Direct, .. } => vec![Step::Open],
            Self::Shop { content: Content::Hybrid, .. } => vec![Step::Unwrap, Step::Open],
        }
    }

    /// Whether the program carries out that scheme.
    pub fn fits(&self, scheme: Scheme) -> bool {
        match self {
            Self::Client { content, .. } | Self::Shop { content, .. } => *content == scheme.content,
        }
    }
}

impl Step {
    const ALL: [Self; 7] =
        [Self::Generate, Self::Seal, Self::Wrap, Self::Send, Self::Erase, Self::Unwrap, Self::Open];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Seal => "seal",
            Self::Wrap => "wrap",
            Self::Send => "send",
            Self::Erase => "erase",
            Self::Unwrap => "unwrap",
            Self::Open => "open",
        }
    }

    /// The step of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

impl Erase {
    /// `keys`, `programs` or `all`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Programs => "programs",
            Self::All => "all",
        }
    }

    /// The choice of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Keys, Self::Programs, Self::All].into_iter().find(|choice| choice.name() == name)
    }
}

impl Run {
    /// `automatic` or `guided`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Guided => "guided",
        }
    }

    /// The choice of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Automatic, Self::Guided].into_iter().find(|choice| choice.name() == name)
    }
}
