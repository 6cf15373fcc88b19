//! PDUs that Wireshark exported say what the capture said.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::craft::*;
use support::run::{Input, Message, conversations, messages};

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What is said, without the packets that said it.
fn said(input: Input<'_>) -> Vec<String> {
    messages(input).iter().map(|message: &Message| format!("{} {:?}", message.dir, message.essence())).collect()
}

/// Segments with payload of sessions that overlap in time.
fn segments(six: bool) -> (Vec<String>, Vec<Segment>) {
    let sessions: Vec<_> = (0..3).map(Session::sample).collect();
    let all = interleave(sessions.iter().map(|session| session.cut(|_| vec![400])).collect());
    let all = if six { v6(&all) } else { all };
    let plain = said(Input::Bytes(&capture_of(&all)));
    (plain, all.into_iter().filter(|segment| !segment.payload.is_empty()).collect())
}

fn file(pdus: impl IntoIterator<Item = Packet>) -> Vec<u8> {
    Pcap::default().file(&pdus.into_iter().collect::<Vec<_>>())
}

/// That a capture of PDUs says the same; the order of messages is that in which they were complete.
#[track_caller]
fn says(file: &[u8], plain: &[String], what: &str) {
    let (mut exported, mut plain) = (said(Input::Bytes(file)), plain.to_vec());
    exported.sort();
    plain.sort();
    assert!(exported == plain, "{what}: {} messages, not {}", exported.len(), plain.len());
}

#[test]
fn pdus_with_numbers_are_segments() {
    for six in [false, true] {
        let (plain, mut segments) = segments(six);
        let pdu = |segment: &Segment| exported(segment, &segment.payload, Some(Numbers::of(segment)), time_of(0));
        says(&file(segments.iter().map(pdu)), &plain, "in order");
        let twice = segments.iter().chain(&segments).map(pdu);
        says(&file(twice), &plain, "twice");
        segments.chunks_exact_mut(2).skip(3).for_each(|pair| pair.swap(0, 1));
        says(&file(segments.iter().map(pdu)), &plain, "out of order");
    }
}

#[test]
fn pdus_without_numbers_stand_one_behind_the_other() {
    for six in [false, true] {
        let (plain, segments) = segments(six);
        let bare = |segment: &Segment| exported(segment, &segment.payload, None, time_of(0));
        says(&file(segments.iter().map(bare)), &plain, "without the tag");
        // Some programs write the same numbers into every PDU.
        let constant = Numbers { seq: 1, next: 1, ack: 1, joined: true };
        let constant = |segment: &Segment| exported(segment, &segment.payload, Some(constant), time_of(0));
        says(&file(segments.iter().map(constant)), &plain, "constant numbers");
        let mixed = segments
            .iter()
            .enumerate()
            .map(|(at, segment)| if at % 2 == 0 { bare(segment) } else { constant(segment) });
        says(&file(mixed), &plain, "some with constants");
    }
}

/// Where ports are used again, what comes behind the last frames is another conversation. Wireshark counts numbers from nought in each.
#[test]
fn a_port_that_is_used_again_begins_another_stream() {
    let [first, second] = [0, 1].map(|n| {
        let session = Session { isn: [0, 0], ..Session::sample(n) };
        session.segments().into_iter().filter(|segment| !segment.payload.is_empty()).collect::<Vec<_>>()
    });
    let (ends, others) = ((first[0].src, first[0].dst), (second[0].src, second[0].dst));
    let moved = |end| if end == others.0 { ends.0 } else { ends.1 };
    let second: Vec<_> = second.iter().map(|s| Segment { src: moved(s.src), dst: moved(s.dst), ..s.clone() }).collect();
    for numbered in [false, true] {
        for dissector in ["http-over-tcp", "websocket"] {
            let pdu = |segment: &Segment| {
                let is_http = segment.payload.starts_with(b"GET ") || segment.payload.starts_with(b"HTTP/");
                let numbers = numbered.then(|| Numbers::of(segment));
                exported_by(if is_http { "http" } else { dissector }, segment, &segment.payload, numbers, time_of(0))
            };
            let both = file(first.iter().chain(&second).map(pdu));
            let told: Vec<usize> = conversations(Input::Bytes(&both)).iter().map(|talk| talk.messages.len()).collect();
            let apart = [&first, &second].map(|one| said(Input::Bytes(&file(one.iter().map(pdu)))).len());
            assert_eq!(told, apart, "{dissector}, numbers: {numbered}");
        }
    }
}

/// What was in a tunnel is exported twice: as the tunnel's payload, and as that of TCP.
#[test]
fn pdus_of_tunnels_are_no_pieces_of_what_is_in_them() {
    let (plain, segments) = segments(false);
    for numbered in [false, true] {
        let pdus = segments.iter().flat_map(|segment| {
            let outer = [&[8, 0, 0, 0, 0, 5, 0, 0][..], &[2; 12], &[8, 0], &[0x45; 40], &segment.payload].concat();
            let numbers = numbered.then(|| Numbers::of(segment));
            [
                exported_tunnel(4789, segment, &outer, time_of(0)),
                exported(segment, &segment.payload, numbers, time_of(0)),
            ]
        });
        says(&file(pdus), &plain, &format!("numbers: {numbered}"));
    }
}

/// What Wireshark makes of a frame in several records or segments: the beginning, then the whole.
#[test]
fn a_pdu_that_comes_again_with_more_is_the_same() {
    let mut session = Session::new(1);
    session
        .text(Client, &"much ".repeat(500))
        .text(Server, "same")
        .text(Server, "same")
        .text(Server, &"more ".repeat(700));
    let whole = session.segments();
    let plain = said(Input::Bytes(&capture_of(&whole)));
    let data = || whole.iter().filter(|segment| !segment.payload.is_empty());
    for lead in [0, 1, 2] {
        let (mut bare, mut numbered) = (Vec::new(), Vec::new());
        for (at, segment) in data().enumerate() {
            // Frames that were whole stand before the one of which more was wanted, behind the handshake.
            let small = Frame::new(PING, "p").bytes().repeat(if at < 2 { 0 } else { lead });
            let (start, end) = (segment.payload.len().min(300), segment.payload.len());
            let joined = Numbers { next: segment.seq + end as u32 + 70, joined: true, ..Numbers::of(segment) };
            let first = Segment { payload: [&small[..], &segment.payload[..start]].concat(), ..segment.clone() };
            bare.push(exported(segment, &first.payload, None, time_of(0)));
            numbered.push(exported(
                segment,
                &segment.payload[..start],
                Some(Numbers::of(&segment.part(0, start))),
                time_of(0),
            ));
            if start < end {
                bare.push(exported(segment, &segment.payload[..900.min(end)], None, time_of(0)));
                bare.push(exported(segment, &segment.payload, None, time_of(0)));
                numbered.push(exported(segment, &segment.payload, Some(joined), time_of(0)));
            }
        }
        says(&file(numbered), &plain, "with numbers");
        if lead == 0 {
            says(&file(bare), &plain, "without numbers");
        } else {
            let all = conversations(Input::Bytes(&file(bare)));
            let text = |message: &&Message| !message.is_control();
            let texts: Vec<_> = all[0].messages.iter().filter(text).map(|message| message.essence()).collect();
            let plain = conversations(Input::Bytes(&capture_of(&whole)));
            let plain: Vec<_> = plain[0].messages.iter().filter(text).map(|message| message.essence()).collect();
            assert!(texts == plain, "behind {lead} frames: {} messages", texts.len());
        }
    }
}

/// What Wireshark makes of HTTP/2: each PDU begins with the frame that the one before ended in. An acknowledgement of SETTINGS ends
/// with a nought, and other frames begin with one.
#[test]
fn pdus_of_http2_are_its_frames() {
    let mut all = vec![H2::sample(0)];
    let mut ours = H2::new(1);
    ours.open(1);
    for n in 0..12 {
        ours.say(Client, 1, BINARY, vec![0; 10 * n]).frame(Client, SETTINGS, 1, 0, &[]);
        ours.say(Server, 1, BINARY, vec![0; 100 * n]).frame(Server, SETTINGS, 1, 0, &[]);
    }
    all.push(ours);
    for (n, h2) in all.into_iter().enumerate() {
        for len in [usize::MAX, 400, 61, 5] {
            let segments = h2.session.cut(|bytes| vec![len.min(bytes.len())]);
            let plain = said(Input::Bytes(&capture_of(&segments)));
            let segments = || segments.iter().filter(|segment| !segment.payload.is_empty());
            for dissector in ["http2", ""] {
                let mut left: [Vec<u8>; 2] = Default::default();
                let pdus = segments().map(|segment| {
                    let left = &mut left[usize::from(segment.src == h2.session.server)];
                    left.extend(&segment.payload);
                    let pdu = exported_by(dissector, segment, left, None, time_of(0));
                    *left = rest_of_http2(left).to_vec();
                    pdu
                });
                says(&file(pdus), &plain, &format!("{n}: {dissector:?}, {len} bytes"));
            }
            // One that knows nothing of them takes all as it comes.
            let pdus = segments().map(|segment| exported_by("data", segment, &segment.payload, None, time_of(0)));
            says(&file(pdus), &plain, &format!("{n}: {len} bytes of data"));
        }
    }
}

/// The beginning of a frame behind whole ones.
fn rest_of_http2(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes.strip_prefix(PREFACE).unwrap_or(bytes);
    while rest.len() >= 9 {
        let len = 9 + u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        let Some(behind) = rest.get(len..) else { break };
        rest = behind;
    }
    rest
}

/// Real exports: of a stream in clear by its segments, of TLS by what was in it.
#[test]
fn exports_of_samples_say_what_the_samples_say() {
    for (export, sample) in [("exported_stomp.pcapng", "stomp.pcapng"), ("exported_tls.pcapng", "tls.pcap")] {
        let (export, sample) = (manifest("tests/data").join(export), manifest("samples").join(sample));
        let said_by = |path: &Path| said(Input::File(path));
        assert!(said_by(&export).len() > 10 && said_by(&export) == said_by(&sample), "{}", export.display());
    }
}

/// What tshark exports of the samples now, where it is installed.
#[test]
fn tshark_exports_what_we_read() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tshark_exports_what_we_read.pcapng");
    for (tap, sample) in [
        ("OSI layer 4", "chat.pcapng"),
        ("OSI layer 4", "fragments.pcapng"),
        ("OSI layer 4", "mix.pcap"),
        ("OSI layer 4", "mqtt.pcap"),
        ("OSI layer 7", "tls.pcap"),
        ("OSI layer 7", "wss.pcapng"),
    ] {
        let sample = manifest("samples").join(sample);
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&sample).args(["-U", tap, "-w"]).arg(&target);
        command.arg("-o").arg(format!("tls.keylog_file:{}", sample.with_extension("keys").display()));
        let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("skipped: exports of tshark (it is not installed)");
            return;
        }
        says(&std::fs::read(&target).unwrap(), &said(Input::File(&sample)), &format!("{tap} of {}", sample.display()));
    }
    std::fs::remove_file(target).unwrap();
}

/// Too few frames to be known by themselves; the tag says what they are.
#[test]
fn pdus_of_websocket_are_frames() {
    let session = Session::sample(0);
    let (plain, all) = (said(Input::Bytes(&capture_of(&session.segments()))), session.segments());
    let payloads = || all.iter().filter(|segment| !segment.payload.is_empty());
    for numbered in [false, true] {
        let pdu = |segment: &Segment| {
            let numbers = numbered.then(|| Numbers::of(segment));
            exported_by("websocket", segment, &segment.payload, numbers, time_of(0))
        };
        let frames: Vec<_> = payloads().skip(2).take(2).map(pdu).collect();
        let told = said(Input::Bytes(&file(frames)));
        assert!(!told.is_empty() && told.iter().all(|message| plain.contains(message)), "{told:?}");
        // Behind their handshake they are of its connection.
        if numbered {
            let head = payloads()
                .take(2)
                .map(|segment| exported(segment, &segment.payload, Some(Numbers::of(segment)), time_of(0)));
            let whole = file(head.chain(payloads().skip(2).map(pdu)));
            assert_eq!(conversations(Input::Bytes(&whole)).len(), 1);
            says(&whole, &plain, "behind the handshake");
        }
    }
}
