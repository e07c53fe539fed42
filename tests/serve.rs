//! Both servers with real clients: what they keep, what they refuse, and what survives a kill.

#![allow(clippy::disallowed_methods, reason = "a test may panic where there is no thread")]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use common::{Lab, ORDERSEAL, orders};
use serde_json::{Value, json};

/// A server, ended when it is dropped.
struct Server {
    child: Child,
    port: u16,
}

/// An answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// A service and a shop.
struct World {
    lab: Lab,
    service: Server,
    shop: Server,
}

impl Server {
    fn start(lab: &Lab, line: &str, port: u16) -> Self {
        let mut child = Command::new(ORDERSEAL)
            .current_dir(lab.dir())
            .args(line.split_whitespace())
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        told.read_line(&mut first).unwrap();
        assert!(first.contains("listening at http://127.0.0.1:"), "{first}");
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        Self { child, port }
    }

    fn send(&self, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let text = format!(
            "{head}\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1"), "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status and code of a refusal.
    fn refusal(&self) -> (u16, String) {
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let body = self.json();
        assert_eq!(body["status"], self.status);
        (self.status, body["code"].as_str().unwrap().to_owned())
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl World {
    fn new(options: &str, of_service: &str, of_shop: &str) -> Self {
        let lab = Lab::new();
        lab.ok(&format!("keygen --shop tokyo {options} -o service.jwks"));
        let weak = if options.contains("--allow-weak") { "--allow-weak" } else { "" };
        lab.ok(&format!("bundle shop {weak} --keyring service.jwks -o tokyo.jwks"));
        let (service, shop) = (free_port(), free_port());
        let address = format!("--service http://127.0.0.1:{service}/");
        lab.ok(&format!("bundle page {weak} --keyring service.jwks {address} -o page.json"));
        let line = format!("serve service --keys service.jwks --origin http://127.0.0.1:{shop}");
        let service = Server::start(&lab, &format!("{line} {of_service}"), service);
        let line = format!("serve shop --page page.json --inbox inbox {of_shop}");
        let shop = Server::start(&lab, &line, shop);
        Self { lab, service, shop }
    }

    fn page(&self) -> String {
        format!("http://127.0.0.1:{}/page.json", self.shop.port)
    }

    /// Asks for a program; returns the payload.
    fn program(&self, orders: u64) -> Value {
        let answer = self.ask(&self.request(orders), &self.origin(), "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.head.contains("cache-control: no-store"));
        assert!(answer.head.contains("content-type: application/jose"));
        let payload = answer.body.split('.').nth(1).unwrap();
        serde_json::from_slice(&common::base64url_decode(payload)).unwrap()
    }

    fn request(&self, orders: u64) -> String {
        self.lab.ok(&format!("request --page page.json --orders {orders} --force -o request.json"));
        String::from_utf8(self.lab.read("request.json")).unwrap()
    }

    fn origin(&self) -> String {
        format!("\r\nOrigin: http://127.0.0.1:{}", self.shop.port)
    }

    fn ask(&self, request: &str, origin: &str, more: &str) -> Answer {
        let head =
            format!("POST /v1/programs HTTP/1.1\r\nContent-Type: application/json{origin}{more}");
        self.service.send(&head, request)
    }

    /// Seals orders with the bundle of a program.
    fn seal(&self, program: &Value, orders: &[u8]) -> Vec<String> {
        self.lab.write("got.jwks", program["bundle"].to_string());
        self.lab.mode("got.jwks", 0o600);
        let sealed = self.lab.ok_with("encrypt --bundle got.jwks", orders).text();
        sealed.lines().map(str::to_owned).collect()
    }

    fn post(&self, ticket: Option<&str>, lines: &str) -> Answer {
        let ticket = ticket.map(|ticket| format!("\r\nAuthorization: Bearer {ticket}"));
        let head = "POST /v1/orders HTTP/1.1\r\nContent-Type: text/plain";
        self.shop.send(&format!("{head}{}", ticket.unwrap_or_default()), lines)
    }

    /// All lines of the inbox.
    fn inbox(&self) -> String {
        self.lab.shell("cat inbox/*.jwe 2> /dev/null || true").text()
    }
}

const TREE: &str = "--embodiment 4 --pool derived";

#[test]
fn orders_go_from_a_client_to_the_shop_and_are_opened_there() {
    for options in [
        "--embodiment 3 --orders 400",
        TREE,
        "--embodiment 6 --wrap ECDH-ES+A256KW --orders 300",
        "--scope shop --kind public --content hybrid --wrap ECDH-ES+A256KW",
    ] {
        let world = World::new(options, "", "");
        world.lab.write("orders.ndjson", orders(250));
        let run = world.lab.ok(&format!("send --page {} orders.ndjson", world.page()));
        assert_eq!(run.stderr, "sent 250 orders: 250 kept now, 0 known from before\n", "{options}");
        let file = world.lab.shell("ls inbox/*.jwe").text();
        world.lab.ok(&format!("decrypt --bundle tokyo.jwks {} -o opened.ndjson", file.trim()));
        assert_eq!(world.lab.read("opened.ndjson"), orders(250), "{options}");
    }
}

#[test]
fn who_has_no_ticket_for_an_id_uses_it_in_vain() {
    let world = World::new(TREE, "", "");
    let (mine, theirs) = (world.program(2), world.program(1));
    let ticket = |program: &Value| program["tickets"][0].as_str().unwrap().to_owned();
    let lines = world.seal(&mine, &orders(2));
    let (one, two) = (format!("{}\n", lines[0]), format!("{}\n", lines[1]));
    let junk = format!("{}\n", common::with_part(&lines[0], 3, b"junk"));
    let refusal = |ticket: Option<&str>, lines: &str| world.post(ticket, lines).refusal();
    assert_eq!(refusal(None, &junk), (401, "no-ticket".to_owned()));
    assert_eq!(refusal(Some("x.y.z"), &junk), (401, "bad-ticket".to_owned()));
    assert_eq!(refusal(Some(&ticket(&theirs)), &junk), (403, "wrong-id".to_owned()));
    assert_eq!(refusal(Some(&ticket(&mine)), "tea\n"), (400, "line-malformed".to_owned()));
    assert_eq!(refusal(Some(&ticket(&mine)), "\n"), (400, "line-malformed".to_owned()));
    assert_eq!(world.inbox(), "");

    let kept = world.post(Some(&ticket(&mine)), &one);
    assert_eq!((kept.status, kept.json()), (201, json!({ "kept": 1, "known": 0 })));
    // The same line is known; another under its id is refused, and what comes with it is not kept.
    let both = format!("{one}{two}");
    let again = world.post(Some(&ticket(&mine)), &one);
    assert_eq!((again.status, again.json()), (201, json!({ "kept": 0, "known": 1 })));
    assert_eq!(refusal(Some(&ticket(&mine)), &format!("{two}{junk}")), (409, "id-used".to_owned()));
    assert_eq!(world.inbox(), one);
    assert_eq!(world.post(Some(&ticket(&mine)), &both).json(), json!({ "kept": 1, "known": 1 }));
    assert_eq!(world.inbox(), both);
}

#[test]
fn a_page_with_another_key_of_the_service_is_refused() {
    let world = World::new(TREE, "", "");
    world.lab.write("orders.ndjson", orders(1));
    world.lab.ok("keygen --alg EdDSA -o other.jwk");
    let send = format!("send --page {} orders.ndjson --service-key", world.page());
    world.lab.refused(5, &format!("{send} other.jwk")).says(&["does not name the service's key"]);
    world.lab.ok(&format!("{send} page.json"));
    let key = world.service.get("/v1/key").json();
    assert_eq!(key, world.lab.json("page.json")["orderseal"]["service_key"]);
}

#[test]
fn a_monitor_checks_what_a_shop_serves() {
    let lab = Lab::new();
    lab.ok("keygen --alg EdDSA -o signing.jwk");
    lab.ok("keygen --embodiment 4 --pool derived --shop tokyo -o service.jwks");
    let page = "bundle page --keyring service.jwks --service http://127.0.0.1:9701/ -o page.json";
    lab.ok(&format!("{page} --sign-with signing.jwk"));
    let port = free_port();
    let line = "serve shop --page page.json --inbox inbox";
    let served = format!("http://127.0.0.1:{port}/page.json");
    let inspect = format!("inspect --verify-with signing.jwk {served}");
    let shop = Server::start(&lab, line, port);
    let shown = lab.ok(&inspect);
    assert!(shown.stderr.contains("signed as item page by "), "{}", shown.stderr);
    assert!(shown.text().contains("tokyo"));
    lab.refused(4, "inspect --verify-with page.json page.json").says(&["signed by"]);
    drop(shop);
    // Somebody else's page in its place, with the signature of the first.
    lab.ok("keygen --embodiment 4 --pool derived --shop tokyo -o other.jwks");
    lab.write("signature", lab.read("page.json.jws"));
    lab.ok(&format!("{} --force", page.replace("service.jwks", "other.jwks")));
    lab.write("page.json.jws", lab.read("signature"));
    let shop = Server::start(&lab, line, port);
    lab.refused(5, &inspect);
    drop(shop);
    lab.shell("rm page.json.jws");
    let _shop = Server::start(&lab, line, port);
    lab.refused(1, &inspect).says(&["status 404"]);
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_stays_known() {
    let mut world = World::new(TREE, "", "");
    let program = world.program(30);
    let lines = world.seal(&program, &orders(30));
    let ticket = program["tickets"][0].as_str().unwrap();
    for (round, some) in lines.chunks(10).enumerate() {
        assert_eq!(world.post(Some(ticket), &some.join("\n")).json()["kept"], 10);
        let port = world.shop.port;
        world.shop.child.kill().unwrap();
        world.shop.child.wait().unwrap();
        // What was written in part and never acknowledged.
        let last = world.lab.shell("ls inbox/*.jwe | tail -n 1").text();
        world.lab.shell(&format!("printf 'eyJ.torn' >> {}", last.trim()));
        world.shop = Server::start(&world.lab, "serve shop --page page.json --inbox inbox", port);
        let all = lines[..10 * (round + 1)].join("\n");
        let known = world.post(Some(ticket), &all).json();
        assert_eq!(known, json!({ "kept": 0, "known": 10 * (round + 1) }));
    }
    let whole: Vec<String> = world
        .inbox()
        .lines()
        .filter(|line| !line.starts_with("eyJ.torn"))
        .map(str::to_owned)
        .collect();
    assert_eq!(whole, lines);
}

#[test]
fn programs_are_for_named_pages_and_within_limits() {
    let world = World::new("--embodiment 3 --orders 5", "--most-orders 4 --limit-address 7", "");
    let request = world.request(1);
    let refusal = |request: &str, origin: &str| world.ask(request, origin, "").refusal();
    let origin = |code: &str| (403, code.to_owned());
    assert_eq!(refusal(&request, ""), origin("origin"));
    for other in ["null", "https://evil.example", "http://127.0.0.1"] {
        assert_eq!(refusal(&request, &format!("\r\nOrigin: {other}")), origin("origin"), "{other}");
    }
    let own = world.origin();
    assert_eq!(refusal("{}", &own), (400, "request-malformed".to_owned()));
    assert_eq!(refusal(&"x".repeat(20_000), &own), (413, "too-large".to_owned()));
    assert_eq!(refusal(&world.request(5), &own), (400, "too-many".to_owned()));
    let other = request.replace("tokyo", "kyoto");
    assert_eq!(refusal(&other, &own), (404, "unknown-shop".to_owned()));
    let text = "POST /v1/programs HTTP/1.1\r\nContent-Type: text/plain".to_owned() + &own;
    assert_eq!(world.service.send(&text, &request).refusal(), (415, "media-type".to_owned()));
    assert_eq!(world.service.get("/v1/programs").refusal(), (405, "method".to_owned()));
    assert_eq!(world.service.get("/").refusal(), (404, "not-found".to_owned()));
    assert_eq!(world.service.get("/healthz").body, "ok\n");

    let allowed = world.ask(&world.request(4), &own, "");
    let origin = own.trim_start_matches("\r\nOrigin: ");
    assert!(allowed.head.contains(&format!("access-control-allow-origin: {origin}")));
    assert!(
        !world.ask(&request, "\r\nOrigin: https://evil.example", "").head.contains("allow-origin")
    );
    assert_eq!(refusal(&world.request(2), &own), (409, "pool-empty".to_owned()));
    let limited = world.ask(&request, &own, "");
    assert_eq!(limited.refusal(), (429, "limit".to_owned()));
    assert!(limited.head.contains("retry-after: "));

    // For another host's name, as with DNS rebinding.
    let mut stream = TcpStream::connect(("127.0.0.1", world.service.port)).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 421 "), "{text}");
}

#[test]
fn a_users_key_is_handed_out_against_the_users_token_only() {
    let world = World::new("--embodiment 4 --orders 5", "", "");
    world.lab.ok("keys admit alice bob service.jwks");
    world.lab.ok("bundle shop --keyring service.jwks --force -o tokyo.jwks");
    world.lab.ok("keys token --user alice service.jwks -o alice.token");
    world.lab.refused(4, "keys token --user carol service.jwks -o carol.token");
    world.lab.write("orders.ndjson", orders(3));
    let send = |user: &str| {
        let page = world.page();
        format!("send --page {page} --user {user} --token-file alice.token orders.ndjson")
    };
    world.lab.ok(&send("alice"));
    world.lab.refused(1, &send("bob")).says(&["status 403, bad-token"]);
    let request = world.lab.ok("request --page page.json --user alice -o -").text();
    assert_eq!(world.ask(&request, &world.origin(), "").refusal(), (401, "no-token".to_owned()));
    world.lab.ok("keys revoke alice service.jwks");
    world.lab.shell("rm -f orders.ndjson.unsent");
    world.lab.refused(1, &send("alice")).says(&["status 403, not-admitted"]);
    let file = world.lab.shell("ls inbox/*.jwe").text();
    world.lab.ok(&format!("decrypt --bundle tokyo.jwks {} -o opened.ndjson", file.trim()));
    assert_eq!(world.lab.read("opened.ndjson"), orders(3));
}

#[test]
fn shared_secrets_are_handed_out_only_where_that_is_wanted() {
    for (options, status) in [("", 403), ("--allow-shared-secret", 200)] {
        let world = World::new("--embodiment 2", options, "");
        let answer = world.ask(&world.request(1), &world.origin(), "");
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

#[test]
fn a_command_and_a_server_hand_out_of_one_keyring_without_harm() {
    let world = World::new("--embodiment 3 --orders 60", "", "");
    let mut ids = BTreeSet::new();
    let mut add = |bundle: &Value| {
        for kid in common::key_ids(bundle) {
            assert!(ids.insert(kid.clone()), "{kid} was handed out twice");
        }
    };
    for _ in 0..10 {
        add(&world.program(3)["bundle"]);
        world.lab.ok("bundle client --keyring service.jwks --orders 3 --force -o client.jwks");
        add(&world.lab.json("client.jwks"));
    }
    assert_eq!(ids.len(), 60);
}

impl World {
    /// Asks for the keys of the shop after one of them.
    fn keys(&self, token: &str, after: &Value) -> Answer {
        let token = String::from_utf8(self.lab.read(token)).unwrap();
        let head = "POST /v1/shop-keys HTTP/1.1\r\nContent-Type: application/json";
        let head = format!("{head}\r\nAuthorization: Bearer {}", token.trim());
        self.service.send(&head, &after.to_string())
    }

    /// Opens orders as they come until so many are opened; returns what was said.
    fn follow(&self, options: &str, count: usize) -> String {
        let line = format!(
            "decrypt --bundle tokyo.jwks --follow inbox -o opened.ndjson --token-file tokyo.token {options}"
        );
        let mut child = Command::new(ORDERSEAL)
            .current_dir(self.lab.dir())
            .args(line.split_whitespace())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let opened = || self.lab.has("opened.ndjson").then(|| self.lab.read("opened.ndjson"));
        while common::lines(&opened().unwrap_or_default()).count() < count {
            assert!(std::time::Instant::now() < end, "orders were not opened");
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        said
    }
}

#[test]
fn keys_made_on_demand_are_fetched_when_an_order_needs_them() {
    for options in [
        "--embodiment 4 --orders 2",
        "--embodiment 6 --wrap ECDH-ES+A256KW --orders 2",
        "--embodiment 5 --rsa-bits 2048 --orders 2",
    ] {
        let world = World::new(options, "--on-demand", "");
        let lab = &world.lab;
        lab.write("orders.ndjson", orders(8));
        lab.ok(&format!("send --page {} --orders-per-request 4 orders.ndjson", world.page()));
        lab.ok("keys token --fetch service.jwks -o tokyo.token");
        let service = format!("--service http://127.0.0.1:{}", world.service.port);
        let said = world.follow(&service, 8);
        assert_eq!(lab.read("opened.ndjson"), orders(8), "{options}: {said}");
        assert_eq!(said, "orderseal: error: stopped by a signal\n", "{options}");

        // The same by hand, and once more in vain. What was erased stays erased.
        lab.ok("bundle shop --keyring service.jwks --force -o all.jwks");
        let keys = |file: &str| common::key_ids(&lab.json(file));
        let sorted = |file: &str| keys(file).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(sorted("tokyo.jwks"), sorted("all.jwks"), "{options}");
        lab.ok(&format!("send --page {} --from-line 6 orders.ndjson", world.page()));
        let fetch = format!("keys fetch --token-file tokyo.token {service} tokyo.jwks");
        assert_eq!(lab.ok(&fetch).text(), "tokyo.jwks: 3 keys added\n", "{options}");
        assert_eq!(lab.ok(&fetch).text(), "tokyo.jwks: 0 keys added\n", "{options}");
        let kid = keys("tokyo.jwks").pop().unwrap();
        lab.ok(&format!("erase tokyo.jwks --kid {kid}"));
        lab.ok(&fetch);
        assert!(!keys("tokyo.jwks").contains(&kid), "{options}");
    }
}

#[test]
fn without_on_demand_a_pool_ends() {
    let world = World::new("--embodiment 4 --orders 2", "", "");
    assert_eq!(
        world.ask(&world.request(3), &world.origin(), "").refusal(),
        (409, "pool-empty".to_owned())
    );
    let world = World::new("--embodiment 5 --rsa-bits 2048 --orders 1", "--on-demand", "");
    assert_eq!(
        world.ask(&world.request(11), &world.origin(), "").refusal(),
        (400, "too-many".to_owned())
    );
}

#[test]
fn a_shop_gets_its_keys_against_its_last_token_only() {
    let world = World::new("--embodiment 4 --orders 1500", "--on-demand", "");
    let lab = &world.lab;
    lab.ok("keygen --embodiment 4 --shop kyoto --orders 3 --into service.jwks");
    lab.ok("keys admit --shop tokyo alice service.jwks");
    lab.ok("keys token --shop tokyo --fetch service.jwks -o first.token");
    lab.ok("keys token --shop tokyo --fetch service.jwks -o tokyo.token");
    lab.ok("keys token --shop kyoto --fetch service.jwks -o kyoto.token");
    lab.ok("keys token --shop tokyo --user alice service.jwks -o alice.token");
    let refused = |token: &str| world.keys(token, &json!({})).refusal();
    assert_eq!(refused("first.token"), (403, "bad-token".to_owned()), "another one was made since");
    assert_eq!(refused("alice.token"), (403, "bad-token".to_owned()), "a user is no shop");
    lab.write("junk.token", "e30.e30.AA");
    assert_eq!(refused("junk.token"), (403, "bad-token".to_owned()));
    let head = "POST /v1/shop-keys HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(world.service.send(head, "{}").refusal(), (401, "no-token".to_owned()));
    for junk in [
        json!({ "after": 7 }),
        json!({ "kids": "all" }),
        json!({ "kids": [7] }),
        json!({ "kids": vec!["tokyo/a"; 1001] }),
        json!({ "kids": [], "after": "tokyo/a" }),
        json!([]),
    ] {
        let answer = world.keys("tokyo.token", &junk);
        assert_eq!(answer.refusal(), (400, "request-malformed".to_owned()), "{junk}");
    }

    // A shop has its own keys only, in their order, a thousand at a time.
    let page = world.keys("tokyo.token", &json!({}));
    assert!(page.head.contains("content-type: application/jwk-set+json"), "{}", page.head);
    assert!(page.head.contains("cache-control: no-store") && !page.head.contains("allow-origin"));
    let first = common::key_ids(&page.json());
    let rest = world.keys("tokyo.token", &json!({ "after": first.last().unwrap() })).json();
    assert_eq!((first.len(), common::key_ids(&rest).len()), (1000, 501));
    assert!(rest["orderseal"]["shops"]["tokyo"]["users"].to_string().contains("alice"));
    assert!(first.iter().all(|kid| kid.starts_with("tokyo/")));
    let named = json!({ "kids": [first[7], "tokyo/none", "kyoto", "tokyo/alice", first[3]] });
    let named = common::key_ids(&world.keys("tokyo.token", &named).json());
    assert_eq!(named, [&first[7], "tokyo/alice", &first[3]]);
    let kyoto = common::key_ids(&world.keys("kyoto.token", &json!({})).json());
    assert!(kyoto.len() == 3 && kyoto.iter().all(|kid| kid.starts_with("kyoto/")));

    // A bundle gets all that it lacks, in several answers.
    lab.write("empty.jwks", world.keys("tokyo.token", &json!({ "kids": [first[7]] })).body);
    lab.mode("empty.jwks", 0o600);
    let service = format!("--service http://127.0.0.1:{}", world.service.port);
    let fetch = |token| format!("keys fetch --token-file {token} {service} empty.jwks");
    assert_eq!(lab.ok(&fetch("tokyo.token")).text(), "empty.jwks: 1,500 keys added\n");
    lab.refused(1, &fetch("first.token")).says(&["status 403, bad-token"]);
    lab.refused(4, &fetch("kyoto.token"));
    lab.refused(2, "keys fetch --token-file tokyo.token empty.jwks").says(&["--service URL"]);
    lab.refused(2, "decrypt --bundle empty.jwks --token-file tokyo.token").says(&["--follow"]);
}

#[test]
fn orders_wait_while_the_service_does_not_answer() {
    let mut world = World::new("--embodiment 4 --orders 1", "--on-demand", "");
    world.lab.write("orders.ndjson", orders(3));
    world.lab.ok(&format!("send --page {} orders.ndjson", world.page()));
    world.lab.ok("keys token --fetch service.jwks -o tokyo.token");
    let port = world.service.port;
    world.service.child.kill().unwrap();
    world.service.child.wait().unwrap();
    std::thread::scope(|scope| {
        let (lab, shop) = (&world.lab, world.shop.port);
        scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_secs(2));
            assert_eq!(lab.has("opened.ndjson").then(|| lab.read("opened.ndjson")), Some(vec![]));
            let origin = format!("http://127.0.0.1:{shop}");
            let line = format!("serve service --keys service.jwks --origin {origin} --on-demand");
            let _service = Server::start(lab, &line, port);
            std::thread::sleep(std::time::Duration::from_secs(15));
        });
        let service = format!("--service http://127.0.0.1:{port}");
        world.follow(&service, 3);
    });
    assert_eq!(world.lab.read("opened.ndjson"), orders(3));
}

#[test]
fn orders_wait_until_the_shop_has_a_token_that_counts() {
    let world = World::new("--embodiment 4 --orders 1", "--on-demand", "");
    world.lab.write("orders.ndjson", orders(3));
    world.lab.ok(&format!("send --page {} orders.ndjson", world.page()));
    world.lab.ok("keys token --fetch service.jwks -o tokyo.token");
    world.lab.ok("keys token --fetch service.jwks -o new.token");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(2));
            assert_eq!(world.lab.read("opened.ndjson"), b"");
            world.lab.shell("mv new.token tokyo.token");
        });
        let said = world.follow(&format!("--service http://127.0.0.1:{}", world.service.port), 3);
        let waits = said.lines().next().unwrap();
        assert!(waits.contains(r#""kind":"waiting""#) && waits.contains("bad-token"), "{said}");
    });
    assert_eq!(world.lab.read("opened.ndjson"), orders(3));
}

#[test]
fn a_program_that_is_erased_while_keys_are_fetched_stays_erased() {
    let world = World::new("--embodiment 4 --orders 1", "--on-demand", "");
    let lab = &world.lab;
    world.program(3);
    lab.ok("keys token --fetch service.jwks -o tokyo.token");
    let answers = [json!({}), json!({ "after": "tokyo/last" })].map(|wanted| {
        let page = world.keys("tokyo.token", &wanted).body;
        let mut page: Value = serde_json::from_str(&page).unwrap();
        if wanted != json!({}) {
            page["keys"] = json!([]);
        }
        page.to_string()
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let fetch =
        format!("keys fetch --token-file tokyo.token --service http://127.0.0.1:{port} tokyo.jwks");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for answer in &answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).unwrap();
                lab.run("erase --programs tokyo.jwks", b"");
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json";
                let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
                stream.write_all(text.as_bytes()).unwrap();
            }
        });
        assert_eq!(lab.ok(&fetch).text(), "tokyo.jwks: 3 keys added\n");
    });
    let bundle = lab.json("tokyo.jwks");
    assert_eq!(bundle["orderseal"]["program_erased"], true, "{bundle}");
    assert!(bundle["orderseal"]["program"].is_null());
    // An answer with more than keys is none.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    lab.ok("bundle shop --keyring service.jwks -o whole.jwks");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer = String::from_utf8(lab.read("whole.jwks")).unwrap();
            let head = "HTTP/1.1 200 OK\r\nConnection: close";
            let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            stream.write_all(text.as_bytes()).unwrap();
        });
        let service = format!("--service http://127.0.0.1:{port}");
        let fetch = format!("keys fetch --token-file tokyo.token {service} tokyo.jwks");
        lab.refused(1, &fetch).says(&["with more than listed keys"]);
    });
    lab.refused(2, "keys fetch --token-file tokyo.token --service http://192.0.2.1/ tokyo.jwks")
        .says(&["plain http"]);
}

#[test]
fn a_shop_with_its_own_pairs_gets_none_on_demand() {
    let lab = Lab::new();
    let own = "keygen --embodiment 6 --wrap ECDH-ES+A256KW --shop tokyo --orders 1 -o own.jwks";
    lab.ok(&format!("{own} --public-out public.jwks"));
    lab.ok("keygen --embodiment 4 --shop kyoto --orders 1 -o service.jwks");
    lab.ok("keys import public.jwks --into service.jwks");
    lab.refused(4, "keys token --shop tokyo --fetch service.jwks -o tokyo.token")
        .says(&["made its pairs itself"]);
    let page = "bundle page --shop tokyo --keyring service.jwks -o page.json";
    lab.ok(&format!("{page} --service http://127.0.0.1:9701/"));
    let line = "serve service --keys service.jwks --origin http://127.0.0.1:9702 --on-demand";
    let service = Server::start(&lab, line, free_port());
    let request = lab.ok("request --page page.json --orders 2 -o -").text();
    let head = "POST /v1/programs HTTP/1.1\r\nContent-Type: application/json";
    let answer = service.send(&format!("{head}\r\nOrigin: http://127.0.0.1:9702"), &request);
    assert_eq!(answer.refusal(), (409, "pool-empty".to_owned()));
}

#[test]
fn a_shop_without_a_service_takes_orders_under_its_public_key() {
    let lab = Lab::new();
    lab.ok("keygen --shop tokyo --scope shop --kind public --content hybrid --wrap ECDH-ES+A256KW -o service.jwks");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
    lab.ok("bundle page --keyring service.jwks --with-key -o page.json");
    let line = "serve shop --page page.json --inbox inbox --bundle tokyo.jwks -o opened.ndjson";
    let mut shop = Server::start(&lab, line, free_port());
    lab.write("orders.ndjson", orders(20));
    lab.ok(&format!("send --page http://127.0.0.1:{}/page.json orders.ndjson", shop.port));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !lab.has("opened.ndjson") || lab.read("opened.ndjson").len() < orders(20).len() {
        assert!(std::time::Instant::now() < until, "the orders were not opened");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(lab.read("opened.ndjson"), orders(20));
    // Of a server that is killed, the process that opens ends too, and does not hold its files.
    lab.shell(&format!("kill -9 {}", shop.child.id()));
    shop.child.wait().unwrap();
    let mut shop = Server::start(&lab, line, free_port());
    lab.ok(&format!("send --page http://127.0.0.1:{}/page.json orders.ndjson", shop.port));
    while lab.read("opened.ndjson").len() < 2 * orders(20).len() {
        assert!(std::time::Instant::now() < until, "the orders were not opened");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // Both processes end in order.
    lab.shell(&format!("kill {}", shop.child.id()));
    assert!(shop.child.wait().unwrap().success());
    lab.ok("inspect opened.ndjson.ledger");
}

#[test]
fn static_files_and_addresses_beyond_this_machine() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("public")).unwrap();
    lab.write("public/logo.svg", "<svg/>");
    lab.mode("public/logo.svg", 0o644);
    lab.write("public/keys.jwks", "{}");
    lab.mode("public/keys.jwks", 0o600);
    let world = World::new(TREE, "", &format!("--static {}", lab.path("public").display()));
    assert_eq!(world.shop.get("/static/logo.svg").body, "<svg/>");
    for path in [
        "/static/keys.jwks",
        "/static/../page.json",
        "/static/%2e%2e/page.json",
        "/static/",
        "/static",
    ] {
        assert_eq!(world.shop.get(path).refusal(), (404, "not-found".to_owned()), "{path}");
    }
    assert!(world.shop.get("/").head.contains("content-type: text/html"));
    world
        .lab
        .refused(
            2,
            "serve service --keys service.jwks --listen 0.0.0.0:0 --origin https://a.example",
        )
        .says(&["can be reached from other computers"]);
    world
        .lab
        .refused(1, "serve shop --page page.json --inbox inbox --listen 127.0.0.1:0")
        .says(&["another server has it"]);
}

/// Runs the job with servers in `docs/CI.md`, on ports that are free.
#[test]
fn the_documented_job_with_servers_gives_the_orders_back() {
    const DOC: &str = include_str!("../docs/CI.md");
    let (_, job) = DOC.split_once("## Servers in CI").expect("the document has the job");
    let job = job.split("```").nth(1).expect("the job is a script");
    let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = free.each_ref().map(|socket| socket.local_addr().unwrap().port().to_string());
    drop(free);
    let job = job.replace("8701", &ports[0]).replace("8702", &ports[1]);
    let lab = Lab::new();
    lab.write("orders.ndjson", orders(3));
    // Servers that are left would keep the shell's output open.
    let around = "set -e; trap 'kill $service $shop 2> /dev/null || true' EXIT\n\
                  PATH=$(dirname \"$ORDERSEAL\"):$PATH";
    let run = lab.shell(&format!("{around}\n{job}"));
    assert_eq!(run.code, Some(0), "{job}{}", run.stderr);
    run.says(&["sent 3 orders: 3 kept now"]);
}

#[test]
fn pads_are_handed_out_by_no_server() {
    let pads = "-e 3 --enc VERNAM-HS256 --allow-weak --pad-bytes 200 --orders 4";
    let world = World::new(pads, "--allow-weak", "");
    world.lab.ok("keys token --shop tokyo --fetch service.jwks -o tokyo.token");
    let program = world.ask(&world.request(1), &world.origin(), "");
    let keys = world.keys("tokyo.token", &json!({}));
    for answer in [program, keys] {
        assert_eq!(answer.refusal(), (503, "unavailable".to_owned()));
        assert!(answer.body.contains("keys of this cipher"), "{}", answer.body);
    }
}
