//! Many writers at once: no id is issued or used twice, and no key is lost.

mod common;

use std::collections::BTreeSet;
use std::thread;

use common::{Lab, key_ids};

#[test]
fn twenty_clients_at_once_get_different_ids() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 100 -o service.jwks");
    thread::scope(|scope| {
        for client in 0..20 {
            let lab = &lab;
            scope.spawn(move || {
                lab.ok(&format!(
                    "bundle client --keys service.jwks --orders 5 -o client-{client}.jwks"
                ))
            });
        }
    });
    let issued: Vec<_> =
        (0..20).flat_map(|client| key_ids(&lab.json(&format!("client-{client}.jwks")))).collect();
    assert_eq!(issued.len(), 100);
    assert_eq!(issued.iter().collect::<BTreeSet<_>>().len(), 100, "no id twice");
    lab.refused(4, "bundle client --keys service.jwks -o one-more.jwks");
}

#[test]
fn twenty_writers_of_one_keyring_lose_nothing() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 1 -o service.jwks");
    thread::scope(|scope| {
        for shop in 0..20 {
            let lab = &lab;
            scope.spawn(move || {
                lab.ok(&format!(
                    "keygen --embodiment 4 --shop shop{shop} --orders 3 --into service.jwks"
                ))
            });
        }
    });
    let keys = key_ids(&lab.json("service.jwks"));
    assert_eq!(keys.len(), 61);
    assert!((0..20).all(|shop| {
        keys.iter().filter(|kid| kid.starts_with(&format!("shop{shop}/"))).count() == 3
    }));
}

#[test]
fn several_runs_at_once_share_a_clients_ids_without_repeating_one() {
    let lab = Lab::with_keys("--embodiment 4", 40);
    let sealed: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| lab.run("encrypt --bundle client.jwks", b"a\nb\nc\n")))
            .collect();
        runs.into_iter().map(|run| run.join().expect("a run")).collect()
    });
    let ids: Vec<_> = sealed.iter().flat_map(|run| common::kids(&run.stdout)).collect();
    assert!(sealed.iter().any(|run| run.code == Some(0)));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "no id twice");
}

/// A million orders at each number of threads, under one key: no random value comes twice, neither in
/// a run nor in two. Which segment of a line shows it is `segment`, whose bytes are `N` characters.
fn never_repeats<const N: usize>(embodiment: u8, segment: usize) {
    const ORDERS: usize = 1_000_000;
    let lab = Lab::with_keys(&format!("--embodiment {embodiment}"), 1);
    let orders = vec![b'\n'; ORDERS];
    let mut seen: Vec<[u8; N]> = Vec::with_capacity(3 * ORDERS);
    for threads in [1, 2, 8] {
        let line = format!("encrypt --threads {threads} --bundle client.jwks");
        let sealed = lab.ok_with(&line, &orders).stdout;
        seen.extend(common::lines(&sealed).map(|line| {
            let part = line.split(|&byte| byte == b'.').nth(segment).expect("five segments");
            <[u8; N]>::try_from(part).expect("a segment of known length")
        }));
    }
    assert_eq!(seen.len(), 3 * ORDERS);
    seen.sort_unstable();
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "embodiment {embodiment}");
}

#[test]
fn initialization_vectors_under_one_direct_key_never_repeat() {
    never_repeats::<16>(1, 2);
}

#[test]
fn content_keys_under_one_wrapping_key_never_repeat() {
    // AES key wrap is deterministic: equal content keys would be wrapped equally.
    never_repeats::<54>(2, 1);
}
