//! `simulate` in CI: the exit code and the reports of a simulation that does not hold.

mod common;

use common::Lab;
use serde_json::Value;

/// Two embodiments would take longer and show the same.
const PLAY: &str = "simulate -e 4 --shops 2 --clients 3 --seed 7";

#[test]
fn a_simulation_that_does_not_hold_has_an_exit_code_of_its_own() {
    let lab = Lab::new();
    let expect = ["--faults", "--expect", "dropped order=refused", "--json"];
    let run = lab.command(PLAY).args(expect).output().unwrap();
    assert_eq!(run.status.code(), Some(8));
    let message = String::from_utf8(run.stderr).unwrap();
    let error: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(error["error"]["kind"], "not-held");
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["held"], false);
    let faults = report["embodiments"][0]["faults"].as_array().unwrap();
    let failed: Vec<_> = faults.iter().filter(|fault| fault["held"] == false).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["fault"], "dropped order");
    assert_eq!(failed[0]["expected"], "refused");
    assert_eq!(failed[0]["observed"], "not detectable");
    let script = format!(
        "set -o pipefail; \"$ORDERSEAL\" {PLAY} --faults --expect 'dropped order=refused' | true"
    );
    assert_eq!(lab.shell(&script).code, Some(8), "the reader of the report is gone");
}

#[test]
fn what_a_user_expects_replaces_the_table_and_the_last_counts() {
    let lab = Lab::new();
    let twice = ["--expect", "dropped order=refused", "--expect", "Dropped Order=not detectable"];
    let run = lab.command(PLAY).arg("--faults").args(twice).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn an_expectation_that_nothing_checks_is_refused() {
    let lab = Lab::new();
    for (expect, words) in [
        (
            "first block replaced=harmless",
            "no embodiment here has the fault \"first block replaced\"",
        ),
        ("dropped=refused", "dropped order"),
        ("dropped order=lost", "not detectable"),
        ("dropped order", "FAULT=OUTCOME"),
    ] {
        let run = lab.command(PLAY).args(["--faults", "--expect", expect]).output().unwrap();
        let message = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{expect}: {message}");
        assert!(message.contains(words), "{expect}: {message}");
    }
    lab.refused(2, &format!("{PLAY} --expect wrong_key=refused"));
}

/// Name of each test in a JUnit file, and the message of its failure.
fn tests_of(xml: &[u8]) -> Vec<(String, Option<String>)> {
    let text = std::str::from_utf8(xml).unwrap();
    let document =
        roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> usize {
        node.attribute(name).unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    };
    let mut tests = Vec::new();
    for suite in root.children().filter(|node| node.has_tag_name("testsuite")) {
        let before = tests.len();
        for test in suite.children().filter(|node| node.has_tag_name("testcase")) {
            let failure = test.children().find(|node| node.has_tag_name("failure"));
            let message = failure.map(|node| node.attribute("message").unwrap().to_owned());
            tests.push((test.attribute("name").unwrap().to_owned(), message));
        }
        let failed = tests[before..].iter().filter(|(_, message)| message.is_some()).count();
        assert_eq!(
            (number(suite, "tests"), number(suite, "failures")),
            (tests.len() - before, failed)
        );
        assert!(suite.attribute("time").unwrap().parse::<f64>().unwrap() > 0.0);
    }
    let failed = tests.iter().filter(|(_, message)| message.is_some()).count();
    assert_eq!((number(root, "tests"), number(root, "failures")), (tests.len(), failed));
    tests
}

#[test]
fn a_junit_file_has_a_test_for_each_check() {
    let lab = Lab::new();
    let report = lab.ok(&format!("{PLAY} --faults --junit simulate.xml --json")).json();
    let tests = tests_of(&lab.read("simulate.xml"));
    assert!(tests.iter().all(|(_, failure)| failure.is_none()), "{tests:?}");
    let names: Vec<_> = tests.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["messages and erasing", "orders of shop-0", "orders of shop-1"]);
    let faults = report["embodiments"][0]["faults"].as_array().unwrap().iter();
    assert_eq!(
        names[3..],
        *faults.map(|fault| fault["fault"].as_str().unwrap()).collect::<Vec<_>>()
    );
}

#[test]
fn a_junit_file_is_written_when_the_simulation_does_not_hold() {
    let lab = Lab::new();
    let expect = ["--faults", "--expect", "dropped order=refused", "--junit", "simulate.xml"];
    let run = lab.command(PLAY).args(expect).output().unwrap();
    assert_eq!(run.status.code(), Some(8));
    let tests = tests_of(&lab.read("simulate.xml"));
    let failed: Vec<_> = tests.iter().filter(|(_, failure)| failure.is_some()).collect();
    let message = "expected refused, found not detectable".to_owned();
    assert_eq!(failed, [&("dropped order".to_owned(), Some(message))]);
}

#[test]
fn a_junit_file_has_a_suite_for_each_embodiment_and_replaces_no_file_unasked() {
    let lab = Lab::new();
    let line = "simulate --shops 2 --clients 2 --orders-each 1 --junit simulate.xml";
    lab.write("simulate.xml", "mine");
    lab.refused(2, line).says(&["simulate.xml", "--force"]);
    assert_eq!(lab.read("simulate.xml"), b"mine");
    lab.ok(&format!("{line} --force"));
    // Nine embodiments, each with its messages and two shops.
    assert_eq!(tests_of(&lab.read("simulate.xml")).len(), 27);
}

#[test]
fn a_junit_report_on_stdout_leaves_other_reports_to_stderr() {
    let lab = Lab::new();
    let run = lab.ok(&format!("{PLAY} --junit - --json"));
    assert_eq!(tests_of(&run.stdout).len(), 3);
    let report: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(report["held"], true);
    let run = lab.ok(&format!("{PLAY} --junit -"));
    assert_eq!(tests_of(&run.stdout).len(), 3);
    run.says(&["embodiment", "held"]);
    lab.refused(2, &format!("{PLAY} --junit - --trace")).says(&["stdout"]);
}

/// Runs the scripts in `docs/CI.md`, without the installation.
#[test]
fn the_documented_jobs_run_and_show_what_failed() {
    const DOC: &str = include_str!("../docs/CI.md");
    let lines = DOC.lines().map(|line| line.trim().trim_start_matches("- "));
    let commands: Vec<_> = lines.filter(|line| line.starts_with("orderseal simulate ")).collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    let annotate = DOC.lines().skip_while(|line| !line.trim().starts_with("python3 - "));
    let annotate = annotate.map(|line| line.strip_prefix("          ").expect("the step's indent"));
    let annotate: Vec<_> = annotate.take_while(|line| *line != "END").collect();
    let annotate = format!("{}\nEND\n", annotate.join("\n"));
    let has_python = Lab::new().shell("python3 --version").code == Some(0);
    if !has_python {
        common::not_run("annotations of docs/CI.md", "python3 is not installed");
    }
    let here = "orderseal() { \"$ORDERSEAL\" \"$@\"; }; GITHUB_RUN_NUMBER=3 CI_PIPELINE_IID=4";
    for command in commands {
        let lab = Lab::new();
        let run = lab.shell(&format!("{here}\n{command}"));
        let fails = command.contains("--expect");
        assert_eq!(run.code, Some(if fails { 8 } else { 0 }), "{command}:\n{}", run.stderr);
        assert!(lab.has("simulate.xml"), "{command}");
        if has_python {
            let shown = lab.shell(&annotate);
            assert_eq!(shown.code, Some(0), "{annotate}{}", shown.stderr);
            let error = "::error title=embodiment 4: dropped order::\
                         expected refused, found not detectable\n";
            assert_eq!(shown.text(), if fails { error } else { "" });
        }
    }
}
