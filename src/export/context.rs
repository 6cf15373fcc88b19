//! What is around the rows, gathered as events come: what filters ask for, and columns show.

use super::list::Collect;
use crate::filter::{Item, Needs, Row, Rows};
use crate::model::{Both, ConnId, Connection, Event, Frame, Handshake, Message, Stamp, Timestamp};
use hashbrown::HashMap;
use std::rc::Rc;

/// Frames of one message that are at hand; of the rest nothing is asked.
const FRAMES: usize = 1024;

/// The connections that go on, each with what is needed of it.
pub(super) struct Context {
    needs: Needs,
    origin: Option<Timestamp>,
    /// All of all connections, from a pass before this one.
    known: Option<Rc<Collect>>,
    live: HashMap<ConnId, Live, foldhash::fast::RandomState>,
}

struct Live {
    /// Where it was recognised: its row stands there.
    begin: Stamp,
    conn: Connection,
    handshake: Option<Handshake>,
    /// The frames of the message that is not told yet; and the control frame of the one that is told next.
    frames: Both<Vec<Frame>>,
    control: Option<Frame>,
}

impl Context {
    pub(super) fn new(needs: Needs, origin: Option<Timestamp>, known: Option<Rc<Collect>>) -> Self {
        Self { needs, origin, known, live: HashMap::default() }
    }

    pub(super) const fn needs(&self) -> Needs {
        self.needs
    }

    /// Learns what an event tells, before its row is looked at.
    pub(super) fn learn(&mut self, at: &Stamp, event: Event<'_>) {
        let Some(id) = at.conn else { return };
        if let Event::Opened(opened) = event {
            let conn = Connection::new(id, at, opened);
            self.live.insert(id, Live { begin: *at, conn, handshake: None, frames: Both::default(), control: None });
        }
        let Some(live) = self.live.get_mut(&id) else { return };
        live.conn.apply(at, event);
        match event {
            Event::Handshake(handshake) if self.needs.heads => live.handshake = Some(handshake.clone()),
            Event::Frame(frame) if self.needs.frames => live.frame(frame),
            _ => {}
        }
    }

    /// Forgets what no later row needs, once the event's row was looked at.
    pub(super) fn forget(&mut self, at: &Stamp, event: Event<'_>) {
        let Some(id) = at.conn else { return };
        match event {
            Event::Closed(_) => {
                self.live.remove(&id);
            }
            Event::Message(message) if self.needs.frames => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.told(message);
                }
            }
            _ => {}
        }
    }

    /// The row of an event, if it makes one of this kind.
    pub(super) fn row<'a>(&'a self, at: &'a Stamp, event: Event<'a>, rows: Rows) -> Option<Row<'a>> {
        let live = at.conn.and_then(|id| self.live.get(&id));
        let item = match event {
            Event::Message(message) if rows.meets(Rows::MESSAGES) => {
                Item::Message(message, live.map_or(&[], |live| live.frames_of(message)))
            }
            Event::Frame(frame) if rows.meets(Rows::FRAMES) => Item::Frame(frame),
            Event::Note(note) if rows.meets(Rows::FINDINGS) => Item::Finding(note),
            Event::Handshake(_) if rows.meets(Rows::HANDSHAKES) => Item::Connection,
            // One of which all is known stands where it was recognised.
            Event::Opened(_) if rows.meets(Rows::CONNECTIONS) && self.known.is_some() => Item::Connection,
            Event::Closed(_) if rows.meets(Rows::CONNECTIONS) && self.known.is_none() => Item::Connection,
            _ => return None,
        };
        let known = self.known.as_ref().and_then(|known| known.row(at.conn?));
        Some(Row {
            at: match (event, live) {
                (Event::Closed(_), Some(live)) => &live.begin,
                _ => at,
            },
            origin: self.origin,
            conn: known.or(live.map(|live| &live.conn)),
            handshake: live
                .and_then(|live| live.handshake.as_ref())
                .or_else(|| self.known.as_ref()?.handshake(at.conn?)),
            item,
        })
    }
}

impl Live {
    fn frame(&mut self, frame: &Frame) {
        if frame.opcode.is_control() {
            self.control = Some(*frame);
            return;
        }
        let frames = &mut self.frames[frame.dir];
        let frames_are_many = frames.len() >= FRAMES;
        match frames.last_mut() {
            // Of very many the first are kept, and the last.
            Some(last) if frames_are_many => *last = *frame,
            _ => frames.push(*frame),
        }
    }

    fn frames_of(&self, message: &Message<'_>) -> &[Frame] {
        if message.opcode.is_control() { self.control.as_slice() } else { &self.frames[message.dir] }
    }

    fn told(&mut self, message: &Message<'_>) {
        if message.opcode.is_control() {
            self.control = None;
        } else {
            self.frames[message.dir].clear();
        }
    }
}
