//! What it costs to ask a filter of a message: nanoseconds each, and how many a second that makes on one core.
//!
//!   cargo bench --bench filter

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and fails by panicking")]

use std::hint::black_box;
use std::time::Instant;
use wspect::filter::{Filter, Item, Row};
use wspect::model::{
    ConnId, Connection, Direction, Endpoint, Ip, Mark, Message, Opcode, Opened, PacketNo, SessionId, Stamp,
};

const FILTERS: &[&str] = &[
    "type == text",
    "conn == 3 && dir == c2s",
    "len > 100 || rtt > 200ms",
    "ip.addr == 10.0.0.0/8 && tcp.port == 8080",
    "host == chat.example",
    "payload contains \"error\"",
    "payload matches \"err(or)?\"",
    "lower(payload) contains \"error\"",
    "json.type == error",
    "json.payload.items[*].id > 5",
];

/// As many hosts as this in one more filter: they are settled with the connection.
const HOSTS: u32 = 500;

fn main() {
    let payload = br#"{"type":"tick","symbol":"EURUSD","bid":1.09132,"ask":1.09134,"payload":{"items":[{"id":1},{"id":2},{"id":3}]},"time":1700000000123,"venue":"lab","depth":[1,2,3,4,5,6,7,8],"flags":null}"#;
    let end = |last, port| Endpoint { ip: Ip::from(std::net::Ipv4Addr::new(10, 0, 0, last)), port };
    let opened = Opened {
        client: end(1, 40_000),
        server: end(2, 8080),
        url: Some("wss://feed.example/stream?depth=8".to_owned()),
        transport: Some("http/1.1"),
        version: Default::default(),
        via: Box::default(),
        encap: Box::default(),
        encap_back: None,
        tls: None,
        encrypted: None,
        interface: None,
        ethers: None,
        session: SessionId(1),
        reconnect_of: None,
        first: Mark::default(),
    };
    let at = Mark { packet: PacketNo(12), time: None };
    let at = Stamp { conn: Some(ConnId(3)), stream: Some(7), at, ..Stamp::default() };
    let conn = Connection::new(ConnId(3), &at, &opened);
    let message = Message::whole(5, Direction::ToClient, Opcode::TEXT, payload);
    let row = Row { at: &at, origin: None, conn: Some(&conn), handshake: None, item: Item::Message(&message, &[]) };
    println!("a text of {} bytes", payload.len());
    let hosts: Vec<String> = (0..HOSTS).map(|n| format!("host == h{n}")).collect();
    let hosts = hosts.join(" || ");
    for text in FILTERS.iter().copied().chain([&*hosts]) {
        let filter = Filter::new(text).unwrap();
        let answers = filter.answers(&row);
        let rounds = 300_000;
        let best = (0..5).map(|_| {
            let begin = Instant::now();
            for _ in 0..rounds {
                black_box(match &answers {
                    Some(answers) => filter.passes_with(black_box(&row), answers),
                    None => filter.passes(black_box(&row)),
                });
            }
            begin.elapsed().as_secs_f64() / f64::from(rounds)
        });
        let seconds = best.fold(f64::MAX, f64::min);
        println!("{:>7.1} ns {:>7.1} million/s  {text:.60}", seconds * 1e9, 1e-6 / seconds);
    }
}
