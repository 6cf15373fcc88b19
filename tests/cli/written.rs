//! Files that are written: what they replace, and what stops them.

use super::{run, stdout, wspect};
use std::fs;

#[test]
fn a_byte_order_mark_comes_first() {
    let plain = stdout("msgs -T fields -e conn -e len samples/chat.pcapng");
    assert_eq!(stdout("msgs -T fields -e conn -e len -E bom=y samples/chat.pcapng"), format!("\u{feff}{plain}"));
    let csv = stdout("msgs -T csv -e conn -e len samples/chat.pcapng");
    assert_eq!(stdout("msgs -T csv -e conn -e len -E bom=y samples/chat.pcapng"), format!("\u{feff}{csv}"));
    assert_eq!(run("msgs -T csv -E bom=1 samples/chat.pcapng").status.code(), Some(2));
}

/// Whoever may read a file may read what replaces it, and a link goes on to lead where it did.
#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_rights_and_its_place() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (there, link) = (dir.path().join("kept/there.jsonl"), dir.path().join("link.jsonl"));
    fs::create_dir(dir.path().join("kept")).unwrap();
    fs::write(&there, "old").unwrap();
    fs::set_permissions(&there, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&there, &link).unwrap();
    let export = |format: &str, more: &[&str]| {
        let line = ["export", format, "samples/chat.pcapng", "-q", "--force", "-o"];
        let output = wspect(line).arg(&link).args(more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::metadata(&there).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(export("jsonl", &[]), 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&there).unwrap(), stdout("export jsonl -q samples/chat.pcapng"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
    assert_eq!(
        export("pcapng", &["--secrets"]),
        0o600,
        "secrets are for their owner, whoever could read the file before"
    );
}

/// A limit on the size of files is a fault that is told, not the end of the program.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("out.jsonl");
    let line = format!(
        "ulimit -f 1; exec '{}' export jsonl samples/chat.pcapng -o '{}'",
        env!("CARGO_BIN_EXE_wspect"),
        place.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &line])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("XDG_CONFIG_HOME", "/none")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("out.jsonl: "), "{output:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// What begins with a bracket is JSON where JSON goes on so.
#[test]
fn text_that_is_no_capture_is_named_where_it_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let said = |text: &str| {
        let path = dir.path().join("file");
        fs::write(&path, text).unwrap();
        let output = wspect(["msgs"]).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for json in ["{\"log\":{}}", " [\n {\"a\":1}]", "{}", "[1,2]", "[-1]", "[\"a\"]", "[[]]"] {
        assert!(said(json).contains("HAR/JSON"), "{json}");
    }
    for other in ["[package]\nname = \"wspect\"\n", "{% if x %}", "[Unit]\nAfter=network.target\n"] {
        assert!(!said(other).contains("JSON"), "{other}: {}", said(other));
    }
}
