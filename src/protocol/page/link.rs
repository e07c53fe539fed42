//! Links to order pages: a page of the service that has no key, and a button that asks for one that has.

use serde_json::json;

use super::{SCRIPT, STYLE, escaped, fill, hash, without_tags};
use crate::protocol::model::Name;

const TEMPLATE: &str = include_str!("link.html");

/// The script. Its names are hidden from the order page that replaces this page.
const GET: &str =
    concat!("(() => {\n\"use strict\";\n", script!("bytes.js" "post.js" "link/get.js"), "})();\n");

/// Makes the page for a shop. Its policy also holds for the order page that replaces it.
pub fn link(shop: &Name) -> String {
    let policy = format!(
        "default-src 'none'; script-src '{}' '{}'; style-src '{}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'",
        hash(GET),
        hash(SCRIPT),
        hash(STYLE),
    );
    let (title, data) = (escaped(shop.as_str()), json!({ "shop": shop.as_str() }).to_string());
    let data = without_tags(data.as_bytes());
    let html = fill(TEMPLATE, |place| match place {
        "policy" => policy.as_bytes(),
        "shop" => title.as_bytes(),
        "style" => STYLE.as_bytes(),
        "data" => &data,
        "script" => GET.as_bytes(),
        _ => b"",
    });
    String::from_utf8_lossy(&html).into_owned()
}
