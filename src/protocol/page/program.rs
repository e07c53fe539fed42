//! Programs as they travel over a network: a client's bundle and its tickets, signed by the service in
//! answer to a request.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::ciphers::{Secret, Wiped, base64url};
use crate::protocol::jose::jws::{JwsFault, SigningKey, VerifyingKey};
use crate::protocol::jose::ticket::{Ids, MOST_IDS, Ticket, TicketKeys};
use crate::protocol::model::{Error, Kid, Malformed, Name, Place, Result, Time};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder};

/// The type of a signed program.
const TYP: &str = "orderseal-program";

/// Longest signed program that is read, in bytes.
pub const MAX_PROGRAM: u64 = 64 << 20;

/// A program with its keys, and the tickets for sending orders.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The client's bundle.
    pub bundle: ClientBundle,
    /// Tickets for the bundle's keys in their order, [`MOST_IDS`] keys each; one if the key may be used
    /// again.
    pub tickets: Vec<String>,
}

impl Program {
    /// Makes the tickets of a bundle, all of whose keys are listed.
    pub fn new(bundle: &ClientBundle, expires: Time, key: &SigningKey) -> Self {
        let bundle = bundle.with_listed_keys();
        let kids: Vec<&Kid> = bundle.keys.names().collect();
        let ticket = |keys| Ticket { shop: bundle.name.clone(), keys, expires }.sign(key);
        let tickets = match kids.first() {
            Some(kid) if bundle.shop.is_reusable(kid) => vec![ticket(TicketKeys::Again(kid.id()))],
            Some(_) | None => {
                let ids = |kids: &[&Kid]| {
                    let names: Vec<Name> = kids.iter().filter_map(|kid| kid.id()).collect();
                    ticket(TicketKeys::Once(Ids::of(&names)))
                };
                kids.chunks(MOST_IDS).map(ids).collect()
            }
        };
        Self { bundle, tickets }
    }

    /// Signs it as the answer to a request, of which `request` are the bytes.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`].
    pub fn sign(&self, request: &[u8], now: Time, key: &SigningKey) -> Result<Secret> {
        let bundle = self.bundle.to_bytes(&Place::file("the client's bundle"))?;
        let rest = json!({
            "request": hash(request),
            "time": now.to_string(),
            "tickets": self.tickets,
        });
        let rest = rest.to_string();
        let mut payload = Wiped::with_capacity(bundle.len() + rest.len() + 16);
        payload.extend_from_slice(br#"{"bundle":"#);
        payload.extend_from_slice(&bundle);
        payload.extend_from_slice(b",");
        payload.extend_from_slice(&rest.as_bytes()[1..]);
        Ok(key.sign(TYP, &payload).into_bytes().into())
    }

    /// Reads a program that a service signed in answer to a request, of which `request` are the bytes.
    ///
    /// # Errors
    /// [`ProgramFault`].
    pub fn verify(
        token: &str,
        shop: &Name,
        request: &[u8],
        key: &VerifyingKey,
        place: &Place,
    ) -> Result<Self, ProgramFault> {
        #[derive(Deserialize)]
        struct Payload<'t> {
            request: String,
            #[serde(borrow)]
            bundle: &'t RawValue,
            tickets: Vec<String>,
        }
        let payload = Wiped::from(key.verify(TYP, token)?);
        let payload: Payload<'_> = serde_json::from_slice(&payload)
            .map_err(|_| Malformed::Expected("an object with request, bundle and tickets"))?;
        if payload.request != hash(request) {
            return Err(ProgramFault::OtherRequest);
        }
        let file = KeyFile::parse(payload.bundle.get().as_bytes(), place).map_err(Box::new)?;
        let bundle = file.into_client(place).map_err(Box::new)?;
        match bundle.name.name() == *shop {
            true => Ok(Self { bundle, tickets: payload.tickets }),
            false => Err(ProgramFault::OtherShop(bundle.name.name())),
        }
    }
}

/// The hash of a request.
fn hash(request: &[u8]) -> String {
    base64url::encode_to_string(&Sha256::digest(request))
}

/// Why a signed program was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProgramFault {
    /// The signature.
    #[error(transparent)]
    Signature(#[from] JwsFault),
    /// What was signed.
    #[error(transparent)]
    Content(#[from] Malformed),
    /// An answer to another request.
    #[error("it answers another request")]
    OtherRequest,
    /// A program for another shop.
    #[error("it is for shop {0}")]
    OtherShop(Name),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] Box<Error>),
}
