//! The first bytes of inputs: what they say before anything is done with them, and the first line.

use std::io::Read;

use orderseal::protocol::jose::jwe::{MAX_SEALED_LINE, is_sealed_json, is_unfinished_json};
use orderseal::protocol::jose::quoted_line_feed;
use orderseal::protocol::model::{Expected, Form};
use orderseal::protocol::store::files::{Input, Inputs};
use orderseal::protocol::{Error, Result};

use super::{Global, ui};

/// Refuses inputs that cannot be orders, one per line, and warns of those whose lines may not be the
/// orders that the user means.
pub fn check_orders(global: &Global, inputs: &mut Inputs) -> Result<()> {
    inputs.look(|beginning, place| {
        if let Some(found) = Form::of_no_orders(beginning) {
            return Err(Error::unexpected(place, found, Expected::Orders));
        }
        if beginning.starts_with(b"\xef\xbb\xbf") {
            let found = Form::ByteOrderMark;
            ui::warn(global, &format!("{place}: {found} becomes part of the first order"));
        }
        if let Some(line) = quoted_line_feed(beginning) {
            ui::warn(
                global,
                &format!(
                    "{}: a field in quotes continues on the next line, as in CSV; each of its lines becomes \
                     an order",
                    place.at(line)
                ),
            );
        }
        Ok(())
    })
}

/// Refuses old data that cannot be raw ciphertext; `salted` if it may be what OpenSSL encrypted under a
/// password.
pub fn check_ciphertext(input: &mut Input, salted: bool) -> Result<()> {
    input.look(|beginning, place| match Form::of_no_ciphertext(beginning) {
        Some(Form::Salted) if salted => Ok(()),
        Some(found) => Err(Error::unexpected(place, found, Expected::Ciphertext)),
        None => Ok(()),
    })
}

/// Reads on to the end of the input's first line, or a little further; `bytes` were read before.
pub fn peek_line(input: &mut Input, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 64 << 10];
    while bytes.len() <= MAX_SEALED_LINE && memchr::memchr(b'\n', &bytes).is_none() {
        match input.reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(&input.name, "cannot read", error)),
        }
    }
    Ok(bytes)
}

/// Joins the lines of an input that is one order in a JSON serialization over several lines; in JSON,
/// line feeds are white space. Any other input stays as it is. `first` was read before.
pub fn joined_json(input: &mut Input, mut first: Vec<u8>) -> Result<Vec<u8>> {
    if !is_unfinished_json(&first) {
        return Ok(first);
    }
    let limit = MAX_SEALED_LINE.saturating_sub(first.len()) as u64;
    let rest = input.reader.by_ref().take(limit).read_to_end(&mut first);
    rest.map_err(|error| Error::io(&input.name, "cannot read", error))?;
    // Lines of which the first is damaged stay apart, so that the others can be opened.
    if !is_sealed_json(&first) {
        return Ok(first);
    }
    first.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    Ok(first)
}
