//! Tickets: what a service signs for a client, so that a shop's server knows who may use an id. The
//! server cannot open orders, and an id is no secret. Also tokens, for users and shops that request keys.

mod tokens;

use serde_json::{Value, json};

use super::json::{self, Object, text};
use super::jws::{JwsFault, SigningKey, VerifyingKey};
use super::tree::LeafId;
use crate::protocol::model::{Kid, Malformed, Name, ShopName, Time};

pub use tokens::{ShopToken, UserToken, claimed_expiry};

/// The type of a ticket.
const TYP: &str = "orderseal-ticket";

/// Most ids for which one ticket is made.
pub const MOST_IDS: usize = 100;

/// Longest ticket that is looked at, in bytes.
pub const MAX_TICKET: usize = 16 << 10;

/// What a ticket allows: orders under keys of one generation of a shop, until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The name of the shop's generation.
    pub shop: ShopName,
    /// The keys.
    pub keys: TicketKeys,
    /// Until when.
    pub expires: Time,
}

/// The keys under which a ticket allows orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketKeys {
    /// Those with these ids, one order each.
    Once(Vec<Ids>),
    /// That of a user, or without one that of the shop: any number of orders.
    Again(Option<Name>),
}

/// An id, or a run of leaves of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// One id.
    One(Name),
    /// The leaves from one to another of the same tree, both included.
    Leaves(LeafId, LeafId),
}

/// How often a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// For one order.
    Once,
    /// For any number of orders.
    Again,
}

impl Ids {
    /// Short for ids in ascending order: neighbouring leaves become runs.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n Name>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for name in names {
            let leaf = LeafId::parse(name.as_str());
            match (leaf, all.last_mut()) {
                (Some(leaf), Some(Self::Leaves(_, last)))
                    if last.tree == leaf.tree && last.leaf.checked_add(1) == Some(leaf.leaf) =>
                {
                    *last = leaf;
                }
                (Some(leaf), _) => all.push(Self::Leaves(leaf, leaf)),
                (None, _) => all.push(Self::One(name.clone())),
            }
        }
        all
    }

    fn has(&self, id: &str) -> bool {
        match self {
            Self::One(name) => name.as_str() == id,
            Self::Leaves(first, last) => LeafId::parse(id).is_some_and(|leaf| {
                leaf.tree == first.tree && (first.leaf..=last.leaf).contains(&leaf.leaf)
            }),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::One(name) => json!(name.as_str()),
            Self::Leaves(first, last) if first == last => json!(first.name().as_str()),
            Self::Leaves(first, last) => json!([first.name().as_str(), last.name().as_str()]),
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(id) => match LeafId::parse(id) {
                Some(leaf) => Some(Self::Leaves(leaf, leaf)),
                None => id.parse().ok().map(Self::One),
            },
            Value::Array(ends) => {
                let [first, last] = ends.as_slice() else { return None };
                let (first, last) =
                    (LeafId::parse(first.as_str()?)?, LeafId::parse(last.as_str()?)?);
                (first.tree == last.tree && first.leaf <= last.leaf)
                    .then_some(Self::Leaves(first, last))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }
}

impl Ticket {
    /// Signs it.
    pub fn sign(&self, key: &SigningKey) -> String {
        let mut payload =
            json!({ "shop": self.shop.as_str(), "expires": self.expires.to_string() });
        match &self.keys {
            TicketKeys::Once(ids) => payload["ids"] = ids.iter().map(Ids::to_json).collect(),
            TicketKeys::Again(user) => {
                payload["again"] = json!(true);
                if let Some(user) = user {
                    payload["ids"] = json!([user.as_str()]);
                }
            }
        }
        key.sign(TYP, payload.to_string().as_bytes())
    }

    /// Reads a ticket that a key signed, whether it has expired or not.
    ///
    /// # Errors
    /// [`TicketFault`].
    pub fn verify(token: &str, key: &VerifyingKey) -> Result<Self, TicketFault> {
        Ok(Self::from_json(&verified(TYP, token, key)?)?)
    }

    fn from_json(members: &Object) -> Result<Self, Malformed> {
        let wrong = || Malformed::member("ids", "ids, or pairs of leaves of one tree");
        let ids = match members.get("ids") {
            None => None,
            Some(ids) => {
                let ids = ids.as_array().ok_or_else(wrong)?;
                let ids = ids.iter().map(Ids::from_json).collect::<Option<Vec<_>>>();
                Some(ids.ok_or_else(wrong)?)
            }
        };
        let again = match members.get("again") {
            None => false,
            Some(again) => again.as_bool().ok_or(Malformed::member("again", "true or false"))?,
        };
        let keys = match (again, ids) {
            (false, Some(ids)) => TicketKeys::Once(ids),
            (false, None) => return Err(wrong()),
            (true, None) => TicketKeys::Again(None),
            (true, Some(ids)) => match <[Ids; 1]>::try_from(ids) {
                Ok([Ids::One(user)]) => TicketKeys::Again(Some(user)),
                Ok([Ids::Leaves(..)]) | Err(_) => return Err(wrong()),
            },
        };
        let shop = text(members, "shop")?.parse().ok();
        Ok(Self {
            shop: shop.ok_or(Malformed::member("shop", "the name of a shop"))?,
            keys,
            expires: time(members)?,
        })
    }

    /// How often the ticket allows orders under a key; `None` for keys that it does not name.
    pub fn allows(&self, kid: &Kid) -> Option<KeyUse> {
        let (shop, id) = kid.parts();
        if shop != self.shop.as_str() {
            return None;
        }
        match (&self.keys, id) {
            (TicketKeys::Once(ids), Some(id)) => {
                ids.iter().any(|own| own.has(id)).then_some(KeyUse::Once)
            }
            (TicketKeys::Again(own), id) => {
                (own.as_ref().map(Name::as_str) == id).then_some(KeyUse::Again)
            }
            (TicketKeys::Once(_), None) => None,
        }
    }
}

/// What a token of a type says, if a key signed it.
fn verified(typ: &str, token: &str, key: &VerifyingKey) -> Result<Object, TicketFault> {
    if token.len() > MAX_TICKET {
        return Err(JwsFault::Form.into());
    }
    let payload = json::parse(&key.verify(typ, token)?).map_err(Malformed::from)?;
    Ok(payload.as_object().ok_or(Malformed::Expected("a JSON object"))?.clone())
}

/// Until when a token is good.
fn time(members: &Object) -> Result<Time, Malformed> {
    let expires = text(members, "expires")?.parse();
    expires.map_err(|_| Malformed::member("expires", "a time"))
}

/// Why a ticket was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketFault {
    /// The signature.
    #[error(transparent)]
    Signature(#[from] JwsFault),
    /// What was signed.
    #[error(transparent)]
    Content(#[from] Malformed),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, SystemSource};

    fn key() -> SigningKey {
        SigningKey::random(&mut SystemSource::new().unwrap().stream(0))
    }

    fn ticket(keys: TicketKeys) -> Ticket {
        let expires = "2026-11-29T10:00:00Z".parse().unwrap();
        Ticket { shop: "tokyo@2".parse().unwrap(), keys, expires }
    }

    fn ids(names: &[&str]) -> Vec<Ids> {
        let names: Vec<Name> = names.iter().map(|name| name.parse().unwrap()).collect();
        Ids::of(&names)
    }

    fn kid(text: &str) -> Kid {
        Kid::new(text).unwrap()
    }

    #[test]
    fn tickets_are_read_back_as_signed() {
        let key = key();
        let listed =
            ids(&["4af25b039da9f273", "a564b38d5424ae9e.00000000", "a564b38d5424ae9e.00000001"]);
        assert_eq!(listed.len(), 2);
        for keys in [
            TicketKeys::Once(listed),
            TicketKeys::Once(ids(&["a564b38d5424ae9e.0000000a"])),
            TicketKeys::Again(Some("alice".parse().unwrap())),
            TicketKeys::Again(None),
        ] {
            let ticket = ticket(keys);
            let token = ticket.sign(&key);
            assert_eq!(Ticket::verify(&token, &key.verifying()).unwrap(), ticket);
            assert!(Ticket::verify(&token, &self::key().verifying()).is_err());
        }
        let user = UserToken {
            shop: "tokyo".parse().unwrap(),
            user: "alice".parse().unwrap(),
            expires: Time::UNIX_EPOCH,
        };
        let token = user.sign(&key);
        assert_eq!(UserToken::verify(&token, &key.verifying()).unwrap(), user);
        assert_eq!(claimed_expiry(&token), Some(user.expires));
        assert_eq!(claimed_expiry("e30.e30.AAAA"), None);
        assert!(Ticket::verify(&token, &key.verifying()).is_err(), "a token of another kind");
        assert!(ShopToken::verify(&token, &key.verifying()).is_err(), "a token of another kind");
        let shop = ShopToken { shop: user.shop, number: "AAAA".to_owned(), expires: user.expires };
        let token = shop.sign(&key);
        assert_eq!(ShopToken::verify(&token, &key.verifying()).unwrap(), shop);
        assert!(UserToken::verify(&token, &key.verifying()).is_err(), "a token of another kind");
    }

    #[test]
    fn a_ticket_allows_its_own_keys_and_no_others() {
        let once = ticket(TicketKeys::Once(ids(&[
            "4af25b039da9f273",
            "a564b38d5424ae9e.00000003",
            "a564b38d5424ae9e.00000004",
            "a564b38d5424ae9e.00000005",
        ])));
        for own in ["4af25b039da9f273", "a564b38d5424ae9e.00000003", "a564b38d5424ae9e.00000005"] {
            assert_eq!(once.allows(&kid(&format!("tokyo@2/{own}"))), Some(KeyUse::Once), "{own}");
            assert_eq!(once.allows(&kid(&format!("tokyo/{own}"))), None, "{own}");
            assert_eq!(once.allows(&kid(&format!("kyoto@2/{own}"))), None, "{own}");
        }
        for other in [
            "tokyo@2",
            "tokyo@2/",
            "tokyo@2/4af25b039da9f274",
            "tokyo@2/a564b38d5424ae9e.00000002",
            "tokyo@2/a564b38d5424ae9e.00000006",
            "tokyo@2/a564b38d5424ae9f.00000003",
            "tokyo@2/a564b38d5424ae9e.0000000A",
        ] {
            assert_eq!(once.allows(&kid(other)), None, "{other}");
        }
        let user = ticket(TicketKeys::Again(Some("alice".parse().unwrap())));
        assert_eq!(user.allows(&kid("tokyo@2/alice")), Some(KeyUse::Again));
        let shop = ticket(TicketKeys::Again(None));
        assert_eq!(shop.allows(&kid("tokyo@2")), Some(KeyUse::Again));
        for (ticket, other) in
            [(&user, "tokyo@2"), (&user, "tokyo@2/bob"), (&shop, "tokyo@2/alice")]
        {
            assert_eq!(ticket.allows(&kid(other)), None, "{other}");
        }
    }

    #[test]
    fn what_is_signed_must_be_a_ticket() {
        let key = key();
        for (payload, told) in [
            (json!([]), "expected a JSON object"),
            (json!({ "shop": "tokyo", "expires": "2026-11-29T10:00:00Z" }), "ids"),
            (json!({ "shop": "tokyo", "ids": "x", "expires": "2026-11-29T10:00:00Z" }), "ids"),
            (json!({ "shop": "tokyo", "ids": [7], "expires": "2026-11-29T10:00:00Z" }), "ids"),
            (
                json!({ "shop": "tokyo", "ids": [["a", "b"]], "expires": "2026-11-29T10:00:00Z" }),
                "ids",
            ),
            (
                json!({ "shop": "tokyo", "expires": "2026-11-29T10:00:00Z",
                    "ids": [["a564b38d5424ae9e.00000004", "a564b38d5424ae9e.00000003"]] }),
                "ids",
            ),
            (
                json!({ "shop": "tokyo", "ids": ["a", "b"], "again": true, "expires": "2026-11-29T10:00:00Z" }),
                "ids",
            ),
            (
                json!({ "shop": "tokyo", "ids": ["a"], "again": 1, "expires": "2026-11-29T10:00:00Z" }),
                "again",
            ),
            (json!({ "shop": "tokyo", "ids": ["a"], "expires": "tomorrow" }), "expires"),
            (json!({ "shop": "-", "ids": ["a"], "expires": "2026-11-29T10:00:00Z" }), "shop"),
        ] {
            let token = key.sign(TYP, payload.to_string().as_bytes());
            let found = Ticket::verify(&token, &key.verifying()).unwrap_err().to_string();
            assert!(found.contains(told), "{payload}: {found}");
        }
    }
}
