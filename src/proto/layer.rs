//! What a protocol layer is, and what it may use.

mod sent;
mod sessions;

use crate::model::{
    Both, ClientRandom, Closed, ConnId, Direction, Encap, EncapId, Endpoint, Envelope, Ethers, Event, Exchange,
    FrameEnds, Handshake, Input, Limits, Mark, Note, NoteCode, Opened, Route, Secrets, Sink, Stamp, StreamId,
    TlsOutline, Unseen, Version,
};
use hashbrown::HashMap;
use sessions::Sessions;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use sent::{Around, Sent};

/// One protocol over an ordered byte stream. It cannot fail: what is odd becomes a note, what is lost a gap.
pub trait Layer: Send {
    /// Takes what comes next in one direction; says what is to happen with what follows.
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next;

    /// Nothing more will come, in either direction.
    fn over(&mut self, cx: &mut Cx<'_>);

    /// Secrets were added, which it may have asked for in [`Tools::waiting`].
    fn secrets(&mut self, _: &mut Cx<'_>) {}

    /// Whether it waits for secrets: it holds what it cannot read yet.
    fn waits(&self) -> bool {
        false
    }
}

/// What a layer says of the bytes that follow.
pub enum Next {
    /// It reads them: retransmissions are worth comparing.
    Read,
    /// It passes over them.
    Skim,
    /// Nothing is to be found in them: the stream need not be reassembled any more.
    Nothing,
    /// They are this layer's: it stands here now, and the one that opened it steps aside.
    Become(Box<dyn Layer>),
}

/// Gives a layer what was kept for it, and says who goes on: it, or whoever takes its place. `turned` says how the directions were
/// turned when that was kept: who looks into a stream may turn them round.
pub fn feed<'a>(
    mut inner: Box<dyn Layer>,
    turned: bool,
    inputs: impl IntoIterator<Item = Input<'a>>,
    cx: &mut Cx<'_>,
) -> Next {
    for input in inputs {
        match inner.input(if cx.swapped == turned { input } else { input.reversed() }, cx) {
            Next::Become(layer) => inner = layer,
            Next::Nothing => {
                inner.over(cx);
                return Next::Nothing;
            }
            Next::Read | Next::Skim => {}
        }
    }
    Next::Become(inner)
}

/// What a layer expects inside.
#[derive(Debug)]
pub enum Hint<'a> {
    /// Anything: look at the first bytes.
    Unknown,
    /// Words for a proxy: SOCKS, or the PROXY protocol.
    Proxy,
    /// Anything, behind bytes that are missing.
    Holed,
    /// TLS.
    Tls,
    /// HTTP/1.x.
    Http1,
    /// HTTP/2.
    Http2,
    /// HTTP/2 of which the beginning is missing.
    Http2Late,
    /// HTTP/2 behind an HTTP/1.1 request that asked for it and was answered with a 101 (RFC 7540 §3.2): stream 1 is that request's.
    Http2Upgraded,
    /// WebSocket frames of which no handshake was captured, if that is what the stream carries.
    Midstream {
        /// The first byte is known to be the first that was sent.
        from_start: bool,
    },
    /// WebSocket frames (RFC 6455 §5), agreed on by this handshake.
    WebSocket {
        /// The connection's number.
        conn: ConnId,
        /// What was agreed.
        handshake: &'a Handshake,
    },
}

/// What a TCP stream turned out to carry, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// No payload was seen.
    #[default]
    Silent,
    /// HTTP/1.x.
    Http,
    /// HTTP/2 in clear.
    Http2,
    /// TLS.
    Tls,
    /// Something else.
    Other,
    /// Whatever: the user wants it left alone.
    Left,
}

/// The stream that a layer runs in.
#[derive(Debug, Clone, Copy)]
pub struct Flow<'a> {
    /// Its number.
    pub stream: u32,
    /// The stream of an HTTP/2 connection in it that the layer runs in.
    pub h2_stream: Option<StreamId>,
    /// What is known of the handshake of a WebSocket in it, where not all is.
    pub known: Option<&'a Handshake>,
    /// Which it is in the order in which they began: those that are wrapped differently may share a number.
    pub began: u32,
    /// What the packets that began it are wrapped in.
    pub encap: EncapId,
    /// Its first packet.
    pub first: &'a Mark,
    /// Sender and receiver of what TCP takes for `ToServer`.
    pub ends: &'a (Endpoint, Endpoint),
    /// No packet of the other direction was captured so far, not even an acknowledgement.
    pub one_sided: bool,
    /// Why nothing is seen of a direction, if nothing is so far, in TCP's guess of the directions.
    pub unseen: Both<Option<Unseen>>,
    /// Data is queued behind a hole: what one direction said may be told after what the other said later.
    pub waits: bool,
    /// Its first byte is known to be the first that was sent.
    pub from_start: bool,
    /// How far the sender of the packet at hand has acknowledged what the other direction said: a stream offset of that, where it is
    /// known.
    pub heard: Option<u64>,
    /// The user says that what is innermost in it is a WebSocket, with or without a handshake before it.
    pub forced: bool,
}

/// What all layers of a dissection share.
#[derive(Debug, Default)]
pub struct Tools {
    /// What decrypts TLS, as far as it is known by now.
    pub secrets: Arc<Secrets>,
    /// The sessions that it was of first, and how many secrets there were then: how many are kept, and came from logs.
    first_sessions: (Arc<[ClientRandom]>, (usize, u64)),
    /// Sessions that may be resumed.
    pub resumable: Resumable,
    /// Secrets are tried where no ClientHello names them.
    pub try_keys: bool,
    /// Weighed bytes of records that were opened in vain by that.
    pub tried: u64,
    /// The sink hears TLS records.
    pub tells_records: bool,
    /// The TLS record at hand.
    pub record: Option<Envelope>,
    /// Where in TCP the bytes at hand stand, where their offsets are others.
    pub around: Option<Around>,
    /// Where in TCP the frame at hand begins.
    pub begun: u64,
    /// Where the last messages do.
    pub sent: Sent,
    /// It wants what TLS carries.
    pub tells_carried: bool,
    /// TLS sessions in which something was read.
    pub sessions: u32,
    /// The capture may still bring secrets.
    pub awaits_keys: bool,
    /// Streams that are to be told when it does.
    pub waiting: Vec<u32>,
    /// Bytes that wait for secrets.
    pub waiting_bytes: usize,
    /// The interface that the packet at hand was captured on, where the capture names it.
    pub interface: Option<Arc<str>>,
    /// Who sent the packet at hand, and the addresses of its Ethernet frame, where it is one.
    pub frame: Option<(Endpoint, FrameEnds)>,
    /// WebSocket connections recognised so far.
    pub conns: u32,
    /// What ties them, and requests of other transports, together.
    ties: Sessions,
    /// All that packets were wrapped in so far, by the numbers of [`EncapId`] from 1.
    pub encaps: Vec<Arc<[Encap]>>,
    /// What the other direction is wrapped in where it is something else, by a stream's number and what began it.
    joined: HashMap<(u32, EncapId), EncapId>,
    /// A buffer for bytes that live for one event only.
    pub scratch: Vec<u8>,
    /// Buffers of finished messages, for the next ones.
    spare: Vec<Vec<u8>>,
    /// What messages of the connection at hand inflated to so far.
    pub inflation: Inflation,
    /// Steps taken in searches for the length of what was lost, and compressed bytes that came.
    pub searched: Searched,
    /// Each such search that goes on holds one of these.
    pub searches: Arc<()>,
    /// Bytes of TLS records that were opened in vain, weighed by what it costs, beyond what those of the stream had earned.
    pub trials: u64,
    /// Bytes of handshakes over HTTP/2 that wait for their answers, and of what came with them.
    pub pending: usize,
    /// Bytes held where frames are looked for.
    pub seeking: usize,
    /// Bytes in messages under assembly.
    pub assembling: usize,
    /// The sink has no use for frames.
    pub skips_frames: bool,
    /// Nor for what messages say: their bytes are judged and counted.
    pub skips_payloads: bool,
    /// The sink has enough.
    pub stop: bool,
}

/// The randoms by which the master secrets of sessions are known, by the digests of the session ids and tickets by which those may be
/// resumed.
pub type Resumable = HashMap<[u8; 32], ClientRandom>;

/// What one direction may spend on opening TLS records in vain: what they earn, and beyond that a share of what is there for all, so
/// that none takes it from the others.
#[derive(Debug, Default, Clone, Copy)]
pub struct Trials {
    earned: u64,
    shared: u64,
}

impl Trials {
    /// A record of that many bytes has come.
    pub const fn came(&mut self, bytes: usize) {
        self.earned = self.earned.saturating_add((bytes as u64).saturating_mul(Limits::TRIALS_EARNED));
    }

    /// Whether one more trial that costs so much is allowed; `all` have spent so much of what is there for all.
    pub const fn spend(&mut self, cost: u64, all: &mut u64, limits: &Limits) -> bool {
        if let Some(left) = self.earned.checked_sub(cost) {
            self.earned = left;
            return true;
        }
        let (shared, spent) = (self.shared.saturating_add(cost), all.saturating_add(cost));
        let is_allowed = shared <= limits.trial_bytes / Limits::TRIALS_SHARES && spent <= limits.trial_bytes;
        if is_allowed {
            (self.shared, *all) = (shared, spent);
        }
        is_allowed
    }
}

/// What may be spent on searches for the length of compressed messages that were lost.
#[derive(Debug, Default, Clone, Copy)]
pub struct Searched {
    spent: u64,
    came: u64,
}

impl Searched {
    /// Compressed bytes have come.
    pub const fn came(&mut self, bytes: usize) {
        self.came = self.came.saturating_add(bytes as u64);
    }

    /// Steps were taken.
    pub const fn spend(&mut self, steps: u64) {
        self.spent = self.spent.saturating_add(steps);
    }

    /// Steps that may still be taken.
    pub const fn left(self, limits: &Limits) -> u64 {
        let allowed = limits.search_total.saturating_add(self.came.saturating_mul(Limits::SEARCH_EARNED));
        allowed.saturating_sub(self.spent)
    }
}

/// What the compressed messages of a connection inflate to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Inflation {
    came: u64,
    made: u64,
}

impl Inflation {
    /// Compressed bytes have come.
    pub const fn came(&mut self, bytes: usize) {
        self.came = self.came.saturating_add(bytes as u64);
    }

    /// Bytes were inflated.
    pub const fn made(&mut self, bytes: usize) {
        self.made = self.made.saturating_add(bytes as u64);
    }

    /// Compressed bytes that came, and bytes that were inflated.
    pub const fn both(self) -> (u64, u64) {
        (self.came, self.made)
    }

    /// Whether that is more than it may be. Compressed bytes that come later can change it.
    pub const fn is_spent(self, limits: &Limits) -> bool {
        self.made > limits.inflated_total.saturating_add(self.came.saturating_mul(Limits::INFLATED_EARNED))
    }
}

/// Buffers kept for the next messages, and the largest that is worth keeping.
const SPARES: usize = 16;
const SPARE_BYTES: usize = 4 << 20;

impl Tools {
    /// Nothing was recognised yet; this decrypts TLS.
    pub fn new(secrets: Arc<Secrets>) -> Self {
        Self { secrets, ..Self::default() }
    }

    /// The sessions of which secrets were known first, at most so many. There may be millions, and each record may ask.
    pub fn first_sessions(&mut self, most: usize) -> Arc<[ClientRandom]> {
        let (known, now) = (&mut self.first_sessions, (self.secrets.len(), self.secrets.logged()));
        if known.1 != now {
            *known = (self.secrets.first_sessions(most).into(), now);
        }
        Arc::clone(&known.0)
    }

    /// The other direction of a stream that began in `encap` is wrapped in `back`. It is told when a connection is recognised,
    /// which is soon: of many streams the first are forgotten.
    pub fn join(&mut self, stream: u32, encap: EncapId, back: EncapId) {
        const JOINED: usize = 1 << 16;
        if self.joined.len() >= JOINED {
            self.joined.clear();
        }
        self.joined.insert((stream, encap), back);
    }

    /// What a number stands for; nothing where there were too many to tell apart.
    fn around(&self, encap: EncapId) -> Box<[Encap]> {
        let encaps = usize::from(encap.0).checked_sub(1).and_then(|at| self.encaps.get(at));
        encaps.map(|encaps| (**encaps).into()).unwrap_or_default()
    }

    /// Says where the bytes stand that are at hand next, unless it is known already: the outermost layer alone has the stream's own
    /// offsets. What was said before comes back, to be put in its place behind them.
    pub const fn stand(&mut self, around: Around) -> Option<Around> {
        let outer = self.around;
        if outer.is_none() {
            self.around = Some(around);
        }
        outer
    }

    /// Where in TCP something begins that begins in the bytes at hand, at that offset of theirs.
    #[inline(always)]
    pub fn place(&self, offset: u64) -> u64 {
        self.around.map_or(offset, |around| around.from)
    }

    /// An empty buffer, used before if possible.
    pub fn take_buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARES && (1..=SPARE_BYTES).contains(&buffer.capacity()) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

/// What a layer may use while it takes an input.
pub struct Cx<'a> {
    /// The bounds.
    pub limits: &'a Limits,
    /// Shared by all streams.
    pub tools: &'a mut Tools,
    /// The stream.
    pub flow: Flow<'a>,
    /// The stream's last packet so far.
    pub last: Mark,
    /// The probe found that TCP's guess of the directions is to be turned round.
    pub swapped: bool,
    /// What the stream carries; settled by the probe.
    pub kind: &'a mut Kind,
    /// How many protocols were found inside another.
    pub nested: &'a mut usize,
    /// How it is led; `None` while no proxy was met.
    pub route: &'a mut Option<Box<Route>>,
    /// The TLS session that is around the layer.
    pub tls: &'a mut Option<Box<TlsOutline>>,
    /// The packet that events are known with.
    pub mark: Mark,
    /// Who listens.
    pub sink: &'a mut dyn Sink,
    /// The registry of layers.
    pub open: fn(Hint<'_>) -> Box<dyn Layer>,
}

impl Cx<'_> {
    /// The layer for what runs inside another protocol; `None` where too many stand in one another, and the stream is left: each
    /// calls the next.
    pub fn inside(&mut self, hint: Hint<'_>) -> Option<Box<dyn Layer>> {
        let most = self.limits.nested;
        *self.nested += 1;
        if *self.nested <= most {
            return Some(self.open(hint));
        }
        *self.kind = Kind::Other;
        let text = format!(
            "proxies and TLS stand in one another more than {most} deep (limit nested): what runs inside may be missing"
        );
        self.note_stream(&Note { text: &text, ..Note::new(NoteCode::NestLimit, self.mark) });
        None
    }

    /// What a layer may use that runs in a stream of HTTP/2, whose first and last packets so far are told.
    pub fn in_stream<'b>(&'b mut self, stream: StreamId, first: &'b Mark, last: Mark) -> Cx<'b> {
        Cx {
            limits: self.limits,
            tools: &mut *self.tools,
            flow: Flow { h2_stream: Some(stream), first, heard: None, ..self.flow },
            last,
            swapped: self.swapped,
            kind: &mut *self.kind,
            nested: &mut *self.nested,
            route: &mut *self.route,
            tls: &mut *self.tls,
            mark: self.mark,
            sink: &mut *self.sink,
            open: self.open,
        }
    }

    /// The layer for what a layer uncovered.
    pub fn open(&self, hint: Hint<'_>) -> Box<dyn Layer> {
        (self.open)(hint)
    }

    /// Why nothing is seen of a direction, if nothing is so far.
    pub fn unseen(&self, dir: Direction) -> Option<Unseen> {
        self.flow.unseen[if self.swapped { dir.reverse() } else { dir }]
    }

    /// Client and server.
    pub const fn ends(&self) -> (Endpoint, Endpoint) {
        let (from, to) = *self.flow.ends;
        if self.swapped { (to, from) } else { (from, to) }
    }

    /// The scheme of a WebSocket's URL here (RFC 6455 §3): inside TLS `wss`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "wss" } else { "ws" }
    }

    /// Numbers a connection that was just recognised, and tells of it.
    pub fn opened(
        &mut self,
        url: Option<String>,
        transport: Option<&'static str>,
        version: Version,
        first: Mark,
    ) -> ConnId {
        self.open_conn(url, transport, version, first, None)
    }

    /// The same for what is taken for one although it cannot be read; the stream's key is known by the random.
    pub fn opened_encrypted(&mut self, random: ClientRandom) -> ConnId {
        self.open_conn(None, None, Version::default(), *self.flow.first, Some(random))
    }

    fn open_conn(
        &mut self,
        url: Option<String>,
        transport: Option<&'static str>,
        version: Version,
        first: Mark,
        encrypted: Option<ClientRandom>,
    ) -> ConnId {
        self.tools.conns += 1;
        let conn = ConnId(self.tools.conns);
        let (mut client, server) = self.ends();
        let mut via = Box::default();
        if let Some(route) = &self.route {
            client = route.client.unwrap_or(client);
            via = route.hops.as_slice().into();
        }
        let tls = self.tls.clone();
        let interface = self.tools.interface.clone();
        let (from, answers) = self.ends();
        let ethers = self.tools.frame.and_then(|(sender, FrameEnds { to, by })| match () {
            () if sender == from => Some(Ethers { client: by, server: to }),
            () if sender == answers => Some(Ethers { client: to, server: by }),
            // What is told by a packet of another stream.
            () => None,
        });
        let encap = self.tools.around(self.flow.encap);
        let back = self.tools.joined.get(&(self.flow.stream, self.flow.encap));
        let encap_back = back.map(|&back| self.tools.around(back));
        let transport = transport.or_else(|| self.flow.h2_stream.map(|_| "h2"));
        let (session, reconnect_of) =
            self.tools.ties.opened(conn, (client, server), url.as_deref(), first, self.limits.sessions);
        let opened = Opened {
            client,
            server,
            url,
            transport,
            version,
            via,
            encap,
            encap_back,
            tls,
            encrypted,
            interface,
            ethers,
            session,
            reconnect_of,
            first,
        };
        self.emit(conn, Event::Opened(&opened));
        conn
    }

    /// The stream's route, to be added to.
    pub fn route(&mut self) -> &mut Route {
        self.route.get_or_insert_default()
    }

    /// Tells a request and its answer, if they are of a session: that is numbered here.
    pub fn exchanged(&mut self, mut exchange: Exchange) {
        if self.tools.ties.exchanged(&mut exchange, self.limits.sessions) {
            self.tell(None, Event::Exchange(&exchange));
        }
    }

    /// An end of a connection says nothing more: its client may come back.
    pub fn ends_at(&mut self, conn: ConnId, mark: Mark) {
        self.tools.ties.ended(conn, mark, self.limits.sessions);
    }

    /// Tells that a connection is over.
    pub fn closed(&mut self, conn: ConnId, closed: &Closed) {
        self.ends_at(conn, closed.last);
        self.emit(conn, Event::Closed(closed));
    }

    /// Tells a finding about a connection.
    pub fn note(&mut self, conn: ConnId, note: &Note<'_>) {
        let at = self.shown(note.at);
        self.emit(conn, Event::Note(&Note { at, ..*note }));
    }

    /// The packet that shows what is found: when it becomes known with a packet of another stream, the last of this one.
    fn shown(&self, at: Mark) -> Mark {
        if at.packet > self.last.packet { self.last } else { at }
    }

    /// Tells a finding about the stream, which has no connection that it could be about.
    pub fn note_stream(&mut self, note: &Note<'_>) {
        let at = self.shown(note.at);
        self.tell(None, Event::Note(&Note { at, ..*note }));
    }

    /// Tells that a proxy did not let the client through, and how. What for, nobody knows: the finding is about no connection.
    pub fn proxy_refused(&mut self, how: &str) {
        let text = NoteCode::ProxyRefused.row().with(how);
        self.note_stream(&Note { text: &text, ..Note::new(NoteCode::ProxyRefused, self.mark) });
    }

    /// Tells an event of a connection.
    pub fn emit(&mut self, conn: ConnId, event: Event<'_>) {
        self.tell(Some(conn), event);
    }

    /// Tells an event of a connection, or of a stream in which there is none.
    pub fn tell(&mut self, conn: Option<ConnId>, event: Event<'_>) {
        self.relay(conn, |at, sink| sink.accept(at, event));
    }

    /// Lets something tell its events itself, unless the sink has enough.
    pub fn relay(&mut self, conn: Option<ConnId>, tell: impl FnOnce(&Stamp, &mut dyn Sink) -> ControlFlow<()>) {
        let stamp = Stamp { conn, stream: Some(self.flow.stream), h2_stream: self.flow.h2_stream, at: self.mark };
        if !self.tools.stop && tell(&stamp, self.sink).is_break() {
            self.tools.stop = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, Secret, SecretLabel};

    #[test]
    fn sessions_are_listed_once_as_long_as_no_secrets_come() {
        let mut tools = Tools::default();
        let add = |tools: &mut Tools, byte| {
            let secret = Secret::new(SecretLabel::ClientTraffic, &[byte; 32], Origin { source: 0, line: 1 }).unwrap();
            Arc::make_mut(&mut tools.secrets).add(&[byte; 32], secret);
        };
        assert!(tools.first_sessions(9).is_empty());
        add(&mut tools, 1);
        let one = tools.first_sessions(9);
        assert!(Arc::ptr_eq(&one, &tools.first_sessions(9)));
        add(&mut tools, 2);
        assert_eq!((&*one, &*tools.first_sessions(9)), (&[[1; 32]][..], &[[1; 32], [2; 32]][..]));
    }
}
