//! Address to which a page sends orders. It is checked before ids are issued: addresses that
//! browsers cannot send to, or that they would write differently from the page's policy, are
//! refused.

use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::protocol::model::{AddressFault, Malformed, SendFault, split_scheme};

/// Ports that browsers block (Fetch standard, section "Port blocking").
const BLOCKED_PORTS: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// Address to which a page sends orders. The page's policy allows no other, except that a path
/// ending in a slash includes everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendTo(String);

impl SendTo {
    /// The address as a browser writes it.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// The address as used in a content security policy: without its query.
    pub(super) fn source(&self) -> &str {
        self.0.split_once('?').map_or(&self.0, |(source, _)| source)
    }

    /// Whether the order's size and id are sent in the clear over a network.
    pub fn is_plain_http(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return false };
        let host = rest.split_once('/').map_or(rest, |(host, _)| host);
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        !["localhost", "127.0.0.1"].contains(&name)
    }
}

impl FromStr for SendTo {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let example = "https://shop.example/orders";
        read(text).map(Self).map_err(|fault| Malformed::Address { fault, example })
    }
}

fn read(text: &str) -> Result<String, AddressFault> {
    let (scheme, rest) = split_scheme(text)?;
    let usual_port = if scheme == "https" { 443 } else { 80 };
    if rest.contains('#') {
        return Err(SendFault::Fragment.into());
    }
    let (address, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    if host.contains('@') {
        return Err(SendFault::User.into());
    }
    if host.starts_with('[') {
        return Err(SendFault::Ipv6.into());
    }
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, self::port(port)?),
        None => (host, usual_port),
    };
    let name = host_name(name)?;
    check_path(path)?;
    only(query, "query", |c| c.is_ascii_graphic())?;
    let port = if port == usual_port { String::new() } else { format!(":{port}") };
    let path = if path.is_empty() { "/" } else { path };
    Ok(format!("{scheme}://{name}{port}{path}{query}"))
}

fn port(text: &str) -> Result<u16, SendFault> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|_| digits && !text.starts_with('0'));
    let port = port.ok_or_else(|| SendFault::NoPort(text.to_owned()))?;
    match BLOCKED_PORTS.contains(&port) {
        true => Err(SendFault::BlockedPort(port)),
        false => Ok(port),
    }
}

/// Checks a host name or an IPv4 address; returns it in lower case.
fn host_name(name: &str) -> Result<String, AddressFault> {
    if name.is_empty() {
        return Err(AddressFault::NoHost);
    }
    if !name.is_ascii() {
        return Err(SendFault::NotAscii(name.to_owned()).into());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(fits) {
        return Err(SendFault::Host(name.to_owned()).into());
    }
    let name = name.to_ascii_lowercase();
    if ends_in_number(&name) && name.parse::<Ipv4Addr>().is_err() {
        return Err(SendFault::Ipv4(name).into());
    }
    Ok(name)
}

/// Whether browsers parse a host as an IPv4 address: its last part is a decimal or hexadecimal
/// number.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn check_path(path: &str) -> Result<(), SendFault> {
    // No character may end the directive or the attribute that contains the address.
    only(path, "path", |c| c.is_ascii_alphanumeric() || "/.-:_~%!$()+=@".contains(c))?;
    let mut escapes = path.split('%').skip(1).map(|rest| rest.as_bytes().get(..2));
    let escaped = |hex: Option<&[u8]>| hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    if !escapes.all(escaped) {
        return Err(SendFault::Percent);
    }
    let dots = |part: &str| [".", ".."].contains(&part.to_lowercase().replace("%2e", ".").as_str());
    match path.split('/').find(|part| dots(part)) {
        Some(part) => Err(SendFault::Dots(part.to_owned())),
        None => Ok(()),
    }
}

/// Refuses characters that are not allowed in this part.
fn only(text: &str, part: &'static str, allowed: impl Fn(char) -> bool) -> Result<(), SendFault> {
    match text.chars().find(|&c| !allowed(c)) {
        Some(found) => Err(SendFault::Character { found, part }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, complaint: &str) {
        let found = text.parse::<SendTo>().expect_err(text);
        assert!(found.to_string().contains(complaint), "{text}: {found}");
    }

    #[test]
    fn an_address_is_kept_as_a_browser_writes_it() {
        for (given, url) in [
            ("https://shop.example/orders", "https://shop.example/orders"),
            ("HTTPS://Shop.Example/Orders", "https://shop.example/Orders"),
            ("https://shop.example", "https://shop.example/"),
            ("https://shop.example?a=b", "https://shop.example/?a=b"),
            ("https://shop.example:443/a", "https://shop.example/a"),
            ("http://localhost:443/a", "http://localhost:443/a"),
            ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
            ("https://a-b.xn--p1ai/%E8%8C%B6/...", "https://a-b.xn--p1ai/%E8%8C%B6/..."),
            ("https://3com.example/a", "https://3com.example/a"),
            ("https://0xyz/a", "https://0xyz/a"),
        ] {
            let address: SendTo = given.parse().unwrap_or_else(|found| panic!("{given}: {found}"));
            assert_eq!(address.url(), url);
            assert_eq!(address.url().parse::<SendTo>().unwrap(), address);
        }
    }

    #[test]
    fn a_policy_names_the_address_without_its_query() {
        for (given, source) in [
            ("https://a.b/c?d=e&f=;\"'", "https://a.b/c"),
            ("https://a.b/c/?d/e", "https://a.b/c/"),
            ("https://a.b", "https://a.b/"),
        ] {
            assert_eq!(given.parse::<SendTo>().unwrap().source(), source);
        }
    }

    #[test]
    fn addresses_that_could_widen_the_policy_are_refused() {
        for text in ["", "/orders", "ftp://a/", "javascript:alert(1)", "https:/a/"] {
            refused(text, "not an http or https address");
        }
        for text in ["https://*/", "https://*.example/"] {
            refused(text, "inner hyphens");
        }
        for text in ["https://u:p@b/", "https://u@b/"] {
            refused(text, "a user name");
        }
        for (text, complaint) in [
            ("https://a/;script-src *", "';' in its path (write it as %3B)"),
            ("https://a/ *", "' ' in its path (write it as %20)"),
            ("https://a/,", "(write it as %2C)"),
            ("https://a/\"", "(write it as %22)"),
            ("https://a/茶", "'茶' in its path (write it as %E8%8C%B6)"),
            ("https://a/?b c", "' ' in its query (write it as %20)"),
        ] {
            refused(text, complaint);
        }
        refused("https://a/#b", "never sent");
        refused("https://ä/", "xn--");
    }

    #[test]
    fn ports_that_no_browser_sends_to_are_refused() {
        for port in ["", "b", "99999", "65536", "-1", "+80", "080", "0", "1 ", "80:80"] {
            refused(&format!("https://a.b:{port}/"), "not a number from 1 to 65535");
        }
        for port in [1, 25, 6000, 10080] {
            refused(&format!("https://a.b:{port}/"), "browsers block");
        }
    }

    #[test]
    fn hosts_that_no_browser_finds_are_refused() {
        for host in ["...", "a..b", ".a", "a.", "-a", "a-", "a.-b", "a_b", "a\\b", "a%41"] {
            refused(&format!("https://{host}/"), "inner hyphens");
        }
        for host in ["1.2.3.999", "1.2.3", "1.2.3.4.5", "01.2.3.4", "7", "a.0x1f", "0x", "0X7F.1"] {
            refused(&format!("https://{host}/"), "not an IPv4 address");
        }
        for host in ["[::1]", "[2001:db8::1]:8443"] {
            refused(&format!("https://{host}/"), "cannot name IPv6 addresses");
        }
        for host in ["", ":80", "?a"] {
            refused(&format!("https://{host}"), "no host name");
        }
        refused(&format!("https://{}/", "a".repeat(64)), "inner hyphens");
        refused(&format!("https://{}/", ["a"; 128].join(".")), "inner hyphens");
    }

    #[test]
    fn paths_that_browsers_shorten_are_refused() {
        for path in ["./a", "../a", "a/..", "a/.", "%2e/a", "a/%2E%2e", "a/.%2E/b"] {
            refused(&format!("https://a.b/{path}"), "browsers remove");
        }
        for path in ["%", "%4", "%zz", "a%2"] {
            refused(&format!("https://a.b/{path}"), "(write it as %25)");
        }
    }

    #[test]
    fn plain_http_over_a_network_is_told_apart() {
        let plain = |text: &str| text.parse::<SendTo>().unwrap().is_plain_http();
        assert!(plain("http://shop.example/x") && plain("HTTP://shop.example:8080?x"));
        assert!(!plain("http://localhost:8080/x") && !plain("http://127.0.0.1"));
        assert!(!plain("https://a/"));
    }
}
