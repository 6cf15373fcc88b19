//! `wspect schema`: every record that there is satisfies it, and all that it names occurs.

use super::*;
use serde_json::Value;
use std::collections::BTreeSet;
use wspect::export::RECORD_KINDS;

snapshots! {
    help_schema "schema --help"
    schema_finding "schema finding"
}

/// What a value violates of a schema, in the keywords that ours use; any other keyword is an error.
fn violations(schema: &Value, value: &Value, root: &Value, at: &str, seen: &mut BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        let is_kept = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "type" => {
                rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice).iter().any(|name| is(value, name))
            }
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= rule.as_u64().unwrap()),
            "format" => {
                assert_eq!(rule, "date-time");
                value.as_str().is_none_or(|time| time.len() == 30 && time.ends_with('Z') && time.as_bytes()[10] == b'T')
            }
            "pattern" => {
                assert_eq!(rule, "^[A-Z][A-Z0-9-]*$");
                value.as_str().is_none_or(|code| {
                    code.starts_with(|c: char| c.is_ascii_uppercase())
                        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
                })
            }
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}.{name}");
                    match rule.get(name) {
                        Some(rule) => {
                            seen.insert(at.clone());
                            if !inner.is_null() {
                                seen.insert(format!("{at}: value"));
                            }
                            wrong.extend(violations(rule, inner, root, &at, seen));
                        }
                        None => wrong.push(format!("{at} is not in the schema")),
                    }
                }
                true
            }
            "items" => {
                let items = value.as_array().into_iter().flatten();
                wrong.extend(items.flat_map(|item| violations(rule, item, root, at, seen)));
                true
            }
            "prefixItems" => {
                let items = value.as_array().into_iter().flatten().zip(rule.as_array().unwrap());
                wrong.extend(items.flat_map(|(item, rule)| violations(rule, item, root, at, seen)));
                true
            }
            "oneOf" => {
                let mut fits = |rule: &&Value| {
                    let mut inside = BTreeSet::new();
                    let fits = violations(rule, value, root, "", &mut inside).is_empty();
                    if fits {
                        seen.extend(
                            inside.into_iter().map(|path| format!("{}{path}", value["kind"].as_str().unwrap())),
                        );
                    }
                    fits
                };
                rule.as_array().unwrap().iter().filter(&mut fits).count() == 1
            }
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                wrong.extend(violations(target, value, root, at, seen));
                true
            }
            other => panic!("keyword {other}"),
        };
        if !is_kept {
            wrong.push(format!("{at}: {keyword} {rule}: {value}"));
        }
    }
    wrong
}

fn is(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    }
}

fn schema(line: &str) -> Value {
    serde_json::from_str(&stdout(line)).unwrap()
}

/// Paths of all properties: `message.waited.packet`.
fn properties(schema: &Value, at: &str, out: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        properties(inner, &at, out);
        out.insert(at);
    }
    if let Some(items) = schema.get("items") {
        properties(items, at, out);
    }
}

/// Keys that have no value in any of these captures: those that have none so far, and those that need a rare capture.
/// Their values are put to the test in `tests/records.rs`.
const NO_VALUE: &[&str] = &[
    ".h2_stream",
    "capture.conn",
    "capture.dropped",
    "capture.file_packet",
    "capture.packet",
    "capture.tcp_stream",
    "capture.time",
    "connection.encapsulation_back",
    "assertion.conn",
    "assertion.file_packet",
    "assertion.packet",
    "assertion.tcp_stream",
    "assertion.time",
    "difference.conn",
    "difference.file_packet",
    "difference.packet",
    "difference.tcp_stream",
    "difference.time",
    "handshake.request.reason",
    "handshake.request.status",
    "handshake.response.method",
    "handshake.response.target",
    "message.decoded",
    "message.waited",
    "stats.conn",
    "stats.file_packet",
    "stats.packet",
    "stats.tcp_stream",
    "stats.time",
    "alpn",
    "tls.file_packet",
    ".compression",
    ".hardware",
    ".description",
    ".filter",
    "interfaces.os",
    ".received",
    ".dropped",
    ".accepted",
    ".os_dropped",
    ".delivered",
];

/// Objects that no record of these captures has.
const NO_OBJECT: &[&str] = &["connection.via.", "message.waited."];

/// A capture with a name for an address, and comments on packets.
fn told(dir: &Path) -> PathBuf {
    let path = dir.join("told.pcapng");
    let output = wspect(["export", "pcapng", "-q", "samples/mix.pcap", "-o"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // A name resolution block: 127.0.0.1 is `lab`.
    let record = b"\x01\0\x08\0\x7f\0\0\x01lab\0\0\0\0\0";
    let len = (record.len() as u32 + 12).to_le_bytes();
    let block = [&b"\x04\0\0\0"[..], &len, record, &len].concat();
    fs::write(&path, [fs::read(&path).unwrap(), block].concat()).unwrap();
    path
}

#[test]
fn every_record_is_one_of_the_schema_and_all_of_the_schema_occurs() {
    let root = schema("schema");
    let mut seen = BTreeSet::new();
    let mut records = 0;
    let mut check = |text: &str| {
        for line in text.lines() {
            records += 1;
            let record: Value = serde_json::from_str(line).unwrap();
            let kind = record["kind"].as_str().unwrap();
            let wrong = violations(&root["$defs"][kind], &record, &root, kind, &mut seen);
            assert_eq!(wrong, [""; 0], "{line}");
            if records % 100 == 1 {
                assert_eq!(violations(&root, &record, &root, "", &mut BTreeSet::new()), [""; 0], "{line}");
            }
        }
    };
    let dir = |name: &str| fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let mut captures: Vec<PathBuf> =
        ["samples", "tests/data"].into_iter().flat_map(dir).map(|entry| entry.unwrap().path()).collect();
    captures.retain(|path| path.extension().is_some_and(|one| one == "pcap" || one == "pcapng"));
    let dir = tempfile::tempdir().unwrap();
    captures.push(told(dir.path()));
    let joined = dir.path().join("joined.pcap");
    fs::write(&joined, ["mix.pcap", "chat.pcapng"].map(|name| fs::read(sample(name)).unwrap()).concat()).unwrap();
    captures.push(joined);
    captures.sort();
    assert!(captures.len() > 15, "{captures:?}");
    let records_of = |args: &[&str], captures: &[PathBuf]| {
        let output = wspect(args).args(captures).output().unwrap();
        assert!(output.status.success(), "{args:?} {captures:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for capture in &captures {
        let one = std::slice::from_ref(capture);
        for args in [
            &["keys", "--json", "-q"][..],
            &["stats", "--json", "-q"],
            &["types", "--json", "-q"],
            &["sessions", "--json", "-q"],
            &["stats", "--capture", "--json", "-q"],
        ] {
            check(&records_of(args, one));
        }
        let kinds = "connection,handshake,message,frame,finding";
        check(&records_of(&["export", "jsonl", "-q", "--max-payload", "40", "--decoded", "--records", kinds], one));
    }
    let two = [sample("mix.pcap"), sample("chat.pcapng")];
    check(&records_of(&["export", "jsonl", "-q", "--records", "connection,handshake,message,frame,finding"], &two));
    check(&records_of(&["check", "--json", "-q"], &two));
    check(&records_of(&["types", "--json", "-q"], &two));
    check(&records_of(&["sessions", "--json", "-q"], &two));
    let stands = ["-r", "tests/data/app_sio4.pcapng", "-r", "samples/stomp.pcapng", "1:5", "2:5", "2:12", "3:5"];
    check(&String::from_utf8(wspect(["show", "--state", "--json"]).args(stands).output().unwrap().stdout).unwrap());
    // These end with 1: they fail, and differ.
    let of_failing = |args: &[&str]| String::from_utf8(wspect(args).args(&two).output().unwrap().stdout).unwrap();
    check(&of_failing(&["check", "--json", "-q", "--assert", "count(messages) == 0"]));
    check(&of_failing(&["diff", "--json", "-q"]));
    let one = wspect(["diff", "--json", "-q", "samples/mix.pcap", "1", "3"]).output().unwrap();
    check(&String::from_utf8(one.stdout).unwrap());
    let mut all = BTreeSet::new();
    for kind in RECORD_KINDS {
        properties(&root["$defs"][kind.name], kind.name, &mut all);
    }
    let is_rare = |path: &str| NO_OBJECT.iter().any(|object| path.starts_with(object));
    let absent: Vec<&String> = all.iter().filter(|path| !seen.contains(*path) && !is_rare(path)).collect();
    assert!(absent.is_empty(), "{absent:#?}");
    let has_none = |path: &str| NO_VALUE.iter().any(|name| path.ends_with(name)) || is_rare(path);
    let empty: Vec<&String> =
        all.iter().filter(|path| !seen.contains(&format!("{path}: value")) && !has_none(path)).collect();
    assert!(empty.is_empty(), "{empty:#?}");
}

/// A schema that lets everything through would prove nothing.
#[test]
fn what_is_no_record_is_refused() {
    let root = schema("schema");
    let record: Value = serde_json::from_str(stdout("msgs --json -q -n 1 samples/mix.pcap").trim_end()).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut record = record.clone();
        change(record.as_object_mut().unwrap());
        !violations(&root, &record, &root, "", &mut BTreeSet::new()).is_empty()
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|record| drop(record.remove("msg"))));
    assert!(refused(&|record| drop(record.insert("msg".into(), "1".into()))));
    assert!(refused(&|record| drop(record.insert("msg".into(), (-1).into()))));
    assert!(refused(&|record| drop(record.insert("msg".into(), Value::Null))));
    assert!(refused(&|record| drop(record.insert("dir".into(), "up".into()))));
    assert!(refused(&|record| drop(record.insert("kind".into(), "frame".into()))));
    assert!(refused(&|record| drop(record.insert("v".into(), 2.into()))));
    assert!(refused(&|record| drop(record.insert("time".into(), "noon".into()))));
    assert!(refused(&|record| drop(record.insert("findings".into(), serde_json::json!(["gap"])))));
    assert!(refused(&|record| drop(record.insert("missing".into(), serde_json::json!([[1]])))));
}

#[test]
fn each_kind_has_its_schema_alone() {
    let all = schema("schema");
    for kind in RECORD_KINDS {
        let mut one = schema(&format!("schema {}", kind.name));
        assert_eq!(one.as_object_mut().unwrap().remove("$schema").unwrap(), all["$schema"]);
        assert_eq!(one, all["$defs"][kind.name]);
        assert!(stdout("schema --help").contains(kind.name));
    }
    let wrong = transcript("schema messages");
    assert!(wrong.ends_with("! wspect: no kind of record messages: did you mean `message`?\n[2]\n"), "{wrong}");
    assert!(transcript("schema x").contains("one of message frame"));
}
