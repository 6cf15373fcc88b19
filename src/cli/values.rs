//! Values of the configuration file as TOML has them, and where one is wrong.

use super::exit::{Exit, Failure};
use crate::escape;
use crate::model::nearest;
use std::borrow::Cow;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key, and where it stands.
pub(super) type Key<'i> = Spanned<Cow<'i, str>>;

/// A value, and where it stands.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// What is wrong with the file, and where: an offset in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    at: usize,
    text: String,
}

impl Fault {
    pub(super) fn new(at: usize, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }

    /// `12: what is wrong`, with the line in the text of the file.
    pub(super) fn line(&self, file: &str) -> String {
        let line = file.get(..self.at).map_or(1, |before| before.matches('\n').count() + 1);
        format!("{line}: {}", self.text)
    }

    pub(super) fn within(&self, place: &Path, file: &str) -> Failure {
        Failure::new(Exit::Usage, format!("{}:{}", place.display(), self.line(file)))
    }
}

/// The entries of a table in the order of the file.
pub(super) fn entries<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Key<'i>, &'a Value<'i>)> {
    let mut all: Vec<_> = table.iter().collect();
    all.sort_by_key(|(key, _)| key.span().start);
    all
}

pub(super) fn text(value: &Value<'_>) -> Option<String> {
    if let DeValue::String(text) = value.get_ref() { Some(text.to_string()) } else { None }
}

/// A list of texts.
pub(super) fn texts(value: &Value<'_>) -> Option<Vec<String>> {
    let DeValue::Array(list) = value.get_ref() else { return None };
    list.iter().map(text).collect()
}

/// What is said of a key that is none of `names`; `within`: ` in [columns]`, where it stands in a table.
pub(super) fn unknown<'a>(key: &Key<'_>, within: &str, names: impl Iterator<Item = &'a str> + Clone) -> Fault {
    let shown = escape::display_str(key.get_ref());
    let advice = match nearest(key.get_ref(), names.clone()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("one of {}", names.collect::<Vec<_>>().join(" ")),
    };
    Fault::new(key.span().start, format!("no setting {shown}{within}: {advice}"))
}

/// A text as TOML has it; what a terminal would obey or hide is written by its number.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || escape::is_hidden(c) => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list as TOML has it.
pub(super) fn listed(list: &[String]) -> String {
    format!("[{}]", list.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}
