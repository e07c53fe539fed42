//! A shop's order form: goods, fields, and the address for orders.

use serde_json::Value;

use super::fields::Fields;
use super::items::Items;
use super::send_to::SendTo;
use crate::protocol::model::Name;

/// An order form.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Goods on offer; without them, the user types the order.
    pub items: Option<Items>,
    /// Other fields of the form.
    pub fields: Fields,
    /// Address for orders; without it, orders are downloaded or copied.
    pub send_to: Option<SendTo>,
    /// Language of the page, `en` or `ja`; `None` to use the browser's.
    pub lang: Option<String>,
}

impl Form {
    /// Title in the HTML file, for readers that do not run the script.
    pub(super) fn title<'a>(&'a self, shop: &'a Name) -> &'a str {
        let title = self.items.as_ref().and_then(|items| items.title.as_ref());
        let any = |title: &'a Value| match title {
            Value::Object(languages) => languages.values().next(),
            title => Some(title),
        };
        title.and_then(any).and_then(Value::as_str).unwrap_or(shop.as_str())
    }
}
