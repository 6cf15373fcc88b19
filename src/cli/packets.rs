//! Packets that the browser shows: read once more up to them, since none is kept.

use super::input::Source;
use super::signals::Stop;
use crate::capture::{Aside, Place, Reader};
use crate::model::{Endpoint, Limits, Packet, PacketNo, Segment};
use crate::net::{Decoded, Decoder, Whole, link_name};
use crate::tui::{Carried, Carrier, Fetching, Payload, Wanted};
use crossbeam_channel::{Sender, bounded};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;

/// Packets that are told at most: half of them from the first on, half up to the last.
const MOST: usize = 64;

/// Bytes of a packet that are told, and of its payload.
const PACKET_BYTES: usize = 128 << 10;

/// Packets that are looked into before the first that is wanted: the first may be put together from fragments among them.
const LOOKED_INTO: u64 = 1024;

/// Bytes of these that are held, since whose they are is known only with the first that is wanted.
const HELD_BYTES: usize = 4 << 20;

/// Packets between two reports of progress, and looks at whether they are still wanted.
const STEP: u64 = 1 << 14;

/// Begins to read these packets once more, in a thread of its own.
pub(super) fn fetch(source: &Source, limits: Limits, wanted: Wanted) -> Fetching {
    // An answer, and what was last told before it.
    let (sender, packets) = bounded(2);
    let (stop, source) = (Stop::default(), source.as_it_stands());
    let flag = stop.flag();
    thread::spawn(move || {
        let carried = read(&source, &limits, &wanted, &stop, &sender).unwrap_or_else(Carried::Refused);
        // Who asks for others does not hear of these.
        let _ = sender.send(carried);
    });
    Fetching { packets, stop: flag }
}

/// Reads the packets; why that is not possible.
fn read(
    source: &Source,
    limits: &Limits,
    wanted: &Wanted,
    stop: &Stop,
    sender: &Sender<Carried>,
) -> Result<Carried, String> {
    let input = source.open(stop).map_err(|failure| failure.text().to_owned())?;
    let mut reader = input.reader().map_err(|failure| failure.text().to_owned())?;
    let mut progress = |packet: PacketNo| {
        if packet.0.is_multiple_of(STEP) {
            // Where the screen is behind, it needs no word of each step.
            let _ = sender.try_send(Carried::At(packet));
        }
        !stop.is_wanted()
    };
    select(&mut reader, limits, wanted, &mut progress)
}

/// Reads on to the packets; `progress` is told each, and whether it is still wanted is asked of it.
fn select(
    reader: &mut Reader,
    limits: &Limits,
    wanted: &Wanted,
    progress: &mut dyn FnMut(PacketNo) -> bool,
) -> Result<Carried, String> {
    let (first, last) = wanted.numbers();
    let (mut decoder, mut whole) = (Decoder::new(*limits), Whole::default());
    let mut chosen = Chosen::default();
    let mut file = None;
    loop {
        let mut hear = |aside: Aside<'_>| {
            if let Aside::File(run) = aside {
                file = Some(run.name);
            }
        };
        let packet = reader.next_packet_after(&mut hear).filter(|packet| packet.mark.packet <= last);
        let Some(packet) = packet else {
            return Err(format!("packet {last} is not there any more: the file has changed since it was read"));
        };
        let mark = packet.mark;
        if !progress(mark.packet) {
            return Err("stopped".to_owned());
        }
        if mark.packet.0.saturating_add(LOOKED_INTO) < first.0 {
            continue;
        }
        if mark.packet == wanted.last.packet && mark.time != wanted.last.time {
            return Err(format!("packet {last} is another one: the file has changed since it was read"));
        }
        let found = payload(&packet, &mut decoder, &mut whole);
        let mut carrier = carrier(&packet, file.clone());
        let Place { offset, packed } = reader.place();
        (carrier.offset, carrier.packed) = (offset, packed);
        let flow = found.map(|(flow, payload)| {
            carrier.payload = Some(payload);
            flow
        });
        match mark.packet < first {
            true => chosen.hold(flow, carrier),
            false => chosen.take(flow, carrier, mark.packet == first || mark.packet == last, wanted.before),
        }
        if mark.packet == last {
            let (carriers, left_out) = chosen.all();
            return Ok(Carried::Read(carriers, left_out));
        }
    }
}

/// Who sends, and to whom.
type Flow = (Endpoint, Endpoint);

/// What a packet brings to a TCP stream.
fn payload(packet: &Packet<'_>, decoder: &mut Decoder, whole: &mut Whole) -> Option<(Flow, Payload)> {
    match decoder.decode(packet, whole) {
        Decoded::Segment(segment) => of_segment(packet, &segment),
        Decoded::Several(mut parts) => {
            let (mut whole, mut found) = (Whole::default(), None);
            while let Some(part) = decoder.next_part(&mut parts, &mut whole) {
                if let (None, Decoded::Segment(segment)) = (&found, part) {
                    found = of_segment(packet, &segment);
                }
            }
            found
        }
        Decoded::Header(_) | Decoded::Other => None,
    }
}

fn of_segment(packet: &Packet<'_>, segment: &Segment<'_>) -> Option<(Flow, Payload)> {
    let all = segment.payload;
    let bytes = all.get(..PACKET_BYTES).unwrap_or(all);
    if bytes.is_empty() {
        return None;
    }
    // Fragments that were put together lie elsewhere.
    let is_inside = packet.bytes.as_ptr_range().contains(&bytes.as_ptr());
    let at = is_inside.then(|| bytes.as_ptr().addr() - packet.bytes.as_ptr().addr());
    let flow = (segment.src, segment.dst);
    Some((flow, Payload { seq: segment.seq, at, bytes: bytes.to_vec() }))
}

fn carrier(packet: &Packet<'_>, file: Option<Arc<str>>) -> Carrier {
    Carrier {
        number: packet.mark.packet,
        file,
        offset: 0,
        packed: None,
        link: link_name(packet.link),
        bytes: packet.bytes.get(..PACKET_BYTES).unwrap_or(packet.bytes).to_vec(),
        captured: packet.bytes.len(),
        orig_len: packet.orig_len,
        payload: None,
    }
}

/// The packets that are told, as they are read.
#[derive(Default)]
struct Chosen {
    /// Those before the first that is wanted, and how many bytes they have.
    held: VecDeque<(Flow, Carrier)>,
    held_bytes: usize,
    /// Whose packets are wanted: that of the first.
    flow: Option<Flow>,
    front: Vec<Carrier>,
    back: VecDeque<Carrier>,
    left_out: u64,
}

impl Chosen {
    /// Holds a packet before the first that is wanted.
    fn hold(&mut self, flow: Option<Flow>, carrier: Carrier) {
        let Some(flow) = flow else { return };
        self.held_bytes += carrier.bytes.len();
        self.held.push_back((flow, carrier));
        while self.held_bytes > HELD_BYTES {
            let Some((_, first)) = self.held.pop_front() else { return };
            self.held_bytes -= first.bytes.len();
        }
    }

    /// Takes a packet where it is of the stream, or sure to be wanted, whatever it is; of those before it so many.
    fn take(&mut self, flow: Option<Flow>, carrier: Carrier, is_sure: bool, before: usize) {
        if self.flow.is_none() && flow.is_some() && is_sure {
            self.flow = flow;
            let held = std::mem::take(&mut self.held);
            let same = held.into_iter().rev().filter(|(other, _)| Some(*other) == flow).take(before);
            let mut same: Vec<_> = same.map(|(_, carrier)| carrier).collect();
            same.reverse();
            self.front.splice(..0, same);
        }
        if !is_sure && (flow.is_none() || flow != self.flow) {
            return;
        }
        if self.front.len() < MOST / 2 {
            return self.front.push(carrier);
        }
        self.back.push_back(carrier);
        if self.back.len() > MOST / 2 {
            self.back.pop_front();
            self.left_out += 1;
        }
    }

    /// All of them, and how many were left out between them.
    fn all(mut self) -> (Vec<Carrier>, u64) {
        self.front.extend(self.back);
        (self.front, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mark;
    use std::fs;
    use std::io::Cursor;

    fn sample(name: &str) -> Vec<u8> {
        fs::read(format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn reader(file: &[u8]) -> Reader {
        Reader::new(Box::new(Cursor::new(file.to_vec()))).unwrap()
    }

    fn marks(file: &[u8]) -> Vec<Mark> {
        let mut reader = reader(file);
        std::iter::from_fn(|| reader.next_packet().map(|packet| packet.mark)).collect()
    }

    fn read(file: &[u8], wanted: &Wanted) -> Result<Vec<Carrier>, String> {
        match select(&mut reader(file), &Limits::DEFAULT, wanted, &mut |_| true)? {
            Carried::Read(carriers, _) => Ok(carriers),
            other => panic!("{other:?}"),
        }
    }

    /// Of every packet: its bytes stand in the file where it is said, and its payload in the packet.
    #[test]
    fn packets_lie_where_it_is_told() {
        let mut payloads = 0;
        for name in ["mix.pcap", "tls.pcap", "fragments.pcapng", "lossy.pcap"] {
            let file = sample(name);
            for &last in &marks(&file) {
                let carriers = read(&file, &Wanted { first: last.packet, last, before: 2 }).unwrap();
                assert!(carriers.len() <= 3 && carriers.last().unwrap().number == last.packet, "{name} {last:?}");
                for carrier in carriers {
                    let at = usize::try_from(carrier.offset).unwrap();
                    assert_eq!(file.get(at..at + carrier.bytes.len()), Some(&*carrier.bytes), "{name} {last:?}");
                    let Some(Payload { at: Some(at), bytes, .. }) = carrier.payload else { continue };
                    assert_eq!(carrier.bytes.get(at..at + bytes.len()), Some(&*bytes), "{name} {last:?}");
                    payloads += 1;
                }
            }
        }
        assert!(payloads > 100, "{payloads}");
    }

    /// However many packets there are, a bounded number is told: the first and the last of them.
    #[test]
    fn no_more_packets_are_told_than_can_be_shown() {
        let mut chosen = Chosen::default();
        let file = sample("mix.pcap");
        let some = reader(&file).next_packet().map(|packet| carrier(&packet, None)).unwrap();
        let flow = {
            let mut reader = reader(&file);
            let (mut decoder, mut whole) = (Decoder::new(Limits::DEFAULT), Whole::default());
            let mut flow = None;
            while let (None, Some(packet)) = (flow, reader.next_packet()) {
                flow = payload(&packet, &mut decoder, &mut whole).map(|(flow, _)| flow);
            }
            flow.unwrap()
        };
        for number in 1..=1000 {
            let carrier = Carrier { number: PacketNo(number), ..some.clone() };
            if number < 50 {
                chosen.hold(Some(flow), carrier);
            } else {
                chosen.take(Some(flow), carrier, matches!(number, 50 | 1000), 16);
            }
        }
        let (carriers, left_out) = chosen.all();
        let numbers: Vec<u64> = carriers.iter().map(|carrier| carrier.number.0).collect();
        assert_eq!(numbers, (34..66).chain(969..=1000).collect::<Vec<_>>());
        assert_eq!(left_out, 903);
    }

    #[test]
    fn a_file_that_has_changed_is_refused() {
        let file = sample("mix.pcap");
        let last = *marks(&file).last().unwrap();
        let wanted = Wanted { first: last.packet, last, before: 0 };
        let cut = read(file.get(..file.len() - 1).unwrap(), &wanted).unwrap_err();
        assert!(cut.contains("is not there any more"), "{cut}");
        let earlier = Wanted { last: Mark { time: None, ..last }, ..wanted };
        let other = read(&file, &earlier).unwrap_err();
        assert!(other.contains("is another one"), "{other}");
    }
}
