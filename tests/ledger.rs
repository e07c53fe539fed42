//! The shop's ledger: each transaction id opens one order, across runs, crashes and copies.

mod common;

use std::fs;

use common::{Lab, Run, STRACE, kids, lines, not_run};
use serde_json::{Value, json};

const OPEN: &str = "decrypt --bundle tokyo.jwks --ledger tokyo.ledger";

fn lab(options: &str) -> Lab {
    Lab::with_keys(options, 6)
}

/// Seals orders with the client's bundle.
fn seal(lab: &Lab, orders: &str) -> Vec<u8> {
    lab.ok_with("encrypt --bundle client.jwks", orders.as_bytes()).stdout
}

fn counts(lab: &Lab) -> [u64; 3] {
    let found = lab.ok("inspect --json tokyo.ledger").json();
    ["done", "opening", "uncertain"].map(|name| found[name].as_u64().unwrap())
}

/// The kinds of the reports on stderr.
fn kinds(run: &Run) -> Vec<String> {
    let reports = run.stderr.lines().filter(|line| line.starts_with('{'));
    let kind = |line: &str| serde_json::from_str::<Value>(line).unwrap()["kind"].clone();
    reports.map(|line| kind(line).as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_order_opens_once_in_every_scheme() {
    for options in [
        "-e 1",
        "-e 2",
        "-e 3",
        "-e 4",
        "-e 4 --pool derived",
        "-e 5 --rsa-bits 2048",
        "-e 6 --rsa-bits 2048",
    ] {
        for output in ["", " -o opened --force"] {
            let lab = lab(options);
            lab.write("sealed", seal(&lab, "tea\npaper\n"));
            let line = format!("{OPEN} sealed{output}");
            let run = lab.ok(&line);
            let opened = if output.is_empty() { run.stdout } else { lab.read("opened") };
            assert_eq!(opened, b"tea\npaper\n", "{line}");
            assert_eq!(counts(&lab), [2, 0, 0], "{options} {line}");
            let run = lab.refused(7, &line);
            run.says(&["sealed: line 1: this order was opened before"]);
            assert_eq!(run.stdout, b"");

            // More orders, among old ones: the new ones open.
            let mut mixed = lab.read("sealed");
            mixed.extend(seal(&lab, "ink\n"));
            lab.write("mixed", &mixed);
            let run = lab.run(&format!("{OPEN} mixed --on-error skip"), b"");
            assert_eq!((run.code, &run.stdout[..]), (Some(6), &b"ink\n"[..]), "{options}");
            assert_eq!(kinds(&run), ["repeat", "repeat"]);
        }
    }
}

#[test]
fn a_second_order_under_an_id_is_refused_even_in_another_run() {
    for options in ["-e 4", "-e 4 --pool derived"] {
        let lab = lab(options);
        fs::copy(lab.path("client.jwks"), lab.path("copy.jwks")).unwrap();
        lab.write("first", seal(&lab, "tea\n"));
        lab.write("second", lab.ok_with("encrypt --bundle copy.jwks", b"paper\n").stdout);
        assert_eq!(kids(&lab.read("first")), kids(&lab.read("second")));
        lab.ok(&format!("{OPEN} first -o opened"));
        let kid = &kids(&lab.read("second"))[0];
        lab.refused(7, &format!("{OPEN} second -o opened --force"))
            .says(&[&format!("transaction id {kid} was used before, for another order")]);
        assert_eq!(lab.read("opened"), b"tea\n");
        // In one run, too; and what came first is not lost.
        let lab = lab_again(&lab, &["first", "second"]);
        let run = lab.run(&format!("{OPEN} first second --on-error skip"), b"");
        assert_eq!((run.code, &run.stdout[..]), (Some(6), &b"tea\n"[..]));
        assert_eq!(kinds(&run), ["used"]);
    }
}

#[test]
fn bytes_of_a_pad_serve_one_order_even_in_another_run() {
    let lab = Lab::new();
    let pad = "-e 1 --enc VERNAM-HS256 --pad-bytes 65536 --allow-weak";
    lab.ok(&format!("keygen {pad} --shop tokyo -o service.jwks"));
    lab.ok("bundle shop --keyring service.jwks --allow-weak -o tokyo.jwks");
    lab.ok("bundle client --keyring service.jwks --allow-weak -o client.jwks");
    fs::copy(lab.path("client.jwks"), lab.path("copy.jwks")).unwrap();
    let seal = |bundle: &str, orders: &str| {
        lab.ok_with(&format!("encrypt --bundle {bundle} --allow-weak"), orders.as_bytes()).stdout
    };
    lab.write("first", seal("client.jwks", "tea\n"));
    let longer = seal("copy.jwks", "green tea\nink\n");
    lab.write("second", &longer);
    lab.write("empty", seal("client.jwks", "\n"));
    lab.ok(&format!("{OPEN} first -o opened"));
    lab.refused(7, &format!("{OPEN} second --check")).says(&[
        "second: line 1: bytes of the pad that it is sealed with were used before",
        "neither order is secret any more",
    ]);
    let document = format!("{OPEN} --document");
    lab.refused_with(7, &document, longer.split(|&byte| byte == b'\n').next().unwrap())
        .says(&["bytes of the pad"]);
    let run = lab.run(&format!("{OPEN} second --on-error skip"), b"");
    assert_eq!((run.code, &run.stdout[..]), (Some(6), &b"ink\n"[..]));
    assert_eq!(kinds(&run), ["used"]);
    // An order without bytes has none that another has, and opens once all the same.
    lab.ok(&format!("{OPEN} empty"));
    for again in ["first", "empty"] {
        lab.refused(7, &format!("{OPEN} {again}")).says(&["this order was opened before"]);
    }
    // In one run, too.
    let lab = lab_again(&lab, &["first", "second"]);
    let run = lab.run(&format!("{OPEN} second first --on-error skip"), b"");
    assert_eq!((run.code, &run.stdout[..]), (Some(6), &b"green tea\nink\n"[..]));
    assert_eq!(kinds(&run), ["used"]);
}

/// Another folder with the same bundle as before its first use, and some files.
fn lab_again(old: &Lab, files: &[&str]) -> Lab {
    let lab = Lab::new();
    let mut bundle = old.json("tokyo.jwks");
    bundle["orderseal"].as_object_mut().unwrap().remove("ledger");
    lab.write("tokyo.jwks", bundle.to_string());
    files.iter().for_each(|name| lab.write(name, old.read(name)));
    lab
}

#[test]
fn the_same_order_is_known_by_its_authenticated_parts() {
    let lab = lab("-e 4");
    let sealed = String::from_utf8(seal(&lab, "tea\n")).unwrap();
    let parts: Vec<&str> = sealed.trim().split('.').collect();
    lab.ok_with(OPEN, sealed.as_bytes());
    let [protected, key, iv, ciphertext, tag] = parts[..] else { panic!("{sealed}") };
    let json = json!({
        "protected": protected, "encrypted_key": key, "iv": iv, "ciphertext": ciphertext, "tag": tag,
    });
    for same in [json.to_string(), format!(" {sealed}"), format!("\u{feff}{sealed}")] {
        lab.refused_with(7, OPEN, same.as_bytes()).says(&["opened before"]);
    }
}

#[test]
fn a_bundle_is_used_with_its_ledger_alone() {
    let lab = lab("-e 4 --pool derived");
    lab.write("sealed", seal(&lab, "tea\n"));
    lab.write("more", seal(&lab, "ink\n"));
    fs::copy(lab.path("tokyo.jwks"), lab.path("copy.jwks")).unwrap();
    // Verifying leaves no trace.
    lab.ok(&format!("{OPEN} --check sealed"));
    assert!(!lab.has("tokyo.ledger"));
    lab.ok(&format!("{OPEN} sealed"));
    assert_eq!(lab.path("tokyo.ledger").metadata().unwrap().len() % 64, 0);

    lab.refused(4, "decrypt --bundle tokyo.jwks more").says(&["none was given", "--ledger"]);
    lab.refused(4, "decrypt --key tokyo.jwks more").says(&["none was given"]);
    lab.ok("decrypt --bundle tokyo.jwks --check more sealed");
    let before = lab.read("tokyo.ledger");
    lab.ok(&format!("{OPEN} --check more"));
    lab.refused(7, &format!("{OPEN} --check sealed"));
    assert_eq!(lab.read("tokyo.ledger"), before);
    // Nor does it wait for others who look, or open the ledger for writing.
    let looks = fs::File::open(lab.path("tokyo.ledger")).unwrap();
    looks.lock_shared().unwrap();
    lab.ok(&format!("{OPEN} --check more"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(500));
            looks.unlock().unwrap();
        });
        let run = lab.shell(&format!("$ORDERSEAL {OPEN} sealed"));
        assert_eq!(run.code, Some(7), "{}", run.stderr);
        run.says(&["waiting for another process, which has"]);
    });

    for other in ["none", "new/ledger"] {
        let line = format!("decrypt --bundle tokyo.jwks --ledger {other} more");
        lab.refused(4, &line).says(&[other, "opened with a ledger"]);
        lab.refused(4, &format!("{line} --check"));
        assert!(!lab.has(other));
    }
    lab.ok("decrypt --bundle copy.jwks --ledger other more");
    lab.refused(4, "decrypt --bundle tokyo.jwks --ledger other more").says(&["another ledger"]);
    lab.refused(4, "decrypt --bundle copy.jwks --bundle tokyo.jwks --ledger other more");
    lab.refused(4, "keys merge copy.jwks --into tokyo.jwks").says(&["another ledger"]);

    // What is not a shop's own file cannot note a ledger.
    lab.refused(4, "decrypt --bundle service.jwks --ledger new more").says(&["security service"]);
    lab.write("plain.jwk", common::cek_jwk());
    lab.refused(2, "decrypt --key plain.jwk --ledger new more").says(&["--bundle"]);
    let pipe = lab.shell("$ORDERSEAL decrypt --bundle <(cat service.jwks) --ledger new more");
    assert_eq!(pipe.code, Some(4));
    std::os::unix::fs::symlink("tokyo.jwks", lab.path("link.jwks")).unwrap();
    lab.write("fresh.jwks", lab_again(&lab, &[]).read("tokyo.jwks"));
    std::os::unix::fs::symlink("fresh.jwks", lab.path("fresh-link.jwks")).unwrap();
    lab.refused(2, "decrypt --bundle fresh-link.jwks --ledger new more");
    assert!(!lab.has("new"));
    lab.ok("decrypt --bundle link.jwks --ledger tokyo.ledger more");
}

#[test]
fn the_mark_stays_when_bundles_are_put_together_or_made_again() {
    let lab = lab("-e 4");
    lab.write("sealed", seal(&lab, "tea\n"));
    lab.ok(&format!("{OPEN} sealed"));
    let number = lab.ok("inspect --json tokyo.ledger").json()["number"].clone();
    let noted = |file: &str| lab.ok(&format!("inspect --json {file}")).json()["ledger"].clone();
    assert_eq!(noted("tokyo.jwks"), number);

    let new = "bundle shop --keyring service.jwks -o tokyo.jwks --force";
    lab.refused(2, new).says(&["opened with a ledger", "keys merge"]);
    lab.refused(2, &format!("{new} --restore"));
    lab.ok("bundle client --keyring service.jwks --on-demand --shop-out half.jwks -o c2.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    assert_eq!(noted("tokyo.jwks"), number);
    lab.ok("bundle shop --keyring service.jwks -o fresh.jwks");
    assert_eq!(noted("fresh.jwks"), Value::Null);
    lab.ok("keys merge tokyo.jwks --into fresh.jwks");
    assert_eq!(noted("fresh.jwks"), number);
    // Another bundle joins the ledger, and both see what the other opened.
    lab.ok("bundle shop --keyring service.jwks -o second.jwks");
    lab.refused(7, "decrypt --bundle second.jwks --ledger tokyo.ledger sealed");
    assert_eq!(noted("second.jwks"), number);
}

#[test]
fn an_exported_key_is_still_that_of_its_leaf() {
    let lab = lab("-e 4 --pool derived");
    lab.write("sealed", seal(&lab, "tea\n"));
    lab.ok("keygen -e 4 --shop kyoto --orders 1 --into service.jwks");
    lab.ok("bundle shop --keyring service.jwks --shop kyoto -o kyoto.jwks");
    lab.ok("keys export tokyo.jwks -o all.jwks");
    let other = "decrypt --bundle kyoto.jwks --ledger tokyo.ledger --key all.jwks sealed";
    assert_eq!(lab.ok(other).stdout, b"tea\n");
    lab.refused(7, &format!("{OPEN} sealed")).says(&["opened before"]);
}

#[test]
fn one_text_is_recorded_like_one_order() {
    let lab = lab("-e 4 --pool derived");
    lab.write("text", "two\nlines");
    lab.ok("encrypt --bundle client.jwks --document text -o document");
    lab.ok("encrypt --bundle client.jwks --stream text -o stream");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok("wrap --with client.jwks cek.jwk -o key");
    for (number, line) in
        [format!("{OPEN} --document document"), format!("{OPEN} stream"), format!("{OPEN} key")]
            .into_iter()
            .enumerate()
    {
        lab.ok(&format!("{line} --check"));
        lab.ok(&format!("{line} -o opened --force"));
        assert_eq!(counts(&lab), [number as u64 + 1, 0, 0], "{line}");
        lab.refused(7, &format!("{line} -o again")).says(&["opened before"]);
        lab.refused(7, &format!("{line} --check"));
        assert!(!lab.has("again"));
    }
}

#[test]
fn a_reader_that_died_may_have_the_orders() {
    let lab = lab("-e 4 --pool derived");
    lab.write("sealed", seal(&lab, "tea\n"));
    let run = lab.run(&format!("{OPEN} sealed -o /dev/full"), b"");
    assert_eq!(run.code, Some(1));
    assert_eq!(counts(&lab), [0, 0, 1]);
    lab.refused(7, &format!("{OPEN} sealed")).says(&["may have it", "--reopen"]);
    let run = lab.run(&format!("{OPEN} sealed --on-error skip"), b"");
    assert_eq!((run.code, kinds(&run)), (Some(6), vec!["uncertain".to_owned()]));
    // Opening again into a file that does not appear leaves it uncertain.
    lab.write("kept", "");
    lab.refused(2, &format!("{OPEN} sealed --reopen -o kept"));
    assert_eq!(counts(&lab), [0, 0, 1]);
    assert_eq!(lab.ok(&format!("{OPEN} sealed --reopen")).stdout, b"tea\n");
    assert_eq!(counts(&lab), [1, 0, 0]);
    lab.refused(7, &format!("{OPEN} sealed --reopen")).says(&["opened before"]);
}

#[test]
fn a_failed_run_into_a_file_records_nothing() {
    let lab = lab("-e 4 --pool derived");
    let mut sealed = seal(&lab, "tea\nink\n");
    lab.write("good", &sealed);
    sealed.extend(b"damaged\n");
    lab.write("sealed", &sealed);
    lab.refused(3, &format!("{OPEN} sealed -o opened"));
    assert_eq!(counts(&lab), [0, 0, 0]);
    let run = lab.refused(3, &format!("{OPEN} sealed"));
    assert_eq!((&run.stdout[..], counts(&lab)), (&b"tea\nink\n"[..], [0, 0, 2]));
    // Lines that are not authentic never enter an id.
    let lab = Lab::with_keys("-e 4 --pool derived", 6);
    lab.write("sealed", seal(&lab, "tea\n"));
    let mut forged = lab.read("sealed");
    let tag = forged.len() - 5;
    forged[tag] = if forged[tag] == b'A' { b'B' } else { b'A' };
    lab.refused_with(5, OPEN, &forged);
    assert_eq!(counts(&lab), [0, 0, 0]);
    assert_eq!(lab.ok(&format!("{OPEN} sealed")).stdout, b"tea\n");
}

#[test]
fn keys_of_opened_ids_are_erased_on_request() {
    for options in ["-e 3", "-e 4", "-e 4 --pool derived", "-e 6 --rsa-bits 2048"] {
        for ledger in ["", " --ledger tokyo.ledger"] {
            let lab = lab(options);
            lab.write("sealed", seal(&lab, "tea\nink\n"));
            lab.write("later", seal(&lab, "pen\n"));
            let line = format!("decrypt --bundle tokyo.jwks{ledger} --erase");
            lab.ok(&format!("{line} sealed -o opened"));
            assert_eq!(lab.read("opened"), b"tea\nink\n");
            lab.refused(4, &format!("{line} sealed -o again")).says(&["was erased"]);
            assert_eq!(lab.ok(&format!("{line} later")).stdout, b"pen\n");
            // A failed run erases nothing.
            lab.write("bad", [seal(&lab, "cup\n"), b"damaged\n".to_vec()].concat());
            lab.refused(3, &format!("{line} bad -o again"));
            let run = lab.run(&format!("{line} bad -o again --on-error skip"), b"");
            assert_eq!((run.code, lab.read("again")), (Some(6), b"cup\n".to_vec()));
        }
    }
    let lab = lab("-e 4");
    lab.write("sealed", seal(&lab, "tea\n"));
    lab.refused(4, "decrypt --bundle service.jwks --erase sealed");
    lab.refused(2, "decrypt --bundle tokyo.jwks --erase --check sealed");
    std::os::unix::fs::symlink("tokyo.jwks", lab.path("link")).unwrap();
    lab.refused(2, "decrypt --bundle link --erase sealed -o opened");
    assert!(!lab.has("opened"));
}

#[test]
fn keys_that_a_killed_run_left_are_erased_by_the_next() {
    let lab = lab("-e 4 --pool derived");
    lab.write("sealed", seal(&lab, "tea\nink\n"));
    lab.ok(&format!("{OPEN} sealed -o opened"));
    let keys = || lab.ok("inspect --json tokyo.jwks").json().to_string();
    let before = keys();
    let run = lab.run(&format!("{OPEN} --erase --on-error skip sealed"), b"");
    assert_eq!((run.code, &run.stdout[..], kinds(&run).len()), (Some(6), &b""[..], 2));
    assert_ne!(keys(), before);
    lab.refused(4, &format!("{OPEN} sealed")).says(&["was erased"]);
}

#[test]
fn chunks_of_somebody_else_use_no_stream_up() {
    let lab = lab("-e 4 --pool derived");
    lab.write("text", "tea");
    lab.ok("encrypt --bundle client.jwks --stream text -o stream");
    let stream = lab.read("stream");
    let first = stream.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let mut damaged = stream.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for chunks in [&[7; 100], &damaged[first..]] {
        lab.refused_with(5, OPEN, &[&stream[..first], chunks].concat());
        assert_eq!(counts(&lab), [0, 0, 0]);
    }
    assert_eq!(lab.ok_with(OPEN, &stream).stdout, b"tea");
    lab.refused_with(7, OPEN, &stream);
}

#[test]
fn a_bundle_with_a_ledger_is_not_overwritten() {
    let lab = lab("-e 4");
    lab.write("sealed", seal(&lab, "tea\n"));
    // At first use, too, when noting the ledger makes the bundle another file.
    let bundle = lab.read("tokyo.jwks");
    for output in ["-o tokyo.jwks", "--on-error skip --report tokyo.jwks -o opened"] {
        lab.write("tokyo.jwks", &bundle);
        lab.refused(2, &format!("{OPEN} sealed {output} --force")).says(&["both input and output"]);
        lab.ok("inspect tokyo.jwks");
    }
    let half = "--keyring service.jwks --on-demand --shop-out tokyo.jwks -o new.jwks --force";
    lab.refused(2, &format!("bundle client {half}")).says(&["opened with a ledger"]);
    lab.refused(2, "keys admit bob service.jwks --shop-out tokyo.jwks --force");
    // A pipe is nobody's bundle, and is not read.
    let pipe = "timeout 20 $ORDERSEAL bundle client --keyring service.jwks --on-demand -o piped.jwks \
                --shop-out >(cat > half.jwks)";
    assert_eq!(lab.shell(pipe).code, Some(0));
    assert_eq!(
        lab.ok("inspect --json service.jwks").json()["shops"]["tokyo"]["users"],
        Value::Null
    );
}

#[test]
fn erasing_spares_keys_that_may_be_used_again() {
    let lab = lab("-e 2");
    lab.write("sealed", seal(&lab, "tea\n"));
    lab.ok("decrypt --bundle tokyo.jwks --erase sealed");
    lab.ok("decrypt --bundle tokyo.jwks --erase sealed");

    let lab = Lab::with_keys("-e 4", 6);
    lab.ok("keys admit alice service.jwks --shop-out half.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    lab.ok("bundle client --keyring service.jwks --user alice -o alice.jwks");
    let seal = |text: &str| lab.ok_with("encrypt --bundle alice.jwks", text.as_bytes()).stdout;
    let (first, second) = (seal("tea\n"), seal("tea\n"));
    let line = format!("{OPEN} --erase");
    lab.ok_with(&line, &first);
    // The same text, sealed anew, is another order; the same line is not.
    lab.ok_with(&line, &second);
    lab.refused_with(7, &line, &first).says(&["this order was opened before"]);
}

#[test]
fn processes_share_a_ledger() {
    let lab = Lab::with_keys("-e 4 --pool derived", 40);
    let mut orders = String::new();
    (0..40).for_each(|number| orders.push_str(&format!("order {number}\n")));
    lab.write("sealed", seal(&lab, &orders));
    let run = lab.shell(&format!(
        "for i in 1 2 3 4 5 6; do $ORDERSEAL {OPEN} sealed -o out$i -q 2>/dev/null & done; wait; \
         ls out*; cat out*"
    ));
    let opened: Vec<&[u8]> = lines(&run.stdout).collect();
    assert_eq!(opened.len(), 41, "one of them opens all: {}", String::from_utf8_lossy(&run.stdout));
    assert_eq!(counts(&lab), [40, 0, 0]);
    // A second one says that it waits.
    let run = lab.shell(&format!(
        "mkfifo held; $ORDERSEAL {OPEN} < held >/dev/null & exec 3>held; \
         until ! flock -n -s tokyo.ledger true; do :; done; \
         (sleep 1; exec 3>&-) & exec 3>&-; $ORDERSEAL {OPEN} --check sealed; wait"
    ));
    assert!(run.stderr.contains("waiting for another process"), "{}", run.stderr);
}

#[test]
fn the_ledger_is_neither_output_nor_something_else() {
    let lab = lab("-e 4");
    lab.write("sealed", seal(&lab, "tea\n"));
    lab.refused(2, &format!("{OPEN} sealed -o tokyo.ledger --force"));
    lab.write("tokyo.ledger", "");
    lab.refused(3, &format!("{OPEN} sealed")).says(&["not a ledger"]);
    for other in ["sealed", "client.jwks"] {
        lab.refused(3, &format!("decrypt --bundle tokyo.jwks --ledger {other} sealed"));
    }
    lab.refused(3, "decrypt --bundle tokyo.jwks --ledger tokyo.jwks sealed");
    lab.refused(2, "decrypt --bundle tokyo.jwks --ledger - sealed");
    lab.refused(2, &format!("{OPEN} --check --reopen sealed"));
    lab.shell("mkfifo pipe");
    lab.refused(2, "decrypt --bundle tokyo.jwks --ledger pipe sealed");
    fs::remove_file(lab.path("tokyo.ledger")).unwrap();
    let lab = Lab::with_keys("-e 4", 6);
    lab.write("sealed", seal(&lab, "tea\n"));
    lab.ok(&format!("{OPEN} sealed"));
    lab.refused(2, "decrypt --bundle tokyo.ledger --ledger tokyo.ledger sealed")
        .says(&["both ledger and key file"]);
    for line in [
        "decrypt --bundle tokyo.ledger sealed",
        "inspect --public tokyo.ledger",
        "decrypt --key tokyo.ledger sealed",
    ] {
        lab.refused(3, line).says(&["found a shop's ledger"]);
    }
    let run = lab.refused(3, "decrypt --bundle tokyo.jwks --check tokyo.ledger");
    run.says(&["found a shop's ledger"]);
}

#[test]
fn a_kill_neither_loses_an_order_nor_opens_it_twice() {
    if !*STRACE {
        return not_run("kills while orders are opened with a ledger", "it needs strace");
    }
    let original = lab("-e 4 --pool derived");
    original.write("sealed", seal(&original, "tea\nink\n"));
    // One at a time: strace counts each call by itself.
    let calls = [
        "?linkat",
        "?renameat2",
        "?fsync",
        "?fdatasync",
        "?pwrite64",
        "?write",
        "?writev",
        "?unlink",
        "?unlinkat",
        "?fallocate",
    ];
    for (to_file, erase) in [(true, ""), (false, ""), (true, " --erase")] {
        let output = if to_file { "-o opened" } else { "> read" };
        let (mut before, mut after) = (0, 0);
        for call in calls {
            for when in 1.. {
                let lab = Lab::new();
                for name in ["tokyo.jwks", "sealed"] {
                    lab.write(name, original.read(name));
                }
                let to = if to_file { output.to_owned() } else { "| cat > read".to_owned() };
                let run = lab.shell(&format!(
                    "set -o pipefail; strace -f -qq -o log -e trace={call} \
                     -e inject={call}:signal=KILL:when={when} $ORDERSEAL {OPEN}{erase} sealed {to}"
                ));
                let at = format!("{call} {when} {output}{erase}");
                if run.code == Some(0) {
                    break;
                }
                let published = match to_file {
                    true => lab.has("opened"),
                    false => !lab.read("read").is_empty(),
                };
                let states = match lab.has("tokyo.ledger") {
                    true => counts(&lab),
                    false => [0; 3],
                };
                if published {
                    assert_ne!(states, [0; 3], "{at}: handed on and not recorded");
                    after += 1;
                } else {
                    assert_eq!(states[0], 0, "{at}: done and not handed on");
                    before += 1;
                }
                let again = lab.run(&format!("{OPEN}{erase} sealed -o second"), b"");
                match (again.code, states) {
                    (Some(0), [0, _, 0]) => assert_eq!(lab.read("second"), b"tea\nink\n", "{at}"),
                    (Some(7), [0, 0, 2] | [2, 0, 0]) => {}
                    (Some(4), [2, 0, 0]) if !erase.is_empty() => {
                        again.says(&["was erased"]);
                    }
                    other => panic!("{at}: {other:?} {}", again.stderr),
                }
                if !to_file && states == [0, 0, 2] {
                    lab.ok(&format!("{OPEN} sealed --reopen -o second"));
                }
                let left = lab.names().into_iter().any(|name| name.contains("orderseal-"));
                assert!(!left, "{at}: {:?}", lab.names());
            }
        }
        assert!(before > 0 && after > 0, "{output}{erase}: {before} {after}");
    }
}
