//! Handing out: clients get no more than the limits allow, and undelivered resources are taken back.

use std::cell::{Cell, RefCell};

use super::*;
use crate::ciphers::Secret;
use crate::ciphers::random::KeySource;
use crate::ciphers::random::{Origin, SystemSource};
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, Material};
use crate::protocol::jose::jwk::{Jwk, Usage};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{
    Alg, Amounts, Dates, Enc, Error, KeyError, Kid, Misuse, Name, Place, Result, Scheme, ShopName,
    Suite, Time,
};
use crate::protocol::pipeline::Workers;
use crate::protocol::roles::revoke;
use crate::protocol::store::files::{self, Existing, Output, Privacy};
use crate::protocol::store::keyfile::{Account, KeyHolder, Keyring, Standing};
use crate::protocol::store::keyfile::{ClientBundle, IV_BUDGET, JwkSet, KeyFile, KeySet};
use crate::protocol::store::spend::Durable;

const ALG_OF: [(u8, &str, &str); 3] =
    [(1, "dir", "A256GCM"), (3, "dir", "A256GCM"), (4, "A256KW", "A256GCM")];

fn place() -> Place {
    Place::file("service.jwks")
}

/// The first generation of the keys of the shop tokyo.
fn tokyo() -> ShopName {
    ShopName::first(&name("tokyo"))
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn suite(alg: &str, enc: &str) -> Suite {
    Suite::new(Alg::from_name(alg).unwrap(), Enc::from_name(enc).unwrap()).unwrap()
}

fn key_request(embodiment: u8, orders: u64, enc: Option<&str>) -> KeyRequest {
    let (_, alg, default) = ALG_OF.into_iter().find(|(number, ..)| *number == embodiment).unwrap();
    KeyRequest {
        pool: Pool::Listed,
        shop: name("tokyo"),
        scheme: Scheme::embodiment(embodiment).unwrap(),
        suite: suite(alg, enc.unwrap_or(default)),
        orders,
        sizes: Sizes { rsa_bits: 2048, pad_bytes: 1600, ..Sizes::default() },
        service: None,
        dates: Dates::default(),
    }
}

fn make(request: &KeyRequest) -> Result<Vec<DecryptingKey>> {
    make_keys(request, &SystemSource::new()?, &Workers::new(Some(1))?, &|| {}, &place())
}

fn keyring(embodiment: u8, orders: u64, enc: Option<&str>) -> Keyring {
    let request = key_request(embodiment, orders, enc);
    let mut file = Keyring::new();
    let keys = make(&request).unwrap();
    add_keys(&mut file, &request, keys, &SystemSource::new().unwrap(), &place()).unwrap();
    file
}

fn asks_for(ids: IdRequest) -> ClientRequest {
    ClientRequest::new(name("tokyo"), ids, Time::UNIX_EPOCH)
}

fn bundle(file: &mut Keyring, ids: IdRequest) -> Result<ClientBundle> {
    bundle_client(file, &asks_for(ids), &SystemSource::new().unwrap(), make, &place())
        .map(|made| made.client)
}

fn budget(client: &ClientBundle) -> u64 {
    client.budget.values().sum()
}

fn allotted(file: &Keyring) -> u64 {
    file.shops["tokyo"].allotted.values().sum()
}

#[test]
fn no_random_iv_is_given_to_two_clients_and_none_beyond_the_last() {
    let mut file = keyring(1, 1, None);
    let mut given = 0;
    for client in 0..4653 {
        let share = budget(&bundle(&mut file, IdRequest::Pool(1)).unwrap());
        assert!(share > 0, "client {client} got a bundle that seals nothing");
        given += share;
        assert_eq!(allotted(&file), given, "client {client}");
    }
    assert_eq!(given, IV_BUDGET);
    let before = file.clone();
    let refused = bundle(&mut file, IdRequest::Pool(1)).unwrap_err();
    assert!(matches!(refused, Error::Key { error: KeyError::AllAllotted(_), .. }), "{refused}");
    assert_eq!(allotted(&file), allotted(&before));
}

fn admit_users(file: &mut Keyring, users: &[&str]) -> Result<Admission> {
    let users = users.iter().map(|user| name(user)).collect();
    let (source, workers) = (SystemSource::new()?, Workers::new(Some(1))?);
    admit(file, Some(&name("tokyo")), &users, &source, &workers, &place())
}

#[test]
fn an_erased_user_gets_no_new_key() {
    for embodiment in [3, 4] {
        let mut file = keyring(embodiment, 1, None);
        admit_users(&mut file, &["alice"]).unwrap();
        bundle(&mut file, IdRequest::User(name("alice"))).unwrap();
        let kid = Kid::new("tokyo/alice").unwrap();
        file.erase_keys(&|other| other == Some(&kid));
        let refused = bundle(&mut file, IdRequest::User(name("alice"))).unwrap_err();
        assert!(matches!(refused, Error::Key { error: KeyError::Erased(_), .. }), "{refused}");
        let refused = admit_users(&mut file, &["alice"]).unwrap_err();
        assert!(matches!(refused, Error::Key { error: KeyError::Erased(_), .. }), "{refused}");
        assert!(file.keys.named("tokyo/alice").is_none());
    }
}

#[test]
fn only_users_who_were_admitted_and_not_revoked_get_a_key() {
    let mut file = keyring(4, 2, None);
    let error = |refused: Error| {
        let Error::Key { error, .. } = refused else { panic!("{refused}") };
        error
    };
    let alice = Kid::new("tokyo/alice").unwrap();
    let asks = |file: &mut Keyring| bundle(file, IdRequest::User(name("alice")));
    let before = file.clone();
    assert_eq!(error(asks(&mut file).unwrap_err()), KeyError::NotAdmitted(alice.clone()));
    assert_eq!(file, before, "a request creates nobody");

    let first = admit_users(&mut file, &["alice", "bob"]).unwrap();
    assert_eq!((first.admitted.len(), first.known.len()), (2, 0));
    let again = admit_users(&mut file, &["alice", "carol"]).unwrap();
    assert_eq!((again.admitted, again.known), (vec![name("carol")], vec![name("alice")]));
    let halves: Vec<_> = again.shop_half.keys.names().map(Kid::as_str).collect();
    assert_eq!(halves, ["tokyo/alice", "tokyo/carol"], "the half is that of those who were named");
    let theirs = first.shop_half.keys.named("tokyo/alice").cloned().map(Jwk::from);
    assert_eq!(theirs.as_ref(), file.keys.named("tokyo/alice"));
    assert!(
        again.shop_half.generations["tokyo"].shop.users.keys().eq(&[name("alice"), name("carol")])
    );
    let client = asks(&mut file).unwrap();
    assert!(client.shop.users.keys().eq(&[name("alice")]), "a client hears of no other user");

    revoke::at_service(&mut file, None, &[name("alice")].into(), &place()).unwrap();
    assert!(file.keys.named("tokyo/alice").is_none());
    assert_eq!(error(asks(&mut file).unwrap_err()), KeyError::Revoked(alice.clone()));
    let before = file.clone();
    let refused = admit_users(&mut file, &["alice", "dave"]).unwrap_err();
    assert_eq!(error(refused), KeyError::Revoked(alice));
    assert_eq!(file, before, "nobody is admitted beside somebody who cannot be");
    let shop = bundle_shop(&file, None, ShopForm::Program, &place()).unwrap();
    assert!(shop.keys.named("tokyo/alice").is_none());
    assert!(shop.generations["tokyo"].shop.users_with(Standing::Revoked).eq([&name("alice")]));

    let id = file.keys[0].kid.as_ref().and_then(Kid::id).unwrap();
    let refused = admit_users(&mut file, &[id.as_str()]).unwrap_err();
    assert!(matches!(refused, Error::Usage(Misuse::NotAUser(_))), "{refused}");
    let refused = revoke::at_service(&mut file, None, &[id].into(), &place()).unwrap_err();
    assert!(matches!(refused, Error::Usage(Misuse::NotAUser(_))), "{refused}");
}

#[test]
fn an_unused_share_comes_back_and_a_used_one_does_not() {
    // Ids.
    let mut file = keyring(4, 3, None);
    let mut client = bundle(&mut file, IdRequest::Pool(2)).unwrap();
    let first = client.keys[0].kid.as_ref().and_then(Kid::id).unwrap();
    client.spent.insert(first.clone());
    let share = Share::unused(&client, &place());
    let one = Amounts { ids: 1, ..Amounts::default() };
    assert_eq!((share.amounts(), share.give_back(&mut file, &place()).unwrap()), (one, one));
    let unused: Vec<Kid> = unused_ids(&file, &tokyo()).collect();
    assert!(unused.len() == 2 && unused.iter().all(|kid| kid.id().as_ref() != Some(&first)));
    // What was given back cannot be given back again.
    assert!(share.give_back(&mut file, &place()).unwrap().is_empty());

    // Random IVs.
    let mut file = keyring(1, 1, None);
    let mut client = bundle(&mut file, IdRequest::Pool(1)).unwrap();
    let left = client.budget.values_mut().next().unwrap();
    *left -= 1000;
    let unused = *left;
    let share = Share::unused(&client, &place());
    assert_eq!(share.give_back(&mut file, &place()).unwrap().ivs, unused);
    assert_eq!(allotted(&file), 1000);

    // The end of a piece of pad that no other piece follows.
    let mut file = keyring(1, 1, Some("VERNAM-HS256"));
    let mut first = bundle(&mut file, IdRequest::Pool(1)).unwrap();
    let second = bundle(&mut file, IdRequest::Pool(1)).unwrap();
    assert_eq!((budget(&first), budget(&second), allotted(&file)), (100, 100, 200));
    let kept = Share::unused(&first, &place());
    assert!(kept.give_back(&mut file, &place()).unwrap().is_empty());
    let back = Share::unused(&second, &place());
    assert_eq!(back.give_back(&mut file, &place()).unwrap().pad_bytes, 100);
    *first.budget.values_mut().next().unwrap() = 30;
    let back = Share::unused(&first, &place());
    assert_eq!(back.give_back(&mut file, &place()).unwrap().pad_bytes, 30);
    assert_eq!(allotted(&file), 70);
}

#[test]
fn another_keyring_takes_nothing_back() {
    for (embodiment, enc) in [(1, None), (4, None), (1, Some("VERNAM-HS256"))] {
        let mut file = keyring(embodiment, 2, enc);
        let client = bundle(&mut file, IdRequest::Pool(1)).unwrap();
        let share = Share::unused(&client, &place());
        let mut other = keyring(embodiment, 2, enc);
        bundle(&mut other, IdRequest::Pool(1)).unwrap();
        let before = other.clone();
        assert!(matches!(share.give_back(&mut other, &place()), Err(Error::Key { .. })));
        assert_eq!(other, before);
    }
}

/// A keyring in memory that others change after each of our changes, and whose changes may fail.
struct Busy<'o> {
    file: RefCell<Keyring>,
    changes: Cell<usize>,
    fails_at: Option<usize>,
    others: &'o dyn Fn(&mut Keyring),
}

impl Durable<Keyring> for Busy<'_> {
    fn update<T>(&self, change: impl FnOnce(&mut Keyring) -> Result<T>) -> Result<T> {
        self.changes.set(self.changes.get() + 1);
        if self.fails_at == Some(self.changes.get()) {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(Error::io("service.jwks", "cannot change", full));
        }
        let result = self.file.update(change)?;
        (self.others)(&mut self.file.borrow_mut());
        Ok(result)
    }
}

/// Delivers to files where publishing the client's file fails, because its name has been taken.
fn fail_to_deliver(store: &Busy<'_>, ids: IdRequest, existing_half: bool) -> (Error, bool) {
    let folder = tempfile::tempdir().unwrap();
    let (client, half) = (folder.path().join("client.jwks"), folder.path().join("half.jwks"));
    if existing_half {
        std::fs::write(&half, b"old").unwrap();
    }
    let open = |path, existing| Output::create(Some(path), existing, Privacy::Owner, &[]).unwrap();
    let outputs = Outputs {
        client: open(&client, Existing::Keep),
        shop: Some(open(&half, Existing::Replace)),
    };
    std::fs::write(&client, b"somebody else's").unwrap();
    let form = |_: &ClientBundle| Ok(Delivered::Bundle);
    let source = SystemSource::new().unwrap();
    let failed = deliver(store, &asks_for(ids), &source, make, form, outputs, &place());
    assert_eq!(std::fs::read(&client).unwrap(), b"somebody else's");
    (failed.unwrap_err(), files::load(&half, &files::Access::default()).is_ok())
}

fn busy(file: &Keyring, others: &'static dyn Fn(&mut Keyring)) -> Busy<'static> {
    Busy { file: RefCell::new(file.clone()), changes: Cell::new(0), fails_at: None, others }
}

#[test]
fn what_reached_nobody_is_taken_back() {
    for (embodiment, enc) in [(1, None), (4, None), (1, Some("VERNAM-HS256"))] {
        let ids: &[IdRequest] = match embodiment {
            4 => &[IdRequest::Pool(2), IdRequest::OnDemand(2)],
            _ => &[IdRequest::Pool(1)],
        };
        for ids in ids {
            let before = keyring(embodiment, 3, enc);
            let store = busy(&before, &|_| {});
            let (error, half_is_there) = fail_to_deliver(&store, ids.clone(), false);
            assert!(matches!(error, Error::Usage(_)), "{error:?}");
            assert!(!half_is_there, "{ids:?}: a half without its other half");
            let after = store.file.into_inner();
            assert_eq!(after.keys, before.keys, "{ids:?}");
            assert_eq!(unused_ids(&after, &tokyo()).count(), if embodiment == 4 { 3 } else { 0 });
            assert_eq!(allotted(&after), 0);
        }
    }
}

#[test]
fn what_others_got_meanwhile_is_theirs() {
    // Another client is served between issuing and taking back.
    let store = busy(&keyring(4, 3, None), &|file| {
        let _ = bundle(file, IdRequest::Pool(1));
    });
    let (error, _) = fail_to_deliver(&store, IdRequest::Pool(2), false);
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
    let file = store.file.into_inner();
    // Two changes, after each of which one id went to another client.
    assert_eq!(file.shops["tokyo"].issued.len(), 2);
    assert_eq!(unused_ids(&file, &tokyo()).count(), 1);

    // Another client has the next piece of pad: the one before it is lost, and the error reports that.
    let store = busy(&keyring(1, 1, Some("VERNAM-HS256")), &|file| {
        let _ = bundle(file, IdRequest::Pool(1));
    });
    let (error, _) = fail_to_deliver(&store, IdRequest::Pool(1), false);
    let Error::Undelivered { not_undone, .. } = error else { panic!("{error:?}") };
    assert_eq!(not_undone.lost, Amounts { pad_bytes: 100, ..Amounts::default() });

    let store = busy(&keyring(1, 1, None), &|file| {
        let _ = bundle(file, IdRequest::Pool(1));
    });
    let (error, _) = fail_to_deliver(&store, IdRequest::Pool(1), false);
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
    let second = (IV_BUDGET - IV_BUDGET / 256) / 256;
    assert!(allotted(&store.file.into_inner()) > second, "the shares of the others stay allotted");
}

#[test]
fn what_cannot_be_taken_back_is_told() {
    let mut store = busy(&keyring(4, 3, None), &|_| {});
    store.fails_at = Some(2);
    let (error, _) = fail_to_deliver(&store, IdRequest::Pool(2), false);
    let Error::Undelivered { not_undone, .. } = error else { panic!("{error:?}") };
    assert_eq!(not_undone.lost, Amounts { ids: 2, ..Amounts::default() });
    assert!(matches!(not_undone.not_taken_back, Some(Error::Io { .. })));
    assert_eq!(store.file.into_inner().shops["tokyo"].issued.len(), 2);

    // A half that replaced another file is not erased, and the error reports it.
    let store = busy(&keyring(4, 3, None), &|_| {});
    let (error, half_is_there) = fail_to_deliver(&store, IdRequest::Pool(2), true);
    let Error::Undelivered { not_undone, .. } = error else { panic!("{error:?}") };
    assert!(half_is_there && not_undone.lost.is_empty());
    assert!(not_undone.shop_half.is_some_and(|file| file.ends_with("half.jwks")));

    // A user's bundle can be asked for again: nothing is lost.
    let mut file = keyring(4, 3, None);
    admit_users(&mut file, &["alice"]).unwrap();
    let store = busy(&file, &|_| {});
    let (error, _) = fail_to_deliver(&store, IdRequest::User(name("alice")), false);
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
    assert_eq!(store.file.into_inner(), file);
}

#[test]
fn a_failed_change_hands_nothing_out() {
    let mut store = busy(&keyring(4, 3, None), &|_| {});
    store.fails_at = Some(1);
    let (error, half_is_there) = fail_to_deliver(&store, IdRequest::Pool(2), false);
    assert!(matches!(error, Error::Io { .. }) && !half_is_there);
    assert_eq!(store.changes.get(), 1);
}

#[test]
fn the_length_of_keys_is_known_before_they_are_made() {
    for (embodiment, enc) in [(1, None), (3, None), (4, None), (3, Some("VERNAM-HS256"))] {
        let (few, many) = (keyring(embodiment, 3, enc), keyring(embodiment, 13, enc));
        let foreseen = key_request(embodiment, 10, enc).len();
        let made = many.full_len() - few.full_len();
        if embodiment != 1 {
            assert_eq!(foreseen, made);
        }
        assert!(check_len(&few, &key_request(embodiment, 10, enc), &place()).is_ok());
    }
    let request = key_request(4, 4_600_000, None);
    let empty = Keyring::new();
    assert!(matches!(check_len(&empty, &request, &place()), Err(Error::KeyFileFull { .. })));
    // Existing keys in the keyring count as well.
    let request = key_request(4, 3_700_000, None);
    assert!(check_len(&empty, &request, &place()).is_ok());
    let mut full = keyring(1, 1, Some("VERNAM-HS256"));
    let pad = Pad::new(0, Pad::unfilled(32 << 20)).unwrap();
    full.keys.push(full.keys[0].with(DecryptingKey::Pad(pad)));
    assert!(matches!(check_len(&full, &request, &place()), Err(Error::KeyFileFull { .. })));
}

#[test]
fn the_length_of_a_file_is_known_before_it_is_written() {
    let mut rng = SystemSource::new().unwrap().stream(0);
    let sizes = Sizes { rsa_bits: 2048, pad_bytes: 100, ..Sizes::default() };
    let mut file = JwkSet::default();
    for (alg, enc) in [
        ("A256KW", "A256GCM"),
        ("RSA-OAEP-256", "A256GCM"),
        ("ECDH-ES+A256KW", "A256GCM"),
        ("MH-KNAPSACK", "A256GCM"),
        ("dir", "VERNAM-HS256"),
    ] {
        let suite = Suite::new(Alg::from_name(alg).unwrap(), Enc::from_name(enc).unwrap()).unwrap();
        let material = make_material(suite, sizes, &mut rng).unwrap();
        for material in [Material::from(material.as_key().encrypting_half()), material.into()] {
            for origin in [Origin::System, Origin::Seeded] {
                let kid = Kid::new(&format!("tokyo/{}", file.keys.len()));
                let alg = Some(suite.key_alg().into());
                let (usage, material) = (Usage::Encryption, material.clone());
                file.keys.push(Jwk { kid, alg, origin, usage, material });
            }
        }
    }
    let piece = Pad::new(1234, Secret::zeroed(50)).unwrap();
    let alg = Some("VERNAM-HS256".into());
    let (origin, usage, material) = (Origin::System, Usage::Unsaid, DecryptingKey::Pad(piece));
    file.keys.push(Jwk { kid: None, alg, origin, usage, material });
    assert_eq!(file.full_len(), file.to_bytes(&place()).unwrap().len() as u64);
}

#[test]
fn a_client_holds_no_private_half_and_a_shop_no_public_half_alone() {
    let suite = Suite::from_header("MH-KNAPSACK", "A256GCM").unwrap();
    let mut rng = SystemSource::new().unwrap().stream(0);
    let private = make_material(suite, Sizes::default(), &mut rng).unwrap();
    let public = Material::from(private.as_key().encrypting_half());
    // No file with the wrong half can be made, so the text of one is.
    let read = |role: &str, material: Material| {
        let mut keys = JwkSet::default();
        let (kid, alg) = (Kid::new("tokyo/00ff"), Some(suite.key_alg().into()));
        keys.keys.push(Jwk { kid, alg, origin: Origin::System, usage: Usage::Unsaid, material });
        let mut file = Keyring::new();
        file.shops.insert(tokyo(), Account::new(Scheme::embodiment(6).unwrap(), suite));
        let mut ours = file.member().unwrap();
        ours["role"] = role.into();
        let keys = keys.to_bytes(&place()).unwrap();
        let keys = std::str::from_utf8(&keys).unwrap().trim_end().strip_suffix('}').unwrap();
        let text = format!("{keys},\"orderseal\":{ours}}}");
        let read = KeyFile::parse(text.as_bytes(), &place());
        read.map(|file| file.holder().role().name().to_owned()).map_err(|error| error.to_string())
    };
    assert_eq!(read("client", public.clone()).as_deref(), Ok("client"));
    assert!(read("client", private.clone().into()).unwrap_err().contains("never holds"));
    for role in ["shop", "service"] {
        assert_eq!(read(role, private.clone().into()).as_deref(), Ok(role));
        assert!(read(role, public.clone()).unwrap_err().contains("needs the private half"));
    }
}
