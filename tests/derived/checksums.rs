//! Segments whose checksum is wrong: their receiver dropped them, unless the capturing host made the checksums wrong.

use super::support::craft::*;
use super::support::run::{Input, findings, key, messages, records};
use super::{has_no_findings, is_said, says, shown};
use serde_json::Value;

/// A server says so many messages, each its own segment, the first of which has the index that is returned.
fn saying(messages: usize) -> (Session, Vec<Segment>, usize) {
    let mut session = Session::new(1);
    for n in 0..messages {
        session.text(Server, &format!("message {n:02} {}", "x".repeat(40)));
    }
    session.fin = false;
    let segments = session.segments();
    let first = segments.iter().position(|segment| segment.payload.ends_with(b"xx")).unwrap();
    (session, segments, first)
}

fn twenty() -> (Session, Vec<Segment>, usize) {
    saying(20)
}

/// The capture of these segments, of which those with these indices have wrong checksums.
fn with_wrong(segments: &[Segment], wrong: impl Fn(usize) -> bool) -> Vec<u8> {
    let packet = |(at, segment): (usize, &Segment)| {
        Wire { bad_checksums: wrong(at), ..Wire::default() }.packet(segment, at as i64 * 100_000)
    };
    Pcap::default().file(&segments.iter().enumerate().map(packet).collect::<Vec<_>>())
}

/// The sentences of the findings about checksums.
fn told(file: &[u8]) -> Vec<String> {
    let found = findings(Input::Bytes(file)).into_iter().filter(|(code, _)| code == "TCP-CHECKSUM");
    found.map(|(_, record)| key(&record, "text").as_str().unwrap().to_owned()).collect()
}

/// Bytes that only an observer believes give way to those that the receiver got, wherever they are slipped in.
#[test]
fn what_is_slipped_in_is_not_shown() {
    let (session, segments, first) = twenty();
    for nth in 5..19 {
        let at = first + 2 * nth;
        let mut forged = segments[at].clone();
        forged.payload[2..].fill(b'!');
        let mut all = segments.clone();
        all.insert(at, forged);
        let file = with_wrong(&all, |index| index == at);
        says(&file, std::slice::from_ref(&session), "forged");
        has_no_findings(&file, super::LOSS, "forged");
        let text =
            format!("packet {} has a wrong checksum and other bytes than packet {}, which is shown", at + 1, at + 2);
        assert_eq!(told(&file), [text]);
    }
}

/// The first bytes of each direction, too: the checksums of both SYNs were right.
#[test]
fn what_is_slipped_in_at_the_beginning_is_not_shown() {
    let (session, segments, _) = twenty();
    // Behind four that were right their share counts.
    let places: Vec<usize> = (0..segments.len()).filter(|&at| !segments[at].payload.is_empty()).take(5).collect();
    for at in places {
        for copies in [1, 3, 8] {
            let mut forged = segments[at].clone();
            forged.payload[2..].fill(b'!');
            let mut all = segments.clone();
            all.splice(at..at, vec![forged; copies]);
            let file = with_wrong(&all, |index| (at..at + copies).contains(&index));
            says(&file, std::slice::from_ref(&session), "forged");
            has_no_findings(&file, super::LOSS, "forged");
            assert_eq!(told(&file).len(), copies, "{copies} at {at}");
        }
    }
}

/// A request that the capturing host has joined from several segments is longer than any that its receiver takes.
#[test]
fn a_long_request_with_a_wrong_checksum_is_none_that_was_slipped_in() {
    let mut session = Session::bare(1);
    session.turn(Client, request("/", &format!("Cookie: {}\r\n", "c".repeat(3000)))).turn(Server, response(""));
    session.text(Server, "hello").text(Client, "hello").close();
    let segments = session.segments();
    let long = |at: usize| segments[at].payload.len() > 536;
    let file = with_wrong(&segments, long);
    says(&file, std::slice::from_ref(&session), "joined");
    assert!(told(&file).is_empty(), "{:?}", told(&file));
    let row = &records("ls", Input::Bytes(&file))[0];
    let right = with_wrong(&segments, |_| false);
    assert_eq!(key(row, "packet"), key(&records("ls", Input::Bytes(&right))[0], "packet"), "it is not held back");
}

/// A copy that is only damaged in its checksum, and sent again, is nothing to talk about.
#[test]
fn what_is_sent_again_is_shown_once() {
    let (session, segments, first) = twenty();
    let at = first + 2 * 8;
    let mut all = segments.clone();
    all.insert(at + 3, segments[at].clone());
    let file = with_wrong(&all, |index| index == at);
    says(&file, std::slice::from_ref(&session), "sent again");
    assert!(told(&file).is_empty());
}

/// No checksum drops a byte for good: without another copy it is used, where the hole would be, and marked.
#[test]
fn what_comes_only_once_is_used() {
    let (session, segments, first) = twenty();
    let at = first + 2 * 8;
    let file = with_wrong(&segments, |index| index == at);
    says(&file, std::slice::from_ref(&session), "one wrong checksum");
    assert_eq!(
        told(&file),
        [format!("packet {} has a wrong checksum; its bytes are shown, since no other copy came", at + 1)]
    );
    let marked: Vec<_> = messages(Input::Bytes(&file)).into_iter().filter(|m| !m.findings.is_empty()).collect();
    assert_eq!(marked.iter().map(|message| message.number).collect::<Vec<_>>(), [9]);
    assert_eq!(marked[0].findings, ["TCP-CHECKSUM"]);
}

/// A FIN or RST that its receiver dropped ends nothing while its sender goes on, and the connection where it does not.
#[test]
fn an_end_that_is_slipped_in_ends_nothing() {
    let (session, segments, first) = twenty();
    let at = first + 2 * 8;
    for (flag, name) in [(RST, "RST"), (FIN, "FIN")] {
        let forged = Segment { flags: flag | ACK, payload: vec![], ..segments[at].clone() };
        for (last, closed_by) in [(false, Value::Null), (true, name.to_lowercase().into())] {
            let mut all = segments.clone();
            all.insert(at, forged.clone());
            if last {
                all.truncate(at + 1);
            }
            let file = with_wrong(&all, |index| index == at);
            let row = &records("ls", Input::Bytes(&file))[0];
            assert_eq!(*key(row, "closed_by"), closed_by, "{name}, last: {last}");
            let text = format!("packet {} has a wrong checksum; its {name} ends nothing if the sender goes on", at + 1);
            assert_eq!(told(&file), [text]);
            if !last {
                says(&file, std::slice::from_ref(&session), name);
            }
        }
    }
}

/// Where checksums are wrong because the capturing host fills them in later, or joins segments, they say nothing.
#[test]
fn wrong_checksums_of_a_host_that_offloads_say_nothing() {
    let (session, segments, first) = twenty();
    let packets =
        |file: &[u8]| shown(file).values().next().unwrap().of("s2c").iter().map(|m| m.packet).collect::<Vec<_>>();
    let right = packets(&with_wrong(&segments, |_| false));
    for (every, what) in [(1, "all"), (2, "one in two"), (3, "one in three")] {
        let is_wrong = |at: usize| every == 1 || at >= first && ((at - first) / 2).is_multiple_of(every);
        let file = with_wrong(&segments, is_wrong);
        says(&file, std::slice::from_ref(&session), what);
        assert!(told(&file).is_empty(), "{what}");
        if every == 1 {
            assert_eq!(packets(&file), right, "{what}");
        }
    }
}

/// Neither do those of segments that the snap length cut.
#[test]
fn what_is_cut_cannot_be_judged() {
    let (session, segments, first) = twenty();
    let at = first + 2 * 8;
    let mut packets = read(&with_wrong(&segments, |index| index == at));
    let len = packets[at].bytes.len() - 3;
    packets[at] = packets[at].clone().snapped(len);
    let file = Pcap::default().file(&packets);
    assert!(told(&file).is_empty());
    let all = shown(&file);
    let messages = all.values().next().unwrap().of("s2c");
    let said: Vec<_> = session.said.iter().collect();
    assert!(messages.iter().zip(said).filter(|(message, said)| is_said(message, said)).count() == 19);
}

/// A host that begins to leave checksums to its network card after many right ones: nothing is doubted any more, nor held back.
#[test]
fn a_host_that_begins_to_offload_is_found_out() {
    let (session, segments, first) = saying(60);
    let file = with_wrong(&segments, |at| at >= first + 2 * 40);
    says(&file, std::slice::from_ref(&session), "forty right ones");
    assert!(told(&file).is_empty(), "{:?}", told(&file));
    let all = shown(&file);
    let messages = all.values().next().unwrap().of("s2c");
    let held = messages.iter().filter(|message| message.packet > message.first_packet).count();
    assert!((1..6).contains(&held), "{held} are held back");
}

/// Of what is set aside every byte is used that no other segment brings.
#[test]
fn what_is_set_aside_is_used_in_parts() {
    let (session, segments, first) = twenty();
    let at = first + 2 * 8;
    let whole = &segments[at];
    let mut all = segments.clone();
    all.insert(at + 1, whole.part(20, 30));
    let file = with_wrong(&all, |index| index == at);
    says(&file, std::slice::from_ref(&session), "a part of it is right");
    // At the end of the capture two that overlap.
    let mut all = segments[..at].to_vec();
    all.extend([whole.part(0, 30), whole.part(20, whole.payload.len())]);
    let file = with_wrong(&all, |index| index >= at);
    let shown = shown(&file);
    let said: Vec<_> = session.said[..9].iter().collect();
    let messages = shown.values().next().unwrap().of("s2c");
    assert!(messages.len() == 9 && messages.iter().zip(said).all(|(message, said)| is_said(message, said)));
}

/// Data with a wrong checksum that end the stream do so when nothing follows.
#[test]
fn data_that_are_set_aside_may_be_the_last() {
    let (session, mut segments, first) = twenty();
    segments.truncate(first + 2 * 19 + 1);
    segments.last_mut().unwrap().flags |= FIN;
    let last = segments.len() - 1;
    for wrong in [false, true] {
        let file = with_wrong(&segments, |at| wrong && at == last);
        assert_eq!(*key(&records("ls", Input::Bytes(&file))[0], "closed_by"), "fin", "wrong: {wrong}");
        says(&file, std::slice::from_ref(&session), "the last");
    }
}
