//! A part of a capture: connections, messages, or what lies in a packet.

use super::{Exporter, Out};
use crate::model::{ConnId, Direction, Event, Frame, Message, PacketNo, Span, Stamp};
use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;

/// A connection or a message: `3` or `3:17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The connection.
    pub conn: ConnId,
    /// The message; `None` for all of them.
    pub msg: Option<u64>,
}

impl Place {
    /// All of a connection.
    pub const fn all_of(conn: ConnId) -> Self {
        Self { conn, msg: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.msg {
            Some(msg) => write!(f, "{}:{msg}", self.conn),
            None => write!(f, "{}", self.conn),
        }
    }
}

/// Lets the events of some places through.
pub struct Places<E> {
    inner: E,
    /// What is wanted, and whether it was found.
    wanted: Vec<(Place, Found)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    No,
    Begun,
    Whole,
}

impl<E: Exporter> Places<E> {
    /// Only these places go to `inner`.
    pub fn new(wanted: impl IntoIterator<Item = Place>, inner: E) -> Self {
        Self { inner, wanted: wanted.into_iter().map(|place| (place, Found::No)).collect() }
    }

    /// The places that were not there.
    pub fn missing(&self) -> impl Iterator<Item = Place> {
        self.wanted.iter().filter(|(_, found)| *found == Found::No).map(|(place, _)| *place)
    }

    /// Notes what an event of a connection finds; true when it is wanted.
    fn find(&mut self, conn: ConnId, event: Event<'_>) -> bool {
        let mut is_wanted = false;
        for (place, found) in self.wanted.iter_mut().filter(|(place, _)| place.conn == conn) {
            let now = match (place.msg, event) {
                (None, Event::Closed(_)) => Found::Whole,
                (None, _) | (Some(_), Event::Opened(_)) => Found::Begun,
                (Some(wanted), Event::Message(message)) if message.number == wanted => Found::Whole,
                _ => continue,
            };
            is_wanted = true;
            if place.msg.is_none() || now == Found::Whole {
                *found = now;
            }
        }
        is_wanted
    }
}

impl<E: Exporter> Exporter for Places<E> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let Some(conn) = at.conn else { return ControlFlow::Continue(()) };
        if !self.find(conn, event) {
            return ControlFlow::Continue(());
        }
        self.inner.event(at, event, out)?;
        let is_done = self.wanted.iter().all(|(_, found)| *found == Found::Whole);
        if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    hand_on!();

    fn hears_frames(&self) -> bool {
        self.inner.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        self.inner.hears_payloads()
    }
}

/// Lets through what is of some connections, or of none.
pub struct Only<'e> {
    conns: HashSet<ConnId>,
    inner: &'e mut dyn Exporter,
}

impl<'e> Only<'e> {
    /// Only these connections go to `inner`.
    pub fn new(conns: HashSet<ConnId>, inner: &'e mut dyn Exporter) -> Self {
        Self { conns, inner }
    }

    fn is_wanted(&self, at: &Stamp) -> bool {
        at.conn.is_none_or(|conn| self.conns.contains(&conn))
    }
}

impl Exporter for Only<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        if self.is_wanted(at) { self.inner.event(at, event, out) } else { ControlFlow::Continue(()) }
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        if self.is_wanted(at) { self.inner.unwanted(at, event, out) } else { ControlFlow::Continue(()) }
    }

    hand_on!();

    fn hears_frames(&self) -> bool {
        self.inner.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        self.inner.hears_payloads()
    }
}

/// Lets the messages through that begin or end in a packet, or have a frame that does.
pub struct InPacket<E> {
    inner: E,
    packet: PacketNo,
    /// Who has sent a fragment there whose message has not ended.
    begun: Vec<(ConnId, Direction)>,
    /// Messages that went through.
    found: u64,
    /// The first message around the packet, all of whose frames begin before it and end behind.
    around: Option<(Place, Span)>,
}

impl<E: Exporter> InPacket<E> {
    /// Only messages of this packet go to `inner`.
    pub fn new(packet: PacketNo, inner: E) -> Self {
        Self { inner, packet, begun: Vec::new(), found: 0, around: None }
    }

    /// How many messages there were.
    pub const fn found(&self) -> u64 {
        self.found
    }

    /// A message that the packet may have a middle part of.
    pub const fn around(&self) -> Option<(Place, Span)> {
        self.around
    }

    fn touches(&self, span: Span) -> bool {
        span.first.packet == self.packet || span.last.packet == self.packet
    }

    fn frame(&mut self, conn: ConnId, frame: &Frame) {
        let sender = (conn, frame.dir);
        if self.touches(frame.span) && !frame.opcode.is_control() && !self.begun.contains(&sender) {
            self.begun.push(sender);
        }
    }

    fn is_wanted(&mut self, conn: ConnId, message: &Message<'_>) -> bool {
        let has_frame = !message.opcode.is_control() && {
            let before = self.begun.len();
            self.begun.retain(|sender| *sender != (conn, message.dir));
            self.begun.len() < before
        };
        if has_frame || self.touches(message.span) {
            return true;
        }
        let Span { first, last } = message.span;
        if self.around.is_none() && first.packet < self.packet && self.packet < last.packet {
            self.around = Some((Place { conn, msg: Some(message.number) }, message.span));
        }
        false
    }
}

impl<E: Exporter> Exporter for InPacket<E> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let Some(conn) = at.conn else { return ControlFlow::Continue(()) };
        match event {
            Event::Frame(frame) => self.frame(conn, frame),
            Event::Message(message) if self.is_wanted(conn, message) => {
                self.found += 1;
                return self.inner.event(at, event, out);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    hand_on!();

    fn hears_frames(&self) -> bool {
        true
    }

    fn hears_payloads(&self) -> bool {
        self.inner.hears_payloads()
    }
}
