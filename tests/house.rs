//! Rules for the whole of `src` that the compiler does not check: modules use only modules below
//! them, and instruction sets are listed once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a module is: `["ciphers", "aes", "ctr"]`.
type Place = Vec<String>;

#[derive(Default)]
struct Module {
    /// What its paths name, as written.
    paths: Vec<Place>,
    /// What its `use` declarations bring in, by name; modules below may use it by that name.
    names: BTreeMap<String, Place>,
}

type Modules = BTreeMap<Place, Module>;

/// The circles among the modules of a folder of `src`, such as `ciphers`, and of every folder in
/// it: the arrows, `folder: from -> to`, that are left when all are taken away that lead out of the
/// circles.
fn circles(src: &Path, folder: &str) -> Vec<String> {
    let mut arrows = arrows(src);
    arrows.retain(|level, _| level.first().is_some_and(|first| first == folder));
    let left = arrows.into_iter().flat_map(|(level, arrows)| {
        let level = level.join("/");
        in_circles(arrows).into_iter().map(move |(a, b)| format!("{level}: {a} -> {b}"))
    });
    left.collect()
}

/// Which modules use which, for each folder of `src`: siblings are compared, a folder counting as
/// one of them; a folder's own `mod.rs` may both use what is in the folder and be used by it. Tests
/// do not count.
fn arrows(src: &Path) -> BTreeMap<Place, BTreeSet<(String, String)>> {
    let modules = read(src);
    let mut arrows: BTreeMap<Place, BTreeSet<(String, String)>> = BTreeMap::new();
    for (from, module) in &modules {
        for path in &module.paths {
            let Some(to) = resolve(&modules, from, path, 8) else { continue };
            let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
                let level = arrows.entry(from[..shared].to_vec()).or_default();
                level.insert((a.clone(), b.clone()));
            }
        }
    }
    arrows
}

/// Takes away arrows from where no arrow leads to, and to where none leads on, until all are in
/// circles or between them.
fn in_circles(mut arrows: BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    loop {
        let from: BTreeSet<_> = arrows.iter().map(|(a, _)| a.clone()).collect();
        let to: BTreeSet<_> = arrows.iter().map(|(_, b)| b.clone()).collect();
        let before = arrows.len();
        arrows.retain(|(a, b)| to.contains(a) && from.contains(b));
        if arrows.len() == before {
            return arrows;
        }
    }
}

/// The module that a path in `from` leads into, by way of names that modules bring in.
fn resolve(modules: &Modules, from: &Place, path: &[String], depth: u32) -> Option<Place> {
    let mut place = from.clone();
    for (index, segment) in path.iter().enumerate() {
        match segment.as_str() {
            "self" => {}
            "crate" => place.clear(),
            "super" => drop(place.pop()?),
            _ => {
                place.push(segment.clone());
                if !modules.contains_key(&place) {
                    place.pop();
                    let name = modules.get(&place)?.names.get(segment).filter(|_| depth > 0);
                    let onward = name.and_then(|name| resolve(modules, &place, name, depth - 1));
                    // Not a module's name at the start: another crate.
                    return onward.or((index > 0).then_some(place));
                }
            }
        }
    }
    Some(place)
}

/// Reads all modules that are not tests.
fn read(src: &Path) -> Modules {
    let mut modules = Modules::new();
    for file in files(src) {
        let name = file.strip_prefix(src).unwrap().with_extension("");
        let mut place: Place = name.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        if place.iter().any(|name| name.ends_with("tests") || name == "testing") {
            continue;
        }
        if ["mod", "lib", "main"].contains(&place[place.len() - 1].as_str()) {
            place.pop();
        }
        for length in 0..place.len() {
            modules.entry(place[..length].to_vec()).or_default();
        }
        parse(&fs::read_to_string(&file).unwrap(), modules.entry(place).or_default());
    }
    modules
}

/// The Rust files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut all): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    all.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    all.extend(folders.iter().flat_map(|folder| files(folder)));
    all
}

/// Finds paths that begin with `crate`, `super` or `self`, and all that `use` declarations name.
fn parse(text: &str, module: &mut Module) {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines: Vec<&str> = text.lines().filter_map(|line| line.split("//").next()).collect();
    let code = lines.join("\n");
    let tokens = tokens(&code);
    let mut at = 0;
    while at < tokens.len() {
        let is_use = tokens[at] == "use";
        at += usize::from(is_use);
        if !is_use && !matches!(tokens[at], "crate" | "super" | "self") {
            at += 1;
            continue;
        }
        let mut leaves = Vec::new();
        at = tree(&tokens, at, &mut Vec::new(), &mut leaves);
        if is_use {
            let name = |path: &Place| path.iter().rfind(|segment| *segment != "self").cloned();
            module.names.extend(leaves.iter().filter_map(|path| Some((name(path)?, path.clone()))));
        }
        module.paths.extend(leaves);
    }
}

/// Words, `::`, and other characters but spaces.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = if rest.starts_with("::") { 2 } else { word.max(first.len_utf8()) };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Reads a path or a tree of paths and returns where it ends.
fn tree(tokens: &[&str], mut at: usize, path: &mut Place, leaves: &mut Vec<Place>) -> usize {
    let length = path.len();
    while tokens[at] != "{" {
        path.push(tokens[at].to_owned());
        at += 1;
        if tokens.get(at) != Some(&"::") {
            leaves.push(path.clone());
            path.truncate(length);
            return at + if tokens.get(at) == Some(&"as") { 2 } else { 0 };
        }
        at += 1;
    }
    at += 1;
    while tokens[at] != "}" {
        at = tree(tokens, at, path, leaves);
        at += usize::from(tokens[at] == ",");
    }
    path.truncate(length);
    at + 1
}

/// The rooms of `protocol` from the ground up, and of the whole crate.
const PROTOCOL: [&str; 8] =
    ["model", "jose", "pipeline", "store", "roles", "page", "serve", "simulate"];
const CRATE: [&str; 6] = ["testing", "ciphers", "protocol", "front", "bench", "cmd"];

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for folder in ["ciphers", "protocol", "bench", "cmd"] {
        assert_eq!(circles(&src, folder), Vec::<String>::new());
    }
}

#[test]
fn rooms_use_only_rooms_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let arrows = arrows(&src);
    for (level, rooms) in [(&[][..], &CRATE[..]), (&["protocol".to_owned()], &PROTOCOL)] {
        let floor = |room: &String| {
            let floor = rooms.iter().position(|known| known == room);
            floor.unwrap_or_else(|| panic!("{room} has no place in {rooms:?}"))
        };
        let up: Vec<_> = arrows[level].iter().filter(|(a, b)| floor(a) < floor(b)).collect();
        assert!(up.is_empty(), "{up:?}");
    }
}

#[test]
fn circles_are_found_by_paths_of_every_form_and_through_other_names() {
    let src = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("room/mod.rs", "mod a; pub use a::A; use below::Below;"),
        ("room/a.rs", "use super::{b::{self, B as C}, below}; use other::{crate_of_others};"),
        ("room/b.rs", "fn b() -> crate::room::c::inside::C {} // super::below"),
        ("room/c/mod.rs", "mod inside; use super::A;"),
        ("room/c/inside.rs", "use super::super::Below; use super::mod_of_c;"),
        ("room/below.rs", "#[cfg(test)]\nmod tests { use super::super::a; }"),
        ("room/tests.rs", "use super::b;"),
        ("other.rs", "use crate::room;"),
    ] {
        let file = src.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    assert_eq!(circles(src.path(), "room"), ["room: a -> b", "room: b -> c", "room: c -> a"]);
    fs::write(src.path().join("room/b.rs"), "").unwrap();
    assert_eq!(circles(src.path(), "room"), Vec::<String>::new());
}

#[test]
fn the_instruction_sets_of_a_level_are_listed_beside_their_detection_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&src) {
        let text = fs::read_to_string(&file).unwrap();
        let attributes: Vec<&str> = text.split("#[target_feature(").skip(1).collect();
        for attribute in attributes {
            let (features, rest) = attribute.split_once(")]").unwrap();
            let is_one = !features.contains(',') && !rest.trim_start().starts_with("#[target_f");
            assert!(is_one, "{}: more than one feature: {features}", file.display());
        }
    }
}
