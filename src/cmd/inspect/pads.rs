//! `inspect` for one-time pads.

use orderseal::protocol::jose::pad::Pad;
use orderseal::protocol::roles::pad_use::{PadUse, Totals};
use orderseal::protocol::store::keyfile::{Account, AnyKeys, ClientBundle, ShopBundle};
use orderseal::protocol::{Kid, ShopName};
use serde_json::{Value, json};

/// Reports the size of a shop's pads in a keyring, and the bytes that were not handed out.
pub fn of_account(keys: &dyn AnyKeys, name: &ShopName, account: &Account, value: &mut Value) {
    value["pad_bytes"] = json!(pads_of(keys, name).map(|(_, pad)| pad.len()).sum::<u64>());
    let shared = || pads_of(keys, name).filter(|(kid, _)| account.shop.is_reusable(kid));
    let bytes: u64 = shared().map(|(_, pad)| pad.len()).sum();
    if bytes > 0 {
        let allotted: u64 = shared().filter_map(|(kid, _)| account.allotted.get(kid)).sum();
        value["pad_bytes_allotted"] = json!(allotted);
        value["pad_bytes_left"] = json!(bytes.saturating_sub(allotted));
    }
}

/// Reports the size of a client's pads, and the bytes left of those that serve several orders.
pub fn of_client(client: &ClientBundle, value: &mut Value) {
    let pads = || pads_of(&client.keys, &client.name);
    value["pad_bytes"] = json!(pads().map(|(_, pad)| pad.len()).sum::<u64>());
    for (kid, pad) in pads().filter(|(kid, _)| client.shop.is_reusable(kid)) {
        value["pad_begins_at_byte"] = json!(pad.offset());
        value["pad_bytes_left"] = json!(client.budget.get(kid).copied().unwrap_or_default());
    }
}

/// Reports the size of the pads of one generation at a shop, and what sealed orders left of them.
pub fn of_shop(
    bundle: &ShopBundle,
    generation: &ShopName,
    sealed: Option<&PadUse>,
    value: &mut Value,
) {
    let bytes = pads_of(&bundle.keys, generation).map(|(_, pad)| pad.len()).sum();
    value["pad_bytes"] = json!(bytes);
    if let Some(sealed) = sealed {
        let of_shop = |kid: &Kid| kid.shop().as_ref() == Some(generation);
        used_up(bytes, sealed.totals(|kid| kid.is_some_and(of_shop)), value);
    }
}

/// Reports the same for a lone pad, of which so many bytes are recorded as used.
pub fn of_lone(pad: &Pad, used: u64, sealed: Option<&PadUse>, value: &mut Value) {
    value["pad_bytes"] = json!(pad.len());
    value["pad_bytes_left"] = json!(pad.len().saturating_sub(used));
    if let Some(sealed) = sealed {
        used_up(pad.len(), sealed.totals(|_| true), value);
    }
}

/// The pads of a shop, by key name. One that is not shared serves one order.
fn pads_of<'k>(
    keys: &'k dyn AnyKeys,
    shop: &'k ShopName,
) -> impl Iterator<Item = (&'k Kid, &'k Pad)> {
    keys.views().filter_map(|key| {
        let (kid, pad) = (key.kid?, key.material.pad()?);
        (kid.parts().0 == shop.as_str()).then_some((kid, pad))
    })
}

/// Reports what sealed orders left of `bytes` bytes of pad.
fn used_up(bytes: u64, totals: Totals, value: &mut Value) {
    value["pad_bytes_used"] = json!(totals.used);
    value["pad_bytes_left"] = json!(bytes - totals.used);
    if totals.twice > 0 {
        value["pad_bytes_used_twice"] = json!(totals.twice);
    }
}
