//! Records: one JSON object a line, its keys fixed.
//!
//! Drafts before RFC 6455 have the same records. `transport` names the draft where its frames differ: `hixie-75`,
//! `hixie-76`, `hybi-01` … `hybi-06`. `opcode` and `type` are those of RFC 6455 for what a frame carries: in HyBi-01 to 06
//! the wire has 1 for close (8), 2 ping (9), 3 pong (10), 4 text (1), 5 binary (2), and of the reserved ones 8 to 10 are
//! shown as 3 to 5. In Hixie a frame of the types 01 to 7f is `reserved-3`, one of 81 to ff `reserved-4`. `rsv` has RSV4 as
//! 8. `mask` is the key that stands before the frame, in HyBi-04 its nonce. Of a challenge, `key` is what is hashed for
//! the answer and `accept` that answer, both in hex. With `deflate-stream`, `stream_offset` counts inflated bytes.
//!
//! `via` lists the proxies that a connection is led through, as `{"kind","address"}`: for `connect`, `socks4` and `socks5`
//! where it is to lead, for `proxy-v1` and `proxy-v2` where the stream comes from, while `client` is whom the proxy names.

use super::capture::{self, About};
use super::json::{self, lit};
use super::out::Out;
use super::payload::{self, PayloadMode, PayloadOptions};
use super::sessions::{self, Session};
use super::state;
use super::stats::Figures;
use super::time::Rfc3339;
use super::types::{self, Type};
use super::{Form, Standing};
use crate::decode;
use crate::model::{
    Both, Certificate, Check, Connection, Counts, Direction, Encap, Endpoint, FileRun, FileRuns, Frame, Handshake,
    Head, Message, Note, NoteSet, Secrets, Severities, Stamp, StartLine, TlsOutline, TlsSession, hex, hex_digit,
};
use std::io::Write as _;

/// Writes JSON lines. A key that does not apply is `null`; none is ever left out.
#[derive(Debug, Default)]
pub struct Records {
    payload: PayloadOptions,
    times: Rfc3339,
    files: FileRuns,
}

impl Records {
    /// Records whose payloads are cut as told; of the modes, [`PayloadMode::Base64`] and [`PayloadMode::None`] matter.
    pub fn new(payload: PayloadOptions) -> Self {
        Self { payload, ..Self::default() }
    }

    /// Appends the keys that all records have.
    fn begin(&mut self, kind: &str, &Stamp { conn, stream, h2_stream, at }: &Stamp, row: &mut Vec<u8>) {
        lit!(row, r#"{"v":1,"kind":""#);
        row.extend_from_slice(kind.as_bytes());
        lit!(row, r#"","conn":"#);
        json::opt_int(row, conn.map(|conn| conn.0));
        lit!(row, r#","tcp_stream":"#);
        json::opt_int(row, stream);
        lit!(row, r#","h2_stream":"#);
        json::opt_int(row, h2_stream.map(|stream| stream.0));
        lit!(row, r#","time":"#);
        self.times.write(at.time, row);
        lit!(row, r#","packet":"#);
        json::opt_int(row, Some(at.packet.0).filter(|&packet| packet > 0));
        lit!(row, r#","file_packet":"#);
        json::opt_string(row, self.files.find(at.packet).map(|at| at.to_string()).as_deref());
    }

    /// Appends `payload`, `enc` and `truncated`.
    fn payload(&self, message: &Message<'_>, out: &mut Out<'_>) {
        let by_limit = message.body.is_truncated();
        let text = payload::text(message).filter(|_| self.payload.mode != PayloadMode::Base64);
        let (enc, is_cut) = if self.payload.mode == PayloadMode::None {
            lit!(out.bytes(), "null");
            ("null", false)
        } else if let Some(text) = text {
            let (shown, is_cut) = self.payload.cut_text(text);
            json::long_string(out, shown);
            (r#""utf8""#, is_cut)
        } else {
            let (shown, is_cut) = self.payload.cut(message.body.kept);
            json::long_base64(out, shown);
            (r#""base64""#, is_cut)
        };
        let row = out.bytes();
        lit!(row, r#","enc":"#);
        row.extend_from_slice(enc.as_bytes());
        lit!(row, r#","truncated":"#);
        json::bool(row, is_cut || by_limit);
    }

    fn connection(&mut self, connection: &Connection, out: &mut Out<'_>) {
        let row = out.bytes();
        let handshake = connection.handshake.as_ref();
        let close = connection.close.as_ref();
        self.begin("connection", &connection.stamp(), row);
        lit!(row, r#","client":"#);
        endpoint(row, connection.client());
        lit!(row, r#","server":"#);
        endpoint(row, connection.server());
        lit!(row, r#","url":"#);
        json::opt_string(row, connection.opened.url.as_deref());
        lit!(row, r#","state":"#);
        json::name(row, connection.state().name());
        lit!(row, r#","transport":"#);
        json::opt_string(row, connection.opened.version.transport().or(connection.opened.transport));
        lit!(row, r#","tls":"#);
        match connection.opened.tls.as_deref() {
            Some(outline) => {
                lit!(row, "{");
                tls_outline(row, outline);
                lit!(row, "}");
            }
            None => lit!(row, "null"),
        }
        lit!(row, r#","subprotocol":"#);
        json::opt_string(row, handshake.and_then(|handshake| handshake.subprotocol.as_deref()));
        lit!(row, r#","extensions":"#);
        strings(row, handshake.and_then(|handshake| handshake.extensions.as_deref()));
        lit!(row, r#","start":"#);
        self.times.write(connection.span.first.time, row);
        lit!(row, r#","end":"#);
        self.times.write(connection.span.last.time, row);
        lit!(row, r#","first_packet":"#);
        json::int(row, connection.span.first.packet.0);
        lit!(row, r#","last_packet":"#);
        json::int(row, connection.span.last.packet.0);
        both_counts(row, &connection.counts);
        lit!(row, r#","close_code":"#);
        json::opt_int(row, close.and_then(|(_, close)| close.code.map(|code| code.0)));
        lit!(row, r#","close_reason":"#);
        json::opt_string(row, close.and_then(|(_, close)| close.code.map(|_| &*close.reason)));
        lit!(row, r#","closed_by":"#);
        opt_name(row, connection.ended_by().map(|by| by.name()));
        lit!(row, r#","findings":"#);
        severities(row, connection.findings);
        lit!(row, r#","via":"#);
        json::list(row, &connection.opened.via, |row, hop| {
            lit!(row, r#"{"kind":"#);
            json::name(row, hop.kind.name());
            lit!(row, r#","address":"#);
            json::string(row, &hop.address);
            lit!(row, "}");
        });
        lit!(row, r#","encapsulation":"#);
        encaps(row, &connection.opened.encap);
        lit!(row, r#","encapsulation_back":"#);
        match &connection.opened.encap_back {
            Some(back) => encaps(row, back),
            None => lit!(row, "null"),
        }
        lit!(row, r#","interface":"#);
        json::opt_string(row, connection.opened.interface.as_deref());
        let verdict = connection.verdict();
        lit!(row, r#","ending":"#);
        json::name(row, verdict.ending.name());
        lit!(row, r#","verdict":"#);
        json::string(row, &verdict.text);
        lit!(row, r#","evidence":"#);
        json::list(row, verdict.evidence, |row, packet| json::int(row, packet.0));
        lit!(row, r#","session":"#);
        json::int(row, connection.opened.session.0);
        sessions::write_reconnect(connection.opened.reconnect_of, row);
        lit!(row, "}\n");
    }

    fn session(&mut self, at: &Stamp, session: &TlsSession, secrets: &Secrets, row: &mut Vec<u8>) {
        self.begin("tls", at, row);
        lit!(row, r#","client":"#);
        endpoint(row, session.client);
        lit!(row, r#","server":"#);
        endpoint(row, session.server);
        lit!(row, ",");
        tls_outline(row, &session.outline);
        lit!(row, r#","client_random":"#);
        json::opt_string(row, session.client_randoms.first().map(|random| hex(random)).as_deref());
        lit!(row, r#","source":"#);
        json::opt_string(row, session.origin.map(|origin| secrets.place(origin)).as_deref());
        lit!(row, r#","decrypted_bytes":"#);
        json::int(row, session.decrypted);
        lit!(row, r#","why_not":"#);
        json::opt_string(row, session.why_not.map(|why| why.to_string()).as_deref());
        lit!(row, "}\n");
    }

    /// Appends a head as `{method,target,version,status,reason,headers,packet,time}`, or `null`.
    fn head(&mut self, head: Option<&Head>, row: &mut Vec<u8>) {
        let Some(head) = head else {
            lit!(row, "null");
            return;
        };
        let (method, target, version, status, reason) = match &head.start {
            StartLine::Request { method, target, version } => (Some(method), Some(target), version, None, None),
            StartLine::Response { version, status, reason } => (None, None, version, Some(*status), Some(reason)),
        };
        lit!(row, r#"{"method":"#);
        json::opt_string(row, method.map(String::as_str));
        lit!(row, r#","target":"#);
        json::opt_string(row, target.map(String::as_str));
        lit!(row, r#","version":"#);
        json::string(row, version);
        lit!(row, r#","status":"#);
        json::opt_int(row, status);
        lit!(row, r#","reason":"#);
        json::opt_string(row, reason.map(String::as_str));
        lit!(row, r#","headers":"#);
        json::list(row, &head.headers, |row, (name, value)| {
            json::list(row, [name, value], |row, text| json::string(row, text))
        });
        lit!(row, r#","packet":"#);
        json::int(row, head.span.last.packet.0);
        lit!(row, r#","time":"#);
        self.times.write(head.span.last.time, row);
        lit!(row, "}");
    }
}

impl Form for Records {
    fn file(&mut self, run: &FileRun) {
        self.files.push(run.clone());
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) {
        let row = out.bytes();
        self.begin("message", at, row);
        lit!(row, r#","msg":"#);
        json::int(row, message.number);
        lit!(row, r#","first_packet":"#);
        json::int(row, message.span.first.packet.0);
        lit!(row, r#","dir":""#);
        row.extend_from_slice(message.dir.name().as_bytes());
        lit!(row, r#"","type":""#);
        row.extend_from_slice(message.opcode.name().as_bytes());
        lit!(row, r#"","opcode":"#);
        json::int(row, message.opcode.0);
        lit!(row, r#","frames":"#);
        json::int(row, message.frames);
        lit!(row, r#","compressed":"#);
        json::bool(row, message.compressed);
        lit!(row, r#","wire_len":"#);
        json::int(row, message.wire_len);
        lit!(row, r#","len":"#);
        json::int(row, message.body.len);
        lit!(row, r#","complete":"#);
        json::bool(row, message.complete);
        lit!(row, r#","payload":"#);
        self.payload(message, out);
        let row = out.bytes();
        lit!(row, r#","close_code":"#);
        json::opt_int(row, message.close.map(|close| close.code.0));
        lit!(row, r#","close_reason":"#);
        json::opt_string(row, message.close.map(|close| String::from_utf8_lossy(close.reason)).as_deref());
        lit!(row, r#","rtt_ns":"#);
        json::opt_int(row, message.rtt);
        lit!(row, r#","missing":"#);
        json::list(row, message.body.holes, |row, hole| {
            lit!(row, "[");
            json::int(row, hole.offset);
            lit!(row, ",");
            json::opt_int(row, hole.len);
            lit!(row, "]");
        });
        lit!(row, r#","inferred":"#);
        json::bool(row, message.inferred);
        lit!(row, r#","findings":"#);
        codes(row, message.findings);
        lit!(row, r#","decoded":"#);
        match message.decoded {
            Some(decoded) if self.payload.decoded => decode::write_record(decoded, row),
            _ => lit!(row, "null"),
        }
        lit!(row, r#","waited":"#);
        match message.waited {
            Some(wait) => {
                lit!(row, r#"{"for":"#);
                json::name(row, wait.cause.name());
                lit!(row, r#","duration_ns":"#);
                json::int(row, wait.nanos);
                lit!(row, r#","packet":"#);
                json::int(row, wait.packet.0);
                lit!(row, r#","of":"#);
                json::opt_int(row, wait.of.map(|of| of.0));
                lit!(row, "}");
            }
            None => lit!(row, "null"),
        }
        lit!(row, "}\n");
        if let Some(state) = message.state {
            self.begin("state", at, row);
            lit!(row, r#","msg":"#);
            json::int(row, message.number);
            lit!(row, ",");
            state::members(state, row);
            lit!(row, "}\n");
        }
    }

    fn frame(&mut self, at: &Stamp, frame: &Frame, out: &mut Out<'_>) {
        let row = out.bytes();
        self.begin("frame", at, row);
        lit!(row, r#","frame":"#);
        json::int(row, frame.number);
        lit!(row, r#","msg":"#);
        json::opt_int(row, frame.msg);
        lit!(row, r#","dir":"#);
        json::name(row, frame.dir.name());
        lit!(row, r#","fin":"#);
        json::bool(row, frame.fin);
        lit!(row, r#","rsv":"#);
        json::int(row, frame.rsv);
        lit!(row, r#","opcode":"#);
        json::int(row, frame.opcode.0);
        lit!(row, r#","masked":"#);
        json::bool(row, frame.mask.is_some());
        lit!(row, r#","mask":"#);
        mask(row, frame.mask);
        lit!(row, r#","header_len":"#);
        json::int(row, frame.header_len);
        lit!(row, r#","len":"#);
        json::int(row, frame.len);
        lit!(row, r#","stream_offset":"#);
        json::int(row, frame.stream_offset);
        lit!(row, r#","first_packet":"#);
        json::int(row, frame.span.first.packet.0);
        lit!(row, r#","complete":"#);
        json::bool(row, frame.complete);
        lit!(row, r#","findings":"#);
        codes(row, frame.findings);
        lit!(row, "}\n");
    }

    fn finding(&mut self, at: &Stamp, note: &Note<'_>, out: &mut Out<'_>) {
        let row = out.bytes();
        let code = note.code.row();
        self.begin("finding", at, row);
        lit!(row, r#","code":"#);
        json::name(row, code.name);
        lit!(row, r#","severity":"#);
        json::name(row, code.severity.name());
        lit!(row, r#","dir":"#);
        opt_name(row, note.dir.map(Direction::name));
        lit!(row, r#","msg":"#);
        json::opt_int(row, note.msg);
        lit!(row, r#","frame":"#);
        json::opt_int(row, note.frame);
        lit!(row, r#","text":"#);
        json::string(row, note.sentence());
        lit!(row, r#","rfc":"#);
        json::opt_string(row, Some(code.rfc).filter(|rfc| !rfc.is_empty()));
        lit!(row, r#","detail":"#);
        json::opt_string(row, note.detail);
        lit!(row, r#","evidence":"#);
        json::list(row, Some(note.at.packet).filter(|packet| packet.0 > 0), |row, packet| json::int(row, packet.0));
        lit!(row, "}\n");
    }

    fn standing(&mut self, standing: &Standing<'_>, out: &mut Out<'_>) {
        let row = out.bytes();
        self.begin("assertion", &Stamp::default(), row);
        lit!(row, r#","assertion":"#);
        json::string(row, standing.claim);
        lit!(row, r#","holds":"#);
        json::bool(row, standing.holds);
        lit!(row, r#","text":"#);
        json::string(row, &standing.text);
        lit!(row, r#","evidence":"#);
        json::list(row, standing.evidence, |row, evidence| json::int(row, evidence.packet.0));
        lit!(row, "}\n");
    }

    fn handshake(&mut self, at: &Stamp, handshake: &Handshake, _: Option<&TlsOutline>, out: &mut Out<'_>) {
        let row = out.bytes();
        self.begin("handshake", at, row);
        lit!(row, r#","request":"#);
        self.head(handshake.request.as_ref(), row);
        lit!(row, r#","response":"#);
        self.head(handshake.response.as_ref(), row);
        lit!(row, r#","url":"#);
        json::opt_string(row, handshake.url.as_deref());
        lit!(row, r#","accepted":"#);
        match handshake.accepted {
            Some(accepted) => json::bool(row, accepted),
            None => lit!(row, "null"),
        }
        lit!(row, r#","status":"#);
        json::opt_int(row, handshake.status());
        lit!(row, r#","key":"#);
        json::opt_string(row, handshake.key.as_deref());
        lit!(row, r#","accept":"#);
        json::opt_string(row, handshake.accept.as_deref());
        lit!(row, r#","accept_expected":"#);
        json::opt_string(row, handshake.accept_expected.as_deref());
        lit!(row, r#","subprotocols_offered":"#);
        strings(row, handshake.subprotocols_offered.as_deref());
        lit!(row, r#","subprotocol":"#);
        json::opt_string(row, handshake.subprotocol.as_deref());
        lit!(row, r#","extensions_offered":"#);
        strings(row, handshake.extensions_offered.as_deref());
        lit!(row, r#","extensions":"#);
        strings(row, handshake.extensions.as_deref());
        lit!(row, r#","checks":"#);
        json::list(row, &handshake.checks, check);
        lit!(row, r#","latency_ns":"#);
        json::opt_int(row, handshake.latency);
        lit!(row, "}\n");
    }

    fn connections(&mut self, rows: &[Connection], out: &mut Out<'_>) {
        for connection in rows {
            self.connection(connection, out);
            out.spill();
        }
    }

    fn tls_sessions(&mut self, rows: &[(Stamp, TlsSession)], secrets: &Secrets, out: &mut Out<'_>) {
        for (at, session) in rows {
            self.session(at, session, secrets, out.bytes());
            out.spill();
        }
    }

    fn capture(&mut self, about: &About, out: &mut Out<'_>) {
        let row = out.bytes();
        self.begin("capture", &Stamp::default(), row);
        lit!(row, r#","start":"#);
        self.times.write(about.totals.first, row);
        lit!(row, r#","end":"#);
        self.times.write(about.totals.last, row);
        capture::write_record(about, row);
        lit!(row, "}\n");
    }

    fn sessions(&mut self, rows: &[Session], out: &mut Out<'_>) {
        for row in rows {
            self.begin("session", &row.begin, out.bytes());
            sessions::write_record(row, &mut self.times, out.bytes());
            out.spill();
        }
    }

    fn types(&mut self, rows: &[Type], of: u64, out: &mut Out<'_>) {
        for row in rows {
            self.begin("message_type", &row.first.at, out.bytes());
            types::write_record(row, of, &mut self.times, out.bytes());
            out.spill();
        }
    }

    fn stats(&mut self, figures: &Figures, out: &mut Out<'_>) {
        let row = out.bytes();
        self.begin("stats", &Stamp::default(), row);
        lit!(row, r#","packets":"#);
        json::int(row, figures.totals.packets);
        lit!(row, r#","tcp_streams":"#);
        json::int(row, figures.totals.streams);
        lit!(row, r#","connections":"#);
        json::int(row, figures.connections);
        lit!(row, r#","start":"#);
        self.times.write(figures.totals.first, row);
        lit!(row, r#","end":"#);
        self.times.write(figures.totals.last, row);
        both_counts(row, &figures.counts);
        lit!(row, r#","rtt_ns":"#);
        match figures.rtt {
            Some(rtt) => {
                let _ =
                    write!(row, r#"{{"count":{},"p50":{},"p95":{},"max":{}}}"#, rtt.count, rtt.p50, rtt.p95, rtt.max);
            }
            None => lit!(row, "null"),
        }
        lit!(row, r#","findings":"#);
        severities(row, figures.findings);
        lit!(row, r#","bin_ns":"#);
        json::opt_int(row, figures.bin_ns);
        lit!(row, r#","bins":"#);
        json::list(row, &figures.bins, |row, bin| json::list(row, [bin.to_server, bin.to_client], json::int));
        lit!(row, "}\n");
    }
}

fn endpoint(row: &mut Vec<u8>, endpoint: Endpoint) {
    let _ = write!(row, "\"{endpoint}\"");
}

/// Appends `version`, `cipher`, `sni`, `alpn`, `keys`, `handshake_ns` and `certificate`.
fn tls_outline(row: &mut Vec<u8>, outline: &TlsOutline) {
    let TlsOutline { version, cipher, sni, alpn, keys, took, certificate } = outline;
    lit!(row, r#""version":"#);
    json::opt_string(row, version.map(|version| version.to_string()).as_deref());
    lit!(row, r#","cipher":"#);
    json::opt_string(row, cipher.as_deref());
    lit!(row, r#","sni":"#);
    json::opt_string(row, sni.as_deref());
    lit!(row, r#","alpn":"#);
    json::opt_string(row, alpn.as_deref());
    lit!(row, r#","keys":"#);
    json::name(row, keys.name());
    lit!(row, r#","handshake_ns":"#);
    json::opt_int(row, *took);
    lit!(row, r#","certificate":"#);
    let Some(certificate) = certificate else { return lit!(row, "null") };
    let Certificate { subject, issuer, names, count, not_before, not_after } = &**certificate;
    lit!(row, r#"{"subject":"#);
    json::opt_string(row, subject.as_deref());
    lit!(row, r#","issuer":"#);
    json::opt_string(row, issuer.as_deref());
    lit!(row, r#","names":"#);
    json::list(row, names, |row, name| json::string(row, name));
    lit!(row, r#","names_count":"#);
    json::int(row, *count);
    lit!(row, r#","not_before":"#);
    json::opt_string(row, not_before.as_deref());
    lit!(row, r#","not_after":"#);
    json::opt_string(row, not_after.as_deref());
    lit!(row, "}");
}

fn opt_name(row: &mut Vec<u8>, name: Option<&str>) {
    match name {
        Some(name) => json::name(row, name),
        None => lit!(row, "null"),
    }
}

fn mask(row: &mut Vec<u8>, mask: Option<[u8; 4]>) {
    let Some(mask) = mask else {
        lit!(row, "null");
        return;
    };
    lit!(row, "\"");
    row.extend(mask.iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(*byte)]));
    lit!(row, "\"");
}

fn codes(row: &mut Vec<u8>, codes: NoteSet) {
    if codes.is_empty() {
        lit!(row, "[]");
    } else {
        json::list(row, codes.iter(), |row, code| json::name(row, code.name()));
    }
}

fn strings(row: &mut Vec<u8>, strings: Option<&[String]>) {
    match strings {
        Some(strings) => json::list(row, strings, |row, text| json::string(row, text)),
        None => lit!(row, "null"),
    }
}

fn encaps(row: &mut Vec<u8>, encaps: &[Encap]) {
    json::list(row, encaps, |row, encap| json::string(row, &encap.to_string()));
}

fn check(row: &mut Vec<u8>, check: &Check) {
    lit!(row, r#"{"code":"#);
    json::name(row, check.code.name());
    lit!(row, r#","ok":"#);
    json::bool(row, check.ok);
    lit!(row, r#","detail":"#);
    json::string(row, &check.detail);
    lit!(row, "}");
}

fn both_counts(row: &mut Vec<u8>, both: &Both<Counts>) {
    for dir in Direction::BOTH {
        lit!(row, ",");
        json::name(row, dir.name());
        lit!(row, ":");
        counts(row, &both[dir]);
    }
}

fn counts(row: &mut Vec<u8>, counts: &Counts) {
    let Counts { messages, frames, bytes, wire_bytes, text, binary, ping, pong, close, gaps, missing_bytes } = counts;
    let _ = write!(
        row,
        r#"{{"messages":{messages},"frames":{frames},"bytes":{bytes},"wire_bytes":{wire_bytes},"text":{text},"binary":{binary},"ping":{ping},"pong":{pong},"close":{close},"gaps":{gaps},"missing_bytes":{missing_bytes}}}"#
    );
}

fn severities(row: &mut Vec<u8>, findings: Severities) {
    let Severities { error, warning, note } = findings;
    let _ = write!(row, r#"{{"error":{error},"warning":{warning},"note":{note}}}"#);
}
