//! Records target and commit for `orderseal --version`.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The file that `cargo package` writes beside the sources.
const PACKAGED: &str = ".cargo_vcs_info.json";

/// What the program is built from.
const SOURCES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "build.rs", "src"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=ORDERSEAL_COMMIT");
    let set = env::var("ORDERSEAL_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = set.or_else(packaged).or_else(checked_out).unwrap_or("unknown".to_owned());
    println!("cargo:rustc-env=ORDERSEAL_COMMIT={commit}");
    println!("cargo:rustc-env=ORDERSEAL_TARGET={}", env::var("TARGET").unwrap_or_default());
}

/// Returns the commit that a package was made from.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(PACKAGED).ok()?;
    watch(PACKAGED);
    let (_, rest) = text.split_once("\"sha1\"")?;
    let commit = rest.split('"').nth(1)?;
    Some(commit.to_owned())
}

/// Returns the commit that is checked out here. Debug builds skip this, because every commit would
/// cause a full rebuild.
fn checked_out() -> Option<String> {
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return Some("not recorded in debug builds".to_owned());
    }
    // Sources inside another repository have a prefix there.
    let found = git(&["rev-parse", "HEAD", "--show-prefix"])?;
    let commit = found.strip_suffix("\n\n")?.to_owned();
    // The log of HEAD changes with every commit and checkout.
    for name in ["HEAD", "logs/HEAD"] {
        watch(git(&["rev-parse", "--git-path", name])?.trim_end());
    }
    SOURCES.into_iter().for_each(watch);
    let changed = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat())?;
    Some(if changed.is_empty() { commit } else { format!("{commit}, with changes") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok())?
}

/// Reruns this script when a file changes; cargo would rerun it every time for a missing file.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo:rerun-if-changed={path}");
    }
}
