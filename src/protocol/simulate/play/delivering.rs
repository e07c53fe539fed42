//! What the service of the simulation makes for shops, and how it comes to them.

use super::{PAD_OF_ORDER, PlayedShop, Stage, service_url, user_name};
use crate::protocol::model::{Dates, Name, Place, Result, Scope, ShopName};
use crate::protocol::roles::merge::{self, OnErased};
use crate::protocol::roles::service::{self, KeyRequest, Pool, ShopForm, Sizes};
use crate::protocol::simulate::trace::{Event, Party};
use crate::protocol::store::keyfile::{KeyFile, KeyHolder, Shop, ShopBundle};

impl<W: FnMut(&Event)> Stage<'_, W> {
    /// Makes keys for this number of clients and delivers the shop's half in advance.
    pub(super) fn deliver_to_shop(&mut self, shop: &Name, clients: usize) -> Result<ShopBundle> {
        let pool = match (self.case.scheme.scope, self.setup.on_demand) {
            (Scope::Transaction, true) => 0,
            // One more pair than there are orders, as the description requires.
            (Scope::Transaction, false) | (Scope::Shop, _) => clients * self.setup.orders + 1,
        };
        let request = KeyRequest {
            pool: self.case.pool,
            shop: shop.clone(),
            scheme: self.case.scheme,
            suite: self.case.suite,
            orders: pool as u64,
            sizes: Sizes {
                pad_bytes: match self.case.scheme.scope {
                    Scope::Shop => pool * PAD_OF_ORDER,
                    Scope::Transaction => PAD_OF_ORDER,
                },
                ..self.setup.sizes()
            },
            service: Some(service_url()),
            dates: Dates::default(),
        };
        let place = Place::file("service");
        let source = self.source.child(&format!("keys of {shop}"));
        let form = match self.case.pool {
            Pool::Derived => {
                service::add_repeatable_tree(&mut self.service, &request, &source, &place)?;
                ShopForm::Program
            }
            Pool::Listed => {
                let keys = service::make_keys(&request, &source, self.workers, &|| {}, &place)?;
                service::add_keys(&mut self.service, &request, keys, &source, &place)?;
                ShopForm::BuiltIn
            }
        };
        if pool == 0 {
            return Ok(ShopBundle::new(ShopName::first(shop), self.shop()));
        }
        let bundle = service::bundle_shop(&self.service, Some(shop), form, &place)?;
        self.carry_to_shop(shop, &bundle, "decrypting keys and program")
    }

    /// The record of a shop that has no history.
    fn shop(&self) -> Shop {
        Shop::new(self.case.scheme, self.case.suite)
    }

    pub(super) fn carry_to_shop(
        &mut self,
        shop: &Name,
        bundle: &ShopBundle,
        what: &str,
    ) -> Result<ShopBundle> {
        let step = Some(self.steps.deliver_to_shop);
        let to = Party::Shop(shop.to_string());
        let place = Place::file(shop.as_str());
        let bytes = bundle.to_bytes(&place)?.to_vec();
        let bytes = self.carry(step, Party::Service, to, what, bytes);
        KeyFile::parse(&bytes, &place)?.into_shop(&place)
    }

    /// Admits a user to a shop, and delivers the shop's half.
    pub(super) fn admit(&mut self, user: &Party, shop: &mut PlayedShop) -> Result<()> {
        let (name, users) = (shop.bundle.name.clone(), user_name(user).into_iter().collect());
        let place = Place::file("service");
        self.act(None, Party::Service, &format!("admit {user}"));
        let source = self.source.child(&format!("key of {user}"));
        let admission =
            service::admit(&mut self.service, Some(&name), &users, &source, self.workers, &place)?;
        let what = format!("key of {user}");
        let half = self.carry_to_shop(&name, &admission.shop_half, &what)?;
        merge::merge(&mut shop.bundle, &half, OnErased::Refuse, &place)?;
        Ok(())
    }
}
