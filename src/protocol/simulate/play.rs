//! Plays one case, from making keys to opening the last order.

mod delivering;
mod ordering;
mod receiving;

use self::receiving::{compare, open_each};
use super::trace::{Event, Party, Steps, steps};
use super::{Case, Setup, ShopReport};
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Name, Result, ServiceUrl};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::OpeningKeys;
use crate::protocol::store::keyfile::{Keyring, ShopBundle};

pub(super) use self::receiving::{open, open_with};

/// Bytes of pad for an order: more than the longest order of [`orders::make`](super::orders::make).
pub(super) const PAD_OF_ORDER: usize = 512;

/// The service's address in the simulation.
fn service_url() -> ServiceUrl {
    "https://service.example/".parse().expect("an https address")
}

/// State after a case, on which faults are tried.
pub(super) struct Played {
    pub(super) violations: Vec<String>,
    pub(super) shops: Vec<PlayedShop>,
    pub(super) received: Vec<ShopReport>,
    pub(super) service: Keyring,
}

/// A shop, its keys, and the orders sent to it.
pub(super) struct PlayedShop {
    pub(super) bundle: ShopBundle,
    pub(super) orders: Vec<String>,
    pub(super) sealed: Vec<u8>,
}

struct Stage<'a, W> {
    setup: &'a Setup,
    case: &'a Case,
    source: &'a SeededSource,
    workers: &'a Workers,
    watch: &'a mut W,
    steps: Steps,
    service: Keyring,
    violations: Vec<String>,
}

/// Plays a case.
pub(super) fn play(
    setup: &Setup,
    case: &Case,
    source: &SeededSource,
    workers: &Workers,
    watch: &mut impl FnMut(&Event),
) -> Result<Played> {
    let mut stage = Stage {
        setup,
        case,
        source,
        workers,
        watch,
        steps: steps(case.scheme),
        service: Keyring::new(),
        violations: Vec::new(),
    };
    let mut shops = Vec::with_capacity(setup.shops);
    for shop in 0..setup.shops {
        let name = Name::new(&format!("shop-{shop}")).expect("a name by its form");
        // Clients are spread evenly; the first shops have one more.
        let clients = setup.clients / setup.shops + usize::from(shop < setup.clients % setup.shops);
        let bundle = stage.deliver_to_shop(&name, clients)?;
        shops.push(PlayedShop { bundle, orders: Vec::new(), sealed: Vec::new() });
    }
    for client in 0..setup.clients {
        stage.order(Party::Client(client), &mut shops[client % setup.shops])?;
    }
    for user in (0..setup.users).filter(|_| case.has_users()) {
        let shop = &mut shops[user % setup.shops];
        stage.admit(&Party::User(user), shop)?;
        stage.order(Party::User(user), shop)?;
    }
    shops.sort_by(|one, other| one.bundle.name.cmp(&other.bundle.name));
    let mut received = Vec::with_capacity(shops.len());
    for shop in &shops {
        received.push(stage.receive(shop)?);
    }
    let Stage { violations, service, .. } = stage;
    Ok(Played { violations, shops, received, service })
}

impl<W: FnMut(&Event)> Stage<'_, W> {
    /// Opens the orders that a shop received and compares each with what was entered.
    fn receive(&mut self, shop: &PlayedShop) -> Result<ShopReport> {
        let me = Party::Shop(shop.bundle.name.to_string());
        let start = (self.setup.clock)();
        let opening = open_each(
            self.workers,
            OpeningKeys::new(false),
            &shop.bundle,
            shop.sealed.clone(),
            true,
        )?;
        let took = (self.setup.clock)().saturating_sub(start);
        if let Some(step) = self.steps.unwrap {
            self.act(Some(step), me.clone(), "pick keys by name, unwrap the content keys");
        }
        self.act(Some(self.steps.open), me, &format!("open {} orders", opening.orders.len()));
        Ok(compare(shop, opening, took))
    }

    fn carry(
        &mut self,
        step: Option<&'static str>,
        from: Party,
        to: Party,
        what: &str,
        bytes: Vec<u8>,
    ) -> Vec<u8> {
        let event = Event { step, from, to, what: what.to_owned(), bytes: Some(bytes) };
        (self.watch)(&event);
        event.bytes.expect("it was put in above")
    }

    fn act(&mut self, step: Option<&'static str>, who: Party, what: &str) {
        let event = Event { step, from: who.clone(), to: who, what: what.to_owned(), bytes: None };
        (self.watch)(&event);
    }
}

/// The name under which a user orders; none for other parties.
fn user_name(party: &Party) -> Option<Name> {
    match party {
        Party::User(_) => Some(Name::new(&party.to_string()).expect("a name by its form")),
        Party::Client(_) | Party::Shop(_) | Party::Service => None,
    }
}
