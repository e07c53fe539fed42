//! What tells keys apart without showing them.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::JwkRef;
use crate::ciphers::base64url;
use crate::ciphers::content::ContentCipher;
use crate::protocol::model::{Family, WrapAlgorithm};

impl JwkRef<'_> {
    /// The thumbprint of a public key, or of the public half of a pair, in base64url (RFC 7638 with
    /// SHA-256). A secret key has none: its thumbprint would be a hash of the secret (section 7). Nor
    /// has a knapsack, whose members no standard defines.
    pub fn thumbprint(&self) -> Option<String> {
        match self.material.family() {
            Family::Rsa | Family::Curve => {}
            Family::Secret | Family::Pad | Family::Password | Family::Knapsack => return None,
        }
        // The members that RFC 7638 section 3.2 and RFC 8037 section 2 require, in the order of their names.
        let required = |name: &str| ["crv", "e", "kty", "n", "x", "y"].contains(&name);
        let mut members = BTreeMap::new();
        self.byte_members(|name, bytes| {
            if required(name) {
                members.insert(name, base64url::encode_to_string(bytes));
            }
        });
        self.text_members(|name, text| {
            if required(name) {
                members.insert(name, text.to_owned());
            }
        });
        let members: Vec<_> =
            members.iter().map(|(name, text)| format!("\"{name}\":\"{text}\"")).collect();
        let hash = Sha256::digest(format!("{{{}}}", members.join(",")));
        Some(base64url::encode_to_string(&hash))
    }

    /// The check value of a DES or triple-DES key, in hexadecimal (ANSI X9.24-1): the first 3 bytes of
    /// the encryption of a block of zeros. Its MAC key has no part in it.
    pub fn check_value(&self) -> Option<String> {
        let alg = self.alg?;
        let of_wrap = || WrapAlgorithm::from_name(alg)?.cipher();
        let cipher = ContentCipher::from_name(alg).or_else(of_wrap)?;
        cipher.check_value(self.material.secret()?).map(hex::encode_upper)
    }
}
