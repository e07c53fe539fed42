//! Users: who gets a key, who is revoked and stays so, and what the files say of them.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{Lab, Run, STRACE, kids, not_run};
use serde_json::{Value, json};

/// A keyring with two pools, and the shop's bundle of one of them.
fn lab(options: &str) -> Lab {
    let lab = Lab::new();
    lab.ok(&format!("keygen {options} --shop tokyo --orders 3 -o service.jwks --allow-weak"));
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --allow-weak");
    lab
}

fn shop(lab: &Lab, file: &str) -> Value {
    lab.ok(&format!("inspect --json {file}")).json()["shops"]["tokyo"].clone()
}

fn names(shop: &Value) -> (Value, Value) {
    (shop["users"].clone(), shop["revoked"].clone())
}

#[track_caller]
fn prints(run: &Run, words: &[&str]) {
    let text = run.text();
    assert!(words.iter().all(|word| text.contains(word)), "{}: no {words:?} in:\n{text}", run.line);
}

fn sealed_by(lab: &Lab, client: &str) -> Vec<u8> {
    lab.ok_with(&format!("encrypt --bundle {client} --allow-weak"), b"tea\n").stdout
}

#[test]
fn who_was_not_admitted_gets_no_bundle() {
    for options in
        ["-e 3", "-e 4", "-e 5 --rsa-bits 2048", "-e 6 --rsa-bits 2048", "-e 4 --pool derived"]
    {
        let lab = lab(options);
        let before = lab.read("service.jwks");
        let line = "bundle client --keyring service.jwks --user mallory -o mallory.jwks";
        lab.refused(4, line).says(&[
            "service.jwks: user mallory was not admitted to shop tokyo",
            "orderseal keys admit mallory --shop tokyo",
        ]);
        assert_eq!(
            (lab.read("service.jwks"), lab.has("mallory.jwks")),
            (before, false),
            "{options}"
        );

        let done = lab.ok("keys admit alice --shop tokyo service.jwks");
        assert_eq!(done.text(), "service.jwks: admitted alice\n");
        lab.ok("bundle client --keyring service.jwks --user alice -o alice.jwks");
        lab.refused(4, line);
        let sealed = sealed_by(&lab, "alice.jwks");
        assert_eq!(kids(&sealed), ["tokyo/alice"]);
        lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed)
            .says(&["no key \"tokyo/alice\""]);
        lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"tea\n");
    }
    let lab = lab("-e 2");
    for line in ["keys admit alice service.jwks", "keys revoke alice service.jwks"] {
        lab.refused(2, line).says(&["shop tokyo has one key for all orders"]);
    }
}

#[test]
fn admitting_somebody_again_changes_nothing_and_delivers_the_half_again() {
    let lab = lab("-e 4");
    let done = lab.ok("keys admit alice bob alice service.jwks --shop-out half.jwks --json").json();
    assert_eq!(done, json!({"admitted": ["alice", "bob"], "admitted_before": []}));
    let (keyring, half) = (lab.read("service.jwks"), lab.read("half.jwks"));
    lab.refused(2, "keys admit alice bob service.jwks --shop-out half.jwks").says(&["--force"]);
    let run = lab.ok("keys admit bob alice service.jwks --shop-out half.jwks --force");
    prints(&run, &["service.jwks: admitted before: alice, bob"]);
    assert_eq!((lab.read("service.jwks"), lab.read("half.jwks")), (keyring, half));
    let mode = fs::metadata(lab.path("half.jwks")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let done = lab.ok("keys admit carol bob service.jwks --shop-out carol.jwks");
    assert_eq!(done.text(), "service.jwks: admitted carol; admitted before: bob\n");
    assert_eq!(names(&shop(&lab, "carol.jwks")).0, json!(["bob", "carol"]), "not alice");
    let done = lab.ok("keys merge half.jwks --into tokyo.jwks --json").json();
    assert_eq!(done["keys_added"], 2);
    lab.ok("bundle client --keyring service.jwks --user alice -o alice.jwks");
    for _ in 0..2 {
        let sealed = sealed_by(&lab, "alice.jwks");
        assert_eq!(lab.ok_with("decrypt --once --bundle tokyo.jwks", &sealed).stdout, b"tea\n");
    }
    // The half may go to a pipe.
    let run = lab.shell("$ORDERSEAL keys admit alice service.jwks --shop-out - --json | cat");
    assert_eq!(
        run.text().into_bytes(),
        lab.ok("keys admit alice service.jwks --shop-out -").stdout
    );
    run.says(&["\"admitted_before\":[\"alice\"]"]);
}

#[test]
fn names_that_mean_something_else_are_refused() {
    let lab = lab("-e 4");
    let before = lab.read("service.jwks");
    let id = common::key_ids(&lab.json("service.jwks"))[0].split_once('/').unwrap().1.to_owned();
    let is_an_id = ["is a transaction id, not a user"];
    // Somebody can be admitted, but not together with an id.
    lab.refused(2, &format!("keys admit bob {id} service.jwks")).says(&is_an_id);
    for word in ["admit", "revoke"] {
        lab.refused(2, &format!("keys {word} {id} service.jwks")).says(&is_an_id);
        lab.refused(2, &format!("keys {word} a/b service.jwks"))
            .says(&["user \"a/b\": expected 1 to 64"]);
        lab.refused(2, &format!("keys {word} service.jwks")).says(&["no file, or no user"]);
        lab.refused(4, &format!("keys {word} bob --shop kyoto service.jwks")).says(&["kyoto"]);
        lab.refused(1, &format!("keys {word} bob alice"));
    }
    lab.refused(2, "keys admit bob 0123456789abcdef.00000001 service.jwks")
        .says(&["has the form of a derived transaction id"]);
    lab.refused(2, &format!("bundle client --keyring service.jwks --user {id} -o u.jwks"))
        .says(&["is a transaction id, not a user"]);
    lab.refused(4, "keys revoke mallory service.jwks").says(&["mallory was not admitted"]);
    lab.refused(4, "keys revoke mallory tokyo.jwks").says(&["mallory was not admitted"]);
    lab.ok(&format!("erase service.jwks --kid tokyo/{id}"));
    lab.refused(4, &format!("keys admit {id} service.jwks")).says(&["was erased"]);
    lab.write("service.jwks", before);
    lab.mode("service.jwks", 0o600);
    // The names of other commands for the keyring work, and are not listed.
    lab.ok("keys admit alice --keyring service.jwks");
    lab.ok("keys skip -k service.jwks --orders 1");
    for word in ["admit", "skip"] {
        assert!(!lab.ok(&format!("keys {word} --help")).text().contains("--keyring"));
    }
    lab.refused(4, "keys admit alice tokyo.jwks").says(&["expected one of a security service"]);
    lab.ok("bundle client --keyring service.jwks -o client.jwks");
    lab.refused(4, "keys revoke alice client.jwks").says(&["this is a client key file"]);
}

#[test]
fn a_user_who_was_revoked_at_the_service_stays_so() {
    for options in ["-e 4", "-e 4 --pool derived", "-e 6 --rsa-bits 2048"] {
        let lab = lab(options);
        lab.ok("keys admit alice bob service.jwks --shop-out half.jwks");
        lab.ok("keys merge half.jwks --into tokyo.jwks");
        lab.ok("bundle client --keyring service.jwks --user alice -o alice.jwks");
        let sealed = sealed_by(&lab, "alice.jwks");
        let done = lab.ok("keys revoke alice --shop tokyo service.jwks");
        assert_eq!(done.text(), "service.jwks: revoked alice\n");
        let again = lab.ok("keys revoke alice service.jwks --json").json();
        assert_eq!(again, json!({"revoked": [], "revoked_before": ["alice"]}));

        // No bundle has the key.
        let revoked = "user alice of shop tokyo was revoked";
        lab.refused(4, "bundle client --keyring service.jwks --user alice -o again.jwks")
            .says(&[revoked]);
        lab.refused(4, "keys admit alice service.jwks").says(&[revoked, "choose another"]);
        lab.refused_with(4, "decrypt --bundle service.jwks", &sealed).says(&[revoked]);
        lab.ok("bundle shop --keyring service.jwks -o new.jwks");
        for file in ["service.jwks", "new.jwks"] {
            assert!(
                !common::key_ids(&lab.json(file)).contains(&"tokyo/alice".to_owned()),
                "{file}"
            );
            assert_eq!(names(&shop(&lab, file)), (json!(["bob"]), json!(["alice"])), "{file}");
            assert!(shop(&lab, file).get("erased").is_none(), "{file}");
            prints(&lab.ok(&format!("inspect {file}")), &["users: bob\n", "revoked: alice\n"]);
        }
        lab.refused_with(4, "decrypt --bundle new.jwks", &sealed).says(&[revoked]);
        let bob = lab.ok("keys admit bob service.jwks --shop-out bob.jwks");
        prints(&bob, &["admitted before: bob"]);
        assert_eq!(names(&shop(&lab, "bob.jwks")).1, Value::Null);

        // The shop learns of it by the new state, and not silently.
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"tea\n");
        lab.ok("keys merge bob.jwks --into tokyo.jwks");
        lab.refused(4, "keys merge new.jwks --into tokyo.jwks")
            .says(&["1 keys were erased", "--drop-erased"]);
        let done = lab.ok("keys merge new.jwks --into tokyo.jwks --drop-erased --json").json();
        assert_eq!((&done["keys_added"], &done["keys_erased"]), (&json!(0), &json!(1)));
        lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed).says(&["line 1", revoked]);
        assert_eq!(names(&shop(&lab, "tokyo.jwks")), (json!(["bob"]), json!(["alice"])));
        // A half from before is of no use, even where the shop never had the key.
        lab.ok("keys merge half.jwks --into new.jwks");
        lab.refused_with(4, "decrypt --bundle new.jwks", &sealed).says(&[revoked]);
    }
}

#[test]
fn a_user_who_was_revoked_at_the_shop_stays_so() {
    let lab = lab("-e 4");
    lab.ok("keys admit alice bob service.jwks --shop-out half.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    lab.ok("bundle client --keyring service.jwks --user alice -o alice.jwks");
    lab.ok("bundle client --keyring service.jwks --user bob -o bob.jwks");
    let (alice, bob) = (sealed_by(&lab, "alice.jwks"), sealed_by(&lab, "bob.jwks"));
    let before = lab.read("tokyo.jwks");
    prints(&lab.ok("keys revoke alice tokyo.jwks"), &["tokyo.jwks: revoked alice"]);
    let revoked = "user alice of shop tokyo was revoked";
    let is_refused = || {
        lab.refused_with(4, "decrypt --bundle tokyo.jwks", &alice)
            .says(&["stdin: line 1", revoked]);
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &bob).stdout, b"tea\n");
    };
    is_refused();
    // Neither a delivery, nor a bundle that is made again, nor another file beside it brings it back.
    let done = lab.ok("keys merge half.jwks --into tokyo.jwks --json").json();
    assert_eq!((&done["keys_added"], &done["keys_erased"]), (&json!(0), &json!(0)));
    lab.ok("bundle shop --keyring service.jwks -o new.jwks");
    lab.ok("keys merge new.jwks --into tokyo.jwks");
    is_refused();
    lab.refused(2, "bundle shop --keyring service.jwks -o tokyo.jwks --force").says(&["--restore"]);
    for files in ["tokyo.jwks --bundle half.jwks", "half.jwks --bundle tokyo.jwks"] {
        lab.refused_with(4, &format!("decrypt --bundle {files}"), &alice).says(&[revoked]);
        assert_eq!(lab.ok_with(&format!("decrypt --bundle {files}"), &bob).stdout, b"tea\n");
    }
    let both = [bob.clone(), alice.clone()].concat();
    let run = lab.run("decrypt --bundle tokyo.jwks --on-error skip", &both);
    assert_eq!((run.code, run.stdout.as_slice()), (Some(6), &b"tea\n"[..]));
    run.says(&["\"kind\":\"key\"", "tokyo/alice"]);
    // Restoring insists.
    lab.ok("keys merge half.jwks --into tokyo.jwks --restore");
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &alice).stdout, b"tea\n");
    assert_eq!(names(&shop(&lab, "tokyo.jwks")), (json!(["alice", "bob"]), Value::Null));
    // Another copy that knows of it is believed only if told to.
    lab.write("copy.jwks", before);
    lab.mode("copy.jwks", 0o600);
    lab.ok("keys revoke alice copy.jwks");
    lab.refused(4, "keys merge copy.jwks --into tokyo.jwks").says(&["--drop-erased"]);
    lab.ok("keys merge copy.jwks --into tokyo.jwks --restore");
    assert_eq!(names(&shop(&lab, "tokyo.jwks")).0, json!(["alice", "bob"]));
    lab.ok("keys merge copy.jwks --into tokyo.jwks --drop-erased");
    is_refused();
    // What neither has stays revoked, and a second key under the name does not open anything.
    lab.ok("keys merge copy.jwks --into tokyo.jwks --restore");
    is_refused();
}

#[test]
fn a_shop_of_which_all_users_were_revoked_hears_of_it() {
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 1 -o service.jwks");
    lab.ok("keys admit alice service.jwks");
    lab.ok("bundle client --keyring service.jwks --user alice -o alice.jwks");
    let id = common::key_ids(&lab.json("service.jwks")).remove(0);
    lab.ok(&format!("erase service.jwks --kid {id}"));
    lab.ok("keys revoke alice service.jwks");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
    lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed_by(&lab, "alice.jwks"))
        .says(&["was revoked"]);
}

#[test]
fn who_was_admitted_stays_so_when_the_half_cannot_be_delivered() {
    let lab = lab("-e 4");
    let before = lab.read("service.jwks");
    let admit = "keys admit alice service.jwks --shop-out";
    lab.refused(2, &format!("{admit} tokyo.jwks"));
    lab.refused(2, &format!("{admit} service.jwks --force")).says(&["both input and output"]);
    lab.refused(1, &format!("{admit} no/half.jwks"));
    assert_eq!(lab.read("service.jwks"), before, "the output is opened first");
    lab.refused(1, &format!("{admit} /dev/full"))
        .says(&["/dev/full: cannot write", "service.jwks: admitted alice all the same"]);
    assert_eq!(shop(&lab, "service.jwks")["users"], json!(["alice"]));
    let run = lab.refused(1, &format!("{admit} /dev/full"));
    assert!(!run.stderr.contains("all the same"), "{}", run.stderr);
    // A user's bundle that could not be delivered leaves nothing behind.
    let before = lab.read("service.jwks");
    let bundle = "bundle client --keyring service.jwks --user alice";
    let run = lab.refused(1, &format!("{bundle} -o /dev/full"));
    assert!(!run.stderr.contains("hint"), "{}", run.stderr);
    assert_eq!(lab.read("service.jwks"), before);
    lab.ok(&format!("{bundle} -o alice.jwks --shop-out half.jwks"));
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    lab.ok_with("decrypt --bundle tokyo.jwks", &sealed_by(&lab, "alice.jwks"));
}

#[test]
fn a_kill_leaves_users_as_they_were_or_as_they_will_be() {
    if !*STRACE {
        return not_run("kills while users are admitted and revoked", "it needs strace");
    }
    let lab = lab("-e 4");
    lab.ok("keys admit bob service.jwks");
    fs::copy(lab.path("service.jwks"), lab.path("original")).unwrap();
    for (line, done) in [
        (
            "keys admit alice service.jwks --shop-out half.jwks",
            (json!(["alice", "bob"]), Value::Null),
        ),
        ("keys revoke bob service.jwks", (Value::Null, json!(["bob"]))),
    ] {
        let (mut old, mut new) = (0, 0);
        for calls in
            ["?linkat", "?renameat2", "?rename", "?fsync", "?fdatasync", "?unlink", "?unlinkat"]
        {
            for when in 1.. {
                fs::copy(lab.path("original"), lab.path("service.jwks")).unwrap();
                let _ = fs::remove_file(lab.path("half.jwks"));
                let run = lab.shell(&format!(
                    "strace -f -qq -o log -e trace={calls} -e inject={calls}:signal=KILL:when={when} \
                     $ORDERSEAL {line}"
                ));
                let found = names(&shop(&lab, "service.jwks"));
                if run.code == Some(0) {
                    assert_eq!(found, done, "{line}");
                    break;
                }
                match found == done {
                    true => new += 1,
                    false => {
                        assert_eq!(found, (json!(["bob"]), Value::Null), "{line} {calls} {when}");
                        assert!(!lab.has("half.jwks"), "{line}: a half of a user nobody admitted");
                        old += 1;
                    }
                }
                let left = lab.names().into_iter().any(|name| name.contains("orderseal-"));
                assert!(!left, "{line} {calls} {when}: {:?}", lab.names());
                let force = if lab.has("half.jwks") { " --force" } else { "" };
                lab.ok(&format!("{line}{force}"));
                assert_eq!(names(&shop(&lab, "service.jwks")), done, "{line} again");
            }
        }
        assert!(old > 0 && new > 0, "{line}: {old} {new}");
    }
}

#[test]
fn a_pad_and_a_budget_end_with_the_user() {
    let lab = lab("-e 3 --enc VERNAM-HS256 --pad-bytes 400");
    lab.refused(4, "keys admit alice service.jwks").says(&["--allow-weak"]);
    lab.ok("keys admit alice service.jwks --allow-weak");
    let bundle = "bundle client --keyring service.jwks --user alice --allow-weak";
    lab.ok(&format!("{bundle} --pad-bytes 300 -o alice.jwks"));
    lab.refused(4, &format!("{bundle} --pad-bytes 101 -o more.jwks")).says(&["100 are left"]);
    lab.ok("keys revoke alice service.jwks");
    lab.ok("erase --return-to service.jwks alice.jwks");
    lab.refused(4, &format!("{bundle} -o more.jwks")).says(&["was revoked"]);
}

#[test]
fn the_simulation_plays_users_where_they_have_keys() {
    let lab = Lab::new();
    for embodiment in 1..=4 {
        let line = format!("simulate -e {embodiment} --faults --shops 2 --clients 2 --json");
        let report = lab.ok(&line).json()["embodiments"][0].clone();
        let faults = report["faults"].as_array().unwrap().iter();
        let played = faults.filter(|fault| fault["fault"].as_str().unwrap().contains("user"));
        let played: Vec<_> = played
            .map(|fault| (fault["fault"].as_str().unwrap(), fault["observed"].as_str().unwrap()))
            .collect();
        let expected = [
            ("admitted user", "harmless"),
            ("user not admitted", "refused"),
            ("user revoked at service", "refused"),
            ("user revoked at shop", "refused"),
            ("revoked user admitted again", "refused"),
            ("revoked user merged again", "refused"),
            ("revoked user, old bundle", "not detectable"),
        ];
        assert_eq!(played, if embodiment > 2 { &expected[..] } else { &[] }, "{embodiment}");
    }
}

#[test]
fn a_second_service_admits_nobody_whom_the_first_revoked() {
    let lab = lab("-e 4 --pool derived");
    lab.ok("keys admit alice bob service.jwks");
    lab.ok("keys revoke alice service.jwks");
    lab.ok("keys split service.jwks --orders 1 -o second.jwks");
    assert_eq!(names(&shop(&lab, "second.jwks")), (Value::Null, json!(["alice"])));
    lab.refused(4, "keys admit alice second.jwks").says(&["was revoked"]);

    // The second one does not know who was revoked after the split; a shop that does is not deceived.
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
    lab.ok("keys revoke bob tokyo.jwks");
    lab.ok("keys admit bob second.jwks --shop-out half.jwks");
    lab.ok("bundle client --keyring second.jwks --user bob -o bob.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed_by(&lab, "bob.jwks"))
        .says(&["user bob of shop tokyo was revoked"]);
}
