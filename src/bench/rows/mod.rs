//! What there is to measure: the one list behind `orderseal bench` and `cargo bench`.
//!
//! A row is one operation of one cipher on one backend at one size, and is called so:
//! `operation/cipher/backend/size`. The backend `rustcrypto` stands for the crates themselves,
//! called as their users call them and not through our code, so that a peer stays a peer.
//!
//! To add rows: return them from the file of their kind, or write a new file and name its function
//! in [`GROUPS`]. `available` leaves out the backends that this processor lacks; a
//! cipher's `BACKENDS` are those that it has code of its own for.

mod aes;
mod content;
mod des;
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

use std::borrow::Cow;

use crate::ciphers::cpu::Backend;

/// A function that lists rows.
pub type List = fn() -> Vec<Row>;

/// The rows by the question that they answer.
pub const GROUPS: [(&str, &[List]); 4] = [
    ("ciphers", &[aes::rows, des::rows, feal::rows, stream::rows, content::rows]),
    ("wrapping", &[wrapping::rows, rsa::rows]),
    ("orders", &[orders::rows, transport::rows]),
    ("keys", &[rsa::key_rows, keys::rows]),
];

/// Sizes in bytes of a long message.
const SIZES: [usize; 4] = [64, 1 << 10, USUAL, LARGE];

/// The size of a long message that is measured unless others are asked for.
const USUAL: usize = 16 << 10;

/// The largest long message, beyond the first-level cache.
const LARGE: usize = 1 << 20;

/// Messages that are encrypted side by side, in number and bytes.
const MESSAGES: (usize, usize) = (1024, 1 << 10);

/// Sizes in bytes of an order.
const ORDER_SIZES: [usize; 4] = [64, 256, 1 << 10, 4 << 10];

/// The size of an order that is measured unless others are asked for.
const USUAL_ORDER: usize = 256;

/// Bytes of a content-encryption key for AES-256.
const CEK: usize = 32;

/// Orders of that many bytes that are worked on together: about as many as `encrypt` has in a
/// block of its input, within the number that fills every kernel's lanes.
fn orders_at_once(size: usize) -> usize {
    ((256 << 10) / size).clamp(64, 1024)
}

/// Operation, cipher and size: what backends are compared at.
pub type Question = (&'static str, Cow<'static, str>, usize);

/// One run of a row.
pub type Iteration = Box<dyn FnMut() + Send>;

/// Something to measure.
pub struct Row {
    /// What is done: `seal`, `wrap`, `ecb` …
    pub operation: &'static str,
    /// By which algorithm: `aes-256`, `rsa-2048-oaep-256` …
    pub cipher: Cow<'static, str>,
    /// By whose code: the name of a [`Backend`].
    pub backend: &'static str,
    /// Bytes of a message, of an order, or of a key.
    pub size: usize,
    /// Messages, orders or keys in an iteration.
    pub operations: u64,
    /// Whether the algorithm is for teaching and old data only.
    pub weak: bool,
    /// Whether `bench` leaves the row out unless it is asked for.
    pub extra: bool,
    set_up: Box<dyn Fn() -> Iteration + Send + Sync>,
}

impl Row {
    /// A row of which an iteration is one operation. `set_up` is not timed; what it returns is.
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

    /// Says that an iteration is so many operations.
    pub fn batch(self, operations: usize) -> Self {
        Self { operations: operations as u64, ..self }
    }

    /// Marks an algorithm that is for teaching and old data only.
    pub fn weak(self, weak: bool) -> Self {
        Self { weak, ..self }
    }

    /// Marks a row that is measured only when it is asked for.
    pub fn extra(self, extra: bool) -> Self {
        Self { extra, ..self }
    }

    /// `operation/cipher/backend/size`.
    pub fn id(&self) -> String {
        format!("{}/{}/{}/{}", self.operation, self.cipher, self.backend, self.size)
    }

    /// What backends are compared at.
    pub fn question(&self) -> Question {
        (self.operation, self.cipher.clone(), self.size)
    }

    /// Bytes that an iteration works on.
    pub fn bytes(&self) -> u64 {
        self.operations * self.size as u64
    }

    /// Does what is not to be timed, and returns what is.
    pub fn set_up(&self) -> Iteration {
        (self.set_up)()
    }
}

/// Those of the named backends that this processor has.
fn available(names: &[&str]) -> Vec<Backend> {
    names.iter().filter_map(|name| Backend::named(name).ok()).collect()
}

/// The same without the crates, which have rows of their own.
fn ours(names: &[&str]) -> Vec<Backend> {
    available(names).into_iter().filter(|backend| backend.name() != "rustcrypto").collect()
}

/// The last of the named backends that this processor has.
fn widest(names: &[&str]) -> Backend {
    available(names).pop().expect("every cipher runs on every processor")
}
