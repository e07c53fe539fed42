//! Events of a simulation, with the step numbers of the system's description (JP 10-320478).

use std::fmt;

use crate::protocol::model::{Content, Kind, Scheme, Scope};

/// Party that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// The security service (C12).
    Service,
    /// A shop (S11), by name.
    Shop(String),
    /// A client (10), by number.
    Client(usize),
    /// A client whose user was admitted, by number.
    User(usize),
}

/// Event: a message if it has bytes, otherwise an action of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Step number in the description, if it has one.
    pub step: Option<&'static str>,
    /// Party that sends or acts.
    pub from: Party,
    /// Party that receives; the same one for an action.
    pub to: Party,
    /// Description of the event.
    pub what: String,
    /// The message.
    pub bytes: Option<Vec<u8>>,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Shop(name) => f.write_str(name),
            Self::Client(number) => write!(f, "client-{number}"),
            Self::User(number) => write!(f, "user-{number}"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4}  {}", self.step.unwrap_or("-"), self.from)?;
        if self.from != self.to {
            write!(f, " → {}", self.to)?;
        }
        write!(f, ": {}", self.what)?;
        match &self.bytes {
            Some(bytes) => write!(f, " ({} bytes)", bytes.len()),
            None => Ok(()),
        }
    }
}

/// Step numbers that differ between the embodiments.
pub(super) struct Steps {
    pub(super) deliver_to_shop: &'static str,
    pub(super) deliver_to_client: &'static str,
    pub(super) generate: Option<&'static str>,
    pub(super) seal: &'static str,
    pub(super) wrap: Option<&'static str>,
    pub(super) send: &'static str,
    pub(super) unwrap: Option<&'static str>,
    pub(super) open: &'static str,
}

/// Step numbers of a scheme; public schemes at shop scope use those of the secret ones.
pub(super) const fn steps(scheme: Scheme) -> Steps {
    match (scheme.content, scheme.scope, scheme.kind) {
        (Content::Direct, Scope::Shop, _) => direct("101", "106", "107", "108", "109"),
        (Content::Hybrid, Scope::Shop, _) => {
            hybrid("110", "111", Some("112"), ["113", "114", "115", "116", "117"])
        }
        (Content::Direct, Scope::Transaction, Kind::Secret) => {
            direct("121", "122", "123", "124", "125")
        }
        (Content::Hybrid, Scope::Transaction, Kind::Secret) => {
            hybrid("130", "131", Some("112"), ["113", "132", "133", "134", "135"])
        }
        (Content::Direct, Scope::Transaction, Kind::Public) => {
            direct("141", "142", "143", "144", "145")
        }
        (Content::Hybrid, Scope::Transaction, Kind::Public) => {
            hybrid("151", "152", None, ["153", "154", "155", "156", "157"])
        }
    }
}

const fn direct(
    deliver_to_shop: &'static str,
    deliver_to_client: &'static str,
    seal: &'static str,
    send: &'static str,
    open: &'static str,
) -> Steps {
    Steps {
        deliver_to_shop,
        deliver_to_client,
        generate: None,
        seal,
        wrap: None,
        send,
        unwrap: None,
        open,
    }
}

const fn hybrid(
    deliver_to_shop: &'static str,
    deliver_to_client: &'static str,
    generate: Option<&'static str>,
    [seal, wrap, send, unwrap, open]: [&'static str; 5],
) -> Steps {
    Steps {
        deliver_to_shop,
        deliver_to_client,
        generate,
        seal,
        wrap: Some(wrap),
        send,
        unwrap: Some(unwrap),
        open,
    }
}

/// Draws events as a sequence diagram in Mermaid's language.
pub fn mermaid<'e>(events: impl Iterator<Item = &'e Event>) -> String {
    let mut diagram = "sequenceDiagram\n".to_owned();
    for event in events {
        let step = event.step.map_or(String::new(), |step| format!("({step}) "));
        let arrow = if event.bytes.is_some() { "->>" } else { "-->>" };
        let (from, to) = (mermaid_name(&event.from), mermaid_name(&event.to));
        let what = event.what.replace(';', ",");
        diagram.push_str(&format!("    {from}{arrow}{to}: {step}{what}\n"));
    }
    diagram
}

/// Name of a party without dashes, which are part of Mermaid's arrows.
fn mermaid_name(party: &Party) -> String {
    party.to_string().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_secret_form_has_the_documented_steps() {
        let steps = steps(Scheme::embodiment(4).unwrap());
        assert_eq!(
            [steps.deliver_to_shop, steps.deliver_to_client, steps.seal, steps.send, steps.open],
            ["130", "131", "113", "133", "135"]
        );
        assert_eq!(
            [steps.generate, steps.wrap, steps.unwrap],
            [Some("112"), Some("132"), Some("134")]
        );
    }
}
