//! Reads item pages, goods, fields, requests, addresses and order pages, and makes order pages of
//! what was read.

#![no_main]

use std::sync::OnceLock;

use orderseal::ciphers::random::{KeySource, SeededSource};
use orderseal::protocol::jose::jws::SigningKey;
use orderseal::protocol::model::{ServiceUrl, WebPage};
use orderseal::protocol::page::item_page::Page;
use orderseal::protocol::page::request::Request;
use orderseal::protocol::page::{
    Description, Fields, Form, Items, SendTo, attached, link, live, page,
};
use orderseal::protocol::store::keyfile::ClientBundle;
use orderseal_fuzz::{Input, begin, keys, place};
use serde_json::json;

const ITEMS: &str = r#"{"title":{"en":"Tea","ja":"お茶"},"currency":"JPY","items":[
    {"id":"t1","name":"Green tea","price":"540","picture":"data:image/png;base64,iVBORw0KGgo="},
    {"name":{"en":"Paper","ja":"紙"},"price":120,"max":5}]}"#;

const LIST: &str = r#"[{"name":"tea","price":"5.40"},{"name":"paper"}]"#;

const FIELDS: &str = r#"[{"name":"name","label":"Name","required":true},
    {"name":"note","label":{"en":"Note","ja":"備考"},"type":"textarea","max":200}]"#;

/// Bundles that seal in pages.
fn bundles() -> &'static [ClientBundle] {
    static BUNDLES: OnceLock<Vec<ClientBundle>> = OnceLock::new();
    BUNDLES.get_or_init(|| {
        let shops = keys::shops(keys::keyring());
        let bundle = |shop| keys::client(&mut keys::keyring().clone(), shop, 3).ok();
        shops.iter().filter_map(bundle).collect()
    })
}

fn item_page() -> Page {
    let key = SigningKey::random(&mut SeededSource::new(3).stream(0));
    Page {
        shop: keys::name("tokyo"),
        service: Some("https://service.example/".parse().expect("it is an address")),
        service_key: Some(key.verifying()),
        program: None,
        items: serde_json::from_str(LIST).expect("it is JSON"),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let of = |kind: u8, text: &[u8]| [&[kind], text].concat();
    let mut seeds = vec![of(0, ITEMS.as_bytes()), of(0, LIST.as_bytes()), of(1, FIELDS.as_bytes())];
    let page = item_page();
    let program = bundles().iter().find(|bundle| {
        orderseal::protocol::page::item_page::check_program(bundle, &bundle.name.name()).is_ok()
    });
    let with_program = program.map(|bundle| Page {
        shop: bundle.name.name(),
        program: Some(bundle.clone()),
        ..page.clone()
    });
    for page in [Some(page), with_program].into_iter().flatten() {
        seeds.push(of(2, &page.to_bytes()));
        let user = Some(keys::name("alice"));
        let request = Request::new(&page, b"page", user, 2, &mut SeededSource::new(1).stream(0));
        seeds.push(of(3, &request.to_bytes()));
    }
    for url in
        ["https://shop.example:8443/orders?x=1", "mailto:orders@shop.example", "http://[::1]/a%20b"]
    {
        seeds.push(of(4, url.as_bytes()));
    }
    for (number, bundle) in bundles().iter().enumerate() {
        let made = self::page(bundle, &Form::default(), &mut SeededSource::new(2).stream(0));
        if let Some(made) = made.ok().filter(|_| number % 7 == 0) {
            let at = made.windows(5).position(|bytes| bytes == b"\"alg\"").unwrap_or(0);
            seeds.push(of(5, &made[at.saturating_sub(200)..(at + 2000).min(made.len())]));
        }
    }
    seeds.push(of(
        6,
        &[&[0][..], ITEMS.as_bytes(), &[0], FIELDS.as_bytes(), b"\0https://a.example/"].concat(),
    ));
    seeds.push(of(6, &[&[9][..], LIST.as_bytes(), &[0], b"[]", b"\0mailto:a@b.example"].concat()));
    seeds.push(of(
        0,
        json!({ "items": [{ "name": "</script>", "price": 1e-7 }] }).to_string().as_bytes(),
    ));
    seeds
}

/// Makes pages with a form, and reads them again.
fn make(bundle: &ClientBundle, form: &Form) {
    let made = page(bundle, form, &mut SeededSource::new(4).stream(0));
    let Ok(made) = made else { return };
    let read = Description::parse(&made, &place()).expect("a page that was made is read");
    assert_eq!(read.shop, bundle.name);
    assert_eq!(read.suite, bundle.shop.suite);
    assert_eq!(read.send_to.as_ref().map(SendTo::url), form.send_to.as_ref().map(SendTo::url));
    assert!(WebPage::recognized(&made).is_some(), "a page that was made is recognized");
    let ends = made.windows(9).filter(|bytes| bytes.eq_ignore_ascii_case(b"</script>")).count();
    assert_eq!(ends, 2, "a text in the form ends an element of the page");
}

fn form(items: &[u8], fields: &[u8], send_to: &[u8]) -> Option<Form> {
    let items = match items.is_empty() {
        true => None,
        false => Some(Items::parse(items, &place()).ok()?),
    };
    let fields = Fields::parse(fields, &place()).ok()?;
    let send_to = str::from_utf8(send_to).ok().and_then(|text| text.parse().ok());
    Some(Form { items, fields, send_to, lang: None })
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        let kind = input.byte() % 7;
        let bytes = if kind == 6 { &[][..] } else { input.rest() };
        let first = &bundles()[0];
        match kind {
            0 => {
                if let Ok(items) = Items::parse(bytes, &place()) {
                    make(first, &Form { items: Some(items), ..Form::default() });
                }
            }
            1 => {
                if let Ok(fields) = Fields::parse(bytes, &place()) {
                    make(first, &Form { fields, ..Form::default() });
                }
            }
            2 => {
                let Ok(page) = Page::parse(bytes, &place()) else { return };
                let again = Page::parse(&page.to_bytes(), &place());
                assert_eq!(again.expect("what was written is read"), page);
                let items = page.offered(&place()).expect("goods were checked");
                let form = Form { items, ..Form::default() };
                let _ = (live(&page, bytes, &form, &place()), attached(&page, &form, &place()));
                let _ = link(&page.shop);
            }
            3 => {
                let Ok(request) = Request::parse(bytes, &place()) else { return };
                let again = Request::parse(&request.to_bytes(), &place());
                assert_eq!(again.expect("what was written is read"), request);
            }
            4 => {
                let Ok(text) = str::from_utf8(bytes) else { return };
                if let Ok(address) = text.parse::<SendTo>() {
                    let again = address.url().parse::<SendTo>();
                    assert_eq!(again.as_ref().map(SendTo::url), Ok(address.url()));
                    let _ = address.is_plain_http();
                    make(first, &Form { send_to: Some(address), ..Form::default() });
                }
                if let Ok(address) = text.parse::<ServiceUrl>() {
                    assert_eq!(address.as_str().parse(), Ok(address.clone()));
                }
            }
            5 => {
                let page = [&b"<script id=\"delivered\">"[..], bytes, b"</script>"];
                let _ = Description::parse(&page.concat(), &place());
                let _ = (Description::parse(bytes, &place()), WebPage::recognized(bytes));
            }
            _ => {
                let bundle = &bundles()[input.below(bundles().len())];
                let mut parts = input.rest().splitn(3, |&byte| byte == 0);
                let mut part = || parts.next().unwrap_or_default();
                if let Some(form) = form(part(), part(), part()) {
                    make(bundle, &form);
                }
            }
        }
    }
);
