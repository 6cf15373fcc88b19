//! Text that wants to be more than text. Terminals get none of its control characters.

use super::support::craft::*;
use super::support::run::{Input, Message, messages, records, wspect};
use super::{Survives, between_segments};

/// Sequences that a terminal would obey, or that make text look like other text.
const EVIL: &[&str] = &[
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]52;c;ZXZpbA==\u{7}",
    "\u{1b}]0;title\u{1b}\\",
    "\u{1b}P+q544e\u{1b}\\",
    "\u{9b}31m\u{90}\u{9d}",
    "bell\u{7} back\u{8} cr\rover tab\t nul\u{0} del\u{7f}",
    "\u{202e}reversed\u{202c} \u{2066}isolated\u{2069}",
    "zero\u{200b}width\u{200d}\u{feff}",
    "tags\u{e0041}\u{e0042}",
    "line\nline\r\nline\u{2028}sep\u{2029}",
];

/// Sessions with hostile text in payloads, URL, headers, subprotocol, close reason and status.
fn hostile() -> (Vec<Session>, Vec<u8>) {
    let sessions: Vec<Session> = EVIL
        .iter()
        .enumerate()
        .map(|(n, evil)| {
            let line: String = evil.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
            let spaceless: String = line.chars().filter(|c| !c.is_whitespace()).collect();
            let more = format!("Origin: {line}\r\nSec-WebSocket-Protocol: {spaceless}\r\nX-{spaceless}: 1\r\n");
            let mut session = Session::bare(n);
            let asking = request(&format!("/{spaceless}"), &more);
            session.turn(Client, asking).turn(Server, response(&format!("Sec-WebSocket-Protocol: {spaceless}\r\n")));
            session.text(Client, evil).text(Server, evil).say(Client, PING, *evil).binary(Server, *evil);
            session.say(Server, CLOSE, Frame::close(4000, &evil[..evil.len().min(100)]).payload);
            session
        })
        .collect();
    let mut refused = Session::bare(EVIL.len());
    refused.turn(Client, request("/", "")).turn(Server, "HTTP/1.1 403 \u{1b}[31mno\u{7}\r\nX: \u{202e}\r\n\r\n");
    let segments = sessions.iter().chain([&refused]).map(Session::segments).collect();
    let file = between_segments(&interleave(segments));
    (sessions, file)
}

/// Characters that a terminal must never get from a capture.
fn is_evil(c: char) -> bool {
    let format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() && c != '\n' || format
}

#[test]
fn terminals_get_no_control_characters() {
    let (_, file) = hostile();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile_text.pcap");
    std::fs::write(&path, &file).unwrap();
    let commands: &[&[&str]] = &[&["ls"], &["msgs"], &["frames"], &["handshake"], &["stats"], &["check"]];
    for command in commands {
        let done = wspect(command, Input::File(&path));
        assert_eq!(done.code, Some(0), "{command:?}: {}", done.stderr);
        let text = String::from_utf8(done.stdout).expect("text is UTF-8");
        assert!(!text.is_empty(), "{command:?} prints nothing");
        for output in [&text, &done.stderr] {
            if let Some(at) = output.find(is_evil) {
                let from = output[..at].rfind('\n').map_or(0, |newline| newline + 1);
                panic!("{command:?}: {:?}", output[from..].lines().next());
            }
        }
    }
    for n in 1..=EVIL.len() {
        let conn = n.to_string();
        for command in ["show", "follow", "handshake"] {
            let done = super::support::run::wspect_with(&[command], &path, &[&conn]);
            let text = String::from_utf8(done.stdout).expect("text is UTF-8");
            assert!(!text.contains(is_evil), "{command} {n}: {text:?}");
        }
    }
    std::fs::remove_file(&path).unwrap();
}

/// Records hold every byte, and are JSON without a raw control character.
#[test]
fn records_hold_every_byte() {
    let (sessions, file) = hostile();
    for command in ["ls", "msgs", "frames", "handshake", "stats", "check"] {
        let done = wspect(&[command, "--json"], Input::Bytes(&file));
        assert!(!done.records().is_empty(), "{command}");
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{command}");
    }
    let all = messages(Input::Bytes(&file));
    let of = |session: &Session, dir: &str| -> Vec<Message> {
        let rows = records("ls", Input::Bytes(&file));
        let row = rows.iter().find(|row| row["client"] == session.client.to_string()).unwrap();
        all.iter().filter(|m| row["conn"] == m.conn && m.dir == dir).cloned().collect()
    };
    for session in &sessions {
        for dir in ["c2s", "s2c"] {
            let said: Vec<_> = session.said.iter().filter(|said| said.dir == dir).map(|said| &said.payload).collect();
            let shown = of(session, dir);
            assert_eq!(shown.iter().map(|message| &message.payload).collect::<Vec<_>>(), said);
        }
    }
}

/// JSON a hundred thousand levels deep, numbers without end, lines without end.
#[test]
fn monstrous_texts_are_shown() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let unbalanced = "[{".repeat(60_000);
    let number = format!("{{\"n\":{},\"e\":1e999999}}", "9".repeat(100_000));
    let marks = format!("e{}", "\u{301}".repeat(3000));
    let long = "x".repeat(2_000_000);
    let mut session = Session::new(1);
    for text in [&deep, &objects, &unbalanced, &number, &marks, &long] {
        session.text(Client, text);
    }
    let file = between_segments(&session.cut(|_| vec![16_000]));
    let others = Survives::new("monstrous texts", &[]).check(&file);
    super::says(others.get(&session.client.to_string()), &session, "monstrous texts");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("monstrous_texts.pcap");
    std::fs::write(&path, &file).unwrap();
    for target in ["2", "2:1", "2:2", "2:3", "2:4", "2:5"] {
        let done = super::support::run::wspect_with(&["show"], &path, &[target]);
        assert_eq!(done.code, Some(0), "show {target}: {}", done.stderr);
        assert!(!done.stdout.is_empty(), "show {target}");
    }
    std::fs::remove_file(&path).unwrap();
}

/// Text that is not UTF-8 is base64 in records and visible in text.
#[test]
fn text_that_is_not_utf_8_is_kept() {
    let texts: [&[u8]; 5] = [b"caf\xe9", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"ok\x00ok", b"\xc3"];
    let mut session = Session::new(1);
    for text in texts {
        session.say(Server, TEXT, text);
    }
    let file = between_segments(&session.segments());
    let others = Survives::new("not UTF-8", &["UTF8-BAD"]).check(&file);
    super::says(others.get(&session.client.to_string()), &session, "not UTF-8");
    let encodings: Vec<String> = records("msgs", Input::Bytes(&file))
        .iter()
        .filter(|record| record["conn"] == 2)
        .map(|record| record["enc"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(encodings, ["base64", "base64", "base64", "utf8", "base64"]);
}
