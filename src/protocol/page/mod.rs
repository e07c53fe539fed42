//! Order pages: the program with the key built in, as a web page. Order form, key and script are in
//! one HTML file (paragraphs 0126, 0131 and 0132, claim 15). `docs/PAGE.md` describes it.

/// Files of the script, joined.
macro_rules! script {
    ($($file:literal)*) => { concat!($(include_str!(concat!("program/", $file))),*) };
}

mod attached;
mod describe;
mod fields;
mod form;
pub mod item_page;
mod items;
mod link;
mod live;
mod price;
pub mod program;
pub mod request;
mod send_to;
#[cfg(test)]
mod tests;
mod words;

use base64_simd::STANDARD;
use rand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use attached::{Script, attached, script};
pub use describe::{Description, Sizes};
pub use fields::Fields;
pub use form::Form;
pub use items::Items;
pub use link::link;
pub use live::live;
pub use send_to::SendTo;
pub use words::LANGUAGES;

use crate::ciphers::aes::KeySize;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::OaepHash;
use crate::ciphers::{Secret, Wiped, base64url};
use crate::protocol::jose::json::SecretJson;
use crate::protocol::jose::jwk::{EncryptingKey, Jwk, PublicHalf};
use crate::protocol::model::{
    Alg, Dates, Enc, KeyError, Kid, Name, PageLacks, Run, Suite, Unfit, WrapAlgorithm,
};
use crate::protocol::store::keyfile::ClientBundle;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The script. The files before the form contain only definitions.
const SCRIPT: &str = script!(
    "texts.js" "trouble.js" "bytes.js" "ciphers.js" "words.js" "keys.js" "seal.js" "delivered.js" "memory.js"
    "spending.js" "post.js" "dates.js" "form.js" "steps.js" "order.js"
);

/// The script of a live page, likewise.
const LIVE_SCRIPT: &str = script!(
    "texts.js" "live/texts.js" "trouble.js" "bytes.js" "ciphers.js" "keys.js" "seal.js" "memory.js" "post.js"
    "dates.js" "live/answers.js" "live/program.js" "live/deliver.js" "form.js" "steps.js"
    "live/order.js"
);

/// Text before the data in a page.
const DATA: &str = "id=\"delivered\">";

/// Most transactions in one page: the browser imports all keys when it opens the page.
pub const MAX_ORDERS: usize = 10_000;

/// Default public exponent, 65,537; keys in a page omit it.
const USUAL_EXPONENT: [u8; 3] = [1, 0, 1];

/// Returns the reason why no page can be made for these algorithms; `None` if one can.
pub fn refusal(suite: Suite) -> Option<Unfit> {
    let (alg, enc) = (suite.alg(), suite.enc());
    let wraps = lacking_for_keys(alg).map(|lacking| (alg.name(), lacking));
    let seals = lacking_for_orders(enc).map(|lacking| (enc.name(), lacking));
    wraps.or(seals).map(|(algorithm, lacking)| Unfit::NoPage { algorithm, lacking })
}

/// What a page lacks for managing keys this way.
#[deny(clippy::wildcard_enum_match_arm)]
fn lacking_for_keys(alg: Alg) -> Option<PageLacks> {
    match alg {
        Alg::Direct | Alg::Agree => None,
        Alg::Password(_) => Some(PageLacks::Passwords),
        Alg::Wrap(algorithm) => match algorithm {
            WrapAlgorithm::AesKw(size)
            | WrapAlgorithm::AesGcmKw(size)
            | WrapAlgorithm::EcdhEs(size) => match size {
                KeySize::Aes128 | KeySize::Aes256 => None,
                KeySize::Aes192 => Some(PageLacks::Aes192),
            },
            WrapAlgorithm::RsaOaep(
                OaepHash::Sha1 | OaepHash::Sha256 | OaepHash::Sha384 | OaepHash::Sha512,
            ) => None,
            WrapAlgorithm::CipherKw(own) => lacking_for_orders(Enc::Cipher(own.cipher())),
            WrapAlgorithm::MhKnapsack => Some(PageLacks::Algorithm),
        },
    }
}

/// What a page lacks for encrypting orders this way.
#[deny(clippy::wildcard_enum_match_arm)]
fn lacking_for_orders(enc: Enc) -> Option<PageLacks> {
    match enc {
        Enc::RsaBlocks => None,
        Enc::Cipher(cipher) => match cipher {
            ContentCipher::A256Gcm
            | ContentCipher::A128Gcm
            | ContentCipher::A128CbcHs256
            | ContentCipher::A256CbcHs512 => None,
            ContentCipher::A192Gcm | ContentCipher::A192CbcHs384 => Some(PageLacks::Aes192),
            ContentCipher::DesCbcHs256
            | ContentCipher::DesEde3CbcHs256
            | ContentCipher::ToyDesEcbHs256(_)
            | ContentCipher::Feal8CbcHs256
            | ContentCipher::Grain128AeadV2 => Some(PageLacks::Algorithm),
            ContentCipher::VernamHs256 => Some(PageLacks::Pads),
        },
    }
}

/// Makes the page from a client's bundle. The page contains an id of its own, drawn from `rng`;
/// under it, the browser records what is spent.
///
/// # Errors
/// [`KeyError::Missing`] if program or keys were erased; [`KeyError::Unfit`] for keys against
/// which [`refusal`] has a reason.
pub fn page(client: &ClientBundle, form: &Form, rng: &mut KeyStream) -> Result<Secret, KeyError> {
    let client = client.with_listed_keys();
    let data = SecretJson::new(delivered(&client, form, rng.next_u64())?).to_bytes();
    let connect = form.send_to.as_ref().map_or("'none'", SendTo::source);
    Ok(filled(&data, SCRIPT, connect, form.title(&client.name.name())).into())
}

/// Fills the template. `connect` is where the policy lets the page connect.
fn filled(data: &[u8], script: &str, connect: &str, title: &str) -> Wiped {
    let data = without_tags(data);
    let (policy, title) = (policy(script, connect), escaped(title));
    fill(TEMPLATE, |place| match place {
        "policy" => policy.as_bytes(),
        "version" => env!("CARGO_PKG_VERSION").as_bytes(),
        "title" => title.as_bytes(),
        "style" => STYLE.as_bytes(),
        "data" => &data,
        "script" => script.as_bytes(),
        _ => b"",
    })
}

/// Replaces the places in a template, `{{place}}`, by what stands there.
fn fill<'t>(template: &'t str, what: impl Fn(&str) -> &'t [u8]) -> Wiped {
    // The text up to the first place comes as if it stood behind one without a name.
    let pieces = || template.split("{{").map(|piece| piece.split_once("}}").unwrap_or(("", piece)));
    let length = pieces().map(|(place, text)| what(place).len() + text.len()).sum();
    let mut filled = Wiped::with_capacity(length);
    for (place, text) in pieces() {
        filled.extend_from_slice(what(place));
        filled.extend_from_slice(text.as_bytes());
    }
    filled
}

/// Replaces `<` in the data by a JSON escape, so that no text in it can close its element.
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

/// Builds the content security policy. It allows this style, this script, embedded pictures and
/// these connections, and nothing else.
fn policy(script: &str, connect: &str) -> String {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; \
         connect-src {connect}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(script),
        hash(STYLE),
    )
}

/// The hash of a script or a style, as policies name it.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode_to_string(Sha256::digest(text.as_bytes())))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Data passed to the script.
fn delivered(client: &ClientBundle, form: &Form, id: u64) -> Result<Value, KeyError> {
    let ClientBundle { name, shop, keys, .. } = client;
    let program = client.program.ok_or(KeyError::Missing("program"))?;
    let first = keys.names().next().ok_or(KeyError::Missing("key at all"))?;
    let mut data = shown(form, &name.name());
    data["id"] = json!(hex::encode(id.to_be_bytes()));
    data["shop"] = json!(name.as_str());
    data["alg"] = json!(shop.suite.alg().name());
    data["enc"] = json!(shop.suite.enc().name());
    data["reusable"] = json!(shop.is_reusable(first));
    data["orders"] = json!(keys.len());
    data["guided"] = json!(program.run == Run::Guided);
    data["erase"] = json!(program.erase.is_some());
    data["keys"] = keys.iter().map(key).collect::<Result<_, _>>()?;
    if let Some(budget) = client.budget.get(first) {
        data["budget"] = json!(budget);
    }
    let Dates { not_before, expires, .. } = shop.dates;
    for (member, time) in [("not_before", not_before), ("expires", expires)] {
        if let Some(time) = time {
            data[member] = json!(time.to_string());
        }
    }
    if program.layers > 1 {
        data["layers"] = json!(program.layers);
    }
    if let Some(send_to) = &form.send_to {
        data["send_to"] = json!(send_to.url());
    }
    Ok(data)
}

/// What a page shows.
fn shown(form: &Form, shop: &Name) -> Value {
    let title = form.items.as_ref().and_then(|items| items.title.clone());
    let title = title.unwrap_or(json!(shop.as_str()));
    let mut data = json!({ "title": title, "fields": form.fields.to_json() });
    if let Some(items) = &form.items {
        data["items"] = items.list.clone();
        if let Some(currency) = &items.currency {
            data["currency"] = json!(currency);
            data["decimals"] = json!(price::decimals(currency));
        }
    }
    if let Some(lang) = &form.lang {
        data["lang"] = json!(lang);
    }
    data
}

/// A key as the script reads it: id, and secret bytes; or the modulus, and the exponent if it is not
/// the default; or one or two coordinates.
#[deny(clippy::wildcard_enum_match_arm)]
fn key(key: &Jwk<EncryptingKey>) -> Result<Value, KeyError> {
    let id = key.kid.as_ref().and_then(Kid::id);
    let id = id.as_ref().map_or("", Name::as_str);
    match &key.material {
        // Moved into the value, which is wiped: the macro `json` leaves a copy behind.
        EncryptingKey::Secret(bytes) => {
            Ok(Value::Array(vec![id.into(), base64url::encode_to_string(bytes).into()]))
        }
        EncryptingKey::Public(PublicHalf::Rsa(key)) => {
            let (n, e) = (key.modulus_be_bytes(), key.exponent_be_bytes());
            let mut parts = vec![json!(id), json!(base64url::encode_to_string(&n))];
            if e != USUAL_EXPONENT {
                parts.push(json!(base64url::encode_to_string(&e)));
            }
            Ok(json!(parts))
        }
        EncryptingKey::Public(PublicHalf::Curve(key)) => {
            let coordinates = [Some(key.x()), key.y()].into_iter().flatten();
            let coordinates = coordinates.map(base64url::encode_to_string);
            Ok(std::iter::once(id.to_owned()).chain(coordinates).collect())
        }
        other @ (EncryptingKey::Pad(_) | EncryptingKey::Public(PublicHalf::Knapsack(_))) => {
            Err(Unfit::NotInPages(other.name()).into())
        }
    }
}
