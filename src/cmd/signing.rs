//! Signatures of files by the security service: signing and verifying.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::jose::json;
use orderseal::protocol::jose::jws::{self, SignedFault, SigningKey, VerifyingKey};
use orderseal::protocol::model::Unfit;
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::store::files::{self, FileId, Output, Privacy, Protection};
use orderseal::protocol::{Error, Malformed, Place, Result};

use super::arguments::{MORE, OutputFile};
use super::{Global, ui};
use crate::cmd::hints::usage;

/// Longest file with a key or a signature in bytes.
const MAX_KEY: u64 = 64 << 10;

/// The key that signs a file.
#[derive(Debug, Args)]
pub struct SignWith {
    /// Also write a signature by this key (`keygen --alg EdDSA`) to a file beside the output: its name with `.jws`
    #[arg(long, value_name = "KEY", help_heading = MORE)]
    sign_with: Option<PathBuf>,
}

/// A key that signs a file, and the output for the signature.
pub struct FileSigner {
    key: SigningKey,
    output: Output,
}

impl SignWith {
    /// Path of the key, if given.
    pub fn path(&self) -> Option<&Path> {
        self.sign_with.as_deref()
    }

    /// Where the signature of an output goes, if one is asked for.
    pub fn output(&self, to: &OutputFile) -> Option<PathBuf> {
        self.sign_with.as_ref()?;
        to.path().map(signature_of)
    }

    /// Reads the key and opens the output, if a signature is asked for.
    pub fn prepare(
        &self,
        to: &OutputFile,
        inputs: &[Option<FileId>],
        protection: Option<&Protection>,
        global: &Global,
    ) -> Result<Option<FileSigner>> {
        let Some(path) = &self.sign_with else { return Ok(None) };
        if protection.is_some() {
            return Err(usage(
                "--sign-with signs a file as it is, without --protect or --recipient",
            ));
        }
        let Some(target) = to.path().filter(|path| !files::is_dash(path)) else {
            return Err(usage("a signature goes to a file beside the output: use -o FILE"));
        };
        let file = files::load_secret(path, MAX_KEY, global.access()?)?;
        let key =
            SigningKey::parse(&file.bytes).map_err(|found| Error::malformed(&file.place, found))?;
        let inputs = [inputs, &[file.id]].concat();
        let path = signature_of(target);
        let output = Output::create(Some(&path), to.existing(), Privacy::Umask, &inputs)?;
        Ok(Some(FileSigner { key, output }))
    }
}

impl FileSigner {
    /// Signs the file as one of this kind.
    pub fn sign(mut self, kind: &str, file: &[u8]) -> Result<()> {
        self.output.write(format!("{}\n", self.key.sign_file(kind, file)).as_bytes())?;
        self.output.commit()
    }
}

/// Checks that a file was signed by the key that another file has or, if that is an item page, names.
pub fn verify(path: &Path, bytes: &[u8], by: &Path, global: &Global) -> Result<()> {
    let place = Place::file(ui::shown(path));
    let token = files::load_small(&signature_of(path), MAX_KEY, false)?;
    check(&place, bytes, &token.bytes, by, global)
}

/// Checks a signature of what is at a place.
pub fn check(place: &Place, bytes: &[u8], token: &[u8], by: &Path, global: &Global) -> Result<()> {
    let expected = known_key(by)?.thumbprint();
    let token = str::from_utf8(token).unwrap_or_default().trim();
    match jws::verify_file(token, bytes, expected) {
        Ok(kind) => {
            ui::note(global, &format!("{place}: signed as {kind} by {expected}"));
            Ok(())
        }
        Err(SignedFault::OtherKey { found, expected }) => {
            let (found, expected) = (found.to_string(), expected.to_string());
            Err(Error::key(place, Unfit::OtherSigner { found, expected }.into()))
        }
        Err(_) => Err(Error::Authentication(place.clone())),
    }
}

/// The key whose signatures count: of a JWK, or as an item page names it.
pub fn known_key(path: &Path) -> Result<VerifyingKey> {
    let file = files::load_small(path, MAX_PAGE, false)?;
    let malformed = |found: Malformed| Error::malformed(&file.place, found);
    let value = json::parse(&file.bytes).map_err(|found| malformed(found.into()))?;
    if value.get("orderseal").is_some() {
        let page = Page::parse(&file.bytes, &file.place)?;
        let missing = || malformed(Malformed::NoMember("service_key".to_owned()));
        return page.service_key.ok_or_else(missing);
    }
    VerifyingKey::parse(&file.bytes).map_err(malformed)
}

/// The signature beside the file at a path, if there is one.
#[cfg(feature = "serve")]
pub fn signature_beside(path: &Path) -> Result<Option<Vec<u8>>> {
    let path = signature_of(path);
    match path.try_exists() {
        Ok(false) => Ok(None),
        Ok(true) | Err(_) => Ok(Some(files::load_small(&path, MAX_KEY, false)?.bytes.to_vec())),
    }
}

/// Path of the signature of the file at a path.
fn signature_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".jws");
    name.into()
}
