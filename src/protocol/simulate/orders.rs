//! Orders that clients enter, made from the seed.

use rand::RngExt;
use serde_json::json;

use crate::ciphers::random::KeyStream;

const NAMES: [&str; 8] = [
    "佐藤 花子",
    "Jürgen Groß",
    "María Núñez",
    "Ελένη Παππά",
    "Aoife Ní Bhriain",
    "Søren Kjær",
    "Nguyễn Thị Lan",
    "Chidi Okafor",
];

const ITEMS: [&str; 6] =
    ["green tea", "rice paper", "ink stick", "bamboo brush", "plum preserve", "paper lantern"];

/// Creates an order as a line of JSON; a note fills it up to at least `least` bytes.
pub(super) fn make(rng: &mut KeyStream, client: &str, number: usize, least: usize) -> String {
    let lines: Vec<_> = (0..rng.random_range(1..5))
        .map(|_| {
            let item = ITEMS[rng.random_range(0..ITEMS.len())];
            json!({"item": item, "quantity": rng.random_range(1..20)})
        })
        .collect();
    let mut order = json!({
        "order": format!("{client}-{number}"),
        "name": NAMES[rng.random_range(0..NAMES.len())],
        "card": format!("0000-{:04}-{:04}-{:04}", rng.random_range(0..10_000),
            rng.random_range(0..10_000), rng.random_range(0..10_000)),
        "lines": lines,
    });
    let missing = least.saturating_sub(order.to_string().len());
    if missing > 0 {
        order["note"] = json!("Please wrap it as a gift. ".repeat(missing.div_ceil(26)));
    }
    order.to_string()
}
