//! What messages say, as far as it was asked: of each connection from its beginning on, a few milliseconds at a time.
//!
//! ```text
//! messages of a connection ─▶ Session ─┬▶ Gist: event, heartbeat, what it belongs to; kept of each message
//!                                      └▶ now and then a fork ─▶ Cursor: any message, whole
//! ```

use super::{Book, MessageId};
use crate::decode::{Hints, Session, Speaker};
use crate::filter::{Speaks, begin};
use crate::model::{Connection, Decoded, Limits, Message, Pairing, Reply, Unit};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Messages between two places from which a connection can be heard again, at most.
const APART: usize = 256;

/// Bytes of payloads between them, but for the last one.
const BYTES_APART: usize = 256 << 10;

/// Messages that are heard between two looks at the clock.
const AT_ONCE: usize = 16;

/// Bytes of a payload after which one looks at once.
const LARGE: usize = 16 << 10;

/// Names of events that are told apart.
const NAMES: usize = 4096;

/// Characters of such a name.
const NAME: usize = 64;

/// Of a longer payload nothing is decoded: the screen would wait for it.
const LONGEST: u64 = 1 << 20;

/// What is kept of what each message says.
#[derive(Debug, Clone, Copy, Default)]
struct Packed {
    /// From 1 in the list of names; 0: it has none.
    event: u32,
    /// The number of the message that it answers, or of the first that answers it; 0: none.
    related: u32,
    heartbeat: bool,
    /// It is the one that answers.
    answers: bool,
}

/// What a message says, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gist<'b> {
    /// The name of its event, of a very long one the beginning; not escaped.
    pub event: Option<&'b str>,
    /// It only keeps the connection alive.
    pub heartbeat: bool,
    /// The message that it answers, or the first that answers it.
    pub related: Option<MessageId>,
}

/// The names of events, each once.
#[derive(Debug, Default)]
struct Names {
    all: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
}

impl Names {
    /// What stands for a name; of those that are too many the word for them.
    fn place(&mut self, name: &str) -> u32 {
        let end = name.char_indices().nth(NAME).map_or(name.len(), |(at, _)| at);
        let name = name.get(..end).unwrap_or(name);
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let name: Arc<str> = if self.all.len() < NAMES { name.into() } else { "(others)".into() };
        let next = u32::try_from(self.all.len() + 1).unwrap_or(u32::MAX);
        let place = *self.places.entry(name.clone()).or_insert(next);
        if place == next {
            self.all.push(name);
        }
        place
    }

    fn get(&self, place: u32) -> Option<&Arc<str>> {
        self.all.get((place as usize).checked_sub(1)?)
    }
}

/// What was heard of a connection.
#[derive(Debug)]
struct Heard {
    session: Session,
    /// Of each message, from the first on.
    gists: Vec<Packed>,
    /// From where it can be heard again: how many messages came before.
    forks: Vec<(usize, Session)>,
    /// Bytes of payloads since then.
    since: usize,
}

/// What was heard of all connections.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    said: Vec<Speaks>,
    heard: HashMap<usize, Heard>,
    names: Names,
    /// Bytes of earlier messages that all sessions keep.
    held: usize,
    /// Changes whenever all has to be heard anew.
    revision: u64,
}

impl Hearing {
    /// A session that has heard nothing of a connection.
    fn session(&self, book: &Book, conn: usize) -> Session {
        let (hints, speaker) = book.connection(conn).map_or_else(Default::default, |conn| begin(&self.said, conn));
        Session::spoken(hints, speaker, &Limits::DEFAULT)
    }

    /// Hears a connection up to there: so many of its messages. True when that is done.
    fn go_on(&mut self, book: &Book, conn: usize, upto: usize, until: Instant) -> bool {
        let before = self.heard.remove(&conn);
        let begin = || Heard { session: self.session(book, conn), gists: Vec::new(), forks: Vec::new(), since: 0 };
        let mut heard = before.unwrap_or_else(begin);
        self.held -= heard.session.held();
        let ids = book.messages_of(conn);
        let ids = ids.get(..upto.min(ids.len())).unwrap_or(ids);
        let mut payload = Vec::new();
        while let Some(&id) = ids.get(heard.gists.len()) {
            let at = heard.gists.len();
            if at > 0 && (at.is_multiple_of(APART) || heard.since >= BYTES_APART) {
                heard.forks.extend(heard.session.fork().map(|fork| (at, fork)));
                heard.since = 0;
            }
            let gist = hear(book, id, &mut heard.session, &mut payload, &mut self.names).unwrap_or_default();
            if gist.answers
                && let Some(asked) = heard.gists.get_mut((gist.related as usize).wrapping_sub(1))
                && asked.related == 0
            {
                asked.related = u32::try_from(at + 1).unwrap_or(0);
            }
            heard.gists.push(gist);
            heard.since += payload.len();
            if (at.is_multiple_of(AT_ONCE) || payload.len() > LARGE) && Instant::now() >= until {
                break;
            }
        }
        if self.held + heard.session.held() > Limits::DEFAULT.decoder_total {
            heard.session.forget();
        }
        self.held += heard.session.held();
        let is_done = heard.gists.len() >= ids.len();
        self.heard.insert(conn, heard);
        is_done
    }

    fn gist(&self, conn: usize, at: usize) -> Option<Packed> {
        self.heard.get(&conn)?.gists.get(at).copied()
    }
}

/// Lets a session hear a message of the book.
fn hear(book: &Book, id: MessageId, session: &mut Session, payload: &mut Vec<u8>, names: &mut Names) -> Option<Packed> {
    payload.clear();
    let row = book.message(id)?;
    if row.opcode.is_control() {
        return None;
    }
    if row.kept > LONGEST {
        session.lost(row.dir);
        return None;
    }
    book.payload_into(&row, payload);
    let decoded = session.message(&row.message(payload))?;
    let asked = decoded.replies().next().map(|reply| u32::try_from(reply.to).unwrap_or(0));
    Some(Packed {
        event: decoded.events().next().map_or(0, |event| names.place(event)),
        related: asked.unwrap_or(0),
        heartbeat: decoded.is_heartbeat(),
        answers: asked.is_some(),
    })
}

/// A place in a connection from which it is heard again.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    place: Option<Place>,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Place {
    conn: usize,
    /// Messages before it.
    next: usize,
    session: Session,
    revision: u64,
}

impl Cursor {
    /// What a message says that was heard before: whole.
    pub(super) fn read<'m>(&mut self, book: &Book, id: MessageId, message: &Message<'m>) -> Option<Decoded<'m>> {
        let hearing = &book.hearing;
        let conn = book.message(id)?.conn;
        let at = usize::try_from(message.number).ok()?.checked_sub(1)?;
        let heard = hearing.heard.get(&conn)?;
        let gist = *heard.gists.get(at)?;
        let is_near = |place: &Place| {
            place.conn == conn
                && place.revision == hearing.revision
                && (at.saturating_sub(APART)..=at).contains(&place.next)
        };
        let mut place = self.place.take().filter(is_near).unwrap_or_else(|| {
            let fork = heard.forks.partition_point(|(before, _)| *before <= at).checked_sub(1);
            let (next, session) = match fork.and_then(|fork| heard.forks.get(fork)) {
                Some((before, session)) => (*before, session.beside()),
                None => (0, hearing.session(book, conn)),
            };
            Place { conn, next, session, revision: hearing.revision }
        });
        for &id in book.messages_of(conn).get(place.next..at)? {
            hear(book, id, &mut place.session, &mut self.payload, &mut Names::default());
        }
        let decoded = if message.body.kept.len() as u64 > LONGEST {
            place.session.lost(message.dir);
            None
        } else {
            place.session.message(message)
        };
        place.next = at + 1;
        self.place = Some(place);
        let mut decoded = decoded?;
        // What was asked before the fork the session cannot know.
        let unpaired = |unit: &&mut Unit<'_>| unit.reply.is_none() && matches!(unit.pairing, Pairing::Answers { .. });
        if gist.answers
            && let Some(unit) = decoded.units.iter_mut().find(unpaired)
            && let Some(asked) = book.numbered(conn, gist.related.into()).and_then(|id| book.message(id))
        {
            let event = hearing.gist(conn, gist.related as usize - 1).and_then(|asked| hearing.names.get(asked.event));
            unit.reply = Some(Reply {
                to: gist.related.into(),
                latency: message.brought.since(asked.last),
                event: event.cloned(),
            });
        }
        Some(decoded)
    }
}

impl Book {
    /// What is known of a connection before anything is said in it, and what the user says that it speaks.
    pub(super) fn begin(&self, conn: &Connection) -> (Hints, Option<Speaker>) {
        begin(&self.hearing.said, conn)
    }

    /// What the user says that connections speak, before what was said of that earlier. All is heard anew.
    pub fn set_speaks(&mut self, mut said: Vec<Speaks>) {
        said.append(&mut self.hearing.said);
        let revision = self.hearing.revision + 1;
        self.hearing = Hearing { said, revision, ..Hearing::default() };
        self.generation += 1;
    }

    /// Forgets all that was learned, not what the user says that connections speak.
    pub fn begin_again(&mut self) {
        let Hearing { said, revision, .. } = std::mem::take(&mut self.hearing);
        *self = Self { hearing: Hearing { said, revision: revision + 1, ..Hearing::default() }, ..Self::default() };
    }

    /// Hears a connection up to that message, until then. True when that is done.
    pub fn hear(&mut self, id: MessageId, until: Instant) -> bool {
        let Some(row) = self.message(id) else { return true };
        let (conn, upto) = (row.conn, usize::try_from(row.number).unwrap_or(usize::MAX));
        if self.heard_of(conn) >= upto {
            return true;
        }
        let mut hearing = std::mem::take(&mut self.hearing);
        let is_done = hearing.go_on(self, conn, upto, until);
        self.hearing = hearing;
        is_done
    }

    /// How many messages of a connection were heard, from the first on.
    pub fn heard_of(&self, conn: usize) -> usize {
        self.hearing.heard.get(&conn).map_or(0, |heard| heard.gists.len())
    }

    /// What a message says, in short; `None` where it was not heard so far.
    pub fn gist(&self, id: MessageId) -> Option<Gist<'_>> {
        let row = self.message(id)?;
        let packed = self.hearing.gist(row.conn, usize::try_from(row.number).ok()?.checked_sub(1)?)?;
        Some(Gist {
            event: self.hearing.names.get(packed.event).map(|name| &**name),
            heartbeat: packed.heartbeat,
            related: self.numbered(row.conn, packed.related.into()),
        })
    }

    /// Changes whenever all is heard anew.
    pub const fn hearing_revision(&self) -> u64 {
        self.hearing.revision
    }
}
