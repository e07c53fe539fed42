//! `bundle form`: a script for a shop's own form, and a form to begin with.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::ValueHint;
use orderseal::protocol::Result;
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::page::{self, Form, LANGUAGES, SendTo};
use orderseal::protocol::store::files::{self, FileId, Output, Privacy};
use serde_json::json;

use crate::cmd::arguments::OutputFile;
use crate::cmd::hints::usage;
use crate::cmd::{Global, ui};

/// Write a form to begin with, and beside it the script that seals what is typed
///
/// The script attaches to any form: on submit it gets a program from the service of the item page, or
/// takes the key that the page has, and seals what is typed, as JSON with the fields' names. It comes
/// beside FILE as orderseal-HASH.js. Change the form as you like; docs/PAGE.md says what has to stay.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal bundle form --page page.json -o order.html
  orderseal bundle form --page page.json --lang ja -o chumon.html \\
    --send-to https://shop.example/v1/orders")]
pub struct FormArgs {
    /// The shop's item page, from `bundle page`
    #[arg(long, value_name = "FILE")]
    page: PathBuf,
    /// Where orders go [default: /v1/orders of the server that the form comes from]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    send_to: Option<SendTo>,
    /// Language of the form [default: en]
    #[arg(long, value_parser = LANGUAGES)]
    lang: Option<String>,
    /// Where to write the form
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace an existing form
    #[arg(short, long)]
    force: bool,
}

impl FormArgs {
    pub fn run(&self, global: &Global) -> Result<()> {
        if files::is_dash(&self.output) {
            return Err(usage("the script is written beside the form, so that has to be a file"));
        }
        let file = files::load_small(&self.page, MAX_PAGE, false)?;
        let page = Page::parse(&file.bytes, &file.place)?;
        if self.send_to.as_ref().is_some_and(SendTo::is_plain_http) {
            ui::warn(global, "--send-to is no https address: who orders, and how much, is visible");
        }
        let form = Form {
            items: page.offered(&file.place)?,
            send_to: self.send_to.clone(),
            lang: self.lang.clone(),
            ..Form::default()
        };
        let html = page::attached(&page, &form, &file.place)?;
        let script = page::script();
        let beside = self.output.with_file_name(&script.name);
        let mut outputs = vec![self.ready(&self.output, html.as_bytes(), file.id)?];
        if !has(&beside, script.text.as_bytes())? {
            outputs.push(self.ready(&beside, script.text.as_bytes(), file.id)?);
        }
        // The form comes last: it names the script.
        for output in outputs.into_iter().rev() {
            output.commit()?;
        }
        if !global.json {
            return Ok(());
        }
        let report = json!({
            "shop": page.shop.as_str(), "script": beside.display().to_string(),
            "integrity": script.integrity, "bytes": script.text.len(),
        });
        ui::print_report(&report, false)
    }

    fn ready(&self, path: &Path, bytes: &[u8], page: Option<FileId>) -> Result<Output> {
        let to = OutputFile { output: Some(path.to_owned()), force: self.force };
        let mut output = to.create(Privacy::Umask, &[page])?;
        output.protect(None)?;
        output.write(bytes)?;
        Ok(output)
    }
}

/// Whether a file has these bytes. What has the script's name has them, unless somebody changed it.
fn has(path: &Path, bytes: &[u8]) -> Result<bool> {
    Ok(path.exists() && files::read_small(path, MAX_PAGE)?[..] == *bytes)
}
