//! Captures whose packets are lost, doubled, swapped and cut, or filled with other bytes: nothing panics, what is told keeps its
//! order, and what is told as complete was said unless a byte was altered.

use super::flips::rounds;
use super::support::craft::*;
use super::support::keys::secrets;
use super::support::{Dice, SAMPLES};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wspect::capture::Reader;
use wspect::dissect::{Settings, run};
use wspect::model::{Event, Message, PacketNo, Secrets, Sink, Stamp};

/// A capture, and what it says when nothing happens to it.
struct Material {
    name: String,
    packets: Vec<Packet>,
    secrets: Arc<Secrets>,
    said: BTreeSet<Said>,
}

/// What a message is known by, whoever is taken for the client.
type Said = (u8, Vec<u8>);

/// The captures of the repository, and those of the collection.
fn captures() -> Vec<Material> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let samples = SAMPLES.iter().map(|(_, name)| root.join("samples").join(name));
    let folders = [Some(root.join("tests/data")), super::support::in_collection("lab", "")];
    let listed = folders.into_iter().flatten().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut all: Vec<PathBuf> = samples.chain(listed.map(|entry| entry.unwrap().path())).collect();
    all.retain(|path| path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng"));
    // What has no sequence numbers cannot tell that it was disturbed.
    all.retain(|path| !path.ends_with("exported_tls.pcapng"));
    all.sort();
    all.iter().map(|path| material(path)).collect()
}

fn material(path: &Path) -> Material {
    let mut reader = Reader::new(Box::new(std::fs::File::open(path).unwrap())).unwrap();
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let time = packet.mark.time.map_or(0, |time| time.nanos());
        let link = packet.link.0 as u16;
        packets.push(Packet { time, link, bytes: packet.bytes.to_vec(), orig_len: packet.orig_len as u32 });
    }
    // A pcap has one link type.
    packets.retain({
        let link = packets.first().map(|packet| packet.link);
        move |packet: &Packet| Some(packet.link) == link
    });
    let keys = std::fs::read_to_string(path.with_extension("keys")).unwrap_or_default();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut all = Material { name, packets, secrets: Arc::new(secrets(&keys)), said: BTreeSet::new() };
    all.said = all.dissect(&all.packets, "").complete.into_iter().collect();
    all
}

impl Material {
    fn dissect(&self, packets: &[Packet], what: &str) -> Laws {
        let file = Pcap { magic: Magic::Nano, ..Pcap::default() }.file(packets);
        let mut reader = Reader::new(Box::new(std::io::Cursor::new(file))).unwrap();
        let settings = Settings { secrets: Arc::clone(&self.secrets), ..Settings::default() };
        let mut laws = Laws { what: format!("{} {what}", self.name), ..Laws::default() };
        run(&mut reader, settings, &mut laws, &mut |_| ControlFlow::Continue(()));
        laws.assert(laws.open.is_empty(), "a connection is never closed");
        laws
    }
}

/// Loses, doubles, delays and cuts packets.
fn disturb(packets: &mut Vec<Packet>, dice: &mut Dice) {
    let spread = if dice.below(3) == 0 { 1 + packets.len() / 10 } else { 1 + dice.below(4) };
    for _ in 0..spread {
        let at = dice.below(packets.len());
        match dice.below(6) {
            0 | 1 if packets.len() > 1 => drop(packets.remove(at)),
            2 => packets.insert((at + dice.below(5)).min(packets.len()), packets[at].clone()),
            3 => {
                let other = (at + dice.below(6)).min(packets.len() - 1);
                packets.swap(at, other);
            }
            4 => {
                let len = packets[at].bytes.len();
                packets[at].bytes.truncate(len.min(40 + dice.below(len)));
            }
            _ if dice.below(8) == 0 => drop(packets.drain(..at / 2)),
            _ => {}
        }
    }
}

/// Behind so many bytes of a packet nearly all is payload.
const HEADERS: usize = 66;

/// Alters payloads: bits, whole stretches, and what comes from elsewhere.
fn alter(packets: &mut [Packet], dice: &mut Dice) {
    let full: Vec<usize> = (0..packets.len()).filter(|&at| packets[at].bytes.len() > HEADERS).collect();
    if full.is_empty() {
        return;
    }
    for _ in 0..1 + dice.below(6) {
        let (at, from) = (full[dice.below(full.len())], full[dice.below(full.len())]);
        let source = packets[from].bytes[HEADERS..].to_vec();
        let payload = &mut packets[at].bytes[HEADERS..];
        let place = if dice.below(2) == 0 { dice.below(payload.len().min(16)) } else { dice.below(payload.len()) };
        match dice.below(8) {
            0..=2 => payload[place] ^= 1 << dice.below(8),
            3 => payload[place] = [0, 0x7e, 0x7f, 0x80, 0xfe, 0xff][dice.below(6)],
            4 => {
                // The longest lengths that a head can claim.
                let len = [0xff; 10];
                payload.iter_mut().skip(place).zip(len).take(1 + dice.below(10)).for_each(|(slot, byte)| *slot = byte);
            }
            5 => payload.iter_mut().skip(place).zip(&source).for_each(|(slot, byte)| *slot = *byte),
            6 => payload[place..].rotate_left(1),
            _ => payload.iter_mut().skip(place).take(dice.below(40)).for_each(|byte| *byte = dice.roll() as u8),
        }
    }
}

/// What must hold of all that is told.
#[derive(Default)]
struct Laws {
    what: String,
    last: PacketNo,
    conns: u32,
    /// Messages and frames of the connections that are open.
    open: BTreeMap<u32, (u64, u64)>,
    complete: Vec<Said>,
}

impl Laws {
    #[track_caller]
    fn assert(&self, holds: bool, law: &str) {
        assert!(holds, "{}: {law}", self.what);
    }

    fn message(&mut self, message: &Message<'_>, at: &Stamp) {
        let body = message.body;
        let mut end = 0;
        for hole in body.holes {
            self.assert(hole.offset >= end && hole.len != Some(0), "holes are in order, and none is empty");
            end = hole.offset.checked_add(hole.len.unwrap_or(0)).unwrap();
        }
        self.assert(end <= body.len, "no hole goes beyond its body");
        self.assert(body.kept.len() as u64 + body.missing() <= body.len, "no more is kept than there was");
        self.assert(message.span.first.packet <= message.span.last.packet, "a message begins before it ends");
        self.assert(message.brought.packet <= at.at.packet, "what is told was brought before");
        if message.complete {
            self.assert(body.holes.is_empty() && !message.inferred && !message.undecoded, "whole is whole");
            self.complete.push((message.opcode.0, body.kept.to_vec()));
        }
    }
}

impl Sink for Laws {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        self.assert(at.at.packet >= self.last, "events come in packet order");
        self.last = at.at.packet;
        let Some(conn) = at.conn else { return ControlFlow::Continue(()) };
        match event {
            Event::Opened(_) => {
                self.conns += 1;
                self.assert(conn.0 == self.conns, "connections are numbered as they are recognised");
                self.open.insert(conn.0, (0, 0));
            }
            Event::Closed(_) => {
                let open = self.open.remove(&conn.0);
                self.assert(open.is_some(), "what is closed was open");
            }
            Event::Tls(_) if conn.0 <= self.conns => {}
            _ => self.assert(self.open.contains_key(&conn.0), "no event comes before the first or behind the last"),
        }
        let (messages, frames) = self.open.get(&conn.0).copied().unwrap_or_default();
        match event {
            Event::Message(message) => {
                self.assert(message.number == messages + 1, "messages are numbered");
                self.message(message, at);
                self.open.insert(conn.0, (messages + 1, frames));
            }
            Event::Frame(frame) => {
                self.assert(frame.number == frames + 1, "frames are numbered");
                self.assert(frame.msg.is_none_or(|msg| msg == messages + 1), "a frame comes before its message");
                self.open.insert(conn.0, (messages, frames + 1));
            }
            Event::Note(note) => {
                self.assert(note.at.packet <= at.at.packet, "what shows a finding comes before it is told");
                self.assert(note.msg.is_none_or(|msg| (1..=messages + 1).contains(&msg)), "a finding names a message");
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// What the transport does to a capture makes no message that was not said.
#[test]
fn disturbed_captures_tell_nothing_untrue() {
    let captures = captures();
    for seed in 0..rounds(1500) {
        let mut dice = Dice(20_000 + seed);
        let all = &captures[seed as usize % captures.len()];
        let mut packets = all.packets.clone();
        disturb(&mut packets, &mut dice);
        let told = all.dissect(&packets, &format!("seed {seed}"));
        for said in told.complete {
            assert!(all.said.contains(&said), "{} seed {seed}: {said:?} was never said", all.name);
        }
    }
}

/// Other bytes in other frames: anything may be said then, but in order.
#[test]
fn altered_captures_keep_the_laws() {
    let captures = captures();
    for seed in 0..rounds(1500) {
        let mut dice = Dice(30_000 + seed);
        let all = &captures[seed as usize % captures.len()];
        let mut packets = all.packets.clone();
        if dice.below(2) == 0 {
            disturb(&mut packets, &mut dice);
        }
        alter(&mut packets, &mut dice);
        all.dissect(&packets, &format!("seed {seed}"));
    }
}
