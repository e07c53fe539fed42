//! Live pages: what a shop's server shows to browsers. The order button asks the service for a program,
//! unless the item page has one with the shop's public key (paragraphs 0121 to 0132).

use serde_json::json;
use sha2::{Digest, Sha256};

use super::item_page::Page;
use super::{Form, LIVE_SCRIPT, SendTo, filled, refusal, shown};
use crate::ciphers::base64url;
use crate::protocol::jose::jws::VerifyingKey;
use crate::protocol::model::{Error, Malformed, Place, Result, SendFault, ServiceUrl};
use crate::protocol::store::keyfile::ClientBundle;

/// The path of the service's programs, below its address.
const PROGRAMS: &str = "v1/programs";

/// Makes the live page of an item page with these bytes. It connects to the server that it comes from
/// and, for programs, to the service.
///
/// # Errors
/// [`Error::Malformed`] for an item page that names no service with its key, or one that pages cannot
/// ask, and has no program either; [`Error::Key`] for a program that browsers cannot run.
pub fn live(page: &Page, bytes: &[u8], form: &Form, place: &Place) -> Result<String> {
    let mut data = shown(form, &page.shop);
    data["shop"] = json!(page.shop.as_str());
    let origin = Origin::of(page, place)?;
    match &origin {
        Origin::Service { key, address, .. } => {
            data["service"] = json!(address);
            data["service_key"] = key.to_jwk();
            data["page"] = json!(base64url::encode_to_string(&Sha256::digest(bytes)));
        }
        Origin::Page(program) => data["program"] = super::item_page::program_to_json(program),
    }
    let data = data.to_string();
    let connect = origin.policy("'self'");
    let html = filled(data.as_bytes(), LIVE_SCRIPT, &connect, form.title(&page.shop));
    Ok(String::from_utf8_lossy(&html).into_owned())
}

/// Where the programs of a page come from.
pub(super) enum Origin<'p> {
    /// The service, with the key by which it signs.
    Service {
        /// The key.
        key: &'p VerifyingKey,
        /// The service's address, as browsers write it.
        address: String,
        /// Where it hands out programs.
        programs: SendTo,
    },
    /// The page itself.
    Page(&'p ClientBundle),
}

impl<'p> Origin<'p> {
    /// Finds the origin in an item page.
    pub fn of(page: &'p Page, place: &Place) -> Result<Self> {
        let malformed = |fault: Malformed| Error::malformed(place, fault);
        let missing = |member: &str| malformed(Malformed::NoMember(member.to_owned()));
        match (&page.service_key, &page.program) {
            (Some(key), _) => {
                let service = page.service.as_ref().ok_or_else(|| missing("service"))?;
                let programs =
                    programs(service).map_err(|fault| malformed(fault.within("service")))?;
                let address = programs.url().trim_end_matches(PROGRAMS).to_owned();
                Ok(Self::Service { key, address, programs })
            }
            (None, Some(program)) => match refusal(program.shop.suite) {
                None => Ok(Self::Page(program)),
                Some(reason) => Err(Error::key(place, reason.into())),
            },
            (None, None) => Err(missing("service_key")),
        }
    }

    /// Where a policy lets the page connect: to where it sends orders, and to ask for programs.
    pub fn policy(&self, orders: &str) -> String {
        match self {
            Self::Service { programs, .. } => format!("{orders} {}", programs.source()),
            Self::Page(_) => orders.to_owned(),
        }
    }
}

/// Where browsers ask for programs.
fn programs(service: &ServiceUrl) -> Result<SendTo, Malformed> {
    let base = service.as_str();
    if base.contains('?') {
        let (fault, example) = (SendFault::Query.into(), "https://service.example/");
        return Err(Malformed::Address { fault, example });
    }
    format!("{}/{PROGRAMS}", base.strip_suffix('/').unwrap_or(base)).parse()
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;
    use serde_json::Value;

    use super::*;
    use crate::protocol::page::Items;

    const KEY: &str =
        r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const PROGRAM: &str = r#"{"keys":[{"alg":"ALG","crv":"X25519","kid":"tokyo","kty":"OKP","x":"PcYhpewfllY_OuPm6YlHAf9QU6-X7KYd3i9MxxgfhjY"}],
"orderseal":{"program":{"run":"automatic","steps":["generate","seal","wrap","send"]},"role":"client","shops":{"tokyo":
{"alg":"ALG","enc":"A256GCM","scheme":{"content":"hybrid","kind":"public","scope":"shop"}}},"version":1}}"#;
    const ITEMS: &str = r#"{"title":"Tea </title> & {{script}}","currency":"JPY","items":[{"id":1,"name":"</script>","price":5}]}"#;

    fn made(members: &str) -> Result<String, String> {
        let bytes = format!(
            r#"{{"orderseal":{{"role":"page","version":1,"shop":"tokyo",{members}}},"items":{ITEMS}}}"#
        );
        let place = Place::file("page.json");
        let page = Page::parse(bytes.as_bytes(), &place).map_err(|error| error.to_string())?;
        let items = Items::parse(ITEMS.as_bytes(), &place).unwrap();
        let form = Form { items: Some(items), lang: Some("ja".to_owned()), ..Form::default() };
        live(&page, bytes.as_bytes(), &form, &place).map_err(|error| error.to_string())
    }

    fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
        text.split_once(before).unwrap().1.split_once(after).unwrap().0
    }

    fn data(html: &str) -> Value {
        serde_json::from_str(between(html, super::super::DATA, "</script>")).unwrap()
    }

    fn allowed<'a>(html: &'a str, directive: &str) -> &'a str {
        between(html, directive, ";")
    }

    fn with_service(address: &str) -> Result<String, String> {
        made(&format!(r#""service":"{address}","service_key":{KEY}"#))
    }

    #[test]
    fn a_live_page_asks_the_service_and_has_no_key_but_that_of_its_signatures() {
        let html = with_service("https://service.example").unwrap();
        let hash = format!("'sha256-{}'", STANDARD.encode_to_string(Sha256::digest(LIVE_SCRIPT)));
        assert_eq!(allowed(&html, "script-src "), hash);
        assert_eq!(between(&html, "<script type=\"module\">", "</script>"), LIVE_SCRIPT);
        assert_eq!(allowed(&html, "connect-src "), "'self' https://service.example/v1/programs");
        assert!(html.contains("form-action 'none'") && !html.contains("<script>"));
        let data = data(&html);
        assert_eq!(data["service"], "https://service.example/");
        assert_eq!(data["service_key"]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(data["page"].as_str().unwrap().len(), 43);
        assert_eq!((&data["lang"], &data["currency"]), (&json!("ja"), &json!("JPY")));
        assert_eq!(data["items"][0]["name"], "</script>");
        assert_eq!((data.get("keys"), data.get("program")), (None, None));
        assert!(html.len() < 80_000, "{} bytes", html.len());
    }

    #[test]
    fn the_address_is_a_base_and_written_as_browsers_do() {
        for (address, base) in [
            ("https://service.example/", "https://service.example/"),
            ("HTTPS://Service.Example:443", "https://service.example/"),
            ("http://127.0.0.1:8701/a/", "http://127.0.0.1:8701/a/"),
            ("https://service.example/a", "https://service.example/a/"),
        ] {
            let html = with_service(address).unwrap();
            assert_eq!(data(&html)["service"], base);
            let connect = format!("'self' {base}v1/programs");
            assert_eq!(allowed(&html, "connect-src "), connect);
        }
        for (address, told) in [
            ("https://[::1]:8701/", "IPv6"),
            ("https://service.example/?a=b", "a query"),
            ("https://service.example/a;b", "';' in its path"),
            ("https://service.example:6667/", "browsers block"),
        ] {
            let found = with_service(address).unwrap_err();
            assert!(found.starts_with("page.json: service: ") && found.contains(told), "{found}");
        }
    }

    #[test]
    fn with_the_key_of_the_shop_a_page_asks_nobody() {
        let html =
            made(&format!(r#""program":{}"#, PROGRAM.replace("ALG", "ECDH-ES+A256KW"))).unwrap();
        assert_eq!(allowed(&html, "connect-src "), "'self'");
        let data = data(&html);
        assert_eq!(data["program"]["keys"][0]["kid"], "tokyo");
        assert_eq!(
            (data.get("service"), data.get("service_key"), data.get("page")),
            (None, None, None)
        );
    }

    #[test]
    fn pages_that_cannot_work_are_refused() {
        for (members, told) in [
            (r#""service":"https://a.b/""#.to_owned(), "page.json: no member \"service_key\""),
            (format!(r#""service_key":{KEY}"#), "page.json: no member \"service\""),
            (
                format!(r#""program":{}"#, PROGRAM.replace("ALG", "ECDH-ES+A192KW")),
                "page.json: no page seals with ECDH-ES+A192KW",
            ),
        ] {
            let found = made(&members).unwrap_err();
            assert!(found.starts_with(told), "{found}");
        }
    }
}
