//! Exports: what other programs open must be whole in their eyes, say what the capture says, and carry no trap.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod har;
mod html;
#[cfg(feature = "parquet")]
mod parquet;
mod raw;
mod redact;
mod script;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transcript;

use std::path::{Path, PathBuf};
use support::craft::*;
use support::run::{Done, Input, wspect};

/// Text that wants to be more than text: for a terminal, a browser, a Markdown reader, a spreadsheet, a file system.
const EVIL: &[&str] = &[
    "\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}",
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>'\" ${7*7} {{7*7}}",
    "</pre></details></code><iframe src='https://evil.example/'>",
    "```\n# heading\n````\n[link](javascript:alert(1)) <b>bold</b> | cell |",
    "\u{202e}reversed\u{202c}\u{2066}isolated\u{2069} zero\u{200b}width \u{2028} \u{feff}",
    "../../etc/passwd\u{0}CON",
    "=cmd|' /C calc'!A1",
    "line\nline\r\nline\u{85}",
];

/// Conversations with hostile text wherever they can have some.
fn hostile() -> Vec<Session> {
    let evil = |(n, evil): (usize, &&str)| {
        let line: String = evil.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        let word: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        let mut session = Session::bare(n);
        let more = format!(
            "Origin: {line}\r\nSec-WebSocket-Protocol: {word}\r\nCookie: {word}={word}\r\nX-{word}: {line}\r\n"
        );
        session.turn(Client, request(&format!("/{word}?{word}={word}"), &more));
        session.turn(
            Server,
            response(&format!("Sec-WebSocket-Protocol: {word}\r\nSet-Cookie: {word}={word}; Path={word}\r\n")),
        );
        session.text(Client, evil).text(Server, evil).binary(Server, *evil).say(Client, PING, *evil);
        session.say(Server, CLOSE, Frame::close(4000, &line.chars().take(30).collect::<String>()).payload);
        session
    };
    EVIL.iter().enumerate().map(evil).collect()
}

/// A capture of these conversations, one packet of each in turn.
fn capture(sessions: &[Session]) -> Vec<u8> {
    capture_of(&interleave(sessions.iter().map(Session::segments).collect()))
}

/// The output of an export that succeeded, as text.
fn text(arguments: &[&str], input: Input<'_>) -> String {
    let done = wspect(arguments, input);
    assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.stderr);
    String::from_utf8(done.stdout).expect("exports are UTF-8")
}

/// Captures of all kinds: the samples, and a few of the collection where it is there.
fn some_captures() -> Vec<PathBuf> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(samples).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "pcap" || ext == "pcapng"));
    assert!(paths.len() > 5);
    let more = [
        "app_payloads",
        "d_mix_gap_plain",
        "d_mix_lost_then_recovered",
        "d_mix_midstream",
        "d_mix_only_c2s",
        "d_mix_snaplen",
        "d_tls_gap",
    ];
    paths.extend(more.into_iter().filter_map(|name| support::capture("lab", &format!("{name}.pcap"))));
    paths
}

/// Runs with the capture of these bytes under a name of its own.
fn in_file(name: &str, bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().prefix(name).suffix(".pcap").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// Numbers redacted values in the order in which they come, so that two runs can be compared.
fn numbered(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("redacted-") {
        let (before, found) = rest.split_at(at);
        let (name, behind) = found.split_at(21);
        let number = names.iter().position(|other| *other == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        out += before;
        out += &format!("redacted-{}", number + 1);
        rest = behind;
    }
    out + rest
}

/// That a run ended well, quietly.
fn quiet(done: &Done) {
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
}

/// Options that a format does not take are refused, not passed over: whoever gives one relies on it.
#[test]
fn options_are_for_formats() {
    let said = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        let done = wspect(&arguments, Input::Bytes(b""));
        assert_eq!((done.code, done.stdout.as_slice()), (Some(2), &b""[..]), "{line}");
        done.stderr.trim_end().to_owned()
    };
    assert_eq!(said("export har --conn 1"), "wspect: export har takes no --conn: only script, sqlite, parquet, pcapng");
    assert_eq!(said("export pcapng --no-redact"), "wspect: export pcapng takes no --no-redact: only html, har");
    assert_eq!(
        said("export pcapng -n 1"),
        "wspect: export pcapng takes no --limit: only jsonl, json, csv, tsv, text, markdown, html, har, raw"
    );
    assert!(said("export hare").contains("did you mean har?"), "{}", said("export hare"));
}

/// A disk that is full is told; a reader that goes away is not.
#[cfg(target_os = "linux")]
#[test]
fn outputs_that_end_early() {
    use std::io::Read as _;
    let file = in_file("early", &capture(&[Session::sample(1)]));
    let big = in_file("big", &{
        let mut session = Session::new(1);
        session.text(Client, &"x".repeat(1 << 20)).text(Server, &"y".repeat(1 << 20));
        capture_of(&session.cut(|_| vec![16_000]))
    });
    for format in ["har", "html", "jsonl", "text", "markdown", "script"] {
        let full = wspect(&["export", format, "-q", "-o", "/dev/full"], Input::File(file.path()));
        assert_eq!(
            (full.code, full.stderr.as_str()),
            (Some(5), "wspect: /dev/full: no space left on device\n"),
            "{format}"
        );
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wspect"));
        command.env("XDG_CONFIG_HOME", "/none");
        command.args(["export", format]).arg(big.path()).stdout(std::process::Stdio::piped());
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 10]).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]), "{format}");
    }
}

/// What was not built in is said to be, and how to have it.
#[cfg(not(feature = "parquet"))]
#[test]
fn a_format_that_is_not_built_in_is_told() {
    let done = wspect(&["export", "parquet", "-o", "nowhere"], Input::Bytes(b""));
    let advice =
        "export parquet is not in this build: `cargo build --release --features parquet` makes one that has it";
    assert_eq!((done.code, done.stderr.trim_end()), (Some(2), format!("wspect: {advice}").as_str()));
}
