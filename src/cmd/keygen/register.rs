//! `keygen --rng lfsr`: keys from a shift register over a primitive trinomial.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use orderseal::ciphers::lfsr::{Generator, Trinomial};
use orderseal::ciphers::random::RegisterSource;
use orderseal::protocol::store::files;
use orderseal::protocol::{Error, KeyError, Place, Result};

use crate::cmd::arguments::TEACHING;
use crate::cmd::hints::usage;
use crate::cmd::{Global, ui};

/// Degree of the smallest register for RSA and knapsack keys: a shorter sequence may contain no
/// prime of the required size.
const MIN_PAIR_DEGREE: u32 = 31;

/// Longest seed file in bytes.
const MAX_SEED: u64 = 64 << 10;

/// Options of the source of key material.
#[derive(Debug, Args)]
pub struct Register {
    /// Source of key material
    #[arg(long, value_name = "SOURCE", default_value = "system", value_enum,
          requires_if("lfsr", "trinomial"), requires_if("lfsr", "seed_file"),
          help_heading = TEACHING)]
    rng: Rng,
    /// Exponents of the register's polynomial x^P + x^Q + 1, which must be primitive
    #[arg(long, value_name = "P,Q", value_parser = exponents, help_heading = TEACHING)]
    trinomial: Option<(u32, u32)>,
    /// File with the register's seed: P bits, the lowest bit of the first byte first
    #[arg(long, value_name = "FILE", help_heading = TEACHING)]
    seed_file: Option<PathBuf>,
    /// Encrypt the register's output
    #[arg(long, help_heading = TEACHING)]
    whiten: bool,
}

/// Sources of key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rng {
    /// The operating system
    System,
    /// A linear feedback shift register (weak)
    Lfsr,
}

impl Register {
    /// Returns the register to make keys from, if requested.
    pub fn source(&self, global: &Global) -> Result<Option<RegisterSource>> {
        let (Some((degree, tap)), Some(path), Rng::Lfsr) =
            (self.trinomial, &self.seed_file, self.rng)
        else {
            if self.trinomial.is_some() || self.seed_file.is_some() || self.whiten {
                let found = "--trinomial, --seed-file and --whiten are for --rng lfsr";
                return Err(usage(found.to_owned()));
            }
            return Ok(None);
        };
        let trinomial =
            Trinomial::new(degree, tap).map_err(|error| usage(format!("--trinomial: {error}")))?;
        if !global.allow_weak {
            let error = KeyError::Weak("a shift register");
            return Err(Error::key(&Place::file("keygen"), error));
        }
        let seed = files::read_small(path, MAX_SEED)?;
        let register = Generator::new(trinomial, &seed, self.whiten)
            .map_err(|error| Error::malformed(&Place::file(ui::shown(path)), error))?;
        let warning = match self.whiten {
            false => format!("{} bits of a register's output reveal all of it", 2 * degree),
            true => format!("whoever tries 2^{degree} - 1 seeds finds all keys of a register"),
        };
        ui::warn(global, &format!("{warning}: these keys are marked, and keep no secret"));
        Ok(Some(RegisterSource::new(register)?))
    }

    /// Rejects a register that is too short for key pairs.
    pub fn refuse_short(&self) -> Result<()> {
        match self.trinomial {
            Some((degree, _)) if degree < MIN_PAIR_DEGREE => Err(usage(format!(
                "a register of degree {degree} repeats too soon for a key pair: take one of degree \
                 {MIN_PAIR_DEGREE} at least"
            ))),
            _ => Ok(()),
        }
    }
}

fn exponents(text: &str) -> std::result::Result<(u32, u32), String> {
    let parse = |text: &str| text.trim().parse().ok();
    text.split_once(',')
        .and_then(|(p, q)| Some((parse(p)?, parse(q)?)))
        .ok_or_else(|| "expected two numbers P,Q as in 127,63".to_owned())
}
