//! Files that end anywhere, come in any pieces, or hold anything.

use crate::make::*;
use proptest::prelude::*;
use std::io::{self, Read};
use wspect::capture::{Reader, Stopped};
use wspect::model::Limits;
use wspect::net::{Decoder, Whole};

/// Small captures, and the offsets at which their headers, packets and blocks end.
fn captures() -> Vec<(Vec<u8>, Vec<usize>)> {
    let mut captures = Vec::new();
    for order in Order::BOTH {
        for magic in [MICROS, NANOS, MODIFIED] {
            let mut file = Pcap::new(order, magic, 1);
            let mut ends = vec![file.bytes.len()];
            for packet in [&b"first"[..], b"", b"third packet"] {
                file = file.packet(1_700_000_000, 1, packet);
                ends.push(file.bytes.len());
            }
            captures.push((file.bytes, ends));
        }
        let steps: [fn(PcapNg) -> PcapNg; 7] = [
            PcapNg::ethernet,
            |file| file.enhanced(0, 1, b"first"),
            |file| file.block(4, &[0; 4]),
            |file| file.simple(b"second"),
            |file| file.section(Order::Big),
            |file| file.clocked(9, Some(1)),
            |file| file.obsolete(0, 5, b"third"),
        ];
        let mut file = PcapNg::new(order);
        let mut ends = vec![file.bytes.len()];
        for step in steps {
            file = step(file);
            ends.push(file.bytes.len());
        }
        captures.push((file.bytes, ends));
    }
    captures
}

#[test]
fn what_stands_before_a_cut_is_read() {
    for (whole, ends) in captures() {
        let mut before = 0;
        // Fewer than four bytes are no capture.
        for cut in 4..=whole.len() {
            let (packets, notes) = read(&whole[..cut]);
            if ends.contains(&cut) {
                before = packets.len();
                assert!(notes.is_empty(), "cut at {cut}");
            } else {
                assert_eq!(packets.len(), before, "cut at {cut}");
                assert_eq!(codes(&notes), ["FILE-CUT"], "cut at {cut}");
            }
        }
        assert_eq!(before, 3);
    }
}

/// Who reads no more has cut nothing.
#[test]
fn a_stop_is_no_cut() {
    struct Stops;
    impl Read for Stops {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(Stopped.into())
        }
    }
    for (whole, _) in captures() {
        for stop in 4..=whole.len() {
            let mut reader = Reader::new(Box::new(io::Cursor::new(whole[..stop].to_vec()).chain(Stops))).unwrap();
            let mut packets = 0;
            while reader.next_packet().is_some() {
                packets += 1;
            }
            assert_eq!(packets, read(&whole[..stop]).0.len());
            assert_eq!(codes(&reader.take_notes()), [""; 0], "stopped at {stop}");
        }
    }
}

#[test]
fn a_cut_is_told_with_offsets() {
    let (whole, _) = captures().remove(0);
    let text = |cut: usize| read(&whole[..cut]).1[0].text.clone();
    assert_eq!(text(9), "truncated at offset 0: header needs 24 bytes, 9 left");
    assert_eq!(text(30), "truncated at offset 24: record needs 16 bytes, 6 left");
    assert_eq!(text(42), "truncated at offset 24: record needs 21 bytes, 18 left");
}

/// Yields one byte at a time, and now and then an interruption.
struct Drops(Vec<u8>, usize);

impl Read for Drops {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.0.is_empty() {
            return Ok(0);
        }
        buffer[0] = self.0.remove(0);
        Ok(1)
    }
}

#[test]
fn single_bytes_tell_the_same() {
    for (whole, _) in captures() {
        assert_eq!(read_from(Drops(whole.clone(), 0)), read(&whole));
    }
}

/// Fails after its bytes.
struct Fails(Vec<u8>);

impl Read for Fails {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.as_slice().read(buffer)? {
            0 => Err(io::Error::other("disk on fire")),
            read => Ok(self.0.drain(..read).len()),
        }
    }
}

#[test]
fn a_failure_to_read_is_told_and_costs_the_rest() {
    let (whole, _) = captures().remove(0);
    let (packets, notes) = read_from(Fails(whole[..50].to_vec()));
    assert_eq!(packets.len(), 1);
    assert_eq!(codes(&notes), ["FILE-DAMAGED"]);
    assert_eq!(notes[0].text, "reading failed at offset 50: disk on fire");
    let (packets, notes) = read_from(Fails(whole[..20].to_vec()));
    assert!(packets.is_empty());
    assert_eq!(notes[0].text, "reading failed at offset 20: disk on fire");
    assert!(Reader::new(Box::new(Fails(vec![]))).is_err_and(|error| error.to_string() == "disk on fire"));
}

#[test]
fn the_end_stays_the_end() {
    let (whole, _) = captures().remove(0);
    let mut reader = Reader::new(Box::new(io::Cursor::new(whole[..50].to_vec()))).unwrap();
    assert_eq!(drain(&mut reader).len(), 1);
    assert_eq!(reader.take_notes().len(), 1);
    assert!(reader.next_packet().is_none() && reader.take_notes().is_empty());
    assert_eq!(reader.position(), 45);
}

#[test]
fn records_larger_than_the_buffer_are_read() {
    let large = vec![0x5a; 3_000_001];
    let file = Pcap::new(Order::Little, MICROS, 1).packet(1, 0, &large).packet(2, 0, b"small").packet(3, 0, &large);
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets.iter().map(|packet| packet.bytes.len()).collect::<Vec<_>>(), [3_000_001, 5, 3_000_001]);
    assert!(packets[2].bytes == large && notes.is_empty());
}

#[cfg(unix)]
#[test]
fn a_fifo_is_read_as_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (whole, _) = captures().remove(0);
    let (first, second) = (whole[..50].to_vec(), whole[50..].to_vec());
    let (told, wait) = std::sync::mpsc::channel();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            use std::io::Write as _;
            let mut fifo = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            fifo.write_all(&first).unwrap();
            wait.recv().unwrap();
            fifo.write_all(&second).unwrap();
        }
    });
    let mut reader = Reader::new(Box::new(std::fs::File::open(&path).unwrap())).unwrap();
    assert_eq!(reader.next_packet().unwrap().bytes, b"first", "the second packet is not there yet");
    told.send(()).unwrap();
    assert_eq!(drain(&mut reader).len(), 2);
    writer.join().unwrap();
}

/// Reads and decodes whatever it is.
fn survive(bytes: &[u8]) {
    let Ok(mut reader) = Reader::new(Box::new(io::Cursor::new(bytes.to_vec()))) else { return };
    let mut decoder = Decoder::new(Limits::DEFAULT);
    while let Some(packet) = reader.next_packet() {
        decoder.decode(&packet, &mut Whole::default());
    }
    assert!(reader.take_notes().len() <= 5 * 9 && reader.position() <= bytes.len() as u64);
    decoder.notes();
}

proptest! {
    #[test]
    fn anything_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        survive(&bytes);
        for (whole, ends) in captures() {
            survive(&[&whole[..ends[0]], &bytes].concat());
        }
    }

    #[test]
    fn damage_is_survived(at in any::<prop::sample::Index>(), byte in any::<u8>(), which in 0..8_usize) {
        let (mut whole, _) = captures().swap_remove(which);
        let at = at.index(whole.len());
        whole[at] = byte;
        survive(&whole);
    }

    #[test]
    fn packets_of_any_link_type_are_survived(link in 0..300_u32, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survive(&Pcap::new(Order::Little, MICROS, link).packet(1, 0, &bytes).bytes);
    }
}
