//! `--trace`: what happens, message by message.

use clap::ValueEnum;
use orderseal::protocol::Result;
use orderseal::protocol::simulate::{self, Case, Event};
use serde_json::json;

use crate::cmd::ui;

/// Forms of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trace {
    /// One message per line
    Text,
    /// One JSON object per line
    Json,
    /// A Mermaid sequence diagram
    Mermaid,
}

/// An event of a play.
pub struct Traced {
    play: Option<String>,
    embodiment: String,
    event: Event,
}

impl Traced {
    /// An event of a case.
    pub fn new(play: Option<&str>, case: &Case, event: &Event) -> Self {
        let (play, embodiment) = (play.map(str::to_owned), case.label.clone());
        Self { play, embodiment, event: event.clone() }
    }
}

impl Trace {
    /// The form that was asked for, or the one that fits other reports.
    pub fn chosen(form: Option<Self>, json: bool) -> Self {
        form.unwrap_or(if json { Self::Json } else { Self::Text })
    }

    /// Prints events.
    pub fn print(self, traced: &[Traced]) -> Result<()> {
        match self {
            Self::Mermaid => {
                ui::print(&simulate::mermaid(traced.iter().map(|traced| &traced.event)))
            }
            Self::Json => ui::print(&traced.iter().map(json_line).collect::<String>()),
            Self::Text => ui::print(&traced.iter().map(text_line).collect::<String>()),
        }
    }
}

fn json_line(Traced { play, embodiment, event }: &Traced) -> String {
    let mut value = json!({
        "embodiment": embodiment,
        "step": event.step,
        "from": event.from.to_string(),
        "to": event.to.to_string(),
        "what": event.what,
        "bytes": event.bytes.as_ref().map(Vec::len),
    });
    if let Some(play) = play {
        value["play"] = json!(play);
    }
    format!("{value}\n")
}

fn text_line(Traced { play, embodiment, event }: &Traced) -> String {
    match play {
        Some(play) => format!("{play}: {embodiment} {event}\n"),
        None => format!("{embodiment:>3} {event}\n"),
    }
}
