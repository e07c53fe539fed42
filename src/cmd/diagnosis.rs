//! What is reported of each error beside its message: exit code, kind, place and hints. Each error and
//! each fault is named once.

use orderseal::protocol::model::{BatchFault, ExchangeFault, Place};
use orderseal::protocol::{Error, Spent};

use super::hints::{
    Misread, Usage, aftermath_hint, key_hint, malformed_hint, misuse_hint, not_decrypted_hint,
    not_sent_hints, reuse_hint, unexpected_hint,
};
use super::{signals, ui};

/// What is reported of an error beside its message.
pub struct Diagnosis<'e> {
    /// The exit code.
    pub code: u8,
    /// The kind, for `--json`.
    pub kind: &'static str,
    /// The place of the error in the input, if it has one.
    pub place: Option<&'e Place>,
    /// Changes that took effect despite the error, and what to do.
    pub hints: Vec<String>,
}

impl<'e> Diagnosis<'e> {
    fn new(code: u8, kind: &'static str) -> Self {
        Self { code, kind, place: None, hints: Vec::new() }
    }

    fn at(self, place: &'e Place) -> Self {
        Self { place: Some(place), ..self }
    }

    /// Adds hints; none, one or several.
    fn hint<H: Into<String>>(mut self, hints: impl IntoIterator<Item = H>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Inserts hints before the existing ones.
    fn hint_first(mut self, hints: Vec<String>) -> Self {
        self.hints.splice(0..0, hints);
        self
    }

    /// The error came after something had taken effect: exit code 1, and only this hint.
    fn afterwards(self, hint: String) -> Self {
        Self { code: 1, hints: vec![hint], ..self }
    }
}

/// Diagnoses an error.
pub fn diagnose(error: &Error) -> Diagnosis<'_> {
    match error {
        Error::Usage(misuse) => Diagnosis::new(2, "usage").hint(misuse_hint(misuse)),
        Error::Caller(own) => {
            let own = own.downcast_ref::<Usage>();
            Diagnosis::new(2, "usage").hint(own.and_then(|own| own.hint.clone()))
        }
        Error::KeyFileFull { place, .. } => Diagnosis::new(2, "usage")
            .at(place)
            .hint(["make fewer keys or shorter pads, or use another keyring"]),
        Error::Misread { place, found } => {
            let own = found.downcast_ref::<Misread>();
            let hints = own.map_or(&[][..], |own| &own.hints);
            Diagnosis::new(3, "malformed").at(place).hint(hints)
        }
        Error::Malformed { place, found } => {
            Diagnosis::new(3, "malformed").at(place).hint(malformed_hint(found))
        }
        Error::Unexpected { place, found, expected } => {
            Diagnosis::new(3, "malformed").at(place).hint(unexpected_hint(found, *expected))
        }
        Error::Key { place, error } => Diagnosis::new(4, "key").at(place).hint(key_hint(error)),
        Error::Authentication(place) => Diagnosis::new(5, "authentication").at(place),
        Error::NotDecrypted { place, found } => {
            Diagnosis::new(5, "authentication").at(place).hint([not_decrypted_hint(found)])
        }
        Error::Batch { place, fault } => batch(fault).at(place),
        Error::SomeFailed { .. } => Diagnosis::new(6, "some-failed"),
        Error::Reused { place, found } => {
            Diagnosis::new(7, found.kind()).at(place).hint(reuse_hint(found))
        }
        Error::NotHeld { .. } => Diagnosis::new(8, "not-held").hint([
            "the report names what failed; the same command repeats it, --trace shows the messages",
        ]),
        Error::Slower { .. } => Diagnosis::new(9, "slower"),
        Error::Exchange { place, fault, .. } => {
            Diagnosis { place: place.as_ref(), ..exchange(fault) }
        }
        Error::Stopped => Diagnosis::new(signals::exit_code(), "stopped"),
        Error::ClosedPipe { .. } => Diagnosis::new(1, "closed-pipe"),
        Error::Io { .. } | Error::Random(_) | Error::Unpublished { .. } => {
            Diagnosis::new(1, "system")
        }
        Error::Thread(_) => Diagnosis::new(1, "system").hint([
            "--threads 1 needs the fewest threads; the system's limits are those of `ulimit -u` and \
             of the control group",
        ]),
        Error::Spending { spent, bundle, source } => {
            let spent = match spent {
                Spent::Ids(count) => ui::counted(*count, "transaction id"),
                Spent::Ivs(count) => ui::counted(*count, "random IV"),
                Spent::PadBytes(count) => ui::counted(*count, "byte") + " of pad",
            };
            let changed = format!("{spent} of {bundle} stay spent, and nothing was erased");
            diagnose(source).hint_first(vec![changed])
        }
        Error::NotSent { unfinished, source } => {
            diagnose(source).hint_first(not_sent_hints(unfinished))
        }
        Error::Unsettled { bundle, source } => diagnose(source).afterwards(format!(
            "all orders were sealed and sent; what was reserved for more of them in {bundle} stays spent"
        )),
        Error::NotErased { bundle, source } => diagnose(source).afterwards(format!(
            "all orders were sealed and sent; destroy the keys with: orderseal erase {bundle}"
        )),
        Error::Unrecorded { output, source } => diagnose(source).afterwards(format!(
            "all orders were written to {output}; the ledger could not record that, and would let them \
             open again"
        )),
        Error::Undelivered { not_undone, source } => {
            diagnose(source).afterwards(aftermath_hint(not_undone))
        }
        Error::Changed { what, source } => {
            diagnose(source).afterwards(format!("{what} all the same"))
        }
    }
}

/// Diagnoses a fault of a signed batch.
pub fn batch(fault: &BatchFault) -> Diagnosis<'static> {
    let (code, kind, hint) = match fault {
        BatchFault::NoBatch => (5, "batch", "get the batches again from their sender"),
        BatchFault::Unsigned => {
            (5, "batch", "get it signed by its sender; --on-error skip opens what is signed")
        }
        BatchFault::UnknownSender(_) => {
            (5, "batch", "`bundle client --signing-key FILE` wrote the public key of this sender")
        }
        BatchFault::CutOff(_)
        | BatchFault::Order { .. }
        | BatchFault::Count { .. }
        | BatchFault::Mixed(_)
        | BatchFault::TakenOver { .. }
        | BatchFault::OtherManifest
        | BatchFault::Changed
        | BatchFault::Shop(_)
        | BatchFault::Manifest(_) => {
            let hint =
                "get the whole batch again from its sender; --on-error skip opens the others";
            (5, "batch", hint)
        }
        BatchFault::Repeated(_) => (7, "repeat", "--on-error skip opens the others"),
    };
    Diagnosis::new(code, kind).hint([hint])
}

/// Diagnoses a failed exchange with a server.
fn exchange(fault: &ExchangeFault) -> Diagnosis<'static> {
    match fault {
        ExchangeFault::PlainHttp => Diagnosis::new(2, "usage").hint([
            "use https; `send --allow-http` lets everybody on the way read tickets and sizes",
        ]),
        ExchangeFault::Program(_) => Diagnosis::new(5, "authentication")
            .hint(["the service's key in the item page is not that of the service"]),
        ExchangeFault::OtherKey => Diagnosis::new(5, "authentication")
            .hint(["ask the shop, or the service, in another way which key is right"]),
        ExchangeFault::Refused(_) => Diagnosis::new(1, "refused"),
        ExchangeFault::Unreachable(_)
        | ExchangeFault::NoAnswer(_)
        | ExchangeFault::Redirect(_)
        | ExchangeFault::TooLong(_)
        | ExchangeFault::Unexpected { .. }
        | ExchangeFault::TooFew { .. }
        | ExchangeFault::NoTls => Diagnosis::new(1, "server"),
    }
}
