//! The fields of a frame, with the bytes they take.

use super::wire::{Layout, bare_head, extended_len};
use crate::book::{FrameRow, MessageRow, close_of};
use crate::escape::display;
use crate::model::{CloseCode, Envelope, Opcode, StreamId, TlsOutline, Version, count, hex_apart, number, ratio};
use std::ops::Range;

/// A line of the field tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Field {
    /// 0: a heading, which folds.
    pub(super) depth: usize,
    /// The name as Wireshark has it.
    pub(super) name: &'static str,
    /// The bits that it takes of its byte, as `.... 0001`.
    pub(super) bits: String,
    pub(super) value: String,
    /// Bytes from the frame's first; `None` for what has none.
    pub(super) span: Option<Range<u64>>,
    pub(super) folds: bool,
    /// The packet that it is about, by its place among those of the frame that were read once more.
    pub(super) packet: Option<usize>,
}

/// What a field tree is made from.
pub(super) struct Anatomy<'a> {
    pub(super) message: &'a MessageRow,
    pub(super) frame: &'a FrameRow,
    pub(super) layout: Layout,
    /// The first bytes of the frame's unmasked payload.
    pub(super) payload: &'a [u8],
    pub(super) stream: Option<u32>,
    /// The stream of the HTTP/2 connection in it.
    pub(super) h2_stream: Option<StreamId>,
    /// The TLS that it runs in.
    pub(super) tls: Option<&'a TlsOutline>,
    /// Its records, or the DATA frames, that carry the frame, as far as they are known.
    pub(super) records: &'a [Envelope],
    /// What is said of its packets, one by one, once they were read again.
    pub(super) packets: &'a [String],
}

/// The fields of a frame, from the first bit to what carries it.
pub(super) fn fields(anatomy: &Anatomy<'_>) -> Vec<Field> {
    let mut out = Vec::new();
    frame_field(anatomy, &mut out);
    if anatomy.layout.version.is_hixie() {
        hixie_fields(anatomy.frame, &mut out);
    } else {
        head_fields(anatomy.frame, anatomy.layout.version, &mut out);
    }
    payload_fields(anatomy, &mut out);
    tail_field(anatomy, &mut out);
    carrier_fields(anatomy, &mut out);
    out
}

fn frame_field(anatomy: &Anatomy<'_>, out: &mut Vec<Field>) {
    let Anatomy { frame, layout, .. } = anatomy;
    let dir = anatomy.message.dir;
    let value = format!(
        "{}.{} {}  ({} → {})",
        frame.last.packet,
        frame.ordinal,
        dir.arrow(),
        dir.sender(),
        dir.reverse().sender()
    );
    let name = if layout.version == Version::Rfc6455 { "WebSocket frame" } else { layout.version.name() };
    out.push(Field { depth: 0, name, value, span: Some(0..layout.whole_len(frame)), folds: true, ..Field::default() });
}

fn head_fields(frame: &FrameRow, version: Version, out: &mut Vec<Field>) {
    let head = bare_head(frame, version);
    let first = |at: usize, mask: u8| bits(head.get(at).copied().unwrap_or(0), mask);
    // In HyBi-04 to 06 the key stands before the head.
    let key = if frame.mask.is_some() && version.has_old_heads() { 4 } else { 0 };
    let mut push = |name, bits: String, value: String, span: Range<u64>| {
        let span = Some(span.start + key..span.end + key);
        out.push(Field { depth: 1, name, bits, value, span, ..Field::default() });
    };
    let flag = |on: bool| if on { "True" } else { "False" }.to_owned();
    if version.says_more() {
        push("more", first(0, 0x80), flag(!frame.fin), 0..1);
    } else {
        push("websocket.fin", first(0, 0x80), flag(frame.fin), 0..1);
    }
    push("websocket.rsv", first(0, 0x70), format!("0x{:x}", frame.rsv & 7), 0..1);
    let opcode = format!("{} ({})", opcode_name(frame.opcode), version.wire_opcode(frame.opcode));
    push("websocket.opcode", first(0, 0x0f), opcode, 0..1);
    if version.tells_mask() {
        push("websocket.mask", first(1, 0x80), flag(frame.mask.is_some()), 1..2);
    } else {
        push("rsv4", first(1, 0x80), flag(frame.rsv & 8 != 0), 1..2);
    }
    let extended = extended_len(frame);
    let short = match extended {
        8 => 127,
        2 => 126,
        _ => frame.len,
    };
    push("websocket.payload_length", first(1, 0x7f), number(short), 1..2);
    match extended {
        8 => push("websocket.payload_length_ext_64", String::new(), number(frame.len), 2..10),
        2 => push("websocket.payload_length_ext_16", String::new(), number(frame.len), 2..4),
        _ => {}
    }
    if let Some(mask) = frame.mask {
        let end = u64::from(frame.header_len);
        let span = if key > 0 { 0..key } else { end.saturating_sub(4)..end };
        let field = Field {
            depth: 1,
            name: "websocket.masking_key",
            value: hex_apart(&mask),
            span: Some(span),
            ..Field::default()
        };
        // In the order of the bytes.
        let at = if key > 0 { 1 } else { out.len() };
        out.insert(at, field);
    }
}

fn hixie_fields(frame: &FrameRow, out: &mut Vec<Field>) {
    let mut push = |name, value: String, span: Range<u64>| {
        out.push(Field { depth: 1, name, value, span: Some(span), ..Field::default() });
    };
    let header = u64::from(frame.header_len);
    if header > 0 {
        let value = match frame.opcode {
            Opcode::TEXT => "0x00 (text, until ff)",
            Opcode::BINARY => "0x80 (data of a length)",
            Opcode::CLOSE => "0xff (close)",
            Opcode(3) => "0x01…0x7f (not defined, until ff)",
            _ => "0x81…0xff (not defined, data of a length)",
        };
        push("frame type", value.to_owned(), 0..1);
    }
    if header > 1 {
        push("length", number(frame.len), 1..header);
    }
}

/// What stands behind the payload, where something does.
fn tail_field(anatomy: &Anatomy<'_>, out: &mut Vec<Field>) {
    let end = anatomy.layout.whole_len(anatomy.frame);
    if let [sentinel] = anatomy.layout.tail(anatomy.frame) {
        let value = format!("0x{sentinel:02x}");
        let span = Some(end.saturating_sub(1)..end);
        out.push(Field { depth: 1, name: "sentinel", value, span, ..Field::default() });
    }
}

fn payload_fields(anatomy: &Anatomy<'_>, out: &mut Vec<Field>) {
    let Anatomy { message, frame, layout, payload, .. } = anatomy;
    let start = u64::from(frame.header_len);
    let span = start..start.saturating_add(frame.len);
    let close = frame.opcode == Opcode::CLOSE && layout.version.has_close_codes();
    let close = close.then(|| close_of(payload)).flatten();
    let text = frame.len > 0 && message.is_text() && message.frames == 1 && !message.compressed;
    out.push(Field {
        depth: 1,
        name: "websocket.payload",
        value: count(frame.len, "byte"),
        span: Some(span.clone()).filter(|span| !span.is_empty()),
        folds: close.is_some() || text || message.compressed,
        ..Field::default()
    });
    let mut push = |name, value, span| {
        out.push(Field { depth: 2, name, value, span: Some(span), ..Field::default() });
    };
    if let Some(close) = close {
        let CloseCode(code) = close.code;
        push("websocket.payload.close.status_code", format!("{code} {}", close.code.meaning()), start..start + 2);
        if !close.reason.is_empty() {
            push("websocket.payload.close.reason", display(close.reason).into_owned(), start + 2..span.end);
        }
    } else if text {
        push("websocket.payload.text", display(payload).into_owned(), span);
    } else if message.compressed {
        push("compressed", deflated(message), span);
    }
}

/// What a compressed message inflated to: `424 bytes, 3.2:1`.
fn deflated(message: &MessageRow) -> String {
    if message.undecoded {
        return "not inflated".to_owned();
    }
    let ratio = ratio(message.len, message.wire_len).map_or_else(String::new, |ratio| format!(", {ratio}"));
    format!("{}{ratio}", count(message.len, "byte"))
}

fn carrier_fields(anatomy: &Anatomy<'_>, out: &mut Vec<Field>) {
    let frame = anatomy.frame;
    let mut push = |depth, name, value: String| {
        out.push(Field { depth, name, value, folds: depth == 0, ..Field::default() });
    };
    push(0, "Carried by", String::new());
    if let Some(stream) = anatomy.stream {
        push(1, "tcp.stream", stream.to_string());
    }
    if let Some(tls) = anatomy.tls {
        push(1, "tls", tls.protocol());
    }
    if let Some(stream) = anatomy.h2_stream {
        push(1, "http2.streamid", stream.to_string());
    }
    if let (Some(first), Some(last)) = (anatomy.records.first(), anatomy.records.last()) {
        let wire: u64 = anatomy.records.iter().map(|record| u64::from(record.wire_len)).sum();
        let numbers = if first == last { String::new() } else { format!("…{}", last.number) };
        let name = if anatomy.h2_stream.is_some() { "http2.data" } else { "tls.record" };
        push(1, name, format!("{}{numbers} · {}", first.number, count(wire, "byte")));
        if let (Some(begins), Some(ends)) = (first.data, last.data) {
            // Length, type, flags, stream.
            let [a, b, c, kind, flags, d, e, f, g] = begins.head.map(|byte| format!("{byte:02x}"));
            push(1, "http2.head", format!("{a}{b}{c} {kind} {flags} {d}{e}{f}{g}"));
            if let (Some(begins), Some(ends)) = (begins.record, ends.record) {
                let last = if begins == ends { String::new() } else { format!("…{ends}") };
                push(1, "tls.record", format!("{begins}{last}"));
            }
        }
    }
    let end = frame.stream_offset.saturating_add(anatomy.layout.whole_len(frame));
    let last = number(end.saturating_sub(1));
    let arrow = anatomy.message.dir.arrow();
    let place = match (anatomy.h2_stream, anatomy.tls) {
        (Some(_), _) => "DATA bytes",
        (None, Some(_)) => "decrypted bytes",
        (None, None) => "stream bytes",
    };
    push(1, place, format!("{arrow} {}…{last}", number(frame.stream_offset)));
    if !anatomy.packets.is_empty() {
        let line = |(at, said): (usize, &String)| Field {
            depth: 1,
            name: "frame.number",
            value: said.clone(),
            packet: Some(at),
            ..Field::default()
        };
        return out.extend(anatomy.packets.iter().enumerate().map(line));
    }
    let packets = if frame.first_packet == frame.last.packet {
        frame.last.packet.to_string()
    } else {
        format!("{}…{}", frame.first_packet, frame.last.packet)
    };
    push(1, "frame.number", packets);
}

/// The bits of a byte that a mask names, the others as dots: `.... 0001`.
fn bits(byte: u8, mask: u8) -> String {
    let bit = |at: u8| match (mask >> at & 1, byte >> at & 1) {
        (0, _) => '.',
        (_, 0) => '0',
        _ => '1',
    };
    let nibble = |from: u8| (from..from + 4).rev().map(bit).collect::<String>();
    format!("{} {}", nibble(4), nibble(0))
}

fn opcode_name(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::CONTINUATION => "Continuation",
        Opcode::TEXT => "Text",
        Opcode::BINARY => "Binary",
        Opcode::CLOSE => "Connection Close",
        Opcode::PING => "Ping",
        Opcode::PONG => "Pong",
        _ => "Reserved",
    }
}
