//! Which key of a plain file seals, and under which algorithms.

use crate::ciphers::content::ContentCipher;
use crate::protocol::jose::jwe::{Carries, SealingKeys};
use crate::protocol::jose::jwk::Jwk;
use crate::protocol::model::{
    Alg, Enc, KeyError, Kid, Member, Suite, Task, Unfit, Unimplemented, Unpaired,
};
use crate::protocol::store::keyfile::PlainFile;

/// Chooses the key of a plain file that seals, and its algorithms.
pub(super) fn choose<'f>(
    file: &'f PlainFile,
    kid: Option<&Kid>,
    enc: Option<Enc>,
) -> Result<(&'f Jwk, Suite), KeyError> {
    let checked = |key: &'f Jwk| {
        let suite = sealing_suite(file, key, enc)?;
        key.view().check_usage(suite, Task::Seal)?;
        SealingKeys::one(&key.encrypting_half(), suite, Carries::Order)?;
        Ok((key, suite))
    };
    if let Some(kid) = kid {
        let keys = file.holder().all_keys();
        let Some(index) = keys.position(kid.as_str()) else {
            return Err(file.passed_over(kid.as_str()).unwrap_or(file.holder().unknown(kid)));
        };
        let alike = keys.alike(index);
        let mut fit = alike.iter().filter_map(|&index| checked(&file.keys()[index]).ok());
        return match (fit.next(), fit.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => checked(&file.keys()[index]),
            (Some(_), Some(_)) => Err(KeyError::Alike { kid: kid.to_string(), keys: alike.len() }),
        };
    }
    let (mut fit, mut refused) = (Vec::new(), None);
    for key in file.keys() {
        match checked(key) {
            Ok(found) => fit.push(found),
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    match (fit.pop(), fit.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), others) => Err(KeyError::Several(others + 1)),
        (None, _) => Err(refused.unwrap_or(KeyError::Missing("key at all"))),
    }
}

/// The algorithms with which a key of a plain file seals.
fn sealing_suite(file: &PlainFile, key: &Jwk, enc: Option<Enc>) -> Result<Suite, KeyError> {
    let Some(name) = key.alg.as_deref() else {
        let view = key.view();
        return Err(KeyError::Unsaid { key: view.words(), fitting: view.material.algorithms() });
    };
    match (Alg::from_name(name), file.direct_cipher(name)) {
        (Some(alg @ Alg::Wrap(_)), _) => {
            let enc = enc.unwrap_or(DEFAULT_ENC);
            Suite::new(alg, enc).ok_or_else(|| Unfit::NothingToWrap(enc).into())
        }
        (Some(Alg::Agree), _) => {
            let enc = enc.unwrap_or(DEFAULT_ENC);
            Suite::new(Alg::Agree, enc).ok_or_else(|| Unpaired { alg: Alg::Agree, enc }.into())
        }
        (Some(Alg::Password(own)), _) => Err(Unfit::Password(own).into()),
        (Some(Alg::Direct) | None, Some(own)) if enc.is_none_or(|enc| enc == own) => {
            Ok(Suite::direct(own))
        }
        (Some(Alg::Direct) | None, Some(own)) => {
            Err(Unfit::OtherCipher { key: key.view().words(), own }.into())
        }
        (Some(Alg::Direct) | None, None) => Err(Unimplemented::new(Member::Alg, name).into()),
    }
}

/// The content cipher for keys that wrap, unless another one is chosen.
pub(super) const DEFAULT_ENC: Enc = Enc::Cipher(ContentCipher::A256Gcm);
