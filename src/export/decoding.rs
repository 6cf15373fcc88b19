//! What messages say in the terms of their protocols, for whoever asks.

use super::{Exporter, Out};
use crate::decode::Sessions;
use crate::filter::{Speaks, begin};
use crate::model::{ConnId, Connection, Event, Limits, Message, Stamp};
use hashbrown::HashMap;
use std::ops::ControlFlow;

/// Lets an exporter see what messages say. It stands before filters, which may ask for that, so it is told all messages in order.
pub struct Decoding<'e> {
    said: &'e [Speaks],
    live: HashMap<ConnId, Connection, foldhash::fast::RandomState>,
    sessions: Sessions<ConnId>,
    /// Nobody asks.
    is_idle: bool,
    /// With each message what stands behind it is told, too.
    tells_state: bool,
    inner: &'e mut dyn Exporter,
}

impl<'e> Decoding<'e> {
    /// Events go to `inner`, where `is_asked` with what messages say, and where `tells_state` with what stands behind them.
    pub fn new(
        is_asked: bool,
        tells_state: bool,
        said: &'e [Speaks],
        limits: Limits,
        inner: &'e mut dyn Exporter,
    ) -> Self {
        let (live, sessions) = (HashMap::default(), Sessions::new(limits));
        Self { said, live, sessions, is_idle: !is_asked, tells_state, inner }
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let conn = at.conn.and_then(|id| self.live.get(&id));
        let Some(conn) = conn else { return self.inner.event(at, Event::Message(message), out) };
        let decoded = self.sessions.message(conn.id, message, || begin(self.said, conn));
        let state = self.tells_state.then(|| self.sessions.state(conn.id, message.brought));
        let message = Message { decoded: decoded.as_ref(), state: state.as_ref(), ..*message };
        self.inner.event(at, Event::Message(&message), out)
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
