//! What happens to segments on their way into a capture: order, copies, cuts, loss.

use super::super::Dice;
use super::session::{ACK, FIN, RST, SYN, Segment};
use std::net::SocketAddr;

/// Moves segments by less than `window` places; those for which `fixed` holds keep their place.
pub(crate) fn shuffle(
    segments: &mut [Segment],
    window: usize,
    dice: &mut Dice,
    fixed: impl Fn(usize, &Segment) -> bool,
) {
    let free: Vec<usize> = (0..segments.len()).filter(|&at| !fixed(at, &segments[at])).collect();
    let mut order: Vec<(usize, usize)> = free.iter().map(|&at| (at + dice.below(window), at)).collect();
    order.sort();
    let moved: Vec<Segment> = order.iter().map(|&(_, at)| segments[at].clone()).collect();
    for (at, segment) in free.into_iter().zip(moved) {
        segments[at] = segment;
    }
}

/// Repeats segments: each with a chance of one in `rarity`, up to `window` places later.
pub(crate) fn duplicate(segments: &[Segment], rarity: usize, window: usize, dice: &mut Dice) -> Vec<Segment> {
    let mut out: Vec<(usize, Segment)> = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        out.push((2 * at, segment.clone()));
        if dice.below(rarity) == 0 {
            out.push((2 * (at + dice.below(window)) + 1, segment.clone()));
        }
    }
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(_, segment)| segment).collect()
}

/// Cuts every payload into segments of `len` bytes.
pub(crate) fn chop(segments: &[Segment], len: usize) -> Vec<Segment> {
    let mut out = Vec::new();
    for segment in segments {
        if segment.payload.len() <= len || segment.flags & SYN != 0 {
            out.push(segment.clone());
            continue;
        }
        for from in (0..segment.payload.len()).step_by(len) {
            out.push(segment.part(from, (from + len).min(segment.payload.len())));
        }
    }
    out
}

/// Behind each data segment, with a chance of one in `rarity`, sends bytes of its direction again in other cuts:
/// some that went before it, and a part of its own. Nothing is sent that was not, and nothing differs.
pub(crate) fn overlap(segments: &[Segment], rarity: usize, dice: &mut Dice) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    let mut sent: Vec<((SocketAddr, SocketAddr), Segment)> = Vec::new();
    for segment in segments {
        out.push(segment.clone());
        if segment.payload.is_empty() || segment.flags & (SYN | FIN | RST) != 0 {
            continue;
        }
        let way = (segment.src, segment.dst);
        let before = match sent.iter_mut().find(|(other, _)| *other == way) {
            Some((_, before)) if before.end() == segment.seq => {
                before.payload.extend(&segment.payload);
                before.ack = segment.ack;
                before
            }
            Some((_, before)) => {
                *before = segment.clone();
                before
            }
            None => {
                sent.push((way, segment.clone()));
                &mut sent.last_mut().unwrap().1
            }
        };
        if dice.below(rarity) == 0 {
            let len = before.payload.len();
            let from = len - dice.below(len.min(3000)) - 1;
            let to = from + 1 + dice.below(len - from);
            out.push(before.part(from, to));
        }
    }
    out
}

/// Cuts one direction's bytes anew into segments that overlap: every byte comes at least once, many several times.
pub(crate) fn recut(segments: &[Segment], most: usize, dice: &mut Dice) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < segments.len() {
        let mut run = segments[at].clone();
        let mut next = at + 1;
        while next < segments.len()
            && !run.payload.is_empty()
            && segments[next].src == run.src
            && segments[next].dst == run.dst
            && segments[next].seq == run.end()
            && run.flags & (SYN | FIN | RST) == 0
            && segments[next].flags & (SYN | RST) == 0
            && !segments[next].payload.is_empty()
        {
            run.payload.extend(&segments[next].payload);
            run.flags |= segments[next].flags;
            next += 1;
        }
        at = next;
        if run.payload.len() < 2 {
            out.push(run);
            continue;
        }
        let mut covered = 0;
        while covered < run.payload.len() {
            let from = covered - dice.below(covered.min(most) + 1);
            let to = (covered + 1 + dice.below(most)).min(run.payload.len());
            out.push(run.part(from, to));
            covered = to;
        }
    }
    out
}

/// Shifts the sequence numbers of each direction so that `bytes` bytes after its SYN they wrap.
pub(crate) fn wrap(segments: &[Segment], bytes: u32) -> Vec<Segment> {
    let isn = |src: SocketAddr, dst: SocketAddr| {
        segments.iter().find(|s| s.src == src && s.dst == dst && s.flags & SYN != 0).map_or(0, |s| s.seq)
    };
    let shift = |src, dst| 0_u32.wrapping_sub(bytes).wrapping_sub(isn(src, dst));
    segments
        .iter()
        .map(|s| Segment {
            seq: s.seq.wrapping_add(shift(s.src, s.dst)),
            ack: if s.flags & ACK != 0 { s.ack.wrapping_add(shift(s.dst, s.src)) } else { 0 },
            ..s.clone()
        })
        .collect()
}

/// The same segments between other ports of the client.
pub(crate) fn from_port(segments: &[Segment], client: SocketAddr, port: u16) -> Vec<Segment> {
    let moved = |end: SocketAddr| if end == client { SocketAddr::new(end.ip(), port) } else { end };
    segments.iter().map(|s| Segment { src: moved(s.src), dst: moved(s.dst), ..s.clone() }).collect()
}
