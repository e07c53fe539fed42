//! Helpers shared by the command's tests: a folder to work in, command lines as users type them,
//! orders to send, and hand-made sealed lines.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub const ORDERSEAL: &str = env!("CARGO_BIN_EXE_orderseal");

/// The orders that ship with the project.
pub const FIXTURE: &[u8] = include_bytes!("../../fixtures/orders.ndjson");

/// Orders with unusual content: empty, ending in a carriage return, not UTF-8, a NUL, only a space.
pub const EDGES: [&[u8]; 5] = [b"", b"carriage return\r", b"\xff\xfe\x80", b"nul \0 nul", b" "];

/// Whether strace can inject faults here.
pub static STRACE: LazyLock<bool> = LazyLock::new(|| {
    let probe = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "inject=?renameat2:error=EIO"])
        .args([ORDERSEAL, "--version"])
        .output();
    probe.is_ok_and(|output| output.status.success())
});

/// Prints past the test harness's capture, which hides the output of passing tests: which path a
/// test took, or that it did not run.
pub fn print(text: &str) {
    writeln!(io::stderr(), "    {text}").expect("standard error is open");
}

/// Reports that a check did not run.
pub fn not_run(what: &str, why: &str) {
    print(&format!("NOT RUN: {what}: {why}"));
}

/// Returns a batch of `count` orders, ending with [`EDGES`] if there is room for them.
pub fn orders(count: usize) -> Vec<u8> {
    let edges = if count > EDGES.len() { &EDGES[..] } else { &[] };
    let real = lines(FIXTURE).take(count - edges.len());
    real.chain(edges.iter().copied()).flat_map(|order| [order, b"\n"].concat()).collect()
}

/// Returns the lines of `bytes`, without their line feeds.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

/// Result of a command line.
pub struct Run {
    /// The command line, for messages.
    pub line: String,
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error as text.
    pub stderr: String,
}

impl Run {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone())
            .unwrap_or_else(|_| panic!("{}: output is not text", self.line))
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error} in {text}", self.line))
    }

    /// Asserts that the message on standard error contains each of `words`.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Run {
        for word in words {
            assert!(self.stderr.contains(word), "{}: no {word:?} in:\n{}", self.line, self.stderr);
        }
        self
    }
}

/// A temporary folder in which command lines run.
pub struct Lab(TempDir);

impl Lab {
    /// Creates an empty folder.
    pub fn new() -> Lab {
        Lab(TempDir::new().expect("a temporary folder can be made"))
    }

    /// Creates a folder with `service.jwks`, the shop's `tokyo.jwks` and a client's `client.jwks`
    /// for `orders` transactions, made by `keygen` with `options`; and as many orders in
    /// `orders.ndjson`.
    pub fn with_keys(options: &str, orders: usize) -> Lab {
        let lab = Lab::new();
        lab.keys(options, orders);
        lab
    }

    /// Adds to this folder what [`Lab::with_keys`] puts into a new one.
    pub fn keys(&self, options: &str, count: usize) {
        self.ok(&format!("keygen {options} --shop tokyo --orders {count} -o service.jwks --force"));
        self.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks --force");
        self.ok(&format!(
            "bundle client --keys service.jwks --shop tokyo --orders {count} -o client.jwks --force"
        ));
        self.write("orders.ndjson", orders(count));
    }

    /// Returns the path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns the path of the folder.
    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Whether a file exists.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Writes a file that only its owner can read, as required for key files.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("the folder is writable");
        self.mode(name, 0o600);
    }

    /// Reads a file.
    #[track_caller]
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Reads a file as JSON.
    #[track_caller]
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Sets a file's permissions.
    pub fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode))
            .expect("our own file");
    }

    /// Returns the sorted names in the folder, to check for leftovers.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir()).expect("the folder is readable");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("our names"))
            .collect();
        names.sort();
        names
    }

    /// Returns the program with the words of `line` as its arguments, in this folder.
    pub fn command(&self, line: &str) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(ORDERSEAL);
        command
            .current_dir(self.dir())
            .args(line.split_whitespace())
            .timeout(Duration::from_secs(120));
        command
    }

    /// Runs a command line with `input` on standard input.
    pub fn run(&self, line: &str, input: &[u8]) -> Run {
        finish(line, self.command(line).write_stdin(input))
    }

    /// Runs a shell command in which `$ORDERSEAL` is the program.
    pub fn shell(&self, script: &str) -> Run {
        let mut command = assert_cmd::Command::new("bash");
        command.current_dir(self.dir()).args(["-c", script]).env("ORDERSEAL", ORDERSEAL);
        finish(script, command.timeout(Duration::from_secs(120)))
    }

    /// Runs a command line that must succeed.
    #[track_caller]
    pub fn ok(&self, line: &str) -> Run {
        self.ok_with(line, b"")
    }

    /// Runs a command line that must succeed, with `input` on standard input.
    #[track_caller]
    pub fn ok_with(&self, line: &str, input: &[u8]) -> Run {
        let run = self.run(line, input);
        assert_eq!(run.code, Some(0), "{line}:\n{}", run.stderr);
        run
    }

    /// Runs a command line that must fail with exit code `code`, and checks its message.
    #[track_caller]
    pub fn refused(&self, code: i32, line: &str) -> Run {
        self.refused_with(code, line, b"")
    }

    /// Does the same as [`Lab::refused`], with `input` on standard input.
    #[track_caller]
    pub fn refused_with(&self, code: i32, line: &str, input: &[u8]) -> Run {
        let run = self.run(line, input);
        assert_eq!(run.code, Some(code), "{line}:\n{}", run.stderr);
        assert_is_message(&run);
        run
    }
}

#[track_caller]
fn finish(line: &str, command: &mut assert_cmd::Command) -> Run {
    let output = command.output().unwrap_or_else(|error| panic!("{line}: {error}"));
    let stderr = String::from_utf8(output.stderr)
        .unwrap_or_else(|_| panic!("{line}: messages are not text"));
    assert!(!stderr.contains("panicked"), "{line}:\n{stderr}");
    Run { line: line.to_owned(), code: output.status.code(), stdout: output.stdout, stderr }
}

/// Asserts the format of messages.
#[track_caller]
fn assert_is_message(run: &Run) {
    if let Some(complaint) = complaint(run) {
        panic!("{complaint}");
    }
}

/// Returns what is wrong with an error printed as JSON.
fn complaint_about_json(run: &Run, text: &str) -> Option<String> {
    let found: Value = serde_json::from_str(text).unwrap_or_default();
    let error = &found["error"];
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let hints = error["hints"].as_array();
    let complete = error["code"].as_i64() == run.code.map(i64::from)
        && is_text(&error["message"])
        && is_text(&error["kind"])
        && hints.is_some_and(|hints| hints.iter().all(is_text));
    (!complete).then(|| format!("{}: not an error as JSON:\n{text}", run.line))
}

/// Returns what is wrong with the format of a message. After warnings and notes, it must be
/// `orderseal: error: …`, then hints; lower case, no full stop, and no control character from the input.
pub fn complaint(run: &Run) -> Option<String> {
    let Run { line, stderr, .. } = run;
    let before = ["orderseal: warning: ", "orderseal: note: "];
    let mut after = stderr.lines().filter(|text| !before.iter().any(|kind| text.starts_with(kind)));
    let first = after.next().unwrap_or_default();
    if first.starts_with('{') {
        return complaint_about_json(run, first);
    }
    let Some(message) = first.strip_prefix("orderseal: error: ") else {
        return Some(format!("{line}: not a message of ours:\n{stderr}"));
    };
    if message.ends_with('.') {
        return Some(format!("{line}: full stop: {message}"));
    }
    stderr
        .contains(|c: char| c.is_control() && c != '\n')
        .then(|| format!("{line}: control character in {stderr:?}"))
}

/// Seals orders with the client's bundle and returns the lines.
#[track_caller]
pub fn seal(lab: &Lab, orders: &[u8]) -> Vec<String> {
    lab.ok_with("encrypt --bundle client.jwks", orders).text().lines().map(str::to_owned).collect()
}

/// Returns the protected header of a sealed line.
#[track_caller]
pub fn header(line: &str) -> Value {
    let first = line.split('.').next().expect("split gives one part at least");
    serde_json::from_slice(&base64url_decode(first)).expect("a header is JSON")
}

/// Returns the `kid` of each sealed line.
pub fn kids(sealed: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(sealed).expect("sealed lines are text");
    text.lines().map(|line| header(line)["kid"].as_str().expect("a kid").to_owned()).collect()
}

/// Returns the names of the keys in a key file.
pub fn key_ids(file: &Value) -> Vec<String> {
    let keys = file["keys"].as_array().expect("a JWK Set has keys");
    keys.iter().map(|key| key["kid"].as_str().expect("our keys have a kid").to_owned()).collect()
}

/// Replaces a part of a sealed line: 1 is the encrypted key, 2 the IV, 3 the ciphertext, 4 the tag.
pub fn with_part(line: &str, part: usize, bytes: &[u8]) -> String {
    let text = base64url(bytes);
    let mut parts: Vec<_> = line.split('.').collect();
    parts[part] = &text;
    parts.join(".")
}

/// Encodes base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Decodes base64url without padding.
#[track_caller]
pub fn base64url_decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode_to_vec(text).unwrap_or_else(|_| panic!("not base64url: {text}"))
}

/// A content-encryption key for hand-made lines: the bytes 0 to 31.
pub const CEK: [u8; 32] = {
    let mut key = [0; 32];
    let mut i = 0;
    while i < 32 {
        key[i] = i as u8;
        i += 1;
    }
    key
};

/// Returns [`CEK`] as a key file for `decrypt --key`.
pub fn cek_jwk() -> String {
    format!(r#"{{"kty":"oct","alg":"A256GCM","k":"{}"}}"#, base64url(&CEK))
}

/// The five parts of a line sealed by hand with AES-256-GCM, unmodified. They authenticate,
/// whatever the header says, so a rejected line was rejected for its form.
pub struct Parts {
    /// The protected header, encoded.
    pub header: String,
    /// The IV.
    pub iv: [u8; 12],
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// The tag.
    pub tag: [u8; 16],
}

impl Parts {
    /// Seals `plaintext` under `cek`, with the header used verbatim.
    pub fn seal(header: &[u8], cek: &[u8; 32], plaintext: &[u8]) -> Parts {
        let header = base64url(header);
        Self { header: header.clone(), ..Self::seal_with(header.as_bytes(), cek, plaintext) }
    }

    /// Seals `plaintext` under `cek` with these additional data; the header stays empty.
    pub fn seal_with(aad: &[u8], cek: &[u8; 32], plaintext: &[u8]) -> Parts {
        let iv = *b"hand-made iv";
        let payload = Payload { msg: plaintext, aad };
        let cipher = Aes256Gcm::new(&(*cek).into());
        let mut ciphertext = cipher.encrypt(&Nonce::from(iv), payload).expect("a short message");
        let tag = ciphertext.split_off(plaintext.len());
        Parts { header: String::new(), iv, ciphertext, tag: tag.try_into().expect("16 bytes") }
    }

    /// Returns the line with `key` as its encrypted key.
    pub fn line(&self, key: &[u8]) -> String {
        let parts: [&[u8]; 4] = [key, &self.iv, &self.ciphertext, &self.tag];
        parts.iter().fold(self.header.clone(), |line, part| line + "." + &base64url(part))
    }
}
