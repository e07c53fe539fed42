//! Requests, sent again until there is a definite answer.

use std::io::{ErrorKind, Read};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::{Response, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy};

use super::Settings;
use super::origin::Origin;
use crate::ciphers::Wiped;
use crate::protocol::model::{
    Error, ExchangeFault, Malformed, Place, Problem, Result, ServiceUrl, shortened,
};
use crate::protocol::pipeline::Stop;
use crate::protocol::serve::tls;

/// Time limit for a connection, and for each silence after that.
const SILENCE: Duration = Duration::from_secs(30);

/// Time limit for a request with its whole answer.
const EXCHANGE: Duration = Duration::from_secs(300);

/// Wait before a request is sent for the second time; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Longest wait, unless the server asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Interval at which a wait looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Most characters of a server's words that are shown.
const MAX_WORDS: usize = 200;

/// Sends requests to servers.
pub(super) struct Http {
    plain: Agent,
    /// None if this processor cannot run it.
    secure: Option<Agent>,
    allow_http: bool,
    retry_for: Duration,
    stop: Stop,
}

/// A request, whose bytes stay the same.
pub(super) struct Request<'r> {
    /// The address.
    pub(super) address: &'r ServiceUrl,
    /// Fields of the header.
    pub(super) fields: &'r [(&'static str, &'r str)],
    /// What is posted; nothing to get what is there.
    pub(super) body: Option<&'r [u8]>,
    /// Longest answer, in bytes.
    pub(super) limit: u64,
}

/// An answer that is definite.
pub(super) struct Answer {
    pub(super) status: u16,
    location: Option<String>,
    retry_after: Option<Duration>,
    pub(super) body: Wiped,
}

/// Reads the certificates of authorities from a file in PEM.
///
/// # Errors
/// [`Error::Malformed`].
pub fn authorities(pem: &[u8], place: &Place) -> Result<Vec<Certificate<'static>>> {
    let malformed = || Error::malformed(place, Malformed::Expected("certificates in PEM"));
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(malformed()),
        }
    }
    if found.is_empty() { Err(malformed()) } else { Ok(found) }
}

impl Http {
    pub(super) fn new(settings: &Settings) -> Self {
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .user_agent(concat!("orderseal/", env!("CARGO_PKG_VERSION")))
                .timeout_connect(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .timeout_per_write(Some(SILENCE))
                .timeout_global(Some(EXCHANGE))
        };
        let secure = tls::provider().map(|provider| {
            let trusted = match &settings.authorities {
                Some(own) => RootCerts::new_with_certs(own),
                None => RootCerts::WebPki,
            };
            let tls = TlsConfig::builder()
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(trusted)
                .build();
            config().https_only(true).proxy(Proxy::try_from_env()).tls_config(tls).build()
        });
        Self {
            plain: config().proxy(None).build().into(),
            secure: secure.map(Agent::from),
            allow_http: settings.allow_http,
            retry_for: settings.retry_for,
            stop: settings.stop.clone(),
        }
    }

    /// Sends a request, and sends it again while there is no definite answer.
    ///
    /// # Errors
    /// [`Error::Exchange`] for an answer that is not a success, except that what is there may redirect,
    /// and if there is none in time; [`Error::Stopped`].
    pub(super) fn exchange(&self, request: &Request<'_>) -> Result<Answer> {
        let failed = |fault| Error::exchange(request.address, fault);
        let agent = self.agent(&Origin::of(request.address)).map_err(failed)?;
        let (mut until, mut wait) = (None, FIRST_WAIT);
        loop {
            if self.stop.is_requested() {
                return Err(Error::Stopped);
            }
            let (fault, asked) = match send(agent, request) {
                Ok(answer) if answer.is_for_now() => (answer.fault(), answer.retry_after),
                Ok(answer) if answer.is_success() || request.body.is_none() && answer.moves() => {
                    return Ok(answer);
                }
                Ok(answer) => return Err(failed(answer.fault())),
                Err(fault @ ExchangeFault::NoAnswer(_)) => (fault, None),
                Err(fault) => return Err(failed(fault)),
            };
            let now = Instant::now();
            let until = *until.get_or_insert(now + self.retry_for);
            let left = until.saturating_duration_since(now);
            if left.is_zero() || asked.is_some_and(|asked| asked > left) {
                return Err(failed(fault));
            }
            self.wait(asked.unwrap_or(wait).min(left))?;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn agent(&self, origin: &Origin) -> std::result::Result<&Agent, ExchangeFault> {
        match origin.is_https() {
            true => self.secure.as_ref().ok_or(ExchangeFault::NoTls),
            false if origin.is_exposed() && !self.allow_http => Err(ExchangeFault::PlainHttp),
            false => Ok(&self.plain),
        }
    }

    fn wait(&self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        loop {
            if self.stop.is_requested() {
                return Err(Error::Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left.min(LOOK));
        }
    }
}

fn send(agent: &Agent, request: &Request<'_>) -> std::result::Result<Answer, ExchangeFault> {
    let address = request.address.as_str();
    let address = address.split_once('#').map_or(address, |(address, _)| address);
    let response = match request.body {
        Some(body) => {
            let fields = request.fields.iter();
            fields
                .fold(agent.post(address), |post, (name, value)| post.header(*name, *value))
                .send(body)
        }
        None => {
            let fields = request.fields.iter();
            fields.fold(agent.get(address), |get, (name, value)| get.header(*name, *value)).call()
        }
    };
    Answer::read(response.map_err(no_answer)?, request.limit)
}

impl Answer {
    fn read(mut response: Response<Body>, limit: u64) -> std::result::Result<Self, ExchangeFault> {
        let field = |name| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let location = field(header::LOCATION);
        let retry_after = field(header::RETRY_AFTER).and_then(|text| text.trim().parse().ok());
        let status = response.status().as_u16();
        let mut body = Wiped::default();
        body.read_all(response.body_mut().as_reader().take(limit + 1), 0)
            .map_err(|error| no_answer(error.into()))?;
        if body.len() as u64 > limit {
            return Err(ExchangeFault::TooLong(limit));
        }
        Ok(Self { status, location, retry_after: retry_after.map(Duration::from_secs), body })
    }

    /// Whether the same request may succeed later.
    fn is_for_now(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500..)
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn moves(&self) -> bool {
        (300..400).contains(&self.status) && self.location.is_some()
    }

    /// The address to which it redirects, as it is written.
    pub(super) fn location(&self) -> Option<&str> {
        self.location.as_deref().filter(|_| self.moves())
    }

    pub(super) fn fault(&self) -> ExchangeFault {
        match self.location() {
            Some(location) => ExchangeFault::Redirect(words(location)),
            None => ExchangeFault::Refused(self.problem(self.status)),
        }
    }

    fn problem(&self, status: u16) -> Problem {
        let found: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |name: &str| found[name].as_str().map(words).filter(|text| !text.is_empty());
        Problem {
            status,
            code: text("code").map(|code| shortened(&code)),
            detail: text("detail").or(text("title")),
            line: found["line"].as_u64(),
        }
    }
}

/// A server's words as part of a message.
fn words(text: &str) -> String {
    text.trim().trim_end_matches('.').chars().take(MAX_WORDS).collect()
}

fn no_answer(error: ureq::Error) -> ExchangeFault {
    let text = words(&error.to_string());
    match error {
        // What rustls found is in such an error.
        ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
            ExchangeFault::Unreachable(error.to_string())
        }
        ureq::Error::Io(error) => ExchangeFault::NoAnswer(error.to_string()),
        ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Protocol(_)
        | ureq::Error::BodyStalled => ExchangeFault::NoAnswer(text),
        _ => ExchangeFault::Unreachable(text),
    }
}
