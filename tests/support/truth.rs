//! The truth of a lab capture: what its endpoints logged, and how what is shown differs from it.
//!
//! The format is that of the collection's README. Every complaint is a line of text; none means that all is right.

use super::run::{Conversation, Message};
use super::sha256;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What one direction of a connection said, by its endpoint.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Text and binary messages.
    data: Vec<Expected>,
    /// Pings and pongs; empty where the endpoint's library did not log them.
    pings: Vec<Expected>,
    pongs: Vec<Expected>,
    close: Closing,
    /// Frames as an Autobahn client logged them: authoritative where there are any.
    frames: Vec<Value>,
    /// Packets are cut, that of the upgrade's head too: what is shown must be true, but it need not be all.
    partial: bool,
}

/// How a direction's Close frame was logged.
#[derive(Debug, Default, PartialEq, Eq)]
enum Closing {
    /// Not at all: an echo is not always logged.
    #[default]
    Unlogged,
    /// No Close frame was on the wire.
    Never,
    /// With this code (none when empty) and reason.
    With(Option<u64>, String),
}

/// One message that was sent.
#[derive(Debug)]
struct Expected {
    opcode: u8,
    len: u64,
    sha256: String,
    /// Not all of its bytes are in the capture.
    missing: bool,
}

/// The truth of one capture.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) meta: Value,
    /// By connection, as the truth names it, and direction.
    pub(crate) told: BTreeMap<(String, String), Told>,
    /// All lines.
    pub(crate) lines: Vec<Value>,
}

impl Truth {
    /// Reads a truth file.
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let meta = lines[0].clone();
        assert_eq!(meta["t"], "meta", "{}", path.display());
        let mut truth = Self { meta, told: BTreeMap::new(), lines };
        truth.collect();
        truth
    }

    /// The lines of one kind.
    pub(crate) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["t"] == kind)
    }

    /// The connections that became WebSockets.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.of("conn").map(|line| text(&line["id"])).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    fn collect(&mut self) {
        let mut told: BTreeMap<(String, String), Told> = BTreeMap::new();
        for id in self.ids() {
            for dir in ["c2s", "s2c"] {
                told.insert((id.clone(), dir.to_owned()), self.direction(&id, dir));
            }
        }
        self.told = told;
    }

    fn direction(&self, id: &str, dir: &str) -> Told {
        let mine = |line: &&Value| line["id"] == id && line["dir"] == dir;
        let lost = &self.meta["missing"][id][dir];
        let partial = self.meta["transform"] == "snaplen" && lost["handshake_missing"] == true;
        let mut told = Told { partial, ..Told::default() };
        let messages: Vec<&Value> = self.preferred(self.of("msg").filter(mine).collect());
        for line in messages {
            assert_ne!(line["fin"], false, "fragments of a client-side log are not joined here");
            let expected = Expected {
                opcode: opcode(line["op"].as_str().unwrap()),
                len: line["len"].as_u64().unwrap(),
                sha256: text(&line["sha256"]),
                missing: lost["missing_n"].as_array().is_some_and(|n| n.contains(&line["n"])),
            };
            match expected.opcode {
                9 => told.pings.push(expected),
                10 => told.pongs.push(expected),
                _ => told.data.push(expected),
            }
        }
        let closes = self.preferred(self.of("close").filter(mine).collect());
        told.close = closes.first().map_or(Closing::Unlogged, |line| match line["code"].as_u64().unwrap() {
            // A server may log the status of a refusal so.
            1006 | ..1000 => Closing::Never,
            1005 => Closing::With(None, String::new()),
            code => Closing::With(Some(code), text(&line["reason"])),
        });
        told.frames = self.of("frame").filter(mine).cloned().collect();
        told
    }

    /// The server's lines where it has any, else the client's: either side is complete.
    fn preferred<'a>(&self, lines: Vec<&'a Value>) -> Vec<&'a Value> {
        let side = if lines.iter().any(|line| line["side"] == "server") { "server" } else { "client" };
        lines.into_iter().filter(|line| line["side"] == side).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn opcode(name: &str) -> u8 {
    match name {
        "text" => 1,
        "binary" => 2,
        "ping" => 9,
        "pong" => 10,
        other => panic!("op {other}"),
    }
}

/// The connections by the names that the truth gives them: the client's port, `PORT#2` for its second use, `PORT/STREAM` in HTTP/2.
pub(crate) fn by_id(shown: &[Conversation]) -> BTreeMap<String, &Conversation> {
    let mut named = BTreeMap::new();
    for conversation in shown {
        let port = conversation.port();
        let port = match conversation.h2_stream {
            Some(stream) => format!("{port}/{stream}"),
            None => port.to_string(),
        };
        let name = (1..).map(|n| if n == 1 { port.clone() } else { format!("{port}#{n}") });
        named.insert(name.into_iter().find(|name| !named.contains_key(name)).unwrap(), conversation);
    }
    named
}

/// Everything that is shown against the truth: what is absent, different or invented.
/// Of the connections in `excused` nothing is asked.
pub(crate) fn complaints(truth: &Truth, shown: &[Conversation], excused: &[&str]) -> Vec<String> {
    let shown = by_id(shown);
    let mut out = Vec::new();
    for ((id, dir), told) in truth.told.iter().filter(|((id, _), _)| !excused.contains(&id.as_str())) {
        let at = format!("{id} {dir}");
        let messages: Vec<&Message> = shown.get(id).map(|conversation| conversation.of(dir)).unwrap_or_default();
        if told.partial {
            out.extend(invented(&at, told, &messages));
            continue;
        }
        if !shown.contains_key(id) {
            if !told.data.is_empty() && told.data.iter().all(|expected| expected.missing) {
                continue;
            }
            out.push(format!("{at}: no such connection"));
            continue;
        }
        if told.frames.is_empty() {
            out.extend(differences(&at, told, &messages));
        }
        let other = &truth.told[&(id.clone(), if dir == "c2s" { "s2c" } else { "c2s" }.to_owned())];
        if told.frames.is_empty() && other.frames.is_empty() {
            out.extend(closing(&at, told, other, &messages));
        }
    }
    for (id, conversation) in &shown {
        if !truth.told.contains_key(&(id.clone(), "c2s".to_owned())) {
            let said =
                conversation.messages.iter().map(|message| format!("{id}: not a WebSocket: {}", message.brief()));
            out.extend(said);
        }
    }
    out
}

/// Shown as complete, but nobody sent it.
pub(crate) fn invented(at: &str, told: &Told, messages: &[&Message]) -> Vec<String> {
    let complete = messages.iter().filter(|message| message.complete);
    let unknown = complete.filter(|message| match message.opcode {
        9 => !told.pings.is_empty() && !told.pings.iter().any(|expected| same(expected, message)),
        10 => !told.pongs.is_empty() && !told.pongs.iter().any(|expected| same(expected, message)),
        8 => false,
        _ => !told.data.iter().any(|expected| same(expected, message)),
    });
    unknown.map(|message| format!("{at}: nobody sent {}", message.brief())).collect()
}

/// Messages shown as complete that no connection of the capture sent.
pub(crate) fn invented_anywhere(truth: &Truth, messages: &[Message]) -> Vec<String> {
    let known = |message: &Message| {
        truth.told.iter().filter(|((_, dir), _)| *dir == message.dir).any(|(_, told)| {
            [&told.data, &told.pings, &told.pongs].into_iter().flatten().any(|expected| same(expected, message))
        })
    };
    let complete = messages.iter().filter(|message| message.complete && !message.is_control());
    complete.filter(|message| !known(message)).map(|message| format!("nobody sent {}", message.brief())).collect()
}

fn same(expected: &Expected, message: &Message) -> bool {
    expected.opcode == message.opcode
        && expected.len == message.len
        && message.payload.len() as u64 == expected.len
        && expected.sha256 == sha256(&message.payload)
}

fn differences(at: &str, told: &Told, messages: &[&Message]) -> Vec<String> {
    let of = |want: fn(u8) -> bool| messages.iter().filter(move |message| want(message.opcode)).copied();
    let mut out = sequence(&format!("{at} data"), &told.data, of(|opcode| opcode < 8).collect());
    for (name, opcode, expected) in [("ping", 9, &told.pings), ("pong", 10, &told.pongs)] {
        if !expected.is_empty() {
            let shown = messages.iter().filter(|message| message.opcode == opcode).copied().collect();
            out.extend(sequence(&format!("{at} {name}"), expected, shown));
        }
    }
    out.extend(of(|opcode| opcode > 10).map(|message| format!("{at}: nobody sent {}", message.brief())));
    out
}

/// The messages of one kind, in order: each that was sent and captured must be shown, as it was sent.
fn sequence(at: &str, expected: &[Expected], shown: Vec<&Message>) -> Vec<String> {
    let mut out = Vec::new();
    let mut shown = shown.into_iter().peekable();
    let mut lost = false;
    for (n, expected) in expected.iter().enumerate() {
        if expected.missing {
            lost = true;
            shown.next_if(|message| !message.complete && !is_unsure(message));
            continue;
        }
        let Some(message) = shown.next() else {
            out.push(format!("{at} {n}: absent, {} bytes", expected.len));
            continue;
        };
        let right = match lost && is_unsure(message) {
            true => !message.complete && message.opcode == expected.opcode && message.len == expected.len,
            false => message.complete && same(expected, message),
        };
        if !right {
            out.push(format!(
                "{at} {n}: sent {} bytes of opcode {}, shown {}",
                expected.len,
                expected.opcode,
                message.brief()
            ));
        }
    }
    out.extend(
        shown.filter(|message| message.complete).map(|message| format!("{at}: nobody sent {}", message.brief())),
    );
    out
}

/// The message refers to one that was lost before it, and says so.
fn is_unsure(message: &Message) -> bool {
    let says = |code: &String| code == "DEFLATE-LOST" || code == "DEFLATE-INFERRED";
    message.compressed && message.findings.iter().any(says)
}

/// The Close frame of one direction.
fn closing(at: &str, told: &Told, other: &Told, messages: &[&Message]) -> Vec<String> {
    let shown: Vec<_> = messages.iter().filter(|message| message.opcode == 8).collect();
    let codes: Vec<_> = shown.iter().map(|m| (m.close_code, m.close_reason.clone().unwrap_or_default())).collect();
    let right = match (&told.close, &other.close) {
        (Closing::Never, _) => codes.is_empty(),
        (Closing::With(code, reason), _) => codes == [(*code, reason.clone())],
        // What was not logged can only be the echo of the other side's.
        (Closing::Unlogged, Closing::With(code, _)) => codes.iter().all(|(echo, _)| echo == code),
        (Closing::Unlogged, _) => true,
    };
    let complete = shown.iter().all(|message| message.complete);
    if right && complete { Vec::new() } else { vec![format!("{at} close: logged {:?}, shown {codes:?}", told.close)] }
}

/// Frame records against the frames that an Autobahn client logged: equal as far as they were on the wire.
/// What a client sent after the server had closed may not have got there.
pub(crate) fn frame_complaints(truth: &Truth, shown: &[Conversation], frames: &[Value]) -> Vec<String> {
    let shown = by_id(shown);
    let mut out = Vec::new();
    for ((id, dir), told) in truth.told.iter().filter(|(_, told)| !told.frames.is_empty()) {
        let Some(conversation) = shown.get(id) else {
            out.push(format!("{id}: no such connection"));
            continue;
        };
        let mine = |frame: &&Value| frame["conn"] == conversation.conn && frame["dir"] == dir.as_str();
        let wire: Vec<&Value> = frames.iter().filter(mine).collect();
        for (n, (sent, frame)) in told.frames.iter().zip(&wire).enumerate() {
            let fields = [("opcode", "op"), ("fin", "fin"), ("rsv", "rsv"), ("len", "len"), ("mask", "mask")];
            for (ours, theirs) in fields {
                if frame[ours] != sent[theirs] {
                    out.push(format!("{id} {dir} frame {n}: {ours} {} for {}", frame[ours], sent[theirs]));
                }
            }
        }
        let closed = conversation.of("s2c").iter().any(|message| message.opcode == 8);
        let cut_short = dir == "c2s" && closed;
        if wire.len() > told.frames.len() || (wire.len() < told.frames.len() && !cut_short) {
            out.push(format!("{id} {dir}: {} frames sent, {} shown", told.frames.len(), wire.len()));
        }
        out.extend(frame_payloads(&format!("{id} {dir}"), &told.frames, &wire, &conversation.messages));
    }
    out
}

/// The frames of one direction by message: its number and the places of its frames.
pub(crate) fn grouped(frames: &[&Value]) -> BTreeMap<u64, Vec<usize>> {
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, frame) in frames.iter().enumerate() {
        if let Some(msg) = frame["msg"].as_u64() {
            groups.entry(msg).or_default().push(at);
        }
    }
    groups
}

/// The payload of each message against the joined payloads of its frames.
fn frame_payloads(at: &str, sent: &[Value], wire: &[&Value], messages: &[Message]) -> Vec<String> {
    let mut out = Vec::new();
    for (msg, parts) in grouped(wire) {
        let hashes: Vec<String> = parts.iter().map(|&at| text(&sent[at]["sha256"])).collect();
        let bytes = |at: &usize| sent[*at]["b64"].as_str().map(|b64| BASE64_STANDARD.decode(b64).unwrap());
        let body: Vec<u8> = parts.iter().filter_map(bytes).flatten().collect();
        let Some(message) = messages.iter().find(|message| message.number == msg) else {
            out.push(format!("{at}: no message {msg}"));
            continue;
        };
        let shown = sha256(&message.payload);
        let right = if hashes.len() == 1 { shown == hashes[0] } else { shown == sha256(&body) };
        if !right {
            out.push(format!("{at} message {msg}: other bytes than were sent: {}", message.brief()));
        }
    }
    out
}
