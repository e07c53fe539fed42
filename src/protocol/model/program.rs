//! Delivered programs, as data: the steps that a client or a shop carries out.

use crate::protocol::model::{Content, Kid};

/// A step of a delivered program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Client: make a content-encryption key.
    Generate,
    /// Client: encrypt the order.
    Seal,
    /// Client: wrap the content-encryption key.
    Wrap,
    /// Client: sign the batch.
    Sign,
    /// Client: send the sealed orders.
    Send,
    /// Client: erase keys, program or both.
    Erase,
    /// Shop: unwrap the content-encryption key.
    Unwrap,
    /// Shop: decrypt the order.
    Open,
}

/// Part of its file that a client erases after sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// The keys; the program is kept.
    Keys,
    /// The program; the keys are kept.
    Programs,
    /// The whole file.
    All,
}

/// How the client's steps are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Each step follows the previous one without confirmation.
    Automatic,
    /// The user confirms each step.
    Guided,
}

/// A client's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientProgram {
    /// Whether a content-encryption key is made and wrapped.
    pub content: Content,
    /// Content-encryption keys per order; more than one form a chain.
    pub layers: u8,
    /// How the steps are started.
    pub run: Run,
    /// Part of the file to erase after sending, if any.
    pub erase: Option<Erase>,
    /// Whether batches are signed.
    pub signs: bool,
}

/// A shop's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopProgram {
    /// Whether a content-encryption key is unwrapped.
    pub content: Content,
    /// Names of the built-in keys, if there are any; the program then accepts no others.
    pub built_in: Option<Vec<Kid>>,
}

/// Largest number of content-encryption keys in a chain.
pub const MAX_LAYERS: u8 = 16;

impl ClientProgram {
    /// Steps in order. The steps in a file must be exactly these: nothing is interpreted.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = match self.content {
            Content::Direct => vec![Step::Seal],
            Content::Hybrid => vec![Step::Generate, Step::Seal, Step::Wrap],
        };
        if self.signs {
            steps.push(Step::Sign);
        }
        steps.push(Step::Send);
        steps.extend(self.erase.map(|_| Step::Erase));
        steps
    }
}

impl ShopProgram {
    /// Steps in order, as in [`ClientProgram::steps`].
    pub fn steps(&self) -> Vec<Step> {
        match self.content {
            Content::Direct => vec![Step::Open],
            Content::Hybrid => vec![Step::Unwrap, Step::Open],
        }
    }
}

impl Step {
    /// Name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Seal => "seal",
            Self::Wrap => "wrap",
            Self::Sign => "sign",
            Self::Send => "send",
            Self::Erase => "erase",
            Self::Unwrap => "unwrap",
            Self::Open => "open",
        }
    }
}

impl Erase {
    /// Name of the choice: `keys`, `programs` or `all`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Programs => "programs",
            Self::All => "all",
        }
    }

    /// Finds the choice with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Keys, Self::Programs, Self::All].into_iter().find(|choice| choice.name() == name)
    }
}

impl Run {
    /// Name of the choice: `automatic` or `guided`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Guided => "guided",
        }
    }

    /// Finds the choice with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Automatic, Self::Guided].into_iter().find(|choice| choice.name() == name)
    }
}
