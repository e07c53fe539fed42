//! Prepares keys for orders.

use super::algorithms::algorithms;
use super::{Checked, OpeningKeys};
use crate::protocol::jose::jwe::{Failure, Header, KeyNumber, OpeningKey, headers_of};
use crate::protocol::model::{KeyError, Kid, Result};

impl OpeningKeys {
    /// Prepares a listed key for an order: of several with its name, the one that fits the header.
    ///
    /// # Errors
    /// [`KeyError`] if no key of the name may be used for the order, or several.
    pub(in crate::protocol::store) fn ready(
        &self,
        number: usize,
        header: &Header<'_>,
    ) -> Checked<OpeningKey<'_>> {
        let alike = self.alike(number);
        let Some(first) = alike.first() else { return self.ready_one(number, header) };
        let mut fit = alike.iter().filter_map(|&number| self.ready_one(number, header).ok());
        match (fit.next(), fit.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => self.ready_one(*first, header),
            (Some(_), Some(_)) => {
                let kid = self.listed_name(number).map_or(String::new(), Kid::to_string);
                Err(KeyError::Alike { kid, keys: alike.len() })
            }
        }
    }

    /// Prepares a listed key for an order.
    fn ready_one(&self, number: usize, header: &Header<'_>) -> Checked<OpeningKey<'_>> {
        let held = self.held(number);
        let key = held.file.keys().at(number - held.first);
        let algorithms = algorithms(&held.file, key)?;
        OpeningKey::new(KeyNumber::Listed(number), key, &algorithms, header, self.allow_weak)
    }

    /// Allots rounds of PBES2 to the keys that headers of these lines describe, if there is a password.
    /// Lines get them in the order of these calls, whenever they are opened.
    pub(in crate::protocol) fn allot(&self, lines: &[&[u8]]) {
        let Some(password) = &self.password else { return };
        let mut headers: Vec<_> = lines.iter().flat_map(|line| headers_of(line)).collect();
        // Most lines of a run have one header.
        headers.dedup();
        for header in headers {
            // What is malformed is refused when it is opened.
            if let Ok(header) = Header::decode(&header, &mut Vec::new())
                && let Some(derivation) = header.params.derivation()
            {
                password.allot(derivation);
            }
        }
    }

    /// Prepares the password for an order.
    ///
    /// # Errors
    /// [`Failure`] if the password does not open the order, or deriving its key takes too many rounds.
    pub(in crate::protocol::store) fn ready_password(
        &self,
        header: &Header<'_>,
    ) -> Result<OpeningKey<'_>, Failure> {
        let password = self.password.as_ref().ok_or(KeyError::Unnamed)?;
        OpeningKey::by_password(password, header, self.allow_weak)
    }
}
