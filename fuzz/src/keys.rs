//! Keys that are the same in every run, and lines that are sealed with them.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use orderseal::ciphers::content::ContentCipher;
use orderseal::ciphers::cpu::Backend;
use orderseal::ciphers::ecdh::Curve;
use orderseal::ciphers::random::{SeededSource, SystemSource};
use orderseal::protocol::jose::tree::{NODE_LEN, Tree, TreeId};
use orderseal::protocol::model::{Alg, Dates, Family, Name, ShopName, WrapAlgorithm};
use orderseal::protocol::pipeline::Part;
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::roles::service::{
    self, ClientRequest, IdRequest, KeyRequest, Pool, ShopForm, Sizes,
};
use orderseal::protocol::store::keyfile::{
    Account, ClientBundle, KeyFile, KeyHolder, Keyring, ShopBundle,
};
use orderseal::protocol::store::trees::ServiceTree;
use orderseal::protocol::store::{OpeningFile, OpeningKeys};
use orderseal::{Enc, Result, Scheme, Scope, Suite, Time};
use serde_json::{Value, json};

use crate::{place, workers};

/// What is sealed by [`lines`].
pub const TEXT: &str = "2 x green tea, 1 x rice paper";

/// Every suite whose keys are made fast: all but those of RSA, passwords and pads.
pub fn suites() -> Vec<Suite> {
    let ciphers = || ContentCipher::ALL.into_iter().filter(|cipher| !cipher.takes_pad());
    let direct = ciphers().map(|cipher| Suite::direct(Enc::Cipher(cipher)));
    let [first, second] = [ContentCipher::A128Gcm, ContentCipher::A128CbcHs256].map(Enc::Cipher);
    let wrapped = WrapAlgorithm::ALL.into_iter().map(Alg::Wrap);
    let others = wrapped
        .chain([Alg::Agree])
        .flat_map(|alg| [first, second].into_iter().filter_map(move |enc| Suite::new(alg, enc)));
    direct.chain(others).filter(|suite| suite.material() != Family::Rsa).collect()
}

/// A request for keys of a shop.
pub fn request(shop: &str, scope: Scope, suite: Suite, orders: u64, curve: Curve) -> KeyRequest {
    KeyRequest {
        pool: Pool::Listed,
        shop: name(shop),
        scheme: Scheme::new(suite.content(), scope, suite.kind()),
        suite,
        orders,
        sizes: Sizes { pad_bytes: 4096, curve, ..Sizes::default() },
        service: None,
        dates: Dates::default(),
    }
}

/// Adds keys to a keyring, the same for the same request.
pub fn add(keyring: &mut Keyring, request: &KeyRequest) {
    let source = SeededSource::new(7).child(request.shop.as_str());
    let keys = service::make_keys(request, &source, workers(), &|| {}, &place());
    let keys = keys.expect("keys are made");
    service::add_keys(keyring, request, keys, &source, &place()).expect("keys are added");
}

/// A keyring with a shop for each suite, and some shops at transaction scope.
pub fn keyring() -> &'static Keyring {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    KEYRING.get_or_init(|| {
        let mut keyring = Keyring::new();
        let curves = [Curve::X25519, Curve::P256, Curve::P384, Curve::P521];
        for (number, suite) in suites().into_iter().enumerate() {
            let shop = format!("s{number}");
            add(&mut keyring, &request(&shop, Scope::Shop, suite, 1, curves[number % 4]));
        }
        let hybrid = Suite::from_header("A128KW", "A128GCM").expect("they are standard");
        add(&mut keyring, &request("listed", Scope::Transaction, hybrid, 5, Curve::P256));
        let scheme = Scheme::new(hybrid.content(), Scope::Transaction, hybrid.kind());
        let (derived, id) = (ShopName::new("derived").expect("it is a name"), TreeId::new(7));
        let tree = Tree::new(id, &derived, hybrid, None).expect("secret keys are derived");
        let tree = ServiceTree::new(Backend::detect(), tree, &[7; NODE_LEN], 40);
        let mut account = Account::new(scheme, hybrid);
        account.trees.insert(id, tree);
        keyring.shops.insert(derived, account);
        keyring
    })
}

/// The names of a keyring's shops.
pub fn shops(keyring: &Keyring) -> Vec<Name> {
    keyring.shops.keys().map(|shop| shop.name()).collect()
}

/// A client's bundle; no keys are made for it.
pub fn client(keyring: &mut Keyring, shop: &Name, orders: u64) -> Result<ClientBundle> {
    let request = ClientRequest::new(shop.clone(), IdRequest::Pool(orders), Time::UNIX_EPOCH);
    let none = |_: &KeyRequest| Ok(Vec::new());
    let made = service::bundle_client(keyring, &request, &SeededSource::new(8), none, &place())?;
    Ok(made.client)
}

/// A shop's bundle.
pub fn shop(keyring: &Keyring, shop: &Name) -> Result<ShopBundle> {
    service::bundle_shop(keyring, Some(shop), ShopForm::Program, &place())
}

/// Keys that open orders under all keys of a keyring, also weak ones.
pub fn opening(keyring: &Keyring) -> OpeningKeys {
    let mut keys = OpeningKeys::new(true);
    let file = OpeningFile::Keyring(Arc::new(keyring.clone()));
    keys.add(file, &place()).expect("the keyring has keys");
    keys
}

/// Seals orders for a shop of a keyring.
pub fn seal(keyring: &Keyring, shop: &Name, orders: &[&str]) -> Result<Vec<Vec<u8>>> {
    let mut keyring = keyring.clone();
    let client = client(&mut keyring, shop, orders.len() as u64)?;
    let plan = Plan::of_client(&client, Time::UNIX_EPOCH, &place())?;
    let (text, mut sealed) = (orders.join("\n"), Vec::new());
    let (source, store) = (SystemSource::new()?, RefCell::new(client));
    plan.seal(
        workers(),
        Part::memory("orders", text.into_bytes()),
        &source,
        &store,
        &mut sealed,
        |_| {},
    )?;
    Ok(sealed
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect())
}

/// Lines of every shop of the keyring, each with the text [`TEXT`].
pub fn lines() -> Vec<Vec<u8>> {
    let keyring = keyring();
    let sealed = shops(keyring).into_iter().map(|shop| seal(keyring, &shop, &[TEXT]));
    sealed.flat_map(|lines| lines.expect("every shop of the keyring has keys")).collect()
}

/// Lines of a few shops whose orders open fast.
pub fn few_lines() -> Vec<Vec<u8>> {
    let shops = ["s0", "s1", "listed", "derived"].map(name);
    let sealed = shops.iter().map(|shop| seal(keyring(), shop, &[TEXT]));
    sealed.flat_map(|lines| lines.expect("the shops have keys")).collect()
}

/// Authentic lines under the same keys and names, but with other algorithms than the keyring has
/// for them. None of them may open.
pub fn lines_of_other_algorithms() -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let file: Value = {
        let bytes = keyring().to_bytes(&place()).expect("the keyring is short");
        serde_json::from_slice(&bytes).expect("a key file is JSON")
    };
    for (index, own) in suites().into_iter().enumerate() {
        let others = suites().into_iter().filter(|other| {
            let fits = other.material() == own.material() && other.secret_len() == own.secret_len();
            *other != own && fits
        });
        let shop = format!("s{index}");
        for other in others {
            let mut file = file.clone();
            let scheme = Scheme::new(other.content(), Scope::Shop, other.kind());
            let words = |value: String| json!(value.to_lowercase());
            let members = &mut file["orderseal"]["shops"][&shop];
            members["alg"] = json!(other.alg().name());
            members["enc"] = json!(other.enc().name());
            members["scheme"]["content"] = words(format!("{:?}", scheme.content));
            for key in file["keys"].as_array_mut().expect("a key file has keys") {
                if key["kid"] == json!(shop) {
                    key["alg"] = json!(other.key_alg());
                }
            }
            let parsed = KeyFile::parse(file.to_string().as_bytes(), &place());
            let Ok(changed) = parsed.and_then(|file| file.into_keyring(&place())) else { continue };
            lines.extend(
                seal(&changed, &name(&shop), &["opened by another algorithm"]).unwrap_or_default(),
            );
        }
    }
    assert!(lines.len() > 20, "only {} lines of other algorithms", lines.len());
    lines
}

/// A name that is known to be one.
pub fn name(text: &str) -> Name {
    text.parse().expect("it is a name")
}
