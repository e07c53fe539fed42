//! The three roles, their key files, and the sealed lines in which orders travel.
//!
//! Seven rooms from the ground up; each uses only rooms named before it. [`model`] has the values that
//! everything speaks in, [`jose`] seals and opens in memory, [`pipeline`] runs batches over threads,
//! [`store`] keeps key files on the disk, [`roles`] are service, client and shop, [`page`] makes the order
//! page, and [`simulate`] plays all roles in one process. Beside it, the feature `serve` has service and shop
//! as servers. Nothing here parses arguments or prints.

pub mod jose;
pub mod model;
pub mod page;
pub mod pipeline;
pub mod roles;
#[cfg(feature = "serve")]
pub mod serve;
pub mod simulate;
pub mod store;

pub use model::*;
