//! Bundles of many listed ids: what is spent is kept in a journal beside them.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use common::{Lab, ORDERSEAL, STRACE, key_ids, not_run, orders};
use serde_json::{Value, json};

/// Ids of the client: enough for a journal, with some more.
const IDS: usize = 1100;

fn lab() -> Lab {
    Lab::with_keys("--embodiment 4", IDS)
}

fn seal(lab: &Lab, count: usize, output: &str) {
    lab.write("some", orders(count));
    lab.ok(&format!("encrypt --bundle client.jwks some -o {output}"));
}

/// The names of the keys of sealed lines, in their order.
fn kids(lab: &Lab, sealed: &str) -> Vec<String> {
    common::kids(&lab.read(sealed))
}

fn counts(lab: &Lab) -> (Value, Value) {
    let shop = &lab.ok("inspect --json client.jwks").json()["shops"]["tokyo"];
    (shop["spent"].clone(), shop["unused"].clone())
}

fn member(lab: &Lab, name: &str) -> Value {
    lab.json("client.jwks")["orderseal"][name].clone()
}

#[test]
fn a_bundle_that_others_can_read_is_refused_with_its_journal_too() {
    let lab = lab();
    seal(&lab, 1, "a.jwe");
    lab.shell("chmod 644 client.jwks");
    lab.write("some", orders(1));
    let refused = lab.refused(4, "encrypt --bundle client.jwks some -o b.jwe");
    refused.says(&["client.jwks", "--allow-readable-keys"]);
    assert_eq!((counts(&lab), lab.has("b.jwe")), ((json!(1), json!(IDS - 1)), false));
    lab.ok("encrypt --allow-readable-keys --bundle client.jwks some -o b.jwe");
}

#[test]
fn what_is_spent_goes_into_the_journal_and_not_into_the_bundle() {
    let lab = lab();
    let ids = key_ids(&lab.json("client.jwks"));
    assert_eq!(member(&lab, "journal"), Value::Null);
    seal(&lab, 3, "a.jwe");
    assert_eq!(lab.names().iter().filter(|name| name.starts_with("client")).count(), 2);
    let marked = lab.read("client.jwks");
    assert_eq!((member(&lab, "version"), member(&lab, "spent")), (json!(3), Value::Null));
    let mut used = kids(&lab, "a.jwe");
    for count in [1, 7, 500] {
        seal(&lab, count, "b.jwe");
        lab.ok("decrypt --bundle tokyo.jwks b.jwe");
        used.extend(kids(&lab, "b.jwe"));
        fs::remove_file(lab.path("b.jwe")).unwrap();
        assert_eq!(lab.read("client.jwks"), marked);
    }
    assert_eq!(used, ids[..511]);
    assert_eq!(counts(&lab), (json!(511), json!(IDS - 511)));
    let journal = lab.ok("inspect --json client.jwks.spent").json();
    assert_eq!((&journal["ids"], &journal["spent"]), (&json!(IDS), &json!(511)));
    assert_eq!(journal["number"], member(&lab, "journal"));

    // One too many: refused before anything is sealed, with the right numbers.
    lab.write("some", orders(IDS - 510));
    lab.refused(4, "encrypt --bundle client.jwks some -o c.jwe")
        .says(&["some: line 590", &format!("{IDS} issued")]);
    seal(&lab, IDS - 511, "c.jwe");
    used.extend(kids(&lab, "c.jwe"));
    assert_eq!(used, ids);
    lab.refused(4, "encrypt --bundle client.jwks some").says(&["all spent"]);
}

#[test]
fn what_was_not_used_is_given_back() {
    let lab = lab();
    seal(&lab, 10, "a.jwe");
    // From a pipe, blocks are reserved.
    lab.ok_with("encrypt --bundle client.jwks -o b.jwe", &orders(30));
    assert_eq!(counts(&lab), (json!(40), json!(IDS - 40)));
    // A run that fails before anything leaves gives all of them back.
    lab.write("bad", [orders(600), vec![b'x'; 2 << 20]].concat());
    lab.refused(3, "encrypt --bundle client.jwks bad -o c.jwe");
    assert_eq!(counts(&lab), (json!(40), json!(IDS - 40)));
    seal(&lab, 5, "d.jwe");
    assert_eq!(kids(&lab, "d.jwe"), key_ids(&lab.json("client.jwks"))[40..45]);
    // One whose reader has seen lines does not.
    let line =
        format!("yes | head -n 900 | {ORDERSEAL} encrypt --bundle client.jwks | head -c 5000");
    lab.shell(&line);
    let (spent, unused) = counts(&lab);
    assert_eq!(spent.as_u64().unwrap() + unused.as_u64().unwrap(), IDS as u64);
    assert!(spent.as_u64().unwrap() > 45, "{spent}");
}

#[test]
fn a_bundle_goes_with_its_own_journal_alone() {
    let lab = lab();
    let fresh = lab.read("client.jwks");
    seal(&lab, 3, "a.jwe");
    let used = lab.read("client.jwks");
    let line = "encrypt --bundle client.jwks some";

    // Moved without it.
    fs::rename(lab.path("client.jwks.spent"), lab.path("kept")).unwrap();
    for line in [line, "inspect client.jwks", "keys export client.jwks"] {
        lab.refused(4, line).says(&[
            "its spent ids are in client.jwks.spent, and no file has this name",
            "hint: a bundle of many ids has its journal beside it",
        ]);
    }
    lab.refused(4, "erase --return-to service.jwks client.jwks");
    lab.refused(4, "erase --keys client.jwks");
    assert_eq!(lab.read("client.jwks"), used);

    // The journal of another bundle.
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 1100 -o other.jwks");
    lab.ok("bundle client --keys other.jwks --orders 1100 -o else.jwks");
    lab.ok("encrypt --bundle else.jwks some -o else.jwe");
    fs::copy(lab.path("else.jwks.spent"), lab.path("client.jwks.spent")).unwrap();
    lab.refused(4, line).says(&["its spent ids are in another journal than client.jwks.spent"]);

    // The copy of the bundle from before its first use.
    fs::rename(lab.path("kept"), lab.path("client.jwks.spent")).unwrap();
    lab.write("client.jwks", &fresh);
    lab.refused(4, line).says(&["an older copy of the bundle was put back"]);
    assert_eq!(lab.read("client.jwks"), fresh);

    // The used bundle put back, its keys in another order, and as it was.
    let mut reversed: Value = serde_json::from_slice(&used).unwrap();
    reversed["keys"].as_array_mut().unwrap().reverse();
    lab.write("client.jwks", reversed.to_string());
    lab.refused(4, line).says(&["its keys are not those of which client.jwks.spent records"]);
    lab.write("client.jwks", &used);
    seal(&lab, 3, "b.jwe");
    assert!(kids(&lab, "a.jwe").iter().all(|kid| !kids(&lab, "b.jwe").contains(kid)));

    // Another layout is read whole, each time.
    let pretty: Value = serde_json::from_slice(&used).unwrap();
    lab.write("client.jwks", serde_json::to_string_pretty(&pretty).unwrap());
    for output in ["c.jwe", "d.jwe"] {
        seal(&lab, 2, output);
    }
    let all: Vec<_> = ["a.jwe", "b.jwe", "c.jwe", "d.jwe"].map(|file| kids(&lab, file)).concat();
    assert_eq!(all, key_ids(&pretty)[..10]);
}

#[test]
fn an_older_copy_beside_the_journal_is_refused_by_every_command() {
    let lab = lab();
    let fresh = lab.read("client.jwks");
    seal(&lab, 3, "a.jwe");
    lab.write("client.jwks", &fresh);
    let ids = key_ids(&lab.json("client.jwks"));
    for line in [
        "encrypt --bundle client.jwks some",
        "erase --return-to service.jwks client.jwks",
        &format!("erase client.jwks --kid {}", ids[500..].join(" ")),
        "erase --keys client.jwks",
        "keys export client.jwks",
    ] {
        lab.refused(4, line).says(&["an older copy of the bundle was put back"]);
    }
    assert_eq!(lab.read("client.jwks"), fresh);
    // A second name of the journal, as backups make them, hides nothing.
    fs::hard_link(lab.path("client.jwks.spent"), lab.path("backup")).unwrap();
    lab.refused(4, "encrypt --bundle client.jwks some");
    lab.ok("erase client.jwks");
}

#[test]
fn a_new_bundle_under_an_old_name_begins_a_journal_of_its_own() {
    let lab = lab();
    seal(&lab, 3, "a.jwe");
    lab.ok("bundle client --keys service.jwks --on-demand --orders 1100 -o client.jwks --force");
    seal(&lab, 3, "b.jwe");
    assert_eq!(counts(&lab), (json!(3), json!(IDS - 3)));
}

#[test]
fn the_journal_is_not_taken_for_an_output() {
    let lab = lab();
    lab.write("some", orders(3));
    let line = "encrypt --bundle client.jwks some -o client.jwks.spent --force";
    lab.refused(2, line).says(&["client.jwks.spent: is both input and output"]);
    seal(&lab, 3, "a.jwe");
    lab.refused(2, line);
    assert_eq!(counts(&lab), (json!(3), json!(IDS - 3)));
}

#[test]
fn a_beginning_that_failed_with_spent_ids_can_be_repeated() {
    if !*STRACE {
        not_run("a failing rename", "strace does not work here");
        return;
    }
    let lab = lab();
    seal(&lab, 20, "a.jwe");
    let first = key_ids(&lab.json("client.jwks"))[30].clone();
    lab.ok(&format!("erase client.jwks --kid {first}"));
    lab.write("some", orders(5));
    for calls in ["renameat2:error=EIO:when=1", "fsync:error=ENOSPC:when=3"] {
        let failed = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={calls}"), ORDERSEAL])
            .args("encrypt --bundle client.jwks some -o b.jwe".split_whitespace())
            .current_dir(lab.dir())
            .output()
            .unwrap();
        assert_eq!(failed.status.code(), Some(1), "{calls}");
        assert_eq!(counts(&lab), (json!(20), json!(IDS - 21)));
    }
    // Even if the bundle changes before it begins again.
    let last = key_ids(&lab.json("client.jwks"))[0].clone();
    lab.ok(&format!("erase client.jwks --kid {last}"));
    seal(&lab, 5, "b.jwe");
    assert!(kids(&lab, "a.jwe").iter().all(|kid| !kids(&lab, "b.jwe").contains(kid)));
}

#[test]
fn ids_that_another_program_enters_as_spent_are_spent() {
    let lab = lab();
    seal(&lab, 3, "a.jwe");
    let mut bundle = lab.json("client.jwks");
    let ids = key_ids(&bundle);
    let names: Vec<&str> = ids[3..8].iter().map(|kid| kid.split_once('/').unwrap().1).collect();
    bundle["orderseal"]["shops"]["tokyo"]["spent"] = json!(names);
    lab.write("client.jwks", bundle.to_string());
    seal(&lab, 2, "b.jwe");
    assert_eq!(kids(&lab, "b.jwe"), ids[8..10]);
}

#[test]
fn a_bundle_from_a_pipe_lacks_its_journal() {
    let lab = lab();
    seal(&lab, 1, "a.jwe");
    let bundle = lab.read("client.jwks");
    for line in ["inspect -", "keys export -"] {
        let run = lab.run(line, &bundle);
        assert_eq!(run.code, Some(4), "{}", run.stderr);
        run.says(&["in a journal beside the file that it comes from"]);
    }
}

#[test]
fn a_change_of_the_bundle_takes_the_spent_ids_along() {
    let lab = lab();
    seal(&lab, 20, "a.jwe");
    let ids = key_ids(&lab.json("client.jwks"));
    let first = ids[30].clone();
    lab.ok(&format!("erase client.jwks --kid {first}"));
    assert!(!lab.has("client.jwks.spent"));
    assert_eq!(member(&lab, "journal"), Value::Null);
    assert!(member(&lab, "absorbed").is_string());
    assert_eq!(counts(&lab), (json!(20), json!(IDS - 21)));
    // It begins another journal, with the ids that were spent under the first.
    seal(&lab, 20, "b.jwe");
    assert_eq!((member(&lab, "absorbed"), member(&lab, "spent")), (Value::Null, Value::Null));
    assert_eq!(kids(&lab, "b.jwe"), [&ids[20..30], &ids[31..41]].concat());
    assert_eq!(counts(&lab), (json!(40), json!(IDS - 41)));
    // Too few keys are left for a journal.
    lab.ok(&format!("erase client.jwks --kid {}", ids[1000..].join(" ")));
    seal(&lab, 20, "c.jwe");
    assert!(!lab.has("client.jwks.spent"));
    assert_eq!(kids(&lab, "c.jwe"), ids[41..61]);
    assert_eq!(counts(&lab), (json!(60), json!(1000 - 61)));
}

#[test]
fn erasing_takes_the_journal_and_returns_what_it_leaves() {
    let lab = lab();
    seal(&lab, 100, "a.jwe");
    let report = lab.ok("erase --json --return-to service.jwks client.jwks").json();
    assert_eq!(report["returned"]["ids"], IDS - 100);
    assert!(!lab.has("client.jwks") && !lab.has("client.jwks.spent"));
    // The same ids again, in a new bundle of the same name.
    lab.ok("bundle client --keys service.jwks --orders 1000 -o client.jwks");
    seal(&lab, 100, "b.jwe");
    assert!(kids(&lab, "a.jwe").iter().all(|kid| !kids(&lab, "b.jwe").contains(kid)));
    lab.ok("erase client.jwks");
    assert!(!lab.has("client.jwks.spent"));
    // One that a killed process left behind goes as well.
    lab.ok("bundle client --keys service.jwks --on-demand --orders 1100 -o client.jwks");
    seal(&lab, 1, "c.jwe");
    fs::remove_file(lab.path("client.jwks")).unwrap();
    lab.ok("erase client.jwks");
    assert!(!lab.has("client.jwks.spent"));
    lab.refused(1, "erase client.jwks");
}

#[test]
fn other_bundles_have_none() {
    let lab = Lab::with_keys("--embodiment 4", 1023);
    seal(&lab, 1, "a.jwe");
    assert!(!lab.has("client.jwks.spent"));
    lab.ok(
        "bundle client --keys service.jwks --on-demand --orders 1100 --erase keys -o erases.jwks",
    );
    lab.ok("encrypt --bundle erases.jwks some -o b.jwe");
    assert!(!lab.has("erases.jwks.spent"));
    // A file of another program is left alone.
    lab.ok("bundle client --keys service.jwks --on-demand --orders 1100 -o many.jwks");
    fs::create_dir(lab.path("many.jwks.spent")).unwrap();
    lab.ok("encrypt --bundle many.jwks some -o b1.jwe");
    fs::remove_dir(lab.path("many.jwks.spent")).unwrap();
    lab.write("many.jwks.spent", "expenses");
    lab.ok("encrypt --bundle many.jwks some -o c.jwe");
    assert_eq!(lab.read("many.jwks.spent"), b"expenses");
    let bundle = lab.json("many.jwks");
    assert_eq!(bundle["orderseal"]["shops"]["tokyo"]["spent"].as_array().unwrap().len(), 2);
    let long = format!("{}.jwks", "n".repeat(246));
    lab.ok(&format!("bundle client --keys service.jwks --on-demand --orders 1100 -o {long}"));
    lab.ok(&format!("encrypt --bundle {long} some -o d.jwe"));
    lab.ok(&format!("erase {long}"));
}

#[test]
fn keys_that_are_not_random_are_noticed_each_time() {
    let lab = Lab::new();
    lab.write("seed", [7; 16]);
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 1100 --rng lfsr --trinomial 127,63 \
        --seed-file seed -o service.jwks --allow-weak");
    lab.ok("bundle client --keys service.jwks --orders 1100 -o client.jwks --allow-weak");
    lab.write("some", orders(1));
    lab.ok("encrypt --bundle client.jwks some -o a.jwe --allow-weak");
    lab.refused(4, "encrypt --bundle client.jwks some -o b.jwe").says(&["--allow-weak"]);
}

#[test]
fn pads_of_many_transactions_have_a_journal_as_well() {
    let lab = Lab::new();
    lab.ok("keygen -e 3 --enc VERNAM-HS256 --pad-bytes 300 --shop tokyo --orders 1100 -o service.jwks --allow-weak");
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks --allow-weak");
    lab.ok("bundle client --keys service.jwks --orders 1100 -o client.jwks --allow-weak");
    lab.write("some", "one\ntwo\n");
    let mut used = BTreeSet::new();
    for output in ["a.jwe", "b.jwe"] {
        lab.ok(&format!("encrypt --bundle client.jwks some -o {output} --allow-weak"));
        let check = lab.ok(&format!("decrypt --check --bundle tokyo.jwks {output} --allow-weak"));
        used.extend(check.text().lines().map(str::to_owned));
    }
    assert!(lab.has("client.jwks.spent"));
    assert_eq!(used.len(), 4);
}

#[test]
fn a_damaged_journal_is_an_error_and_a_torn_one_is_not() {
    let lab = lab();
    seal(&lab, 3, "a.jwe");
    seal(&lab, 3, "b.jwe");
    let sound = lab.read("client.jwks.spent");
    let mut damaged = sound.clone();
    damaged[200] ^= 1;
    lab.write("client.jwks.spent", &damaged);
    lab.refused(3, "encrypt --bundle client.jwks some -o c.jwe")
        .says(&["client.jwks.spent: the journal is damaged (record at byte "]);
    lab.refused(3, "inspect client.jwks");
    lab.write("client.jwks.spent", [&sound[..], &[1; 20]].concat());
    assert_eq!(counts(&lab), (json!(6), json!(IDS - 6)));
    seal(&lab, 3, "c.jwe");
    let all = ["a.jwe", "b.jwe", "c.jwe"].map(|file| kids(&lab, file)).concat();
    assert_eq!(all, key_ids(&lab.json("client.jwks"))[..9]);
    // It can be erased whatever its journal is.
    lab.write("client.jwks.spent", &damaged);
    lab.ok("erase client.jwks");
    assert!(!lab.has("client.jwks.spent"));
}

#[test]
fn processes_that_share_a_bundle_share_its_journal() {
    let lab = lab();
    lab.write("some", orders(7));
    for round in 0..3 {
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let output = format!("{round}-{client}.jwe");
                let mut command = Command::new(ORDERSEAL);
                command.args(["encrypt", "--bundle", "client.jwks", "-o", &output]);
                let input = match client % 2 {
                    0 => Stdio::from(fs::File::open(lab.path("some")).unwrap()),
                    _ => {
                        command.arg("some");
                        Stdio::null()
                    }
                };
                command.current_dir(lab.dir()).stdin(input).spawn().unwrap()
            })
            .collect();
        for mut client in clients {
            assert!(client.wait().unwrap().success());
        }
    }
    let used: Vec<_> = (0..3)
        .flat_map(|round| (0..8).map(move |client| format!("{round}-{client}.jwe")))
        .flat_map(|sealed| kids(&lab, &sealed))
        .collect();
    assert_eq!(used.len(), 3 * 8 * 7);
    assert_eq!(used.iter().collect::<BTreeSet<_>>().len(), used.len());
    assert_eq!(counts(&lab), (json!(168), json!(IDS - 168)));
}

/// Runs the command and kills it at each call of `calls`, one after the other, until a run ends by
/// itself; calls `check` after each.
fn killed_at_each(lab: &Lab, calls: &str, line: &str, check: impl Fn(usize)) {
    for nth in 1..200 {
        let ended = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null"])
            .arg(format!("--inject={calls}:signal=KILL:when={nth}"))
            .arg(ORDERSEAL)
            .args(line.split_whitespace())
            .current_dir(lab.dir())
            .output()
            .unwrap();
        check(nth);
        if ended.status.success() {
            return;
        }
    }
    panic!("{line} was killed 200 times");
}

#[test]
fn a_killed_run_repeats_no_id_and_spoils_nothing() {
    if !*STRACE {
        not_run("killing at each call", "strace does not work here");
        return;
    }
    for calls in ["fsync,fdatasync", "renameat2,linkat,unlink", "pwrite64,ftruncate"] {
        let lab = lab();
        let used = std::cell::RefCell::new(Vec::new());
        lab.write("one", orders(1));
        killed_at_each(&lab, calls, "encrypt --bundle client.jwks one -o killed.jwe", |nth| {
            for output in ["killed.jwe", "sound.jwe"] {
                if output == "sound.jwe" {
                    lab.ok("encrypt --bundle client.jwks one -o sound.jwe");
                }
                if lab.has(output) {
                    used.borrow_mut().extend(kids(&lab, output));
                    fs::remove_file(lab.path(output)).unwrap();
                }
            }
            let names = lab.names();
            let left: Vec<_> = names.iter().filter(|name| name.starts_with('.')).collect();
            assert!(left.is_empty(), "{calls} {nth}: {left:?}");
        });
        let used = used.into_inner();
        assert_eq!(used.iter().collect::<BTreeSet<_>>().len(), used.len(), "{calls}");
        let (spent, unused) = counts(&lab);
        assert_eq!(spent.as_u64().unwrap() + unused.as_u64().unwrap(), IDS as u64);
        assert!(spent.as_u64().unwrap() >= used.len() as u64);
    }
}

#[test]
fn what_is_reserved_is_synced_before_an_order_leaves() {
    if !*STRACE {
        not_run("the order of syncs", "strace does not work here");
        return;
    }
    let lab = lab();
    seal(&lab, 3, "a.jwe");
    let ran = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-y",
            "-e",
            "trace=pwrite64,fdatasync,linkat",
            "-o",
            "calls",
            ORDERSEAL,
        ])
        .args("encrypt --bundle client.jwks some -o b.jwe".split_whitespace())
        .current_dir(lab.dir())
        .status()
        .unwrap();
    assert!(ran.success());
    let calls = String::from_utf8(lab.read("calls")).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    let nth = |from: usize, call: &str, name: &str| {
        let found =
            calls[from..].iter().position(|line| line.contains(call) && line.contains(name));
        from + found.unwrap_or_else(|| panic!("no {call} of {name} in {:?}", &calls[from..]))
    };
    let written = nth(0, "pwrite64(", "client.jwks.spent>");
    let synced = nth(written + 1, "fdatasync(", "client.jwks.spent>");
    nth(synced + 1, "linkat(", "b.jwe");
}
