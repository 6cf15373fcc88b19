//! One lost segment in short conversations, whichever way their writes fill the segments.

use super::resync::{Score, Sent, lose_one, sent};
use super::support::Dice;
use super::support::craft::*;
use std::ops::Range;

/// What conversations are made of: documents, prose, short ticks, binary records with a regular beginning, bytes with none,
/// and all of them with pings.
const KINDS: [&str; 6] = ["documents", "prose", "ticks", "records", "noise", "mixed"];

/// How a sender's frames come into segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writes {
    /// Each in its own.
    Aligned,
    /// What is written in a row may go out in one piece.
    Coalesced,
    /// As many bytes in each as fit.
    Filled,
}

/// A message of that kind: its opcode and payload.
fn message(kind: &str, nth: usize, dice: &mut Dice) -> (u8, Vec<u8>) {
    const WORDS: [&str; 8] = ["over", "the", "river", "größer", "and", "through", "woods", "naïve"];
    match kind {
        "documents" => {
            let (id, price, note) = (dice.below(1_000_000), dice.below(90_000), "x".repeat(dice.below(120)));
            (TEXT, format!(r#"{{"type":"update","id":{id},"price":{price}.25,"note":"{note}"}}"#).into_bytes())
        }
        "prose" => {
            let words: Vec<&str> = (0..2 + dice.below(30)).map(|_| WORDS[dice.below(WORDS.len())]).collect();
            (TEXT, words.join(" ").into_bytes())
        }
        "ticks" => (TEXT, format!(r#"["t",{nth},{}.{:02}]"#, dice.below(900), dice.below(100)).into_bytes()),
        "records" => {
            let begin = [1 + dice.below(3) as u8, 0, (nth >> 8) as u8, nth as u8];
            let len = 8 + dice.below(24);
            (BINARY, [begin.to_vec(), dice.bytes(len)].concat())
        }
        "noise" => {
            let len = 4 + dice.below(60);
            (BINARY, dice.bytes(len))
        }
        _ => match dice.below(6) {
            0 => (PING, format!("{:04x}", dice.below(1 << 16)).into_bytes()),
            1 => message("noise", nth, dice),
            2 => message("records", nth, dice),
            3 => message("prose", nth, dice),
            _ => message("documents", nth, dice),
        },
    }
}

/// A short conversation in which `side` says most, with its writes as segments, and the frames that were sent.
fn talk(kind: &str, side: Side, writes: Writes, n: usize, dice: &mut Dice) -> (Session, Vec<Segment>, Vec<Sent>) {
    let mut session = Session::new(n);
    for nth in 0..10 + dice.below(51) {
        let (opcode, payload) = message(kind, nth, dice);
        session.say(side, opcode, payload);
        // What fills its segments is not answered in between.
        if dice.below(6) == 0 && writes != Writes::Filled {
            session.text(if side == Client { Server } else { Client }, "got it");
        }
    }
    let truth = sent(&session);
    let said = session.turns.split_off(2);
    for (side, bytes) in said {
        match session.turns.get_mut(2..).and_then(<[_]>::last_mut) {
            Some((last, before))
                if *last == side && (writes == Writes::Filled || writes == Writes::Coalesced && dice.below(2) == 0) =>
            {
                before.extend(bytes);
            }
            _ => session.turns.push((side, bytes)),
        }
    }
    let size = [300, 536, 1448][dice.below(3)];
    let segments = session.cut(|_| vec![size]);
    (session, segments, truth)
}

/// Captures of this kind, each without one segment of `side`, whatever is in it.
fn score(kind: &str, side: Side, writes: Writes, captures: usize) -> Score {
    let mut dice = Dice(kind.len() as u64 * 31 + side as u64);
    let mut score = Score::default();
    for n in 0..captures {
        let (session, segments, truth) = talk(kind, side, writes, n, &mut dice);
        let head = session.turns.iter().find(|(from, _)| *from == side).map_or(0, |(_, bytes)| bytes.len()) as u64;
        let may = |from, place: &Range<u64>| from == side && !place.is_empty() && place.start >= head;
        score.add(lose_one(&session, segments, &truth, &mut dice, may));
    }
    score
}

/// Any one segment is lost. What has hardly a mark of its own is found less often where it fills the segments: a few binary
/// frames can be read in many ways.
#[test]
fn frames_are_found_again_in_short_conversations() {
    let mut total = Score::default();
    for kind in KINDS {
        for side in [Server, Client] {
            for writes in [Writes::Aligned, Writes::Coalesced, Writes::Filled] {
                let score = score(kind, side, writes, 150);
                let what = format!("{kind:>10} {side:?} {writes:?}");
                eprintln!("{what}: {score}");
                total.add(score);
                let least = match kind {
                    "records" | "noise" if writes == Writes::Filled => 75,
                    "mixed" if writes == Writes::Filled => 90,
                    _ => 95,
                };
                score.finds(least, &what);
            }
        }
    }
    eprintln!("total: {total}");
    total.holds("short conversations");
}
