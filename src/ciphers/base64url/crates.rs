//! Base64url with the crate `base64-simd`.

use std::mem::MaybeUninit;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

/// Encodes; `text` has the encoded length.
pub(super) fn encode(bytes: &[u8], text: &mut [u8]) {
    let _ = URL_SAFE_NO_PAD.encode(bytes, text.as_out());
}

/// Decodes; `bytes` has the decoded length and is overwritten in full if `text` is valid.
pub(super) fn decode(text: &[u8], bytes: &mut [MaybeUninit<u8>]) -> bool {
    URL_SAFE_NO_PAD.decode(text, bytes.as_out()).is_ok()
}
