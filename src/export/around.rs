//! The TLS around the connections that are open, for when their handshakes are told.

use crate::model::{ConnId, Event, Opened, Stamp, TlsOutline};
use std::collections::BTreeMap;

/// What was agreed on, by connection.
#[derive(Debug, Default)]
pub(super) struct Around(BTreeMap<ConnId, Box<TlsOutline>>);

impl Around {
    /// Learns what an event tells of it.
    pub(super) fn learn(&mut self, at: &Stamp, event: Event<'_>) {
        let Some(conn) = at.conn else { return };
        match event {
            Event::Opened(Opened { tls: Some(tls), .. }) => {
                self.0.insert(conn, tls.clone());
            }
            Event::Closed(_) => {
                self.0.remove(&conn);
            }
            _ => {}
        }
    }

    /// That around a connection; `None` in clear.
    pub(super) fn of(&self, at: &Stamp) -> Option<&TlsOutline> {
        self.0.get(&at.conn?).map(|tls| &**tls)
    }
}
