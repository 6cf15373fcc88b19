use super::super::{Clock, Style, Table, TimeMode};
use super::*;
use crate::model::{Body, Mark, PacketNo, Span};

/// A message to the server, at this second.
fn message(number: u64, opcode: Opcode, bytes: &[u8], second: i64) -> Message<'_> {
    let mark = Mark { packet: PacketNo(number), time: Some(Timestamp::from_nanos(second * 1_000_000_000)) };
    Message {
        number,
        dir: Direction::ToServer,
        opcode,
        frames: 1,
        compressed: false,
        undecoded: false,
        wire_len: bytes.len() as u64,
        body: Body { kept: bytes, len: bytes.len() as u64, holes: &[] },
        wire: &[],
        complete: true,
        inferred: false,
        utf8: true,
        close: None,
        rtt: None,
        waited: None,
        span: Span { first: mark, last: mark },
        brought: mark,
        findings: crate::model::NoteSet::EMPTY,
        decoded: None,
        state: None,
    }
}

fn table() -> Box<dyn Form> {
    let clock = Clock::new(TimeMode::Epoch, None);
    Box::new(Table::new(clock, PayloadOptions::default(), Style::default()))
}

/// What is written of these texts: each with its connection and second.
fn told(wanted: Wanted, most: usize, said: &[(u32, i64, &str)]) -> String {
    let mut types = Types::new(wanted, most, table());
    let mut out = Out::memory();
    for (at, (conn, second, text)) in said.iter().enumerate() {
        let message = message(at as u64 + 1, Opcode::TEXT, text.as_bytes(), *second);
        let stamp = Stamp { conn: Some(ConnId(*conn)), at: message.brought, ..Stamp::default() };
        assert!(types.event(&stamp, Event::Message(&message), &mut out).is_continue());
    }
    types.finish(&Totals::default(), &mut out);
    String::from_utf8(out.take()).unwrap()
}

#[test]
fn the_first_of_each_type_is_a_finding_and_no_other() {
    let said = [(1, 10, "a 1"), (2, 11, "b 2"), (2, 12, "x=3"), (1, 13, "x=4")];
    let of = |wanted| {
        let told = told(wanted, 9, &said);
        told.lines()
            .map(|line| line.split_whitespace().skip(1).take(5).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let since = |second: i64| Wanted::New(Some(Timestamp::from_nanos(second * 1_000_000_000)));
    let (first, second) = ("TYPE-NEW conn 1 frame 1", "TYPE-NEW conn 2 frame 3");
    assert_eq!(of(Wanted::New(None)), [first, second]);
    // What was said before is not new, whoever says it now.
    assert_eq!(of(since(11)), [second]);
    assert_eq!(of(since(13)), [""; 0]);
}

#[test]
fn more_types_than_are_told_apart_are_counted_as_one() {
    let texts: Vec<String> = (0..100).map(|n| format!("{}=1", "k".repeat(n % 16 + 1))).collect();
    let said: Vec<(u32, i64, &str)> = texts.iter().map(|text| (1, 1, text.as_str())).collect();
    let all = told(Wanted::All, 4, &said);
    let counts: Vec<&str> =
        all.lines().skip(1).step_by(2).map(|line| line.trim().split("  ").next().unwrap()).collect();
    assert_eq!(counts, ["7", "7", "7", "7", "72"], "{all}");
    assert!(all.contains("more types than are told apart"), "{all}");
    let new = told(Wanted::New(None), 4, &said);
    assert_eq!(new.lines().count(), 5, "{new}");
    assert!(new.contains("more than 4 types"), "{new}");
}

#[test]
fn what_a_type_keeps_is_short() {
    let event = "e".repeat(10_000);
    let shown = told(Wanted::All, 4, &[(1, 1, &event), (1, 1, &"[1,".repeat(10_000))]);
    assert!(shown.len() < 2000, "{}", shown.len());
    let mut types = Types::new(Wanted::All, 4, table());
    let mut out = Out::memory();
    for len in 0..4 * SIZES {
        let bytes = vec![0; 2048 + len];
        let message = message(1, Opcode::BINARY, &bytes, 1);
        let _ = types.event(&Stamp::default(), Event::Message(&message), &mut out);
    }
    types.finish(&Totals::default(), &mut out);
    let shown = String::from_utf8(out.take()).unwrap();
    // 2048 to 4095, of which half are at most 3071; nearly, since only 512 are kept apart.
    let row: Vec<&str> = shown.lines().nth(1).unwrap().split("  ").map(str::trim).collect();
    let median: i64 = row[3].replace(' ', "").parse().unwrap();
    assert!((3040..=3072).contains(&median) && row.contains(&"4 095"), "{row:?}");
}
