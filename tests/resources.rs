//! What the operating system may refuse: the program ends with a message and exit code 1, never with a
//! panic or a signal.

mod common;

use common::{Lab, Run, STRACE, base64url, not_run};

/// Runs a command line while strace makes system calls fail.
fn injected(lab: &Lab, faults: &str, line: &str) -> Run {
    lab.shell(&format!("strace -f -qq -o strace.log -e trace={faults} $ORDERSEAL {line}"))
}

#[test]
fn without_random_numbers_nothing_is_made_and_nothing_is_opened() {
    if !*STRACE {
        return not_run("random numbers that fail", "it needs strace");
    }
    let lab = Lab::with_keys("--embodiment 4", 3);
    lab.ok("encrypt --bundle client.jwks orders.ndjson -o sealed.jwe");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let before = lab.names();
    let client = lab.read("client.jwks");
    for line in [
        "keygen --alg A256GCM -o new",
        "keygen --embodiment 6 --shop kyoto --into service.jwks",
        "bundle client --keys service.jwks -o new",
        "encrypt --bundle client.jwks orders.ndjson -o new",
        "encrypt --key cek.jwk --stream orders.ndjson -o new",
        "wrap --with client.jwks cek.jwk -o new",
        "decrypt --bundle tokyo.jwks sealed.jwe -o new",
        "erase client.jwks",
    ] {
        for error in ["EAGAIN", "EIO"] {
            let run = injected(&lab, &format!("getrandom -e inject=getrandom:error={error}"), line);
            assert_eq!(run.code, Some(1), "{line}: {}", run.stderr);
            run.says(&["orderseal: error: the operating system gave no random numbers: "]);
            lab.shell("rm strace.log");
            assert_eq!(lab.names(), before, "{line}");
            assert_eq!(lab.read("client.jwks"), client, "{line}");
        }
        // Where only the system call is missing, /dev/urandom takes its place.
        let run =
            injected(&lab, "getrandom -e inject=getrandom:error=ENOSYS", "keygen --alg A256GCM");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    for line in ["inspect service.jwks", "inspect sealed.jwe", "man", "completions bash", "--help"]
    {
        let run = injected(&lab, "getrandom -e inject=getrandom:error=EIO", line);
        assert_eq!(run.code, Some(0), "{line}: {}", run.stderr);
    }
}

#[test]
fn a_thread_that_cannot_be_started_is_an_error() {
    if !*STRACE {
        return not_run("threads that the system refuses", "it needs strace");
    }
    let lab = Lab::with_keys("--embodiment 4", 3);
    lab.ok("encrypt --bundle client.jwks orders.ndjson -o sealed.jwe");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok("encrypt --key cek.jwk --stream orders.ndjson -o stream");
    lab.write("old.key", [0x5a; 8]);
    lab.write("old.bin", [0x5a; 64]);
    for line in [
        "keygen --embodiment 4 --shop kyoto -o new",
        "encrypt --key cek.jwk orders.ndjson -o new",
        "encrypt --key cek.jwk --stream orders.ndjson -o new",
        "decrypt --bundle tokyo.jwks sealed.jwe -o new",
        "decrypt --key cek.jwk stream -o new",
        "inspect sealed.jwe",
        "convert --from des-ecb --padding none --from-key old.key old.bin -o new",
        "convert --from des-ecb --padding none --from-key old.key old.bin --key cek.jwk -o new",
        "simulate --embodiment 2 --shops 1 --clients 1 --orders 1 --seed 1 --quiet",
    ] {
        let mut refused = 0;
        // The first thread waits for signals: without it, they end the program at once.
        for when in 2.. {
            let fault = format!("clone,clone3 -e inject=clone,clone3:error=EAGAIN:when={when}");
            let run = injected(&lab, &fault, &format!("{line} --threads 2"));
            drop(std::fs::remove_file(lab.path("new")));
            if run.code == Some(0) {
                break; // no more threads than that are started
            }
            refused += 1;
            assert_eq!(run.code, Some(1), "{line}, thread {when}: {}", run.stderr);
            run.says(&[
                "orderseal: error: cannot start a thread: ",
                "orderseal: hint: --threads 1",
            ]);
            assert!(!lab.has("new"));
        }
        assert!(refused >= 2, "{line}: {refused} threads were refused");
    }
}

#[test]
fn what_is_no_key_file_is_not_read_to_its_end() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    for line in [
        "decrypt --bundle /dev/zero orders.ndjson",
        "decrypt --key /dev/zero orders.ndjson",
        "encrypt --bundle /dev/zero orders.ndjson",
        "bundle shop --keys /dev/zero",
    ] {
        let run = lab.shell(&format!("ulimit -v 200000; $ORDERSEAL {line} --threads 1"));
        assert_eq!(run.code, Some(3), "{line}: {}", run.stderr);
        run.says(&["/dev/zero: ", "expected a key file"]);
    }
    let run = lab.shell("ulimit -v 200000; yes '' | $ORDERSEAL decrypt --bundle - orders.ndjson");
    assert_eq!(run.code, Some(3), "{}", run.stderr);
}

#[test]
fn counting_unverified_lines_takes_bounded_memory() {
    let lab = Lab::new();
    // Every line names another shop, other algorithms and another type, all of them long.
    let lines = |count: usize| -> Vec<u8> {
        let line = |number: usize| {
            let long = format!("{number:0>200}");
            let header =
                format!(r#"{{"alg":"{long}","enc":"{long}","typ":"{long}","kid":"s{number}"}}"#);
            format!("{}....\n", base64url(header.as_bytes())).into_bytes()
        };
        (0..count).flat_map(line).collect()
    };
    let peak = |count: usize| -> u64 {
        lab.write("lines.jwe", lines(count));
        let script = "exec 3>&1; \"$ORDERSEAL\" inspect --json lines.jwe --threads 2 > /dev/null & \
                      pid=$! peak=0; \
                      while hwm=$(grep -s VmHWM /proc/$pid/status); do peak=$hwm; sleep 0.005; done; \
                      wait $pid || exit 9; set -- $peak; echo $2 >&3";
        let run = lab.shell(script);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.text().trim().parse().expect("a number of KiB")
    };
    let (few, many) = (peak(5_000), peak(40_000));
    assert!(many < few + 30_000, "{few} KiB for 5,000 lines, {many} KiB for 40,000");
}
