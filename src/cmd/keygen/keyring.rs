//! Keys of a shop: in a new keyring, or added to one.

use orderseal::ciphers::random::KeySource;
use orderseal::protocol::jose::tree::LEAVES;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::service::{self, KeyRequest, Pool};
use orderseal::protocol::store::files::{self, Protection};
use orderseal::protocol::store::keyfile::{KeyFile, Keyring};
use orderseal::protocol::{Error, Name, Place, Result, Scheme, Scope};

use super::{Keygen, refuse_weak, write_public};
use crate::cmd::hints::usage;
use crate::cmd::{Global, algorithms, ui};

impl Keygen {
    pub(super) fn keyring<S: KeySource>(
        &self,
        source: &S,
        workers: &Workers,
        protection: Option<Protection>,
        global: &Global,
    ) -> Result<()> {
        let scheme = self.scheme()?;
        let shop = self
            .shop
            .clone()
            .ok_or_else(|| usage("say which shop the keys are for: --shop NAME".to_owned()))?;
        let suite = algorithms::suite(scheme, self.algorithms.enc, self.algorithms.wrap)?;
        let suite = self.with_sbox(suite)?;
        let request = KeyRequest {
            shop,
            scheme,
            suite,
            orders: match (self.orders, self.pool) {
                (Some(orders), _) => orders,
                (None, Pool::Listed) => 1,
                (None, Pool::Derived) => LEAVES,
            },
            pool: self.pool,
            sizes: self.sizes(suite, scheme.scope)?,
            service: self.service.clone(),
            dates: self.dates.made_now(global)?,
        };
        let name = self.into.as_deref().map_or("keygen".to_owned(), ui::shown);
        let place = Place::file(name);
        refuse_weak(suite, global, &place)?;
        let mut ids = Vec::new();
        match &self.into {
            Some(keyring) => {
                let loaded = files::load(keyring, global.access()?)?;
                let loaded = loaded.of(KeyFile::into_keyring)?;
                ids.push(loaded.id);
                service::check_room(&loaded.file, &request, &place)?;
                service::check_len(&loaded.file, &request, &place)?;
            }
            None => service::check_len(&Keyring::new(), &request, &place)?,
        }
        let public = self.create_public(&ids)?;
        let count = match (scheme.scope, request.pool) {
            (Scope::Shop, _) | (_, Pool::Derived) => 1,
            (Scope::Transaction, Pool::Listed) => request.orders,
        };
        let progress = ui::Progress::count(global, count);
        let keys = service::make_keys(&request, source, workers, &|| progress.tick(), &place)?;
        let made = match request.pool {
            Pool::Listed => ui::counted(count, "key"),
            Pool::Derived => format!("a tree of {}", ui::counted(request.orders, "key")),
        };
        progress.finish(&format!("made {made} in {:.1} s", progress.elapsed().as_secs_f64()));
        let public = match &self.into {
            Some(keyring) => {
                let halves = files::update(keyring, global.access()?, |file| {
                    let file = file.keyring_mut(&place)?;
                    service::add_keys(file, &request, keys, source, &place)?;
                    self.halves(file, &request.shop, &place)
                })?;
                public.zip(halves)
            }
            None => {
                let mut file = Keyring::new();
                service::add_keys(&mut file, &request, keys, source, &place)?;
                let halves = self.halves(&file, &request.shop, &place)?;
                self.write(&file, protection)?;
                public.zip(halves)
            }
        };
        let written = public.map_or(Ok(()), |(output, halves)| write_public(output, &halves));
        let reported = written.and_then(|()| {
            self.report(global, request.orders_made(), Some((&request.shop, suite)))
        });
        reported.map_err(|source| match &self.into {
            Some(keyring) => {
                let what = format!("{made} added to {}", ui::shown(keyring));
                Error::Changed { what, source: Box::new(source) }
            }
            None => source,
        })
    }

    fn scheme(&self) -> Result<Scheme> {
        if let Some(scheme) = self.embodiment {
            return Ok(scheme);
        }
        match (self.content, self.scope, self.kind) {
            (Some(content), Some(scope), Some(kind)) => Ok(Scheme::new(content, scope, kind)),
            _ => Err(usage(
                "say what to make: --embodiment 1 to 6, or --content, --scope and --kind, or --alg"
                    .to_owned(),
            )),
        }
    }

    /// The public halves, if they are to be written.
    fn halves(&self, file: &Keyring, shop: &Name, place: &Place) -> Result<Option<Keyring>> {
        let halves =
            self.public_out.as_ref().map(|_| service::public_halves(file, Some(shop), place));
        halves.transpose()
    }
}
