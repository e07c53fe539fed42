//! Runs the tests that reach each mutant, and says which mutants no test notices.
//!
//! All that is found is kept in a folder, so that a run that was interrupted goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Done;
use crate::list::{Mutant, read};

/// How many test processes run at once.
const AT_ONCE: usize = 2;

/// A test, alone in its process.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Test {
    program: PathBuf,
    name: String,
    /// Seconds without any mutant, and the mutants that it reaches; none if it fails without them.
    usual: Option<(f64, BTreeSet<usize>)>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
enum Outcome {
    /// A test failed, or did not end.
    Killed(String),
    /// All tests that reach it passed.
    Survived(usize),
    /// No test reaches it.
    Unreached,
    /// It does not compile in this form.
    Unviable,
}

pub fn run(sample: &str, tree: &str, folder: &str) -> Done {
    let mutants = read(sample)?;
    let (tree, folder) = (Path::new(tree), Path::new(folder));
    fs::create_dir_all(folder)?;
    let tests = usual(tree, folder)?;
    let unviable = fs::read_to_string(tree.join("unviable"))?;
    let unviable: BTreeSet<usize> = unviable.lines().map(str::parse).collect::<Result<_, _>>()?;

    let results = folder.join("results");
    let known: BTreeMap<usize, Outcome> = fs::read_to_string(&results)
        .unwrap_or_default()
        .lines()
        .map(serde_json::from_str::<(usize, Outcome)>)
        .collect::<Result<_, _>>()?;
    let file = Mutex::new(OpenOptions::new().create(true).append(true).open(&results)?);
    let known = Mutex::new(known);
    in_parallel(mutants.len(), |at| {
        let number = at + 1;
        if known.lock().expect("no panic").contains_key(&number) {
            return;
        }
        let outcome =
            if unviable.contains(&number) { Outcome::Unviable } else { outcome(tree, folder, number, &tests) };
        let line = serde_json::to_string(&(number, &outcome)).expect("plain data");
        writeln!(file.lock().expect("no panic"), "{line}").expect("the results can be written");
        known.lock().expect("no panic").insert(number, outcome);
    });
    Ok(report(&mutants, &known.into_inner()?))
}

/// All tests, with what they do without mutants.
fn usual(tree: &Path, folder: &Path) -> Result<Vec<Test>, Box<dyn std::error::Error>> {
    let kept = folder.join("tests.json");
    if let Ok(bytes) = fs::read(&kept) {
        return Ok(serde_json::from_slice(&bytes)?);
    }
    let mut tests = listed(tree)?;
    let reached = folder.join("reached");
    let done = AtomicUsize::new(0);
    let usual: Vec<Mutex<Option<(f64, BTreeSet<usize>)>>> = tests.iter().map(|_| Mutex::new(None)).collect();
    in_parallel(tests.len(), |at| {
        let notes = reached.join(at.to_string());
        fs::create_dir_all(&notes).expect("a folder for notes");
        let began = Instant::now();
        let passed = passes(tree, folder, &tests[at], &[("ORDERSEAL_REACHED", notes.as_os_str().to_str())], 600.0);
        let seconds = began.elapsed().as_secs_f64();
        if passed {
            let names = fs::read_dir(&notes).expect("the folder is there").flatten();
            let numbers = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
            *usual[at].lock().expect("no panic") = Some((seconds, numbers));
        } else {
            eprintln!("mutants: fails without mutants: {}", tests[at].name);
        }
        let count = done.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(100) {
            println!("mutants: {count} of {} tests", tests.len());
        }
    });
    for (test, usual) in tests.iter_mut().zip(usual) {
        test.usual = usual.into_inner()?;
    }
    fs::write(&kept, serde_json::to_vec(&tests)?)?;
    Ok(tests)
}

/// Builds all tests, and lists them.
fn listed(tree: &Path) -> Result<Vec<Test>, Box<dyn std::error::Error>> {
    let output = Command::new("cargo")
        .args(["test", "--features", "serve", "--no-run", "--message-format=json"])
        .current_dir(tree)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the tests do not compile".into());
    }
    let mut tests = Vec::new();
    for line in output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line)?;
        let Some(program) = message["executable"].as_str().filter(|_| message["profile"]["test"] == true) else {
            continue;
        };
        let list = Command::new(program).args(["--list", "--format", "terse"]).current_dir(tree).output()?;
        for line in String::from_utf8(list.stdout)?.lines() {
            if let Some(name) = line.strip_suffix(": test") {
                tests.push(Test { program: program.into(), name: name.into(), usual: None });
            }
        }
    }
    Ok(tests)
}

/// What the tests say of one mutant.
fn outcome(tree: &Path, folder: &Path, number: usize, tests: &[Test]) -> Outcome {
    let reach = |test: &&Test| test.usual.as_ref().is_some_and(|(_, numbers)| numbers.contains(&number));
    let mut reaching: Vec<&Test> = tests.iter().filter(reach).collect();
    let seconds = |test: &Test| test.usual.as_ref().map_or(0.0, |(seconds, _)| *seconds);
    reaching.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
    let text = number.to_string();
    for test in &reaching {
        let limit = 30.0 + 10.0 * seconds(test);
        if !passes(tree, folder, test, &[("ORDERSEAL_MUTANT", Some(&text))], limit) {
            return Outcome::Killed(test.name.clone());
        }
    }
    if reaching.is_empty() { Outcome::Unreached } else { Outcome::Survived(reaching.len()) }
}

/// Whether a test passes within some seconds. Whatever it started ends with it.
fn passes(tree: &Path, folder: &Path, test: &Test, variables: &[(&str, Option<&str>)], seconds: f64) -> bool {
    let began = Instant::now();
    let place = folder.join(format!("tmp-{:?}", thread::current().id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("a folder for temporary files");
    let mut command = Command::new(&test.program);
    command.args([&test.name, "--exact", "--quiet"]).current_dir(tree).process_group(0);
    command.env("TMPDIR", &place).env("CARGO_MANIFEST_DIR", tree);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, value) in variables {
        command.env(name, value.unwrap_or_default());
    }
    let mut child = command.spawn().expect("the test starts");
    let group = format!("-{}", child.id());
    let passed = loop {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            break status.success();
        }
        if began.elapsed().as_secs_f64() > seconds {
            break false;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = child.wait();
    passed
}

/// Calls `work` with each number below `count`, from a few threads.
fn in_parallel(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    work(at);
                }
            });
        }
    });
}

fn report(mutants: &[Mutant], known: &BTreeMap<usize, Outcome>) -> ExitCode {
    let mut counts = [0; 4];
    for (number, outcome) in known {
        let name = &mutants[number - 1].name;
        let place = match outcome {
            Outcome::Killed(_) => 0,
            Outcome::Survived(tests) => {
                println!("survived {tests} tests: {name}");
                1
            }
            Outcome::Unreached => {
                println!("reached by no test: {name}");
                2
            }
            Outcome::Unviable => 3,
        };
        counts[place] += 1;
    }
    let [killed, survived, unreached, unviable] = counts;
    println!("mutants: {killed} killed, {survived} survived, {unreached} not reached, {unviable} not compiled");
    if survived + unreached == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
