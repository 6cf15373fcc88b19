//! What was said, gathered to be compared: of each message a digest and its beginning.

use super::value;
use crate::decode::path::{self, Step};
use crate::export::payload::{self, PayloadOptions};
use crate::export::{Exporter, Out, Totals};
use crate::model::{Both, ConnId, Direction, Event, Message, Opcode, PacketNo, Stamp};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::{ControlFlow, Range};

/// Bytes of a message that are shown where it differs.
const SHOWN: u64 = 200;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Equal messages have equal ones: of type, payload less what is ignored, and whether all of it is there.
    pub digest: [u8; 16],
    /// Its number within the connection.
    pub msg: u64,
    /// Its packet.
    pub packet: PacketNo,
    /// Who sent it.
    pub dir: Direction,
    /// What it is.
    pub opcode: Opcode,
    /// Payload bytes.
    pub len: u64,
    /// Its beginning, as text output shows it.
    pub shown: Box<str>,
    /// What its first 64 bytes come to, its first 128, and so on, as far as it is longer.
    pub(super) prefixes: Box<[u64]>,
}

/// Bytes of the shortest prefix that is told apart.
const PREFIX: usize = 64;

impl Line {
    /// Bytes that are the same from the beginning of both, at least: so many or twice as many.
    pub fn alike(&self, other: &Self) -> u64 {
        let same = self.prefixes.iter().zip(&other.prefixes).take_while(|(one, other)| one == other).count();
        match same.checked_sub(1) {
            Some(doublings) => (PREFIX as u64) << doublings,
            None => 0,
        }
    }
}

/// What the prefixes of a payload come to.
fn prefixes(payload: &[u8]) -> Box<[u64]> {
    let ends = std::iter::successors(Some(PREFIX), |end| end.checked_mul(2)).take_while(|&end| end < payload.len());
    let mut hasher = DefaultHasher::new();
    let mut from = 0;
    let prefix = |end| {
        hasher.write(payload.get(from..end).unwrap_or_default());
        from = end;
        hasher.finish()
    };
    ends.map(prefix).collect()
}

/// What was said on one connection.
#[derive(Debug)]
pub struct Talk {
    /// Its number.
    pub conn: ConnId,
    /// Its URL, or its server.
    pub title: String,
    /// Path and query, by which connections of two captures belong together.
    pub path: String,
    /// The path alone.
    pub place: String,
    /// Its messages.
    pub lines: Both<Vec<Line>>,
}

/// Takes events of a capture and keeps what is compared: all but pings and pongs, whose number is a matter of time.
#[derive(Debug, Default)]
pub struct Gather {
    talks: BTreeMap<ConnId, Talk>,
    /// The only connection that is wanted.
    only: Option<ConnId>,
    /// What is not compared, by its path.
    ignored: Vec<Vec<Step>>,
    /// Bytes that more lines may take.
    left: usize,
    /// A line found no room.
    is_full: bool,
}

impl Gather {
    /// Of all connections, or of one; without what stands at these paths; in so many bytes at most.
    pub fn new(only: Option<ConnId>, ignored: Vec<Vec<Step>>, most: usize) -> Self {
        Self { only, ignored, left: most, ..Self::default() }
    }

    /// Whether there was more than fits.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// What was said, in order of connections.
    pub fn talks(&self) -> impl DoubleEndedIterator<Item = &Talk> {
        self.talks.values()
    }

    fn add(&mut self, conn: ConnId, message: &Message<'_>) -> ControlFlow<()> {
        if !self.talks.contains_key(&conn) {
            return ControlFlow::Continue(());
        }
        let (digest, shown) = (self.digest(message), Box::<str>::from(beginning(message)));
        let prefixes = prefixes(message.body.kept);
        let Some(talk) = self.talks.get_mut(&conn) else { return ControlFlow::Continue(()) };
        let Some(left) = self.left.checked_sub(size_of::<Line>() + shown.len() + size_of_val(&*prefixes)) else {
            self.is_full = true;
            return ControlFlow::Break(());
        };
        self.left = left;
        talk.lines[message.dir].push(Line {
            digest,
            msg: message.number,
            packet: message.mark().packet,
            dir: message.dir,
            opcode: message.opcode,
            len: message.body.len,
            shown,
            prefixes,
        });
        ControlFlow::Continue(())
    }

    fn digest(&self, message: &Message<'_>) -> [u8; 16] {
        let mut hasher = Sha256::new();
        hasher.update([message.opcode.0, u8::from(message.complete)]);
        let text = message.body.kept;
        let holes = holes(text, &self.ignored);
        if !self.ignored.is_empty() && !message.body.is_truncated() && path::is_json(text) {
            hasher.update(value::digest(text, &holes));
        } else {
            outside(text, &holes, |part| hasher.update(part));
        }
        // Of what is beyond the bytes that are kept, its length is known.
        if self.ignored.is_empty() || message.body.is_truncated() {
            hasher.update(message.body.len.to_be_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let (half, _) = digest.split_at(16);
        half.try_into().unwrap_or_default()
    }
}

/// The beginning of a message, safe on a terminal.
fn beginning(message: &Message<'_>) -> String {
    if message.opcode == Opcode::CLOSE {
        return payload::close_words(message);
    }
    let options = PayloadOptions { max: SHOWN, ..PayloadOptions::default() };
    let mut out = Out::memory();
    payload::write_line(message, options, None, &mut out);
    String::from_utf8_lossy(&out.take()).into_owned()
}

/// Shows a text without its holes, of which each is a zero.
fn outside(text: &[u8], holes: &[Range<usize>], mut see: impl FnMut(&[u8])) {
    let mut from = 0;
    for hole in holes {
        // One that stands in another is ignored with it.
        if hole.start >= from {
            see(text.get(from..hole.start).unwrap_or_default());
            see(&[0]);
            from = hole.end;
        }
    }
    see(text.get(from..).unwrap_or_default());
}

/// Where in a JSON text stands what is ignored, in order.
fn holes(text: &[u8], ignored: &[Vec<Step>]) -> Vec<Range<usize>> {
    let mut holes = Vec::new();
    for path in ignored {
        path::find(text, path, &mut |_, range| {
            holes.push(range);
            false
        });
    }
    holes.sort_by_key(|hole| hole.start);
    holes
}

impl Exporter for Gather {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        let Some(conn) = at.conn.filter(|conn| self.only.is_none_or(|only| only == *conn)) else {
            return ControlFlow::Continue(());
        };
        match event {
            Event::Opened(opened) => {
                let title = opened.url.clone().unwrap_or_else(|| opened.server.to_string());
                let path = title
                    .split_once("://")
                    .map_or("", |(_, rest)| rest.find('/').map_or("/", |at| rest.split_at(at).1));
                let place = path.split_once('?').map_or(path, |(place, _)| place).to_owned();
                let talk = Talk { conn, path: path.to_owned(), place, title, lines: Both::default() };
                self.talks.insert(conn, talk);
            }
            Event::Message(message) if !matches!(message.opcode, Opcode::PING | Opcode::PONG) => {
                return self.add(conn, message);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, _: &Totals, _: &mut Out<'_>) {}

    fn hears_payloads(&self) -> bool {
        true
    }
}
