//! What a simulation plays: options of `simulate`, and members of a play in a scenario.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use clap::{Args, Command, Id};
use orderseal::ciphers::ecdh::Curve;
use orderseal::protocol::model::Misuse;
use orderseal::protocol::roles::service::{DEFAULT_CURVE, Pool, can_derive};
use orderseal::protocol::simulate::{Case, Setup};
use orderseal::protocol::{Alg, Enc, Erase, Result, Scheme};

use super::expect::{self, Expectation};
use crate::cmd::algorithms;
use crate::cmd::arguments::{Algorithms, Erasing, Layers, MORE, curves, pools, rsa_bits};
use crate::cmd::hints::usage;

/// The seed unless another one is given.
pub const DEFAULT_SEED: u64 = 1;

/// A play.
#[derive(Debug, Args)]
pub struct Play {
    /// Embodiments, `public-shop` or `all`
    ///
    /// `public-shop` has public keys at shop scope, which no embodiment of the founding document has.
    #[arg(short, long, value_name = "N", default_value = "all", value_delimiter = ',',
          value_parser = ["1", "2", "3", "4", "5", "6", "7", "public-shop", "all"])]
    embodiment: Vec<String>,
    /// Shops
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    shops: u16,
    /// Clients, spread evenly over the shops
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    clients: u32,
    /// Users who are admitted and order under their own ids, spread evenly over the shops
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = MORE,
          value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    users: u32,
    /// Orders that each client sends
    #[arg(long, alias = "orders", value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    orders_each: u32,
    #[command(flatten)]
    erasing: Erasing,
    /// Also play the table of faults
    #[arg(long)]
    faults: bool,
    /// Expect another outcome of a fault than the table has; both are named as in the report
    #[arg(long, value_name = "FAULT=OUTCOME", requires = "faults", help_heading = MORE,
          value_parser = expect::parse)]
    expect: Vec<Expectation>,
    /// How the key files have transaction keys
    #[arg(long, value_name = "FORM", default_value = Pool::Listed.name(), help_heading = MORE,
          value_parser = pools())]
    pool: Pool,
    /// Make new ids for each request instead of taking them from a pool
    #[arg(long, conflicts_with = "pool", help_heading = MORE)]
    on_demand: bool,
    #[command(flatten)]
    algorithms: Algorithms,
    /// Bits of an RSA modulus
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = rsa_bits())]
    rsa_bits: usize,
    /// Curve of ECDH-ES keys
    #[arg(long, value_name = "NAME", default_value = DEFAULT_CURVE.name(), value_parser = curves())]
    curve: Curve,
    #[command(flatten)]
    layers: Layers,
}

/// The options of a play.
pub fn options() -> Vec<Id> {
    let command = Play::augment_args(Command::new("play"));
    command.get_arguments().map(|arg| arg.get_id().clone()).collect()
}

impl Play {
    /// The parameters of the simulation.
    pub fn setup(&self, seed: u64) -> Result<Setup> {
        let clients_of_a_shop = self.clients.div_ceil(self.shops.into());
        let orders_at_a_shop = u64::from(clients_of_a_shop) * u64::from(self.orders_each);
        if self.faults && (self.shops < 2 || orders_at_a_shop < 2) {
            return Err(usage("faults take at least 2 shops, and 2 orders at one of them"));
        }
        let cases = self.cases()?;
        if self.users > 0 && !cases.iter().any(Case::has_users) {
            return Err(usage("no embodiment here has ids of users"));
        }
        expect::check(&self.expect, &cases)?;
        Ok(Setup {
            cases,
            shops: self.shops.into(),
            clients: self.clients as usize,
            users: self.users as usize,
            orders: self.orders_each as usize,
            rsa_bits: self.rsa_bits,
            curve: self.curve,
            on_demand: self.on_demand,
            faults: self.faults,
            expected: self.expect.clone(),
            seed,
            clock: since_start,
        })
    }

    fn cases(&self) -> Result<Vec<Case>> {
        let schemes = self.schemes();
        let several = schemes.len() > 1;
        let mut cases = Vec::with_capacity(schemes.len());
        for (label, scheme, erase) in schemes {
            let suite = match several {
                true => algorithms::suite(scheme, self.enc_for(scheme), self.wrap_for(scheme)),
                false => algorithms::suite(scheme, self.algorithms.enc, self.algorithms.wrap),
            }?;
            // With several schemes, a chain and a pool apply only to those that support them.
            let layers = self.layers.layers.filter(|_| !several || suite.takes_chain());
            let layers = layers.unwrap_or(1);
            let pool = if can_derive(scheme, suite) { self.pool } else { Pool::Listed };
            cases.push(Case { label, scheme, suite, layers, pool, erase });
        }
        match cases.iter().any(|case| case.pool == self.pool) {
            true => Ok(cases),
            false => {
                let (shop, Case { scheme, suite, .. }) = ("shop-0".parse(), cases[0].clone());
                let shop = shop.expect("a name by its form");
                Err(Misuse::NoTree { shop, scheme, suite }.into())
            }
        }
    }

    /// The schemes with their labels, and what their clients erase.
    fn schemes(&self) -> Vec<(String, Scheme, Option<Erase>)> {
        let wants = |name: &str| self.embodiment.iter().any(|it| it == name || it == "all");
        let everywhere = self.erasing.erase;
        let numbered = (1..=6).zip(Scheme::ALL);
        let numbered = numbered.map(|(number, scheme)| (number.to_string(), scheme, everywhere));
        // Embodiment 7 adds erasing to any of the others; on its own it runs as the fourth.
        let seventh = ("7".to_owned(), Scheme::HYBRID_TRANSACTION_SECRET, Some(Erase::All));
        let public_shop = Scheme::ALL[6..].iter().filter(|_| wants("public-shop"));
        let public_shop = public_shop.map(|scheme| (scheme.to_string(), *scheme, everywhere));
        let numbered = numbered.chain([seventh]).filter(|(number, ..)| wants(number));
        numbered.chain(public_shop).collect()
    }

    /// With several schemes, an algorithm applies only to those that support it.
    fn enc_for(&self, scheme: Scheme) -> Option<Enc> {
        self.algorithms.enc.filter(|enc| algorithms::suite(scheme, Some(*enc), None).is_ok())
    }

    fn wrap_for(&self, scheme: Scheme) -> Option<Alg> {
        self.algorithms.wrap.filter(|wrap| algorithms::suite(scheme, None, Some(*wrap)).is_ok())
    }
}

/// The clock of a simulation.
fn since_start() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
