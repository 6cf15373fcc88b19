//! Rarer link types: the packets are the same.

use super::support::craft::*;
use super::support::run::{Input, findings};
use super::{LOSS, has_finding, has_no_findings, says, shown};

/// Whatever the frames, the same messages; and the same when every packet has another link type.
#[test]
fn rarer_links_do_not_matter() {
    let sessions: Vec<_> = (0..2).map(Session::sample).collect();
    let segments = interleave(sessions.iter().map(|session| session.cut(|_| vec![40])).collect());
    for segments in [segments.clone(), v6(&segments)] {
        let plain = format!("{:?}", shown(&capture_of(&segments)));
        let mut mixed = Vec::new();
        for &framing in Framing::ALL {
            let packets = packets(&segments, &Wire::over(framing.into()));
            let file = Pcap::default().file(&packets);
            assert!(format!("{:?}", shown(&file)) == plain, "{framing:?}: other messages");
            has_no_findings(&file, LOSS, "rarer links");
            mixed.push(packets);
        }
        let each = |at: usize| mixed[at % mixed.len()][at].clone();
        let file = pcapng(&(0..segments.len()).map(each).collect::<Vec<_>>(), false);
        assert!(format!("{:?}", shown(&file)) == plain, "mixed: other messages");
    }
}

/// Packets of several connections in one frame of IEEE 802.11.
#[test]
fn an_aggregate_has_several_segments() {
    let sessions: Vec<_> = (0..3).map(Session::sample).collect();
    let segments = interleave(sessions.iter().map(|session| session.cut(|_| vec![40])).collect());
    let wire = Wire::default();
    for several in [2, 3, 7] {
        let frames = segments.chunks(several).enumerate().map(|(at, some)| {
            let packets: Vec<_> = some.iter().map(|segment| wire.ip(segment)).collect();
            Packet::new(time_of(at), 105, aggregate(&packets))
        });
        let file = Pcap::default().file(&frames.collect::<Vec<_>>());
        says(&file, &sessions, "aggregates");
        has_no_findings(&file, LOSS, "aggregates");
    }
}

/// Of encrypted frames one finding tells, and the others are read.
#[test]
fn encrypted_frames_are_counted() {
    let session = Session::sample(1);
    let clear = packets(&session.segments(), &Wire::over(Framing::WifiQos.into()));
    let sealed = |at: usize| {
        let mut packet = clear[at].clone();
        packet.bytes[1] |= 0x40;
        packet.bytes[26..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        packet
    };
    let mixed: Vec<_> = (0..clear.len()).flat_map(|at| [sealed(at), clear[at].clone()]).collect();
    let file = Pcap::default().file(&mixed);
    says(&file, &[session], "encrypted");
    has_finding(&file, "LINK-ENCRYPTED", "encrypted");
    has_no_findings(&Pcap::default().file(&clear), &["LINK-ENCRYPTED"], "clear");
}

/// Of frames that were damaged on the air, as their radiotap header says, nothing is read, whatever they look like: one finding tells
/// how many there are. The others are read.
#[test]
fn damaged_frames_are_counted() {
    let [session, other] = [1, 2].map(Session::sample);
    let [clear, damaged] = [&session, &other].map(|session| {
        let segments = session.segments();
        packets(&segments, &Wire::over(Framing::Radiotap.into()))
    });
    let damage = |mut packet: Packet| {
        // Behind 8 bytes the flags.
        packet.bytes[8] |= 0x40;
        packet
    };
    let both = |other: Vec<Packet>| {
        let count = clear.len().min(other.len());
        let mixed = clear.iter().zip(other).flat_map(|(clear, other)| [clear.clone(), other]);
        (Pcap::default().file(&mixed.chain(clear[count..].iter().cloned()).collect::<Vec<_>>()), count)
    };
    let (file, count) = both(damaged.iter().cloned().map(damage).collect());
    says(&file, std::slice::from_ref(&session), "damaged");
    let told: Vec<_> = findings(Input::Bytes(&file)).into_iter().filter(|(code, _)| code == "LINK-UNKNOWN").collect();
    let text = told.first().and_then(|(_, row)| row["text"].as_str()).unwrap_or_default();
    assert!(told.len() == 1 && text.ends_with(&format!("not read: {count} packets, first packet 2")), "{told:?}");
    let (file, _) = both(damaged);
    has_no_findings(&file, &["LINK-UNKNOWN"], "undamaged");
    assert_eq!(shown(&file).len(), 2, "undamaged");
}
