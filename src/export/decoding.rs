//! What messages say in the terms of their protocols, for whoever asks.

use super::{Exporter, Out};
use crate::decode::{Hints, Sessions, Speaker};
use crate::filter::{Filter, Item, Row};
use crate::model::{ConnId, Connection, Event, Limits, Message, Stamp};
use hashbrown::HashMap;
use std::ops::ControlFlow;

/// What the user says of connections: those that pass a filter speak this. The first that fits holds.
pub type Speaks = (Filter, Speaker);

/// Lets an exporter see what messages say. It stands before filters, which may ask for that, so it is told all messages in order.
pub struct Decoding<'e> {
    said: &'e [Speaks],
    live: HashMap<ConnId, Connection, foldhash::fast::RandomState>,
    sessions: Sessions<ConnId>,
    /// Nobody asks.
    is_idle: bool,
    inner: &'e mut dyn Exporter,
}

impl<'e> Decoding<'e> {
    /// Events go to `inner`, where `is_asked` with what messages say.
    pub fn new(is_asked: bool, said: &'e [Speaks], limits: Limits, inner: &'e mut dyn Exporter) -> Self {
        Self { said, live: HashMap::default(), sessions: Sessions::new(limits), is_idle: !is_asked, inner }
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let conn = at.conn.and_then(|id| self.live.get(&id));
        let Some(conn) = conn else { return self.inner.event(at, Event::Message(message), out) };
        let row = Row { at, origin: None, conn: Some(conn), handshake: None, item: Item::Connection };
        let begin = || {
            let said = self.said.iter().find(|(connections, _)| connections.passes(&row));
            (Hints::of(conn), said.map(|(_, speaker)| speaker.clone()))
        };
        let decoded = self.sessions.message(conn.id, message, begin);
        self.inner.event(at, Event::Message(&Message { decoded: decoded.as_ref(), ..*message }), out)
    }
}

impl Exporter for Decoding<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let Some(id) = at.conn.filter(|_| !self.is_idle) else { return self.inner.event(at, event, out) };
        match event {
            Event::Message(message) => return self.message(at, message, out),
            Event::Opened(opened) => {
                self.live.insert(id, Connection::new(id, at, opened));
            }
            Event::Handshake(handshake) => {
                if let Some(conn) = self.live.get_mut(&id) {
                    conn.agree(at, handshake.outline());
                }
            }
            Event::Closed(_) => {
                self.live.remove(&id);
                self.sessions.end(id);
            }
            _ => {}
        }
        self.inner.event(at, event, out)
    }

    hand_on!();

    fn hears_frames(&self) -> bool {
        self.inner.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        !self.is_idle || self.inner.hears_payloads()
    }
}
