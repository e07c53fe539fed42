//! What lies on the disk at every moment: what is synced before what, what killed processes leave, and what
//! is overwritten.

mod common;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::{Lab, ORDERSEAL, STRACE, key_ids, lines, not_run, orders};
use rustix::fs::{FlockOperation, flock};

/// The system calls on files of a command line, one a line, without thread numbers.
fn trace(lab: &Lab, line: &str) -> Vec<String> {
    let calls = "?open,openat,write,writev,pwrite64,fsync,fdatasync,linkat,rename,renameat2,unlink,ftruncate,flock,close";
    let run =
        lab.shell(&format!("strace -f -y -qq -o trace.log -e trace={calls} $ORDERSEAL {line}"));
    assert_eq!(run.code, Some(0), "{line}: {}", run.stderr);
    let log = String::from_utf8_lossy(&lab.read("trace.log")).into_owned();
    log.lines().map(|call| call.split_once(' ').expect("a number").1.trim().to_owned()).collect()
}

/// Asserts that calls with these words follow each other, others between them.
#[track_caller]
fn follow_each_other(calls: &[String], expected: &[&[&str]]) {
    let mut rest = calls.iter();
    for words in expected {
        let found = rest.any(|call| words.iter().all(|word| call.contains(word)));
        assert!(found, "no {words:?} after those before it, in\n{}", calls.join("\n"));
    }
}

#[test]
fn what_is_written_is_synced_before_it_gets_its_name() {
    if !*STRACE {
        return not_run("the order of syncs", "it needs strace");
    }
    let lab = Lab::with_keys("--embodiment 4", 20);
    let folder = lab.dir().file_name().unwrap().to_str().unwrap().to_owned() + ">";
    let tmp = ".service.jwks.orderseal-tmp";

    // A change of a key file: new content, synced; exchanged; folder synced; old content overwritten, synced.
    let calls = trace(&lab, "keygen --embodiment 4 --shop osaka --orders 2 --into service.jwks");
    follow_each_other(
        &calls,
        &[
            &["openat", "service.jwks", "O_RDWR", "O_NOFOLLOW"],
            &["flock", "service.jwks", "LOCK_EX"],
            &["O_TMPFILE"],
            &["write", "keys"],
            &["fsync", "(deleted)"],
            &["linkat", tmp],
            &["renameat2", tmp, "service.jwks", "RENAME_EXCHANGE"],
            &["fsync", &folder],
            &["write", tmp, r"\0\0\0"],
            &["fdatasync", tmp],
            &["unlink", tmp],
        ],
    );

    // A new file.
    for line in [
        "encrypt --bundle client.jwks orders.ndjson -o sealed.jwe",
        "bundle shop --keys service.jwks --shop tokyo -o shop.jwks",
        "decrypt --bundle tokyo.jwks sealed.jwe -o opened.ndjson",
    ] {
        let output = line.rsplit(' ').next().unwrap();
        let calls = trace(&lab, line);
        follow_each_other(
            &calls,
            &[
                &["O_TMPFILE"],
                &["write", "(deleted)"],
                &["fsync", "(deleted)"],
                &["linkat", &format!("\"{output}\"")],
                &["fsync", &folder],
            ],
        );
    }

    // A program that erases: the output's name is durable before the file says that it was sent.
    lab.ok("bundle client --keys service.jwks --shop osaka --erase --orders 2 -o erasing.jwks");
    lab.write("two.ndjson", "one\ntwo\n");
    let calls = trace(&lab, "encrypt --bundle erasing.jwks two.ndjson -o two.jwe");
    follow_each_other(
        &calls,
        &[
            &["fsync", "(deleted)"],
            &["linkat", "orderseal-sent"],
            &["fsync", &folder],
            &["renameat2", "erasing.jwks", "RENAME_EXCHANGE"],
            &["fsync", &folder],
            &["renameat2", "orderseal-sent", "two.jwe", "RENAME_NOREPLACE"],
            &["fsync", &folder],
            &["renameat2", "erasing.jwks", "RENAME_NOREPLACE"],
            &["fsync", &folder],
            &["write", "erasing.jwks"],
            &["fsync", "erasing.jwks"],
            &["ftruncate", "erasing.jwks"],
            &["unlink", "erasing.jwks"],
            &["fsync", &folder],
        ],
    );

    // Selective erasing overwrites what it replaces, and a reader locks what it reads.
    let calls = trace(&lab, "erase --keys client.jwks");
    let tmp = ".client.jwks.orderseal-tmp";
    follow_each_other(
        &calls,
        &[
            &["flock", "client.jwks", "LOCK_SH"],
            &["flock", "client.jwks", "LOCK_EX"],
            &["renameat2", tmp, "RENAME_EXCHANGE"],
            &["fsync", &folder],
            &["write", tmp],
            &["fsync", tmp],
            &["unlink", tmp],
        ],
    );
}

/// What an open file has now, whatever name it has.
fn content(mut file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn old_key_files_are_overwritten() {
    for line in [
        "keygen --embodiment 4 --shop osaka --orders 2 --into FILE",
        "bundle client --keys FILE --shop tokyo -o new.jwks",
        "erase --keys FILE",
        "erase FILE --kid KID",
        "erase --programs FILE",
        "erase FILE",
        "bundle shop --keys service.jwks -o FILE --force",
    ] {
        let lab = Lab::with_keys("--embodiment 4", 40);
        lab.ok("keygen --embodiment 4 --shop tokyo --orders 9 --into service.jwks");
        let name = match line {
            line if line.starts_with("erase") => "client.jwks",
            line if line.contains("--force") => "tokyo.jwks",
            _ => "service.jwks",
        };
        let kid = key_ids(&lab.json(name)).remove(0);
        let secret = lab.json(name)["keys"][0]["k"].as_str().unwrap().to_owned();
        let (old, len) = (File::open(lab.path(name)).unwrap(), lab.read(name).len());
        assert!(String::from_utf8(content(&old)).unwrap().contains(&secret));
        lab.ok(&line.replace("FILE", name).replace("KID", &kid));
        let left = content(&old);
        assert!(left.is_empty() || left.len() == len, "{line}: {} of {len} bytes", left.len());
        let text = String::from_utf8_lossy(&left);
        assert!(!text.contains("kty") && !text.contains(&secret), "{line}: old content is left");
        assert!(lab.names().iter().all(|name| !name.starts_with('.')), "{:?}", lab.names());
    }
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next_command() {
    for line in [
        "inspect --json client.jwks",
        "encrypt --bundle client.jwks",
        "erase --keys client.jwks",
        "erase client.jwks",
        "bundle client --keys service.jwks -o client.jwks --force",
    ] {
        let lab = Lab::with_keys("--embodiment 4", 40);
        lab.ok("keygen --embodiment 4 --shop tokyo --orders 9 --into service.jwks");
        fs::copy(lab.path("client.jwks"), lab.path(".client.jwks.orderseal-tmp")).unwrap();
        let old = File::open(lab.path(".client.jwks.orderseal-tmp")).unwrap();
        lab.ok(line);
        assert!(!lab.has(".client.jwks.orderseal-tmp"), "{line}");
        assert!(content(&old).iter().all(|&byte| byte == 0), "{line}: overwritten");
    }
    // Also where nothing else is left to erase, and it is said.
    let lab = Lab::with_keys("--embodiment 4", 2);
    fs::rename(lab.path("client.jwks"), lab.path(".client.jwks.orderseal-tmp")).unwrap();
    let run = lab.ok("erase client.jwks");
    assert!(run.text().contains("a killed process had left beside it"), "{}", run.text());
    assert_eq!(lab.names(), ["orders.ndjson", "service.jwks", "tokyo.jwks"]);
    lab.refused(1, "erase client.jwks");
}

#[test]
fn what_a_living_process_is_writing_is_left_alone() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let tmp = ".client.jwks.orderseal-tmp";
    fs::copy(lab.path("client.jwks"), lab.path(tmp)).unwrap();
    let owned = File::open(lab.path(tmp)).unwrap();
    flock(&owned, FlockOperation::LockExclusive).unwrap();
    let before = lab.read(tmp);
    lab.ok("inspect client.jwks");
    assert_eq!(lab.read(tmp), before);
    // It may have the same keys: erasing cannot have succeeded.
    lab.refused(1, "erase client.jwks").says(&["another process is writing this file"]);
    lab.refused(1, "erase --keys client.jwks").says(&["another process is writing this file"]);
    assert!(lab.has("client.jwks"));
    // One who lets go meanwhile is waited for.
    let waiting = thread::scope(|scope| {
        let run = scope.spawn(|| lab.run("erase client.jwks", b""));
        thread::sleep(Duration::from_millis(300));
        drop(owned);
        run.join().unwrap()
    });
    assert_eq!(waiting.code, Some(0), "{}", waiting.stderr);
    assert_eq!(lab.names(), ["orders.ndjson", "service.jwks", "tokyo.jwks"]);
}

#[test]
fn what_is_no_file_of_ours_is_not_overwritten() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let tmp = ".client.jwks.orderseal-tmp";
    lab.write("precious", "precious");
    fs::hard_link(lab.path("precious"), lab.path(tmp)).unwrap();
    lab.ok("inspect client.jwks");
    lab.refused_with(1, "encrypt --bundle client.jwks", b"one\n").says(&[tmp, "is left alone"]);
    fs::remove_file(lab.path(tmp)).unwrap();
    std::os::unix::fs::symlink("precious", lab.path(tmp)).unwrap();
    lab.ok("inspect client.jwks");
    lab.refused_with(1, "encrypt --bundle client.jwks", b"one\n");
    assert_eq!(lab.read("precious"), b"precious");
}

#[test]
fn a_reader_waits_for_whoever_changes_the_file() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let locked = File::open(lab.path("client.jwks")).unwrap();
    flock(&locked, FlockOperation::LockExclusive).unwrap();
    let mut run = Command::new(ORDERSEAL)
        .args(["bundle", "shop", "--keys", "client.jwks"])
        .current_dir(lab.dir())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(300));
    assert!(run.try_wait().unwrap().is_none(), "it reads while the file is changed");
    drop(locked);
    assert_eq!(run.wait().unwrap().code(), Some(4));
}

/// A folder on a small file system of its own, if one can be mounted.
struct Small<'l>(&'l Lab);

impl<'l> Small<'l> {
    fn mount(lab: &'l Lab) -> Option<Self> {
        fs::create_dir(lab.path("small")).unwrap();
        let mounted = lab.shell("mount -t tmpfs -o size=256k,mode=700 tmpfs small");
        (mounted.code == Some(0)).then_some(Self(lab))
    }

    fn fill(&self) {
        self.0.shell(
            "cat /dev/zero > small/full 2> /dev/null; cat /dev/zero > small/fuller 2> /dev/null",
        );
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        self.0.shell("umount small");
    }
}

#[test]
fn chosen_keys_can_be_erased_on_a_full_disk() {
    let lab = Lab::with_keys("--embodiment 4", 40);
    let Some(small) = Small::mount(&lab) else {
        return not_run("selective erasing on a full disk", "nothing can be mounted");
    };
    let sealed = lab.ok("encrypt --bundle client.jwks orders.ndjson").stdout;
    fs::copy(lab.path("tokyo.jwks"), lab.path("small/tokyo.jwks")).unwrap();
    fs::copy(lab.path("service.jwks"), lab.path("small/service.jwks")).unwrap();
    small.fill();
    let kids = key_ids(&lab.json("small/tokyo.jwks"));
    let secret = lab.json("small/tokyo.jwks")["keys"][3]["k"].as_str().unwrap().to_owned();
    let run = lab.ok(&format!("erase small/tokyo.jwks --kid {} {}", kids[3], kids[5]));
    assert!(run.text().contains("in place, as the disk is full"), "{}", run.text());
    assert!(!String::from_utf8(lab.read("small/tokyo.jwks")).unwrap().contains(&secret));
    lab.write("sealed.jwe", &sealed);
    lab.refused(4, "decrypt --bundle small/tokyo.jwks sealed.jwe").says(&["line 4", "was erased"]);
    let opened = lab.run("decrypt --bundle small/tokyo.jwks sealed.jwe --on-error skip", b"");
    assert_eq!(lines(&opened.stdout).count(), 38);
    lab.ok("erase --keys small/service.jwks");
    assert!(!String::from_utf8(lab.read("small/service.jwks")).unwrap().contains(&secret));
    // With room, what was struck out is left out.
    fs::remove_file(lab.path("small/full")).unwrap();
    lab.ok(&format!("erase small/tokyo.jwks --kid {}", kids[0]));
    assert_eq!(lab.json("small/tokyo.jwks")["keys"].as_array().unwrap().len(), 37);
    lab.refused(4, &format!("erase small/tokyo.jwks --kid {}", kids[3])).says(&["was erased"]);
}

#[test]
fn all_nodes_can_be_erased_on_a_full_disk() {
    let lab = Lab::new();
    let Some(small) = Small::mount(&lab) else {
        return not_run("erasing nodes on a full disk", "nothing can be mounted");
    };
    lab.ok("keygen -e 4 --shop tokyo --pool derived --orders 100 -o service.jwks");
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks");
    lab.ok("bundle client --keys service.jwks --orders 20 -o client.jwks");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"tea\n").stdout;
    lab.write("sealed.jwe", &sealed);
    for name in ["tokyo.jwks", "client.jwks"] {
        fs::copy(lab.path(name), lab.path(&format!("small/{name}"))).unwrap();
    }
    small.fill();
    // Erasing one key needs room for the nodes that stay.
    let counts = lab.ok("decrypt --bundle tokyo.jwks sealed.jwe --check").text();
    let kid = counts.trim_end().split_once('\t').unwrap().1;
    lab.refused(1, &format!("erase small/tokyo.jwks --kid {kid}"));
    lab.ok("decrypt --bundle small/tokyo.jwks sealed.jwe");
    for name in ["tokyo.jwks", "client.jwks"] {
        let run = lab.ok(&format!("erase --keys small/{name}"));
        assert!(run.text().contains("in place, as the disk is full"), "{}", run.text());
        let trees =
            lab.json(&format!("small/{name}"))["orderseal"]["shops"]["tokyo"]["trees"].clone();
        let tree = trees.as_object().unwrap().values().next().unwrap();
        for node in tree["nodes"].as_array().unwrap() {
            assert_eq!(node["k"], "*".repeat(43));
        }
        assert!(
            tree.get("reserved").is_none_or(|reserved| reserved.as_array().unwrap().is_empty())
        );
    }
    lab.refused(4, "decrypt --bundle small/tokyo.jwks sealed.jwe").says(&["was erased"]);
    lab.refused(4, "encrypt --bundle small/client.jwks sealed.jwe");
    lab.refused(4, "erase --keys small/client.jwks").says(&["no key at all"]);
}

#[test]
fn a_file_system_that_keeps_older_bytes_is_named() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    for folder in ["lower", "upper", "work", "merged"] {
        fs::create_dir(lab.path(folder)).unwrap();
    }
    fs::rename(lab.path("client.jwks"), lab.path("lower/client.jwks")).unwrap();
    // An upper folder on a file system of its own, as a lower one may be an overlay itself.
    let mounted = lab.shell(
        "mount -t tmpfs tmpfs upper && mkdir upper/u upper/w &&
         mount -t overlay overlay -o lowerdir=lower,upperdir=upper/u,workdir=upper/w merged",
    );
    if mounted.code != Some(0) {
        lab.shell("umount upper");
        return not_run("erasing on overlayfs", "it cannot be mounted");
    }
    let run = lab.run("erase merged/client.jwks", b"");
    lab.shell("umount merged upper");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.text().contains("overlayfs") && run.text().contains("lower layer"),
        "{}",
        run.text()
    );
    assert!(lab.has("lower/client.jwks"), "as it says");
}

#[test]
fn sealing_is_as_large_as_ever_on_a_disk_that_fills_up() {
    let lab = Lab::with_keys("--embodiment 4", 40);
    let Some(_small) = Small::mount(&lab) else {
        return not_run("sealing on a full disk", "nothing can be mounted");
    };
    fs::copy(lab.path("client.jwks"), lab.path("small/client.jwks")).unwrap();
    lab.write("large.ndjson", vec![b'x'; 400_000]);
    lab.refused(1, "encrypt --bundle small/client.jwks large.ndjson -o small/sealed.jwe")
        .says(&["small/sealed.jwe", "space"]);
    let left = lab.ok("inspect --json small/client.jwks").json();
    assert_eq!(left["shops"]["tokyo"]["unused"], 40, "nothing left, so nothing is spent");
    lab.write("orders.ndjson", orders(30));
    lab.ok("encrypt --bundle small/client.jwks orders.ndjson -o small/sealed.jwe");
}
