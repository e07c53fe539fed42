//! Where a page sends orders.

use std::str::FromStr;

/// The address that a page sends orders to, and the only one that its policy lets it reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendTo(String);

impl SendTo {
    /// The address.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// The address as a policy names it: without its query.
    pub(super) fn source(&self) -> &str {
        self.0.split('?').next().expect("there is a first part")
    }

    /// Whether the order's size and id travel in the clear over a network.
    pub fn is_plain_http(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return false };
        let host = rest.split(['/', '?']).next().expect("there is a first part");
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        !["localhost", "127.0.0.1"].contains(&name)
    }
}

impl FromStr for SendTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(format!("{why}, expected like https://shop.example/orders"));
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let Some(rest) = rest else { return refused("not an http or https address") };
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let host = address.split('/').next().expect("there is a first part");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) {
            return refused("no plain host name in it (others than ASCII as xn--…)");
        }
        // Nothing may end the directive or the attribute that the address stands in.
        let safe = |byte: u8| plain(byte) || b"/_~%!$()+=@".contains(&byte);
        let printing = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !address.bytes().all(safe) || !query.bytes().all(printing) {
            return refused("characters in it that have to be percent-encoded");
        }
        Ok(Self(text.to_owned()))
    }
}
