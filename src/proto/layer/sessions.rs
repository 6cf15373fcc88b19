//! Which requests and connections are of one session, and which connection a client had before.

use crate::model::{ConnId, Endpoint, Exchange, Fallback, Ip, Mark, Reconnect, SessionId, Step, Tie, url_place};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::hash::Hash;

/// Characters kept of what sessions and places are known by.
const NAME_MAX: usize = 256;
/// Ends at one place that are kept in mind: as many clients of one address may come back there.
const ENDS_MAX: usize = 64;

/// All sessions that may go on, and all ends that may be followed by something.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    count: u32,
    by_id: Recent<Id, Known>,
    /// Sessions whose id was not told yet.
    unnamed: Recent<Place, Known>,
    /// Where connections lead that have not ended.
    open: HashMap<ConnId, Place>,
    /// What ended at a place and was not followed by anything, oldest first.
    ended: Recent<Place, VecDeque<(ConnId, Mark)>>,
}

/// What a session is known by. The server's port keeps both sides of a proxy apart; its address may be one of several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Id {
    fallback: Fallback,
    port: u16,
    id: Box<str>,
}

/// A client, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    client: Ip,
    /// Host, port and path.
    name: Box<str>,
}

/// A session so far.
#[derive(Debug, Clone, Copy)]
struct Known {
    session: SessionId,
    /// The connection that it follows as a whole, and its end; its own first connection takes it.
    follows: Option<(ConnId, Mark)>,
}

impl Place {
    fn of(client: Endpoint, url: &str, tie: Option<&Tie<'_>>) -> Self {
        let (authority, path) = url_place(url, tie);
        let name = authority.chars().chain(path.chars()).take(NAME_MAX).collect();
        Self { client: client.ip, name }
    }
}

impl Id {
    fn of(server: Endpoint, fallback: Fallback, id: &str) -> Self {
        Self { fallback, port: server.port, id: id.chars().take(NAME_MAX).collect() }
    }
}

impl Sessions {
    /// A connection was recognised whose first packet is `first`: the session that it belongs to, and the connection that it follows.
    pub(super) fn opened(
        &mut self,
        conn: ConnId,
        (client, server): (Endpoint, Endpoint),
        url: Option<&str>,
        first: Mark,
        most: usize,
    ) -> (SessionId, Option<Reconnect>) {
        let Some(url) = url else { return (self.next(None).session, None) };
        let tie = Tie::of("GET", url);
        let place = Place::of(client, url, tie.as_ref());
        let id = tie.as_ref().and_then(|tie| Some(Id::of(server, tie.fallback, tie.id?)));
        let known = id.as_ref().and_then(|id| self.by_id.get_mut(id));
        // What it follows as a whole, its first connection does.
        let known = known.map(|known| Known { follows: known.follows.take(), ..*known });
        let known = known.unwrap_or_else(|| match id {
            // As in a request, below.
            Some(id) if id.fallback != Fallback::SignalR => {
                let known = self.unnamed.take(&place).unwrap_or_else(|| self.next(None));
                self.by_id.insert(id, Known { follows: None, ..known }, most);
                known
            }
            _ => self.next(None),
        });
        let follows = known.follows.or_else(|| self.former(&place, first));
        self.open.insert(conn, place);
        (known.session, follows.map(|former| reconnect(former, first)))
    }

    /// A connection ends, which is said once or more often.
    pub(super) fn ended(&mut self, conn: ConnId, mark: Mark, most: usize) {
        let Some(place) = self.open.remove(&conn) else { return };
        match self.ended.get_mut(&place) {
            Some(ends) => {
                if ends.len() >= ENDS_MAX {
                    ends.pop_front();
                }
                ends.push_back((conn, mark));
            }
            None => self.ended.insert(place, VecDeque::from([(conn, mark)]), most),
        }
    }

    /// Says whether a request is of a session, and numbers that.
    pub(super) fn exchanged(&mut self, exchange: &mut Exchange, most: usize) -> bool {
        let Some(tie) = exchange.tie() else { return false };
        let first = exchange.asked.first;
        let place = Place::of(exchange.client, &exchange.url, Some(&tie));
        let id = exchange.id().map(|id| Id::of(exchange.server, tie.fallback, id));
        let known = match &id {
            Some(id) => self.by_id.get_mut(id).copied(),
            None => self.unnamed.get_mut(&place).copied(),
        };
        // An id in a query is no token of SignalR's unless a server gave it.
        let is_known = known.is_some() || tie.fallback != Fallback::SignalR || tie.step == Step::Negotiate;
        let (session, follows) = match known {
            _ if !is_known => return false,
            Some(known) => (known.session, None),
            None => {
                let unnamed = if id.is_some() { self.unnamed.take(&place) } else { None };
                let is_new = unnamed.is_none();
                let known = unnamed.unwrap_or_else(|| {
                    let follows = self.former(&place, first);
                    self.next(follows)
                });
                match id {
                    Some(id) => self.by_id.insert(id, known, most),
                    None => self.unnamed.insert(place, known, most),
                }
                (known.session, known.follows.filter(|_| is_new))
            }
        };
        exchange.session = session;
        exchange.reconnect_of = follows.map(|former| reconnect(former, first));
        true
    }

    /// A new session.
    const fn next(&mut self, follows: Option<(ConnId, Mark)>) -> Known {
        self.count = self.count.saturating_add(1);
        Known { session: SessionId(self.count), follows }
    }

    /// What ended last at a place before something began there; nothing else follows on it.
    fn former(&mut self, place: &Place, first: Mark) -> Option<(ConnId, Mark)> {
        let ends = self.ended.get_mut(place)?;
        let at = ends.iter().rposition(|(_, end)| end.packet < first.packet)?;
        let former = ends.remove(at);
        if ends.is_empty() {
            self.ended.take(place);
        }
        former
    }
}

fn reconnect((conn, end): (ConnId, Mark), first: Mark) -> Reconnect {
    Reconnect { conn, gap: first.since(end) }
}

/// A map that forgets what was added first.
#[derive(Debug)]
struct Recent<K, V> {
    /// Each with the number of its adding.
    values: HashMap<K, (V, u64)>,
    /// Keys as they were added; those whose number is another's are gone.
    order: VecDeque<(K, u64)>,
    added: u64,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { values: HashMap::default(), order: VecDeque::new(), added: 0 }
    }
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.values.get_mut(key).map(|(value, _)| value)
    }

    fn take(&mut self, key: &K) -> Option<V> {
        self.values.remove(key).map(|(value, _)| value)
    }

    /// Adds what is not there yet; keeps at most so many, and one at least.
    fn insert(&mut self, key: K, value: V, most: usize) {
        let most = most.max(1);
        while self.values.len() >= most {
            let Some((oldest, number)) = self.order.pop_front() else { break };
            if self.is_current(&oldest, number) {
                self.values.remove(&oldest);
            }
        }
        if self.order.len() >= 2 * most {
            let values = &self.values;
            self.order.retain(|(key, number)| values.get(key).is_some_and(|(_, own)| own == number));
        }
        self.added += 1;
        self.order.push_back((key.clone(), self.added));
        self.values.insert(key, (value, self.added));
    }

    fn is_current(&self, key: &K, number: u64) -> bool {
        self.values.get(key).is_some_and(|(_, own)| *own == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PacketNo, Span, Timestamp};
    use std::net::{IpAddr, Ipv4Addr};

    fn end(last: u8, port: u16) -> Endpoint {
        Endpoint { ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)).into(), port }
    }

    /// Packet n at n seconds.
    fn mark(packet: u64) -> Mark {
        let time = i64::try_from(packet).ok().map(|second| Timestamp::from_nanos(second * 1_000_000_000));
        Mark { packet: PacketNo(packet), time }
    }

    #[derive(Default)]
    struct Bench {
        sessions: Sessions,
        conns: u32,
        most: usize,
    }

    impl Bench {
        fn new() -> Self {
            Self { most: 100, ..Self::default() }
        }

        /// Session, and former connection with its distance in seconds.
        fn open(&mut self, client: u8, url: &str, packet: u64) -> (u32, Option<(u32, i64)>) {
            self.conns += 1;
            let ends = (end(client, 4000), end(9, 80));
            let (session, reconnect) =
                self.sessions.opened(ConnId(self.conns), ends, Some(url), mark(packet), self.most);
            (session.0, reconnect.map(seconds))
        }

        fn ask(
            &mut self,
            method: &str,
            url: &str,
            gives: Option<&str>,
            packet: u64,
        ) -> Option<(u32, Option<(u32, i64)>)> {
            let asked = Span { first: mark(packet), last: mark(packet) };
            let mut exchange = Exchange {
                session: SessionId(0),
                reconnect_of: None,
                client: end(1, 4001),
                server: end(9, 80),
                method: method.to_owned(),
                url: url.to_owned(),
                status: Some(200),
                gives: gives.map(str::to_owned),
                asked,
                answered: Some(asked),
                sent: 0,
                received: 0,
            };
            let is_told = self.sessions.exchanged(&mut exchange, self.most);
            is_told.then(|| (exchange.session.0, exchange.reconnect_of.map(seconds)))
        }

        fn end(&mut self, conn: u32, packet: u64) {
            self.sessions.ended(ConnId(conn), mark(packet), self.most);
        }
    }

    fn seconds(reconnect: Reconnect) -> (u32, i64) {
        (reconnect.conn.0, reconnect.gap.unwrap() / 1_000_000_000)
    }

    const POLL: &str = "http://h/socket.io/?EIO=4&transport=polling";
    const WEB: &str = "ws://h/socket.io/?EIO=4&transport=websocket";

    #[test]
    fn requests_and_connections_of_one_id_are_one_session() {
        let mut bench = Bench::new();
        assert_eq!(bench.ask("GET", POLL, Some("a"), 1), Some((1, None)));
        assert_eq!(bench.ask("GET", POLL, Some("b"), 2), Some((2, None)));
        assert_eq!(bench.ask("POST", &format!("{POLL}&sid=a"), None, 3), Some((1, None)));
        assert_eq!(bench.open(1, &format!("{WEB}&sid=b"), 4), (2, None));
        assert_eq!(bench.open(1, WEB, 5), (3, None), "one without an id is on its own");
        assert_eq!(bench.open(1, &format!("{WEB}&sid=late"), 6), (4, None));
        assert_eq!(bench.ask("GET", &format!("{POLL}&sid=late"), None, 7), Some((4, None)));
    }

    #[test]
    fn what_comes_before_an_id_is_of_the_session_that_gets_one() {
        let mut bench = Bench::new();
        assert_eq!(bench.ask("GET", "http://h/echo/info?t=1700000000000", None, 1), Some((1, None)));
        assert_eq!(bench.open(2, "ws://h/echo/000/x/websocket", 2), (2, None), "of another client");
        assert_eq!(bench.open(1, "ws://h/echo/001/y/websocket", 3), (1, None));
        assert_eq!(bench.open(1, "ws://h/echo/001/z/websocket", 4), (3, None));
        assert_eq!(bench.ask("POST", "http://h/echo/001/y/xhr_send", None, 5), Some((1, None)));
    }

    #[test]
    fn an_id_in_a_query_is_a_token_where_a_server_gave_it() {
        let mut bench = Bench::new();
        assert_eq!(bench.ask("GET", "http://h/hub?id=tok", None, 1), None);
        assert_eq!(bench.ask("POST", "http://h/hub/negotiate", Some("tok"), 2), Some((1, None)));
        assert_eq!(bench.ask("GET", "http://h/hub?id=tok", None, 3), Some((1, None)));
        assert_eq!(bench.open(1, "ws://h/hub?id=tok", 4), (1, None));
        assert_eq!(bench.open(1, "ws://h/hub?id=other", 5), (2, None));
    }

    #[test]
    fn a_client_that_comes_back_follows_what_ended_last() {
        let mut bench = Bench::new();
        let url = |query: &str| format!("ws://h/feed?{query}");
        for packet in [1, 2, 3] {
            assert_eq!(bench.open(1, &url("a"), packet).1, None);
        }
        bench.end(2, 10);
        bench.end(1, 20);
        assert_eq!(bench.open(1, &url("b"), 15).1, Some((2, 5)), "the other ends later than this begins");
        assert_eq!(bench.open(2, &url("b"), 25).1, None, "another client");
        assert_eq!(bench.open(1, "ws://h/other", 25).1, None, "another place");
        assert_eq!(bench.open(1, &url("c"), 27).1, Some((1, 7)));
        assert_eq!(bench.open(1, &url("d"), 28).1, None, "each is followed once");
        bench.end(3, 30);
        bench.end(3, 99);
        assert_eq!(bench.open(1, &url("e"), 31).1, Some((3, 1)), "an end is told once");
    }

    #[test]
    fn a_session_that_begins_with_requests_follows_what_was_before() {
        let mut bench = Bench::new();
        bench.ask("GET", POLL, Some("a"), 1);
        bench.open(1, &format!("{WEB}&sid=a"), 2);
        bench.end(1, 10);
        assert_eq!(bench.ask("GET", POLL, Some("b"), 12), Some((2, Some((1, 2)))));
        assert_eq!(bench.ask("GET", &format!("{POLL}&sid=b"), None, 13), Some((2, None)));
        assert_eq!(bench.open(1, &format!("{WEB}&sid=b"), 14), (2, Some((1, 4))));
        bench.end(2, 15);
        assert_eq!(bench.open(1, &format!("{WEB}&sid=b"), 16), (2, Some((2, 1))), "one session may have several");
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut bench = Bench { most: 3, ..Bench::new() };
        for (packet, id) in (1..).zip(["a", "b", "c", "d"]) {
            bench.ask("GET", &format!("{POLL}&sid={id}"), None, packet);
        }
        assert_eq!(bench.ask("GET", &format!("{POLL}&sid=b"), None, 9), Some((2, None)));
        assert_eq!(bench.ask("GET", &format!("{POLL}&sid=a"), None, 9), Some((5, None)));
        for packet in 10..1000 {
            let place = format!("ws://h/{packet}");
            bench.open(1, &place, packet);
            bench.end(bench.conns, packet);
            bench.open(1, &place, packet + 1);
            assert!(bench.sessions.ended.order.len() <= 7, "{packet}");
            assert!(bench.sessions.ended.values.len() <= 3, "{packet}");
        }
    }
}
