//! The document as Markdown (CommonMark, as GitHub and GitLab show it), without raw HTML.
//!
//! Payloads stand in fenced blocks whose fence is longer than any run of backticks in them, other hostile text in code spans
//! of the same make; a sentence that quotes some has its signs escaped.

use super::{About, Markup, Row, Word, place};
use crate::escape;
use crate::export::page::write_body;
use crate::export::{Out, PayloadOptions, payload, pretty};
use crate::model::{Direction, Message};

/// Paragraphs, each with its payload below.
#[derive(Debug, Default)]
pub struct Markdown;

impl Markup for Markdown {
    fn begin(&mut self, out: &mut Out<'_>) {
        out.line("# WebSocket transcript\n");
        out.line("`2:14` is message 14 of connection 2; → goes to the server, ← to the client.");
    }

    fn row(&mut self, row: &Row, body: Option<(&Message<'_>, PayloadOptions)>, out: &mut Out<'_>) {
        let place = match (row.about, row.conn) {
            (About::Opened, Some(conn)) => format!("**Connection {conn}**"),
            (_, None) => String::from("file"),
            _ => format!("`{}`", place(row)),
        };
        let sign = match (row.about, row.dir) {
            (About::Finding(severity), _) => severity.sign(),
            (_, dir) => dir.map_or("", Direction::arrow),
        };
        let words: String = row.words.iter().map(shown).collect();
        let line: Vec<&str> =
            [row.time.trim(), &place, sign, &words].into_iter().filter(|part| !part.is_empty()).collect();
        out.line(&format!("\n{}", line.join(" ")));
        if let Some((message, options)) = body {
            write_block(message, options, out);
        }
    }

    fn end(&mut self, _: &mut Out<'_>) {}
}

fn write_block(message: &Message<'_>, options: PayloadOptions, out: &mut Out<'_>) {
    if payload::decoded(message, options).is_some() {
        // What was escaped is plain now: only the text itself tells how many backticks are in it.
        let mut body = Out::memory();
        write_body(message, options, "", &mut body);
        let body = body.take();
        let fence = "`".repeat(longest_run(&body).max(2) + 1);
        out.line(&format!("\n{fence}text"));
        out.bytes().extend_from_slice(&body);
        return out.line(&fence);
    }
    let (bytes, _) = options.shown(message);
    let fence = "`".repeat(longest_run(&bytes).max(2) + 1);
    let is_json = message.is_text() && std::str::from_utf8(&bytes).is_ok_and(pretty::is_json);
    out.line(&format!("\n{fence}{}", if is_json { "json" } else { "text" }));
    write_body(message, options, "", out);
    out.line(&fence);
}

/// The length of the longest run of backticks.
fn longest_run(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte != b'`').map(<[u8]>::len).max().unwrap_or(0)
}

fn shown(word: &Word) -> String {
    match word {
        Word::Ours(text) => text.clone(),
        Word::Theirs(text) => code(&escape::display_str(text)),
        Word::Mixed(text) => literal(&escape::display_str(text)),
    }
}

/// A code span (CommonMark §6.1).
fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return String::from("(empty)");
    }
    let ticks = "`".repeat(longest_run(text.as_bytes()) + 1);
    // Blanks keep backticks at the ends apart from the fence; one at each end is taken away again.
    let blank = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{blank}{text}{blank}{ticks}")
}

/// Text in which no sign means anything: neither markup, HTML and entities, nor what GitHub makes links, mentions, formulas
/// or pictures of by itself.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let follows = |word: &str| {
            let end = out.len().checked_sub(word.len()).and_then(|at| out.get(at..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(word))
        };
        let means = match c {
            '.' => follows("www"),
            ':' => chars.peek() == Some(&'/') || follows("mailto") || follows("xmpp"),
            _ => "\\`*_[]<>&~|$@#^{}".contains(c),
        };
        if means {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_hold_what_they_hold() {
        assert_eq!(code("ws://h/x"), "`ws://h/x`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" a"), "`  a `");
        assert_eq!(code(""), "(empty)");
    }

    #[test]
    fn no_sign_means_anything() {
        assert_eq!(literal("a *b* _c_ [d](e) <f> &amp; g|h `i`"), r"a \*b\* \_c\_ \[d\](e) \<f\> \&amp; g\|h \`i\`");
        assert_eq!(
            literal("https://x www.x.test WWW.y @z #1 $a$ mailto:x x:y"),
            r"https\://x www\.x.test WWW\.y \@z \#1 \$a\$ mailto\:x x:y"
        );
        assert_eq!(literal("closed by the client (1000), 1.5 ms - so!"), "closed by the client (1000), 1.5 ms - so!");
    }

    #[test]
    fn runs_are_measured() {
        assert_eq!([&b""[..], b"`", b"a``b```", b"ab"].map(longest_run), [0, 1, 3, 0]);
    }
}
