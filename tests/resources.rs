//! What the operating system may refuse: the program ends with a message and exit code 1, never with a
//! panic or a signal.

mod common;

use common::{Lab, Run, STRACE, print};

/// Runs a command line while strace makes system calls fail.
fn injected(lab: &Lab, faults: &str, line: &str) -> Run {
    lab.shell(&format!("strace -f -qq -o strace.log -e trace={faults} $ORDERSEAL {line}"))
}

#[test]
fn without_random_numbers_nothing_is_made_and_nothing_is_opened() {
    if !*STRACE {
        return print("random numbers that fail: NOT RUN, it needs strace");
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
