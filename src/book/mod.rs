//! The index of all events for browsing: small rows in memory, payloads in a bounded store.
//!
//! ```text
//! reader thread                              screen's thread
//! Event ─▶ Recorder ─▶ Batch ─▶ (channel) ─▶ Book::absorb ─▶ connections, messages, frames, findings
//!                                                          └▶ store: payload bytes, spilled past a budget
//! ```
//!
//! What it costs: 28 bytes a message, 12 more where it was heard what that says, and 32 a frame (in TLS and HTTP/2 64 for each record or
//! DATA frame), half a kB a connection (in TLS a quarter more), plus the store's budget for payloads and heads. Rows past
//! [`Limits::index_bytes`] are in a temporary file, and read back in small blocks.

mod absorb;
mod ask;
mod decoded;
mod ids;
mod pack;
mod packed;
mod record;
mod row;
mod scratch;
mod sift;
mod store;
mod table;

pub use ask::{Desk, ROWS};
pub use decoded::{Gist, LONGEST};
pub use ids::Ids;
pub use record::{Batch, Recorder, close_of};
pub use row::{Finding, FrameRow, MessageRow};
pub use sift::Sift;

use crate::model::{
    Both, ConnId, Connection, Direction, Envelope, Facts, FileRuns, Handshake, Hole, Limits, Mark, Opcode, PacketNo,
    RequestLog, Requests, SessionId, Severities, Severity, TlsSession, Wait,
};
use absorb::{Latest, MAX_SESSIONS, Pending};
use decoded::Hearing;
use packed::{LongFrame, Odd, PackedFrame, PackedMessage, Rare};
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;
use store::Store;
use table::{Spool, Strand, Table, partition_point};

/// Bytes of payloads and handshakes kept in memory; the rest goes to a temporary file, which the system caches as it can.
const PAYLOAD_BUDGET: usize = 8 << 20;

/// A message's place in the book: stays the same while the book grows, and grows with the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u32);

/// A connection with what the book knows beyond its row.
#[derive(Debug)]
struct Talk {
    connection: Connection,
    messages: Strand<MessageId>,
    /// Those with a warning or an error.
    problems: Option<Box<Strand<MessageId>>>,
    /// Where the store has the whole handshake, and its length there.
    handshake: Option<(u64, u32)>,
    /// Frames whose message is not complete, while there are any.
    pending: Option<Box<Both<Pending>>>,
    /// What carries it, if it was told.
    carriers: Option<Box<Both<Carriers>>>,
    /// The packet in which the last frame ended, and how many ended there.
    last_frame: (PacketNo, u16),
}

/// The TLS records, and the DATA frames of HTTP/2, of one direction of a connection.
#[derive(Debug, Default)]
struct Carriers {
    records: Strand<Envelope>,
    data: Strand<Envelope>,
}

/// Everything that was learned from a capture, for looking at it in any order.
#[derive(Debug)]
pub struct Book {
    limits: Limits,
    talks: Vec<Talk>,
    messages: Table<PackedMessage>,
    frames: Table<PackedFrame>,
    long_frames: Table<LongFrame>,
    rare: Table<Rare>,
    holes: Table<Hole>,
    waits: Table<Wait>,
    /// Pages of the messages of all connections.
    ids: Table<MessageId>,
    /// Pages of their records and DATA frames.
    carriers: Table<Envelope>,
    spool: Spool,
    latest: Option<Latest>,
    /// Frames whose message is not complete.
    waiting: usize,
    findings: Vec<Finding>,
    /// TLS sessions with connections inside, by the number of their stream.
    sessions: HashMap<u32, TlsSession>,
    /// TLS sessions of streams without a connection.
    apart: Vec<(u32, TlsSession)>,
    /// The requests of sessions, outside of any connection.
    requests: RequestLog,
    /// By which connection another is followed at the same place.
    followed: HashMap<ConnId, ConnId>,
    sessions_dropped: u64,
    severities: Severities,
    lacks_keys: bool,
    start: Option<Mark>,
    files: FileRuns,
    facts: Facts,
    beyond: u64,
    /// Batches that were taken in.
    learned: u64,
    generation: u64,
    /// What passes the filter, where there is one.
    sift: Option<Sift>,
    revision: u64,
    /// Messages that are otherwise than when the filter was asked of them.
    changed: Vec<MessageId>,
    hearing: Hearing,
    store: Store,
}

impl Default for Book {
    fn default() -> Self {
        Self::new(&Limits::DEFAULT)
    }
}

impl Book {
    /// An empty book that keeps as much as these bounds allow.
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            talks: Vec::new(),
            messages: Table::default(),
            frames: Table::default(),
            long_frames: Table::default(),
            rare: Table::default(),
            holes: Table::default(),
            waits: Table::default(),
            ids: Table::default(),
            carriers: Table::default(),
            spool: Spool::new(limits),
            latest: None,
            waiting: 0,
            findings: Vec::new(),
            sessions: HashMap::new(),
            apart: Vec::new(),
            requests: RequestLog::default(),
            followed: HashMap::new(),
            sessions_dropped: 0,
            severities: Severities::default(),
            lacks_keys: false,
            start: None,
            files: FileRuns::default(),
            facts: Facts::default(),
            beyond: 0,
            learned: 0,
            generation: 0,
            sift: None,
            revision: 0,
            changed: Vec::new(),
            hearing: Hearing::default(),
            store: Store::new(PAYLOAD_BUDGET, limits.payload_file),
        }
    }

    /// A packet's number, and where it stands if there are several files; not escaped.
    pub fn place(&self, packet: PacketNo) -> String {
        self.files.place(packet)
    }

    /// The comments on a packet; not escaped.
    pub fn comments(&self, packet: PacketNo) -> &[String] {
        self.facts.comments.get(&packet).map_or(&[], Vec::as_slice)
    }

    /// The name that the capture has for an address; not escaped.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.facts.names.get(&address)?.first().map(String::as_str)
    }

    /// Number of connections; their indices are stable.
    pub const fn connections(&self) -> usize {
        self.talks.len()
    }

    /// A connection's row.
    pub fn connection(&self, index: usize) -> Option<&Connection> {
        Some(&self.talks.get(index)?.connection)
    }

    /// The whole handshake of a connection; its row has only what a list shows.
    pub fn handshake(&self, index: usize) -> Option<Handshake> {
        let (place, len) = self.talks.get(index)?.handshake?;
        pack::unpack(&self.stored(place, usize::try_from(len).ok()?)?)
    }

    /// The requests of a session.
    pub fn requests(&self, session: SessionId) -> Option<&Requests> {
        self.requests.of(session)
    }

    /// The connection that follows one at the same place, of the same client.
    pub fn followed_by(&self, id: ConnId) -> Option<&Connection> {
        self.connection(self.index_of(*self.followed.get(&id)?)?)
    }

    /// The TLS session that a connection runs in, once its stream has ended.
    pub fn session(&self, index: usize) -> Option<&TlsSession> {
        self.sessions.get(&self.connection(index)?.stream?)
    }

    /// The TLS sessions whose streams have ended, with or without a connection, by the numbers of their streams: the first 4096, and
    /// how many more there are.
    pub fn sessions(&self) -> (Vec<(u32, &TlsSession)>, u64) {
        let inside = self.sessions.iter().map(|(stream, session)| (*stream, session));
        let mut all: Vec<_> = inside.chain(self.apart.iter().map(|(stream, session)| (*stream, session))).collect();
        all.sort_by_key(|(stream, _)| *stream);
        let more = all.len().saturating_sub(MAX_SESSIONS) as u64;
        all.truncate(MAX_SESSIONS);
        (all, self.sessions_dropped + more)
    }

    /// The TLS records of a direction that have bytes within a range of what they carry: in HTTP/2 of the data of the stream.
    pub fn records(&self, conn: usize, dir: Direction, range: &Range<u64>) -> Vec<Envelope> {
        self.carriers(conn, dir, range, |carriers| &carriers.records)
    }

    /// The DATA frames of HTTP/2 that do.
    pub fn data_frames(&self, conn: usize, dir: Direction, range: &Range<u64>) -> Vec<Envelope> {
        self.carriers(conn, dir, range, |carriers| &carriers.data)
    }

    fn carriers(
        &self,
        conn: usize,
        dir: Direction,
        range: &Range<u64>,
        of: impl FnOnce(&Carriers) -> &Strand<Envelope>,
    ) -> Vec<Envelope> {
        let Some(carriers) = self.talks.get(conn).and_then(|talk| talk.carriers.as_deref()) else { return Vec::new() };
        let strand = of(&carriers[dir]);
        let get = |at| strand.get(at, &self.carriers, &self.spool);
        let first = partition_point(strand.len(), |at| get(at).is_some_and(|carrier| carrier.end() <= range.start));
        (first..strand.len()).map_while(get).take_while(|carrier| carrier.offset < range.end).collect()
    }

    /// The index of the connection with that number.
    pub fn index_of(&self, id: ConnId) -> Option<usize> {
        // Numbers begin at 1 and seldom leave one out.
        let guess = (id.0 as usize).wrapping_sub(1);
        if self.talks.get(guess).is_some_and(|talk| talk.connection.id == id) {
            return Some(guess);
        }
        self.talks.binary_search_by_key(&id, |talk| talk.connection.id).ok()
    }

    /// Number of messages in the book.
    pub const fn messages(&self) -> usize {
        self.messages.len()
    }

    /// Messages that were counted but not listed, because there was no room for them.
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The message with so many before it in the order of events, of all connections.
    pub fn nth(&self, at: usize) -> Option<MessageRow> {
        self.message(MessageId(u32::try_from(at).ok()?))
    }

    /// A message's row.
    pub fn message(&self, id: MessageId) -> Option<MessageRow> {
        let packed = self.packed(id)?;
        let odd = self.odd(packed);
        let known = match &odd {
            Some(odd) => (odd.rare.last, odd.rare.len),
            None => {
                let frame = self.frame_row(packed.frame)?;
                (frame.last, frame.len)
            }
        };
        Some(packed.unpack(id, known, odd))
    }

    fn packed(&self, id: MessageId) -> Option<PackedMessage> {
        self.messages.get(id.0 as usize, &self.spool)
    }

    fn rare(&self, packed: PackedMessage) -> Option<Rare> {
        if packed.rare == PackedMessage::PLAIN { None } else { self.rare.get(packed.rare as usize, &self.spool) }
    }

    fn odd(&self, packed: PackedMessage) -> Option<Odd> {
        let rare = self.rare(packed)?;
        let holes = rare.hole as usize..rare.hole as usize + rare.holes as usize;
        let holes = holes.map_while(|at| self.holes.get(at, &self.spool)).collect();
        let is_late = rare.wait != Rare::NO_WAIT;
        let waited = if is_late { self.waits.get(rare.wait as usize, &self.spool) } else { None };
        Some(Odd { rare, holes, waited })
    }

    /// Direction and opcode of a message: for looking through many.
    pub fn kind(&self, id: MessageId) -> Option<(Direction, Opcode)> {
        let packed = self.packed(id)?;
        Some((packed.dir(), packed.opcode()))
    }

    /// The worst finding about a message: for looking through many.
    pub fn severity(&self, id: MessageId) -> Option<Severity> {
        self.rare(self.packed(id)?)?.findings.severity()
    }

    /// Changes whenever the book learns something.
    const fn learned(&self) -> u64 {
        self.learned
    }

    /// Changes whenever the book learns something, also what passes the filter.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The message with that number within its connection.
    pub fn numbered(&self, conn: usize, number: u64) -> Option<MessageId> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.messages_of(conn).get(at)
    }

    /// The first message of a connection that ends in or after a packet; else its last.
    pub fn message_at(&self, conn: usize, packet: PacketNo) -> Option<MessageId> {
        let ids = self.messages_of(conn);
        let at = ids.partition_point(|id| self.message(id).is_some_and(|row| row.last.packet < packet));
        ids.get(at).or_else(|| ids.last())
    }

    /// Up to `max` bytes of a message's payload, from `from` on; `None` when they were not kept.
    pub fn payload(&self, row: &MessageRow, from: u64, max: usize) -> Option<Vec<u8>> {
        let len = usize::try_from(row.kept.saturating_sub(from)).ok()?.min(max);
        if len == 0 {
            return Some(Vec::new());
        }
        self.stored(row.place?.checked_add(from)?, len)
    }

    /// Appends all that was kept of a message's payload.
    fn payload_into(&self, row: &MessageRow, out: &mut Vec<u8>) {
        if let (Some(place), Ok(len)) = (row.place, usize::try_from(row.kept)) {
            self.store.read(place, len, out);
        }
    }

    /// A message's payload as it was on the wire, unmasked; `None` when not all of it was kept.
    ///
    /// Of a message that was not inflated that is its payload.
    pub fn wire(&self, row: &MessageRow) -> Option<Vec<u8>> {
        if !row.is_inflated() {
            return self.payload(row, 0, usize::MAX);
        }
        if row.wire_kept != row.wire_len {
            return None;
        }
        match row.wire_kept {
            0 => Some(Vec::new()),
            len => self.stored(row.place?.checked_add(row.kept)?, usize::try_from(len).ok()?),
        }
    }

    fn stored(&self, place: u64, len: usize) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(len);
        self.store.read(place, len, &mut out)?;
        Some(out)
    }

    /// The frames of a message.
    pub fn frames(&self, rows: Range<u32>) -> impl Iterator<Item = FrameRow> + '_ {
        rows.map_while(|at| self.frame_row(at))
    }

    /// The findings, in order of events.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// All findings by severity, also those that are not kept.
    pub const fn severities(&self) -> Severities {
        self.severities
    }

    /// Whether any connection runs in TLS of which not all keys are known.
    pub const fn lacks_keys(&self) -> bool {
        self.lacks_keys
    }

    /// The earliest packet that any event named.
    pub const fn start(&self) -> Option<Mark> {
        self.start
    }

    /// Why payloads are not kept any more.
    pub fn store_failure(&self) -> Option<&str> {
        self.store.failure()
    }

    /// Why rows are not kept any more.
    pub fn rows_failure(&self) -> Option<&str> {
        self.spool.failure().or_else(|| self.is_full().then_some("there are no numbers for them"))
    }

    fn frame_row(&self, at: u32) -> Option<FrameRow> {
        let packed = self.frames.get(at as usize, &self.spool)?;
        Some(packed.unpack(|at| self.long_frames.get(at, &self.spool)))
    }
}
