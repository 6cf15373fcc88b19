//! What it costs to decode a message and to sum it up: nanoseconds each, and how many a second that makes on one core.
//!
//!   cargo bench --bench decode

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and fails by panicking")]

use std::hint::black_box;
use std::time::Instant;
use wspect::decode::{Hints, Session, summary, write_record};
use wspect::model::{Direction, Limits, Message, Opcode};

/// What is said over and over: a name, the path, and the text; each of about 200 bytes.
const SAID: &[(&str, &str, &str)] = &[
    (
        "json",
        "/stream",
        r#"{"type":"tick","symbol":"EURUSD","bid":1.09132,"ask":1.09134,"payload":{"items":[{"id":1},{"id":2},{"id":3}]},"time":1700000000123,"venue":"lab","depth":[1,2,3,4,5,6,7,8],"flags":null}"#,
    ),
    (
        "socket.io",
        "/socket.io/?EIO=4&transport=websocket",
        r#"42["tick",{"symbol":"EURUSD","bid":1.09132,"ask":1.09134,"payload":{"items":[{"id":1},{"id":2},{"id":3}]},"time":1700000000123,"venue":"lab","depth":[1,2,3,4,5,6,7,8],"flags":null}]"#,
    ),
    (
        "json-rpc",
        "/rpc",
        r#"{"jsonrpc":"2.0","method":"tick","params":{"symbol":"EURUSD","bid":1.09132,"ask":1.09134,"payload":{"items":[{"id":1},{"id":2}]},"time":1700000000123,"venue":"lab","depth":[1,2,3,4,5,6]}}"#,
    ),
];

fn main() {
    for (name, url, text) in SAID {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let hints = Hints { path: path.to_owned(), query: query.to_owned(), ..Hints::default() };
        let mut session = Session::new(hints, None, &Limits::DEFAULT);
        let message = Message::whole(5, Direction::ToClient, Opcode::TEXT, text.as_bytes());
        let mut out = Vec::new();
        let mut time = |what: &str, each: &mut dyn FnMut(&mut Session)| {
            let rounds = 200_000;
            let best = (0..5).map(|_| {
                let begin = Instant::now();
                for _ in 0..rounds {
                    each(&mut session);
                }
                begin.elapsed().as_secs_f64() / f64::from(rounds)
            });
            let best = best.fold(f64::INFINITY, f64::min);
            println!("{name:<10} {what:<8} {:>7.0} ns {:>9.0} k/s", best * 1e9, 1e-3 / best);
        };
        time("decode", &mut |session| {
            assert_eq!(session.message(black_box(&message)).unwrap().protocol, *name);
        });
        time("summary", &mut |session| {
            black_box(summary(&session.message(black_box(&message)).unwrap()));
        });
        time("record", &mut |session| {
            out.clear();
            write_record(&session.message(black_box(&message)).unwrap(), &mut out);
            black_box(&out);
        });
    }
}
