//! The protocol, in rooms from the ground up; a room uses only those above it in this list.

pub mod jose;
pub mod model;
pub mod page;
pub mod pipeline;
pub mod roles;
pub mod simulate;
pub mod store;

pub use model::*;
