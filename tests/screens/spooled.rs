//! A book whose rows are in a file shows what one shows that has them in memory.

use super::*;
use story::{Odd, endpoint};
use wspect::book::{Book, MessageId};
use wspect::model::{
    ConnId, DataFrame, Direction, End, Envelope, Hole, NoteCode, Opcode, PacketNo, Severity, Sink, Stamp, Wait,
    WaitCause,
};

/// Rows of every kind are in the file, but for the last few of each.
const NO_MEMORY: Limits = Limits { index_bytes: 0, ..Limits::DEFAULT };

/// Two conversations, word by word, with everything that is unusual.
fn long() -> Story {
    let mut story = Story::new();
    let conns = [1, 2].map(|last| {
        let conn = story.open(Some("ws://long.example/"), endpoint(last, 5000), endpoint(9, 80), last.into());
        story.upgrade(conn, 101, story::REQUEST, story::RESPONSE);
        conn
    });
    let mut asked = [None; 2];
    for n in 0..1200_usize {
        let at = n * n % 7 % 2;
        let conn = conns[at];
        let mut dir = if n % 3 == 0 { Direction::ToServer } else { Direction::ToClient };
        let odd = match n % 8 {
            1 => Odd { fragments: n % 5, ..Odd::default() },
            2 => Odd { compressed: true, wire_len: Some(7), wire: Some(vec![0xf2; 7]), ..Odd::default() },
            3 => Odd { rtt: Some(n as i64 * 1000), ..Odd::default() },
            4 => Odd {
                holes: vec![Hole { offset: 3, len: Some(n as u64) }, Hole { offset: 9000, len: None }],
                findings: vec![NoteCode::TcpGap],
                ..Odd::default()
            },
            5 => Odd {
                waited: Some(Wait { nanos: 7_000_000, cause: WaitCause::Window, packet: PacketNo(n as u64), of: None }),
                ..Odd::default()
            },
            _ => Odd::default(),
        };
        let opcode = if n % 8 == 3 { Opcode::PONG } else { Opcode::TEXT };
        let mut words = format!("{{\"word\":{n},\"more\":\"{}\"}}", "x".repeat(n % 90));
        if n % 8 == 6 && n % 5 > 0 {
            (dir, words) = (Direction::ToServer, format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"m{}"}}"#, n % 6));
            asked[at] = Some(n);
        } else if let Some(id) = asked[at].take_if(|_| n % 8 == 7) {
            (dir, words) = (Direction::ToClient, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{n}}}"#));
        }
        let number = story.wait(1000 + n as i64 % 50).say_oddly(conn, dir, opcode, words.as_bytes(), &odd);
        if n % 8 == 4 {
            story.note(conn, NoteCode::TcpGap, Some(dir), Some(number), "Bytes were never captured.");
        }
    }
    story.close(conns[0], Direction::ToClient, End::Fin);
    story
}

/// A way through the browser: pictures are compared after each step.
const WAY: [&str; 40] = [
    "j",
    "G",
    "<Enter>",
    "G",
    "k",
    "J",
    "K",
    "g",
    "d",
    "d",
    "d",
    "p",
    "p",
    "s",
    "s",
    "S",
    "s",
    "/77<Enter>",
    "n",
    "N",
    "e",
    "4",
    "]",
    "]",
    "q",
    "5",
    "s",
    "]",
    "6",
    "<Enter>",
    "1<Enter>F",
    "F",
    "F",
    "r",
    ":600<Enter>",
    "}",
    "&word\":10<Enter>",
    "<Enter>",
    "fframe.number > 900 && len > 60<Enter>",
    "5",
];

/// Every picture on a way through the browser, and the way through one without memory.
fn compare(limits: Limits, fill: impl Fn(&mut App), size: (u16, u16)) {
    let [mut large, mut small] = [Limits::DEFAULT, limits].map(|limits| {
        let mut app = App::new(Options { limits, ..options() }, size);
        fill(&mut app);
        app.settle();
        app
    });
    for (nth, keys) in WAY.iter().enumerate() {
        press(&mut large, keys);
        press(&mut small, keys);
        assert_eq!(picture(&large, size), picture(&small, size), "after {keys}, step {nth}");
    }
}

fn tell(app: &mut App, story: &Story) {
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.take(Loading::Done(Outcome { progress: progress(story, 412_000_000), ..Outcome::default() }), Duration::ZERO);
}

#[test]
fn the_same_is_shown_without_memory() {
    let story = long();
    for size in [WIDE, NARROW] {
        compare(NO_MEMORY, |app| tell(app, &story), size);
    }
    // Some blocks in memory, the others not.
    compare(Limits { index_bytes: 20_000, ..NO_MEMORY }, |app| tell(app, &story), WIDE);
}

/// Every row of the one is in the other, of messages and of their frames.
fn compare_rows(limits: Limits, fill: impl Fn(&mut Book)) {
    let [mut large, mut small] = [Limits::DEFAULT, limits].map(|limits| {
        let mut book = Book::new(&limits);
        fill(&mut book);
        book
    });
    assert_eq!((large.messages(), large.connections()), (small.messages(), small.connections()));
    assert_eq!((small.beyond(), small.rows_failure(), small.store_failure()), (0, None, None));
    for conn in 0..large.connections() {
        let ids: Vec<_> = large.messages_of(conn).iter().collect();
        assert_eq!(ids, small.messages_of(conn).iter().collect::<Vec<_>>());
        let has_problem = |id: &MessageId| large.severity(*id) >= Some(Severity::Warning);
        let problems: Vec<_> = ids.iter().copied().filter(has_problem).collect();
        assert_eq!(large.problems_of(conn).iter().collect::<Vec<_>>(), problems);
        assert_eq!(small.problems_of(conn).iter().collect::<Vec<_>>(), problems);
        let last = *ids.last().unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(60);
        assert!(large.hear(last, until) && small.hear(last, until));
        let gists: Vec<_> = ids.iter().map(|&id| large.gist(id)).collect();
        assert_eq!(gists, ids.iter().map(|&id| small.gist(id)).collect::<Vec<_>>());
        assert!(gists.iter().flatten().filter(|gist| gist.related.is_some()).count() > 20);
        // Also in an order in which nothing is at hand.
        for (nth, &id) in ids.iter().rev().enumerate() {
            let rows = [large.message(id).unwrap(), small.message(id).unwrap()];
            assert_eq!(format!("{:?}", rows[0]), format!("{:?}", rows[1]));
            assert_eq!((large.kind(id), large.severity(id)), (small.kind(id), small.severity(id)));
            assert_eq!(large.payload(&rows[0], 0, 1 << 20), small.payload(&rows[1], 0, 1 << 20));
            let frames = large.frames(rows[0].frame_rows.clone()).collect::<Vec<_>>();
            assert_eq!(frames, small.frames(rows[1].frame_rows.clone()).collect::<Vec<_>>());
            let packet = rows[0].last.packet;
            assert_eq!(large.message_at(conn, packet), small.message_at(conn, packet));
            assert_eq!(small.messages_of(conn).place(id), Ok(ids.len() - 1 - nth));
        }
    }
}

#[test]
fn every_row_is_the_same() {
    let story = long();
    let tell = |book: &mut Book| story.batches().into_iter().for_each(|batch| book.absorb(batch));
    compare_rows(NO_MEMORY, tell);
    compare_rows(Limits { index_bytes: 20_000, ..NO_MEMORY }, tell);
}

/// Records of TLS, and DATA frames of HTTP/2.
#[test]
fn every_record_is_the_same() {
    let story = long();
    let record = |n: u32| {
        let data = DataFrame { head: *b"nine bite", record: n.is_multiple_of(3).then_some(n.into()) };
        let (dir, data) =
            if n.is_multiple_of(2) { (Direction::ToServer, None) } else { (Direction::ToClient, Some(data)) };
        Envelope { dir, number: n.into(), wire_len: 40, brought: n, offset: u64::from(n) / 4 * 20, len: 20, data }
    };
    let [large, small] = [Limits::DEFAULT, NO_MEMORY].map(|limits| {
        let mut book = Book::new(&limits);
        story.batches().into_iter().for_each(|batch| book.absorb(batch));
        let mut recorder = Recorder::new(|batch| {
            book.absorb(batch);
            ControlFlow::Continue(())
        });
        for n in 0..2000 {
            let at = Stamp { conn: Some(ConnId(n / 2 % 2 + 1)), ..Stamp::default() };
            let whole = record(n);
            // A record is told in parts.
            let begin = Envelope { len: if whole.data.is_some() { 20 } else { 13 }, ..whole };
            let end = Envelope { offset: whole.offset + 13, len: 7, ..whole };
            for part in [begin, end].iter().take(if whole.data.is_some() { 1 } else { 2 }) {
                assert!(recorder.accept(&at, wspect::model::Event::Record(part)).is_continue());
            }
        }
        assert!(recorder.flush().is_continue());
        drop(recorder);
        book
    });
    for range in [0..1, 0..20, 19..21, 777..3001, 0..u64::MAX, 9_990..20_000, 10_000..10_001] {
        for (conn, dir) in [(0, Direction::ToServer), (0, Direction::ToClient), (1, Direction::ToClient)] {
            let all = (0..2000).filter(|n| n / 2 % 2 == conn as u32).map(record);
            let there: Vec<_> = all
                .filter(|record| record.dir == dir && record.end() > range.start && record.offset < range.end)
                .collect();
            for book in [&large, &small] {
                let (records, data) = (book.records(conn, dir, &range), book.data_frames(conn, dir, &range));
                let (found, others) = if dir == Direction::ToServer { (records, data) } else { (data, records) };
                assert_eq!((found, others), (there.clone(), Vec::new()), "{conn} {dir:?} {range:?}");
            }
        }
    }
}

/// What the file cannot hold is counted, and said; what came before is all there.
#[test]
fn a_full_file_is_told() {
    let story = long();
    let limits = Limits { index_file: 30_000, ..NO_MEMORY };
    let mut app = App::new(Options { limits, ..options() }, WIDE);
    tell(&mut app, &story);
    app.settle();
    let shown = picture(&app, WIDE);
    assert!(shown.contains("1 200 messages"), "{shown}");
    let told = shown.lines().find(|line| line.contains("messages not listed: temporary file full")).expect(&shown);
    let beyond: usize = told.split("! ").nth(1).unwrap().split(" messages").next().unwrap().parse().unwrap();
    assert!((100..1200).contains(&beyond), "{told}");
    press(&mut app, "<Enter>G");
    assert!(picture(&app, WIDE).contains("{\"word\":"), "{}", picture(&app, WIDE));
}
