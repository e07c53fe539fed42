//! The algorithms of keys, according to their files.

use super::Checked;
use super::file::OpeningFile;
use crate::protocol::jose::jwe::Algorithms;
use crate::protocol::jose::jwk::{Jwk, JwkRef};
use crate::protocol::model::{Alg, KeyError, Member, Suite, Unfit, Unimplemented};
use crate::protocol::store::keyfile::{PlainFile, Shop};

/// The algorithms of a key, according to its file.
pub(super) fn algorithms(file: &OpeningFile, key: JwkRef<'_>) -> Checked<Algorithms> {
    let fixed = |shop: &Shop| Algorithms::Fixed(shop.suite);
    match file {
        OpeningFile::Plain(file) => plain_algorithms(file, key.alg),
        OpeningFile::Shop(_) | OpeningFile::Keyring(_) => {
            let shop = key.kid.and_then(|kid| file.holder().shop_of(kid));
            shop.map(fixed).ok_or_else(|| KeyError::NoAlgorithm(key.words()))
        }
    }
}

/// The algorithms of a key of a plain file.
fn plain_algorithms(file: &PlainFile, alg: Option<&str>) -> Checked<Algorithms> {
    let Some(alg) = alg else { return Ok(Algorithms::Unsaid) };
    match (Alg::from_name(alg), file.direct_cipher(alg)) {
        (Some(alg @ (Alg::Agree | Alg::Wrap(_))), _) => Ok(Algorithms::AnyContent(alg)),
        (Some(Alg::Password(own)), _) => Err(Unfit::Password(own).into()),
        (Some(Alg::Direct) | None, Some(enc)) => Ok(Algorithms::Fixed(Suite::direct(enc))),
        (Some(Alg::Direct) | None, None) => Err(Unimplemented::new(Member::Alg, alg).into()),
    }
}

/// The only key of a plain file that can open orders; `None` if there are several.
///
/// # Errors
/// The error for the first key if none can.
pub(super) fn single_key(file: &PlainFile) -> Checked<Option<usize>> {
    let usable = |key: &Jwk| plain_algorithms(file, key.alg.as_deref()).map(|_| ());
    let mut found = file.keys().iter().enumerate().filter(|(_, key)| usable(key).is_ok());
    match (found.next(), found.next()) {
        (Some((only, _)), None) => Ok(Some(only)),
        (Some(_), Some(_)) => Ok(None),
        (None, _) => file.keys().first().map_or(Ok(()), usable).map(|()| None),
    }
}
