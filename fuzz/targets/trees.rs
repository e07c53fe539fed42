//! Covers and records of key trees, changed at random and compared with plain sets of ids: what can
//! be derived, what was handed out, reserved, given back, erased and merged. Nodes of an input are
//! read, too.

#![no_main]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use orderseal::Suite;
use orderseal::ciphers::cpu::Backend;
use orderseal::protocol::jose::json;
use orderseal::protocol::jose::jwk::AsKey;
use orderseal::protocol::jose::tree::{
    Cover, LEAVES, LeafId, Leaves, NODE_LEN, Position, Tree, TreeId,
};
use orderseal::protocol::model::ShopName;
use orderseal::protocol::store::trees::{ClientTree, HeldTree, ServiceTree, TreePart};
use orderseal_fuzz::{Input, begin, repository};

/// Ids that take part, around the ends and the middle of a tree.
const IDS: u32 = 96;

type Ids = BTreeSet<u32>;

fn tree() -> Tree {
    let suite = Suite::from_header("A256KW", "A256GCM").expect("they are standard");
    let shop = ShopName::new("tokyo").expect("it is a name");
    Tree::new(TreeId::new(5), &shop, suite, None).expect("secret keys are derived")
}

fn whole() -> &'static Cover {
    static WHOLE: OnceLock<Cover> = OnceLock::new();
    WHOLE.get_or_init(|| Cover::whole(tree(), &[9; NODE_LEN]))
}

/// The leaf with this number among those that take part.
fn leaf(number: u32) -> u32 {
    match number / 32 {
        0 => number,
        1 => (1 << 31) - 16 + number % 32,
        _ => u32::MAX - 31 + number % 32,
    }
}

fn leaves(ids: &Ids) -> Leaves {
    ids.iter().copied().collect()
}

fn set(leaves: &Leaves) -> Ids {
    leaves.iter().collect()
}

fn some(input: &mut Input<'_>) -> Ids {
    let (from, count) = (input.below(IDS as usize) as u32, input.below(40) as u32);
    let step = 1 + input.below(3) as u32;
    (from..IDS).step_by(step as usize).take(count as usize).map(leaf).collect()
}

/// A cover that can derive exactly these ids.
fn cover(ids: &Ids, backend: Backend) -> Cover {
    whole().part(backend, &leaves(ids))
}

fn check(cover: &Cover, ids: &Ids) {
    let own = cover.leaves();
    assert_eq!(&set(&own), ids);
    assert_eq!(own.count(), ids.len() as u64);
    assert_eq!((own.is_empty(), cover.is_empty()), (ids.is_empty(), ids.is_empty()));
    assert_eq!(own.end(), ids.last().map(|last| u64::from(*last) + 1));
    for number in 0..IDS {
        assert_eq!(cover.contains(leaf(number)), ids.contains(&leaf(number)));
        assert_eq!(own.next_from(leaf(number)), ids.range(leaf(number)..).next().copied());
    }
    for (one, two) in cover.nodes().zip(cover.nodes().skip(1)) {
        assert!(one.0.leaves().end <= two.0.leaves().start, "nodes overlap");
    }
}

/// The keys of the first ids must be those of the whole tree, on every backend.
fn check_keys(cover: &Cover, ids: &Ids) {
    let some: Vec<u32> = ids.iter().copied().take(5).collect();
    let expected =
        whole().keys(Backend::from_name("rustcrypto").expect("it is always there"), &some);
    let expected = expected.expect("a whole tree has every leaf");
    for backend in Backend::available() {
        let keys = cover.keys(backend, &some).expect("they are its own");
        for (own, expected) in keys.iter().zip(&expected) {
            assert!(own.as_key() == expected.as_key(), "{backend}: another key");
        }
    }
}

fn covers(input: &mut Input<'_>) {
    let backends = Backend::available();
    let backend = backends[input.below(backends.len())];
    let mut ids = some(input);
    let mut own = cover(&ids, backend);
    for _ in 0..16 {
        if input.is_empty() {
            break;
        }
        let kind = input.byte() % 5;
        let others = some(input);
        match kind {
            0 => {
                own = own.part(backend, &leaves(&others));
                ids = &ids & &others;
            }
            1 => {
                own = own.without(backend, &leaves(&others));
                ids = &ids - &others;
            }
            2 => {
                own = own.intersection(backend, &cover(&others, backend)).expect("it is one tree");
                ids = &ids & &others;
            }
            3 => {
                let added = own.with(&cover(&others, backend));
                assert_eq!(added.is_ok(), ids.is_disjoint(&others));
                if let Ok(added) = added {
                    own = added;
                    ids.extend(others);
                }
            }
            _ => {
                let given = leaves(&(&ids | &others));
                own = Cover::from_json(tree(), &given, &own.to_json())
                    .expect("what was written is read");
            }
        }
        check(&own, &ids);
    }
    check_keys(&own, &ids);
}

/// A holder's record of some ids, with the ids that it was given and those that it can derive.
struct Held {
    part: TreePart,
    given: Ids,
    left: Ids,
}

fn records(input: &mut Input<'_>) {
    let backend = Backend::detect();
    let orders = 1 + input.below(60) as u64;
    let mut service = ServiceTree::new(backend, tree(), &[9; NODE_LEN], orders);
    let mut mark = 0;
    let (mut held, mut clients) = (Vec::<Held>::new(), Vec::<(ClientTree, Ids, Ids, Ids)>::new());
    for _ in 0..24 {
        if input.is_empty() {
            break;
        }
        let (kind, count) = (input.byte() % 9, input.below(8) as u64);
        match kind {
            0 => {
                let part = service.hand_out(backend, count);
                let next: Ids = (mark..orders).take(count as usize).map(|id| id as u32).collect();
                let next = &next & &set(&service.part().nodes().leaves());
                assert_eq!(set(part.given()), next);
                mark = part.given().end().unwrap_or(mark);
                assert_eq!(service.mark(), mark);
                clients.push((
                    ClientTree::new(part.clone()),
                    next.clone(),
                    Ids::new(),
                    next.clone(),
                ));
                held.push(Held { part, given: next.clone(), left: next });
            }
            1 => {
                service.skip(count);
                assert!(service.mark() >= mark && service.mark() <= orders);
                mark = service.mark();
            }
            2 => {
                let count = 1 + count;
                let Some(cut) = service.split(backend, count) else { continue };
                assert_eq!(cut.part().given().count(), count);
                assert_eq!(service.rejoin(&cut), Ok(true));
            }
            3 | 4 => {
                let (one, other) = (input.below(held.len()), input.below(held.len()));
                let Some(second) = held.get(other).map(|held| held.part.clone()) else { continue };
                let (given, left) = (held[other].given.clone(), held[other].left.clone());
                let own = &mut held[one];
                let (ours, theirs) = (&own.left - &given, &left - &own.given);
                match kind {
                    3 => {
                        own.part.merge(backend, &second).expect("it is one tree");
                        own.left = &(&(&own.left & &left) | &ours) | &theirs;
                    }
                    _ => {
                        let lacks = !(&(&own.given - &own.left) & &left).is_empty();
                        assert_eq!(own.part.would_restore(&second), lacks);
                        own.part.restore(backend, &second).expect("it is one tree");
                        own.left = &own.left | &left;
                    }
                }
                own.given.extend(given);
            }
            5 => {
                let ids = some(input);
                let at = input.below(held.len());
                let Some(own) = held.get_mut(at) else { continue };
                let erased = own.part.erase(backend, &leaves(&ids));
                assert_eq!(erased, (&own.left & &ids).len() as u64);
                own.left = &own.left - &ids;
            }
            _ => {
                let at = input.below(clients.len());
                let Some((client, left, reserved, given)) = clients.get_mut(at) else { continue };
                let ids = some(input);
                match kind {
                    6 => {
                        let taken = client.reserve(backend, count);
                        let next: Ids = left.iter().copied().take(count as usize).collect();
                        assert_eq!(set(&taken.leaves()), next);
                        let unused = taken.part(backend, &leaves(&ids));
                        *left = &*left - &next;
                        reserved.extend(&next);
                        client.give_back(backend, &unused).expect("it is one tree");
                        let returned = &next & &ids;
                        *left = &*left | &returned;
                        *reserved = &*reserved - &returned;
                    }
                    7 => {
                        let erased = client.erase(backend, &leaves(&ids));
                        assert_eq!(erased, (&(&*left | &*reserved) & &ids).len() as u64);
                        *left = &*left - &ids;
                        *reserved = &*reserved - &ids;
                    }
                    _ => {
                        let text = client.to_json();
                        let members = text.as_object().expect("a record is an object");
                        let again = ClientTree::from_json(tree(), members);
                        assert_eq!(again.as_ref(), Ok(&*client));
                    }
                }
                check(client.part().nodes(), left);
                assert_eq!(client.count_reserved(), reserved.len() as u64);
                assert_eq!(&set(client.part().given()), given);
                assert_eq!(client.count_held(), (left.len() + reserved.len()) as u64);
            }
        }
        for own in &held {
            check(own.part.nodes(), &own.left);
            assert_eq!(set(own.part.given()), own.given);
        }
    }
}

/// Reads a text as a record, as nodes and as names.
fn read(text: &[u8]) {
    if let Ok(text) = str::from_utf8(text) {
        if let Some(id) = LeafId::parse(text) {
            assert_eq!(id.name().as_str(), text);
        }
    }
    let Ok(value) = json::parse(text) else { return };
    let all: Leaves = std::iter::once(0..LEAVES).collect();
    if let Ok(cover) = Cover::from_json(tree(), &all, &value) {
        let again = Cover::from_json(tree(), &all, &cover.to_json());
        assert_eq!(again.as_ref(), Ok(&cover));
        let _ = (cover.leaves().count(), cover.len(), cover.contains(7));
    }
    let Some(members) = value.as_object() else { return };
    if let Ok(mut part) = TreePart::from_json(tree(), members) {
        let text = part.to_json();
        let again = TreePart::from_json(tree(), text.as_object().expect("a record is an object"));
        assert_eq!(again.as_ref(), Ok(&part));
        let before = part.clone();
        part.merge(Backend::detect(), &before).expect("it is one tree");
        assert_eq!(part.nodes().leaves(), before.nodes().leaves());
        part.erase(Backend::detect(), &leaves(&Ids::from([0, 7, u32::MAX])));
        assert!(!part.nodes().contains(7));
    }
    if let Ok(mut service) = ServiceTree::from_json(tree(), members) {
        let part = service.hand_out(Backend::detect(), 3);
        assert!(part.given().count() <= 3);
        service.skip(2);
        if let Some(cut) = service.split(Backend::detect(), 2) {
            assert_eq!(service.rejoin(&cut), Ok(true));
        }
    }
    if let Ok(mut client) = ClientTree::from_json(tree(), members) {
        let taken = client.reserve(Backend::detect(), 2);
        client.give_back(Backend::detect(), &taken).expect("it is one tree");
    }
    if let (Some(depth), Some(index)) = (members.get("depth"), members.get("index")) {
        let position = depth.as_u64().zip(index.as_u64()).and_then(|(d, i)| Position::new(d, i));
        if let Some(position) = position {
            assert!(position.leaves().end <= LEAVES);
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    let mut number = 1_u64;
    for kind in 0..2 {
        for _ in 0..40 {
            let bytes = (0..60).map(|_| {
                number = number.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (number >> 56) as u8
            });
            seeds.push(std::iter::once(kind).chain(bytes).collect());
        }
    }
    let part = ServiceTree::new(Backend::detect(), tree(), &[9; NODE_LEN], 50);
    let client = {
        let mut client = ClientTree::new(part.clone().hand_out(Backend::detect(), 20));
        client.reserve(Backend::detect(), 3);
        client
    };
    for record in [part.to_json(), client.to_json(), part.part().nodes().to_json()] {
        seeds.push([&[2], record.to_string().as_bytes()].concat());
    }
    for vector in repository::vectors() {
        let text =
            if vector.field("kind") == "key file" { vector.body.clone() } else { Vec::new() };
        let Ok(file) = serde_json::from_slice::<serde_json::Value>(&text) else { continue };
        let shops = file["orderseal"]["shops"].as_object().cloned().unwrap_or_default();
        for tree in
            shops.values().filter_map(|shop| shop["trees"].as_object()).flat_map(|t| t.values())
        {
            seeds.push([&[2], tree.to_string().as_bytes()].concat());
        }
    }
    seeds
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        match input.byte() % 3 {
            0 => covers(&mut input),
            1 => records(&mut input),
            _ => read(input.rest()),
        }
    }
);
