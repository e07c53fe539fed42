//! Faults of lines, and of the keys that open them.

use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::PrivateKey;
use crate::ciphers::random::{KeySource, SeededSource};
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, Jwk};
use crate::protocol::jose::tree::NODE_LEN;
use crate::protocol::model::{Error, Kid, Place, Result};
use crate::protocol::roles::service::{self, Sizes};
use crate::protocol::simulate::Case;
use crate::protocol::simulate::play::PAD_OF_ORDER;
use crate::protocol::store;
use crate::protocol::store::keyfile::ShopBundle;
use crate::protocol::store::trees::{HeldTree, ServiceTree};

pub fn segment(line: &str, index: usize) -> String {
    line.split('.').nth(index).unwrap_or_default().to_owned()
}

pub fn replace(line: &mut String, index: usize, segment: &str) {
    let mut segments: Vec<&str> = line.split('.').collect();
    segments[index] = segment;
    *line = segments.join(".");
}

/// Changes the first character of a segment; the encoding stays canonical.
pub fn tamper(line: &mut String, index: usize) {
    let found = segment(line, index);
    let first = if found.starts_with('A') { "B" } else { "A" };
    replace(line, index, &format!("{first}{}", &found[1..]));
}

pub fn change_header(line: &mut String, change: impl Fn(&str) -> String) {
    let decoded = base64url::decode_to_vec(segment(line, 0).as_bytes()).unwrap_or_default();
    let header = String::from_utf8_lossy(&decoded).into_owned();
    replace(line, 0, &base64url::encode_to_string(change(&header).as_bytes()));
}

/// Finds the key that a line's header names.
pub fn named_key<'f>(line: &str, file: &'f ShopBundle) -> Option<&'f Jwk<DecryptingKey>> {
    let decoded = base64url::decode_to_vec(segment(line, 0).as_bytes())?;
    let header = String::from_utf8_lossy(&decoded).into_owned();
    let named =
        |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| header.contains(&format!("\"{kid}\"")));
    file.keys.iter().find(named)
}

/// Returns the same names with different keys of the same kind.
pub fn with_wrong_keys(bundle: &ShopBundle, case: &Case) -> Result<ShopBundle> {
    let mut wrong = bundle.clone();
    let mut rng = SeededSource::new(0).stream(0);
    let place = Place::file("wrong key");
    let pair = bundle.keys.iter().find_map(|key| key.material.as_key().curve_pair());
    let curve = pair.map_or(Sizes::default().curve, PrivateKey::curve);
    let sizes = Sizes { rsa_bits: 2048, pad_bytes: PAD_OF_ORDER, curve };
    let material = service::make_material(case.suite, sizes, &mut rng)
        .map_err(|error| Error::key(&place, error))?;
    for key in bundle.keys.iter() {
        wrong.keys.push(key.with(material.clone()));
    }
    for part in wrong.generations.values_mut().flat_map(|own| own.trees.values_mut()) {
        let (tree, ids) = (*part.tree(), part.given().count());
        *part = ServiceTree::new(Backend::detect(), tree, &[0xa7; NODE_LEN], ids).part().clone();
    }
    Ok(wrong)
}

/// Returns the name in the first line's header and another existing name, at the same shop if possible.
pub fn foreign_name(
    lines: &[String],
    own: &ShopBundle,
    other: Option<&ShopBundle>,
) -> Option<(String, String)> {
    let mut named = lines.iter().map(|line| store::named_key(line.as_bytes()));
    let first = named.next()??;
    let listed = |file: &ShopBundle| file.keys.names().map(Kid::to_string).collect::<Vec<_>>();
    let mut others: Vec<String> = named.flatten().collect();
    others.extend(listed(own));
    others.extend(other.map(listed).unwrap_or_default());
    let foreign = others.into_iter().rev().find(|name| *name != first)?;
    Some((first, foreign))
}
