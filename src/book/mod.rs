//! The index of all events for browsing: small rows in memory, payloads in a bounded store.
//!
//! ```text
//! reader thread                              screen's thread
//! Event ─▶ Recorder ─▶ Batch ─▶ (channel) ─▶ Book::absorb ─▶ connections, messages, frames, findings
//!                                                          └▶ store: payload bytes, spilled past a budget
//! ```
//!
//! What it costs: 28 bytes a message and 32 a frame (in TLS 32 for each record), half a kB a connection (in TLS a quarter more), plus the store's budget for payloads and heads.

mod ask;
mod chunks;
mod decoded;
mod pack;
mod record;
mod row;
mod sift;
mod store;

pub use ask::{Desk, ROWS};
pub use decoded::Gist;
pub use record::{Batch, Recorder, close_of};
pub use row::{Finding, FrameRow, MessageRow};
pub use sift::Sift;

use crate::model::{
    Both, ConnId, Connection, Direction, Envelope, Event, Fact, Facts, FileRuns, Frame, Handshake, Mark, Message,
    Opcode, Opened, Outline, PacketNo, Severities, Severity, Stamp, TlsSession,
};
use chunks::Chunks;
use decoded::Hearing;
use record::Item;
use row::{LongFrame, PackedFrame, PackedMessage, Rare};
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;
use store::Store;

/// Bytes of payloads and handshakes kept in memory; the rest goes to a temporary file, which the system caches as it can.
const PAYLOAD_BUDGET: usize = 8 << 20;

/// Bytes of rows kept; messages past that are counted, not listed.
const INDEX_BUDGET: usize = 768 << 20;

/// Frames kept of one message; more are counted.
const MAX_FRAMES: usize = 1 << 20;

/// TLS sessions kept of streams without a connection, and listed of all; more are counted.
const MAX_SESSIONS: usize = 4096;

/// Findings kept; more are counted.
const MAX_FINDINGS: usize = 50_000;

/// A message's place in the book: stays the same while the book grows, and grows with the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u32);

/// A connection with what the book knows beyond its row.
#[derive(Debug)]
struct Talk {
    connection: Connection,
    messages: Vec<MessageId>,
    /// Where the store has the whole handshake, and its length there.
    handshake: Option<(u64, u32)>,
    /// Frames whose message is not complete, while there are any.
    pending: Option<Box<Both<Pending>>>,
    /// The TLS records, or DATA frames of HTTP/2, that carry it, if they were told.
    records: Option<Box<Both<Vec<Envelope>>>>,
    /// The packet in which the last frame ended, and how many ended there.
    last_frame: (PacketNo, u16),
}

/// Frames of one direction that wait for the end of their message.
#[derive(Debug, Default)]
struct Pending {
    data: Vec<PackedFrame>,
    control: Vec<PackedFrame>,
}

impl Pending {
    fn of(&mut self, opcode: Opcode) -> &mut Vec<PackedFrame> {
        if opcode.is_control() { &mut self.control } else { &mut self.data }
    }

    const fn is_empty(&self) -> bool {
        self.data.is_empty() && self.control.is_empty()
    }
}

/// The last frame: the message that it ends is mostly the next event, so that nobody has to wait.
#[derive(Debug)]
struct Latest {
    conn: usize,
    dir: Direction,
    row: FrameRow,
}

/// Everything that was learned from a capture, for looking at it in any order.
#[derive(Debug)]
pub struct Book {
    talks: Vec<Talk>,
    messages: Chunks<PackedMessage>,
    frames: Chunks<PackedFrame>,
    long_frames: Vec<LongFrame>,
    latest: Option<Latest>,
    /// Frames whose message is not complete.
    waiting: usize,
    rare: Vec<Rare>,
    /// Those of all connections.
    records: usize,
    findings: Vec<Finding>,
    /// TLS sessions with connections inside, by the number of their stream.
    sessions: HashMap<u32, TlsSession>,
    /// TLS sessions of streams without a connection.
    apart: Vec<(u32, TlsSession)>,
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
    hearing: Hearing,
    store: Store,
}

impl Default for Book {
    fn default() -> Self {
        Self::with_budget(PAYLOAD_BUDGET)
    }
}

impl Book {
    /// An empty book that keeps about `payload_bytes` of payload in memory and the rest in a temporary file.
    pub fn with_budget(payload_bytes: usize) -> Self {
        Self {
            talks: Vec::new(),
            messages: Chunks::new(),
            frames: Chunks::new(),
            long_frames: Vec::new(),
            latest: None,
            waiting: 0,
            rare: Vec::new(),
            records: 0,
            findings: Vec::new(),
            sessions: HashMap::new(),
            apart: Vec::new(),
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
            hearing: Hearing::default(),
            store: Store::new(payload_bytes),
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

    /// Takes in the next events.
    pub fn absorb(&mut self, batch: Batch) {
        self.learned += 1;
        self.generation += 1;
        let mut payload = batch.payload.as_slice();
        for (at, item) in &batch.items {
            match item {
                Item::Opened(opened) => self.open(at, opened),
                Item::Handshake(outline, len) => {
                    let (packed, rest) = payload.split_at_checked(*len).unwrap_or((payload, &[]));
                    payload = rest;
                    self.keep_handshake(at, outline, packed);
                }
                Item::Frame(frame) => {
                    self.apply(at, Event::Frame(frame));
                    self.frame(at, frame);
                }
                Item::Message(message) => {
                    let (kept, rest) = payload.split_at_checked(message.kept).unwrap_or((payload, &[]));
                    let (wire, rest) = rest.split_at_checked(message.wire).unwrap_or((rest, &[]));
                    payload = rest;
                    let message = message.borrow(kept, wire);
                    self.apply(at, Event::Message(&message));
                    self.message_ended(at, &message);
                }
                Item::Note(finding) => self.note(at, finding),
                Item::Record(record) => self.keep_record(at, record),
                Item::Tls(session) => self.keep_session(at, session),
                Item::File(run) => self.files.push(run.clone()),
                Item::Name(address, name) => self.facts.add(0, &Fact::Name(*address, name)),
                Item::Comment(packet, text) => self.facts.add(0, &Fact::Comment(Some(*packet), text)),
                Item::Closed(closed) => self.apply(at, Event::Closed(closed)),
            }
        }
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

    /// The TLS records of a direction, or DATA frames, that have bytes within a range of what they carry.
    pub fn records(&self, conn: usize, dir: Direction, range: &Range<u64>) -> &[Envelope] {
        let Some(records) = self.talks.get(conn).and_then(|talk| talk.records.as_deref()) else { return &[] };
        let records = &records[dir];
        let first = records.partition_point(|record| record.end() <= range.start);
        let behind = records.partition_point(|record| record.offset < range.end);
        records.get(first..behind).unwrap_or_default()
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

    /// The messages of a connection, in order of their numbers.
    pub fn messages_of(&self, conn: usize) -> &[MessageId] {
        self.talks.get(conn).map_or(&[], |talk| &talk.messages)
    }

    /// Number of messages in the book.
    pub const fn messages(&self) -> usize {
        self.messages.len()
    }

    /// Messages that were counted but not listed, because the book was full.
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The message with so many before it in the order of events, of all connections.
    pub fn nth(&self, at: usize) -> Option<MessageRow<'_>> {
        self.message(MessageId(u32::try_from(at).ok()?))
    }

    /// A message's row.
    pub fn message(&self, id: MessageId) -> Option<MessageRow<'_>> {
        let packed = self.messages.get(id.0 as usize)?;
        let rare = self.rare.get(packed.rare as usize);
        let known = match rare {
            Some(rare) => (rare.last, rare.len),
            None => {
                let frame = self.frame_row(packed.frame)?;
                (frame.last, frame.len)
            }
        };
        Some(packed.unpack(id, known, rare))
    }

    /// Direction and opcode of a message: for looking through many.
    pub fn kind(&self, id: MessageId) -> Option<(Direction, Opcode)> {
        let packed = self.messages.get(id.0 as usize)?;
        Some((packed.dir(), packed.opcode()))
    }

    /// The worst finding about a message: for looking through many.
    pub fn severity(&self, id: MessageId) -> Option<Severity> {
        let packed = self.messages.get(id.0 as usize)?;
        self.rare.get(packed.rare as usize)?.findings.severity()
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
        self.messages_of(conn).get(at).copied()
    }

    /// The first message of a connection that ends in or after a packet; else its last.
    pub fn message_at(&self, conn: usize, packet: PacketNo) -> Option<MessageId> {
        let ids = self.messages_of(conn);
        let at = ids.partition_point(|&id| self.message(id).is_some_and(|row| row.last.packet < packet));
        ids.get(at).or_else(|| ids.last()).copied()
    }

    /// Up to `max` bytes of a message's payload, from `from` on; `None` when they were not kept.
    pub fn payload(&self, row: &MessageRow<'_>, from: u64, max: usize) -> Option<Vec<u8>> {
        let len = usize::try_from(row.kept.saturating_sub(from)).ok()?.min(max);
        if len == 0 {
            return Some(Vec::new());
        }
        self.stored(row.place?.checked_add(from)?, len)
    }

    /// Appends all that was kept of a message's payload.
    fn payload_into(&self, row: &MessageRow<'_>, out: &mut Vec<u8>) {
        if let (Some(place), Ok(len)) = (row.place, usize::try_from(row.kept)) {
            self.store.read(place, len, out);
        }
    }

    /// A message's payload as it was on the wire, unmasked; `None` when not all of it was kept.
    ///
    /// Of a message that was not inflated that is its payload.
    pub fn wire(&self, row: &MessageRow<'_>) -> Option<Vec<u8>> {
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

    /// Why payloads are not kept any more, in the system's words.
    pub fn store_failure(&self) -> Option<&str> {
        self.store.failure()
    }

    fn frame_row(&self, at: u32) -> Option<FrameRow> {
        self.frames.get(at as usize).map(|packed| packed.unpack(&self.long_frames))
    }

    fn open(&mut self, at: &Stamp, opened: &Opened) {
        let Some(id) = at.conn else { return };
        // Numbers come in order; one that does not would break the lookup by number.
        if self.talks.last().is_some_and(|last| last.connection.id >= id) {
            return;
        }
        self.saw(opened.first);
        let connection = Connection::new(id, at, opened);
        self.lacks_keys |= connection.lacks_keys();
        self.talks.push(Talk {
            connection,
            messages: Vec::new(),
            handshake: None,
            pending: None,
            records: None,
            last_frame: (PacketNo(0), 0),
        });
    }

    fn saw(&mut self, mark: Mark) {
        if self.start.is_none_or(|start| mark.packet < start.packet) && mark.time.is_some() {
            self.start = Some(mark);
        }
    }

    fn talk(&mut self, at: &Stamp) -> Option<&mut Talk> {
        let index = self.index_of(at.conn?)?;
        self.talks.get_mut(index)
    }

    /// Heads are large and rarely looked at: they go to the store.
    fn keep_handshake(&mut self, at: &Stamp, outline: &Outline, packed: &[u8]) {
        let place = self.store.append(packed);
        if let Some(talk) = self.talk(at) {
            talk.connection.agree(at, outline.clone());
            talk.handshake = place.zip(u32::try_from(packed.len()).ok());
        }
    }

    /// As many as there are connections, at most, and so many without one.
    fn keep_session(&mut self, at: &Stamp, session: &TlsSession) {
        let Some(stream) = at.stream else { return };
        let (kept, most) = match at.conn {
            Some(_) => (self.sessions.len(), self.talks.len()),
            None => (self.apart.len(), MAX_SESSIONS),
        };
        if kept >= most {
            self.sessions_dropped += 1;
        } else if at.conn.is_some() {
            self.sessions.insert(stream, session.clone());
        } else {
            self.apart.push((stream, session.clone()));
        }
    }

    fn keep_record(&mut self, at: &Stamp, record: &Envelope) {
        if !self.is_full()
            && let Some(talk) = self.talk(at)
        {
            talk.records.get_or_insert_default()[record.dir].push(*record);
            self.records += 1;
        }
    }

    fn apply(&mut self, at: &Stamp, event: Event<'_>) {
        if let Some(talk) = self.talk(at) {
            talk.connection.apply(at, event);
        }
    }

    /// Frames wait for their message, so that the rows of one message stand together.
    fn frame(&mut self, at: &Stamp, frame: &Frame) {
        if self.is_full() {
            return;
        }
        let Some(index) = at.conn.and_then(|id| self.index_of(id)) else { return };
        let Some(talk) = self.talks.get_mut(index) else { return };
        let (packet, count) = talk.last_frame;
        let ordinal = if packet == frame.span.last.packet { count.saturating_add(1) } else { 1 };
        talk.last_frame = (frame.span.last.packet, ordinal);
        self.let_wait();
        self.latest = Some(Latest { conn: index, dir: frame.dir, row: FrameRow::new(frame, ordinal) });
    }

    /// The last frame was not the end of its message.
    fn let_wait(&mut self) {
        let Some(Latest { conn, dir, row }) = self.latest.take() else { return };
        let Some(talk) = self.talks.get_mut(conn) else { return };
        let pending = talk.pending.get_or_insert_default()[dir].of(row.opcode);
        if pending.len() < MAX_FRAMES {
            pending.push(PackedFrame::pack(&row, &mut self.long_frames));
            self.waiting += 1;
        }
    }

    fn message_ended(&mut self, at: &Stamp, message: &Message<'_>) {
        if self.is_full() {
            self.beyond += 1;
            return;
        }
        let Some(conn) = at.conn.and_then(|id| self.index_of(id)) else { return };
        let frames = self.take_frames(conn, message);
        let place = self.store.append(message.body.kept);
        let wire = place.and_then(|_| self.store.append(message.wire)).map_or(0, |_| message.wire.len() as u64);
        let rare = self.keep_rare(message, &frames, place.is_some(), wire);
        let (Ok(id), Ok(owner)) = (u32::try_from(self.messages.len()), u32::try_from(conn)) else { return };
        self.messages.push(PackedMessage::pack(message, owner, place, frames.start, rare));
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.messages.push(MessageId(id));
        }
    }

    /// Moves the waiting frames of a message to the table and says where they stand.
    fn take_frames(&mut self, conn: usize, message: &Message<'_>) -> Range<u32> {
        let row = |frames: &Chunks<PackedFrame>| u32::try_from(frames.len()).unwrap_or(u32::MAX);
        let start = row(&self.frames);
        let Some(talk) = self.talks.get_mut(conn) else { return start..start };
        let others = talk.pending.as_mut().is_some_and(|both| !both[message.dir].of(message.opcode).is_empty());
        let is_all = |latest: &mut Latest| {
            let control = latest.row.opcode.is_control() == message.opcode.is_control();
            latest.conn == conn && latest.dir == message.dir && control && message.frames == 1 && !others
        };
        if let Some(Latest { row, .. }) = self.latest.take_if(is_all) {
            self.frames.push(PackedFrame::pack(&row, &mut self.long_frames));
            return start..start.saturating_add(1);
        }
        self.let_wait();
        if let Some(talk) = self.talks.get_mut(conn)
            && let Some(both) = &mut talk.pending
        {
            let pending = both[message.dir].of(message.opcode);
            let count = usize::try_from(message.frames).unwrap_or(usize::MAX).min(pending.len());
            self.waiting -= count;
            pending.drain(..count).for_each(|frame| self.frames.push(frame));
            if both.to_server.is_empty() && both.to_client.is_empty() {
                talk.pending = None;
            }
        }
        start..row(&self.frames)
    }

    /// The index of what is unusual about a message, or [`PackedMessage::PLAIN`].
    fn keep_rare(&mut self, message: &Message<'_>, frames: &Range<u32>, kept: bool, wire: u64) -> u32 {
        let len = message.body.kept.len() as u64;
        let plain = kept
            && message.frames == 1
            && frames.len() == 1
            && self.frame_row(frames.start).is_some_and(|row| row.last == message.span.last && row.len == len)
            && message.body.len == len
            && message.wire_len == len
            && wire == 0
            && message.body.holes.is_empty()
            && message.rtt.is_none()
            && message.waited.is_none()
            && message.findings.is_empty();
        if plain {
            return PackedMessage::PLAIN;
        }
        let index = u32::try_from(self.rare.len()).unwrap_or(PackedMessage::PLAIN);
        self.rare.push(Rare {
            kept: len,
            len: message.body.len,
            wire_len: message.wire_len,
            wire_kept: wire,
            frames: message.frames,
            frame_rows: u32::try_from(frames.len()).unwrap_or(u32::MAX),
            last: message.span.last,
            rtt: message.rtt,
            waited: message.waited.map(|wait| Box::new(*wait)),
            findings: message.findings,
            holes: message.body.holes.into(),
        });
        index
    }

    fn note(&mut self, at: &Stamp, finding: &Finding) {
        self.severities.count(finding.code.severity());
        if let Some(talk) = self.talk(at) {
            talk.connection.apply(at, Event::Note(&finding.note()));
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding.clone());
        }
    }

    const fn is_full(&self) -> bool {
        self.talks.len() * size_of::<Talk>()
            + self.messages.len() * (size_of::<PackedMessage>() + size_of::<MessageId>())
            + (self.frames.len() + self.waiting) * size_of::<PackedFrame>()
            + self.rare.len() * size_of::<Rare>()
            + self.records * size_of::<Envelope>()
            >= INDEX_BUDGET
    }
}
