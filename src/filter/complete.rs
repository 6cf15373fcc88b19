//! What may stand where a filter is being typed.

use super::fields::{FIELDS, Field};
use super::lex::{self, Token, quote};
use super::names::Named;
use super::parse::is_operator;
use super::row::Rows;
use super::value::Kind;
use crate::model::NOTES;
use std::ops::Range;

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// What is written there so far.
    pub span: Range<usize>,
    /// What may stand in its place, the likeliest first.
    pub choices: Vec<Choice>,
}

/// One of several things that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// As the filter has it.
    pub text: String,
    /// Of a field what its values are.
    pub kind: &'static str,
    /// What it is, in a few words.
    pub about: String,
}

impl Choice {
    fn new(text: impl Into<String>, kind: &'static str, about: impl Into<String>) -> Self {
        Self { text: text.into(), kind, about: about.into() }
    }
}

/// Signs and words that stand between a field and its value, and what they say.
const OPERATORS: [(&str, &str); 10] = [
    ("==", "equals"),
    ("!=", "is otherwise: every value, where there are several"),
    ("<", "less than"),
    ("<=", "at most"),
    (">", "more than"),
    (">=", "at least"),
    ("contains", "has this in it"),
    ("matches", "has what the regex finds in it, in upper or lower case"),
    ("in", "one of: in {1, 2, 8 .. 10}"),
    ("&", "has one of these bits"),
];

const JOINTS: [(&str, &str); 2] = [("&&", "and"), ("||", "or")];

const FUNCTIONS: [(&str, &str); 4] = [
    ("len(", "length of a text or of bytes"),
    ("lower(", "in lower case"),
    ("upper(", "in upper case"),
    ("count(", "how many values there are"),
];

/// What can come next in a filter of such rows that ends where the text does; `seen`: values that a field has in the capture.
pub fn complete(text: &str, rows: Rows, named: &Named, seen: &dyn Fn(&Field) -> Vec<String>) -> Completion {
    let begin = begin(text);
    let (before, begun) = text.split_at_checked(begin).unwrap_or((text, ""));
    let Ok(tokens) = lex::tokens(before) else { return Completion { span: begin..text.len(), choices: Vec::new() } };
    let choices = match wanted(&tokens) {
        Wanted::Field => fields(begun, rows, named),
        Wanted::Operator(field) => operators(field),
        Wanted::Value(field) => values(field, seen),
        Wanted::Joint => JOINTS.iter().map(|(sign, about)| Choice::new(*sign, "", *about)).collect(),
    };
    Completion { span: begin..text.len(), choices: likely(choices, begun) }
}

/// Where the word begins, or the text in quotes, with which the filter ends.
fn begin(text: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if quote.is_some() => escaped = true,
            '"' => quote = if quote.is_some() { None } else { Some(at) },
            _ => {}
        }
    }
    // `!` begins a sign behind a field, and stands before one otherwise.
    let compares =
        |before: &str| lex::tokens(before).is_ok_and(|tokens| matches!(wanted(&tokens), Wanted::Operator(_)));
    let is_sign = text.ends_with(['=', '<', '>', '&', '|']) || text.strip_suffix('!').is_some_and(compares);
    let is_part = |c: char| if is_sign { "=<>&|!".contains(c) } else { c.is_alphanumeric() || "_.-:/$".contains(c) };
    quote.unwrap_or_else(|| {
        let other = text.char_indices().rev().find(|(_, c)| !is_part(*c));
        other.map_or(0, |(at, c)| at + c.len_utf8())
    })
}

enum Wanted {
    Field,
    Operator(&'static Field),
    Value(Option<&'static Field>),
    Joint,
}

/// What is wanted behind these tokens.
fn wanted(tokens: &[(Token, Range<usize>)]) -> Wanted {
    let field_of = |token: &Token| match token {
        Token::Word(word) => Field::find(word),
        Token::Path(root, _) => Field::find(root),
        Token::Header(_) => Field::find("header"),
        _ => None,
    };
    let mut tokens = tokens.iter().map(|(token, _)| token).rev();
    let Some(last) = tokens.next() else { return Wanted::Field };
    let mut before = tokens.clone();
    match last {
        Token::Sign("(" | "&&" | "||" | "^^" | "!") => Wanted::Field,
        Token::Word(word) if ["and", "or", "xor", "not", "any", "all"].contains(&word.as_str()) => Wanted::Field,
        Token::Sign("{" | "," | "..") => Wanted::Value(tokens.find_map(field_of)),
        _ if is_operator(last) => Wanted::Value(before.find_map(field_of)),
        Token::Slice(_) => before.find_map(field_of).map_or(Wanted::Joint, Wanted::Operator),
        _ => match field_of(last) {
            // A field may stand for a value, too.
            Some(field) if !before.next().is_some_and(is_operator) => Wanted::Operator(field),
            _ => Wanted::Joint,
        },
    }
}

fn fields(begun: &str, rows: Rows, named: &Named) -> Vec<Choice> {
    let of_rows = || FIELDS.iter().filter(|field| field.rows.meets(rows));
    let mut short: Vec<_> = of_rows().filter(|field| !field.alias.is_empty()).collect();
    short.sort_by_key(|field| field.cost());
    let short = short.into_iter().map(|field| Choice::new(field.alias, field.kind.name(), field.about));
    let long = of_rows().map(|field| Choice::new(field.name, field.kind.name(), field.about));
    let functions = FUNCTIONS.iter().map(|(name, about)| Choice::new(*name, "function", *about));
    let named = named.iter().map(|(name, text)| Choice::new(format!("${name}"), "filter", text.clone()));
    if begun.starts_with('$') {
        return named.collect();
    }
    short.chain(long).chain(functions).chain(named).collect()
}

fn operators(field: &Field) -> Vec<Choice> {
    let fits = |sign: &str| match sign {
        "==" | "!=" | "in" => field.kind != Kind::Presence,
        "contains" | "matches" => field.kind.has_pieces(),
        "&" => field.kind == Kind::Number,
        _ => field.kind.is_ordered() && field.kind != Kind::Text && field.kind != Kind::Bytes,
    };
    let operators = OPERATORS.iter().filter(|(sign, _)| fits(sign)).map(|(sign, about)| Choice::new(*sign, "", *about));
    let alone = if matches!(field.kind, Kind::Presence | Kind::Flag) { JOINTS.as_slice() } else { &[] };
    alone.iter().map(|(sign, about)| Choice::new(*sign, "", *about)).chain(operators).collect()
}

fn values(field: Option<&'static Field>, seen: &dyn Fn(&Field) -> Vec<String>) -> Vec<Choice> {
    let Some(field) = field else { return Vec::new() };
    match field.kind {
        Kind::Flag => ["true", "false"].map(|word| Choice::new(word, "", "")).to_vec(),
        Kind::Word(words) => words.iter().map(|word| Choice::new(*word, "", "")).collect(),
        Kind::Code => NOTES.iter().map(|row| Choice::new(row.name, row.severity.name(), row.text)).collect(),
        Kind::Text => seen(field).iter().map(|text| Choice::new(quote(text), "", "seen in this capture")).collect(),
        _ => seen(field).into_iter().map(|text| Choice::new(text, "", "seen in this capture")).collect(),
    }
}

/// Those that begin with what is written, then those that have it elsewhere.
fn likely(choices: Vec<Choice>, begun: &str) -> Vec<Choice> {
    let begun = begun.to_lowercase();
    let place = |choice: &Choice| {
        let text = choice.text.to_lowercase();
        match text.find(&begun) {
            Some(0) => Some(0),
            Some(1) if text.starts_with('"') => Some(0),
            Some(_) if begun.len() > 1 => Some(1),
            _ => None,
        }
    };
    let mut placed: Vec<(u8, Choice)> =
        choices.into_iter().filter_map(|choice| Some((place(&choice)?, choice))).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, choice)| choice).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::filter::Filter;

    /// The first few of what may come next, in the place of what is begun.
    fn next(text: &str) -> (String, Vec<String>) {
        let named: Named = [("errors".to_owned(), "close_code != 1000".to_owned())].into();
        let seen = |field: &Field| match field.alias {
            "host" => vec!["chat.example".to_owned(), "a\"b".to_owned()],
            "close_code" => vec!["1000".to_owned(), "1006".to_owned()],
            _ => Vec::new(),
        };
        let found = complete(text, Rows::ALL, &named, &seen);
        let choices = found.choices.into_iter().take(3).map(|choice| choice.text).collect();
        (text.get(found.span).unwrap().to_owned(), choices)
    }

    #[test]
    fn what_is_begun_is_completed() {
        let expect = |text: &str, begun: &str, choices: &[&str]| {
            let choices = choices.iter().map(|&choice| choice.to_owned()).collect();
            assert_eq!(next(text), (begun.to_owned(), choices), "{text}");
        };
        expect("", "", &["conn", "time", "msg"]);
        expect("websocket.opc", "websocket.opc", &["websocket.opcode"]);
        expect("opcod", "opcod", &["websocket.opcode"]);
        expect("$", "$", &["$errors"]);
        expect(
            "conn == 1 && clo",
            "clo",
            &["close_code", "websocket.payload.close", "websocket.payload.close.status_code"],
        );
        expect("host ", "", &["==", "!=", "contains"]);
        expect("host =", "=", &["=="]);
        expect("host !", "!", &["!="]);
        assert_eq!(next("tls && !ho").1.first().map(String::as_str), Some("host"));
        expect("len ", "", &["==", "!=", "<"]);
        expect("host == ", "", &["\"chat.example\"", "\"a\\\"b\""]);
        expect("host == ch", "ch", &["\"chat.example\""]);
        expect("host == \"ch", "\"ch", &["\"chat.example\""]);
        expect("close_code in {1000, ", "", &["1000", "1006"]);
        expect("type == ", "", &["continuation", "text", "binary"]);
        expect("type == t", "t", &["text"]);
        expect("websocket.fin == ", "", &["true", "false"]);
        expect("finding == WS-M", "WS-M", &["WS-MASKED"]);
        expect("type == text ", "", &["&&", "||"]);
        expect("json.a == \"x\" ", "", &["&&", "||"]);
        expect("!(tls ", "", &["&&", "||"]);
        expect("'", "", &[]);
    }

    /// Whatever is accepted where something is begun makes a filter that can be read, with what may follow it.
    #[test]
    fn what_is_offered_can_be_read() {
        let offered = |text: &str| {
            let found = complete(text, Rows::ALL, &Named::new(), &|_| vec!["1".to_owned()]);
            assert!(!found.choices.is_empty(), "{text}");
            found.choices.into_iter().map(|choice| choice.text).collect::<Vec<_>>()
        };
        let read = |whole: String| assert!(Filter::new(&whole).is_ok(), "{whole}");
        for text in ["type == ", "finding == ", "websocket.fin == "] {
            offered(text).iter().for_each(|value| read(format!("{text}{value}")));
        }
        for (text, value) in [("host ", "\"a\""), ("len ", "1")] {
            for sign in offered(text) {
                let value = if sign == "in" { format!("{{{value}}}") } else { value.to_owned() };
                read(format!("{text}{sign} {value}"));
            }
        }
        offered("tls ").iter().for_each(|joint| read(format!("tls {joint} tls")));
        offered("close_code in {").iter().for_each(|value| read(format!("close_code in {{{value}}}")));
        for text in ["", "type == text && ", "!"] {
            for name in offered(text) {
                assert!(lex::tokens(&format!("{text}{name}")).is_ok(), "{name}");
            }
        }
    }
}
