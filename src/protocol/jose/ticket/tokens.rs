//! Tokens: what a service signs for users and shops that ask for keys.

use serde_json::json;

use super::{MAX_TICKET, TicketFault, time, verified};
use crate::ciphers::base64url;
use crate::protocol::jose::json::{self, Object, text};
use crate::protocol::jose::jws::{SigningKey, VerifyingKey};
use crate::protocol::model::{Malformed, Name, Time};

/// The type of a user's token.
const USER_TYP: &str = "orderseal-user";

/// What a service signs for a user: the token against which it hands out the user's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserToken {
    /// The shop.
    pub shop: Name,
    /// The user.
    pub user: Name,
    /// Until when.
    pub expires: Time,
}

impl UserToken {
    /// Signs it.
    pub fn sign(&self, key: &SigningKey) -> String {
        let payload = json!({
            "shop": self.shop.as_str(),
            "user": self.user.as_str(),
            "expires": self.expires.to_string(),
        });
        key.sign(USER_TYP, payload.to_string().as_bytes())
    }

    /// Reads a token that a key signed, whether it has expired or not.
    ///
    /// # Errors
    /// [`TicketFault`].
    pub fn verify(token: &str, key: &VerifyingKey) -> Result<Self, TicketFault> {
        let members = &verified(USER_TYP, token, key)?;
        let (shop, user) = (name(members, "shop")?, name(members, "user")?);
        Ok(Self { shop, user, expires: time(members)? })
    }
}

/// The type of a shop's token.
const SHOP_TYP: &str = "orderseal-shop";

/// What a service signs for a shop: the token against which it hands out the shop's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopToken {
    /// The shop.
    pub shop: Name,
    /// A random number, by which the service knows the one token that it takes.
    pub number: String,
    /// Until when.
    pub expires: Time,
}

impl ShopToken {
    /// Signs it.
    pub fn sign(&self, key: &SigningKey) -> String {
        let payload = json!({
            "shop": self.shop.as_str(),
            "number": self.number,
            "expires": self.expires.to_string(),
        });
        key.sign(SHOP_TYP, payload.to_string().as_bytes())
    }

    /// Reads a token that a key signed, whether it has expired or not.
    ///
    /// # Errors
    /// [`TicketFault`].
    pub fn verify(token: &str, key: &VerifyingKey) -> Result<Self, TicketFault> {
        let members = &verified(SHOP_TYP, token, key)?;
        let (shop, number) = (name(members, "shop")?, text(members, "number")?.to_owned());
        Ok(Self { shop, number, expires: time(members)? })
    }
}

fn name(members: &Object, member: &'static str) -> Result<Name, Malformed> {
    text(members, member)?.parse().map_err(|_| Malformed::member(member, "a name"))
}

/// The expiry that a token of any kind claims, unverified; `None` if it has none.
pub fn claimed_expiry(token: &str) -> Option<Time> {
    let payload = token.split('.').nth(1).filter(|_| token.len() <= MAX_TICKET)?;
    let payload = json::parse(&base64url::decode_to_vec(payload.as_bytes())?).ok()?;
    time(payload.as_object()?).ok()
}
