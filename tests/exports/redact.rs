//! What is redacted is in no output, and the same everywhere.

use super::support::craft::*;
use super::support::run::{Input, flag, number, string, wspect, wspect_with};
use super::{capture, in_file, text};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A conversation that opens with a cookie and credentials.
fn with_secrets(n: usize) -> Session {
    let mut session = Session::bare(n);
    session.turn(Client, request("/", "Cookie: sid=s3cr3t-sid; theme=dark\r\nAuthorization: Bearer t0k3n-of-mine\r\n"));
    session.turn(Server, response("Set-Cookie: sid=s3cr3t-sid; Path=/\r\nX-Other: shown\r\n"));
    session.text(Client, "hello").close();
    session
}

/// Unasked in HAR: cookies and credentials, with one pseudonym for one value.
#[test]
fn har_hides_cookies_and_credentials() {
    let file = capture(&[with_secrets(1), with_secrets(2)]);
    let har = text(&["export", "har", "-q"], Input::Bytes(&file));
    for secret in ["s3cr3t-sid", "t0k3n-of-mine", "dark"] {
        assert!(!har.contains(secret), "{secret}");
    }
    for shown in ["sid=redacted-", "theme=redacted-", "Bearer redacted-", "Path=/", "X-Other", "hello"] {
        assert!(har.contains(shown), "{shown}");
    }
    let names = |har: &str| -> Vec<String> {
        let found = har.match_indices("redacted-").map(|(at, _)| har[at..at + 21].to_owned());
        found.collect::<BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(names(&har).len(), 3, "three values, each with one name in both connections: {har}");
    let again = text(&["export", "har", "-q"], Input::Bytes(&file));
    assert!(names(&again).iter().all(|name| !har.contains(name)), "another run has other names");
    let shown = text(&["export", "har", "-q", "--no-redact"], Input::Bytes(&file));
    assert!(shown.contains("s3cr3t-sid") && shown.contains("t0k3n-of-mine") && !shown.contains("redacted-"));
}

const RULES: &str = "cookies,authorization,header:x-api-key,query:token,json:password,regex:card (\\d{4}-\\d{4})";

/// Values that are not to be seen, each under a rule.
const SECRETS: &[&str] = &[
    "s3cr3t-sid",
    "b3arer-t0k3n",
    "k3y-of-api",
    "t0k3n-in-query",
    "pa55word-of-mine",
    "n3sted-one",
    "1234-5678",
    "closing-t0k3n",
    "blank-c00kie",
    "c0lonless-one",
    "3scaped-t0k3n",
    "3ncoded-t0k3n",
];

/// A conversation with a secret in every place that has a rule, in messages of every make.
fn full_of_secrets() -> Session {
    let mut session = Session::bare(1);
    let more = "Origin: https://lab.test/?token=t0k3n-in-query\r\nCookie: sid=s3cr3t-sid\r\n\
        Authorization: Bearer b3arer-t0k3n\r\nX-Api-Key: k3y-of-api\r\nX-Shown: shown-header\r\n\
        Cookie : sid=blank-c00kie\r\nCookie sid=c0lonless-one\r\n";
    session.turn(Client, request("/chat?room=7&token=t0k3n-in-query", more));
    session.turn(Server, response("Set-Cookie: sid=s3cr3t-sid; HttpOnly\r\n"));
    let login = r#"{"user":"ann","password":"pa55word-of-mine","n":1}"#;
    session.text(Client, login).binary(Client, login).say(Client, PING, login);
    session.parts(Server, TEXT, &[login.as_bytes()[..30].to_vec(), login.as_bytes()[30..].to_vec()], true);
    session.text(Server, r#"a["{\"password\":\"n3sted-one\",\"room\":7}"]"#);
    session.text(Server, r#"{"password":{"old":"pa55word-of-mine","new":"n3sted-one"},"kept":"shown-member"}"#);
    session.text(Client, "pay with card 1234-5678 please").text(Client, "see wss://h/x?token=t0k3n-in-query&y=2");
    session.text(Client, r#"{"url":"https://h/?a=1\u0026token=3scaped-t0k3n\u0026b=2"}"#);
    session.text(Client, "/login?to=https%3A%2F%2Fh%2F%3Ftoken%3D3ncoded-t0k3n%26b");
    session.say(Client, CLOSE, Frame::close(4001, "back to /?token=closing-t0k3n").payload);
    session.say(Server, CLOSE, Frame::close(4001, "").payload);
    session
}

/// Everything that a run said, in every spelling in which payloads are shown.
fn everything(arguments: &[&str], path: &Path, more: &[&str]) -> String {
    let done = wspect_with(arguments, path, more);
    assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.stderr);
    let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
    let mut all = stdout.clone() + &done.stderr;
    for value in stdout.split('"') {
        all +=
            &BASE64_STANDARD.decode(value).map_or(String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
    }
    // A dump has its text in pieces of 16 characters, and its bytes in hex.
    let hex: String = stdout.lines().flat_map(|line| line.get(10..59).unwrap_or("").split(' ')).collect();
    all + &hex
}

/// What is hidden in the tree of a message is not shown by its bytes, in whatever encoding they are.
#[test]
fn what_is_hidden_in_a_tree_is_hidden_in_the_payload() {
    let mut session = Session::bare(1);
    session.turn(Client, request("/", "")).turn(Server, response(""));
    session.binary(Client, b"\x82\xa8password\xa7hunter2\xa1n\x01").binary(Client, b"\x82\xa4kept\xa5shown\xa1n\x01");
    let file = in_file("packed", &capture(&[session]));
    for form in [
        &["--json"][..],
        &["--payload", "hex"],
        &["--payload", "base64"],
        &["-T", "csv", "-e", "summary", "-e", "payload"],
    ] {
        let command = [&["msgs", "--decoded"][..], form].concat();
        let command = if form.contains(&"-T") { [&["msgs"][..], form].concat() } else { command };
        let redacted = everything(&[&command[..], &["--redact", "json:password"]].concat(), file.path(), &[]);
        let hex: String = "hunter2".bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!redacted.contains("hunter2") && !redacted.contains(&hex), "{form:?}: {redacted}");
        assert!(redacted.contains("shown") && redacted.contains("redacted-"), "{form:?}: {redacted}");
    }
}

/// No command, no form, no way of showing payloads lets one through; without the rules each is seen somewhere.
#[test]
fn no_output_shows_what_is_redacted() {
    let file = in_file("secrets", &capture(&[full_of_secrets()]));
    let commands: &[(&[&str], &[&str])] = &[
        (&["ls"], &[]),
        (&["ls", "--json"], &[]),
        (&["msgs"], &[]),
        (&["msgs", "--json"], &[]),
        (&["msgs", "--json", "--payload", "base64"], &[]),
        (&["msgs", "--payload", "text"], &[]),
        (&["msgs", "--payload", "hex"], &[]),
        (&["handshake"], &[]),
        (&["handshake", "--json"], &["1"]),
        (&["show"], &["1"]),
        (&["show", "--raw"], &["1"]),
        (&["show", "--payload", "hex"], &["1"]),
        (&["show", "--json"], &["1"]),
        (&["follow"], &["1"]),
        (&["follow", "--json"], &["1"]),
        (&["check", "-vv"], &[]),
        (&["check", "--json"], &[]),
        (&["export", "jsonl", "--records", "connection,handshake,message,finding"], &[]),
        (&["export", "text"], &[]),
        (&["export", "markdown"], &[]),
        (&["export", "html", "--no-redact"], &[]),
        (&["export", "har", "--har-control"], &[]),
        (&["export", "har", "--no-redact"], &[]),
    ];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (command, more) in commands {
        let redacted = everything(&[command, &["--redact", RULES][..]].concat(), file.path(), more);
        for secret in SECRETS {
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                !redacted.contains(secret) && !redacted.contains(&hex),
                "{command:?} {more:?} shows {secret}: {redacted}"
            );
        }
        let shown = everything(command, file.path(), more);
        seen.extend(SECRETS.iter().filter(|secret| shown.contains(**secret)));
    }
    assert_eq!(seen.len(), SECRETS.len(), "each is there to be seen: {seen:?}");
}

/// What is not named stays, JSON stays JSON, and one value has one name wherever it stands.
#[test]
fn what_is_left_is_whole() {
    let file = in_file("secrets", &capture(&[full_of_secrets()]));
    let rows = |rules: &[&str]| {
        let arguments = [&["export", "jsonl", "-q", "--records", "handshake,message"], rules].concat();
        wspect(&arguments, Input::File(file.path())).records()
    };
    let (plain, redacted) = (rows(&[]), rows(&["--redact", RULES]));
    assert_eq!(plain.len(), redacted.len());
    let target = string(&redacted[0]["request"], "target");
    let token = target.strip_prefix("/chat?room=7&token=").unwrap();
    assert!(token.starts_with("redacted-") && string(&redacted[0], "url").ends_with(&target), "{target}");
    assert!(redacted[0]["request"].to_string().contains("shown-header"));
    assert!(redacted[0]["request"].to_string().contains(&format!("https://lab.test/?token={token}")));
    let payload = |row: &Value| match row["enc"].as_str().unwrap() {
        "base64" => String::from_utf8_lossy(&BASE64_STANDARD.decode(string(row, "payload")).unwrap()).into_owned(),
        _ => string(row, "payload"),
    };
    let login: Value = serde_json::from_str(&payload(&redacted[1])).unwrap();
    assert_eq!((&login["user"], &login["n"]), (&"ann".into(), &1.into()));
    for n in [2, 3, 5] {
        assert_eq!(payload(&redacted[n]), payload(&redacted[1]), "text, binary, ping and fragments");
    }
    assert!(payload(&redacted[6]).starts_with(r#"a["{\"password\":\"redacted-"#), "{}", payload(&redacted[6]));
    assert!(payload(&redacted[7]).contains("shown-member"));
    assert!(payload(&redacted[9]) == format!("see wss://h/x?token={token}&y=2"), "{}", payload(&redacted[9]));
    for (plain, redacted) in plain.iter().zip(&redacted).skip(1) {
        let bytes = match redacted["enc"].as_str().unwrap() {
            "base64" => BASE64_STANDARD.decode(string(redacted, "payload")).unwrap().len(),
            _ => string(redacted, "payload").len(),
        };
        assert_eq!((number(redacted, "len"), flag(redacted, "truncated")), (bytes as u64, false));
        for key in ["wire_len", "complete", "missing", "dir", "type", "packet", "msg", "findings", "close_code"] {
            assert_eq!(plain[key], redacted[key], "{key}");
        }
    }
    let counts = |rules: &[&str]| {
        wspect(&[&["ls", "--json"], rules].concat(), Input::File(file.path())).records()[0]["c2s"].clone()
    };
    assert_eq!(counts(&[]), counts(&["--redact", RULES]), "what is counted is what was sent");
}

/// Of a message with a hole nobody can tell what is a password; of a whole one, only the password goes.
#[test]
fn a_message_with_a_hole_goes_as_a_whole() {
    let mut session = Session::new(1);
    session.text(Server, &format!(r#"{{"a":"{}","password":"x"}}"#, "filler ".repeat(400))).text(Server, "after");
    let mut segments = session.cut(|bytes| vec![bytes.len().min(1000)]);
    let shown = |segments: &[Segment]| {
        let done = wspect(&["msgs", "--json", "-q", "--redact", "json:password"], Input::Bytes(&capture_of(segments)));
        string(&done.records()[0], "payload")
    };
    assert!(shown(&segments).starts_with(r#"{"a":"filler filler"#));
    let of_message =
        |segment: &Segment| segment.payload.len() == 1000 && !segment.payload.windows(5).any(|some| some == b"{\"a\":");
    let middle = segments.iter().position(of_message).unwrap();
    segments.remove(middle);
    let holed = shown(&segments);
    assert!(holed.starts_with("redacted-") && holed.len() == 21, "{holed}");
}

/// Headers that a handshake's fields are read from, and findings that quote them.
#[test]
fn what_is_read_from_a_header_is_hidden_with_it() {
    let mut session = Session::bare(1);
    session.turn(
        Client,
        request("/", "Origin: https://0rigin-of-mine.test\r\nSec-WebSocket-Protocol: chat, pr0tocol-t0k3n\r\n"),
    );
    session.turn(Server, response("Sec-WebSocket-Protocol: pr0tocol-t0k3n\r\n"));
    session.text(Client, "hello");
    let file = in_file("headers", &capture(&[session]));
    let rules = ["--redact", "header:origin,header:sec-websocket-protocol,header:sec-websocket-key"];
    for command in [&["check", "-vv"][..], &["handshake"], &["handshake", "--json"], &["ls", "--json"], &["follow"]] {
        let more: &[&str] = if command == ["follow"] { &["1"] } else { &[] };
        let shown = everything(&[command, &rules].concat(), file.path(), more);
        for secret in ["0rigin-of-mine", "pr0tocol-t0k3n", "chat"] {
            assert!(!shown.contains(secret), "{command:?}: {secret}: {shown}");
        }
    }
    let plain = &wspect(&["handshake", "--json"], Input::File(file.path())).records()[0];
    let shown = &wspect(&["handshake", "--json", rules[0], rules[1]], Input::File(file.path())).records()[0];
    assert_ne!(plain["key"], shown["key"]);
    assert_eq!(shown["accept"], shown["accept_expected"], "that they agree is still seen");
}

#[test]
fn what_cannot_be_redacted_is_refused() {
    let file = in_file("secrets", &capture(&[full_of_secrets()]));
    let said = |arguments: &[&str]| {
        let done = wspect(arguments, Input::File(file.path()));
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{arguments:?}");
        done.stderr
    };
    assert!(said(&["export", "pcapng", "--redact", "cookies"]).contains("copies packets as they are"));
    assert!(said(&["msgs", "--redact", "regex:("]).contains("unclosed group"));
    assert!(said(&["msgs", "--redact", "passwords"]).contains("one of cookies authorization"));
}
