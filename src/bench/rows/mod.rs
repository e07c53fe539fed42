//! All measurable rows: the list behind `orderseal bench` and `cargo bench`.
//!
//! A row is one operation of one cipher on one backend at one size, named
//! `operation/cipher/backend/size`. The backend `rustcrypto` stands for the crates themselves,
//! called as their users call them and not through our code, so that the comparison is fair.
//!
//! To add rows, return them from the file of their kind, or write a new file and name its function
//! in [`GROUPS`]. `available` leaves out backends that this processor does not support; a cipher's
//! `BACKENDS` lists those with their own code for it.

mod aes;
mod agreed_kw;
mod content;
mod des;
mod ecdh;
mod feal;
pub mod fixtures;
mod keys;
mod orders;
mod plain;
mod rsa;
mod rustcrypto;
mod stream;
mod transport;
mod wrapping;
mod x25519;

use std::borrow::Cow;

use crate::ciphers::cpu::Backend;

/// A function that lists rows.
pub type List = fn() -> Vec<Row>;

/// The rows, grouped by the question that they answer.
pub const GROUPS: [(&str, &[List]); 4] = [
    ("ciphers", &[aes::rows, des::rows, feal::rows, stream::rows, content::rows]),
    ("wrapping", &[wrapping::rows, rsa::rows, agreed_kw::rows, x25519::rows, ecdh::rows]),
    ("orders", &[orders::rows, transport::rows]),
    ("keys", &[rsa::key_rows, x25519::key_rows, ecdh::key_rows, keys::rows]),
];

/// Sizes in bytes of a long message.
const SIZES: [usize; 4] = [64, 1 << 10, USUAL, LARGE];

/// Size in bytes of a long message that is measured by default.
const USUAL: usize = 16 << 10;

/// Size in bytes of the largest long message, beyond the first-level cache.
const LARGE: usize = 1 << 20;

/// Number and size in bytes of messages that are encrypted side by side.
const MESSAGES: (usize, usize) = (1024, 1 << 10);

/// Sizes in bytes of an order.
const ORDER_SIZES: [usize; 4] = [64, 256, 1 << 10, 4 << 10];

/// Size in bytes of an order that is measured by default.
const USUAL_ORDER: usize = 256;

/// Length in bytes of a content-encryption key for AES-256.
const CEK: usize = 32;

/// Number of orders of `size` bytes processed together: about as many as `encrypt` has in a block
/// of its input, and no more than fill the lanes of every kernel.
fn orders_at_once(size: usize) -> usize {
    ((256 << 10) / size).clamp(64, 1024)
}

/// Operation, cipher and size: backends are compared on equal questions.
pub type Question = (&'static str, Cow<'static, str>, usize);

/// One run of a row.
pub type Iteration = Box<dyn FnMut() + Send>;

/// A benchmark row.
pub struct Row {
    /// The operation: `seal`, `wrap`, `ecb` …
    pub operation: &'static str,
    /// The algorithm: `aes-256`, `rsa-2048-oaep-256` …
    pub cipher: Cow<'static, str>,
    /// The implementation: the name of a [`Backend`].
    pub backend: &'static str,
    /// Size in bytes of a message, an order, or a key.
    pub size: usize,
    /// Number of messages, orders or keys per iteration.
    pub operations: u64,
    /// Whether the algorithm is only for teaching and old data.
    pub weak: bool,
    /// Whether `bench` runs the row only on request.
    pub extra: bool,
    set_up: Box<dyn Fn() -> Iteration + Send + Sync>,
}

impl Row {
    /// Creates a row with one operation per iteration. `set_up` is not timed; the closure it
    /// returns is.
    pub fn new<F: FnMut() + Send + 'static>(
        operation: &'static str,
        cipher: impl Into<Cow<'static, str>>,
        backend: &'static str,
        size: usize,
        set_up: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            operation,
            cipher: cipher.into(),
            backend,
            size,
            operations: 1,
            weak: false,
            extra: false,
            set_up: Box::new(move || Box::new(set_up())),
        }
    }

    /// Sets the number of operations per iteration.
    pub fn batch(self, operations: usize) -> Self {
        Self { operations: operations as u64, ..self }
    }

    /// Marks an algorithm that is only for teaching and old data.
    pub fn weak(self, weak: bool) -> Self {
        Self { weak, ..self }
    }

    /// Marks a row that is measured only on request.
    pub fn extra(self, extra: bool) -> Self {
        Self { extra, ..self }
    }

    /// Returns the id, `operation/cipher/backend/size`.
    pub fn id(&self) -> String {
        format!("{}/{}/{}/{}", self.operation, self.cipher, self.backend, self.size)
    }

    /// Returns the question by which backends are compared.
    pub fn question(&self) -> Question {
        (self.operation, self.cipher.clone(), self.size)
    }

    /// Number of bytes processed per iteration.
    pub fn bytes(&self) -> u64 {
        self.operations * self.size as u64
    }

    /// Runs the set-up, which is not timed, and returns the part that is.
    pub fn set_up(&self) -> Iteration {
        (self.set_up)()
    }
}

/// Returns those of the named backends that this processor supports.
fn available(names: &[&str]) -> Vec<Backend> {
    names.iter().filter_map(|name| Backend::from_name(name).ok()).collect()
}

/// Returns the same without the crates, which have their own rows.
fn ours(names: &[&str]) -> Vec<Backend> {
    available(names).into_iter().filter(|backend| backend.name() != "rustcrypto").collect()
}

/// Returns the last of the named backends that this processor supports.
fn widest(names: &[&str]) -> Backend {
    available(names).pop().expect("every cipher runs on every processor")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_wrap_a_key_is_measured_in_one_group() {
        let (_, lists) = GROUPS.iter().find(|(name, _)| *name == "wrapping").unwrap();
        let rows: Vec<Row> = lists.iter().flat_map(|list| list()).collect();
        for cipher in [
            "aes-128-kw",
            "aes-256-kw",
            "aes-256-gcmkw",
            "aes-128-cbc-hs256kw",
            "grain128aeadv2kw",
            "des-ede3-cbc-hs256kw",
            "des-cbc-hs256kw",
            "feal8-cbc-hs256kw",
            "toydes-ecb-hs256kw",
            "rsa-2048-oaep-256",
            "x25519-ecdh-es-a256kw",
            "p-256-ecdh-es-a256kw",
            "knapsack",
        ] {
            for operation in ["wrap", "unwrap"] {
                let of = |row: &Row| (row.operation, &*row.cipher) == (operation, cipher);
                assert!(rows.iter().any(of), "{operation}/{cipher}");
            }
        }
    }

    #[test]
    fn keys_that_are_agreed_on_unwrap_what_they_wrapped() {
        for row in agreed_kw::rows() {
            row.set_up()();
        }
    }
}
