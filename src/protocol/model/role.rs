//! Roles: the party that a key file belongs to.

use std::fmt;

/// Party that a key file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The security service: all keys.
    Service,
    /// A shop: its decrypting keys.
    Shop,
    /// A client: encrypting keys of one shop, and a program.
    Client,
    /// No party in particular: a plain JWK Set, or a lone JWK.
    Plain,
}

impl Role {
    /// Name of the role: `service`, `shop`, `client` or `plain`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Shop => "shop",
            Self::Client => "client",
            Self::Plain => "plain",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
