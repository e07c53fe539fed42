//! Measurements of an input.

use crate::protocol::model::Place;

/// Number and lengths of orders, if known before they are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSize {
    /// Number of orders.
    pub orders: u64,
    /// Total length of all orders in bytes, without line feeds.
    pub bytes: u64,
    /// Length of the longest order, in bytes.
    pub longest: u64,
    /// Place of the longest order.
    pub longest_at: Place,
    /// Files, with the number of orders in each.
    pub files: Vec<(Place, u64)>,
}

impl InputSize {
    /// Measurement of one order of this length, on the first line of a place.
    pub fn one(bytes: u64, place: &Place) -> Self {
        let first = place.at(1);
        Self {
            orders: 1,
            bytes,
            longest: bytes,
            longest_at: first,
            files: vec![(place.clone(), 1)],
        }
    }

    /// Adds the orders of `more` after these.
    pub fn and(self, more: Self) -> Self {
        let (orders, bytes) = (self.orders + more.orders, self.bytes + more.bytes);
        let files = [&self.files[..], &more.files].concat();
        let longest = if more.longest > self.longest { more } else { self };
        Self { orders, bytes, files, ..longest }
    }

    /// Place of an order, which is counted from 0.
    pub fn place_of(&self, order: u64) -> Place {
        let mut line = order;
        for (file, orders) in &self.files {
            if line < *orders {
                return file.at(line + 1);
            }
            line -= orders;
        }
        self.longest_at.clone()
    }
}
