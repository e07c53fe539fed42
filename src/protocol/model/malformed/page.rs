//! Faults in what a shop puts on its pages: items, fields and texts.

use super::{JsonFault, Malformed};
use crate::protocol::model::names::Name;
use crate::protocol::model::scheme::Scheme;

/// A fault in an items file, a fields file, an item page or an order page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    /// A member that would have no effect: most often, it is misspelt.
    #[error("member {member:?} has no effect here, expected {}", .expected.join(", "))]
    NoEffect {
        /// The member's name.
        member: String,
        /// Members that have an effect.
        expected: &'static [&'static str],
    },
    /// A value that is no text.
    #[error("{0:?} is neither a text nor an object with a text for each language")]
    NoText(String),
    /// An id that is neither of what ids are.
    #[error("\"id\" is neither a text nor a number")]
    Id,
    /// A text that shows nothing.
    #[error("{0:?} is blank")]
    Blank(String),
    /// A text with too many characters.
    #[error("{member:?} has {found} characters, expected at most {most}")]
    LongText {
        /// The member's name.
        member: String,
        /// Characters found.
        found: usize,
        /// Most characters.
        most: usize,
    },
    /// A character that changes the direction of writing.
    #[error("{member:?} has the character U+{:04X}, which changes the direction of writing", u32::from(*.found))]
    Turning {
        /// The member's name.
        member: String,
        /// The character.
        found: char,
    },
    /// A control character.
    #[error("{member:?} has the control character U+{:04X}", u32::from(*.found))]
    Control {
        /// The member's name.
        member: String,
        /// The character.
        found: char,
    },
    /// An item with the id of an earlier one.
    #[error("\"id\" {id} is also that of item {first}")]
    SameId {
        /// The id, as in the file.
        id: String,
        /// Number of the earlier item, counted from 1.
        first: usize,
    },
    /// A number that browsers would change.
    #[error("\"id\" {0} is not a whole number that browsers keep exactly: write it as a string")]
    InexactId(String),
    /// A price too high to calculate with.
    #[error("\"price\" {found} is more than {most}: browsers cannot price {pieces} pieces exactly")]
    Price {
        /// The price, as in the file.
        found: String,
        /// Highest price.
        most: String,
        /// Most pieces in one order.
        pieces: u64,
    },
    /// A price with more decimals than its currency has.
    #[error("\"price\" {found} has more decimals than the {decimals} {}", in_currency(.currency.as_deref()))]
    Decimals {
        /// The price, as in the file.
        found: String,
        /// Decimals of the currency.
        decimals: u8,
        /// The currency's code, if it is known.
        currency: Option<String>,
    },
    /// Two fields with one name.
    #[error("name {0:?} occurs twice")]
    SameName(String),
    /// The name of a field that is to be left out and does not exist.
    #[error("there is no field {0:?} to omit")]
    NoField(String),
    /// A name that fields cannot have.
    #[error("name {0:?}, expected 1 to 32 of a-z 0-9 _ starting with a letter")]
    FieldName(String),
    /// A name that another part of the order has.
    #[error("name {0:?} is used by another member of the order")]
    NameTaken(String),
    /// An unknown type of field.
    #[error("type {found:?}, expected one of {}", .expected.join(", "))]
    FieldType {
        /// The type.
        found: String,
        /// Types of fields.
        expected: &'static [&'static str],
    },
    /// Choices of a field that offers none.
    #[error("\"choices\" are for the type \"choice\", found {0:?}")]
    ChoicesOf(String),
    /// Two choices that look the same in a language.
    #[error("\"choices\" have {text:?} twice (in {language})")]
    SameChoice {
        /// The text.
        text: String,
        /// The language.
        language: &'static str,
    },
    /// A file for another purpose.
    #[error("found {}, expected {expected:?}", role(.found.as_deref()))]
    Role {
        /// The role, as in the file.
        found: Option<String>,
        /// The role that was expected.
        expected: &'static str,
    },
    /// A program for an item page whose key is not one that every client may have.
    #[error("a program with keys that are {0}, expected a public key for all orders to the shop")]
    ProgramOf(Scheme),
    /// A program for another shop than that of the item page.
    #[error("a program for shop {found}, expected {expected}")]
    ProgramFor {
        /// The shop of the program.
        found: Name,
        /// The shop of the item page.
        expected: Name,
    },
    /// A program for an item page that seals nothing, or has more than the key.
    #[error("expected a program, one public key, and nothing secret")]
    ProgramKeys,
    /// An order page without the part that holds its data.
    #[error(
        "found an order page without its data, as browsers save it; expected the file as it was made"
    )]
    NoData,
    /// An order page whose data cannot be parsed.
    #[error("found an order page with {0} as its data")]
    DataNotJson(JsonFault),
    /// An order page with a fault in its data.
    #[error("found an order page whose data have {0}")]
    Data(Box<Malformed>),
    /// Data that are not an object with members.
    #[error("no members")]
    NoMembers,
    /// Data without a member that answers yes or no.
    #[error("no member {0:?} that is true or false")]
    NoFlag(String),
    /// Data without keys.
    #[error("no keys")]
    NoKeys,
    /// Algorithms that no page has.
    #[error("the algorithms {alg:?} and {enc:?}")]
    Algorithms {
        /// The name of the key-management algorithm.
        alg: String,
        /// The name of the content cipher.
        enc: String,
    },
}

fn in_currency(code: Option<&str>) -> String {
    code.map_or("without a currency".to_owned(), |code| format!("in {code}"))
}

fn role(found: Option<&str>) -> String {
    found.map_or("no role".to_owned(), |role| format!("the role {role:?}"))
}
