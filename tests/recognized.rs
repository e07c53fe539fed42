//! What comes in: whatever a command reads, it says what the input was taken for. Data that cannot
//! be orders, one per line, are not sealed as lines.

mod common;

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

use common::{Lab, ORDERSEAL};

/// Name of a kind of input, its first bytes, and what the message calls it.
type Kind = (&'static str, &'static [u8], &'static str);

/// Data that cannot be lines of text, as gzip, bzip2, xz, zstd, zip and OpenSSL 3 write them, or their
/// beginnings; the empty zip archive, 7z and BER are as their specifications say.
const NO_LINES: &[Kind] = &[
    ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb/JI-\xe2\x02\x00v4\xf6\xcc\x06\x00\x00\x00", "gzip data"),
    ("bzip2", b"BZh91AY&SY\x03\xfa\xef\x13\x00\x00\x01\xc1\x80\x00\x10\x06\x00\x90\x00 \x00!\x83A\x9a\x01[\x8e.\xe4\x8ap\xa1 \x07\xf5\xde&", "bzip2 data"),
    ("an empty bzip2", b"BZh9\x17rE8P\x90\x00\x00\x00\x00", "bzip2 data"),
    ("xz", b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x05order\x0a\x00\x00\x00\xf00\xa3\xf6", "xz data"),
    ("zstd", b"(\xb5/\xfd\x04X1\x00\x00order\x0ax'\xfbK", "Zstandard data"),
    ("zip", b"PK\x03\x04\x0a\x00\x00\x00\x00\x00\xc1y{]v4\xf6\xcc\x06\x00\x00\x00\x06\x00\x00\x00\x01\x00\x1c\x00oUT\x09\x00\x039\x9e\x09k9\x9e\x09kux\x0b\x00\x01\x04", "a zip archive"),
    ("an empty zip", b"PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "a zip archive"),
    ("7z", b"7z\xbc\xaf'\x1c\x00\x04\x9b\xda\xf2\x15\x08\x00\x00\x00\x00", "a 7z archive"),
    ("openssl enc", b"Salted__\xbc\x02\xb0\xf3=q\xd2\x8f\xe5\xe1\x8882\xa9xg$\x1e\xc0\xae\xb6sb\x13", "data that OpenSSL encrypted under a password (Salted__)"),
    ("PKCS #12", b"0\x82\x09\xcf\x02\x01\x030\x82\x09\x85\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x01\xa0\x82\x09v\x04\x82\x09r0\x82\x09n0\x82\x03\xe2\x06\x09", "a PKCS #12 file"),
    ("PKCS #12 in BER", b"0\x80\x02\x01\x030\x80\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x01\xa0\x80$\x80", "a PKCS #12 file"),
];

/// Text in UTF-16. Ciphertext may begin with its byte-order mark by chance.
const UTF_16: &[Kind] = &[
    (
        "UTF-16LE",
        b"\xff\xfeo\x00r\x00d\x00e\x00r\x00\x0a\x00t\x00w\x00o\x00\x0a\x00",
        "UTF-16 text",
    ),
    (
        "UTF-16BE",
        b"\xfe\xff\x00o\x00r\x00d\x00e\x00r\x00\x0a\x00t\x00w\x00o\x00\x0a",
        "UTF-16 text",
    ),
    (
        "UTF-16LE without a byte-order mark",
        b"o\x00r\x00d\x00e\x00r\x00\x0a\x00t\x00w\x00o\x00\x0a\x00",
        "UTF-16 text",
    ),
    (
        "UTF-16BE without a byte-order mark",
        b"\x00o\x00r\x00d\x00e\x00r\x00\x0a\x00t\x00w\x00o\x00\x0a",
        "UTF-16 text",
    ),
];

/// Text that is neither a key, nor sealed, nor ciphertext.
const TEXT: &[Kind] = &[
    ("a certificate", b"-----BEGIN CERTIFICATE-----\nMIIB\n", "a certificate in PEM form"),
    ("an OpenSSH key", b"ssh-ed25519 AAAAC3Nz me@host\n", "an OpenSSH public key"),
    ("a web page", b"<!doctype html><title>x</title>\n", "a web page"),
    ("a signed token", b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln\n", "a signed token (JWS, alg ES256)"),
    (
        "a quoted order",
        b"\"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0....\"\n",
        "a sealed order in quotation marks",
    ),
];

/// What every command that reads keys refuses.
const NO_KEYS: &[Kind] = &[
    ("sealed orders", b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0....\n", "sealed orders"),
    (
        "a stream",
        b"eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIn0.A.A.A.A\n\x93\x01\x7f",
        "sealed orders",
    ),
    ("DER", b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22", "DER data"),
    ("JSON", b"{\"order\":1}\n", "a JSON text"),
    ("an array of keys", b"[\n {\"kty\":\"oct\",\"k\":\"AA\"}\n]\n", "a JSON array of keys"),
    ("another array", b"[{\"id\":1}]\n", "a JSON text"),
];

/// A folder with keys of every kind, and the files `orders` and `input`.
fn lab() -> Lab {
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.ok("keygen --alg A256KW -o kek.jwk");
    lab.write("des.key", "0123456789abcdef");
    lab
}

/// Runs `line` on each kind of input in the file `input`, and on standard input if it reads that.
#[track_caller]
fn each(lab: &Lab, line: &str, kinds: &[&[Kind]]) {
    for (name, bytes, found) in kinds.iter().copied().flatten() {
        lab.write("input", bytes);
        let words = &[&format!("found {found}") as &str, ", expected "];
        let from_file = lab.run(line, b"");
        assert_eq!(from_file.code, Some(3), "{name}: {line}: {}", from_file.stderr);
        from_file.says(&["input: "]).says(words);
        // What is handed out is recorded in a keyring, which therefore cannot be a pipe.
        if line.starts_with("bundle client --keys") {
            continue;
        }
        let piped = line.replace("input", "-");
        let run = lab.run(&piped, bytes);
        assert_eq!(run.code, Some(3), "{name}: {piped}: {}", run.stderr);
        run.says(words);
        assert!(!lab.has("out"), "{name}: {line}");
    }
}

#[test]
fn a_wrong_key_file_is_named_by_every_command() {
    let lab = lab();
    for line in [
        "encrypt --key input orders.ndjson -o out",
        "encrypt --bundle input orders.ndjson -o out",
        "wrap --with input kek.jwk -o out",
        "wrap --with kek.jwk input -o out",
        "decrypt --key input orders.ndjson -o out",
        "decrypt --bundle input orders.ndjson -o out",
        "bundle shop --keys input -o out",
        "bundle client --keys input -o out",
    ] {
        each(&lab, line, &[NO_LINES, UTF_16, TEXT, NO_KEYS]);
    }
}

#[test]
fn hints_say_how_to_use_a_quoted_order_and_an_array_of_keys() {
    let lab = lab();
    lab.write("keys.json", r#"[{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw"}]"#);
    let set = "hint: a JWK Set is an object with this array in it: {\"keys\":[…]}";
    lab.refused(3, "encrypt --key keys.json orders.ndjson").says(&[set]);
    lab.refused(3, "inspect keys.json").says(&["found a JSON array of keys", set]);
    let sealed = lab.ok("encrypt --key kek.jwk orders.ndjson").text();
    let quoted: String = sealed.lines().map(|line| format!("\"{line}\",\n")).collect();
    lab.refused_with(3, "decrypt --key kek.jwk", quoted.as_bytes()).says(&[
        "line 1: found a sealed order in quotation marks",
        "hint: remove the quotation marks",
    ]);
    lab.refused_with(3, "inspect", quoted.as_bytes()).says(&["in quotation marks"]);
}

#[test]
fn a_wrong_input_is_named_by_the_commands_that_read_it() {
    let lab = lab();
    each(&lab, "inspect input", &[NO_LINES, UTF_16, TEXT]);
    for line in ["decrypt --key kek.jwk input -o out", "decrypt --key kek.jwk input --check"] {
        each(&lab, line, &[NO_LINES, UTF_16, TEXT]);
    }
    each(
        &lab,
        "bundle client --keyring service.jwks --page input -o out",
        &[NO_LINES, UTF_16, TEXT],
    );
    for line in [
        "convert --from des-cbc --from-key input --iv des.key orders.ndjson -o out",
        "convert --from toydes-ecb --from-key input orders.ndjson -o out",
        "convert --from des-cbc --from-key des.key --iv input orders.ndjson -o out",
    ] {
        each(&lab, line, &[NO_LINES, TEXT]);
    }
    for line in [
        "convert --from des-cbc --from-key des.key --iv-in-front input -o out",
        "convert --from des-cbc --from-key des.key --iv-in-front input --key kek.jwk -o out",
        "convert --from des-cbc --from-key des.key --iv-in-front input --key kek.jwk --stream -o out",
    ] {
        each(&lab, line, &[NO_LINES, TEXT]);
    }
}

#[test]
fn what_cannot_be_lines_is_not_sealed_as_lines() {
    let lab = lab();
    let client = lab.read("client.jwks");
    each(&lab, "encrypt --key kek.jwk input -o out", &[NO_LINES, UTF_16]);
    each(&lab, "encrypt --key kek.jwk orders.ndjson input -o out", &[NO_LINES, UTF_16]);
    each(&lab, "encrypt --bundle client.jwks input -o out", &[NO_LINES, UTF_16]);
    assert_eq!(lab.read("client.jwks"), client, "no id is spent");
    for (name, bytes, _) in NO_LINES.iter().chain(UTF_16) {
        lab.write("input", bytes);
        lab.refused(3, "encrypt --key kek.jwk input").says(&["hint: ", "--document", "--text"]);
        for line in ["--document", "--stream", "--text"] {
            lab.ok(&format!("encrypt --key kek.jwk {line} input -o out --force"));
        }
        lab.ok("encrypt --key kek.jwk --document input -o out --force");
        assert_eq!(lab.ok("decrypt --key kek.jwk --document out").stdout, *bytes, "{name}");
    }
    lab.refused(3, "encrypt --key kek.jwk input").says(&["iconv"]);
    for other in ["--document", "--stream"] {
        assert_eq!(
            lab.run(&format!("encrypt --key kek.jwk --text {other} input"), b"").code,
            Some(2)
        );
    }
}

#[test]
fn the_text_of_old_data_is_looked_at_before_it_is_sealed_as_lines() {
    let lab = lab();
    lab.write("toy.key", "286");
    let gzip = NO_LINES[0].1;
    lab.write("plain", gzip);
    lab.ok("convert --to toydes-ecb --to-key toy.key --allow-weak plain -o old");
    let line = "convert --from toydes-ecb --from-key toy.key old --key kek.jwk";
    lab.refused(3, line).says(&["old: found gzip data, expected orders, one per line"]);
    lab.ok(&format!("{line} --text -o out"));
    lab.ok(&format!("{line} --document -o out --force"));
    assert_eq!(lab.ok("decrypt --key kek.jwk --document out").stdout, gzip);
}

#[test]
fn text_of_any_kind_is_sealed() {
    let lab = lab();
    for (name, text, warning) in [
        ("JSON", &b"{\"a\":1,\"b\":\"x\\ny\"}\n[1,\n\"2\"]\n"[..], None),
        ("JSON over several lines", b"[\n\"a,\",\n\"b\"\n]\n", None),
        ("CSV", b"id,note\n1,\"one line\"\n", None),
        ("PEM", b"-----BEGIN PRIVATE KEY-----\nMIIE\n", None),
        ("a NUL", b"nul \0 nul\n\0\n", None),
        ("the letters PK", b"PK\n\x03\x04\n", None),
        ("a zero and bytes", b"0\x05\x02\x01\x03\n", None),
        (
            "CSV with a line feed in quotes",
            b"id,note\n1,plain\n2,\"two\nlines\"\n",
            Some("warning: in: line 3: a field in quotes continues on the next line"),
        ),
        (
            "a byte-order mark",
            b"\xef\xbb\xbfone\ntwo\n",
            Some("warning: in: a byte-order mark (U+FEFF) at the beginning becomes part"),
        ),
    ] {
        lab.write("in", text);
        let run = lab.ok("encrypt --key kek.jwk in -o out --force");
        match warning {
            Some(warning) => {
                run.says(&[warning]);
                let quiet = lab.ok("encrypt --key kek.jwk in -o out --force --quiet");
                assert_eq!(quiet.stderr, "", "{name}");
                let text = lab.ok("encrypt --key kek.jwk in -o out --force --text");
                assert!(!text.stderr.contains("warning"), "{name}: {}", text.stderr);
            }
            None => assert!(!run.stderr.contains("warning"), "{name}: {}", run.stderr),
        }
        assert_eq!(lab.ok("decrypt --key kek.jwk out").stdout, text, "{name}");
    }
}

/// The first bytes come from a slow pipe in pieces; the first order is sealed before the second one
/// is written.
#[test]
fn pipes_are_looked_at_without_waiting_for_more_than_a_line() {
    let lab = lab();
    let mut child = Command::new(ORDERSEAL)
        .args(["encrypt", "--key", "kek.jwk"])
        .current_dir(lab.dir())
        .stdin(Stdio::piped())
        .stdout(File::create(lab.path("sealed")).expect("our folder"))
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"{\"a\":1}\n").expect("the program reads");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while lab.read("sealed").is_empty() {
        assert!(std::time::Instant::now() < deadline, "nothing is sealed");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    stdin.write_all(b"{\"a\":2}\n").expect("the program reads");
    drop(stdin);
    assert!(child.wait().expect("our child").success());
    assert_eq!(lab.ok("decrypt --key kek.jwk sealed").text(), "{\"a\":1}\n{\"a\":2}\n");
    let slow = "(printf '\\037\\213'; sleep 0.2; gzip -c orders.ndjson | tail -c +3) | \
                $ORDERSEAL encrypt --key kek.jwk";
    let run = lab.shell(slow);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    run.says(&["stdin: found gzip data, expected orders"]);
}
