//! The packets that carry a frame: read once more when somebody looks, and the frame found in them.

use super::tls::browser_of_capture;
use super::*;
use crate::support::craft::*;
use crate::support::keys::secrets;
use wspect::model::{Mark, PacketNo};
use wspect::tui::{Carried, Carrier, Effect, Payload, Wanted};

/// What the browser asks for last; `None`: nothing about packets.
fn asked(app: &mut App) -> Option<Option<Wanted>> {
    let of_packets = |effect| if let Effect::Packets(wanted) = effect { Some(wanted) } else { None };
    app.take_effects().into_iter().rev().find_map(of_packets)
}

/// The packets of these segments that are wanted, as who reads a pcap of them tells them.
fn answer(segments: &[Segment], wanted: &Wanted) -> Vec<Carrier> {
    let (first, last) = wanted.numbers();
    let sender = segments[usize::try_from(first.0).unwrap() - 1].src;
    let mut offset = 24;
    let mut carriers = Vec::new();
    for (at, (segment, packet)) in segments.iter().zip(packets(segments, &Wire::default())).enumerate() {
        let number = PacketNo(at as u64 + 1);
        offset += 16;
        let (bytes, payload) = (packet.bytes, segment.payload.clone());
        let place = bytes.len() - payload.len();
        let len = bytes.len();
        if segment.src == sender && !payload.is_empty() && number <= last {
            carriers.push(Carrier {
                number,
                file: None,
                offset,
                packed: None,
                link: "ETHERNET".to_owned(),
                bytes,
                captured: len,
                orig_len: len,
                payload: Some(Payload { seq: segment.seq, at: Some(place), bytes: payload }),
            });
        }
        offset += len as u64;
    }
    let before = carriers.iter().filter(|carrier| carrier.number < first).count();
    carriers.split_off(before.saturating_sub(wanted.before))
}

/// Gives the browser what it asks for.
fn give(app: &mut App, segments: &[Segment]) {
    let wanted = asked(app).flatten().expect("packets are asked for");
    app.carried(Carried::Read(answer(segments, &wanted), 0));
    app.settle();
}

/// A frame in the clear over four packets, one of which was sent twice.
fn cut_frame() -> Vec<Segment> {
    let mut session = Session::new(1);
    session.text(Client, "before it").text(Server, &"cut over packets ".repeat(6)).text(Client, "behind it");
    let mut segments = chop(&session.segments(), 32);
    let second = segments.iter().position(|segment| segment.payload.starts_with(&[0x81, 102])).unwrap() + 1;
    segments.insert(second + 1, segments[second].clone());
    segments
}

#[test]
fn packets_are_read_once_more_when_they_are_looked_at() {
    let segments = cut_frame();
    for (size, at) in [(WIDE, "120x36"), (NARROW, "80x24")] {
        let mut app = browser_of(capture_of(&segments), size);
        press(&mut app, "24J");
        assert_eq!(asked(&mut app), None);
        press(&mut app, "[[");
        shot(&format!("packets_asked@{at}"), &picture(&app, size));
        let wanted = asked(&mut app).flatten().unwrap();
        app.carried(Carried::At(PacketNo(16_384)));
        app.settle();
        assert!(picture(&app, size).contains("… at 16384"), "{}", picture(&app, size));
        app.carried(Carried::Read(answer(&segments, &wanted), 0));
        app.settle();
        shot(&format!("packets_packet@{at}"), &picture(&app, size));
        press(&mut app, "]");
        shot(&format!("packets_tcp@{at}"), &picture(&app, size));
        press(&mut app, "]");
        let shown = picture(&app, size);
        assert!(shown.contains("[Frame]") && shown.contains("file offset 0x"), "{shown}");
        assert_eq!(asked(&mut app), None, "the answer is kept");
        press(&mut app, "[J");
        assert!(matches!(asked(&mut app), Some(Some(other)) if other != wanted));
    }
}

/// A packet is chosen by its line; and the byte under the cursor is found in the one that brings it.
#[test]
fn each_packet_can_be_looked_at() {
    let segments = cut_frame();
    let mut app = browser_of(capture_of(&segments), WIDE);
    press(&mut app, "24J[[");
    give(&mut app, &segments);
    press(&mut app, "G");
    let last = picture(&app, WIDE);
    assert!(last.contains("5/5 · 62 bytes"), "{last}");
    assert!(last.contains("frame.number ⇄ bytes 54–61"), "{last}");
    press(&mut app, "k");
    assert!(picture(&app, WIDE).contains("4/5 · 86 bytes"));
    // The 40th byte of the frame, which the second packet brings, and its copy.
    press(&mut app, "gg]]<Tab>");
    press(&mut app, &"l".repeat(40));
    assert!(picture(&app, WIDE).contains("frame byte 40"), "{}", picture(&app, WIDE));
    press(&mut app, "[[");
    let second = picture(&app, WIDE);
    assert!(second.contains("2/5 · 86 bytes") && second.contains("TCP payload byte 8"), "{second}");
    press(&mut app, "]");
    assert!(picture(&app, WIDE).contains("frame byte 40"), "{}", picture(&app, WIDE));
}

/// Frames that look the same are told apart by their order.
#[test]
fn like_frames_in_one_packet_are_told_apart() {
    let mut session = Session::new(1);
    session.text(Server, "same");
    let frame = Frame::new(TEXT, "same").bytes();
    session.glue(&frame).glue(&frame);
    let segments = session.segments();
    let mut app = browser_of(capture_of(&segments), WIDE);
    press(&mut app, "24[[");
    for bytes in ["54–59", "60–65", "66–71"] {
        give(&mut app, &segments);
        let shown = picture(&app, WIDE);
        assert!(shown.contains(&format!("WebSocket frame ⇄ bytes {bytes}")), "{bytes}: {shown}");
        press(&mut app, "J");
    }
}

/// Of a frame in TLS its records are found, which may begin in packets before that of the frame.
#[test]
fn records_are_found_in_their_packets() {
    let mut session = Session::new(1);
    session.text(Client, "first of one").text(Client, &"over several packets ".repeat(8)).text(Client, "the last");
    let mut tls = Tls::new(1);
    for (side, bytes) in &session.turns {
        tls.data(*side, bytes);
    }
    let segments = chop(&tls.session.segments(), 64);
    for (size, at) in [(WIDE, "120x36"), (NARROW, "80x24")] {
        let mut app = browser_of_capture(capture_of(&segments), secrets(&tls.log()), size);
        press(&mut app, "24J[[[");
        give(&mut app, &segments);
        shot(&format!("packets_tls_packet@{at}"), &picture(&app, size));
        press(&mut app, "]");
        let stream = picture(&app, size);
        assert!(stream.contains("▐17 03 03"), "{stream}");
        press(&mut app, "]");
        let plain = picture(&app, size);
        assert!(plain.contains("record from packet"), "{plain}");
    }
}

/// Records of one length in one packet are told apart by their order, and frames in the clear within HTTP/2 by their DATA.
#[test]
fn like_carriers_in_one_packet_are_told_apart() {
    let mut session = Session::new(1);
    session.text(Client, "aaaa").text(Client, "bbbb").text(Client, "cccc");
    let mut tls = Tls::new(1);
    for (side, bytes) in &session.turns {
        tls.data(*side, bytes);
    }
    let mut h2 = H2::new(1);
    h2.open(1).say(Server, 1, TEXT, "same").say(Server, 1, TEXT, "same").say(Server, 1, TEXT, "same");
    // A record has a head, the frame of 10 bytes, its type and a tag; of DATA the head stands before the frame.
    for (mut session, log, bytes) in [
        (tls.session.clone(), tls.log(), ["54–85", "86–117", "118–149"]),
        (h2.session, String::new(), ["63–68", "78–83", "93–98"]),
    ] {
        let begins = session.turns.len() - 3;
        let (side, _) = session.turns[begins];
        let all = session.turns.drain(begins..).flat_map(|(_, bytes)| bytes).collect();
        session.turns.push((side, all));
        let segments = session.segments();
        let mut app = browser_of_capture(capture_of(&segments), secrets(&log), WIDE);
        press(&mut app, "24[[[");
        for bytes in bytes {
            give(&mut app, &segments);
            let shown = picture(&app, WIDE);
            assert!(shown.contains(&format!("WebSocket frame ⇄ bytes {bytes}")), "{bytes}: {shown}");
            press(&mut app, "J");
        }
    }
}

/// Within HTTP/2 in TLS the records of a frame are found: beside one of another stream that is as long, where two frames share one,
/// and where the DATA of one takes two.
#[test]
fn records_of_http2_are_found_in_their_packets() {
    let mut h2 = H2::new(1);
    h2.open(1).say(Server, 1, TEXT, "same").data(Server, 3, b"others").say(Server, 1, TEXT, "same");
    h2.say(Server, 1, TEXT, "same").say(Server, 1, TEXT, "same").say(Server, 1, TEXT, "longer than others");
    let mut tls = Tls::new(1);
    let mut turns = h2.session.turns;
    let told = turns.len() - 6;
    let cut = turns.pop().unwrap().1;
    let shared = turns.remove(told + 2).1;
    turns[told + 2].1.splice(0..0, shared);
    turns.extend([(Server, cut[..12].to_vec()), (Server, cut[12..].to_vec())]);
    for (side, bytes) in &turns {
        tls.data(*side, bytes);
    }
    let session = &mut tls.session;
    let begins = session.turns.len() - 6;
    let all = session.turns.drain(begins..).flat_map(|(_, bytes)| bytes).collect();
    session.turns.push((Server, all));
    let segments = session.segments();
    let mut app = browser_of_capture(capture_of(&segments), secrets(&tls.log()), WIDE);
    press(&mut app, "24[[[");
    // A record has a head, the DATA with its head of 9 bytes, its type and a tag.
    for bytes in ["54–90", "128–179", "128–179", "180–216", "217–289"] {
        give(&mut app, &segments);
        let shown = picture(&app, WIDE);
        assert!(shown.contains(&format!("WebSocket frame ⇄ bytes {bytes}")), "{bytes}: {shown}");
        press(&mut app, "J");
    }
}

#[test]
fn what_cannot_be_read_once_more_is_told() {
    let segments = cut_frame();
    // Nothing but a packet, cut and without TCP, in a compressed file of several.
    let mut app = browser_of(capture_of(&segments), WIDE);
    press(&mut app, "24J[[");
    let wanted = asked(&mut app).flatten().unwrap();
    let whole = answer(&segments, &wanted).remove(0);
    let odd = Carrier {
        file: Some("two\x1b.pcap".into()),
        packed: Some("zstd"),
        link: "USER0".to_owned(),
        orig_len: whole.captured + 1000,
        payload: None,
        ..whole
    };
    app.carried(Carried::Read(vec![odd], 3));
    app.settle();
    press(&mut app, "G");
    shot("packets_odd@120x36", &picture(&app, WIDE));
    press(&mut app, "]");
    assert!(picture(&app, WIDE).contains("no TCP payload was found in these packets"), "{}", picture(&app, WIDE));
    press(&mut app, "[J");
    assert!(asked(&mut app).flatten().is_some());
    app.carried(Carried::Refused("packet 9 is another one\x1b: the file has changed since it was read".to_owned()));
    app.settle();
    let refused = picture(&app, WIDE);
    assert!(refused.contains("the file has changed since it was read") && !refused.contains('\x1b'), "{refused}");
    // What comes late changes nothing.
    app.carried(Carried::Read(answer(&segments, &wanted), 0));
    app.settle();
    assert_eq!(picture(&app, WIDE), refused);
}

/// What came through a pipe is gone.
#[test]
fn a_pipe_has_no_packets() {
    let options = Options { can_reread: false, ..options() };
    let mut app = browser_with(options, &story::everything(), WIDE);
    press(&mut app, "24[");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("Bytes  Frame [Unmasked]"), "{shown}");
    assert_eq!(asked(&mut app), None);
}

/// Sequence numbers that are as far apart as can be cost nothing, and a frame that cannot be there is not found.
#[test]
fn hostile_packets_are_shown() {
    let segments = cut_frame();
    for size in SIZES {
        let mut app = browser_of(capture_of(&segments), size);
        press(&mut app, "24J[[");
        let wanted = Wanted { last: Mark::default(), ..asked(&mut app).flatten().unwrap() };
        let mut carriers = answer(&segments, &Wanted { last: Mark { packet: PacketNo(99), time: None }, ..wanted });
        for (carrier, seq) in carriers.iter_mut().zip([0, 1 << 31, (1 << 31) - 1, u32::MAX]) {
            carrier.payload.as_mut().unwrap().seq = seq;
            carrier.offset = u64::MAX;
            carrier.captured = usize::MAX;
            carrier.bytes.clear();
        }
        app.carried(Carried::Read(carriers, u64::MAX));
        app.settle();
        for (keys, there) in [("", "bytes not kept"), ("G", ""), ("<Tab>G", ""), ("]G", "in other packets, if any")] {
            press(&mut app, keys);
            let shown = picture(&app, size);
            assert!(!shown.contains("frame byte") && !shown.contains("frame ⇄"), "{keys}: {shown}");
            assert!(size.0 < 120 || shown.contains(there), "{keys}: {shown}");
        }
    }
}
