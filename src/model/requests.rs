//! The requests of sessions, added up: of the first of each session all is kept, of others they are counted.

use super::event::Stamp;
use super::limits::Limits;
use super::mark::Span;
use super::session::{Exchange, SessionId};
use hashbrown::HashMap;

/// Requests kept of one session.
const KEPT: usize = 256;

/// What the requests of a session add up to.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    /// How many there are.
    pub count: u64,
    /// Of these, the ones that were answered with 400 or more, or not at all.
    pub failed: u64,
    /// Bytes of their content.
    pub sent: u64,
    /// Bytes of the content of their answers.
    pub received: u64,
    /// From the first packet of the first one to the last of all.
    pub span: Span,
    /// The first of them in the order in which they ended, and where.
    pub kept: Vec<(Stamp, Exchange)>,
}

impl Requests {
    /// Counts one, and keeps it if there is room for so many bytes; says how many it takes.
    pub fn add(&mut self, at: &Stamp, exchange: &Exchange, room: usize) -> usize {
        let last = exchange.answered.map_or(exchange.asked.last, |answer| answer.last);
        if self.count == 0 || exchange.asked.first.packet < self.span.first.packet {
            self.span.first = exchange.asked.first;
        }
        if last.packet > self.span.last.packet {
            self.span.last = last;
        }
        self.count += 1;
        self.failed += u64::from(exchange.status.is_none_or(|status| status >= 400));
        self.sent = self.sent.saturating_add(exchange.sent);
        self.received = self.received.saturating_add(exchange.received);
        let takes = size_of::<(Stamp, Exchange)>()
            + exchange.url.len()
            + exchange.method.len()
            + exchange.gives.as_ref().map_or(0, String::len);
        if self.kept.len() >= KEPT || takes > room {
            return 0;
        }
        self.kept.push((*at, exchange.clone()));
        takes
    }

    /// The kept ones in the order in which they began.
    pub fn in_order(&self) -> Vec<&(Stamp, Exchange)> {
        let mut all: Vec<_> = self.kept.iter().collect();
        all.sort_by_key(|(_, exchange)| exchange.asked.first.packet);
        all
    }
}

/// The requests of all sessions, within bounds.
#[derive(Debug, Default)]
pub struct RequestLog {
    sessions: HashMap<SessionId, Requests>,
    bytes: usize,
}

impl RequestLog {
    /// Adds a request to those of its session; of sessions past the bound nothing.
    pub fn add(&mut self, at: &Stamp, exchange: &Exchange, limits: &Limits) {
        if self.sessions.len() < limits.sessions || self.sessions.contains_key(&exchange.session) {
            let room = limits.session_bytes.saturating_sub(self.bytes);
            self.bytes += self.sessions.entry(exchange.session).or_default().add(at, exchange, room);
        }
    }

    /// Those of a session.
    pub fn of(&self, session: SessionId) -> Option<&Requests> {
        self.sessions.get(&session)
    }
}
