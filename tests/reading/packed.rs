//! Compressed captures: every format, its members, and every way in which it can end.

use super::make::{Got, codes, drain, read, read_from};
use flate2::Compression;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use proptest::prelude::*;
use std::io::{Cursor, Write as _};
use wspect::capture::{Bytes, OpenError, Part, Reader};
use wspect::model::{FileNote, Limits};

const PLAIN: &[u8] = include_bytes!("../../samples/stomp.pcapng");

/// As gzip, zstd, lz4 and xz write it, the last in blocks, and with a filter.
const PACKED: [&[u8]; 6] = [
    include_bytes!("../data/stomp.pcapng.gz"),
    include_bytes!("../data/stomp.pcapng.zst"),
    include_bytes!("../data/stomp.pcapng.lz4"),
    include_bytes!("../data/stomp.pcapng.xz"),
    include_bytes!("../data/stomp.blocks.xz"),
    include_bytes!("../data/stomp.delta.xz"),
];

/// A frame that zstd and lz4 pass over.
const SKIPPED: &[u8] = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(6));
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

pub(crate) fn refusal(bytes: &[u8]) -> String {
    Reader::new(Box::new(Cursor::new(bytes.to_vec()))).err().unwrap().to_string()
}

/// Reads at most so many bytes, unpacked.
pub(crate) fn within(bytes: Vec<u8>, most: u64) -> Result<(Vec<Got>, Vec<FileNote>), OpenError> {
    let limits = Limits { unpacked_bytes: most, ..Limits::DEFAULT };
    let part = Part { name: "it".into(), bytes: Bytes::Stream(Box::new(Cursor::new(bytes))) };
    let mut reader = Reader::timeline(vec![part], &limits).map_err(|(_, error)| error)?;
    let packets = drain(&mut reader);
    Ok((packets, reader.take_notes()))
}

#[test]
fn every_format_is_read_as_what_it_holds() {
    let plain = read(PLAIN);
    assert!(plain.0.len() > 20 && plain.1.is_empty());
    for packed in PACKED {
        assert!(packed.len() < PLAIN.len());
        assert!(read(packed) == plain);
        let mut reader = Reader::new(Box::new(Cursor::new(packed.to_vec()))).unwrap();
        drain(&mut reader);
        assert_eq!(reader.position(), packed.len() as u64, "progress is that of the file as it is");
    }
}

#[test]
fn members_follow_each_other() {
    let plain = read(PLAIN);
    for at in [1, 7, 100, 4000] {
        let (first, second) = PLAIN.split_at(at);
        let whole = [SKIPPED, &gzip(first), &[0; 700], SKIPPED, &gzip(b""), &gzip(second), &[0; 5]].concat();
        assert!(read(&whole) == plain, "cut at {at}");
    }
    let captures = PACKED.concat();
    assert_eq!(read(&captures).0.len(), PACKED.len() * plain.0.len(), "captures joined as they are, each packed");
}

#[test]
fn what_ends_too_early_is_shown_up_to_there() {
    let (plain, _) = read(PLAIN);
    for packed in PACKED {
        let mut most = 0;
        for len in (1..packed.len()).step_by(7) {
            let Ok((packets, notes)) = within(packed[..len].to_vec(), u64::MAX) else { continue };
            assert!(packets == plain[..packets.len()], "cut at {len}");
            assert!(codes(&notes).contains(&"FILE-CUT"), "cut at {len}: {notes:?}");
            assert!(notes.iter().all(|note| note.code.name() == "FILE-CUT"), "cut at {len}: {notes:?}");
            assert!(packets.len() >= most, "more of the file shows no less of it");
            most = packets.len();
        }
    }
    assert!(refusal(&PACKED[0][..12]).contains("gzip stream is cut"), "{}", refusal(&PACKED[0][..12]));
}

/// Whatever the blocks of an LZ4 frame are, and what it tells of them: also of the first, which may be all of it, is shown what came.
#[test]
fn all_frames_of_lz4_are_read_as_they_come() {
    let many = PLAIN.repeat(12);
    let plain = read(&many).0;
    for form in 0..32 {
        let has = |bit: u8| form >> bit & 1 == 1;
        let info = FrameInfo::new()
            .block_mode(if has(0) { BlockMode::Linked } else { BlockMode::Independent })
            .block_size(if has(1) { BlockSize::Max64KB } else { BlockSize::Max4MB })
            .block_checksums(has(2))
            .content_checksum(has(3))
            .content_size(has(4).then_some(many.len() as u64));
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(&many).unwrap();
        let packed = encoder.finish().unwrap();
        let (packets, notes) = read(&packed);
        assert!(packets == plain && notes.is_empty(), "{form}: {notes:?}");
        let (packets, notes) = read(&packed[..packed.len() / 2]);
        assert!(packets.len() > 5 && packets == plain[..packets.len()], "{form}: {}", packets.len());
        assert_eq!(codes(&notes), ["FILE-CUT"], "{form}");
        // Of its last bytes each is vouched for by a checksum, if there is any.
        let mut wrong = packed.clone();
        let at = wrong.len() - if has(3) { 9 } else { 5 } - if has(2) { 4 } else { 0 };
        wrong[at] ^= 1;
        let (_, notes) = read(&wrong);
        assert_eq!(notes.iter().any(|note| note.text.contains("checksum")), has(2) || has(3), "{form}: {notes:?}");
    }
}

#[test]
fn what_stands_behind_is_told() {
    for packed in PACKED {
        let (packets, notes) = read(&[packed, b"Hello"].concat());
        assert!(packets == read(PLAIN).0);
        assert_eq!(codes(&notes), ["FILE-DAMAGED"]);
        assert!(notes[0].text.contains(&format!("offset {} of the file", packed.len())), "{}", notes[0].text);
    }
}

#[test]
fn damage_is_told_and_costs_what_is_behind_it() {
    let mut packed = gzip(&PLAIN.repeat(200));
    let at = packed.len() - 6;
    packed[at] ^= 1;
    let (packets, notes) = read(&packed);
    assert_eq!(packets.len(), 200 * read(PLAIN).0.len(), "the checksum alone is wrong");
    assert_eq!(codes(&notes), ["FILE-DAMAGED"]);
    let at = packed.len() / 2;
    packed[at..at + 40].fill(0xff);
    let (packets, notes) = read(&packed);
    assert!(packets.len() > 10 && codes(&notes).contains(&"FILE-DAMAGED"), "{} {notes:?}", packets.len());
}

#[test]
fn bombs_stop_at_the_bound() {
    let bomb = gzip(&[PLAIN, &vec![1; 30 << 20]].concat());
    assert!(bomb.len() < 100_000);
    for packed in PACKED {
        let len = PLAIN.len() as u64;
        assert!(within(packed.to_vec(), len).unwrap() == read(PLAIN), "as much as may be is no fault");
        let (packets, notes) = within(packed.to_vec(), len - 1).unwrap();
        assert!(codes(&notes).contains(&"FILE-LIMIT"), "{notes:?}");
        assert!(packets == read(&PLAIN[..PLAIN.len() - 1]).0, "all that may be is shown");
    }
    let (packets, notes) = within(bomb, 1 << 20).unwrap();
    assert!(packets == read(PLAIN).0);
    let told = notes.iter().find(|note| note.code.name() == "FILE-LIMIT").unwrap();
    assert!(told.text.contains("--max-unpacked"), "{}", told.text);
}

/// As `zstd --long=31` writes it: the window is in the head of the frame (RFC 8878 §3.1.1.1.2).
#[test]
fn a_window_that_is_too_large_is_told_with_what_to_do() {
    let packed = |power: u8| {
        let head = [0x28, 0xb5, 0x2f, 0xfd, 0, (power - 10) << 3];
        let raw = ((PLAIN.len() as u32) << 3 | 1).to_le_bytes();
        [&head[..], &raw[..3], PLAIN].concat()
    };
    assert_eq!(read(&packed(27)), read(PLAIN));
    let refusal = refusal(&packed(31));
    let expected =
        "refers back by up to 2.1 GB, of which no more than 134 MB are kept: unpack it before (zstd -d --long=31)";
    assert!(refusal.contains(expected) && refusal.lines().count() == 1, "{refusal}");
}

#[test]
fn what_is_inside_is_named() {
    let mut tar = vec![0; 600];
    tar[257..262].copy_from_slice(b"ustar");
    assert!(refusal(&gzip(&tar)).starts_with("inside the gzip stream: this is a tar archive"));
    assert!(refusal(&gzip(b"Hello, world\n")).contains("it looks like text"));
    assert_eq!(refusal(&gzip(b"")), "inside the gzip stream: empty file (0 bytes)");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_survived(which in 0..PACKED.len(), flips in prop::collection::vec((any::<usize>(), any::<u8>()), 1..8)) {
        let mut packed = PACKED[which].to_vec();
        for (at, with) in flips {
            let at = at % packed.len();
            packed[at] ^= with;
        }
        if let Ok((packets, notes)) = within(packed, 1 << 20) {
            prop_assert!(notes.len() < 50 && packets.len() < 10_000);
        }
    }

    #[test]
    fn however_it_comes(which in 0..PACKED.len(), step in 1..50_usize) {
        struct Steps(&'static [u8], usize);
        impl std::io::Read for Steps {
            fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
                let most = self.1.min(room.len());
                self.0.read(&mut room[..most])
            }
        }
        prop_assert!(read_from(Steps(PACKED[which], step)) == read(PLAIN));
    }
}
