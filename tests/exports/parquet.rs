//! A data set has every connection and message, and is what readers of Parquet expect.

use super::support::craft::*;
use super::support::run::{Done, Input, wspect};
use super::{capture, in_file, quiet, some_captures};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::path::Path;

fn export(input: Input<'_>, to: &Path, more: &[&str]) -> Done {
    wspect(&[&["export", "parquet", "-q", "-o", to.to_str().unwrap()], more].concat(), input)
}

fn open(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

/// The rows of a file as objects.
fn rows(file: &SerializedFileReader<File>) -> Vec<Map<String, Value>> {
    let value = |field: &Field| match field {
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::Str(value) => value.as_str().into(),
        Field::Bytes(value) => json!({ "base64": BASE64_STANDARD.encode(value.data()) }),
        other => panic!("{other:?}"),
    };
    let row = |row: parquet::record::Row| {
        row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect::<Map<_, _>>()
    };
    file.get_row_iter(None).unwrap().map(|each| row(each.unwrap())).collect()
}

/// A record as a row shows it: what is nested as text, a time in nanoseconds, a payload in one of two columns.
fn as_row(record: &Value) -> Map<String, Value> {
    let mut row = Map::new();
    for (name, value) in record.as_object().unwrap() {
        let value = match value {
            _ if ["v", "kind", "enc"].contains(&name.as_str()) => continue,
            Value::String(time) if ["time", "start", "end"].contains(&name.as_str()) => {
                i64::try_from(time.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap().into()
            }
            Value::Object(_) | Value::Array(_) => value.to_string().into(),
            _ => value.clone(),
        };
        row.insert(name.clone(), value);
    }
    if let Some(payload) = record.get("payload") {
        let is_text = record["enc"] == "utf8";
        row.insert("payload".to_owned(), if is_text { payload.clone() } else { Value::Null });
        row.insert("payload_bytes".to_owned(), if is_text { Value::Null } else { json!({ "base64": payload }) });
    }
    row
}

/// Nested values with their keys in one order.
fn plain(mut row: Map<String, Value>) -> String {
    for value in row.values_mut() {
        if let Some(text) = value.as_str().filter(|text| text.starts_with(['{', '[']))
            && let Ok(nested) = serde_json::from_str::<Value>(text)
        {
            *value = nested.to_string().into();
        }
    }
    Value::Object(row).to_string()
}

/// Every connection and message of a capture is a row, with all its keys.
#[test]
fn every_record_is_a_row() {
    let dir = tempfile::tempdir().unwrap();
    for (nth, path) in some_captures().into_iter().enumerate() {
        let to = dir.path().join(nth.to_string());
        quiet(&export(Input::File(&path), &to, &[]));
        assert_eq!(fs::read_dir(&to).unwrap().count(), 2);
        for kind in ["connection", "message"] {
            let records = wspect(&["export", "jsonl", "-q", "--records", kind], Input::File(&path)).records();
            let mut expected: Vec<String> = records.iter().map(|record| plain(as_row(record))).collect();
            let mut found: Vec<String> =
                rows(&open(&to.join(format!("{kind}s.parquet")))).into_iter().map(plain).collect();
            if kind == "connection" {
                expected.sort();
                found.sort();
            }
            assert!(found == expected, "{} {kind}", path.display());
        }
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), some_captures().len(), "nothing else is left behind");
}

/// Groups of rows are as long as memory allows, compressed, and sorted by packet.
#[test]
fn much_costs_no_memory() {
    let mut session = Session::new(1);
    for n in 0..1400_u32 {
        session.text(Server, &format!("{n}:{}", "x".repeat(60_000)));
    }
    let file = in_file("much", &capture(&[session]));
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("much");
    let done = export(Input::File(file.path()), &to, &[]);
    quiet(&done);
    assert!(done.peak_kib < 96 << 10, "{} KiB for 84 MB", done.peak_kib);
    let messages = open(&to.join("messages.parquet"));
    let groups = messages.metadata().row_groups();
    assert!(groups.len() > 5 && groups.iter().all(|group| group.sorting_columns().is_some()));
    assert_eq!(messages.metadata().file_metadata().num_rows(), 1400);
    assert!(fs::metadata(to.join("messages.parquet")).unwrap().len() < 10 << 20);
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = capture(&[Session::sample(1)]);
    let to = dir.path().join("out");
    let done = wspect(&["export", "parquet"], Input::Bytes(&file));
    assert!(done.code == Some(2) && done.stderr.contains("name a directory"), "{}", done.stderr);
    quiet(&export(Input::Bytes(&file), &to, &[]));
    let again = export(Input::Bytes(&file), &to, &[]);
    assert!(again.code == Some(5) && again.stderr.contains("is not empty"), "{}", again.stderr);
    fs::write(to.join("notes.txt"), "mine").unwrap();
    quiet(&export(Input::Bytes(&file), &to, &["--force"]));
    assert_eq!(fs::read_dir(&to).unwrap().count(), 3);
    assert_eq!(export(Input::Bytes(b"no capture"), &dir.path().join("none"), &[]).code, Some(3));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
