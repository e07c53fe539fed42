//! Lone keys: one for an algorithm, and one that signs.

use orderseal::ciphers::content::ContentCipher;
use orderseal::ciphers::random::{KeySource, Origin};
use orderseal::protocol::jose::json::SecretJson;
use orderseal::protocol::jose::jwk::{Jwk, Usage};
use orderseal::protocol::jose::jws::SigningKey;
use orderseal::protocol::roles::service::{self, DEFAULT_RSA_BITS};
use orderseal::protocol::store::files::{Privacy, Protection};
use orderseal::protocol::store::keyfile::LoneKey;
use orderseal::protocol::{Alg, Enc, Error, Kid, Place, Result, Scope, Suite};
use serde_json::{Value, json};

use super::{Keygen, refuse_terminal, refuse_weak, write_public};
use crate::cmd::Global;
use crate::cmd::hints::usage;

impl Keygen {
    pub(super) fn lone_key<S: KeySource>(
        &self,
        name: &str,
        source: &S,
        protection: Option<Protection>,
        global: &Global,
    ) -> Result<()> {
        let suite = match (Alg::from_name(name), Enc::from_name(name)) {
            (_, Some(enc)) => Suite::new(Alg::Direct, enc),
            (Some(alg), None) => Suite::new(alg, Enc::Cipher(ContentCipher::A256Gcm)),
            (None, None) => None,
        }
        .ok_or_else(|| usage(format!("no key can be made for {name}")))?;
        let suite = self.with_sbox(suite)?;
        let place = Place::file("keygen");
        refuse_weak(suite, global, &place)?;
        let sizes = self.sizes(suite, Scope::Shop)?;
        let material = service::make_material(suite, sizes, &mut source.stream(0))
            .map_err(|error| Error::key(&place, error))?;
        let key = Jwk {
            kid: self.kid.clone(),
            alg: Some(name.to_owned().into()),
            usage: Usage::Encryption,
            origin: S::ORIGIN,
            material,
        };
        let mut file = LoneKey::new(key);
        file.sbox = suite.enc().own_sbox();
        file.dates = self.dates.made_now(global)?;
        let public = self.create_public(&[])?;
        let half = match (&public, file.key.view().material.is_secret_alone()) {
            (Some(_), true) => return Err(usage(format!("a key for {name} has no public half"))),
            (None, _) => None,
            (Some(_), false) => {
                Some(LoneKey { key: file.key.encrypting_half().into(), ..file.clone() })
            }
        };
        self.write(&file, protection)?;
        if let (Some(output), Some(half)) = (public, half) {
            write_public(output, &half)?;
        }
        self.report(global, 1, None)
    }

    /// Makes a key that signs what the service hands out.
    pub(super) fn signing_key<S: KeySource>(
        &self,
        source: &S,
        protection: Option<Protection>,
        global: &Global,
    ) -> Result<()> {
        if S::ORIGIN != Origin::System {
            return Err(usage("keys that sign are made from --rng system"));
        }
        let idle = [
            ("--rsa-bits", self.rsa_bits != DEFAULT_RSA_BITS),
            ("--curve", self.curve.is_some()),
            ("--pad-bytes", self.pad_bytes.is_some()),
            ("--toy-sbox", self.toy_sbox.is_some()),
            ("--not-before and --expires", !self.dates.are_always()),
        ];
        if let Some((option, _)) = idle.into_iter().find(|(_, given)| *given) {
            return Err(usage(format!("{option}: has no effect on a key that signs")));
        }
        let key = SigningKey::random(&mut source.stream(0));
        let public = key.verifying();
        let named = |mut jwk: Value| {
            let kid = self.kid.as_ref().map(Kid::to_string);
            jwk["kid"] = json!(kid.unwrap_or_else(|| public.thumbprint().to_string()));
            SecretJson::new(jwk)
        };
        let to_public = self.create_public(&[])?;
        let mut output = self.to.create(Privacy::Owner, &[])?;
        output.protect(protection)?;
        refuse_terminal(&output, true)?;
        output.write(&named(key.to_jwk()).to_bytes())?;
        output.write(b"\n")?;
        output.commit()?;
        if let Some(mut output) = to_public {
            output.write(&named(public.to_jwk()).to_bytes())?;
            output.write(b"\n")?;
            output.commit()?;
        }
        self.report(global, 1, None)
    }
}
