//! Each message a file: its bytes, under a name that nobody else chose, in the directory and nowhere else.

use super::support::craft::*;
use super::support::run::{Done, Input, key, messages, number, string, wspect};
use super::{capture, hostile, quiet, some_captures};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn export(input: Input<'_>, to: &Path, more: &[&str]) -> Done {
    wspect(&[&["export", "raw", "-q", "-o", to.to_str().unwrap()], more].concat(), input)
}

fn index(directory: &Path) -> Vec<Value> {
    let text = fs::read_to_string(directory.join("index.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The files of a directory and those below, by their paths in it.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// Each data message of `msgs`, whose truth has tests of its own, is a file with its bytes; the index lists them all, and
/// nothing else is there.
#[test]
fn every_message_is_a_file() {
    let dir = tempfile::tempdir().unwrap();
    for (nth, path) in some_captures().into_iter().enumerate() {
        let to = dir.path().join(nth.to_string());
        quiet(&export(Input::File(&path), &to, &[]));
        let (messages, index) = (messages(Input::File(&path)), index(&to));
        assert_eq!(messages.len(), index.len(), "{}", path.display());
        let mut names: BTreeSet<String> = ["index.jsonl".to_owned()].into();
        for (message, record) in messages.iter().zip(&index) {
            let what = format!("{}: {}", path.display(), message.brief());
            assert_eq!((number(record, "conn"), number(record, "msg")), (message.conn, message.number), "{what}");
            if message.is_control() {
                assert!(key(record, "file").is_null() && key(record, "payload").is_string(), "{what}");
                continue;
            }
            let name = string(record, "file");
            assert!(key(record, "payload").is_null(), "{what}");
            assert_eq!(fs::read(to.join(&name)).unwrap(), message.payload, "{what}");
            let begin = format!("conn{}/{:06}.{}.{}.", message.conn, message.number, message.dir, message.kind);
            assert!(name.starts_with(&begin), "{name}");
            assert!(names.insert(name), "two messages in a file: {what}");
        }
        assert_eq!(files(&to), names, "{}", path.display());
    }
}

#[test]
fn no_name_is_chosen_by_the_capture() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("out");
    quiet(&export(Input::Bytes(&capture(&hostile())), &to, &[]));
    let names = files(&to);
    assert!(names.len() > 20);
    for name in names {
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(&byte)) && !name.contains(".."),
            "{name}"
        );
        assert!([".txt", ".json", ".bin", "index.jsonl"].iter().any(|end| name.ends_with(end)), "{name}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = capture(&[Session::sample(1)]);
    let to = dir.path().join("out");
    quiet(&export(Input::Bytes(&file), &to, &[]));
    let first = files(&to);
    let refused = |to: &Path, more: &[&str], words: &str| {
        let done = export(Input::Bytes(&file), to, more);
        assert!(done.code == Some(5) && done.stderr.contains(words), "{}", done.stderr);
    };
    refused(&to, &[], "is not empty: --force replaces an export in it");
    assert_eq!(files(&to), first);

    // With --force the earlier export goes, and nothing that is not of it.
    fs::write(to.join("notes.txt"), "mine").unwrap();
    fs::create_dir(to.join("connections")).unwrap();
    fs::create_dir(to.join("conn7")).unwrap();
    fs::write(to.join("conn7/000001.c2s.text.txt"), "of an earlier export").unwrap();
    quiet(&export(Input::Bytes(&file), &to, &["--force"]));
    let mut expected = first;
    expected.insert("notes.txt".to_owned());
    assert_eq!(files(&to), expected);
    assert!(to.join("connections").is_dir() && !to.join("conn7").exists());

    // An empty one is taken; what is no directory is not.
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    quiet(&export(Input::Bytes(&file), &empty, &[]));
    assert!(empty.join("index.jsonl").is_file());
    refused(&to.join("notes.txt"), &["--force"], "is no directory");
    refused(&dir.path().join("missing/out"), &[], "no such file or directory");
    let without = wspect(&["export", "raw"], Input::Bytes(&file));
    assert!(without.code == Some(2) && without.stderr.contains("name a directory"), "{}", without.stderr);
}

/// A link where a directory is to be is removed, and what it leads to stays.
#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (to, elsewhere) = (dir.path().join("out"), dir.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(&to).unwrap();
    fs::write(elsewhere.join("index.jsonl"), "mine").unwrap();
    std::os::unix::fs::symlink(&elsewhere, to.join("conn1")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("index.jsonl"), to.join("index.jsonl")).unwrap();
    quiet(&export(Input::Bytes(&capture(&[Session::sample(1)])), &to, &["--force"]));
    assert_eq!(files(&elsewhere), ["index.jsonl".to_owned()].into());
    assert_eq!(fs::read_to_string(elsewhere.join("index.jsonl")).unwrap(), "mine");
    assert!(files(&to).len() > 3 && !to.join("conn1").is_symlink() && !to.join("index.jsonl").is_symlink());
}

/// Nothing appears of an export that fails, or of an input that is none.
#[test]
fn what_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("out");
    assert_eq!(export(Input::Bytes(b"this is no capture at all"), &to, &[]).code, Some(3));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    quiet(&export(Input::Bytes(&capture(&[Session::sample(1)])), &to, &["-n", "3"]));
    assert_eq!(index(&to).len(), 3);
}

/// What is redacted is in no file.
#[test]
fn files_are_redacted() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("out");
    let mut session = Session::new(1);
    session.text(Client, r#"{"password":"pa55word","a":1}"#).text(Server, "ok");
    quiet(&export(Input::Bytes(&capture(&[session])), &to, &["--redact", "json:password"]));
    let text = fs::read_to_string(to.join("conn1/000001.c2s.text.json")).unwrap();
    assert!(text.starts_with(r#"{"password":"redacted-"#) && text.ends_with(r#"","a":1}"#), "{text}");
}
