//! How much an input holds.

use crate::protocol::model::Place;

/// How many orders there are and how long they are, where that is known before they are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Orders.
    pub orders: u64,
    /// Bytes of all orders together, without line feeds.
    pub bytes: u64,
    /// Bytes of the longest order.
    pub longest: u64,
    /// The place of the longest order.
    pub longest_at: Place,
    /// The files, and how many orders each has.
    pub files: Vec<(Place, u64)>,
}

impl Measured {
    /// One order of that length, at the first line of a place.
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

    /// These orders and `more` after them.
    pub fn and(self, more: Self) -> Self {
        let (orders, bytes) = (self.orders + more.orders, self.bytes + more.bytes);
        let files = [&self.files[..], &more.files].concat();
        let longest = if more.longest > self.longest { more } else { self };
        Self { orders, bytes, files, ..longest }
    }

    /// The place of an order, which is counted from 0.
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
