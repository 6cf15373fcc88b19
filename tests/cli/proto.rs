//! `--proto`: where schemas are found, and what is wrong with them.

use super::wspect;
use std::fs;
use std::path::Path;
use std::process::Output;

/// Messages of the capture, with these words behind.
fn msgs(words: &[&str]) -> Output {
    wspect([&["msgs", "-q", "--decoded", "-n", "1", "tests/data/proto.pcap"], words].concat()).output().unwrap()
}

#[track_caller]
fn fails(words: &[&str], code: i32, why: &str) {
    let done = msgs(words);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(code), &b""[..]), "{said}");
    assert_eq!(said, format!("wspect: {why}\n"));
}

#[test]
fn a_schema_that_cannot_be_read_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).display().to_string()
    };
    let wrong = write("wrong.proto", "syntax = \"proto3\";\nmessage A {\n  int32 x = 0;\n}\n");
    fails(&["--proto", &wrong], 2, &format!("{wrong}:3:13: a number from 1 to 536870911 is wanted"));
    let odd = write("odd.proto", "message A { \u{1f980} }");
    fails(&["--proto", &odd], 2, &format!("{odd}:1:13: this is no part of a schema"));
    let none = write("none.desc", "\u{1}\u{2}\u{3}");
    let why = format!("{none}: neither a .proto file nor a descriptor set (protoc --descriptor_set_out)");
    fails(&["--proto", &none], 2, &why);
    fails(&["--proto", "/no/such.proto:chat.A"], 3, "/no/such.proto: no such file or directory");
    fails(&["--proto", "samples"], 3, "samples: is a directory");
    let why = "tests/data/proto/chat.proto: no message type chat.Reques in the schema, did you mean chat.Request?";
    fails(&["--proto", "tests/data/proto/chat.proto:chat.Reques"], 2, why);
}

#[test]
fn imports_begin_beside_the_file_or_where_the_user_says() {
    let dir = tempfile::tempdir().unwrap();
    let moved = dir.path().join("chat.proto");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/proto/chat.proto"), &moved).unwrap();
    let moved = moved.display().to_string();
    let why = "import \"common/types.proto\": no such file (--proto-path names the directory in which imports begin)";
    fails(&["--proto", &moved], 2, &format!("{moved}:6:1: {why}"));
    let beside = msgs(&["--proto", "tests/data/proto/chat.proto"]);
    assert!(String::from_utf8_lossy(&beside.stdout).contains("chat.Request {\"sent\":"));
    assert_eq!(msgs(&["--proto", &moved, "--proto-path", "tests/data/proto"]), beside);
    // Both name the same file.
    let twice = ["--proto", "tests/data/proto/chat.proto", "--proto", "tests/../tests/data/proto/common/types.proto"];
    assert_eq!(msgs(&twice), beside);
}

#[test]
fn the_configuration_names_schemas() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, "proto = [\"tests/data/proto/chat.desc:Request\"]\nproto_path = \"x\"\n").unwrap();
    let config = config.display().to_string();
    let typed = msgs(&["--proto", "tests/data/proto/chat.desc:Request"]);
    assert!(!typed.stdout.is_empty());
    assert_eq!(msgs(&["--config", &config]), typed);
}
