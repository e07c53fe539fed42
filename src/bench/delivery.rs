//! The files that client and shop hold before the first order: made by the service, written, and
//! read back.

use crate::ciphers::random::SystemSource;
use crate::protocol::jose::jwk::DecryptingKey;
use crate::protocol::model::Time;
use crate::protocol::roles::service::{self, ClientRequest, IdRequest, KeyRequest, ShopForm};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder, Keyring, ShopBundle};
use crate::protocol::{Place, Result};

/// The files of one client and its shop.
pub struct Delivery {
    /// The client's.
    pub client: ClientBundle,
    /// The shop's.
    pub shop: ShopBundle,
}

impl Delivery {
    /// Puts keys into a keyring and hands out all of them to one client and to the shop.
    pub fn of(
        request: &KeyRequest,
        keys: Vec<DecryptingKey>,
        source: &SystemSource,
    ) -> Result<Self> {
        let place = Place::file("bench");
        let mut keyring = Keyring::new();
        service::add_keys(&mut keyring, request, keys, source, &place)?;
        let shop = service::bundle_shop(&keyring, None, ShopForm::Program, &place)?;
        let wanted = ClientRequest::new(
            request.shop.clone(),
            IdRequest::Pool(request.orders),
            Time::UNIX_EPOCH,
        );
        let none_on_demand = |_: &KeyRequest| Ok(Vec::new());
        let client =
            service::bundle_client(&mut keyring, &wanted, source, none_on_demand, &place)?.client;
        let carry = |file: &dyn KeyHolder| KeyFile::parse(&file.to_bytes(&place)?, &place);
        Ok(Self {
            client: carry(&client)?.into_client(&place)?,
            shop: carry(&shop)?.into_shop(&place)?,
        })
    }
}
