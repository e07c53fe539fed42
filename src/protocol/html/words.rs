//! The texts that a shop puts on the page.

use serde_json::Value;

/// Longest text on the page, in characters.
pub(super) const MAX_TEXT: usize = 200;

/// A text of the page: a string, or an object with a string for each language.
pub(super) fn words(value: &Value, member: &str) -> Result<Value, String> {
    let short = |value: &Value| {
        value.as_str().is_some_and(|text| (1..=MAX_TEXT).contains(&text.chars().count()))
    };
    let fits = match value {
        Value::Object(languages) => !languages.is_empty() && languages.values().all(short),
        text => short(text),
    };
    fits.then(|| value.clone()).ok_or_else(|| {
        format!("{member:?} is not a text of 1 to {MAX_TEXT} characters, nor an object of such texts by language")
    })
}
