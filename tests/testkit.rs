//! The vectors of testkit/, through the command and through the library.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Lab, complaint, print};
use orderseal::{Client, Error, Shop};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What is expected of a vector, with the exit code; testkit/README.md explains them.
const EXPECTED: [(&str, i32); 5] =
    [("opens", 0), ("malformed", 3), ("key refused", 4), ("not authentic", 5), ("used", 7)];

struct Vector {
    name: String,
    fields: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Vector {
    fn read(path: &Path) -> Self {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let end = memchr::memmem::find(&bytes, b"\n\n").expect("an empty line after the header");
        let head = std::str::from_utf8(&bytes[..end]).expect("the header is text");
        let mut fields = BTreeMap::new();
        for line in head.lines() {
            let (field, value) = line.split_once(": ").unwrap_or_else(|| panic!("{name}: {line}"));
            let before = fields.insert(field.to_owned(), value.to_owned());
            assert_eq!(before, None, "{name}: {field} twice");
        }
        Self { name, fields, body: bytes[end + 2..].to_vec() }
    }

    fn field(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    fn get(&self, field: &str) -> &str {
        self.field(field).unwrap_or_else(|| panic!("{}: no {field}", self.name))
    }

    /// Exit code that the command must have.
    fn exit(&self) -> i32 {
        let expected = EXPECTED.iter().find(|(name, _)| *name == self.get("expect"));
        let (_, code) = expected.unwrap_or_else(|| panic!("{}: unknown expectation", self.name));
        assert_eq!(self.get("exit"), code.to_string(), "{}", self.name);
        *code
    }

    /// Key file, what is sealed, and the client's file.
    fn files(&self) -> (Option<Vec<u8>>, Vec<u8>, Option<Vec<u8>>) {
        match self.get("kind") {
            "line" | "wrapped key" | "batch" | "stream" => {
                (self.field("keys").map(|keys| keys.into()), self.body.clone(), None)
            }
            "key file" => {
                let line = format!("{}\n", self.get("line"));
                (Some(self.body.clone()), line.into(), None)
            }
            "transcript" => {
                let [shop, client, sealed] = self.messages();
                (Some(shop), sealed, Some(client))
            }
            other => panic!("{}: unknown kind {other}", self.name),
        }
    }

    /// What the shop gets, what the client gets, and what the client sends to the shop.
    fn messages(&self) -> [Vec<u8>; 3] {
        let parties = [("service", "shop"), ("service", "client"), ("client", "shop")];
        let messages: Vec<Value> = common::lines(&self.body)
            .map(|line| serde_json::from_slice(line).expect("a message is JSON"))
            .collect();
        assert_eq!(messages.len(), parties.len(), "{}", self.name);
        let mut contents = messages.iter().zip(parties).map(|(message, (from, to))| {
            assert_eq!((&message["from"], &message["to"]), (&from.into(), &to.into()));
            message["content"].as_str().expect("text").as_bytes().to_vec()
        });
        [(); 3].map(|()| contents.next().expect("three messages"))
    }

    /// Whether what was opened is what the vector says.
    fn is_payload(&self, opened: &[u8]) -> bool {
        let one =
            matches!(self.get("kind"), "line" | "wrapped key" | "key file") && !self.is_document();
        let payload = if one { opened.strip_suffix(b"\n").unwrap_or(opened) } else { opened };
        hex::encode(Sha256::digest(payload)) == self.get("payload")
    }

    fn is_document(&self) -> bool {
        self.field("options").is_some_and(|options| options.contains("--document"))
    }
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testkit/vectors");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the vectors are there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| Vector::read(path)).collect()
}

/// Whether a key file has roles; other files are keys of any JOSE software.
fn is_bundle(keys: &[u8]) -> bool {
    serde_json::from_slice::<Value>(keys).is_ok_and(|file| file["orderseal"]["role"].is_string())
}

#[track_caller]
fn none(differences: &[String], of: usize) {
    assert!(
        differences.is_empty(),
        "{} of {of} vectors differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn the_command_does_what_the_vectors_expect() {
    let vectors = vectors();
    let differences: Vec<_> =
        vectors.iter().filter_map(|vector| through_command(vector).err()).collect();
    print(&format!("testkit: {} vectors through the command", vectors.len()));
    none(&differences, vectors.len());
}

fn through_command(vector: &Vector) -> Result<(), String> {
    let lab = Lab::new();
    let (keys, sealed, client) = vector.files();
    lab.write("input", sealed);
    let mut line = "decrypt input -o opened --quiet".to_owned();
    if let Some(keys) = keys {
        line += if is_bundle(&keys) { " --bundle keys" } else { " --key keys" };
        lab.write("keys", keys);
    }
    if let Some(password) = vector.field("password") {
        lab.write("password", password.to_owned() + "\n");
        line += " --password-file password";
    }
    let run = lab.run(&format!("{line} {}", vector.field("options").unwrap_or_default()), b"");
    let wrong = |what: &str| Err(format!("{}: {what}: {}", vector.name, run.stderr.trim_end()));
    if run.code != Some(vector.exit()) {
        return wrong(&format!("exit code {:?}, {} expected", run.code, vector.get("expect")));
    }
    if vector.exit() != 0 {
        return match complaint(&run) {
            _ if lab.has("opened") => wrong("there is an output"),
            Some(complaint) => Err(format!("{}: {complaint}", vector.name)),
            None => Ok(()),
        };
    }
    if !vector.is_payload(&lab.read("opened")) {
        return wrong("something else was opened");
    }
    if let Some(client) = client {
        lab.write("client", client);
        lab.ok_with("encrypt --bundle client -o next", b"next\n");
        assert_eq!(lab.ok("decrypt --bundle keys next").stdout, b"next\n", "{}", vector.name);
    }
    Ok(())
}

/// The library opens lines of a shop's bundle; the rest of the kit is for the command.
fn is_for_library(vector: &Vector) -> bool {
    let alone = vector.body.iter().filter(|&&byte| byte == b'\n').count() <= 1;
    match vector.get("kind") {
        "line" => {
            let bundle = vector.field("keys").is_some_and(|keys| is_bundle(keys.as_bytes()));
            bundle && alone && vector.field("options").is_none()
        }
        "batch" | "transcript" => true,
        "key file" => is_bundle(&vector.body),
        _ => false,
    }
}

#[test]
fn the_library_does_what_the_vectors_expect() {
    let vectors: Vec<_> = vectors().into_iter().filter(is_for_library).collect();
    assert!(vectors.len() >= 200, "only {} vectors are for the library", vectors.len());
    let differences: Vec<_> =
        vectors.iter().filter_map(|vector| through_library(vector).err()).collect();
    print(&format!("testkit: {} vectors through the library", vectors.len()));
    none(&differences, vectors.len());
}

fn through_library(vector: &Vector) -> Result<(), String> {
    let (keys, sealed, client) = vector.files();
    let opened = Shop::parse(&keys.expect("a bundle")).and_then(|shop| {
        let orders = shop.open(sealed)?;
        if let Some(client) = client {
            let next = Client::parse(&client)?.seal(["next"])?;
            assert_eq!(shop.open(next)?, ["next"], "{}", vector.name);
        }
        Ok(orders.iter().flat_map(|order| [&order[..], b"\n"].concat()).collect::<Vec<u8>>())
    });
    match opened {
        Ok(opened) if vector.exit() == 0 && vector.is_payload(&opened) => Ok(()),
        Ok(_) if vector.exit() == 0 => Err(format!("{}: something else was opened", vector.name)),
        Ok(_) => Err(format!("{}: opened, {} expected", vector.name, vector.get("expect"))),
        Err(error) if kind(&error) == vector.get("expect") => Ok(()),
        Err(error) => Err(format!("{}: {error}, {} expected", vector.name, vector.get("expect"))),
    }
}

/// The kit's word for an error of the library.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::Malformed { .. } | Error::Unexpected { .. } => "malformed",
        Error::Key { .. } => "key refused",
        Error::Authentication { .. } => "not authentic",
        Error::Reused { .. } => "used",
        other => panic!("no vector is about: {other}"),
    }
}

#[test]
fn what_the_kit_expects_is_explained() {
    let readme = include_str!("../testkit/README.md");
    for vector in vectors() {
        for word in ["kind", "expect", "reason"].iter().filter_map(|field| vector.field(field)) {
            assert!(readme.contains(&format!("`{word}`")), "{}: {word}", vector.name);
        }
        for field in vector.fields.keys() {
            assert!(readme.contains(&format!("| `{field}` |")), "{}: {field}", vector.name);
        }
    }
}
