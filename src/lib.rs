//! Seals batches of orders for the shops that they are meant for, and opens them.
//!
//! A **security service** makes the keys, **clients** seal orders, **shops** open them. A sealed order
//! is a JWE line (RFC 7516), keys are JWK Sets (RFC 7517), and batches are processed on all cores.
//!
//! ```
//! use orderseal::{Scheme, Service};
//!
//! let mut service = Service::new();
//! service.add_shop("tokyo", Scheme::HYBRID_TRANSACTION_SECRET)?;
//! let mut client = service.client_bundle("tokyo", 2)?;
//! let shop = service.shop_bundle("tokyo")?;
//! let sealed = client.seal(["tea", "paper"])?;
//! assert_eq!(shop.open(&sealed)?, ["tea", "paper"]);
//! # Ok::<(), orderseal::Error>(())
//! ```
//!
//! - [`Service`], [`Client`] and [`Shop`] are values in memory. Each can be written as bytes and read
//!   again, in the formats of the `orderseal` command.
//! - [`seal`] and [`open`] process batches of any length, from any reader to any writer.
//! - A [`Scheme`] decides who can read an order. The service can read every order. With
//!   `DIRECT_SHOP_SECRET` and `HYBRID_SHOP_SECRET`, every client of a shop can read the orders of all
//!   its clients.
//!
//! Nothing proves who sent an order, and ids and sizes are visible. The repository's
//! `docs/SECURITY.md` says what is promised and what is not.
//!
//! # Kernels
//!
//! The batch kernels can be used alone; they choose the processor's widest vectors.
//!
//! | module | what |
//! |---|---|
//! | [`ciphers::aes::gcm`] | AES-GCM: one long message, many records under one key, or a key for each record |
//! | [`ciphers::aes::kw`] | AES key wrap of many keys at once |
//! | [`ciphers::rsa`] | RSA-OAEP for many messages, under a key each; key generation |
//! | [`ciphers::des`] | bitsliced DES and triple DES, for old data |
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `cli` | yes | the `orderseal` command, with everything that it needs; includes `store` |
//! | `store` | by `cli` | key files, outputs and locks on the disk, for the command (Unix) |
//! | `serve` | no | HTTP between the roles: `orderseal send` |
//!
//! To add only the library, set `default-features = false`.
//!
//! # Platforms
//!
//! Linux is tested. Without `store`, the library also type-checks for Windows and for
//! `wasm32-unknown-unknown`, where nothing has been run yet: batches need threads, and random numbers come
//! from a function of yours, by the `custom` backend of the crate `getrandom`.
//!
//! # Stability
//!
//! There is no semver promise yet: any version may change the API. Formats of keys and sealed orders
//! stay readable.

#[cfg(feature = "cli")]
#[doc(hidden)]
#[forbid(unsafe_code)]
pub mod bench;
pub mod ciphers;
mod front;
#[cfg(all(test, guard_pages))]
#[path = "../scripts/memory-check/guard.rs"]
mod guard_pages;
#[doc(hidden)]
#[forbid(unsafe_code)]
pub mod protocol;
#[cfg(test)]
mod testing;

pub use ciphers::Secret;
pub use front::{Client, Service, Shop, open, seal};
pub use protocol::model::{
    Alg, Content, Enc, Error, KeyError, Kind, Malformed, Misuse, Place, Result, Scheme, Scope,
    Suite, Time,
};
pub use protocol::roles::client::Totals;
