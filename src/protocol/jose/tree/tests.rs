//! Trees against an independent implementation, and random operations against sets of leaves.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::ciphers::aes::testing::noise;
use crate::ciphers::cpu::Backend;
use crate::protocol::jose::jwk::{AsKey, DecryptingKey};
use crate::protocol::model::Suite;

const ID: TreeId = TreeId::new(0x5f11_1ff2_ee82_3061);

/// 00, 01, … 1f.
const ROOT: [u8; 32] = {
    let mut key = [0; 32];
    let mut i = 0;
    while i < 32 {
        key[i] = i as u8;
        i += 1;
    }
    key
};

fn tree(alg: &str, enc: &str) -> Tree {
    tree_on(Curve::P256, alg, enc)
}

fn tree_on(curve: Curve, alg: &str, enc: &str) -> Tree {
    let suite = Suite::from_header(alg, enc).unwrap();
    Tree::new(ID, &ShopName::new("tokyo").unwrap(), suite, Some(curve)).unwrap()
}

/// The secret bytes of keys, in hexadecimal.
fn shown(keys: &[DecryptingKey]) -> String {
    let secret = |key: &DecryptingKey| {
        let key = key.as_key();
        let pair = key.curve_pair().map(|pair| hex::encode(pair.secret()));
        pair.or_else(|| key.secret().map(|key| hex::encode(&key[..]))).unwrap()
    };
    keys.iter().map(secret).collect()
}

fn whole() -> Cover {
    Cover::whole(tree("A256KW", "A256GCM"), &ROOT)
}

fn node(depth: u64, index: u64) -> Position {
    Position::new(depth, index).unwrap()
}

/// Computed with `KBKDFCMAC` of the Python package `cryptography` 48.0, from the description in
/// `docs/FORMATS.md`.
#[test]
fn nodes_and_keys_are_those_of_another_implementation() {
    for backend in Backend::available() {
        let cover = whole();
        let of = |depth, index| {
            let part = cover.part(backend, &[node(depth, index).leaves()].into_iter().collect());
            let (position, key) = part.nodes().next().unwrap();
            assert_eq!((position, part.len()), (node(depth, index), 1));
            hex::encode(key)
        };
        assert_eq!(of(1, 0), "f88303a2046f3a502bf6e67cc07a45f51347e679694e8b5b41544ed0ddd27ab5");
        assert_eq!(of(1, 1), "48c5471258979e7496d59a11346c163931f0bad1a966584d0a6ed534c39166a6");
        assert_eq!(of(31, 21), "d4fcb564d526aa34c08f0854ff1ec691fa848c7a87f1ac364ee3a20bbb8d8203");
        let keys = cover.keys(backend, &[0, 42, u32::MAX]).unwrap();
        let expected = [
            "0f8e7045ee8467d44f9dc7e6afbdf0619aaf7c15573bed0d01e19695a2ce86c2",
            "75fcd65718d75782906d5033a20b9b5775dd3c962c9bd213359851923125d1cb",
            "ade6909238d11703e244d52f0ba338f18a579ce370177dcedb3373dddf2803c3",
        ];
        assert_eq!(shown(&keys), expected.concat(), "{backend}");
    }
}

/// As above, leaf 42 of other suites.
#[test]
fn keys_of_every_length_and_suite_are_those_of_another_implementation() {
    let backend = Backend::detect();
    for (alg, enc, expected) in [
        ("A128KW", "A256GCM", "52228605bbd810d9d2edc29f7117c36d"),
        ("dir", "A256GCM", "538cc7ec7ef1bba2f8e6d17c83e90b7d6730231252a976a1647c435886b537fa"),
        (
            "dir",
            "DES-EDE3-CBC-HS256",
            "cdc226795c5abe17a1525d0f32f9808c729032493e4e160a9b66a7f5febe57c812c5378b0030ec9d",
        ),
        ("dir", "GRAIN128AEADV2", "7e26e5db111b340a6542e9acb873660b"),
        // The key of the toy DES is …24eefaa761364053, of which the low 12 bits are kept.
        ("dir", "TOYDES-ECB-HS256", "6da06cc0fcbbd2ea49fee54a3ced11680000000000000053"),
    ] {
        let cover = Cover::whole(tree(alg, enc), &ROOT);
        let key = cover.keys(backend, &[42]).unwrap();
        assert_eq!(shown(&key), expected, "{alg} with {enc}");
    }
}

/// As above, with `x25519` and `ec.derive_private_key` of the same package for public keys: number and
/// coordinate x of leaf 42 on every curve.
#[test]
fn pairs_on_every_curve_are_those_of_another_implementation() {
    for (alg, curve, number, x) in [
        (
            "ECDH-ES+A256KW",
            Curve::X25519,
            "db27f5478f23d87c5806ca57bce8057dadbca186ac08e9cb0d6bce64414566ef",
            "3a6069e0254a1f454388c567c32f458da90b2bb70036d0b01d0f2b58a0080906",
        ),
        (
            "ECDH-ES+A256KW",
            Curve::P256,
            "f939dcf60064d2d8c84e68af2f152c6128c1fe8b925e70d0699b818edda1d9a9",
            "f1bfad5b17ca038d2c3406c0597dfa850e77219ce6dd49ebd27c6631a867f5f9",
        ),
        (
            "ECDH-ES+A256KW",
            Curve::P384,
            "19d421a19c763daccaeeaf9c4af3c1057dd647336c5a18cf4e3b620cca508e88\
             3c604ccfbac9be2abc1c1252054a42c5",
            "e0c416dee86e5fda3d1241570b0272bf3ffdffcf37e0bb239b190ab14d7d969c\
             8cbbf5748de2839e300d8a3f9f143a59",
        ),
        (
            "ECDH-ES+A256KW",
            Curve::P521,
            "009cca05545f38c6ba22b094bd60711f644167a142d1c5e46d57ba7d08d61735\
             d7c66b0bce9bc8d4db83cb1be3bc7c758988b65517e17c66c73f9c1c406be884\
             28a5",
            "0187090f6f45c13e44b7e9841e96b697415caf9bef5c9c22c0892dd51bc4b606\
             66a20dc7e8519b8988f58c4698d169037cdc856d8933dec03e2446e26e629e85\
             d24d",
        ),
        (
            "ECDH-ES",
            Curve::X25519,
            "c56a0f5367d036ecc9515b94c6a49b10f367ec614f13b8ef25cdcba31b34359a",
            "3c81eb5a0e3f481fa11d7c4bb7d3ba5c3dab8063ada866064a56c7fca5086112",
        ),
        (
            "ECDH-ES",
            Curve::P256,
            "77fb3824551a1e43ae5e1fb092dcc8af629ba3228162ef62328077c49a140c75",
            "08fde88925e71b683c56e8b87c9b85bce37a0b559794e761e554d44d44e61f15",
        ),
    ] {
        let cover = Cover::whole(tree_on(curve, alg, "A256GCM"), &ROOT);
        for backend in Backend::available() {
            // In a batch with its neighbours, so that it fills lanes.
            let leaves: Vec<u32> = (34..50).collect();
            let keys = cover.keys(backend, &leaves).unwrap();
            let pair = keys[8].as_key().curve_pair().unwrap().clone();
            let found = (hex::encode(pair.secret()), hex::encode(pair.public().x()));
            assert_eq!(found, (number.to_owned(), x.to_owned()), "{alg} {curve:?} {backend}");
            assert_eq!(cover.keys(backend, &[42]).unwrap(), keys[8..9]);
        }
    }
}

#[test]
fn a_change_of_anything_that_is_bound_changes_every_key() {
    let backend = Backend::detect();
    let shop = |name| ShopName::new(name).unwrap();
    let new = |id, name, alg, enc, curve| {
        Tree::new(id, &shop(name), Suite::from_header(alg, enc).unwrap(), curve)
    };
    let (other, x25519) = (TreeId::new(1), Some(Curve::X25519));
    let trees = [
        new(ID, "tokyo", "A256KW", "A256GCM", None),
        new(other, "tokyo", "A256KW", "A256GCM", None),
        new(ID, "tokyo_", "A256KW", "A256GCM", None),
        new(ID, "tokyo", "A256GCMKW", "A256GCM", None),
        new(ID, "tokyo", "A256KW", "A128GCM", None),
        new(ID, "tokyo", "dir", "A256GCM", None),
        new(ID, "tokyo", "ECDH-ES", "A256GCM", x25519),
        new(ID, "tokyo", "ECDH-ES+A256KW", "A256GCM", x25519),
        new(ID, "tokyo", "ECDH-ES+A256KW", "A128GCM", x25519),
        new(ID, "tokyo", "ECDH-ES+A256KW", "A256GCM", Some(Curve::P256)),
    ];
    let keys = trees.map(|tree| {
        let whole = Cover::whole(tree.unwrap(), &ROOT);
        shown(&whole.keys(backend, &[7]).unwrap())
    });
    assert_eq!(BTreeSet::from(keys).len(), trees.len());
}

#[test]
fn a_node_that_was_moved_derives_other_keys() {
    let backend = Backend::detect();
    let (tree, key) = (tree("A256KW", "A256GCM"), [9; 32]);
    let keys = [(30, 0), (30, 1), (29, 0)].map(|(depth, index)| {
        let at = node(depth, index);
        let moved = Cover::read(tree, &Leaves::starting_at(0, LEAVES), [(at, &key[..])]).unwrap();
        shown(&moved.keys(backend, &[at.leaves().start as u32]).unwrap())
    });
    assert_eq!(BTreeSet::from(keys).len(), 3);
}

#[test]
fn keys_that_no_tree_can_derive_have_none() {
    for (alg, enc) in [
        ("dir", "VERNAM-HS256"),
        ("dir", "RSA-OAEP-256-BOUND-BLOCKS"),
        ("RSA-OAEP-256", "A256GCM"),
        ("MH-KNAPSACK", "A256GCM"),
    ] {
        let suite = Suite::from_header(alg, enc).unwrap();
        let tree = Tree::new(ID, &ShopName::new("tokyo").unwrap(), suite, Some(Curve::P256));
        assert_eq!(tree, None, "{alg} with {enc}");
    }
    let suite = Suite::from_header("ECDH-ES", "A256GCM").unwrap();
    assert_eq!(Tree::new(ID, &ShopName::new("tokyo").unwrap(), suite, None), None);
}

/// A leaf of a few places where ranges could go wrong: the beginning, the middle and the end.
fn some_leaf(byte: u8) -> u32 {
    let near = u32::from(byte % 48);
    match byte / 48 {
        0 | 1 => near,
        2 | 3 => (1 << 31) - 24 + near,
        _ => u32::MAX - near,
    }
}

/// A source of random bytes that repeats.
struct Random(std::vec::IntoIter<u8>);

impl Random {
    fn new(seed: u64) -> Self {
        Self(noise(seed, 1 << 16).into_iter())
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().unwrap()) % limit
    }

    fn leaves(&mut self) -> BTreeSet<u32> {
        let count = [0, 1, 3, 10, 60][self.below(5)];
        (0..count).map(|_| some_leaf(self.below(256) as u8)).collect()
    }
}

/// Compares a cover with the set of leaves that it should have.
fn check(backend: Backend, cover: &Cover, model: &BTreeSet<u32>) {
    let leaves: Vec<u32> = model.iter().copied().collect();
    assert_eq!(cover.leaves().iter().collect::<Vec<_>>(), leaves);
    assert_eq!(cover.leaves().count(), leaves.len() as u64);
    assert_eq!(cover.is_empty(), model.is_empty());
    assert_eq!(cover.keys(backend, &leaves), whole().keys(backend, &leaves));
    for leaf in (0..=255).map(some_leaf) {
        assert_eq!(cover.contains(leaf), model.contains(&leaf));
        assert_eq!(cover.leaves().next_from(leaf), model.range(leaf..).next().copied());
        if !model.contains(&leaf) {
            let missing = TreeFault::Underivable(LeafId { tree: ID, leaf });
            assert_eq!(cover.keys(backend, &[leaf]), Err(missing));
        }
    }
    let again =
        Cover::from_json(*cover.tree(), &Leaves::starting_at(0, LEAVES), &cover.to_json()).unwrap();
    assert_eq!(again.to_json(), cover.to_json());
}

#[test]
fn random_operations_equal_those_on_sets() {
    let backend = Backend::detect();
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let all: BTreeSet<u32> = (0..=255).map(some_leaf).collect();
        let start = whole().part(backend, &all.iter().copied().collect());
        check(backend, &start, &all);
        let start = (start, all);
        let mut states = vec![start.clone(); 3];
        for _ in 0..200 {
            let (cover, model) = states[random.below(3)].clone();
            let chosen = random.leaves();
            let set: Leaves = chosen.iter().copied().collect();
            let state = match random.below(4) {
                0 if random.below(4) == 0 => {
                    (cover.part(backend, &set), model.intersection(&chosen).copied().collect())
                }
                0 | 1 => {
                    (cover.without(backend, &set), model.difference(&chosen).copied().collect())
                }
                2 => {
                    let (other, leaves) = &states[random.below(3)];
                    let both = cover.intersection(backend, other).unwrap();
                    (both, model.intersection(leaves).copied().collect())
                }
                // Reserves some, uses some of these and gives the others back.
                _ => {
                    let reserved = cover.part(backend, &set);
                    let rest = cover.without(backend, &set);
                    let used: BTreeSet<u32> = chosen.iter().copied().step_by(3).collect();
                    let unused = reserved.without(backend, &used.iter().copied().collect());
                    if !unused.is_empty() {
                        assert!(matches!(cover.with(&unused), Err(TreeFault::Overlap { .. })));
                    }
                    let used = model.intersection(&used).copied().collect::<BTreeSet<_>>();
                    (rest.with(&unused).unwrap(), &model - &used)
                }
            };
            check(backend, &state.0, &state.1);
            // Leaves never come back, so a state that has few is replaced.
            states[random.below(3)] = if state.1.len() < 5 { start.clone() } else { state };
        }
    }
}

#[test]
fn sets_of_leaves_equal_sets_of_numbers() {
    let mut random = Random::new(9);
    for _ in 0..300 {
        let (a, b) = (random.leaves(), random.leaves());
        let [x, y]: [Leaves; 2] = [&a, &b].map(|set| set.iter().rev().copied().collect());
        let listed = |leaves: Leaves| leaves.iter().collect::<BTreeSet<u32>>();
        assert_eq!(listed(x.clone()), a);
        assert_eq!(listed(x.union(&y)), &a | &b);
        assert_eq!(listed(x.intersection(&y)), &a & &b);
        assert_eq!(listed(x.difference(&y)), &a - &b);
        let few = random.below(9);
        assert_eq!(listed(x.first(few as u64)), a.iter().copied().take(few).collect());
        assert!(x.ranges().is_sorted_by(|this, next| this.end < next.start));
    }
}

#[test]
fn puncturing_leaves_the_siblings_of_the_path() {
    let backend = Backend::detect();
    let punctured = whole().without(backend, &Leaves::starting_at(5, 1));
    assert_eq!(punctured.len(), 32);
    assert!(punctured.nodes().all(|(node, _)| !node.contains(Position::leaf(5))));
    // Leaves that are used up in order leave few nodes.
    let most = whole().without(backend, &Leaves::starting_at(0, 100_000));
    assert_eq!(most.len(), 22);
}

#[test]
fn a_second_state_brings_nothing_back() {
    let backend = Backend::detect();
    let erased = whole().without(backend, &Leaves::starting_at(10, 5));
    let delivered = whole().without(backend, &Leaves::starting_at(12, 100));
    let merged = erased.intersection(backend, &delivered).unwrap();
    assert_eq!(
        merged.leaves(),
        Leaves::starting_at(0, 10).union(&Leaves::starting_at(112, LEAVES))
    );
    assert_eq!(erased.intersection(backend, &whole()).unwrap().to_json(), erased.to_json());
}

#[test]
fn states_of_different_trees_are_not_put_together() {
    let backend = Backend::detect();
    let (own, mut root) = (whole(), ROOT);
    root[31] ^= 1;
    let other = Cover::whole(*own.tree(), &root);
    let fault = own.intersection(backend, &other).unwrap_err();
    assert_eq!(fault, TreeFault::DifferentKeys(Position::ROOT));
    // Deep below a node of the other state, too.
    let part = other.part(backend, &Leaves::starting_at(1000, 1));
    let fault = own.intersection(backend, &part).unwrap_err();
    assert_eq!(fault, TreeFault::DifferentKeys(Position::leaf(1000)));

    let shop = ShopName::new("osaka").unwrap();
    let suite = Suite::from_header("A256KW", "A256GCM").unwrap();
    let osaka = Cover::whole(Tree::new(ID, &shop, suite, None).unwrap(), &ROOT);
    let fault = own.intersection(backend, &osaka).unwrap_err();
    assert_eq!(fault, TreeFault::OtherBinding(ID));
    let id = TreeId::new(1);
    let shop = ShopName::new("tokyo").unwrap();
    let foreign = Cover::whole(Tree::new(id, &shop, suite, None).unwrap(), &ROOT);
    let fault = own.without(backend, &Leaves::starting_at(0, LEAVES)).with(&foreign).unwrap_err();
    assert_eq!(fault, TreeFault::OtherTree { expected: ID, found: id });
}

#[test]
fn nodes_that_cannot_be_are_refused() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let at = |depth: u64, index: u64| json!({"depth": depth, "index": index, "k": key});
    let refused = |nodes: serde_json::Value, expected: &str| {
        let tree = tree("A256KW", "A256GCM");
        let fault = Cover::from_json(tree, &Leaves::starting_at(16, 32), &nodes).unwrap_err();
        assert_eq!(fault.to_string(), expected);
    };
    refused(json!({}), "member \"nodes\" is not an array");
    refused(json!([7]), "node 1: expected an object");
    refused(json!([at(28, 1), {"index": 0, "k": key}]), "node 2: no member \"depth\"");
    refused(
        json!([{"depth": 28, "index": -1, "k": key}]),
        "node 1: member \"index\" is not a whole number",
    );
    refused(json!([at(33, 0)]), "node 1: there is no node 0 at depth 33");
    refused(json!([at(4, 16)]), "node 1: there is no node 16 at depth 4");
    refused(
        json!([{"depth": 28, "index": 1, "k": "AAE"}]),
        "the key of node 1 at depth 28 has 2 bytes, expected 32",
    );
    refused(json!([{"depth": 28, "index": 1, "k": "AA="}]), "node 1: k is not canonical base64url");
    refused(json!([at(28, 1), at(28, 1)]), "node 1 at depth 28 and node 1 at depth 28 overlap");
    refused(json!([at(29, 2), at(28, 1)]), "node 2 at depth 29 and node 1 at depth 28 overlap");
    refused(
        json!([at(28, 2), at(28, 1)]),
        "node 1 at depth 28 stands after node 2 at depth 28, which is to the right of it",
    );
    refused(
        json!([at(27, 0)]),
        "node 0 at depth 27 has leaves that are not among the ids of the file",
    );
    refused(
        json!([at(28, 2), at(28, 3)]),
        "node 3 at depth 28 has leaves that are not among the ids of the file",
    );
}
