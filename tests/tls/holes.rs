//! What stands behind a hole: its number and its keys are found again.

use crate::seen::{Seen, dissect, dissect_with};
use crate::support::craft::*;
use wspect::dissect::Settings;
use wspect::model::{Limits, WhyNot};

/// Loses the segment that has this payload.
fn lose(segments: &mut Vec<Segment>, payload: &[u8]) {
    let at = segments.iter().position(|segment| segment.payload == payload).unwrap();
    segments.remove(at);
}

/// A server that says something, then what `lost` makes, which is lost, then forty messages: what is shown of it.
fn behind(lost: impl FnOnce(&mut Tls)) -> Seen {
    let mut tls = Tls::around(1, Session::new(1).text(Server, "first"));
    let all = tls.session.turns.len();
    lost(&mut tls);
    let lost: Vec<u8> = tls.session.turns.drain(all..).flat_map(|(_, bytes)| bytes).collect();
    tls.session.turn(Server, lost);
    for n in 0..40 {
        tls.data(Server, &Frame::new(TEXT, format!("later {n}")).bytes());
    }
    let mut segments = tls.session.segments();
    lose(&mut segments, &tls.session.turns[all].1);
    dissect(&capture_of(&segments), &tls.log())
}

/// How many of the forty are shown.
fn later(shown: &Seen) -> usize {
    shown.messages().filter(|message| message.payload.starts_with(b"later")).count()
}

/// Changes of keys that were lost together.
#[test]
fn keys_that_were_changed_in_a_hole_are_found() {
    for updates in [1, 3, 12] {
        let shown = behind(|tls| (0..updates).for_each(|_| _ = tls.update(Server)));
        assert_eq!(later(&shown), 40, "{updates}: {:?}", shown.notes);
        assert_eq!((shown.count("TLS-GAP"), shown.count("TLS-BAD-TAG")), (1, 0), "{updates}: {:?}", shown.notes);
    }
}

/// No more changes are tried than the limit says, also where the keys of the handshake may be needed, too.
#[test]
fn changes_of_keys_are_tried_up_to_a_limit() {
    for (updates, is_found) in [(0, true), (2, true), (3, false)] {
        let mut tls = Tls::bare(1);
        tls.hellos(&[]).flight("http/1.1");
        (0..updates).for_each(|_| _ = tls.update(Server));
        let lost: Vec<u8> = tls.session.turns.drain(2..).flat_map(|(_, bytes)| bytes).collect();
        tls.session.turn(Server, lost.clone());
        tls.data(Server, b"of the application");
        let mut segments = tls.session.segments();
        lose(&mut segments, &lost);
        let limits = Limits { try_updates: 2, ..Limits::DEFAULT };
        let shown = dissect_with(&capture_of(&segments), &tls.log(), Settings { limits, ..Settings::default() });
        assert_eq!(shown.sessions[0].1.decrypted > 0, is_found, "{updates}: {:?}", shown.notes);
    }
}

/// As many records were lost in one hole as have room in it.
#[test]
fn what_comes_behind_a_hole_of_many_records_is_read() {
    for records in [10, 1000, 90_000] {
        let shown = behind(|tls| _ = tls.unseen(Server, records, 25 * records as usize));
        assert_eq!(later(&shown), 40, "{records}: {:?}", shown.notes);
    }
}

/// Nothing opens behind a hole, since no key fits: that is a gap, and why not all is shown.
#[test]
fn what_never_opens_behind_a_hole_is_a_gap() {
    let shown = behind(|tls| {
        tls.session.turn(Server, vec![0; 100]);
        tls.keys(Server, "another key");
    });
    assert_eq!((later(&shown), shown.sessions[0].1.why_not), (0, Some(WhyNot::Gap)));
    assert!(shown.notes.iter().any(|note| note.0 == "TCP-GAP"), "{:?}", shown.notes);
}

/// Where records are padded it is not known how many bytes a lost one carried: the records behind it tell where frames begin, even
/// if only one comes.
#[test]
fn frames_that_fill_the_records_behind_a_hole_are_read() {
    let noise = |n: usize, len: usize| (0..len).map(|at| (at * at * 7 + n * 31) as u8).collect::<Vec<_>>();
    for side in [Client, Server] {
        for last in 1..4 {
            let mut session = Session::new(1);
            session.binary(side, noise(0, 5)).binary(side, noise(1, 104)).binary(side, noise(2, 30));
            (0..last).for_each(|n| _ = session.binary(side, noise(3 + n, 1500 - 300 * n)));
            let mut tls = Tls::bare(1);
            tls.padding = 20;
            tls.hellos(&[]).flight("http/1.1").finish(Client);
            session.turns.iter().for_each(|(side, bytes)| _ = tls.data(*side, bytes));
            let mut segments = tls.session.segments();
            let lost = tls.session.turns.len() - last - 1;
            lose(&mut segments, &tls.session.turns[lost].1);
            let shown = dissect(&capture_of(&segments), &tls.log());
            let said: Vec<Vec<u8>> = shown.messages().map(|message| message.payload.clone()).collect();
            let expected: Vec<_> = session.said.iter().map(|said| said.payload.clone()).collect();
            let left: Vec<_> =
                expected.iter().enumerate().filter(|(n, _)| *n != 2).map(|(_, said)| said.clone()).collect();
            assert_eq!(said, left, "{side:?}, {last} behind: {:?}", shown.notes);
        }
    }
}

/// The last record behind a lost one is a frame, however short, where all before began with one: nothing else would stand there.
#[test]
fn a_lone_last_frame_behind_a_hole_is_read() {
    let frame = |side, opcode, payload: &[u8]| {
        let mut session = Session::bare(1);
        session.say(side, opcode, payload).turns.remove(0).1
    };
    let last = |side, opcode: u8, payload: Vec<u8>, aligned: bool| {
        let mut inside = Session::new(1);
        (0..5).for_each(|n| _ = inside.text(Client, &format!("hello {n}")).text(Server, &format!("world {n}")));
        let mut tls = Tls::around(1, &inside);
        if !aligned {
            for side in [Client, Server] {
                frame(side, TEXT, b"in two records").chunks(11).for_each(|part| _ = tls.data(side, part));
            }
        }
        let lost = tls.session.turns.len();
        tls.data(side, &frame(side, TEXT, b"lost one")).data(side, &frame(side, opcode, &payload));
        let mut segments = tls.session.segments();
        lose(&mut segments, &tls.session.turns[lost].1);
        dissect(&capture_of(&segments), &tls.log())
    };
    for side in [Client, Server] {
        for (opcode, byte) in [(TEXT, b'k'), (BINARY, 0xa7)] {
            for len in [1, 2, 4, 8, 60, 125] {
                let payload = vec![byte; len];
                let seen = last(side, opcode, payload.clone(), true);
                let shown = seen.messages().last().map(|message| &message.payload);
                assert_eq!(shown, Some(&payload), "{side:?} {opcode}: {:?}", seen.notes);
            }
        }
        let seen = last(side, BINARY, vec![0xa7; 4], false);
        assert_eq!(seen.messages().count(), 12, "{side:?}: {:?}", seen.notes);
    }
}
