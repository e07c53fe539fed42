use super::*;
use crate::protocol::model::WebPage;

#[test]
fn only_what_browsers_have_is_taken() {
    let suite =
        |alg, enc| Suite::new(Alg::from_name(alg).unwrap(), Enc::from_name(enc).unwrap()).unwrap();
    for alg in ["dir", "A256KW", "A128KW", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"] {
        for enc in ["A256GCM", "A128GCM"] {
            assert_eq!(refusal(suite(alg, enc), 1), None);
            assert!(refusal(suite(alg, enc), 2).unwrap().to_string().contains("no chain"));
        }
    }
    for (alg, enc, named) in [
        ("dir", "RSA-OAEP-256-BOUND-BLOCKS", "RSA-OAEP-256-BOUND-BLOCKS"),
        ("dir", "GRAIN128AEADV2", "GRAIN128AEADV2"),
        ("A256KW", "A128CBC-HS256", "A128CBC-HS256"),
        ("dir", "A192GCM", "A192GCM"),
        ("A256GCMKW", "A256GCM", "A256GCMKW"),
        ("MH-KNAPSACK", "A256GCM", "MH-KNAPSACK"),
    ] {
        assert!(refusal(suite(alg, enc), 1).unwrap().to_string().ends_with(named));
    }
}

#[test]
fn the_sources_do_not_end_the_elements_that_they_stand_in() {
    for source in [SCRIPT, STYLE] {
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
