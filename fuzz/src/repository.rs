//! Seeds from the repository's tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A vector of the test kit; `testkit/README.md` describes the fields.
pub struct Vector {
    /// The name of its file.
    pub name: String,
    fields: BTreeMap<String, String>,
    /// The bytes as they arrive.
    pub body: Vec<u8>,
}

impl Vector {
    /// A field of the header; empty if it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// A path below the root of the repository.
pub fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The test kit.
pub fn vectors() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for (name, bytes) in files("testkit/vectors") {
        let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(0);
        let header = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let fields = header.lines().filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        vectors.push(Vector { name, fields, body: bytes[(end + 2).min(bytes.len())..].to_vec() });
    }
    vectors
}

/// The files of a folder, by name, and of the folders in it.
pub fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut paths = Vec::new();
    let mut folders = vec![path(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the repository has the folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => paths.push(path),
            }
        }
    }
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths
        .iter()
        .map(|path| (name(path), std::fs::read(path).expect("a file can be read")))
        .collect()
}

/// The texts under some names in a file with a JSON object on each line.
pub fn texts(file: &str, names: &[&str]) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(path(file)).expect("the repository has the file");
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    };
    lines
        .flat_map(|line| names.iter().filter_map(|name| text(&line[*name])).collect::<Vec<_>>())
        .collect()
}
