//! Reads signed tokens: JWS, tickets, tokens of users, manifests of batches and programs. Payloads
//! of the input are also signed, so that the parsers behind the signatures are reached.

#![no_main]

use std::sync::OnceLock;

use orderseal::Time;
use orderseal::ciphers::random::{KeySource, SeededSource};
use orderseal::protocol::jose::batch::Manifest;
use orderseal::protocol::jose::jws::{SigningKey, VerifyingKey, key_id};
use orderseal::protocol::jose::ticket::{Ids, Ticket, TicketKeys, UserToken};
use orderseal::protocol::model::Kid;
use orderseal::protocol::page::program::Program;
use orderseal_fuzz::{Input, begin, keys, place, plain, repository};

/// The types of tokens.
const TYPES: [&str; 4] =
    ["orderseal-ticket", "orderseal-user", "orderseal-batch", "orderseal-program"];

const REQUEST: &[u8] = b"request";

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::random(&mut SeededSource::new(11).stream(0)))
}

fn tokens() -> Vec<String> {
    let expires = "2026-11-29T10:00:00Z".parse::<Time>().expect("it is a time");
    let names = ["4af25b039da9f273", "a564b38d5424ae9e.00000000", "a564b38d5424ae9e.00000001"];
    let once = Ids::of(&names.map(keys::name));
    let shop = "tokyo@2".parse().expect("it is the name of a shop");
    let ticket = Ticket { shop, keys: TicketKeys::Once(once), expires };
    let again = Ticket { keys: TicketKeys::Again(Some(keys::name("alice"))), ..ticket.clone() };
    let user = UserToken { shop: keys::name("tokyo"), user: keys::name("alice"), expires };
    let mut tokens = vec![ticket.sign(key()), again.sign(key()), user.sign(key())];
    let mut keyring = keys::keyring().clone();
    for shop in ["listed", "s0"] {
        let bundle = keys::client(&mut keyring, &keys::name(shop), 2).expect("the shop has keys");
        let program = Program::new(&bundle, expires, key());
        let signed = program.sign(REQUEST, expires, key()).expect("it is short");
        tokens.push(String::from_utf8(signed.to_vec()).expect("a token is text"));
    }
    tokens
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for token in tokens() {
        seeds.push([&[0], token.as_bytes()].concat());
        let payload = token.split('.').nth(1).and_then(|payload| plain::decode(payload.as_bytes()));
        let payload = payload.expect("a token has a payload");
        seeds.extend((0..4).map(|kind| [&[kind + 1], &payload[..]].concat()));
    }
    let manifest = r#"{"shop":"tokyo","batch":"AAAAAAAAAAAAAAAAAAAAAA","sequence":2,
        "time":"2026-11-29T10:00:00Z",
        "count":3,"lines":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","previous":null}"#;
    seeds.push([&[3], manifest.as_bytes()].concat());
    seeds.push([&[5], key().to_jwk().to_string().as_bytes()].concat());
    seeds.push([&[5], key().verifying().to_jwk().to_string().as_bytes()].concat());
    let files = repository::files("tests/encodings");
    seeds.extend(
        files
            .into_iter()
            .filter(|(name, _)| name.starts_with("ed25519"))
            .map(|(_, file)| [&[5], &file[..]].concat()),
    );
    seeds
}

/// Reads a token as one of any kind. One that is read is signed and read again.
fn read(token: &str, own: bool) {
    let verifying = key().verifying();
    let ticket = Ticket::verify(token, &verifying);
    if let Ok(ticket) = &ticket {
        assert_eq!(Ticket::verify(&ticket.sign(key()), &verifying).as_ref(), Ok(ticket));
        for kid in ["tokyo", "tokyo@2", "tokyo@2/alice", "tokyo@2/a564b38d5424ae9e.00000001"] {
            let _ = ticket.allows(&Kid::new(kid).expect("it is a name"));
        }
    }
    let user = UserToken::verify(token, &verifying);
    if let Ok(user) = &user {
        assert_eq!(UserToken::verify(&user.sign(key()), &verifying).as_ref(), Ok(user));
    }
    let manifest = Manifest::verify(token.as_bytes(), &verifying);
    if let Ok(manifest) = &manifest {
        assert_eq!(
            Manifest::verify(manifest.sign(key()).as_bytes(), &verifying).as_ref(),
            Ok(manifest)
        );
        assert!(Manifest::is_one(token.as_bytes()), "a manifest is recognized");
    }
    let mut is_program = false;
    for shop in ["tokyo", "listed", "s0"].map(keys::name) {
        let program = Program::verify(token, &shop, REQUEST, &verifying, &place());
        if let Ok(program) = program {
            is_program = true;
            let signed = program.sign(REQUEST, Time::UNIX_EPOCH, key()).expect("it is short");
            let signed = str::from_utf8(&signed).expect("a token is text");
            let again = Program::verify(signed, &shop, REQUEST, &verifying, &place());
            assert_eq!(again.expect("what was signed is read"), program);
        }
    }
    let kinds = [ticket.is_ok(), user.is_ok(), manifest.is_ok(), is_program];
    assert!(kinds.iter().filter(|read| **read).count() < 2, "a token of two kinds");
    assert!(own || tokens_are(token, kinds), "a token was accepted that nobody signed");
}

/// Whether a token that was accepted is one of the seeds.
fn tokens_are(token: &str, kinds: [bool; 4]) -> bool {
    static TOKENS: OnceLock<Vec<String>> = OnceLock::new();
    let accepted = kinds.contains(&true);
    // Programs are not the same in each run: their payload is.
    !accepted || TOKENS.get_or_init(tokens).iter().any(|own| own.trim() == token.trim())
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        let kind = usize::from(input.byte() % 6);
        let bytes = input.rest();
        match kind {
            0 => {
                let Ok(token) = str::from_utf8(bytes) else { return };
                let _ = (key_id(token), Manifest::is_one(bytes), Manifest::signer(bytes));
                read(token, false);
            }
            5 => {
                if let Ok(own) = SigningKey::parse(bytes) {
                    let again = SigningKey::parse(own.to_jwk().to_string().as_bytes());
                    assert!(again.is_ok_and(|again| again == own));
                    let token = own.sign("t", b"payload");
                    assert_eq!(own.verifying().verify("t", &token).as_deref(), Ok(&b"payload"[..]));
                    assert_eq!(key_id(&token), Some(own.verifying().thumbprint()));
                }
                if let Ok(own) = VerifyingKey::parse(bytes) {
                    let again = VerifyingKey::parse(own.to_jwk().to_string().as_bytes());
                    assert_eq!(again.as_ref(), Ok(&own));
                }
            }
            kind => read(&key().sign(TYPES[kind - 1], bytes), true),
        }
    }
);
