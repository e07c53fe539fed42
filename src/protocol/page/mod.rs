//! The program with the key built in, as a page that runs itself: order form, key and script in one
//! HTML file (paragraphs 0126, 0131 and 0132, claim 15). `docs/PAGE.md` describes it.

mod describe;
mod fields;
mod form;
pub mod item_page;
mod items;
mod price;
mod send_to;
#[cfg(test)]
mod tests;
mod words;

use base64_simd::STANDARD;
use rand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use describe::{Description, Sizes};
pub use fields::Fields;
pub use form::Form;
pub use items::Items;
pub use send_to::SendTo;
pub use words::LANGUAGES;

use crate::ciphers::content::ContentCipher;
use crate::ciphers::random::KeyStream;
use crate::ciphers::wrap::WrapAlgorithm;
use crate::ciphers::{Secret, Wiped, base64url};
use crate::protocol::jose::json::SecretJson;
use crate::protocol::jose::jwk::{Jwk, Material};
use crate::protocol::model::{Alg, Enc, Kid, Name, Program, Run, Suite};
use crate::protocol::store::keyfile::{KeyFile, Shop};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// The files of the script, joined: the first three only define what the form and the order use.
const SCRIPT: &str = concat!(
    include_str!("program/texts.js"),
    include_str!("program/crypto.js"),
    include_str!("program/memory.js"),
    include_str!("program/form.js"),
    include_str!("program/order.js"),
);

/// What stands in front of the data in a page.
const DATA: &str = "id=\"delivered\">";

/// Most transactions of one page: the browser imports all keys when it opens it.
pub const MAX_ORDERS: usize = 10_000;

/// The public exponent that goes without saying, 65,537.
const USUAL_EXPONENT: [u8; 3] = [1, 0, 1];

/// Why no page can be made for a shop's algorithms, or for a program; nothing if one can.
pub fn refusal(suite: Suite, layers: u8) -> Option<String> {
    let wraps = match suite.alg() {
        Alg::Direct => true,
        Alg::Wrap(algorithm) => matches!(
            algorithm,
            WrapAlgorithm::A256Kw | WrapAlgorithm::A128Kw | WrapAlgorithm::RsaOaep256
        ),
    };
    let seals = match suite.enc() {
        Enc::Cipher(cipher) => {
            matches!(cipher, ContentCipher::A256Gcm | ContentCipher::A128Gcm)
        }
        Enc::RsaBlocks => false,
    };
    if !wraps {
        return Some(format!(
            "a page wraps keys by A256KW, A128KW or RSA-OAEP-256, which browsers have; the shop \
             takes {}",
            suite.alg().name()
        ));
    }
    if !seals {
        return Some(format!(
            "a page encrypts orders by A256GCM or A128GCM, which browsers have; the shop takes {}",
            suite.enc().name()
        ));
    }
    (layers > 1).then(|| "a page makes one content-encryption key an order, no chain".to_owned())
}

/// Makes the page from what was delivered to a client. The page has an id of its own, drawn from
/// `rng`, under which the browser remembers what is spent.
///
/// # Panics
/// If `client` is not a client's file, or [`refusal`] has a reason against it.
pub fn page(client: &KeyFile, form: &Form, rng: &mut KeyStream) -> Secret {
    let (name, shop) = client.shops.iter().next().expect("a client's file has its shop");
    let data = SecretJson::new(delivered(client, name, shop, form, rng.next_u64())).to_bytes();
    let data = without_tags(&data);
    let policy = policy(form.send_to.as_ref());
    let title = escaped(form.title(name));

    let mut page = Wiped::with_capacity(
        TEMPLATE.len() + STYLE.len() + SCRIPT.len() + data.len() + policy.len() + 2 * title.len(),
    );
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (place, after) = after.split_once("}}").expect("the template closes its places");
        page.extend_from_slice(before.as_bytes());
        page.extend_from_slice(match place {
            "policy" => policy.as_bytes(),
            "version" => env!("CARGO_PKG_VERSION").as_bytes(),
            "title" => title.as_bytes(),
            "style" => STYLE.as_bytes(),
            "data" => &data,
            "script" => SCRIPT.as_bytes(),
            place => unreachable!("the template has no place {place}"),
        });
        rest = after;
    }
    page.extend_from_slice(rest.as_bytes());
    page.into()
}

/// The data with `<` as an escape of JSON, so that no text in it can end the element that it stands in.
fn without_tags(data: &[u8]) -> Wiped {
    let marks = data.iter().filter(|&&byte| byte == b'<').count();
    let mut safe = Wiped::with_capacity(data.len() + marks * r"\u003c".len());
    for (index, piece) in data.split(|&byte| byte == b'<').enumerate() {
        if index > 0 {
            safe.extend_from_slice(br"\u003c");
        }
        safe.extend_from_slice(piece);
    }
    safe
}

/// The content security policy: this style, this script, pictures that are in the page, requests
/// to the shop, and nothing else.
fn policy(send_to: Option<&SendTo>) -> String {
    let hash = |text: &str| STANDARD.encode_to_string(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; \
         connect-src {}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE),
        send_to.map_or("'none'", SendTo::source)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// What the script is given.
fn delivered(client: &KeyFile, name: &Name, shop: &Shop, form: &Form, id: u64) -> Value {
    let Some(Program::Client { run, erase, .. }) = &client.program else {
        panic!("a client's file has a client's program");
    };
    let first = client.keys().first().and_then(|key| key.kid.as_ref()).expect("a key with a name");
    let reusable = first.id().is_none_or(|id| shop.users.contains(&id));
    let mut data = json!({
        "id": hex::encode(id.to_be_bytes()),
        "shop": name.as_str(),
        "title": form.items.as_ref().and_then(|items| items.title.clone()).unwrap_or(json!(name.as_str())),
        "alg": shop.suite.alg().name(),
        "enc": shop.suite.enc().name(),
        "reusable": reusable,
        "orders": client.keys().len(),
        "guided": *run == Run::Guided,
        "erase": erase.is_some(),
        "fields": form.fields.to_json(),
    });
    data["keys"] = client.keys().iter().map(key).collect();
    if let Some(budget) = shop.budget.get(first) {
        data["budget"] = json!(budget);
    }
    if let Some(items) = &form.items {
        data["items"] = items.list.clone();
        if let Some(currency) = &items.currency {
            data["currency"] = json!(currency);
            data["decimals"] = json!(price::decimals(currency));
        }
    }
    if let Some(send_to) = &form.send_to {
        data["send_to"] = json!(send_to.url());
    }
    if let Some(lang) = &form.lang {
        data["lang"] = json!(lang);
    }
    data
}

/// A key as the script takes it: id, bytes or modulus, and the exponent where it is unusual.
fn key(key: &Jwk) -> Value {
    let id = key.kid.as_ref().and_then(Kid::id);
    let id = id.as_ref().map_or("", Name::as_str);
    match &key.material {
        // Moved into the value, which is wiped: the macro `json` leaves a copy behind.
        Material::Secret(bytes) => {
            Value::Array(vec![id.into(), base64url::encode_to_string(bytes).into()])
        }
        Material::PublicRsa(key) => {
            let (n, e) = (key.modulus_be_bytes(), key.exponent_be_bytes());
            let mut parts = vec![json!(id), json!(base64url::encode_to_string(&n))];
            if e != USUAL_EXPONENT {
                parts.push(json!(base64url::encode_to_string(&e)));
            }
            json!(parts)
        }
        other => unreachable!("{} has no place in a page", other.name()),
    }
}
