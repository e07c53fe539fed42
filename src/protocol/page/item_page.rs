//! Item pages: the data that a client needs before it can request a program.

use serde_json::{Value, json};

use crate::protocol::jose::json::{self, Object, SecretJson, optional_parsed, optional_text};
use crate::protocol::jose::jws::VerifyingKey;
use crate::protocol::model::{
    Document, Error, Expected, Form, Kind, Malformed, Name, PageFault, Place, Result, Scope,
    ServiceUrl, WebPage,
};
use crate::protocol::page::Items;
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder, VERSION};

/// Largest item page, in bytes.
pub const MAX_PAGE: u64 = 16 << 20;

/// An item page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The shop's name; the service uses it to select the keys.
    pub shop: Name,
    /// Address for requesting program and keys.
    pub service: Option<ServiceUrl>,
    /// The key by which the service signs what it hands out.
    pub service_key: Option<VerifyingKey>,
    /// A program with the shop's public key, for clients that ask no service.
    pub program: Option<ClientBundle>,
    /// The items, as in an items file; an empty list if there are none.
    pub items: Value,
}

impl Page {
    /// Parses an item page.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self> {
        let expected = Document::ItemPage;
        if let Some(page) = WebPage::recognized(bytes) {
            let found = page.name();
            return Err(Error::malformed(place, Malformed::OtherDocument { found, expected }));
        }
        if let Some(found) = Form::of_file(bytes) {
            return Err(Error::unexpected(place, found, Expected::ItemPage));
        }
        let value = json::parse(bytes)
            .map_err(|found| Error::malformed(place, Malformed::NotJson { found, expected }))?;
        let incomplete = |fault| {
            Error::malformed(place, Malformed::Incomplete { expected, fault: Box::new(fault) })
        };
        let mut page = Self::from_json(&value).map_err(incomplete)?;
        page.offered(place)?;
        if let Some(program) = value["orderseal"].get("program") {
            let program = program_of(program, place)?;
            check_program(&program, &page.shop)
                .map_err(|fault| incomplete(fault.within("program")))?;
            page.program = Some(program);
        }
        Ok(page)
    }

    fn from_json(value: &SecretJson) -> Result<Self, Malformed> {
        let ours = value
            .get("orderseal")
            .and_then(Value::as_object)
            .ok_or_else(|| Malformed::member("orderseal", "an object"))?;
        match optional_text(ours, "role")? {
            Some("page") => {}
            found => {
                let found = found.map(str::to_owned);
                return Err(PageFault::Role { found, expected: "page" }.into());
            }
        }
        json::version(ours, VERSION)?;
        Ok(Self {
            shop: json::name(ours, "shop")?,
            service: optional_parsed(ours, "service")?,
            service_key: service_key(ours)?,
            program: None,
            items: value.get("items").cloned().unwrap_or_else(|| json!([])),
        })
    }

    /// Goods on offer, if there are any.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn offered(&self, place: &Place) -> Result<Option<Items>> {
        match &self.items {
            Value::Array(items) if items.is_empty() => Ok(None),
            items => Items::from_json(items, place).map(Some),
        }
    }

    /// Serializes the page. It includes what a client asks the service for.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut ours = json!({
            "version": VERSION,
            "role": "page",
            "shop": self.shop.as_str(),
            "request": {"for": "program", "shop": self.shop.as_str()},
        });
        if let Some(service) = &self.service {
            ours["service"] = json!(service.as_str());
        }
        if let Some(key) = &self.service_key {
            ours["service_key"] = key.to_jwk();
        }
        if let Some(program) = &self.program {
            ours["program"] = program_to_json(program);
        }
        let page = json!({"orderseal": ours, "items": self.items});
        format!("{page:#}\n").into_bytes()
    }
}

fn service_key(ours: &Object) -> Result<Option<VerifyingKey>, Malformed> {
    let Some(value) = ours.get("service_key") else { return Ok(None) };
    let jwk = value.as_object().ok_or_else(|| Malformed::member("service_key", "a JWK"))?;
    let key = VerifyingKey::from_jwk(jwk).map_err(|fault| fault.within("service_key"))?;
    Ok(Some(key))
}

fn program_of(value: &Value, place: &Place) -> Result<ClientBundle> {
    let place = Place::file(format!("{place}: program"));
    KeyFile::parse(value.to_string().as_bytes(), &place)?.into_client(&place)
}

pub(super) fn program_to_json(program: &ClientBundle) -> Value {
    let file = program.to_bytes(&Place::file("program")).expect("one public key is short");
    json::parse(&file).expect("a file that was just made is JSON").clone()
}

/// Refuses to embed anything but a program with the public key that all clients of the shop have.
///
/// # Errors
/// What is found instead.
pub fn check_program(program: &ClientBundle, shop: &Name) -> Result<(), Malformed> {
    let scheme = program.shop.scheme;
    if (scheme.scope, scheme.kind) != (Scope::Shop, Kind::Public) {
        return Err(PageFault::ProgramOf(scheme).into());
    }
    if program.name.name() != *shop {
        let found = program.name.name();
        return Err(PageFault::ProgramFor { found, expected: shop.clone() }.into());
    }
    match program.has_secrets() || program.program.is_none() || program.keys.len() != 1 {
        true => Err(PageFault::ProgramKeys.into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, SystemSource};
    use crate::protocol::jose::jws::SigningKey;

    const PAGE: &str =
        r#"{"orderseal":{"role":"page","version":1,"shop":"tokyo",MEMBER},"items":[]}"#;

    const PROGRAM: &str = r#"{"keys":[
{"alg":"ECDH-ES+A256KW","crv":"X25519","kid":"tokyo","kty":"OKP","x":"PcYhpewfllY_OuPm6YlHAf9QU6-X7KYd3i9MxxgfhjY"}
],"orderseal":{"program":{"run":"automatic","steps":["generate","seal","wrap","send"]},"role":"client","shops":{"tokyo":
{"alg":"ECDH-ES+A256KW","enc":"A256GCM","scheme":{"content":"hybrid","kind":"public","scope":"shop"}}},"version":1}}"#;

    #[test]
    fn a_page_is_read_back_as_written() {
        let place = Place::file("page.json");
        let page = Page {
            shop: "tokyo".parse().unwrap(),
            service: Some("https://service.example/".parse().unwrap()),
            service_key: Some(
                SigningKey::random(&mut SystemSource::new().unwrap().stream(0)).verifying(),
            ),
            program: Some(program_of(&json::parse(PROGRAM.as_bytes()).unwrap(), &place).unwrap()),
            items: json!([{"id": 1, "name": "緑茶"}]),
        };
        assert_eq!(Page::parse(&page.to_bytes(), &place).unwrap(), page);
    }

    #[test]
    fn only_a_program_with_the_public_key_of_the_shop_is_embedded() {
        let transaction = PROGRAM
            .replace("\"scope\":\"shop\"", "\"scope\":\"transaction\"")
            .replace(r#""kid":"tokyo""#, r#""kid":"tokyo/00ff""#);
        let secret = PROGRAM
            .replace("public", "secret")
            .replace("ECDH-ES+A256KW", "A256KW")
            .replace(r#""crv":"X25519","#, "")
            .replace("\"OKP\"", "\"oct\"")
            .replace("\"x\"", "\"k\"");
        for (program, told) in [
            (transaction, "expected a public key for all orders"),
            (secret, "hybrid shop secret, expected a public key for all orders"),
            (PROGRAM.replace("tokyo", "osaka"), "a program for shop osaka, expected tokyo"),
            (
                PROGRAM.replace(
                    r#""program":{"run":"automatic","steps":["generate","seal","wrap","send"]},"#,
                    "",
                ),
                "expected a program",
            ),
            (
                PROGRAM.replace(
                    r#""crv""#,
                    r#""d":"PcYhpewfllY_OuPm6YlHAf9QU6-X7KYd3i9MxxgfhjY","crv""#,
                ),
                "key",
            ),
        ] {
            let page = PAGE.replace("MEMBER", &format!("\"program\":{program}"));
            let found = Page::parse(page.as_bytes(), &Place::file("p")).unwrap_err().to_string();
            assert!(found.starts_with("p: ") && found.contains("program"), "{found}");
            assert!(found.contains(told), "{found}");
        }
    }

    #[test]
    fn keys_in_a_page_that_cannot_be_read_are_refused() {
        for (member, told) in [
            (r#""service_key":"kPrK""#, "p: not an item page: member \"service_key\" is not a JWK"),
            (
                r#""service_key":{"kty":"OKP"}"#,
                "p: not an item page: service_key: no member \"crv\"",
            ),
            (r#""program":7"#, "p: program"),
            (r#""program":{"keys":[]}"#, "p: program"),
        ] {
            let page = PAGE.replace("MEMBER", member);
            let found = Page::parse(page.as_bytes(), &Place::file("p")).unwrap_err().to_string();
            assert!(found.starts_with(told), "{found}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        for text in ["", "{}", "[]", r#"{"orderseal":{"role":"client","version":1}}"#] {
            assert!(Page::parse(text.as_bytes(), &Place::file("p")).is_err(), "{text}");
        }
        let page = r#"{"orderseal":{"role":"page","version":1,"shop":"tokyo"},"items":ITEMS}"#;
        let read = |items: &str| {
            let page = page.replace("ITEMS", items);
            Page::parse(page.as_bytes(), &Place::file("p")).map_err(|error| error.to_string())
        };
        assert!(read("[]").is_ok() && read(r#"[{"id":1,"name":"x"}]"#).is_ok());
        let found = read(r#"[{"id":1,"name":"x","stock":7}]"#).unwrap_err();
        assert!(found.starts_with("p: item 1: member \"stock\""), "{found}");
    }
}
