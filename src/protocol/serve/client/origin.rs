//! Origins (RFC 6454): scheme, host and port of an address.

use std::fmt;
use std::net::IpAddr;

use crate::protocol::model::{ServiceUrl, split_scheme};

/// The origin of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: &'static str,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an address.
    pub(super) fn of(address: &ServiceUrl) -> Self {
        let (scheme, rest) = split_scheme(address.as_str()).expect("it was checked");
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, port) = match rest[..end].rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            Some(_) | None => (&rest[..end], None),
        };
        let port = port.unwrap_or(usual_port(scheme));
        Self { scheme, host: host.to_ascii_lowercase(), port }
    }

    /// Whether everybody on the way could read along: plain http to another computer.
    pub(super) fn is_exposed(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_here = match address {
            Ok(address) => address.is_loopback(),
            Err(_) => self.host == "localhost",
        };
        !self.is_https() && !is_here
    }

    /// Whether its scheme is https.
    pub(super) fn is_https(&self) -> bool {
        self.scheme == "https"
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        write!(f, "{scheme}://{host}")?;
        match *port == usual_port(scheme) {
            true => Ok(()),
            false => write!(f, ":{port}"),
        }
    }
}

fn usual_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        Origin::of(&address.parse().unwrap())
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (address, expected) in [
            ("https://Shop.Example/a?b#c", "https://shop.example"),
            ("HTTPS://shop.example:443", "https://shop.example"),
            ("https://shop.example:8443/", "https://shop.example:8443"),
            ("http://shop.example:80/", "http://shop.example"),
            ("http://shop.example:443?x", "http://shop.example:443"),
            ("http://[::1]/", "http://[::1]"),
            ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080"),
        ] {
            assert_eq!(origin(address).to_string(), expected);
        }
    }

    #[test]
    fn plain_http_to_other_computers_is_exposed() {
        for address in [
            "http://shop.example/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "http://10.0.0.1/",
            "http://[2001:db8::1]/",
            "http://0.0.0.0/",
        ] {
            assert!(origin(address).is_exposed(), "{address}");
        }
        for address in [
            "https://shop.example/",
            "http://LOCALHOST:8702/",
            "http://127.0.0.1:8702/",
            "http://127.9.9.9/",
            "http://[::1]:8702/",
        ] {
            assert!(!origin(address).is_exposed(), "{address}");
        }
    }
}
