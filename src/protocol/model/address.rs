//! Web addresses in files and pages.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::malformed::{AddressFault, Malformed};

/// Longest address, in bytes.
const MAX_ADDRESS: usize = 2000;

/// Splits an http or https address into its scheme, in lower case, and the part after `://`.
///
/// # Errors
/// If the address has another scheme or none.
pub(in crate::protocol) fn split_scheme(text: &str) -> Result<(&'static str, &str), AddressFault> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(("https", rest)),
        "http" => Ok(("http", rest)),
        _ => Err(AddressFault::Scheme),
    }
}

/// Address where clients ask the security service for programs and keys: an http or https URL (RFC
/// 3986), stored unchanged. Pages and programs may turn it into a link, so no other scheme is
/// accepted.
///
/// ```
/// use orderseal::protocol::model::ServiceUrl;
///
/// assert!("https://service.example/request".parse::<ServiceUrl>().is_ok());
/// assert!("javascript:alert(1)".parse::<ServiceUrl>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ServiceUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match check(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(fault) => Err(Malformed::Address { fault, example: "https://service.example/" }),
        }
    }
}

fn check(text: &str) -> Result<(), AddressFault> {
    let (_, rest) = split_scheme(text)?;
    if text.len() > MAX_ADDRESS {
        return Err(AddressFault::Long { found: text.len(), most: MAX_ADDRESS });
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    if let Some(found) = rest.chars().find(|&c| !allowed(c)) {
        return Err(AddressFault::Character(found));
    }
    let host = rest.split_once(['/', '?', '#']).map_or(rest, |(host, _)| host);
    if host.contains('@') {
        return Err(AddressFault::User);
    }
    let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((number, port)) => {
            let ipv6 = number.parse::<Ipv6Addr>();
            ipv6.map_err(|_| AddressFault::Ipv6(number.to_owned()))?;
            (number, port.strip_prefix(':').or(port.is_empty().then_some("80")))
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("80")),
        },
    };
    if name.is_empty() {
        return Err(AddressFault::NoHost);
    }
    let digits = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    match port.filter(digits).and_then(|port| port.parse::<u16>().ok()) {
        Some(1..) => Ok(()),
        Some(0) | None => Err(AddressFault::NoPort),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_are_kept_as_written() {
        for text in [
            "https://service.example/",
            "HTTPS://Service.Example",
            "http://127.0.0.1:8080/a?b=c#d",
            "https://[2001:db8::1]/a",
            "https://[::1]:8443",
            "https://a.b/%E8%8C%B6?x=[1]",
        ] {
            let address: ServiceUrl =
                text.parse().unwrap_or_else(|found| panic!("{text}: {found}"));
            assert_eq!(address.as_str(), text);
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for (text, complaint) in [
            ("", "not an http or https address, expected like https://"),
            ("service.example", "not an http"),
            ("javascript:alert(1)", "not an http"),
            ("JavaScript://x/%0Aalert(1)", "not an http"),
            ("data:text/html,<script>", "not an http"),
            ("file:///etc/passwd", "not an http"),
            (" https://a/", "not an http"),
            ("https:a", "not an http"),
            ("https://", "no host name"),
            ("https:///a", "no host name"),
            ("https://:80/", "no host name"),
            ("https://u:p@a/", "a user name"),
            ("https://a/ b", "' ' in the address"),
            ("https://a/\u{1b}[2J", "'\\u{1b}' in the address"),
            ("https://a/\"><b>", "'\"' in the address"),
            ("https://ä/", "'ä' in the address"),
            ("https://a/\u{202e}", "in the address"),
            ("https://a\\b/", "'\\\\' in the address"),
            ("https://[::g]/", "host \"[::g]\""),
            ("https://a:b/", "a port"),
            ("https://a:/", "a port"),
            ("https://a:0/", "a port"),
            ("https://a:65536/", "a port"),
            ("https://[::1]8/", "a port"),
        ] {
            let found = text.parse::<ServiceUrl>().unwrap_err();
            assert!(found.to_string().contains(complaint), "{text:?}: {found}");
        }
        let long = format!("https://a/{}", "b".repeat(2000));
        assert!(long.parse::<ServiceUrl>().unwrap_err().to_string().contains("2010 bytes"));
    }
}
