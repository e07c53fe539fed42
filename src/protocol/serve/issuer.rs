//! The thread that hands out: one change of the keyring for all requests that wait.

use std::path::PathBuf;
use std::thread::JoinHandle;

use super::problem::{Fault, Problem};
use super::worker::{Job, Worker};
use crate::ciphers::random::SystemSource;
use crate::protocol::model::{Error, Family, KeyError, Name, Place, Result};
use crate::protocol::page;
use crate::protocol::pipeline::{Stop, Workers};
use crate::protocol::roles::service::{
    ClientRequest, Delivery, IdRequest, bundle_client, make_keys,
};
use crate::protocol::store::files::{self, Access, Known};
use crate::protocol::store::keyfile::{ClientBundle, Keyring};

/// Most requests that are answered by one change.
const GROUP: usize = 512;

/// Most pairs of RSA that are made for a request: each takes milliseconds, in which nobody else is answered.
const MOST_RSA_PAIRS: u64 = 10;

/// A request, and what the answer is to be.
pub struct Asked {
    /// The request.
    pub request: ClientRequest,
    /// Whether it is to be a page, which not all ciphers have.
    pub page: bool,
}

/// What a client gets.
pub type Issued = std::result::Result<ClientBundle, Problem>;

/// The way to the thread.
pub type Issuer = Worker<Asked, Issued>;

/// The keyring from which a server hands out.
pub struct Handing {
    /// Its path.
    pub path: PathBuf,
    /// Its name for messages.
    pub place: Place,
    /// What opens it.
    pub access: Access,
    /// What is known of it.
    pub known: Known,
    /// Whether keys are handed out that open the orders of all clients.
    pub shared_secret: bool,
    /// Whether keys of weak ciphers are handed out.
    pub weak: bool,
    /// What makes keys that a pool lacks, if they are to be made.
    pub on_demand: Option<Workers>,
}

impl Handing {
    /// Starts the thread. It calls `failed` with the errors of reading and changing the keyring.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn start(
        mut self,
        stop: Stop,
        failed: impl Fn(&Error) + Send + 'static,
    ) -> Result<(Issuer, JoinHandle<()>)> {
        Worker::start("keyring", GROUP, stop, move |mut jobs: Vec<Job<Asked, Issued>>| {
            // No id is used for a client that has gone.
            jobs.retain(|job| !job.reply.is_closed());
            if jobs.is_empty() {
                return;
            }
            let issued = self.issue(jobs.iter().map(|job| &job.job));
            let issued = issued.unwrap_or_else(|error| {
                failed(&error);
                // Whatever has become of the keyring, nothing of it was handed out.
                jobs.iter().map(|_| Err(Fault::Unavailable.plain())).collect()
            });
            for (job, result) in jobs.into_iter().zip(issued) {
                // What was recorded as issued stays so: a part of the answer may leave.
                let _ = job.reply.send(result);
            }
        })
    }

    fn issue<'r>(&mut self, requests: impl Iterator<Item = &'r Asked>) -> Result<Vec<Issued>> {
        let source = SystemSource::new()?;
        let mut known = std::mem::take(&mut self.known);
        let issued = files::update_known(&self.path, &mut known, &self.access, |file| {
            let keyring = file.keyring_mut(&self.place)?;
            Ok(requests.map(|request| self.one(keyring, request, &source)).collect())
        });
        self.known = known;
        issued
    }

    /// Answers a request; one that is refused changes nothing.
    fn one(&self, keyring: &mut Keyring, asked: &Asked, source: &SystemSource) -> Issued {
        let (request, place) = (&asked.request, &self.place);
        let (_, account) =
            keyring.account(Some(&request.shop), place).map_err(|_| Fault::UnknownShop.plain())?;
        let shop = &account.shop;
        if shop.scheme.shares_secret() && !self.shared_secret {
            return Err(Fault::SharedSecret.plain());
        }
        if shop.suite.enc().takes_pad() || (shop.suite.weak().is_some() && !self.weak) {
            return Err(Fault::Unavailable.because("keys of this cipher are not handed out here"));
        }
        // Before an id is used for it.
        if let Some(reason) = page::refusal(shop.suite).filter(|_| asked.page) {
            return Err(Fault::NotAcceptable.because(reason));
        }
        let is_slow = shop.suite.material() == Family::Rsa;
        let none = |_: &_| Ok(Vec::new());
        let made = bundle_client(keyring, request, source, none, place);
        let made = match (made, &self.on_demand, &request.ids) {
            (Err(Error::Key { error, .. }), Some(workers), &IdRequest::Pool(orders))
                if is_empty(&error) =>
            {
                if is_slow && orders > MOST_RSA_PAIRS {
                    let most = format!("at most {MOST_RSA_PAIRS} at once, as they are made first");
                    return Err(Fault::TooMany.because(most));
                }
                let ids = IdRequest::OnDemand(orders);
                let request = ClientRequest { ids, ..request.clone() };
                let make = |making: &_| make_keys(making, source, workers, &|| {}, place);
                bundle_client(keyring, &request, source, make, place)
            }
            (made, _, _) => made,
        };
        match made {
            Ok(Delivery { client, .. }) => Ok(client),
            Err(error) => Err(refusal(&error, &request.shop)),
        }
    }
}

/// Whether there are too few ids in a pool.
fn is_empty(error: &KeyError) -> bool {
    matches!(error, KeyError::PoolEmpty { .. })
}

/// The refusal for an error, in words that say nothing of the service's files.
fn refusal(error: &Error, shop: &Name) -> Problem {
    match error {
        Error::Key { error, .. } => match error {
            KeyError::PoolEmpty { unused, .. } => {
                Fault::PoolEmpty.because(format!("{unused} are left"))
            }
            // Nothing can be made for a shop that makes its pairs itself.
            KeyError::OwnPairs(_) => Fault::PoolEmpty.plain(),
            KeyError::AllAllotted(_) => Fault::PoolEmpty.because("the key may seal no more orders"),
            KeyError::NotAdmitted(_) | KeyError::Revoked(_) | KeyError::Erased(_) => {
                Fault::NotAdmitted.plain()
            }
            KeyError::UnknownShop { .. } => Fault::UnknownShop.plain(),
            KeyError::OutOfDate { .. } | KeyError::NeverValid(_) => Fault::OutOfDate.plain(),
            _ => Fault::Unavailable.plain(),
        },
        Error::Usage(_) => {
            Fault::Request.because(format!("what is asked for does not fit the keys of {shop}"))
        }
        _ => Fault::Unavailable.plain(),
    }
}
