//! What a refusal says: the beginning of its body, as far as it is text that people read.

use crate::model::Head;

/// Collects the beginning of a body.
#[derive(Debug, Default)]
pub(in crate::proto) struct Excerpt {
    bytes: Vec<u8>,
    room: usize,
}

/// What a body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::proto) struct Said {
    /// Its lines or, of a page, what stands between the tags; without blanks around, none of them empty.
    pub(in crate::proto) pieces: Vec<String>,
    /// It is a page.
    pub(in crate::proto) is_page: bool,
}

/// Types of content beside `text/…` that people can read.
const READABLE: [&str; 4] = ["json", "xml", "problem", "html"];
/// Pieces of a page that are looked at.
const PIECES_MAX: usize = 32;
/// Characters that stand in a page under a name.
const ENTITIES: [(&str, &str); 8] = [
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

impl Excerpt {
    /// For the body behind a head, if it may be such a text: not compressed, and no endless stream of events.
    pub(in crate::proto) fn of(head: &Head, room: usize) -> Option<Self> {
        let plain = head.list("content-encoding").all(|coding| coding.eq_ignore_ascii_case("identity"));
        let readable = head.value("content-type").is_none_or(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind.starts_with("text/") && !kind.starts_with("text/event-stream")
                || READABLE.iter().any(|word| kind.contains(word))
        });
        (plain && readable && room > 0).then(|| Self { bytes: Vec::new(), room })
    }

    pub(in crate::proto) fn push(&mut self, content: &[u8]) {
        let room = self.room - self.bytes.len();
        self.bytes.extend_from_slice(content.get(..room).unwrap_or(content));
    }

    pub(in crate::proto) const fn is_full(&self) -> bool {
        self.bytes.len() >= self.room
    }

    /// What it says; nothing when it is no text after all.
    pub(in crate::proto) fn said(&self) -> Said {
        let is_text = |&byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | 0x0c) || byte >= b' ';
        if !self.bytes.iter().all(is_text) {
            return Said::default();
        }
        let text = String::from_utf8_lossy(&self.bytes);
        // A character that the end cut is none.
        let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let is_page = text.trim_start().starts_with('<');
        Said { pieces: if is_page { between_tags(text) } else { lines(text) }, is_page }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(joined).filter(|line| !line.is_empty()).take(PIECES_MAX).collect()
}

/// The texts of a page: what stands between its tags, but for scripts, styles and comments.
fn between_tags(page: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while pieces.len() < PIECES_MAX {
        let (text, tag) = rest.split_once('<').unwrap_or((rest, ""));
        let text = ENTITIES.iter().fold(joined(text), |text, (name, sign)| text.replace(name, sign));
        if !text.is_empty() && !pieces.contains(&text) {
            pieces.push(text);
        }
        if tag.is_empty() {
            break;
        }
        rest = behind(tag);
    }
    pieces
}

/// What follows on a tag, whose first sign is gone, and on what it hides.
fn behind(tag: &str) -> &str {
    let starts = |name: &str| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let end = if tag.starts_with("!--") {
        "-->"
    } else if starts("script") {
        "</script>"
    } else if starts("style") {
        "</style>"
    } else {
        ">"
    };
    tag.split_once(end).map_or("", |(_, rest)| rest)
}

/// A text in one line: its words with one blank between.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mark, Span, StartLine};

    fn head(headers: &[(&str, &str)]) -> Head {
        Head {
            start: StartLine::Response { version: "HTTP/1.1".into(), status: 400, reason: String::new() },
            headers: headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            stream_offset: 0,
            len: 0,
            span: Span { first: Mark::default(), last: Mark::default() },
            whole: true,
        }
    }

    fn pieces(body: &str) -> Vec<String> {
        let mut excerpt = Excerpt::of(&head(&[]), 1000).unwrap();
        excerpt.push(body.as_bytes());
        excerpt.said().pieces
    }

    #[test]
    fn reads_what_people_read() {
        let page = "<!DOCTYPE html>\r\n<html><!-- <b>no</b> --><head><TITLE>400  Bad\nRequest</TITLE>\
                    <style>b { color: red }</style><script>if (a < b) c</script></head><body><h1>400 Bad Request</h1>\
                    <p>Can &quot;Upgrade&quot; only to <b>&quot;WebSocket&quot;.</b><hr>";
        assert_eq!(pieces(page), ["400 Bad Request", "Can \"Upgrade\" only to", "\"WebSocket\"."]);
        assert_eq!(pieces("\n first \r\n\r\nsecond"), ["first", "second"]);
        assert_eq!(pieces("<"), <[&str; 0]>::default());
        assert_eq!(pieces("<p>unended <script> forever"), ["unended"]);
        assert_eq!(pieces("a\0b"), <[&str; 0]>::default());
        let many = "<i>".repeat(500);
        assert_eq!(pieces(&many), <[&str; 0]>::default());
    }

    #[test]
    fn what_is_no_text_is_not_read() {
        let reads = |headers: &[(&str, &str)]| Excerpt::of(&head(headers), 9).is_some();
        assert!(reads(&[("Content-Type", "application/problem+json")]) && reads(&[("Content-Encoding", "identity")]));
        assert!(!reads(&[("Content-Type", "image/png")]) && !reads(&[("Content-Encoding", "gzip")]));
        assert!(!reads(&[("Content-Type", "text/event-stream")]));
    }

    #[test]
    fn keeps_as_much_as_there_is_room_for() {
        let mut excerpt = Excerpt::of(&head(&[]), 4).unwrap();
        excerpt.push(b"abc");
        assert!(!excerpt.is_full());
        excerpt.push(b"def");
        assert!(excerpt.is_full());
        excerpt.push(b"ghi");
        assert_eq!(excerpt.said().pieces, ["abcd"]);
    }
}
