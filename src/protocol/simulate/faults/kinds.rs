//! The kinds of faults, their names, and the outcome that each should have.

use super::blocks::BlockAttack;
use super::streams::StreamAttack;
use crate::protocol::model::{Enc, Scope, Suite};
use crate::protocol::simulate::generations::KeyCase;
use crate::protocol::simulate::users::UserCase;

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
    /// The shop opens the same orders again in a second run, without a ledger.
    SecondRun,
    /// The shop opens the same orders again in a second run, with a ledger.
    Ledger(LedgerCase),
    /// A sealed stream is attacked.
    Stream(StreamAttack),
    /// Somebody orders as a user.
    User(UserCase),
    /// Somebody orders under keys that the shop has newer ones of, or that have expired.
    Keys(KeyCase),
    /// A signed batch is attacked.
    Batch(BatchCase),
}

/// What happens to a signed batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchCase {
    /// Nothing.
    Whole,
    /// The client does not sign.
    Unsigned,
    /// A client signs whose key the shop does not know.
    ForeignSigned,
    /// Another client signs the lines of the first.
    TakenOver,
    /// The end is cut off.
    CutOff,
    /// Two lines change places.
    Moved,
    /// It arrives twice.
    Replayed,
}

/// What happened to the ledger of a shop between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerCase {
    /// Nothing.
    Kept,
    /// It was removed.
    Missing,
    /// That of another bundle took its place.
    OfAnother,
    /// A copy from before the first run took its place.
    OldCopy,
    /// The first run was killed before its output, while it recorded that.
    TornBefore,
    /// The first run was killed after its output, while it recorded that.
    TornAfter,
    /// As [`TornAfter`](Self::TornAfter), with an output that shows at once what is written.
    TornToPipe,
    /// A bit in the middle changed.
    Damaged,
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
    pub const ALL: [Self; 52] = [
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
        Self::SecondRun,
        Self::Ledger(LedgerCase::Kept),
        Self::Ledger(LedgerCase::Missing),
        Self::Ledger(LedgerCase::OfAnother),
        Self::Ledger(LedgerCase::OldCopy),
        Self::Ledger(LedgerCase::TornBefore),
        Self::Ledger(LedgerCase::TornAfter),
        Self::Ledger(LedgerCase::TornToPipe),
        Self::Ledger(LedgerCase::Damaged),
        Self::Stream(StreamAttack::None),
        Self::Stream(StreamAttack::Spliced),
        Self::Stream(StreamAttack::OtherChunks),
        Self::Stream(StreamAttack::Swapped),
        Self::Stream(StreamAttack::CutOff),
        Self::User(UserCase::Admitted),
        Self::User(UserCase::NotAdmitted),
        Self::User(UserCase::RevokedAtService),
        Self::User(UserCase::RevokedAtShop),
        Self::User(UserCase::AdmittedAgain),
        Self::User(UserCase::MergedAgain),
        Self::User(UserCase::OldBundle),
        Self::Keys(KeyCase::UnderWay),
        Self::Keys(KeyCase::Retired),
        Self::Keys(KeyCase::Erased),
        Self::Keys(KeyCase::MergedAgain),
        Self::Keys(KeyCase::Expired),
        Self::Keys(KeyCase::ExpiredAtShop),
        Self::Batch(BatchCase::Whole),
        Self::Batch(BatchCase::Unsigned),
        Self::Batch(BatchCase::ForeignSigned),
        Self::Batch(BatchCase::TakenOver),
        Self::Batch(BatchCase::CutOff),
        Self::Batch(BatchCase::Moved),
        Self::Batch(BatchCase::Replayed),
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
            Self::SecondRun => "second run without ledger",
            Self::Ledger(LedgerCase::Kept) => "second run with ledger",
            Self::Ledger(LedgerCase::Missing) => "missing ledger",
            Self::Ledger(LedgerCase::OfAnother) => "ledger of another bundle",
            Self::Ledger(LedgerCase::OldCopy) => "old copy of ledger",
            Self::Ledger(LedgerCase::TornBefore) => "ledger torn before output",
            Self::Ledger(LedgerCase::TornAfter) => "ledger torn after output",
            Self::Ledger(LedgerCase::TornToPipe) => "ledger torn after a pipe",
            Self::Ledger(LedgerCase::Damaged) => "damaged ledger",
            Self::Stream(StreamAttack::None) => "whole stream",
            Self::Stream(StreamAttack::Spliced) => "spliced stream",
            Self::Stream(StreamAttack::OtherChunks) => "chunks of another stream",
            Self::Stream(StreamAttack::Swapped) => "swapped chunks",
            Self::Stream(StreamAttack::CutOff) => "stream cut off",
            Self::User(UserCase::Admitted) => "admitted user",
            Self::User(UserCase::NotAdmitted) => "user not admitted",
            Self::User(UserCase::RevokedAtService) => "user revoked at service",
            Self::User(UserCase::RevokedAtShop) => "user revoked at shop",
            Self::User(UserCase::AdmittedAgain) => "revoked user admitted again",
            Self::User(UserCase::MergedAgain) => "revoked user merged again",
            Self::User(UserCase::OldBundle) => "revoked user, old bundle",
            Self::Keys(KeyCase::UnderWay) => "rotation under way",
            Self::Keys(KeyCase::Retired) => "retired key",
            Self::Keys(KeyCase::Erased) => "erased generation",
            Self::Keys(KeyCase::MergedAgain) => "erased generation merged again",
            Self::Keys(KeyCase::Expired) => "expired key",
            Self::Keys(KeyCase::ExpiredAtShop) => "key expired at shop",
            Self::Batch(BatchCase::Whole) => "signed batch",
            Self::Batch(BatchCase::Unsigned) => "unsigned batch",
            Self::Batch(BatchCase::ForeignSigned) => "batch signed by a stranger",
            Self::Batch(BatchCase::TakenOver) => "batch taken over",
            Self::Batch(BatchCase::CutOff) => "signed batch cut off",
            Self::Batch(BatchCase::Moved) => "signed batch reordered",
            Self::Batch(BatchCase::Replayed) => "signed batch replayed",
        }
    }

    /// Whether the fault can affect orders under this scope and these algorithms.
    pub fn applies_to(self, scope: Scope, suite: Suite) -> bool {
        match self {
            Self::Blocks(_) => suite.enc() == Enc::RsaBlocks,
            Self::User(_) => scope == Scope::Transaction,
            // The library has ledgers, and verifies batches, only with the feature.
            Self::Ledger(_) | Self::Batch(_) => cfg!(feature = "store"),
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
            | Self::Dropped
            | Self::SecondRun
            | Self::Stream(_)
            | Self::Keys(_) => true,
        }
    }

    /// Expected outcome of the fault.
    pub const fn expected(self, scope: Scope) -> Outcome {
        match (self, scope) {
            (Self::Repeated, Scope::Transaction)
            | (Self::Ledger(LedgerCase::Kept | LedgerCase::TornToPipe), _) => Outcome::Noticed,
            (Self::Repeated, Scope::Shop)
            | (
                Self::Dropped
                | Self::SecondRun
                | Self::Ledger(LedgerCase::OldCopy | LedgerCase::TornAfter)
                | Self::User(UserCase::OldBundle),
                _,
            ) => Outcome::Undetectable,
            (
                Self::Reordered
                | Self::Ledger(LedgerCase::TornBefore)
                | Self::Stream(StreamAttack::None)
                | Self::User(UserCase::Admitted)
                | Self::Keys(KeyCase::UnderWay | KeyCase::Retired)
                | Self::Batch(BatchCase::Whole),
                _,
            ) => Outcome::Harmless,
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
                | Self::Ledger(LedgerCase::Missing | LedgerCase::OfAnother | LedgerCase::Damaged)
                | Self::Stream(
                    StreamAttack::Spliced
                    | StreamAttack::OtherChunks
                    | StreamAttack::Swapped
                    | StreamAttack::CutOff,
                )
                | Self::User(
                    UserCase::NotAdmitted
                    | UserCase::RevokedAtService
                    | UserCase::RevokedAtShop
                    | UserCase::AdmittedAgain
                    | UserCase::MergedAgain,
                )
                | Self::Keys(
                    KeyCase::Erased
                    | KeyCase::MergedAgain
                    | KeyCase::Expired
                    | KeyCase::ExpiredAtShop,
                )
                | Self::Batch(
                    BatchCase::Unsigned
                    | BatchCase::ForeignSigned
                    | BatchCase::TakenOver
                    | BatchCase::CutOff
                    | BatchCase::Moved
                    | BatchCase::Replayed,
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
