//! A script for forms that shops have already: it seals what is typed, and sends it. And a form to begin with.

use std::sync::LazyLock;

use base64_simd::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha384};

use super::item_page::{Page, program_to_json};
use super::live::Origin;
use super::{Form, SendTo, escaped, fill};
use crate::protocol::model::{Place, Result};

const TEMPLATE: &str = include_str!("attached.html");

/// The files of the script, joined. Nothing of it is seen by other scripts of the page.
const SOURCE: &str = concat!(
    "(() => {\n\"use strict\";\n",
    script!(
        "attached/texts.js" "trouble.js" "bytes.js" "ciphers.js" "keys.js" "seal.js" "memory.js" "post.js"
        "dates.js" "live/answers.js" "live/program.js" "live/deliver.js" "attached/form.js"
        "attached/order.js"
    ),
    "})();\n"
);

/// Where the shop's server takes orders, on the server that the form comes from.
const ORDERS: &str = "'self'";

/// The words of the form in Japanese, and those of the script by the attributes that it takes them from.
const JAPANESE: [(&str, &str); 15] = [
    ("item", "商品"),
    ("quantity", "数量"),
    ("name", "お名前"),
    ("address", "ご住所"),
    ("telephone", "電話番号（任意）"),
    ("order", "注文する"),
    ("noscript", "ご注文はスクリプトで暗号化されます。スクリプトを許可してください。"),
    ("data-text-working", "暗号化して送信しています…"),
    ("data-text-sent", "ありがとうございます。店舗がご注文を受け取りました（{0}）。"),
    ("data-text-sealed", "ご注文を暗号化しました（{0}）。送信してください。"),
    (
        "data-text-unsent",
        "{1}のご注文を、店舗がまだ確認していません（{0}）。注文は失われていません。もう一度送信してください（同じご注文です）。",
    ),
    ("data-text-failed", "注文されていません（{0}）。入力内容は残っています。"),
    ("data-text-off", "このフォームでは注文できません（{0}）。店舗にお知らせください。"),
    ("data-text-send", "送信"),
    ("data-text-erase", "消去"),
];

/// The words of the form in English; the script has its own.
const ENGLISH: [(&str, &str); 7] = [
    ("item", "Item"),
    ("quantity", "Quantity"),
    ("name", "Name"),
    ("address", "Address"),
    ("telephone", "Telephone (optional)"),
    ("order", "Place the order"),
    ("noscript", "A script encrypts your order: please allow scripts."),
];

/// The script as it is served.
#[derive(Debug)]
pub struct Script {
    /// The name of its file, which has its hash.
    pub name: String,
    /// The text: its source without comments and spaces.
    pub text: String,
    /// Its hash as browsers check it (Subresource Integrity).
    pub integrity: String,
}

static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
    let text =
        minifier::js::minify(SOURCE).map_or_else(|_| SOURCE.to_owned(), |text| text.to_string());
    let hash = Sha384::digest(&text);
    Script {
        name: format!("orderseal-{}.js", hex::encode(&hash[..8])),
        integrity: format!("sha384-{}", STANDARD.encode_to_string(hash)),
        text,
    }
});

/// The script, the same for all forms of this version.
pub fn script() -> &'static Script {
    &SCRIPT
}

/// Makes a form for the shop of an item page, with the script beside it. It sends orders to `form.send_to`, or to
/// the shop's server that it comes from.
///
/// # Errors
/// As [`live`](super::live()).
pub fn attached(page: &Page, form: &Form, place: &Place) -> Result<String> {
    let origin = Origin::of(page, place)?;
    let words: &[_] = match form.lang.as_deref() {
        Some("ja") => &JAPANESE,
        Some(_) | None => &ENGLISH,
    };
    let lang = form.lang.as_deref().unwrap_or("en");
    let word = |name: &str| words.iter().find(|(own, _)| *own == name).map_or("", |(_, text)| text);
    let orders = form.send_to.as_ref().map_or(ORDERS, SendTo::source);
    let connect = origin.policy(orders);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connect}; \
         base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let mut data = attribute("data-shop", page.shop.as_str());
    match &origin {
        Origin::Service { key, address, .. } => {
            data += &attribute("data-service", address);
            data += &attribute("data-service-key", key.to_jwk()["x"].as_str().unwrap_or_default());
        }
        Origin::Page(program) => {
            data += &attribute("data-program", &program_to_json(program).to_string())
        }
    }
    if let Some(send_to) = &form.send_to {
        data += &attribute("data-send-to", send_to.url());
    }
    for (name, text) in words.iter().filter(|(name, _)| name.starts_with("data-")) {
        data += &attribute(name, text);
    }
    let (title, goods) = (escaped(form.title(&page.shop)), goods(form, lang, word("item")));
    let html = fill(TEMPLATE, |place| match place {
        "lang" => lang.as_bytes(),
        "policy" => policy.as_bytes(),
        "title" => title.as_bytes(),
        "goods" => goods.as_bytes(),
        "script" => SCRIPT.name.as_bytes(),
        "integrity" => SCRIPT.integrity.as_bytes(),
        "data" => data.as_bytes(),
        word_of => word(word_of).as_bytes(),
    });
    Ok(String::from_utf8_lossy(&html).into_owned())
}

/// An attribute on a line of its own.
fn attribute(name: &str, value: &str) -> String {
    format!("\n    {name}=\"{}\"", escaped(value))
}

/// The field for the item: one of those on offer, or free text.
fn goods(form: &Form, lang: &str, label: &str) -> String {
    let list = form.items.as_ref().and_then(|items| items.list.as_array());
    let Some(list) = list else {
        return format!(
            "<p><label>{label}<br><input name=\"item\" maxlength=\"500\" required></label></p>"
        );
    };
    let options: String = list
        .iter()
        .map(|item| {
            let id = item["id"].as_str().map_or_else(|| item["id"].to_string(), str::to_owned);
            let name = in_language(&item["name"], lang);
            format!("\n<option value=\"{}\">{}</option>", escaped(&id), escaped(name))
        })
        .collect();
    format!("<p><label>{label}<br><select name=\"item\" required>{options}\n</select></label></p>")
}

/// A shop's text in a language, or in any.
fn in_language<'t>(text: &'t Value, lang: &str) -> &'t str {
    let one = text.as_object().and_then(|texts| texts.get(lang).or_else(|| texts.values().next()));
    one.unwrap_or(text).as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::page::Items;

    const SERVICE: &str = r#"{"orderseal":{"role":"page","version":1,"shop":"tokyo","service":"https://service.example/base/",
"service_key":{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},"items":[]}"#;

    fn made(page: &str, form: &Form) -> String {
        let place = Place::file("page.json");
        attached(&Page::parse(page.as_bytes(), &place).unwrap(), form, &place).unwrap()
    }

    #[test]
    fn the_script_is_short_named_by_its_hash_and_keeps_to_itself() {
        let script = script();
        assert!(script.text.len() < 20_000, "{} bytes", script.text.len());
        assert!(script.text.len() < SOURCE.len() * 9 / 10, "it was shortened");
        assert!(
            script.text.starts_with("(()=>{") && script.text.ends_with("})();"),
            "{}",
            script.text
        );
        assert!(script.text.contains("\"use strict\""));
        let hash = Sha384::digest(&script.text);
        assert_eq!(script.name, format!("orderseal-{}.js", &hex::encode(hash)[..16]));
        assert_eq!(script.integrity, format!("sha384-{}", STANDARD.encode_to_string(hash)));
    }

    #[test]
    fn a_form_is_harmless_by_itself_and_says_where_it_connects() {
        let html = made(SERVICE, &Form::default());
        assert!(
            html.contains(r#"<form method="dialog" autocomplete="on">"#)
                && !html.contains("action=")
        );
        assert!(html.contains("<button disabled>Place the order</button>"));
        assert!(html.contains("form-action 'none'"));
        assert!(
            html.contains("connect-src 'self' https://service.example/base/v1/programs;"),
            "{html}"
        );
        assert!(html.contains(r#"data-service="https://service.example/base/""#));
        assert!(html.contains(r#"data-service-key="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#));
        assert!(
            html.contains(&format!(
                r#"integrity="{}" crossorigin="anonymous""#,
                script().integrity
            ))
        );
        let send_to = Some("https://shop.example/v1/orders".parse().unwrap());
        let html = made(SERVICE, &Form { send_to, ..Form::default() });
        assert!(html.contains(
            "connect-src https://shop.example/v1/orders https://service.example/base/v1/programs;"
        ));
        assert!(html.contains(r#"data-send-to="https://shop.example/v1/orders""#));
    }

    #[test]
    fn items_are_shown_as_text_in_the_language_of_the_form() {
        let hostile = r#"\"><script>alert(1)</script>{{data}}"#;
        let items = format!(
            r#"[{{"id":7,"name":{{"en":"Tea","ja":"茶"}}}},{{"id":"{hostile}","name":"{hostile}"}}]"#
        );
        let items = Some(Items::parse(items.as_bytes(), &Place::file("items")).unwrap());
        let html = made(SERVICE, &Form { items, lang: Some("ja".to_owned()), ..Form::default() });
        assert!(
            html.contains(r#"<html lang="ja">"#)
                && html.contains(r#"<option value="7">茶</option>"#)
        );
        assert!(html.contains("&quot;>&lt;script>alert(1)&lt;/script>{{data}}</option>"), "{html}");
        assert_eq!(html.matches("<script").count(), 1);
        assert!(html.contains("data-text-sent=\"ありがとうございます。"));
    }

    #[test]
    fn every_word_of_the_template_is_there_in_both_languages() {
        let others = ["lang", "policy", "title", "goods", "script", "integrity", "data"];
        for place in TEMPLATE.split("{{").skip(1).map(|piece| piece.split_once("}}").unwrap().0) {
            let has = |words: &[(&str, &str)]| words.iter().any(|(name, _)| *name == place);
            assert!(others.contains(&place) || has(&JAPANESE) && has(&ENGLISH), "{place}");
        }
        let texts = include_str!("program/attached/texts.js");
        for (attribute, _) in JAPANESE.iter().filter(|(name, _)| name.starts_with("data-")) {
            let name = attribute.trim_start_matches("data-text-");
            assert!(texts.contains(&format!(" {name}: \"")), "{name}");
        }
    }
}
