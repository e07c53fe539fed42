//! What a client of the simulation does: it gets page and program, seals its orders, sends them, and
//! erases.

use std::cell::RefCell;

use serde_json::json;

use super::{PAD_OF_ORDER, PlayedShop, Stage, service_url, user_name};
use crate::ciphers::random::KeySource;
use crate::protocol::model::{Dates, Enc, Name, Place, Result, Run, Scope, ShopProgram};
use crate::protocol::page::item_page::Page;
use crate::protocol::page::request::Request;
use crate::protocol::pipeline::Part;
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::send::{Sender, Sink, Unattended};
use crate::protocol::roles::service::{self, ClientRequest, IdRequest, KeyRequest};
use crate::protocol::simulate::messages::request_for_page;
use crate::protocol::simulate::trace::{Event, Party};
use crate::protocol::simulate::{NOW, orders};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder, ShopBundle};

impl<W: FnMut(&Event)> Stage<'_, W> {
    /// Lets a client get page and program, seal its orders, send them, and erase.
    pub(super) fn order(&mut self, me: Party, shop: &mut PlayedShop) -> Result<()> {
        let name = &shop.bundle.name.clone();
        let (page, page_bytes) = self.get_page(&me, name)?;
        let label = label(&me);
        let mut rng = self.source.child(&format!("orders of {label}")).stream(0);
        let least = self.least_order();
        let entered: Vec<String> = (0..self.setup.orders)
            .map(|number| orders::make(&mut rng, &label, number, least))
            .collect();
        self.act(Some("104"), me.clone(), &format!("enter {} orders", entered.len()));
        let (file, half) = self.get_program(&me, &page, &page_bytes)?;
        if let Some(half) = half {
            let half = self.carry_to_shop(name, &half, "keys made for this request")?;
            merge(&mut shop.bundle, &half);
        }
        let mut store = RefCell::new(file);
        let sealed = self.seal_and_send(&me, &mut store, &entered, name)?;
        self.check_erased(&me, &store);
        shop.sealed.extend_from_slice(&sealed);
        shop.orders.extend(entered);
        Ok(())
    }

    /// Length of the shortest order, in bytes: in RSA blocks, the faults need a first, a middle and
    /// a last block.
    fn least_order(&self) -> usize {
        match self.case.suite.enc() {
            Enc::RsaBlocks => 2 * self.setup.rsa_bits / 8,
            Enc::Cipher(_) => 0,
        }
    }

    /// Gets a shop's item page, and its bytes.
    fn get_page(&mut self, me: &Party, shop: &Name) -> Result<(Page, Vec<u8>)> {
        let seller = Party::Shop(shop.to_string());
        let what = "request the item page";
        let asked = self.carry(Some("102"), me.clone(), seller.clone(), what, request_for_page());
        if asked != request_for_page() {
            self.violations.push(format!("{me}: the request for the page changed on its way"));
        }
        let page = Page {
            service_key: None,
            program: None,
            shop: shop.clone(),
            service: Some(service_url()),
            items: json!([
                {"id": 1, "name": "green tea", "specification": "100 g", "performance": "30 cups"},
                {"id": 2, "name": "rice paper", "specification": "20 sheets"},
            ]),
        };
        let what = "item page with shop and service";
        let bytes = self.carry(Some("103"), seller, me.clone(), what, page.to_bytes());
        Ok((Page::parse(&bytes, &Place::file("page"))?, bytes))
    }

    fn get_program(
        &mut self,
        me: &Party,
        page: &Page,
        page_bytes: &[u8],
    ) -> Result<(ClientBundle, Option<ShopBundle>)> {
        let step = if self.setup.shops > 1 { "105A" } else { "105" };
        let mut random = self.source.child(&format!("number of {}", label(me))).stream(0);
        let (user, orders) = (user_name(me), self.setup.orders as u64);
        let asked = Request::new(page, page_bytes, user, orders, &mut random).to_bytes();
        let what = "order button: request program and keys";
        let asked = self.carry(Some(step), me.clone(), Party::Service, what, asked);
        let asked = Request::parse(&asked, &Place::file("request"))?;
        let Request { shop, service, user, orders, .. } = asked;
        let made_now =
            self.setup.on_demand && self.case.scheme.scope == Scope::Transaction && user.is_none();
        let shares_pad = self.case.suite.enc().takes_pad() && self.case.scheme.scope == Scope::Shop;
        let request = ClientRequest {
            signs: false,
            shop,
            now: NOW,
            dates: Dates::default(),
            ids: match (user, made_now) {
                (Some(user), _) => IdRequest::User(user),
                (None, true) => IdRequest::OnDemand(orders),
                (None, false) => IdRequest::Pool(orders),
            },
            erase: self.case.erase,
            run: Run::Automatic,
            layers: self.case.layers,
            budget: None,
            pad_bytes: shares_pad.then_some(orders * PAD_OF_ORDER as u64),
            service,
        };
        let place = Place::file("service");
        let source = self.source.child(&format!("request of {}", label(me)));
        let workers = self.workers;
        let sizes = self.setup.sizes();
        let delivery = service::bundle_client(
            &mut self.service,
            &request,
            &source,
            |making| {
                let making = KeyRequest { sizes, ..making.clone() };
                service::make_keys(&making, &source, workers, &|| {}, &place)
            },
            &place,
        )?;
        let step = match self.case.erase {
            Some(_) => "161",
            None => self.steps.deliver_to_client,
        };
        let bytes = delivery.client.to_bytes(&place)?.to_vec();
        let what = "program with keys built in";
        let bytes = self.carry(Some(step), Party::Service, me.clone(), what, bytes);
        let place = Place::file("client");
        let file = KeyFile::parse(&bytes, &place)?.into_client(&place)?;
        let half = made_now.then(|| delivery.shop_half(&self.service, &place));
        Ok((file, half.transpose()?))
    }

    /// Seals orders and sends them to a shop, and erases if the client's program says so. Returns
    /// what the shop receives.
    fn seal_and_send(
        &mut self,
        me: &Party,
        store: &mut RefCell<ClientBundle>,
        entered: &[String],
        shop: &Name,
    ) -> Result<Vec<u8>> {
        let place = Place::file(format!("orders of {me}"));
        let plan = Plan::of_client(&store.borrow(), NOW, &place)?;
        let mut input = entered.join("\n");
        input.push('\n');
        let input = Part::memory(&place.file, input.into_bytes());
        let source = self.source.child(&format!("content keys of {}", label(me)));
        let (workers, erases) = (self.workers, plan.erases());
        let what = format!("{} sealed orders", entered.len());
        let mut wire =
            Wire { stage: self, me: me.clone(), shop: shop.to_string(), what, sealed: Vec::new() };
        let sender = Sender { file: store, place: &place, erases, attendant: &Unattended };
        sender.run(&mut wire, |store, wire| {
            plan.seal(workers, input, &source, store, wire, |_| {})
        })?;
        Ok(wire.sealed)
    }

    /// Checks that a client whose program erases can no longer seal.
    fn check_erased(&mut self, me: &Party, store: &RefCell<ClientBundle>) {
        let Some(what) = self.case.erase else { return };
        self.act(Some("162"), me.clone(), &format!("erase {}", what.name()));
        if Plan::of_client(&store.borrow(), NOW, &Place::file("client")).is_ok() {
            self.violations.push(format!("{me} could still seal after erasing"));
        }
    }
}

/// Carries sealed orders from a client to a shop.
struct Wire<'w, 's, W> {
    stage: &'w mut Stage<'s, W>,
    me: Party,
    shop: String,
    what: String,
    sealed: Vec<u8>,
}

impl<W: FnMut(&Event)> Sink for Wire<'_, '_, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sealed.write(bytes)
    }

    fn send(&mut self) -> Result<()> {
        let (me, stage) = (self.me.clone(), &mut *self.stage);
        if stage.steps.wrap.is_some() {
            stage.act(stage.steps.generate, me.clone(), "make content keys");
        }
        stage.act(Some(stage.steps.seal), me.clone(), "encrypt the orders");
        if let Some(step) = stage.steps.wrap {
            stage.act(Some(step), me.clone(), "wrap the content keys");
        }
        let (to, sealed) = (Party::Shop(self.shop.clone()), std::mem::take(&mut self.sealed));
        self.sealed = stage.carry(Some(stage.steps.send), me, to, &self.what, sealed);
        Ok(())
    }

    fn discard(&mut self) {
        self.sealed.clear();
    }

    fn may_have_left(&self) -> bool {
        false
    }
}

/// What a party is called in seeds and orders.
fn label(party: &Party) -> String {
    match party {
        Party::Client(number) => number.to_string(),
        Party::User(_) | Party::Shop(_) | Party::Service => party.to_string(),
    }
}

/// Adds the keys that come with a request to the shop's bundle.
fn merge(bundle: &mut ShopBundle, half: &ShopBundle) {
    for key in half.keys.iter() {
        bundle.keys.push(key.clone());
    }
    // A program with built-in keys accepts no others; since keys arrive one by one, use a program
    // without built-in keys.
    if let Some(ShopProgram { content, .. }) = half.program {
        bundle.program = Some(ShopProgram { content, built_in: None });
    }
}
