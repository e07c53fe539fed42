//! A server that answers as service and shop do, except where a test says otherwise.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::jose::jws::{SigningKey, VerifyingKey};
use orderseal::protocol::page::item_page::Page;
use orderseal::protocol::page::program::Program;
use orderseal::protocol::page::request::Request;
use orderseal::protocol::store::keyfile::{ClientBundle, KeyFile};
use orderseal::protocol::{Name, Place, Time};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::common::{Lab, ORDERSEAL, Run, orders};

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The path without its query.
    pub path: String,
    /// What was posted.
    pub body: Vec<u8>,
    fields: Vec<(String, String)>,
}

/// What the server answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer.
    Answer { status: u16, fields: Vec<(&'static str, &'static str)>, body: Vec<u8> },
    /// The connection is closed.
    Cut,
    /// The orders are kept, and then the connection is closed.
    KeepAndCut,
    /// An answer without end.
    Endless,
}

/// How the service makes programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    Well,
    /// For the user alice.
    User,
    TooFew,
    OtherKey,
    OtherRequest,
    OtherShop,
    Text,
}

/// An answer without fields and content.
pub fn status(status: u16) -> Reply {
    Reply::Answer { status, fields: Vec::new(), body: Vec::new() }
}

/// An answer that refuses.
pub fn problem(code: u16, name: &str) -> Reply {
    let text = json!({ "title": "no", "status": code, "code": name }).to_string();
    status(code).with("content-type", "application/problem+json").body(&text)
}

impl Reply {
    pub fn with(mut self, field: &'static str, value: &'static str) -> Self {
        if let Self::Answer { fields, .. } = &mut self {
            fields.push((field, value));
        }
        self
    }

    pub fn body(mut self, text: &str) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = text.as_bytes().to_vec();
        }
        self
    }
}

impl Seen {
    /// A field of the header.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The lines that were posted.
    pub fn lines(&self) -> Vec<&str> {
        std::str::from_utf8(&self.body).expect("sealed lines are text").lines().collect()
    }

    /// The request for a program that was posted.
    pub fn request(&self) -> Request {
        Request::parse(&self.body, &Place::file("request")).expect("a request")
    }
}

type Script = dyn Fn(&Seen, usize) -> Option<Reply> + Send + Sync;

struct Server {
    script: Box<Script>,
    made: Made,
    key: SigningKey,
    folder: PathBuf,
    page: Mutex<Vec<u8>>,
    seen: Mutex<Vec<Seen>>,
    inbox: Mutex<Vec<String>>,
}

/// Keys of the shop tokyo and orders for it in a folder, and the server.
pub struct World {
    pub lab: Lab,
    server: Arc<Server>,
    origin: String,
    page: Vec<u8>,
}

impl World {
    /// Starts a server; the script answers those requests that it wants, which are counted from 0 for
    /// each path.
    pub fn new(
        options: &str,
        count: usize,
        script: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::making(options, count, Made::Well, script)
    }

    /// Starts a server that makes programs in this way.
    pub fn making(
        options: &str,
        count: usize,
        made: Made,
        script: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::start(options, count, made, Box::new(script), None)
    }

    /// Starts a server for https.
    pub fn secure(options: &str, count: usize) -> Self {
        Self::start(options, count, Made::Well, Box::new(|_, _| None), Some(tls()))
    }

    fn start(
        options: &str,
        count: usize,
        made: Made,
        script: Box<Script>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let lab = Lab::new();
        let pool = 2 * count + 10;
        lab.ok(&format!("keygen {options} --shop tokyo --orders {pool} -o service.jwks"));
        if made == Made::User {
            lab.ok("keys admit alice service.jwks");
        }
        if made == Made::OtherShop {
            lab.ok("keygen -e 4 --shop kyoto --orders 9 -o kyoto.jwks");
        }
        lab.ok("bundle shop --keyring service.jwks --allow-weak -o tokyo.jwks");
        lab.write("orders.ndjson", orders(count));

        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let origin = match &tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let key = SigningKey::random(&mut SystemSource::new().unwrap().stream(0));
        let page = Page {
            shop: "tokyo".parse().unwrap(),
            service: Some(origin.parse().unwrap()),
            service_key: Some(key.verifying()),
            program: None,
            items: json!([]),
        };
        let page = page.to_bytes();
        let server = Arc::new(Server {
            script,
            made,
            key,
            folder: lab.dir().to_owned(),
            page: Mutex::new(page.clone()),
            seen: Mutex::default(),
            inbox: Mutex::default(),
        });
        let shared = Arc::clone(&server);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, server) = (stream.expect("a connection"), Arc::clone(&shared));
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    Some(tls) => {
                        let connection = ServerConnection::new(tls).expect("a connection");
                        server.serve(StreamOwned::new(connection, stream));
                    }
                    None => server.serve(stream),
                });
            }
        });
        Self { lab, server, origin, page }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The address of the item page.
    pub fn page(&self) -> String {
        format!("{}/page.json", self.origin)
    }

    /// The item page as it was made.
    pub fn whole_page(&self) -> Vec<u8> {
        self.page.clone()
    }

    /// SHA-256 of the item page.
    pub fn page_hash(&self) -> [u8; 32] {
        Sha256::digest(&self.page).into()
    }

    /// Changes the item page.
    pub fn change_page(&self, change: impl FnOnce(&mut Value)) {
        let mut page = self.server.page.lock().unwrap();
        let mut value = serde_json::from_slice(&page).unwrap();
        change(&mut value);
        *page = value.to_string().into_bytes();
    }

    /// Puts a program into the page, and takes the service out.
    pub fn embed_program(&self) {
        self.lab.ok("bundle client --keyring service.jwks -o embedded.jwks");
        self.change_page(|page| {
            let ours = page["orderseal"].as_object_mut().unwrap();
            ours.remove("service");
            ours.remove("service_key");
            ours.insert("program".to_owned(), self.lab.json("embedded.jwks"));
        });
    }

    /// The key by which the service signs.
    pub fn key(&self) -> VerifyingKey {
        self.server.key.verifying()
    }

    /// The requests to a path, in their order.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = self.server.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// Number of all requests.
    pub fn count(&self) -> usize {
        self.server.seen.lock().unwrap().len()
    }

    /// The orders that the shop has, opened.
    #[track_caller]
    pub fn opened(&self) -> Vec<u8> {
        let inbox: String =
            self.server.inbox.lock().unwrap().iter().map(|line| format!("{line}\n")).collect();
        self.lab.ok_with("decrypt --bundle tokyo.jwks --allow-weak", inbox.as_bytes()).stdout
    }

    /// Runs a command line.
    pub fn run(&self, line: &str) -> Run {
        self.lab.run(line, b"")
    }
}

impl Server {
    fn serve<S: Read + Write>(&self, stream: S) {
        let mut stream = BufReader::new(stream);
        while let Some(seen) = read(&mut stream) {
            let number = {
                let mut all = self.seen.lock().unwrap();
                all.push(seen.clone());
                all.iter().filter(|other| other.path == seen.path).count() - 1
            };
            let reply = (self.script)(&seen, number).unwrap_or_else(|| self.answer(&seen));
            let stream = stream.get_mut();
            let sent = match reply {
                Reply::Answer { status, fields, body } => {
                    let fields: String =
                        fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status} X\r\n{fields}content-length: {length}\r\n\r\n");
                    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body))
                }
                Reply::Cut => return,
                Reply::KeepAndCut => {
                    self.keep(&seen);
                    return;
                }
                Reply::Endless => {
                    let head = "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n";
                    let chunk = [b"10000\r\n", &[b' '; 0x10000][..], b"\r\n"].concat();
                    let mut sent = stream.write_all(head.as_bytes());
                    while sent.is_ok() {
                        sent = stream.write_all(&chunk);
                    }
                    return;
                }
            };
            if sent.and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, seen: &Seen) -> Reply {
        let body = match seen.path.as_str() {
            "/page.json" => self.page.lock().unwrap().clone(),
            "/v1/programs" => self.program(&seen.request()),
            "/v1/orders" => {
                let kept = self.keep(seen);
                let known = seen.lines().len() - kept;
                json!({ "kept": kept, "known": known }).to_string().into_bytes()
            }
            _ => return problem(404, "not-found"),
        };
        Reply::Answer { status: 200, fields: Vec::new(), body }
    }

    /// Keeps the lines that are new, and returns their number.
    fn keep(&self, seen: &Seen) -> usize {
        let mut inbox = self.inbox.lock().unwrap();
        let before = inbox.len();
        for line in seen.lines() {
            if !inbox.iter().any(|known| known == line) {
                inbox.push(line.to_owned());
            }
        }
        inbox.len() - before
    }

    fn program(&self, request: &Request) -> Vec<u8> {
        let mut asked = request.clone();
        let (mut answered, mut key) = (request.to_bytes(), self.key.clone());
        let mut keyring = "service.jwks";
        match self.made {
            Made::Well | Made::User => {}
            Made::TooFew => asked.orders -= 1,
            Made::OtherKey => key = SigningKey::random(&mut SystemSource::new().unwrap().stream(0)),
            Made::OtherRequest => answered.push(b' '),
            Made::OtherShop => {
                asked.shop = "kyoto".parse::<Name>().unwrap();
                keyring = "kyoto.jwks";
            }
            Made::Text => return b"tea".to_vec(),
        }
        let bundle = bundle(&self.folder, keyring, &asked);
        let program = Program::new(&bundle, Time::from_unix(4_000_000_000).unwrap(), &key);
        let signed = program.sign(&answered, Time::from_unix(1_700_000_000).unwrap(), &key);
        signed.unwrap().to_vec()
    }
}

/// Answers a request as the command line does.
fn bundle(folder: &Path, keyring: &str, request: &Request) -> ClientBundle {
    fs::write(folder.join("asked.json"), request.to_bytes()).unwrap();
    let output = Command::new(ORDERSEAL)
        .current_dir(folder)
        .args(["bundle", "client", "--keyring", keyring, "--request", "asked.json"])
        .args(["--allow-weak", "--force", "-o", "answer.jwks"])
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (bytes, place) = (fs::read(folder.join("answer.jwks")).unwrap(), Place::file("answer"));
    KeyFile::parse(&bytes, &place).unwrap().into_client(&place).unwrap()
}

/// Reads a request; `None` at the end of the connection.
fn read(stream: &mut impl BufRead) -> Option<Seen> {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut fields = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let address = first.split(' ').nth(1).expect("a request line");
    let path = address.split('?').next().expect("a path").to_owned();
    let length = fields.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().expect("a number"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Seen { path, body, fields })
}

fn tls() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/server-key.pem"));
    let provider = Arc::new(rustls_graviola::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap()], key.unwrap());
    Arc::new(config.unwrap())
}
