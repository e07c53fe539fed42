//! The permitted uses of a key: `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3).

use std::fmt;

use serde_json::Value;

use super::Refusal;
use crate::protocol::jose::json::{MemberValue, Members, optional_text};
use crate::protocol::model::{KeyError, KeyFault, Malformed, shortened};

/// The uses that a key's `use` and `key_ops` permit, as far as they concern encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usage {
    /// `use` is `enc`, as in all keys made here.
    Encryption,
    /// Neither member is present.
    Unsaid,
    /// `key_ops` lists operations, and at least one of them is for encryption.
    Operations(Box<Operations>),
}

/// The operations that a key permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations {
    /// Whether `use` is present as well.
    with_use: bool,
    /// Whether the key is a public point, for which WebCrypto writes an empty list.
    public_point: bool,
    names: Vec<String>,
}

/// The operations of encryption: for a public half and for the private half. Keys on elliptic curves
/// derive a key for it.
const ENCRYPTION: [(&str, &str); 4] = [
    ("encrypt", "decrypt"),
    ("wrapKey", "unwrapKey"),
    ("deriveKey", "deriveKey"),
    ("deriveBits", "deriveBits"),
];

impl Usage {
    /// Reads both members.
    ///
    /// # Errors
    /// [`KeyError::OtherUse`] if they permit no operation of encryption.
    pub(super) fn read(members: &dyn Members) -> Result<Self, Refusal> {
        let with_use = match optional_text(members, "use")? {
            None => false,
            Some("enc") => true,
            Some(other) => return Err(other_use(members, format!("{:?} (use)", shortened(other)))),
        };
        let is_there = |value: &MemberValue<'_>| !value.other().is_some_and(Value::is_null);
        let Some(operations) = members.member("key_ops").filter(is_there) else {
            return Ok(if with_use { Self::Encryption } else { Self::Unsaid });
        };
        let operations = operations.other().and_then(Value::as_array);
        let names: Option<Vec<String>> = operations
            .and_then(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
        let names = names.ok_or_else(|| Malformed::member("key_ops", "an array of strings"))?;
        if let Some(twice) = (1..names.len()).find(|&at| names[..at].contains(&names[at])) {
            return Err(KeyFault::SameOperation(shortened(&names[twice]).to_string()).into());
        }
        let public_point = members.has("crv") && members.has("x") && !members.has("d");
        let usage = Self::Operations(Box::new(Operations { with_use, public_point, names }));
        let ours = ENCRYPTION.map(|(public, private)| [public, private]);
        match usage.permits(ours.as_flattened()) {
            true => Ok(usage),
            false => Err(other_use(members, usage.to_string())),
        }
    }

    /// The member `use`, if it is present.
    pub(super) fn key_use(&self) -> Option<&'static str> {
        match self {
            Self::Encryption => Some("enc"),
            Self::Unsaid => None,
            Self::Operations(operations) => operations.with_use.then_some("enc"),
        }
    }

    /// The member `key_ops`, if it is present.
    pub(super) fn key_ops(&self) -> Option<&[String]> {
        match self {
            Self::Encryption | Self::Unsaid => None,
            Self::Operations(operations) => Some(&operations.names),
        }
    }

    /// Whether at least one of these operations is permitted.
    pub(super) fn permits(&self, one_of: &[&str]) -> bool {
        match self {
            Self::Encryption | Self::Unsaid => true,
            Self::Operations(operations) if operations.names.is_empty() => {
                operations.public_point && one_of.contains(&"deriveBits")
            }
            Self::Operations(operations) => {
                operations.names.iter().any(|name| one_of.contains(&name.as_str()))
            }
        }
    }

    /// The usage of the public half of a pair, derived from that of the pair.
    pub(super) fn of_public_half(&self) -> Self {
        match self {
            Self::Encryption | Self::Unsaid => self.clone(),
            Self::Operations(operations) => {
                let permitted = ENCRYPTION
                    .iter()
                    .filter(|(public, private)| self.permits(&[*public, *private]));
                let names = permitted.map(|(public, _)| (*public).to_owned()).collect();
                let Operations { with_use, public_point, .. } = **operations;
                Self::Operations(Box::new(Operations { with_use, public_point, names }))
            }
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encryption => f.write_str("encryption (use)"),
            Self::Unsaid => f.write_str("anything"),
            Self::Operations(operations) if operations.names.is_empty() => {
                f.write_str("nothing (key_ops)")
            }
            Self::Operations(operations) => {
                let names = operations.names.iter().take(8);
                let names: Vec<_> = names.map(|name| format!("{:?}", shortened(name))).collect();
                write!(f, "{} (key_ops)", names.join(", "))
            }
        }
    }
}

fn other_use(members: &dyn Members, own: String) -> Refusal {
    let kid = members.member("kid").and_then(MemberValue::text);
    let key = kid.map_or("the key".to_owned(), |kid| format!("key {}", shortened(kid)));
    KeyError::OtherUse { key, own, wanted: "encryption".to_owned() }.into()
}
