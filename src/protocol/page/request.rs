//! Requests for a program: what the order button sends to the security service (paragraph 0125).

use rand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::item_page::Page;
use crate::ciphers::base64url;
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::json::{self, Object, optional_parsed, optional_text, text};
use crate::protocol::model::{
    Document, Error, Expected, Form, Malformed, Name, PageFault, Place, Result, ServiceUrl,
};
use crate::protocol::store::keyfile::VERSION;

/// Largest request, in bytes.
pub const MAX_REQUEST: u64 = 16 << 10;

/// Length in bytes of the random number that tells requests apart.
const NUMBER: usize = 16;

/// A client's request for a program with keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The shop, from its item page.
    pub shop: Name,
    /// Address of the service, from the item page.
    pub service: Option<ServiceUrl>,
    /// SHA-256 of the item page.
    pub page: [u8; 32],
    /// The user whose reusable id is asked for.
    pub user: Option<Name>,
    /// Number of transaction ids.
    pub orders: u64,
    /// Random number that tells this request from others.
    pub number: [u8; NUMBER],
}

impl Request {
    /// Asks for a number of transaction ids, or for those of a user, of the shop of an item page.
    pub fn new(
        page: &Page,
        bytes: &[u8],
        user: Option<Name>,
        orders: u64,
        random: &mut KeyStream,
    ) -> Self {
        let mut number = [0; NUMBER];
        random.fill_bytes(&mut number);
        Self {
            shop: page.shop.clone(),
            service: page.service.clone(),
            page: Sha256::digest(bytes).into(),
            user,
            orders,
            number,
        }
    }

    /// Parses a request.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self> {
        let expected = Document::Request;
        if let Some(found) = Form::of_file(bytes) {
            return Err(Error::unexpected(place, found, Expected::Request));
        }
        let value = json::parse(bytes)
            .map_err(|found| Error::malformed(place, Malformed::NotJson { found, expected }))?;
        Self::from_json(&value)
            .map_err(Box::new)
            .map_err(|fault| Error::malformed(place, Malformed::Incomplete { expected, fault }))
    }

    /// Returns whether a JSON text says that it is a request.
    pub fn is_one(value: &Value) -> bool {
        value["orderseal"]["role"] == "request"
    }

    fn from_json(value: &Value) -> Result<Self, Malformed> {
        let ours = value["orderseal"].as_object();
        let ours = ours.ok_or_else(|| Malformed::member("orderseal", "an object"))?;
        match optional_text(ours, "role")? {
            Some("request") => {}
            found => {
                let found = found.map(str::to_owned);
                return Err(PageFault::Role { found, expected: "request" }.into());
            }
        }
        json::version(ours, VERSION)?;
        match text(ours, "for")? {
            "program" => {}
            other => return Err(Malformed::Request(other.to_owned())),
        }
        let orders = ours.get("orders").and_then(Value::as_u64).filter(|orders| *orders > 0);
        Ok(Self {
            shop: json::name(ours, "shop")?,
            service: optional_parsed(ours, "service")?,
            page: bytes(ours, "page")?,
            user: ours.contains_key("user").then(|| json::name(ours, "user")).transpose()?,
            orders: orders.ok_or_else(|| Malformed::member("orders", "a number from 1 on"))?,
            number: bytes(ours, "number")?,
        })
    }

    /// Serializes the request.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut ours = json!({
            "version": VERSION,
            "role": "request",
            "for": "program",
            "shop": self.shop.as_str(),
            "page": base64url::encode_to_string(&self.page),
            "orders": self.orders,
            "number": base64url::encode_to_string(&self.number),
        });
        if let Some(service) = &self.service {
            ours["service"] = json!(service.as_str());
        }
        if let Some(user) = &self.user {
            ours["user"] = json!(user.as_str());
        }
        format!("{:#}\n", json!({ "orderseal": ours })).into_bytes()
    }
}

/// Returns a member of a fixed number of bytes, encoded in base64url.
fn bytes<const N: usize>(ours: &Object, name: &'static str) -> Result<[u8; N], Malformed> {
    let decoded = base64url::decode_to_vec(text(ours, name)?.as_bytes());
    let decoded = decoded.ok_or(Malformed::Base64(name))?;
    let found = decoded.len();
    let fitting = <[u8; N]>::try_from(&decoded[..]);
    fitting.map_err(|_| Malformed::Length { what: name, found, expected: N })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, SystemSource};

    fn request(user: Option<&str>) -> Request {
        let page = Page {
            service_key: None,
            program: None,
            shop: "tokyo".parse().unwrap(),
            service: Some("https://service.example/".parse().unwrap()),
            items: json!([]),
        };
        let user = user.map(|name| name.parse().unwrap());
        let source = SystemSource::new().unwrap();
        Request::new(&page, &page.to_bytes(), user, 3, &mut source.stream(0))
    }

    fn read(text: &str) -> Result<Request, String> {
        Request::parse(text.as_bytes(), &Place::file("r")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_is_read_back_as_written_and_no_two_are_alike() {
        for user in [None, Some("alice")] {
            let request = request(user);
            assert_eq!(Request::parse(&request.to_bytes(), &Place::file("r")).unwrap(), request);
        }
        assert_ne!(request(None).number, request(None).number);
    }

    #[test]
    fn other_files_are_refused() {
        let text = String::from_utf8(request(None).to_bytes()).unwrap();
        let wrong = |from: &str, to: &str| read(&text.replacen(from, to, 1)).unwrap_err();
        for (from, to, told) in [
            (
                "\"request\"",
                "\"page\"",
                "r: not a request: found the role \"page\", expected \"request\"",
            ),
            ("\"program\"", "\"page\"", "r: not a request: a request for \"page\""),
            (
                "\"orders\": 3",
                "\"orders\": 0",
                "r: not a request: member \"orders\" is not a number from 1 on",
            ),
            ("\"shop\": \"", "\"shop\": \"-", "r: not a request: shop \"-tokyo\""),
            ("\"page\": \"", "\"page\": \"AA", "r: not a request: page"),
            ("\"number\"", "\"nomber\"", "r: not a request: no member \"number\""),
            ("\"version\": 1", "\"version\": 9", "r: not a request: version 9, expected 1"),
        ] {
            let found = wrong(from, to);
            assert!(found.starts_with(told), "{found}");
        }
        for text in ["", "{}", "[]", "tokyo"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
