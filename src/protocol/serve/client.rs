//! The client over HTTP: gets a shop's item page, asks its service for programs, seals, and sends.

mod fetch;
mod http;
mod monitor;
mod origin;
mod sealed;
mod supply;

use std::io::{self, Read};
use std::time::Duration;

use serde::Deserialize;
use ureq::tls::Certificate;

pub use fetch::Fetch;
pub use http::authorities;
use http::{Http, Request};
pub use monitor::get_signed;
use origin::Origin;
use sealed::{MAX_LINE, Post, Sealed};
use supply::Supply;

use crate::protocol::jose::jwe::MAX_ORDER;
use crate::protocol::jose::jws::VerifyingKey;
use crate::protocol::model::{
    Error, ExchangeFault, Name, Place, Result, ServiceUrl, Time, Unfinished,
};
use crate::protocol::page::item_page::{MAX_PAGE, Page};
use crate::protocol::pipeline::{Block, LineLimits, Part, Stop, Workers};
use crate::protocol::store::files::Held;

/// Most redirects that are followed to an item page.
const MOST_REDIRECTS: usize = 5;

/// Longest answer to orders, in bytes.
const MAX_ANSWER: u64 = 64 << 10;

/// Most sealed lines that are sent from a file before it is read on.
const LINES_AT_ONCE: usize = 1000;

/// How a client talks to servers.
#[derive(Debug)]
pub struct Settings {
    /// Whether plain http goes to other computers.
    pub allow_http: bool,
    /// The authorities to trust for https, instead of the public ones.
    pub authorities: Option<Vec<Certificate<'static>>>,
    /// The service's key, if it is known: pages with another one are refused, and so are those whose orders
    /// are not sealed by keys of a service.
    pub service_key: Option<VerifyingKey>,
    /// How long a request is sent again, counted from its first failure.
    pub retry_for: Duration,
    /// Ends waiting.
    pub stop: Stop,
}

/// For whom programs are requested, and what is accepted.
#[derive(Debug)]
pub struct Asking {
    /// A user, with the token that proves it.
    pub user: Option<(Name, String)>,
    /// Most orders for which one program is requested.
    pub at_once: usize,
    /// Whether weak algorithms are accepted.
    pub allow_weak: bool,
    /// The clock.
    pub now: fn() -> Time,
}

/// Orders to send.
pub struct Orders {
    /// The orders, one per line.
    pub part: Part,
    /// Number of bytes, if known.
    pub size: Option<u64>,
    /// The first line to send, counted from 1.
    pub from: u64,
}

/// Orders that a shop has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that it has kept now.
    pub kept: u64,
    /// Those that it had before.
    pub known: u64,
    /// Number of bytes of the input up to the last of them.
    pub read: u64,
}

/// A client of the shop with an item page.
pub struct Client {
    http: Http,
    place: Place,
    page: Page,
    bytes: Vec<u8>,
    origin: Origin,
    orders: ServiceUrl,
}

impl Client {
    /// Gets the item page at an address.
    ///
    /// # Errors
    /// [`Error::Exchange`], and [`Error::Malformed`] for what is no item page.
    pub fn new(address: &ServiceUrl, settings: &Settings) -> Result<Self> {
        let http = Http::new(settings);
        let origin = Origin::of(address);
        let (bytes, place) = (get_page(&http, address, &origin)?, Place::file(address.as_str()));
        let page = Page::parse(&bytes, &place)?;
        let is_other = page.program.is_some() || settings.service_key != page.service_key;
        if settings.service_key.is_some() && is_other {
            return Err(Error::exchange(address, ExchangeFault::OtherKey));
        }
        // Beside the page, wherever that is.
        let beside = address.as_str().split(['?', '#']).next().unwrap_or_default();
        let beside = match beside.rsplit_once('/') {
            Some((folder, _)) if !folder.ends_with('/') => folder.to_owned(),
            Some(_) | None => origin.to_string(),
        };
        let orders = format!("{beside}/v1/orders").parse();
        let orders = orders.map_err(|fault| Error::malformed(&place, fault))?;
        Ok(Self { http, place, page, bytes, origin, orders })
    }

    /// Seals orders, one per line, and sends them in their order. Sealed orders are
    /// on the disk before they are sent, and stay there until the shop has them; no order is sealed
    /// again.
    ///
    /// # Errors
    /// The first failure, inside [`Error::NotSent`] if orders before it were sealed.
    pub fn send(
        &self,
        orders: Orders,
        asking: &Asking,
        workers: &Workers,
        held: Held,
        progress: impl FnMut(&Counts),
    ) -> Result<Counts> {
        let supply = Supply::new(self, asking, workers)?;
        let Orders { part, size, from } = orders;
        let (counts, next, left) = (Counts::default(), from, 0);
        let mut sending = Sending { client: self, supply, counts, progress, held, next, left };
        let limits = LineLimits { max_line: MAX_ORDER, what: "order", max_lines: asking.at_once };
        let done = workers.run(
            vec![if size.is_some() { filled(part) } else { part }],
            limits,
            |_| Ok(()),
            |_, ()| (),
            |(), block| sending.send(block),
        );
        sending.finish(done, from, size)
    }

    /// Sends the sealed lines of a file that an earlier run left, with their tickets, and removes it.
    ///
    /// # Errors
    /// The first failure, inside [`Error::NotSent`] if lines before it were sent.
    pub fn send_again(
        &self,
        lines: Part,
        held: Held,
        workers: &Workers,
        mut progress: impl FnMut(&Counts),
    ) -> Result<Counts> {
        let limits =
            LineLimits { max_line: MAX_LINE, what: "sealed order", max_lines: LINES_AT_ONCE };
        let mut counts = Counts::default();
        let done = workers.run(
            vec![lines],
            limits,
            |_| Ok(()),
            |_, ()| (),
            |(), block| {
                let mut sealed = Sealed::default();
                for (index, line) in block.lines().into_iter().enumerate() {
                    sealed.read(line, &block.place(index))?;
                }
                for post in sealed.posts() {
                    counts.add(self.post(&post, |index| block.place(index))?);
                    progress(&counts);
                }
                counts.read += block.len() as u64;
                progress(&counts);
                Ok(())
            },
        );
        match done.and_then(|()| held.remove()) {
            Ok(()) => Ok(counts),
            Err(source) if counts == Counts::default() => Err(source),
            Err(source) => {
                let unfinished = Unfinished { held: None, next_line: None, ..counts.into() };
                Err(Error::NotSent { unfinished: Box::new(unfinished), source: Box::new(source) })
            }
        }
    }

    /// Sends sealed lines; `place_of` returns the place of an order by the index of its line.
    fn post(&self, post: &Post, place_of: impl Fn(usize) -> Place) -> Result<Counts> {
        #[derive(Deserialize)]
        struct Taken {
            kept: u64,
            known: u64,
        }
        let bearer = post.ticket.as_ref().map(|ticket| format!("Bearer {ticket}"));
        let mut fields = vec![("content-type", "text/plain"), ("accept", "application/json")];
        fields.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let request = Request {
            address: &self.orders,
            fields: &fields,
            body: Some(&post.body),
            limit: MAX_ANSWER,
        };
        let answer = self.http.exchange(&request).map_err(|error| at(error, post, &place_of))?;
        let taken: Option<Taken> = serde_json::from_slice(&answer.body).ok();
        match taken {
            Some(Taken { kept, known })
                if kept.checked_add(known) == Some(post.lines.len() as u64) =>
            {
                Ok(Counts { kept, known, read: 0 })
            }
            Some(_) | None => {
                let found = format!("of status {}", answer.status);
                let expected = "how many of the orders are kept and known";
                let fault = ExchangeFault::Unexpected { found, expected };
                Err(at(Error::exchange(&self.orders, fault), post, &place_of))
            }
        }
    }
}

/// Says at which order a request failed: the one that the answer names, or the first.
fn at(error: Error, post: &Post, place_of: impl Fn(usize) -> Place) -> Error {
    let Error::Exchange { address, fault, .. } = error else { return error };
    let named = match &*fault {
        ExchangeFault::Refused(problem) => problem.line,
        _ => None,
    };
    let within = named.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
    let index = within.filter(|index| *index < post.lines.len()).unwrap_or(0);
    Error::Exchange { place: Some(place_of(post.lines.start + index)), address, fault }
}

fn get_page(http: &Http, address: &ServiceUrl, origin: &Origin) -> Result<Vec<u8>> {
    get(http, address, origin, "application/json")
}

/// An address of a service's server: a path beneath its own address.
fn beneath(service: &ServiceUrl, path: &str) -> Result<ServiceUrl> {
    let own = service.as_str().split(['?', '#']).next().unwrap_or_default();
    let address = format!("{}{path}", own.trim_end_matches('/')).parse();
    address.map_err(|fault| Error::malformed(&Place::file(service.as_str()), fault))
}

/// Gets what is at an address, which may redirect within its origin.
fn get(
    http: &Http,
    address: &ServiceUrl,
    origin: &Origin,
    accept: &'static str,
) -> Result<Vec<u8>> {
    let mut address = address.clone();
    for _ in 0..=MOST_REDIRECTS {
        let fields = &[("accept", accept)];
        let request = Request { address: &address, fields, body: None, limit: MAX_PAGE };
        let answer = http.exchange(&request)?;
        let Some(location) = answer.location() else { return Ok(answer.body.to_vec()) };
        let next = match location.starts_with('/') && !location.starts_with("//") {
            true => format!("{origin}{location}").parse(),
            false => location.parse::<ServiceUrl>(),
        };
        match next {
            Ok(next) if Origin::of(&next) == *origin => address = next,
            Ok(_) | Err(_) => return Err(Error::exchange(&address, answer.fault())),
        }
    }
    let fault = ExchangeFault::Redirect("a page that redirects again and again".to_owned());
    Err(Error::exchange(&address, fault))
}

/// A file whose reads are filled, so that as many orders as possible are sealed together.
fn filled(part: Part) -> Part {
    struct Filled(Box<dyn Read + Send>);
    impl Read for Filled {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut filled = 0;
            while filled < buffer.len() {
                match self.0.read(&mut buffer[filled..]) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(filled)
        }
    }
    Part { reader: Box::new(Filled(part.reader)), ..part }
}

/// Orders on their way to a shop.
struct Sending<'c, P> {
    client: &'c Client,
    supply: Supply<'c>,
    counts: Counts,
    progress: P,
    held: Held,
    /// The first line that is not sealed.
    next: u64,
    /// Number of sealed lines in the held file that the shop may not have.
    left: u64,
}

impl<P: FnMut(&Counts)> Sending<'_, P> {
    /// Seals the lines of a block that are due, and sends them.
    fn send(&mut self, block: &Block) -> Result<()> {
        let skipped = usize::try_from(self.next.saturating_sub(block.first_line));
        let skipped = skipped.map_or(block.lines, |skipped| skipped.min(block.lines));
        if skipped == block.lines {
            self.counts.read += block.len() as u64;
            return Ok(());
        }
        let place_of = |index| block.place(skipped + index);
        let sealed = self.supply.seal(&block.lines()[skipped..], place_of)?;
        self.held.replace(&sealed.to_bytes(0))?;
        self.next = block.first_line + block.lines as u64;
        self.counts.read += block.len() as u64;
        let mut sent = 0;
        let posted = sealed.posts().try_for_each(|post| {
            self.counts.add(self.client.post(&post, place_of)?);
            sent = post.lines.end;
            (self.progress)(&self.counts);
            Ok(())
        });
        self.left = (sealed.len() - sent) as u64;
        if let Err(error) = posted {
            self.held.keep(&sealed.to_bytes(sent))?;
            return Err(error);
        }
        Ok(())
    }

    fn finish(self, done: Result<()>, from: u64, size: Option<u64>) -> Result<Counts> {
        let Self { counts, held, next, left, .. } = self;
        let name = held.name();
        let removed = if left == 0 { held.remove() } else { Ok(()) };
        match done.and(removed) {
            Ok(()) => Ok(counts),
            Err(source) if next == from => Err(source),
            Err(source) => {
                let held = (left > 0).then_some((left, name));
                let next_line = (size != Some(counts.read)).then_some(next);
                let unfinished = Unfinished { held, next_line, ..counts.into() };
                Err(Error::NotSent { unfinished: Box::new(unfinished), source: Box::new(source) })
            }
        }
    }
}

impl Counts {
    fn add(&mut self, more: Self) {
        self.kept += more.kept;
        self.known += more.known;
    }
}

impl From<Counts> for Unfinished {
    fn from(counts: Counts) -> Self {
        let Counts { kept, known, .. } = counts;
        Self { kept, known, ..Self::default() }
    }
}
