//! Jupyter kernels: messages of their channels, as JSON, or in one of two binary frames.
//!
//! ```text
//! v1.kernel.websocket.jupyter.org   count (8) │ count offsets (8 each), lowest byte first │ channel │ header │ parent header
//!                                   │ metadata │ content │ buffers …          each part from one offset to the next
//! with buffers, before that         count (4) │ count offsets (4 each), highest byte first │ JSON │ buffers …
//! ```

use crate::decode::bytes::Bytes;
use crate::decode::members::{Members, whole};
use crate::decode::packed::payload;
use crate::decode::{Confidence, Decode, Hints, Said, UNITS, map};
use crate::model::{Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// What stands before the buffers.
const PARTS: [&str; 5] = ["channel", "header", "parent_header", "metadata", "content"];

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    // JSON of others is told from it by its members.
    let may_be = match said.object() {
        Some(members) => members.has("header") && members.has("parent_header"),
        None => !said.is_text && matches!(said.bytes.first(), Some(0 | 6..)),
    };
    Confidence::Sure.when(may_be && Message::read(said).is_some())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Jupyter)
}

#[derive(Clone)]
struct Jupyter;

impl Decode for Jupyter {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        Message::read(said).map(|message| vec![message.unit()])
    }
}

/// What all forms say.
struct Message<'a> {
    channel: Cow<'a, str>,
    kind: Cow<'a, str>,
    /// Its own id, and that of the message that it belongs to.
    id: Option<Cow<'a, str>>,
    parent: Option<Cow<'a, str>>,
    content: Option<Value<'a>>,
    tree: Node<'a>,
}

impl<'a> Message<'a> {
    fn read(said: &Said<'a>) -> Option<Self> {
        if let Some(members) = said.object() {
            return Self::of_json(members, whole(said.text?));
        }
        if said.is_text {
            return None;
        }
        let words = |size| parts(said.bytes, size);
        words(8).and_then(|parts| Self::of_parts(&parts)).or_else(|| Self::of_buffers(&words(4)?))
    }

    fn of_json(members: &Members<'a>, tree: Node<'a>) -> Option<Self> {
        let channel = members.get("channel")?.text()?;
        let header = members.get("header")?.members()?;
        let parent = members.get("parent_header").and_then(|parent| parent.members());
        let content = members.get("content").map(|content| content.value());
        Self::new(channel, &header, parent, content, tree)
    }

    fn of_parts(parts: &[(&'a [u8], usize)]) -> Option<Self> {
        let named =
            PARTS.into_iter().zip(parts.iter().map(|(bytes, at)| Node::at(payload(bytes), *at..at + bytes.len())));
        let buffers = buffers(parts.get(PARTS.len()..)?);
        let text = |at: usize| parts.get(at).and_then(|(bytes, _)| std::str::from_utf8(bytes).ok());
        let object = |at: usize| Members::object(text(at)?, 0);
        let content = named.clone().next_back().map(|(_, node)| node.value);
        let tree = map(named.chain([("buffers", buffers)]));
        Self::new(text(0)?.into(), &object(1)?, object(2), content, tree)
    }

    fn of_buffers(parts: &[(&'a [u8], usize)]) -> Option<Self> {
        let ((first, at), rest) = parts.split_first()?;
        let text = std::str::from_utf8(first).ok()?;
        let message = Node::at(Value::Json(text.into()), *at..at + text.len());
        let tree = map([("message", message), ("buffers", buffers(rest))]);
        Self::of_json(&Members::object(text, *at)?, tree)
    }

    fn new(
        channel: Cow<'a, str>,
        header: &Members<'a>,
        parent: Option<Members<'a>>,
        content: Option<Value<'a>>,
        tree: Node<'a>,
    ) -> Option<Self> {
        let text = |members: &Members<'a>, name| members.get(name)?.text();
        let kind = text(header, "msg_type")?;
        let parent = parent.and_then(|parent| text(&parent, "msg_id"));
        Some(Self { channel, kind, id: text(header, "msg_id"), parent, content, tree })
    }

    fn unit(self) -> Unit<'a> {
        let Self { channel, kind, id, parent, content, tree } = self;
        let of = |id: Option<Cow<'a, str>>| id.map(|id| Key { space: "", id });
        // What else comes of a request, on iopub, has its id, but answers nothing.
        let pairing = match (kind.ends_with("_request"), kind.ends_with("_reply")) {
            (true, _) => of(id.clone()).map_or(Pairing::Alone, Pairing::Asks),
            (_, true) => of(parent.clone()).map_or(Pairing::Alone, |key| Pairing::Answers { key, last: true }),
            _ => Pairing::Alone,
        };
        let id = parent.or(id);
        let hash = id.as_deref().map_or_else(String::new, |id| format!(" #{id}"));
        let words = format!("{channel} {kind}{hash}");
        Unit { event: Some(kind), id, pairing, said: content, ..Unit::new(words, tree) }
    }
}

/// The parts of a message that begins with how many offsets there are, and these, each number of `size` bytes; with where they begin.
fn parts(bytes: &[u8], size: usize) -> Option<Vec<(&[u8], usize)>> {
    let mut head = Bytes::new(bytes);
    let mut number = || match size {
        8 => head.u64_le().and_then(|number| usize::try_from(number).ok()),
        _ => head.u32().and_then(|number| usize::try_from(number).ok()),
    };
    let count = number().filter(|count| (1..=UNITS).contains(count))?;
    let mut offsets = Vec::new();
    for _ in 0..count {
        offsets.push(number()?);
    }
    // The first part stands right behind them; the older form does not say where the last ends.
    if *offsets.first()? != size * (1 + count) {
        return None;
    }
    if size == 4 {
        offsets.push(bytes.len());
    }
    (offsets.last() == Some(&bytes.len())).then_some(())?;
    let ends = offsets.iter().copied().skip(1);
    offsets.iter().zip(ends).map(|(&begin, end)| Some((bytes.get(begin..end)?, begin))).collect()
}

fn buffers<'a>(parts: &[(&'a [u8], usize)]) -> Node<'a> {
    let node = |(bytes, at): &(&'a [u8], usize)| Node::at(Value::Bytes((*bytes).into()), *at..at + bytes.len());
    Value::List(parts.iter().map(node).collect()).into()
}
