//! Requests that wait for their reply, and replies that find theirs.

use crate::model::{Change, Direction, Key, Mark, Pairing, Reply, Unit};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of an id; a longer one is of no request that is kept.
const ID: usize = 256;

/// Characters of an event that are kept.
const EVENT: usize = 64;

/// The open requests of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs {
    open: HashMap<(Direction, Key<'static>), Asked, foldhash::fast::RandomState>,
    /// In the order in which they were asked, each with its turn; some are answered by now.
    order: VecDeque<(u64, (Direction, Key<'static>))>,
    /// Requests so far.
    turn: u64,
    /// There was no room for some of them.
    forgot: bool,
}

#[derive(Debug, Clone)]
struct Asked {
    number: u64,
    at: Mark,
    turn: u64,
    event: Option<Arc<str>>,
    /// Answers so far.
    replies: u64,
    /// It opened something that stands.
    opens: bool,
}

/// A request that is open.
#[derive(Debug)]
pub(super) struct Open<'p> {
    pub(super) dir: Direction,
    pub(super) id: &'p str,
    pub(super) event: Option<&'p str>,
    /// The message that asked, and when.
    pub(super) number: u64,
    pub(super) at: Mark,
    /// Answers so far.
    pub(super) replies: u64,
}

impl Asked {
    /// What is answered at that time.
    fn reply(self, at: Mark) -> Reply {
        Reply { to: self.number, latency: at.since(self.at), event: self.event }
    }
}

impl Pairs {
    /// Says of a unit what it answers, and keeps what it asks. `most`: requests that are kept; of more the oldest go.
    pub(super) fn pair(&mut self, unit: &mut Unit<'_>, dir: Direction, number: u64, at: Mark, most: usize) {
        let (asker, key, ends) = match &unit.pairing {
            Pairing::Alone => return,
            Pairing::Asks(key) => {
                let event = unit.event.as_deref().map(|event| event.chars().take(EVENT).collect::<String>().into());
                let opens = unit.changes.iter().any(|change| matches!(change, Change::Opens { .. }));
                return self.ask((dir, key), Asked { number, at, turn: 0, event, replies: 0, opens }, most);
            }
            Pairing::Answers { key, last } => (dir.reverse(), key, *last),
            Pairing::Settles(keys) => {
                let asked = keys.iter().filter_map(|key| self.open.remove(&(dir.reverse(), key.clone().into_owned())));
                unit.reply = asked.min_by_key(|asked| asked.turn).map(|asked| asked.reply(at));
                return;
            }
            Pairing::Drops(key) => (dir, key, true),
        };
        let place = (asker, key.clone().into_owned());
        let asked = if ends {
            self.open.remove(&place)
        } else {
            self.open.get_mut(&place).map(|asked| {
                asked.replies += 1;
                asked.clone()
            })
        };
        if matches!(unit.pairing, Pairing::Answers { .. }) {
            unit.reply = asked.map(|asked| asked.reply(at));
        }
    }

    fn ask(&mut self, (dir, key): (Direction, &Key<'_>), asked: Asked, most: usize) {
        if key.id.len() > ID {
            self.forgot = true;
            return;
        }
        self.turn += 1;
        let (turn, place) = (self.turn, (dir, key.clone().into_owned()));
        self.order.push_back((turn, place.clone()));
        self.open.insert(place, Asked { turn, ..asked });
        let is_open = |open: &HashMap<_, Asked, _>, (turn, place): &(u64, _)| {
            open.get(place).is_some_and(|asked: &Asked| asked.turn == *turn)
        };
        while self.open.len() > most {
            let Some(oldest) = self.order.pop_front() else { break };
            if is_open(&self.open, &oldest) {
                self.open.remove(&oldest.1);
                self.forgot = true;
            }
        }
        if self.order.len() > 2 * most {
            let open = &self.open;
            self.order.retain(|asked| is_open(open, asked));
        }
    }

    /// The requests that wait for an answer, the oldest first: not those that were answered once and opened what stands by itself.
    pub(super) fn waiting(&self) -> impl Iterator<Item = Open<'_>> {
        self.order.iter().filter_map(|(turn, place)| {
            let (asked, (dir, key)) = (self.open.get(place).filter(|asked| asked.turn == *turn)?, place);
            let &Asked { number, at, replies, opens, ref event, .. } = asked;
            let open = Open { dir: *dir, id: &key.id, event: event.as_deref(), number, at, replies };
            (replies == 0 || !opens).then_some(open)
        })
    }

    /// Whether open requests were forgotten.
    pub(super) const fn has_forgotten(&self) -> bool {
        self.forgot
    }

    /// Bytes that are kept, about.
    pub(super) fn held(&self) -> usize {
        const EACH: usize = 384;
        self.order.len() * EACH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, PacketNo, Timestamp, Value};
    use Direction::{ToClient, ToServer};

    fn mark(packet: u64) -> Mark {
        Mark { packet: PacketNo(packet), time: Some(Timestamp::from_nanos(packet as i64 * 10)) }
    }

    /// A reply says what was asked, though itself it has no event.
    #[test]
    fn replies_know_the_event_of_their_request() {
        let mut pairs = Pairs::default();
        let unit = |pairing, event: Option<&str>| {
            let event = event.map(|event| event.to_owned().into());
            Unit { pairing, event, ..Unit::new("", Node::from(Value::Null)) }
        };
        pairs.pair(&mut unit(Pairing::Asks(key("7")), Some(&"é".repeat(100))), ToServer, 1, mark(1), 3);
        let mut reply = unit(answer("7", true), None);
        pairs.pair(&mut reply, ToClient, 2, mark(2), 3);
        assert_eq!(reply.reply.unwrap().event.as_deref(), Some(&*"é".repeat(EVENT)));
    }

    /// The message that a unit of this pairing answers, and after how long.
    fn tell(pairs: &mut Pairs, dir: Direction, number: u64, pairing: Pairing<'_>) -> Option<(u64, i64)> {
        let mut unit = Unit { pairing, ..Unit::new("", Node::from(Value::Null)) };
        pairs.pair(&mut unit, dir, number, mark(number), 3);
        unit.reply.map(|reply| (reply.to, reply.latency.unwrap()))
    }

    fn key(id: &str) -> Key<'_> {
        Key { space: "", id: id.into() }
    }

    fn answer(id: &str, last: bool) -> Pairing<'_> {
        Pairing::Answers { key: key(id), last }
    }

    #[test]
    fn replies_find_their_request() {
        let mut pairs = Pairs::default();
        assert_eq!(tell(&mut pairs, ToServer, 1, Pairing::Asks(key("7"))), None);
        assert_eq!(tell(&mut pairs, ToClient, 2, Pairing::Asks(key("7"))), None, "both ends may use an id");
        assert_eq!(tell(&mut pairs, ToClient, 3, answer("8", true)), None);
        assert_eq!(tell(&mut pairs, ToClient, 4, answer("7", false)), Some((1, 30)));
        assert_eq!(tell(&mut pairs, ToClient, 5, answer("7", true)), Some((1, 40)));
        assert_eq!(tell(&mut pairs, ToClient, 6, answer("7", true)), None, "it was answered for good");
        assert_eq!(tell(&mut pairs, ToServer, 7, answer("7", true)), Some((2, 50)));
        tell(&mut pairs, ToServer, 8, Pairing::Asks(key("9")));
        tell(&mut pairs, ToServer, 9, Pairing::Drops(key("9")));
        assert_eq!(tell(&mut pairs, ToClient, 10, answer("9", true)), None);
    }

    #[test]
    fn of_many_requests_the_oldest_go() {
        let mut pairs = Pairs::default();
        let ids: Vec<String> = (0..1000).map(|id| id.to_string()).collect();
        for (at, id) in ids.iter().enumerate() {
            tell(&mut pairs, ToServer, at as u64, Pairing::Asks(key(id)));
        }
        assert_eq!(pairs.open.len(), 3);
        assert_eq!(tell(&mut pairs, ToClient, 1000, answer("996", true)), None);
        assert_eq!(tell(&mut pairs, ToClient, 1001, answer("997", true)), Some((997, 40)));
        for at in 0..1000 {
            tell(&mut pairs, ToServer, at, Pairing::Asks(key("x")));
            tell(&mut pairs, ToClient, at, answer("x", true));
        }
        assert!(pairs.order.len() <= 6, "{}", pairs.order.len());
        let long = "x".repeat(ID + 1);
        tell(&mut pairs, ToServer, 1, Pairing::Asks(key(&long)));
        assert_eq!(tell(&mut pairs, ToClient, 2, answer(&long, true)), None);
    }
}
