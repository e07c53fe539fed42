//! What the first bytes of inputs say, before anything is done with them.

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
