//! Sessions: the requests of other transports, the WebSocket connections that belong with them, and what a client came back from.

mod record;
mod text;

pub(super) use record::{reconnect as write_reconnect, write as write_record};
pub(super) use text::write as write_text;

use super::{Exporter, Form, Out, Totals};
use crate::model::{
    Closed, ConnId, Direction, Endpoint, Event, Exchange, Fallback, FileRun, Handshake, Limits, Mark, Message, Opcode,
    Opened, Probe, Reconnect, Requests, SessionId, Stamp, Tie, url_place,
};
use hashbrown::HashMap;
use std::mem;
use std::ops::ControlFlow;

/// Connections listed of one session.
const CONNECTIONS: usize = 1024;
/// Bytes of a message in which a session is named.
const NAMING: usize = 4096;

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Its number; `None`: what came when as many were known as are told apart.
    pub id: Option<SessionId>,
    /// The protocol, as far as URLs tell it.
    pub fallback: Option<Fallback>,
    /// Its version, where URLs have it.
    pub version: Option<String>,
    /// By what the protocol knows it, percent-encoded as in a URL.
    pub name: Option<String>,
    /// Client and server.
    pub ends: Option<(Endpoint, Endpoint)>,
    /// Host with port, and path.
    pub place: Option<(String, String)>,
    /// Where it begins.
    pub begin: Stamp,
    /// The last packet of any request or connection.
    pub last: Mark,
    /// The connection that it follows as a whole.
    pub reconnect_of: Option<Reconnect>,
    /// Its requests.
    pub requests: Requests,
    /// Its connections, in order.
    pub connections: Vec<Leg>,
    /// More of these.
    pub more_connections: u64,
}

/// A WebSocket connection of a session.
#[derive(Debug)]
pub struct Leg {
    /// Its number.
    pub conn: ConnId,
    /// Its TCP stream.
    pub stream: Option<u32>,
    /// Its first packet.
    pub first: Mark,
    /// Its last one, once it is over.
    pub last: Option<Mark>,
    /// The status of the answer to its request.
    pub status: Option<u16>,
    /// Whether the server agreed.
    pub accepted: Option<bool>,
    /// The connection that it follows.
    pub reconnect_of: Option<Reconnect>,
    /// The connection that follows it, and nanoseconds until then.
    pub next: Option<(ConnId, Option<i64>)>,
    /// Of Engine.IO, the probe before the transport is changed.
    pub probe: Probe,
}

impl Session {
    fn new(id: Option<SessionId>, begin: Stamp) -> Self {
        Self {
            id,
            fallback: None,
            version: None,
            name: None,
            ends: None,
            place: None,
            begin,
            last: begin.at,
            reconnect_of: None,
            requests: Requests::default(),
            connections: Vec::new(),
            more_connections: 0,
        }
    }

    /// Learns what a URL says; that of a WebSocket whose session began with requests is of the same protocol.
    fn learn(&mut self, url: &str, tie: Option<&Tie<'_>>, ends: (Endpoint, Endpoint)) {
        self.ends.get_or_insert(ends);
        if self.place.is_none() {
            let (host, path) = url_place(url, tie);
            self.place = Some((host.to_owned(), path.to_owned()));
        }
        let Some(tie) = tie.filter(|tie| self.fallback.is_none_or(|own| own == tie.fallback)) else { return };
        self.fallback = Some(tie.fallback);
        if self.version.is_none() {
            self.version = tie.version.map(str::to_owned);
        }
        if self.name.is_none() {
            self.name = tie.id.map(str::to_owned);
        }
    }

    fn lasts(&mut self, mark: Mark) {
        if mark.packet > self.last.packet {
            self.last = mark;
        }
    }
}

/// Joins what belongs together, and writes it at the end.
pub struct Sessions {
    form: Box<dyn Form>,
    limits: Limits,
    /// In the order of their numbers.
    rows: Vec<Session>,
    /// What is of none of these.
    rest: Option<Session>,
    /// Where the connections that go on stand: row, and place in it.
    live: HashMap<ConnId, (usize, usize)>,
    /// Where all stand that may be followed by another.
    places: HashMap<ConnId, (usize, usize)>,
    /// Bytes that requests take.
    bytes: usize,
}

impl Sessions {
    /// Sessions in this form.
    pub fn new(limits: Limits, form: Box<dyn Form>) -> Self {
        let (live, places) = (HashMap::default(), HashMap::default());
        Self { form, limits, rows: Vec::new(), rest: None, live, places, bytes: 0 }
    }

    /// The row of a session, and its place; of one past the bound none.
    fn row(&mut self, id: SessionId, begin: Stamp) -> (Option<usize>, &mut Session) {
        let at = match self.rows.binary_search_by_key(&Some(id), |row| row.id) {
            Ok(at) => at,
            // Numbers come in order.
            Err(at) => {
                if at == self.rows.len() && at < self.limits.sessions {
                    self.rows.push(Session::new(Some(id), begin));
                }
                at
            }
        };
        match self.rows.get_mut(at).filter(|row| row.id == Some(id)) {
            Some(row) => (Some(at), row),
            None => (None, self.rest.get_or_insert_with(|| Session::new(None, begin))),
        }
    }

    fn exchange(&mut self, at: &Stamp, exchange: &Exchange) {
        let room = self.limits.session_bytes.saturating_sub(self.bytes);
        let begin = Stamp { at: exchange.asked.first, ..*at };
        let (place, row) = self.row(exchange.session, begin);
        let taken = row.requests.add(at, exchange, if place.is_some() { room } else { 0 });
        row.lasts(row.requests.span.last);
        if place.is_some() {
            if begin.at.packet < row.begin.at.packet {
                row.begin = begin;
            }
            row.learn(&exchange.url, exchange.tie().as_ref(), (exchange.client, exchange.server));
            row.name = row.name.take().or_else(|| exchange.gives.clone());
            row.reconnect_of = row.reconnect_of.or(exchange.reconnect_of);
        }
        self.bytes += taken;
    }

    fn opened(&mut self, at: &Stamp, conn: ConnId, opened: &Opened) {
        let begin = Stamp { at: opened.first, ..*at };
        let (place, row) = self.row(opened.session, begin);
        row.lasts(at.at);
        let Some(place) = place.filter(|_| row.connections.len() < CONNECTIONS) else {
            row.more_connections += 1;
            return;
        };
        let is_first = row.connections.is_empty() && row.requests.count == 0;
        if is_first {
            row.reconnect_of = opened.reconnect_of;
        }
        let tie = opened.url.as_deref().and_then(|url| Tie::of("GET", url));
        // An id in a query is no token of SignalR's unless a server gave it.
        let tie = tie.filter(|tie| tie.fallback != Fallback::SignalR || row.fallback.is_some());
        match &opened.url {
            Some(url) => row.learn(url, tie.as_ref(), (opened.client, opened.server)),
            None => row.ends = row.ends.or(Some((opened.client, opened.server))),
        }
        let leg = row.connections.len();
        row.connections.push(Leg {
            conn,
            stream: at.stream,
            first: opened.first,
            last: None,
            status: None,
            accepted: None,
            reconnect_of: opened.reconnect_of,
            next: None,
            probe: Probe::default(),
        });
        self.live.insert(conn, (place, leg));
        self.places.insert(conn, (place, leg));
        self.follow(opened.reconnect_of, conn);
    }

    /// Something follows a connection: tells that connection what.
    fn follow(&mut self, reconnect: Option<Reconnect>, by: ConnId) {
        let Some(Reconnect { conn, gap }) = reconnect else { return };
        let former = self.places.get(&conn).and_then(|&(row, leg)| self.rows.get_mut(row)?.connections.get_mut(leg));
        if let Some(former) = former {
            former.next = Some((by, gap));
        }
    }

    fn leg(&mut self, conn: ConnId) -> Option<(&mut Session, usize)> {
        let &(row, leg) = self.live.get(&conn)?;
        Some((self.rows.get_mut(row)?, leg))
    }

    fn handshake(&mut self, conn: ConnId, handshake: &Handshake) {
        let Some((row, leg)) = self.leg(conn) else { return };
        if let Some(leg) = row.connections.get_mut(leg) {
            (leg.status, leg.accepted) = (handshake.status(), handshake.accepted);
        }
    }

    fn message(&mut self, conn: ConnId, message: &Message<'_>) {
        if message.number > Probe::WITHIN || message.opcode != Opcode::TEXT {
            return;
        }
        let Some((row, leg)) = self.leg(conn).filter(|(row, _)| row.fallback == Some(Fallback::EngineIo)) else {
            return;
        };
        if row.name.is_none() && message.dir == Direction::ToClient && message.body.kept.len() <= NAMING {
            row.name = Tie::named_by_open(message.body.kept);
        }
        if let Some(leg) = row.connections.get_mut(leg) {
            leg.probe.hear(message.dir, message.body.kept, message.brought);
        }
    }

    fn closed(&mut self, conn: ConnId, closed: &Closed) {
        if let Some((row, leg)) = self.leg(conn) {
            row.lasts(closed.last);
            if let Some(leg) = row.connections.get_mut(leg) {
                leg.last = Some(closed.last);
            }
        }
        self.live.remove(&conn);
    }
}

impl Exporter for Sessions {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        match (event, at.conn) {
            (Event::Exchange(exchange), _) => self.exchange(at, exchange),
            (Event::Opened(opened), Some(conn)) => self.opened(at, conn, opened),
            (Event::Handshake(handshake), Some(conn)) => self.handshake(conn, handshake),
            (Event::Message(message), Some(conn)) => self.message(conn, message),
            (Event::Closed(closed), Some(conn)) => self.closed(conn, closed),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn file(&mut self, run: &FileRun) {
        self.form.file(run);
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        let rows: Vec<Session> = mem::take(&mut self.rows).into_iter().chain(self.rest.take()).collect();
        self.form.sessions(out.wanted(&rows), out);
    }

    fn hears_payloads(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{PayloadOptions, Records};
    use crate::model::{Ip, PacketNo, Span};
    use std::net::{IpAddr, Ipv4Addr};

    /// What is told of these sessions, each of which has so many requests.
    fn told(limits: Limits, sessions: &[(u32, usize)]) -> Vec<serde_json::Value> {
        let mut exporter = Sessions::new(limits, Box::new(Records::new(PayloadOptions::default())));
        let mut out = Out::memory();
        let end = Endpoint { ip: Ip::from(IpAddr::V4(Ipv4Addr::LOCALHOST)), port: 80 };
        let mark = Mark { packet: PacketNo(7), time: None };
        for &(session, requests) in sessions {
            let exchange = Exchange {
                session: SessionId(session),
                reconnect_of: None,
                client: end,
                server: end,
                method: "POST".to_owned(),
                url: format!("http://h/e?EIO=4&transport=polling&sid={session}"),
                status: Some(500),
                gives: None,
                asked: Span { first: mark, last: mark },
                answered: None,
                sent: 2,
                received: 3,
            };
            for _ in 0..requests {
                let _ = exporter.event(&Stamp::default(), Event::Exchange(&exchange), &mut out);
            }
        }
        exporter.finish(&Totals::default(), &mut out);
        String::from_utf8(out.take()).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn past_the_bounds_all_is_counted() {
        let limits = Limits { sessions: 2, ..Limits::DEFAULT };
        let rows = told(limits, &[(1, 300), (2, 1), (3, 5), (4, 6), (1, 1)]);
        let row = |row: &serde_json::Value| {
            let requests = &row["requests"];
            let kept = requests["first"].as_array().unwrap().len();
            format!("{} {} {} {} {kept}", row["session"], row["id"], requests["count"], requests["sent"])
        };
        assert_eq!(
            rows.iter().map(row).collect::<Vec<_>>(),
            ["1 \"1\" 301 602 256", "2 \"2\" 1 2 1", "null null 11 22 0"]
        );
        let few = told(Limits { session_bytes: 2000, ..Limits::DEFAULT }, &[(1, 50), (2, 50)]);
        let kept = |row: &serde_json::Value| row["requests"]["first"].as_array().unwrap().len();
        assert!((1..20).contains(&few.iter().map(kept).sum::<usize>()), "{few:?}");
        assert!(few.iter().all(|row| row["requests"]["count"] == 50), "{few:?}");
    }
}
