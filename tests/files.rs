//! What someone does with files, links, limits and names around the command.

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use common::Lab;

/// The permission bits of a file.
fn mode(lab: &Lab, name: &str) -> u32 {
    fs::metadata(lab.path(name)).expect("the file is there").mode() & 0o777
}

#[test]
fn key_files_are_private_whatever_the_umask() {
    let lab = Lab::new();
    let run = lab.shell(
        "umask 000; set -e
        $ORDERSEAL keygen --embodiment 4 --shop tokyo --orders 4 -o service.jwks
        $ORDERSEAL keygen --embodiment 4 --shop osaka --orders 4 --into service.jwks
        $ORDERSEAL bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks
        $ORDERSEAL bundle client --keys service.jwks --shop tokyo -o client.jwks
        $ORDERSEAL bundle client --keys service.jwks --shop tokyo --on-demand --shop-out half.jwks -o second.jwks
        $ORDERSEAL keygen --alg A256GCM -o cek.jwk
        $ORDERSEAL wrap --with client.jwks cek.jwk -o cek.jwe
        $ORDERSEAL decrypt --bundle tokyo.jwks cek.jwe -o cek2.jwk
        $ORDERSEAL erase --keys second.jwks",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for name in lab.names().iter().filter(|name| name.contains(".jwk")) {
        assert_eq!(mode(&lab, name), 0o600, "{name}");
    }
}

#[test]
fn sealed_orders_have_the_mode_that_the_umask_gives_and_opened_ones_are_private() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    for (umask, expected) in [("000", 0o666), ("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let run = lab.shell(&format!(
            "umask {umask}; set -e; echo tea > order; echo old > replaced.jwe; chmod 604 replaced.jwe
            $ORDERSEAL encrypt --bundle client.jwks order -o new.jwe
            $ORDERSEAL encrypt --bundle client.jwks order -o replaced.jwe --force
            $ORDERSEAL decrypt --bundle tokyo.jwks new.jwe -o opened"
        ));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let modes = ["new.jwe", "replaced.jwe", "opened"].map(|name| mode(&lab, name));
        assert_eq!(modes, [expected, expected, 0o600], "umask {umask}");
        lab.shell("rm -f new.jwe replaced.jwe opened");
    }
}

#[test]
fn a_umask_that_takes_the_owners_bits_makes_no_unreadable_key_file() {
    let lab = Lab::new();
    let run = lab.shell("umask 777; $ORDERSEAL keygen --embodiment 4 --shop tokyo -o service.jwks");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(mode(&lab, "service.jwks"), 0o600);
}

#[test]
fn secrets_that_others_can_read_are_refused() {
    let lab = Lab::with_keys("--embodiment 4", 4);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"order\n").stdout;
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    for bits in [0o640, 0o604, 0o660, 0o644] {
        for name in ["service.jwks", "tokyo.jwks", "client.jwks", "cek.jwk"] {
            lab.mode(name, bits);
        }
        for line in [
            "bundle shop --keys service.jwks -o other.jwks",
            "bundle client --keys service.jwks -o other.jwks",
            "keygen --embodiment 4 --shop osaka --orders 1 --into service.jwks",
            "encrypt --bundle client.jwks",
            "encrypt --key cek.jwk",
            "wrap --with client.jwks cek.jwk",
            "decrypt --bundle tokyo.jwks",
        ] {
            lab.refused_with(4, line, &sealed).says(&["--allow-readable-keys"]);
            assert!(!lab.has("other.jwks"));
        }
    }
    assert_eq!(
        lab.ok_with("decrypt --allow-readable-keys --bundle tokyo.jwks", &sealed).stdout,
        b"order\n"
    );
}

#[test]
fn outputs_do_not_follow_symbolic_links() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"order\n").stdout;
    lab.write("sealed.jwe", &sealed);
    lab.write("precious", "precious");
    for line in [
        "keygen --embodiment 2 --shop tokyo -o LINK",
        "bundle shop --keys service.jwks -o LINK",
        "bundle client --keys service.jwks -o LINK",
        "encrypt --bundle client.jwks orders.ndjson -o LINK",
        "decrypt --bundle tokyo.jwks sealed.jwe -o LINK",
    ] {
        for force in ["", " --force"] {
            let line = line.replace("LINK", "link") + force;
            symlink("precious", lab.path("link")).unwrap();
            let run = lab.run(&line, b"");
            assert!(
                !force.is_empty() || run.code == Some(2),
                "{line}: {:?} {}",
                run.code,
                run.stderr
            );
            assert_eq!(lab.read("precious"), b"precious", "{line}");
            fs::remove_file(lab.path("link")).unwrap();

            symlink("nowhere", lab.path("link")).unwrap();
            lab.run(&line, b"");
            assert!(!lab.has("nowhere"), "{line}");
            fs::remove_file(lab.path("link")).unwrap();
        }
    }
}

#[test]
fn key_files_are_read_through_links_but_not_changed_through_them() {
    let lab = Lab::with_keys("--embodiment 4", 4);
    symlink("tokyo.jwks", lab.path("shop-link.jwks")).unwrap();
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"order\n").stdout;
    assert_eq!(lab.ok_with("decrypt --bundle shop-link.jwks", &sealed).stdout, b"order\n");

    symlink("service.jwks", lab.path("link.jwks")).unwrap();
    symlink("client.jwks", lab.path("client-link.jwks")).unwrap();
    let before = (lab.read("service.jwks"), lab.read("client.jwks"));
    for line in [
        "keygen --embodiment 4 --shop osaka --orders 1 --into link.jwks",
        "bundle client --keys link.jwks -o other.jwks",
        "keys admit alice link.jwks",
        "keys revoke alice shop-link.jwks",
        "encrypt --bundle client-link.jwks",
        "erase --keys client-link.jwks",
    ] {
        let run = lab.run(line, b"order\n");
        assert!(matches!(run.code, Some(1..=4)), "{line}: {:?}", run.code);
        assert!(run.stdout.is_empty(), "{line}");
        assert_eq!((lab.read("service.jwks"), lab.read("client.jwks")), before, "{line}");
        assert!(lab.path("link.jwks").is_symlink() && lab.path("client-link.jwks").is_symlink());
    }
}

#[test]
fn nothing_is_overwritten_without_force() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("sealed.jwe", lab.ok_with("encrypt --bundle client.jwks", b"order\n").stdout);
    lab.write("there", "precious");
    lab.ok("bundle page --keys service.jwks --service https://service.example/ -o page.json");
    for line in [
        "keygen --embodiment 2 --shop tokyo -o there",
        "keygen --alg A256GCM -o there",
        "bundle shop --keys service.jwks -o there",
        "bundle page --keys service.jwks --service https://service.example/ -o there",
        "bundle form --page page.json -o there",
        "bundle client --keys service.jwks -o there",
        "encrypt --bundle client.jwks orders.ndjson -o there",
        "decrypt --bundle tokyo.jwks sealed.jwe -o there",
    ] {
        lab.refused(2, line).says(&["there", "--force"]);
        assert_eq!(lab.read("there"), b"precious");
    }
    lab.ok("decrypt --bundle tokyo.jwks sealed.jwe -o there --force");
    assert_eq!(lab.read("there"), b"order\n");
}

#[test]
fn input_and_output_may_not_be_the_same_file() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    fs::create_dir(lab.path("folder")).unwrap();
    fs::hard_link(lab.path("orders.ndjson"), lab.path("hard")).unwrap();
    symlink("orders.ndjson", lab.path("soft")).unwrap();
    let before = lab.read("orders.ndjson");
    for output in ["orders.ndjson", "./orders.ndjson", "folder/../orders.ndjson", "hard", "soft"] {
        lab.refused(2, &format!("encrypt --bundle client.jwks orders.ndjson -o {output} --force"));
        assert_eq!(lab.read("orders.ndjson"), before, "{output}");
    }
    for script in [
        "$ORDERSEAL encrypt --bundle client.jwks orders.ndjson >> orders.ndjson",
        "$ORDERSEAL encrypt --bundle client.jwks < orders.ndjson >> orders.ndjson",
        "$ORDERSEAL encrypt --bundle client.jwks -o orders.ndjson --force < orders.ndjson",
        "$ORDERSEAL encrypt --bundle client.jwks soft -o hard --force",
    ] {
        assert_eq!(lab.shell(script).code, Some(2), "{script}");
        assert_eq!(lab.read("orders.ndjson"), before, "{script}");
    }
    // Nor may a key file be an output.
    let keys = lab.read("client.jwks");
    lab.refused(2, "encrypt --bundle client.jwks orders.ndjson -o client.jwks --force");
    assert_eq!(lab.read("client.jwks"), keys);
}

#[test]
fn names_that_could_be_paths_or_options_are_refused() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let long = "a".repeat(65);
    for name in [
        "../x",
        "a/b",
        "/x",
        ".x",
        "..",
        "-x",
        "",
        &long,
        "東京",
        "a\nb",
        "a b",
        "\u{1b}[31mred",
        "a\u{202e}b",
    ] {
        for before in [
            vec!["keygen", "--embodiment", "2", "-o", "other.jwks"],
            vec!["bundle", "shop", "--keys", "service.jwks", "-o", "other.jwks"],
            vec![
                "bundle",
                "client",
                "--keys",
                "service.jwks",
                "--user",
                "alice",
                "-o",
                "other.jwks",
            ],
        ] {
            let output =
                lab.command("").args(&before).arg(format!("--shop={name}")).output().unwrap();
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(
                matches!(output.status.code(), Some(2 | 3)),
                "{before:?} {name:?}: {:?} {message}",
                output.status
            );
            assert!(!message.contains('\u{1b}'), "{message:?}");
            assert!(!lab.has("other.jwks"));
        }
        for (line, user) in [
            ("bundle client --keys service.jwks -o other.jwks", format!("--user={name}")),
            ("keys admit --keyring service.jwks --", name.to_owned()),
            ("keys revoke --keyring service.jwks --", name.to_owned()),
        ] {
            let output = lab.command(line).arg(user).output().unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(2 | 3)), "{line} {name:?}: {:?}", output.status);
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(!message.contains('\u{1b}'), "{message:?}");
        }
    }
    for name in ["_x", "a", "A-1.b_c", &"a".repeat(64)] {
        lab.ok(&format!("keygen --embodiment 2 --shop {name} -o other.jwks --force"));
    }
}

#[test]
fn a_line_without_end_is_refused_in_little_memory() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    for command in ["encrypt --bundle client.jwks", "decrypt --bundle tokyo.jwks"] {
        let script = format!(
            "ulimit -v 204800; head -c 4G /dev/zero | $ORDERSEAL {command} -o output; exit ${{PIPESTATUS[1]}}"
        );
        let run = lab.shell(&script);
        assert_eq!(run.code, Some(3), "{command}: {}", run.stderr);
        run.says(&["stdin: line 1"]);
        assert!(!lab.has("output"));
    }
    let script = "ulimit -v 204800; head -c 1G /dev/zero > big.jwks; chmod 600 big.jwks; $ORDERSEAL inspect big.jwks; code=$?; rm big.jwks; exit $code";
    assert_eq!(lab.shell(script).code, Some(3));
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let run = lab.shell(
        "ulimit -v 204800
        orders() { yes \"$(head -c 2000 /dev/zero | tr '\\0' x)\" | head -n 150000; }
        orders | $ORDERSEAL encrypt --bundle client.jwks | $ORDERSEAL decrypt --bundle tokyo.jwks | cksum
        orders | cksum",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let text = run.text();
    let sums: Vec<_> = text.lines().collect();
    assert_eq!(sums[0], sums[1], "300 MB came back in 200 MB");
    assert!(sums[0].ends_with(" 300150000"));
}

#[test]
fn absurd_numbers_are_refused() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    for line in [
        "keygen --embodiment 4 --shop tokyo --orders -1 -o other.jwks",
        "keygen --embodiment 4 --shop tokyo --orders 99999999999999999999 -o other.jwks",
        "keygen --embodiment 4 --shop tokyo --orders 18446744073709551615 -o other.jwks",
        "keygen --embodiment 6 --shop tokyo --rsa-bits 1000000 -o other.jwks",
        "bundle client --keys service.jwks --orders 0 -o other.jwks",
        "encrypt --bundle client.jwks --threads 0 orders.ndjson -o other.jwe",
    ] {
        let run = lab.run(line, b"");
        assert!(matches!(run.code, Some(2 | 4)), "{line}: {:?} {}", run.code, run.stderr);
    }
    lab.refused(4, "bundle client --keys service.jwks --orders 4000000000 -o other.jwks");
    assert!(!lab.has("other.jwks"));
}
