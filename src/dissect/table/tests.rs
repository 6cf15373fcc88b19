use super::*;
use crate::model::{ConnId, Direction, EncapId, Endpoint, Event, Stamp, Timestamp};
use std::net::Ipv4Addr;
use std::ops::ControlFlow;

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The streams whose connections were told of.
#[derive(Default)]
struct Told(Vec<(ConnId, u32)>);

impl Sink for Told {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let (Event::Opened(_), Some(conn), Some(stream)) = (event, at.conn, at.stream) {
            self.0.push((conn, stream));
        }
        ControlFlow::Continue(())
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new(DecodeAs::default(), &Limits::DEFAULT)
    }
}

/// A table under test; every stream has the same server, and its own client port.
struct Bench {
    table: Table,
    tools: Tools,
    told: Told,
    limits: Limits,
    packets: u64,
}

impl Default for Bench {
    fn default() -> Self {
        let (tools, told, limits) = (Tools::default(), Told::default(), Limits::default());
        Self { table: Table::default(), tools, told, limits, packets: 0 }
    }
}

impl Bench {
    fn with(limits: Limits) -> Self {
        Self { table: Table::new(DecodeAs::default(), &limits), limits, ..Self::default() }
    }

    /// What is said of streams that were not kept.
    fn notes(&self) -> Vec<String> {
        self.table.notes(&self.limits).into_iter().map(|note| note.text).collect()
    }

    fn send(&mut self, port: u16, dir: Direction, flags: Flags, at: usize, payload: &[u8]) {
        self.packets += 1;
        let time = Some(Timestamp::from_nanos(self.packets.cast_signed() * 1000));
        let client = Endpoint { ip: Ipv4Addr::new(10, 0, 0, 1).into(), port };
        let server = Endpoint { ip: Ipv4Addr::new(10, 0, 0, 2).into(), port: 80 };
        let (src, dst) = if dir == Direction::ToServer { (client, server) } else { (server, client) };
        let seq = u32::try_from(at).unwrap();
        let mark = Mark { packet: PacketNo(self.packets), time };
        let encap = EncapId::default();
        let (bytes, window, cut, scale, twice) = (&[][..], 1, 0, None, Twice::No);
        let segment = Segment { mark, src, dst, seq, ack: 1, flags, window, bytes, payload, cut, scale, encap, twice };
        self.table.segment(&segment, &self.limits, &mut self.tools, &mut self.told);
    }

    fn says(&mut self, port: u16, dir: Direction, at: usize, payload: &[u8]) {
        self.send(port, dir, Flags::ACK, 1 + at, payload);
    }

    /// A stream begins, and its server greets.
    fn begin(&mut self, port: u16) {
        self.send(port, Direction::ToServer, Flags::SYN, 0, b"");
        self.send(port, Direction::ToClient, Flags::SYN.with(Flags::ACK), 0, b"");
    }

    fn open(&mut self, port: u16) {
        self.begin(port);
        self.says(port, Direction::ToServer, 0, REQUEST);
        self.says(port, Direction::ToClient, 0, ANSWER);
    }
}

#[test]
fn an_idle_session_takes_a_kilobyte() {
    let mut bench = Bench::default();
    bench.open(1000);
    bench.says(1000, Direction::ToClient, ANSWER.len(), b"\x81\x02hi");
    assert_eq!(bench.told.0, [(ConnId(1), 0)]);
    let live = bench.table.streams[0].live.as_deref().unwrap();
    // The last delivered bytes have a bound of their own for all streams together.
    let parts = [size_of::<Stream>(), 2 * size_of::<u32>(), size_of_val(live), size_of_val(&*live.layer)];
    assert!(parts.iter().sum::<usize>() <= 1024, "{parts:?}");
}

#[test]
fn streams_that_do_not_tell_what_they_carry_are_given_up_one_by_one() {
    let mut bench = Bench::with(Limits { undecided_streams: 3, ..Limits::DEFAULT });
    let (first, rest) = REQUEST.split_at(2);
    bench.open(999);
    for port in 1000..1004 {
        bench.begin(port);
        bench.says(port, Direction::ToServer, 0, first);
    }
    for port in 1000..1004 {
        bench.says(port, Direction::ToServer, first.len(), rest);
        bench.says(port, Direction::ToClient, 0, ANSWER);
    }
    // The oldest of the four was given up; the one that had told before them was not.
    assert_eq!(bench.told.0, [(ConnId(1), 0), (ConnId(2), 2), (ConnId(3), 3), (ConnId(4), 4)]);
    bench.says(999, Direction::ToClient, ANSWER.len(), b"\x88\x00");
    let text = "1 TCP stream given up without knowing what they carry, when 3 others had begun behind (limit \
                undecided-streams); the first at packet 16";
    assert_eq!(bench.notes(), [text]);
    assert!(bench.table.streams[0].live.is_some() && bench.table.streams[1].live.is_none());
}

/// A flood of SYNs costs no more than so many rows, and no stream that is read.
#[test]
fn a_flood_leaves_what_is_read_alone() {
    let mut bench = Bench::with(Limits { streams: 16, ..Limits::DEFAULT });
    bench.open(1);
    bench.begin(2);
    for port in 100..1100 {
        bench.send(port, Direction::ToServer, Flags::SYN, 0, b"");
        assert!(bench.table.streams.len() <= 18, "{}", bench.table.streams.len());
        if port % 10 == 0 {
            // Repeated, it is the same stream still.
            bench.send(port, Direction::ToServer, Flags::SYN, 0, b"");
        }
    }
    bench.says(1, Direction::ToClient, ANSWER.len(), b"\x88\x00");
    // The last of the flood goes on, and so does one that was forgotten, as another stream.
    for port in [1099, 2] {
        bench.says(port, Direction::ToServer, 0, REQUEST);
        bench.says(port, Direction::ToClient, 0, ANSWER);
    }
    assert_eq!(bench.told.0, [(ConnId(1), 0), (ConnId(2), 1001), (ConnId(3), 1002)]);
    assert!(bench.table.streams.iter().zip(bench.table.streams.iter().skip(1)).all(|(a, b)| a.number < b.number));
    let kinds = bench.table.kinds();
    assert_eq!((bench.table.streams(), kinds.http, kinds.silent), (1003, 3, 1000));
    let kept = bench.table.streams.len();
    let text = format!(
        "{} TCP streams forgotten while nothing was read of them: what goes on counts as a new one (limit streams); the first at packet 23",
        1003 - kept
    );
    assert_eq!(bench.notes(), [text]);
}

/// A forged SYN is no reason to forget the stream that it would replace.
#[test]
fn a_rival_is_found_where_its_row_has_moved_to() {
    let mut bench = Bench::with(Limits { streams: 8, ..Limits::DEFAULT });
    for port in 100..107 {
        bench.send(port, Direction::ToServer, Flags::SYN, 0, b"");
    }
    bench.open(1);
    bench.send(1, Direction::ToServer, Flags::SYN, 5_000_000, b"");
    bench.send(200, Direction::ToServer, Flags::SYN, 0, b"");
    assert!(bench.table.streams.len() < 9, "some were forgotten");
    bench.says(1, Direction::ToClient, ANSWER.len(), b"\x88\x00");
    let live: Vec<_> = bench.table.streams.iter().filter(|stream| stream.live.is_some()).collect();
    assert_eq!(live.iter().map(|stream| stream.number).collect::<Vec<_>>(), [7]);
    assert!(
        bench
            .table
            .streams
            .iter()
            .any(|stream| matches!(stream.older, Older::Rival(at) if bench.table.streams[at as usize].number == 7))
    );
}
