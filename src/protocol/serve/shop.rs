//! The shop as a server: its item page, and the inbox for sealed orders, which it cannot open.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tower_http::services::ServeDir;

use super::http::{self, Config, Memory};
use super::keeper::{self, Keeper};
use super::limits::Limits;
use super::peers::{Origin, Peer, bearer, check_origin, check_type};
use super::problem::{Fault, Problem};
use super::{cors, service};
use crate::protocol::jose::batch::{hash_of_line, is_blank};
use crate::protocol::jose::jwe::kid_of_posted;
use crate::protocol::jose::jws::VerifyingKey;
use crate::protocol::jose::ticket::{KeyUse, Ticket};
use crate::protocol::model::{Error, Name, Result, Time};
use crate::protocol::store::files;
use crate::protocol::store::files::inbox::{Line, Post, Posted};

/// Memory in bytes for the bodies of all requests.
const MEMORY: usize = 64 << 20;

/// Most lines of one request.
const MOST_LINES: usize = 1000;

/// Configuration of the shop's server.
pub struct Shop {
    /// The shop.
    pub name: Name,
    /// The service's key, by which tickets verify. Without one, no service takes part and no ticket is asked
    /// for.
    pub service_key: Option<VerifyingKey>,
    /// The item page as a web page.
    pub html: String,
    /// The signature of the item page, if there is one.
    pub signature: Option<Vec<u8>>,
    /// The item page as data.
    pub page: Vec<u8>,
    /// A folder of files for everybody.
    pub files: Option<PathBuf>,
    /// The inbox.
    pub inbox: PathBuf,
    /// The pages that may send orders, besides the shop's own.
    pub origins: Vec<Origin>,
    /// Longest body in bytes.
    pub max_body: usize,
    /// How many orders an address, and all, may send in an hour.
    pub limits: Limits,
    /// The clock.
    pub now: fn() -> Time,
    /// Called with the errors of the inbox.
    pub failed: Box<dyn Fn(&Error) + Send>,
}

struct Shared {
    name: Name,
    service_key: Option<VerifyingKey>,
    html: axum::body::Bytes,
    page: axum::body::Bytes,
    origins: Vec<Origin>,
    max_body: usize,
    limits: Limits,
    now: fn() -> Time,
    keeper: Keeper,
    memory: Memory,
}

impl Shop {
    /// Serves until it is stopped.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn serve(self, config: Config) -> Result<()> {
        let (keeper, thread) =
            keeper::start(&self.inbox, self.now, config.stop.clone(), self.failed)?;
        let shared = Arc::new(Shared {
            name: self.name,
            service_key: self.service_key,
            html: self.html.into(),
            page: self.page.into(),
            origins: self.origins.clone(),
            max_body: self.max_body,
            limits: self.limits,
            now: self.now,
            keeper,
            memory: Memory::new(MEMORY),
        });
        let orders = cors::route("/v1/orders", post(Shared::orders), self.origins);
        let mut router = Router::new()
            .merge(orders)
            .route("/", get(Shared::html))
            .route("/page.json", get(Shared::page))
            .route("/healthz", get(async || "ok\n"));
        if let Some(signature) = self.signature.map(axum::body::Bytes::from) {
            let kind = HeaderValue::from_static("application/jose");
            let fresh = HeaderValue::from_static("no-cache");
            let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, fresh)];
            let answer = move || std::future::ready((headers.clone(), signature.clone()));
            router = router.route("/page.json.jws", get(answer));
        }
        if let Some(folder) = self.files {
            let files = Router::new()
                .fallback_service(ServeDir::new(&folder).append_index_html_on_directories(false))
                .layer(from_fn_with_state(Arc::new(folder), public_only));
            router = router.nest("/static", files);
        }
        http::serve(router.with_state(shared), config)?;
        // It ends when no request is left that could ask it.
        thread.join().map_err(|_| {
            Error::io("inbox", "its thread failed", std::io::Error::other("it panicked"))
        })
    }
}

/// Lets only files through that everybody may read, also pages of other origins: scripts whose hash a page
/// names have to be readable.
async fn public_only(
    State(folder): State<Arc<PathBuf>>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    match files::is_public(&folder, &path) {
        true => {
            let mut response = next.run(request).await;
            let anybody = HeaderValue::from_static("*");
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
            response
        }
        false => Fault::NotFound.plain().into_response(),
    }
}

impl Shared {
    async fn html(State(own): State<Arc<Self>>) -> Response {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        let fresh = HeaderValue::from_static("no-cache");
        ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, fresh)], own.html.clone())
            .into_response()
    }

    async fn page(State(own): State<Arc<Self>>) -> Response {
        let kind = HeaderValue::from_static("application/json");
        let fresh = HeaderValue::from_static("no-cache");
        ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, fresh)], own.page.clone())
            .into_response()
    }

    async fn orders(State(own): State<Arc<Self>>, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        own.keep(&parts, body).await
    }

    async fn keep(&self, parts: &Parts, body: Body) -> Result<Response, Problem> {
        check_type(&parts.headers, &["text/plain", "application/jose"])?;
        check_origin(parts, &self.origins)?;
        let now = (self.now)();
        let ticket = self.ticket(parts)?;
        let peer = parts.extensions.get::<Peer>().ok_or_else(|| Fault::Unavailable.plain())?;
        let body = self.memory.read(body, self.max_body).await?;
        let (numbers, lines) = self.lines(&body.bytes, ticket.as_ref())?;
        self.count(peer.0, lines.len(), now)?;
        let most = now.after(service::MOST_SECONDS);
        let expired = ticket.is_some_and(|ticket| ticket.expires <= now || ticket.expires > most);
        let kept = self.keeper.ask((Post { lines, expired }, body)).await?;
        match kept {
            None => Err(Fault::Unavailable.plain()),
            Some(Posted::Kept { new, known }) => {
                let kind = HeaderValue::from_static("application/json");
                let answer = format!("{}\n", json!({ "kept": new, "known": known }));
                Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, kind)], answer).into_response())
            }
            Some(Posted::Taken(index)) => {
                Err(Fault::IdUsed.plain().at_line(numbers.get(index).copied().unwrap_or(1)))
            }
            Some(Posted::Expired) => Err(Fault::TicketExpired.plain()),
        }
    }

    /// The ticket, where a service takes part.
    fn ticket(&self, parts: &Parts) -> Result<Option<Ticket>, Problem> {
        let Some(key) = &self.service_key else { return Ok(None) };
        let token = bearer(&parts.headers).ok_or_else(|| Fault::NoTicket.plain())?;
        let ticket = Ticket::verify(token, key).map_err(|fault| Fault::BadTicket.because(fault))?;
        match ticket.shop.name() == self.name {
            true => Ok(Some(ticket)),
            false => Err(Fault::WrongShop.plain()),
        }
    }

    /// The lines of a body with their numbers, if all have the form of orders for this shop that the ticket
    /// allows.
    fn lines(
        &self,
        body: &[u8],
        ticket: Option<&Ticket>,
    ) -> Result<(Vec<usize>, Vec<Line>), Problem> {
        let (mut numbers, mut lines) = (Vec::new(), Vec::new());
        for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
            if is_blank(line) {
                continue;
            }
            let at = |problem: Problem| problem.at_line(index + 1);
            if lines.len() == MOST_LINES {
                return Err(at(Fault::TooLarge.because(format!("at most {MOST_LINES} lines"))));
            }
            let line = line.trim_ascii();
            let kid = kid_of_posted(line).map_err(|fault| at(Fault::Line.because(fault)))?;
            let is_own = kid.shop().is_some_and(|shop| shop.name() == self.name);
            let uses = match ticket {
                Some(ticket) => ticket.allows(&kid).ok_or_else(|| at(Fault::WrongId.plain()))?,
                None if is_own => KeyUse::Again,
                None => return Err(at(Fault::WrongShop.because("the line is for another shop"))),
            };
            numbers.push(index + 1);
            lines.push(Line { hash: hash_of_line(line), text: line.to_vec(), kid, uses });
        }
        match lines.is_empty() {
            true => Err(Fault::Line.because("there is no line")),
            false => Ok((numbers, lines)),
        }
    }

    fn count(&self, peer: IpAddr, lines: usize, now: Time) -> Result<(), Problem> {
        let taken = self.limits.take(peer, &self.name, lines as u64, now.seconds());
        taken.map_err(|seconds| Problem { retry_after: Some(seconds), ..Fault::Limit.plain() })
    }
}
