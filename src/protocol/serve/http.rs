//! What both servers have in common: connections and their limits, what is checked of every request, and
//! what is logged of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use super::limits::Network;
use super::peers::{Peer, client_address, host, is_loopback};
use super::problem::{Fault, Problem};
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::pipeline::Stop;

/// Time for the headers of a request, and for a connection without one.
const HEADERS: Duration = Duration::from_secs(30);

/// Time for a request and its answer.
const REQUEST: Duration = Duration::from_secs(60);

/// Time for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Time in which requests that have begun are answered when the server stops.
const GRACE: Duration = Duration::from_secs(8);

/// Most connections.
const CONNECTIONS: usize = 1024;

/// Most connections from one address, unless it is that of a proxy.
const PER_ADDRESS: usize = 256;

/// How often the server looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Length in bytes of the headers of a request.
const MAX_HEADERS: usize = 64 << 10;

/// How a server listens.
pub struct Config {
    /// The address and port.
    pub listen: SocketAddr,
    /// TLS, unless a proxy has it or nothing leaves this machine.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Proxies in front; if there are any, nobody else is answered.
    pub hops: Vec<IpAddr>,
    /// Names by which the server is asked; if there are none, those of this machine on loopback, and any
    /// elsewhere.
    pub hosts: Vec<String>,
    /// Stops the server.
    pub stop: Stop,
    /// Called once it listens, with the address and port.
    pub ready: Box<dyn FnOnce(SocketAddr)>,
    /// Called for every request that was answered.
    pub log: Arc<dyn Fn(&Record<'_>) + Send + Sync>,
}

/// What is logged of a request: nothing of its content, and no name that a client chose.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    /// The method.
    pub method: &'r Method,
    /// The address that was asked for, as the server knows it.
    pub route: &'r str,
    /// The status of the answer.
    pub status: u16,
    /// The fault, if it was refused.
    pub fault: Option<Fault>,
    /// How long it took.
    pub took: Duration,
}

/// The hosts for which a server answers.
enum Hosts {
    Any,
    /// Names of this machine.
    Local,
    Named(Vec<String>),
}

/// What is checked of every request.
struct Gate {
    hops: Vec<IpAddr>,
    hosts: Hosts,
    log: Arc<dyn Fn(&Record<'_>) + Send + Sync>,
}

/// Serves until it is stopped; requests that have begun are then answered.
///
/// # Errors
/// [`Error::Io`].
pub fn serve(router: Router, config: Config) -> Result<()> {
    let place = Place::file(config.listen.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::io(&place, "cannot serve", error))?;
    let served = runtime.block_on(listen(router, config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    served.map_err(|error| Error::io(&place, "cannot listen", error))
}

async fn listen(router: Router, config: Config) -> std::io::Result<()> {
    let Config { listen, tls, hops, hosts, stop, ready, log } = config;
    let listener = TcpListener::bind(listen).await?;
    let is_local = listen.ip().is_loopback() && tls.is_none() && hops.is_empty();
    let hosts = match (hosts.is_empty(), is_local) {
        (false, _) => Hosts::Named(hosts),
        (true, true) => Hosts::Local,
        (true, false) => Hosts::Any,
    };
    let gate = Arc::new(Gate { hops: hops.clone(), hosts, log });
    let router = router
        .fallback(async || Fault::NotFound.plain())
        .method_not_allowed_fallback(async || Fault::Method.plain())
        .layer(from_fn_with_state(gate, Gate::pass));
    let connections = Connections {
        builder: builder(),
        tls: tls.map(TlsAcceptor::from),
        graceful: GracefulShutdown::new(),
        room: Arc::new(Semaphore::new(CONNECTIONS)),
        of_addresses: Arc::default(),
        hops,
    };
    ready(listener.local_addr()?);
    let mut stopped = pin!(until_stopped(&stop));
    loop {
        // Connections beyond the limit wait in the listener's queue.
        let room = Arc::clone(&connections.room).acquire_owned();
        let Some(Ok(room)) = first(room, stopped.as_mut()).await else { break };
        match first(listener.accept(), stopped.as_mut()).await {
            None => break,
            Some(Ok((stream, peer))) => connections.serve(stream, peer.ip(), &router, room),
            // Out of file descriptors, or the connection is gone already.
            Some(Err(_)) => tokio::time::sleep(LOOK).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, connections.graceful.shutdown()).await;
    Ok(())
}

/// The result of a future; `None` if the other ends first.
async fn first<T>(future: impl Future<Output = T>, other: impl Future<Output = ()>) -> Option<T> {
    let (future, other) = (pin!(future), pin!(other));
    let mut both = (future, other);
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(result) = both.0.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(result));
        }
        both.1.as_mut().poll(context).map(|()| None)
    })
    .await
}

async fn until_stopped(stop: &Stop) {
    while !stop.is_requested() {
        tokio::time::sleep(LOOK).await;
    }
}

fn builder() -> Builder<TokioExecutor> {
    // Looking for the version in the first bytes would have no time limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(MAX_HEADERS);
    builder
}

struct Connections {
    builder: Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    graceful: GracefulShutdown,
    room: Arc<Semaphore>,
    of_addresses: Arc<Mutex<BTreeMap<Network, usize>>>,
    hops: Vec<IpAddr>,
}

/// A connection's place among those of its address.
struct Counted {
    of_addresses: Arc<Mutex<BTreeMap<Network, usize>>>,
    address: Network,
}

impl Connections {
    fn serve(&self, stream: TcpStream, peer: IpAddr, router: &Router, room: OwnedSemaphorePermit) {
        let Some(counted) = self.count(peer) else { return };
        let _ = stream.set_nodelay(true);
        // Also for clients that read no answers.
        let _ = set_tcp_user_timeout(&stream, REQUEST.as_millis() as u32);
        let router = router.clone().layer(axum::Extension(Peer(peer)));
        let (builder, watcher) = (self.builder.clone(), self.graceful.watcher());
        let tls = self.tls.clone();
        tokio::spawn(async move {
            let _kept = (room, counted);
            let Some(tls) = tls else {
                return talk(builder, stream, router, watcher).await;
            };
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                talk(builder, stream, router, watcher).await;
            }
        });
    }

    /// Counts a connection; `None` if there are too many from its address, or it comes past the proxies.
    fn count(&self, peer: IpAddr) -> Option<Option<Counted>> {
        let address = peer.to_canonical();
        if self.hops.contains(&address) {
            return Some(None);
        }
        if !self.hops.is_empty() {
            return None;
        }
        let address = Network::from(address);
        let mut all = self.of_addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(address).or_default();
        if *own >= PER_ADDRESS {
            return None;
        }
        *own += 1;
        Some(Some(Counted { of_addresses: Arc::clone(&self.of_addresses), address }))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.of_addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                all.remove(&self.address);
            }
        }
    }
}

async fn talk(
    builder: Builder<TokioExecutor>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // What went wrong with a connection is the client's to know.
    let _ = watcher.watch(connection.into_owned()).await;
}

impl Gate {
    /// Checks a request, has it answered in time, and logs it.
    async fn pass(State(gate): State<Arc<Self>>, mut request: Request, next: Next) -> Response {
        let began = Instant::now();
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let response = match gate.check(&mut request) {
            Ok(()) => match tokio::time::timeout(REQUEST, next.run(request)).await {
                Ok(response) => response,
                Err(_) => Fault::Timeout.plain().into_response(),
            },
            Err(problem) => problem.into_response(),
        };
        let response = with_headers(response);
        (gate.log)(&Record {
            method: &method,
            route: route.as_ref().map_or("other", MatchedPath::as_str),
            status: response.status().as_u16(),
            fault: response.extensions().get::<Fault>().copied(),
            took: began.elapsed(),
        });
        response
    }

    fn check(&self, request: &mut Request) -> Result<(), Problem> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        let peer = peer.ok_or_else(|| Fault::Unavailable.plain())?;
        let peer = Peer(client_address(peer, request.headers(), &self.hops));
        request.extensions_mut().insert(peer);
        let asked = host(request.uri(), request.headers());
        let is_own = match &self.hosts {
            Hosts::Any => true,
            Hosts::Local => asked.is_some_and(is_loopback),
            Hosts::Named(names) => asked.is_some_and(|asked| {
                let asked = asked.to_ascii_lowercase();
                let name = asked.rsplit_once(':').map_or(&asked[..], |(name, _)| name);
                names.iter().any(|own| *own == asked || own == name)
            }),
        };
        match is_own {
            true => Ok(()),
            false => Err(Fault::Host.plain()),
        }
    }
}

/// Adds the headers that every answer has.
fn with_headers(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Memory for bodies of all requests together.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Semaphore>);

/// A body, and the memory that it takes.
pub(super) struct Received {
    /// The bytes.
    pub bytes: Vec<u8>,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Memory {
    /// Memory for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Reads a body of at most so many bytes. It takes memory as it comes, so that slow ones hold little.
    ///
    /// # Errors
    /// [`Fault::TooLarge`], [`Fault::Busy`] if other bodies take all memory, and [`Fault::Timeout`] if it
    /// was cut off.
    pub async fn read(&self, mut body: Body, most: usize) -> Result<Received, Problem> {
        let (mut bytes, mut memory) = (Vec::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Fault::Timeout.plain())?;
            let Ok(part) = frame.into_data() else { continue };
            if bytes.len() + part.len() > most {
                return Err(Fault::TooLarge.because(format!("at most {most} bytes")));
            }
            let own = Arc::clone(&self.0).try_acquire_many_owned(part.len() as u32);
            let own = own.map_err(|_| Problem { retry_after: Some(1), ..Fault::Busy.plain() })?;
            match &mut memory {
                Some(memory) => memory.merge(own),
                None => memory = Some(own),
            }
            bytes.extend_from_slice(&part);
        }
        Ok(Received { bytes, _memory: memory })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_all_requests_share_a_limited_memory() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let memory = Memory::new(10);
        let read = |len: usize, most| runtime.block_on(memory.read(Body::from(vec![7; len]), most));
        let first = read(8, 8).ok().unwrap();
        assert_eq!(first.bytes, [7; 8]);
        assert_eq!(read(9, 8).err().unwrap().fault, Fault::TooLarge);
        let refused = read(3, 8).err().unwrap();
        assert_eq!((refused.fault, refused.retry_after), (Fault::Busy, Some(1)));
        let second = read(2, 8).ok().unwrap();
        drop((first, second));
        assert!(read(10, 10).is_ok(), "what was taken is given back");
    }
}
