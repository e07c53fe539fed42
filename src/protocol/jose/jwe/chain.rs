//! Chained wrapping: each content-encryption key wrapped under the next.

use zeroize::Zeroizing;

use crate::ciphers::aes::kw;
use crate::ciphers::base64url;
use crate::protocol::jose::json::ObjectText;

/// Length in bytes of every key of a chain except the first, whose length depends on its cipher.
pub(super) const LINK_LEN: usize = 32;

/// Wraps keys along a chain, outermost first: CEKₙ₋₁ under CEKₙ … CEK₁ under CEK₂.
/// `keys` are CEK₂ … CEKₙ.
pub(super) fn wrap(cek: &[u8], keys: &[[u8; LINK_LEN]]) -> Vec<Vec<u8>> {
    let wrapped = std::iter::once(cek).chain(keys.iter().map(|key| &key[..]));
    let pairs = keys.iter().zip(wrapped);
    let mut links: Vec<_> = pairs.map(|(kek, key)| kw::wrap_one(kek.into(), key)).collect();
    links.reverse();
    links
}

/// Adds a chain to a header, as a critical member.
pub(super) fn describe(links: &[Vec<u8>], header: &mut ObjectText) {
    let links: Vec<String> =
        links.iter().map(|link| format!("\"{}\"", base64url::encode_to_string(link))).collect();
    header.json("chain", &format!("[{}]", links.join(",")));
    header.json("crit", r#"["chain"]"#);
}

/// Follows a chain from CEKₙ down to CEK₁, and writes CEK₁ over the random bytes in `cek`. If a
/// link fails to verify, `cek` stays random.
pub(super) fn unwrap(outermost: &[u8; LINK_LEN], links: &[Vec<u8>], cek: &mut [u8]) {
    let mut key = Zeroizing::new([0; LINK_LEN]);
    key.copy_from_slice(outermost);
    let Some((last, inner)) = links.split_last() else { return };
    for link in inner {
        let mut next = Zeroizing::new([0; LINK_LEN]);
        if !kw::unwrap_one((&*key).into(), link, &mut *next) {
            return;
        }
        key = next;
    }
    let mut found = Zeroizing::new(vec![0; cek.len()]);
    if kw::unwrap_one((&*key).into(), last, &mut found) {
        cek.copy_from_slice(&found);
    }
}
