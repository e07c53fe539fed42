//! `send` against a server that answers as shop and service do, and otherwise.

#![allow(clippy::disallowed_methods, reason = "a test may panic where there is no thread")]

mod common;
mod stub;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Lab, ORDERSEAL, lines, orders};
use orderseal::protocol::jose::ticket::{KeyUse, Ticket};
use orderseal::protocol::model::Kid;
use stub::{Made, Reply, World, problem, status};

const EACH: &str = "-e 4";

#[test]
fn orders_arrive_in_their_order_with_their_tickets() {
    let world = World::new(EACH, 250, |_, _| None);
    let page = world.page();
    let run = world.lab.ok(&format!("send --page {page} --orders-per-request 120 orders.ndjson"));
    assert_eq!(run.stderr, "sent 250 orders: 250 kept now, 0 known from before\n");
    assert_eq!(world.opened(), orders(250));
    assert!(!world.lab.has("orders.ndjson.unsent"));

    let programs = world.seen("/v1/programs");
    let asked: Vec<u64> = programs.iter().map(|seen| seen.request().orders).collect();
    assert_eq!(asked, [120, 120, 10]);
    for seen in &programs {
        assert_eq!(seen.field("origin"), Some(world.origin()));
        assert_eq!(seen.field("content-type"), Some("application/json"));
        assert_eq!(seen.field("authorization"), None);
        assert_eq!(seen.request().page, world.page_hash());
    }
    let posts = world.seen("/v1/orders");
    let counts: Vec<usize> = posts.iter().map(|seen| seen.lines().len()).collect();
    assert_eq!(counts, [100, 20, 100, 20, 10]);
    for seen in &posts {
        assert_eq!(seen.field("content-type"), Some("text/plain"));
        let token = seen.field("authorization").unwrap().strip_prefix("Bearer ").unwrap();
        let ticket = Ticket::verify(token, &world.key()).unwrap();
        for kid in common::kids(&seen.body) {
            assert_eq!(ticket.allows(&Kid::new(&kid).unwrap()), Some(KeyUse::Once), "{kid}");
        }
    }
}

#[test]
fn a_cut_connection_is_followed_by_the_same_bytes() {
    let world = World::new(EACH, 130, |seen, number| match (seen.path.as_str(), number) {
        ("/page.json" | "/v1/programs", 0) => Some(Reply::Cut),
        ("/v1/orders", 0) => Some(Reply::KeepAndCut),
        ("/v1/orders", 2) => Some(Reply::Cut),
        _ => None,
    });
    let run = world.lab.ok(&format!("send --json --page {} orders.ndjson", world.page()));
    assert_eq!(run.json(), serde_json::json!({ "kept": 30, "known": 100 }));
    assert_eq!(world.opened(), orders(130));
    let posts = world.seen("/v1/orders");
    assert_eq!(posts.len(), 4);
    for (one, again) in [(0, 1), (2, 3)] {
        assert_eq!(posts[one].body, posts[again].body);
        assert_eq!(posts[one].field("authorization"), posts[again].field("authorization"));
    }
    let programs = world.seen("/v1/programs");
    assert_eq!(programs[0].body, programs[1].body);
}

#[test]
fn answers_for_now_are_waited_out() {
    for code in [408, 425, 429, 500, 502, 503] {
        let world = World::new(EACH, 2, move |_, number| {
            (number == 0).then(|| status(code).with("retry-after", "0"))
        });
        let run = world.lab.ok(&format!("send --json --page {} orders.ndjson", world.page()));
        assert_eq!(run.json()["kept"], 2, "{code}");
        assert_eq!(world.seen("/v1/orders").len(), 2, "{code}");
    }
    // A server that asks for more time than there is.
    let world = World::new(EACH, 2, |_, _| Some(problem(429, "too-many").with("retry-after", "9")));
    let line = format!("send --page {} --retry-for 8 orders.ndjson", world.page());
    world.lab.refused(1, &line).says(&["page.json: refused: status 429, too-many"]);
    assert_eq!(world.seen("/page.json").len(), 1);
}

#[test]
fn a_refused_order_ends_the_run_and_nothing_is_sealed_twice() {
    let world = World::new(EACH, 350, |seen, number| {
        (seen.path == "/v1/orders" && number == 2).then(|| {
            problem(409, "id-used").body(
                r#"{"title":"no","status":409,"code":"id-used","detail":"another order has this id.","line":7}"#,
            )
        })
    });
    let page = world.page();
    let send = format!("send --page {page} --orders-per-request 200");
    let run = world.lab.refused(1, &format!("{send} orders.ndjson"));
    run.says(&[
        "orderseal: error: orders.ndjson: line 207: ",
        "/v1/orders: refused: status 409, id-used: another order has this id\n",
        "hint: the shop has kept 200 orders now and had 0 before\n",
        "hint: 150 sealed orders without an answer in orders.ndjson.unsent",
    ]);
    assert!(!run.stderr.contains("--from-line"), "the last order is sealed: {}", run.stderr);
    assert_eq!(mode(&world.lab, "orders.ndjson.unsent"), 0o600);
    let unsent = world.lab.read("orders.ndjson.unsent");
    assert_eq!(lines(&unsent).count(), 150);
    let first = std::str::from_utf8(lines(&unsent).next().unwrap()).unwrap().to_owned();
    let refused = &world.seen("/v1/orders")[2];
    assert_eq!(
        Some(first.split_once(' ').unwrap()),
        refused.field("authorization").map(|it| (&it[7..], refused.lines()[0]))
    );

    // The file is not overwritten by the next run, which asks nobody.
    let before = world.count();
    world.lab.refused(1, &format!("{send} --unsent missing/file orders.ndjson"));
    world.lab.refused(2, &format!("{send} --unsent - orders.ndjson"));
    world.lab.refused(2, &format!("{send} orders.ndjson")).says(&[
        "orders.ndjson.unsent: already exists",
        "--resend orders.ndjson.unsent",
        "--unsent",
    ]);
    assert_eq!(world.count(), before);

    let again = world.lab.ok(&format!("send --page {page} --resend orders.ndjson.unsent"));
    assert_eq!(again.stderr, "sent 150 orders: 150 kept now, 0 known from before\n");
    assert_eq!(world.opened(), orders(350));
    assert!(!world.lab.has("orders.ndjson.unsent"));
    let counts: Vec<usize> =
        world.seen("/v1/orders")[3..].iter().map(|seen| seen.lines().len()).collect();
    assert!(counts.iter().all(|count| *count <= 100) && counts.iter().sum::<usize>() == 150);
}

#[test]
fn a_run_goes_on_at_the_line_that_it_names() {
    let world = World::new(EACH, 350, |seen, number| {
        (seen.path == "/v1/orders" && number == 1).then(|| status(503))
    });
    let send =
        format!("send --json --page {} --retry-for 0 --orders-per-request 150", world.page());
    let run = world.run(&format!("{send} orders.ndjson"));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["\"kind\":\"refused\"", "\"line\":101", "--from-line 151 goes on there"]);
    let report = run.json();
    assert_eq!(
        report,
        serde_json::json!({ "kept": 100, "known": 0, "unsent": 50,
            "unsent_file": "orders.ndjson.unsent", "from_line": 151 })
    );
    world.lab.ok(&format!("{send} --resend orders.ndjson.unsent"));
    world.lab.ok(&format!("{send} --from-line 151 orders.ndjson"));
    assert_eq!(world.opened(), orders(350));
}

#[test]
fn without_any_answer_everything_stays_in_the_file() {
    let world = World::new(EACH, 8, |seen, number| match seen.path.as_str() {
        "/v1/orders" if number < 2 => Some(Reply::KeepAndCut),
        _ => None,
    });
    let send = format!("send --page {} --unsent kept.txt --retry-for 0", world.page());
    let run = world.lab.run(&send, &orders(8));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["stdin: line 1: ", "/v1/orders: no answer: ", "8 sealed orders", "in kept.txt;"]);
    let resend = format!("send --page {} --resend kept.txt", world.page());
    // A second failure leaves the file as it is.
    let before = world.lab.read("kept.txt");
    world.lab.refused(1, &format!("{resend} --retry-for 0")).says(&["kept.txt: line 1: "]);
    assert_eq!(world.lab.read("kept.txt"), before);
    let run = world.lab.ok(&resend);
    assert_eq!(run.stderr, "sent 8 orders: 0 kept now, 8 known from before\n");
    assert_eq!(world.opened(), orders(8));
    assert!(!world.lab.has("kept.txt"));
}

#[test]
fn orders_come_from_stdin_and_none_are_fine() {
    let world = World::new(EACH, 8, |_, _| None);
    let send = format!("send --page {}", world.page());
    let run = world.lab.ok_with(&send, b"");
    assert_eq!(run.stderr, "sent 0 orders: 0 kept now, 0 known from before\n");
    assert_eq!(world.seen("/v1/programs").len(), 0);
    world.lab.ok_with(&send, &orders(8));
    assert_eq!(world.opened(), orders(8));
    world.lab.ok_with(&format!("{send} -"), b"tea");
    assert_eq!(lines(&world.opened()).last(), Some(&b"tea"[..]));
    assert!(!world.lab.has("orders.unsent") && !world.lab.has("-.unsent"));
    world.lab.write("orders.unsent", "");
    world.lab.refused_with(2, &send, b"tea\n").says(&["orders.unsent: already exists"]);
}

#[test]
fn what_is_not_lines_or_too_long_is_not_sealed() {
    let world = World::new(EACH, 2, |_, _| None);
    let send = format!("send --page {}", world.page());
    world
        .lab
        .refused_with(3, &send, b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\0")
        .says(&["expected orders"]);
    let long = [b"tea\n".to_vec(), vec![b'x'; (1 << 20) + 1]].concat();
    world.lab.refused_with(3, &send, &long).says(&["stdin: line 2: order longer than 1048576"]);
    assert!(world.lab.names().iter().all(|name| !name.ends_with(".unsent")));
}

#[test]
fn programs_that_are_not_authentic_seal_nothing() {
    for (made, told) in [
        (Made::OtherKey, "the signature does not verify"),
        (Made::OtherRequest, "it answers another request"),
        (Made::OtherShop, "it is for shop kyoto"),
        (Made::Text, "not a signed token"),
    ] {
        let world = World::making(EACH, 2, made, |_, _| None);
        let run = world.lab.refused(5, &format!("send --page {} orders.ndjson", world.page()));
        run.says(&["/v1/programs: the program is refused: ", told]);
        assert_eq!(world.seen("/v1/orders").len(), 0, "{told}");
        assert!(!world.lab.has("orders.ndjson.unsent"), "{told}");
    }
    let world = World::making(EACH, 200, Made::TooFew, |_, _| None);
    let run = world.lab.refused(1, &format!("send --page {} orders.ndjson", world.page()));
    run.says(&["the program has 199 keys for 200 orders"]);
    assert_eq!(world.seen("/v1/orders").len(), 0);
}

#[test]
fn a_page_must_say_where_programs_come_from() {
    let world = World::new(EACH, 2, |_, _| None);
    for (member, told) in [("service", "no member \"service\""), ("service_key", "service_key")] {
        world.change_page(|page| drop(page["orderseal"].as_object_mut().unwrap().remove(member)));
        let run = world.lab.refused(3, &format!("send --page {} orders.ndjson", world.page()));
        run.says(&["/page.json: ", told]);
        world.change_page(|page| *page = serde_json::from_slice(&world.whole_page()).unwrap());
    }
    assert_eq!(world.count(), 2);
}

#[test]
fn a_program_in_the_page_needs_no_service() {
    let world = World::new(
        "--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW",
        250,
        |_, _| None,
    );
    world.embed_program();
    world.lab.ok(&format!("send --page {} orders.ndjson", world.page()));
    assert_eq!(world.opened(), orders(250));
    assert_eq!(world.seen("/v1/programs").len(), 0);
    let posts = world.seen("/v1/orders");
    let counts: Vec<usize> = posts.iter().map(|seen| seen.lines().len()).collect();
    assert_eq!(counts, [100, 100, 50]);
    assert!(posts.iter().all(|seen| seen.field("authorization").is_none()));

    // Lines without ticket are kept and sent again without.
    let world = World::new(
        "--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW",
        3,
        |seen, number| (seen.path == "/v1/orders" && number == 0).then(|| status(503)),
    );
    world.embed_program();
    let send = format!("send --page {} --retry-for 0", world.page());
    world.lab.refused(1, &format!("{send} orders.ndjson"));
    let unsent = world.lab.read("orders.ndjson.unsent");
    assert!(lines(&unsent).all(|line| line.starts_with(b"- ey")));
    world.lab.ok(&format!("{send} --resend orders.ndjson.unsent"));
    assert_eq!(world.opened(), orders(3));
}

#[test]
fn a_users_key_is_requested_once_with_the_token() {
    let world = World::making(EACH, 250, Made::User, |_, _| None);
    world.lab.write("alice.token", "e30.e30.AAAA\n");
    let send = format!("send --page {} --user alice", world.page());
    world.lab.refused(2, &format!("{send} orders.ndjson")).says(&["--token-file"]);
    let send = format!("{send} --token-file alice.token --orders-per-request 100");
    world.lab.ok(&format!("{send} orders.ndjson"));
    assert_eq!(world.opened(), orders(250));
    let programs = world.seen("/v1/programs");
    assert_eq!(programs.len(), 1);
    assert_eq!(programs[0].field("authorization"), Some("Bearer e30.e30.AAAA"));
    assert_eq!(programs[0].request().user.unwrap().as_str(), "alice");
    let posts = world.seen("/v1/orders");
    assert_eq!(posts.len(), 3);
    assert!(posts.iter().all(|seen| !seen.field("authorization").unwrap().contains("AAAA\n")));
    let ticket = &posts[0].field("authorization").unwrap()[7..];
    assert!(Ticket::verify(ticket, &world.key()).is_ok());
    world.lab.mode("alice.token", 0o644);
    world.lab.refused(4, &format!("{send} orders.ndjson"));

    // Only the service can say whether a token counts.
    world.lab.mode("alice.token", 0o600);
    world.lab.write("alice.token", "e30.eyJleHBpcmVzIjoiMjAwMS0wMS0wMVQwMDowMDowMFoifQ.AAAA\n");
    let run = world.lab.ok(&format!("{send} orders.ndjson"));
    run.says(&["alice.token: the token expired at 2001-01-01T00:00:00Z"]);
}

#[test]
fn weak_algorithms_must_be_allowed() {
    let world = World::new("-e 4 --enc DES-EDE3-CBC-HS256 --allow-weak", 3, |_, _| None);
    let send = format!("send --page {} orders.ndjson", world.page());
    world.lab.refused(4, &send).says(&["--allow-weak"]);
    assert_eq!(world.seen("/v1/orders").len(), 0);
    world.lab.ok(&format!("{send} --allow-weak"));
    assert_eq!(world.seen("/v1/orders").len(), 1);
}

#[test]
fn redirects_stay_within_the_origin_of_the_page() {
    let world = World::new(EACH, 2, |seen, _| match seen.path.as_str() {
        "/moved" => Some(status(302).with("location", "/page.json")),
        "/there" => Some(status(308).with("location", "http://localhost:1/page.json")),
        "/below" => Some(status(302).with("location", "//localhost:1/page.json")),
        "/round" => Some(status(302).with("location", "/round")),
        _ => None,
    });
    let at = |path: &str| format!("send --page {}{path} orders.ndjson", world.origin());
    world.lab.ok(&at("/moved?x=1#y"));
    assert_eq!(world.opened(), orders(2));
    for path in ["/there", "/below"] {
        let run = world.lab.refused(1, &at(path));
        run.says(&["redirects to ", "localhost:1/page.json, which is not followed"]);
    }
    world.lab.refused(1, &at("/round")).says(&["redirects to "]);
    assert!(world.seen("/round").len() < 9);

    let world = World::new(EACH, 2, |seen, _| {
        (seen.path == "/v1/orders").then(|| status(307).with("location", "/v1/orders"))
    });
    let run = world.lab.refused(1, &format!("send --page {} orders.ndjson", world.page()));
    run.says(&["orders.ndjson: line 1: ", "redirects to /v1/orders"]);
    assert!(world.lab.has("orders.ndjson.unsent"));
    let world = World::new(EACH, 2, |seen, _| {
        (seen.path == "/v1/programs").then(|| status(307).with("location", "/v1/programs"))
    });
    world.lab.refused(1, &format!("send --page {} orders.ndjson", world.page()));
    assert_eq!(world.seen("/v1/programs").len(), 1);
}

#[test]
fn answers_that_are_too_long_or_of_another_kind_are_refused() {
    for (path, told, code) in [
        ("/page.json", "the answer has more than 16777216 bytes", 1),
        ("/v1/programs", "the answer has more than 67108864 bytes", 1),
        ("/v1/orders", "the answer has more than 65536 bytes", 1),
    ] {
        let world =
            World::new(EACH, 2, move |seen, _| (seen.path == path).then_some(Reply::Endless));
        let run = world.lab.refused(code, &format!("send --page {} orders.ndjson", world.page()));
        run.says(&[path, told]);
        assert_eq!(world.seen(path).len(), 1);
        assert_eq!(world.lab.has("orders.ndjson.unsent"), path == "/v1/orders");
    }
    for body in
        ["", "{}", "[]", r#"{"kept":1,"known":0}"#, r#"{"kept":2,"known":18446744073709551615}"#]
    {
        let world = World::new(EACH, 2, move |seen, _| {
            (seen.path == "/v1/orders").then(|| status(201).body(body))
        });
        let run = world.lab.refused(1, &format!("send --page {} orders.ndjson", world.page()));
        run.says(&["found an answer of status 201, expected how many"]);
        assert!(world.lab.has("orders.ndjson.unsent"), "{body}");
    }
    let world = World::new(EACH, 2, |_, _| Some(status(200).body("<html>")));
    world
        .lab
        .refused(3, &format!("send --page {} orders.ndjson", world.page()))
        .says(&["page.json: "]);
    let world = World::new(EACH, 2, |_, _| {
        Some(problem(404, "\u{1b}[2Jx").body("{\"code\":\"\\u001b[2J\",\"detail\":\"a\\nb\"}"))
    });
    let run = world.lab.refused(1, &format!("send --page {} orders.ndjson", world.page()));
    run.says(&["status 404, \\u{1b}[2J: a\\nb"]);
}

#[test]
fn plain_http_stays_on_this_computer() {
    let world = World::new(EACH, 2, |_, _| None);
    for page in ["http://192.0.2.1/page.json", "http://shop.example/"] {
        let run = world.lab.refused(2, &format!("send --page {page} orders.ndjson"));
        run.says(&[page, "plain http", "--allow-http"]);
    }
    world.change_page(|page| page["orderseal"]["service"] = "http://192.0.2.1/".into());
    let run = world.lab.refused(2, &format!("send --page {} orders.ndjson", world.page()));
    run.says(&["http://192.0.2.1/v1/programs: plain http"]);
    let nobody = "send --retry-for 0 --page http://127.0.0.1:1/page.json orders.ndjson";
    world.lab.refused(1, nobody).says(&["http://127.0.0.1:1/page.json: no answer: "]);
    for page in ["shop.example", "ftp://a/", "https://u:p@a/"] {
        world.lab.refused(2, &format!("send --page {page} orders.ndjson"));
    }
}

#[test]
fn https_trusts_the_authorities_that_are_named() {
    let world = World::secure(EACH, 3);
    let send = format!("send --page {} --retry-for 0 orders.ndjson", world.page());
    let run = world.lab.refused(1, &send);
    run.says(&["/page.json: cannot be reached: ", "certificate"]);
    world.lab.write("authority.pem", include_bytes!("tls/authority.pem"));
    world.lab.ok(&format!("{send} --ca authority.pem"));
    assert_eq!(world.opened(), orders(3));
    assert!(
        world.seen("/v1/programs")[0].field("origin").unwrap().starts_with("https://localhost:")
    );
    for text in ["", "tea", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        world.lab.write("wrong.pem", text);
        world.lab.refused(3, &format!("{send} --ca wrong.pem")).says(&["wrong.pem: "]);
    }
}

#[test]
fn a_signal_leaves_what_has_no_answer() {
    for (signal, code) in [("INT", Some(130)), ("KILL", None)] {
        let world = World::new(EACH, 250, |seen, number| {
            (seen.path == "/v1/orders" && number == 1)
                .then(|| status(503).with("retry-after", "50"))
        });
        let child = Command::new(ORDERSEAL)
            .current_dir(world.lab.dir())
            .args(["send", "--json", "--orders-per-request", "150", "--page", &world.page()])
            .arg("orders.ndjson")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        while world.seen("/v1/orders").len() < 2 {
            sleep(Duration::from_millis(5));
        }
        sleep(Duration::from_millis(100));
        world.lab.shell(&format!("kill -{signal} {}", child.id()));
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), code, "{signal}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let unsent = lines(&world.lab.read("orders.ndjson.unsent")).count();
        match code {
            Some(_) => {
                assert!(
                    text.contains("\"kind\":\"stopped\"") && text.contains("--from-line 151"),
                    "{text}"
                );
                assert_eq!(unsent, 50);
            }
            // Those that the shop has are there as well.
            None => assert_eq!(unsent, 150),
        }
        let page = world.page();
        let run = world.lab.ok(&format!("send --json --page {page} --resend orders.ndjson.unsent"));
        assert_eq!(run.json()["kept"], 50, "{signal}");
        world.lab.ok(&format!("send --page {page} --from-line 151 orders.ndjson"));
        assert_eq!(world.opened(), orders(250), "{signal}");
    }
}

#[test]
fn a_file_of_unsent_orders_is_checked_line_by_line() {
    let world = World::new(EACH, 2, |_, _| None);
    let resend = format!("send --page {} --resend", world.page());
    for (text, told) in [
        ("tea\n", "wrong.txt: line 1: expected a ticket or -"),
        ("- a.b.c.d.e\n\n", "wrong.txt: line 2: expected a ticket or -"),
    ] {
        world.lab.write("wrong.txt", text);
        world.lab.refused(3, &format!("{resend} wrong.txt")).says(&[told]);
        assert!(world.lab.has("wrong.txt"));
    }
    assert_eq!(world.seen("/v1/orders").len(), 0);
    world.lab.refused(1, &format!("{resend} missing.txt"));
    world.lab.shell("ln -s wrong.txt link.txt");
    world.lab.refused(2, &format!("{resend} link.txt"));
    world.lab.refused(2, &format!("{resend} wrong.txt orders.ndjson"));
}

#[test]
fn the_examples_run_as_printed() {
    let world = World::making(EACH, 8, Made::User, |_, _| None);
    world.lab.write("alice.token", "e30.e30.AAAA");
    let help = world.lab.ok("send --help").text();
    let (_, examples) = help.split_once("\nExamples:\n").expect("there are examples");
    assert!(examples.lines().all(|line| line.len() <= 80), "{examples}");
    let examples = examples.split("\n  orderseal ").map(|text| text.replace("\\\n", ""));
    let examples: Vec<String> = examples.collect();
    assert_eq!(examples.len(), 5);
    for example in &examples {
        if example.contains("--resend") {
            world.lab.write("orders.ndjson.unsent", "- a.b.c.d.e\n");
        }
        let line = example.trim().trim_start_matches("orderseal ");
        let line = line.replace("http://127.0.0.1:8702/page.json", &world.page());
        let run = world.lab.shell(&format!("$ORDERSEAL {line}"));
        assert_eq!(run.code, Some(0), "{line}: {}", run.stderr);
        assert!(!world.lab.has("orders.ndjson.unsent"), "{line}");
    }
    assert_eq!(world.seen("/v1/orders").iter().map(|seen| seen.lines().len()).sum::<usize>(), 25);
}

fn mode(lab: &Lab, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    lab.path(name).metadata().unwrap().permissions().mode() & 0o777
}
