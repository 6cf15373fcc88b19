//! Compressed captures that are cut, still come, or are damaged: what there is of them is shown.

use super::make::{Got, codes};
use super::packed::within;
use flate2::Crc;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use wspect::capture::Reader;

const MQTT: &[u8] = include_bytes!("../../samples/mqtt.pcap");
const STOMP: &[u8] = include_bytes!("../../samples/stomp.pcapng");
const BLOCKS: &[u8] = include_bytes!("../data/stomp.blocks.xz");
const DELTA: &[u8] = include_bytes!("../data/stomp.delta.xz");

/// What the tools write of the beginnings of these files.
const CUTS: &str = include_str!("../data/cuts.txt");

/// Bytes that may be missing of a cut xz stream: what its last symbol stands for.
const SYMBOL: usize = 20;

/// The beginning of a compressed file, how much of it the tool unpacks, and of what.
struct Cut {
    packed: &'static [u8],
    at: usize,
    plain: &'static [u8],
    told: usize,
    /// Bytes of those told that may be missing.
    slack: usize,
}

fn cuts() -> impl Iterator<Item = Cut> {
    CUTS.lines().skip(1).map(|line| {
        let [name, at, told] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (packed, plain): (&[u8], _) = match name {
            "mqtt.pcap.zst" => (include_bytes!("../data/mqtt.pcap.zst"), MQTT),
            "mqtt.pcap.xz" => (include_bytes!("../data/mqtt.pcap.xz"), MQTT),
            "stomp.blocks.xz" => (BLOCKS, STOMP),
            _ => (DELTA, STOMP),
        };
        let slack = if name.ends_with("xz") { SYMBOL } else { 0 };
        Cut { packed, at: at.parse().unwrap(), plain, told: told.parse().unwrap(), slack }
    })
}

/// The packets of what may be no capture yet.
fn packets(bytes: &[u8]) -> Vec<Got> {
    within(bytes.to_vec(), u64::MAX).map_or(Vec::new(), |(packets, _)| packets)
}

#[test]
fn what_is_cut_is_shown_as_far_as_the_tools_unpack_it() {
    let (mut count, mut exact) = (0, 0);
    for Cut { packed, at, plain, told, slack } in cuts() {
        let (got, most) = (packets(&packed[..at]), packets(&plain[..told]));
        let least = packets(&plain[..told.saturating_sub(slack)]);
        assert!(got == most[..got.len()] && got.len() >= least.len(), "cut at {at}: {} of {}", got.len(), most.len());
        count += 1;
        exact += usize::from(got.len() == most.len());
    }
    assert!(count > 200 && exact * 20 > count * 19, "{exact} of {count}");
}

/// Counts what was read before it is asked for what is behind `pause`.
struct Pausing {
    bytes: &'static [u8],
    pause: usize,
    read: Arc<AtomicUsize>,
    before: Arc<AtomicUsize>,
}

impl Read for Pausing {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.pause == 0 {
            self.before.store(self.read.load(SeqCst), SeqCst);
            self.pause = usize::MAX;
        }
        let count = self.pause.min(room.len());
        let read = self.bytes.read(&mut room[..count])?;
        self.pause -= if self.pause == usize::MAX { 0 } else { read };
        Ok(read)
    }
}

#[test]
fn what_has_come_is_shown_before_more_is_waited_for() {
    for (Cut { packed, at, plain, told, slack }, before) in cuts().skip(1).zip(cuts()) {
        let (read, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let source = Pausing { bytes: packed, pause: at, read: read.clone(), before: seen.clone() };
        let mut reader = Reader::new(Box::new(source)).unwrap();
        while reader.next_packet().is_some() {
            read.fetch_add(1, SeqCst);
        }
        // An xz decoder looks twenty bytes ahead.
        let least = if slack == 0 { told } else { before.told.min(told) };
        let (least, most) = (packets(&plain[..least]).len(), packets(&plain[..told]).len());
        let seen = seen.load(SeqCst);
        assert!((least..=most).contains(&seen), "at {at}: {seen} of {least} to {most}");
    }
}

/// A frame of zstd with the bytes as they are, in blocks of these sizes and one more.
fn raw_frame(plain: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut frame = b"\x28\xb5\x2f\xfd\x00\x38".to_vec();
    let mut rest = plain;
    for (at, &size) in sizes.iter().chain([&plain.len()]).enumerate() {
        let (block, behind) = rest.split_at(size.min(rest.len()));
        let header = block.len() << 3 | usize::from(at == sizes.len());
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(block);
        rest = behind;
    }
    frame
}

#[test]
fn raw_blocks_are_shown_byte_by_byte() {
    const SIZES: [usize; 5] = [3, 0, 1500, 1, 700];
    let whole = raw_frame(STOMP, &SIZES);
    assert!(packets(&whole) == packets(STOMP));
    for at in (6..whole.len()).step_by(5) {
        let mut starts = 6;
        let mut there = 0;
        for size in SIZES.into_iter().chain([STOMP.len() - SIZES.iter().sum::<usize>()]) {
            starts += 3;
            there += at.saturating_sub(starts).min(size);
            starts += size;
        }
        assert!(packets(&whole[..at]) == packets(&STOMP[..there]), "cut at {at}");
    }
}

#[test]
fn no_flipped_bit_of_an_xz_stream_is_overlooked() {
    for packed in [BLOCKS, DELTA] {
        assert!(packets(packed) == packets(STOMP));
        for at in 0..packed.len() {
            let mut packed = packed.to_vec();
            packed[at] ^= 1 << (at % 8);
            if let Ok((_, notes)) = within(packed, 1 << 20) {
                let codes = codes(&notes);
                assert!(codes.contains(&"FILE-DAMAGED") || codes.contains(&"FILE-CUT"), "at {at}: {notes:?}");
            }
        }
    }
}

#[test]
fn much_history_is_refused() {
    let refusal = |bytes: &[u8]| Reader::new(Box::new(io::Cursor::new(bytes.to_vec()))).err().unwrap().to_string();
    let zstd = refusal(b"\x28\xb5\x2f\xfd\x00\xa8\x09\x00\x00a");
    assert!(zstd.contains("refers back by up to 2.1 GB"), "{zstd}");
    let mut xz = include_bytes!("../data/stomp.pcapng.xz").to_vec();
    xz[16] = 40;
    let mut crc = Crc::new();
    crc.update(&xz[12..20]);
    xz[20..24].copy_from_slice(&crc.sum().to_le_bytes());
    assert!(refusal(&xz).contains("its history takes more than 192 MB"), "{}", refusal(&xz));
}
