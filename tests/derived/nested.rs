//! Payloads that are themselves pieces of other WebSockets' streams: behind a lost head, their frames are not taken for those
//! around them.

use super::resync::{Score, lose_one, sent};
use super::support::Dice;
use super::support::craft::*;
use std::ops::Range;

/// What a server relays of other connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inner {
    /// Whole frames of servers.
    Frames,
    /// As many bytes of a server's stream as there were, wherever they begin and end.
    Pieces,
    /// The same, behind a time and a length.
    Stamped,
    /// Pieces of both directions of a connection.
    Both,
}

/// Frames that another server, or its client, sent.
fn stream(inner: Inner, dice: &mut Dice) -> Vec<u8> {
    let mut out = Vec::new();
    for n in 0..400 {
        let text = format!(r#"{{"seq":{n},"note":"{}"}}"#, "ab ".repeat(dice.below(16)));
        let frame = match dice.below(8) {
            0 => Frame::new(BINARY, dice.bytes(20)),
            _ => Frame::new(TEXT, text),
        };
        let is_masked = inner == Inner::Both && dice.below(2) == 0;
        out.push(if is_masked { frame.masked([7, 1, 8, n as u8]).bytes() } else { frame.bytes() });
    }
    if inner == Inner::Frames {
        let from = dice.below(300);
        return out[from..from + 3 + dice.below(20)].concat();
    }
    let all = out.concat();
    let (from, len) = (dice.below(all.len() / 2), 100 + dice.below(1200));
    let piece = all[from..(from + len).min(all.len())].to_vec();
    if inner == Inner::Stamped { [vec![0, 0, 1, 0x92, 0, 0, len as u8, 0], piece].concat() } else { piece }
}

/// Captures of such a server, each without one segment.
fn score(inner: Inner, filled: bool, captures: usize) -> Score {
    let mut dice = Dice(inner as u64 * 2 + u64::from(filled) + 40);
    let mut score = Score::default();
    for n in 0..captures {
        let mut session = Session::new(n);
        for _ in 0..10 + dice.below(31) {
            let payload = stream(inner, &mut dice);
            session.binary(Server, payload);
        }
        let truth = sent(&session);
        if filled {
            let said = session.turns.split_off(2);
            session.turns.push((Server, said.into_iter().flat_map(|(_, bytes)| bytes).collect()));
        }
        let size = [300, 536, 1448][dice.below(3)];
        let segments = session.cut(|_| vec![size]);
        let head = session.turns[1].1.len() as u64;
        let may = |side, place: &Range<u64>| side == Server && !place.is_empty() && place.start >= head;
        score.add(lose_one(&session, segments, &truth, &mut dice, may));
    }
    score
}

/// Where nothing tells them apart, nothing is believed.
#[test]
fn what_is_relayed_is_not_taken_for_what_relays_it() {
    let mut total = Score::default();
    for inner in [Inner::Frames, Inner::Pieces, Inner::Stamped, Inner::Both] {
        for filled in [false, true] {
            let score = score(inner, filled, 200);
            let what = format!("{inner:?} {}", if filled { "filled" } else { "aligned" });
            eprintln!("{what}: {score}");
            score.finds(if filled { 80 } else { 95 }, &what);
            total.add(score);
        }
    }
    assert_eq!(total.wrong, 0, "{total}");
}
