//! Several processes that seal with one client's file.

mod common;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Lab, ORDERSEAL, Run, base64url_decode, kids, lines, orders};

/// Runs `encrypt` so many times at once, each with `orders`, by a file or by a pipe.
fn at_once(lab: &Lab, runs: usize, orders: &[u8], by_pipe: bool, options: &str) -> Vec<Run> {
    lab.write("some.ndjson", orders);
    let line = format!("encrypt --bundle client.jwks {options}");
    thread::scope(|scope| {
        let runs: Vec<_> = (0..runs)
            .map(|_| {
                scope.spawn(|| match by_pipe {
                    true => lab.run(&line, orders),
                    false => lab.run(&format!("{line} some.ndjson"), b""),
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("a run")).collect()
    })
}

fn unused(lab: &Lab) -> u64 {
    let report = lab.ok("inspect --json client.jwks").json();
    report["shops"]["tokyo"]["unused"].as_u64().expect("a count")
}

#[test]
fn jobs_share_a_pool_to_its_last_id() {
    for (jobs, each) in [(5, 10), (20, 3)] {
        for by_pipe in [false, true] {
            let lab = Lab::with_keys("--embodiment 4", jobs * each);
            let runs = at_once(&lab, jobs, &orders(each), by_pipe, "");
            for run in &runs {
                assert_eq!(run.code, Some(0), "{jobs} jobs, pipe {by_pipe}: {}", run.stderr);
            }
            let ids: Vec<_> = runs.iter().flat_map(|run| kids(&run.stdout)).collect();
            assert_eq!(ids.len(), jobs * each);
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "no id twice");
            assert_eq!(unused(&lab), 0);
            lab.refused_with(4, "encrypt --bundle client.jwks", b"one more\n");
            assert!(lab.names().iter().all(|name| !name.starts_with('.')), "{:?}", lab.names());
        }
    }
}

#[test]
fn jobs_share_a_pad_to_its_last_byte() {
    let (jobs, each) = (8, 1000);
    let lab = Lab::new();
    let weak = "--allow-weak";
    lab.ok(&format!(
        "keygen --embodiment 1 --enc VERNAM-HS256 --pad-bytes {} --shop tokyo {weak} -o service.jwks",
        jobs * each
    ));
    lab.ok(&format!(
        "bundle client --keys service.jwks --pad-bytes {} {weak} -o client.jwks",
        jobs * each
    ));
    for by_pipe in [true, false] {
        std::fs::copy(lab.path("client.jwks"), lab.path("kept.jwks")).unwrap();
        let order = [vec![b'x'; each - 10], b"\n012345678\n\n".to_vec()].concat();
        let runs = at_once(&lab, jobs, &order, by_pipe, weak);
        let mut pieces = Vec::new();
        for run in &runs {
            assert_eq!(run.code, Some(0), "pipe {by_pipe}: {}", run.stderr);
            for line in lines(&run.stdout) {
                let text = std::str::from_utf8(line).unwrap();
                let part = |at: usize| base64url_decode(text.split('.').nth(at).unwrap());
                let from = u64::from_be_bytes(part(2).try_into().unwrap());
                pieces.push((from, from + part(3).len() as u64));
            }
        }
        pieces.sort_unstable();
        assert!(pieces.windows(2).all(|pair| pair[0].1 <= pair[1].0), "no byte twice: {pieces:?}");
        let used: u64 = pieces.iter().map(|(from, to)| to - from).sum();
        assert_eq!(used, (jobs * (each - 1)) as u64);
        std::fs::rename(lab.path("kept.jwks"), lab.path("client.jwks")).unwrap();
    }
}

/// A run of `encrypt` that has sealed one order and waits for more.
fn waiting_run(lab: &Lab) -> Child {
    let mut run = Command::new(ORDERSEAL)
        .args(["encrypt", "--bundle", "client.jwks"])
        .current_dir(lab.dir())
        .stdin(Stdio::piped())
        .stdout(File::create(lab.path("waiting.jwe")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    run.stdin.as_mut().unwrap().write_all(b"first\n").unwrap();
    while lab.read("waiting.jwe").is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    run
}

#[test]
fn what_a_living_process_holds_is_waited_for() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    let mut run = waiting_run(&lab);
    // It has used one id. The pool is too small for four more, until it gives up.
    let started = Instant::now();
    let refused = lab.refused_with(4, "encrypt --bundle client.jwks", b"a\nb\nc\n");
    refused.says(&["stdin: line 3", "no unused transaction id"]);
    let waited = started.elapsed();
    assert!((8..25).contains(&waited.as_secs()), "{waited:?}");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"a\nb\n").stdout;
    assert_eq!(lines(&sealed).count(), 2);
    drop(run.stdin.take());
    assert!(run.wait().unwrap().success());
    assert_eq!(unused(&lab), 0);
}

#[test]
fn what_a_dead_process_held_stays_spent_and_is_not_waited_for() {
    let lab = Lab::with_keys("--embodiment 4", 130);
    let mut run = waiting_run(&lab);
    run.kill().unwrap();
    run.wait().unwrap();
    let left = unused(&lab);
    assert!((100..130).contains(&left), "{left}");
    let started = Instant::now();
    let too_many = vec![b'\n'; left as usize + 1];
    lab.refused_with(4, "encrypt --bundle client.jwks", &too_many);
    assert!(started.elapsed() < Duration::from_secs(5));
    let sealed = lab.ok_with("encrypt --bundle client.jwks", &too_many[1..]).stdout;
    assert_eq!(lines(&sealed).count() as u64, left);
    let ids = [kids(&lab.read("waiting.jwe")), kids(&sealed)].concat();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "no id twice");
    assert!(lab.names().iter().all(|name| !name.starts_with('.')), "{:?}", lab.names());
}

#[test]
fn what_was_reserved_does_not_come_back_to_another_file() {
    let lab = Lab::new();
    let weak = "--allow-weak";
    for (enc, member) in [("VERNAM-HS256", "pad_bytes_left"), ("A256GCM", "orders_left")] {
        lab.ok(&format!(
            "keygen --embodiment 1 --enc {enc} --shop tokyo {weak} -o service.jwks --force"
        ));
        lab.ok(&format!("bundle client --keys service.jwks {weak} -o client.jwks --force"));
        lab.ok(&format!(
            "keygen --embodiment 1 --enc {enc} --shop tokyo {weak} -o service.jwks --force"
        ));
        lab.ok(&format!("bundle client --keys service.jwks {weak} -o new.jwks --force"));
        let left = |name: &str| {
            lab.ok(&format!("inspect --json {name}")).json()["shops"]["tokyo"][member].clone()
        };
        let before = left("new.jwks");
        let mut run = Command::new(ORDERSEAL)
            .args(["encrypt", "--bundle", "client.jwks", weak])
            .current_dir(lab.dir())
            .stdin(Stdio::piped())
            .stdout(File::create(lab.path("out")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut input = run.stdin.take().unwrap();
        input.write_all(b"first\n").unwrap();
        while lab.read("out").is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        std::fs::rename(lab.path("new.jwks"), lab.path("client.jwks")).unwrap();
        drop(input);
        assert!(!run.wait().unwrap().success(), "what could not be given back is said");
        assert_eq!(left("client.jwks"), before, "{enc}");
    }
}

#[test]
fn the_last_process_erases_what_others_still_needed() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 60 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 60 -o client.jwks");
    let mut run = waiting_run(&lab);
    let other = lab.ok_with("encrypt --bundle client.jwks", b"a\nb\n");
    other.says(&["the last process that uses the file erases the rest"]);
    let file = lab.json("client.jwks");
    let held = common::key_ids(&file);
    assert!(kids(&other.stdout).iter().all(|kid| !held.contains(kid)), "its own keys are gone");
    assert_eq!(held.len(), 58);
    drop(run.stdin.take());
    assert!(run.wait().unwrap().success());
    assert_eq!(lab.names(), ["service.jwks", "waiting.jwe"]);

    // Also where the last process fails or is killed.
    for killed in [false, true] {
        lab.ok("bundle client --keys service.jwks --on-demand --shop-out half.jwks --erase --orders 60 -o client.jwks --force");
        let mut run = waiting_run(&lab);
        lab.ok_with("encrypt --bundle client.jwks", b"a\nb\n");
        match killed {
            true => {
                run.kill().unwrap();
                run.wait().unwrap();
                lab.refused(4, "inspect client.jwks").says(&["was erased now"]);
            }
            false => {
                let mut input = run.stdin.take().unwrap();
                input.write_all(&vec![b'x'; 2 << 20]).ok();
                drop(input);
                assert_eq!(run.wait().unwrap().code(), Some(3));
            }
        }
        assert_eq!(lab.names(), ["half.jwks", "service.jwks", "waiting.jwe"], "killed {killed}");
    }
}
