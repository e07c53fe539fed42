//! Full disks, closed pipes, failing system calls and kills at any moment: what was there before stays,
//! and what was spent stays spent.
//!
//! System calls are made to fail, or to kill the program, by strace's fault injection. Where strace is
//! missing or may not trace, the program is killed at many moments instead; each test prints which.

mod common;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use common::{
    FIXTURE, Lab, ORDERSEAL, STRACE, base64url_decode, key_ids, kids, lines, not_run, orders, print,
};

/// The system calls that change files; a name that this machine does not have is marked with `?`.
/// One at a time: strace counts each call by itself.
const CALLS: [&str; 15] = [
    "write",
    "pwrite64",
    "writev",
    "?rename",
    "?renameat",
    "renameat2",
    "fsync",
    "fdatasync",
    "openat",
    "?unlink",
    "unlinkat",
    "linkat",
    "flock",
    "ftruncate",
    "fallocate",
];

/// Runs a command line once for every system call at which `fault` can strike, or kills it at many
/// moments. `prepare` puts the folder in order before each run, `check` looks at it afterwards.
fn interrupt(
    lab: &Lab,
    line: &str,
    fault: &str,
    mut prepare: impl FnMut(),
    mut check: impl FnMut(ExitStatus),
) {
    let run = |mut command: Command| {
        let input = File::open(lab.path("orders.ndjson")).expect("orders");
        let output =
            File::options().append(true).create(true).open(lab.path("stdout")).expect("output");
        command.current_dir(lab.dir()).stdin(input).stdout(output).stderr(Stdio::null());
        command.spawn().expect("the program starts")
    };
    let mut count = 0;
    if *STRACE {
        for calls in CALLS {
            for when in 1.. {
                prepare();
                let mut command = Command::new("strace");
                let (trace, inject) =
                    (format!("trace={calls}"), format!("inject={calls}:{fault}:when={when}"));
                command.args(["-f", "-qq", "-o", "strace.log", "-e", &trace, "-e", &inject]);
                command.arg(ORDERSEAL).args(line.split_whitespace());
                let status = run(command).wait().expect("it ends");
                check(status);
                let log = String::from_utf8_lossy(&lab.read("strace.log")).into_owned();
                if !log.contains("INJECTED") && !log.contains("killed by SIGKILL") {
                    break; // there are fewer such calls than that
                }
                assert!(when < 1000, "{line}: {calls} without end");
                count += 1;
            }
        }
        print(&format!("{line}: {count} runs with {fault} at system calls (strace)"));
    } else if fault == KILL {
        for moment in 0..60 {
            prepare();
            let mut command = Command::new(ORDERSEAL);
            command.args(line.split_whitespace());
            let mut child = run(command);
            thread::sleep(Duration::from_micros(moment * 250));
            child.kill().expect("our own child");
            check(child.wait().expect("it ends"));
            count += 1;
        }
        print(&format!("{line}: {count} kills at moments 0 to 15 ms (no strace)"));
    } else {
        not_run(&format!("{line} with {fault}"), "it needs strace");
    }
}

const KILL: &str = "signal=KILL";

#[test]
fn a_keyring_change_happens_or_not_whenever_it_is_killed() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 -o original");
    lab.write("orders.ndjson", "");
    let old = key_ids(&lab.json("original"));
    let prepare = || {
        fs::copy(lab.path("original"), lab.path("service.jwks")).expect("a copy");
    };
    let check = |status: ExitStatus| {
        let keys = key_ids(&lab.json("service.jwks"));
        assert!(keys.starts_with(&old) || old.iter().all(|kid| keys.contains(kid)), "{keys:?}");
        assert!([3, 8].contains(&keys.len()), "the old keys or all of the new: {keys:?}");
        assert!(!status.success() || keys.len() == 8);
    };
    interrupt(
        &lab,
        "keygen --embodiment 4 --shop osaka --orders 5 --into service.jwks",
        KILL,
        prepare,
        check,
    );
    // What a killed run left lying around is in nobody's way.
    prepare();
    lab.ok("keygen --embodiment 4 --shop osaka --orders 5 --into service.jwks");
    assert_eq!(key_ids(&lab.json("service.jwks")).len(), 8);
}

#[test]
fn a_failing_system_call_leaves_the_keyring_as_it_was() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 -o original");
    lab.write("orders.ndjson", "");
    let prepare = || {
        fs::copy(lab.path("original"), lab.path("service.jwks")).expect("a copy");
    };
    let check = |status: ExitStatus| {
        let keys = key_ids(&lab.json("service.jwks"));
        assert!([3, 8].contains(&keys.len()), "{keys:?}");
        assert!(!status.success() || keys.len() == 8);
        assert!(status.code().is_some(), "no panic, no signal: {status}");
        assert_ne!(status.code(), Some(101), "no panic");
    };
    for fault in ["error=ENOSPC", "error=EIO"] {
        interrupt(
            &lab,
            "keygen --embodiment 4 --shop osaka --orders 5 --into service.jwks",
            fault,
            prepare,
            check,
        );
    }
}

#[test]
fn a_failing_system_call_leaves_no_new_file() {
    let lab = Lab::new();
    lab.write("orders.ndjson", "");
    let prepare = || drop(fs::remove_file(lab.path("cek.jwk")));
    let check = |status: ExitStatus| assert_eq!(lab.has("cek.jwk"), status.success(), "{status}");
    interrupt(&lab, "keygen --alg A256GCM -o cek.jwk", "error=EIO", prepare, check);
}

#[test]
fn a_file_that_keeps_its_name_is_erased_all_the_same() {
    if !*STRACE {
        return not_run("erase where names cannot be changed", "it needs strace");
    }
    let lab = Lab::with_keys("--embodiment 4", 2);
    let run = lab.shell(
        "calls=?rename,?renameat,renameat2,?unlink,unlinkat
         strace -f -qq -o strace.log -e trace=$calls -e inject=$calls:error=EACCES $ORDERSEAL erase client.jwks",
    );
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["client.jwks: overwritten and emptied, but not removed"]);
    assert_eq!(lab.read("client.jwks"), b"", "nothing of the key is left under its name");
}

#[test]
fn ids_are_issued_once_whenever_the_service_is_killed() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 2000 -o service.jwks");
    lab.write("orders.ndjson", "");
    let mut issued = BTreeSet::new();
    let prepare = || drop(fs::remove_file(lab.path("client.jwks")));
    let check = |_| {
        if lab.has("client.jwks") {
            for id in key_ids(&lab.json("client.jwks")) {
                assert!(issued.insert(id.clone()), "{id} was issued twice");
            }
        }
    };
    interrupt(
        &lab,
        "bundle client --keys service.jwks --orders 2 -o client.jwks",
        KILL,
        prepare,
        check,
    );
    assert!(!issued.is_empty());
}

#[test]
fn ids_are_spent_once_whenever_sealing_is_killed() {
    let count = 600;
    let lab = Lab::with_keys("--embodiment 4", count + 50);
    lab.write("orders.ndjson", FIXTURE);
    fs::copy(lab.path("client.jwks"), lab.path("original")).expect("a copy");
    let prepare = || {
        fs::copy(lab.path("original"), lab.path("client.jwks")).expect("a copy");
        drop(fs::remove_file(lab.path("stdout")));
    };
    let check = |_| {
        // What left before the kill has spent its ids: the next run uses others.
        let first = lab.read("stdout");
        let whole = first.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let next = lab.run("encrypt --bundle client.jwks", b"one\ntwo\n");
        assert!(matches!(next.code, Some(0 | 4)), "{}", next.stderr);
        let ids = [kids(&first[..whole]), kids(&next.stdout)].concat();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id was used twice");
    };
    interrupt(&lab, "encrypt --bundle client.jwks", KILL, prepare, check);
}

#[test]
fn a_pad_serves_once_whenever_sealing_is_killed() {
    let lab = Lab::new();
    let weak = "--allow-weak";
    lab.ok(&format!(
        "keygen --embodiment 1 --enc VERNAM-HS256 --pad-bytes 800000 --shop tokyo {weak} -o service.jwks"
    ));
    lab.ok(&format!("bundle client --keys service.jwks --pad-bytes 700000 {weak} -o original"));
    lab.write("orders.ndjson", FIXTURE);
    let pieces = |sealed: &[u8]| -> Vec<(u64, u64)> {
        let text = std::str::from_utf8(sealed).expect("sealed lines are text");
        let piece = |line: &str| {
            let part = |number| base64url_decode(line.split('.').nth(number).expect("five parts"));
            let from = u64::from_be_bytes(part(2).try_into().expect("an offset of 8 bytes"));
            (from, from + part(3).len() as u64)
        };
        text.lines().map(piece).collect()
    };
    let prepare = || {
        fs::copy(lab.path("original"), lab.path("client.jwks")).expect("a copy");
        drop(fs::remove_file(lab.path("stdout")));
    };
    let check = |_| {
        // What left before the kill has used its piece of pad: the next run uses another.
        let first = lab.read("stdout");
        let whole = first.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let next = lab.run(&format!("encrypt --bundle client.jwks {weak}"), b"one\ntwo\n");
        assert!(matches!(next.code, Some(0 | 4)), "{}", next.stderr);
        let mut pieces = [pieces(&first[..whole]), pieces(&next.stdout)].concat();
        pieces.sort_unstable();
        for pair in pieces.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "a piece of pad was used twice: {pair:?}");
        }
    };
    interrupt(&lab, &format!("encrypt --bundle client.jwks {weak}"), KILL, prepare, check);
}

#[test]
fn a_full_disk_while_sealing_leaves_no_output_and_erases_nothing() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 40 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 40 -o original");
    lab.write("orders.ndjson", orders(10));
    let prepare = || {
        fs::copy(lab.path("original"), lab.path("client.jwks")).expect("a copy");
        drop(fs::remove_file(lab.path("sealed.jwe")));
    };
    let check = |status: ExitStatus| {
        assert_ne!(status.code(), Some(101), "no panic");
        if lab.has("sealed.jwe") {
            assert_eq!(lines(&lab.read("sealed.jwe")).count(), 10, "all or nothing");
        } else {
            assert!(!status.success());
            assert!(
                !key_ids(&lab.json("client.jwks")).is_empty(),
                "nothing was sent, so nothing is erased"
            );
        }
    };
    for fault in ["error=ENOSPC", KILL] {
        interrupt(
            &lab,
            "encrypt --bundle client.jwks orders.ndjson -o sealed.jwe",
            fault,
            prepare,
            check,
        );
    }
}

#[test]
fn a_full_output_is_an_error_and_no_panic() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", &orders(20)).stdout;
    lab.write("sealed.jwe", sealed);
    for line in [
        "keygen --alg A256GCM",
        "bundle shop --keys service.jwks",
        "encrypt --bundle client.jwks orders.ndjson",
        "decrypt --bundle tokyo.jwks sealed.jwe",
        "decrypt --check --bundle tokyo.jwks sealed.jwe",
        "inspect sealed.jwe",
        "inspect --json service.jwks",
        "simulate --embodiment 4 --shops 1 --clients 1 --orders 1 --seed 1 --json",
        "completions bash",
        "man",
        "--help",
    ] {
        let run = lab.shell(&format!("$ORDERSEAL {line} > /dev/full"));
        assert_eq!(run.code, Some(1), "{line}: {}", run.stderr);
        run.says(&["error", "space"]);
    }
    for line in
        ["encrypt --bundle client.jwks orders.ndjson", "decrypt --bundle tokyo.jwks sealed.jwe"]
    {
        lab.refused(1, &format!("{line} -o /dev/full")).says(&["/dev/full"]);
    }
}

#[test]
fn messages_that_nobody_can_read_change_nothing() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"order\n").stdout;
    lab.write("sealed.jwe", &sealed);
    for closed in ["2> /dev/full", "2>&-"] {
        let run = lab.shell(&format!("$ORDERSEAL decrypt --bundle tokyo.jwks sealed.jwe {closed}"));
        assert_eq!((run.code, &run.stdout[..]), (Some(0), &b"order\n"[..]), "{closed}");
        let run =
            lab.shell(&format!("$ORDERSEAL decrypt --bundle tokyo.jwks orders.ndjson {closed}"));
        assert_eq!(run.code, Some(3), "{closed}");
        let run = lab.shell(&format!("$ORDERSEAL decrypt {closed}"));
        assert_eq!(run.code, Some(2), "{closed}");
        let run =
            lab.shell(&format!("cp tokyo.jwks copy.jwks; $ORDERSEAL erase copy.jwks {closed}"));
        assert_eq!((run.code, lab.has("copy.jwks")), (Some(0), false), "{closed}");
    }
}

#[test]
fn a_command_that_shows_ends_quietly_when_its_reader_goes_away() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("orders.ndjson", FIXTURE.repeat(4));
    lab.ok("encrypt --bundle client.jwks orders.ndjson -o sealed.jwe");
    for line in [
        "decrypt --bundle tokyo.jwks sealed.jwe",
        "inspect service.jwks",
        "completions bash",
        "man",
        "--help",
    ] {
        for reader in ["head -n 1", "true"] {
            let run = lab.shell(&format!(
                "$ORDERSEAL {line} | {reader} > /dev/null; exit ${{PIPESTATUS[0]}}"
            ));
            assert_eq!(run.stderr, "", "{line} | {reader}");
            assert!(matches!(run.code, Some(0 | 141)), "{line} | {reader}: {:?}", run.code);
        }
    }
}

#[test]
fn a_killed_run_leaves_no_output_file() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("orders.ndjson", FIXTURE);
    let all = lines(FIXTURE).count();
    let prepare = || drop(fs::remove_file(lab.path("sealed.jwe")));
    let check = |_| {
        assert!(
            !lab.has("sealed.jwe") || lines(&lab.read("sealed.jwe")).count() == all,
            "all or nothing"
        );
    };
    interrupt(
        &lab,
        "encrypt --bundle client.jwks orders.ndjson -o sealed.jwe",
        KILL,
        prepare,
        check,
    );
}
