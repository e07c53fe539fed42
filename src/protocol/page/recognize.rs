//! Web pages among other files, by how they begin.

use memchr::memmem;

/// What the head of an order page says of itself, with the version behind it.
const GENERATOR: &str = "<meta name=\"generator\" content=\"orderseal ";

/// A web page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebPage {
    /// An order page.
    Order,
    /// Another one.
    Other,
}

impl WebPage {
    /// Which kind of page some bytes are, if they are one: all of them, or as many as there are of
    /// its head.
    pub fn recognized(bytes: &[u8]) -> Option<Self> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let begins = |with: &str| {
            text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
        };
        if !begins("<!doctype html") && !begins("<html") {
            return None;
        }
        let ours = memmem::find(text, GENERATOR.as_bytes()).is_some();
        Some(if ours { Self::Order } else { Self::Other })
    }

    /// Its name with an article, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "an order page",
            Self::Other => "a web page",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_other_files() {
        let template = crate::protocol::page::TEMPLATE;
        let shouted = template.replacen("<!doctype html>", "\u{feff}\n<!DOCTYPE HTML>", 1);
        for page in [template, &shouted] {
            assert_eq!(WebPage::recognized(page.as_bytes()), Some(WebPage::Order));
        }
        for page in ["<!doctype html><title>x</title>", "<HTML lang=en>", "<!DOCTYPE html PUBLIC"] {
            assert_eq!(WebPage::recognized(page.as_bytes()), Some(WebPage::Other));
        }
        for other in ["", "{}", "eyJ", "<!doc", "<svg>", "a <html>", "{\"a\":\"<!doctype html>\"}"]
        {
            assert_eq!(WebPage::recognized(other.as_bytes()), None, "{other}");
        }
    }
}
