use super::*;
use crate::ciphers::base64url;

fn now() -> Time {
    "2026-11-28T10:00:00Z".parse().unwrap()
}

fn line(id: &str, text: &str, uses: KeyUse) -> Line {
    let header = format!(r#"{{"alg":"A256KW","enc":"A256GCM","kid":"tokyo/{id}"}}"#);
    let header = base64url::encode_to_string(header.as_bytes());
    let text = format!("{header}.AA.AA.{}.AA", base64url::encode_to_string(text.as_bytes()));
    let (text, kid) = (text.into_bytes(), Kid::new(&format!("tokyo/{id}")).unwrap());
    Line { hash: hash_of_line(&text), text, kid, uses }
}

fn once(id: &str, text: &str) -> Line {
    line(id, text, KeyUse::Once)
}

fn post(lines: &[Line]) -> Post {
    Post { lines: lines.to_vec(), expired: false }
}

fn keep(inbox: &mut Inbox, lines: &[Line]) -> Posted {
    inbox.keep(&[&post(lines)], now()).unwrap()[0]
}

/// The text of the inbox's files, in order.
fn text(folder: &Path) -> Vec<u8> {
    let files = folder::names(folder).unwrap();
    let texts = files.iter().map(|name| std::fs::read(folder.join(name.to_string())).unwrap());
    texts.collect::<Vec<_>>().concat()
}

fn joined(lines: &[&Line]) -> Vec<u8> {
    lines.iter().flat_map(|line| [&line.text[..], b"\n"].concat()).collect()
}

fn kept(new: u64, known: u64) -> Posted {
    Posted::Kept { new, known }
}

#[test]
fn a_key_of_single_use_has_one_order_and_the_same_line_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let mut inbox = Inbox::open(&path, now()).unwrap();
    let (first, other, second) = (once("a", "tea"), once("a", "junk"), once("b", "paper"));
    assert_eq!(keep(&mut inbox, std::slice::from_ref(&first)), kept(1, 0));
    assert_eq!(keep(&mut inbox, std::slice::from_ref(&first)), kept(0, 1));
    assert_eq!(keep(&mut inbox, std::slice::from_ref(&other)), Posted::Taken(0));
    // All or nothing: the key of a line that was not kept is free.
    assert_eq!(keep(&mut inbox, &[second.clone(), other.clone()]), Posted::Taken(1));
    assert_eq!(keep(&mut inbox, &[second.clone(), first.clone(), second.clone()]), kept(1, 2));
    assert_eq!(text(&path), joined(&[&first, &second]));
    // A second process is kept out, also by another name of the folder and without the index.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link] {
        assert!(Inbox::open(name, now()).is_err());
    }
    drop(inbox);
    let mut inbox = Inbox::open(&path, now()).unwrap();
    assert_eq!(keep(&mut inbox, &[first, second]), kept(0, 2));
    assert_eq!(keep(&mut inbox, &[other]), Posted::Taken(0));
}

#[test]
fn under_a_key_for_many_orders_all_different_lines_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let mut inbox = Inbox::open(&path, now()).unwrap();
    let lines = ["tea", "paper"].map(|text| line("alice", text, KeyUse::Again));
    assert_eq!(keep(&mut inbox, &lines), kept(2, 0));
    assert_eq!(keep(&mut inbox, &lines), kept(0, 2));
    drop(inbox);
    assert_eq!(keep(&mut Inbox::open(&path, now()).unwrap(), &lines), kept(0, 2));
}

#[test]
fn posts_of_one_group_know_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let mut inbox = Inbox::open(&path, now()).unwrap();
    let (first, other) = ([once("a", "tea")], [once("a", "junk")]);
    let results = inbox.keep(&[&post(&first), &post(&other), &post(&first)], now()).unwrap();
    assert_eq!(results, [kept(1, 0), Posted::Taken(0), kept(0, 1)]);
    assert_eq!(text(&path), joined(&[&first[0]]));
}

#[test]
fn the_inbox_decides_what_was_kept_and_not_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let mut inbox = Inbox::open(&path, now()).unwrap();
    let lines = ["a", "b", "c"].map(|id| once(id, "tea"));
    keep(&mut inbox, &lines[..1]);
    let index = std::fs::read(folder.path().join("inbox.index")).unwrap();
    keep(&mut inbox, &lines[1..2]);
    drop(inbox);
    // The index as it was before, and a line that was written in part.
    std::fs::write(folder.path().join("inbox.index"), index).unwrap();
    let file = path.join("00000001-20261128.jwe");
    let whole = std::fs::read(&file).unwrap();
    // Its last characters are missing: what is left has the form of an order.
    let torn = &lines[2].text[..lines[2].text.len() - 1];
    assert!(kid_of_posted(torn).is_ok());
    std::fs::write(&file, [&whole[..], torn].concat()).unwrap();
    let mut inbox = Inbox::open(&path, now()).unwrap();
    assert_eq!(text(&path), [&whole[..], torn, b"!\n"].concat());
    assert_eq!(keep(&mut inbox, &[once("b", "junk")]), Posted::Taken(0));
    assert_eq!(keep(&mut inbox, &lines), kept(1, 2));
    drop(inbox);
    // Without an index it is made anew from what is there.
    std::fs::remove_file(folder.path().join("inbox.index")).unwrap();
    assert_eq!(keep(&mut Inbox::open(&path, now()).unwrap(), &lines), kept(0, 3));
}

#[test]
fn a_new_day_has_a_new_file_and_numbers_are_never_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let mut inbox = Inbox::open(&path, now()).unwrap();
    keep(&mut inbox, &[once("a", "tea")]);
    let tomorrow = "2026-11-29T00:00:00Z".parse().unwrap();
    inbox.keep(&[&post(&[once("b", "tea")])], tomorrow).unwrap();
    drop(inbox);
    let names =
        || folder::names(&path).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(), ["00000001-20261128.jwe", "00000002-20261129.jwe"]);
    // The shop has taken all files away.
    names().iter().for_each(|name| std::fs::remove_file(path.join(name)).unwrap());
    let mut inbox = Inbox::open(&path, tomorrow).unwrap();
    assert_eq!(inbox.keep(&[&post(&[once("b", "junk")])], tomorrow).unwrap(), [Posted::Taken(0)]);
    inbox.keep(&[&post(&[once("c", "tea")])], tomorrow).unwrap();
    assert_eq!(names(), ["00000003-20261129.jwe"]);
    // The newest as well, while the server has it open: what comes later goes into another.
    std::fs::rename(path.join(&names()[0]), folder.path().join("taken")).unwrap();
    inbox.keep(&[&post(&[once("d", "tea")])], tomorrow).unwrap();
    assert_eq!(names(), ["00000004-20261129.jwe"]);
}

#[test]
fn an_inbox_that_has_lost_what_the_index_knows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let mut inbox = Inbox::open(&path, now()).unwrap();
    keep(&mut inbox, &[once("a", "tea")]);
    keep(&mut inbox, &[once("b", "tea")]);
    drop(inbox);
    let file = path.join("00000001-20261128.jwe");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let error = Inbox::open(&path, now()).unwrap_err().to_string();
    assert!(error.contains("shorter than it was"), "{error}");
    std::fs::remove_file(folder.path().join("inbox.index")).unwrap();
    assert_eq!(keep(&mut Inbox::open(&path, now()).unwrap(), &[once("b", "tea")]), kept(1, 0));
}

#[test]
fn the_index_forgets_what_no_ticket_allows_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let at = |time: &str| time.parse().unwrap();
    let first = [once("a", "tea")];
    let mut inbox = Inbox::open(&path, now()).unwrap();
    keep(&mut inbox, &first);
    // In the next month the last one is still known, in the month after that not.
    let keep_at = |inbox: &mut Inbox, time| inbox.keep(&[&post(&first)], at(time)).unwrap()[0];
    assert_eq!(keep_at(&mut inbox, "2026-12-31T23:59:59Z"), kept(0, 1));
    assert_eq!(keep_at(&mut inbox, "2027-01-01T00:00:00Z"), kept(1, 0));
}

#[test]
fn with_an_expired_ticket_what_is_known_is_known_and_nothing_new_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox");
    let mut inbox = Inbox::open(&path, now()).unwrap();
    let (first, second) = (once("a", "tea"), once("b", "tea"));
    keep(&mut inbox, std::slice::from_ref(&first));
    let expired = |lines: &[Line]| Post { lines: lines.to_vec(), expired: true };
    let late = expired(std::slice::from_ref(&first));
    let new = expired(&[first.clone(), second.clone()]);
    assert_eq!(inbox.keep(&[&late, &new], now()).unwrap(), [kept(0, 1), Posted::Expired]);
    assert_eq!(keep(&mut inbox, &[second]), kept(1, 0));
}
