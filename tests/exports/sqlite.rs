//! A database has every record of the capture, and opens where it should.

use super::support::craft::*;
use super::support::run::{Done, Input, wspect};
use super::{capture, hostile, in_file, quiet, some_captures};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

/// Columns that hold JSON.
const NESTED: &[&str] = &[
    "missing",
    "findings",
    "decoded",
    "waited",
    "request",
    "response",
    "subprotocols_offered",
    "extensions_offered",
    "extensions",
    "checks",
    "tls",
    "c2s",
    "s2c",
    "via",
    "encapsulation",
    "encapsulation_back",
    "evidence",
];

fn export(input: Input<'_>, to: &Path, more: &[&str]) -> Done {
    wspect(&[&["export", "sqlite", "-q", "-o", to.to_str().unwrap()], more].concat(), input)
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The rows of a query as objects.
fn query(database: &Connection, sql: &str) -> Vec<Map<String, Value>> {
    let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = |row: &rusqlite::Row<'_>| {
        let value = |(at, name): (usize, &String)| {
            let value = match row.get_ref(at).unwrap() {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                ValueRef::Text(text) => {
                    let text = std::str::from_utf8(text).unwrap();
                    let nested = NESTED.contains(&name.as_str());
                    if nested { serde_json::from_str(text).unwrap() } else { text.into() }
                }
                ValueRef::Blob(bytes) => json!({ "base64": BASE64_STANDARD.encode(bytes) }),
            };
            (name.clone(), value)
        };
        Ok(names.iter().enumerate().map(value).collect())
    };
    statement.query_map([], row).unwrap().map(|row| row.unwrap()).collect()
}

/// A record as a row shows it.
fn as_row(mut record: Map<String, Value>) -> Map<String, Value> {
    let enc = record.remove("enc");
    record.remove("v");
    record.remove("kind");
    for (name, value) in &mut record {
        match value {
            Value::Bool(is_true) if !NESTED.contains(&name.as_str()) => *value = i64::from(*is_true).into(),
            Value::String(payload) if name == "payload" && enc == Some("base64".into()) => {
                *value = json!({ "base64": payload });
            }
            _ => {}
        }
    }
    record
}

fn sorted(rows: impl IntoIterator<Item = Map<String, Value>>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|row| Value::Object(row).to_string()).collect();
    rows.sort();
    rows
}

/// Every record of every kind is a row, with all its keys, and times to reckon with beside them.
#[test]
fn every_record_is_a_row() {
    let dir = tempfile::tempdir().unwrap();
    for (nth, path) in some_captures().into_iter().enumerate() {
        let to = dir.path().join(format!("{nth}.db"));
        quiet(&export(Input::File(&path), &to, &[]));
        let database = open(&to);
        for kind in ["connection", "handshake", "message", "frame", "finding"] {
            let records = wspect(&["export", "jsonl", "-q", "--records", kind], Input::File(&path)).records();
            let expected = records.into_iter().map(|record| as_row(record.as_object().unwrap().clone()));
            let mut rows = query(&database, &format!("SELECT * FROM {kind}s"));
            for row in &mut rows {
                for name in ["time", "start", "end"] {
                    let Some(nanos) = row.remove(&format!("{name}_ns")) else { continue };
                    let time = row[name].as_str().map(|time| time.parse::<jiff::Timestamp>().unwrap().as_nanosecond());
                    assert_eq!(nanos.as_i64().map(i128::from), time, "{row:?}");
                }
            }
            assert!(sorted(rows) == sorted(expected), "{} {kind}", path.display());
        }
        assert_eq!(query(&database, "PRAGMA foreign_key_check").len(), 0, "{}", path.display());
        assert_eq!(query(&database, "PRAGMA integrity_check")[0]["integrity_check"], "ok");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), some_captures().len(), "nothing else is left behind");
}

/// The queries of the manual answer.
#[test]
fn queries_of_the_manual_answer() {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/EXPORTS.md")).unwrap();
    let (_, manual) = manual.split_once("## `sqlite`").unwrap();
    let blocks = manual.split("```sql\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let queries: Vec<&str> = blocks.flat_map(|block| block.split(";\n")).filter(|sql| !sql.trim().is_empty()).collect();
    assert!(queries.len() >= 3);
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("mix.db");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/chat.pcapng");
    quiet(&export(Input::File(&sample), &to, &[]));
    let database = open(&to);
    for sql in queries {
        assert!(!query(&database, sql).is_empty(), "{sql}");
    }
    assert!(!query(&database, "SELECT * FROM texts").is_empty());
    assert_eq!(query(&database, "PRAGMA user_version")[0]["user_version"], 1);
}

#[test]
fn hostile_text_comes_back_byte_for_byte() {
    let sessions = hostile();
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("evil.db");
    quiet(&export(Input::Bytes(&capture(&sessions)), &to, &[]));
    let database = open(&to);
    let mut statement = database.prepare("SELECT payload FROM messages WHERE conn = ? ORDER BY msg").unwrap();
    for (nth, session) in sessions.iter().enumerate() {
        let rows = statement.query_map([nth as i64 + 1], |row| Ok(row.get_ref(0)?.as_bytes()?.to_vec())).unwrap();
        let said: Vec<&Vec<u8>> = session.said.iter().map(|said| &said.payload).collect();
        assert_eq!(rows.map(|row| row.unwrap()).collect::<Vec<_>>().iter().collect::<Vec<_>>(), said);
    }
}

/// A filter chooses connections, and messages of them; what is redacted is in no table.
#[test]
fn rows_are_chosen_and_redacted() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::bare(1);
    session.turn(Client, request("/a?token=t0ken", "Cookie: sid=s3cret\r\n")).turn(Server, response(""));
    session.text(Client, r#"{"password":"pa55word"}"#).text(Server, "ok");
    let file = in_file("rows", &capture(&[session, Session::sample(2)]));
    let to = dir.path().join("all.db");
    let rules = ["--redact", "json:password,query:token,cookies"];
    quiet(&export(Input::File(file.path()), &to, &rules));
    let bytes = fs::read(&to).unwrap();
    let has = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!["pa55word", "t0ken", "s3cret"].into_iter().any(has) && has("redacted-"));

    let some = dir.path().join("some.db");
    quiet(&export(Input::File(file.path()), &some, &["-Y", "wspect.dir == c2s && json.password"]));
    let database = open(&some);
    let counts = "SELECT (SELECT count(*) FROM connections) AS c, (SELECT count(*) FROM messages) AS m";
    let counts = query(&database, counts).remove(0);
    assert_eq!((&counts["c"], &counts["m"]), (&1.into(), &1.into()));
    assert_eq!(query(&database, "PRAGMA foreign_key_check").len(), 0);
    let one = dir.path().join("one.db");
    quiet(&export(Input::File(file.path()), &one, &["--conn", "2"]));
    assert_eq!(query(&open(&one), "SELECT conn FROM connections")[0]["conn"], 2);
}

/// It is a file or nothing: neither a stream, nor one that exists, nor what is left of one that fails.
#[test]
fn outputs_that_are_no_place_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = capture(&[Session::sample(1)]);
    let to = dir.path().join("out.db");
    let done = wspect(&["export", "sqlite"], Input::Bytes(&file));
    assert!(done.code == Some(2) && done.stderr.contains("name a file for it (-o FILE)"), "{}", done.stderr);
    assert!(done.stdout.is_empty());
    quiet(&export(Input::Bytes(&file), &to, &[]));
    let again = export(Input::Bytes(&file), &to, &[]);
    assert!(again.code == Some(5) && again.stderr.contains("exists: --force replaces it"), "{}", again.stderr);
    quiet(&export(Input::Bytes(&file), &to, &["--force"]));
    assert_eq!(export(Input::Bytes(b"no capture"), &dir.path().join("none.db"), &[]).code, Some(3));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    #[cfg(target_os = "linux")]
    assert_eq!(export(Input::Bytes(&file), Path::new("/dev/full"), &[]).code, Some(2));
}

/// Memory holds a fraction of it.
#[test]
fn much_costs_no_memory() {
    let mut session = Session::new(1);
    for n in 0..1400_u32 {
        session.text(Server, &format!("{n}:{}", "x".repeat(60_000)));
    }
    let file = in_file("much", &capture(&[session]));
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("much.db");
    let done = export(Input::File(file.path()), &to, &[]);
    quiet(&done);
    assert!(done.peak_kib < 48 << 10, "{} KiB for 84 MB", done.peak_kib);
    assert_eq!(query(&open(&to), "SELECT sum(len) > 84000000 AS all_there FROM messages")[0]["all_there"], 1);
}
