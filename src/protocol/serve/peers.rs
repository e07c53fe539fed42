//! Who asks: the address behind proxies, the host that is asked, and the page that asks.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Uri, header};

use super::problem::{Fault, Problem};

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address from which a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The origin of a page: scheme, host and port (RFC 6454), as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// A text that does not have the form of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an origin, as in https://shop.example or http://127.0.0.1:8702")]
pub struct NotOrigin;

impl Origin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = NotOrigin;

    fn from_str(text: &str) -> Result<Self, NotOrigin> {
        let text = text.to_ascii_lowercase();
        let (scheme, host) = text.split_once("://").ok_or(NotOrigin)?;
        let usual = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(NotOrigin),
        };
        let host = host.strip_suffix('/').unwrap_or(host);
        let host = host.strip_suffix(usual).unwrap_or(host);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        match !host.is_empty() && host.chars().all(plain) {
            true => Ok(Self(format!("{scheme}://{host}"))),
            false => Err(NotOrigin),
        }
    }
}

/// The address of the client: that of the connection, or, from one of the proxies named, the last that
/// they forward and that is none of them.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, hops: &[IpAddr]) -> IpAddr {
    let mut address = peer.to_canonical();
    let forwarded: Vec<&str> =
        headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or("?")).collect();
    let forwarded = forwarded.join(",");
    let mut before = forwarded.rsplit(',').map(|text| text.trim().parse::<IpAddr>());
    while hops.contains(&address) {
        match before.next() {
            Some(Ok(found)) => address = found.to_canonical(),
            Some(Err(_)) | None => break,
        }
    }
    address
}

/// The host that a request names, with its port if there is one.
pub fn host<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let named = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    uri.authority().map(|authority| authority.as_str()).or(named)
}

/// Whether a host is one of this machine's own names, which no page elsewhere can have.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address: Option<IpAddr> = name.parse().ok();
    name.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback())
}

/// The only `Origin` of a request.
fn origin(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut all = headers.get_all(header::ORIGIN).iter();
    let origin = all.next().map(|origin| origin.to_str()).transpose();
    match (origin, all.next()) {
        (Ok(origin), None) => Ok(origin),
        (Ok(_) | Err(_), _) => Err(Fault::Origin.plain()),
    }
}

/// The origin of a request, which must be one of those named.
///
/// # Errors
/// [`Fault::Origin`], also if there is none.
pub fn required_origin<'o>(
    headers: &HeaderMap,
    origins: &'o [Origin],
) -> Result<&'o Origin, Problem> {
    let found = origin(headers)?;
    let own = origins.iter().find(|own| found == Some(own.as_str()));
    own.ok_or_else(|| match found {
        Some(_) => Fault::Origin.plain(),
        None => Fault::Origin.because("the header Origin is missing"),
    })
}

/// Checks the origin of a request, if it has one: it must be that of the host asked, or one of those named.
///
/// # Errors
/// [`Fault::Origin`].
pub fn check_origin(parts: &Parts, origins: &[Origin]) -> Result<(), Problem> {
    let Some(found) = origin(&parts.headers)? else { return Ok(()) };
    let own = |host: &str| {
        let origin = |scheme| format!("{scheme}://{host}").parse::<Origin>();
        [origin("https"), origin("http")].into_iter().flatten().any(|own| own.as_str() == found)
    };
    let is_own = host(&parts.uri, &parts.headers).is_some_and(own);
    match is_own || origins.iter().any(|own| own.as_str() == found) {
        true => Ok(()),
        false => Err(Fault::Origin.plain()),
    }
}

/// Checks the type of a body; its parameters do not matter.
///
/// # Errors
/// [`Fault::MediaType`].
pub fn check_type(headers: &HeaderMap, expected: &[&str]) -> Result<(), Problem> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let found = found.and_then(|found| found.split(';').next()).unwrap_or_default().trim();
    match expected.iter().any(|one| one.eq_ignore_ascii_case(found)) {
        true => Ok(()),
        false => Err(Fault::MediaType.because(format!("expected {}", expected.join(" or ")))),
    }
}

/// The token of the header `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        values.iter().for_each(|value| {
            headers.append(name.clone(), value.parse().unwrap());
        });
        headers
    }

    #[test]
    fn only_named_proxies_say_whom_they_forward() {
        let hops = [ip("10.0.0.1"), ip("10.0.0.2")];
        let from =
            |peer, values: &[&str]| client_address(ip(peer), &headers(FORWARDED, values), &hops);
        assert_eq!(from("198.51.100.7", &["192.0.2.1"]), ip("198.51.100.7"));
        assert_eq!(from("10.0.0.1", &["192.0.2.9, 192.0.2.1"]), ip("192.0.2.1"));
        assert_eq!(from("10.0.0.1", &["192.0.2.9", "192.0.2.1, 10.0.0.2"]), ip("192.0.2.1"));
        assert_eq!(from("::ffff:10.0.0.1", &["192.0.2.1"]), ip("192.0.2.1"));
        assert_eq!(from("10.0.0.1", &["192.0.2.1, junk"]), ip("10.0.0.1"));
        assert_eq!(from("10.0.0.1", &[]), ip("10.0.0.1"));
    }

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        for (text, origin) in [
            ("https://Shop.example", "https://shop.example"),
            ("https://shop.example:443/", "https://shop.example"),
            ("http://127.0.0.1:8702", "http://127.0.0.1:8702"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), origin);
        }
        for other in ["null", "shop.example", "ftp://shop.example", "https://", "https://a/b", "*"]
        {
            assert!(other.parse::<Origin>().is_err(), "{other}");
        }
        let own = ["https://shop.example".parse().unwrap()];
        let asked =
            |values: &[&str]| required_origin(&headers(header::ORIGIN, values), &own).is_ok();
        assert!(asked(&["https://shop.example"]));
        for others in [
            &[][..],
            &["null"],
            &["https://shop.example.evil"],
            &["http://shop.example"],
            &["https://shop.example", "https://shop.example"],
        ] {
            assert!(!asked(others), "{others:?}");
        }
    }

    #[test]
    fn names_of_this_machine_are_recognized() {
        for own in
            ["localhost", "LOCALHOST:8701", "127.0.0.1", "127.9.9.9:1", "[::1]:8701", "[::1]"]
        {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["", "localhost.example", "192.0.2.1", "127.0.0.1.example:80", "[2001:db8::1]"]
        {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
