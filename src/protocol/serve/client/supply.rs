//! Programs, from the service or built into the item page, and sealing with them.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::http::Request;
use super::sealed::Sealed;
use super::{Asking, Client, beneath};
use crate::ciphers::Wiped;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::jwe::MAX_ORDER;
use crate::protocol::jose::jws::VerifyingKey;
use crate::protocol::jose::ticket::MOST_IDS;
use crate::protocol::model::{
    Error, ExchangeFault, KeyError, Kid, Malformed, Misuse, Place, Result, ServiceUrl,
};
use crate::protocol::page::program::{MAX_PROGRAM, Program, ProgramFault};
use crate::protocol::page::request;
use crate::protocol::pipeline::{InputSize, Part, Workers};
use crate::protocol::roles::client::Plan;
use crate::protocol::store::keyfile::{AnyKeys, ClientBundle, KeyHolder};

/// How long a program is used whose key may be used again, so that its ticket has not expired.
const REUSED: Duration = Duration::from_secs(60);

/// Seals with programs that it gets as they are needed.
pub(super) struct Supply<'c> {
    client: &'c Client,
    from: From<'c>,
    asking: &'c Asking,
    workers: &'c Workers,
    kept: Option<(Held, Instant)>,
}

/// Where programs come from.
enum From<'c> {
    /// The item page.
    Page(&'c ClientBundle),
    /// The service, at this address, which signs them with this key.
    Service(ServiceUrl, &'c VerifyingKey),
}

/// A program.
struct Held {
    bundle: RefCell<ClientBundle>,
    tickets: Vec<String>,
    place: Place,
}

impl<'c> Supply<'c> {
    /// Prepares what the item page says.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a page without program that does not say where to get one.
    pub(super) fn new(
        client: &'c Client,
        asking: &'c Asking,
        workers: &'c Workers,
    ) -> Result<Self> {
        let Client { page, place, .. } = client;
        let lacks = |member: &str| Error::malformed(place, Malformed::NoMember(member.to_owned()));
        let from = match &page.program {
            Some(program) => From::Page(program),
            None => {
                let service = page.service.as_ref().ok_or_else(|| lacks("service"))?;
                let key = page.service_key.as_ref().ok_or_else(|| lacks("service_key"))?;
                From::Service(beneath(service, "/v1/programs")?, key)
            }
        };
        Ok(Self { client, from, asking, workers, kept: None })
    }

    /// Seals orders, each with its ticket; `place_of` returns the place of an order.
    ///
    /// # Errors
    /// As [`Plan::seal`], those of getting a program, and of what it is refused for.
    pub(super) fn seal(
        &mut self,
        orders: &[&[u8]],
        place_of: impl Fn(usize) -> Place,
    ) -> Result<Sealed> {
        if let Some(index) = orders.iter().position(|order| order.len() > MAX_ORDER) {
            let found = Malformed::PartTooLong { what: "order", most: MAX_ORDER as u64 };
            return Err(Error::malformed(&place_of(index), found));
        }
        let held = match self.kept.take() {
            Some((held, since)) if since.elapsed() < REUSED && held.serves(orders.len()) => held,
            Some(_) | None => self.get(orders.len())?,
        };
        let since = Instant::now();
        let sealed = self.seal_with(&held, orders, place_of(0))?;
        if held.may_be_used_again() {
            self.kept = Some((held, since));
        }
        Ok(sealed)
    }

    fn seal_with(&self, held: &Held, orders: &[&[u8]], first: Place) -> Result<Sealed> {
        let Held { bundle, place, .. } = held;
        let source = SystemSource::new()?;
        let mut plan = Plan::of_client(&bundle.borrow(), (self.asking.now)(), place)?;
        if plan.signs() {
            return Err(Misuse::SignsBatches.into());
        }
        if let Some(weak) = plan.suite().weak().filter(|_| !self.asking.allow_weak) {
            return Err(Error::key(place, KeyError::Weak(weak)));
        }
        // Lines of the part are counted from its first one.
        let part = match first.line {
            Some(1) | None => first.file.clone(),
            Some(line) => format!("{} after line {}", first.file, line - 1),
        };
        plan.set_expected(measure(orders, &Place::file(&*part)));
        let mut text = Wiped::with_capacity(orders.iter().map(|order| order.len() + 1).sum());
        for order in orders {
            text.extend_from_slice(order);
            text.push(b'\n');
        }
        let mut lines = Vec::new();
        let part = Part::memory(&part, text);
        let used = plan.seal(self.workers, part, &source, bundle, &mut lines, |_| {})?.used;
        Ok(held.with_tickets(&lines, &used))
    }

    fn get(&self, orders: usize) -> Result<Held> {
        match &self.from {
            From::Page(program) => {
                let place = Place::file(format!("{}: program", self.client.place));
                program.refuse_weak(self.asking.allow_weak, &place)?;
                let bundle = RefCell::new((*program).clone());
                Ok(Held { bundle, tickets: Vec::new(), place })
            }
            From::Service(address, key) => self.request(address, key, orders),
        }
    }

    fn request(&self, address: &ServiceUrl, key: &VerifyingKey, orders: usize) -> Result<Held> {
        let Client { page, bytes, origin, http, .. } = self.client;
        let (user, count) =
            (self.asking.user.as_ref().map(|(name, _)| name.clone()), orders as u64);
        let mut random = SystemSource::new()?.stream(0);
        let asked = request::Request::new(page, bytes, user, count, &mut random);
        let (body, origin) = (asked.to_bytes(), origin.to_string());
        let bearer = self.asking.user.as_ref().map(|(_, token)| format!("Bearer {token}"));
        let mut fields = vec![
            ("content-type", "application/json"),
            ("accept", "application/jose"),
            ("origin", &origin),
        ];
        fields.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let answer = http.exchange(&Request {
            address,
            fields: &fields,
            body: Some(&body),
            limit: MAX_PROGRAM,
        })?;
        let place = Place::file(format!("program from {address}"));
        let token = str::from_utf8(&answer.body).unwrap_or_default().trim_end();
        let program = Program::verify(token, &page.shop, &body, key, &place)
            .map_err(|fault| refused(fault, address, &place))?;
        let Program { bundle, tickets } = program;
        bundle.refuse_weak(self.asking.allow_weak, &place)?;
        let held = Held { bundle: RefCell::new(bundle), tickets, place };
        held.check(orders).map_err(|fault| Error::exchange(address, fault))?;
        Ok(held)
    }
}

impl Held {
    /// Whether it has keys and tickets for so many orders.
    fn check(&self, orders: usize) -> std::result::Result<(), ExchangeFault> {
        let (keys, needed) = match self.is_reusable() {
            true => (orders, 1),
            false => (self.bundle.borrow().keys.len(), orders.div_ceil(MOST_IDS)),
        };
        let too_few = |what, found| Err(ExchangeFault::TooFew { what, found, orders });
        match self.tickets.len() {
            _ if keys < orders => too_few("keys", keys),
            tickets if tickets < needed => too_few("tickets", tickets),
            _ => Ok(()),
        }
    }

    /// Whether its key seals any number of orders.
    fn is_reusable(&self) -> bool {
        let bundle = self.bundle.borrow();
        bundle.keys.names().next().is_some_and(|kid| bundle.shop.is_reusable(kid))
    }

    fn may_be_used_again(&self) -> bool {
        let bundle = self.bundle.borrow();
        self.is_reusable() && bundle.erases().is_none() && !bundle.shop.suite.enc().takes_pad()
    }

    /// Whether what is left of its key's budget suffices for so many orders.
    fn serves(&self, orders: usize) -> bool {
        let bundle = self.bundle.borrow();
        let left = bundle.keys.names().next().and_then(|kid| bundle.budget.get(kid));
        left.is_none_or(|left| *left >= orders as u64)
    }

    /// Gives each sealed line the ticket of its key; `used` are the keys for one order each.
    fn with_tickets(&self, lines: &[u8], used: &[Kid]) -> Sealed {
        let bundle = self.bundle.borrow();
        let mut used = used.iter();
        let mut sealed = Sealed::default();
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let text = str::from_utf8(line).expect("base64url, dots and a line feed");
            let index = used.next().and_then(|kid| bundle.keys.position(kid.as_str()));
            let ticket = self.tickets.get(index.unwrap_or(0) / MOST_IDS);
            sealed.push(ticket.map(String::as_str), text.trim_end());
        }
        sealed
    }
}

fn refused(fault: ProgramFault, address: &ServiceUrl, place: &Place) -> Error {
    match fault {
        ProgramFault::Content(found) => Error::malformed(place, found),
        ProgramFault::Bundle(error) => *error,
        ProgramFault::Signature(_) | ProgramFault::OtherRequest | ProgramFault::OtherShop(_) => {
            Error::exchange(address, ExchangeFault::Program(fault.to_string()))
        }
    }
}

fn measure(orders: &[&[u8]], place: &Place) -> InputSize {
    let longest = orders.iter().enumerate().max_by_key(|(_, order)| order.len());
    let (index, longest) = longest.map_or((0, 0), |(index, order)| (index, order.len()));
    InputSize {
        orders: orders.len() as u64,
        bytes: orders.iter().map(|order| order.len() as u64).sum(),
        longest: longest as u64,
        longest_at: place.at(index as u64 + 1),
        files: vec![(place.clone(), orders.len() as u64)],
    }
}
