//! Nodes as JSON, for the member `orderseal` of a key file.

use serde_json::{Value, json};

use super::{Cover, Leaves, Position, Tree, TreeFault};
use crate::ciphers::{Secret, base64url};
use crate::protocol::jose::json::{Object, text};
use crate::protocol::model::{KeyFileFault, Malformed};

impl Cover {
    /// The nodes as an array of objects with `depth`, `index` and `k`. The text of the keys is not
    /// wiped by itself.
    pub fn to_json(&self) -> Value {
        let node = |(node, key): (Position, &[u8; 32])| {
            let mut value = json!({"depth": node.depth(), "index": node.index()});
            // The macro would make a copy of the text, and leave the other one behind.
            value["k"] = Value::String(base64url::encode_to_string(key));
            value
        };
        self.nodes().map(node).collect()
    }

    /// Reads the nodes of a tree, which must not have leaves other than those `given`.
    ///
    /// # Errors
    /// The fault, with the number of the node.
    pub fn from_json(tree: Tree, given: &Leaves, value: &Value) -> Result<Self, Malformed> {
        let values = value.as_array().ok_or_else(|| Malformed::member("nodes", "an array"))?;
        let mut nodes = Vec::with_capacity(values.len());
        for (number, value) in (1..).zip(values) {
            if is_struck_out(value) {
                continue;
            }
            let node = value.as_object().ok_or(Malformed::Expected("an object"));
            let node = node.and_then(read).map_err(|fault| fault.within(format!("node {number}")));
            nodes.push(node?);
        }
        let nodes = nodes.iter().map(|(node, key)| (*node, &key[..]));
        Self::read(tree, given, nodes)
            .map_err(|fault| KeyFileFault::Nodes(fault.to_string()).into())
    }
}

/// Whether a node was erased by overwriting its key with asterisks. This is done if the disk has no
/// room for a file without it.
fn is_struck_out(node: &Value) -> bool {
    node.get("k").and_then(Value::as_str).is_some_and(|key| key.contains('*'))
}

fn read(node: &Object) -> Result<(Position, Secret), Malformed> {
    let number = |name: &str| {
        let value = node.get(name).ok_or_else(|| Malformed::NoMember(name.to_owned()))?;
        value.as_u64().ok_or_else(|| Malformed::member(name, "a whole number"))
    };
    let (depth, index) = (number("depth")?, number("index")?);
    let missing = TreeFault::NoSuchPosition { depth, index };
    let position = Position::new(depth, index);
    let position = position.ok_or_else(|| KeyFileFault::Nodes(missing.to_string()))?;
    let key = base64url::decode_to_vec(text(node, "k")?.as_bytes());
    Ok((position, key.ok_or(Malformed::Base64("k"))?.into()))
}
