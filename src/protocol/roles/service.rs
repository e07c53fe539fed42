//! The security service's work: making keys, and handing out programs with keys.

mod client;
#[cfg(feature = "store")]
mod delivery;
mod making;
mod own_pairs;
mod request;
mod rotate;
mod share;
mod shop;
mod trees;
mod unused;
mod users;

pub use client::{ClientRequest, Delivery, IdRequest, bundle_client, public_program};
#[cfg(feature = "store")]
pub use delivery::{
    Delivered, Outputs, deliver, deliver_admission, deliver_rotation, deliver_split,
};
pub(in crate::protocol) use making::add_repeatable_tree;
pub use making::{add_keys, check_len, check_room, make_keys, make_material};
pub use own_pairs::{add_public_halves, public_half_of, public_halves};
pub use request::{DEFAULT_CURVE, DEFAULT_PAD_BYTES, DEFAULT_RSA_BITS, KeyRequest, Pool, Sizes};
pub use rotate::{Rotated, Rotation, rotate};
pub use share::Share;
pub use shop::{ShopForm, WantedKeys, bundle_shop, listed_keys};
pub use trees::{can_derive, rejoin, skip, split};
pub use unused::{count_unused, unused_ids};
pub use users::{Admission, admit};

#[cfg(all(test, feature = "store"))]
mod tests;
