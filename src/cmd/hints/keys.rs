//! Hints for keys, and for the journals and ledgers of their files.

use orderseal::ciphers::content::ContentCipher;
use orderseal::protocol::KeyError;
use orderseal::protocol::model::{
    Encrypted, Family, JournalTrouble, LedgerTrouble, OutOfDate, Pbes2, Protected, Role, Unfit,
    Unimplemented, WrapAlgorithm,
};

/// Returns a hint for a key that cannot do what was asked of it.
pub fn key_hint(error: &KeyError) -> Option<String> {
    let hint = match error {
        KeyError::Unknown { .. } => {
            "is this order for another shop, or made after this bundle? `orderseal bundle shop` \
             makes a new one; --bundle may be given several times"
        }
        KeyError::Unnamed => "give the key alone by --key, or choose one by --kid",
        KeyError::Unimplemented(Unimplemented { name, .. }) if name == "RSA1_5" => {
            "RSA1_5 is not read on purpose: its padding betrays content keys to anyone who can try \
             many lines; ask the sender for RSA-OAEP-256"
        }
        KeyError::Unimplemented(Unimplemented { standard: Some(_), .. }) => {
            let wrap = WrapAlgorithm::ALL.into_iter().filter(|it| !it.is_weak());
            let wrap = wrap.map(WrapAlgorithm::name);
            return Some(format!(
                "supported are alg dir, ECDH-ES, {} with enc {}",
                names(wrap.chain(Pbes2::ALL.map(Pbes2::name))),
                names(
                    ContentCipher::ALL
                        .into_iter()
                        .filter(|it| !it.is_weak())
                        .map(ContentCipher::name)
                ),
            ));
        }
        KeyError::Several(_) => "choose one by --kid",
        KeyError::Alike { .. } => "choose one by --alg",
        KeyError::Uncounted { .. } => "put the key into a file of its own",
        KeyError::NoAlgorithm(_) | KeyError::Unprotected(_) => "name it by --alg",
        KeyError::Unsaid { fitting, .. } if fitting.is_empty() => {
            "no standard algorithm is for keys of this type and size: is the key complete?"
        }
        KeyError::Unsaid { fitting, .. } => {
            let fitting = names(fitting.iter().copied());
            return Some(format!("name it by --alg; for a key of this type and size: {fitting}"));
        }
        KeyError::NoneFor(_) => "leave --alg out: it is for keys that name no algorithm",
        KeyError::Role { found: Role::Client, expected: Role::Shop } => {
            "a client's bundle only encrypts; decrypt with the file from `orderseal bundle shop`"
        }
        KeyError::Role { found: Role::Plain, expected: Role::Client } => {
            "a lone key goes with --key; a client's file comes from `orderseal bundle client`"
        }
        KeyError::Role { expected: Role::Plain, .. } => {
            "a lone key comes from `orderseal keygen --alg`; the file of a client or shop goes with \
             --bundle"
        }
        KeyError::Role { expected: Role::Client, .. } => {
            "make a client's file with `orderseal bundle client`"
        }
        KeyError::Role { found: Role::Plain, expected: Role::Shop } => {
            "a lone key, or one of another tool, goes with --key"
        }
        KeyError::Role { .. } => "the security service's keyring is what `keygen` makes",
        KeyError::Spent { shop, .. } => {
            return Some(format!(
                "get more: orderseal bundle client --keyring SERVICE.jwks --shop {shop} --orders N -o FILE"
            ));
        }
        KeyError::PoolEmpty { shop, wanted, unused } => {
            return Some(format!(
                "make more: orderseal keygen … --shop {shop} --orders {} --into KEYRING; or use \
                 --on-demand",
                wanted - unused
            ));
        }
        KeyError::Budget { .. } => {
            "get another bundle with `orderseal bundle client`; for a lone key, make a new one"
        }
        KeyError::AllAllotted(_) => {
            "take back what bundles have left with `orderseal erase --return-to KEYRING CLIENT.jwks`; \
             or make a key without this limit, for a shop of another name: \
             `orderseal keygen --embodiment 2 --shop NAME --into KEYRING`"
        }
        KeyError::PadShort { .. } => {
            "no byte of pad serves twice: get a new piece with `orderseal bundle client --pad-bytes N`, \
             or make a longer pad with `orderseal keygen --pad-bytes N`"
        }
        KeyError::NotAdmitted(kid) => {
            let (shop, user) = kid.parts();
            let user = user.unwrap_or_default();
            return Some(format!(
                "`orderseal inspect` names the users; to admit this one: orderseal keys admit {user} --shop \
                 {shop} KEYRING"
            ));
        }
        KeyError::Revoked(_) => {
            "a revoked id is not admitted again: choose another one for the user"
        }
        KeyError::OutOfDate { why: OutOfDate::Since(_), .. } => {
            "ask for a new bundle; the service makes new keys with `orderseal keys rotate`"
        }
        KeyError::OutOfDate { why: OutOfDate::Until(_) | OutOfDate::Unknown, .. } => return None,
        KeyError::NeverValid(_) => "`orderseal inspect` shows the dates of the shop's keys",
        KeyError::Weak(_) => "to use it anyway, pass --allow-weak",
        KeyError::Marked { .. } => "such keys are for simulations; --allow-weak accepts them",
        KeyError::Readable(_) => "chmod 600 the file, or pass --allow-readable-keys",
        KeyError::UnknownShop { .. } => "--shop takes one of these",
        KeyError::Unsound(_) => "the key is at fault, not the orders: get it again from its owner",
        KeyError::OwnPairs(_) => {
            "the shop does this with its own keyring, and `bundle service` writes what the service needs"
        }
        KeyError::Missing(_) | KeyError::ErasedNow => "get a new file with `orderseal bundle`",
        KeyError::Ledger(trouble) => ledger_hint(trouble)?,
        KeyError::Journal(trouble) => return Some(journal_hint(trouble)),
        KeyError::OtherAlgorithm { asked, .. } if asked.material() == Family::Password => {
            DERIVED_FROM_PASSWORD
        }
        KeyError::OtherAlgorithm { .. } => {
            "a key serves what its record allows, whatever an order asks for; for a key without alg, \
             --alg names the algorithm"
        }
        KeyError::Encrypted(Encrypted::NoPassword) => {
            "write the password into a file and name it by --key-password-file"
        }
        KeyError::Encrypted(
            Encrypted::Scheme(_) | Encrypted::Rounds { .. } | Encrypted::Scrypt { .. },
        ) => "encrypt it anew, with `openssl pkcs8 -topk8 -in FILE -out NEW`",
        KeyError::Protected(Protected::NoPassphrase) => {
            "name a file with the passphrase by --passphrase-file, or run the command at a terminal"
        }
        KeyError::Protected(Protected::Rounds { .. }) => {
            "give fewer files at a time, or protect them with fewer rounds"
        }
        KeyError::Protected(Protected::NoIdentity) => "name the private key by --identity",
        KeyError::Unfit(Unfit::Password(_)) => DERIVED_FROM_PASSWORD,
        KeyError::Unfit(Unfit::Rounds { .. }) => {
            "whoever seals chooses the rounds; if the orders are worth the time, raise the limit by \
             --password-rounds"
        }
        KeyError::Unfit(Unfit::NotWritten { .. }) => {
            "--format pem and der are for RSA and elliptic curves, hex, base64 and raw for secret keys, \
             jwk for every key"
        }
        KeyError::Unfit(Unfit::WouldErase(_)) => {
            "to erase them here as well, pass --drop-erased; to keep them, --restore"
        }
        KeyError::Unimplemented(Unimplemented { standard: None, .. })
        | KeyError::Unpaired(_)
        | KeyError::OtherUse { .. }
        | KeyError::Exchanged
        | KeyError::Erased(_)
        | KeyError::Conflict(_)
        | KeyError::Unusable(_)
        | KeyError::Encrypted(Encrypted::WrongPassword)
        | KeyError::Protected(Protected::WrongPassphrase | Protected::WrongIdentity)
        | KeyError::Unfit(_) => return None,
    };
    Some(hint.to_owned())
}

/// Returns a hint for a client's bundle and a journal that do not belong together.
fn journal_hint(trouble: &JournalTrouble) -> String {
    match trouble {
        JournalTrouble::Missing(journal) => format!(
            "a bundle of many ids has its journal beside it: move or copy {journal} with it, or get another \
             bundle"
        ),
        JournalTrouble::Other(_) | JournalTrouble::OtherKeys(_) => {
            "restore the journal that belongs to this bundle, or get another bundle".to_owned()
        }
        JournalTrouble::Ahead(journal) => format!(
            "an older copy of the bundle was put back: get another bundle. Remove {journal} only if it \
             belongs to a bundle that is gone"
        ),
        JournalTrouble::NotBeside => "name the file of the bundle instead of a pipe".to_owned(),
    }
}

/// Returns a hint for a bundle and a ledger that do not belong together.
fn ledger_hint(trouble: &LedgerTrouble) -> Option<&'static str> {
    match trouble {
        LedgerTrouble::NotGiven => Some("name it with --ledger; --check needs none"),
        LedgerTrouble::Missing(_) | LedgerTrouble::Other(_) => {
            Some("restore the ledger that belongs to this bundle")
        }
        LedgerTrouble::NotNoted => Some("copy it into a file with mode 0600 and use that"),
        LedgerTrouble::OtherBundle => None,
    }
}

const DERIVED_FROM_PASSWORD: &str = "write the password into a file and name it by --password-file; \
                                     the bytes of a key are never used as a password";

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
