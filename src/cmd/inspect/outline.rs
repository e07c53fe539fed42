//! Output of `inspect`: JSON, or the same data as an indented list.

use std::fmt::Write as _;

use orderseal::protocol::Result;
use serde_json::Value;

use crate::cmd::{Global, ui};

/// Prints JSON, or the same data as an indented list.
pub fn show(global: &Global, value: &Value) -> Result<()> {
    if global.json {
        return ui::print(&ui::json_line(value));
    }
    let mut text = String::new();
    outline(value, 0, &mut text);
    ui::print(&text)
}

fn outline(value: &Value, depth: usize, text: &mut String) {
    let Some(members) = value.as_object() else { return };
    for (name, value) in members {
        let name = ui::escaped(name);
        let indent = "  ".repeat(depth);
        match value {
            Value::Object(_) => {
                let _ = writeln!(text, "{indent}{name}:");
                outline(value, depth + 1, text);
            }
            Value::Array(values) if values.iter().all(Value::is_object) => {
                for value in values {
                    let _ = writeln!(text, "{indent}{name}:");
                    outline(value, depth + 1, text);
                }
            }
            Value::Array(values) => {
                let words: Vec<String> = values.iter().map(plain).collect();
                let _ = writeln!(text, "{indent}{name}: {}", words.join(", "));
            }
            value => {
                let _ = writeln!(text, "{indent}{name}: {}", plain(value));
            }
        }
    }
}

/// Formats a value as text that is safe on a terminal.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => ui::escaped(text),
        value => value.to_string(),
    }
}
