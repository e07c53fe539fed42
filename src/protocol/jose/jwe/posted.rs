//! The form of a sealed order that arrives from anybody, for those who cannot open it.

use super::{Carries, Header, MAX_SEALED_LINE, Token};
use crate::protocol::jose::line::trimmed;
use crate::protocol::model::{Kid, LineFault, Malformed};

/// The key that a line names, if it has the form of one order in the compact serialization.
///
/// # Errors
/// What is wrong with its form.
pub fn kid_of_posted(line: &[u8]) -> Result<Kid, Malformed> {
    if line.len() > MAX_SEALED_LINE {
        let (what, most) = ("sealed line", MAX_SEALED_LINE as u64);
        return Err(Malformed::PartTooLong { what, most });
    }
    let line = trimmed(line);
    let token = Token::compact(line).ok_or(LineFault::Segments)?;
    let encoded = |byte: &u8| byte.is_ascii_alphanumeric() || [b'-', b'_', b'.'].contains(byte);
    if !line.iter().all(encoded) {
        return Err(LineFault::Base64.into());
    }
    let mut text = Vec::new();
    let header = Header::decode(token.header, &mut text)?;
    match header.carries {
        Carries::Order => {}
        Carries::Key | Carries::KeySet | Carries::StreamKey => {
            return Err(Malformed::Expected("an order"));
        }
    }
    let kid = header.kid.as_deref().and_then(Kid::new).filter(Kid::is_ours);
    kid.ok_or(Malformed::member("kid", "the name of a key of a shop"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::base64url;

    fn line(header: &str) -> String {
        format!("{}.AA.AA.AA.AA", base64url::encode_to_string(header.as_bytes()))
    }

    #[test]
    fn only_orders_that_name_a_key_of_a_shop_have_the_form() {
        let good = line(r#"{"alg":"A256KW","enc":"A256GCM","kid":"tokyo@2/a"}"#);
        assert_eq!(kid_of_posted(format!("{good}\r\n").as_bytes()).unwrap().as_str(), "tokyo@2/a");
        // An order may be empty.
        let empty = good.replacen(".AA.AA.AA.AA", ".AA.AA..AA", 1);
        assert!(kid_of_posted(empty.as_bytes()).is_ok());
        for header in [
            r#"{"alg":"A256KW","enc":"A256GCM"}"#,
            r#"{"alg":"A256KW","enc":"A256GCM","kid":""}"#,
            r#"{"alg":"A256KW","enc":"A256GCM","kid":"-"}"#,
            r#"{"alg":"A256KW","enc":"A256GCM","kid":"tokyo/a/b"}"#,
            r#"{"alg":"A256KW","enc":"A256GCM","kid":"tokyo/a","cty":"jwk+json"}"#,
            r#"{"alg":"A256KW","enc":"A256GCM","kid":"tokyo/a","typ":"orderseal-stream"}"#,
            r#"{"alg":"A256KW","enc":"A256GCM","kid":"tokyo/a","zip":"DEF"}"#,
            r#"{"alg":"A256KW","enc":"A256GCM","kid":"tokyo/a","crit":["x"]}"#,
            r#"{"enc":"A256GCM","kid":"tokyo/a"}"#,
            "[]",
            "",
        ] {
            assert!(kid_of_posted(line(header).as_bytes()).is_err(), "{header}");
        }
        for (from, to) in [
            (".AA.AA.AA.AA", ".AA.AA.AA"),
            (".AA.AA.AA.AA", ".AA.AA.AA.AA.AA"),
            ("AA.AA.AA", "A A.AA.AA"),
            ("AA.AA.AA", "AA.AA\n.AA"),
            ("AA.AA.AA", "{}.AA.AA"),
        ] {
            assert!(kid_of_posted(good.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
        }
        assert!(kid_of_posted(b"").is_err() && kid_of_posted(b"{}").is_err());
    }
}
