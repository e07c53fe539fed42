//! `inspect` for an order page.

use orderseal::protocol::page::Description;
use serde_json::{Value, json};

/// Returns a report on a page, without any of its keys.
pub fn to_json(page: &Description) -> Value {
    let mut value = json!({
        "kind": "order page",
        "shop": page.shop.as_str(),
        "alg": page.suite.alg().name(),
        "enc": page.suite.enc().name(),
        "keys": page.keys,
        "reusable": page.reusable,
        "guided": page.guided,
        "erase": page.erase,
        "bytes": page.sizes.page,
        "key_bytes": page.sizes.keys,
        "picture_bytes": page.sizes.pictures,
    });
    if page.layers > 1 {
        value["layers"] = json!(page.layers);
    }
    if let Some(orders) = page.orders {
        value["orders"] = json!(orders);
    }
    if let Some(send_to) = &page.send_to {
        value["send_to"] = json!(send_to.url());
    }
    if let Some(items) = page.items {
        value["items"] = json!(items);
    }
    value
}
