//! The table `[browser]` of the configuration file: how the browser looks.

use crate::capture::words;
use crate::escape;
use crate::export::Out;
use crate::model::nearest;
use crate::tui::{Keyset, Mapping, Preferences, Table, TableColumns, ThemeName, check_mapping};
use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The name of the table.
pub(super) const NAME: &str = "browser";

/// Its keys with examples, and what they do.
pub(super) const KEYS: &[(&str, &str, &str)] = &[
    ("connections", r#"["no", "host", "tls.handshake.extensions_server_name:20", "end"]"#, "columns of connections"),
    ("messages", r#"["no", "time", "type", "len", "json.type:14", "preview"]"#, "columns of messages"),
    ("theme", r#""dark""#, "colours: auto, 16, mono, dark, light or high-contrast"),
    ("ascii", "true", "ASCII in place of lines, arrows and signs"),
    ("plain", "true", "for readers of screens: one pane, no frames, the cursor on what is selected"),
    ("keymap", r#""termshark""#, "keys: wspect, or termshark (/ filters, C-f finds)"),
    (
        "keys",
        r#"{ filter = ["f", "C-g"], zoom = ["z"] }"#,
        "keys for actions, by the names that C-p shows (with - for blanks)",
    ),
];

/// Reads the table.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(value: &DeValue<'_>) -> Result<Preferences, String> {
    let DeValue::Table(table) = value else { return Err(format!("[{NAME}] is to be a table")) };
    let mut preferences = Preferences::default();
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let columns = |table: Table| {
            let columns = texts(key, value.get_ref())?;
            table.check(&columns).map_err(|why| format!("{key}: {why}"))?;
            Ok::<_, String>(Some(columns))
        };
        match key {
            "connections" => preferences.connections = columns(Table::Connections)?,
            "messages" => preferences.messages = columns(Table::Messages)?,
            "theme" => preferences.theme = chosen(key, value.get_ref(), &ThemeName::NAMES)?,
            "ascii" => preferences.ascii = flag(key, value.get_ref())?,
            "plain" => preferences.plain = flag(key, value.get_ref())?,
            "keymap" => {
                preferences.keyset = chosen(key, value.get_ref(), &Keyset::ALL.map(|keyset| (keyset.name(), keyset)))?;
            }
            "keys" => preferences.keys = mappings(key, value.get_ref())?,
            _ => return Err(unknown(key)),
        }
    }
    Ok(preferences)
}

/// A list of texts.
fn texts(key: &str, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let DeValue::Array(list) = value else { return Err(wrong(key)) };
    list.iter().map(|value| text(value.get_ref()).ok_or_else(|| wrong(key))).collect()
}

fn text(value: &DeValue<'_>) -> Option<String> {
    if let DeValue::String(text) = value { Some(text.to_string()) } else { None }
}

fn flag(key: &str, value: &DeValue<'_>) -> Result<bool, String> {
    if let DeValue::Boolean(on) = value { Ok(*on) } else { Err(wrong(key)) }
}

fn wrong(key: &str) -> String {
    let example = KEYS.iter().find(|(name, ..)| *name == key).map_or("", |(_, example, _)| example);
    format!("{key} is to be like {example}")
}

/// What has the name that stands there.
fn chosen<T: Copy>(key: &str, value: &DeValue<'_>, all: &[(&str, T)]) -> Result<T, String> {
    let name = text(value).ok_or_else(|| wrong(key))?;
    let found = all.iter().find(|(own, _)| *own == name).map(|&(_, found)| found);
    let names = || all.iter().map(|(own, _)| *own).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("no {key} {name}: {}", names()))
}

/// Actions with their keys.
fn mappings(key: &str, value: &DeValue<'_>) -> Result<Vec<Mapping>, String> {
    let DeValue::Table(table) = value else { return Err(wrong(key)) };
    let mapping = |(name, keys): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let name = name.get_ref().to_string();
        let keys = match text(keys.get_ref()) {
            Some(one) => vec![one],
            None => texts(key, keys.get_ref())?,
        };
        check_mapping(&name, &keys)?;
        Ok((name, keys))
    };
    table.iter().map(mapping).collect()
}

fn unknown(key: &str) -> String {
    let keys = || KEYS.iter().map(|(name, ..)| *name);
    let advice = match nearest(key, keys()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("one of {}", keys().collect::<Vec<_>>().join(" ")),
    };
    format!("no setting {key} in [{NAME}]: {advice}")
}

/// Writes the table as it stands in a file.
pub(super) fn write(preferences: &Preferences, out: &mut Out<'_>) {
    let Preferences { connections, messages, theme, ascii, plain, keyset, keys } = preferences;
    if *preferences == Preferences::default() {
        return;
    }
    out.line(&format!("[{NAME}]"));
    for (key, list) in [("connections", connections), ("messages", messages)] {
        if let Some(list) = list {
            out.line(&format!("{key} = {}", escape::display_str(&listed(list))));
        }
    }
    if let Some((name, _)) = ThemeName::NAMES.iter().find(|(_, own)| own == theme && *theme != ThemeName::default()) {
        out.line(&format!("theme = {}", quoted(name)));
    }
    for (key, on) in [("ascii", ascii), ("plain", plain)] {
        if *on {
            out.line(&format!("{key} = true"));
        }
    }
    if *keyset != Keyset::default() {
        out.line(&format!("keymap = {}", quoted(keyset.name())));
    }
    if !keys.is_empty() {
        let keys: Vec<String> = keys.iter().map(|(name, keys)| format!("{name} = {}", listed(keys))).collect();
        out.line(&format!("keys = {{ {} }}", escape::display_str(&keys.join(", "))));
    }
}

/// A list as TOML has it.
fn listed(list: &[String]) -> String {
    format!("[{}]", list.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// Keeps columns of tables in a configuration file, whatever else stands there; what is to be said of that.
pub(super) fn save(place: Option<&Path>, columns: &[TableColumns]) -> String {
    let Some(place) = place else { return "there is no configuration file to keep them in".to_owned() };
    let shown = place.display();
    let fail = |error: &io::Error| format!("{shown}: {}", words(error));
    let text = match fs::read_to_string(place) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return fail(&error),
    };
    let Some(text) = columns.iter().try_fold(text, |text, (table, columns)| with(&text, table.name(), columns)) else {
        return format!("{shown}: [{NAME}] stands there as it cannot be changed: nothing is written");
    };
    let written = place.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(place, text));
    written.map_or_else(|error| fail(&error), |()| format!("the columns are kept in {shown}"))
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text of a file with a list in the table; `None` where that cannot be done and leave the rest as it is.
fn with(text: &str, key: &str, list: &[String]) -> Option<String> {
    let value = listed(list);
    let root = DeTable::parse(text).ok()?;
    let table = root.get_ref().get_key_value(NAME);
    let changed = match table {
        None => {
            let gap = if text.is_empty() || text.ends_with("\n\n") {
                ""
            } else if text.ends_with('\n') {
                "\n"
            } else {
                "\n\n"
            };
            format!("{text}{gap}[{NAME}]\n{key} = {value}\n")
        }
        Some((name, table)) => {
            let DeValue::Table(inside) = table.get_ref() else { return None };
            match inside.get(key) {
                Some(old) => [text.get(..old.span().start)?, &value, text.get(old.span().end..)?].concat(),
                None => {
                    // Behind the line of the table's name.
                    let line = name.span().end + text.get(name.span().end..)?.find('\n').map_or(0, |end| end + 1);
                    let line = if line == name.span().end { text.len() } else { line };
                    let (before, behind) = text.split_at_checked(line)?;
                    let end = if before.ends_with('\n') { "" } else { "\n" };
                    format!("{before}{end}{key} = {value}\n{behind}")
                }
            }
        }
    };
    let read = DeTable::parse(&changed).ok()?;
    let DeValue::Table(inside) = read.get_ref().get(NAME)?.get_ref() else { return None };
    let is_there = texts(key, inside.get(key)?.get_ref()).is_ok_and(|texts| texts == list);
    is_there.then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, key: &str, list: &[&str]) -> Option<String> {
        with(text, key, &list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_list_is_kept_and_the_rest_stays() {
        let file = |text: &str| kept(text, "messages", &["no", "json.\"a b\"", "preview:9"]);
        let line = "messages = [\"no\", \"json.\\\"a b\\\"\", \"preview:9\"]\n";
        let table = format!("[browser]\n{line}");
        assert_eq!(file("").unwrap(), table);
        assert_eq!(file("# mine\ntime = \"utc\"\n").unwrap(), format!("# mine\ntime = \"utc\"\n\n{table}"));
        assert_eq!(file("time = \"utc\"").unwrap(), format!("time = \"utc\"\n\n{table}"));
        let other = "[browser] # looks\nconnections = [\"no\"]\n[filters]\nslow = 'rtt > 1s'\n";
        let (head, rest) = other.split_at(other.find('\n').unwrap() + 1);
        assert_eq!(file(other).unwrap(), format!("{head}{line}{rest}"));
        assert_eq!(file("[browser]").unwrap(), table);
        let old = "[browser]\nmessages = [\n  \"no\", # number\n]\n# end\n";
        assert_eq!(file(old).unwrap(), format!("{table}# end\n"));
        // Where it cannot be put, nothing is changed.
        assert_eq!(file("browser = 3"), None);
        assert_eq!(file("browser = { connections = [] }\n"), None);
        assert_eq!(file("[browser"), None);
    }

    #[test]
    fn texts_are_read_as_they_were() {
        let list = ["a\\b", "\u{1b}[31m", "\"", "é"];
        let text = kept("", "messages", &list).unwrap();
        let read = DeTable::parse(&text).unwrap();
        let DeValue::Table(inside) = read.get_ref().get(NAME).unwrap().get_ref() else { panic!("a table") };
        assert_eq!(texts("messages", inside.get("messages").unwrap().get_ref()).unwrap(), list);
    }
}
