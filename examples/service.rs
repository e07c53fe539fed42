//! The three roles as three programs would run them: what passes between them are bytes.
//!
//!     cargo run --example service

use orderseal::{Client, Error, Scheme, Service, Shop};

fn main() -> Result<(), Error> {
    // The service makes keys for two shops and tells each shop its own.
    let mut service = Service::new();
    service.add_shop("tokyo", Scheme::HYBRID_TRANSACTION_SECRET)?;
    service.add_shop("osaka", Scheme::HYBRID_SHOP_SECRET)?;
    service.add_keys("tokyo", 100)?;
    let to_tokyo = service.shop_bundle("tokyo")?.to_bytes()?;
    let to_osaka = service.shop_bundle("osaka")?.to_bytes()?;

    // A client asks for a bundle for three orders. The keyring is stored before the bundle is sent.
    let to_client = service.client_bundle("tokyo", 3)?.to_bytes()?;
    let keyring = service.to_bytes()?;
    println!("keyring {} bytes, client bundle {} bytes", keyring.len(), to_client.len());

    // The client seals. Its bundle, which records what is used up, is stored before the orders are sent.
    let mut client = Client::parse(&to_client)?;
    let sealed = client.seal(["2 x green tea", "1 x rice paper", "5 x ink"])?;
    let stored = client.to_bytes()?;
    println!("{} sealed orders, the first one begins {:.20}…", sealed.lines().count(), sealed);

    // The shop opens them; another shop cannot.
    let orders = Shop::parse(&to_tokyo)?.open(&sealed)?;
    for order in &orders {
        println!("tokyo: {}", String::from_utf8_lossy(order));
    }
    let error = Shop::parse(&to_osaka)?.open(&sealed).expect_err("these are not its orders");
    println!("osaka: {error}");

    // Three orders were paid for, and three were sealed.
    let error = Client::parse(&stored)?.seal(["1 x brush"]).expect_err("all ids are spent");
    println!("client: {error}");
    Ok(())
}
