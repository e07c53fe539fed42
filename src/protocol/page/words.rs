//! Texts that a shop puts on the page.

use serde_json::Value;

use crate::protocol::model::{Malformed, PageFault};

/// Longest name, title, label or choice, in characters.
const MAX_TEXT: usize = 200;

/// Longest description of an item, in characters.
const MAX_DESCRIPTION: usize = 1000;

/// Languages of a page.
pub const LANGUAGES: [&str; 2] = ["en", "ja"];

/// Checks a text for the page: a string, or an object with a string for each language.
pub(super) fn words(value: &Value, member: &str) -> Result<Value, Malformed> {
    texts(value, member, MAX_TEXT)
}

/// Checks a text that describes an item; it may be longer.
pub(super) fn description(value: &Value, member: &str) -> Result<Value, Malformed> {
    texts(value, member, MAX_DESCRIPTION)
}

fn texts(value: &Value, member: &str, most: usize) -> Result<Value, Malformed> {
    match value {
        Value::String(text) => check(text, member, most)?,
        Value::Object(languages) if !languages.is_empty() => {
            for (language, text) in languages {
                let member = format!("{member}.{language}");
                let text = text.as_str().ok_or_else(|| Malformed::member(&member, "a text"))?;
                check(text, &member, most)?;
            }
        }
        _ => return Err(PageFault::NoText(member.to_owned()).into()),
    }
    Ok(value.clone())
}

/// Refuses a text that is blank, too long, or would be displayed misleadingly.
pub(super) fn readable(text: &str, member: &str) -> Result<(), PageFault> {
    check(text, member, MAX_TEXT)
}

fn check(text: &str, member: &str, most: usize) -> Result<(), PageFault> {
    let count = text.chars().count();
    let without_width = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    if text.chars().all(|c| c.is_whitespace() || without_width(c)) {
        return Err(PageFault::Blank(member.to_owned()));
    }
    if count > most {
        return Err(PageFault::LongText { member: member.to_owned(), found: count, most });
    }
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match text.chars().find(|&c| c.is_control() || turns(c)) {
        Some(found) if turns(found) => Err(PageFault::Turning { member: member.to_owned(), found }),
        Some(found) => Err(PageFault::Control { member: member.to_owned(), found }),
        None => Ok(()),
    }
}

/// Text that a page in this language shows.
pub(super) fn shown<'a>(words: &'a Value, language: &str) -> &'a str {
    let text = match words {
        Value::Object(languages) => languages
            .get(language)
            .or_else(|| languages.get("en"))
            .or_else(|| languages.values().next()),
        text => Some(text),
    };
    text.and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_that_can_be_read_are_taken() {
        for text in
            [json!("Tea & <Paper>"), json!({"en": "Tea", "ja": "お茶"}), json!("א\u{200f}1")]
        {
            assert_eq!(words(&text, "name").unwrap(), text);
        }
        assert!(words(&json!("茶".repeat(200)), "name").is_ok());
        assert!(description(&json!({"ja": "茶".repeat(1000)}), "specification").is_ok());
    }

    #[test]
    fn texts_that_cannot_be_read_are_refused() {
        for (text, complaint) in [
            (json!(""), "\"name\" is blank"),
            (json!(" \u{3000}\t"), "\"name\" is blank"),
            (json!("\u{feff} \u{200b}"), "\"name\" is blank"),
            (json!({"en": "Tea", "ja": " "}), "\"name.ja\" is blank"),
            (json!("茶".repeat(201)), "has 201 characters"),
            (json!("two\nlines"), "control character U+000A"),
            (json!("a\0"), "control character U+0000"),
            (json!("a\u{9b}"), "control character U+009B"),
            (json!("\u{202e}olleh"), "U+202E"),
            (json!({"en": "\u{2066}x"}), "U+2066"),
            (json!({}), "is neither a text"),
            (json!(1), "is neither a text"),
            (json!({"en": 1}), "\"name.en\" is not a text"),
        ] {
            let found = words(&text, "name").unwrap_err();
            assert!(found.to_string().contains(complaint), "{text}: {found}");
        }
    }

    #[test]
    fn descriptions_have_a_limit_of_their_own() {
        let found = description(&json!({"ja": "茶".repeat(1001)}), "performance").unwrap_err();
        assert_eq!(
            found.to_string(),
            "\"performance.ja\" has 1001 characters, expected at most 1000"
        );
        assert!(
            description(&json!("a\nb"), "performance").unwrap_err().to_string().contains("U+000A")
        );
    }

    #[test]
    fn a_page_shows_its_language_or_english_or_any() {
        let both = json!({"en": "Tea", "ja": "お茶"});
        assert_eq!((shown(&both, "ja"), shown(&both, "en")), ("お茶", "Tea"));
        assert_eq!(shown(&json!({"en": "Tea"}), "ja"), "Tea");
        assert_eq!(shown(&json!({"de": "Tee"}), "ja"), "Tee");
        assert_eq!(shown(&json!("Tea"), "ja"), "Tea");
    }
}
