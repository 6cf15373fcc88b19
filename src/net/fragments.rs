//! IP fragments → what they are fragments of.
//!
//! Kept is what may still be completed, within [`Limits`]: of copies of a byte the first stays, as in TCP; a packet of too
//! many pieces, or too old, is given up.

use crate::model::{EncapId, Ip, Limits, Mark, PacketNo, Tally};
use std::collections::{BTreeMap, HashMap};

/// What the fragments of one packet have in common (RFC 791 §3.2, RFC 8200 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) src: Ip,
    pub(super) dst: Ip,
    pub(super) id: u32,
    /// Of IPv4 only: in IPv6 the number is the sender's alone.
    pub(super) protocol: Option<u8>,
    /// What the fragments are wrapped in.
    pub(super) encap: EncapId,
}

/// One fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    pub(super) src: Ip,
    pub(super) dst: Ip,
    pub(super) id: u32,
    /// What the whole packet carries, as this fragment has it.
    pub(super) protocol: u8,
    /// Where its bytes stand in the whole payload.
    pub(super) offset: usize,
    /// Others follow it.
    pub(super) more: bool,
    /// The captured bytes.
    pub(super) payload: &'a [u8],
    /// How many there were on the wire, at least those captured.
    pub(super) wire_len: usize,
}

/// The payload of a packet that came whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// What it carries, as its first fragment has it (RFC 8200 §4.5).
    pub(super) protocol: u8,
    /// The bytes, up to the first that was cut from the capture.
    pub(super) payload: Vec<u8>,
    /// How many there were on the wire.
    pub(super) wire_len: usize,
}

/// What became of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Added {
    /// The packet that it completed.
    pub(super) whole: Option<Whole>,
    /// The captured packets that brought that one.
    pub(super) packets: Vec<PacketNo>,
    /// It says otherwise than those that came before it.
    pub(super) disagrees: bool,
}

/// Where fragments wait for the rest of their packet.
#[derive(Debug, Default)]
pub(super) struct Room {
    partials: HashMap<Key, Partial>,
    /// By their serial: the oldest first.
    ages: BTreeMap<u64, Age>,
    serials: u64,
    /// What all of it costs.
    bytes: usize,
    /// Packets that were given up because they were too old, or in too many pieces.
    lost: Tally,
    /// Those that had to make room for others.
    crowded_out: Tally,
}

#[derive(Debug, Clone, Copy)]
struct Age {
    key: Key,
    /// Where its first fragment came.
    first: Mark,
}

impl Room {
    /// Takes a fragment, and which packets brought it: several, where it lay in fragments itself.
    pub(super) fn add(
        &mut self,
        fragment: &Fragment<'_>,
        encap: EncapId,
        (mark, packets): (Mark, &[PacketNo]),
        limits: &Limits,
    ) -> Added {
        self.expire(mark, limits);
        let &Fragment { src, dst, id, protocol, .. } = fragment;
        let key = Key { src, dst, id, protocol: (!src.is_v6()).then_some(protocol), encap };
        if !self.partials.contains_key(&key) {
            self.begin(key, Partial::default(), mark);
        }
        let mut added = Added { whole: None, packets: Vec::new(), disagrees: false };
        let Some(partial) = self.partials.get_mut(&key).filter(|partial| !partial.is_given_up) else { return added };
        self.bytes -= partial.cost();
        added.disagrees = !partial.add(fragment);
        // Copies bring nothing new, however many there are.
        if partial.packets.len() < limits.fragment_pieces {
            partial.packets.extend_from_slice(packets);
        }
        added.whole = partial.whole();
        if partial.pieces.len() > limits.fragment_pieces {
            partial.pieces = Vec::new();
            partial.is_given_up = true;
        }
        self.bytes += partial.cost();
        if added.whole.is_some() {
            added.packets = self.take(&key).map(|partial| partial.packets).unwrap_or_default();
            self.begin(key, Partial { is_again: true, ..Partial::default() }, mark);
        }
        while self.bytes > limits.fragment_total
            && let Some(&Age { key, first }) = self.ages.values().next()
        {
            if self.take(&key).is_some_and(|partial| partial.is_lost()) {
                self.crowded_out.add(1, first);
            }
        }
        added
    }

    fn begin(&mut self, key: Key, partial: Partial, first: Mark) {
        self.serials += 1;
        self.bytes += partial.cost();
        self.ages.insert(self.serials, Age { key, first });
        self.partials.insert(key, Partial { serial: self.serials, ..partial });
    }

    fn take(&mut self, key: &Key) -> Option<Partial> {
        let partial = self.partials.remove(key)?;
        self.ages.remove(&partial.serial);
        self.bytes -= partial.cost();
        Some(partial)
    }

    /// Gives up what is too old to be completed.
    fn expire(&mut self, now: Mark, limits: &Limits) {
        while let Some(&Age { key, first }) = self.ages.values().next()
            && (now.packet.0.saturating_sub(first.packet.0) > limits.fragment_packets
                || now.since(first).is_some_and(|nanos| nanos > limits.fragment_nanos))
        {
            if self.take(&key).is_some_and(|partial| partial.is_lost()) {
                self.lost.add(1, first);
            }
        }
    }

    /// Packets that did not come whole: those that were given up in time, and those that had to make room. To be asked for
    /// at the end, when those that still wait are lost, too.
    pub(super) fn lost(&self) -> (Tally, Tally) {
        let mut lost = self.lost;
        for age in self.ages.values() {
            if self.partials.get(&age.key).is_some_and(Partial::is_lost) {
                lost.add(1, age.first);
            }
        }
        (lost, self.crowded_out)
    }
}

/// A packet of which not all fragments came yet.
#[derive(Debug, Default)]
struct Partial {
    /// Its place in [`Room::ages`].
    serial: u64,
    /// In order of their offset; they do not overlap.
    pieces: Vec<Piece>,
    /// Those that brought them.
    packets: Vec<PacketNo>,
    /// Where the payload ends, once the last fragment came.
    end: Option<usize>,
    /// What it carries, once the first fragment came.
    protocol: Option<u8>,
    /// It is in too many pieces.
    is_given_up: bool,
    /// Its like came whole before: what comes are copies, or another packet with the same number.
    is_again: bool,
}

#[derive(Debug)]
struct Piece {
    /// From where to where, in bytes of the whole payload on the wire.
    from: usize,
    to: usize,
    /// Those captured.
    bytes: Vec<u8>,
}

impl Partial {
    /// Bytes that it costs.
    fn cost(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(|piece| piece.bytes.len() + size_of::<Piece>()).sum();
        size_of::<Self>() + size_of::<Key>() + size_of::<Age>() + pieces + size_of_val(self.packets.as_slice())
    }

    /// Whether bytes of it are missing for good when nothing more comes.
    const fn is_lost(&self) -> bool {
        !self.is_again && (self.is_given_up || !self.pieces.is_empty())
    }

    /// Adds what is new in a fragment; false where it says otherwise than those before it.
    fn add(&mut self, fragment: &Fragment<'_>) -> bool {
        let (from, to) = (fragment.offset, fragment.offset + fragment.wire_len);
        let reached = self.pieces.last().map_or(0, |piece| piece.to);
        if from == 0 {
            self.protocol.get_or_insert(fragment.protocol);
        }
        let end = if fragment.more { self.end } else { Some(*self.end.get_or_insert(to)) };
        let mut agrees = end.is_none_or(|end| to.max(reached) <= end && (fragment.more || to == end));
        let captured = |from: usize, to: usize| {
            let clip = |at: usize| (at - fragment.offset).min(fragment.payload.len());
            fragment.payload.get(clip(from)..clip(to)).unwrap_or_default()
        };
        let (mut at, mut fresh) = (from, Vec::new());
        for piece in self.pieces.iter().filter(|piece| piece.from < to && from < piece.to) {
            if at < piece.from {
                fresh.push((at, piece.from));
            }
            let (first, last) = (piece.from.max(from), piece.to.min(to));
            let known = piece.bytes.get(first - piece.from..).unwrap_or_default();
            agrees &= known.iter().zip(captured(first, last)).all(|(known, byte)| known == byte);
            at = last;
        }
        if at < to {
            fresh.push((at, to));
        }
        self.pieces.extend(fresh.into_iter().map(|(from, to)| Piece { from, to, bytes: captured(from, to).to_vec() }));
        self.pieces.sort_unstable_by_key(|piece| piece.from);
        agrees
    }

    /// The payload, if all of it is there.
    fn whole(&self) -> Option<Whole> {
        let (protocol, end) = (self.protocol?, self.end?);
        let reached = self.pieces.iter().fold(0, |at, piece| if piece.from == at { piece.to } else { at });
        if reached < end {
            return None;
        }
        let mut payload = Vec::with_capacity(self.pieces.iter().map(|piece| piece.bytes.len()).sum());
        for piece in &self.pieces {
            payload.extend(&piece.bytes);
            if payload.len() < piece.to {
                break;
            }
        }
        payload.truncate(end);
        Some(Whole { protocol, payload, wire_len: end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use std::net::Ipv4Addr;

    const LIMITS: Limits = Limits::DEFAULT;

    /// A fragment of the packet with that number.
    fn fragment(id: u32, offset: usize, more: bool, payload: &[u8]) -> Fragment<'_> {
        let ip = Ip::from(Ipv4Addr::LOCALHOST);
        Fragment { src: ip, dst: ip, id, protocol: 6, offset, more, payload, wire_len: payload.len() }
    }

    /// The packet with that number, at that second.
    fn mark(packet: u64, second: i64) -> Mark {
        Mark { packet: PacketNo(packet), time: Some(Timestamp::from_nanos(second * 1_000_000_000)) }
    }

    fn add(room: &mut Room, fragment: &Fragment<'_>, mark: Mark) -> Added {
        room.add(fragment, EncapId::default(), (mark, &[mark.packet]), &LIMITS)
    }

    fn lost(room: &Room) -> (u64, u64) {
        let (lost, crowded_out) = room.lost();
        (lost.count, crowded_out.count)
    }

    /// Every pair of overlapping pieces in either order: the first copy of each byte stays.
    #[test]
    fn the_first_copy_of_a_byte_stays() {
        let cuts: Vec<(usize, usize)> = (0..5).flat_map(|from| (from + 1..=5).map(move |to| (from, to))).collect();
        for &a in &cuts {
            for &b in &cuts {
                let (mut room, mut model) = (Room::default(), [None; 5]);
                for (byte, (from, to)) in (1..).zip([a, b, (0, 5)]) {
                    let places = &mut model[from..to];
                    let disagrees = places.iter().any(Option::is_some);
                    places.iter_mut().for_each(|place| _ = place.get_or_insert(byte));
                    let payload = vec![byte; 8 * (to - from)];
                    let added = add(&mut room, &fragment(1, 8 * from, to < 5, &payload), mark(1, 1));
                    assert_eq!(added.disagrees, disagrees, "{a:?} {b:?}");
                    let whole: Option<Vec<u8>> = model.iter().copied().collect();
                    let whole = whole.map(|bytes| bytes.iter().flat_map(|&byte| [byte; 8]).collect::<Vec<u8>>());
                    assert!(added.whole.map(|whole| whole.payload) == whole, "{a:?} {b:?}");
                    if whole.is_some() {
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn fragments_grow_old() {
        for (later, expected) in
            [(mark(9, 30), 0), (mark(9, 31), 1), (mark(1 << 16, 1), 0), (mark(2 + (1 << 16), 1), 1)]
        {
            let mut room = Room::default();
            add(&mut room, &fragment(1, 0, true, &[0; 8]), mark(1, 0));
            let added = add(&mut room, &fragment(1, 8, false, &[0; 8]), later);
            assert_eq!(added.whole.is_none(), expected > 0, "{later:?}");
            assert_eq!(room.lost.count, expected, "{later:?}");
        }
    }

    /// A packet of too many pieces, very many packets, and the same again.
    #[test]
    fn memory_is_bounded() {
        let mut room = Room::default();
        for piece in 0..1000 {
            add(&mut room, &fragment(1, 16 * piece, true, &[0; 8]), mark(1, 1));
        }
        assert_eq!((room.partials.len(), lost(&room)), (1, (1, 0)));
        assert!(room.bytes < 1000, "{} bytes", room.bytes);
        let mut packets = 0;
        for packet in 0..2000_u64 {
            for place in 0..2 {
                let payload = vec![0; 60_000];
                let offset = if place == 0 { 0 } else { 60_008 };
                add(&mut room, &fragment(100 + packet as u32, offset, true, &payload), mark(packet, 1));
            }
            packets = packet + 1;
            assert!(room.bytes <= LIMITS.fragment_total);
        }
        let waiting = room.partials.len() as u64;
        assert_eq!(lost(&room), (waiting, packets + 1 - waiting));
        assert_eq!(room.ages.len(), room.partials.len());
        for packet in room.partials.keys().copied().collect::<Vec<_>>() {
            room.take(&packet);
        }
        assert_eq!(room.bytes, 0);
    }

    #[test]
    fn copies_of_a_whole_packet_are_no_loss() {
        let mut room = Room::default();
        for round in 0..3 {
            assert!(add(&mut room, &fragment(1, 0, true, &[1; 8]), mark(round, 1)).whole.is_none());
            assert!(add(&mut room, &fragment(1, 8, false, &[2; 8]), mark(round, 1)).whole.is_some());
        }
        add(&mut room, &fragment(1, 8, false, &[2; 8]), mark(4, 1));
        assert_eq!(lost(&room), (0, 0));
        add(&mut room, &fragment(2, 8, false, &[2; 8]), mark(4, 1));
        assert_eq!(lost(&room), (1, 0));
    }
}
