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
    assert_eq!(commands.len(), 6, "{commands:?}");
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
        lab.write("protocol.toml", scenario(DOC));
        lab.write("broken.toml", broken(&scenario(DOC)));
        let run = lab.shell(&format!("{here}\n{command}"));
        let (fails, play) = match (command.contains("--expect"), command.contains("broken.toml")) {
            (false, false) => (false, ""),
            (_, false) => (true, ""),
            (_, true) => (true, "orders of Tokyo: "),
        };
        assert_eq!(run.code, Some(if fails { 8 } else { 0 }), "{command}:\n{}", run.stderr);
        let xml = String::from_utf8(lab.read("simulate.xml")).unwrap();
        if fails {
            let counts = |xml: &str| xml.split_once(" errors=").unwrap().0.to_owned();
            assert!(DOC.contains(&counts(&xml)), "{xml}");
        }
        if has_python {
            let shown = lab.shell(&annotate);
            assert_eq!(shown.code, Some(0), "{annotate}{}", shown.stderr);
            let error = format!(
                "::error title={play}embodiment 4: dropped order::\
                 expected refused, found not detectable\n"
            );
            assert_eq!(shown.text(), if fails { error } else { String::new() });
        }
    }
}

/// The first TOML of a document.
fn scenario(document: &str) -> String {
    let (_, rest) = document.split_once("```toml\n").expect("the document has a scenario");
    rest.split_once("```").unwrap().0.to_owned()
}

/// A scenario that expects what cannot be.
fn broken(scenario: &str) -> String {
    let right = "\"dropped order\" = \"not detectable\"";
    assert!(scenario.contains(right), "{scenario}");
    scenario.replace(right, "\"dropped order\" = \"refused\"")
}

/// The scenario that ships with the project.
const FIXTURE: &str = include_str!("../fixtures/scenario.toml");

/// The reports of a scenario, one a line.
fn reports(stdout: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(stdout).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn values<T: Into<Value>>(values: [T; 2]) -> Vec<Value> {
    values.map(Into::into).into()
}

#[test]
fn the_scenario_of_the_readme_holds_with_a_report_for_each_play() {
    let lab = Lab::new();
    lab.write("scenario.toml", FIXTURE);
    let run = lab.ok("simulate --scenario scenario.toml --junit simulate.xml --json --seed 3");
    let reports = reports(&run.stdout);
    let plays: Vec<_> = reports.iter().map(|report| report["play"].as_str().unwrap()).collect();
    assert_eq!(plays, ["flow of the README", "repeats and users", "public keys"]);
    assert!(reports.iter().all(|report| report["held"] == true && report["seed"] == 3));
    let flow = &reports[0]["embodiments"][0];
    assert_eq!((&flow["sent"], &flow["received"]), (&600.into(), &600.into()));
    let users = &reports[1];
    assert_eq!(users["users"], 2);
    let of = |member: &str| -> Vec<Value> {
        let embodiments = users["embodiments"].as_array().unwrap().iter();
        embodiments.map(|embodiment| embodiment[member].clone()).collect()
    };
    assert_eq!((of("embodiment"), of("pool")), (values(["3", "4"]), values(["derived"; 2])));
    // Three clients and two users with three orders each.
    assert_eq!(of("sent"), values([15, 15]));
    assert_eq!(reports[2]["embodiments"][0]["alg"], "ECDH-ES+A256KW");
    let xml = String::from_utf8(lab.read("simulate.xml")).unwrap();
    assert!(xml.contains("<testsuite name=\"repeats and users: embodiment 3\""), "{xml}");
    assert!(tests_of(xml.as_bytes()).iter().all(|(_, failure)| failure.is_none()));
}

#[test]
fn a_scenario_with_a_wrong_expectation_fails_and_its_junit_file_says_where() {
    let lab = Lab::new();
    lab.write("scenario.toml", broken(FIXTURE));
    let line = "simulate --scenario scenario.toml --junit simulate.xml";
    let run = lab.command(&format!("{line} --json")).output().unwrap();
    assert_eq!(run.status.code(), Some(8), "{}", String::from_utf8_lossy(&run.stderr));
    let held: Vec<_> = reports(&run.stdout).iter().map(|report| report["held"].clone()).collect();
    assert_eq!(held, [true, false, true].map(Value::from));
    let error: Value = serde_json::from_slice(&run.stderr).unwrap();
    let message = "the simulation does not hold: 2 of 4 embodiments failed";
    assert_eq!(error["error"]["message"], message);
    let xml = String::from_utf8(lab.read("simulate.xml")).unwrap();
    let failed = tests_of(xml.as_bytes()).into_iter().filter(|(_, failure)| failure.is_some());
    let expected = "expected refused, found not detectable".to_owned();
    let expected = ("dropped order".to_owned(), Some(expected));
    assert_eq!(failed.collect::<Vec<_>>(), vec![expected; 2]);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let failures = document.descendants().filter(|node| node.has_tag_name("failure"));
    let suites: Vec<_> =
        failures.map(|node| node.parent().unwrap().attribute("classname").unwrap()).collect();
    assert_eq!(suites, ["repeats and users: embodiment 3", "repeats and users: embodiment 4"]);
    let table = lab.command(&format!("{line} --force")).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("\nrepeats and users:\n3  "), "{table}");
    assert!(table.contains("not detectable, expected refused"), "{table}");
}

#[test]
fn a_scenario_that_cannot_be_played_is_malformed_at_a_line() {
    let lab = Lab::new();
    let play = "[[play]]\nname = 'a'\n";
    for (line, text, words) in [
        (3, format!("{play}shop = 4\n"), &["unknown member \"shop\"", "did you mean shops?"][..]),
        (3, format!("{play}faults = yes\n"), &[]),
        (1, format!("{play}shops = 1\nfaults = true\n"), &["at least 2 shops"]),
        (1, format!("{play}embodiment = 1\nusers = 2\n"), &["no embodiment here", "users"]),
        (1, format!("{play}embodiment = 6\npool = 'derived'\n"), &["derive", "listed pool"]),
        (1, format!("{play}embodiment = 1\nwrap = 'A256KW'\n"), &["direct"]),
        (
            1,
            format!(
                "{play}embodiment = 4\nfaults = true\nexpect = {{ 'dropped block' = 'refused' }}\n"
            ),
            &["no embodiment here has the fault \"dropped block\""],
        ),
    ] {
        lab.write("scenario.toml", &text);
        let run = lab.refused(3, "simulate --scenario scenario.toml --junit simulate.xml");
        run.says(&[&format!("error: scenario.toml: line {line}: ")]).says(words);
        assert!(!lab.has("simulate.xml"), "{text}");
    }
    lab.write("scenario.toml", format!("{play}enc = 'des'\n"));
    lab.refused(4, "simulate --scenario scenario.toml").says(&["scenario.toml: line 1", "weak"]);
    lab.ok("simulate --scenario scenario.toml --allow-weak");
    lab.write("scenario.toml", [0xff]);
    lab.refused(3, "simulate --scenario scenario.toml").says(&["UTF-8"]);
    lab.refused(1, "simulate --scenario missing.toml").says(&["missing.toml"]);
    let good = format!("{play}embodiment = 2\n");
    lab.write("scenario.toml", &good);
    lab.refused(2, "simulate --scenario scenario.toml --junit scenario.toml --force")
        .says(&["both input and output"]);
    assert_eq!(lab.read("scenario.toml"), good.as_bytes());
    let run = lab.ok_with("simulate --scenario - --json", good.as_bytes());
    assert_eq!(run.json()["play"], "a");
}

#[test]
fn a_scenario_takes_no_option_that_it_could_have_as_a_member() {
    let lab = Lab::new();
    lab.write("scenario.toml", "[[play]]\nname = 'a'\nembodiment = 2\n");
    let options = [
        ("--embodiment", "=2"),
        ("--shops", "=2"),
        ("--clients", "=4"),
        ("--users", "=0"),
        ("--orders-each", "=3"),
        ("--erase", ""),
        ("--faults", ""),
        ("--expect", "=wrong key=refused"),
        ("--pool", "=listed"),
        ("--on-demand", ""),
        ("--enc", "=A256GCM"),
        ("--wrap", "=A256KW"),
        ("--rsa-bits", "=2048"),
        ("--curve", "=P-256"),
        ("--layers", "=1"),
    ];
    for (option, value) in options {
        let run = lab
            .command("simulate --scenario scenario.toml")
            .arg(format!("{option}{value}"))
            .output()
            .unwrap();
        let message = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{option}: {message}");
        let words = ["cannot be used with", "--scenario"];
        assert!(words.iter().all(|words| message.contains(words)), "{message}");
    }
    // All other options say how to play and report it.
    let help = lab.ok("simulate --help").text();
    let (help, _) = help.split_once("Common options").unwrap();
    let listed = help.lines().filter_map(|line| {
        line.trim()
            .split_once("--")
            .filter(|(before, _)| before.is_empty() || before.len() == 4 && before.starts_with('-'))
    });
    let mut listed: Vec<_> =
        listed.map(|(_, name)| format!("--{}", name.split([' ', '[']).next().unwrap())).collect();
    let others = ["--scenario", "--seed", "--junit", "--force", "--trace", "--help"];
    listed.retain(|name| !others.contains(&name.as_str()));
    listed.sort();
    let mut expected = options.map(|(option, _)| option);
    expected.sort();
    assert_eq!(listed, expected);
}

#[test]
fn the_seed_is_for_plays_that_name_none() {
    let lab = Lab::new();
    let members = "embodiment = 2\nshops = 1\nclients = 1\n";
    lab.write("scenario.toml", format!("[[play]]\nname = 'a'\n{members}"));
    let play = "simulate -e 2 --shops 1 --clients 1 --json";
    for seed in ["", "--seed 9"] {
        let mut named = lab.ok(&format!("simulate --scenario scenario.toml {seed} --json")).json();
        assert_eq!(named.as_object_mut().unwrap().remove("play"), Some("a".into()));
        assert_eq!(named, lab.ok(&format!("{play} {seed}")).json());
    }
    lab.write("scenario.toml", format!("[[play]]\nname = 'a'\nseed = 9\n{members}"));
    assert_eq!(lab.ok("simulate --scenario scenario.toml --json").json()["seed"], 9);
    lab.refused(2, "simulate --scenario scenario.toml --seed 9").says(&["line 1", "--seed"]);
}

#[test]
fn a_trace_of_a_scenario_names_the_play() {
    let lab = Lab::new();
    let play = |name| format!("[[play]]\nname = '{name}'\nembodiment = 2\nclients = 1\n");
    lab.write("scenario.toml", play("a") + &play("b"));
    let text = lab.ok("simulate --scenario scenario.toml --trace").text();
    assert!(text.starts_with("a: 2 ") && text.contains("\nb: 2 "), "{text}");
    let json = reports(&lab.ok("simulate --scenario scenario.toml --trace json").stdout);
    assert_eq!((&json[0]["play"], &json[json.len() - 1]["play"]), (&"a".into(), &"b".into()));
}

#[test]
fn users_order_under_their_own_ids_where_there_are_some() {
    let lab = Lab::new();
    let line = "simulate --shops 2 --clients 2 --users 3 --orders-each 1 --json";
    let report = lab.ok(line).json();
    for embodiment in report["embodiments"].as_array().unwrap() {
        let scheme = embodiment["scheme"].as_str().unwrap();
        let sent = if scheme.contains("transaction") { 5 } else { 2 };
        assert_eq!(
            (&embodiment["sent"], &embodiment["held"]),
            (&sent.into(), &true.into()),
            "{scheme}"
        );
    }
    lab.refused(2, "simulate -e 2 --users 1").says(&["users"]);
    lab.refused(2, "simulate -e 3 --enc vernam --allow-weak --users 1").says(&["users"]);
    let trace = lab.ok("simulate -e 4 --shops 1 --clients 1 --users 1 --erase --trace").text();
    for words in ["service: admit user-0", "service → shop-0: key of user-0", "user-0: erase all"]
    {
        assert!(trace.contains(words), "no {words:?} in:\n{trace}");
    }
}

#[test]
fn pools_are_derived_where_that_is_possible_and_the_same_for_the_same_seed() {
    let lab = Lab::new();
    let line = "simulate --pool derived --faults --shops 2 --clients 3 --users 1 --json";
    let report = lab.ok(line).json();
    for embodiment in report["embodiments"].as_array().unwrap() {
        let label = embodiment["embodiment"].as_str().unwrap();
        let pool = if ["3", "4", "7"].contains(&label) { "derived" } else { "listed" };
        assert_eq!(
            (&embodiment["pool"], &embodiment["held"]),
            (&pool.into(), &true.into()),
            "{label}"
        );
    }
    assert_eq!(lab.ok(line).json(), report);
    assert_ne!(lab.ok(&format!("{line} --seed 2")).json(), report);
    let listed = lab.ok("simulate -e 4 --shops 2 --clients 3 --json").json();
    let derived = lab.ok("simulate -e 4 --shops 2 --clients 3 --pool derived --json").json();
    let transcript = |report: &Value| report["embodiments"][0]["transcript_sha256"].clone();
    assert_ne!(transcript(&listed), transcript(&derived));
    lab.refused(2, "simulate -e 6 --pool derived").says(&["derive", "listed pool"]);
    for curve in ["X25519", "P-256"] {
        let curves = format!("-e 6,4 --wrap ECDH-ES+A256KW --curve {curve}");
        let report = lab.ok(&line.replace("simulate", &format!("simulate {curves}"))).json();
        let embodiments = report["embodiments"].as_array().unwrap();
        assert!(embodiments.iter().all(|it| it["pool"] == "derived" && it["held"] == true));
        assert_eq!(embodiments[1]["alg"], "ECDH-ES+A256KW");
    }
    lab.refused(2, "simulate -e 4 --pool derived --on-demand").says(&["cannot be used with"]);
    assert_eq!(lab.ok("simulate -e 3,7 --json").json()["embodiments"].as_array().unwrap().len(), 2);
}

#[test]
fn every_fault_of_a_report_is_in_the_table_of_the_formats() {
    let (_, formats) = include_str!("../docs/FORMATS.md").split_once("\n## Simulation\n").unwrap();
    let rows: Vec<_> = formats.lines().filter(|line| line.starts_with('|')).collect();
    let lab = Lab::new();
    for (embodiment, column) in [(5, 3), (1, 2)] {
        let line = format!("simulate -e {embodiment} --faults --clients 2 --json");
        let faults = lab.ok(&line).json()["embodiments"][0]["faults"].clone();
        for fault in faults.as_array().unwrap() {
            let name = fault["fault"].as_str().unwrap();
            let row = rows.iter().find(|row| row.split('|').nth(1).unwrap().contains(name));
            let row = row.unwrap_or_else(|| panic!("{name} is in no row"));
            let outcome = row.split('|').nth(column).unwrap().trim();
            assert_eq!(fault["observed"], outcome, "{name}: {row}");
        }
    }
}
