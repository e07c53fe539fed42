//! Clients whose ids are made on demand, for faults that need one more client.

use super::Setup;
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Place, Result, Scope};
use crate::protocol::pipeline::Workers;
use crate::protocol::roles::merge::{self, OnErased};
pub(super) use crate::protocol::roles::service::ClientRequest;
use crate::protocol::roles::service::{self, IdRequest, KeyRequest};
use crate::protocol::store::keyfile::{ClientBundle, Keyring, ShopBundle};

/// Bytes of pad for them, of which a shop has enough left for several clients.
const PAD_OF_ORDERS: u64 = 64;

/// Makes a client's bundle for `count` orders, and takes the shop's half to the shop. `change` says what
/// is special about the request.
pub(super) fn client(
    setup: &Setup,
    (service, bundle): (&mut Keyring, &mut ShopBundle),
    count: u64,
    change: impl FnOnce(&mut ClientRequest),
    source: &SeededSource,
    workers: &Workers,
    place: &Place,
) -> Result<ClientBundle> {
    let account = service.account(Some(&bundle.name), place)?.1;
    let (scope, takes_pad) = (account.shop.scheme.scope, account.shop.suite.enc().takes_pad());
    let ids = match scope {
        Scope::Shop => IdRequest::Pool(1),
        Scope::Transaction => IdRequest::OnDemand(count),
    };
    let mut request = ClientRequest::new(bundle.name.clone(), ids, super::NOW);
    request.pad_bytes = (takes_pad && scope == Scope::Shop).then_some(PAD_OF_ORDERS);
    change(&mut request);
    let make = |making: &KeyRequest| {
        let making = KeyRequest { sizes: setup.sizes(), ..making.clone() };
        service::make_keys(&making, source, workers, &|| {}, place)
    };
    let delivery = service::bundle_client(service, &request, source, make, place)?;
    if scope == Scope::Transaction {
        let half = delivery.shop_half(service, place)?;
        merge::merge(bundle, &half, OnErased::Refuse, place)?;
    }
    Ok(delivery.client)
}
