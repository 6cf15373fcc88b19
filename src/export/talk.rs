//! A conversation, both directions, in full.

use super::page::write_body;
use super::payload::{self, PayloadMode, PayloadOptions};
use super::style::{Ink, Style};
use super::time::Clock;
use super::{Form, Out, head, table};
use crate::escape;
use crate::model::{
    Closed, Connection, Direction, Ending, Event, Handshake, Message, Opcode, Opened, Stamp, Timestamp, TlsOutline,
    count, duration,
};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

/// Writes who said what when, each payload below its line.
#[derive(Debug)]
pub struct Talk {
    clock: Clock,
    payload: PayloadOptions,
    style: Style,
    /// What is known of the connection, for the verdict on its end.
    row: Option<Connection>,
    /// The time of the line before.
    last: Option<Timestamp>,
}

impl Talk {
    /// A conversation with times of this clock and payloads shown so.
    pub const fn new(clock: Clock, payload: PayloadOptions, style: Style) -> Self {
        Self { clock, payload, style, row: None, last: None }
    }

    fn learn(&mut self, at: &Stamp, event: Event<'_>) {
        self.last = at.at.time;
        if let Some(row) = &mut self.row {
            row.apply(at, event);
        }
    }

    /// `→ 0.044120  `.
    fn begin(&mut self, dir: Direction, at: &Stamp) -> String {
        let mut line = format!("{} ", self.style.paint(dir.into(), dir.arrow()));
        self.clock.write(at.at.time, &mut line);
        line.push_str("  ");
        line
    }
}

impl Form for Talk {
    fn opened(&mut self, at: &Stamp, opened: &Opened, out: &mut Out<'_>) {
        self.row = at.conn.map(|conn| Connection::new(conn, at, opened));
        let conn = at.conn.map_or(String::new(), |conn| format!("conn {conn}  "));
        let url = escape::display_str(opened.url.as_deref().unwrap_or("(no request captured)"));
        let hops: Vec<String> =
            opened.via.iter().map(|hop| escape::display_str(&hop.to_string()).into_owned()).collect();
        let through = if hops.is_empty() { String::new() } else { format!(" through {}", hops.join(", ")) };
        let wrapping = opened.wrapping().map_or_else(String::new, |wrapping| format!(" {wrapping}"));
        let ends = format!("  {} → {}{through}{wrapping}", opened.client, opened.server);
        let title = format!("{conn}{url}");
        let title = self.style.paint(Ink::Bold, self.style.cut(&title, ends.width()));
        out.line(&format!("{title}{ends}"));
    }

    fn handshake(&mut self, at: &Stamp, handshake: &Handshake, _: Option<&TlsOutline>, out: &mut Out<'_>) {
        self.learn(at, Event::Handshake(handshake));
        let mut line = self.begin(Direction::ToClient, at);
        let (ink, outcome) = head::outcome(handshake);
        let _ = write!(line, "handshake {}", self.style.paint(ink, outcome));
        if let Some(subprotocol) = &handshake.subprotocol {
            let _ = write!(line, ", subprotocol {}", escape::display_str(subprotocol));
        }
        for extension in handshake.extensions.iter().flatten() {
            let _ = write!(line, ", {}", escape::display_str(extension));
        }
        out.line(&line);
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) {
        self.learn(at, Event::Message(message));
        let mut line = self.begin(message.dir, at);
        let ink = table::ink(message.opcode);
        let kind = self.style.paint(ink, table::kind(message));
        let _ = write!(line, "#{} {kind}, {}", message.number, count(message.body.len, "byte"));
        for (ink, text) in table::faults(message) {
            let _ = write!(line, " {}", self.style.paint(ink, text));
        }
        if let Some(rtt) = message.rtt {
            let _ = write!(line, ", rtt {}", duration(rtt));
        }
        let is_close = message.opcode == Opcode::CLOSE && self.payload.mode == PayloadMode::Auto;
        if is_close {
            let _ = write!(line, ": {}", payload::close_words(message));
        }
        out.line(&line);
        if !is_close {
            write_body(message, self.payload, "    ", out);
        }
    }

    fn closed(&mut self, at: &Stamp, closed: &Closed, out: &mut Out<'_>) {
        let Some(mut row) = self.row.take() else { return };
        row.apply(at, Event::Closed(closed));
        let verdict = row.verdict();
        // That all of it is known takes longer: the end may be forged, and a wait has to go by, or the capture.
        let end = match (closed.ends.first(), verdict.ending) {
            (Some((.., end)), _) => end,
            (None, Ending::Open) => at.at,
            (None, _) => closed.last,
        };
        let margin = self.clock.width() + 4;
        let mut time = String::new();
        self.clock.write(end.time.max(self.last), &mut time);
        self.style.hang(&format!("  {time}  "), margin, Ink::Dim, &escape::display_str(&verdict.text), out);
    }
}
