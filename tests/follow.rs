//! `decrypt --follow`: orders are opened as they come into an inbox, once each, whatever is in it and
//! whenever the program is killed.

mod common;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Lab, ORDERSEAL, lines};
use serde_json::Value;

const FOLLOW: &str = "decrypt --bundle tokyo.jwks --follow inbox -o opened.ndjson";
const FIRST: &str = "00000001-20261128.jwe";
const SECOND: &str = "00000002-20261129.jwe";
const THIRD: &str = "00000003-20261129.jwe";

/// A running follower. It is killed if the test ends before it.
struct Follower<'l> {
    lab: &'l Lab,
    child: Child,
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl<'l> Follower<'l> {
    /// Starts it with more options.
    fn start(lab: &'l Lab, options: &str) -> Self {
        let child = Command::new(ORDERSEAL)
            .current_dir(lab.dir())
            .args(FOLLOW.split_whitespace())
            .args(options.split_whitespace())
            .stdin(Stdio::null())
            .stdout(File::create(lab.path("stdout")).unwrap())
            .stderr(File::create(lab.path("stderr")).unwrap())
            .spawn()
            .expect("the program starts");
        Self { lab, child }
    }

    /// Waits until something holds.
    #[track_caller]
    fn until(&mut self, what: &str, holds: impl Fn(&Lab) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !holds(self.lab) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{what}: it ended, {status}: {}", self.errors());
            }
            assert!(Instant::now() < end, "{what} did not come: {}", self.errors());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until so many orders are in the output.
    #[track_caller]
    fn until_opened(&mut self, count: usize) {
        self.until(&format!("order {count}"), |lab| opened(lab).len() >= count);
    }

    fn errors(&self) -> String {
        String::from_utf8(self.lab.read("stderr")).unwrap()
    }

    /// Ends it with a signal; returns its messages.
    #[track_caller]
    fn stop(mut self, signal: &str) -> String {
        let number = if signal == "INT" { 2 } else { 15 };
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(128 + number), "{}", self.errors());
        self.errors()
    }

    /// Waits until it ends by itself; returns its exit code and messages.
    fn end(mut self) -> (Option<i32>, String) {
        (self.child.wait().unwrap().code(), self.errors())
    }
}

fn opened(lab: &Lab) -> Vec<String> {
    let text = fs::read(lab.path("opened.ndjson")).unwrap_or_default();
    lines(&text).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

fn add(lab: &Lab, file: &str, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(lab.path("inbox")).unwrap();
    let path = lab.path("inbox").join(file);
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(bytes.as_ref()).unwrap();
}

fn seal(lab: &Lab, orders: &str) -> Vec<u8> {
    lab.ok_with("encrypt --bundle client.jwks", orders.as_bytes()).stdout
}

/// The reports on stderr: kind, file and line of each.
fn reports(messages: &str) -> Vec<(String, String, u64)> {
    let found = messages.lines().filter(|line| line.starts_with('{'));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    found
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|report| report["error"].is_null())
        .map(|it| (text(&it["kind"]), text(&it["file"]), it["line"].as_u64().unwrap_or_default()))
        .collect()
}

fn report(kind: &str, file: &str, line: u64) -> (String, String, u64) {
    (kind.to_owned(), format!("inbox/{file}"), line)
}

#[test]
fn orders_are_opened_as_they_come_and_following_goes_on_where_it_ended() {
    for options in ["-e 4", "-e 4 --pool derived", "-e 2", "-e 6 --rsa-bits 2048"] {
        let lab = Lab::with_keys(options, 12);
        // The inbox is not there yet.
        let mut follower = Follower::start(&lab, "");
        follower.until("the output", |lab| lab.has("opened.ndjson"));
        add(&lab, FIRST, seal(&lab, "one\ntwo\n"));
        follower.until_opened(2);
        let line = seal(&lab, "three\n");
        let (half, rest) = line.split_at(20);
        add(&lab, FIRST, half);
        thread::sleep(Duration::from_millis(500));
        assert_eq!(opened(&lab), ["one", "two"]);
        add(&lab, FIRST, rest);
        follower.until_opened(3);
        add(&lab, SECOND, seal(&lab, "four\n"));
        follower.until_opened(4);
        assert_eq!(follower.stop("TERM"), "orderseal: error: stopped by a signal\n");
        assert_eq!(fs::metadata(lab.path("opened.ndjson")).unwrap().mode() & 0o777, 0o600);

        // What was read whole may go.
        fs::remove_file(lab.path("inbox").join(FIRST)).unwrap();
        add(&lab, SECOND, [b"\n".to_vec(), seal(&lab, "five\n")].concat());
        let mut follower = Follower::start(&lab, "--json");
        follower.until_opened(5);
        let messages = follower.stop("INT");
        assert_eq!(reports(&messages), []);
        assert_eq!(opened(&lab), ["one", "two", "three", "four", "five"], "{options}");
        let found: Value = lab.json("stdout");
        assert_eq!((&found["orders"], &found["failed"]), (&1.into(), &0.into()));
        let ledger = lab.ok("inspect --json opened.ndjson.ledger").json();
        assert_eq!((&ledger["done"], &ledger["opening"]), (&5.into(), &0.into()));
    }
}

#[test]
fn a_hostile_inbox_stops_nothing_and_uses_no_id_up() {
    let lab = Lab::with_keys("-e 4", 12);
    lab.ok("keygen -e 4 --shop osaka --orders 2 -o other.jwks");
    lab.ok("bundle client --keys other.jwks --orders 2 -o osaka.jwks");
    let foreign = lab.ok_with("encrypt --bundle osaka.jwks", b"foreign\n").stdout;
    fs::copy(lab.path("client.jwks"), lab.path("copy.jwks")).unwrap();
    let sealed = seal(&lab, "one\ntwo\nthree\nfour\n");
    let genuine: Vec<&[u8]> = sealed.split_inclusive(|&byte| byte == b'\n').collect();
    let other = lab.ok_with("encrypt --bundle copy.jwks", b"in place of one\n").stdout;
    let mut altered = genuine[0].to_vec();
    let at = altered.iter().rposition(|&byte| byte == b'.').unwrap() - 3;
    altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
    let junk = [
        &b"\n\r\n"[..],
        b"\xff\xfe\x00junk\n",
        b"a.b.c.d.e\n",
        &altered,
        &vec![b'x'; 3 << 20],
        b"\n",
        &foreign,
        b"{}\n",
        genuine[0],
        &other,
        genuine[0],
        genuine[1],
        genuine[2].split_at(30).0,
    ]
    .concat();
    let inbox = lab.path("inbox");
    add(&lab, FIRST, &junk);
    for stranger in ["README", "zzz.jwe", ".00000009-20261128.jwe.Xa3k", "00000009-20261128.jwe~"] {
        add(&lab, stranger, &foreign);
    }
    symlink(lab.path("client.jwks"), inbox.join("00000007-20261128.jwe")).unwrap();
    fs::create_dir(inbox.join("00000008-20261128.jwe")).unwrap();
    lab.shell("mkfifo inbox/00000009-20261128.jwe");
    let mut follower = Follower::start(&lab, "");
    follower.until_opened(2);
    // The last line of the first file never ends; neither does the only one of the second.
    add(&lab, SECOND, vec![b'y'; 9 << 20]);
    add(&lab, THIRD, [&vec![b'z'; 9 << 20], &b"\n"[..], genuine[2], genuine[3]].concat());
    follower.until_opened(4);
    let messages = follower.stop("TERM");
    assert_eq!(opened(&lab), ["one", "two", "three", "four"]);
    let expected = [
        report("malformed", FIRST, 3),
        report("malformed", FIRST, 4),
        report("authentication", FIRST, 5),
        report("inbox", FIRST, 6),
        report("key", FIRST, 7),
        report("malformed", FIRST, 8),
        report("used", FIRST, 10),
        report("repeat", FIRST, 11),
        report("inbox", FIRST, 13),
        report("inbox", SECOND, 1),
        report("inbox", THIRD, 1),
    ];
    assert_eq!(reports(&messages), expected, "{messages}");
    assert!(
        messages.contains(&format!("inbox/{FIRST}: line 6: the line is longer than 2097152 bytes"))
    );
    assert!(messages.contains("has no line feed"), "{messages}");
}

#[test]
fn files_that_change_are_read_again_and_those_that_go_are_passed_over() {
    let lab = Lab::with_keys("-e 4", 12);
    let sealed = seal(&lab, "one\ntwo\nthree\nfour\nfive\nsix\n");
    let line: Vec<&[u8]> = sealed.split_inclusive(|&byte| byte == b'\n').collect();
    add(&lab, FIRST, line[..2].concat());
    let mut follower = Follower::start(&lab, "");
    follower.until_opened(2);
    // The last line was never acknowledged, and the power went: another one has its place.
    let path = lab.path("inbox").join(FIRST);
    // At once: what is read while it is written could be anything.
    let replace = |content: &[u8]| {
        lab.write("new", content);
        fs::rename(lab.path("new"), &path).unwrap();
    };
    replace(&[line[0], line[2], line[3]].concat());
    follower.until_opened(4);
    replace(line[0]);
    follower.until("a message", |lab| lab.read("stderr").split(|&byte| byte == b'\n').count() == 3);
    add(&lab, FIRST, line[4]);
    follower.until_opened(5);
    fs::rename(&path, lab.path("gone")).unwrap();
    thread::sleep(Duration::from_millis(300));
    add(&lab, SECOND, line[5]);
    follower.until_opened(6);
    let messages = follower.stop("TERM");
    assert_eq!(opened(&lab), ["one", "two", "three", "four", "five", "six"]);
    let found = [report("inbox", FIRST, 0), report("inbox", FIRST, 0), report("inbox", FIRST, 0)];
    assert_eq!(reports(&messages), found, "{messages}");
    for words in ["reading it again from its beginning", "the file went away before"] {
        assert!(messages.contains(words), "{messages}");
    }
    // What was missed opens by hand, and nothing twice.
    let run = lab.run(
        &format!("decrypt --bundle tokyo.jwks --ledger opened.ndjson.ledger --on-error skip gone inbox/{SECOND}"),
        b"",
    );
    assert_eq!((run.code, &run.stdout[..]), (Some(6), &b""[..]));
}

#[test]
fn keys_that_come_later_open_what_comes_after_them() {
    let lab = Lab::with_keys("-e 4", 2);
    let mut follower = Follower::start(&lab, "--report skipped.ndjson");
    add(&lab, FIRST, seal(&lab, "one\n"));
    follower.until_opened(1);
    lab.ok("bundle client --keys service.jwks --shop tokyo --orders 2 --on-demand --shop-out half.jwks -o more.jwks");
    let more = lab.ok_with("encrypt --bundle more.jwks", b"early\nlate\n").stdout;
    let more: Vec<&[u8]> = more.split_inclusive(|&byte| byte == b'\n').collect();
    add(&lab, FIRST, more[0]);
    follower.until("a report", |lab| !lab.read("skipped.ndjson").is_empty());
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    add(&lab, FIRST, more[1]);
    follower.until_opened(2);
    follower.stop("TERM");
    assert_eq!(opened(&lab), ["one", "late"]);
    let report = String::from_utf8(lab.read("skipped.ndjson")).unwrap();
    assert_eq!(reports(&report), [("key".to_owned(), format!("inbox/{FIRST}"), 2)]);
    // An order whose key came too late.
    let late = format!(
        "decrypt --bundle tokyo.jwks --ledger opened.ndjson.ledger --on-error skip inbox/{FIRST}"
    );
    assert_eq!(lab.run(&late, b"").stdout, b"early\n");
}

#[test]
fn another_output_goes_on_and_one_with_something_else_in_it_is_refused() {
    let lab = Lab::with_keys("-e 4", 12);
    fs::copy(lab.path("tokyo.jwks"), lab.path("copy.jwks")).unwrap();
    add(&lab, FIRST, seal(&lab, "one\n"));
    let mut follower = Follower::start(&lab, "");
    follower.until_opened(1);
    let other = "decrypt --bundle copy.jwks --ledger new.ledger --follow inbox -o opened.ndjson";
    lab.refused(1, other).says(&["opened.ndjson: cannot lock: another process is writing to it"]);
    follower.stop("TERM");

    // Moved away: following goes on in a new one.
    fs::rename(lab.path("opened.ndjson"), lab.path("monday.ndjson")).unwrap();
    add(&lab, FIRST, seal(&lab, "two\n"));
    let mut follower = Follower::start(&lab, "");
    follower.until_opened(1);
    follower.stop("TERM");
    assert_eq!(
        (opened(&lab), lab.read("monday.ndjson")),
        (vec!["two".to_owned()], b"one\n".to_vec())
    );

    // A copy of the same length is as good; anything else is not.
    lab.shell("cp -p opened.ndjson copy && mv copy opened.ndjson");
    let mut follower = Follower::start(&lab, "");
    add(&lab, FIRST, seal(&lab, "three\n"));
    follower.until_opened(2);
    follower.stop("TERM");
    for other in [&b"two\n"[..], b"two\nthree\nmore\n"] {
        lab.write("opened.ndjson", other);
        let (code, messages) = Follower::start(&lab, "").end();
        assert_eq!((code, lab.read("opened.ndjson")), (Some(2), other.to_vec()), "{messages}");
        assert!(messages.contains("where the ledger records 10"), "{messages}");
    }
    lab.write("opened.ndjson", "two\nthree\n");
    lab.mode("opened.ndjson", 0o640);
    let (code, messages) = Follower::start(&lab, "").end();
    assert_eq!(code, Some(2), "{messages}");
    assert!(messages.contains("group or others can read it (mode 0640)"), "{messages}");
    fs::remove_file(lab.path("opened.ndjson")).unwrap();
    symlink(lab.path("monday.ndjson"), lab.path("opened.ndjson")).unwrap();
    let (code, messages) = Follower::start(&lab, "").end();
    assert_eq!(code, Some(2), "{messages}");
    assert!(messages.contains("is a symbolic link"), "{messages}");
}

#[test]
fn options_that_contradict_following_are_refused() {
    let lab = Lab::with_keys("-e 4", 2);
    lab.write("sealed.jwe", seal(&lab, "one\n"));
    let follow = "decrypt --bundle tokyo.jwks --follow inbox";
    lab.refused(2, follow).says(&["--output"]);
    lab.refused(2, &format!("{follow} -o -")).says(&["name it with -o"]);
    lab.ok("keygen --alg A256KW -o kek.jwk");
    lab.refused(2, "decrypt --key kek.jwk --follow inbox -o opened.ndjson").says(&["--bundle"]);
    for option in [
        "--check",
        "--document",
        "--on-error skip",
        "--once",
        "--erase",
        "--force",
        "--ids --json",
        "--verify-with tokyo.jwks",
        "--expired refuse",
        "sealed.jwe",
    ] {
        let run = lab.refused(2, &format!("{FOLLOW} {option}"));
        let name = option.split(' ').next().unwrap().replace("sealed.jwe", "[FILE]");
        assert!(run.stderr.contains(&name) || option.starts_with("--expired"), "{}", run.stderr);
    }
    lab.refused(1, "decrypt --bundle tokyo.jwks --follow no/inbox -o opened.ndjson")
        .says(&["no/inbox"]);
    // A bundle that has a ledger is used with that one.
    let mut with_ledger = "decrypt --bundle tokyo.jwks --ledger tokyo.ledger sealed.jwe -o once";
    lab.ok(with_ledger);
    lab.refused(4, FOLLOW).says(&["none was given", "--ledger"]);
    with_ledger = "--ledger tokyo.ledger";
    add(&lab, FIRST, [lab.read("sealed.jwe"), seal(&lab, "two\n")].concat());
    let mut follower = Follower::start(&lab, with_ledger);
    follower.until_opened(1);
    let messages = follower.stop("TERM");
    assert_eq!(
        (opened(&lab), reports(&messages)),
        (vec!["two".to_owned()], vec![report("repeat", FIRST, 1)])
    );
}

/// Kills followers while orders come, and compares what was opened with what was sealed.
#[test]
fn nothing_is_lost_and_nothing_is_twice_whenever_it_is_killed() {
    let count = 12_000;
    let lab = Lab::new();
    lab.ok(&format!("keygen -e 4 --pool derived --shop tokyo --orders {count} -o service.jwks"));
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks");
    lab.ok(&format!("bundle client --keys service.jwks --orders {count} -o client.jwks"));
    let orders: Vec<String> = (0..count).map(|number| format!("order {number}")).collect();
    let sealed = seal(&lab, &(orders.join("\n") + "\n"));
    let sealed: Vec<&[u8]> = sealed.split_inclusive(|&byte| byte == b'\n').collect();
    // A fixed sequence of moments and sizes.
    let mut state = 0x2811_2026_u64;
    let mut random = move |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let moments: Vec<u64> = (0..40).map(|_| random(90)).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (number, lines) in sealed.chunks(150).enumerate() {
                let bytes = lines.concat();
                // Not whole lines: the next write ends the last one.
                let (first, second) = bytes.split_at(bytes.len() - 40);
                let file = format!("{:08}-20261128.jwe", number / 20 + 1);
                add(&lab, &file, first);
                thread::sleep(Duration::from_millis(20));
                add(&lab, &file, second);
                thread::sleep(Duration::from_millis(20));
            }
        });
        for moment in moments {
            let mut follower = Follower::start(&lab, "--quiet");
            thread::sleep(Duration::from_millis(moment));
            follower.child.kill().unwrap();
            follower.child.wait().unwrap();
            assert_eq!(follower.errors(), "");
        }
    });
    let mut follower = Follower::start(&lab, "--quiet");
    follower.until_opened(count);
    follower.stop("TERM");
    assert!(opened(&lab) == orders, "{} orders of {count}", opened(&lab).len());
    let ledger = lab.ok("inspect --json opened.ndjson.ledger").json();
    assert_eq!(ledger["done"], count);
}
