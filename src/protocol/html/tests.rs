use super::*;
use crate::protocol::Place;

fn fields(text: &str) -> Result<String, String> {
    let read = Fields::parse(text.as_bytes(), &Place::file("fields.json"));
    read.map(|fields| fields.to_json().to_string()).map_err(|error| error.to_string())
}

#[test]
fn only_what_browsers_have_is_taken() {
    let suite = |alg, enc| Suite::new(Alg::named(alg).unwrap(), Enc::named(enc).unwrap()).unwrap();
    for alg in ["dir", "A256KW", "A128KW", "RSA-OAEP-256"] {
        for enc in ["A256GCM", "A128GCM"] {
            assert_eq!(refusal(suite(alg, enc), 1), None);
            assert!(refusal(suite(alg, enc), 2).unwrap().contains("no chain"));
        }
    }
    for (alg, enc, named) in [
        ("dir", "RSA-OAEP-256-BLOCKS", "RSA-OAEP-256-BLOCKS"),
        ("dir", "GRAIN128AEADV2", "GRAIN128AEADV2"),
        ("A256KW", "A128CBC-HS256", "A128CBC-HS256"),
        ("A256GCMKW", "A256GCM", "A256GCMKW"),
        ("MH-KNAPSACK", "A256GCM", "MH-KNAPSACK"),
    ] {
        assert!(refusal(suite(alg, enc), 1).unwrap().ends_with(named));
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
fn own_fields_come_after_the_documents_and_change_them() {
    let text = r#"[{"name":"card","omit":true},{"name":"telephone","required":false},
        {"name":"gift","label":{"en":"Gift note","ja":"のし"},"type":"multiline","max":80}]"#;
    let read = fields(text).unwrap();
    assert!(!read.contains("card"));
    assert!(read.contains(r#"{"name":"telephone","required":false,"type":"telephone"}"#), "{read}");
    assert!(read.find("delivery_address").unwrap() < read.find("gift").unwrap());
}

#[test]
fn malformed_fields_are_refused() {
    for (text, complaint) in [
        ("{}", "expected a list"),
        ("[1]", "field 1: expected an object"),
        (r#"[{"label":"x"}]"#, "field 1: no member \"name\""),
        (r#"[{"name":"x"}]"#, "no member \"label\""),
        (r#"[{"name":"x","label":""}]"#, "\"label\""),
        (r#"[{"name":"X","label":"x"}]"#, "expected 1 to 32"),
        (r#"[{"name":"items","label":"x"}]"#, "another member"),
        (r#"[{"name":"x","label":"x","type":"file"}]"#, "type \"file\""),
        (r#"[{"name":"x","label":"x","type":"choice"}]"#, "choices"),
        (r#"[{"name":"x","label":"x","required":1}]"#, "required"),
        (r#"[{"name":"x","label":"x","max":0}]"#, "max"),
        (r#"[{"name":"x","omit":true}]"#, "no field \"x\""),
        (r#"[{"name":"card","omit":true},{"name":"card","omit":true}]"#, "twice"),
    ] {
        let found = fields(text).unwrap_err();
        assert!(found.contains(complaint), "{text}: {found}");
    }
}
