//! Records: every line is JSON with exactly its keys, in their order, each of its one type, and the payload's bytes come back.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that goes wrong here fails, as it should")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wspect::escape;
use wspect::export::{
    Clock, Figures, Form, Key, Out, Page, PayloadMode, PayloadOptions, RECORD_KINDS, RecordKind, Records, Shape,
    Spread, Style, Table, Talk, TimeMode, Totals,
};
use wspect::model::{
    Body, Both, Certificate, Check, Close, CloseCode, Closed, ConnId, Connection, Direction, Encap, End, Endpoint,
    Ends, Event, Frame, Handshake, Head, Hole, Hop, HopKind, KeySource, Mark, Message, NOTES, Note, NoteSet, Opcode,
    Opened, Origin, PacketNo, Reconnect, Secrets, SessionId, Span, Stamp, StartLine, StreamId, Timestamp, TlsKeys,
    TlsOutline, TlsSession, TlsVersion, Version, Wait, WaitCause, WhyNot,
};

/// Every key of every record, and of the objects in it, has its place in the document that users read.
#[test]
fn every_key_is_documented() {
    let document = include_str!("../docs/RECORDS.md");
    let mut documented = 0;
    let mut check = |key: &Key| {
        documented += 1;
        assert!(document.contains(&format!("`{}`", key.name)), "{}", key.name);
        assert!(!key.about.is_empty() && !key.about.ends_with('.'), "{}", key.name);
    };
    for kind in RECORD_KINDS {
        assert!(document.contains(&format!("\n## `{}`", kind.name)), "{}", kind.name);
        kind.all_keys().for_each(|key| each_key(key, &mut check));
    }
    assert!(documented > 200);
}

/// A key, and those of the objects in its value.
fn each_key(key: &Key, then: &mut dyn FnMut(&Key)) {
    then(key);
    let mut open = vec![&key.shape];
    while let Some(shape) = open.pop() {
        match shape {
            Shape::Object(keys) => keys.iter().for_each(|key| each_key(key, then)),
            Shape::List(inner) | Shape::Maybe(inner) => open.push(inner),
            Shape::Pair(first, second) => open.extend([*first, *second]),
            _ => {}
        }
    }
}

/// Checks a line against the keys of its kind and gives it parsed.
fn parsed(line: &[u8], kind: &str) -> Value {
    let text = str::from_utf8(line).unwrap();
    let record = text.strip_suffix('\n').unwrap();
    assert!(!record.contains(is_odd), "{record:?}");
    let value: Value = serde_json::from_str(record).unwrap();
    let keys = RecordKind::named(kind).unwrap().all_keys();
    assert_eq!(key_order(record), keys.clone().map(|key| key.name).collect::<Vec<_>>(), "{record}");
    check_keys(&value, keys);
    assert_eq!(value["kind"], kind);
    value
}

fn is_odd(c: char) -> bool {
    c.is_control() || escape::is_hidden(c)
}

/// The keys of the outermost object in the order in which they stand: serde_json sorts them.
fn key_order(record: &str) -> Vec<String> {
    let (mut keys, mut depth, mut chars) = (Vec::new(), 0, record.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            '"' => {
                let (end, _) = loop {
                    match chars.next().unwrap() {
                        (_, '\\') => drop(chars.next()),
                        quote @ (_, '"') => break quote,
                        _ => {}
                    }
                };
                if depth == 1 && record[end + 1..].starts_with(':') {
                    keys.push(record[at + 1..end].to_owned());
                }
            }
            _ => assert!(!c.is_whitespace(), "a blank outside strings"),
        }
    }
    keys
}

/// An object has exactly these keys, and each its value.
fn check_keys<'k>(value: &Value, keys: impl Iterator<Item = &'k Key> + Clone) {
    let object = value.as_object().unwrap();
    assert_eq!(object.len(), keys.clone().count());
    for key in keys {
        check_shape(key.name, &object[key.name], &key.shape);
    }
}

fn check_shape(name: &str, value: &Value, shape: &Shape) {
    let is_right = match shape {
        Shape::Maybe(_) if value.is_null() => true,
        Shape::Maybe(shape) => return check_shape(name, value, shape),
        Shape::Object(keys) => return check_keys(value, keys.iter()),
        Shape::List(each) => return value.as_array().unwrap().iter().for_each(|value| check_shape(name, value, each)),
        Shape::Pair(first, second) => {
            let [one, other] = value.as_array().unwrap().as_slice() else { panic!("{name}: no pair: {value}") };
            check_shape(name, one, first);
            return check_shape(name, other, second);
        }
        Shape::Bool => value.is_boolean(),
        Shape::Int => value.is_i64() || value.is_u64(),
        Shape::Count => value.is_u64(),
        Shape::Is(number) => value == number,
        Shape::Text | Shape::Time | Shape::Code => value.is_string(),
        Shape::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Shape::Any => true,
    };
    assert!(is_right, "{name} is {value}, not {shape:?}");
}

fn line(write: impl FnOnce(&mut dyn Form, &mut Out<'_>), payload: PayloadOptions) -> Vec<u8> {
    let mut out = Out::memory();
    write(&mut Records::new(payload), &mut out);
    out.take()
}

/// Everything but line feeds must be printable, in every form of text.
fn check_text(write: impl Fn(&mut dyn Form, &mut Out<'_>), payload: PayloadOptions, columns: Option<usize>) {
    let style = Style { color: false, columns };
    let clock = || Clock::new(TimeMode::UtcDate, None);
    let forms: [Box<dyn Form>; 3] = [
        Box::new(Table::new(clock(), payload, style)),
        Box::new(Page::new(clock(), payload, style)),
        Box::new(Talk::new(clock(), payload, style)),
    ];
    for mut form in forms {
        let mut out = Out::memory();
        write(&mut *form, &mut out);
        let text = String::from_utf8(out.take()).unwrap();
        assert!(!text.contains(|c| c != '\n' && is_odd(c)), "{text:?}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,12}",
        "\\PC{0,20}",
        "[\\x00-\\x7f\u{80}-\u{9f}\u{200b}-\u{206f}\u{feff}\u{e0001}\u{1f600}\"\\\\]{0,40}"
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![any_text().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..200)]
}

fn any_time() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of(prop_oneof![any::<i64>(), 1_600_000_000_000_000_000..1_800_000_000_000_000_000_i64])
        .prop_map(|nanos| nanos.map(Timestamp::from_nanos))
}

fn any_mark() -> impl Strategy<Value = Mark> {
    (1..u64::MAX, any_time()).prop_map(|(packet, time)| Mark { packet: PacketNo(packet), time })
}

fn any_span() -> impl Strategy<Value = Span> {
    (any_mark(), any_mark()).prop_map(|(first, last)| Span { first, last })
}

fn any_dir() -> impl Strategy<Value = Direction> {
    prop::sample::select(Direction::BOTH.to_vec())
}

fn any_codes() -> impl Strategy<Value = NoteSet> {
    prop::collection::vec(0..NOTES.len(), 0..4).prop_map(|codes| {
        let mut set = NoteSet::EMPTY;
        for code in codes {
            set.insert(NOTES[code].code);
        }
        set
    })
}

fn any_stamp() -> BoxedStrategy<Stamp> {
    let number = || prop::option::of(any::<u32>());
    (prop::option::of(1..u32::MAX), number(), number(), any_mark())
        .prop_map(|(conn, stream, h2_stream, at)| Stamp {
            conn: conn.map(ConnId),
            stream,
            h2_stream: h2_stream.map(StreamId),
            at,
        })
        .boxed()
}

fn any_payload() -> impl Strategy<Value = PayloadOptions> {
    use PayloadMode::{Auto, Base64, Hex, None, Text};
    (prop::sample::select(vec![Auto, Text, Hex, Base64, None]), prop_oneof![Just(0), 0..60_u64])
        .prop_map(|(mode, max)| PayloadOptions { mode, max, decoded: true, state: false })
}

/// A message that owns what the model's borrows.
#[derive(Debug, Clone)]
struct Owned {
    bytes: Vec<u8>,
    holes: Vec<Hole>,
    reason: Vec<u8>,
    wait: Option<Wait>,
    message: Message<'static>,
}

impl Owned {
    fn message(&self) -> Message<'_> {
        let body = Body { kept: &self.bytes, holes: &self.holes, ..self.message.body };
        let close = self.message.close.map(|close| Close { reason: &self.reason, ..close });
        Message { body, close, waited: self.wait.as_ref(), ..self.message }
    }
}

prop_compose! {
    fn any_message()(
        (bytes, reason, dir, opcode) in (any_bytes(), any_bytes(), any_dir(), 0..16_u8),
        holes in prop::collection::vec((any::<u64>(), prop::option::of(0..1_000_000_u64)), 0..3),
        beyond in prop_oneof![Just(0), any::<u32>()],
        (compressed, undecoded, complete, inferred, claims_utf8) in any::<(bool, bool, bool, bool, bool)>(),
        (close, rtt, span, findings) in (prop::option::of(any::<u16>()), prop::option::of(any::<i64>()), any_span(), any_codes()),
        (number, frames, wire_len) in (any::<u64>(), any::<u64>(), any::<u64>()),
        wait in prop::option::of((any::<i64>(), any::<bool>(), any::<u64>())),
    ) -> Owned {
        let cause = |lost| if lost { WaitCause::Retransmission } else { WaitCause::Window };
        let of = |lost: bool, packet: u64| (lost && packet.is_multiple_of(2)).then_some(PacketNo(packet / 2));
        let wait = wait.map(|(nanos, lost, packet)| Wait { nanos, cause: cause(lost), packet: PacketNo(packet), of: of(lost, packet) });
        let holes: Vec<Hole> = holes.into_iter().map(|(offset, len)| Hole { offset, len }).collect();
        let missing: u64 = holes.iter().filter_map(|hole| hole.len).sum();
        let body = Body { kept: &[], len: bytes.len() as u64 + missing + u64::from(beyond), holes: &[] };
        let close = close.map(|code| Close { code: CloseCode(code), reason: &[] });
        let opcode = Opcode(opcode);
        let message = Message { number, dir, opcode, frames, compressed, undecoded, wire_len, body, wire: &[], complete, inferred, utf8: claims_utf8, close, rtt, waited: None, span, brought: span.last, findings, decoded: None, state: None };
        Owned { bytes, holes, reason, wait, message }
    }
}

prop_compose! {
    fn any_head()(
        (first, second, third) in (any_text(), any_text(), any_text()),
        status in prop::option::of(any::<u16>()),
        headers in prop::collection::vec((any_text(), any_text()), 0..4),
        span in any_span(),
    ) -> Head {
        let start = match status {
            Some(status) => StartLine::Response { version: first, status, reason: second },
            None => StartLine::Request { method: first, target: second, version: third },
        };
        Head { start, headers, stream_offset: 0, len: 0, span, whole: true }
    }
}

prop_compose! {
    fn any_handshake()(
        (request, response) in (prop::option::of(any_head()), prop::option::of(any_head())),
        (url, key, accept, expected, subprotocol) in
            (prop::option::of(any_text()), prop::option::of(any_text()), prop::option::of(any_text()), prop::option::of(any_text()), prop::option::of(any_text())),
        lists in prop::collection::vec(prop::option::of(prop::collection::vec(any_text(), 0..3)), 3),
        (accepted, latency) in (prop::option::of(any::<bool>()), prop::option::of(any::<i64>())),
        checks in prop::collection::vec((0..NOTES.len(), any::<bool>(), any_text()), 0..4),
    ) -> Handshake {
        let checks = checks.into_iter().map(|(code, ok, detail)| Check { code: NOTES[code].code, ok, detail }).collect();
        Handshake {
            request, response, url, accepted, key, accept, accept_expected: expected,
            subprotocols_offered: lists[0].clone(), subprotocol,
            extensions_offered: lists[1].clone(), extensions: lists[2].clone(),
            checks, latency,
        }
    }
}

fn any_endpoint() -> impl Strategy<Value = Endpoint> {
    let ip = prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ];
    (ip, any::<u16>()).prop_map(|(ip, port)| Endpoint { ip: ip.into(), port })
}

prop_compose! {
    fn any_opened()(
        client in any_endpoint(), server in any_endpoint(), url in prop::option::of(any_text()),
        tls in prop::option::of(any_session()), interface in prop::option::of(any_text()), first in any_mark(),
        proxy in prop::option::of(any_text()), wrapped_back in any::<bool>(), former in prop::option::of(any::<(u32, Option<i64>)>()),
    ) -> Opened {
        let reconnect_of = former.map(|(conn, gap)| Reconnect { conn: ConnId(conn), gap });
        let via = proxy.map(|address| Hop { kind: HopKind::Socks5, address }).into_iter().collect();
        let encap_back = wrapped_back.then(|| Box::from([Encap::Vlan(13)]));
        let version = Version::Rfc6455;
        let encap = Box::new([Encap::Vlan(12), Encap::Gre(None)]);
        let tls = tls.map(|session| Box::new(session.outline));
        let interface = interface.map(Into::into);
        Opened { client, server, url, transport: Some("http/1.1"), version, via, encap, encap_back, tls, encrypted: None, interface, ethers: None, session: SessionId(3), reconnect_of, first }
    }
}

prop_compose! {
    fn any_session()(
        client in any_endpoint(), server in any_endpoint(), version in prop::option::of(any::<u16>()), sni in prop::option::of(any_text()),
        alpn in prop::option::of(any_text()), client_randoms in prop::collection::vec(any::<[u8; 32]>(), 0..3), line in prop::option::of(any::<u32>()),
        decrypted in any::<u64>(), suite in prop::option::of(any::<u16>()), took in prop::option::of(any::<i64>()),
    ) -> TlsSession {
        let certificate = sni.clone().map(|name| {
            Box::new(Certificate { subject: alpn.clone(), names: vec![name], count: 1, ..Certificate::default() })
        });
        let cipher = suite.map(|suite| format!("0x{suite:04x}"));
        TlsSession {
            client, server, client_randoms, decrypted,
            outline: TlsOutline { version: version.map(TlsVersion), cipher, sni, alpn, keys: TlsKeys::Partial, took, certificate },
            origin: line.map(|line| Origin { source: 0, line }),
            premasters: Vec::new(),
            why_not: suite.map(WhyNot::Suite),
        }
    }
}

proptest! {
    #[test]
    fn messages(owned in any_message(), at in any_stamp(), options in any_payload(), columns in prop::option::of(0..200_usize)) {
        let message = owned.message();
        let record = parsed(&line(|form, out| form.message(&at, &message, out), options), "message");
        check_text(|form, out| form.message(&at, &message, out), options, columns);

        let payload = record["payload"].as_str();
        let shown = match record["enc"].as_str() {
            Some("utf8") => payload.unwrap().as_bytes().to_vec(),
            Some(_) => STANDARD.decode(payload.unwrap()).unwrap(),
            None => {
                prop_assert!(options.mode == PayloadMode::None && payload.is_none());
                return Ok(());
            }
        };
        prop_assert!(owned.bytes.starts_with(&shown));
        if options.max == 0 {
            let is_cut_inside = message.body.is_truncated() && record["enc"] == "utf8";
            prop_assert!(shown.len() == owned.bytes.len() || is_cut_inside && shown.len() + 4 > owned.bytes.len());
        } else {
            prop_assert!(shown.len() as u64 <= options.max);
        }
        let is_all = shown.len() == owned.bytes.len() && !message.body.is_truncated();
        prop_assert_eq!(record["truncated"].as_bool().unwrap(), !is_all);
        if record["enc"] == "utf8" {
            prop_assert!(message.is_text());
        } else if message.is_text() && options.mode != PayloadMode::Base64 && !message.body.is_truncated() {
            prop_assert!(str::from_utf8(&owned.bytes).is_err());
        }
    }

    #[test]
    fn frames(
        at in any_stamp(), (number, msg) in (any::<u64>(), prop::option::of(any::<u64>())), dir in any_dir(),
        (fin, complete, rsv, opcode) in (any::<bool>(), any::<bool>(), 0..8_u8, 0..16_u8), mask in prop::option::of(any::<[u8; 4]>()),
        (header_len, len, stream_offset) in (any::<u8>(), any::<u64>(), any::<u64>()), span in any_span(), findings in any_codes(),
    ) {
        let frame = Frame { number, msg, dir, fin, rsv, opcode: Opcode(opcode), mask, header_len, len, stream_offset, span, complete, findings };
        let record = parsed(&line(|form, out| form.frame(&at, &frame, out), PayloadOptions::default()), "frame");
        prop_assert_eq!(record["mask"].as_str().map(|mask| u32::from_str_radix(mask, 16).unwrap().to_be_bytes()), mask);
        check_text(|form, out| form.frame(&at, &frame, out), PayloadOptions::default(), None);
    }

    #[test]
    fn handshakes(at in any_stamp(), handshake in any_handshake(), session in any_session()) {
        let record = parsed(&line(|form, out| form.handshake(&at, &handshake, None, out), PayloadOptions::default()), "handshake");
        for (head, value) in [(&handshake.request, &record["request"]), (&handshake.response, &record["response"])] {
            if let Some(head) = head {
                let names: Vec<_> = value["headers"].as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap()).collect();
                prop_assert_eq!(names, head.headers.iter().map(|(name, _)| name).collect::<Vec<_>>());
            }
        }
        check_text(|form, out| form.handshake(&at, &handshake, Some(&session.outline), out), PayloadOptions::default(), None);
    }

    #[test]
    fn findings(
        at in any_stamp(), code in 0..NOTES.len(), text in any_text(), detail in prop::option::of(any_text()),
        dir in prop::option::of(any_dir()), (msg, frame) in (prop::option::of(any::<u64>()), prop::option::of(any::<u64>())),
    ) {
        let note = Note { code: NOTES[code].code, at: at.at, dir, msg, frame, text: &text, detail: detail.as_deref() };
        let record = parsed(&line(|form, out| form.finding(&at, &note, out), PayloadOptions::default()), "finding");
        prop_assert!(!record["text"].as_str().unwrap().is_empty());
        check_text(|form, out| form.finding(&at, &note, out), PayloadOptions::default(), None);
    }

    #[test]
    fn tls_sessions(session in any_session(), at in any_stamp(), place in any_text(), columns in prop::option::of(0..200_usize)) {
        let mut secrets = Secrets::default();
        secrets.source(KeySource::File(place.clone()));
        let rows = [(at, session.clone())];
        let record = parsed(&line(|form, out| form.tls_sessions(&rows, &secrets, out), PayloadOptions::default()), "tls");
        check_text(|form, out| form.tls_sessions(&rows, &secrets, out), PayloadOptions::default(), columns);
        prop_assert_eq!(record["sni"].as_str(), session.outline.sni.as_deref());
        let source = session.origin.map(|origin| format!("{place}:{}", origin.line));
        prop_assert_eq!(record["source"].as_str(), source.as_deref());
        prop_assert_eq!(record["client_random"].is_null(), session.client_randoms.is_empty());
    }

    #[test]
    fn connections(
        at in any_stamp(), opened in any_opened(), handshake in prop::option::of(any_handshake()),
        messages in prop::collection::vec(any_message(), 0..4), closed in prop::option::of((any_dir(), any_mark())),
        columns in prop::option::of(0..200_usize),
    ) {
        let mut row = Connection::new(ConnId(1), &at, &opened);
        if let Some(handshake) = &handshake {
            row.apply(&at, Event::Handshake(handshake));
        }
        for owned in &messages {
            row.apply(&at, Event::Message(&owned.message()));
        }
        if let Some((dir, last)) = closed {
            let mut ends = Ends::default();
            ends.add(dir, End::Fin, last);
            row.apply(&at, Event::Closed(&Closed { ends, last, ..Closed::default() }));
        }
        let rows = [row];
        parsed(&line(|form, out| form.connections(&rows, out), PayloadOptions::default()), "connection");
        check_text(|form, out| form.connections(&rows, out), PayloadOptions::default(), columns);
    }

    #[test]
    fn stats(
        (first, last) in (any_time(), any_time()), packets in any::<u64>(), bin_ns in prop::option::of(1..i64::MAX),
        bins in prop::collection::vec((any::<u64>(), any::<u64>()), 0..1000), rtt in prop::option::of(any::<[i64; 3]>()),
    ) {
        let figures = Figures {
            totals: Totals { packets, first, last, ..Totals::default() },
            rtt: rtt.map(|[p50, p95, max]| Spread { count: 1, p50, p95, max }),
            bin_ns,
            bins: bins.iter().map(|&(to_server, to_client)| Both { to_server, to_client }).collect(),
            ..Figures::default()
        };
        parsed(&line(|form, out| form.stats(&figures, out), PayloadOptions::default()), "stats");
        check_text(|form, out| form.stats(&figures, out), PayloadOptions::default(), None);
    }
}

#[test]
fn the_example_of_the_manual() {
    let mark = |packet, nanos| Mark { packet: PacketNo(packet), time: Some(Timestamp::from_nanos(nanos)) };
    let at =
        Stamp { conn: Some(ConnId(1)), stream: Some(0), at: mark(9085, 1_700_000_647_060_101_000), ..Stamp::default() };
    let payload = r#"{"id":"42","type":"subscribe"}"#;
    let message = Message {
        span: Span { first: at.at, last: at.at },
        brought: at.at,
        ..Message::whole(2145, Direction::ToServer, Opcode::TEXT, payload.as_bytes())
    };
    let line = line(|form, out| form.message(&at, &message, out), PayloadOptions::default());
    insta::assert_snapshot!(String::from_utf8(line).unwrap());
}
