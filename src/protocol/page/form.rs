//! What a shop says of its order form: goods, fields, and where orders go.

use serde_json::Value;

use super::fields::Fields;
use super::items::Items;
use super::send_to::SendTo;
use crate::protocol::model::Name;

/// An order form.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// The goods; without them the user writes what is wanted.
    pub items: Option<Items>,
    /// What else is asked.
    pub fields: Fields,
    /// Where orders are sent; without it they are downloaded or copied.
    pub send_to: Option<SendTo>,
    /// The language of the page, `en` or `ja`, if it is not to be the browser's.
    pub lang: Option<String>,
}

impl Form {
    /// The title in the file, for readers that run no script.
    pub(super) fn title<'a>(&'a self, shop: &'a Name) -> &'a str {
        let title = self.items.as_ref().and_then(|items| items.title.as_ref());
        let any = |title: &'a Value| match title {
            Value::Object(languages) => languages.values().next(),
            title => Some(title),
        };
        title.and_then(any).and_then(Value::as_str).unwrap_or(shop.as_str())
    }
}
