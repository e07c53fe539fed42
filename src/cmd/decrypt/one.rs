//! Inputs that are one text: a line that carries a key, a document, a sealed stream.

use std::io::{Cursor, Read};

use orderseal::protocol::jose::jwe::{Carries, Shape};
use orderseal::protocol::roles::{shop, stream};
use orderseal::protocol::store::OpeningKeys;
use orderseal::protocol::store::files::{self, FileId, Inputs, Ledger, Output};
use orderseal::protocol::{Error, Malformed, Result};
use serde_json::json;

use super::{Decrypt, Outcome};
use crate::cmd::batches::Batches;
use crate::cmd::hints::usage;
use crate::cmd::ledger::Delivery;
use crate::cmd::{Global, ui};

impl Decrypt {
    /// Opens a line that carries a key; it must be the only line.
    pub(super) fn open_key(
        &self,
        line: &[u8],
        mut inputs: Inputs,
        keys: &OpeningKeys,
        ids: &[Option<FileId>],
        ledger: Option<&mut Ledger>,
        global: &Global,
    ) -> Result<Outcome> {
        let several = inputs.count() > 1;
        let input = inputs.first();
        let place = input.place();
        let mut rest = Vec::new();
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        input
            .reader
            .by_ref()
            .take(1)
            .read_to_end(&mut rest)
            .map_err(|error| Error::io(&place, "cannot read", error))?;
        if several || !rest.is_empty() || text.contains(&b'\n') {
            let found = Malformed::AmongOrders(Carries::Key.words());
            return Err(Error::malformed(&place.at(1), found));
        }
        let mut to = self.delivery(ids, ledger)?;
        if let Some(output) = &mut to.output {
            output.protect(None)?;
        }
        if to.output.as_ref().is_some_and(Output::is_terminal) {
            return Err(usage("keys are not printed to a terminal: use -o FILE".to_owned()));
        }
        let uses = self.uses.uses(to.ledger.as_deref_mut());
        let (key, opened) = shop::open_key(text, &place, keys, uses)?;
        let Some(output) = &mut to.output else {
            let report = json!({"orders": 0, "wrapped_keys": 1});
            match global.json {
                true => ui::print_report(&report, false)?,
                false => ui::print("1\twrapped key\n")?,
            }
            return Ok(Outcome::One(key));
        };
        output.write(&opened)?;
        output.write(b"\n")?;
        to.send()?;
        Ok(Outcome::One(key))
    }

    /// Opens the input as one order.
    pub(super) fn open_document(
        &self,
        global: &Global,
        inputs: Inputs,
        keys: &OpeningKeys,
        ids: &[Option<FileId>],
        ledger: Option<&mut Ledger>,
    ) -> Result<Outcome> {
        let input = inputs.only("a document")?;
        let place = input.place();
        let limit = Shape::Document.max_sealed() as u64;
        let sealed = files::read_limited(input.reader, limit, &place)?;
        let mut to = self.delivery(ids, ledger)?;
        let uses = self.uses.uses(to.ledger.as_deref_mut());
        let (summary, text) = shop::open_document(&sealed, &place, keys, uses)?;
        if let Some(output) = &mut to.output {
            output.write(&text)?;
        }
        to.send()?;
        self.report_summary(global, &summary, keys, &Batches::default())?;
        Ok(Outcome::Orders(summary))
    }

    /// Opens a stream of which the first line and perhaps more was already read.
    pub(super) fn open_stream(
        &self,
        global: &Global,
        first: &[u8],
        mut inputs: Inputs,
        keys: &OpeningKeys,
        ids: &[Option<FileId>],
        ledger: Option<&mut Ledger>,
    ) -> Result<Outcome> {
        let place = inputs.first().place();
        if inputs.count() > 1 {
            return Err(Error::malformed(&place.at(1), Malformed::StreamAmongFiles));
        }
        let input = inputs.only("a sealed stream")?;
        let mut to = self.delivery(ids, ledger)?;
        let Delivery { output, ledger } = &mut to;
        if let Some(output) = output {
            output.refuse_terminal("an opened stream")?;
        }
        let uses = self.uses.uses(ledger.as_deref_mut());
        let (line, rest) = match memchr::memchr(b'\n', first) {
            Some(end) => (&first[..end], &first[end + 1..]),
            None => (first, &[][..]),
        };
        let progress = ui::Progress::bytes(global, input.size, output.as_ref());
        let reader = Box::new(Cursor::new(rest.to_vec()).chain(input.reader));
        let workers = global.workers()?;
        let opened = stream::open(&workers, line, reader, &place, keys, uses, |pieces, totals| {
            progress.update_bytes(totals);
            output.as_mut().map_or(Ok(()), |output| output.write_pieces(pieces))
        })?;
        to.send()?;
        progress.finish_bytes(if self.check { "verified" } else { "opened" }, &opened.totals);
        self.report_stream(global, &opened, keys)?;
        Ok(Outcome::One(opened.key))
    }
}
