//! Stream numbers and frames against tshark, where it is installed and where it is right.
//!
//! Where tshark is wrong and we are right there is a test with the right answer elsewhere: several frames in a packet,
//! empty fragments, fragments of both directions between the same addresses and long messages in `derived/payloads.rs`,
//! frames before the 101 and one direction alone in `derived/heads.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use support::craft::*;
use support::run::{Input, flag, number, records};
use support::{SAMPLES, in_collection};

/// A packet as tshark sees it: the values of [`FIELDS`].
type Row = Vec<String>;

const FIELDS: [&str; 5] = ["frame.number", "tcp.stream", "websocket.opcode", "websocket.fin", "websocket.mask"];

/// All packets of a capture; `None` where there is no tshark.
fn tshark(file: &Path) -> Option<Vec<Row>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-T", "fields", "-r"]).arg(file);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let keys = file.with_extension("keys");
    if keys.is_file() {
        command.arg("-o").arg(format!("tls.keylog_file:{}", keys.display()));
    }
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        eprintln!("skipped: comparison with tshark (it is not installed)");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// The captures at hand with what tshark sees in them; none where there is no tshark.
fn seen() -> &'static [(PathBuf, Vec<Row>)] {
    static SEEN: OnceLock<Vec<(PathBuf, Vec<Row>)>> = OnceLock::new();
    SEEN.get_or_init(|| {
        let all = captures();
        let see = |some: &[PathBuf]| -> Vec<_> {
            some.iter().map_while(|path| tshark(path).map(|rows| (path.clone(), rows))).collect()
        };
        let (some, others) = all.split_at(all.len() / 2);
        std::thread::scope(|scope| {
            let others = scope.spawn(|| see(others));
            let mut seen = see(some);
            seen.extend(others.join().unwrap());
            seen
        })
    })
}

/// A WebSocket frame as both see it: stream, packet, opcode, FIN, MASK; and how often.
type Frames = BTreeMap<(u64, u64, u64, bool, bool), usize>;

fn frames_of_tshark(rows: &[Row]) -> Frames {
    let mut frames = Frames::new();
    for row in rows.iter().filter(|row| !row[2].is_empty()) {
        // A packet in a tunnel has several streams; several frames of a packet are joined by commas.
        let stream = row[1].split(',').next_back().unwrap().parse().unwrap();
        let packet = row[0].parse().unwrap();
        for (at, opcode) in row[2].split(',').enumerate() {
            let bit = |column: usize| row[column].split(',').nth(at).unwrap().starts_with(['1', 'T']);
            *frames.entry((stream, packet, opcode.parse().unwrap(), bit(3), bit(4))).or_default() += 1;
        }
    }
    frames
}

fn frames_of_ours(file: &Path) -> Frames {
    let mut frames = Frames::new();
    for frame in records("frames", Input::File(file)) {
        let numbers = ["tcp_stream", "packet", "opcode"].map(|name| number(&frame, name));
        let key = (numbers[0], numbers[1], numbers[2], flag(&frame, "fin"), flag(&frame, "masked"));
        *frames.entry(key).or_default() += 1;
    }
    frames
}

/// How many TCP streams tshark sees.
fn streams_of_tshark(rows: &[Row]) -> u64 {
    let last = rows.iter().flat_map(|row| row[1].split(',')).filter_map(|stream| stream.parse::<u64>().ok()).max();
    last.map_or(0, |last| last + 1)
}

fn streams_of_ours(file: &Path) -> u64 {
    number(&records("stats", Input::File(file))[0], "tcp_streams")
}

/// All captures at hand: the samples, and the collection where there is one.
fn captures() -> Vec<PathBuf> {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut all: Vec<PathBuf> = SAMPLES.iter().map(|row| samples.join(row.1)).collect();
    all.push(samples.join("lossy.pcap"));
    for set in ["lab", "public"] {
        let Some(dir) = in_collection(set, "").filter(|dir| dir.is_dir()) else {
            eprintln!("skipped: {set} (set WSPECT_CAPTURES to the collection of captures)");
            continue;
        };
        let found = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        all.extend(
            found.filter(|path| path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng")),
        );
    }
    all.sort();
    all
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Captures in which tshark 4.0 sees fewer frames than there are.
const TSHARK_SEES_LESS: &[(&str, &str)] = &[
    ("app_sio4.pcapng", "a WebSocket behind a long poll is not recognised"),
    ("chromium_h2.pcap", "WebSocket over HTTP/2"),
    ("d_mix_gap_plain.pcap", "it looks for no frame behind a lost head"),
    ("d_mix_midstream.pcap", "a WebSocket without its handshake is not recognised"),
    ("d_mix_snaplen.pcap", "a WebSocket whose handshake is cut is not recognised"),
    ("d_mix_only_c2s.pcap", "one direction alone is not recognised"),
    ("d_tls_gap.pcap", "it waits for ever at a hole"),
    ("h2c_prior.pcap", "WebSocket over HTTP/2"),
    ("handshakes.pcapng", "frames before the 101, requests before the upgrade"),
    ("lossy.pcap", "it waits for ever at a hole"),
    ("proxy_connect.pcap", "WebSocket inside CONNECT"),
    ("tls_tls12.pcap", "ARIA is not decrypted"),
];

#[test]
fn frames_are_in_the_packets_and_streams_that_tshark_says() {
    let mut wrong = Vec::new();
    for (path, rows) in seen() {
        let (ours, theirs) = (frames_of_ours(path), frames_of_tshark(rows));
        let less = TSHARK_SEES_LESS.iter().any(|row| row.0 == name(path));
        let agree = if less {
            theirs.iter().all(|(frame, count)| ours.get(frame) == Some(count)) && theirs.len() < ours.len()
        } else {
            ours == theirs
        };
        if !agree {
            let (more, less) = (only(&ours, &theirs), only(&theirs, &ours));
            wrong.push(format!("{}: only ours {more:?}, only tshark's {less:?}", name(path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first frames of `a` that `b` has not, or not as often.
fn only(a: &Frames, b: &Frames) -> Vec<(u64, u64, u64, bool, bool)> {
    a.iter().filter(|(frame, count)| b.get(frame) != Some(count)).map(|(frame, _)| *frame).take(5).collect()
}

#[test]
fn streams_are_as_many_as_tshark_says() {
    let mut wrong = Vec::new();
    for (path, rows) in seen() {
        let (ours, theirs) = (streams_of_ours(path), streams_of_tshark(rows));
        if ours != theirs {
            wrong.push(format!("{}: {ours} streams, tshark {theirs}", name(path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares streams and frames of segments made up for the purpose.
fn agrees(what: &str, packets: &[Packet]) -> Option<String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tshark_{}.pcapng", what.replace(' ', "_")));
    std::fs::write(&path, pcapng(packets, false)).unwrap();
    let rows = tshark(&path)?;
    let (theirs, streams) = (frames_of_tshark(&rows), streams_of_tshark(&rows));
    let ours = frames_of_ours(&path);
    let differs = if ours != theirs {
        Some(format!("{what}: frames {ours:?}\ntshark {theirs:?}"))
    } else if streams_of_ours(&path) != streams {
        Some(format!("{what}: {} streams, tshark {streams}", streams_of_ours(&path)))
    } else {
        None
    };
    std::fs::remove_file(&path).unwrap();
    differs
}

/// A session with a frame each way.
fn small(n: usize) -> Session {
    let mut session = Session::new(n);
    session.text(Server, "welcome").text(Client, "thanks");
    session
}

#[test]
fn streams_are_numbered_as_tshark_numbers_them() {
    let plain = small(0).segments();
    let open = Session { fin: false, ..small(0) }.segments();
    let again = Session { isn: [70_000_000, 9], ..small(0) };
    let other = small(1).segments();
    let mut cases: Vec<(&str, Vec<Segment>)> = vec![
        ("two connections", interleave(vec![plain.clone(), other.clone()])),
        ("ports again, another number", [plain.clone(), again.segments(), other.clone()].concat()),
        ("ports again, without a FIN", [open.clone(), again.segments(), other.clone()].concat()),
        ("no SYN", [plain[3..].to_vec(), other.clone()].concat()),
        ("no handshake, then another connection", [plain[3..].to_vec(), again.segments()].concat()),
        ("the SYN alone", [vec![plain[0].clone()], other.clone()].concat()),
        ("the SYN twice", [vec![plain[0].clone()], plain.clone(), other.clone()].concat()),
        (
            "the answer to the SYN first",
            [vec![plain[1].clone(), plain[0].clone()], plain[2..].to_vec(), other.clone()].concat(),
        ),
        ("a SYN to the other side", [vec![flipped(&plain[0])], other.clone()].concat()),
    ];
    let mut syn = plain[0].clone();
    syn.seq = open[6].seq.wrapping_add(3);
    cases.push(("a SYN inside the window, at the end", [open.clone(), vec![syn], other.clone()].concat()));
    let mut late = small(0);
    late.text(Client, "and more");
    let mut behind_fin = late.segments();
    let more = behind_fin.iter().rposition(|segment| !segment.payload.is_empty()).unwrap();
    let more = behind_fin.remove(more);
    behind_fin.push(more);
    cases.push(("data behind a FIN", [behind_fin, other.clone()].concat()));
    let wrong: Vec<String> =
        cases.iter().filter_map(|(what, segments)| agrees(what, &packets(segments, &Wire::default()))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Link types of which tshark 4.0 reads less.
const TSHARK_KNOWS_LESS: &[(Framing, &str)] = &[
    (Framing::Pppd, "it does not know the link type"),
    (Framing::CiscoHdlcWithDir, "it does not know the link type"),
    (Framing::FrameRelayWithDir, "it does not know the link type"),
    (Framing::FrameRelayBridged, "it takes all connections with these addresses on a line for one"),
    (Framing::FrameRelayCisco, "as before"),
    (Framing::InfinibandBare, "it expects a routing header"),
    (Framing::WifiDecrypted, "it believes the bit that says encrypted"),
    (Framing::NflogBig, "it expects the byte order of its own machine"),
];

/// A connection over each of the rarer link types, in one capture.
#[test]
fn rarer_links_are_read_as_tshark_reads_them() {
    let known = Framing::ALL.iter().filter(|framing| !TSHARK_KNOWS_LESS.iter().any(|row| row.0 == **framing));
    let of = |(n, &framing): (usize, &Framing)| packets(&small(n).segments(), &Wire::over(framing.into()));
    let packets: Vec<Packet> = known.enumerate().flat_map(of).collect();
    if let Some(wrong) = agrees("links", &packets) {
        panic!("{wrong}");
    }
}

/// A SYN that nobody answers takes a number, and what follows on its addresses with it: tshark loses the conversation.
#[test]
fn a_blind_syn_takes_a_number() {
    let (open, other) = (Session { fin: false, ..small(0) }.segments(), small(1).segments());
    let mut syn = open[0].clone();
    syn.seq = open[6].seq.wrapping_add(3);
    let segments = [open[..8].to_vec(), vec![syn], open[8..].to_vec(), other].concat();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tshark_blind_syn.pcap");
    std::fs::write(&path, capture_of(&segments)).unwrap();
    let streams: Vec<u64> = records("ls", Input::File(&path)).iter().map(|row| number(row, "tcp_stream")).collect();
    assert_eq!(streams, [0, 2]);
    assert_eq!(frames_of_ours(&path).len(), 4, "all frames of both are shown");
    if let Some(rows) = tshark(&path) {
        assert_eq!(streams_of_ours(&path), streams_of_tshark(&rows));
    }
    std::fs::remove_file(&path).unwrap();
}

/// A SYN with the same addresses the other way round.
fn flipped(syn: &Segment) -> Segment {
    Segment { src: syn.dst, dst: syn.src, ..syn.clone() }
}

/// TCP headers that are quoted, tagged or cut.
#[test]
fn packets_that_are_no_plain_segments_count_as_tshark_counts_them() {
    let (first, second) = (small(0).segments(), small(1).segments());
    let wire = Wire::default();
    let plain = packets(&first, &wire);
    let behind = packets(&second, &wire);
    let quote = |segment: &Segment, len: usize| icmp_error(&wire.ip(segment)[..len]);
    let with = |extra: Vec<Packet>| [plain.clone(), extra, behind.clone()].concat();
    let tagged = |id: u16| packets(&first, &Wire { vlans: vec![(0x8100, id)], ..Wire::default() });
    let mut two_vlans: Vec<Packet> = tagged(1).into_iter().zip(tagged(2)).flat_map(|(a, b)| [a, b]).collect();
    two_vlans.extend(behind.clone());
    let cut = |len: usize| Packet::new(time_of(0), 1, plain[3].bytes[..len].to_vec());
    let runt = |len: usize| plain[3].clone().snapped(len);
    let data = &first[7];
    // Not of a WebSocket: tshark takes frames that an error quotes for ones that were sent.
    let unknown = &small(7).segments()[3];
    let cases: Vec<(&str, Vec<Packet>)> = vec![
        ("an ICMP error with the whole header", with(vec![quote(data, 40)])),
        ("an ICMP error with data", with(vec![quote(unknown, 60)])),
        ("an ICMP error with eight bytes", with(vec![quote(data, 28)])),
        ("an ICMP error about an unknown connection", with(vec![quote(unknown, 40)])),
        ("two ICMP errors about the same", with(vec![quote(data, 40), quote(data, 40)])),
        ("the same packets on two VLANs", two_vlans),
        ("a packet of 20 bytes", with(vec![cut(20)])),
        ("a TCP header that is cut", with(vec![runt(45)])),
        ("only ports", [vec![cut(38)], plain.clone(), behind.clone()].concat()),
        ("headers without data", with(vec![runt(54)])),
    ];
    let wrong: Vec<String> = cases.iter().filter_map(|(what, packets)| agrees(what, packets)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An ICMP destination unreachable that quotes these bytes.
fn icmp_error(quoted: &[u8]) -> Packet {
    let mut bytes = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..], &[0x45, 0]].concat();
    bytes.extend((28 + quoted.len() as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 1, 0, 0, 10, 1, 0, 2, 10, 0, 0, 1]);
    bytes.extend([3, 3, 0, 0, 0, 0, 0, 0]);
    bytes.extend(quoted);
    Packet::new(time_of(0), 1, bytes)
}
