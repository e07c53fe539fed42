//! Cost of a pool of transaction keys: what commands do with files of many ids, from making the keys to
//! opening the last order.

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use serde::Serialize;

use super::clock::process_time;
use super::rounded;
use super::rows::fixtures;
use super::table::digits;
use crate::ciphers::ecdh::Curve;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::model::{Dates, Time};
use crate::protocol::pipeline::Workers;
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::send::{Sender, Unattended};
use crate::protocol::roles::service::{
    self, ClientRequest, Delivered, IdRequest, KeyRequest, Outputs, Pool, ShopForm, Sizes,
};
use crate::protocol::roles::shop::{self, Options};
use crate::protocol::store::files::{
    self, Access, Existing, InUse, Inputs, Known, Output, Privacy,
};
use crate::protocol::store::keyfile::{KeyFile, KeyHolder, Keyring};
use crate::protocol::store::spend::Durable;
use crate::protocol::store::{OpeningFile, OpeningKeys};
use crate::protocol::{Content, Error, Family, Kind, Place, Result, Scheme, Scope, Suite};

/// Parameters of a run.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// The embodiment; one with a key for each transaction.
    pub scheme: Scheme,
    /// The algorithms.
    pub suite: Suite,
    /// The kind of pool.
    pub pool: Pool,
    /// Number of ids. All are handed out to one client, which uses all of them.
    pub ids: u64,
    /// Size of an order in bytes.
    pub size: usize,
    /// Sizes of the keys.
    pub sizes: Sizes,
}

/// What a pool costs.
#[derive(Debug, Serialize)]
pub struct PoolCost {
    embodiment: Option<u8>,
    alg: &'static str,
    /// The curve, if keys are on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<&'static str>,
    pool: &'static str,
    ids: u64,
    size: usize,
    /// Length of the client's bundle in bytes.
    bundle_bytes: u64,
    processor_seconds: Steps,
}

/// Processor time of each step, of the process and of the kernel for it, on all threads.
#[derive(Debug, Serialize)]
struct Steps {
    keygen: f64,
    bundle_shop: f64,
    bundle_client: f64,
    encrypt: f64,
    decrypt: f64,
    /// The first order with a bundle of all ids, and the next one.
    encrypt_one: f64,
    encrypt_next: f64,
}

/// Runs the steps once. The files go into a folder for temporary files and take about four times the
/// length of the orders, and 300 bytes an id of a listed pool.
///
/// # Errors
/// [`Error::Io`].
pub fn measure(setup: Setup, workers: &Workers) -> Result<PoolCost> {
    let Setup { scheme, suite, pool, ids, size, sizes } = setup;
    let (lab, source, shop) = (Lab::new()?, SystemSource::new()?, fixtures::shop());
    let (service, dates) = (None, Dates::default());
    let request = KeyRequest { pool, shop, scheme, suite, orders: ids, sizes, service, dates };
    let keyring = lab.file("service.jwks");
    let (bundle, copy, shop) =
        (lab.file("client.jwks"), lab.file("copy.jwks"), lab.file("shop.jwks"));
    let (orders, one) =
        (lab.orders("orders.ndjson", ids, size)?, lab.orders("one.ndjson", 1, size)?);
    let (sealed, sealed_one, sealed_next) =
        (lab.file("sealed.jwe"), lab.file("one.jwe"), lab.file("next.jwe"));

    let ((), keygen) = timed(|| keyring.make_keys(&request, &source, workers))?;
    let ((), bundle_shop) = timed(|| keyring.bundle_shop(&shop))?;
    let ((), bundle_client) = timed(|| keyring.bundle_client(&request, &source, &bundle))?;
    let bundle_bytes = bundle.copy_to(&copy)?;
    let ((), encrypt_one) = timed(|| copy.encrypt(&one, &sealed_one, &source, workers))?;
    if ids == 1 {
        // Its only id is used.
        bundle.copy_to(&copy)?;
    }
    let ((), encrypt_next) = timed(|| copy.encrypt(&one, &sealed_next, &source, workers))?;
    let ((), encrypt) = timed(|| bundle.encrypt(&orders, &sealed, &source, workers))?;
    let (opened, decrypt) = timed(|| shop.decrypt(&sealed, workers))?;
    assert_eq!(opened, ids, "what was sealed above opens");
    let processor_seconds =
        Steps { keygen, bundle_shop, bundle_client, encrypt, decrypt, encrypt_one, encrypt_next };
    let (embodiment, alg, pool) = (scheme.number(), suite.alg().name(), name(pool));
    let curve = (suite.material() == Family::Curve).then_some(sizes.curve.name());
    Ok(PoolCost { embodiment, alg, curve, pool, ids, size, bundle_bytes, processor_seconds })
}

/// The result of a step, and the processor time that it took in seconds.
fn timed<T>(step: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let start = process_time();
    let result = step()?;
    Ok((result, rounded((process_time() - start).as_secs_f64())))
}

/// A folder for the files of one run, which is removed with them.
struct Lab(PathBuf);

impl Lab {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("orderseal-bench-{}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|error| {
            Error::io(Place::file(folder.display().to_string()), "cannot create", error)
        })?;
        Ok(Self(folder))
    }

    fn file(&self, name: &str) -> LabFile {
        let path = self.0.join(name);
        LabFile { place: Place::file(path.display().to_string()), path }
    }

    /// A file with orders.
    fn orders(&self, name: &str, count: u64, size: usize) -> Result<LabFile> {
        let file = self.file(name);
        let some = fixtures::orders(count.min(1000) as usize, size);
        let write = || {
            let mut out = BufWriter::new(File::create(&file.path)?);
            for order in some.iter().cycle().take(count as usize) {
                out.write_all(order)?;
                out.write_all(b"\n")?;
            }
            out.flush()
        };
        write().map_err(|error| Error::io(&file.place, "cannot write", error))?;
        Ok(file)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Its keys have sealed nothing but bytes that mean nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file of a run.
struct LabFile {
    path: PathBuf,
    place: Place,
}

impl LabFile {
    fn write(&self, file: &dyn KeyHolder) -> Result<()> {
        let mut output = self.create()?;
        output.write_text(&file.text(&self.place)?)?;
        output.commit()
    }

    fn create(&self) -> Result<Output> {
        Output::create(Some(&self.path), Existing::Keep, Privacy::Owner, &[])
    }

    /// Copies the file, and returns its length.
    fn copy_to(&self, other: &Self) -> Result<u64> {
        fs::copy(&self.path, &other.path)
            .map_err(|error| Error::io(&self.place, "cannot copy", error))
    }

    fn make_keys(
        &self,
        request: &KeyRequest,
        source: &SystemSource,
        workers: &Workers,
    ) -> Result<()> {
        let mut keyring = Keyring::new();
        let keys = service::make_keys(request, source, workers, &|| {}, &self.place)?;
        service::add_keys(&mut keyring, request, keys, source, &self.place)?;
        self.write(&keyring)
    }

    fn bundle_shop(&self, shop: &Self) -> Result<()> {
        let keyring = files::load(&self.path, &Access::default())?.of(KeyFile::into_keyring)?.file;
        shop.write(&service::bundle_shop(&keyring, None, ShopForm::Program, &self.place)?)
    }

    fn bundle_client(
        &self,
        request: &KeyRequest,
        source: &SystemSource,
        bundle: &Self,
    ) -> Result<()> {
        let keyring =
            InLab { file: self, known: files::load(&self.path, &Access::default())?.known };
        let wanted = ClientRequest::new(
            request.shop.clone(),
            IdRequest::Pool(request.orders),
            Time::UNIX_EPOCH,
        );
        let none_on_demand = |_: &KeyRequest| Ok(Vec::new());
        let outputs = Outputs { client: bundle.create()?, shop: None };
        let form = |_: &_| Ok(Delivered::Bundle);
        service::deliver(&keyring, &wanted, source, none_on_demand, form, outputs, &self.place)?;
        Ok(())
    }

    fn encrypt(
        &self,
        orders: &Self,
        sealed: &Self,
        source: &impl KeySource,
        workers: &Workers,
    ) -> Result<()> {
        let loaded = files::load_to_seal(&self.path, &Access::default())?;
        let mut plan =
            Plan::of_client(loaded.file.client(&self.place)?, Time::UNIX_EPOCH, &self.place)?;
        let paths = std::slice::from_ref(&orders.path);
        if let Some(expected) = Inputs::measure(paths)? {
            plan.set_expected(expected);
        }
        let inputs = Inputs::open(paths)?;
        let mut output = sealed.create()?;
        let mut file = InUse::join(&self.path, loaded.known, &Access::default())?;
        let sender =
            Sender { file: &mut file, place: &self.place, erases: false, attendant: &Unattended };
        sender.run(&mut output, |bundle, sink| {
            plan.seal(workers, inputs, source, bundle, sink, |_| {})
        })?;
        Ok(())
    }

    /// Opens sealed orders, and returns their number.
    fn decrypt(&self, sealed: &Self, workers: &Workers) -> Result<u64> {
        let mut keys = OpeningKeys::new(false);
        let bundle = files::load(&self.path, &Access::default())?.of(KeyFile::into_shop)?.file;
        keys.add(OpeningFile::Shop(bundle.into()), &self.place)?;
        let inputs = Inputs::open(std::slice::from_ref(&sealed.path))?;
        let options = Options::default();
        let opened = shop::open(workers, inputs, &keys, options, |_, _| Ok(()), |_| Ok(()))?;
        Ok(opened.totals.orders)
    }
}

/// The keyring, as a service changes it.
struct InLab<'f> {
    file: &'f LabFile,
    known: Known,
}

impl Durable<Keyring> for InLab<'_> {
    fn update<T>(&self, change: impl FnOnce(&mut Keyring) -> Result<T>) -> Result<T> {
        let LabFile { path, place } = self.file;
        let change = |file: &mut KeyFile| change(file.keyring_mut(place)?);
        files::update_known(path, &mut self.known.clone(), &Access::default(), change)
    }
}

/// The algorithms with which these pools of a scheme are measured: the usual ones, or keys on a curve if
/// one is named or a pool of public keys is derived. `None` if the scheme has no such pool.
pub fn suite(scheme: Scheme, pools: &[Pool], curve: Option<Curve>) -> Option<Suite> {
    let (usual, on_curve) = (fixtures::usual_suite(scheme), pools.contains(&Pool::Derived));
    match (scheme.scope, scheme.content, scheme.kind) {
        (Scope::Shop, _, _) => None,
        (Scope::Transaction, _, Kind::Secret) => curve.is_none().then_some(usual),
        (Scope::Transaction, Content::Hybrid, Kind::Public) => match on_curve || curve.is_some() {
            true => Some(fixtures::suite("ECDH-ES+A256KW", "A256GCM")),
            false => Some(usual),
        },
        (Scope::Transaction, Content::Direct, Kind::Public) => {
            (!on_curve && curve.is_none()).then_some(usual)
        }
    }
}

/// The name of a kind of pool.
pub fn name(pool: Pool) -> &'static str {
    match pool {
        Pool::Listed => "listed",
        Pool::Derived => "derived",
    }
}

/// The costs as a table for users.
pub struct PoolCosts<'a>(pub &'a [PoolCost]);

impl fmt::Display for PoolCosts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else { return Ok(()) };
        let number =
            first.embodiment.map_or(String::new(), |number| format!("embodiment {number}, "));
        let curve = first.curve.map_or(String::new(), |curve| format!(" on {curve}"));
        let (alg, size) = (first.alg, first.size);
        writeln!(f, "\n{number}{alg}{curve}, orders of {size} B, processor seconds\n")?;
        write!(f, "{:8}  {:>10}", "pool", "ids")?;
        for step in ["keygen", "shop", "client", "encrypt", "decrypt", "first", "next", "bundle"] {
            write!(f, "  {step:>9}")?;
        }
        writeln!(f)?;
        for cost in self.0 {
            write!(f, "{:8}  {:>10}", cost.pool, cost.ids)?;
            let Steps { keygen, bundle_shop, bundle_client, encrypt, decrypt, .. } =
                cost.processor_seconds;
            let Steps { encrypt_one, encrypt_next, .. } = cost.processor_seconds;
            let ones = [encrypt_one, encrypt_next];
            for step in
                [keygen, bundle_shop, bundle_client, encrypt, decrypt].into_iter().chain(ones)
            {
                write!(f, "  {:>9}", digits(step))?;
            }
            writeln!(f, "  {:>6} kB", digits(cost.bundle_bytes as f64 / 1e3))?;
        }
        f.write_str(
            "\nshop, client: making their bundles; first, next: encrypting one order with a bundle of all ids\n",
        )
    }
}
