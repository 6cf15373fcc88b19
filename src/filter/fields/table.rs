//! The table of fields, and what they have of a row.

use super::{Asks, Field, Get, See};
use crate::decode;
use crate::filter::row::{Item, Row, Rows};
use crate::filter::value::{Kind, Value};
use crate::model::{
    Connection, Counts, Decoded, Direction, Encap, End, Endpoint, Ethers, Frame, Head, Message, NoteCode, Opcode,
    Reply, StartLine, url_parts,
};

impl<'a> Row<'a> {
    pub(in crate::filter) const fn message(&self) -> Option<&'a Message<'a>> {
        match self.item {
            Item::Message(message, _) => Some(message),
            _ => None,
        }
    }

    const fn decoded(&self) -> Option<&'a Decoded<'a>> {
        match self.message() {
            Some(message) => message.decoded,
            None => None,
        }
    }

    fn frames(&self) -> &'a [Frame] {
        match self.item {
            Item::Message(_, frames) => frames,
            Item::Frame(frame) => std::slice::from_ref(frame),
            Item::Connection | Item::Finding(_) => &[],
        }
    }

    const fn dir(&self) -> Option<Direction> {
        match self.item {
            Item::Message(message, _) => Some(message.dir),
            Item::Frame(frame) => Some(frame.dir),
            Item::Finding(note) => note.dir,
            Item::Connection => None,
        }
    }

    /// Who sent it; of a connection the client.
    fn sender(&self) -> Option<Endpoint> {
        let conn = self.conn?;
        Some(if self.dir() == Some(Direction::ToClient) { conn.server() } else { conn.client() })
    }

    fn receiver(&self) -> Option<Endpoint> {
        let conn = self.conn?;
        Some(if self.dir() == Some(Direction::ToClient) { conn.client() } else { conn.server() })
    }

    fn request(&self) -> Option<&'a Head> {
        self.handshake?.request.as_ref()
    }

    fn response(&self) -> Option<&'a Head> {
        self.handshake?.response.as_ref()
    }

    /// The heads, where HTTP/2 carried them.
    fn h2_heads(&self) -> impl Iterator<Item = &'a Head> {
        [self.request(), self.response()].into_iter().flatten().filter(|head| head.is_h2())
    }

    /// Shows the values of a header in both heads.
    pub(in crate::filter) fn headers(&self, name: &str, see: &mut See<'_>) -> bool {
        [self.request(), self.response()]
            .into_iter()
            .flatten()
            .any(|head| head.values(name).any(|value| see(text(value))))
    }
}

/// The Ethernet addresses of a connection, as they were where it became known.
fn ethers<'a>(row: &Row<'a>) -> Option<&'a Ethers> {
    row.conn?.opened.ethers.as_ref()
}

fn is_answer(row: &Row<'_>) -> bool {
    row.dir() == Some(Direction::ToClient)
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text)
}

/// A word, with its place among those of its field.
fn word(words: &[&str], word: &'static str) -> Value<'static> {
    Value::Word(words.iter().position(|known| *known == word).unwrap_or(usize::MAX), word)
}

/// A code, with its place among all.
fn code(code: NoteCode) -> Value<'static> {
    Value::Word(code as usize, code.name())
}

fn utf8(bytes: &[u8]) -> Option<Value<'_>> {
    std::str::from_utf8(bytes).ok().map(Value::Text)
}

fn int(number: impl Into<i128>) -> Value<'static> {
    Value::Int(number.into())
}

const fn there(is_there: bool) -> Option<Value<'static>> {
    if is_there { Some(Value::There) } else { None }
}

fn ip(end: Option<Endpoint>, is_v6: bool) -> Option<Value<'static>> {
    end.map(|end| end.ip).filter(|ip| ip.is_v6() == is_v6).map(Value::Address)
}

fn ips(row: &Row<'_>, is_v6: bool, see: &mut See<'_>) -> bool {
    [row.sender(), row.receiver()].into_iter().any(|end| ip(end, is_v6).is_some_and(&mut *see))
}

/// DATA carry messages and frames, HEADERS the handshake (RFC 9113 §6).
fn h2_types(row: &Row<'_>, see: &mut See<'_>) -> bool {
    row.at.h2_stream.is_some()
        && match row.item {
            Item::Message(..) | Item::Frame(_) => see(int(0)),
            Item::Connection => see(int(0)) || see(int(1)),
            Item::Finding(_) => false,
        }
}

fn url<'a>(row: &Row<'a>) -> Option<&'a str> {
    row.conn?.opened.url.as_deref()
}

/// A payload by the name that Wireshark has for its kind.
fn payload_of<'a>(row: &Row<'a>, opcode: Opcode) -> Option<Value<'a>> {
    row.message().filter(|message| message.opcode == opcode).map(|message| Value::Bytes(message.body.kept))
}

/// What both directions of a connection, or one, add up to.
fn sum(conn: &Connection, dir: Option<Direction>, of: fn(&Counts) -> u64) -> Value<'static> {
    int(match dir {
        Some(dir) => of(&conn.counts[dir]),
        None => of(&conn.both()),
    })
}

fn start(head: Option<&Head>) -> Option<&StartLine> {
    head.map(|head| &head.start)
}

fn method<'a>(row: &Row<'a>) -> Option<(&'a str, &'a str, &'a str)> {
    match start(row.request())? {
        StartLine::Request { method, target, version } => Some((method, target, version)),
        StartLine::Response { .. } => None,
    }
}

fn answer<'a>(row: &Row<'a>) -> Option<(&'a str, u16, &'a str)> {
    match start(row.response())? {
        StartLine::Response { version, status, reason } => Some((version, *status, reason)),
        StartLine::Request { .. } => None,
    }
}

const TYPES: &[&str] = &Opcode::NAMES;
const STATES: &[&str] = &["encrypted", "rejected", "midstream", "closed", "aborted", "open"];
const ENDINGS: &[&str] =
    &["refused", "no-answer", "clean", "no-reply", "reply-unseen", "fin", "rst", "timeout", "replaced", "open"];
const CLOSERS: &[&str] = &["client", "server", "fin", "rst", "timeout"];
const SEVERITIES: &[&str] = &["note", "warning", "error"];
const DIRS: &[&str] = &["c2s", "s2c"];
const KEYS: &[&str] = &["matched", "partial", "none", "not needed"];

macro_rules! fields {
    ($($name:literal $(= $alias:literal)?, $kind:expr, $rows:expr, $asks:ident, $about:literal, $get:expr;)*) => {
        /// Every field there is.
        pub static FIELDS: &[Field] = &[$(Field {
            name: $name,
            alias: concat!($($alias)?),
            kind: $kind,
            rows: $rows,
            asks: Asks::$asks,
            about: $about,
            get: $get,
        },)*];
    };
}

use Get::{Many, Named, One};
use Kind::{Address, Bytes, Code, Duration, Flag, Json, Number, Presence, Text, Time, Word};

const ALL: Rows = Rows::ALL;
const CONNS: Rows = Rows::CONNECTIONS.and(Rows::HANDSHAKES);
const MSGS: Rows = Rows::MESSAGES;
const FRAMES: Rows = Rows::FRAMES;
const NOTES: Rows = Rows::FINDINGS;
const UNITS: Rows = MSGS.and(FRAMES);
const SENT: Rows = UNITS.and(NOTES);

fields! {
    "frame", Presence, ALL, Row, "every row has it", One(|_| there(true));
    "ip", Presence, ALL, Opened, "the connection runs over IPv4", One(|row| there(!row.sender()?.ip.is_v6()));
    "ipv6", Presence, ALL, Opened, "the connection runs over IPv6", One(|row| there(row.sender()?.ip.is_v6()));
    "tcp", Presence, ALL, Row, "the row is of a TCP stream", One(|row| there(row.at.stream.is_some()));
    "http.request", Presence, ALL, Heads, "the head of the upgrade request was captured", One(|row| there(row.request().is_some()));
    "http.response", Presence, ALL, Heads, "the head of its answer was captured", One(|row| there(row.response().is_some()));
    "frame.number", Number, ALL, Row, "packet that the row names, from 1",
        One(|row| Some(row.at.at.packet.0).filter(|&packet| packet > 0).map(int));
    "frame.time", Time, ALL, Row, "time of that packet",
        One(|row| row.at.at.time.map(Value::Time));
    "frame.time_epoch", Time, ALL, Row, "the same",
        One(|row| row.at.at.time.map(Value::Time));
    "frame.time_relative", Duration, ALL, Origin, "time since the first packet of the capture",
        One(|row| Some(Value::Duration(row.at.at.time?.since(row.origin?))));
    "frame.interface_name", Text, ALL, Opened, "interface that the connection was captured on, where the capture names it",
        One(|row| row.conn?.opened.interface.as_deref().map(text));
    "eth", Presence, ALL, Opened, "the connection was captured on an Ethernet", One(|row| there(ethers(row).is_some()));
    "eth.addr", Bytes, ALL, Opened, "Ethernet address, of either side",
        Many(|row, see| {
            let Some(ethers) = ethers(row) else { return false };
            [&ethers.client, &ethers.server].into_iter().any(|ether| see(Value::Bytes(ether)))
        });
    "eth.src", Bytes, ALL, Row, "Ethernet address of the sender; of connections the client's",
        One(|row| ethers(row).map(|it| Value::Bytes(if is_answer(row) { &it.server } else { &it.client })));
    "eth.dst", Bytes, ALL, Row, "Ethernet address of the receiver",
        One(|row| ethers(row).map(|it| Value::Bytes(if is_answer(row) { &it.client } else { &it.server })));
    "vlan.id", Number, ALL, Opened, "VLANs around the connection's packets, those of 802.1ad as well",
        Many(|row, see| {
            let Some(conn) = row.conn else { return false };
            let mut encaps = conn.opened.encap.iter().chain(conn.opened.encap_back.iter().flatten());
            encaps.any(|encap| if let Encap::Vlan(id) = encap { see(int(*id)) } else { false })
        });
    "ip.addr", Address, ALL, Opened, "IPv4 address, of either end", Many(|row, see| ips(row, false, see));
    "ip.src", Address, ALL, Row, "IPv4 address of the sender; of connections the client's",
        One(|row| ip(row.sender(), false));
    "ip.dst", Address, ALL, Row, "IPv4 address of the receiver", One(|row| ip(row.receiver(), false));
    "ipv6.addr", Address, ALL, Opened, "IPv6 address, of either end", Many(|row, see| ips(row, true, see));
    "ipv6.src", Address, ALL, Row, "IPv6 address of the sender; of connections the client's",
        One(|row| ip(row.sender(), true));
    "ipv6.dst", Address, ALL, Row, "IPv6 address of the receiver", One(|row| ip(row.receiver(), true));
    "tcp.stream", Number, ALL, Row, "number of the TCP stream, from 0", One(|row| row.at.stream.map(int));
    "tcp.port", Number, ALL, Opened, "TCP port, of either end",
        Many(|row, see| [row.sender(), row.receiver()].into_iter().flatten().any(|end| see(int(end.port))));
    "tcp.srcport", Number, ALL, Row, "TCP port of the sender; of connections the client's",
        One(|row| row.sender().map(|end| int(end.port)));
    "tcp.dstport", Number, ALL, Row, "TCP port of the receiver", One(|row| row.receiver().map(|end| int(end.port)));
    "tls", Presence, ALL, Opened, "the connection runs in TLS", One(|row| there(row.conn?.opened.tls.is_some()));
    "tls.handshake.extensions_server_name", Text, ALL, Opened, "server name that the client asks TLS for",
        One(|row| row.conn?.opened.tls.as_deref()?.sni.as_deref().map(text));
    "http", Presence, ALL, Heads, "a head of the upgrade was captured",
        One(|row| there(row.request().or(row.response()).is_some()));
    "http2", Presence, ALL, Row, "the connection runs over HTTP/2", One(|row| there(row.at.h2_stream.is_some()));
    "http2.streamid", Number, ALL, Row, "its HTTP/2 stream", One(|row| row.at.h2_stream.map(|stream| int(stream.0)));
    "http2.type", Number, ALL, Row, "types of the HTTP/2 frames that carry it: 0 DATA, 1 HEADERS", Many(h2_types);
    "http2.rst_stream.error", Number, ALL, End, "code with which its stream was reset",
        Many(|row, see| {
            let Some(closed) = row.conn.and_then(|conn| conn.closed) else { return false };
            closed.ends.in_order().any(|(_, how, _)| matches!(how, End::RstStream(code) if see(int(code.0))))
        });
    "http2.header.name", Text, ALL, Heads, "names of its headers over HTTP/2, pseudo-headers too",
        Many(|row, see| row.h2_heads().flat_map(|head| &head.headers).any(|(name, _)| see(text(name))));
    "http2.header.value", Text, ALL, Heads, "their values",
        Many(|row, see| row.h2_heads().flat_map(|head| &head.headers).any(|(_, value)| see(text(value))));
    "http2.headers.method", Text, ALL, Heads, "pseudo-header :method", Many(|row, see| row.headers(":method", see));
    "http2.headers.scheme", Text, ALL, Heads, "pseudo-header :scheme", Many(|row, see| row.headers(":scheme", see));
    "http2.headers.authority", Text, ALL, Heads, "pseudo-header :authority",
        Many(|row, see| row.headers(":authority", see));
    "http2.headers.path", Text, ALL, Heads, "pseudo-header :path", Many(|row, see| row.headers(":path", see));
    "http2.headers.status", Number, ALL, Heads, "pseudo-header :status",
        One(|row| answer(row).filter(|_| row.h2_heads().next().is_some()).map(|it| int(it.1)));
    "http.request.method", Text, ALL, Heads, "method of the upgrade request", One(|row| method(row).map(|it| text(it.0)));
    "http.request.uri", Text, ALL, Heads, "target of the upgrade request", One(|row| method(row).map(|it| text(it.1)));
    "http.request.uri.path", Text, ALL, Heads, "its path",
        One(|row| method(row).map(|it| text(it.1.split_once('?').map_or(it.1, |parts| parts.0))));
    "http.request.uri.query", Text, ALL, Heads, "its query",
        One(|row| method(row)?.1.split_once('?').map(|parts| text(parts.1)));
    "http.request.version", Text, ALL, Heads, "version of the upgrade request", One(|row| method(row).map(|it| text(it.2)));
    "http.response.code", Number, ALL, Heads, "status of the answer", One(|row| answer(row).map(|it| int(it.1)));
    "http.response.phrase", Text, ALL, Heads, "words behind the status", One(|row| answer(row).map(|it| text(it.2)));
    "http.response.version", Text, ALL, Heads, "version of the answer", One(|row| answer(row).map(|it| text(it.0)));
    "http.request.full_uri", Text, ALL, Opened, "URL of the connection with http: or https: (see url)",
        Many(|row, see| {
            let Some((scheme, rest)) = url(row).and_then(|url| url.split_once("://")) else { return false };
            let full = format!("{}://{rest}", if scheme == "wss" { "https" } else { "http" });
            see(text(&full))
        });
    "http.host", Text, ALL, Heads, "header Host", Many(|row, see| row.headers("host", see));
    "http.authorization", Text, ALL, Heads, "header Authorization", Many(|row, see| row.headers("authorization", see));
    "http.cache_control", Text, ALL, Heads, "header Cache-Control", Many(|row, see| row.headers("cache-control", see));
    "http.connection", Text, ALL, Heads, "header Connection", Many(|row, see| row.headers("connection", see));
    "http.content_type", Text, ALL, Heads, "header Content-Type", Many(|row, see| row.headers("content-type", see));
    "http.cookie", Text, ALL, Heads, "header Cookie", Many(|row, see| row.headers("cookie", see));
    "http.location", Text, ALL, Heads, "header Location", Many(|row, see| row.headers("location", see));
    "http.proxy_authorization", Text, ALL, Heads, "header Proxy-Authorization",
        Many(|row, see| row.headers("proxy-authorization", see));
    "http.referer", Text, ALL, Heads, "header Referer", Many(|row, see| row.headers("referer", see));
    "http.sec_websocket_accept", Text, ALL, Heads, "header Sec-WebSocket-Accept",
        Many(|row, see| row.headers("sec-websocket-accept", see));
    "http.sec_websocket_extensions", Text, ALL, Heads, "header Sec-WebSocket-Extensions",
        Many(|row, see| row.headers("sec-websocket-extensions", see));
    "http.sec_websocket_key", Text, ALL, Heads, "header Sec-WebSocket-Key",
        Many(|row, see| row.headers("sec-websocket-key", see));
    "http.sec_websocket_protocol", Text, ALL, Heads, "header Sec-WebSocket-Protocol",
        Many(|row, see| row.headers("sec-websocket-protocol", see));
    "http.sec_websocket_version", Text, ALL, Heads, "header Sec-WebSocket-Version",
        Many(|row, see| row.headers("sec-websocket-version", see));
    "http.server", Text, ALL, Heads, "header Server", Many(|row, see| row.headers("server", see));
    "http.set_cookie", Text, ALL, Heads, "header Set-Cookie", Many(|row, see| row.headers("set-cookie", see));
    "http.upgrade", Text, ALL, Heads, "header Upgrade", Many(|row, see| row.headers("upgrade", see));
    "http.user_agent", Text, ALL, Heads, "header User-Agent", Many(|row, see| row.headers("user-agent", see));
    "http.www_authenticate", Text, ALL, Heads, "header WWW-Authenticate",
        Many(|row, see| row.headers("www-authenticate", see));
    "http.x_forwarded_for", Text, ALL, Heads, "header X-Forwarded-For",
        Many(|row, see| row.headers("x-forwarded-for", see));
    "wspect.header" = "header", Text, ALL, Heads, "any header of both heads, by its name: header.\"X-Request-Id\"", Named;
    "websocket", Presence, ALL, Row, "every row has it", One(|_| there(true));
    "websocket.fin", Flag, UNITS, Frames, "last frame of its message",
        Many(|row, see| row.frames().iter().any(|frame| see(Value::Flag(frame.fin))));
    "websocket.rsv", Number, UNITS, Frames, "the three reserved bits, 4 for the first",
        Many(|row, see| row.frames().iter().any(|frame| see(int(frame.rsv))));
    "websocket.pmc", Flag, UNITS, Frames, "RSV1 where permessage-deflate was agreed on, or is used: compressed",
        Many(|row, see| {
            let outline = row.conn.and_then(|conn| conn.handshake.as_ref());
            let agreed = outline.is_some_and(|it| it.extensions().iter().any(|it| it.starts_with("permessage-deflate")));
            let mut flags = row.frames().iter().map(|frame| frame.rsv & 4 != 0).filter(|flag| agreed || *flag);
            flags.any(|flag| see(Value::Flag(flag)))
        });
    "websocket.opcode", Number, UNITS, Frames, "opcode of the frame, of each frame of a message",
        Many(|row, see| row.frames().iter().any(|frame| see(int(frame.opcode.0))));
    "websocket.mask", Flag, UNITS, Frames, "the payload is masked",
        Many(|row, see| row.frames().iter().any(|frame| see(Value::Flag(frame.mask.is_some()))));
    "websocket.payload_length", Number, UNITS, Frames, "length in seven bits: 126 and 127 for longer ones (see wspect.len)",
        Many(|row, see| row.frames().iter().any(|frame| see(int(match frame.len {
            len @ 0..126 => len,
            126..0x1_0000 => 126,
            _ => 127,
        }))));
    "websocket.payload_length_ext_16", Number, UNITS, Frames, "length where it takes 16 bits",
        Many(|row, see| {
            let long = |frame: &&Frame| (126..0x1_0000).contains(&frame.len);
            row.frames().iter().filter(long).any(|frame| see(int(frame.len)))
        });
    "websocket.payload_length_ext_64", Number, UNITS, Frames, "length where it takes 64 bits",
        Many(|row, see| row.frames().iter().filter(|frame| frame.len >= 0x1_0000).any(|frame| see(int(frame.len))));
    "websocket.masking_key", Bytes, UNITS, Frames, "masking key",
        Many(|row, see| {
            let mut keys = row.frames().iter().filter_map(|frame| frame.mask.as_ref());
            keys.any(|key| see(Value::Bytes(key)))
        });
    "websocket.payload", Bytes, MSGS, Payload, "payload, unmasked and inflated",
        One(|row| row.message().map(|message| Value::Bytes(message.body.kept)));
    "websocket.payload.text", Text, MSGS, Payload, "payload of a text message",
        One(|row| utf8(row.message().filter(|message| message.is_text())?.body.kept));
    "websocket.payload.close", Presence, MSGS, Row, "a Close frame",
        One(|row| there(row.message()?.opcode == Opcode::CLOSE));
    "websocket.payload.close.status_code", Number, MSGS, Row, "code of a Close frame",
        One(|row| row.message()?.close.map(|close| int(close.code.0)));
    "websocket.payload.close.reason", Text, MSGS, Row, "reason of a Close frame",
        One(|row| utf8(row.message()?.close?.reason));
    "websocket.payload.ping", Bytes, MSGS, Row, "payload of a ping", One(|row| payload_of(row, Opcode::PING));
    "websocket.payload.pong", Bytes, MSGS, Row, "payload of a pong", One(|row| payload_of(row, Opcode::PONG));
    "websocket.payload.continue", Bytes, MSGS, Payload, "payload of fragments whose first was lost",
        One(|row| payload_of(row, Opcode::CONTINUATION));
    "websocket.payload.unknown", Bytes, MSGS, Payload, "payload of a message of a reserved opcode",
        One(|row| {
            let reserved = row.message().filter(|message| message.opcode.is_reserved());
            reserved.map(|message| Value::Bytes(message.body.kept))
        });
    "wspect.conn" = "conn", Number, ALL, Opened, "number of the connection (wspect ls)",
        One(|row| row.at.conn.map(|conn| int(conn.0)));
    "wspect.time" = "time", Time, ALL, Row, "time of the row: of its packet", One(|row| row.at.at.time.map(Value::Time));
    "wspect.msg" = "msg", Number, SENT, Row, "number of the message (wspect msgs)",
        One(|row| match row.item {
            Item::Message(message, _) => Some(message.number),
            Item::Frame(frame) => frame.msg,
            Item::Finding(note) => note.msg,
            Item::Connection => None,
        }.map(int));
    "wspect.frame", Number, FRAMES.and(NOTES), Row, "number of the WebSocket frame within its connection",
        One(|row| match row.item {
            Item::Frame(frame) => Some(int(frame.number)),
            Item::Finding(note) => note.frame.map(int),
            _ => None,
        });
    "wspect.dir" = "dir", Word(DIRS), SENT, Row, "c2s from the client, s2c from the server",
        One(|row| row.dir().map(|dir| word(DIRS, dir.name())));
    "wspect.type" = "type", Word(TYPES), UNITS, Row, "text, binary, ping, pong, close, continuation, reserved-3 ...",
        One(|row| match row.item {
            Item::Message(message, _) => Some(word(TYPES, message.opcode.name())),
            Item::Frame(frame) => Some(word(TYPES, frame.opcode.name())),
            _ => None,
        });
    "wspect.len" = "len", Number, UNITS, Row, "payload bytes, of a message after unmasking and inflating",
        One(|row| match row.item {
            Item::Message(message, _) => Some(int(message.body.len)),
            Item::Frame(frame) => Some(int(frame.len)),
            _ => None,
        });
    "wspect.wire_len", Number, MSGS, Row, "payload bytes of a message on the wire",
        One(|row| row.message().map(|message| int(message.wire_len)));
    "wspect.frames", Number, MSGS, Row, "frames of a message", One(|row| row.message().map(|message| int(message.frames)));
    "wspect.first_packet", Number, ALL, Row, "packet with its first byte",
        One(|row| match row.item {
            Item::Message(message, _) => Some(message.span.first),
            Item::Frame(frame) => Some(frame.span.first),
            Item::Connection => Some(row.conn?.span.first),
            Item::Finding(_) => None,
        }.map(|first| int(first.packet.0)));
    "wspect.header_len", Number, FRAMES, Row, "bytes of the frame's head",
        One(|row| if let Item::Frame(frame) = row.item { Some(int(frame.header_len)) } else { None });
    "wspect.stream_offset", Number, FRAMES, Row, "where the frame begins in its direction's stream",
        One(|row| if let Item::Frame(frame) = row.item { Some(int(frame.stream_offset)) } else { None });
    "wspect.compressed", Flag, MSGS, Row, "it was compressed", One(|row| row.message().map(|message| Value::Flag(message.compressed)));
    "wspect.complete", Flag, UNITS, Row, "every byte is there and certain",
        One(|row| match row.item {
            Item::Message(message, _) => Some(Value::Flag(message.complete)),
            Item::Frame(frame) => Some(Value::Flag(frame.complete)),
            _ => None,
        });
    "wspect.inferred", Flag, MSGS, Row, "a search restored what a loss had made unknown",
        One(|row| row.message().map(|message| Value::Flag(message.inferred)));
    "wspect.missing", Number, MSGS, Row, "bytes of it that are missing, where it is known how many",
        One(|row| {
            let body = row.message()?.body;
            let known = !body.holes.is_empty() && body.holes.iter().all(|hole| hole.len.is_some());
            known.then(|| int(body.missing()))
        });
    "wspect.waited", Duration, MSGS, Row, "how long bytes of it waited for a retransmission or a window, as far as it is known with it",
        One(|row| row.message()?.waited.map(|wait| Value::Duration(wait.nanos)));
    "wspect.rtt" = "rtt", Duration, MSGS, Row, "of a pong: time since its ping", One(|row| row.message()?.rtt.map(Value::Duration));
    "wspect.payload" = "payload", Bytes, MSGS, Payload, "payload, unmasked and inflated",
        One(|row| row.message().map(|message| Value::Bytes(message.body.kept)));
    "wspect.json" = "json", Json, MSGS, Payload, "what the payload has at a path: json.items[0].id, json.\"a key\", json.items[*].id",
        Named;
    "wspect.decoded" = "decoded", Json, MSGS, Decoded, "what a decoder makes of it, as in records: decoded.protocol, decoded.id, decoded.data.args[0]",
        Named;
    "wspect.event" = "event", Text, MSGS, Decoded, "events, methods, targets, topics or commands that it carries",
        Many(|row, see| row.decoded().is_some_and(|decoded| decoded.events().any(|event| see(text(event)))));
    "wspect.reply_to" = "reply", Number, MSGS, Decoded, "number of the message that it answers",
        Many(|row, see| row.decoded().is_some_and(|decoded| decoded.replies().any(|reply| see(int(reply.to)))));
    "wspect.reply_event" = "asked", Text, MSGS, Decoded, "event of the message that it answers",
        Many(|row, see| {
            let mut asked = row.decoded().into_iter().flat_map(Decoded::replies).filter_map(|reply| reply.event.as_deref());
            asked.any(|event| see(text(event)))
        });
    "wspect.reply_latency" = "latency", Duration, MSGS, Decoded, "time since the message that it answers",
        Many(|row, see| {
            let latency = |reply: &Reply| reply.latency.is_some_and(|nanos| see(Value::Duration(nanos)));
            row.decoded().is_some_and(|decoded| decoded.replies().any(latency))
        });
    "wspect.heartbeat" = "heartbeat", Flag, MSGS, Decoded, "it only keeps the connection alive",
        One(|row| row.message().map(|_| Value::Flag(row.decoded().is_some_and(Decoded::is_heartbeat))));
    "wspect.summary" = "summary", Text, MSGS, Decoded, "what a decoder makes of it, in one line",
        Many(|row, see| row.decoded().is_some_and(|decoded| see(text(&decode::summary(decoded)))));
    "wspect.close_code" = "close_code", Number, MSGS.and(CONNS), Growing, "code of a Close frame, of a connection the first's",
        One(|row| match row.item {
            Item::Message(message, _) => Some(message.close?.code),
            _ => row.conn?.close.as_ref()?.1.code,
        }.map(|code| int(code.0)));
    "wspect.close_reason", Text, MSGS.and(CONNS), Growing, "reason of a Close frame, of a connection the first's",
        One(|row| match row.item {
            Item::Message(message, _) => utf8(message.close?.reason),
            _ => row.conn?.close.as_ref().map(|(_, close)| text(&close.reason)),
        });
    "wspect.finding" = "finding", Code, ALL, Growing, "codes of findings (wspect check): of the row",
        Many(|row, see| match row.item {
            Item::Message(message, _) => message.findings.iter().any(|found| see(code(found))),
            Item::Frame(frame) => frame.findings.iter().any(|found| see(code(found))),
            Item::Finding(note) => see(code(note.code)),
            Item::Connection => row.conn.is_some_and(|conn| conn.codes.iter().any(|found| see(code(found)))),
        });
    "wspect.severity" = "severity", Word(SEVERITIES), ALL, Growing, "severities of those findings: note, warning, error",
        Many(|row, see| {
            let mut tell = |code: NoteCode| see(word(SEVERITIES, code.severity().name()));
            match row.item {
                Item::Message(message, _) => message.findings.iter().any(tell),
                Item::Frame(frame) => frame.findings.iter().any(tell),
                Item::Finding(note) => tell(note.code),
                Item::Connection => row.conn.is_some_and(|conn| conn.codes.iter().any(tell)),
            }
        });
    "wspect.text", Text, NOTES, Row, "sentence of a finding",
        One(|row| if let Item::Finding(note) = row.item { Some(text(note.sentence())) } else { None });
    "wspect.url" = "url", Text, ALL, Opened, "URL of the connection, when its request was captured", One(|row| url(row).map(text));
    "wspect.host" = "host", Text, ALL, Opened, "host of the URL; of what cannot be read the name that TLS asks for", One(|row| row.conn?.host().map(text));
    "wspect.path" = "path", Text, ALL, Opened, "path of the URL", One(|row| url(row).map(|url| text(url_parts(url).1)));
    "wspect.query", Text, ALL, Opened, "query of the URL", One(|row| url_parts(url(row)?).2.map(text));
    "wspect.client", Address, ALL, Opened, "address of the client",
        One(|row| row.conn.map(|conn| Value::Address(conn.client().ip)));
    "wspect.client_port", Number, ALL, Opened, "port of the client", One(|row| row.conn.map(|conn| int(conn.client().port)));
    "wspect.server", Address, ALL, Opened, "address of the server",
        One(|row| row.conn.map(|conn| Value::Address(conn.server().ip)));
    "wspect.server_port", Number, ALL, Opened, "port of the server", One(|row| row.conn.map(|conn| int(conn.server().port)));
    "wspect.subprotocol" = "proto", Text, ALL, Row, "subprotocol that was agreed on",
        One(|row| row.conn?.handshake.as_ref()?.subprotocol.as_deref().map(text));
    "wspect.extension", Text, ALL, Row, "extensions that were agreed on, with their parameters",
        Many(|row, see| {
            let handshake = row.conn.and_then(|conn| conn.handshake.as_ref());
            handshake.is_some_and(|handshake| handshake.extensions().iter().any(|extension| see(text(extension))))
        });
    "wspect.transport", Text, ALL, Opened, "http/1.1, h2, or the draft whose frames differ",
        One(|row| row.conn.and_then(|conn| conn.opened.version.transport().or(conn.opened.transport)).map(text));
    "wspect.status", Number, ALL, Row, "status of the answer to the upgrade",
        One(|row| row.conn?.handshake.as_ref()?.status.map(int));
    "wspect.accepted", Flag, ALL, Row, "the server agreed to the upgrade",
        One(|row| row.conn?.handshake.as_ref()?.accepted.map(Value::Flag));
    "wspect.latency", Duration, ALL, Heads, "time from the upgrade request to its answer",
        One(|row| row.handshake?.latency.map(Value::Duration));
    "wspect.tls.version", Text, ALL, Opened, "version of TLS, in numbers: 1.3",
        One(|row| row.conn?.opened.tls.as_deref()?.version.map(|version| text(version.digits())));
    "wspect.tls.cipher", Text, ALL, Opened, "cipher suite", One(|row| row.conn?.opened.tls.as_deref()?.cipher.as_deref().map(text));
    "wspect.tls.alpn", Text, ALL, Opened, "protocol inside TLS, as agreed on",
        One(|row| row.conn?.opened.tls.as_deref()?.alpn.as_deref().map(text));
    "wspect.tls.keys", Word(KEYS), ALL, Opened, "how many of the TLS secrets are known",
        One(|row| row.conn?.opened.tls.as_deref().map(|tls| word(KEYS, tls.keys.name())));
    "wspect.encapsulation", Text, ALL, Opened, "tags and tunnels around its packets: vlan, vxlan, gre ...",
        Many(|row, see| {
            let Some(conn) = row.conn else { return false };
            let mut encaps = conn.opened.encap.iter().chain(conn.opened.encap_back.iter().flatten());
            encaps.any(|encap| see(text(encap.kind())))
        });
    "wspect.via", Text, ALL, Opened, "proxies that it is led through: connect, socks5, proxy-v2 ...",
        Many(|row, see| row.conn.is_some_and(|conn| conn.opened.via.iter().any(|hop| see(text(hop.kind.name())))));
    "wspect.session", Number, ALL, Opened, "number of its session: wspect sessions",
        One(|row| row.conn.map(|conn| int(conn.opened.session.0)));
    "wspect.reconnect_of", Number, ALL, Opened, "the connection that the client had before at the same host and path",
        One(|row| row.conn?.opened.reconnect_of.map(|former| int(former.conn.0)));
    "wspect.reconnect_gap", Duration, ALL, Opened, "time from the end of that one to its beginning",
        One(|row| row.conn?.opened.reconnect_of?.gap.map(Value::Duration));
    "wspect.state", Word(STATES), ALL, End, "how the connection stands: closed, aborted, rejected, midstream, encrypted, open",
        One(|row| row.conn.map(|conn| word(STATES, conn.state().name())));
    "wspect.ending", Word(ENDINGS), ALL, End, "how it ended: clean, no-reply, fin, rst, timeout ...",
        One(|row| row.conn.map(|conn| word(ENDINGS, conn.verdict().ending.name())));
    "wspect.closed_by", Word(CLOSERS), ALL, End, "who or what ended it: client, server, fin, rst, timeout",
        One(|row| row.conn?.ended_by().map(|by| word(CLOSERS, by.name())));
    "wspect.duration", Duration, ALL, End, "from its first packet to its last",
        One(|row| row.conn?.duration().map(Value::Duration));
    "wspect.messages", Number, ALL, End, "its messages", One(|row| row.conn.map(|conn| sum(conn, None, |it| it.messages)));
    "wspect.c2s.messages", Number, ALL, End, "those of the client",
        One(|row| row.conn.map(|conn| sum(conn, Some(Direction::ToServer), |it| it.messages)));
    "wspect.s2c.messages", Number, ALL, End, "those of the server",
        One(|row| row.conn.map(|conn| sum(conn, Some(Direction::ToClient), |it| it.messages)));
    "wspect.bytes", Number, ALL, End, "payload bytes of its messages", One(|row| row.conn.map(|conn| sum(conn, None, |it| it.bytes)));
    "wspect.c2s.bytes", Number, ALL, End, "those of the client",
        One(|row| row.conn.map(|conn| sum(conn, Some(Direction::ToServer), |it| it.bytes)));
    "wspect.s2c.bytes", Number, ALL, End, "those of the server",
        One(|row| row.conn.map(|conn| sum(conn, Some(Direction::ToClient), |it| it.bytes)));
    "wspect.wire_bytes", Number, ALL, End, "payload bytes on the wire",
        One(|row| row.conn.map(|conn| sum(conn, None, |it| it.wire_bytes)));
    "wspect.gaps", Number, ALL, End, "holes in its streams", One(|row| row.conn.map(|conn| sum(conn, None, |it| it.gaps)));
}
