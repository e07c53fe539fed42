//! Sealed streams: whole files of any kind through `encrypt --stream` and `decrypt`, and what someone
//! may do to them on their way.

mod common;

use common::{Lab, header, not_run};

/// Bytes of every chunk but the last, sealed.
const SEALED_CHUNK: usize = CHUNK + 16;

/// Bytes of every chunk but the last.
const CHUNK: usize = 16 << 10;

/// Bytes that stand between the first line and the first chunk.
const PREFIX: usize = 56;

/// Bytes of all values, line feeds among them.
fn bytes(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[track_caller]
fn seal(lab: &Lab, content: &[u8]) -> Vec<u8> {
    lab.ok_with("encrypt --bundle client.jwks --stream", content).stdout
}

/// The first line, with its line feed, and the rest.
fn parts(sealed: &[u8]) -> (&[u8], &[u8]) {
    let end = sealed.iter().position(|&byte| byte == b'\n').expect("a first line");
    sealed.split_at(end + 1)
}

/// ChunkBlock of a sealed stream.
fn chunks(sealed: &[u8]) -> Vec<&[u8]> {
    parts(sealed).1[PREFIX..].chunks(SEALED_CHUNK).collect()
}

/// A stream with other chunks.
fn with_chunks(sealed: &[u8], chunks: &[&[u8]]) -> Vec<u8> {
    let (line, rest) = parts(sealed);
    [line, &rest[..PREFIX], &chunks.concat()].concat()
}

/// Asserts that a stream is refused as not authentic, and that no file is left.
#[track_caller]
fn forged(lab: &Lab, sealed: &[u8]) {
    lab.write("forged.sealed", sealed);
    let run = lab.refused(5, "decrypt --bundle tokyo.jwks forged.sealed -o opened");
    assert_eq!(run.stderr, "orderseal: error: forged.sealed: authentication failed\n");
    assert!(!lab.has("opened"));
    assert!(!lab.names().iter().any(|name| name.ends_with("orderseal-tmp")), "{:?}", lab.names());
}

#[test]
fn files_of_any_length_come_back_in_every_embodiment() {
    for options in [
        "--embodiment 1",
        "--embodiment 2",
        "--embodiment 2 --enc A128CBC-HS256",
        "--embodiment 3",
        "--embodiment 4 --wrap A128GCMKW",
        "--embodiment 5 --rsa-bits 2048",
        "--embodiment 6 --rsa-bits 2048",
        "--content hybrid --scope shop --kind public --rsa-bits 2048",
    ] {
        let lab = Lab::with_keys(options, 3);
        for len in [0, CHUNK, 20 * CHUNK + 1] {
            lab.write("in", bytes(len));
            lab.ok("encrypt --bundle client.jwks --stream in -o in.sealed --force");
            lab.ok("decrypt --bundle tokyo.jwks in.sealed -o out --force");
            assert!(lab.read("out") == bytes(len), "{options}, {len} bytes");
        }
    }
}

#[test]
fn lengths_around_chunks_and_blocks_come_back_at_any_thread_count() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let edges = [1, CHUNK, 16 * CHUNK, 32 * CHUNK, 200 * CHUNK];
    for len in edges.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]) {
        let content = bytes(len);
        for threads in [1, 5] {
            let seal = format!("encrypt --bundle client.jwks --stream --threads {threads}");
            let sealed = lab.ok_with(&seal, &content).stdout;
            assert_eq!(chunks(&sealed).concat().len(), len + 16 * (len / CHUNK + 1));
            let open = format!("decrypt --bundle tokyo.jwks --threads {threads}");
            assert!(lab.ok_with(&open, &sealed).stdout == content, "{len} bytes");
        }
    }
}

#[test]
fn chained_typed_and_lone_keys_seal_streams_as_well() {
    let lab = Lab::new();
    let content = bytes(CHUNK + 1);
    lab.ok("keygen --alg A256KW -o kek.jwk");
    lab.ok("keygen --alg A128GCM -o cek.jwk");
    lab.write("typed", "correct horse\n");
    for options in ["kek.jwk", "cek.jwk", "kek.jwk --layers 3", "kek.jwk --typed-key typed"] {
        let sealed = lab.ok_with(&format!("encrypt --stream --key {options}"), &content).stdout;
        let key = options.split(' ').next().expect("a name");
        let opened = lab.ok_with(&format!("decrypt --key {key}"), &sealed).stdout;
        assert!(opened == content, "{options}");
    }
}

#[test]
fn a_stream_spends_one_transaction_id_and_a_failed_one_gives_it_back() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.write("in", bytes(50_000));
    let spent = || lab.json("client.jwks")["orderseal"]["shops"]["tokyo"]["spent"].clone();
    lab.ok("encrypt --bundle client.jwks --stream in -o in.sealed");
    assert_eq!(spent().as_array().expect("ids").len(), 1);
    // A folder opens and cannot be read; the output does not come to be.
    lab.shell("mkdir folder");
    lab.refused(1, "encrypt --bundle client.jwks --stream folder -o more.sealed");
    lab.ok("encrypt --bundle client.jwks --stream in -o more.sealed");
    assert_eq!(spent().as_array().expect("ids").len(), 2);
    lab.refused(4, "encrypt --bundle client.jwks --stream in -o third.sealed");
    assert!(!lab.has("third.sealed"));
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.write("in", bytes(2_000_000));
    let run = lab.shell("$ORDERSEAL encrypt --bundle client.jwks --stream in -o /dev/full");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
}

#[test]
fn reports_count_every_byte_of_a_stream() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    for len in [0, 1, 70_000] {
        lab.write("content", bytes(len));
        let sealed =
            lab.ok("encrypt --stream --json --bundle client.jwks content -o content.sealed");
        let opened = lab.ok("decrypt --json --bundle tokyo.jwks content.sealed -o content.opened");
        let on_disk = lab.read("content.sealed").len();
        for (run, [read, written]) in [(sealed, [len, on_disk]), (opened, [on_disk, len])] {
            let report = run.json();
            assert_eq!(
                (&report["bytes_read"], &report["bytes_written"]),
                (&read.into(), &written.into())
            );
        }
        lab.shell("rm content.sealed content.opened");
    }
}

#[test]
fn the_first_line_is_a_jwe_that_carries_the_key() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = seal(&lab, b"content");
    let line = std::str::from_utf8(parts(&sealed).0).expect("text");
    let header = header(line);
    assert_eq!(header["typ"], "orderseal-stream");
    assert_eq!((&header["alg"], &header["enc"]), (&"A256KW".into(), &"A256GCM".into()));
    assert_eq!(line.trim_end().split('.').count(), 5);
}

#[test]
fn every_prefix_is_refused() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    for len in [0, 40] {
        let sealed = seal(&lab, &bytes(len));
        let line = parts(&sealed).0.len();
        for end in 1..sealed.len() {
            let run = lab.run("decrypt --bundle tokyo.jwks", &sealed[..end]);
            // Without its line feed, the first line still is a stream that ends too early.
            let whole_line = end >= line - 1;
            let expected = if whole_line { 5 } else { 3 };
            let code = run.code.expect("no signal");
            assert!(code == expected || !whole_line && code == 5, "cut at {end} of {line}: {code}");
            assert_eq!(run.stdout, b"", "cut at {end}");
        }
    }
}

#[test]
fn cut_streams_of_several_chunks_are_refused() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = seal(&lab, &bytes(3 * CHUNK + 100));
    let start = parts(&sealed).0.len() + PREFIX;
    let chunk = |n: usize| start + n * SEALED_CHUNK;
    let ends = [start, chunk(1), chunk(2), chunk(3)];
    for end in ends.into_iter().flat_map(|end| [end - 1, end, end + 1, end + 15, end + 16]) {
        forged(&lab, &sealed[..end]);
    }
    forged(&lab, &sealed[..sealed.len() - 1]);
}

#[test]
fn extended_streams_are_refused() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    for len in [0, 10, CHUNK - 1, CHUNK, 16 * CHUNK] {
        let sealed = seal(&lab, &bytes(len));
        let last = chunks(&sealed).pop().expect("a last chunk");
        for more in [&b"\0"[..], b"\n", &[0; 16], last, &sealed] {
            forged(&lab, &[&sealed, more].concat());
        }
    }
}

#[test]
fn reordered_repeated_and_dropped_chunks_are_refused() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = seal(&lab, &bytes(40 * CHUNK));
    let original = chunks(&sealed);
    for (a, b) in [(0, 1), (0, 16), (3, 20), (38, 39)] {
        let mut swapped = original.clone();
        swapped.swap(a, b);
        forged(&lab, &with_chunks(&sealed, &swapped));
        let mut repeated = original.clone();
        repeated[b] = repeated[a];
        forged(&lab, &with_chunks(&sealed, &repeated));
        let mut dropped = original.clone();
        dropped.remove(a);
        forged(&lab, &with_chunks(&sealed, &dropped));
    }
}

#[test]
fn parts_of_two_streams_under_one_key_do_not_fit_together() {
    for options in ["--embodiment 1", "--embodiment 2"] {
        let lab = Lab::with_keys(options, 1);
        let content = bytes(3 * CHUNK);
        let (one, other) = (seal(&lab, &content), seal(&lab, &content));
        let (own, foreign) = (chunks(&one), chunks(&other));
        for n in 0..own.len() {
            let mut spliced = own.clone();
            spliced[n] = foreign[n];
            forged(&lab, &with_chunks(&one, &spliced));
        }
        forged(&lab, &[parts(&one).0, parts(&other).1].concat());
        let (line, rest) = parts(&one);
        forged(&lab, &[line, &parts(&other).1[..24], &rest[24..]].concat());
    }
}

#[test]
fn no_changed_byte_opens() {
    let lab = Lab::with_keys("--embodiment 1", 1);
    let sealed = seal(&lab, b"forty bytes of a photograph, more or less");
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        lab.write("changed", changed);
        let run = lab.run("decrypt --bundle tokyo.jwks changed -o opened", b"");
        assert!(matches!(run.code, Some(3..=5)), "byte {place}: {:?}\n{}", run.code, run.stderr);
        assert!(!lab.has("opened"), "byte {place}");
    }
}

#[test]
fn a_pipe_gets_the_authentic_chunks_before_the_failure_and_no_more() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let content = bytes(40 * CHUNK + 7);
    let sealed = seal(&lab, &content);
    let start = parts(&sealed).0.len() + PREFIX;
    for bad in [0, 1, 15, 16, 33, 40] {
        let mut changed = sealed.clone();
        changed[start + bad * SEALED_CHUNK] ^= 0x80;
        for threads in [1, 3] {
            let line = format!("decrypt --bundle tokyo.jwks --threads {threads}");
            let run = lab.refused_with(5, &line, &changed);
            assert!(run.stdout == content[..bad * CHUNK], "chunk {bad}, {threads} threads");
            assert_eq!(run.stderr, "orderseal: error: stdin: authentication failed\n");
        }
    }
}

#[test]
fn a_wrong_key_and_a_changed_chunk_give_the_same_message() {
    let lab = Lab::with_keys("--embodiment 6 --rsa-bits 2048", 1);
    let line = seal(&lab, b"x");
    let (first, rest) = parts(&line);
    let text = std::str::from_utf8(first).expect("text").trim_end();
    let other_key = common::with_part(text, 1, &[1; 256]);
    let other_tag = common::with_part(text, 4, &[0; 16]);
    for line in [other_key, other_tag] {
        forged(&lab, &[line.as_bytes(), b"\n", rest].concat());
    }
}

#[test]
fn streams_and_orders_do_not_mix() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let stream = seal(&lab, b"content");
    let order = lab.ok_with("encrypt --bundle client.jwks", b"order\n").stdout;
    let mixed = [&order[..], &stream].concat();
    let run = lab.refused_with(3, "decrypt --bundle tokyo.jwks", &mixed);
    run.says(&["line 2: found a sealed stream (typ orderseal-stream) among orders"]);
    forged(&lab, &[&stream[..], &order].concat());
    // A line that says it carries an order has no key for a stream.
    let forged_type = [&order[..], parts(&stream).1].concat();
    let run = lab.run("decrypt --bundle tokyo.jwks", &forged_type);
    assert_eq!(run.code, Some(3));
}

#[test]
fn check_verifies_and_inspect_shows_a_stream() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.write("in", bytes(2 * CHUNK + 5));
    lab.ok("encrypt --bundle client.jwks --stream in -o in.sealed");
    let kid = common::key_ids(&lab.json("client.jwks")).remove(0);
    let check = lab.ok("decrypt --bundle tokyo.jwks --check in.sealed");
    assert_eq!(check.text(), format!("1\t{kid}\n"));
    let report = lab.ok("decrypt --bundle tokyo.jwks --check --json --ids in.sealed").json();
    assert_eq!(report["by_key"][&kid], 1);
    assert_eq!(report["bytes_written"], 2 * CHUNK + 5);
    let shown = lab.ok("inspect --json in.sealed").json();
    assert_eq!(shown["kind"], "sealed stream");
    assert_eq!(shown["content"], 2 * CHUNK + 5);
    assert_eq!(shown["first line"]["alg"], "A256KW");
    let mut changed = lab.read("in.sealed");
    *changed.last_mut().expect("not empty") ^= 1;
    lab.write("changed.sealed", changed);
    let run = lab.refused(5, "decrypt --bundle tokyo.jwks --check changed.sealed");
    assert_eq!(run.stdout, b"");
}

#[test]
fn encrypt_reports_a_stream_as_json() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("in", bytes(1000));
    let report =
        lab.ok("encrypt --bundle client.jwks --stream in -o in.sealed --json --threads 1").json();
    assert_eq!((&report["streams"], &report["bytes_read"]), (&1.into(), &1000.into()));
    assert_eq!(report["bytes_written"], lab.read("in.sealed").len());
}

#[test]
fn a_program_erases_after_a_stream_as_after_orders() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.ok("bundle client --keys service.jwks --shop tokyo --erase -o once.jwks");
    lab.write("in", bytes(10));
    lab.ok("encrypt --bundle once.jwks --stream in -o in.sealed");
    assert!(!lab.has("once.jwks"));
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks in.sealed").stdout, bytes(10));
}

#[test]
fn binary_output_is_not_written_to_a_terminal() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("in", bytes(10));
    lab.ok("encrypt --bundle client.jwks --stream in -o in.sealed");
    if !lab.shell("command -v script").stdout.is_empty() {
        for line in
            ["encrypt --bundle client.jwks --stream in", "decrypt --bundle tokyo.jwks in.sealed"]
        {
            // `script` gives the command a terminal and returns its exit code.
            let run = lab.shell(&format!("script -qec \"$ORDERSEAL {line}\" /dev/null"));
            assert_eq!(run.code, Some(2), "{line}: {}", run.text());
        }
    } else {
        not_run("output to a terminal", "the command `script`, which makes one, is not installed");
    }
}
