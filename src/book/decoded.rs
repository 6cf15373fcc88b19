//! What messages say, as far as it was asked: of each connection from its beginning on, a few milliseconds at a time.
//!
//! ```text
//! messages of a connection ─▶ Session ─┬▶ Gist: event, heartbeat, what it belongs to; kept of each message
//!                                      └▶ now and then a fork ─▶ Cursor: any message, whole
//! ```

use super::table::{Bytes, Row, Spool, Strand, Table};
use super::{Book, MessageId};
use crate::decode::{Hints, Schema, Session, Speaker};
use crate::filter::{Speaks, begin, schema_of};
use crate::model::{Connection, Decoded, Limits, Message, Moment};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Messages between two places from which a connection can be heard again, where there are few.
const APART: usize = 256;

/// Bytes of payloads between them, but for the last one.
const BYTES_APART: usize = 256 << 10;

/// Bytes of earlier messages that a fork may have in any case; more when so much was said since the one before.
const FORKED: usize = 4096;

/// Forks of one connection, and bytes of earlier messages in them: of more each second one goes.
const FORKS: usize = 4096;
const FORKS_HELD: usize = 8 << 20;

/// Messages that are heard between two looks at the clock.
const AT_ONCE: usize = 16;

/// Bytes of a payload after which one looks at once.
const LARGE: usize = 16 << 10;

/// Names of events that are told apart.
const NAMES: usize = 4096;

/// Characters of such a name.
const NAME: usize = 64;

/// Of a longer payload nothing is decoded, and no field told: the screen would wait for it.
pub const LONGEST: u64 = 1 << 20;

/// What is kept of what each message says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Packed {
    /// From 1 in the list of names; 0: it has none.
    event: u32,
    /// The number of the message that it answers, or of the first that answers it; 0: none.
    related: u32,
    heartbeat: bool,
    /// It is the one that answers.
    answers: bool,
}

impl Row for Packed {
    const BYTES: usize = 9;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.event.to_le_bytes());
        out.extend(self.related.to_le_bytes());
        out.push(u8::from(self.heartbeat) | u8::from(self.answers) << 1);
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        let (event, related, flags) = (from.u32()?, from.u32()?, from.u8()?);
        Some(Self { event, related, heartbeat: flags & 1 != 0, answers: flags & 2 != 0 })
    }
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

    /// What is kept of what a message says.
    fn gist(&mut self, decoded: &Decoded<'_>) -> Packed {
        let asked = decoded.replies().next().map(|reply| u32::try_from(reply.to).unwrap_or(0));
        Packed {
            event: decoded.events().next().map_or(0, |event| self.place(event)),
            related: asked.unwrap_or(0),
            heartbeat: decoded.is_heartbeat(),
            answers: asked.is_some(),
        }
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
    gists: Strand<Packed>,
    forks: Forks,
}

/// Places from which a connection can be heard again.
#[derive(Debug, Default)]
struct Forks {
    /// How many messages came before each.
    all: Vec<(usize, Session)>,
    /// Bytes of earlier messages in them.
    held: usize,
    /// Bytes of payloads since the last.
    since: usize,
    /// How often they were thinned out: so many times further they stand apart.
    thinned: u32,
}

impl Forks {
    /// Keeps one where it is time for that: `at` messages came before.
    fn offer(&mut self, at: usize, session: &Session) {
        let last = self.all.last().map_or(0, |(at, _)| *at);
        let is_due = at - last >= APART << self.thinned || self.since >= BYTES_APART << self.thinned;
        let held = session.held();
        if !is_due || held > self.since.max(FORKED) {
            return;
        }
        self.all.push((at, session.clone()));
        self.held += held;
        self.since = 0;
        if self.all.len() > FORKS || self.held > FORKS_HELD {
            let mut nth = 0;
            self.all.retain(|_| {
                nth += 1;
                nth % 2 == 0
            });
            self.held = self.all.iter().map(|(_, session)| session.held()).sum();
            self.thinned = (self.thinned + 1).min(16);
        }
    }

    /// The last one with at most so many messages before it.
    fn before(&self, at: usize) -> Option<&(usize, Session)> {
        self.all.get(self.all.partition_point(|(before, _)| *before <= at).checked_sub(1)?)
    }
}

/// What was heard of all connections.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    said: Vec<Speaks>,
    heard: HashMap<usize, Heard>,
    /// Pages of the gists of all connections.
    gists: Table<Packed>,
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

    /// Hears a connection up to there: so many of its messages. What is to be kept of them, and whether that is all.
    fn go_on(&mut self, book: &Book, conn: usize, upto: usize, until: Instant) -> (Vec<Packed>, bool) {
        let before = self.heard.remove(&conn);
        let begin = || Heard { session: self.session(book, conn), gists: Strand::default(), forks: Forks::default() };
        let mut heard = before.unwrap_or_else(begin);
        let all = book.messages_of(conn);
        let ids = all.within(..upto);
        let (mut payload, mut gists) = (Vec::new(), Vec::new());
        let mut at = heard.gists.len();
        while let Some(id) = ids.get(at) {
            heard.forks.offer(at, &heard.session);
            self.held -= heard.session.held();
            let gist = hear(book, id, &mut heard.session, &mut payload, |decoded| self.names.gist(decoded));
            if self.held + heard.session.held() > Limits::DEFAULT.decoder_total {
                heard.session.forget();
            }
            self.held += heard.session.held();
            gists.push(gist.unwrap_or_default());
            heard.forks.since += payload.len();
            at += 1;
            if ((at - 1).is_multiple_of(AT_ONCE) || payload.len() > LARGE) && Instant::now() >= until {
                break;
            }
        }
        // Nothing more will be said.
        if at == all.len() && book.connection(conn).is_some_and(|conn| conn.closed.is_some()) {
            self.held -= heard.session.held();
            heard.session.forget();
            self.held += heard.session.held();
        }
        self.heard.insert(conn, heard);
        (gists, at >= ids.len())
    }

    /// Keeps what was heard of a connection's next messages; a message that was asked for learns which answers it first.
    fn keep(&mut self, conn: usize, gists: Vec<Packed>, spool: &mut Spool) {
        let Some(heard) = self.heard.get_mut(&conn) else { return };
        for gist in gists {
            heard.gists.push(gist, &mut self.gists, spool);
            let asked_at = (gist.related as usize).wrapping_sub(1);
            if gist.answers
                && let Some(asked) = heard.gists.get(asked_at, &self.gists, spool)
                && asked.related == 0
            {
                let related = u32::try_from(heard.gists.len()).unwrap_or(0);
                heard.gists.set(asked_at, Packed { related, ..asked }, &mut self.gists, spool);
            }
        }
    }

    fn gist(&self, conn: usize, at: usize, spool: &Spool) -> Option<Packed> {
        self.heard.get(&conn)?.gists.get(at, &self.gists, spool)
    }
}

/// Lets a session hear a message of the book; what is made of that.
fn hear<T>(
    book: &Book,
    id: MessageId,
    session: &mut Session,
    payload: &mut Vec<u8>,
    then: impl FnOnce(&Decoded<'_>) -> T,
) -> Option<T> {
    payload.clear();
    let row = book.message(id)?;
    if row.opcode.is_control() {
        return None;
    }
    if row.kept <= LONGEST {
        book.payload_into(&row, payload);
    }
    session.message(&within(&row.message(payload), row.kept)).as_ref().map(then)
}

/// A message as it is decoded: one that is too long as one of which nothing can be known.
pub(super) fn within<'m>(message: &Message<'m>, kept: u64) -> Message<'m> {
    Message { undecoded: message.undecoded || kept > LONGEST, ..*message }
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
        let row = book.message(id)?;
        let at = usize::try_from(row.number).ok()?.checked_sub(1)?;
        let heard = hearing.heard.get(&row.conn).filter(|heard| at < heard.gists.len())?;
        let fork = heard.forks.before(at);
        let from = fork.map_or(0, |(before, _)| *before);
        let is_near = |place: &Place| {
            place.conn == row.conn && place.revision == hearing.revision && (from..=at).contains(&place.next)
        };
        let begin = || Place {
            conn: row.conn,
            next: from,
            session: fork.map_or_else(|| hearing.session(book, row.conn), |(_, session)| session.clone()),
            revision: hearing.revision,
        };
        let mut place = self.place.take().filter(is_near).unwrap_or_else(begin);
        for id in book.messages_of(row.conn).within(place.next..at).iter() {
            hear(book, id, &mut place.session, &mut self.payload, |_| ());
        }
        let decoded = place.session.message(&within(message, row.kept));
        place.next = at + 1;
        self.place = Some(place);
        decoded
    }
}

impl Cursor {
    /// What stands behind the message that was read last, at that moment; `None` of another.
    pub(super) fn moment(&self, book: &Book, id: MessageId) -> Option<Moment> {
        let row = book.message(id)?;
        let is_there = |place: &&Place| {
            (place.conn, place.next as u64, place.revision) == (row.conn, row.number, book.hearing.revision)
        };
        self.place.as_ref().filter(is_there).map(|place| place.session.state(row.last))
    }
}

impl Book {
    /// What is known of a connection before anything is said in it, and what the user says that it speaks.
    pub(super) fn begin(&self, conn: &Connection) -> (Hints, Option<Speaker>) {
        begin(&self.hearing.said, conn)
    }

    /// The schema that the user names.
    pub fn schema(&self) -> Option<&Schema> {
        schema_of(&self.hearing.said)
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
        let hearing = Hearing { said, revision: revision + 1, ..Hearing::default() };
        *self = Self { hearing, ..Self::new(&self.limits) };
    }

    /// Hears a connection up to that message, until then. True when that is done.
    pub fn hear(&mut self, id: MessageId, until: Instant) -> bool {
        let Some(row) = self.message(id) else { return true };
        let (conn, upto) = (row.conn, usize::try_from(row.number).unwrap_or(usize::MAX));
        if self.heard_of(conn) >= upto {
            return true;
        }
        let mut hearing = std::mem::take(&mut self.hearing);
        let (gists, is_done) = hearing.go_on(self, conn, upto, until);
        hearing.keep(conn, gists, &mut self.spool);
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
        let packed = self.hearing.gist(row.conn, usize::try_from(row.number).ok()?.checked_sub(1)?, &self.spool)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::table::tests::survives;

    #[test]
    fn gists_survive_the_file() {
        survives(Packed { event: u32::MAX, related: 7, heartbeat: true, answers: false });
        survives(Packed { event: 0, related: u32::MAX, heartbeat: false, answers: true });
    }
}
