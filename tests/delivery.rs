//! What counts as sent, and what signals do: readers that go away, outputs that appear meanwhile, and
//! programs that erase after sending.

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{FIXTURE, Lab, ORDERSEAL, key_ids, kids, lines, not_run, orders};

fn unused(lab: &Lab) -> u64 {
    let report = lab.ok("inspect --json client.jwks").json();
    report["shops"]["tokyo"]["unused"].as_u64().expect("a count")
}

#[test]
fn a_reader_that_went_away_was_sent_nothing() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 100 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 50 -o client.jwks");
    lab.write("orders.ndjson", orders(10));
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    // The pipe holds all of it: the program could end before its reader does.
    for (line, reader) in [
        ("encrypt --bundle client.jwks orders.ndjson", "head -c 100"),
        ("encrypt --bundle client.jwks orders.ndjson", "sleep 0.2"),
        ("wrap --with client.jwks cek.jwk", "sleep 0.2"),
        ("keygen --embodiment 4 --shop osaka --orders 20", "sleep 0.2"),
        ("bundle shop --keys service.jwks", "sleep 0.2"),
        ("bundle page --keys service.jwks", "sleep 0.2"),
        ("bundle client --keys service.jwks --orders 2", "sleep 0.2"),
    ] {
        let run = lab
            .shell(&format!("$ORDERSEAL {line} | {reader} > /dev/null; exit ${{PIPESTATUS[0]}}"));
        assert_eq!(run.code, Some(1), "{line} | {reader}: {}", run.stderr);
        run.says(&["orderseal: error: stdout: the reader closed the pipe"]);
    }
    let run = lab.shell(
        "$ORDERSEAL encrypt --bundle client.jwks orders.ndjson | head -c 1 > /dev/null; exit ${PIPESTATUS[0]}",
    );
    run.says(&["hint: 10 transaction ids of client.jwks stay spent, and nothing was erased"]);
    assert!(lab.has("client.jwks"), "nothing is erased that was not sent");
}

#[test]
fn what_could_not_be_written_at_all_is_given_back() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 5 -o service.jwks");
    lab.refused(1, "bundle client --keys service.jwks --orders 5 -o /dev/full");
    lab.ok("bundle client --keys service.jwks --orders 5 -o client.jwks");
    lab.write("orders.ndjson", orders(5));
    lab.refused(1, "encrypt --bundle client.jwks orders.ndjson -o /dev/full");
    assert_eq!(unused(&lab), 5);
}

#[test]
fn a_slow_reader_is_waited_for() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 20 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 10 -o client.jwks");
    lab.write("orders.ndjson", orders(10));
    let run = lab.shell(
        "set -o pipefail
        $ORDERSEAL encrypt --bundle client.jwks orders.ndjson | (sleep 0.3; cat > sealed.jwe)",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(lines(&lab.read("sealed.jwe")).count(), 10);
    assert!(!lab.has("client.jwks"));
}

#[test]
fn ids_come_back_when_the_output_cannot_be_delivered() {
    let lab = Lab::with_keys("--embodiment 4", 50);
    let mut run = Command::new(ORDERSEAL)
        .args(["encrypt", "--bundle", "client.jwks", "-o", "sealed.jwe"])
        .current_dir(lab.dir())
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = run.stdin.take().unwrap();
    input.write_all(b"one\ntwo\n").unwrap();
    while !lab.has(".client.jwks.orderseal-users") {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(100));
    lab.write("sealed.jwe", "somebody else's");
    drop(input);
    assert_eq!(run.wait().unwrap().code(), Some(2));
    assert_eq!(lab.read("sealed.jwe"), b"somebody else's");
    assert_eq!(unused(&lab), 50, "nothing was delivered, so nothing is spent");
}

#[test]
fn a_pad_that_was_used_stays_used_whatever_became_of_the_output() {
    let lab = Lab::new();
    let weak = "--allow-weak";
    lab.ok(&format!(
        "keygen --embodiment 3 --enc VERNAM-HS256 --pad-bytes 1000 --orders 6 --shop tokyo {weak} -o service.jwks"
    ));
    lab.ok(&format!("bundle client --keys service.jwks --orders 6 {weak} -o client.jwks"));
    // The third order is longer than its pad; it comes by a pipe, so that this is noticed late.
    let orders = [&b"one\ntwo\n"[..], &[b'x'; 1001], b"\n"].concat();
    let run = lab.refused_with(4, &format!("encrypt --bundle client.jwks -o out {weak}"), &orders);
    run.says(&["stdin: line 3", "3 transaction ids of client.jwks stay spent"]);
    assert_eq!(unused(&lab), 3);
}

#[test]
fn what_cannot_be_given_back_is_said() {
    if !*common::STRACE {
        return not_run("giving back that fails", "it needs strace");
    }
    let lab = Lab::with_keys("--embodiment 4", 130);
    // The first change reserves, the second gives back.
    let run = lab.shell(
        "echo order | strace -f -qq -o log -e trace=renameat2 -e inject=renameat2:error=EIO:when=2 \
         $ORDERSEAL encrypt --bundle client.jwks",
    );
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["client.jwks: cannot change", "hint: all orders were sealed and sent"]);
    assert_eq!(lines(&run.stdout).count(), 1);
    assert_eq!(unused(&lab), 128, "2 were reserved");
    assert!(lab.names().iter().all(|name| !name.starts_with('.')), "{:?}", lab.names());
}

#[test]
fn a_bundle_from_a_pipe_is_refused_where_something_is_spent() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let client = lab.read("client.jwks");
    lab.refused_with(2, "encrypt --bundle - orders.ndjson -o out", &client)
        .says(&["which therefore cannot be a pipe"]);
    assert!(!lab.has("out"));
}

#[test]
fn ids_stay_spent_when_lines_may_have_left() {
    let lab = Lab::with_keys("--embodiment 4", 20);
    // The second block fails; the first has gone to stdout.
    let input = [orders(10), vec![b'x'; 2 << 20]].concat();
    let run = lab.refused_with(3, "encrypt --bundle client.jwks", &input);
    let sent = kids(&run.stdout);
    run.says(&["transaction id", "stay spent"]);
    let next = lab.ok_with("encrypt --bundle client.jwks", &orders(10)).stdout;
    assert!(!sent.is_empty() && kids(&next).iter().all(|kid| !sent.contains(kid)));
}

/// Whether this process, and so what it starts, ignores a signal.
fn is_ignored(number: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).expect("a number") >> (number - 1) & 1 == 1
}

#[test]
fn a_signal_ends_a_run_in_order() {
    for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        // A shell cannot undo that a signal is ignored, as nohup and `&` in a script have it.
        if is_ignored(number) {
            not_run(&format!("SIG{signal} during a run"), "the tests were started with it ignored");
            continue;
        }
        let code = 128 + number;
        let lab = Lab::with_keys("--embodiment 4", 50);
        lab.write("sealed.jwe", lab.ok_with("encrypt --bundle client.jwks", b"one\n").stdout);
        let before = unused(&lab);
        let names = lab.names();
        // `set -m`, as a shell starts background jobs with SIGINT ignored.
        let script = |input: &str, line: &str| {
            format!(
                "set -m; (head -n 20 {input}; sleep 5) | $ORDERSEAL {line} & sleep 0.5
                kill -{signal} $(pgrep -n -f \"$ORDERSEAL {line}\"); wait $!"
            )
        };
        let run = lab.shell(&script("orders.ndjson", "encrypt --bundle client.jwks -o out"));
        assert_eq!(run.code, Some(code), "{signal}: {}", run.stderr);
        run.says(&["orderseal: error: stopped by a signal"]);
        assert_eq!(unused(&lab), before, "{signal}: what was discarded is not spent");
        let run = lab.shell(&script("sealed.jwe", "decrypt --bundle tokyo.jwks -o out"));
        assert_eq!(run.code, Some(code), "{signal}: {}", run.stderr);
        assert_eq!(lab.names(), names, "{signal}: nothing is left behind");
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_an_answer() {
    let lab = Lab::with_keys("--embodiment 4", 50);
    let run = lab.shell(
        "set -m; (echo; sleep 5) | $ORDERSEAL encrypt --guided --bundle client.jwks orders.ndjson -o out & sleep 0.5
        kill -TERM $(pgrep -n -f 'encrypt --guided --bundle client.jwks'); wait $!",
    );
    assert_eq!(run.code, Some(143), "{}", run.stderr);
    run.says(&["step 2 of 2", "stopped by a signal"]);
    assert_eq!((unused(&lab), lab.has("out")), (50, false));
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let run = lab.shell(
        "trap '' HUP INT; (echo one; sleep 0.7; echo two) | $ORDERSEAL encrypt --bundle client.jwks -o out &
        sleep 0.3; kill -HUP $(pgrep -n -f 'encrypt --bundle client.jwks -o out')
        kill -INT $(pgrep -n -f 'encrypt --bundle client.jwks -o out'); wait",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(lines(&lab.read("out")).count(), 2);
}

#[test]
fn a_pipe_of_another_user_is_no_output() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    fs::create_dir(lab.path("public")).unwrap();
    let run = lab.shell("mkfifo public/pipe");
    assert_eq!(run.code, Some(0));
    fs::set_permissions(lab.path("public"), fs::Permissions::from_mode(0o1777)).unwrap();
    if chown(lab.path("public/pipe"), Some(54321), None).is_err() {
        return not_run("outputs to another user's pipe", "it needs root");
    }
    for line in [
        "decrypt --bundle tokyo.jwks orders.ndjson -o public/pipe",
        "bundle client --keys service.jwks -o public/pipe",
        "keygen --alg A256GCM -o public/pipe --force",
    ] {
        lab.refused(2, line).says(&["public/pipe", "pipe of another user"]);
    }
    // One's own, there or elsewhere, is fine, and so are devices and open descriptors.
    chown(lab.path("public/pipe"), Some(fs::metadata(lab.dir()).unwrap().uid()), None).unwrap();
    for target in ["public/pipe", "/dev/fd/3", "/dev/stdout"] {
        let run = lab.shell(&format!(
            "cat public/pipe > out & exec 3> public/pipe; [ {target} != /dev/stdout ] || exec 1>&3
            $ORDERSEAL encrypt --bundle client.jwks orders.ndjson -o {target}; code=$?
            exec 3>&-; exec 1>&-; wait; exit $code"
        ));
        assert_eq!(run.code, Some(0), "{target}: {}", run.stderr);
        assert_eq!(lines(&lab.read("out")).count(), 1, "{target}");
    }
    lab.ok("encrypt --bundle client.jwks orders.ndjson -o /dev/null");
}

#[test]
fn a_program_that_was_killed_before_erasing_is_finished_by_the_next_command() {
    if !*common::STRACE {
        return not_run("kills between sending and erasing", "it needs strace");
    }
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 40 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 40 -o original");
    lab.write("orders.ndjson", orders(10));
    let (mut finished, mut kept) = (0, 0);
    // One at a time: strace counts each call by itself.
    for calls in [
        "linkat",
        "?rename",
        "renameat2",
        "fsync",
        "fdatasync",
        "?unlink",
        "unlinkat",
        "write",
        "writev",
        "pwrite64",
    ] {
        for when in 1.. {
            for name in lab.names() {
                if name != "original" && name != "orders.ndjson" && name != "service.jwks" {
                    fs::remove_file(lab.path(&name)).unwrap();
                }
            }
            fs::copy(lab.path("original"), lab.path("client.jwks")).unwrap();
            let run = lab.shell(&format!(
                "strace -f -qq -o strace.log -e trace={calls} -e inject={calls}:signal=KILL:when={when} \
                 $ORDERSEAL encrypt --bundle client.jwks orders.ndjson -o sealed.jwe"
            ));
            if run.code == Some(0) {
                break;
            }
            let next = lab.run("inspect --json client.jwks", b"");
            let sealed = lab.has("sealed.jwe");
            if sealed {
                assert_eq!(lines(&lab.read("sealed.jwe")).count(), 10, "{calls} {when}");
                assert!(!lab.has("client.jwks"), "{calls} {when}: sent, and so erased");
                finished += 1;
            } else {
                assert_eq!(next.code, Some(0), "{calls} {when}: {}", next.stderr);
                assert_eq!(key_ids(&lab.json("client.jwks")).len(), 40, "{calls} {when}");
                kept += 1;
            }
            let keys = |name: &String| name.contains("client") || name.contains("tmp");
            let left: Vec<_> = lab.names().into_iter().filter(keys).collect();
            assert!(
                left.iter().all(|name| name == "client.jwks" || name.ends_with("-users")),
                "{calls} {when}: {left:?}"
            );
        }
    }
    assert!(finished > 3 && kept > 3, "{finished} {kept}");
}

#[test]
fn an_output_that_was_ready_is_published_by_the_next_command() {
    if !*common::STRACE {
        return not_run("a kill before publishing", "it needs strace");
    }
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 40 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 40 -o client.jwks");
    lab.write("orders.ndjson", orders(10));
    // The last of the renames is that of the output; those before are of the client's file.
    let counted = lab.shell(
        "cp client.jwks copy.jwks; strace -f -qq -o log -e trace=renameat2 \
         $ORDERSEAL encrypt --bundle copy.jwks orders.ndjson -o other.jwe; grep -n NOREPLACE log | head -n 1 | cut -d: -f1",
    );
    let when = counted.text().trim().to_owned();
    lab.shell(&format!(
        "strace -f -qq -o log -e trace=renameat2 -e inject=renameat2:signal=KILL:when={when} \
         $ORDERSEAL encrypt --bundle client.jwks orders.ndjson -o sealed.jwe"
    ));
    let ready = lab.names().into_iter().any(|name| name.ends_with(".orderseal-sent"));
    assert_eq!((ready, lab.has("sealed.jwe")), (true, false), "{:?}", lab.names());
    // A command on the output does not take it for a leftover.
    lab.refused(1, "erase sealed.jwe");
    lab.refused(4, "inspect client.jwks").says(&["was erased now"]);
    assert_eq!(lines(&lab.read("sealed.jwe")).count(), 10);
    assert!(!lab.has("client.jwks"));
    assert!(!lab.names().iter().any(|name| name.contains("orderseal-")), "{:?}", lab.names());
}

#[test]
fn a_file_that_was_put_there_meanwhile_is_not_erased() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 40 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 10 -o client.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 10 -o new.jwks");
    let mut run = Command::new(ORDERSEAL)
        .args(["encrypt", "--bundle", "client.jwks"])
        .current_dir(lab.dir())
        .stdin(Stdio::piped())
        .stdout(fs::File::create(lab.path("out")).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = run.stdin.take().unwrap();
    input.write_all(FIXTURE.split_inclusive(|&byte| byte == b'\n').next().unwrap()).unwrap();
    while lab.read("out").is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    fs::rename(lab.path("new.jwks"), lab.path("client.jwks")).unwrap();
    drop(input);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("another file has replaced it"));
    assert_eq!(key_ids(&lab.json("client.jwks")).len(), 10);
}
