//! Faults in web addresses.

/// A fault in a web address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Another scheme than http or https, or none.
    #[error("not an http or https address")]
    Scheme,
    /// Too many bytes.
    #[error("{found} bytes, expected at most {most}")]
    Long {
        /// Bytes found.
        found: usize,
        /// Most bytes.
        most: usize,
    },
    /// A character that addresses cannot have.
    #[error("{0:?} in the address")]
    Character(char),
    /// A user name before the host.
    #[error("a user name in the address")]
    User,
    /// A number in brackets that is not an IPv6 address.
    #[error("host \"[{0}]\"")]
    Ipv6(String),
    /// Nothing where the host should be.
    #[error("no host name")]
    NoHost,
    /// A port that is not a number within the limits.
    #[error("a port that is not a number from 1 to 65535")]
    NoPort,
    /// A fault that only matters where a page sends to the address.
    #[error(transparent)]
    SendTo(#[from] SendFault),
}

/// The reason why an order page cannot send to a web address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFault {
    /// A fragment.
    #[error("a fragment (from # on), which is never sent")]
    Fragment,
    /// A query where a path is to be added.
    #[error("a query (from ? on), behind which no path can stand")]
    Query,
    /// A user name before the host.
    #[error("a user name, which pages cannot send")]
    User,
    /// An IPv6 address.
    #[error("a content security policy cannot name IPv6 addresses")]
    Ipv6,
    /// A port that is not a number within the limits.
    #[error("port {0:?} is not a number from 1 to 65535")]
    NoPort(String),
    /// A port that browsers refuse (Fetch standard, section "Port blocking").
    #[error("port {0}, which browsers block")]
    BlockedPort(u16),
    /// A host name that is not in ASCII.
    #[error("host name {0:?} is not ASCII: write it as xn--…")]
    NotAscii(String),
    /// A host name with other characters, or with parts that are too long.
    #[error("host name {0:?} is not made of parts of 1 to 63 letters, digits and inner hyphens")]
    Host(String),
    /// A host name that browsers take for a damaged IPv4 address.
    #[error("host {0:?} ends in a number but is not an IPv4 address")]
    Ipv4(String),
    /// A percent sign that begins no escape.
    #[error("a % without two hexadecimal digits in its path (write it as %25)")]
    Percent,
    /// A part of the path that browsers resolve.
    #[error("a part {0:?} in its path, which browsers remove")]
    Dots(String),
    /// A character that has to be written as an escape.
    #[error("{found:?} in its {part} (write it as {})", escape(*.found))]
    Character {
        /// The character.
        found: char,
        /// The part of the address.
        part: &'static str,
    },
}

/// A character as percent-encoded UTF-8 (RFC 3986 section 2.1).
fn escape(character: char) -> String {
    let bytes = character.to_string().into_bytes();
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}
