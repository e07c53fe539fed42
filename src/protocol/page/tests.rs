use super::*;
use crate::protocol::model::WebPage;

fn refused(alg: &str, enc: &str) -> Option<String> {
    let suite = Suite::new(Alg::from_name(alg).unwrap(), Enc::from_name(enc).unwrap()).unwrap();
    refusal(suite).map(|reason| reason.to_string())
}

#[test]
fn a_page_seals_with_what_browsers_have() {
    let ciphers = ["A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512"];
    for alg in [
        "dir",
        "A256KW",
        "A128KW",
        "A256GCMKW",
        "A128GCMKW",
        "A128CBC-HS256KW",
        "RSA-OAEP",
        "RSA-OAEP-256",
        "RSA-OAEP-384",
        "RSA-OAEP-512",
        "ECDH-ES",
        "ECDH-ES+A256KW",
        "ECDH-ES+A128KW",
    ] {
        for enc in ciphers {
            assert_eq!(refused(alg, enc), None, "{alg} {enc}");
        }
    }
    assert_eq!(refused("dir", "RSA-OAEP-256-BOUND-BLOCKS"), None);
}

#[test]
fn what_a_page_does_not_seal_with_is_named_with_the_reason() {
    let (none, short, pads) = ("browsers do not have it", "no AES with 192-bit keys", "a pad");
    for (alg, enc, named, reason) in [
        ("dir", "A192GCM", "A192GCM", short),
        ("A256KW", "A192CBC-HS384", "A192CBC-HS384", short),
        ("A192KW", "A256GCM", "A192KW", short),
        ("A192GCMKW", "A256GCM", "A192GCMKW", short),
        ("ECDH-ES+A192KW", "A256GCM", "ECDH-ES+A192KW", short),
        ("dir", "GRAIN128AEADV2", "GRAIN128AEADV2", none),
        ("A256KW", "DES-EDE3-CBC-HS256", "DES-EDE3-CBC-HS256", none),
        ("FEAL8-CBC-HS256KW", "A256GCM", "FEAL8-CBC-HS256KW", none),
        ("MH-KNAPSACK", "A256GCM", "MH-KNAPSACK", none),
        ("dir", "VERNAM-HS256", "VERNAM-HS256", pads),
    ] {
        let found = refused(alg, enc).unwrap();
        assert!(found.starts_with(&format!("no page seals with {named}: ")), "{found}");
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn the_sources_do_not_end_the_elements_that_they_stand_in() {
    for source in [SCRIPT, LIVE_SCRIPT, STYLE] {
        assert!(!source.contains("</") && !source.contains("<!--"));
        assert!(!source.contains('\r'), "a browser would read it, and hash it, otherwise");
    }
}

#[test]
fn an_order_page_is_recognized() {
    let shouted = TEMPLATE.replacen("<!doctype html>", "\u{feff}\n<!DOCTYPE HTML>", 1);
    for page in [TEMPLATE, &shouted] {
        assert_eq!(WebPage::recognized(page.as_bytes()), Some(WebPage::Order));
    }
}

#[test]
fn the_template_has_the_places_that_are_filled() {
    let places: Vec<&str> =
        TEMPLATE.split("{{").skip(1).map(|piece| piece.split_once("}}").unwrap().0).collect();
    assert_eq!(places, ["policy", "version", "title", "style", "title", "data", "script"]);
}
