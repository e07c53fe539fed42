use super::*;
use crate::cmd::diagnosis::diagnose;

fn plays(text: &str) -> Result<Vec<NamedPlay>> {
    File { text, place: Place::file("scenario.toml") }.plays()
}

#[test]
fn a_play_has_the_defaults_of_the_command() {
    let text = "[[play]]\nname = 'all'\n\n[[play]]\nname = 'one'\nembodiment = 4\nseed = 7\n";
    let [all, one] = plays(text).unwrap().try_into().unwrap();
    assert_eq!((all.name.as_str(), one.name.as_str()), ("all", "one"));
    assert_eq!((all.seed, one.seed), (None, Some(7)));
    assert_eq!((all.place.line, one.place.line), (Some(1), Some(4)));
    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        play: Play,
    }
    let setup = |options: &[&str]| {
        let options = ["simulate"].iter().chain(options);
        format!("{:?}", Command::parse_from(options).play.setup(1).unwrap())
    };
    assert_eq!(format!("{:?}", all.play.setup(1).unwrap()), setup(&[]));
    assert_eq!(format!("{:?}", one.play.setup(1).unwrap()), setup(&["-e", "4"]));
}

#[test]
fn members_of_every_type_are_options() {
    let text = "[[play]]
        name = 'a'
        embodiment = [3, '4']
        on-demand = false
        pool = \"Derived\"
        orders = 1_0
        faults = true
        expect = { \"dropped order\" = 'refused', 'wrong key' = 'harmless' }
        [[play]]
        name = 'b'
        users = 0x2
        on-demand = true";
    let error = plays(text).unwrap_err().to_string();
    assert!(error.starts_with("scenario.toml: line 11: invalid value '0x2' for users"), "{error}");
    let text = text.replace("0x2", "+2");
    let [a, b] = plays(&text).unwrap().try_into().unwrap();
    let (a, b) = (a.play.setup(1).unwrap(), b.play.setup(1).unwrap());
    let labels: Vec<_> = a.cases.iter().map(|case| case.label.as_str()).collect();
    assert_eq!((labels, a.orders, a.on_demand, a.faults), (vec!["3", "4"], 10, false, true));
    let pools: Vec<_> = a.cases.iter().map(|case| case.pool.name()).collect();
    assert_eq!(pools, ["derived"; 2]);
    let expected = a.expected.iter().map(|(fault, outcome)| (fault.name(), outcome.name()));
    let expected: Vec<_> = expected.collect();
    assert_eq!(expected, [("dropped order", "refused"), ("wrong key", "harmless")]);
    assert_eq!((b.users, b.on_demand, b.faults), (2, true, false));
}

#[test]
fn faults_are_told_with_their_line_and_a_hint() {
    let play = |members: &str| format!("# A scenario\n[[play]]\nname = 'a'\n{members}");
    for (text, line, words, hint) in [
        ("[[play]\n".to_owned(), Some(1), "unclosed array table", ""),
        (play("shops = 1\nshops = 2"), Some(5), "duplicate key", ""),
        (play("shops ="), Some(4), "", ""),
        (String::new(), None, "no plays, each of which begins with [[play]]", ""),
        (
            "\nseed = 1\n[[play]]\nname = 'a'".to_owned(),
            Some(2),
            "unknown member \"seed\"",
            "known are play",
        ),
        (
            "[[plays]]\nname = 'a'".to_owned(),
            Some(1),
            "unknown member \"plays\"",
            "did you mean play?",
        ),
        ("[play]\nname = 'a'".to_owned(), Some(1), "expected plays, each as [[play]]", ""),
        ("play = 4".to_owned(), Some(1), "expected plays, each as [[play]]", ""),
        ("play = [4]".to_owned(), Some(1), "expected plays, each as [[play]]", ""),
        ("\n[[play]]\nshops = 2".to_owned(), Some(2), "a play without name", ""),
        (
            "[[play]]\nname = ''".to_owned(),
            Some(2),
            "name: expected a string that is not empty",
            "",
        ),
        ("[[play]]\nname = 4".to_owned(), Some(2), "name: expected a string", ""),
        (play("[[play]]\nname = 'a'"), Some(4), "another play is named \"a\"", ""),
        (play("shop = 3"), Some(4), "unknown member \"shop\"", "did you mean shops?"),
        (play("orders_each = 3"), Some(4), "unknown member", "did you mean orders-each?"),
        (
            play("junit = 'a.xml'"),
            Some(4),
            "unknown member \"junit\"",
            "known are name, embodiment",
        ),
        (play("help = true"), Some(4), "unknown member \"help\"", ""),
        (play("shops = 0"), Some(4), "invalid value '0' for shops: 0 is not in 1..", ""),
        (play("clients = 2\nshops = -1"), Some(5), "invalid value '-1' for shops", ""),
        (play("shops = 1.5"), Some(4), "shops: expected a string or a whole number", ""),
        (play("shops = 2026-11-28"), Some(4), "shops: expected a string or a whole number", ""),
        (play("shops = true"), Some(4), "a value is required for shops", ""),
        (play("shops = false"), Some(4), "shops: expected a string or a whole number", ""),
        (play("shops = [2, 3]"), Some(4), "shops cannot be used multiple times", ""),
        (play("shops = { a = 1 }"), Some(4), "invalid value 'a=1' for shops", ""),
        (play("embodiment = [\n  3,\n  8,\n]"), Some(6), "invalid value '8' for embodiment", ""),
        (play("embodiment = [[3]]"), Some(4), "embodiment: expected a string", ""),
        (play("enc = 'A256GM'"), Some(4), "invalid value 'A256GM' for enc", "A256GCM"),
        (play("faults = 'yes'"), Some(4), "unexpected value 'yes' for faults", ""),
        (
            play("on-demand = true\npool = 'listed'"),
            Some(5),
            "on-demand cannot be used with pool",
            "",
        ),
        (play("[play.expect]\n'wrong key' = 'refused'"), Some(2), "--faults", ""),
        (
            play("faults = true\n[play.expect]\n'wrong key' = 'refused'\n'wrong ke' = 'refused'"),
            Some(7),
            "no fault is called \"wrong ke\"",
            "",
        ),
        (
            play("faults = true\n[play.expect]\n'wrong key' = 'refuse'"),
            Some(6),
            "no outcome is called \"refuse\"",
            "",
        ),
        (
            play("faults = true\n[play.expect]\n'wrong key' = true"),
            Some(6),
            "expect: expected a string",
            "",
        ),
    ] {
        let error = plays(&text).expect_err(&text);
        let Error::Misread { place, .. } = &error else { panic!("{error}") };
        assert_eq!((place.file.as_str(), place.line), ("scenario.toml", line), "{text}\n{error}");
        assert!(error.to_string().contains(words), "{text}\n{error}");
        let hints = diagnose(&error).hints.join("; ");
        assert!(hints.contains(hint), "{text}\n{error}\n{hints}");
    }
}
