//! RFB (RFC 6143), as noVNC speaks it: the handshake of both ends, and then what the client says.
//!
//! ```text
//! server   version (12) │ count, security types │ [challenge (16)] │ result (4) │ size, pixel format, name │ pictures …
//! client   version (12) │ security type         │ [response (16)]               │ shared (1) │ messages …
//! ```
//!
//! How long pictures are depends on how they are encoded: they are only counted.

use crate::decode::bytes::Bytes;
use crate::decode::packed::text;
use crate::decode::protocols::carry::{Carry, Read, Rest, tell};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Both, Direction, Node, Unit, Value};

/// Bytes of a version: `RFB 003.008` and a line end.
const VERSION: usize = 12;

/// Security types (RFC 6143 §8.1.2, and those registered since).
const SECURITY: &[(u8, &str)] = &[
    (0, "Invalid"),
    (1, "None"),
    (2, "VNC Authentication"),
    (16, "Tight"),
    (18, "TLS"),
    (19, "VeNCrypt"),
    (30, "Apple"),
];

/// The client's messages: type, name, bytes of the part that has a fixed length.
const MESSAGES: &[(u8, &str, usize)] = &[
    (0, "SetPixelFormat", 20),
    (2, "SetEncodings", 4),
    (3, "FramebufferUpdateRequest", 10),
    (4, "KeyEvent", 8),
    (5, "PointerEvent", 6),
    (6, "ClientCutText", 8),
    (150, "EnableContinuousUpdates", 10),
    (248, "ClientFence", 9),
    (251, "SetDesktopSize", 8),
    (255, "ExtendedKeyEvent", 12),
];

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    Confidence::Sure.when(said.bytes.len() == VERSION && version(said.bytes).is_some())
}

/// What a version says, as its greatest number below 3.8 that is spoken otherwise: 3, 7 or 8.
fn version(bytes: &[u8]) -> Option<u8> {
    let digits = bytes.get(..VERSION)?.strip_prefix(b"RFB 003.")?.strip_suffix(b"\n")?;
    let number = std::str::from_utf8(digits).ok().filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(match number.parse::<u16>().ok()? {
        0..=6 => 3,
        7 => 7,
        _ => 8,
    })
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Rfb {
        carry: Carry::default(),
        state: State { step: Both::from_fn(|_| Step::Version), version: 8, security: 0 },
    })
}

#[derive(Clone)]
struct Rfb {
    carry: Carry,
    state: State,
}

/// How far both ends are.
#[derive(Clone)]
struct State {
    step: Both<Step>,
    /// The lower of both: the client's, once it is known.
    version: u8,
    /// The security type that is used.
    security: u8,
}

/// What comes next of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Version,
    Security,
    /// The challenge of VNC Authentication, or the response to it.
    Secret,
    Result,
    Init,
    /// Messages of the client, pictures of the server.
    Messages,
    /// What depends on a security type that is not followed.
    Unknown,
}

impl Decode for Rfb {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (dir, state) = (said.dir, &mut self.state);
        self.carry.read(said, |bytes| units(bytes, dir, state))
    }

    fn lost(&mut self, dir: Direction) {
        self.carry.lost(dir);
        // A client's messages begin anew with its next one.
        self.state.step[dir] = if dir == Direction::ToServer { Step::Messages } else { Step::Unknown };
    }

    fn held(&self) -> usize {
        self.carry.held()
    }
}

/// What ends in these bytes.
fn units<'a>(bytes: &'a [u8], dir: Direction, state: &mut State) -> Read<'a> {
    let (mut units, mut used) = (Vec::new(), 0);
    let mut all = Bytes::new(bytes);
    let rest = loop {
        if all.is_empty() {
            break Rest::Nothing;
        }
        let unit = match dir {
            Direction::ToClient => server(&mut all, state),
            Direction::ToServer => client(&mut all, state),
        };
        match unit {
            Some(Ok(unit)) => tell(&mut units, unit),
            Some(Err(least)) => break Rest::Cut(least),
            None => break Rest::Nothing,
        }
        used = all.at();
    };
    Read { units, used, rest }
}

/// A unit; or how many bytes of it there must be, where it is cut; `None` of what is none.
type Next<'a> = Option<Result<Unit<'a>, usize>>;

/// The next of these many bytes, each as `read` says.
fn piece<'a>(all: &mut Bytes<'a>, len: usize, read: impl FnOnce(Bytes<'a>) -> Option<Unit<'a>>) -> Next<'a> {
    let mut ahead = all.clone();
    let Some(part) = ahead.part(len) else { return Some(Err(len)) };
    let (begin, end) = (part.at(), ahead.at());
    *all = ahead;
    read(part).map(|unit| Ok(Unit { tree: Node { bytes: Some(begin..end), ..unit.tree }, ..unit }))
}

fn named<'a>(name: &'static str, words: String, members: Vec<(&'static str, Node<'a>)>) -> Unit<'a> {
    let tree = map([("type", Value::text(name).into())].into_iter().chain(members));
    let words = if words.is_empty() { name.to_owned() } else { format!("{name} {words}") };
    Unit { event: Some(name.into()), ..Unit::new(words, tree) }
}

fn server<'a>(all: &mut Bytes<'a>, state: &mut State) -> Next<'a> {
    let step = &mut state.step.to_client;
    match *step {
        Step::Version => greeting(all, step),
        Step::Security if state.version == 3 => piece(all, 4, |mut part| {
            state.security = u8::try_from(part.u32()?).ok()?;
            let next = after(state.security, 3);
            (state.step.to_client, state.step.to_server) = (next, if next == Step::Secret { next } else { Step::Init });
            Some(named("SecurityType", security(state.security), vec![]))
        }),
        Step::Security => {
            let count = usize::from(all.peek()?);
            piece(all, 1 + count, |mut part| {
                // What it says next depends on what the client takes.
                *step = Step::Unknown;
                part.u8()?;
                let names: Vec<String> = part.rest().iter().map(|kind| security(*kind)).collect();
                let types = names.iter().map(|name| Value::text(name.clone()).into()).collect();
                Some(named("SecurityTypes", names.join(", "), vec![("types", Value::List(types).into())]))
            })
        }
        Step::Secret => piece(all, 16, |_| {
            *step = Step::Result;
            Some(named("Challenge", String::new(), vec![]))
        }),
        Step::Result => piece(all, 4, |mut part| {
            let result = part.u32()?;
            *step = if result == 0 { Step::Init } else { Step::Unknown };
            let words = if result == 0 { "OK" } else { "failed" };
            Some(named("SecurityResult", words.into(), vec![("result", Value::Int(result.into()).into())]))
        }),
        Step::Init => {
            let mut ahead = all.clone();
            let Some(len) = ahead.part(20).and_then(|_| ahead.u32()) else { return Some(Err(24)) };
            let len = usize::try_from(len).ok()?;
            piece(all, len.checked_add(24)?, |mut part| {
                *step = Step::Messages;
                let (width, height, _) = (part.u16()?, part.u16()?, part.take(20)?);
                let begin = part.at();
                let name = Node::at(text(part.rest()), begin..begin + len);
                let words = match &name.value {
                    Value::Text(name) => format!("{width}×{height} {name}"),
                    _ => format!("{width}×{height}"),
                };
                let number = |number: u16| Value::Int(number.into()).into();
                Some(named(
                    "ServerInit",
                    words,
                    vec![("width", number(width)), ("height", number(height)), ("name", name)],
                ))
            })
        }
        Step::Messages | Step::Unknown => opaque(all),
    }
}

fn client<'a>(all: &mut Bytes<'a>, state: &mut State) -> Next<'a> {
    let step = &mut state.step.to_server;
    match *step {
        Step::Version => {
            state.version = version(all.rest()).unwrap_or(state.version);
            greeting(all, step).inspect(|unit| {
                // A client of 3.3 has no choice.
                if unit.is_ok() && state.version == 3 {
                    *step = Step::Init;
                }
            })
        }
        Step::Security => piece(all, 1, |mut part| {
            state.security = part.u8()?;
            let next = after(state.security, state.version);
            state.step.to_client = next;
            state.step.to_server = match next {
                Step::Result => Step::Init,
                next => next,
            };
            Some(named("SecurityType", security(state.security), vec![]))
        }),
        Step::Secret => piece(all, 16, |_| {
            *step = Step::Init;
            Some(named("Response", String::new(), vec![]))
        }),
        Step::Init => piece(all, 1, |mut part| {
            *step = Step::Messages;
            let shared = part.u8()? != 0;
            let words = if shared { "shared" } else { "exclusive" };
            Some(named("ClientInit", words.into(), vec![("shared", Value::Flag(shared).into())]))
        }),
        Step::Messages => said(all),
        Step::Result | Step::Unknown => opaque(all),
    }
}

/// What the server says next once a security type is used, in a version.
const fn after(security: u8, version: u8) -> Step {
    match security {
        1 if version == 8 => Step::Result,
        1 => Step::Init,
        2 => Step::Secret,
        _ => Step::Unknown,
    }
}

fn greeting<'a>(all: &mut Bytes<'a>, step: &mut Step) -> Next<'a> {
    if !b"RFB 003.".starts_with(all.rest().get(..8).unwrap_or(all.rest())) {
        return None;
    }
    piece(all, VERSION, |part| {
        version(part.rest())?;
        *step = Step::Security;
        let Value::Text(text) = text(part.rest()) else { return None };
        let text = text.trim_ascii_end().to_owned();
        Some(named("ProtocolVersion", text.clone(), vec![("version", Value::text(text).into())]))
    })
}

fn security(kind: u8) -> String {
    let known = SECURITY.iter().find(|(known, _)| *known == kind);
    known.map_or_else(|| kind.to_string(), |(_, name)| (*name).to_owned())
}

/// All that is left, as bytes.
fn opaque<'a>(all: &mut Bytes<'a>) -> Next<'a> {
    let bytes = all.take(all.rest().len())?;
    let data = Value::Bytes(bytes.into());
    let node = Node::at(data.clone(), all.at() - bytes.len()..all.at());
    Some(Ok(Unit { said: Some(data), ..named("data", String::new(), vec![("data", node)]) }))
}

/// A message of the client.
fn said<'a>(all: &mut Bytes<'a>) -> Next<'a> {
    let kind = all.peek()?;
    let (_, name, fixed) = *MESSAGES.iter().find(|(known, ..)| *known == kind)?;
    let mut head = all.clone();
    let Some(mut head) = head.part(fixed) else { return Some(Err(fixed)) };
    let more = match name {
        "SetEncodings" => head.take(2).and_then(|_| head.u16()).map(|count| usize::from(count) * 4),
        // A length below zero is one of the extended clipboard.
        "ClientCutText" => head.take(4).and_then(|_| head.u32()).map(|len| len.cast_signed().unsigned_abs() as usize),
        "ClientFence" => head.take(8).and_then(|_| head.u8()).map(usize::from),
        "SetDesktopSize" => head.take(6).and_then(|_| head.u8()).map(|count| usize::from(count) * 16),
        _ => Some(0),
    };
    piece(all, fixed.checked_add(more?)?, |mut part| {
        part.u8()?;
        let mut members = Vec::new();
        let mut number = |name, number: u32| members.push((name, Value::Int(number.into()).into()));
        let words = match name {
            "FramebufferUpdateRequest" => {
                let incremental = part.u8()?;
                let [x, y, width, height] = [part.u16()?, part.u16()?, part.u16()?, part.u16()?];
                number("incremental", incremental.into());
                for (name, value) in [("x", x), ("y", y), ("width", width), ("height", height)] {
                    number(name, value.into());
                }
                let how = if incremental == 0 { "" } else { "incremental " };
                format!("{how}{width}×{height} at {x},{y}")
            }
            "KeyEvent" => {
                let (down, key) = (part.u8()?, part.take(2).and_then(|_| part.u32())?);
                number("down", down.into());
                number("key", key);
                format!("{} 0x{key:x}", if down == 0 { "up" } else { "down" })
            }
            "PointerEvent" => {
                let (buttons, x, y) = (part.u8()?, part.u16()?, part.u16()?);
                for (name, value) in [("buttons", buttons.into()), ("x", x), ("y", y)] {
                    number(name, value.into());
                }
                format!("{x},{y} buttons {buttons}")
            }
            "SetEncodings" => {
                part.take(3)?;
                let mut encodings = Vec::new();
                while let Some(encoding) = part.u32() {
                    encodings.push(Value::Int(encoding.cast_signed().into()).into());
                }
                let words = format!("{}", encodings.len());
                members.push(("encodings", Value::List(encodings).into()));
                words
            }
            _ => String::new(),
        };
        Some(named(name, words, members))
    })
}
