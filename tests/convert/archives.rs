//! Archives in the forms that other software writes them: the values are the output of OpenSSL 3.0.19,
//! made as the comments say, with `-provider legacy -provider default` for single DES.

use hex::FromHex;
use serde_json::json;

use crate::common::Lab;

/// `K` of the commands; single DES and two-key triple DES take its beginning.
const K: &str = "0123456789abcdef23456789abcdef01456789abcdef0123";

const IV: &str = "0011223344556677";

pub const TEXT: &[u8] = b"an old record, 42";

/// printf 'an old record, 42' | openssl enc -NAME -K K -iv 0011223344556677
///
/// OpenSSL calls the ECB mode of triple DES `des-ede3` and `des-ede`.
const CIPHERS: [(&str, usize, &str); 18] = [
    ("des-ede3-cbc", 48, "4b6ab3abd23ccbd390d92f70f32416d52fefb28b273eb59b"),
    ("DES-EDE3-CBC", 48, "4b6ab3abd23ccbd390d92f70f32416d52fefb28b273eb59b"),
    ("DES3", 48, "4b6ab3abd23ccbd390d92f70f32416d52fefb28b273eb59b"),
    ("des-ede3", 48, "85989ae3dffc0d064a97539d458bbb193250dccf6ee5d96b"),
    ("des-ede3-ecb", 48, "85989ae3dffc0d064a97539d458bbb193250dccf6ee5d96b"),
    ("des-ede3-cfb", 48, "71f4caabbbffdaaf590cfceb94582a705d"),
    ("des-ede3-cfb8", 48, "719ed170dade4e8955bf61d7ab617ccdf4"),
    ("des-ede3-ofb", 48, "71f4caabbbffdaaf6975b9dadb7333fd09"),
    ("des-ede-cbc", 32, "d631930f98e9fabdc6eab58ca577f58b32404694cd3a9af5"),
    ("des-ede", 32, "dc3f2b38441962ba446f05197750df61a9b9849eccaa8cdc"),
    ("des-ede-cfb", 32, "b425f4842a112ca36ed15bfae0be74e596"),
    ("des-ede-ofb", 32, "b425f4842a112ca3025551a57b43249304"),
    ("des-cbc", 16, "988acad766dfc5c496ec52867c95cb142e534531d98f4441"),
    ("des", 16, "988acad766dfc5c496ec52867c95cb142e534531d98f4441"),
    ("des-ecb", 16, "6924e5d77a0dfc363ced138f8accdcae2748ea91d0c43373"),
    ("des-cfb", 16, "abb547ed824f68517d086c759fee4ec593"),
    ("des-cfb8", 16, "abd2835dbff3ffa48d8d3e7d30bbec4f75"),
    ("des-ofb", 16, "abb547ed824f68519f2e6442b7b1deac55"),
];

/// (printf 'Salted__'; echo a1b2c3d4e5f60718 | xxd -r -p; printf 'an old record, 42' | openssl enc -des3
/// -pass pass:hunter2 -S a1b2c3d4e5f60718 OPTIONS) | base64 -w0
///
/// OpenSSL writes the first 16 bytes itself if it chooses the salt.
pub const SALTED: [(&str, &str, &str); 8] = [
    ("", "", "U2FsdGVkX1+hssPU5fYHGL2xtT10fFYmGhKLBysU2cQws4wuxEjApA=="),
    ("-md md5", "--kdf md5", "U2FsdGVkX1+hssPU5fYHGA1A6uFueIIj07N3W01GjrxwZGEj+R5mFg=="),
    ("-md sha1", "--kdf sha1", "U2FsdGVkX1+hssPU5fYHGNs8VtKI5kpqAYIpjntB5ukasifgMuwrQA=="),
    ("-md sha512", "--kdf sha512", "U2FsdGVkX1+hssPU5fYHGNh5qh2IgsMGJ0yx1pq0KSWQ/VAIOT7oDA=="),
    ("-pbkdf2", "--kdf pbkdf2-sha256", "U2FsdGVkX1+hssPU5fYHGPJTHAMhjCwC+RzB1AuMmqioK7VDcoNHRQ=="),
    (
        "-pbkdf2 -md sha1",
        "--kdf pbkdf2-sha1",
        "U2FsdGVkX1+hssPU5fYHGD30l4VgesJzZjTeL1D1rSqL6wGak/er+w==",
    ),
    (
        "-pbkdf2 -md md5",
        "--kdf pbkdf2-md5",
        "U2FsdGVkX1+hssPU5fYHGOqu7FduA4kdfCxLBYbN2Kih3wat6x5G5w==",
    ),
    (
        "-pbkdf2 -md sha512 -iter 333",
        "--kdf pbkdf2-sha512 --kdf-rounds 333",
        "U2FsdGVkX1+hssPU5fYHGC3xSMeNOCCg2eqBA0USrotDOcGYVBjv6A==",
    ),
];

/// The text, padded by hand: (printf 'an old record, 42'; printf PADDING) | openssl enc -des-ede3-cbc
/// -K K -iv 0011223344556677 -nopad
const PADDED: [(&str, &str); 6] = [
    ("x923", "4b6ab3abd23ccbd390d92f70f32416d535e74ca205fd44dc"), // \0\0\0\0\0\0\7
    ("iso10126", "4b6ab3abd23ccbd390d92f70f32416d5c5ba83ac70f72b5d"), // random\7
    ("iso9797-m2", "4b6ab3abd23ccbd390d92f70f32416d52c3a1fba482d1fa1"), // \200\0\0\0\0\0\0
    ("zero", "4b6ab3abd23ccbd390d92f70f32416d5ca0177699f910be1"), // \0\0\0\0\0\0\0
    ("spaces", "4b6ab3abd23ccbd390d92f70f32416d5767d0b903b3b8414"), // seven spaces
    ("pkcs7", "4b6ab3abd23ccbd390d92f70f32416d52fefb28b273eb59b"), // \7\7\7\7\7\7\7
];

/// The same with paddings that are wrong in one byte.
const BADLY_PADDED: [(&str, &str); 3] = [
    ("x923", "4b6ab3abd23ccbd390d92f70f32416d528b8346ed564d644"), // \0\0\0\0\0\1\7
    ("iso10126", "4b6ab3abd23ccbd390d92f70f32416d534b962132a733255"), // \0\0\0\0\0\0\11
    ("iso9797-m2", "4b6ab3abd23ccbd390d92f70f32416d57458f4107fe4a3c6"), // \201\0\0\0\0\0\0
];

fn raw(digits: &str) -> Vec<u8> {
    Vec::from_hex(digits).unwrap()
}

pub fn base64(text: &str) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(text).unwrap()
}

/// A folder with the key of single DES, two-key and three-key triple DES in 16, 32 and 48 digits.
fn lab() -> Lab {
    let lab = Lab::new();
    for digits in [16, 32, 48] {
        lab.write(&format!("{digits}.key"), &K[..digits]);
    }
    lab.write("password", "hunter2\n");
    lab
}

fn iv(cipher: &str) -> String {
    match cipher.ends_with("ecb") || ["des-ede3", "des-ede"].contains(&cipher) {
        true => String::new(),
        false => format!("--iv {IV}"),
    }
}

#[test]
fn every_cipher_of_openssl_decrypts_under_its_name_there() {
    let lab = lab();
    for (cipher, digits, data) in CIPHERS {
        let iv = iv(cipher);
        let line = format!("convert --from {cipher} --from-key {digits}.key {iv} --quiet");
        assert_eq!(lab.ok_with(&line, &raw(data)).stdout, TEXT, "{cipher}");
        let lines = format!("{line} --armor hex --record line");
        let twice = format!("{data}\n{data}\n");
        let run = lab.ok_with(&lines, twice.as_bytes());
        assert_eq!(run.stdout, [TEXT, b"\n", TEXT, b"\n"].concat(), "{cipher}, line by line");
        let column = format!("{data}\t{}\n", &K[..digits]);
        let line = format!("convert --from {cipher} {iv} --armor hex --record line --columns");
        let run = lab.ok_with(&format!("{line} value,key --quiet"), column.repeat(9).as_bytes());
        assert_eq!(run.stdout, [TEXT, b"\n"].concat().repeat(9), "{cipher}, a key each");
    }
}

#[test]
fn every_padding_is_removed_and_a_wrong_one_writes_nothing() {
    let lab = lab();
    for (padding, data) in PADDED {
        let line = format!("convert --from des3 --from-key 48.key --iv {IV} --padding {padding}");
        assert_eq!(lab.ok_with(&line, &raw(data)).stdout, TEXT, "{padding}");
        match padding {
            "zero" | "spaces" => assert_eq!(lab.ok_with(&line, b"").stdout, b""),
            _ => {
                lab.refused_with(3, &line, b"").says(&["stdin: no data at byte 0: "]);
            }
        }
    }
    for (padding, data) in BADLY_PADDED {
        let line = format!("convert --from des3 --from-key 48.key --iv {IV} --padding {padding}");
        let run = lab.refused_with(5, &line, &raw(data));
        assert_eq!(run.stdout, b"", "{padding}");
        run.says(&["padding in the last block, at byte 16: another key", "hint: ", "KCV"]);
    }
}

/// printf '\0\0\0\0\0\0\0\0' | openssl enc -des-ede3 -K K -nopad | xxd -p
#[test]
fn keys_of_every_form_are_read_and_their_check_value_is_shown() {
    let lab = lab();
    let key = raw(K);
    let digits: Vec<_> = K.as_bytes().chunks(2).map(|two| str::from_utf8(two).unwrap()).collect();
    let data = raw(CIPHERS[0].2);
    for form in [
        key.clone(),
        [&key[..], b"\n"].concat(),
        [&key[..], b"\r\n"].concat(),
        format!("{K}\n").into_bytes(),
        K.to_uppercase().into_bytes(),
        format!("{}\n", digits.join(":")).into_bytes(),
        b"ASNFZ4mrze8jRWeJq83vAUVniavN7wEj\n".to_vec(), // base64 of the raw key
    ] {
        lab.write("old.key", &form);
        let line = format!("convert --from des3 --from-key old.key --iv {IV}");
        let run = lab.ok_with(&line, &data);
        assert_eq!(run.stdout, TEXT, "{form:?}");
        run.says(&["note: old.key: key check value 4EBA73"]);
        let report = lab.ok_with(&format!("{line} -o out --force --json"), &data).json();
        assert_eq!(report["key_check_value"], "4EBA73");
    }
    // printf '\0\0\0\0\0\0\0\0' | openssl enc -des-ecb -K 0123456789abcdef -nopad | xxd -p
    lab.ok_with(&format!("convert --from des --from-key 16.key --iv {IV}"), &raw(CIPHERS[12].2))
        .says(&["16.key: key check value D5D44F"]);
}

#[test]
fn an_iv_is_given_in_digits_as_zero_or_by_a_file() {
    let lab = lab();
    let data = raw(CIPHERS[0].2);
    lab.write(IV, "ffffffffffffffff");
    lab.write("iv", raw(IV));
    lab.write("zero", raw(IV));
    for iv in [IV, "iv", "./zero"] {
        let run = lab.ok_with(&format!("convert --from des3 --from-key 48.key --iv {iv}"), &data);
        assert_eq!(run.stdout, TEXT, "{iv}");
    }
    for (iv, first) in [("zero", &raw(IV)[..]), (&format!("./{IV}"), &raw("ffeeddccbbaa9988")[..])]
    {
        let run = lab.ok_with(&format!("convert --from des3 --from-key 48.key --iv {iv}"), &data);
        let added: Vec<u8> = run.stdout.iter().zip(TEXT).map(|(a, b)| a ^ b).take(8).collect();
        assert_eq!(added, first, "{iv}");
    }
}

#[test]
fn what_openssl_encrypted_under_a_password_decrypts_as_it_was_made_and_nothing_is_tried() {
    let lab = lab();
    for (made, kdf, data) in SALTED {
        let line = format!("convert --from des3 --from-password-file password {kdf}");
        assert_eq!(lab.ok_with(&line, &base64(data)).stdout, TEXT, "{made}");
        let armored = lab.ok_with(&format!("{line} --armor base64"), data.as_bytes());
        assert_eq!(armored.stdout, TEXT, "{made}");
        let lines = format!("{data}\n{data}\n");
        let run = lab.ok_with(&format!("{line} --armor base64 --record line"), lines.as_bytes());
        assert_eq!(run.stdout, [TEXT, b"\n", TEXT, b"\n"].concat(), "{made}");
        if !kdf.is_empty() {
            let run = lab.refused_with(
                5,
                "convert --from des3 --from-password-file password",
                &base64(data),
            );
            assert_eq!(run.stdout, b"");
            run.says(&["another password, key derivation", "hint: ", "--kdf md5", "pbkdf2-sha256"]);
        }
    }
    let run = lab.refused_with(
        3,
        "convert --from des3 --from-key 48.key --iv zero",
        &base64(SALTED[0].2),
    );
    run.says(&["Salted__", "--from-password-file"]);
    let armored = "convert --from des3 --from-key 48.key --iv zero --armor base64";
    lab.refused_with(3, armored, SALTED[0].2.as_bytes()).says(&["Salted__"]);
    let none = "convert --from des3 --from-password-file password";
    lab.refused_with(3, none, &raw(CIPHERS[0].2)).says(&["no salt in front"]);
    for (password, words) in [("\n", "1 to 1023 bytes"), ("a\nb\n", "on one line")] {
        lab.write("password", password);
        lab.refused_with(3, none, b"").says(&["password: ", words]);
    }
}

#[test]
fn text_forms_may_have_white_space_anywhere_and_faults_are_named_with_their_line() {
    let lab = lab();
    let line = |armor| format!("convert --from des3 --from-key 48.key --iv {IV} --armor {armor}");
    let digits = CIPHERS[0].2;
    let base64 = base64_simd::STANDARD.encode_to_string(raw(digits));
    for (armor, text) in [("hex", digits), ("hex", &digits.to_uppercase()), ("base64", &base64)] {
        for width in [1, 7, 16, 1000] {
            let wrapped: String = text
                .as_bytes()
                .chunks(width)
                .map(|part| format!(" {}\r\n", part.escape_ascii()))
                .collect();
            let run = lab.ok_with(&line(armor), wrapped.as_bytes());
            assert_eq!(run.stdout, TEXT, "{armor}, {width}");
        }
    }
    // 16 bytes have padding in base64, which may be missing; `-` and `_` are the other alphabet's.
    let two = "convert --from des3 --from-key 48.key --iv zero --padding none --armor base64";
    let wanted = lab.ok_with(two, b"+/+/+/+/+/+/+/+/+/+/+w==").stdout;
    assert_eq!(wanted.len(), 16);
    for other in
        ["+/+/+/+/+/+/+/+/+/+/+w", "-_-_-_-_-_-_-_-_-_-_-w==\n", "+/+/+/+/+/+/+/+/+/+/+w\n=\n="]
    {
        assert_eq!(lab.ok_with(two, other.as_bytes()).stdout, wanted, "{other}");
    }
    for (armor, text, words) in [
        (
            "hex",
            "4b6a\nb3xb\n",
            "stdin: line 2: found the character x, expected hexadecimal digits",
        ),
        ("hex", "4b6ab3a", "hexadecimal digits that end within a byte"),
        ("base64", "AAAA\nAA\0A\n", "stdin: line 2: found the byte 00, expected base64"),
        ("base64", "AAAAA", "base64 that end within a byte"),
        ("base64", "AAAAAA=", "base64 that end within a byte"),
        ("base64", "AAAAAA==AAAA", "expected the end after padding"),
        ("base64", "AAAAAA===", "the character =, expected base64"),
    ] {
        let run = lab.refused_with(3, &line(armor), text.as_bytes());
        run.says(&[words]);
        assert_eq!(run.stdout, b"");
    }
    // More than is read at once.
    lab.write("text", super::FIXTURE.repeat(20));
    lab.write("long", super::encrypt::<des::TdesEde3>(&raw(K), &super::FIXTURE.repeat(20)));
    lab.write("super.iv", super::IV);
    let made = base64_simd::STANDARD.encode_to_string(lab.read("long"));
    let wrapped = made.as_bytes().chunks(64).collect::<Vec<_>>().join(&b'\n');
    let line = "convert --from des3 --from-key 48.key --iv super.iv --armor base64";
    assert!(lab.ok_with(line, &wrapped).stdout == lab.read("text"));
}

/// The values of two lines under keys and IVs of their own, as hexadecimal digits:
/// printf 'first'  | openssl enc -des-ede3-cbc -K K -iv 0011223344556677
/// printf 'second' | openssl enc -des-ede3-cbc -K 00112233445566778899aabbccddeeff0123456789abcdef
///                   -iv 8899aabbccddeeff
const ROWS: [[&str; 3]; 2] = [
    ["a708ab24f5730162", K, IV],
    ["1b3db18962cad512", "00112233445566778899aabbccddeeff0123456789abcdef", "8899aabbccddeeff"],
];

#[test]
fn each_line_is_a_value_under_one_key_or_its_own() {
    let lab = lab();
    let [[first, ..], [second, second_key, second_iv]] = ROWS;
    let encode = |digits: &str| base64_simd::STANDARD.encode_to_string(raw(digits));
    let columns = "convert --from des3 --record line --columns value,key,iv --armor";
    let rows = ROWS.map(|row| row.join("\t")).join("\n");
    assert_eq!(lab.ok_with(&format!("{columns} hex"), rows.as_bytes()).stdout, b"first\nsecond\n");
    let rows = ROWS.map(|row| row.map(encode).join("\t")).join("\r\n");
    assert_eq!(
        lab.ok_with(&format!("{columns} base64"), rows.as_bytes()).stdout,
        b"first\nsecond\n"
    );
    // The order of the input stays, at any number of lines and threads; an empty line stays empty.
    let line = "convert --from des3 --from-key 48.key --record line --armor hex";
    let many: String = (0..5000)
        .map(|i| {
            if i % 7 == 3 {
                "\n".to_owned()
            } else {
                format!("{}\t{IV}\n", [first, CIPHERS[0].2][i % 2])
            }
        })
        .collect();
    let wanted: Vec<u8> = (0..5000)
        .flat_map(|i| {
            if i % 7 == 3 { b"\n".to_vec() } else { [[&b"first"[..], TEXT][i % 2], b"\n"].concat() }
        })
        .collect();
    for threads in [1, 2] {
        let run =
            lab.ok_with(&format!("{line} --columns value,iv --threads {threads}"), many.as_bytes());
        assert!(run.stdout == wanted);
    }
    let front = lab.ok_with(&format!("{line} --iv-in-front"), format!("{IV}{first}\n").as_bytes());
    assert_eq!(front.stdout, b"first\n");
    let report = lab.ok_with(
        &format!("{line} --iv {IV} --json -o out"),
        format!("{first}\n{first}").as_bytes(),
    );
    let report = report.json();
    assert_eq!((&report["values"], &report["failed"]), (&json!(2), &json!(0)));
    // They can be sealed as they are decrypted.
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let sealed = lab.ok_with(&format!("{line} --columns value,iv --key cek.jwk"), many.as_bytes());
    assert!(lab.ok_with("decrypt --key cek.jwk", &sealed.stdout).stdout == wanted);

    for (code, row, words) in [
        (3, format!("{second}\t{second_key}"), "found 2 columns, separated by tabs, expected 3"),
        (
            3,
            format!("{second}\t{second_iv}\t{second_iv}"),
            "found 8 bytes, expected a key for des-ede3-cbc",
        ),
        (3, format!("{second}\t{second_key}\t00"), "found 1 bytes, expected an IV"),
        (3, format!("{}\t{second_key}\t{second_iv}", &second[..14]), "incomplete block at byte 0"),
        (3, format!("{second}x\t{second_key}\t{second_iv}"), "the character x"),
        (5, format!("{second}\t{K}\t{second_iv}"), "no PKCS #7 padding in the last block:"),
    ] {
        let rows = format!("{}\n{row}\n{}\n", ROWS[0].join("\t"), ROWS[1].join("\t"));
        let run = lab.refused_with(code, &format!("{columns} hex"), rows.as_bytes());
        assert_eq!(run.stdout, b"", "nothing before all of the first MiB is right");
        run.says(&["stdin: line 2: ", words]);
        let skip = format!("{columns} hex --on-error skip --report report --force -o out");
        lab.refused_with(6, &skip, rows.as_bytes()).says(&["1 of 3 values failed"]);
        assert_eq!(lab.read("out"), b"first\nsecond\n");
        let entry = lab.json("report");
        assert_eq!(entry["line"], 2);
        assert_eq!(entry["kind"], if code == 5 { "authentication" } else { "malformed" });
    }
    // printf 'two\nlines' | openssl enc -des-ede3-cbc -K K -iv 0011223344556677
    let run =
        lab.refused_with(3, &format!("{line} --iv {IV}"), b"c5ad7ef64afc65bb3a3a89ad5c163088");
    run.says(&["stdin: line 1: the text has a line feed in it"]);
}
