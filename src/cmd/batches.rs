//! `--verify-with`: signed batches are verified before anything of them is opened.

use std::path::PathBuf;

use clap::Args;
use orderseal::ciphers::base64url;
use orderseal::protocol::Result;
use orderseal::protocol::jose::batch::Hash;
use orderseal::protocol::roles::verify::{OnRefused, RefusedBatch, Senders, Verified, Verifier};
use orderseal::protocol::store::files::{self, FileId, Inputs};
use serde_json::{Value, json};

use crate::cmd::arguments::{Failures, SkipReport};
use crate::cmd::diagnosis;
use crate::cmd::help::MORE;
use crate::cmd::{Global, ui};

/// Longest file with senders' keys in bytes.
const MAX_SENDERS: u64 = 1 << 20;

/// Whose batches are opened.
#[derive(Debug, Args)]
pub struct SenderKeys {
    /// Open only whole batches that a sender with this public key signed; repeatable
    ///
    /// A JWK, or a JWK Set, as from `bundle client --signing-key`. Nothing is written until all batches are
    /// verified.
    #[arg(long, value_name = "FILE", conflicts_with = "document", help_heading = MORE)]
    verify_with: Vec<PathBuf>,
}

/// The batches of a run that were verified, and what was left out.
#[derive(Debug, Default)]
pub struct Batches {
    verified: Option<Vec<Verified>>,
    /// Number of orders that were left out.
    pub failed: u64,
}

impl SenderKeys {
    /// The paths of the files.
    pub fn paths(&self) -> &[PathBuf] {
        &self.verify_with
    }

    /// The identities of the files.
    pub fn ids(&self) -> impl Iterator<Item = Option<FileId>> {
        self.verify_with.iter().map(|path| files::identify(path))
    }

    /// Verifies the inputs, if that is asked for, and returns copies of them that were verified.
    pub fn verify(
        &self,
        inputs: Inputs,
        failures: &Failures,
        report: &mut SkipReport,
        global: &Global,
    ) -> Result<(Inputs, Batches)> {
        if self.verify_with.is_empty() {
            return Ok((inputs, Batches::default()));
        }
        let mut senders = Senders::default();
        for path in &self.verify_with {
            let file = files::load_small(path, MAX_SENDERS, false)?;
            senders.add(&file.bytes, &file.place)?;
        }
        let several = inputs.count() > 1;
        let (workers, mut failed) = (global.workers()?, 0);
        let on_refused = match failures.are_skipped() {
            true => OnRefused::Report(Box::new(|refused| {
                failed += refused.orders;
                write_refused(report, &refused, several)
            })),
            false => OnRefused::Fail,
        };
        let mut verifier = Verifier::new(&workers, senders, on_refused)?;
        let inputs = inputs.replaced(|part| verifier.verify(part))?;
        let verified = verifier.finish();
        for batch in verified.iter().filter(|batch| !batch.follows) {
            let Verified { sender, manifest, after, .. } = batch;
            let (number, after) = (manifest.sequence, after.unwrap_or_default());
            ui::warn(
                global,
                &format!(
                    "batch {number} of sender {sender} came after batch {after}, which it does not follow: \
                     batches are missing or in another order"
                ),
            );
        }
        Ok((inputs, Batches { verified: Some(verified), failed }))
    }
}

impl Batches {
    /// The batches as JSON; `None` if none were to be verified.
    pub fn to_json(&self) -> Option<Value> {
        let hash = |hash: &Hash| base64url::encode_to_string(hash);
        let batch = |verified: &Verified| {
            let Verified { sender, manifest, follows, after, .. } = verified;
            json!({
                "batch": manifest.batch.to_string(),
                "manifest": hash(&verified.hash),
                "previous": manifest.previous.as_ref().map(hash),
                "follows": after.map(|_| follows),
                "sender": sender.to_string(),
                "shop": manifest.shop.as_str(),
                "sequence": manifest.sequence,
                "time": manifest.time.to_string(),
                "orders": manifest.count,
            })
        };
        self.verified.as_ref().map(|verified| verified.iter().map(batch).collect())
    }
}

/// Reports a batch that was left out, or a line that is not signed.
fn write_refused(report: &mut SkipReport, refused: &RefusedBatch, several: bool) -> Result<()> {
    let RefusedBatch { place, fault, from, lines, .. } = refused;
    let kind = diagnosis::batch(fault).kind;
    let message = format!("{place}: {fault}");
    let mut entry = json!({"line": place.line, "kind": kind, "message": message,
                           "from": from, "lines": lines});
    if several {
        entry["file"] = json!(place.file);
    }
    report.write(&entry)
}
