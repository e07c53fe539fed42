//! `inspect` for one-time pads.

use orderseal::protocol::Name;
use orderseal::protocol::jose::pad::Pad;
use orderseal::protocol::model::Role;
use orderseal::protocol::roles::pad_use::{PadUse, Totals};
use orderseal::protocol::store::keyfile::{KeyFile, Shop};
use serde_json::{Value, json};

/// Reports the size of the pads and the bytes left. A pad that is not shared serves one order.
pub fn of_shop(
    file: &KeyFile,
    name: &Name,
    shop: &Shop,
    sealed: Option<&PadUse>,
    value: &mut Value,
) {
    let (mut bytes, mut shared, mut allotted, mut left) = (0, 0, 0, 0);
    for key in file.keys() {
        let (Some(kid), Some(pad)) = (&key.kid, key.material.pad()) else { continue };
        if kid.shop() != *name {
            continue;
        }
        bytes += pad.len();
        if kid.id().is_none_or(|id| shop.users.contains(&id)) {
            shared += pad.len();
            allotted += shop.allotted.get(kid).copied().unwrap_or_default();
            left += shop.budget.get(kid).copied().unwrap_or_default();
            if file.role == Role::Client {
                value["pad_begins_at_byte"] = json!(pad.offset());
            }
        }
    }
    value["pad_bytes"] = json!(bytes);
    match file.role {
        Role::Client if shared > 0 => value["pad_bytes_left"] = json!(left),
        Role::Service if shared > 0 => {
            value["pad_bytes_allotted"] = json!(allotted);
            value["pad_bytes_left"] = json!(shared.saturating_sub(allotted));
        }
        _ => {}
    }
    if let Some(sealed) = sealed {
        let totals = sealed.totals(|kid| kid.is_some_and(|kid| kid.shop() == *name));
        used_up(bytes, totals, value);
    }
}

/// Reports the same for a lone pad.
pub fn of_lone(file: &KeyFile, pad: &Pad, sealed: Option<&PadUse>, value: &mut Value) {
    value["pad_bytes"] = json!(pad.len());
    value["pad_bytes_left"] = json!(pad.len().saturating_sub(file.sealed));
    if let Some(sealed) = sealed {
        used_up(pad.len(), sealed.totals(|_| true), value);
    }
}

/// Reports what sealed orders left of `bytes` bytes of pad.
fn used_up(bytes: u64, totals: Totals, value: &mut Value) {
    value["pad_bytes_used"] = json!(totals.used);
    value["pad_bytes_left"] = json!(bytes - totals.used);
    if totals.twice > 0 {
        value["pad_bytes_used_twice"] = json!(totals.twice);
    }
}
