//! What service, client, and shop do.

pub mod client;
pub mod convert;
pub mod pad_use;
pub mod service;
pub mod shop;
pub mod stream;
pub mod survey;
#[cfg(test)]
mod tests;
