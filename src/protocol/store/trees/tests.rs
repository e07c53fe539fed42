//! Random sequences of what service, shop and clients do with a tree, against sets of ids.

use std::collections::BTreeSet;

use super::*;
use crate::ciphers::aes::testing::noise;
use crate::protocol::jose::tree::TreeId;
use crate::protocol::model::{ShopName, Suite};

type Ids = BTreeSet<u32>;

fn tree() -> Tree {
    let suite = Suite::from_header("A256KW", "A256GCM").unwrap();
    Tree::new(TreeId::new(7), &ShopName::new("tokyo").unwrap(), suite, None).unwrap()
}

fn service(orders: u64) -> ServiceTree {
    ServiceTree::new(Backend::detect(), tree(), &[7; 32], orders)
}

fn set(ids: &Leaves) -> Ids {
    ids.iter().collect()
}

fn object(value: &Value) -> &Object {
    value.as_object().unwrap()
}

/// A client's file, and the ids that it must never give out again.
#[derive(Clone)]
struct Client {
    file: ClientTree,
    erased: Ids,
}

/// A process that has reserved ids of a client.
struct Process {
    client: usize,
    reserved: Cover,
    used: Ids,
}

struct World {
    random: std::vec::IntoIter<u8>,
    backend: Backend,
    services: Vec<ServiceTree>,
    shop: TreePart,
    old_shops: Vec<TreePart>,
    clients: Vec<Client>,
    processes: Vec<Process>,
    /// Ids that sealed an order.
    used: Ids,
    /// Ids that the shop erased.
    erased: Ids,
}

impl World {
    fn new(seed: u64) -> Self {
        let services = vec![service(60)];
        let shop = services[0].part().clone();
        Self {
            random: noise(seed, 1 << 16).into_iter(),
            backend: Backend::detect(),
            old_shops: vec![shop.clone()],
            services,
            shop,
            clients: Vec::new(),
            processes: Vec::new(),
            used: Ids::new(),
            erased: Ids::new(),
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.random.next().unwrap()) % limit.max(1)
    }

    fn some_ids(&mut self) -> Ids {
        (0..self.below(5)).map(|_| self.below(60) as u32).collect()
    }

    fn hand_out(&mut self) {
        let at = self.below(self.services.len());
        let count = 1 + self.below(9) as u64;
        let before = self.services[at].unused();
        let read_again = self.services[at].to_json();
        let mut read_again = ServiceTree::from_json(tree(), object(&read_again)).unwrap();
        let part = self.services[at].hand_out(self.backend, count);
        assert_eq!(part.given(), &before.first(count));
        assert_eq!(
            part,
            read_again.hand_out(self.backend, count),
            "what was left is not in a file"
        );
        for client in &self.clients {
            assert!(client.file.part().given().intersection(part.given()).is_empty());
        }
        self.clients.push(Client { file: ClientTree::new(part), erased: Ids::new() });
    }

    fn reserve(&mut self) {
        if self.clients.is_empty() {
            return;
        }
        let client = self.below(self.clients.len());
        let count = 1 + self.below(4) as u64;
        let own = &mut self.clients[client];
        let before = set(&own.file.part().nodes().leaves());
        let reserved = own.file.reserve(self.backend, count);
        let ids = set(&reserved.leaves());
        assert!(ids.iter().eq(before.iter().take(count as usize)));
        assert!(ids.is_disjoint(&own.erased), "an erased id was reserved");
        assert_eq!(set(&own.file.part().nodes().leaves()), &before - &ids);
        self.processes.push(Process { client, reserved, used: Ids::new() });
    }

    fn seal(&mut self) {
        if self.processes.is_empty() {
            return;
        }
        let at = self.below(self.processes.len());
        let process = &mut self.processes[at];
        let next = set(&process.reserved.leaves()).difference(&process.used).next().copied();
        let Some(id) = next else { return };
        process.used.insert(id);
        assert!(self.used.insert(id), "id {id} was used twice");
        let key = self.processes[at].reserved.keys(self.backend, &[id]).unwrap();
        match self.erased.contains(&id) {
            true => assert!(self.shop.lacks(id)),
            false => assert_eq!(self.shop.nodes().keys(self.backend, &[id]), Ok(key)),
        }
    }

    fn end(&mut self) {
        if self.processes.is_empty() {
            return;
        }
        let at = self.below(self.processes.len());
        let Process { client, reserved, used } = self.processes.swap_remove(at);
        // One in four is killed instead, and its ids are lost.
        if self.below(4) > 0 {
            let used: Leaves = used.into_iter().collect();
            let file = &mut self.clients[client].file;
            file.give_back(self.backend, &reserved.without(self.backend, &used)).unwrap();
        }
    }

    fn erase(&mut self) {
        let ids = self.some_ids();
        let leaves: Leaves = ids.iter().copied().collect();
        match self.below(3) {
            0 => {
                self.old_shops.push(self.shop.clone());
                self.shop.erase(self.backend, &leaves);
                self.erased.extend(ids);
            }
            1 if !self.clients.is_empty() => {
                let at = self.below(self.clients.len());
                self.clients[at].file.erase(self.backend, &leaves);
                self.clients[at].erased.extend(ids);
            }
            _ => {
                let at = self.below(self.services.len());
                let unused = self.services[at].unused();
                let erased = self.services[at].erase(self.backend, &leaves.intersection(&unused));
                assert_eq!(erased, leaves.intersection(&unused).count());
            }
        }
    }

    /// A second delivery by a service, or an older copy of the shop's file.
    fn merge(&mut self) {
        let (service, old) = (self.below(self.services.len()), self.below(self.old_shops.len()));
        let second = match self.below(2) {
            0 => self.services[service].part().clone(),
            _ => self.old_shops[old].clone(),
        };
        let lacking = set(&self.shop.given().difference(&self.shop.nodes().leaves()));
        let restores = !lacking.is_disjoint(&set(&second.nodes().leaves()));
        assert_eq!(self.shop.would_restore(&second), restores);
        let both = set(&second.given().difference(&second.nodes().leaves()));
        self.shop.merge(self.backend, &second).unwrap();
        // What the service erased cannot have been handed out, so no order needs it.
        self.erased.extend(both);
    }

    fn split(&mut self) {
        let at = self.below(self.services.len());
        let count = self.below(20) as u64;
        let before = self.services[at].clone();
        match self.services[at].split(self.backend, count) {
            Some(second) => {
                assert_eq!(second.part().given().count(), count);
                let sum = self.services[at].part().given().union(second.part().given());
                assert_eq!(&sum, before.part().given());
                assert!(before.unused() == self.services[at].unused().union(&second.unused()));
                self.services.push(second);
            }
            None => assert_eq!(self.services[at], before),
        }
    }

    /// Deletes a client's file that no process uses, and returns its unused ids.
    fn take_back(&mut self) {
        let idle = |at: &usize| self.processes.iter().all(|process| process.client != *at);
        let Some(at) = (0..self.clients.len()).rev().find(idle) else { return };
        let part = self.clients[at].file.part().clone();
        for service in &mut self.services {
            let unused = service.unused().count();
            let returned = service.take_back(part.given(), &part.nodes().leaves());
            assert!(service.unused().count() >= unused);
            if returned > 0 {
                let nothing = part.nodes().part(self.backend, &Leaves::default());
                self.clients[at].file = ClientTree::new(TreePart {
                    given: part.given().difference(&service.unused()),
                    nodes: nothing,
                });
                return;
            }
        }
    }

    fn restart(&mut self) {
        for service in &mut self.services {
            let again = ServiceTree::from_json(tree(), object(&service.to_json())).unwrap();
            assert_eq!(*service, again);
        }
        for client in &mut self.clients {
            let again = ClientTree::from_json(tree(), object(&client.file.to_json())).unwrap();
            assert_eq!(client.file, again);
        }
        let again = TreePart::from_json(tree(), object(&self.shop.to_json())).unwrap();
        assert_eq!(self.shop, again);
    }

    fn check(&self) {
        let held = set(&self.shop.nodes().leaves());
        assert!(held.is_disjoint(&self.erased), "an erased id came back");
        let given = set(self.shop.given());
        assert_eq!(held, &given - &self.erased);
        for client in &self.clients {
            let held = set(&client.file.part().nodes().leaves());
            assert!(held.is_disjoint(&client.erased) && held.is_disjoint(&self.used));
        }
    }
}

#[test]
fn no_id_is_used_twice_and_none_that_was_erased() {
    for seed in 0..30 {
        let mut world = World::new(seed);
        for _ in 0..300 {
            match world.below(16) {
                0 | 1 => world.hand_out(),
                2..=4 => world.reserve(),
                5..=9 => world.seal(),
                10 | 11 => world.end(),
                12 => world.erase(),
                13 => world.merge(),
                14 => match world.below(4) {
                    0 => world.split(),
                    _ => world.take_back(),
                },
                _ => world.restart(),
            }
            world.check();
        }
    }
}

#[test]
fn what_was_erased_while_it_was_reserved_is_not_given_back() {
    let backend = Backend::detect();
    let mut client = ClientTree::new(service(10).hand_out(backend, 10));
    let reserved = client.reserve(backend, 4);
    assert_eq!(client.erase(backend, &Leaves::starting_at(2, 4)), 4);
    client.give_back(backend, &reserved).unwrap();
    let left = client.part().nodes().leaves();
    assert_eq!(set(&left), Ids::from([0, 1, 6, 7, 8, 9]));
}

#[test]
fn the_mark_moves_back_only_over_the_last_ids() {
    let backend = Backend::detect();
    let mut service = service(10);
    let first = service.hand_out(backend, 4);
    let mut second = ClientTree::new(service.hand_out(backend, 4));
    assert_eq!(service.take_back(first.given(), &first.nodes().leaves()), 0);
    second.reserve(backend, 1);
    let part = second.part();
    let back = service.take_back(part.given(), &part.nodes().leaves());
    assert_eq!((back, service.mark()), (3, 5));
    service.skip(2);
    assert_eq!((service.mark(), service.unused().count()), (7, 3));
    service.skip(100);
    assert_eq!(service.mark(), 10);
    assert_eq!(service.hand_out(backend, 1).given().count(), 0);
}

#[test]
fn a_later_range_of_a_split_tree_is_added() {
    let backend = Backend::detect();
    let mut service = service(10);
    let second = service.split(backend, 4).unwrap();
    let mut shop = service.part().clone();
    shop.erase(backend, &Leaves::starting_at(3, 1));
    shop.merge(backend, second.part()).unwrap();
    assert_eq!(set(&shop.nodes().leaves()), Ids::from([0, 1, 2, 4, 5, 6, 7, 8, 9]));
}

#[test]
fn records_that_contradict_themselves_are_refused() {
    let backend = Backend::detect();
    let mut client = ClientTree::new(service(8).hand_out(backend, 8));
    client.reserve(backend, 3);
    let good = client.to_json();
    let complaint = |member: &str, value: Value| {
        let mut bad = good.clone();
        bad[member] = value;
        ClientTree::from_json(tree(), object(&bad)).unwrap_err().to_string()
    };
    let pairs = "is not an array of pairs of ascending numbers up to 2^32";
    for value in
        [json!(7), json!([[0]]), json!([[8, 8]]), json!([[0, 4], [4, 8]]), json!([[0, 1u64 << 33]])]
    {
        assert_eq!(complaint("ids", value), format!("member \"ids\" {pairs}"));
    }
    let others = "member \"reserved\" is not of the client's ids, less those with nodes";
    assert_eq!(complaint("reserved", json!([[0, 4]])), others);
    assert_eq!(complaint("reserved", json!([[7, 9]])), others);
    let above = "node 1 at depth 30 has leaves that are not among the ids of the file";
    assert_eq!(complaint("ids", json!([[0, 6]])), above);
    let mut service = service(8).to_json();
    service["next"] = json!(1u64 << 33);
    let found = ServiceTree::from_json(tree(), object(&service)).unwrap_err().to_string();
    assert_eq!(found, "member \"next\" is not a number up to 2^32");
}
