//! The two requests of the message flow; only the simulation has a form for them.

use serde_json::{Value, json};

use crate::protocol::jose::json::{self, Object, text};
use crate::protocol::model::{Error, Malformed, Name, Place, Result};
use crate::protocol::store::keyfile::VERSION;

/// Request of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// The shop's item page.
    Page,
    /// Program and keys for a number of orders at a shop, or the key of a user who orders there.
    Program { shop: Name, orders: usize, user: Option<Name> },
}

impl Request {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut ours = json!({"version": VERSION, "role": "request"});
        match self {
            Self::Page => ours["for"] = json!("page"),
            Self::Program { shop, orders, user } => {
                ours["for"] = json!("program");
                ours["shop"] = json!(shop.as_str());
                ours["orders"] = json!(orders);
                if let Some(user) = user {
                    ours["user"] = json!(user.as_str());
                }
            }
        }
        json!({ "orderseal": ours }).to_string().into_bytes()
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes).map_err(|found| Error::malformed(&Place::file("request"), found))
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse(bytes)?;
        let ours = value["orderseal"].as_object().ok_or(Malformed::Expected("a request"))?;
        match text(ours, "for")? {
            "page" => Ok(Self::Page),
            "program" => Ok(Self::Program {
                shop: json::name(ours, "shop")?,
                orders: orders(ours)?,
                user: ours.contains_key("user").then(|| json::name(ours, "user")).transpose()?,
            }),
            other => Err(Malformed::Request(other.to_owned())),
        }
    }
}

fn orders(ours: &Object) -> Result<usize, Malformed> {
    let orders = ours.get("orders").and_then(Value::as_u64);
    orders
        .and_then(|orders| orders.try_into().ok())
        .ok_or_else(|| Malformed::member("orders", "a number of orders"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_back_as_written() {
        let program = |user| Request::Program { shop: "tokyo".parse().unwrap(), orders: 5, user };
        for request in [Request::Page, program(None), program("alice".parse().ok())] {
            assert_eq!(Request::parse(&request.to_bytes()).unwrap(), request);
        }
        assert!(Request::parse(b"{}").is_err());
    }
}
