//! JSON with a line for each member, and nothing else about it changed.

use super::out::Out;
use crate::decode::path;
use crate::escape;

/// How deep nesting is indented; what is nested deeper stays on its line.
const MAX_DEPTH: usize = 64;

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Whether `text` is a JSON object or array, throughout.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start_matches(BLANKS).starts_with(['{', '[']) && path::is_json(text.as_bytes())
}

/// Appends `text` re-indented behind `margin`, safe on a terminal.
///
/// Keys keep their order and their repetitions, numbers all their digits: only blanks between tokens change.
/// It takes one pass and a depth, so no nesting can overflow anything.
pub(super) fn write(text: &str, margin: &str, out: &mut Out<'_>) {
    let mut depth = 0_usize;
    let mut tokens = Tokens(text).filter(|token| !token.starts_with(BLANKS)).peekable();
    out.text(margin);
    while let Some(token) = tokens.next() {
        let closes = tokens.peek().is_some_and(|next| matches!(*next, "}" | "]"));
        let opens = matches!(token, "{" | "[");
        out.text(&escape::display_str(token));
        if opens {
            depth += 1;
        }
        if token == ":" {
            out.text(" ");
        }
        if closes {
            depth = depth.saturating_sub(1);
        }
        if token == "," || opens != closes {
            new_line(depth, margin, out);
        }
        out.spill();
    }
    out.text("\n");
}

fn new_line(depth: usize, margin: &str, out: &mut Out<'_>) {
    if depth > MAX_DEPTH {
        return;
    }
    out.text("\n");
    out.text(margin);
    for _ in 0..depth {
        out.text("  ");
    }
}

/// Brackets, commas, colons, strings with their quotes, blanks, and whatever stands between.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let len = match self.0.bytes().next()? {
            b'"' => string_len(self.0),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b' ' | b'\t' | b'\r' | b'\n' => self.0.len() - self.0.trim_start_matches(BLANKS).len(),
            _ => self.0.find(|c| BLANKS.contains(&c) || "{}[],:\"".contains(c)).unwrap_or(self.0.len()),
        };
        let (token, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(token)
    }
}

/// The length of the string at the start of `text`, quotes included; all of `text` when it does not end.
fn string_len(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pretty(text: &str) -> String {
        let mut out = Out::memory();
        write(text, "", &mut out);
        String::from_utf8(out.take()).unwrap()
    }

    #[test]
    fn indents() {
        let text = r#" {"a":[1,2.50,{}],"b":{"c":"x,\"{}"},"a":1e999, "d":[ ]} "#;
        assert!(is_json(text));
        assert_eq!(
            pretty(text),
            r#"{
  "a": [
    1,
    2.50,
    {}
  ],
  "b": {
    "c": "x,\"{}"
  },
  "a": 1e999,
  "d": []
}
"#
        );
    }

    #[test]
    fn leaves_alone_what_is_not_json() {
        for text in [
            "",
            "hello",
            "42[\"event\"]",
            "{",
            "[1,2",
            "{}}",
            "\"text\"",
            "][",
            "[INFO] user logged in [ok]",
            "{name}  said   \"x\"  {end}",
            "{'password':'x'}",
            "[12:00]",
        ] {
            assert!(!is_json(text), "{text}");
        }
    }

    #[test]
    fn deep_nesting_costs_its_length() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(pretty(&deep).len() < 400_000);
    }

    proptest! {
        #[test]
        fn only_blanks_change(text in "[\\[\\]{},:\"\\\\a1é ]{0,60}") {
            let without_blanks = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(without_blanks(&pretty(&text)), without_blanks(&text));
        }
    }
}
