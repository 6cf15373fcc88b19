//! Members of JSON by their name, in bytes that need not be JSON throughout.
//!
//! A payload may have JSON behind a prefix (Socket.IO, STOMP), cut, several times, or as a string within JSON (SockJS), where
//! each quote has a backslash, and three one level deeper. So nothing is parsed: at each quote, whatever stands before it, it
//! is asked whether a member of the name begins there.

use super::Find;

/// Quotes of one level of nesting: so many backslashes stand before each. 0, 1, 3, 7…
#[derive(Clone, Copy)]
struct Level(usize);

impl Level {
    /// That of a quote which opens a string behind so many backslashes.
    fn opened_by(backslashes: usize) -> Option<Self> {
        (backslashes + 1).is_power_of_two().then_some(Self(backslashes))
    }

    /// What a quote behind so many backslashes is to a string of this level. Backslashes in a string come doubled once more
    /// than its quotes.
    const fn meets(self, backslashes: usize) -> Meets {
        match backslashes % (2 * (self.0 + 1)) {
            rest if rest == self.0 => Meets::End,
            rest if rest < self.0 => Meets::Outside,
            _ => Meets::Inside,
        }
    }

    fn quote(self) -> String {
        "\\".repeat(self.0) + "\""
    }
}

#[derive(PartialEq, Eq)]
enum Meets {
    /// It ends the string.
    End,
    /// It ends a string around it.
    Outside,
    /// It is in the string.
    Inside,
}

/// The values of all members of that name, in order; none lies in another.
pub(super) fn find(bytes: &[u8], name: &str) -> Vec<Find> {
    let mut finds = Vec::new();
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'"', bytes.get(from..).unwrap_or_default()).map(|at| from + at) {
        from = at + 1;
        let Some(level) = Level::opened_by(backslashes_before(bytes, at)) else { continue };
        let Some(value) = value_of(bytes, from, level, name) else { continue };
        let find = measure(bytes, value, level);
        from = from.max(find.range.end);
        finds.push(find);
    }
    finds
}

fn backslashes_before(bytes: &[u8], at: usize) -> usize {
    bytes.get(..at).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'\\').count()
}

/// Where the value begins of the member whose key begins at `at`, if it has that name.
fn value_of(bytes: &[u8], at: usize, level: Level, name: &str) -> Option<usize> {
    // Each character may be written as \u0061, and each backslash of that several times.
    let longest = name.len().saturating_mul(6 * (level.0 + 1)) + level.0 + 1;
    let end = string_end(bytes.get(..at.saturating_add(longest).min(bytes.len()))?, at, level)?;
    if !is_name(bytes.get(at..end.content)?, name) {
        return None;
    }
    let colon = skip_blanks(bytes, end.behind, level);
    (bytes.get(colon) == Some(&b':')).then(|| skip_blanks(bytes, colon + 1, level))
}

struct End {
    /// Where the content ends.
    content: usize,
    /// Behind the quote that ends it.
    behind: usize,
}

/// Where the string ends that begins at `at`; `None` where it does not.
fn string_end(bytes: &[u8], at: usize, level: Level) -> Option<End> {
    let mut from = at;
    loop {
        let quote = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        let backslashes = backslashes_before(bytes, quote).min(quote - at);
        match level.meets(backslashes) {
            Meets::End => return Some(End { content: quote - level.0, behind: quote + 1 }),
            Meets::Outside => return Some(End { content: quote - backslashes, behind: quote - backslashes }),
            Meets::Inside => from = quote + 1,
        }
    }
}

/// Whether a key is the name, with or without escapes.
fn is_name(key: &[u8], name: &str) -> bool {
    if !key.contains(&b'\\') {
        return key.eq_ignore_ascii_case(name.as_bytes());
    }
    let key = String::from_utf8_lossy(key);
    let mut plain = String::new();
    let mut rest = key.as_ref();
    while let Some((before, escape)) = rest.split_once('\\') {
        plain.push_str(before);
        let escape = escape.trim_start_matches('\\');
        let code = escape.strip_prefix('u').and_then(|digits| digits.get(..4));
        let c = code.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        plain.extend(c);
        rest = escape.get(c.map_or(0, |_| 5)..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain.eq_ignore_ascii_case(name)
}

/// Behind blanks, which a string within a string has as escapes.
fn skip_blanks(bytes: &[u8], mut at: usize, level: Level) -> usize {
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let backslashes = rest.iter().take_while(|byte| **byte == b'\\').count();
        at += match rest.get(backslashes) {
            Some(b' ' | b'\t' | b'\r' | b'\n') if backslashes == 0 => 1,
            Some(b'n' | b'r' | b't') if backslashes > 0 && backslashes <= level.0 => backslashes + 1,
            _ => return at,
        };
    }
}

/// How far the value reaches that begins at `at`. One that does not end reaches to the end.
fn measure(bytes: &[u8], at: usize, level: Level) -> Find {
    let rest = bytes.get(at..).unwrap_or_default();
    let quote = level.quote();
    if rest.starts_with(quote.as_bytes()) {
        let begin = at + quote.len();
        let end = string_end(bytes, begin, level).map_or(bytes.len(), |end| end.content);
        return Find { range: begin..end, quote: String::new() };
    }
    let len = match rest.first() {
        Some(b'{' | b'[') => container_len(bytes, at, level),
        _ => rest.iter().position(|byte| b",]} \t\r\n\\\"".contains(byte)).unwrap_or(rest.len()),
    };
    Find { range: at..at + len, quote }
}

/// Bytes of the object or array that begins at `at`.
fn container_len(bytes: &[u8], at: usize, level: Level) -> usize {
    let (mut depth, mut from) = (0_usize, at);
    while let Some(byte) = bytes.get(from) {
        from += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return from - at;
                }
            }
            b'"' => match level.meets(backslashes_before(bytes, from - 1)) {
                Meets::End => match string_end(bytes, from, level) {
                    Some(end) => from = end.behind,
                    None => break,
                },
                Meets::Outside => return from - 1 - backslashes_before(bytes, from - 1) - at,
                Meets::Inside => {}
            },
            _ => {}
        }
    }
    bytes.len() - at
}

#[cfg(test)]
mod tests {
    use super::super::tests::redactor;
    use super::*;
    use proptest::prelude::*;

    fn found<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
        find(text.as_bytes(), name).into_iter().map(|find| &text[find.range]).collect()
    }

    #[test]
    fn values_of_all_kinds() {
        assert_eq!(found(r#"{"a":1,"pin":"x\"y\\","b":2}"#, "pin"), [r#"x\"y\\"#]);
        assert_eq!(
            found(r#"{"pin" : 12.5e3, "PIN":null,"Pin":[1,{"a":"]"}],"pin":{"pin":"}"}}"#, "pin"),
            ["12.5e3", "null", r#"[1,{"a":"]"}]"#, r#"{"pin":"}"}"#]
        );
        assert_eq!(found(r#"{"p\u0069n":"x"}"#, "pin"), ["x"]);
    }

    #[test]
    fn wherever_json_stands() {
        assert_eq!(found(r#"42["login",{"pin":"x"}]"#, "pin"), ["x"]);
        assert_eq!(found(r#"5" screen {"pin":"x"}"#, "pin"), ["x"], "a quote that stands alone changes nothing");
        assert_eq!(found(r#"{"pin":"cut off"#, "pin"), ["cut off"]);
        assert_eq!(found(r#"{"pin":["cut","#, "pin"), [r#"["cut","#]);
        assert_eq!(found(r#"{"pin":1}{"pin":2}"#, "pin"), ["1", "2"]);
        assert_eq!(found("{\"pin\":\n\t\"x\"}", "pin"), ["x"]);
    }

    #[test]
    fn strings_within_strings() {
        let inner = r#"{"pin" : "x\"\\y", "n":7, "pin": {"k":"}"}, "pin":8}"#;
        let once = serde_json::to_string(&vec![inner]).unwrap();
        let twice = serde_json::to_string(&vec![&once]).unwrap();
        assert_eq!(found(inner, "pin"), [r#"x\"\\y"#, r#"{"k":"}"}"#, "8"]);
        for (text, level) in [(&once, 1), (&twice, 2)] {
            let values = found(text, "pin");
            assert_eq!(values.len(), 3, "{text}");
            assert_eq!(values[2], "8");
            let shown: serde_json::Value = serde_json::from_str(&redactor(&["json:pin"]).text(text)).unwrap();
            let mut shown = shown;
            for _ in 0..level {
                shown = serde_json::from_str(shown[0].as_str().unwrap()).unwrap();
            }
            assert_eq!(shown["n"], 7);
            assert!(shown["pin"].as_str().unwrap().starts_with("redacted-"), "{shown}");
        }
        let pretty = serde_json::to_string("{\n\"pin\":\n\"x\"\n}").unwrap();
        assert_eq!(found(&pretty, "pin"), ["x"]);
        assert_eq!(found(r#""{\"pin\":12""#, "pin"), ["12"]);
        assert_eq!(found(r#"["{\"pin\":\"cut","pin"]"#, "pin"), ["cut"], "the string around it ends before it does");
    }

    #[test]
    fn others_are_left() {
        for text in [
            r#"{"pins":"x"}"#,
            r#"{"a":"pin"}"#,
            r#"["pin","x"]"#,
            r#"{pin:"x"}"#,
            r#"{"pi":"x"}"#,
            r#""pin""#,
            "pin",
            "",
        ] {
            assert_eq!(found(text, "pin"), [""; 0], "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(Into::into),
            "[a-z\"\\\\{}\\[\\],: é]{0,8}".prop_map(Into::into)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let key = prop_oneof![Just("pin".to_owned()), "[a-z\"\\\\]{0,3}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec((key, inner), 0..4)
                    .prop_map(|members| { serde_json::Value::Object(members.into_iter().collect()) }),
            ]
        })
    }

    /// What is to be shown of a tree.
    fn hidden(value: &serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Array(items) => items.iter().map(hidden).collect(),
            serde_json::Value::Object(members) => {
                let member = |(key, value): (&String, &serde_json::Value)| match key.as_str() {
                    "pin" if value == "" => (key.clone(), "".into()),
                    "pin" => (key.clone(), "hidden".into()),
                    _ => (key.clone(), hidden(value)),
                };
                members.iter().map(member).collect()
            }
            other => other.clone(),
        }
    }

    proptest! {
        /// Of any JSON, the members of the name are replaced, and it stays JSON with everything else in it; within strings as well.
        #[test]
        fn json_stays_json(value in any_json(), nested in 0..3_usize) {
            let mut text = value.to_string();
            for _ in 0..nested {
                text = serde_json::Value::from(text).to_string();
            }
            let shown = redactor(&["json:pin"]).text(&text).into_owned();
            let mut shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
            for _ in 0..nested {
                shown = serde_json::from_str(shown.as_str().unwrap()).unwrap();
            }
            let hide = |shown: serde_json::Value| -> serde_json::Value {
                let text = shown.to_string();
                let parts: Vec<&str> = text.split("redacted-").collect();
                let rest = parts[1..].iter().map(|part| format!("hidden{}", &part[12..]));
                serde_json::from_str(&(parts[0].to_owned() + &rest.collect::<String>())).unwrap()
            };
            prop_assert_eq!(hide(shown), hidden(&value));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(prop::sample::select(b"\\\"pin:{}[], nx\xff".to_vec()), 0..60)) {
            for Find { range, .. } in find(&bytes, "pin") {
                prop_assert!(range.start <= range.end && range.end <= bytes.len());
            }
            redactor(&["json:pin", "query:pin"]).bytes(&bytes);
        }
    }
}
