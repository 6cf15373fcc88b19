//! What a dissection tells, and who listens.

use super::encap::Encap;
use super::fact::Fact;
use super::file::FileRun;
use super::flow::{Both, Endpoint};
use super::handshake::Handshake;
use super::http2::StreamId;
use super::mark::Mark;
use super::note::Note;
use super::packet::Input;
use super::route::Hop;
use super::secrets::ClientRandom;
use super::session::{Exchange, Reconnect, SessionId};
use super::tls::{Envelope, TlsOutline, TlsSession};
use super::verdict::{Ends, Heard, Unanswered, Unseen};
use super::version::Version;
use super::ws::{Frame, Message, Resent};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A WebSocket connection's number, from 1, in the order in which they are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an event belongs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stamp {
    /// The WebSocket connection; `None` for what concerns the file, or a stream without one.
    pub conn: Option<ConnId>,
    /// The TCP stream, from 0, as Wireshark's `tcp.stream`.
    pub stream: Option<u32>,
    /// The stream of the HTTP/2 connection that runs in it.
    pub h2_stream: Option<StreamId>,
    /// The packet with which the event is known. Events come in packet order.
    pub at: Mark,
}

impl Stamp {
    /// `conn 4`, or `stream 7` where it is in no connection; `None` for what concerns the file.
    pub fn place(&self) -> Option<String> {
        let conn = self.conn.map(|conn| format!("conn {conn}"));
        conn.or_else(|| self.stream.map(|stream| format!("stream {stream}")))
    }
}

/// A WebSocket connection was recognised.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Who sent the upgrade request, or masks; the address that a proxy before it names, where one does.
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
    /// `ws://host/path`, or `wss:` inside TLS, when a request was captured.
    pub url: Option<String>,
    /// `http/1.1`, or `h2`; `None` when no handshake was captured, but within HTTP/2.
    pub transport: Option<&'static str>,
    /// The version that the request asks for.
    pub version: Version,
    /// The proxies that it is led through.
    pub via: Box<[Hop]>,
    /// The tags and tunnels around the packets that began its stream, outermost first.
    pub encap: Box<[Encap]>,
    /// Those around the other direction's packets, where they are others.
    pub encap_back: Option<Box<[Encap]>>,
    /// The TLS session that it runs in.
    pub tls: Option<Box<TlsOutline>>,
    /// It is taken for a WebSocket by how its records look: nothing of it can be read without the key for this random.
    pub encrypted: Option<ClientRandom>,
    /// The interface that it was captured on, where the capture names it; not escaped.
    pub interface: Option<Arc<str>>,
    /// The addresses of its ends on their Ethernet, where it was captured on one: those of the packet that made it known.
    pub ethers: Option<Ethers>,
    /// The session that it belongs to: one of its own, where nothing ties it to another.
    pub session: SessionId,
    /// The connection that it follows.
    pub reconnect_of: Option<Reconnect>,
    /// The connection's first packet: of its TCP stream when the stream began with it, else of its request.
    pub first: Mark,
}

/// Ethernet addresses (IEEE 802.3 §3.2.4): of the ends, or of what stands for them on the captured network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ethers {
    /// On the client's side.
    pub client: [u8; 6],
    /// On the server's side.
    pub server: [u8; 6],
}

impl Opened {
    /// `in vlan 12, vxlan 5001`, and where the other direction's are others: `in vlan 12, back in vlan 13`.
    pub fn wrapping(&self) -> Option<String> {
        let words = |encaps: &[Encap]| encaps.iter().map(Encap::to_string).collect::<Vec<_>>().join(", ");
        let none = |words: String| if words.is_empty() { "nothing".to_owned() } else { words };
        match &self.encap_back {
            Some(back) => Some(format!("in {}, back in {}", none(words(&self.encap)), none(words(back)))),
            None => (!self.encap.is_empty()).then(|| format!("in {}", words(&self.encap))),
        }
    }
}

/// A WebSocket connection ended, or the capture did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Closed {
    /// How the TCP stream ended, each way.
    pub ends: Ends,
    /// The last packet of the connection.
    pub last: Mark,
    /// What was heard last before the end.
    pub heard: Heard,
    /// Pings that waited long for a pong and got none.
    pub unanswered: Option<Unanswered>,
    /// What hides the last words of a direction.
    pub unseen: Both<Option<Unseen>>,
}

/// One thing that was learned. Everything is borrowed: who keeps, copies.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// First event of a connection.
    Opened(&'a Opened),
    /// The handshake is complete, refused, or given up.
    Handshake(&'a Handshake),
    /// A frame ended. Comes before its message.
    Frame(&'a Frame),
    /// A message ended.
    Message(&'a Message<'a>),
    /// A message that was told before waited, which is only known now.
    Resent(&'a Resent),
    /// An HTTP request of a session, outside of any WebSocket connection, and its answer. Told when that is over.
    Exchange(&'a Exchange),
    /// A finding.
    Note(&'a Note<'a>),
    /// A TLS record of the connection was read, or a DATA frame of its HTTP/2 stream, behind what it carries; of a record what it has
    /// of each such frame is told apart. Only who hears them is told.
    Record(&'a Envelope),
    /// TLS carried something, which comes before what it makes. Only who hears it is told; no connection may be known so far.
    Carried(&'a Carried<'a>),
    /// A TLS stream ended. Its stamp has the first connection inside, where there was one, and comes before the connection's last event.
    Tls(&'a TlsSession),
    /// Last event of a connection.
    Closed(&'a Closed),
}

/// What was read inside a TLS session.
#[derive(Debug, Clone, Copy)]
pub struct Carried<'a> {
    /// Of sessions in one another in a stream the inner ones have the higher.
    pub level: usize,
    /// Client and server.
    pub ends: (Endpoint, Endpoint),
    /// Bytes, or a hole in them, or their end.
    pub input: Input<'a>,
}

/// Who listens to a dissection.
pub trait Sink {
    /// Takes one event; `Break` means that the reader has enough.
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()>;

    /// The next event may be long in coming: a live input is waited for. What was gathered is to be handed on.
    fn pause(&mut self) {}

    /// The packets from here on stand in another of several files.
    fn file(&mut self, _: &FileRun) {}

    /// What a capture tells of itself: which of several, and what; on a packet, before that packet.
    fn fact(&mut self, _: usize, _: &Fact<'_>) {}

    /// Whether frames are to be told, beside the messages that they make. Asked once, before the first event.
    fn hears_frames(&self) -> bool {
        true
    }

    /// Whether what data messages say is to be told; else it need not be kept, and of some nothing is. Asked once, before
    /// the first event.
    fn hears_payloads(&self) -> bool {
        true
    }

    /// Whether TLS records, and DATA frames of HTTP/2, are to be told. Asked once, before the first event.
    fn hears_records(&self) -> bool {
        false
    }

    /// Whether what TLS carries is to be told. Asked once, before the first event.
    fn hears_carried(&self) -> bool {
        false
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        (**self).accept(at, event)
    }

    fn pause(&mut self) {
        (**self).pause();
    }

    fn file(&mut self, run: &FileRun) {
        (**self).file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        (**self).fact(file, fact);
    }

    fn hears_frames(&self) -> bool {
        (**self).hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        (**self).hears_payloads()
    }

    fn hears_records(&self) -> bool {
        (**self).hears_records()
    }

    fn hears_carried(&self) -> bool {
        (**self).hears_carried()
    }
}
