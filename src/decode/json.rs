//! JSON (RFC 8259) as it stands, not as it means: every value with the bytes it takes.
//!
//! Lenient, because a payload is evidence: numbers keep their digits, repeated keys stay, words such as `NaN` pass,
//! several values in a row are all read, and a broken document is read as far as it goes. One pass, no recursion.

use std::ops::Range;

/// Containers inside containers; what is deeper is one value, [`Kind::Deep`].
const MAX_DEPTH: u16 = 128;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
    /// `"…"`.
    String,
    /// Digits, sign, point, exponent.
    Number,
    /// `true`, `false`, `null`, or another bare word.
    Word,
    /// A container nested too deeply to be taken apart.
    Deep,
}

/// A value and where it stands; values come in the order of the document, each before its members.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Containers around it.
    pub depth: u16,
    start: u32,
    end: u32,
    key_start: u32,
    key_end: u32,
    next: u32,
    members: u32,
}

impl Node {
    /// The bytes of the value.
    pub const fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes of its key, without the quotes; `None` outside objects.
    pub const fn key(&self) -> Option<Range<usize>> {
        if self.key_end == Self::NO_KEY { None } else { Some(self.key_start as usize..self.key_end as usize) }
    }

    /// Its place in an array, from 0; `None` in objects and at the top.
    pub const fn index(&self) -> Option<u32> {
        if self.key_end == Self::NO_KEY && self.depth > 0 { Some(self.key_start) } else { None }
    }

    /// The node behind its last member: an index of the document's nodes, or their number.
    pub const fn next(&self) -> usize {
        self.next as usize
    }

    /// Members of a container.
    pub const fn members(&self) -> u32 {
        self.members
    }

    /// Whether it is an object or an array that was taken apart.
    pub const fn is_container(&self) -> bool {
        matches!(self.kind, Kind::Object | Kind::Array)
    }

    const NO_KEY: u32 = u32::MAX;
}

/// Why the reading stopped before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The document ends inside a value.
    Cut,
    /// A byte that no value begins or goes on with.
    Unexpected,
    /// There are more values than were asked for.
    TooMany,
}

/// A payload read as JSON.
#[derive(Debug, Default)]
pub struct Document {
    /// All values.
    pub nodes: Vec<Node>,
    /// Where and why the reading stopped early.
    pub fault: Option<(usize, Fault)>,
}

impl Document {
    /// Whether the whole payload is JSON and has an object or an array at its top.
    pub fn is_structured(&self) -> bool {
        self.fault.is_none() && self.nodes.first().is_some_and(Node::is_container)
    }

    /// The innermost value around a byte.
    pub fn at(&self, offset: usize) -> Option<usize> {
        // Values begin in order; the last that begins at or before the byte, or a container around that one, holds it.
        let begins = |node: &Node| node.key().map_or(node.start as usize, |key| key.start.saturating_sub(1));
        let mut at = self.nodes.partition_point(|node| begins(node) <= offset).checked_sub(1)?;
        loop {
            let node = self.nodes.get(at)?;
            if offset < node.end as usize {
                return Some(at);
            }
            at = self.parent(at)?;
        }
    }

    /// The container around a value.
    pub fn parent(&self, at: usize) -> Option<usize> {
        let depth = self.nodes.get(at)?.depth.checked_sub(1)?;
        self.nodes.get(..at)?.iter().rposition(|node| node.depth == depth)
    }
}

/// Reads a payload of at most 4 GiB, up to `max_nodes` values.
///
/// ```
/// let document = wspect::decode::json::read(br#"{"a":[1,2.50],"a":null}"#, 100);
/// assert!(document.is_structured());
/// assert_eq!(document.nodes.len(), 5);
/// ```
pub fn read(bytes: &[u8], max_nodes: usize) -> Document {
    let mut reading = Reading::new(max_nodes);
    reading.go_on(bytes, usize::MAX);
    reading.finish()
}

/// A payload that is being read as JSON, a part at a time.
#[derive(Debug)]
pub struct Reading {
    at: usize,
    max_nodes: usize,
    nodes: Vec<Node>,
    /// The containers around `at`, as indices of `nodes`.
    open: Vec<usize>,
    /// A value has ended: in a container a comma or its end must follow.
    after_value: bool,
    /// How it ended.
    outcome: Option<Result<(), Fault>>,
}

impl Reading {
    /// Nothing is read yet; up to `max_nodes` values will be.
    pub const fn new(max_nodes: usize) -> Self {
        Self { at: 0, max_nodes, nodes: Vec::new(), open: Vec::new(), after_value: false, outcome: None }
    }

    /// Reads about `values` more of a payload, the same with every call; true when all is read.
    pub fn go_on(&mut self, bytes: &[u8], values: usize) -> bool {
        let bytes = bytes.get(..u32::MAX as usize - 1).unwrap_or(bytes);
        let upto = self.nodes.len().saturating_add(values);
        if self.outcome.is_none() {
            self.outcome = Reader { bytes, state: self }.run(upto);
        }
        self.outcome.is_some()
    }

    /// What was read.
    pub fn finish(mut self) -> Document {
        let fault = self.outcome.and_then(Result::err).map(|fault| (self.at, fault));
        while !self.open.is_empty() {
            self.close();
        }
        Document { nodes: self.nodes, fault }
    }

    fn close(&mut self) {
        let (end, next) = (self.at as u32, self.nodes.len() as u32);
        if let Some(node) = self.open.pop().and_then(|at| self.nodes.get_mut(at)) {
            (node.end, node.next) = (end, next);
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    state: &'a mut Reading,
}

impl Reader<'_> {
    /// Reads until there are `upto` values; how it ended, if it did.
    fn run(&mut self, upto: usize) -> Option<Result<(), Fault>> {
        while self.state.nodes.len() < upto {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return Some(Ok(())),
                Err(fault) => return Some(Err(fault)),
            }
        }
        None
    }

    /// Reads a value, a comma or the end of a container; false at the end of the payload.
    fn step(&mut self) -> Result<bool, Fault> {
        self.blanks();
        let inside = !self.state.open.is_empty();
        match self.peek() {
            None if inside => return Err(Fault::Cut),
            None => return Ok(false),
            Some(close @ (b'}' | b']')) => self.close_bracket(close)?,
            Some(b',') if self.state.after_value && inside => {
                self.state.at += 1;
                self.state.after_value = false;
            }
            Some(_) if self.state.after_value && inside => return Err(Fault::Unexpected),
            Some(_) => self.member()?,
        }
        Ok(true)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.state.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.state.at..).unwrap_or(&[])
    }

    fn blanks(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn skip(&mut self, class: impl Fn(u8) -> bool) {
        self.state.at += self.rest().iter().take_while(|&&byte| class(byte)).count();
    }

    fn close_bracket(&mut self, bracket: u8) -> Result<(), Fault> {
        let kind = if bracket == b'}' { Kind::Object } else { Kind::Array };
        if self.container() != Some(kind) {
            return Err(Fault::Unexpected);
        }
        self.state.at += 1;
        self.state.close();
        self.state.after_value = true;
        Ok(())
    }

    fn container(&self) -> Option<Kind> {
        self.state.open.last().and_then(|&at| self.state.nodes.get(at)).map(|node| node.kind)
    }

    /// One value, in an object with its key; of a container only the opening bracket.
    fn member(&mut self) -> Result<(), Fault> {
        if self.state.nodes.len() >= self.state.max_nodes {
            return Err(Fault::TooMany);
        }
        let key = if self.container() == Some(Kind::Object) { Some(self.key()?) } else { None };
        self.blanks();
        let start = self.state.at as u32;
        let (kind, outcome) = self.value();
        let Some(kind) = kind else { return outcome };
        let index = self.count_member();
        let (key_start, key_end) = key.map_or((index, Node::NO_KEY), |key| (key.start as u32, key.end as u32));
        let (depth, place, end) = (self.state.open.len() as u16, self.state.nodes.len(), self.state.at as u32);
        self.state.nodes.push(Node { kind, depth, start, end, key_start, key_end, next: place as u32 + 1, members: 0 });
        self.state.after_value = !matches!(kind, Kind::Object | Kind::Array);
        if !self.state.after_value {
            self.state.open.push(place);
        }
        outcome
    }

    /// Counts one more member of the innermost container and says how many it had.
    fn count_member(&mut self) -> u32 {
        match self.state.open.last().and_then(|&at| self.state.nodes.get_mut(at)) {
            Some(node) => {
                node.members += 1;
                node.members - 1
            }
            None => 0,
        }
    }

    fn key(&mut self) -> Result<Range<usize>, Fault> {
        let start = self.state.at;
        let key = if self.peek() == Some(b'"') {
            self.string()?;
            start + 1..self.state.at - 1
        } else {
            self.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
            start..self.state.at
        };
        self.blanks();
        match self.peek() {
            Some(b':') if self.state.at > start => self.state.at += 1,
            Some(_) => return Err(Fault::Unexpected),
            None => return Err(Fault::Cut),
        }
        Ok(key)
    }

    /// What begins here, if anything does; a value that is cut is a value.
    fn value(&mut self) -> (Option<Kind>, Result<(), Fault>) {
        match self.peek() {
            Some(b'{' | b'[') if self.state.open.len() >= usize::from(MAX_DEPTH) => (Some(Kind::Deep), self.deep()),
            Some(b'{') => (Some(Kind::Object), self.bracket()),
            Some(b'[') => (Some(Kind::Array), self.bracket()),
            Some(b'"') => (Some(Kind::String), self.string()),
            Some(b'0'..=b'9' | b'-' | b'+' | b'.') => {
                self.skip(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'));
                (Some(Kind::Number), Ok(()))
            }
            Some(_) => match WORDS.iter().find(|word| self.rest().starts_with(word)) {
                Some(word) => {
                    self.state.at += word.len();
                    (Some(Kind::Word), Ok(()))
                }
                None => (None, Err(Fault::Unexpected)),
            },
            None => (None, Err(Fault::Cut)),
        }
    }

    fn bracket(&mut self) -> Result<(), Fault> {
        self.state.at += 1;
        Ok(())
    }

    /// A string, from quote to quote; what stands between is not judged.
    fn string(&mut self) -> Result<(), Fault> {
        self.state.at += 1;
        while let Some(found) = memchr::memchr2(b'"', b'\\', self.rest()) {
            self.state.at += found + 1;
            if self.bytes.get(self.state.at - 1) == Some(&b'"') {
                return Ok(());
            }
            self.state.at = (self.state.at + 1).min(self.bytes.len());
        }
        self.state.at = self.bytes.len();
        Err(Fault::Cut)
    }

    /// A container as one value: to the bracket that closes it.
    fn deep(&mut self) -> Result<(), Fault> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.state.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
        Err(Fault::Cut)
    }
}

/// Bare words of JSON and of the dialects that are sent in its place.
const WORDS: [&[u8]; 6] = [b"true", b"false", b"null", b"NaN", b"Infinity", b"undefined"];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One line a value: depth as blanks, key or index, kind and text, members.
    fn tree(text: &str) -> String {
        let document = read(text.as_bytes(), 1000);
        let mut out = String::new();
        for node in &document.nodes {
            let name = match (node.key(), node.index()) {
                (Some(key), _) => format!("{}: ", &text[key]),
                (None, Some(index)) => format!("{index}: "),
                (None, None) => String::new(),
            };
            let value = match node.kind {
                Kind::Object | Kind::Array => format!("{:?} {}", node.kind, node.members()),
                _ => text[node.span()].to_owned(),
            };
            out += &format!("{}{name}{value}\n", " ".repeat(node.depth.into()));
        }
        if let Some((at, fault)) = document.fault {
            out += &format!("{fault:?} at {at}\n");
        }
        out
    }

    #[test]
    fn keeps_digits_repeated_keys_and_order() {
        let text = r#" {"a":[1,2.50,{}],"a":18446744073709551615,"b\"":"x\u00e9"} "#;
        let expected =
            "Object 3\n a: Array 3\n  0: 1\n  1: 2.50\n  2: Object 0\n a: 18446744073709551615\n b\\\": \"x\\u00e9\"\n";
        assert_eq!(tree(text), expected);
    }

    #[test]
    fn reads_broken_documents_as_far_as_they_go() {
        assert_eq!(tree(r#"{"a":[1,"cu"#), "Object 1\n a: Array 2\n  0: 1\n  1: \"cu\nCut at 11\n");
        assert_eq!(tree("[1 2]"), "Array 1\n 0: 1\nUnexpected at 3\n");
        assert_eq!(tree("[INFO] up"), "Array 0\nUnexpected at 1\n");
        assert_eq!(tree("[1}"), "Array 1\n 0: 1\nUnexpected at 2\n");
        assert_eq!(tree("]"), "Unexpected at 0\n");
        assert_eq!(tree("{:1}"), "Object 0\nUnexpected at 1\n");
        assert_eq!(tree(r#"{"a"#), "Object 0\nCut at 3\n");
    }

    #[test]
    fn reads_dialects() {
        assert_eq!(tree("{a:NaN,}"), "Object 1\n a: NaN\n");
        assert_eq!(tree("{\"a\":1}\n{}\n"), "Object 1\n a: 1\nObject 0\n");
    }

    #[test]
    fn a_tower_of_brackets_is_one_value() {
        let text = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let document = read(text.as_bytes(), usize::MAX);
        assert_eq!(document.nodes.len(), usize::from(MAX_DEPTH) + 1);
        assert_eq!(document.nodes.last().unwrap().kind, Kind::Deep);
        assert!(document.is_structured());
        assert_eq!(read("[".repeat(100_000).as_bytes(), 1000).fault, Some((100_000, Fault::Cut)));
    }

    #[test]
    fn stops_at_the_number_of_values_asked_for() {
        let document = read(b"[1,2,3,4]", 3);
        assert_eq!(document.nodes.len(), 3);
        assert_eq!(document.fault, Some((5, Fault::TooMany)));
    }

    #[test]
    fn finds_the_value_around_a_byte() {
        let text = r#"{"a":[10,20],"b":null}"#;
        let document = read(text.as_bytes(), 100);
        let at = |offset: usize| document.at(offset).map(|at| &text[document.nodes[at].span()]);
        assert_eq!(at(0), Some(text));
        assert_eq!(at(2), Some("[10,20]"));
        assert_eq!(at(9), Some("20"));
        assert_eq!(at(11), Some("[10,20]"));
        assert_eq!(at(14), Some("null"));
        assert_eq!(at(99), None);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9a-e \\-]{0,24}"#) {
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                prop_assert_eq!(read(text.as_bytes(), 1000).fault, None);
            }
        }

        #[test]
        fn spans_nest_whatever_comes(bytes in proptest::collection::vec(proptest::sample::select(br#"[]{}",:01a\ "#.to_vec()), 0..200)) {
            let document = read(&bytes, 50);
            prop_assert!(document.nodes.len() <= 50);
            for (at, node) in document.nodes.iter().enumerate() {
                let span = node.span();
                prop_assert!(span.start <= span.end && span.end <= bytes.len());
                prop_assert!(node.next() > at && node.next() <= document.nodes.len());
                if let Some(parent) = document.parent(at) {
                    let around = document.nodes[parent].span();
                    prop_assert!(around.start <= span.start && span.end <= around.end);
                }
            }
        }
    }
}
