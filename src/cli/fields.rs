//! `wspect fields`: the fields of filters and columns.

use super::args::FieldsArgs;
use super::exit::{Exit, Failure};
use crate::export::Out;
use crate::filter::{FIELDS, Field, Kind, Rows};
use crate::model::nearest;

/// The fields that are asked for.
///
/// # Errors
/// When there is none.
pub(super) fn chosen(asked: &FieldsArgs) -> Result<Vec<&'static Field>, Failure> {
    let prefix = asked.prefix.as_deref().unwrap_or_default();
    let begins = |field: &&Field| field.name.starts_with(prefix) || !prefix.is_empty() && field.alias == prefix;
    let fields: Vec<&Field> = FIELDS.iter().filter(begins).collect();
    if fields.is_empty() {
        let meant = nearest(prefix, Field::names()).map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
        return Err(Failure::new(Exit::Found, format!("no field begins with {prefix}{meant}")));
    }
    Ok(fields)
}

/// Writes a line for each: name, short name, kind, what it is; a record has the rows that have it, too.
pub(super) fn write(fields: &[&Field], json: bool, out: &mut Out<'_>) {
    if json {
        for field in fields {
            out.line(&record(field));
        }
        return;
    }
    let width = |of: fn(&Field) -> usize| fields.iter().map(|field| of(field)).max().unwrap_or(0);
    let (name, alias) = (width(|field| field.name.len()), width(|field| field.alias.len()));
    for field in fields {
        out.line(&format!(
            "{:<name$}  {:<alias$}  {:<13}  {}",
            field.name,
            field.alias,
            field.kind.name(),
            field.about
        ));
    }
}

fn record(field: &Field) -> String {
    let words = match field.kind {
        Kind::Word(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(","),
        _ => String::new(),
    };
    let rows = [
        (Rows::CONNECTIONS, "connection"),
        (Rows::HANDSHAKES, "handshake"),
        (Rows::MESSAGES, "message"),
        (Rows::FRAMES, "frame"),
        (Rows::FINDINGS, "finding"),
    ];
    let rows = rows.iter().filter(|(rows, _)| field.rows.meets(*rows));
    let rows = rows.map(|(_, name)| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    let alias = if field.alias.is_empty() { "null".to_owned() } else { format!("\"{}\"", field.alias) };
    let about = field.about.replace('\\', r"\\").replace('"', "\\\"");
    format!(
        r#"{{"name":"{}","alias":{alias},"type":"{}","words":[{words}],"rows":[{rows}],"about":"{about}"}}"#,
        field.name,
        field.kind.name()
    )
}
