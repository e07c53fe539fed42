//! Text that others wrote, where it is shown: nothing in it acts on a terminal or changes the order of
//! what is read.

mod common;

use common::{CEK, Lab, Parts, cek_jwk};

/// Characters that must not reach a terminal: they act on it, show nothing, or turn the direction.
const DECEPTIVE: [char; 12] = [
    '\u{1b}',
    '\u{9b}',
    '\u{61c}',
    '\u{200b}',
    '\u{200e}',
    '\u{2028}',
    '\u{202e}',
    '\u{2066}',
    '\u{2069}',
    '\u{feff}',
    '\u{e0041}',
    '\u{7f}',
];

#[track_caller]
fn is_harmless(line: &str, text: &str) {
    for character in DECEPTIVE {
        assert!(!text.contains(character), "{line}: {character:?} in {text:?}");
    }
}

#[test]
fn names_of_files_are_escaped_in_messages_and_reports() {
    let lab = Lab::new();
    // White space would end an argument of the lab's command lines.
    for character in DECEPTIVE.into_iter().filter(|character| !character.is_whitespace()) {
        let name = format!("a{character}b");
        lab.ok("keygen --alg A256GCM -o cek.jwk --force");
        for line in [
            "decrypt --key MISSING.jwk in",
            "inspect NAME",
            "erase --dry-run NAME",
            "erase --json --dry-run NAME",
            "keygen --alg A256GCM -o NAME",
        ] {
            lab.write(&name, lab.read("cek.jwk"));
            let run = lab.run(&line.replace("NAME", &name).replace("MISSING", &name), b"");
            is_harmless(line, &run.stderr);
            is_harmless(line, &run.text());
        }
        lab.run("erase NAME".replace("NAME", &name).as_str(), b"");
    }
}

#[test]
fn what_a_header_says_is_escaped_in_messages_and_reports() {
    let lab = Lab::new();
    lab.write("cek.jwk", cek_jwk());
    for character in DECEPTIVE {
        let odd: String = character
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        for header in [
            r#"{"alg":"dir","enc":"A256GCM","typ":"ODD"}"#,
            r#"{"alg":"ODD","enc":"A256GCM"}"#,
            r#"{"alg":"dir","enc":"ODD","kid":"ODD"}"#,
            r#"{"alg":"dir","enc":"A256GCM","crit":["ODD"]}"#,
            r#"{"ODD":1,"ODD":2}"#,
        ] {
            let line =
                Parts::seal(header.replace("ODD", &odd).as_bytes(), &CEK, b"order").line(b"");
            lab.write("sealed.jwe", format!("{line}\n"));
            for command in [
                "inspect sealed.jwe",
                "inspect --json sealed.jwe",
                "decrypt --key cek.jwk sealed.jwe",
                "decrypt --key cek.jwk --on-error skip sealed.jwe",
                "decrypt --key cek.jwk --check --json sealed.jwe",
            ] {
                let run = lab.run(command, b"");
                is_harmless(command, &run.stderr);
                is_harmless(command, &run.text());
            }
        }
    }
}
