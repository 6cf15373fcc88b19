//! What messages without the name of an event look like: the same for two that differ only in what they say.

use super::path::{self, Found};
use crate::escape::json::string;
use crate::model::{Node, Value};
use std::collections::BTreeSet;

/// Bytes of a shape; a longer one ends with `…`, and is that of all that begin so.
const LONGEST: usize = 400;

/// Containers inside one another that are looked into.
const DEEPEST: usize = 3;

/// Members of one object that are told.
const MEMBERS: usize = 64;

/// Elements of a list that are looked at: most lists have one kind.
const ELEMENTS: usize = 16;

/// Characters of a member's name.
const NAME: usize = 48;

/// What nothing looks like.
const EMPTY: &str = "empty";

/// Pieces of a text's pattern.
const PIECES: usize = 12;

/// The shape of a value: the names of its members, in order of the alphabet, each with its kind.
///
/// `{id:number,items:[{name:string}],ok:bool}`; names that are numbers are `#`, long ones in hex `*`: maps have them in
/// which anything may stand. A number with a fraction is of the same kind as one without.
pub fn shape(value: &Value<'_>) -> String {
    of(value, DEEPEST)
}

fn of(value: &Value<'_>, deeper: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Flag(_) => "bool".to_owned(),
        Value::Int(_) | Value::Float(_) => "number".to_owned(),
        Value::Text(_) => "string".to_owned(),
        Value::Bytes(_) => "bytes".to_owned(),
        Value::Json(text) => json(text.as_bytes(), deeper),
        Value::List(_) | Value::Map(_) if deeper == 0 => "…".to_owned(),
        Value::List(items) => list(items.iter().take(ELEMENTS).map(|Node { value, .. }| of(value, deeper - 1))),
        Value::Map(members) => {
            map(members.iter().take(MEMBERS).map(|(name, node)| (&**name, of(&node.value, deeper - 1))))
        }
    }
}

fn json(text: &[u8], deeper: usize) -> String {
    let mut kind = "string";
    let mut tree: Option<&[u8]> = None;
    path::find(text, &[], &mut |found, _| {
        match found {
            Found::Text(_) => kind = "string",
            Found::Number(_) => kind = "number",
            Found::Flag(_) => kind = "bool",
            Found::Null => kind = "null",
            Found::Tree(text) => tree = Some(text),
        }
        true
    });
    match tree {
        None => kind.to_owned(),
        Some(_) if deeper == 0 => "…".to_owned(),
        Some(tree) => container(tree, deeper),
    }
}

/// The shape of an object or array that is a JSON text.
fn container(tree: &[u8], deeper: usize) -> String {
    let most = if tree.starts_with(b"[") { ELEMENTS } else { MEMBERS };
    let mut all: Vec<(String, &[u8])> = Vec::new();
    path::members(tree, &mut |name, _, bytes| {
        if all.len() < most {
            let mut plain = String::new();
            path::unescape(name.unwrap_or_default(), &mut plain);
            all.push((plain, tree.get(bytes).unwrap_or_default()));
        }
    });
    if tree.starts_with(b"[") {
        list(all.iter().map(|(_, text)| json(text, deeper - 1)))
    } else {
        map(all.iter().map(|(name, text)| (name.as_str(), json(text, deeper - 1))))
    }
}

/// `[number|string]`: the kinds of its elements, whatever their order.
fn list(kinds: impl Iterator<Item = String>) -> String {
    let kinds: BTreeSet<String> = kinds.collect();
    let kinds: Vec<String> = kinds.into_iter().collect();
    cut(format!("[{}]", kinds.join("|")))
}

/// `{id:number,ok:bool}`.
fn map<'n>(members: impl Iterator<Item = (&'n str, String)>) -> String {
    let members: BTreeSet<String> = members.map(|(name, kind)| format!("{}:{kind}", called(name))).collect();
    let members: Vec<String> = members.into_iter().collect();
    cut(format!("{{{}}}", members.join(",")))
}

/// The name of a member, where it is one, and not what stands in its place.
fn called(name: &str) -> String {
    let is_hex = |c: char| c.is_ascii_hexdigit() || c == '-';
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return "#".to_owned();
    }
    if name.len() >= 16 && name.chars().all(is_hex) && name.contains(|c: char| c.is_ascii_digit()) {
        return "*".to_owned();
    }
    let (shown, rest) = name.split_at(name.char_indices().nth(NAME).map_or(name.len(), |(at, _)| at));
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '@' | '/');
    let mut called = if !shown.is_empty() && shown.chars().all(is_plain) {
        shown.to_owned()
    } else {
        let mut quoted = Vec::new();
        string(&mut quoted, shown);
        String::from_utf8_lossy(&quoted).into_owned()
    };
    called.push_str(if rest.is_empty() { "" } else { "…" });
    called
}

/// What a text looks like that no decoder understands: `a` stands for a word, `0` for a number, `x` for what is both, and signs
/// and blanks for themselves.
///
/// A first word in capitals, or one with a sign behind it, is that of a command and stays: `PRIVMSG #a :a a…`, `temp=0.0`.
pub fn pattern(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    for piece in 0.. {
        let Some(first) = rest.chars().next() else { break };
        if piece == PIECES {
            out.push('…');
            break;
        }
        // Letters with marks, and pictures, are of several characters.
        let of_word = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() && !c.is_whitespace();
        let in_piece = |c: &char| if of_word(first) { of_word(*c) } else { *c == first };
        let len: usize = rest.chars().take_while(in_piece).map(char::len_utf8).sum();
        let (word, behind) = rest.split_at(len);
        let has = |of: fn(char) -> bool| word.contains(of);
        out.push_str(match (has(char::is_alphabetic), has(char::is_numeric)) {
            (true, false) if piece == 0 && is_command(word, behind) => word,
            (true, false) => "a",
            (false, true) => "0",
            (true, true) => "x",
            (false, false) if first.is_whitespace() => " ",
            (false, false) if !first.is_ascii() => "a",
            // A sign that is repeated stands once.
            (false, false) => word.get(..first.len_utf8()).unwrap_or_default(),
        });
        rest = behind;
    }
    out
}

/// Whether the first word of a text says what the text is.
fn is_command(word: &str, behind: &str) -> bool {
    let is_loud = word.len() > 1 && word.chars().all(char::is_uppercase);
    word.len() <= 16 && (is_loud || behind.starts_with([':', '=', '|', ',', '/', '(', '{', '#', ';']))
}

/// What bytes look like that no decoder understands: how they begin, and how many they are, to a power of two.
///
/// `2a…, 64 to 127 bytes`.
pub fn look(bytes: &[u8]) -> String {
    let Some(first) = bytes.first() else { return EMPTY.to_owned() };
    let least = 1_usize << bytes.len().ilog2();
    match least {
        1 => format!("{first:02x}, 1 byte"),
        _ => format!("{first:02x}…, {least} to {} bytes", least * 2 - 1),
    }
}

fn cut(mut shape: String) -> String {
    if shape.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| shape.is_char_boundary(*at)).unwrap_or(0);
        shape.truncate(end);
        shape.push('…');
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::borrow::Cow;

    fn of_json(text: &str) -> String {
        shape(&Value::Json(Cow::Borrowed(text)))
    }

    #[test]
    fn what_differs_in_what_it_says_alone_has_one_shape() {
        let told = r#"{"ok":true,"id":7,"items":[{"name":"x"},{"name":"y"}],"at":null}"#;
        let other = r#" { "at":null, "id" : -1.5e3,"items": [{"name":""}], "ok":false } "#;
        assert_eq!(of_json(told), "{at:null,id:number,items:[{name:string}],ok:bool}");
        assert_eq!(of_json(other), of_json(told));
        assert_ne!(of_json(r#"{"ok":1}"#), of_json(r#"{"ok":true}"#));
        assert_eq!(of_json(r#"{"17":{"a":1},"18":{"a":2}}"#), "{#:{a:number}}");
        assert_eq!(of_json(r#"{"0e37df36-f698-11e6-8dd4-cb9ced3df976":1}"#), "{*:number}");
        assert_eq!(of_json(r#"{"two words":1,"":[1,"x",2]}"#), r#"{"":[number|string],"two words":number}"#);
        assert_eq!(of_json("[]"), "[]");
        assert_eq!(of_json("\"x\""), "string");
        assert_eq!(of_json(r#"{"a":{"b":{"c":{"d":1}}}}"#), "{a:{b:{c:…}}}");
    }

    #[test]
    fn a_tree_has_the_shape_of_its_json() {
        let tree = Value::Map(vec![
            ("b".into(), Value::Bytes(Cow::Borrowed(b"x")).into()),
            ("a".into(), Value::List(vec![Value::Int(1).into(), Value::Float(1.0).into()]).into()),
        ]);
        assert_eq!(shape(&tree), "{a:[number],b:bytes}");
    }

    #[test]
    fn texts_and_bytes_have_patterns() {
        for (text, wanted) in [
            ("", "empty"),
            ("e\u{301} 👩\u{200d}👧 雨", "a a a"),
            ("hello", "a"),
            ("how are you", "a a a"),
            ("PRIVMSG #room1 :hi", "PRIVMSG #x :a"),
            ("temp=21.5", "temp=0.0"),
            ("3,17,-2", "0,0,-0"),
            ("--- 12\n\n", "- 0 "),
            ("ä1é", "x"),
        ] {
            assert_eq!(pattern(text), wanted, "{text}");
        }
        assert_eq!(pattern(&"a ".repeat(50)), "a a a a a a …");
        assert_eq!(
            [&b""[..], b"*", b"*abc", &[0x42; 127]].map(look),
            ["empty", "2a, 1 byte", "2a…, 4 to 7 bytes", "42…, 64 to 127 bytes"]
        );
    }

    proptest! {
        #[test]
        fn shapes_of_anything_are_short(text in "\\PC{0,60}", bytes: Vec<u8>, json in r#"[\[\]{}",:a1é ]{0,60}"#) {
            pattern(&text);
            look(&bytes);
            prop_assert!(of_json(&json).len() <= LONGEST + 8);
        }
    }

    #[test]
    fn large_ones_are_cut() {
        let wide: Vec<String> = (0..100_000).map(|n| format!("\"key{n}\":{{\"a\":[1,{{\"b\":2}}]}}")).collect();
        let begun = std::time::Instant::now();
        let told = of_json(&format!("{{{}}}", wide.join(",")));
        assert!(told.len() <= LONGEST + 4 && told.ends_with('…'), "{told}");
        assert!(begun.elapsed().as_secs() < 10);
    }
}
