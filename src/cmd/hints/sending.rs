//! Hints for orders and bundles that did not all arrive.

use orderseal::protocol::model::{Amounts, NotUndone, Unfinished};

use crate::cmd::ui;

/// Returns hints for orders that were not all sent.
pub fn not_sent_hints(unfinished: &Unfinished) -> Vec<String> {
    let Unfinished { kept, known, held, next_line } = unfinished;
    let mut hints = vec![format!(
        "the shop has kept {} now and had {known} before",
        ui::counted(*kept, "order")
    )];
    if let Some((count, file)) = held {
        let count = ui::counted(*count, "sealed order");
        hints.push(format!(
            "{count} without an answer in {file}; to send them: orderseal send --page URL --resend {file}"
        ));
    }
    if let Some(line) = next_line {
        hints.push(format!(
            "no order from line {line} on is sealed; --from-line {line} goes on there"
        ));
    }
    hints
}

/// Describes changes that took effect although nothing was delivered.
pub fn aftermath_hint(not_undone: &NotUndone) -> String {
    let mut parts = Vec::new();
    if let Some(lost) = amounts_in_words(not_undone.lost) {
        let Amounts { ids, ivs, pad_bytes } = not_undone.lost;
        let (were, are) = match ids + ivs + pad_bytes {
            1 => ("was", "is"),
            _ => ("were", "are"),
        };
        parts.push(format!("{lost} {were} recorded as issued and {are} lost"));
    }
    if let Some(error) = &not_undone.not_taken_back {
        parts.push(format!("taking back failed ({error})"));
    }
    if let Some(file) = &not_undone.shop_half {
        parts.push(format!("{file} may hold the shop's half of what was not delivered"));
    }
    parts.push("ask again".to_owned());
    parts.join("; ")
}

/// Describes limited resources in words, as in `2 transaction ids and 10 random IVs`.
pub fn amounts_in_words(amounts: Amounts) -> Option<String> {
    let Amounts { ids, ivs, pad_bytes } = amounts;
    let parts = [
        (ids, "transaction id", "transaction ids"),
        (ivs, "random IV", "random IVs"),
        (pad_bytes, "byte of pad", "bytes of pad"),
    ];
    let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
    let words: Vec<String> = parts
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    (!words.is_empty()).then(|| words.join(" and "))
}
