//! What the configuration file says of the browser.

use super::values::{Fault, Key, Value, entries, listed, quoted, text, texts, unknown};
use crate::capture::words;
use crate::export::Out;
use crate::filter::Named;
use crate::tui::{ColorRule, Keyset, Mapping, Preferences, Table, TableColumns, ThemeName, check_mapping};
use std::fs;
use std::io;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// A key with an example, and what it does.
type Row = (&'static str, &'static str, &'static str);

/// Its settings.
const SETTINGS: &[Row] = &[
    ("theme", r#""dark""#, "Colours of the browser: auto, 16, mono, dark, light or high-contrast"),
    ("keymap", r#""termshark""#, "Keys of the browser: default, or termshark (/ filters, C-f finds)"),
    ("mouse", "false", "Whether the browser takes the mouse; F9 gives it back"),
    ("ascii", "true", "The browser in ASCII, in place of lines, arrows and signs"),
    ("plain", "true", "The browser for readers of screens: one pane, no frames, the cursor on what is selected"),
];

/// The table of columns.
const COLUMNS: &str = "columns";

/// The table of keys.
const KEYS: &str = "keys";

/// The lines of the table of columns.
const TABLES: &[Row] = &[
    ("connections", r#"["no", "host", "tls.handshake.extensions_server_name:20", "end"]"#, "of connections"),
    ("messages", r#"["no", "time", "type", "len", "json.type:14", "preview"]"#, "of messages"),
];

/// The tables of rules for how rows look.
const RULES: &str = "color_rule";

/// The lines of such a table.
const RULE: &[Row] = &[
    ("filter", "'websocket.opcode >= 9'", "which rows"),
    ("style", r#""dim""#, "dim, bold, reverse, or red, green, yellow, blue, magenta, cyan, or as \"bold red\""),
];

/// All that stands on its own.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|(name, ..)| *name).chain([COLUMNS, KEYS, RULES])
}

/// Reads what stands under a name at that place; whether that is one of the browser. `named`: the filters by name.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(
    name: &str,
    at: usize,
    value: &Value<'_>,
    named: &Named,
    preferences: &mut Preferences,
) -> Result<bool, Fault> {
    let fault = |text: String| Fault::new(at, text);
    match name {
        "theme" => preferences.theme = chosen(name, value, &ThemeName::NAMES).map_err(fault)?,
        "keymap" => {
            preferences.keyset =
                chosen(name, value, &Keyset::ALL.map(|keyset| (keyset.name(), keyset))).map_err(fault)?;
        }
        "mouse" => preferences.mouse = flag(name, value).map_err(fault)?,
        "ascii" => preferences.ascii = flag(name, value).map_err(fault)?,
        "plain" => preferences.plain = flag(name, value).map_err(fault)?,
        COLUMNS => read_columns(at, value, preferences)?,
        KEYS => preferences.keys = mappings(at, value)?,
        RULES => preferences.rules = rules(at, value, named)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_columns(at: usize, value: &Value<'_>, preferences: &mut Preferences) -> Result<(), Fault> {
    for (key, value) in entries(table(COLUMNS, at, value)?) {
        let name = key.get_ref().as_ref();
        let (table, place) = match name {
            "connections" => (Table::Connections, &mut preferences.connections),
            "messages" => (Table::Messages, &mut preferences.messages),
            _ => return Err(unknown(key, " in [columns]", TABLES.iter().map(|(name, ..)| *name))),
        };
        let fault = |text: String| Fault::new(key.span().start, text);
        let columns = texts(value).ok_or_else(|| fault(wrong(name)))?;
        table.check(&columns).map_err(|why| fault(format!("{name}: {why}")))?;
        *place = Some(columns);
    }
    Ok(())
}

fn rules(at: usize, value: &Value<'_>, named: &Named) -> Result<Vec<ColorRule>, Fault> {
    let wrong = || Fault::new(at, format!("[[{RULES}]] is to be tables with filter and style"));
    let DeValue::Array(tables) = value.get_ref() else { return Err(wrong()) };
    let rule = |value: &Value<'_>| {
        let DeValue::Table(table) = value.get_ref() else { return Err(wrong()) };
        rule(at, table, named)
    };
    tables.iter().map(rule).collect()
}

/// A rule, which stands behind `at`.
fn rule(at: usize, table: &DeTable<'_>, named: &Named) -> Result<ColorRule, Fault> {
    let mut rule = ColorRule { filter: String::new(), style: String::new() };
    let entries = entries(table);
    for (key, value) in &entries {
        let name = key.get_ref().as_ref();
        let fault = |text: String| Fault::new(key.span().start, text);
        let said = text(value).ok_or_else(|| fault(wrong(name)));
        match name {
            "filter" => {
                rule.filter = said?;
                rule.check_filter(named).map_err(|why| fault(format!("filter: {why}")))?;
            }
            "style" => {
                rule.style = said?;
                rule.check_style().map_err(fault)?;
            }
            _ => return Err(unknown(key, " in [[color_rule]]", RULE.iter().map(|(name, ..)| *name))),
        }
    }
    let at = entries.first().map_or(at, |(key, _)| key.span().start);
    match RULE.iter().find(|(name, ..)| !table.contains_key(*name)) {
        Some((name, example, _)) => Err(Fault::new(at, format!("a [[{RULES}]] needs a {name}, as {name} = {example}"))),
        None => Ok(rule),
    }
}

/// A table of that name, which stands at `at`.
fn table<'a, 'i>(name: &str, at: usize, value: &'a Value<'i>) -> Result<&'a DeTable<'i>, Fault> {
    if let DeValue::Table(table) = value.get_ref() {
        Ok(table)
    } else {
        Err(Fault::new(at, format!("[{name}] is to be a table")))
    }
}

fn flag(key: &str, value: &Value<'_>) -> Result<bool, String> {
    if let DeValue::Boolean(on) = value.get_ref() { Ok(*on) } else { Err(wrong(key)) }
}

fn wrong(key: &str) -> String {
    let example =
        SETTINGS.iter().chain(TABLES).chain(RULE).find(|(name, ..)| *name == key).map_or("", |(_, example, _)| example);
    format!("{key} is to be like {example}")
}

/// What has the name that stands there.
fn chosen<T: Copy>(key: &str, value: &Value<'_>, all: &[(&str, T)]) -> Result<T, String> {
    let name = text(value).ok_or_else(|| wrong(key))?;
    let found = all.iter().find(|(own, _)| *own == name).map(|&(_, found)| found);
    let names = || all.iter().map(|(own, _)| *own).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("no {key} {name}: {}", names()))
}

/// Actions with their keys.
fn mappings(at: usize, value: &Value<'_>) -> Result<Vec<Mapping>, Fault> {
    let mapping = |(name, keys): (&Key<'_>, &Value<'_>)| {
        let fault = |text: String| Fault::new(name.span().start, text);
        let name = name.get_ref().to_string();
        let keys = text(keys).map(|one| vec![one]).or_else(|| texts(keys));
        let keys = keys.ok_or_else(|| fault(format!("{name} is to be like [\"F2\", \"C-e\"]")))?;
        check_mapping(&name, &keys).map_err(fault)?;
        Ok((name, keys))
    };
    entries(table(KEYS, at, value)?).into_iter().map(mapping).collect()
}

/// Writes the settings that are not as usual, as they stand in a file.
pub(super) fn write_settings(preferences: &Preferences, out: &mut Out<'_>) {
    let usual = Preferences::default();
    let Preferences { theme, keyset, .. } = preferences;
    if let Some((name, _)) = ThemeName::NAMES.iter().find(|(_, own)| own == theme && *theme != usual.theme) {
        out.line(&format!("theme = {}", quoted(name)));
    }
    if *keyset != usual.keyset {
        out.line(&format!("keymap = {}", quoted(keyset.name())));
    }
    let flags = |of: &Preferences| [("mouse", of.mouse), ("ascii", of.ascii), ("plain", of.plain)];
    for ((key, on), _) in flags(preferences).into_iter().zip(flags(&usual)).filter(|(own, usual)| own != usual) {
        out.line(&format!("{key} = {on}"));
    }
}

/// Writes the tables that have something.
pub(super) fn write_tables(preferences: &Preferences, out: &mut Out<'_>) {
    let Preferences { connections, messages, keys, rules, .. } = preferences;
    let lists = [(Table::Connections, connections), (Table::Messages, messages)];
    let lists: Vec<_> = lists.into_iter().filter_map(|(table, list)| Some((table, list.as_ref()?))).collect();
    if !lists.is_empty() {
        out.line(&format!("[{COLUMNS}]"));
    }
    for (table, list) in lists {
        out.line(&format!("{} = {}", table.name(), listed(list)));
    }
    if !keys.is_empty() {
        out.line(&format!("[{KEYS}]"));
    }
    for (name, keys) in keys {
        out.line(&format!("{name} = {}", listed(keys)));
    }
    for ColorRule { filter, style } in rules {
        out.line(&format!("[[{RULES}]]\nfilter = {}\nstyle = {}", quoted(filter), quoted(style)));
    }
}

/// The settings in a file in which all stands as a comment.
pub(super) fn settings_template() -> String {
    SETTINGS.iter().map(|(key, example, about)| format!("\n# {about}\n#{key} = {example}\n")).collect()
}

/// The tables in such a file.
pub(super) fn tables_template() -> String {
    let lines = |rows: &[Row]| -> String {
        rows.iter().map(|(key, example, about)| format!("# {about}\n#{key} = {example}\n")).collect()
    };
    let (columns, rule) = (lines(TABLES), lines(RULE));
    format!(
        "\n# Columns of the browser: its own ones and fields of filters; C chooses them, :save keeps them here\n\
         #[{COLUMNS}]\n{columns}\n\
         # Keys of the browser for actions, by the names that C-p shows (with - for blanks)\n\
         #[{KEYS}]\n#filter = [\"f\", \"C-g\"]\n#zoom = \"z\"\n\n\
         # Looks of rows in the browser; of several such tables the first whose filter a row passes holds\n\
         #[[{RULES}]]\n{rule}"
    )
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
        return format!("{shown}: [{COLUMNS}] stands there as it cannot be changed: nothing is written");
    };
    let written = place.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(place, text));
    written.map_or_else(|error| fail(&error), |()| format!("the columns are kept in {shown}"))
}

/// The text of a file with a list in the table; `None` where that cannot be done and leave the rest as it is.
fn with(text: &str, key: &str, list: &[String]) -> Option<String> {
    let value = listed(list);
    let root = DeTable::parse(text).ok()?;
    let table = root.get_ref().get_key_value(COLUMNS);
    let changed = match table {
        None => {
            let gap = if text.is_empty() || text.ends_with("\n\n") {
                ""
            } else if text.ends_with('\n') {
                "\n"
            } else {
                "\n\n"
            };
            format!("{text}{gap}[{COLUMNS}]\n{key} = {value}\n")
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
    let DeValue::Table(inside) = read.get_ref().get(COLUMNS)?.get_ref() else { return None };
    let is_there = texts(inside.get(key)?).is_some_and(|texts| texts == list);
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
        let table = format!("[columns]\n{line}");
        assert_eq!(file("").unwrap(), table);
        assert_eq!(file("# mine\ntime = \"utc\"\n").unwrap(), format!("# mine\ntime = \"utc\"\n\n{table}"));
        assert_eq!(file("time = \"utc\"").unwrap(), format!("time = \"utc\"\n\n{table}"));
        let other = "[columns] # mine\nconnections = [\"no\"]\n[filters]\nslow = 'rtt > 1s'\n";
        let (head, rest) = other.split_at(other.find('\n').unwrap() + 1);
        assert_eq!(file(other).unwrap(), format!("{head}{line}{rest}"));
        assert_eq!(file("[columns]").unwrap(), table);
        let old = "[columns]\nmessages = [\n  \"no\", # number\n]\n# end\n";
        assert_eq!(file(old).unwrap(), format!("{table}# end\n"));
        // Where it cannot be put, nothing is changed.
        assert_eq!(file("columns = 3"), None);
        assert_eq!(file("columns = { connections = [] }\n"), None);
        assert_eq!(file("[columns"), None);
    }

    #[test]
    fn texts_are_read_as_they_were() {
        let list = ["a\\b", "\u{1b}[31m", "\"", "é"];
        let text = kept("", "messages", &list).unwrap();
        let read = DeTable::parse(&text).unwrap();
        let DeValue::Table(inside) = read.get_ref().get(COLUMNS).unwrap().get_ref() else { panic!("a table") };
        assert_eq!(texts(inside.get("messages").unwrap()).unwrap(), list);
    }
}
