//! How much an address, and all for a shop, may ask for in an hour.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::protocol::model::Name;

/// Most addresses that are counted apart. When there are more, the others share one count.
const MOST: usize = 65_536;

/// Most names of shops that are counted apart, likewise.
const MOST_SHOPS: usize = 1024;

const HOUR: i64 = 3600;

/// Counts of the current hour.
#[derive(Debug)]
pub struct Limits {
    per_address: u64,
    per_shop: u64,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    hour: i64,
    addresses: BTreeMap<Option<Network>, u64>,
    shops: BTreeMap<Option<Name>, u64>,
}

/// An address of IPv4, or the first half of one of IPv6: a household has so many of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// IPv4, also written as IPv6.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 8]),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => match address.octets() {
                // What networks without IPv4 put in front of its addresses (RFC 6052).
                [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, v4 @ ..] => Self::V4(v4),
                [half @ .., _, _, _, _, _, _, _, _] => Self::V6(half),
            },
        }
    }
}

impl Limits {
    /// Limits in orders an hour.
    pub fn new(per_address: u64, per_shop: u64) -> Self {
        Self { per_address, per_shop, counts: Mutex::default() }
    }

    /// Counts orders for an address and a shop at a time in seconds.
    ///
    /// # Errors
    /// The number of seconds until the next hour; nothing is counted then.
    pub fn take(&self, from: IpAddr, shop: &Name, orders: u64, now: i64) -> Result<(), u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = now.div_euclid(HOUR);
        if counts.hour != hour {
            *counts = Counts { hour, ..Counts::default() };
        }
        let later = Err((HOUR - now.rem_euclid(HOUR)) as u64);
        let network = Some(Network::from(from));
        let known = counts.addresses.contains_key(&network);
        let network = network.filter(|_| known || counts.addresses.len() < MOST);
        let of_address =
            counts.addresses.get(&network).copied().unwrap_or(0).saturating_add(orders);
        // Who asks chooses the name.
        let shop = Some(shop.clone());
        let known = counts.shops.contains_key(&shop);
        let shop = shop.filter(|_| known || counts.shops.len() < MOST_SHOPS);
        let of_shop = counts.shops.get(&shop).copied().unwrap_or(0).saturating_add(orders);
        if of_address > self.per_address || of_shop > self.per_shop {
            return later;
        }
        counts.addresses.insert(network, of_address);
        counts.shops.insert(shop, of_shop);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_and_shops_have_limits_of_their_own_for_an_hour() {
        let limits = Limits::new(10, 15);
        let (tokyo, kyoto): (Name, Name) = ("tokyo".parse().unwrap(), "kyoto".parse().unwrap());
        let at = 7 * HOUR + 600;
        assert_eq!(limits.take(ip("192.0.2.1"), &tokyo, 10, at), Ok(()));
        assert_eq!(limits.take(ip("192.0.2.1"), &kyoto, 1, at), Err(3000));
        assert_eq!(limits.take(ip("::ffff:192.0.2.1"), &kyoto, 1, at), Err(3000));
        assert_eq!(limits.take(ip("192.0.2.2"), &tokyo, 6, at), Err(3000));
        assert_eq!(limits.take(ip("192.0.2.2"), &tokyo, 5, at), Ok(()));
        assert_eq!(limits.take(ip("192.0.2.1"), &tokyo, 10, at + 3000), Ok(()));
    }

    #[test]
    fn a_household_of_ipv6_is_one_address() {
        let limits = Limits::new(1, 100);
        let tokyo: Name = "tokyo".parse().unwrap();
        assert_eq!(limits.take(ip("2001:db8::1"), &tokyo, 1, 0), Ok(()));
        assert!(limits.take(ip("2001:db8::ffff:1"), &tokyo, 1, 0).is_err());
        assert_eq!(limits.take(ip("2001:db8:0:1::1"), &tokyo, 1, 0), Ok(()));
    }

    #[test]
    fn memory_stays_bounded() {
        let limits = Limits::new(1, u64::MAX);
        let tokyo: Name = "tokyo".parse().unwrap();
        for number in 0..MOST as u32 + 1 {
            assert_eq!(limits.take(IpAddr::from(number.to_be_bytes()), &tokyo, 1, 0), Ok(()));
        }
        assert!(limits.take(ip("198.51.100.1"), &tokyo, 1, 0).is_err(), "the others share one");
        assert_eq!(limits.counts.lock().unwrap().addresses.len(), MOST + 1);
    }
}
