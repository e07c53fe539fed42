//! The security service as a server: it answers requests with signed programs.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;

use super::cors;
use super::fetching::{self, Fetching, MOST_KEYS, Wanted};
use super::http::{self, Config, Memory};
pub use super::issuer::Handing;
use super::issuer::{Asked, Issuer};
use super::limits::Limits;
use super::peers::{Origin, Peer, bearer, check_origin, check_type, required_origin};
use super::problem::{Fault, Problem};
use crate::ciphers::Secret;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::json;
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::jose::ticket::{ShopToken, UserToken};
use crate::protocol::model::{Error, Kid, Malformed, Name, Place, Result, Time};
use crate::protocol::page::program::Program;
use crate::protocol::page::request::{MAX_REQUEST, Request as ProgramRequest};
use crate::protocol::page::{self, Form};
use crate::protocol::roles::service::{ClientRequest, IdRequest, WantedKeys};
use crate::protocol::store::keyfile::ClientBundle;

/// Memory in bytes for the bodies of all requests.
const MEMORY: usize = 64 << 20;

/// Longest request for a shop's keys in bytes.
const MAX_WANTED: usize = 256 << 10;

/// Longest time in seconds for which a ticket is good: a shop's server remembers as long what was sent.
pub const MOST_SECONDS: i64 = 28 * 24 * 3600;

/// Configuration of the service's server.
pub struct Service {
    /// The keyring.
    pub handing: Handing,
    /// The key that signs.
    pub key: SigningKey,
    /// The pages that may ask.
    pub origins: Vec<Origin>,
    /// Most ids for one request.
    pub most_orders: u64,
    /// How many ids an address, and all for a shop, may ask for in an hour.
    pub limits: Limits,
    /// For how many seconds tickets are good.
    pub ticket_seconds: i64,
    /// The clock.
    pub now: fn() -> Time,
    /// Called with the errors of reading and changing the keyring.
    pub failed: fn(&Error),
}

struct Shared {
    issuer: Issuer,
    fetching: Fetching,
    key: SigningKey,
    origins: Vec<Origin>,
    most_orders: u64,
    limits: Limits,
    ticket_seconds: i64,
    now: fn() -> Time,
    memory: Memory,
}

/// Secret bytes that are wiped when they were sent.
struct Owned(Secret);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Program,
    Page,
}

impl Service {
    /// Serves until it is stopped.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn serve(self, config: Config) -> Result<()> {
        let (path, access) = (self.handing.path.clone(), self.handing.access.clone());
        let (fetching, reads) = fetching::start(path, access, config.stop.clone(), self.failed)?;
        let (issuer, changes) = self.handing.start(config.stop.clone(), self.failed)?;
        let shared = Arc::new(Shared {
            issuer,
            fetching,
            key: self.key,
            origins: self.origins.clone(),
            most_orders: self.most_orders,
            limits: self.limits,
            ticket_seconds: self.ticket_seconds.min(MOST_SECONDS),
            now: self.now,
            memory: Memory::new(MEMORY),
        });
        let programs = cors::route("/v1/programs", post(Shared::programs), self.origins);
        let router = Router::new()
            .merge(programs)
            .route("/v1/key", get(Shared::key))
            .route("/v1/shop-keys", post(Shared::shop_keys))
            .route("/shops/{shop}", get(link))
            .route("/healthz", get(async || "ok\n"))
            .with_state(shared);
        http::serve(router, config)?;
        // They end when no request is left that could ask them.
        let ended = [changes.join(), reads.join()];
        ended.into_iter().try_for_each(|ended| ended).map_err(|_| {
            Error::io("keyring", "a thread failed", std::io::Error::other("it panicked"))
        })
    }
}

impl Shared {
    async fn key(State(own): State<Arc<Self>>) -> Response {
        let kind = HeaderValue::from_static("application/jwk+json");
        let key = format!("{}\n", own.key.verifying().to_jwk());
        ([(header::CONTENT_TYPE, kind)], key).into_response()
    }

    async fn programs(State(own): State<Arc<Self>>, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        own.program_for(&parts, body).await
    }

    /// Answers a client that asks for a program.
    async fn program_for(&self, parts: &Parts, body: Body) -> Result<Response, Problem> {
        check_type(&parts.headers, &["application/json"])?;
        required_origin(&parts.headers, &self.origins)?;
        let form = form(parts)?;
        let body = self.memory.read(body, MAX_REQUEST as usize).await?;
        let asked = ProgramRequest::parse(&body.bytes, &Place::file("the request"))
            .map_err(|error| Fault::Request.because(error))?;
        if asked.orders > self.most_orders {
            return Err(Fault::TooMany.because(format!("at most {}", self.most_orders)));
        }
        let now = (self.now)();
        if let Some(user) = &asked.user {
            self.check_user(parts, &asked.shop, user, now)?;
        }
        let peer = parts.extensions.get::<Peer>().ok_or_else(|| Fault::Unavailable.plain())?;
        let taken = self.limits.take(peer.0, &asked.shop, asked.orders, now.seconds());
        taken.map_err(|seconds| Problem { retry_after: Some(seconds), ..Fault::Limit.plain() })?;
        let ids = match asked.user.clone() {
            Some(user) => IdRequest::User(user),
            None => IdRequest::Pool(asked.orders),
        };
        let request = ClientRequest {
            budget: Some(asked.orders),
            service: asked.service.clone(),
            ..ClientRequest::new(asked.shop.clone(), ids, now)
        };
        let bundle = self.issuer.ask(Asked { request, page: form == Answer::Page }).await??;
        let (kind, content) = match form {
            Answer::Program => ("application/jose", self.program(&bundle, &body.bytes, now)?),
            Answer::Page => ("text/html; charset=utf-8", order_page(&bundle)?),
        };
        let content = Body::from(axum::body::Bytes::from_owner(Owned(content)));
        let kind = HeaderValue::from_static(kind);
        Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], content).into_response())
    }

    async fn shop_keys(
        State(own): State<Arc<Self>>,
        request: Request,
    ) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        own.keys_of_shop(&parts, body).await
    }

    /// Answers a shop that fetches its keys. No page of another origin may ask.
    async fn keys_of_shop(&self, parts: &Parts, body: Body) -> Result<Response, Problem> {
        check_type(&parts.headers, &["application/json"])?;
        check_origin(parts, &[])?;
        let token = bearer(&parts.headers).ok_or_else(|| Fault::NoToken.plain())?;
        let token = ShopToken::verify(token, &self.key.verifying());
        let token = token.map_err(|fault| Fault::BadToken.because(fault))?;
        if token.expires <= (self.now)() {
            return Err(Fault::BadToken.because("it has expired"));
        }
        let body = self.memory.read(body, MAX_WANTED).await?;
        let keys = wanted(&body.bytes).map_err(|found| Fault::Request.because(found))?;
        let keys = self.fetching.ask(Wanted { token, keys }).await??;
        let kind = HeaderValue::from_static("application/jwk-set+json");
        let content = Body::from(axum::body::Bytes::from_owner(Owned(keys)));
        Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], content).into_response())
    }

    /// Checks that a user's key is asked for by the user.
    fn check_user(
        &self,
        parts: &Parts,
        shop: &Name,
        user: &Name,
        now: Time,
    ) -> Result<(), Problem> {
        let token = bearer(&parts.headers).ok_or_else(|| Fault::NoToken.plain())?;
        let token = UserToken::verify(token, &self.key.verifying());
        let token = token.map_err(|fault| Fault::BadToken.because(fault))?;
        match token.shop == *shop && token.user == *user && now < token.expires {
            true => Ok(()),
            false => Err(Fault::BadToken.plain()),
        }
    }

    fn program(&self, bundle: &ClientBundle, request: &[u8], now: Time) -> Result<Secret, Problem> {
        let expires = now.after(self.ticket_seconds);
        let program = Program::new(bundle, expires, &self.key);
        program.sign(request, now, &self.key).map_err(|_| Fault::Unavailable.plain())
    }
}

/// The keys that a shop asks for.
fn wanted(body: &[u8]) -> std::result::Result<WantedKeys, Malformed> {
    let request = json::parse(body)?;
    let members = request.as_object().ok_or(Malformed::Expected("a JSON object"))?;
    let kid = |value: &Value| value.as_str().and_then(Kid::new).filter(Kid::is_ours);
    match (members.get("kids"), members.get("after")) {
        (None, None) => Ok(WantedKeys::After(None)),
        (None, Some(after)) => {
            let wrong = || Malformed::member("after", "the name of a key");
            Ok(WantedKeys::After(Some(kid(after).ok_or_else(wrong)?)))
        }
        (Some(kids), None) => {
            let kids = kids.as_array().filter(|kids| kids.len() <= MOST_KEYS);
            let kids = kids.and_then(|kids| kids.iter().map(kid).collect());
            let wrong = || Malformed::member("kids", "an array of at most 1,000 names of keys");
            kids.map(WantedKeys::Named).ok_or_else(wrong)
        }
        (Some(_), Some(_)) => Err(Malformed::Expected("\"kids\" or \"after\"")),
    }
}

/// The form in which the answer is wanted.
fn form(parts: &Parts) -> Result<Answer, Problem> {
    let Some(accepted) = parts.headers.get(header::ACCEPT) else { return Ok(Answer::Program) };
    let accepted = accepted.to_str().unwrap_or_default();
    let kinds = accepted.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    for kind in kinds {
        match kind {
            "application/jose" | "application/*" | "*/*" => return Ok(Answer::Program),
            "text/html" => return Ok(Answer::Page),
            _ => {}
        }
    }
    Err(Fault::NotAcceptable.because("application/jose or text/html"))
}

/// The page that links to a shop's order page. It is the same for every name: whether there is such a shop is
/// found when it asks.
async fn link(shop: std::result::Result<Path<String>, PathRejection>) -> Response {
    match shop.ok().and_then(|Path(shop)| shop.parse::<Name>().ok()) {
        Some(shop) => Html(page::link(&shop)).into_response(),
        None => Fault::NotFound.plain().into_response(),
    }
}

/// The bundle as a page with the key built in.
fn order_page(bundle: &ClientBundle) -> Result<Secret, Problem> {
    let mut random = SystemSource::new().map_err(|_| Fault::Unavailable.plain())?.stream(0);
    page::page(bundle, &Form::default(), &mut random).map_err(|_| Fault::NotAcceptable.plain())
}
