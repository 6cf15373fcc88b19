//! From the reader's thread to the screen's: borrowed events become owned batches.

use super::{Finding, pack};
use crate::model::{
    Body, Close, CloseCode, Closed, Direction, Envelope, Event, Exchange, Fact, FileRun, Frame, Hole, Mark, Message,
    NoteSet, Opcode, Opened, Outline, PacketNo, Resent, Sink, Span, Stamp, TlsSession, Wait,
};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A batch is handed over when its events and payloads take more bytes than this.
const BATCH_BYTES: usize = 256 << 10;

/// A batch is handed over when its first event is older than this.
const BATCH_AGE: Duration = Duration::from_millis(30);

/// After so many events the clock is asked.
const CLOCK_EVERY: usize = 64;

/// Events in their order, with one arena for all payloads and handshakes.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) items: Vec<(Stamp, Item)>,
    pub(super) payload: Vec<u8>,
    /// Bytes of names and comments, which lie beside the arena.
    beside: usize,
    pool: Arc<Pool>,
}

/// Buffers of batches that were taken in, for batches to come: fresh memory costs more than what is put into it.
#[derive(Debug, Default)]
struct Pool(Mutex<Vec<Buffers>>);

type Buffers = (Vec<(Stamp, Item)>, Vec<u8>);

impl Pool {
    /// Buffers that wait; more are given back to the system.
    const MAX: usize = 4;

    /// Buffers larger than this held a very large message, and are given back too.
    const MAX_PAYLOAD: usize = 4 * BATCH_BYTES;

    fn batch(self: &Arc<Self>) -> Batch {
        let buffers = self.0.lock().ok().and_then(|mut waiting| waiting.pop());
        let (items, payload) = buffers.unwrap_or_default();
        Batch { items, payload, beside: 0, pool: Arc::clone(self) }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let (mut items, mut payload) = (std::mem::take(&mut self.items), std::mem::take(&mut self.payload));
        items.clear();
        payload.clear();
        if payload.capacity() <= Pool::MAX_PAYLOAD
            && let Ok(mut waiting) = self.pool.0.lock()
            && waiting.len() < Pool::MAX
        {
            waiting.push((items, payload));
        }
    }
}

impl Batch {
    /// Number of events.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it holds no event.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    const fn bytes(&self) -> usize {
        self.payload.len() + self.beside + self.items.len() * size_of::<(Stamp, Item)>()
    }
}

/// An event that owns what it tells.
#[derive(Debug)]
pub(super) enum Item {
    Opened(Box<Opened>),
    /// The outline, and the length of the whole, packed, in the arena.
    Handshake(Box<Outline>, usize),
    Frame(Frame),
    Message(OwnedMessage),
    Resent(Resent),
    Note(Box<Finding>),
    Exchange(Box<Exchange>),
    Record(Envelope),
    Tls(Box<TlsSession>),
    Closed(Closed),
    File(FileRun),
    Name(IpAddr, Box<[u8]>),
    Comment(PacketNo, Box<[u8]>),
}

/// A message whose payload lies in the batch's arena, behind those of the messages before it.
#[derive(Debug)]
pub(super) struct OwnedMessage {
    number: u64,
    dir: Direction,
    opcode: Opcode,
    frames: u64,
    compressed: bool,
    undecoded: bool,
    wire_len: u64,
    /// Bytes in the arena.
    pub(super) kept: usize,
    /// Bytes behind them: those of the wire, of a message that was inflated.
    pub(super) wire: usize,
    len: u64,
    holes: Vec<Hole>,
    complete: bool,
    inferred: bool,
    utf8: bool,
    has_close: bool,
    rtt: Option<i64>,
    waited: Option<Wait>,
    span: Span,
    brought: Mark,
    findings: NoteSet,
}

impl OwnedMessage {
    fn new(message: &Message<'_>) -> Self {
        Self {
            number: message.number,
            dir: message.dir,
            opcode: message.opcode,
            frames: message.frames,
            compressed: message.compressed,
            undecoded: message.undecoded,
            wire_len: message.wire_len,
            kept: message.body.kept.len(),
            wire: message.wire.len(),
            len: message.body.len,
            holes: message.body.holes.to_vec(),
            complete: message.complete,
            inferred: message.inferred,
            utf8: message.utf8,
            has_close: message.close.is_some(),
            rtt: message.rtt,
            waited: message.waited.copied(),
            span: message.span,
            brought: message.brought,
            findings: message.findings,
        }
    }

    /// The message as it was told.
    pub(super) fn borrow<'a>(&'a self, kept: &'a [u8], wire: &'a [u8]) -> Message<'a> {
        let close = if self.has_close { close_of(kept) } else { None };
        Message {
            number: self.number,
            dir: self.dir,
            opcode: self.opcode,
            frames: self.frames,
            compressed: self.compressed,
            wire_len: self.wire_len,
            undecoded: self.undecoded,
            body: Body { kept, len: self.len, holes: &self.holes },
            wire,
            complete: self.complete,
            inferred: self.inferred,
            utf8: self.utf8,
            close,
            rtt: self.rtt,
            waited: self.waited.as_ref(),
            span: self.span,
            brought: self.brought,
            findings: self.findings,
            decoded: None,
            state: None,
        }
    }
}

/// Code and reason of a Close frame's body, if it has them (RFC 6455 §5.5.1): two bytes, then text.
pub fn close_of(body: &[u8]) -> Option<Close<'_>> {
    let (code, reason) = body.split_first_chunk()?;
    Some(Close { code: CloseCode(u16::from_be_bytes(*code)), reason })
}

/// A [`Sink`] for the reader's thread: makes [`Batch`]es and hands them over.
///
/// The callback may block: then the reader waits, and memory stays bounded. Its `Break` ends the reading.
#[derive(Debug)]
pub struct Recorder<F> {
    batch: Batch,
    handed: Instant,
    hand_over: F,
}

impl<F: FnMut(Batch) -> ControlFlow<()>> Recorder<F> {
    /// A recorder that gives its batches to `hand_over`.
    pub fn new(hand_over: F) -> Self {
        Self { batch: Batch::default(), handed: Instant::now(), hand_over }
    }

    /// Hands over what waits, if it has waited long.
    fn tick(&mut self) -> ControlFlow<()> {
        if self.handed.elapsed() < BATCH_AGE {
            return ControlFlow::Continue(());
        }
        self.flush()
    }

    /// Takes what is no event. Who does not want it hears of the next event, too.
    fn aside(&mut self, item: Item) {
        if let Item::Name(_, text) | Item::Comment(_, text) = &item {
            self.batch.beside += text.len();
        }
        self.batch.items.push((Stamp::default(), item));
        if self.batch.bytes() >= BATCH_BYTES {
            let _ = self.flush();
        }
    }

    /// Hands over what waits: to be called at the end.
    pub fn flush(&mut self) -> ControlFlow<()> {
        self.handed = Instant::now();
        if self.batch.is_empty() {
            return ControlFlow::Continue(());
        }
        let next = self.batch.pool.batch();
        (self.hand_over)(std::mem::replace(&mut self.batch, next))
    }
}

impl<F: FnMut(Batch) -> ControlFlow<()>> Sink for Recorder<F> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        let item = match event {
            Event::Opened(opened) => Item::Opened(Box::new(opened.clone())),
            Event::Handshake(handshake) => {
                let len = pack::pack(handshake, &mut self.batch.payload);
                Item::Handshake(Box::new(handshake.outline()), len)
            }
            Event::Frame(frame) => Item::Frame(*frame),
            Event::Message(message) => {
                self.batch.payload.extend_from_slice(message.body.kept);
                self.batch.payload.extend_from_slice(message.wire);
                Item::Message(OwnedMessage::new(message))
            }
            Event::Note(note) => Item::Note(Box::new(Finding {
                conn: at.conn,
                stream: at.stream,
                code: note.code,
                at: at.at,
                evidence: note.at,
                dir: note.dir,
                msg: note.msg,
                frame: note.frame,
                text: note.sentence().to_owned(),
                detail: note.detail.map(str::to_owned),
            })),
            Event::Resent(resent) => Item::Resent(*resent),
            Event::Closed(closed) => Item::Closed(*closed),
            Event::Record(record) => Item::Record(*record),
            Event::Tls(session) => Item::Tls(Box::new(session.clone())),
            Event::Exchange(exchange) => Item::Exchange(Box::new(exchange.clone())),
            Event::Carried(_) => return ControlFlow::Continue(()),
        };
        self.batch.items.push((*at, item));
        if self.batch.bytes() >= BATCH_BYTES {
            return self.flush();
        }
        // The first event after a pause is shown at once; in a stream of events the clock is asked now and then.
        if self.batch.len() % CLOCK_EVERY == 1 { self.tick() } else { ControlFlow::Continue(()) }
    }

    fn file(&mut self, run: &FileRun) {
        self.aside(Item::File(run.clone()));
    }

    /// Of what a capture tells of itself, names and comments are shown beside what is browsed.
    fn fact(&mut self, _: usize, fact: &Fact<'_>) {
        let item = match *fact {
            Fact::Name(address, name) => Item::Name(address, name.into()),
            Fact::Comment(Some(packet), text) => Item::Comment(packet, text.into()),
            _ => return,
        };
        self.aside(item);
    }

    /// Who does not want a batch hears of the next one, too.
    fn pause(&mut self) {
        let _ = self.flush();
    }

    fn hears_records(&self) -> bool {
        true
    }
}
