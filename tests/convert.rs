//! Old DES and triple-DES data: decrypted, or sealed under a modern key, as the help says it.

#[path = "convert/archives.rs"]
mod archives;
mod common;

use archives::{SALTED, TEXT, base64};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherEncrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use common::{FIXTURE, Lab, not_run};
use des::{Des, TdesEde3};

const KEY: [u8; 24] = *b"eight by8 second third !";
const IV: [u8; 8] = *b"initvect";

/// printf 'with an IV of zeros\n' | openssl enc -des-ede3-cbc -K $(printf 'eight by8 second third !' | xxd
/// -p -c99) -iv 0000000000000000 -a
const ZERO_IV: &str = "l+xy+x8yxDPT1NBC3bz/FFbCDprcDmLh\n";

const FROM: &str = "convert --from des-ede3-cbc --from-key old.key --iv old.iv";

fn encrypt<C: BlockCipherEncrypt + KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mode = cbc::Encryptor::<C>::new_from_slices(key, &IV).unwrap();
    let mut data = [text, &[0; 8]].concat();
    mode.encrypt_padded::<Pkcs7>(&mut data, text.len()).unwrap().to_vec()
}

/// A folder with `old.key`, `old.iv`, and the orders of the fixture as `archive.bin`.
fn archive() -> Lab {
    let lab = Lab::new();
    lab.write("old.key", KEY);
    lab.write("old.iv", IV);
    lab.write("archive.bin", encrypt::<TdesEde3>(&KEY, FIXTURE));
    lab
}

#[test]
fn old_data_is_decrypted_to_a_file_and_through_a_pipe() {
    let lab = archive();
    let run = lab.ok(&format!("{FROM} archive.bin -o archive.ndjson"));
    run.says(&["orderseal: warning: des-ede3-cbc has no tag"]);
    assert_eq!(run.stdout, b"");
    assert_eq!(lab.read("archive.ndjson"), FIXTURE);
    let data = lab.read("archive.bin");
    for threads in [1, 2] {
        let run = lab.ok_with(&format!("{FROM} --threads {threads} --quiet"), &data);
        assert!(run.stdout == FIXTURE);
        assert_eq!(run.stderr, "");
    }
    let report = lab.ok(&format!("{FROM} archive.bin --json -o archive.ndjson --force")).json();
    assert_eq!(report["bytes_read"], data.len());
    assert_eq!(report["bytes_written"], FIXTURE.len());
}

#[test]
fn old_data_is_sealed_under_a_modern_key_without_being_written() {
    let lab = archive();
    lab.keys("--embodiment 2", 1);
    lab.ok(&format!("{FROM} archive.bin --bundle client.jwks -o sealed.jwe"));
    assert!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout == FIXTURE);
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok(&format!("{FROM} archive.bin --key cek.jwk -o body.jwe"));
    assert!(lab.ok("decrypt --key cek.jwk body.jwe").stdout == FIXTURE);
    lab.ok(&format!("{FROM} archive.bin --bundle client.jwks --stream -o archive.sealed"));
    assert!(lab.ok("decrypt --bundle tokyo.jwks archive.sealed").stdout == FIXTURE);
}

#[test]
fn a_failure_while_sealing_leaves_no_output() {
    let lab = archive();
    lab.ok("keygen --alg A256KW -o kek.jwk");
    let data = lab.read("archive.bin");
    lab.write("cut.bin", &data[..data.len() - 3]);
    let to = "--key kek.jwk -o sealed.jwe";
    lab.refused(3, &format!("{FROM} cut.bin {to}")).says(&["cut.bin: incomplete block at byte"]);
    lab.write("odd.bin", &data[..data.len() - 8]);
    lab.refused(5, &format!("{FROM} odd.bin {to}")).says(&["no PKCS #7 padding", "at byte"]);
    lab.refused(3, &format!("{FROM} cut.bin --stream {to}")).says(&["cut.bin: incomplete block"]);
    lab.refused(3, &format!("{FROM} cut.bin -o text"));
    assert!(!lab.has("sealed.jwe") && !lab.has("text"));
    lab.ok(&format!("{FROM} --padding none odd.bin -o text"));
    assert!(FIXTURE.starts_with(&lab.read("text")));
}

#[test]
fn keys_in_hexadecimal_two_key_triple_des_and_ivs_in_front_work() {
    let lab = archive();
    let (hex_key, hex_iv) = (hex::encode(KEY), hex::encode(IV));
    lab.write("old.key", format!("{hex_key}\n"));
    lab.write("old.iv", format!("{hex_iv}\n"));
    assert!(lab.ok(&format!("{FROM} archive.bin")).stdout == FIXTURE);
    lab.write("two.key", &KEY[..16]);
    let three = [&KEY[..16], &KEY[..8]].concat();
    lab.write("front.bin", [&IV[..], &encrypt::<TdesEde3>(&three, FIXTURE)].concat());
    let run = lab.ok("convert --from des-ede3-cbc --from-key two.key --iv-in-front front.bin");
    assert!(run.stdout == FIXTURE);
    lab.write("des.key", &KEY[..8]);
    lab.write("des.bin", encrypt::<Des>(&KEY[..8], FIXTURE));
    let run = lab.ok("convert --from des-cbc --from-key des.key --iv old.iv des.bin");
    assert!(run.stdout == FIXTURE);
}

/// The founding document's figure 2 (paragraph 0112): 0100 1101 under 001 010 000 110 is 1001 0111.
#[test]
fn the_example_of_figure_2_runs_both_ways() {
    let lab = Lab::new();
    const TO: &str = "convert --to toydes-ecb --to-key toy.key";
    const BACK: &str = "convert --from toydes-ecb --from-key toy.key";
    for key in ["286", " 286\n"] {
        lab.write("toy.key", key);
        let sealed = lab.ok_with(&format!("{TO} --allow-weak"), b"\x4d");
        assert_eq!((sealed.stdout, sealed.stderr.as_str()), (b"\x97".to_vec(), ""));
        let run = lab.ok_with(BACK, b"\x97");
        assert_eq!(run.stdout, b"\x4d");
        run.says(&["orderseal: warning: toydes-ecb has no tag"]);
    }
    // Longer than the pieces that are worked on at once.
    let text = FIXTURE.repeat(10);
    lab.write("text", &text);
    let report = lab.ok(&format!("{TO} text --allow-weak --json -o toy.bin")).json();
    assert_eq!(
        (&report["bytes_read"], &report["bytes_written"]),
        (&text.len().into(), &text.len().into())
    );
    assert!(lab.ok(&format!("{BACK} toy.bin --threads 2")).stdout == text);

    lab.refused(4, &format!("{TO} text -o out")).says(&["toy.key: toydes-ecb is weak"]);
    for key in ["", "28", "0286", "28g", "\x02\x06", "+28", "2 6"] {
        lab.write("toy.key", key);
        for command in [TO, BACK] {
            lab.refused(3, &format!("{command} text --allow-weak -o out"))
                .says(&["toy.key: found", "expected a key for toydes-ecb: 3 hexadecimal digits"]);
        }
    }
    lab.write("toy.key", "286");
    for (rest, words) in [
        ("--from toydes-ecb --from-key toy.key --iv-in-front", "no initialization vector"),
        ("--from toydes-ecb --from-key toy.key --padding pkcs7", "no padding"),
        ("--from toydes-ecb", "--from-key"),
        ("--to toydes-ecb", "--to-key"),
        ("--to des-ecb --to-key toy.key --allow-weak", "toydes-ecb"),
        ("--to toydes-ecb --to-key toy.key --from des-ecb --from-key toy.key", "--from"),
        ("--to toydes-ecb --to-key toy.key --stream --allow-weak", "--stream"),
        ("", "--from"),
    ] {
        lab.refused(2, &format!("convert text -o out {rest}")).says(&[words]);
    }
    assert!(!lab.has("out"));
}

#[test]
fn weak_keys_decrypt_with_a_warning() {
    let lab = archive();
    for (key, words) in [
        ([0x01; 8].repeat(3), "K1 = K2"),
        ([&KEY[..16], &KEY[8..16]].concat(), "K2 = K3"),
        ([&KEY[..16], &[0xfe; 8]].concat(), "weak DES key"),
    ] {
        lab.write("old.key", &key);
        lab.write("archive.bin", encrypt::<TdesEde3>(&key, b"old text"));
        let run = lab.ok(&format!("{FROM} archive.bin"));
        assert_eq!(run.stdout, b"old text");
        run.says(&["orderseal: warning: old.key: ", words]);
    }
}

#[test]
fn wrong_files_and_options_are_refused_with_what_was_expected() {
    let lab = archive();
    lab.write("short", b"12345");
    lab.write("zz", [b'z'; 48]);
    let from = "convert archive.bin -o out --from";
    for (code, rest, words) in [
        (3, "des-ede3-cbc --from-key short --iv old.iv", "24 or 16 bytes, or 48 or 32 hexadecimal"),
        (3, "des-ede3-cbc --from-key zz --iv old.iv", "not all hexadecimal digits"),
        (3, "des-ede3-cbc --from-key old.key --iv short", "short: found 5 bytes, expected an IV"),
        (3, "des-cbc --from-key old.key --iv old.iv", "8 bytes, or 16 hexadecimal digits"),
        (3, "des-ede3-cbc --from-key archive.bin --iv old.iv", "archive.bin: longer than"),
        (1, "des-ede3-cbc --from-key none --iv old.iv", "none"),
        (2, "des-ede3-cbc --from-key old.key", "--iv"),
        (2, "des-ede3-cbc --from-key old.key --iv old.iv --iv-in-front", "--iv"),
        (2, "des-ede3-ecb --from-key old.key --iv old.iv", "no initialization vector"),
        (2, "des-ede3-ctr --from-key old.key --iv old.iv --padding pkcs7", "no padding"),
        (
            2,
            "des-ede3-cfb1 --from-key old.key --iv old.iv",
            "a similar value exists: 'des-ede3-cfb'",
        ),
        (2, "desx-cbc --from-key old.key --iv old.iv", "a similar value exists: 'des-cbc'"),
        (2, "des-cfb --from-key old.key --iv old.iv --padding x923", "no padding"),
        (
            2,
            "des3 --from-key old.key --iv old.iv --from-password-file old.key",
            "--from-password-file",
        ),
        (2, "des3 --from-password-file old.key --iv zero", "--iv"),
        (2, "des3 --from-key old.key --iv zero --kdf md5", "--kdf <NAME>"),
        (2, "des3 --from-key old.key --iv zero --kdf-rounds 9", "--kdf-rounds <N>"),
        (2, "des3 --from-key old.key --iv zero --record line", "--armor"),
        (2, "des3 --iv zero", "--from-key or --from-password-file"),
        (2, "des3 --from-key old.key --iv zero --armor hex --columns value,iv", "--record"),
        (
            2,
            "des3 --from-key old.key --iv zero --armor hex --record line --columns value,iv",
            "--columns",
        ),
        (
            2,
            "des3 --from-key old.key --iv zero --armor hex --record line --columns value,key",
            "--columns",
        ),
        (2, "des-ecb --armor hex --record line --columns value,key,iv", "no initialization vector"),
        (2, "des3 --from-key old.key --iv zero --on-error skip", "--record line"),
        (2, "des3 --from-password-file old.key --kdf md5 --kdf-rounds 2", "pbkdf2"),
        (3, "des3 --from-password-file old.key", "no salt in front"),
        (2, "des-ede3-cbc --from-key old.key --iv old.iv --bundle a --key b", "--key"),
        (2, "des-ede3-cbc --from-key old.key --iv old.iv --enc A128GCM", "--key"),
        (2, "des-ede3-cbc --from-key old.key --iv old.iv --stream", "--bundle"),
    ] {
        lab.refused(code, &format!("{from} {rest}")).says(&[words]);
        assert!(!lab.has("out"), "{rest}");
    }
    for output in ["archive.bin", "old.key", "old.iv"] {
        lab.refused(2, &format!("{FROM} archive.bin --force -o {output}"))
            .says(&["is both input and output"]);
    }
    lab.mode("old.key", 0o644);
    lab.refused(4, &format!("{FROM} archive.bin")).says(&["old.key", "0644"]);
    lab.ok(&format!("{FROM} archive.bin --allow-readable-keys"));
}

#[test]
fn the_examples_of_the_help_run_as_printed() {
    let lab = archive();
    lab.keys("--embodiment 2", 1);
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let data = lab.read("archive.bin");
    lab.write("old.bin", &data);
    lab.write("front.bin", [&IV[..], &data].concat());
    lab.write("toy.key", "286");
    lab.write("toy.bin", b"\x97");
    lab.write("zero.b64", ZERO_IV);
    lab.write(
        "column.hex",
        hex::encode([&IV[..], &encrypt::<TdesEde3>(&KEY, b"a value")].concat()),
    );
    lab.write("password.txt", "hunter2\n");
    lab.write("salted.bin", base64(SALTED[0].2));
    let help = lab.ok("convert --help").text();
    let (_, examples) = help.split_once("Examples:\n").expect("help has examples");
    let run = lab.shell(&format!("orderseal() {{ \"$ORDERSEAL\" \"$@\"; }}; set -e\n{examples}"));
    assert_eq!(run.code, Some(0), "{examples}: {}", run.stderr);
    assert_eq!((lab.read("toy.txt"), lab.read("toy.bin")), (b"\x4d".to_vec(), b"\x97".to_vec()));
    assert_eq!(lab.read("zero.ndjson"), b"with an IV of zeros\n");
    assert_eq!(
        (lab.read("column.txt"), lab.read("salted.txt")),
        (b"a value\n".to_vec(), TEXT.to_vec())
    );
    for text in ["old.ndjson", "front.ndjson"] {
        assert!(lab.read(text) == FIXTURE, "{text}");
    }
    for (sealed, key) in [
        ("sealed.jwe", "--bundle tokyo.jwks"),
        ("body.jwe", "--key cek.jwk"),
        ("old.sealed", "--bundle tokyo.jwks"),
    ] {
        assert!(lab.ok(&format!("decrypt {key} {sealed}")).stdout == FIXTURE, "{sealed}");
    }
}

#[test]
fn what_openssl_encrypted_decrypts() {
    let lab = Lab::new();
    if lab.shell("openssl version").code != Some(0) {
        return not_run("data that openssl encrypted", "openssl is not installed");
    }
    lab.write("text", FIXTURE);
    lab.write("old.iv", IV);
    // Single DES is in OpenSSL's legacy provider, which not every installation has.
    let ciphers = [("des-ede3-cbc", 24), ("des-ede-cbc", 16), ("des-ede3-ecb", 24)];
    for (cipher, key_length) in ciphers {
        let (key, iv) = (&KEY[..key_length], hex::encode(IV));
        lab.write("old.key", key);
        let (from, iv) = match cipher {
            "des-ede3-ecb" => ("des-ede3-ecb", String::new()),
            _ => ("des-ede3-cbc", format!("-iv {iv}")),
        };
        let key = hex::encode(key);
        let made =
            lab.shell(&format!("openssl enc -e -{cipher} -K {key} {iv} -in text -out archive.bin"));
        assert_eq!(made.code, Some(0), "{cipher}: {}", made.stderr);
        let iv = if iv.is_empty() { "" } else { "--iv old.iv" };
        let run = lab.ok(&format!("convert --from {from} --from-key old.key {iv} archive.bin"));
        assert!(run.stdout == FIXTURE, "{cipher}");
        println!("compared with openssl: {cipher}");
    }
}
