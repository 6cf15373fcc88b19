//! Real libraries, each end told of what it sent or received in the library's own terms: what is decoded is that, and replies
//! belong to what was asked.
//!
//! A capture `app_NAME.pcap` has its lines in `app_NAME.truth.jsonl`. The first says where the words of the others are looked for:
//!
//! ```text
//! decoder   whose units these are
//! where     paths in what is decoded, by the name of a member of a line; others are members of `data`, but `event`, `id` and `heartbeat`
//! unlogged  events, or types in `data`, that a library does not tell its user
//! some      there are more units that it does not tell
//! ```
//!
//! The others have `conn` (1 if not) and `dir`. Those with the same `call` are a request and its replies.

use super::decoded;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What is decoded of one unit of a protocol.
struct Told {
    /// The message, and the one that it answers.
    msg: u64,
    reply: Value,
    /// `event`, `id`, `heartbeat` and `data`.
    said: Value,
}

/// The captures whose truth names its decoder, each with its lines.
fn captures() -> Vec<(PathBuf, Vec<Value>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut all: Vec<(PathBuf, Vec<Value>)> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".truth.jsonl"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            (root.join(lines[0]["capture"].as_str().unwrap()), lines)
        })
        .filter(|(_, lines)| lines[0]["decoder"].is_string())
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[test]
fn what_libraries_say_is_what_their_users_said_and_heard() {
    let captures = captures();
    assert!(captures.len() >= 38, "{}", captures.len());
    let (mut wrong, mut replies) = (Vec::new(), 0);
    for (path, lines) in &captures {
        assert!(lines.len() > 5, "{}", path.display());
        wrong.extend(differences(path, lines, &mut replies));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(replies > 200, "{replies} replies are compared");
}

/// What differs between what is decoded of a capture and what its ends logged; counts the replies that are compared.
fn differences(path: &Path, lines: &[Value], replies: &mut usize) -> Vec<String> {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let (meta, lines) = lines.split_first().unwrap();
    let mut units = units(path, meta);
    let mut wrong = Vec::new();
    let mut told: HashMap<usize, Told> = HashMap::new();
    let mut keys: Vec<(u64, String)> = lines.iter().map(place).chain(units.keys().cloned()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (conn, dir) = &key;
        let mut units = units.remove(&key).unwrap_or_default().into_iter();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| place(line) == key) {
            let passed = units.by_ref();
            let found = if meta["some"] == true {
                passed.find(|unit| unlike(meta, line, unit).is_none())
            } else {
                passed.next()
            };
            match found.as_ref().map(|unit| unlike(meta, line, unit)) {
                None => wrong.push(format!("{name} {conn} {dir}: {line} is not told")),
                Some(Some(why)) => wrong.push(format!("{name} {conn} {dir}: {why} of {line}")),
                Some(None) => {}
            }
            told.extend(found.map(|unit| (at, unit)));
        }
        if meta["some"] != true {
            wrong.extend(units.map(|unit| format!("{name} {conn} {dir}: {} was never said", unit.said)));
        }
    }
    wrong.extend(strays(name, lines, &told, replies));
    wrong
}

/// The connection and direction of a line.
fn place(line: &Value) -> (u64, String) {
    (line["conn"].as_u64().unwrap_or(1), line["dir"].as_str().unwrap().to_owned())
}

/// Replies that are not told to answer what they answer.
fn strays(name: &str, lines: &[Value], told: &HashMap<usize, Told>, replies: &mut usize) -> Vec<String> {
    let asking = |at: usize| {
        let is_it = |it: &&Value| {
            it["call"] == lines[at]["call"] && it["conn"] == lines[at]["conn"] && it["dir"] != lines[at]["dir"]
        };
        lines[..at].iter().rposition(|it| is_it(&it))
    };
    let calls = lines.iter().enumerate().filter(|(_, line)| line["call"].is_string());
    let pairs = calls.filter_map(|(at, line)| Some((line, told.get(&at)?, told.get(&asking(at)?)?)));
    let strays = pairs.inspect(|_| *replies += 1).filter(|(_, reply, request)| reply.reply != request.msg);
    strays
        .map(|(line, reply, request)| {
            format!("{name}: {} is told to be answered by {line}, not {}", reply.reply, request.msg)
        })
        .collect()
}

/// What is told otherwise than a line says it.
fn unlike(meta: &Value, line: &Value, unit: &Told) -> Option<String> {
    let members = line.as_object().unwrap().iter();
    let mut members = members.filter(|(name, _)| !["t", "side", "dir", "conn", "call"].contains(&name.as_str()));
    members.find_map(|(name, wanted)| {
        let paths: Vec<String> = match (&meta["where"][name.as_str()], name.as_str()) {
            (Value::String(path), _) => vec![path.clone()],
            (Value::Array(paths), _) => paths.iter().map(|path| path.as_str().unwrap().to_owned()).collect(),
            (_, "event" | "id" | "heartbeat") => vec![name.clone()],
            _ => vec![format!("data.{name}")],
        };
        let is_there = paths
            .iter()
            .any(|path| unit.said.pointer(&format!("/{}", path.replace('.', "/"))).is_some_and(|it| same(it, wanted)));
        (!is_there).then(|| format!("{name} differs in {}, which is told", unit.said))
    })
}

/// Whether a value is what was said: texts and bytes may be told as the text or the JSON that they are.
fn same(told: &Value, wanted: &Value) -> bool {
    let is_json = |text: &[u8]| serde_json::from_slice::<Value>(text).is_ok_and(|json| json == *told);
    match (told, wanted) {
        (_, Value::Object(map)) if map.len() == 1 && map.contains_key("$bin") => {
            let bytes = BASE64_STANDARD.decode(map["$bin"].as_str().unwrap()).unwrap();
            *told == json!({"base64": map["$bin"]})
                || told.as_str().is_some_and(|text| text.as_bytes() == bytes)
                || is_json(&bytes)
        }
        (Value::Object(told), Value::Object(wanted)) => {
            told.len() == wanted.len()
                && wanted.iter().all(|(key, value)| told.get(key).is_some_and(|it| same(it, value)))
        }
        (Value::Array(told), Value::Array(wanted)) => {
            told.len() == wanted.len() && told.iter().zip(wanted).all(|(told, wanted)| same(told, wanted))
        }
        (Value::Number(told), Value::Number(wanted)) => told.as_f64() == wanted.as_f64(),
        (told, Value::String(wanted)) if !told.is_string() => is_json(wanted.as_bytes()),
        _ => told == wanted,
    }
}

/// What is decoded by connection and direction, but what the library does not tell.
fn units(path: &Path, meta: &Value) -> HashMap<(u64, String), Vec<Told>> {
    let mut all: HashMap<(u64, String), Vec<Told>> = HashMap::new();
    let mut heads: HashMap<(u64, String), Told> = HashMap::new();
    let unlogged: Vec<&Value> = meta["unlogged"].as_array().into_iter().flatten().collect();
    for record in decoded(path).into_iter().filter(|record| record["decoded"]["protocol"] == meta["decoder"]) {
        let decoded = &record["decoded"];
        let key = (record["conn"].as_u64().unwrap(), record["dir"].as_str().unwrap().to_owned());
        let is_one = decoded["events"].is_null();
        let parts = if is_one {
            vec![(&decoded["event"], &decoded["data"])]
        } else {
            decoded["events"].as_array().unwrap().iter().zip(decoded["data"].as_array().unwrap()).collect()
        };
        for (event, data) in parts.into_iter().filter(|(_, data)| !data.is_null()) {
            let id = if is_one { &decoded["id"] } else { &Value::Null };
            let said = json!({"event": event, "id": id, "heartbeat": decoded["heartbeat"], "data": data});
            let mut unit = Told { msg: record["msg"].as_u64().unwrap(), reply: decoded["reply_to"].clone(), said };
            if unlogged.iter().any(|it| *it == event || **it == data["type"]) {
                continue;
            }
            // A binary event is asked and answered by its head, and is whole with its last attachment.
            let is_binary = data["type"].as_str().is_some_and(|kind| kind.starts_with("BINARY_"));
            if is_binary && data.to_string().contains("_placeholder") {
                heads.insert(key.clone(), unit);
                continue;
            }
            if let Some(head) = heads.remove(&key).filter(|_| is_binary) {
                unit = Told {
                    said: json!({"event": head.said["event"], "id": head.said["id"], "heartbeat": false, "data": data}),
                    ..head
                };
            }
            all.entry(key.clone()).or_default().push(unit);
        }
    }
    all
}
