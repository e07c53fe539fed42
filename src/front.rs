//! The three roles, with keyrings and bundles in memory. All rules are implemented in `protocol::roles`.

mod client;
mod context;
mod service;
mod shop;

pub use client::{Client, seal};
pub use service::Service;
pub use shop::{Shop, open};

#[cfg(test)]
mod tests;
