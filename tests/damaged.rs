//! Files that were cut, altered or made up, of every kind that the program reads, each through every
//! command that reads it. Whatever a file holds, a command ends with exit code 0 or with a message and
//! one of the documented codes: never with a panic, an abort or a signal.
//!
//! `ORDERSEAL_DAMAGED` says how many files of each kind are tried (50 if it is not set).

mod common;

use std::fs;

use common::{FIXTURE, Lab, Run, complaint, lines, print};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A kind of file and the commands that read it.
struct Kind {
    /// The file in the lab that is damaged.
    file: &'static str,
    /// Command lines without the options that all get.
    commands: &'static [&'static str],
    /// One file is tried where others have so many: for what is slow on purpose.
    out_of: usize,
}

const fn kind(file: &'static str, commands: &'static [&'static str]) -> Kind {
    Kind { file, commands, out_of: 1 }
}

const KINDS: [Kind; 24] = [
    kind(
        "service.jwks",
        &[
            "inspect service.jwks",
            "inspect --json service.jwks",
            "bundle shop --keys service.jwks -o out",
            "bundle page --keys service.jwks -o out",
            "bundle client --keys service.jwks -o out",
            "bundle client --keys service.jwks --form html -o out",
            "keys admit bob service.jwks",
            "keys revoke alice service.jwks",
            "keygen --embodiment 4 --shop tokyo --orders 1 --into service.jwks",
            "erase --keys --dry-run service.jwks",
        ],
    ),
    kind(
        "public.jwks",
        &[
            "inspect public.jwks",
            "inspect --public public.jwks",
            "bundle shop --keys public.jwks -o out",
            "bundle client --keys public.jwks -o out",
        ],
    ),
    kind(
        "client.jwks",
        &[
            "inspect client.jwks",
            "encrypt --bundle client.jwks orders.ndjson -o out",
            "encrypt --bundle client.jwks --stream orders.ndjson -o out",
            "wrap --with client.jwks cek.jwk -o out",
            "erase --programs client.jwks",
        ],
    ),
    kind(
        "client6.jwks",
        &["inspect client6.jwks", "encrypt --bundle client6.jwks orders.ndjson -o out"],
    ),
    kind(
        "tokyo.jwks",
        &[
            "inspect tokyo.jwks",
            "decrypt --bundle tokyo.jwks sealed.jwe -o out",
            "decrypt --bundle tokyo.jwks --on-error skip --report report sealed.jwe -o out",
            "decrypt --bundle tokyo.jwks stream -o out",
        ],
    ),
    kind(
        "tokyo6.jwks",
        &["inspect tokyo6.jwks", "decrypt --bundle tokyo6.jwks sealed6.jwe -o out"],
    ),
    kind(
        "cek.jwk",
        &[
            "inspect cek.jwk",
            "encrypt --key cek.jwk orders.ndjson -o out",
            "decrypt --key cek.jwk body.jwe -o out",
            "wrap --with client.jwks cek.jwk -o out",
            "convert --from des-cbc --from-key old.key --iv old.iv archive.bin --key cek.jwk -o out",
        ],
    ),
    kind(
        "rsa.jwk",
        &[
            "inspect rsa.jwk",
            "inspect --public rsa.jwk",
            "encrypt --key rsa.jwk orders.ndjson -o out",
            "decrypt --key rsa.jwk rsa.jwe -o out",
        ],
    ),
    kind(
        "knapsack.jwk",
        &[
            "inspect knapsack.jwk",
            "encrypt --key knapsack.jwk orders.ndjson -o out",
            "decrypt --key knapsack.jwk knapsack.jwe -o out",
        ],
    ),
    kind(
        "pad.jwk",
        &[
            "inspect pad.jwk --sealed pad.jwe",
            "encrypt --key pad.jwk orders.ndjson -o out",
            "decrypt --key pad.jwk pad.jwe -o out",
        ],
    ),
    kind(
        "page.json",
        &["inspect page.json", "bundle client --keys service.jwks --page page.json -o out"],
    ),
    kind(
        "items.json",
        &[
            "bundle page --keys service.jwks --items items.json -o out",
            "bundle client --keys service.jwks --form html --items items.json -o out",
        ],
    ),
    kind(
        "fields.json",
        &["bundle client --keys service.jwks --form html --fields fields.json -o out"],
    ),
    kind("order.html", &["inspect order.html", "decrypt --bundle tokyo.jwks order.html"]),
    kind(
        "sealed.jwe",
        &[
            "inspect sealed.jwe",
            "inspect --json sealed.jwe",
            "decrypt --bundle tokyo.jwks sealed.jwe -o out",
            "decrypt --bundle tokyo.jwks --on-error skip --report report sealed.jwe -o out",
            "decrypt --bundle tokyo.jwks --check --json sealed.jwe",
        ],
    ),
    kind(
        "sealed6.jwe",
        &["inspect sealed6.jwe", "decrypt --bundle tokyo6.jwks sealed6.jwe -o out"],
    ),
    kind("pad.jwe", &["inspect pad.jwk --sealed pad.jwe", "decrypt --key pad.jwk pad.jwe -o out"]),
    kind("knapsack.jwe", &["decrypt --key knapsack.jwk knapsack.jwe -o out"]),
    kind("stream", &["inspect stream", "decrypt --bundle tokyo.jwks stream -o out"]),
    kind("cek.jwe", &["inspect cek.jwe", "decrypt --bundle tokyo.jwks cek.jwe -o out"]),
    Kind {
        file: "typed.txt",
        commands: &["encrypt --bundle client.jwks --typed-key typed.txt orders.ndjson -o out"],
        out_of: 20,
    },
    kind(
        "archive.bin",
        &[
            "convert --from des-cbc --from-key old.key --iv old.iv archive.bin -o out",
            "convert --from des-cbc --from-key old.key --iv-in-front archive.bin -o out",
            "convert --from des-cbc --from-key old.key --iv old.iv archive.bin --key cek.jwk -o out",
        ],
    ),
    kind("old.key", &["convert --from des-cbc --from-key old.key --iv old.iv archive.bin -o out"]),
    kind("seed", &["keygen --alg A256GCM --rng lfsr --trinomial 127,63 --seed-file seed -o out"]),
];

/// A folder with a good file of every kind.
fn good_files() -> Lab {
    let lab = Lab::new();
    let weak = "--allow-weak --quiet";
    lab.keys("--embodiment 6 --rsa-bits 2048", 2);
    lab.ok(&format!("encrypt --bundle client.jwks orders.ndjson -o sealed6.jwe {weak}"));
    lab.shell(
        "mv service.jwks public.jwks; mv client.jwks client6.jwks; mv tokyo.jwks tokyo6.jwks",
    );
    lab.keys("--embodiment 4", 8);
    lab.ok("bundle client --keys service.jwks --on-demand --shop-out half.jwks --form html -o order.html");
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 30 --into service.jwks");
    lab.ok("keys admit alice carol service.jwks");
    lab.ok("keys revoke carol service.jwks");
    let orders: Vec<u8> = lines(FIXTURE).take(2).flat_map(|line| [line, b"\n"].concat()).collect();
    lab.write("orders.ndjson", &orders);
    lab.ok("encrypt --bundle client.jwks orders.ndjson -o sealed.jwe");
    lab.ok("encrypt --bundle client.jwks --stream orders.ndjson -o stream");
    for (alg, name) in [
        ("A256GCM", "cek"),
        ("RSA-OAEP-256 --rsa-bits 2048", "rsa"),
        ("MH-KNAPSACK", "knapsack"),
        ("VERNAM --pad-bytes 4096", "pad"),
    ] {
        lab.ok(&format!("keygen --alg {alg} -o {name}.jwk {weak}"));
        let sealed = if name == "cek" { "body" } else { name };
        lab.ok(&format!("encrypt --key {name}.jwk orders.ndjson -o {sealed}.jwe {weak}"));
    }
    lab.ok("wrap --with client.jwks cek.jwk -o cek.jwe");
    lab.write("items.json", ITEMS);
    lab.write("fields.json", FIELDS);
    lab.ok("bundle page --keys service.jwks --service https://service.example/ --items items.json -o page.json");
    lab.write("typed.txt", "nine plum trees behind the station\n");
    lab.write("old.key", "0123456789abcdef\n");
    lab.write("old.iv", "fedcba9876543210\n");
    lab.write("archive.bin", [0x5a; 640]);
    lab.write("seed", [0x5a; 16]);
    lab
}

const ITEMS: &str = r#"{"title":"茶屋","currency":"JPY","items":[
 {"id":1,"name":"緑茶","price":1280.0,"picture":"data:image/png;base64,iVBORw0KGgo="},
 {"id":"b","name":{"en":"Black tea","ja":"紅茶"},"price":980}]}"#;

const FIELDS: &str = r#"[{"name":"note","label":{"en":"Note","ja":"備考"},"type":"text"},
 {"name":"wrapping","label":"Wrapping","type":"choice","choices":["paper","cloth"],"required":true}]"#;

/// What may stand in the place of a value.
const ODD: [&str; 16] = [
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "0.1",
    "18446744073709551616",
    "\"\"",
    "\"A\"",
    "\"AA\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[[[[[[[[[[[[]]]]]]]]]]]]",
    "\"tokyo/../../x\"",
];

/// A damaged copy of a file.
fn damage(good: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let at = rng.random_range(0..bytes.len());
    let end = (at + rng.random_range(1..40)).min(bytes.len());
    match rng.random_range(0..8) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << rng.random_range(0..8),
        2 => bytes[at] = rng.random(),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.extend_from_within(at..end),
        5 => bytes.insert(at, *b"\0\n \"{}[].,:=-\xff\xef".get(at % 16).unwrap_or(&b'0')),
        6 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        // Another value, with the file whole around it.
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'.' | b'\n');
            let from = bytes[..at].iter().rposition(|byte| matches!(byte, b':' | b'[' | b'.'));
            let from = from.map_or(0, |from| from + 1);
            let to = bytes[at..].iter().position(is_end).map_or(bytes.len(), |len| at + len);
            bytes.splice(from..to.max(from), ODD[rng.random_range(0..ODD.len())].bytes());
        }
    }
    bytes
}

/// What is wrong with the end of a run, if anything is.
fn wrong(run: &Run) -> Option<String> {
    match run.code {
        Some(0) => None,
        Some(1..=7) => complaint(run),
        code => Some(format!("{}: exit code {code:?}: {}", run.line, run.stderr)),
    }
}

/// Tries damaged files of the kinds that `chosen` takes, and keeps those that do harm.
fn try_kinds(chosen: impl Fn(usize) -> bool) {
    let count: usize = std::env::var("ORDERSEAL_DAMAGED")
        .map_or(50, |text| text.parse().expect("ORDERSEAL_DAMAGED is a number"));
    let lab = good_files();
    let names = lab.names();
    let good: Vec<Vec<u8>> = names.iter().map(|name| lab.read(name)).collect();
    let mut complaints = Vec::new();
    let (mut files, mut runs) = (0, 0);
    for (number, Kind { file, commands, out_of }) in KINDS.iter().enumerate() {
        if !chosen(number) {
            continue;
        }
        let original = &good[names.iter().position(|name| name == file).expect("it was made")];
        let mut rng = StdRng::seed_from_u64(number as u64);
        for _ in 0..count.div_ceil(*out_of) {
            let damaged = damage(original, &mut rng);
            files += 1;
            for command in *commands {
                lab.write(file, &damaged);
                let run = lab.run(&format!("{command} --allow-weak --quiet"), b"");
                runs += 1;
                if let Some(complaint) = wrong(&run) {
                    complaints.push(format!("{complaint}\n{file}: {}", hex::encode(&damaged)));
                }
                for output in ["out", "report"] {
                    drop(fs::remove_file(lab.path(output)));
                }
                for (name, content) in names.iter().zip(&good) {
                    if !lab.has(name) || lab.read(name) != *content {
                        lab.write(name, content);
                    }
                }
            }
        }
    }
    print(&format!("{files} damaged files in {runs} runs"));
    assert!(complaints.is_empty(), "{} of {runs}:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn damaged_files_of_the_first_kinds_end_in_a_message() {
    try_kinds(|kind| kind % 4 == 0);
}

#[test]
fn damaged_files_of_the_second_kinds_end_in_a_message() {
    try_kinds(|kind| kind % 4 == 1);
}

#[test]
fn damaged_files_of_the_third_kinds_end_in_a_message() {
    try_kinds(|kind| kind % 4 == 2);
}

#[test]
fn damaged_files_of_the_fourth_kinds_end_in_a_message() {
    try_kinds(|kind| kind % 4 == 3);
}
