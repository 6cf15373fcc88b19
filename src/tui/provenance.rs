//! Where a byte of the Bytes screen comes from, through all that carried it.

use super::wire::Source;
use crate::model::{Envelope, PacketNo};
use std::ops::Range;

/// What is known of the way of a frame's bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Provenance {
    /// First and last packet of the frame, and of its whole message.
    pub(super) packets: (PacketNo, PacketNo),
    pub(super) message_packets: (PacketNo, PacketNo),
    /// The records, or DATA frames, that carry the frame.
    pub(super) records: Vec<Envelope>,
    /// The name of one of those.
    pub(super) record_name: &'static str,
    /// What the stream's bytes are called, with an arrow: `← decrypted`.
    pub(super) place: String,
    /// Where in the direction's stream the frame begins.
    pub(super) stream_offset: u64,
    /// Bytes of the frame's head, and of its payload.
    pub(super) header_len: u64,
    pub(super) len: u64,
    /// Bytes of the message's payload in the frames before it, and of the whole, as they were sent.
    pub(super) before: u64,
    pub(super) wire_len: u64,
    /// Bytes before the frame in what its records say.
    pub(super) lead: u64,
}

impl Provenance {
    /// The byte of the frame at an offset among those that a source shows; `None`: it is none of the frame, or of what was read
    /// once more.
    pub(super) fn frame_byte(&self, source: Source, offset: u64) -> Option<u64> {
        let at = match source {
            Source::Tls | Source::Http2 => offset.checked_sub(self.lead),
            Source::Frame => Some(offset),
            Source::Unmasked => offset.checked_add(self.header_len),
            Source::Packet | Source::Tcp | Source::Inflated => None,
        };
        at.filter(|&at| at < self.header_len.saturating_add(self.len).saturating_add(TAIL))
    }

    /// What is to be said of the byte at an offset among those that a source shows, the outermost first; `packet` is what is known
    /// of its packet beside the number.
    pub(super) fn words(&self, source: Source, offset: u64, packet: Vec<String>) -> Vec<String> {
        let packets = |(first, last): (PacketNo, PacketNo)| match first == last {
            true => format!("packet {last}"),
            false => format!("packets {first}…{last}"),
        };
        if source == Source::Inflated {
            let wire = self.wire_len;
            return vec![packets(self.message_packets), format!("inflated from {wire} bytes of payload")];
        }
        let in_frame = self.frame_byte(source, offset);
        let in_stream = match in_frame {
            Some(at) => self.stream_offset.saturating_add(at),
            None => self.stream_offset.saturating_add(offset).saturating_sub(self.lead),
        };
        let holds = |record: &&Envelope| (record.offset..record.end()).contains(&in_stream);
        let record = self.records.iter().find(holds);
        let payload: Range<u64> = self.header_len..self.header_len.saturating_add(self.len);
        let mut words = packet;
        words.extend(in_frame.filter(|_| words.is_empty()).map(|_| packets(self.packets)));
        words.extend(record.map(|record| format!("{} {}", self.record_name, record.number)));
        words.push(format!("{} {in_stream}", self.place));
        match in_frame {
            Some(at) => words.push(format!("frame byte {at}")),
            None => words.push("another frame".to_owned()),
        }
        let in_payload =
            in_frame.filter(|at| payload.contains(at)).map(|at| (at - self.header_len).saturating_add(self.before));
        words.extend(in_payload.map(|at| format!("payload byte {at}")));
        words
    }
}

/// Bytes that may stand behind a payload.
const TAIL: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Direction;

    fn way() -> Provenance {
        let record = |number, offset| Envelope {
            dir: Direction::ToClient,
            number,
            wire_len: 50,
            brought: 0,
            offset,
            len: 28,
            data: None,
        };
        Provenance {
            packets: (PacketNo(9), PacketNo(11)),
            message_packets: (PacketNo(7), PacketNo(11)),
            records: vec![record(3, 72), record(4, 100)],
            record_name: "record",
            place: "← decrypted".to_owned(),
            stream_offset: 92,
            header_len: 2,
            len: 20,
            before: 100,
            wire_len: 120,
            lead: 20,
        }
    }

    #[test]
    fn a_byte_is_followed_through_all_that_carried_it() {
        let words = |source, offset| way().words(source, offset, Vec::new()).join(" · ");
        let payload = "packets 9…11 · record 4 · ← decrypted 104 · frame byte 12 · payload byte 110";
        assert_eq!(words(Source::Frame, 12), payload);
        assert_eq!(words(Source::Unmasked, 10), payload);
        assert_eq!(words(Source::Tls, 32), payload);
        assert_eq!(words(Source::Frame, 0), "packets 9…11 · record 3 · ← decrypted 92 · frame byte 0");
        let packet = vec!["packet 10 byte 80".to_owned(), "file offset 0x1f4a".to_owned()];
        let known = way().words(Source::Frame, 12, packet).join(" · ");
        assert_eq!(known, payload.replace("packets 9…11", "packet 10 byte 80 · file offset 0x1f4a"));
        // Of its neighbours no more is known than where they stand.
        assert_eq!(words(Source::Tls, 5), "record 3 · ← decrypted 77 · another frame");
        assert_eq!(words(Source::Tls, 50), "record 4 · ← decrypted 122 · another frame");
        assert_eq!(words(Source::Inflated, 400), "packets 7…11 · inflated from 120 bytes of payload");
        // Lengths that nothing can have.
        let huge = Provenance { len: u64::MAX, stream_offset: u64::MAX, before: 0, ..way() };
        assert!(huge.words(Source::Frame, u64::MAX - 1, Vec::new()).len() > 2);
    }
}
