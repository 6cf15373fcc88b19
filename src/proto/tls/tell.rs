//! What is told of a TLS session, and its findings.

use super::half::Lost;
use super::handshake::ClientHello;
use super::hello::Hello;
use super::record::Header;
use super::shape::Shape;
use crate::model::{
    Both, Certificate, ClientRandom, ConnId, Direction, Event, Limits, Mark, Note, NoteCode, Origin, PremasterId,
    Secrets, Sink, Span, Stamp, TlsAlert, TlsKeys, TlsOutline, TlsSession, TlsVersion, WhyNot, count, hex,
};
use crate::proto::layer::Cx;
use std::ops::ControlFlow;

/// What is known of the session so far.
#[derive(Debug, Default)]
pub(super) struct Session {
    outline: TlsOutline,
    client_randoms: Vec<ClientRandom>,
    premasters: Vec<PremasterId>,
    origin: Option<Origin>,
    decrypted: u64,
    why: Option<WhyNot>,
    /// The random of the handshake whose keys that is about, where it is known.
    lacking: Option<ClientRandom>,
    /// Data are missing.
    holed: bool,
    /// The packet that brought the first ClientHello, and those that brought the first Finished of each side.
    began: Option<Mark>,
    finished: Both<Option<Mark>>,
}

impl Session {
    /// Nothing was learned.
    pub(super) const fn is_blank(&self) -> bool {
        self.client_randoms.is_empty() && self.outline.version.is_none() && self.why.is_none()
    }

    /// Whether a ClientHello names it.
    pub(super) const fn is_named(&self) -> bool {
        !self.client_randoms.is_empty()
    }

    pub(super) const fn outline(&self) -> &TlsOutline {
        &self.outline
    }

    /// Whether HTTP/2 was agreed on.
    pub(super) fn is_http2(&self) -> bool {
        self.outline.alpn.as_deref() == Some("h2")
    }

    /// A handshake begins, with what those packets brought.
    pub(super) fn begin(&mut self, brought: Option<Span>) {
        self.began = self.began.or(brought.map(|span| span.first));
    }

    /// A side is done with it.
    pub(super) fn finish(&mut self, dir: Direction, brought: Option<Span>) {
        self.finished[dir] = self.finished[dir].or(brought.map(|span| span.last));
        if let (Some(began), Some(one), Some(other)) = (self.began, self.finished.to_server, self.finished.to_client) {
            self.outline.took = one.since(began).max(other.since(began));
        }
    }

    /// Learns whose handshake it is; past so many their randoms are not kept.
    pub(super) fn client_hello(&mut self, hello: &ClientHello, limits: &Limits) {
        if self.client_randoms.len() < limits.tls_handshakes && !self.client_randoms.contains(&hello.random) {
            self.client_randoms.push(hello.random);
        }
        if self.outline.sni.is_none() {
            self.outline.sni.clone_from(&hello.sni);
        }
    }

    /// Learns what the client encrypted for the server; past so many that is not kept.
    pub(super) fn exchanged(&mut self, encrypted: &[u8], limits: &Limits) {
        if let Some(id) = encrypted.first_chunk()
            && self.premasters.len() < limits.tls_handshakes
        {
            self.premasters.push(*id);
        }
    }

    pub(super) fn agreed(&mut self, version: TlsVersion, suite: String, alpn: Option<String>) {
        self.outline.version = Some(version);
        self.outline.cipher = Some(suite);
        self.alpn(alpn);
    }

    pub(super) fn alpn(&mut self, alpn: Option<String>) {
        if alpn.is_some() {
            self.outline.alpn = alpn;
        }
    }

    /// The server shows its certificate; that of the first handshake stays.
    pub(super) fn certificate(&mut self, certificate: Box<Certificate>) {
        self.outline.certificate.get_or_insert(certificate);
    }

    /// Looks the secrets up; says whether there is any.
    pub(super) fn look_up(&mut self, hello: &Hello, cx: &Cx<'_>) -> bool {
        let secrets = &cx.tools.secrets;
        self.outline.keys = hello.known(secrets);
        let first = hello.random().and_then(|random| secrets.of(random).next());
        self.origin = self.origin.or(first.map(|secret| secret.origin));
        first.is_some()
    }

    /// The secret that stands there opened a record. Where key logs disagree it need not be the first.
    pub(super) fn proved(&mut self, origin: Origin, hello: &Hello, secrets: &Secrets) {
        let Some(random) = hello.random() else { return };
        let mut later = secrets.of(random).filter(|secret| secrets.find(random, secret.label) != Some(*secret));
        if let Some(right) = later.clone().find(|secret| secret.origin == origin) {
            self.origin = later.find(|secret| secret.origin.source == right.origin.source).map(|first| first.origin);
        }
    }

    /// Data were decrypted.
    pub(super) const fn decrypted(&mut self, bytes: usize) {
        self.decrypted += bytes as u64;
    }

    /// Data were lost, or cannot be read.
    pub(super) const fn lost(&mut self) {
        self.holed = true;
    }

    /// Why not all can be decrypted, in a handshake with this random; the first reason stays.
    pub(super) fn why(&mut self, why: WhyNot, random: Option<&ClientRandom>) {
        if self.why.is_none() {
            (self.why, self.lacking) = (Some(why), random.copied());
        }
    }

    /// What is to be told of the session as a whole; `None` when it was none.
    pub(super) fn farewell(&mut self, cx: &Cx<'_>) -> Option<Farewell> {
        if self.is_blank() {
            return None;
        }
        if self.why.is_none() && self.holed {
            self.why = Some(WhyNot::Gap);
        }
        // A key that opens nothing is none, whatever it is called.
        if let (Some(WhyNot::WrongKey(_)), TlsKeys::Matched) = (self.why, self.outline.keys) {
            self.outline.keys = if self.decrypted > 0 { TlsKeys::Partial } else { TlsKeys::None };
        }
        if self.why.is_none() && self.decrypted == 0 && self.outline.keys == TlsKeys::None {
            self.outline.keys = TlsKeys::NotNeeded;
        }
        if self.why == Some(WhyNot::NoEarly) && self.outline.keys == TlsKeys::Matched {
            self.outline.keys = TlsKeys::Partial;
        }
        // Of several handshakes some have keys.
        if self.decrypted > 0 && self.outline.keys == TlsKeys::None {
            self.outline.keys = TlsKeys::Partial;
        }
        let (client, server) = cx.ends();
        let session = TlsSession {
            client,
            server,
            outline: self.outline.clone(),
            client_randoms: std::mem::take(&mut self.client_randoms),
            premasters: std::mem::take(&mut self.premasters),
            origin: self.origin,
            decrypted: self.decrypted,
            why_not: self.why,
        };
        Some(Farewell { session, lacking: self.lacking, has_keys: cx.tools.secrets.were_given() })
    }
}

/// What is told of a session when its stream ends.
pub(super) struct Farewell {
    session: TlsSession,
    /// The random of the handshake that has none, or the wrong ones.
    lacking: Option<ClientRandom>,
    /// Some key was given.
    has_keys: bool,
}

impl Farewell {
    /// Tells it, and before it as a finding why the session was not decrypted.
    pub(super) fn tell(&self, at: &Stamp, sink: &mut dyn Sink) -> ControlFlow<()> {
        if let Some(why) = self.session.why_not.filter(|_| self.has_keys)
            && let Some(code) = code(why)
        {
            let random = self.lacking.map(|random| hex(&random));
            let text = format!("TLS is not decrypted: {why}");
            let note = Note { text: &text, detail: random.as_deref(), ..Note::new(code, at.at) };
            sink.accept(at, Event::Note(&note))?;
        }
        sink.accept(at, Event::Tls(&self.session))
    }
}

/// Tells of a session behind the first connection that is opened inside it.
pub(super) struct Herald<'a> {
    pub(super) sink: &'a mut dyn Sink,
    pub(super) farewell: Option<Farewell>,
}

impl Sink for Herald<'_> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        self.sink.accept(at, event)?;
        match self.farewell.take_if(|_| matches!(event, Event::Opened(_))) {
            Some(farewell) => farewell.tell(at, self.sink),
            None => ControlFlow::Continue(()),
        }
    }

    fn pause(&mut self) {
        self.sink.pause();
    }
}

/// The finding that a reason is, for who gave a key log.
const fn code(why: WhyNot) -> Option<NoteCode> {
    match why {
        WhyNot::NoKey
        | WhyNot::TooLate
        | WhyNot::OnlyHandshake
        | WhyNot::OtherSecrets
        | WhyNot::OneWay(_)
        | WhyNot::NoEarly => Some(NoteCode::NoKeys),
        WhyNot::NoClientHello | WhyNot::NoneFits | WhyNot::NoServerHello => Some(NoteCode::TlsHandshake),
        WhyNot::Suite(_) | WhyNot::Compressed => Some(NoteCode::TlsUnsupported),
        WhyNot::WrongKey(_) => Some(NoteCode::TlsWrongKey),
        WhyNot::NoRecords(_) | WhyNot::Gap => None,
    }
}

/// A fatal alert.
pub(super) fn alert(conn: Option<ConnId>, dir: Direction, fatal: TlsAlert, cx: &mut Cx<'_>) {
    let text = format!("the {} ended the TLS session: {fatal}", dir.sender());
    note(conn, dir, NoteCode::TlsAlert, &text, cx);
}

/// A record whose authentication failed.
pub(super) fn bad_tag(conn: Option<ConnId>, dir: Direction, header: Header, cx: &mut Cx<'_>) {
    let text = format!("a TLS record of {} does not open: its content is not shown", length(header));
    note(conn, dir, NoteCode::TlsBadTag, &text, cx);
}

/// A session that is not decrypted is taken for a WebSocket.
pub(super) fn likely(session: &Session, shape: &Shape, cx: &mut Cx<'_>) -> ConnId {
    *cx.tls = Some(Box::new(session.outline().clone()));
    let random = session.client_randoms.first().copied().unwrap_or_default();
    let conn = cx.opened_encrypted(random);
    let (text, random) = (shape.words(), hex(&random));
    cx.note(conn, &Note { text: &text, detail: Some(&random), ..Note::new(NoteCode::TlsLikely, cx.mark) });
    conn
}

/// A session of which the capture has no hello is taken for a WebSocket: no random names it, or the key that is missing.
pub(super) fn likely_midway(shape: &Shape, cx: &mut Cx<'_>) {
    let text = format!("{}; the ClientHello, whose random names the key, was not captured", shape.words());
    cx.tell(None, Event::Note(&Note { text: &text, ..Note::new(NoteCode::TlsLikely, cx.mark) }));
}

/// More waits for keys than may.
pub(super) fn no_room(conn: Option<ConnId>, cx: &mut Cx<'_>) {
    limit(
        conn,
        "this session does not wait any longer for a key that the capture may bring (limit key-wait-bytes)",
        cx,
    );
}

/// What waits for keys is dropped.
pub(super) fn dropped(conn: Option<ConnId>, cx: &mut Cx<'_>) {
    limit(conn, "more TLS records than may wait for their key are dropped until it comes (limit key-wait-bytes)", cx);
}

/// There are more keys and numbers than may be tried.
pub(super) fn not_all_tried(conn: Option<ConnId>, cx: &mut Cx<'_>) {
    limit(conn, "not all keys and record numbers were tried on this session (limits try-bytes and try-total)", cx);
}

/// Records are looked for in more bytes than may be.
pub(super) fn no_search(conn: Option<ConnId>, cx: &mut Cx<'_>) {
    limit(conn, "TLS records are not looked for in all bytes behind a loss (limit seek-total)", cx);
}

fn limit(conn: Option<ConnId>, text: &str, cx: &mut Cx<'_>) {
    let note = Note { text, ..Note::new(NoteCode::TlsLimit, cx.mark) };
    cx.tell(conn, Event::Note(&note));
}

/// No record where one should begin.
pub(super) fn bad_record(conn: Option<ConnId>, dir: Direction, cx: &mut Cx<'_>) {
    note(conn, dir, NoteCode::TlsRecord, "", cx);
}

/// Lost records, behind which those that follow may open.
pub(super) fn gap(conn: Option<ConnId>, dir: Direction, lost: Lost, is_open: bool, cx: &mut Cx<'_>) {
    let bytes = count(lost.bytes, "byte");
    let how = if lost.dropped > 0 { "dropped, since their key came too late (limit key-wait-bytes)" } else { "lost" };
    let follows = if is_open { "; what follows is decrypted" } else { "" };
    let text = format!("{bytes} of TLS records were {how}{follows}");
    note(conn, dir, NoteCode::TlsGap, &text, cx);
}

/// A record of which bytes are missing, and how many of its content are shown all the same; `None` when it is not decrypted.
pub(super) fn torn(conn: Option<ConnId>, dir: Direction, header: Header, shown: Option<usize>, cx: &mut Cx<'_>) {
    let len = length(header);
    let (code, text) = match shown {
        Some(shown) => (
            NoteCode::TlsUnverified,
            format!(
                "a TLS record of {len} was not captured whole: {} of it are shown, not verified",
                count(shown as u64, "byte")
            ),
        ),
        None => (
            NoteCode::TlsGap,
            format!("a TLS record of {len} is not read whole: bytes of it, or of the one before, are missing"),
        ),
    };
    note(conn, dir, code, &text, cx);
}

fn length(header: Header) -> String {
    count(header.len.into(), "byte")
}

fn note(conn: Option<ConnId>, dir: Direction, code: NoteCode, text: &str, cx: &mut Cx<'_>) {
    let note = Note { text, dir: Some(dir), ..Note::new(code, cx.mark) };
    cx.tell(conn, Event::Note(&note));
}
