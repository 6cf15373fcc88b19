//! Kinds of messages: those with the same event, or where they have none with the same shape, counted together.

mod cells;
mod record;
mod text;

pub use cells::TypeCells;
pub(super) use record::write as write_record;
pub(super) use text::write as write_text;

use super::payload::{self, PayloadOptions};
use super::values::Values;
use super::{Exporter, Form, Out, Totals};
use crate::decode;
use crate::filter::Aggregate;
use crate::model::{ConnId, Direction, Event, FileRun, Message, Note, NoteCode, Opcode, Stamp, Timestamp, count};
use foldhash::HashSet;
use hashbrown::HashMap;
use std::mem;
use std::ops::ControlFlow;

/// Different sizes of one type that are kept apart; past it, near ones become one.
const SIZES: usize = 512;

/// Characters of the name of an event.
const NAME: usize = 200;

/// Characters of an example.
const EXAMPLE: usize = 160;

/// One kind of messages.
#[derive(Debug)]
pub struct Type {
    /// By what it is told; `None`: it came when as many types as are told apart were known.
    pub told: Option<Told>,
    /// How many messages.
    pub count: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Payload bytes of one: the least, those that half and 99 % of the messages do not exceed, the most.
    pub sizes: [i64; 4],
    /// Connections that have it.
    pub connections: u64,
    /// Its first message.
    pub first: Seen,
    /// Its last one.
    pub last: Seen,
    /// What the first says, in one line: what a decoder makes of it, or its payload.
    pub example: String,
}

/// By what types are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Told {
    /// Who says it.
    pub dir: Direction,
    /// As what it is sent.
    pub opcode: Opcode,
    /// The decoder's name.
    pub protocol: Option<&'static str>,
    /// The name of its event.
    pub event: Option<String>,
    /// What it looks like, where it has no event.
    pub shape: Option<String>,
    /// It only keeps the connection alive.
    pub heartbeat: bool,
}

/// A message, where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// When, in which connection.
    pub at: Stamp,
    /// Its number there.
    pub msg: u64,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All types, at the end.
    All,
    /// A finding for each that is seen for the first time, from this time on, if told.
    New(Option<Timestamp>),
}

/// Counts messages by type.
pub struct Types {
    form: Box<dyn Form>,
    wanted: Wanted,
    /// Types that are told apart.
    most: usize,
    /// In the order in which they were seen first.
    all: Vec<(Type, Values)>,
    places: HashMap<Told, usize, foldhash::fast::RandomState>,
    /// What came when `most` were known.
    rest: Option<(Type, Values)>,
    /// Which types a connection that goes on has had.
    live: HashMap<ConnId, HashSet<usize>, foldhash::fast::RandomState>,
}

impl Types {
    /// Types in this form, at most so many.
    pub fn new(wanted: Wanted, most: usize, form: Box<dyn Form>) -> Self {
        let (places, live) = (HashMap::default(), HashMap::default());
        Self { form, wanted, most, all: Vec::new(), places, rest: None, live }
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let told = told(message);
        let known = self.places.get(&told).copied();
        let place = known.unwrap_or(self.all.len());
        let is_new = known.is_none() && (place < self.most || self.rest.is_none());
        let seen = Seen { at: *at, msg: message.number };
        if known.is_none() && place < self.most {
            self.places.insert(told.clone(), place);
            self.all.push((Type::new(Some(told), seen, message), Values::within(SIZES)));
        } else if known.is_none() {
            self.rest.get_or_insert_with(|| (Type::new(None, seen, message), Values::within(SIZES)));
        }
        let Some((one, sizes)) = self.all.get_mut(place).or(self.rest.as_mut()) else {
            return ControlFlow::Continue(());
        };
        one.count += 1;
        one.bytes = one.bytes.saturating_add(message.body.len);
        one.last = seen;
        sizes.add(message.body.len.try_into().unwrap_or(i64::MAX));
        if let Some(conn) = at.conn {
            one.connections += u64::from(self.live.entry(conn).or_default().insert(place));
        }
        match self.wanted {
            Wanted::New(since) if is_new && since.is_none_or(|since| at.at.time >= Some(since)) => {
                let text = match &one.told {
                    Some(told) => format!("First of its type: {}.", told.words()),
                    None => format!("More than {}: further ones are not told apart.", count(self.most as u64, "type")),
                };
                let note = Note {
                    dir: Some(message.dir),
                    msg: Some(message.number),
                    text: &text,
                    ..Note::new(NoteCode::TypeNew, message.brought)
                };
                self.form.finding(at, &note, out);
                out.end_row()
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Type {
    /// The type of a message, which is not counted yet.
    fn new(told: Option<Told>, seen: Seen, message: &Message<'_>) -> Self {
        let (first, last, example) = (seen, seen, example(message));
        Self { told, count: 0, bytes: 0, sizes: [0; 4], connections: 0, first, last, example }
    }
}

impl Told {
    /// `socket.io event chat, to the server`: not escaped.
    fn words(&self) -> String {
        let Self { dir, opcode, protocol, event, shape, .. } = self;
        let protocol = protocol.map_or_else(String::new, |protocol| format!("{protocol} "));
        let what = match (event, shape) {
            (Some(event), _) => format!("event {event}"),
            (None, Some(shape)) if opcode.is_control() => format!("{} {shape}", opcode.name()),
            (None, Some(shape)) => format!("shape {shape}"),
            (None, None) => opcode.name().to_owned(),
        };
        let to = match dir {
            Direction::ToServer => "server",
            Direction::ToClient => "client",
        };
        format!("{protocol}{what}, to the {to}")
    }
}

/// By what the type of a message is told.
fn told(message: &Message<'_>) -> Told {
    let decoded = message.decoded;
    let unit = decoded.and_then(|decoded| decoded.units.first());
    let event = unit.and_then(|unit| unit.event.as_deref()).map(|event| shortened(event, NAME));
    let is_whole = !message.undecoded && message.body.holes.is_empty() && !message.body.is_truncated();
    let shape = match unit {
        _ if event.is_some() => None,
        Some(unit) => Some(decode::shape(&unit.tree.value)),
        None if message.opcode == Opcode::CLOSE => message.close.as_ref().map(|close| close.code.to_string()),
        None if message.opcode.is_control() => None,
        None if !is_whole => Some("incomplete".to_owned()),
        // Units of a stream go on in the next message.
        None if decoded.is_some() => Some("a piece".to_owned()),
        None => Some(payload::text(message).map_or_else(|| decode::look(message.body.kept), decode::pattern)),
    };
    Told {
        dir: message.dir,
        opcode: message.opcode,
        protocol: decoded.map(|decoded| decoded.protocol),
        event,
        shape,
        heartbeat: decoded.is_some_and(crate::model::Decoded::is_heartbeat),
    }
}

/// What a message says, in one line; not escaped, but for bytes.
fn example(message: &Message<'_>) -> String {
    let text = match message.decoded.filter(|decoded| !decoded.units.is_empty()) {
        Some(decoded) => decode::summary(decoded),
        None if message.opcode == Opcode::CLOSE => payload::close_words(message),
        None => match payload::text(message) {
            Some(text) => text.to_owned(),
            None => {
                let mut line = Out::memory();
                payload::write_line(message, PayloadOptions::default(), Some(EXAMPLE), &mut line);
                String::from_utf8_lossy(&line.take()).into_owned()
            }
        },
    };
    shortened(&text, EXAMPLE)
}

/// At most so many characters of a text.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Exporter for Types {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        match event {
            Event::Message(message) => return self.message(at, message, out),
            Event::Closed(_) => {
                at.conn.map(|conn| self.live.remove(&conn));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn file(&mut self, run: &FileRun) {
        self.form.file(run);
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        if self.wanted != Wanted::All {
            return;
        }
        let all = mem::take(&mut self.all).into_iter().chain(self.rest.take());
        let mut rows: Vec<Type> = all
            .map(|(row, mut sizes)| {
                let wanted = [Aggregate::Min, Aggregate::Percentile(50), Aggregate::Percentile(99), Aggregate::Max];
                Type { sizes: wanted.map(|wanted| sizes.exactly(wanted).unwrap_or(0)), ..row }
            })
            .collect();
        let messages = rows.iter().map(|row| row.count).sum();
        // Those that are no type stand last; of as many the one that came first.
        rows.sort_by_key(|row| (row.told.is_none(), std::cmp::Reverse(row.count)));
        self.form.types(out.wanted(&rows), messages, out);
    }

    fn hears_payloads(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
