//! `bench`: its rows, its reports, and what it refuses.

use std::collections::BTreeSet;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::{Value, json};

/// Runs `orderseal bench` with arguments as one types them.
fn bench(arguments: &str) -> Assert {
    Command::new(env!("CARGO_BIN_EXE_orderseal"))
        .arg("bench")
        .args(arguments.split_whitespace())
        .assert()
}

fn stdout(arguments: &str) -> String {
    let output = bench(arguments).success().get_output().stdout.clone();
    String::from_utf8(output).expect("reports are text")
}

/// The header of `--json`, and the objects after it, one a line.
fn report(arguments: &str) -> (Value, Vec<Value>) {
    let mut objects: Vec<Value> = stdout(arguments)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let header = objects.remove(0);
    assert_eq!(header["schema"], 1, "{header}");
    (header, objects)
}

fn objects(arguments: &str) -> Vec<Value> {
    report(arguments).1
}

fn ids(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["id"].as_str().expect("an id is text")).collect()
}

/// `operation/cipher/backend/size`.
fn segments(id: &str) -> [&str; 4] {
    id.split('/').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{id:?}"))
}

#[test]
fn json_is_a_header_and_an_object_a_row() {
    let (header, rows) = report("--filter seal/grain128 xor/vernam --json --seconds 0.3");
    let members = |object: &Value| -> BTreeSet<String> {
        object.as_object().expect("an object").keys().cloned().collect()
    };
    let expected = [
        "backend",
        "backends",
        "clock",
        "commit",
        "cores",
        "date",
        "features",
        "load",
        "processor",
        "schema",
        "target",
        "threads",
        "version",
    ];
    assert!(members(&header).iter().eq(&expected), "{header}");
    assert_eq!(header["version"], env!("CARGO_PKG_VERSION"));
    let date = header["date"].as_str().expect("a date");
    assert!(date.len() == 20 && date.starts_with("20") && date.ends_with('Z'), "{date}");
    for row in &rows {
        let expected = [
            "bytes_per_second",
            "cycles_per_byte",
            "group",
            "id",
            "median",
            "noisy",
            "operations_per_second",
            "quartiles",
            "samples_per_second",
            "spread",
            "threads",
            "weak",
        ];
        assert!(members(row).iter().eq(&expected), "{row}");
        assert_eq!(row["threads"], 1);
        let rate = |name: &str| row[name].as_f64().expect("a rate is a number");
        let operations = rate("operations_per_second");
        assert!(operations > 0.0 && operations == rate("median"), "{row}");
        let [_, _, _, size] = segments(row["id"].as_str().expect("an id is text"));
        let size: f64 = size.parse().expect("a size is a number");
        assert!((rate("bytes_per_second") / operations / size - 1.0).abs() < 1e-3, "{row}");
        let [low, high] = [0, 1].map(|at| row["quartiles"][at].as_f64().expect("a quartile"));
        assert!(low <= operations && operations <= high, "{row}");
        assert!(((high - low) / operations - rate("spread")).abs() < 1e-3, "{row}");
        let samples = row["samples_per_second"].as_array().expect("an array");
        let below = samples.iter().filter(|rate| rate.as_f64() < Some(operations)).count();
        assert!(below <= samples.len() / 2, "{row}");
        if let Some(hertz) = header["clock"].as_f64() {
            let cycles = hertz / rate("bytes_per_second");
            assert!((rate("cycles_per_byte") / cycles - 1.0).abs() < 1e-3, "{row}");
        }
    }
    assert!(ids(&rows).contains(&"xor/vernam/portable/16384"));
}

#[test]
fn every_row_is_called_by_operation_cipher_backend_and_size() {
    // Far too short to measure, and without the largest messages and RSA, which take long.
    let some = "/64 /1024 256-gcm/rustcrypto/256 des/rustcrypto/16384 256-kw knapsack";
    let objects = objects(&format!("--filter {some} --json --seconds 0.5"));
    let ids = ids(&objects);
    for id in &ids {
        let [operation, cipher, backend, size] = segments(id);
        assert!(!operation.is_empty() && !cipher.is_empty(), "{id}");
        let backends = ["rustcrypto", "portable", "avx2", "vaes", "avx512", "neon"];
        assert!(backends.contains(&backend), "{id}");
        assert!(size.parse::<usize>().is_ok_and(|size| size > 0), "{id}");
    }
    for id in [
        "ecb/des/rustcrypto/16384",
        "ctr/aes-256/rustcrypto/64",
        "seal/aes-256-gcm/rustcrypto/256",
        "wrap/aes-256-kw/rustcrypto/32",
        "wrap/knapsack/portable/32",
        "cbc-encrypt/feal8/portable/1024",
    ] {
        assert!(ids.contains(&id), "{id} is missing");
    }
}

#[test]
fn orders_are_sealed_and_opened_by_the_batch_and_by_the_crates() {
    let objects = objects("--filter seal-jwe/A256KW open-jwe/A256KW --json --seconds 0.3");
    let ids = ids(&objects);
    for operation in ["seal-jwe", "open-jwe"] {
        let of = |id: &&&str| id.starts_with(operation) && id.ends_with("/256");
        assert!(ids.iter().filter(of).count() >= 2, "{ids:?}");
        assert!(ids.contains(&format!("{operation}/A256KW+A256GCM/rustcrypto/256").as_str()));
    }
}

#[test]
fn a_filter_chooses_by_substrings_in_either_case() {
    let objects = objects("--filter KNAPSACK --json --seconds 0.1");
    let [wrap, unwrap, keygen] = ["wrap", "unwrap", "keygen"];
    let found: Vec<_> = ids(&objects).into_iter().map(segments).collect();
    assert!(found.iter().map(|id| id[0]).eq([wrap, unwrap, keygen]), "{found:?}");
    assert!(found.iter().all(|id| id[1] == "knapsack"), "{found:?}");
}

#[test]
fn a_filter_that_matches_nothing_is_a_usage_error_with_ids_to_choose_from() {
    let refused = bench("--filter nosuch neither").code(2);
    let output = refused.get_output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.stdout.is_empty());
    assert!(stderr.contains("orderseal: error: no row of bench is called nosuch or neither"));
    let hint = "orderseal: hint: rows are called like ";
    let hint = stderr.lines().find_map(|line| line.strip_prefix(hint));
    for id in hint.unwrap_or_else(|| panic!("{stderr}")).split(", ") {
        segments(id);
    }
}

#[test]
fn seconds_and_threads_are_checked() {
    for wrong in ["--seconds 0", "--seconds -1", "--seconds soon", "--threads 0"] {
        bench(wrong).code(2);
    }
}

#[test]
fn the_table_names_the_machine_compares_backends_and_marks_what_is_weak() {
    let table = stdout("--filter feal8/portable/16384 grain128/portable/256 --seconds 0.1");
    for header in ["orderseal ", "processor ", "backends ", "threads    1 of "] {
        assert!(table.lines().any(|line| line.starts_with(header)), "{header}\n{table}");
    }
    let row = |id: &str| {
        let line = table.lines().find(|line| line.starts_with(id));
        line.unwrap_or_else(|| panic!("{id}\n{table}"))
    };
    assert!(row("cbc-decrypt/feal8/portable/16384").ends_with("weak"));
    assert!(!row("seal/grain128/portable/256").ends_with("weak"));
    assert!(table.contains("\nweak: for teaching and old data only\n"), "{table}");
    assert!(row("ciphers").contains("of best") && row("ciphers").contains("spread"));
    assert!(table.contains("\nstarted    20"), "{table}");
}

#[test]
fn threads_run_side_by_side() {
    let objects = objects("--filter keygen/lfsr --threads 2 --json --seconds 0.1");
    assert_eq!(objects[0]["threads"], 2);
}

#[test]
fn backends_are_compared_with_the_first_that_is_named() {
    let table = stdout("--compare portable rustcrypto --filter ecb/des/ --seconds 0.1");
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("ecb/des/")).collect();
    assert!(!rows.is_empty() && rows.len() % 2 == 0, "{table}");
    for pair in rows.chunks(2) {
        assert!(
            pair[0].starts_with("ecb/des/portable/") && pair[0].contains(" 1.00 × "),
            "{pair:?}"
        );
        assert!(pair[1].starts_with("ecb/des/rustcrypto/") && pair[1].contains(" × "), "{pair:?}");
    }
    assert!(table.contains("\n× portable: "), "{table}");
    for wrong in ["--compare portable sse9", "--compare portable"] {
        bench(wrong).code(2);
    }
}

#[test]
fn cycles_are_told_where_the_clock_is_known() {
    let known = cfg!(target_arch = "x86_64");
    let table =
        |threads| stdout(&format!("--filter xor/vernam/portable/64 --seconds 0.1{threads}"));
    assert_eq!(table("").contains("cycles/B"), known);
    // Threads may run at a clock each.
    assert!(!table(" --threads 2").contains("cycles/B"));
}

#[test]
fn a_chart_has_a_label_and_dots_for_every_question_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let chart = folder.path().join("chart.svg");
    let command =
        format!("--filter feal8/ grain128/portable/256 --seconds 0.1 --svg {}", chart.display());
    stdout(&command);
    let drawn = std::fs::read_to_string(&chart).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    for label in [
        "cbc-decrypt feal8 16 KiB †</text>",
        "seal grain128 256 B</text>",
        "ciphers: bytes a second",
    ] {
        assert!(drawn.contains(label), "{label}\n{drawn}");
    }
    let questions = drawn.matches("text-anchor=\"end\"").count();
    assert!(drawn.matches("class=\"mark ").count() > questions, "{drawn}");
    assert!(drawn.contains("prefers-color-scheme: dark"), "{drawn}");
    bench(&command).code(2);
    assert_eq!(std::fs::read_to_string(&chart).unwrap(), drawn);
    bench(&format!("{command} --force")).success();
}

#[test]
fn scaling_is_measured_beside_a_copy_on_every_number_of_threads() {
    let objects = objects("--scale --threads 2 --seconds 0.01 --json");
    let ids = ids(&objects);
    for operation in ["copy", "seal-jwe", "open-jwe", "seal-stream", "open-stream"] {
        let found: Vec<_> = ids.iter().filter(|id| segments(id)[0] == operation).collect();
        assert_eq!(found.len(), 2, "{operation}");
    }
    for (object, id) in objects.iter().zip(ids) {
        let number = |name: &str| object[name].as_f64().unwrap_or_else(|| panic!("{name} of {id}"));
        assert!(number("bytes_per_second") > number("operations_per_second"), "{object}");
        if object["threads"] == 1 {
            assert_eq!(number("speed_up"), 1.0, "{object}");
        }
        if id.starts_with("copy/") {
            assert_eq!(number("share_of_copy"), 1.0, "{object}");
        }
    }
    bench("--scale --filter aes").code(2);
}

#[test]
fn the_cost_of_a_scheme_is_split_into_its_parts() {
    let costs =
        objects("--embodiment all --orders 3 --size 64 --rsa-bits 2048 --seconds 0.01 --json");
    let numbers: Vec<_> = costs.iter().map(|cost| cost["embodiment"].as_u64()).collect();
    let expected = [Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), None, None];
    assert_eq!(numbers, expected);
    for cost in &costs {
        let parts = cost["seconds"].as_object().expect("an object");
        let part = |name: &str| parts[name].as_f64().unwrap_or_else(|| panic!("{name}: {cost}"));
        let names = ["keys", "bundle", "seal", "wrap", "format", "unwrap", "open"];
        assert_eq!(parts.len(), names.len(), "{cost}");
        let sum: f64 = names.map(part).iter().sum();
        assert!((sum / cost["total_seconds"].as_f64().unwrap() - 1.0).abs() < 1e-3, "{cost}");
        let hybrid = cost["scheme"].as_str().unwrap().starts_with("hybrid");
        let has = if hybrid { ["wrap", "unwrap"] } else { ["seal", "open"] };
        assert!(has.map(part).iter().all(|&seconds| seconds > 0.0), "{cost}");
    }
    let table = stdout("--embodiment 4 --orders 3 --seconds 0.01");
    assert!(table.lines().any(|line| line.starts_with("4  hybrid transaction secret ")), "{table}");
    for wrong in ["--embodiment 7", "--orders 5", "--embodiment 1 --filter aes"] {
        bench(wrong).code(2);
    }
}

#[test]
fn pools_of_both_kinds_are_measured_with_files_of_growing_numbers_of_ids() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let run = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orderseal"));
        command.arg("bench").args(arguments.split_whitespace()).env("TMPDIR", folder.path());
        command.assert()
    };
    let output = run("--embodiment 4 --pool listed derived --orders 250 --size 64 --json");
    let output = output.success().get_output().stdout.clone();
    let mut costs: Vec<Value> = output
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("each line is JSON"))
        .collect();
    assert_eq!(costs.remove(0)["schema"], 1);
    let rows: Vec<_> =
        costs.iter().map(|cost| (cost["pool"].as_str(), cost["ids"].as_u64())).collect();
    let of = |pool| [2, 25, 250].map(|ids| (Some(pool), Some(ids)));
    assert_eq!(rows, [of("listed"), of("derived")].concat());
    for cost in &costs {
        let steps = cost["processor_seconds"].as_object().expect("an object");
        assert_eq!(steps.len(), 7, "{cost}");
        assert!(steps.values().all(|time| time.as_f64().is_some_and(|time| time > 0.0)), "{cost}");
    }
    // What is derived does not grow with the number of ids; what is listed does.
    let bytes = |at: usize| costs[at]["bundle_bytes"].as_u64().expect("a length");
    assert!(bytes(2) > 5 * bytes(0) && bytes(5) < bytes(2) / 5, "{costs:?}");

    let table = run("--embodiment 3 --pool derived --orders 1 --size 0").success();
    let table = String::from_utf8_lossy(&table.get_output().stdout).into_owned();
    assert!(table.contains("derived") && table.contains("one order"), "{table}");
    let table = run("--embodiment 6 --pool derived --curve X25519 --orders 3").success();
    let table = String::from_utf8_lossy(&table.get_output().stdout).into_owned();
    assert!(table.contains("embodiment 6, ECDH-ES+A256KW on X25519, orders"), "{table}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "files are left");

    for wrong in [
        "--pool listed",
        "--embodiment 5 --pool derived",
        "--embodiment 4 --pool derived --curve P-256",
        "--embodiment 6 --curve P-256",
        "--embodiment 2 --pool listed",
        "--embodiment 4 --pool none",
        "--embodiment 4 --orders 100001",
    ] {
        run(wrong).code(2);
    }
}

/// A run as `--json` prints it, with the rates of rows in blocks of three samples.
fn run(rows: &[(&str, f64)], step: f64) -> String {
    let mut lines = json!({
        "schema": 1, "version": "0.1.0", "commit": "c0ffee", "target": "t", "date": "2026-01-01T00:00:00Z",
        "processor": "made up", "features": ["aes"], "clock": null, "backends": ["portable"],
        "backend": "portable", "threads": 1, "cores": 2, "load": 0.1,
    })
    .to_string()
        + "\n";
    for (id, rate) in rows {
        // Twenty blocks, a step from each to the next.
        let samples: Vec<f64> = (0..60)
            .map(|sample| {
                rate * (1.0 + step * f64::from(sample / 3 * 7 % 20))
                    * [0.9, 1.0, 1.1][sample as usize % 3]
            })
            .collect();
        let row = json!({
            "id": id, "group": "ciphers", "threads": 1, "bytes_per_second": rate,
            "operations_per_second": rate, "median": rate, "quartiles": [rate * 0.9, rate * 1.1],
            "spread": 0.2, "cycles_per_byte": null, "noisy": true, "weak": false,
            "samples_per_second": samples,
        });
        lines += &format!("{row}\n");
    }
    // A header is known by its first member.
    let header = lines.lines().next().unwrap().to_owned();
    let first = format!("{{\"schema\":1,{}", &header[1..].replacen("\"schema\":1,", "", 1));
    lines.replacen(&header, &first, 1)
}

/// Runs of made-up rows compared with earlier ones.
fn compare(before: &str, now: &str, options: &str) -> Assert {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, lines: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, lines).unwrap();
        path.display().to_string()
    };
    let (before, now) = (file("before.json", before), file("now.json", now));
    bench(&format!("--baseline {before} --from {now} {options}"))
}

/// The end of the line about a row.
fn verdict(compared: &Assert, id: &str) -> String {
    let table = String::from_utf8(compared.get_output().stdout.clone()).unwrap();
    let line = table.lines().find(|line| line.starts_with(id));
    let line = line.unwrap_or_else(|| panic!("{id}\n{table}"));
    line.rsplit("  ").next().unwrap().to_owned()
}

fn stderr(run: &Assert) -> String {
    String::from_utf8_lossy(&run.get_output().stderr).into_owned()
}

#[test]
fn a_row_that_is_slower_than_in_the_baseline_has_an_exit_code() {
    let before = run(&[("a/b/x/1", 1000.0), ("c/d/x/1", 1e6), ("old/d/x/1", 1.0)], 0.002);
    let now = run(&[("a/b/x/1", 900.0), ("c/d/x/1", 1.2e6), ("new/d/x/1", 1.0)], 0.002);
    let compared = compare(&before, &now, "--fail-on 5%").code(9);
    for (id, word) in
        [("a/", "slower"), ("c/", "faster"), ("old/", "only before"), ("new/", "only now")]
    {
        assert_eq!(verdict(&compared, id), word);
    }
    let told = "error: 1 of 2 rows are slower than in the baseline";
    assert!(stderr(&compared).contains(told), "{}", stderr(&compared));
    // Without --fail-on nothing is judged, and beyond the limit nothing is slower.
    compare(&before, &now, "").code(0);
    assert_eq!(verdict(&compare(&before, &now, "--fail-on 15%").code(0), "a/"), "same");
    assert_eq!(verdict(&compare(&before, &before, "--fail-on 5%").code(0), "a/"), "same");
    compare(&before, &run(&[("other/b/x/1", 1.0)], 0.0), "--fail-on 5%").code(2);
    bench("--fail-on 5%").code(2);
}

#[test]
fn a_row_that_is_too_noisy_is_not_judged() {
    let before = run(&[("a/b/x/1", 1000.0)], 0.02);
    let now = run(&[("a/b/x/1", 930.0)], 0.02);
    let compared = compare(&before, &now, "--fail-on 5%").code(0);
    assert_eq!(verdict(&compared, "a/"), "too noisy");
    assert!(
        stderr(&compared).contains("warning: 1 of 1 rows are too noisy, or have too few samples"),
        "{}",
        stderr(&compared)
    );
}

#[test]
fn of_several_runs_in_a_file_the_medians_are_compared() {
    let runs = |rate: f64, runs: i32| -> String {
        (0..runs).map(|round| run(&[("a/b/x/1", rate + f64::from(round))], 0.0)).collect()
    };
    let compared = compare(&runs(1000.0, 6), &runs(900.0, 6), "--fail-on 5%").code(9);
    assert_eq!(verdict(&compared, "a/"), "slower");
    let compared = compare(&runs(1000.0, 2), &runs(900.0, 2), "--fail-on 5%").code(0);
    assert_eq!(verdict(&compared, "a/"), "too few samples");
}

#[test]
fn another_machine_is_no_baseline() {
    let before = run(&[("a/b/x/1", 1000.0)], 0.002);
    let other = before.replace("made up", "another");
    let refused = compare(&before, &other, "--fail-on 5%").code(2);
    assert!(stderr(&refused).contains("measured with another processor"), "{}", stderr(&refused));
    let warned = compare(&before, &other, "").code(0);
    assert!(stderr(&warned).contains("warning: "), "{}", stderr(&warned));
}

#[test]
fn what_is_no_report_is_refused_with_file_and_line() {
    let row = run(&[("a/b/x/1", 1000.0)], 0.0);
    let refused = compare(&format!("{row}{{}}\n"), &row, "").code(3);
    assert!(
        stderr(&refused).contains("before.json: line 3: not measurements: "),
        "{}",
        stderr(&refused)
    );
    let old = row.lines().nth(1).unwrap();
    compare(old, &row, "").code(3);
}

#[test]
fn a_comparison_is_a_baseline_for_the_next_and_tells_machines_the_change() {
    let before = run(&[("a/b/x/1", 1000.0)], 0.002);
    let now = run(&[("a/b/x/1", 800.0)], 0.002);
    let compared = compare(&before, &now, "--fail-on 5% --json").code(9);
    let lines = String::from_utf8(compared.get_output().stdout.clone()).unwrap();
    let row: Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    assert_eq!(row["baseline"], json!({"ratio": 0.8, "verdict": "slower"}));
    assert_eq!(verdict(&compare(&lines, &now, "--fail-on 5%").code(0), "a/"), "same");
}

#[test]
fn a_measured_row_is_compared_with_its_own_past() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("before.json");
    let before = stdout("--filter xor/vernam/portable/64 --json --seconds 1");
    // A thousand times as fast: slower now, however busy the machine is.
    let faster = before.lines().map(faster).collect::<String>();
    std::fs::write(&file, faster).unwrap();
    let compared =
        bench(&format!("--baseline {} --fail-on 50% --seconds 1", file.display())).code(9);
    assert_eq!(verdict(&compared, "xor/vernam/portable/64"), "slower");
}

/// The line of a row that is a thousand times as fast; a header stays as it is.
fn faster(line: &str) -> String {
    let mut object: Value = serde_json::from_str(line).unwrap();
    if let Some(samples) = object["samples_per_second"].as_array_mut() {
        samples.iter_mut().for_each(|rate| *rate = json!(rate.as_f64().unwrap() * 1e3));
        return format!("{object}\n");
    }
    format!("{line}\n")
}

#[test]
fn earlier_runs_are_shown_as_csv_as_markdown_and_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| {
        let path = folder.path().join(name);
        let lines = run(&[("seal/b/portable/1", 1e6), ("open/b/other/2", 2e6)], 0.0);
        std::fs::write(&path, lines.replace("made up", &format!("{name}, \\\"made\\\" up")))
            .unwrap();
        path.display().to_string()
    });
    let csv = stdout(&format!("--from {one} {two} --csv"));
    let lines: Vec<_> = csv.lines().collect();
    assert!(
        lines[0].starts_with("id,group,threads,bytes_per_second,operations_per_second,"),
        "{csv}"
    );
    let row = "seal/b/portable/1,ciphers,1,1000000,1000000,";
    assert!(lines[1].starts_with(row) && lines[1].contains(",\"one, \"\"made\"\" up\","), "{csv}");
    assert_eq!(lines.len(), 5);

    let markdown = stdout(&format!("--from {one} --filter OPEN --markdown"));
    assert!(
        markdown.contains("\n| ciphers | bytes/s | operations/s | spread | of best |"),
        "{markdown}"
    );
    assert!(markdown.contains("\n| open/b/other/2 | 2.00 MB | 2.00 M |"), "{markdown}");
    assert!(!markdown.contains("seal/b"), "{markdown}");

    let chart = folder.path().join("chart.svg");
    stdout(&format!("--from {one} {two} --svg {}", chart.display()));
    let drawn = std::fs::read_to_string(chart).unwrap();
    roxmltree::Document::parse(&drawn).expect("the chart is XML");
    for words in
        ["on one, \"made\" up, one thread", "on two, ", "seal b 1 B</text>", ">other</text>"]
    {
        assert!(drawn.contains(words), "{words}\n{drawn}");
    }
    assert_eq!(drawn.matches("class=\"mark portable\"").count(), 3, "legend and two runs");
    bench(&format!("--from {one} --filter nosuch")).code(2);
    bench(&format!("--from {one} --csv --markdown")).code(2);
    bench(&format!("--from {one} --csv --json")).code(2);
}

#[test]
fn rows_are_listed_without_being_measured() {
    let listed = stdout("--list --filter wrap/A256KW");
    let rows: Vec<_> = listed.lines().map(segments).collect();
    assert!(rows.iter().any(|row| row[..3] == ["wrap", "aes-256-kw", "rustcrypto"]), "{listed}");
    assert!(rows.iter().all(|row| row[0].ends_with("wrap") && row[1] == "aes-256-kw"), "{listed}");
    assert!(stdout("--list").lines().count() > 50);
    bench("--list --filter nosuch").code(2);
}
