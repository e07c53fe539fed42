use std::io::{self, Cursor, Write};

use super::{Client, Service, Shop, open, seal};
use crate::ciphers::Secret;
use crate::protocol::model::{Erase, Error, KeyError, Kind, Result, Reuse, Scheme, Scope, Suite};

fn service(scheme: Scheme) -> Service {
    let mut service = Service::new();
    service.add_shop("tokyo", scheme).unwrap();
    service
}

/// The key error that an error carries.
fn key_error<T: std::fmt::Debug>(result: Result<T>) -> KeyError {
    match result {
        Err(Error::Key { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

fn ids_left(client: &mut Client) -> usize {
    let orders = (1..).take_while(|&count| {
        let mut copy = Client::parse(&client.to_bytes().unwrap()).unwrap();
        copy.seal(vec!["order"; count]).is_ok()
    });
    orders.count()
}

#[test]
fn every_scheme_goes_through_bytes() {
    for scheme in Scheme::ALL {
        let service = Service::parse(&service(scheme).to_bytes().unwrap());
        let mut service = service.unwrap();
        // RSA pairs take their time.
        let count = match (scheme.scope, scheme.kind) {
            (Scope::Transaction, Kind::Public) => 1,
            (Scope::Shop, _) | (_, Kind::Secret) => 3,
        };
        let client = service.client_bundle("tokyo", count).unwrap().to_bytes().unwrap();
        let shop = service.shop_bundle("tokyo").unwrap().to_bytes().unwrap();
        let (mut client, shop) = (Client::parse(&client).unwrap(), Shop::parse(&shop).unwrap());
        let orders = &[&b"tea"[..], b"", &[0xff, 0, b'\r']][..count];
        let opened = shop.open(client.seal(orders).unwrap()).unwrap();
        let opened: Vec<&[u8]> = opened.iter().map(|order| &**order).collect();
        assert_eq!(opened, orders, "{scheme}");
    }
}

#[test]
fn keys_can_be_derived() {
    let mut service = service(Scheme::HYBRID_TRANSACTION_SECRET);
    service.add_keys("tokyo", 1).unwrap();
    service.add_derived_keys("tokyo", 3).unwrap();
    let mut client = service.client_bundle("tokyo", 3).unwrap();
    let shop = service.shop_bundle("tokyo").unwrap();
    let sealed = client.seal(["a", "b", "c"]).unwrap();
    assert_eq!(shop.open(sealed).unwrap(), ["a", "b", "c"]);
    assert!(matches!(key_error(client.seal(["d"])), KeyError::Spent { issued: 3, .. }));
    // The last derived id, and a key that is made for the request.
    let mut client = service.client_bundle("tokyo", 2).unwrap();
    let sealed = client.seal(["d", "e"]).unwrap();
    assert_eq!(service.shop_bundle("tokyo").unwrap().open(sealed).unwrap(), ["d", "e"]);
    assert!(matches!(service.add_derived_keys("tokyo", 0), Err(Error::Usage(_))));
    let mut public = self::service(Scheme::DIRECT_SHOP_PUBLIC);
    assert!(matches!(public.add_derived_keys("tokyo", 9), Err(Error::Usage(_))));
}

#[test]
fn an_id_seals_one_order() {
    let mut service = service(Scheme::HYBRID_TRANSACTION_SECRET);
    let mut client = service.client_bundle("tokyo", 3).unwrap();
    let shop = service.shop_bundle("tokyo").unwrap();
    assert!(matches!(key_error(client.seal(["order"; 4])), KeyError::Spent { .. }));
    assert_eq!(ids_left(&mut client), 3, "a run that failed gives its ids back");
    let sealed = client.seal(["tea"]).unwrap();
    assert_eq!(ids_left(&mut client), 2);
    let twice = sealed.repeat(2);
    assert!(matches!(shop.open(twice), Err(Error::Reused { found: Reuse::InRun { .. }, .. })));
}

#[test]
fn keys_in_stock_are_handed_out_before_others_are_made() {
    let mut service = service(Scheme::DIRECT_TRANSACTION_SECRET);
    assert!(matches!(key_error(service.shop_bundle("tokyo")), KeyError::Missing(_)));
    service.add_keys("tokyo", 2).unwrap();
    let early = service.shop_bundle("tokyo").unwrap();
    let mut first = service.client_bundle("tokyo", 2).unwrap();
    let mut second = service.client_bundle("tokyo", 1).unwrap();
    assert_eq!(early.open(first.seal(["a", "b"]).unwrap()).unwrap(), ["a", "b"]);
    let sealed = second.seal(["c"]).unwrap();
    assert!(matches!(key_error(early.open(&sealed)), KeyError::Unknown { .. }));
    assert_eq!(service.shop_bundle("tokyo").unwrap().open(sealed).unwrap(), ["c"]);
}

#[test]
fn a_line_feed_makes_no_second_order() {
    let mut client = service(Scheme::HYBRID_SHOP_SECRET).client_bundle("tokyo", 1).unwrap();
    let error = client.seal(["tea", "pa\nper"]).unwrap_err();
    assert!(matches!(&error, Error::Malformed { place, .. } if place.line == Some(2)), "{error}");
}

#[test]
fn each_role_reads_its_own_bytes_only() {
    let mut service = service(Scheme::HYBRID_SHOP_SECRET);
    let client = service.client_bundle("tokyo", 1).unwrap().to_bytes().unwrap();
    let shop = service.shop_bundle("tokyo").unwrap().to_bytes().unwrap();
    let keyring = service.to_bytes().unwrap();
    for bytes in [&client, &shop] {
        assert!(matches!(key_error(Service::parse(bytes)), KeyError::Role { .. }));
    }
    for bytes in [&keyring, &shop] {
        assert!(matches!(key_error(Client::parse(bytes)), KeyError::Role { .. }));
    }
    for bytes in [&keyring, &client] {
        assert!(matches!(key_error(Shop::parse(bytes)), KeyError::Role { .. }));
    }
}

#[test]
fn weak_algorithms_and_marked_keys_are_refused() {
    let mut service = Service::new();
    let weak = Suite::from_header("dir", "DES-CBC-HS256").unwrap();
    let refused = service.add_shop_with("tokyo", Scope::Shop, weak);
    assert!(matches!(key_error(refused), KeyError::Weak("DES-CBC-HS256")));

    service.add_shop("tokyo", Scheme::HYBRID_SHOP_SECRET).unwrap();
    let marked = |bytes: Secret| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replacen("\"kid\"", "\"origin\":\"seeded\",\"kid\"", 1).into_bytes()
    };
    let client = marked(service.client_bundle("tokyo", 1).unwrap().to_bytes().unwrap());
    assert!(matches!(key_error(Client::parse(&client)), KeyError::Marked { .. }));
    let shop = marked(service.shop_bundle("tokyo").unwrap().to_bytes().unwrap());
    assert!(matches!(key_error(Shop::parse(&shop)), KeyError::Marked { .. }));
}

#[test]
fn a_program_that_erases_seals_one_batch() {
    for what in [Erase::Keys, Erase::Programs, Erase::All] {
        let mut client = service(Scheme::HYBRID_SHOP_SECRET).client_bundle("tokyo", 1).unwrap();
        client.bundle.get_mut().program.as_mut().unwrap().erase = Some(what);
        let mut client = Client::parse(&client.to_bytes().unwrap()).unwrap();
        client.seal(["tea"]).unwrap();
        assert!(matches!(key_error(client.seal(["paper"])), KeyError::Missing(_)), "{what:?}");
        let bundle = client.bundle.get_mut();
        assert_eq!(bundle.keys.is_empty(), what != Erase::Programs);
        assert_eq!(bundle.program.is_none(), what != Erase::Keys);
    }
}

/// Takes nothing.
struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_may_have_left_stays_spent() {
    let mut service = service(Scheme::HYBRID_TRANSACTION_SECRET);
    let mut client = service.client_bundle("tokyo", 3).unwrap();
    let error = seal(&mut client, Cursor::new("tea\n"), Broken).unwrap_err();
    assert!(matches!(error, Error::Spending { .. }), "{error:?}");
    assert_eq!(ids_left(&mut client), 2);
    let sealed = client.seal(["tea"]).unwrap();
    let shop = service.shop_bundle("tokyo").unwrap();
    let error = open(&shop, Cursor::new(sealed), Broken).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
}

#[test]
fn a_shop_has_a_name() {
    for name in ["", "a b", "tokyo/1"] {
        let refused = Service::new().add_shop(name, Scheme::HYBRID_SHOP_SECRET);
        assert!(matches!(refused, Err(Error::Malformed { .. })), "{name:?}");
    }
}
