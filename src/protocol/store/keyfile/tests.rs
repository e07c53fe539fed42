//! Key files are read back as written, and malformed ones are refused with a reason.

use super::*;
use crate::ciphers::Secret;
use crate::ciphers::random::Origin;
use crate::protocol::jose::jwk::{DecryptingKey, Jwk, Usage};
use crate::protocol::model::{
    Alg, ClientProgram, Enc, Erase, Kid, Name, Run, Scheme, ShopName, Suite,
};

fn place() -> Place {
    Place::file("client.jwks")
}

fn key() -> Jwk<DecryptingKey> {
    Jwk {
        kid: Kid::new("tokyo/00ff"),
        alg: Some("A256KW".into()),
        usage: Usage::Encryption,
        origin: Origin::Seeded,
        material: DecryptingKey::Secret(Secret::from(vec![7; 32])),
    }
}

fn shop() -> Shop {
    let suite =
        Suite::new(Alg::from_name("A256KW").unwrap(), Enc::from_name("A256GCM").unwrap()).unwrap();
    Shop::new(Scheme::embodiment(4).unwrap(), suite)
}

fn client() -> ClientBundle {
    let mut file = ClientBundle::new("tokyo".parse().unwrap(), shop());
    file.spent.insert("00ff".parse().unwrap());
    file.program = Some(ClientProgram {
        signs: false,
        content: file.shop.scheme.content,
        layers: 3,
        run: Run::Automatic,
        erase: Some(Erase::All),
    });
    file.keys.push(key().encrypting_half());
    file
}

#[test]
fn a_file_is_read_back_as_written() {
    let file = client();
    let read = KeyFile::parse(&file.to_bytes(&place()).unwrap(), &place()).unwrap();
    assert_eq!(read, KeyFile::Client(file));
}

#[test]
fn a_lone_key_keeps_its_count() {
    let mut file = LoneKey::new(key());
    file.sealed = 12;
    let read = KeyFile::parse(&file.to_bytes(&place()).unwrap(), &place()).unwrap();
    assert_eq!(read, KeyFile::Plain(PlainFile::Lone(file)));
}

#[test]
fn every_truncation_is_refused() {
    let bytes = client().to_bytes(&place()).unwrap();
    for len in 0..bytes.len() - 2 {
        assert!(KeyFile::parse(&bytes[..len], &place()).is_err(), "{len}");
    }
}

#[test]
fn contradictions_are_refused() {
    let good = String::from_utf8(client().to_bytes(&place()).unwrap().to_vec()).unwrap();
    for (from, to, complaint) in [
        ("\"role\":\"client\"", "\"role\":\"boss\"", "role \"boss\""),
        ("\"version\":1", "\"version\":6", "version 6, expected 1 to 5"),
        ("tokyo/00ff", "osaka/00ff", "belongs to no shop"),
        ("tokyo/00ff", "tokyo", "does not fit the scope"),
        ("\"alg\":\"A256KW\",\"k\"", "\"alg\":\"A256GCM\",\"k\"", "not for A256KW"),
        ("\"content\":\"hybrid\"", "\"content\":\"direct\"", "do not make the scheme"),
        ("\"seal\",\"wrap\"", "\"wrap\",\"seal\"", "steps"),
        ("\"layers\":3", "\"layers\":17", "layers"),
        ("\"enc\":\"A256GCM\"", "\"enc\":\"ROT13\"", "ROT13"),
        ("\"spent\":[\"00ff\"]", "\"spent\":[\"../x\"]", "not an id"),
        ("\"spent\"", "\"budget\":{\"tokyo\":4294967297},\"spent\"", "to counts"),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        let bad = good.replace(from, to);
        let found = KeyFile::parse(bad.as_bytes(), &place()).unwrap_err().to_string();
        assert!(found.contains(complaint), "{to}: {found}");
        assert!(found.starts_with("client.jwks: "), "{found}");
    }
}

#[test]
fn erased_keys_are_remembered() {
    let mut file = client();
    let kid = Kid::new("tokyo/00ff").unwrap();
    assert_eq!(file.erase_keys(&|_| true), std::slice::from_ref(&kid));
    assert!(file.was_erased(&kid));
    assert!(file.keys.named("tokyo/00ff").is_none());
}

#[test]
fn revoked_users_are_written_for_programs_that_know_only_erased_keys() {
    let mut file = keyring(&["alice", "bob"]);
    let alice: Name = "alice".parse().unwrap();
    let users = ["alice", "bob"].map(|user| (user.parse().unwrap(), Standing::Admitted));
    account(&mut file).shop.users = users.into();
    let kid = Kid::new("tokyo/alice").unwrap();
    file.erase_named(std::slice::from_ref(&kid));
    account(&mut file).shop.revoke(alice);
    let good = String::from_utf8(file.to_bytes(&place()).unwrap().to_vec()).unwrap();
    let written = r#""erased":["alice"],"revoked":["alice"]"#;
    assert!(good.contains(written) && good.contains(r#""users":["bob"]"#), "{good}");
    assert_eq!(KeyFile::parse(good.as_bytes(), &place()).unwrap(), KeyFile::Keyring(file));
    // A program that does not know `revoked` leaves it out.
    let older = good.replace(written, r#""erased":["alice"]"#);
    assert!(KeyFile::parse(older.as_bytes(), &place()).unwrap().holder().was_erased(&kid));
    for (users, revoked, complaint) in [
        (
            r#""users":["alice","bob"]"#,
            r#""revoked":["alice"]"#,
            "alice is both admitted and revoked",
        ),
        (r#""users":[]"#, r#""revoked":["alice","bob"]"#, "tokyo/bob is the key of a revoked user"),
    ] {
        let bad = good.replace(r#""users":["bob"]"#, users);
        let bad = bad.replace(r#""revoked":["alice"]"#, revoked);
        let found = KeyFile::parse(bad.as_bytes(), &place()).unwrap_err().to_string();
        assert!(found.contains(complaint), "{found}");
    }
}

/// A keyring of one shop, with one key per id in `ids`; the ids have different lengths.
fn keyring(ids: &[&str]) -> Keyring {
    let mut file = Keyring::new();
    let name: ShopName = "tokyo".parse().unwrap();
    file.shops.insert(name.clone(), Account::new(shop().scheme, shop().suite));
    for id in ids {
        let kid = Kid::of_id(&name, &id.parse().unwrap());
        file.keys.push(Jwk { kid: Some(kid), ..key() });
    }
    file
}

fn account(file: &mut Keyring) -> &mut Account {
    file.shops.values_mut().next().unwrap()
}

#[test]
fn what_a_keyring_handed_out_is_checked() {
    let mut file = keyring(&["00ff"]);
    account(&mut file).issued.insert("00ff".parse().unwrap());
    let good = String::from_utf8(file.to_bytes(&place()).unwrap().to_vec()).unwrap();
    for (to, complaint) in [
        ("\"allotted\":{\"tokyo\":4294967297},\"issued\"", "to counts"),
        ("\"issued\":[\"../x\"],\"was\"", "not an id"),
    ] {
        assert!(good.contains("\"issued\""), "{good}");
        let bad = good.replace("\"issued\"", to);
        let found = KeyFile::parse(bad.as_bytes(), &place()).unwrap_err().to_string();
        assert!(found.contains(complaint), "{to}: {found}");
    }
}

/// A file with each key on a line of its own is read one key after the other, any other file as JSON.
#[test]
fn a_file_means_the_same_in_any_layout() {
    let file = keyring(&["00f1", "00f2", "00f3", "00f4", "00f5"]);
    let text = String::from_utf8(file.to_bytes(&place()).unwrap().to_vec()).unwrap();
    let foreign = |depth| format!("\"x\":{}{},\"use\"", "[".repeat(depth), "]".repeat(depth));
    let mut texts: Vec<String> = [
        // A name that stands twice, and a fault after it.
        &[("00f2", "00f1")][..],
        &[("00f4", "00f2"), ("00f3", "00f1")],
        &[("00f2", "00f1"), ("tokyo/00f4", "osaka/00f4")],
        &[("00f2", "00f1"), ("00f4\",\"kty\":\"oct", "00f4\",\"kty\":\"RSA")],
        &[("00f4", "00f2"), ("tokyo/00f3", "osaka/00f3")],
        // Names that need more than the pattern.
        &[("00f2", "00 f2")],
        &[("00f2", "\\u0030\\u0030f2")],
        &[("00f2", "00\u{e9}f2")],
        // Lines that are no keys.
        &[("},\n{", "},\n\n{")],
        &[("},\n{", "},,\n{")],
        &[("},\n{", "}\n{")],
        &[("}\n]", "},\n]")],
        &[("{\"keys\":[", "{\"keys\":[\n")],
        &[("\"orderseal\"", "\"keys\":[],\"orderseal\"")],
        &[("BwcHBwc", "*wcHBwc")],
    ]
    .into_iter()
    .map(|changes| changes.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to)))
    .collect();
    texts.extend((95..130).map(|depth| text.replace("\"use\"", &foreign(depth))));
    for text in texts {
        let parse = |text: &str| {
            KeyFile::parse(text.as_bytes(), &place()).map_err(|error| error.to_string())
        };
        let other = text.replace("\n],\n", "\n] ,\n");
        assert_ne!(text, other);
        assert_eq!(parse(&text), parse(&other), "{text}");
    }
}

#[test]
fn a_long_file_is_written_in_pieces() {
    let ids: Vec<String> = (0..5_000).map(|number| format!("{number:016x}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut file = keyring(&ids);
    // Its text is not made by what it has in common with others.
    file.keys.push(Jwk { kid: Kid::new("\u{1}\""), ..key() });
    let whole = file.to_bytes(&place()).unwrap();
    let text = file.text(&place()).unwrap();
    let (mut pieces, mut count) = (Vec::new(), 0);
    let Ok(()) = text.pieces(|piece| {
        pieces.extend_from_slice(piece);
        count += 1;
        Ok::<_, std::convert::Infallible>(())
    });
    assert!(pieces == whole[..] && count > 2, "{count}");
    assert_eq!(text.length(), whole.len() as u64);
    let end = text.keys_end().unwrap() as usize;
    assert!(whole[end..].starts_with(&AROUND_KEYS.1[1..]) && whole[end - 2..end] == *b"}\n");
    let failed = text.pieces(|piece| Err(piece.len()));
    assert!(failed.is_err_and(|len| len < pieces.len()), "it goes on after a failure");
}

/// Room is made for as many keys as there are lines, but not for empty ones.
#[test]
fn empty_lines_take_no_memory() {
    let file = keyring(&["00ff"]);
    let text = String::from_utf8(file.to_bytes(&place()).unwrap().to_vec()).unwrap();
    let text = text.replace("{\"keys\":[", &format!("{{\"keys\":[{}", "\n".repeat(1_000)));
    assert!(text::parts(text.as_bytes()).is_none());
    assert_eq!(KeyFile::parse(text.as_bytes(), &place()).unwrap(), KeyFile::Keyring(file));
}

#[test]
fn what_a_file_will_have_to_record_fits_from_the_start() {
    // Issued at the service.
    let mut file = keyring(&["00ff", "a-longer-id"]);
    let full = file.full_len();
    assert!(holder::text(&file, file.member(), full, &place()).unwrap().length() <= full);
    let refused = holder::text(&file, file.member(), full - 1, &place()).unwrap_err();
    assert!(matches!(refused, Error::KeyFileFull { len, .. } if len == full));
    for id in ["00ff", "a-longer-id"] {
        account(&mut file).issued.insert(id.parse().unwrap());
        assert_eq!(file.full_len(), full);
    }
    assert_eq!(holder::text(&file, file.member(), full, &place()).unwrap().length(), full);

    // Spent at a client.
    let mut client = client();
    let full = client.full_len();
    assert_eq!(client.to_bytes(&place()).unwrap().len() as u64, full);
    client.spent.clear();
    assert_eq!(client.full_len(), full);

    // Counted at the service, where a key has a budget.
    let scheme = Scheme::embodiment(1).unwrap();
    let suite = Suite::new(Alg::Direct, Enc::from_name("A256GCM").unwrap()).unwrap();
    let mut file = Keyring::new();
    file.shops.insert("tokyo".parse().unwrap(), Account::new(scheme, suite));
    let kid = Kid::new("tokyo").unwrap();
    let alg = Some("A256GCM".into());
    file.keys.push(Jwk { kid: Some(kid.clone()), alg, ..key() });
    let full = file.full_len();
    for count in [1, IV_BUDGET] {
        account(&mut file).allotted.insert(kid.clone(), count);
        assert_eq!(file.full_len(), full);
    }
    assert_eq!(file.to_bytes(&place()).unwrap().len() as u64, full);

    // The record of an erased key is shorter than the key was.
    file.erase_keys(&|_| true);
    assert!(holder::text(&file, file.member(), full, &place()).is_ok());
}
