//! The tables `[[decoder]]` of the configuration.

use super::Spec;
use crate::cli::values::{Fault, Value, entries, quoted, text, texts, unknown};
use crate::decode::Decoder;
use crate::export::Out;
use crate::filter::{self, Named, expand};
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// The name of the tables.
pub(in crate::cli) const TABLE: &str = "decoder";

/// What one has.
const KEYS: [&str; 4] = ["name", "run", "match", "timeout_ms"];

/// How long an answer may take where nothing is said, in milliseconds, and at most.
const TIMEOUT: u64 = 1000;
const LONGEST: u64 = 600_000;

const EXAMPLE: &str = r#"name = "acme" and run = ["python3", "acme.py"]"#;

/// Names that mean something else to `-d`.
const TAKEN: [&str; 3] = ["websocket", "ws", "none"];

/// The decoders of a value that stands behind `at`.
///
/// # Errors
/// When one cannot be understood.
pub(in crate::cli) fn read(at: usize, value: &Value<'_>, named: &Named) -> Result<Vec<Spec>, Fault> {
    let DeValue::Array(list) = value.get_ref() else { return Err(wrong(at)) };
    let mut all: Vec<Spec> = Vec::new();
    for value in list.iter() {
        let DeValue::Table(table) = value.get_ref() else { return Err(wrong(at)) };
        let spec = one(at, table, named)?;
        if all.iter().any(|other| other.name == spec.name) {
            return Err(Fault::new(place(at, table, "name"), format!("there are two decoders {}", spec.name)));
        }
        all.push(spec);
    }
    Ok(all)
}

fn wrong(at: usize) -> Fault {
    Fault::new(at, format!("[[{TABLE}]] is to have {EXAMPLE}"))
}

/// Where an entry of a table stands.
fn place(at: usize, table: &DeTable<'_>, name: &str) -> usize {
    table.get_key_value(name).map_or(at, |(key, _)| key.span().start)
}

fn one(at: usize, table: &DeTable<'_>, named: &Named) -> Result<Spec, Fault> {
    let entries = entries(table);
    if let Some((key, _)) = entries.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
        return Err(unknown(key, &format!(" in [[{TABLE}]]"), KEYS.into_iter()));
    }
    let at = entries.first().map_or(at, |(key, _)| key.span().start);
    let fault = |name: &str, why: &str| Fault::new(place(at, table, name), format!("{name} of [[{TABLE}]]: {why}"));
    let name = table.get("name").and_then(text).ok_or_else(|| wrong(at))?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 32 || !name.chars().all(is_plain) {
        return Err(fault("name", "up to 32 small letters, digits, and . - _"));
    }
    if Decoder::find(&name).is_some() || TAKEN.contains(&name.as_str()) {
        return Err(fault("name", &format!("there is a {name} already")));
    }
    let run = table.get("run").and_then(texts).ok_or_else(|| wrong(at))?;
    if run.first().is_none_or(String::is_empty) {
        return Err(fault("run", "a program, and its arguments"));
    }
    let filter = match table.get("match") {
        None => None,
        Some(value) => {
            let typed = text(value).ok_or_else(|| fault("match", "a filter of connections is wanted"))?;
            let meant = expand(&typed, named).map_err(|problem| fault("match", &problem.to_string()))?;
            filter::of_connections(&meant).map_err(|why| fault("match", &why))?;
            Some(meant)
        }
    };
    let timeout = match table.get("timeout_ms").map(|value| value.get_ref()) {
        None => TIMEOUT,
        Some(DeValue::Integer(number)) => {
            let number: Option<u64> = number.to_string().parse().ok();
            let number = number.filter(|number| (1..=LONGEST).contains(number));
            number.ok_or_else(|| fault("timeout_ms", "milliseconds from 1 to 600000 are wanted"))?
        }
        Some(_) => return Err(fault("timeout_ms", "milliseconds from 1 to 600000 are wanted")),
    };
    // Records name it for as long as the program runs, and a file names few.
    Ok(Spec { name: name.leak(), run, filter, timeout: Duration::from_millis(timeout) })
}

/// Writes the tables as they would stand in a file.
pub(in crate::cli) fn write(all: &[Spec], out: &mut Out<'_>) {
    for Spec { name, run, filter, timeout } in all {
        let run: Vec<String> = run.iter().map(|word| quoted(word)).collect();
        out.line(&format!("[[{TABLE}]]\nname = {}\nrun = [{}]", quoted(name), run.join(", ")));
        if let Some(filter) = filter {
            out.line(&format!("match = {}", quoted(filter)));
        }
        out.line(&format!("timeout_ms = {}", timeout.as_millis()));
    }
}

/// The table in a file in which all stands as a comment.
pub(in crate::cli) fn template() -> String {
    format!(
        "\n# Decoders that are programs (docs/DECODERS.md): -d 'conn==3,acme', or the connections that pass match\n\
         #[[{TABLE}]]\n#name = \"acme\"\n# The program and its arguments; paths begin where this file stands\n\
         #run = [\"python3\", \"acme.py\"]\n#match = 'wspect.subprotocol == \"acme.v1\"'\n\
         # Milliseconds that an answer may take; the first has ten seconds more\n#timeout_ms = {TIMEOUT}\n"
    )
}
