//! Item pages: the data that a client needs before it can request a program.

use serde_json::{Value, json};

use crate::protocol::jose::json::{self, SecretJson, optional_parsed, optional_text};
use crate::protocol::jose::jws::Thumbprint;
use crate::protocol::model::{
    Document, Error, Expected, Form, Malformed, Name, PageFault, Place, Result, ServiceUrl, WebPage,
};
use crate::protocol::page::Items;
use crate::protocol::store::keyfile::VERSION;

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
    pub service_key: Option<Thumbprint>,
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
        let page = Self::from_json(&value)
            .map_err(Box::new)
            .map_err(|fault| Error::malformed(place, Malformed::Incomplete { expected, fault }))?;
        page.offered(place)?;
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
            service_key: optional_text(ours, "service_key")?
                .map(|text| Thumbprint::parse(text).ok_or(Malformed::Base64("service_key")))
                .transpose()?,
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
            ours["service_key"] = json!(key.to_string());
        }
        let page = json!({"orderseal": ours, "items": self.items});
        format!("{page:#}\n").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_back_as_written() {
        let page = Page {
            shop: "tokyo".parse().unwrap(),
            service: Some("https://service.example/".parse().unwrap()),
            service_key: Thumbprint::parse("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
            items: json!([{"id": 1, "name": "緑茶"}]),
        };
        assert_eq!(Page::parse(&page.to_bytes(), &Place::file("page.json")).unwrap(), page);
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
