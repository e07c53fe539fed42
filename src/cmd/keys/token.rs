//! `keys token`: what a user or a shop shows to the service's server.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::jose::ticket::{ShopToken, UserToken};
use orderseal::protocol::model::{Kid, Time};
use orderseal::protocol::store::files::{self, Privacy};
use orderseal::protocol::store::keyfile::{KeyFile, Standing};
use orderseal::protocol::{Error, KeyError, Name, Result};

use super::ShopName;
use crate::cmd::Global;
use crate::cmd::arguments::OutputFile;
use crate::cmd::dates::now;
use crate::cmd::hints::usage;

/// For how many seconds a token is good, if nothing else is said: 90 days.
const SECONDS: i64 = 90 * 24 * 3600;

/// Write a token, against which a server hands out keys
///
/// With --user, for a user: `orderseal send --user NAME --token-file FILE` shows it to the service's server.
/// Whoever has it gets the user's key until it expires. Revoking the user ends it, too.
///
/// With --fetch, for the shop: `keys fetch` and `decrypt --follow` show it. Whoever has it gets the listed
/// keys of the shop, and opens its orders. Another token for the shop ends it.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("holder").args(["user", "fetch"]).required(true)),
    override_usage = "orderseal keys token [OPTIONS] --user <NAME>|--fetch <KEYRING>",
    after_long_help = "\
Examples:
  orderseal keys token --shop tokyo --user alice service.jwks -o alice.token
  orderseal keys token --user alice --expires 2027-01-31 service.jwks \\
    -o january.token
  orderseal keys token --shop tokyo --fetch service.jwks -o tokyo.token"
)]
pub struct Token {
    /// The security service's keyring
    #[arg(value_name = "KEYRING")]
    keyring: PathBuf,
    /// A user, who was admitted
    #[arg(long, value_name = "NAME")]
    user: Option<Name>,
    /// The shop, which fetches its keys
    #[arg(long)]
    fetch: bool,
    #[command(flatten)]
    shop: ShopName,
    /// Until when the token is good [default: for 90 days]
    #[arg(long, value_name = "TIME")]
    expires: Option<Time>,
    #[command(flatten)]
    to: OutputFile,
}

impl Token {
    pub fn run(&self, global: &Global) -> Result<()> {
        files::check_changeable(&self.keyring)?;
        let access = global.access()?;
        let expires = self.expires.unwrap_or_else(|| now().after(SECONDS));
        if expires <= now() {
            return Err(usage(format!("--expires {expires} is in the past")));
        }
        let mut loaded = files::load(&self.keyring, access)?.of(KeyFile::into_keyring)?;
        let (name, account) = loaded.file.account(self.shop.shop.as_ref(), &loaded.place)?;
        let error = match &self.user {
            Some(user) => {
                let kid = Kid::of_id(name, user);
                match account.shop.standing(&kid) {
                    Some(Standing::Admitted) => None,
                    Some(Standing::Revoked) => Some(KeyError::Revoked(kid)),
                    None => Some(KeyError::NotAdmitted(kid)),
                }
            }
            None if account.own_pairs => Some(KeyError::OwnPairs(name.name())),
            None => None,
        };
        if let Some(error) = error {
            return Err(Error::key(&loaded.place, error));
        }
        let mut output = self.to.create(Privacy::Owner, &[loaded.id])?;
        let (place, shop) = (loaded.place.clone(), name.name());
        let mut random = SystemSource::new()?.stream(0);
        let token = files::update_known(&self.keyring, &mut loaded.known, access, |file| {
            let keyring = file.keyring_mut(&place)?;
            let key = keyring.signing_key(&mut random).clone();
            Ok(match &self.user {
                Some(user) => UserToken { shop, user: user.clone(), expires }.sign(&key),
                None => {
                    let number = keyring.renew_fetch_token(&shop, &mut random).to_string();
                    ShopToken { shop, number, expires }.sign(&key)
                }
            })
        })?;
        output.write(format!("{token}\n").as_bytes())?;
        output.commit()
    }
}
