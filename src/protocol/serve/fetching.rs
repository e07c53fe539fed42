//! The thread that answers shops which fetch their keys: it reads the keyring, and changes nothing.

use std::path::PathBuf;
use std::thread::JoinHandle;

use super::problem::{Fault, Problem};
use super::worker::{Job, Worker};
use crate::ciphers::Secret;
use crate::protocol::jose::ticket::ShopToken;
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::pipeline::Stop;
use crate::protocol::roles::service::{WantedKeys, listed_keys};
use crate::protocol::store::files::{self, Access, States};
use crate::protocol::store::keyfile::{KeyFile, KeyHolder, Keyring};

/// Most requests that are answered at once.
const GROUP: usize = 16;

/// Most keys in an answer.
pub const MOST_KEYS: usize = 1000;

/// What a shop asks for.
pub struct Wanted {
    /// Its token, which the service signed.
    pub token: ShopToken,
    /// The keys.
    pub keys: WantedKeys,
}

/// What a shop gets: a bundle with these keys.
pub type Found = std::result::Result<Secret, Problem>;

/// The way to the thread.
pub type Fetching = Worker<Wanted, Found>;

/// Starts the thread. It calls `failed` with the errors of reading the keyring.
///
/// # Errors
/// [`Error::Io`].
pub fn start(
    path: PathBuf,
    access: Access,
    stop: Stop,
    failed: impl Fn(&Error) + Send + 'static,
) -> Result<(Fetching, JoinHandle<()>)> {
    let place = Place::file("the keys of the shop");
    let mut held = None::<(States, Keyring)>;
    Worker::start("fetching", GROUP, stop, move |jobs: Vec<Job<Wanted, Found>>| {
        let state = States::of([path.as_path()]);
        if held.as_ref().is_none_or(|(known, _)| *known != state) {
            let keyring = files::load(&path, &access)
                .and_then(|loaded| loaded.of(KeyFile::into_keyring))
                .inspect_err(&failed);
            held = keyring.ok().map(|keyring| (state, keyring.file));
        }
        for Job { job: wanted, reply } in jobs {
            let found = match &held {
                Some((_, keyring)) => find(keyring, &wanted, &place),
                None => Err(Fault::Unavailable.plain()),
            };
            // Nobody waits for it if the shop has gone.
            let _ = reply.send(found);
        }
    })
}

fn find(keyring: &Keyring, wanted: &Wanted, place: &Place) -> Found {
    let Wanted { token, keys } = wanted;
    let own = keyring.fetch_tokens.get(&token.shop);
    if own.is_none_or(|own| own.to_string() != token.number) {
        return Err(Fault::BadToken.because("another one was made since"));
    }
    let bundle = listed_keys(keyring, &token.shop, keys, MOST_KEYS, place)
        .map_err(|_| Fault::UnknownShop.plain())?;
    if bundle.generations.values().any(|own| own.shop.suite.enc().takes_pad()) {
        return Err(Fault::Unavailable.because("keys of this cipher are not handed out here"));
    }
    bundle.to_bytes(place).map_err(|_| Fault::Unavailable.plain())
}
