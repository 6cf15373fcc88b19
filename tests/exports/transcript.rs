//! Transcripts in plain text and Markdown: all rows, in order, and nothing that a terminal or a reader of Markdown obeys.

use super::support::craft::*;
use super::support::run::{Input, messages, records, string, wspect};
use super::{capture, hostile, some_captures, text};
use std::path::Path;

const FORMATS: [&str; 2] = ["text", "markdown"];

/// A row for each message, finding, connection, handshake and end, in the order of the capture.
#[test]
fn every_event_has_its_row() {
    for path in some_captures() {
        let input = Input::File(&path);
        let count = |command: &str| wspect(&[command, "--json", "-q"], input).records().len();
        let (messages, handshakes) = (messages(input), count("handshake"));
        let (connections, findings) = (count("ls"), records("check", input));
        for format in FORMATS {
            let what = format!("{format} {}", path.display());
            let shown = text(&["export", format, "-q", "--payload", "none"], input);
            let rows: Vec<&str> =
                shown.lines().skip(if format == "text" { 0 } else { 3 }).filter(|row| !row.is_empty()).collect();
            assert_eq!(rows.len(), messages.len() + findings.len() + handshakes + 2 * connections, "{what}");
            let mut at = 0;
            for message in &messages {
                let place = format!("{}:{}", message.conn, message.number);
                let place = if format == "text" { format!("  {place} ") } else { format!(" `{place}` ") };
                let arrow = if message.dir == "c2s" { "→" } else { "←" };
                let is_its = |row: &&str| row.contains(&place) && row.contains(&message.kind) && row.contains(arrow);
                let found = rows[at..].iter().position(is_its);
                at += found.unwrap_or_else(|| panic!("{what}: no {} behind row {at}", message.brief())) + 1;
                assert!(message.missing.is_empty() || rows[at - 1].contains('⋯'), "{what}: {}", rows[at - 1]);
            }
            let mut at = 0;
            for finding in &findings {
                let code = string(finding, "code");
                let found = rows[at..].iter().position(|row| row.contains(&code));
                at += found.unwrap_or_else(|| panic!("{what}: no {code} behind row {at}")) + 1;
            }
        }
    }
}

/// What was said stands below its row.
#[test]
fn payloads_are_shown() {
    let mut session = Session::new(1);
    session.text(Client, "two\nlines").text(Server, r#"{"a":[1]}"#).binary(Client, *b"\x00\x01bytes");
    session.close();
    let file = capture(&[session]);
    let shown = text(&["export", "text", "-q"], Input::Bytes(&file));
    let rows: Vec<&str> = shown.lines().map(str::trim).collect();
    for expected in ["two", "lines", "\"a\": [", "00000000  00 01 62 79 74 65 73                              ..bytes"]
    {
        assert!(rows.contains(&expected), "{expected}: {shown}");
    }
    assert!(shown.contains("close, 6 bytes: 1000 normal closure, \"done\""), "{shown}");
    let shown = text(&["export", "markdown", "-q"], Input::Bytes(&file));
    for expected in ["```text\ntwo\nlines\n```\n", "```json\n{\n  \"a\": [\n    1\n  ]\n}\n```\n"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let bare = text(&["export", "markdown", "-q", "--payload", "none", "-n", "4"], Input::Bytes(&file));
    assert!(!bare.contains("```") && bare.lines().filter(|line| !line.is_empty()).count() == 2 + 4, "{bare}");
}

#[test]
fn nothing_in_it_is_obeyed() {
    let file = capture(&hostile());
    for format in FORMATS {
        for more in [&[][..], &["--payload", "text"], &["--payload", "hex"]] {
            let shown = text(&[&["export", format, "-q"], more].concat(), Input::Bytes(&file));
            assert!(
                !shown.contains(|c: char| c != '\n' && (c.is_control() || wspect::escape::is_hidden(c))),
                "{format}"
            );
            if format == "markdown" {
                check_markdown(&shown);
            }
        }
    }
}

/// Fences hold their blocks, however many backticks stand in them, at the start of a line or elsewhere.
#[test]
fn fences_are_longer_than_what_they_hold() {
    let mut session = Session::new(1);
    let texts: Vec<String> = (0..9).map(|n| format!("{0}\nend\n{0} x\n  {0}\n~~~\n", "`".repeat(n))).collect();
    for text in &texts {
        session.text(Server, text);
    }
    let shown = text(&["export", "markdown", "-q"], Input::Bytes(&capture(&[session])));
    let blocks = check_markdown(&shown);
    let expected: Vec<String> = texts.iter().map(|text| format!("{text}\n")).collect();
    assert_eq!(blocks, expected);
}

/// Reads as CommonMark does: blocks in fences are returned; outside of them and of code spans no sign is left that means
/// anything, but for the few that the document itself has.
fn check_markdown(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks < 3 {
            check_inline(line);
            continue;
        }
        assert!(["json", "text"].contains(&&line[ticks..]), "{line}");
        let mut block = String::new();
        loop {
            let line = lines.next().expect("each block ends");
            // Up to three blanks before it, as many ticks or more, and nothing behind (CommonMark §4.5).
            let inner = line.trim_start_matches(' ');
            let is_end = line.len() - inner.len() < 4
                && inner.trim_end().chars().all(|c| c == '`')
                && inner.trim_end().len() >= ticks;
            if is_end {
                break;
            }
            block += line;
            block += "\n";
        }
        blocks.push(block);
    }
    blocks
}

fn check_inline(line: &str) {
    if line == "# WebSocket transcript" || line.is_empty() {
        return;
    }
    let first = line.split(' ').next().unwrap();
    assert!(
        line.starts_with("`2:14` is") || first == "-" || first.parse::<f64>().is_ok(),
        "a row begins with its time: {line}"
    );
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix('\\') {
            let escaped = behind.chars().next().expect("something is escaped");
            assert!(escaped.is_ascii_punctuation(), "{line}");
            rest = &behind[1..];
        } else if c == '`' {
            let ticks = rest.len() - rest.trim_start_matches('`').len();
            let (fence, behind) = rest.split_at(ticks);
            // The next run of just as many ends it.
            let mut from = 0;
            let end = loop {
                let at = from + behind[from..].find('`').unwrap_or_else(|| panic!("a span has no end: {line}"));
                let run = behind[at..].len() - behind[at..].trim_start_matches('`').len();
                if run == fence.len() {
                    break at + run;
                }
                from = at + run;
            };
            rest = &behind[end..];
        } else if let Some(behind) = rest.strip_prefix("**Connection ") {
            rest = behind.split_once("**").unwrap().1;
        } else {
            assert!(!"<>[]*_&~|$@#^{}".contains(c), "{c} in {line}");
            assert!(!rest.starts_with("://") && !rest.to_ascii_lowercase().starts_with("www."), "a link in {line}");
            rest = &rest[c.len_utf8()..];
        }
    }
}

/// The checker itself finds what it is to find.
#[test]
fn markup_is_seen() {
    let is_seen = |line: &str| std::panic::catch_unwind(|| check_markdown(line)).is_err();
    assert!(!is_seen("0.1 `1` \\<b\\> `` <b> ` ``"));
    for line in
        ["0.1 <b>", "0.1 [a](b)", "0.1 `a", "0.1 `a``", "# x", "0.1 *a*", "0.1 http://a", "```text\n``\n", "0.1 \\"]
    {
        assert!(is_seen(line), "{line}");
    }
}

#[test]
fn looks() {
    let golden = |format: &str, sample: &str, more: &[&str]| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample);
        text(&[&["export", format, "-q", "--max-payload", "200"], more].concat(), Input::File(&path))
    };
    insta::assert_snapshot!("text", golden("text", "chat.pcapng", &["-n", "40"]));
    insta::assert_snapshot!("text_lossy", golden("text", "lossy.pcap", &["-n", "60", "--payload", "none"]));
    insta::assert_snapshot!("markdown", golden("markdown", "stomp.pcapng", &["-t", "ud"]));
    insta::assert_snapshot!("markdown_refused", golden("markdown", "handshakes.pcapng", &["-n", "12"]));
}
