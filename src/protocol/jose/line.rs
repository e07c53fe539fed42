//! Lines as they arrive.

/// Maximum length of a protected header in bytes, before base64url.
pub const MAX_HEADER: usize = 64 << 10;

/// A line without a byte-order mark before it and white space around it.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}
