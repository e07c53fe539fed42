//! Keys on elliptic curves: `EC` (RFC 7518 section 6.2) and `OKP` (RFC 8037 section 2).

use serde_json::Value;

use super::{
    DecryptingKey, KeyError, Material, PrivateHalf, PublicHalf, Refusal, Usage, number, secret,
};
use crate::ciphers::Secret;
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::{self, Curve, PrivateKey, PublicKey};
use crate::protocol::jose::json::{MemberValue, Members, text};
use crate::protocol::model::{Malformed, Member, Unimplemented};

/// The key type of curves whose points have two coordinates.
pub(super) const EC: &str = "EC";

/// The key type of curves whose points have one.
pub(super) const OKP: &str = "OKP";

/// The key type of a curve.
pub(in crate::protocol::jose) fn key_type(curve: Curve) -> &'static str {
    match curve.has_y() {
        true => EC,
        false => OKP,
    }
}

/// The reason why a public key is refused.
#[derive(Debug)]
pub(in crate::protocol::jose) enum Fault {
    /// A member is missing or malformed.
    Malformed(Malformed),
    /// The type or the curve is not supported.
    Unimplemented(Unimplemented),
    /// The coordinates are not a point of the curve.
    Unsound(ecdh::KeyError),
}

impl From<Malformed> for Fault {
    fn from(found: Malformed) -> Self {
        Self::Malformed(found)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed(found) => found.into(),
            Fault::Unimplemented(name) => KeyError::from(name).into(),
            Fault::Unsound(error) => error.into(),
        }
    }
}

/// Reads a key, and checks that its halves belong together.
pub(super) fn key(kty: &str, members: &dyn Members) -> Result<Material, Refusal> {
    let public = point(kty, members)?;
    if !members.has("d") {
        return Ok(Material::Public(PublicHalf::Curve(Box::new(public))));
    }
    let secret = whole(public.curve(), secret(members, "d")?);
    let key = PrivateKey::new(Backend::detect(), &public, &secret)?;
    Ok(DecryptingKey::Private(PrivateHalf::Curve(Box::new(key))).into())
}

/// Reads a public key with its key type, as headers have it in `epk`. It has nothing secret (RFC 7518
/// section 4.6.1.1), and no member that contradicts its use.
pub(in crate::protocol::jose) fn public_key(members: &dyn Members) -> Result<PublicKey, Fault> {
    if members.has("d") {
        return Err(Malformed::member("d", "allowed in a public key").into());
    }
    if members.member("key_ops").and_then(MemberValue::other).is_some_and(Value::is_null) {
        return Err(Malformed::member("key_ops", "an array of strings").into());
    }
    let of_use = if members.has("key_ops") { "key_ops" } else { "use" };
    Usage::read(members).map_err(|why| match why {
        Refusal::Malformed(found) => found,
        Refusal::Unusable(_) => Malformed::member(of_use, "for encryption"),
    })?;
    match text(members, "kty")? {
        OKP if members.has("y") => {
            Err(Malformed::member("y", "allowed on a curve with one coordinate").into())
        }
        kty @ (EC | OKP) => point(kty, members),
        other => Err(Fault::Unimplemented(Unimplemented::new(Member::KeyType, other))),
    }
}

/// Reads the coordinates of a point.
fn point(kty: &str, members: &dyn Members) -> Result<PublicKey, Fault> {
    let name = text(members, "crv")?;
    let curve = Curve::from_name(name).filter(|curve| key_type(*curve) == kty);
    let unknown = || Fault::Unimplemented(Unimplemented::new(Member::Curve, name));
    let curve = curve.ok_or_else(unknown)?;
    let x = whole(curve, number(members, "x")?.into());
    let y = if curve.has_y() { whole(curve, number(members, "y")?.into()) } else { vec![].into() };
    PublicKey::new(curve, &x, &y).map_err(Fault::Unsound)
}

/// A number in the length that RFC 7518 section 6.2 requires. Some software leaves out leading zeros,
/// and most reads such numbers.
fn whole(curve: Curve, number: Secret) -> Secret {
    match curve.bytes().checked_sub(number.len()) {
        Some(missing @ 1..) if curve.has_y() => {
            let mut whole = Secret::zeroed(curve.bytes());
            whole[missing..].copy_from_slice(&number);
            whole
        }
        Some(_) | None => number,
    }
}

/// Calls `member` with each coordinate.
pub(super) fn coordinates(key: &PublicKey, mut member: impl FnMut(&'static str, &[u8])) {
    member("x", key.x());
    if let Some(y) = key.y() {
        member("y", y);
    }
}
