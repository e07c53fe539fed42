//! Seals a batch of any length from stdin, or a hundred thousand orders, and opens it again.
//!
//!     cargo run --release --example seal_batch [< orders.ndjson]

use std::fmt::Write;
use std::io::{Cursor, IsTerminal, Read, stdin};
use std::time::Instant;

use orderseal::{Error, Scheme, Service, Totals};

fn main() -> Result<(), Error> {
    let mut service = Service::new();
    service.add_shop("tokyo", Scheme::HYBRID_SHOP_SECRET)?;
    let mut client = service.client_bundle("tokyo", 1)?;
    let shop = service.shop_bundle("tokyo")?;

    let orders: Box<dyn Read + Send> = match stdin().is_terminal() {
        true => Box::new(Cursor::new(made_up())),
        false => Box::new(stdin()),
    };
    let (mut sealed, mut opened) = (Vec::new(), Vec::new());
    let start = Instant::now();
    report("sealed", start, orderseal::seal(&mut client, orders, &mut sealed)?);
    let start = Instant::now();
    report("opened", start, orderseal::open(&shop, Cursor::new(sealed), &mut opened)?);
    Ok(())
}

fn made_up() -> String {
    let mut orders = String::new();
    for number in 0..100_000 {
        writeln!(orders, r#"{{"order":{number},"item":"green tea","count":2}}"#).expect("memory");
    }
    orders
}

fn report(done: &str, start: Instant, totals: Totals) {
    let Totals { orders, read, written } = totals;
    println!("{done} {orders} orders in {:.3?}: {read} bytes to {written}", start.elapsed());
}
