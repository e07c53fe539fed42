//! `bench`: its rows, its reports, and what it refuses.

use std::collections::BTreeSet;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;

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

/// The objects of `--json`, one a line.
fn objects(arguments: &str) -> Vec<Value> {
    stdout(arguments)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

fn ids(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["id"].as_str().expect("an id is text")).collect()
}

/// `operation/cipher/backend/size`.
fn segments(id: &str) -> [&str; 4] {
    id.split('/').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{id:?}"))
}

#[test]
fn json_is_an_object_a_row_with_id_threads_and_rates() {
    let objects = objects("--filter seal/grain128 xor/vernam --json --seconds 0.3");
    for object in &objects {
        let members: BTreeSet<_> = object.as_object().expect("an object").keys().collect();
        let expected = ["bytes_per_second", "id", "operations_per_second", "threads"];
        assert!(members.iter().eq(&expected), "{object}");
        assert_eq!(object["threads"], 1);
        let [bytes, operations] = ["bytes_per_second", "operations_per_second"]
            .map(|name| object[name].as_f64().expect("a rate is a number"));
        assert!(operations > 0.0, "{object}");
        let [_, _, _, size] = segments(object["id"].as_str().expect("an id is text"));
        let size: f64 = size.parse().expect("a size is a number");
        assert!((bytes / operations / size - 1.0).abs() < 1e-3, "{object}");
    }
    assert!(ids(&objects).contains(&"xor/vernam/portable/16384"));
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
        let backends = ["rustcrypto", "portable", "avx2", "vaes", "avx512"];
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
    assert!(rows.iter().any(|row| row.starts_with("ecb/des/rustcrypto/16384")), "{table}");
    for row in rows {
        let base = row.starts_with("ecb/des/portable/");
        assert!(row.contains(if base { " 1.00 × " } else { " × " }), "{row}");
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
    assert!(drawn.matches("<circle ").count() > questions, "{drawn}");
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
    let costs: Vec<Value> = output
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("each line is JSON"))
        .collect();
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
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "files are left");

    for wrong in [
        "--pool listed",
        "--embodiment 6 --pool derived",
        "--embodiment 2 --pool listed",
        "--embodiment 4 --pool none",
        "--embodiment 4 --orders 100001",
    ] {
        run(wrong).code(2);
    }
}
