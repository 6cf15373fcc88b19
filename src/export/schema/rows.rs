//! The keys of every kind of record, in the order in which they are written (`export/record.rs`).
//!
//! The schema is made from these rows, and tests hold every record against them.

use super::Shape::{Any, Bool, Code, Count, Int, Is, List, Maybe, Object, Pair, Text, Time, Word};
use super::{Key, RecordKind, Shape};
use crate::model::{Opcode, Step};

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about }
}

const DIR: Shape = Word(&["c2s", "s2c"]);

/// The keys that every record begins with.
pub static COMMON_KEYS: &[Key] = &[
    key("v", Is(1), "the version of these records"),
    key("kind", Text, "the kind of the record"),
    key(
        "conn",
        Maybe(&Count),
        "number of the connection, from 1; null: about the file, or a stream without connection",
    ),
    key("tcp_stream", Maybe(&Count), "Wireshark's tcp.stream"),
    key("h2_stream", Maybe(&Count), "stream of the HTTP/2 connection; null outside HTTP/2"),
    key("time", Maybe(&Time), "time of the packet, UTC, nine digits"),
    key("packet", Maybe(&Count), "Wireshark's frame.number of the packet with which the record is whole"),
    key("file_packet", Maybe(&Text), "where the packet stands in one of several captures: b.pcap:17"),
];

/// Every kind of record there is.
pub static RECORD_KINDS: &[RecordKind] = &[
    RecordKind { name: "message", about: "A message: msgs, show, follow, export jsonl.", keys: MESSAGE },
    RecordKind { name: "frame", about: "A WebSocket frame: frames.", keys: FRAME },
    RecordKind { name: "handshake", about: "An opening handshake: handshake.", keys: HANDSHAKE },
    RecordKind { name: "connection", about: "A WebSocket connection: ls.", keys: CONNECTION },
    RecordKind { name: "finding", about: "What is wrong or worth knowing: check.", keys: FINDING },
    RecordKind { name: "assertion", about: "How an assertion stands: check --assert.", keys: ASSERTION },
    RecordKind { name: "difference", about: "In what two conversations differ: diff.", keys: DIFFERENCE },
    RecordKind { name: "tls", about: "A TLS stream: keys.", keys: TLS },
    RecordKind { name: "session", about: "Requests and connections of one session: sessions.", keys: SESSION },
    RecordKind { name: "stats", about: "Figures of a capture: stats.", keys: STATS },
    RecordKind { name: "message_type", about: "Messages of one kind: types.", keys: MESSAGE_TYPE },
    RecordKind { name: "state", about: "What stands behind a message: show --state.", keys: STATE },
    RecordKind { name: "capture", about: "What a capture is: stats --capture.", keys: CAPTURE },
];

const ASSERTION: &[Key] = &[
    key("assertion", Text, "as it was written"),
    key("holds", Bool, "whether it holds"),
    key("text", Text, "what was seen"),
    key("evidence", List(&Count), "the first packets that speak against it"),
];

const STATE: &[Key] = &[
    key("msg", Count, "the message behind which it stands"),
    key("open", List(&Object(STANDING)), "what was opened and not closed, in order"),
    key("open_more", Count, "more of these"),
    key("pending", List(&Object(PENDING)), "requests that wait for an answer, in order"),
    key("pending_more", Count, "more of these"),
    key("partial", Bool, "messages before were lost, or what stood was forgotten: it may be otherwise"),
];

const STANDING: &[Key] = &[
    key("what", Text, "subscription, topic, channel, namespace, document …"),
    key("id", Text, "by which it is closed"),
    key("name", Maybe(&Text), "what people call it, where that is something else"),
    key("since_msg", Count, "the message that opened it"),
    key("dir", DIR, "who sent that"),
    key("age_ns", Maybe(&Int), "nanoseconds since then"),
];

const PENDING: &[Key] = &[
    key("event", Maybe(&Text), "the event of the request"),
    key("id", Text, "what ties the answer to it"),
    key("replies", Count, "answers so far, none of them the last"),
    key("since_msg", Count, "the message that asks"),
    key("dir", DIR, "who sent that"),
    key("age_ns", Maybe(&Int), "nanoseconds since then"),
];

const DIFFERENCE: &[Key] = &[
    key(
        "difference",
        Word(&["first", "second", "changed", "moved", "connection"]),
        "which side has it, how it differs, or that a connection has no partner",
    ),
    key("dir", Maybe(&DIR), "direction of the message"),
    key("type", Maybe(&Word(TYPES)), "what the message is"),
    key("first", Maybe(&Object(SIDE)), "what the first side has"),
    key("second", Maybe(&Object(SIDE)), "what the second side has"),
    key("alike", Maybe(&Count), "of two that changed: bytes that are the same from the beginning, at least"),
];

const SIDE: &[Key] = &[
    key("conn", Count, "number of the connection in its capture"),
    key("url", Text, "its URL, or its server"),
    key("msg", Maybe(&Count), "number of the message"),
    key("packet", Maybe(&Count), "packet of the message"),
    key("len", Maybe(&Count), "payload bytes of the message"),
    key("text", Maybe(&Text), "its beginning, as text output shows it"),
];

const MESSAGE: &[Key] = &[
    key("msg", Count, "number within the connection, from 1, in order of completion"),
    key("first_packet", Count, "packet of its first byte"),
    key("dir", DIR, "direction: c2s to the server, s2c to the client"),
    key("type", Word(TYPES), "what it is; continuation: its first frame was lost or never sent"),
    key("opcode", Count, "opcode of its first frame"),
    key("frames", Count, "number of its frames"),
    key("compressed", Bool, "it came compressed"),
    key("wire_len", Count, "payload bytes on the wire"),
    key("len", Count, "payload bytes after unmasking and inflating, holes of known length included"),
    key("complete", Bool, "every byte is there and certain"),
    key("payload", Maybe(&Text), "the payload; null with --payload none"),
    key("enc", Maybe(&Word(&["utf8", "base64"])), "how the payload is written"),
    key("truncated", Bool, "the payload was cut by --max-payload or a limit"),
    key("close_code", Maybe(&Count), "code of a Close frame"),
    key("close_reason", Maybe(&Text), "reason of a Close frame"),
    key("rtt_ns", Maybe(&Int), "of a pong: nanoseconds since its ping"),
    key("missing", List(&Pair(&Count, &Maybe(&Count))), "holes as [offset,length] in the whole message"),
    key("inferred", Bool, "a search restored bytes that a loss had made unknown"),
    key("findings", List(&Code), "codes of what is wrong with it"),
    key("decoded", Maybe(&Object(DECODED)), "with --decoded, what it says in the terms of its protocol"),
    key("waited", Maybe(&Object(WAITED)), "what TCP kept it waiting for longest"),
];

const TYPES: &[&str] = &Opcode::NAMES;

const DECODED: &[Key] = &[
    key("protocol", Text, "name of the decoder (docs/DECODERS.md)"),
    key("event", Maybe(&Text), "name of its event, method, target, topic or command"),
    key("events", Maybe(&List(&Maybe(&Text))), "the names of all that it carries, where that is several"),
    key("id", Maybe(&Text), "what ties request and reply together"),
    key("reply_to", Maybe(&Count), "number of the message that it answers"),
    key("latency_ns", Maybe(&Int), "nanoseconds since that message"),
    key("heartbeat", Bool, "it only keeps the connection alive"),
    key("summary", Text, "one line about it"),
    key("data", Any, "the decoded tree; bytes are {\"base64\"}; a list where it carries several"),
];

const WAITED: &[Key] = &[
    key("for", Word(&["retransmission", "window"]), "lost bytes that came again, or a receiver whose window was zero"),
    key("duration_ns", Int, "nanoseconds"),
    key("packet", Count, "the packet that ended it"),
    key("of", Maybe(&Count), "the packet whose bytes that one brought again, where it was captured"),
];

const FRAME: &[Key] = &[
    key("frame", Count, "number within the connection, from 1, in order of completion"),
    key("msg", Maybe(&Count), "number of its message; null: that is not complete yet"),
    key("dir", DIR, "direction"),
    key("fin", Bool, "last frame of its message"),
    key("rsv", Count, "reserved bits: RSV1 is 4, RSV2 2, RSV3 1"),
    key("opcode", Count, "opcode"),
    key("masked", Bool, "it is masked"),
    key("mask", Maybe(&Text), "masking key, eight hex digits"),
    key("header_len", Count, "bytes of the head"),
    key("len", Count, "payload length as the head gives it"),
    key("stream_offset", Count, "where it begins in the payload of its direction, holes counted"),
    key("first_packet", Count, "packet of its first byte"),
    key("complete", Bool, "all its payload was captured"),
    key("findings", List(&Code), "codes of what is wrong with it"),
];

const HANDSHAKE: &[Key] = &[
    key("request", Maybe(&Object(HEAD)), "the request; null: not captured"),
    key("response", Maybe(&Object(HEAD)), "the response; null: not captured"),
    key("url", Maybe(&Text), "what was opened"),
    key("accepted", Maybe(&Bool), "true for a 101, over HTTP/2 for a 2xx, false for another answer, null for none"),
    key("status", Maybe(&Count), "status of the answer"),
    key("key", Maybe(&Text), "Sec-WebSocket-Key"),
    key("accept", Maybe(&Text), "Sec-WebSocket-Accept"),
    key("accept_expected", Maybe(&Text), "what Sec-WebSocket-Accept should be"),
    key("subprotocols_offered", Maybe(&List(&Text)), "as sent; null: the head was not captured"),
    key("subprotocol", Maybe(&Text), "the subprotocol chosen"),
    key("extensions_offered", Maybe(&List(&Text)), "as sent, with parameters"),
    key("extensions", Maybe(&List(&Text)), "as accepted, with parameters"),
    key("checks", List(&Object(CHECK)), "the rules, kept or broken"),
    key("latency_ns", Maybe(&Int), "nanoseconds from request to answer"),
];

const HEAD: &[Key] = &[
    key("method", Maybe(&Text), "of a request"),
    key("target", Maybe(&Text), "of a request"),
    key("version", Text, "version of HTTP"),
    key("status", Maybe(&Count), "of a response"),
    key("reason", Maybe(&Text), "of a response"),
    key("headers", List(&Pair(&Text, &Text)), "[name,value] in order"),
    key("packet", Count, "packet of its last byte"),
    key("time", Maybe(&Time), "time of that packet"),
];

const CHECK: &[Key] = &[
    key("code", Code, "code of the finding when it is broken"),
    key("ok", Bool, "it is kept"),
    key("detail", Text, "what was seen"),
];

const CONNECTION: &[Key] = &[
    key("client", Text, "who asked, or masks: ip:port"),
    key("server", Text, "who answered: ip:port"),
    key("url", Maybe(&Text), "what was opened; null: no request was captured"),
    key("state", Word(&["encrypted", "rejected", "midstream", "closed", "aborted", "open"]), "the first that fits"),
    key("transport", Maybe(&Text), "http/1.1, h2, or the draft whose frames differ; null without a handshake"),
    key("tls", Maybe(&Object(OUTLINE)), "the TLS around it; null in clear"),
    key("subprotocol", Maybe(&Text), "as agreed on"),
    key("extensions", Maybe(&List(&Text)), "as agreed on"),
    key("start", Maybe(&Time), "time of its first packet"),
    key("end", Maybe(&Time), "time of its last packet"),
    key("first_packet", Count, "its first packet"),
    key("last_packet", Count, "its last packet"),
    key("c2s", Object(COUNTS), "what went to the server"),
    key("s2c", Object(COUNTS), "what went to the client"),
    key("close_code", Maybe(&Count), "code of the first Close frame"),
    key("close_reason", Maybe(&Text), "reason of the first Close frame"),
    key("closed_by", Maybe(&Word(&["client", "server", "fin", "rst", "timeout"])), "who, or what, closed it"),
    key("findings", Object(SEVERITIES), "how many of each severity"),
    key("via", List(&Object(HOP)), "the proxies on the way"),
    key("encapsulation", List(&Text), "tags and tunnels around its packets, outermost first"),
    key("encapsulation_back", Maybe(&List(&Text)), "those of the other direction, where they are others"),
    key("interface", Maybe(&Text), "the interface that it was captured on"),
    key("ending", Word(ENDINGS), "how it ended, in a word"),
    key("verdict", Text, "how it ended, in a sentence"),
    key("evidence", List(&Count), "the packets that show it"),
    key("session", Count, "number of the session that it belongs to: wspect sessions"),
    key("reconnect_of", Maybe(&Count), "the connection that the client had before at the same host and path"),
    key("gap_ns", Maybe(&Int), "nanoseconds since the end of that one"),
];

const ENDINGS: &[&str] =
    &["clean", "no-reply", "reply-unseen", "timeout", "fin", "rst", "refused", "no-answer", "replaced", "open"];

const COUNTS: &[Key] = &[
    key("messages", Count, "messages, control and incomplete ones included"),
    key("frames", Count, "frames"),
    key("bytes", Count, "sum of len"),
    key("wire_bytes", Count, "sum of wire_len"),
    key("text", Count, "text messages"),
    key("binary", Count, "binary messages"),
    key("ping", Count, "pings"),
    key("pong", Count, "pongs"),
    key("close", Count, "Close frames"),
    key("gaps", Count, "holes"),
    key("missing_bytes", Count, "bytes of holes"),
];

const SEVERITIES: &[Key] =
    &[key("error", Count, "errors"), key("warning", Count, "warnings"), key("note", Count, "notes")];

const HOP: &[Key] = &[
    key("kind", Word(&["connect", "socks4", "socks5", "proxy-v1", "proxy-v2"]), "how the proxy is spoken to"),
    key("address", Text, "where it leads to, for proxy-v1 and proxy-v2 where the stream comes from"),
];

const FINDING: &[Key] = &[
    key("code", Code, "its code: wspect explain CODE"),
    key("severity", Word(&["error", "warning", "note"]), "how bad it is"),
    key("dir", Maybe(&DIR), "direction concerned"),
    key("msg", Maybe(&Count), "message concerned"),
    key("frame", Maybe(&Count), "frame concerned"),
    key("text", Text, "one sentence"),
    key("rfc", Maybe(&Text), "where the rule stands"),
    key("detail", Maybe(&Text), "bytes and numbers"),
    key("evidence", List(&Count), "the packets that show it"),
];

const KEYS: Shape = Word(&["matched", "partial", "none", "not needed"]);

const CERTIFICATE: &[Key] = &[
    key("subject", Maybe(&Text), "whose it is: the common name, or the organization"),
    key("issuer", Maybe(&Text), "the same of who signed it"),
    key("names", List(&Text), "the first names and addresses that it is for"),
    key("names_count", Count, "how many there are in all"),
    key("not_before", Maybe(&Text), "from when it is valid, as in RFC 3339"),
    key("not_after", Maybe(&Text), "until when it is valid, as in RFC 3339"),
];

/// What a `tls` record and the `tls` of a connection share.
macro_rules! outline {
    ($($before:expr,)* ; $($behind:expr),*) => {
        &[
            $($before,)*
            key("version", Maybe(&Text), "version agreed on: TLS 1.3"),
            key("cipher", Maybe(&Text), "cipher suite agreed on"),
            key("sni", Maybe(&Text), "the server's name as the client gave it"),
            key("alpn", Maybe(&Text), "protocol agreed on for the inside"),
            key("keys", KEYS, "which keys are known"),
            key("handshake_ns", Maybe(&Int), "nanoseconds from the ClientHello to the last Finished"),
            key("certificate", Maybe(&Object(CERTIFICATE)), "what the server's own certificate says, not verified"),
            $($behind,)*
        ]
    };
}

const OUTLINE: &[Key] = outline!(;);

const TLS: &[Key] = outline!(
    key("client", Text, "who sent the ClientHello: ip:port"),
    key("server", Text, "the other end: ip:port"),;
    key("client_random", Maybe(&Text), "64 hex digits, by which key logs know the session"),
    key("source", Maybe(&Text), "where its first key stands: keys.txt:12"),
    key("decrypted_bytes", Count, "bytes of the inside, both directions"),
    key("why_not", Maybe(&Text), "why not all was decrypted")
);

const STATS: &[Key] = &[
    key("packets", Count, "packets"),
    key("tcp_streams", Count, "TCP streams"),
    key("connections", Count, "WebSocket connections"),
    key("start", Maybe(&Time), "time of the first packet"),
    key("end", Maybe(&Time), "time of the last packet"),
    key("c2s", Object(COUNTS), "what went to servers"),
    key("s2c", Object(COUNTS), "what went to clients"),
    key("rtt_ns", Maybe(&Object(RTT)), "round trips of pings, in nanoseconds"),
    key("findings", Object(SEVERITIES), "how many of each severity"),
    key("bin_ns", Maybe(&Int), "nanoseconds of a bin"),
    key("bins", List(&Pair(&Count, &Count)), "payload bytes over time as [c2s,s2c], at most 1000"),
];

const RTT: &[Key] = &[
    key("count", Count, "how many"),
    key("p50", Int, "median"),
    key("p95", Int, "95th percentile"),
    key("max", Int, "longest"),
];

const SESSION: &[Key] = &[
    key("session", Maybe(&Count), "its number, from 1; null: what came when as many were known as are told apart"),
    key(
        "protocol",
        Maybe(&Word(&["engine.io", "sockjs", "signalr", "signalr-classic"])),
        "the protocol, as far as URLs tell it",
    ),
    key("version", Maybe(&Text), "its version, where URLs have it"),
    key("id", Maybe(&Text), "the id that the protocol gives to it, as in a URL"),
    key("client", Maybe(&Text), "client: ip:port of its first request or connection"),
    key("server", Maybe(&Text), "server: ip:port"),
    key("host", Maybe(&Text), "host of its URLs, with the port where they have one"),
    key("path", Maybe(&Text), "path that its URLs have in common"),
    key("end", Maybe(&Time), "time of its last packet"),
    key("reconnect_of", Maybe(&Count), "the connection that the client had before at the same host and path"),
    key("gap_ns", Maybe(&Int), "nanoseconds since the end of that one"),
    key("requests", Object(REQUESTS), "its HTTP/1 requests that ask for no WebSocket"),
    key("connections", List(&Object(LEG)), "its WebSocket connections, in order, at most 1024"),
    key("more_connections", Count, "more of these"),
];

const REQUESTS: &[Key] = &[
    key("count", Count, "how many"),
    key("failed", Count, "of these answered with 400 or more, or not at all"),
    key("sent", Count, "bytes of their content"),
    key("received", Count, "bytes of the content of the answers"),
    key("start", Maybe(&Time), "time of the first one"),
    key("end", Maybe(&Time), "time of the last packet"),
    key("first", List(&Object(REQUEST)), "the first of them, at most 256"),
];

const REQUEST: &[Key] = &[
    key("step", Maybe(&Word(&Step::NAMES)), "what it is for"),
    key("method", Text, "method"),
    key("url", Text, "URL"),
    key("status", Maybe(&Count), "status of the answer"),
    key("tcp_stream", Maybe(&Count), "Wireshark's tcp.stream"),
    key("time", Maybe(&Time), "time of its first packet"),
    key("packet", Count, "its first packet"),
    key("answer_packet", Maybe(&Count), "the last packet of the answer"),
    key("latency_ns", Maybe(&Int), "nanoseconds from the end of the request to the beginning of the answer"),
    key("sent", Count, "bytes of its content"),
    key("received", Count, "bytes of the answer's content"),
];

const LEG: &[Key] = &[
    key("conn", Count, "number of the connection"),
    key("tcp_stream", Maybe(&Count), "Wireshark's tcp.stream"),
    key("start", Maybe(&Time), "time of its first packet"),
    key("end", Maybe(&Time), "time of its last packet"),
    key("first_packet", Count, "its first packet"),
    key("status", Maybe(&Count), "status of the answer to its request"),
    key("probe_ns", Maybe(&Int), "of Engine.IO: nanoseconds from 2probe to 3probe"),
    key("upgrade_packet", Maybe(&Count), "of Engine.IO: the packet in which the client goes on with it"),
    key("reconnect_of", Maybe(&Count), "the connection that the client had before at the same host and path"),
    key("gap_ns", Maybe(&Int), "nanoseconds since the end of that one"),
    key("followed_by", Maybe(&Count), "the connection that follows it so"),
];

const MESSAGE_TYPE: &[Key] = &[
    key("msg", Count, "number of its first message, which the keys of every record are about"),
    key("dir", Maybe(&DIR), "direction; null: all that came when as many types were known as are told apart"),
    key("type", Maybe(&Word(TYPES)), "as what its messages are sent"),
    key("protocol", Maybe(&Text), "name of the decoder"),
    key("event", Maybe(&Text), "name of the event"),
    key("shape", Maybe(&Text), "what its messages look like, where they have no event"),
    key("heartbeat", Bool, "whether they do nothing but keep the connection alive"),
    key("count", Count, "how many messages"),
    key("of", Count, "messages of all types"),
    key("connections", Count, "connections that have it"),
    key("bytes", Count, "payload bytes of all its messages"),
    key("min", Count, "payload bytes of the shortest"),
    key("p50", Count, "payload bytes that half of them do not exceed"),
    key("p99", Count, "payload bytes that 99 % of them do not exceed"),
    key("max", Count, "payload bytes of the longest"),
    key("last", Object(LAST), "its last message"),
    key("example", Text, "what the first message says, shortened"),
];

const LAST: &[Key] = &[
    key("conn", Count, "number of the connection"),
    key("msg", Count, "number of the message in it"),
    key("packet", Count, "packet of the message"),
    key("time", Maybe(&Time), "time of the packet"),
];

const CAPTURE: &[Key] = &[
    key("start", Maybe(&Time), "time of the first packet"),
    key("end", Maybe(&Time), "time of the last packet"),
    key("files", List(&Object(FILE)), "the files"),
    key("packets", Count, "packets"),
    key("bytes", Count, "bytes of packets that were captured"),
    key("wire_bytes", Count, "bytes of packets, with what was cut"),
    key("dropped", Maybe(&Count), "packets that the capturing host dropped"),
    key("protocols", Object(PROTOCOLS), "packets by protocol"),
    key("encapsulations", List(&Text), "tags and tunnels around packets"),
    key("tcp_streams", Count, "TCP streams"),
    key("streams", Object(STREAMS), "TCP streams by kind"),
    key("tls", Object(TLS_SUM), "TLS streams"),
    key("connections", Count, "WebSocket connections"),
    key("names", List(&Object(NAMES)), "names of addresses"),
    key("left_out", Count, "names and comments that are left out"),
    key("comments", List(&Object(COMMENT)), "comments on packets"),
];

const FILE: &[Key] = &[
    key("name", Text, "its name"),
    key("format", Maybe(&Text), "pcap or pcapng"),
    key("byte_order", Maybe(&Text), "of its numbers"),
    key("compression", Maybe(&Text), "how it is compressed"),
    key("joined", List(&Object(JOINED)), "how others in it are written, where captures were joined"),
    key("application", Maybe(&Text), "the program that wrote it"),
    key("os", Maybe(&Text), "the operating system"),
    key("hardware", Maybe(&Text), "the machine"),
    key("interfaces", List(&Object(INTERFACE)), "its interfaces"),
    key("more_interfaces", Count, "interfaces that are left out"),
    key("key_logs", Count, "key logs in it"),
    key("comments", List(&Text), "comments on its sections and interfaces"),
];

const JOINED: &[Key] = &[
    key("format", Maybe(&Text), "pcap or pcapng"),
    key("byte_order", Maybe(&Text), "of its numbers"),
    key("compression", Maybe(&Text), "how it is compressed"),
];

const INTERFACE: &[Key] = &[
    key("link_type", Count, "link type, as tcpdump numbers it"),
    key("link", Maybe(&Text), "its name"),
    key("name", Maybe(&Text), "name of the interface"),
    key("description", Maybe(&Text), "its description"),
    key("filter", Maybe(&Text), "the capture filter"),
    key("os", Maybe(&Text), "the operating system"),
    key("snaplen", Count, "bytes of a packet that are captured at most; 0: all"),
    key("tsresol", Count, "resolution of its clock, as pcapng has it"),
    key("packets", Maybe(&Count), "packets in the capture"),
    key("received", Maybe(&Count), "packets that it received"),
    key("dropped", Maybe(&Count), "packets that it dropped"),
    key("accepted", Maybe(&Count), "packets that the filter let through"),
    key("os_dropped", Maybe(&Count), "packets that the operating system dropped"),
    key("delivered", Maybe(&Count), "packets that were handed to the capturing program"),
];

const PROTOCOLS: &[Key] = &[
    key("tcp", Count, "TCP"),
    key("udp", Count, "UDP"),
    key("dtls", Count, "DTLS, over UDP"),
    key("quic", Count, "QUIC, over UDP"),
    key("icmp", Count, "ICMP"),
    key("ip_fragments", Count, "fragments of IP packets"),
    key("other_ip", Count, "other protocols over IP"),
    key("arp", Count, "ARP"),
    key("other", Count, "anything else"),
];

const STREAMS: &[Key] = &[
    key("http", Count, "HTTP/1"),
    key("tls", Count, "TLS"),
    key("http2", Count, "HTTP/2"),
    key("other", Count, "other"),
    key("silent", Count, "without payload"),
    key("left", Count, "left alone, as -d says"),
];

const TLS_SUM: &[Key] =
    &[key("streams", Count, "TLS streams"), key("decrypted", Count, "of which something was decrypted")];

const NAMES: &[Key] = &[key("address", Text, "the address"), key("names", List(&Text), "its names")];

const COMMENT: &[Key] = &[key("packet", Count, "the packet"), key("text", Text, "the comment")];
