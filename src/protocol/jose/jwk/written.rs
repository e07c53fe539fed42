//! Writes keys as JSON.

use serde_json::Value;

use super::{JwkRef, KNAPSACK, KeyRef, PRIVATE_RSA, PrivateHalf, PublicHalf, curve, secret_len};
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::{self, Curve};
use crate::ciphers::random::Origin;
use crate::ciphers::{Wiped, base64url, knapsack, rsa};
use crate::protocol::jose::json;
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{Family, Kid};

/// The value of a member.
enum Written<'m> {
    Text(&'m str),
    /// Bytes in base64url.
    Bytes(&'m [u8]),
    Number(u64),
    Names(&'m [String]),
    Ours(&'m Value),
}

impl Written<'_> {
    /// Writes the value as JSON.
    fn write(&self, backend: Backend, out: &mut Wiped) {
        match self {
            Self::Text(text) => json::append(out, text),
            Self::Bytes(bytes) => {
                out.append(b"\"");
                let from = out.len();
                out.extend_to(from + base64url::encoded_length(bytes.len()));
                base64url::encode(backend, bytes, &mut out[from..]);
                out.append(b"\"");
            }
            Self::Number(number) => json::append(out, number),
            Self::Names(names) => json::append(out, names),
            Self::Ours(value) => json::append(out, value),
        }
    }

    /// Length in characters of the value as JSON, if no text needs an escape.
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + "\"\"".len(),
            Self::Bytes(bytes) => base64url::encoded_length(bytes.len()) + "\"\"".len(),
            Self::Number(number) => number.checked_ilog10().map_or(1, |digits| digits as usize + 1),
            Self::Names(names) => {
                let names: usize = names.iter().map(|name| name.len() + "\"\",".len()).sum();
                "[]".len() + names.saturating_sub(1)
            }
            Self::Ours(value) => json::length(value),
        }
    }
}

impl JwkRef<'_> {
    /// Writes the key as JSON, its members in the order of their names, with the member `orderseal` if
    /// one is given.
    pub(in crate::protocol) fn write(&self, ours: Option<&Value>, out: &mut Wiped) {
        let backend = Backend::detect();
        let (mut values, mut members) = (Wiped::with_capacity(self.text_len()), Vec::new());
        self.members(ours, |name, value| {
            let from = values.len();
            value.write(backend, &mut values);
            members.push((name, from..values.len()));
        });
        members.sort_unstable_by_key(|(name, _)| *name);
        let mut before = "{\"";
        for (name, value) in members {
            for part in [before, name, "\":"] {
                out.append(part.as_bytes());
            }
            out.append(&values[value]);
            before = ",\"";
        }
        out.append(b"}");
    }

    /// Length in characters of the JWK as JSON, if no text in it needs an escape.
    pub(in crate::protocol) fn text_len(&self) -> usize {
        let mut len = "{}".len() - ",".len();
        self.members(None, |name, value| len += name.len() + value.len() + "\"\":,".len());
        len
    }

    /// Calls `member` with each member.
    fn members(&self, ours: Option<&Value>, mut member: impl FnMut(&'static str, Written<'_>)) {
        self.byte_members(|name, bytes| member(name, Written::Bytes(bytes)));
        self.text_members(|name, text| member(name, Written::Text(text)));
        if let Some(offset) = self.offset() {
            member("offset", Written::Number(offset));
        }
        if let Some(names) = self.usage.key_ops() {
            member("key_ops", Written::Names(names));
        }
        if let Some(ours) = ours {
            member("orderseal", Written::Ours(ours));
        }
    }

    /// Calls `member` with each member whose value is bytes in base64url.
    pub(super) fn byte_members(&self, mut member: impl FnMut(&'static str, &[u8])) {
        let mut public_rsa = |key: &rsa::PublicKey| {
            member("n", &key.modulus_be_bytes());
            member("e", &key.exponent_be_bytes());
        };
        match self.material {
            KeyRef::Secret(key) => member("k", key),
            KeyRef::Pad(pad) => member("k", pad.key()),
            KeyRef::Public(PublicHalf::Rsa(key)) => public_rsa(key),
            KeyRef::Public(PublicHalf::Curve(key)) => curve::coordinates(key, member),
            KeyRef::Private(PrivateHalf::Curve(key)) => {
                curve::coordinates(key.public(), &mut member);
                member("d", key.secret());
            }
            KeyRef::Public(PublicHalf::Knapsack(key)) => member("pub", &key.to_bytes()),
            KeyRef::Private(PrivateHalf::Rsa(pair)) => {
                public_rsa(pair.public());
                let numbers = [pair.d(), pair.p(), pair.q(), pair.dp(), pair.dq(), pair.qi()];
                for (name, number) in PRIVATE_RSA.into_iter().zip(&numbers) {
                    member(name, number);
                }
            }
            KeyRef::Private(PrivateHalf::Knapsack(key)) => {
                member("pub", &key.public_key().to_bytes());
                member("priv", &key.to_bytes());
            }
        }
    }

    /// Calls `member` with each member whose value is text.
    pub(super) fn text_members(&self, mut member: impl FnMut(&'static str, &str)) {
        let origin = match self.origin {
            Origin::System => None,
            Origin::Seeded => Some("seeded"),
            Origin::Register => Some("register"),
        };
        let public = self.material.public_curve();
        let curve = public.or_else(|| self.material.curve_pair().map(ecdh::PrivateKey::public));
        let curve = curve.map(ecdh::PublicKey::curve);
        let texts = [
            ("kty", Some(key_type(self.material.family(), curve))),
            ("crv", curve.map(Curve::name)),
            ("kid", self.kid.map(Kid::as_str)),
            ("alg", self.alg),
            ("origin", origin),
            ("use", self.usage.key_use()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                member(name, text);
            }
        }
    }

    /// Offset of a piece of pad, unless it is at the beginning of the pad.
    fn offset(&self) -> Option<u64> {
        self.material.pad().map(Pad::offset).filter(|&offset| offset > 0)
    }
}

/// Length in characters of a key that has not been made yet, as in [`JwkRef::text_len`].
pub(in crate::protocol) fn foreseen_len(
    kid: &Kid,
    alg: &str,
    family: Family,
    (rsa_bits, pad_bytes, curve): (usize, usize, Curve),
) -> usize {
    let half = rsa_bits / 16;
    let bytes = match family {
        Family::Rsa => {
            let private = PRIVATE_RSA.map(|name| (name, if name == "d" { 2 * half } else { half }));
            [&[("n", 2 * half), ("e", 3)][..], &private].concat()
        }
        Family::Curve => {
            let members = ["x", "d", "y"].into_iter().take(if curve.has_y() { 3 } else { 2 });
            members.map(|name| (name, curve.bytes())).collect()
        }
        Family::Knapsack => {
            vec![("pub", knapsack::PUBLIC_KEY_BYTES), ("priv", knapsack::PRIVATE_KEY_BYTES)]
        }
        Family::Pad => vec![("k", Pad::key_len(pad_bytes))],
        Family::Password => Vec::new(),
        Family::Secret => vec![("k", secret_len(alg).expect("a secret key has a length"))],
    };
    let curve = (family == Family::Curve).then_some(curve);
    let texts =
        [("kty", key_type(family, curve)), ("kid", kid.as_str()), ("alg", alg), ("use", "enc")];
    let texts = texts.into_iter().chain(curve.map(|curve| ("crv", curve.name())));
    text_len(&bytes, texts.map(|(name, text)| (name, text.len())))
}

/// Length in characters of an object with members that are bytes in base64url and members that are text.
fn text_len(bytes: &[(&str, usize)], texts: impl Iterator<Item = (&'static str, usize)>) -> usize {
    let bytes = bytes.iter().map(|&(name, len)| (name.len(), base64url::encoded_length(len)));
    let texts = texts.map(|(name, len)| (name.len(), len));
    // Two pairs of quotes, a colon and a comma; a brace takes the place of the last comma.
    1 + bytes.chain(texts).map(|(name, value)| name + value + 6).sum::<usize>()
}

fn key_type(family: Family, curve: Option<Curve>) -> &'static str {
    match family {
        Family::Secret | Family::Pad | Family::Password => "oct",
        Family::Rsa => "RSA",
        Family::Curve => curve.map_or(curve::EC, curve::key_type),
        Family::Knapsack => KNAPSACK,
    }
}
