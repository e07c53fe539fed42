//! Puts mutants into a copy of the source, each behind a question for its number.
//!
//! What does not compile in this form (in constants, with `let` in a condition, with `impl Trait` as the result) is
//! taken out again by the compiler's messages, one round after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, iter};

use proc_macro2::LineColumn;
use serde_json::Value;
use syn::spanned::Spanned as _;
use syn::visit::Visit;

use crate::Done;
use crate::list::{Mutant, read};

/// What a program with mutants asks at each of them.
const ASKED: &str = include_str!("asked.rs");

/// Puts the mutants of `sample` into the source in `tree`, and writes the numbers of those that it could not put in to
/// `TREE/unviable`.
pub fn apply(sample: &str, tree: &str) -> Done {
    let mutants = read(sample)?;
    let tree = Path::new(tree);
    let original: BTreeMap<&str, String> = mutants
        .iter()
        .map(|mutant| Ok((mutant.file.as_str(), fs::read_to_string(tree.join(&mutant.file))?)))
        .collect::<std::io::Result<_>>()?;
    let root = tree.join("src/lib.rs");
    let root_text = fs::read_to_string(&root)?;
    fs::write(&root, format!("{root_text}\n#[doc(hidden)]\npub mod asked;\n"))?;
    fs::write(tree.join("src/asked.rs"), ASKED)?;

    let mut out = BTreeSet::new();
    loop {
        let mut written = BTreeMap::new();
        for (file, text) in &original {
            let chosen = |number: &usize| mutants[number - 1].file == *file && !out.contains(number);
            let numbers: Vec<usize> = (1..=mutants.len()).filter(chosen).collect();
            let (text, missed) = mutated(text, &mutants, &numbers)?;
            out.extend(missed);
            fs::write(tree.join(file), &text)?;
            written.insert(*file, text);
        }
        let refused = refused(tree, &written)?;
        if refused.is_empty() {
            break;
        }
        println!("mutants: {} do not compile: {refused:?}", refused.len());
        out.extend(refused);
    }
    let numbers: String = out.iter().map(|number| format!("{number}\n")).collect();
    fs::write(tree.join("unviable"), numbers)?;
    println!("mutants: {} of {} are in the program", mutants.len() - out.len(), mutants.len());
    Ok(ExitCode::SUCCESS)
}

/// The mutants that the compiler refuses: those around each error.
fn refused(tree: &Path, written: &BTreeMap<&str, String>) -> Result<BTreeSet<usize>, Box<dyn std::error::Error>> {
    let output = Command::new("cargo")
        .args(["check", "--features", "serve", "--lib", "--message-format=json"])
        .current_dir(tree)
        .output()?;
    let mut refused = BTreeSet::new();
    for line in output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line)?;
        let message = &message["message"];
        if message["level"] != "error" {
            continue;
        }
        for span in message["spans"].as_array().into_iter().flatten() {
            let Some(text) = span["file_name"].as_str().and_then(|file| written.get(file)) else {
                continue;
            };
            let at = span["byte_start"].as_u64().unwrap_or(0) as usize;
            refused.extend(around(text, at));
        }
    }
    if refused.is_empty() && !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(refused)
}

/// The numbers of the mutants whose text is around a place: between `/*N[*/` and `/*N]*/`.
fn around(text: &str, at: usize) -> Vec<usize> {
    let (before, after) = text.split_at(at);
    let open = before.match_indices("[*/").filter_map(|(end, _)| number_before(before, end));
    open.filter(|number| after.contains(&format!("/*{number}]*/"))).collect()
}

fn number_before(text: &str, end: usize) -> Option<usize> {
    let start = text[..end].rfind("/*")? + 2;
    text[start..end].parse().ok()
}

/// A piece of the source that mutants change.
struct Place {
    range: Range<usize>,
    kind: Kind,
    /// Numbers of mutants, with what replaces the operator, the body or the guard.
    ways: Vec<(usize, String)>,
}

enum Kind {
    /// Left side, operator, right side.
    Binary([Range<usize>; 3]),
    /// The operand of an operator that is taken away.
    Unary(Range<usize>),
    /// A body: a mutant returns at its beginning.
    Body,
    /// The pattern of a match arm that never matches.
    Arm,
    /// The condition of a match arm.
    Guard,
}

/// A file's text with some mutants, and the numbers of those that found no place in it.
fn mutated(
    text: &str,
    mutants: &[Mutant],
    numbers: &[usize],
) -> Result<(String, Vec<usize>), Box<dyn std::error::Error>> {
    let file = syn::parse_file(text)?;
    let mut finder = Finder { lines: Lines::of(text), mutants, left: numbers.to_vec(), places: Vec::new() };
    finder.visit_file(&file);
    let Finder { left, mut places, .. } = finder;
    // An outer place before those within it.
    places.sort_by_key(|place| (place.range.start, usize::MAX - place.range.end));
    Ok((rendered(text, 0..text.len(), &places), left))
}

/// The text of a range, with the places within it changed.
fn rendered(text: &str, range: Range<usize>, places: &[Place]) -> String {
    let mut out = String::new();
    let mut at = range.start;
    while let Some(next) = places
        .iter()
        .position(|place| place.range.start >= at && place.range.end <= range.end)
    {
        let place = &places[next];
        out += &text[at..place.range.start];
        let inner = &places[next + 1..];
        let part = |range: &Range<usize>| rendered(text, range.clone(), inner);
        let ask = |number: usize| format!("/*{number}[*/crate::asked::is({number})");
        let ends: String = place.ways.iter().map(|(number, _)| format!("/*{number}]*/")).collect();
        match &place.kind {
            Kind::Binary([left, operator, right]) => {
                let (left, right) = (part(left), part(right));
                out += "(";
                for (number, other) in &place.ways {
                    out += &format!("if {} {{ {left} {other} {right} }} else ", ask(*number));
                }
                out += &format!("{{ {left} {} {right} }}{ends})", &text[operator.clone()]);
            }
            Kind::Unary(operand) => {
                for (number, _) in &place.ways {
                    out += &format!("(if {} {{ {} }} else {{ ", ask(*number), part(operand));
                }
                out += &format!("{} }}{ends})", part(&place.range));
            }
            Kind::Body => {
                for (number, other) in &place.ways {
                    out += &format!("if {} {{ return {other}; }}\n", ask(*number));
                }
                out += &ends;
                out += &part(&place.range);
            }
            Kind::Arm => {
                out += &text[place.range.clone()];
                for (number, _) in &place.ways {
                    out += &format!(" if !{}{ends}", ask(*number));
                }
            }
            Kind::Guard => {
                out += "(";
                for (number, other) in &place.ways {
                    out += &format!("if {} {{ {other} }} else ", ask(*number));
                }
                out += &format!("{{ {} }}{ends})", part(&place.range));
            }
        }
        at = place.range.end;
    }
    out + &text[at..range.end]
}

/// Where lines begin, in bytes.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let starts = iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The byte at a line from 1 and a column of characters from 0.
    fn byte(&self, line: usize, column: usize) -> usize {
        let start = self.starts[line - 1];
        start + self.text[start..].chars().take(column).map(char::len_utf8).sum::<usize>()
    }

    fn range(&self, span: proc_macro2::Span) -> Range<usize> {
        let LineColumn { line, column } = span.start();
        let end = span.end();
        self.byte(line, column)..self.byte(end.line, end.column)
    }
}

/// Looks for the places of mutants.
struct Finder<'a> {
    lines: Lines<'a>,
    mutants: &'a [Mutant],
    left: Vec<usize>,
    places: Vec<Place>,
}

impl Finder<'_> {
    /// Takes the mutants of a genre that are at `at`, and notes their place.
    fn take(&mut self, genre: &str, at: &Range<usize>, range: Range<usize>, kind: Kind) {
        let (lines, mutants) = (&self.lines, self.mutants);
        let mut ways = Vec::new();
        self.left.retain(|&number| {
            let mutant = &mutants[number - 1];
            let (start, end) = (mutant.span.start, mutant.span.end);
            let here = mutant.genre == genre
                && lines.byte(start.line, start.column - 1) == at.start
                && lines.byte(end.line, end.column - 1) == at.end;
            if here {
                ways.push((number, mutant.replacement.clone()));
            }
            !here
        });
        if !ways.is_empty() {
            self.places.push(Place { range, kind, ways });
        }
    }

    fn body(&mut self, block: &syn::Block) {
        if let (Some(first), Some(last)) = (block.stmts.first(), block.stmts.last()) {
            let range = self.lines.range(first.span()).start..self.lines.range(last.span()).end;
            self.take("FnValue", &range.clone(), range, Kind::Body);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_none() {
            self.body(&item.block);
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            self.body(&item.block);
            syn::visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        let range = self.lines.range(expr.span());
        let operator = self.lines.range(expr.op.span());
        let parts = [self.lines.range(expr.left.span()), operator.clone(), self.lines.range(expr.right.span())];
        self.take("BinaryOperator", &operator, range, Kind::Binary(parts));
        syn::visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        let operand = self.lines.range(expr.expr.span());
        let operator = self.lines.range(expr.op.span());
        self.take("UnaryOperator", &operator, self.lines.range(expr.span()), Kind::Unary(operand));
        syn::visit::visit_expr_unary(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let Some((_, guard)) = &arm.guard {
            let range = self.lines.range(guard.span());
            self.take("MatchArmGuard", &range.clone(), range, Kind::Guard);
        } else {
            let range = self.lines.range(arm.pat.span());
            self.take("MatchArm", &self.lines.range(arm.span()), range, Kind::Arm);
        }
        syn::visit::visit_arm(self, arm);
    }
}
