//! Where the last messages of all connections stand in TCP: which of them waited may be known only when they were told long ago.

use crate::model::{ConnId, Direction, Limits, Mark, PacketNo};

/// Where in the stream of TCP the bytes at hand stand, where their own offsets do not tell: within a TLS record, which is read when
/// all of it is there, or within what a packet brought.
#[derive(Debug, Clone, Copy)]
pub struct Around {
    /// The first byte.
    pub from: u64,
    /// The one behind the last.
    pub to: u64,
    /// The packet that brought the first. What came before it stands elsewhere.
    pub since: PacketNo,
}

impl Around {
    /// What a packet brought.
    pub const fn piece(from: u64, bytes: &[u8], brought: Mark) -> Self {
        Self { from, to: from + bytes.len() as u64, since: brought.packet }
    }
}

/// A log of all directions' messages: row behind row in one ring, which grows to its bound and then overwrites the oldest. Each row
/// leads to the one before it of the same slot, which mostly is of the same direction: a connection that is idle takes no room.
#[derive(Debug, Default)]
pub struct Sent {
    ring: Vec<Row>,
    /// Rows written so far.
    head: u64,
    /// The last row of each slot, counted from 1.
    slots: Vec<u64>,
}

/// A message.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The row before it of its slot.
    before: u64,
    conn: ConnId,
    dir: Direction,
    /// Its number within its connection.
    pub msg: u64,
    /// The stream offset of its first byte.
    pub from: u64,
    /// The one behind its last.
    pub to: u64,
    /// The packet with its first byte.
    pub first: Mark,
}

/// Slots: of so many connections at once each has its own two.
const SLOTS: usize = 1024;

/// Rows of one slot that are looked at.
const LOOKED_AT: usize = 512;

impl Sent {
    /// Remembers a message.
    #[inline]
    pub fn push(
        &mut self,
        (conn, dir): (ConnId, Direction),
        msg: u64,
        (from, to): (u64, u64),
        first: Mark,
        limits: &Limits,
    ) {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS];
        }
        let Some(last) = self.slots.get_mut(slot(conn, dir)) else { return };
        let row = Row { before: *last, conn, dir, msg, from, to, first };
        match self.ring.get_mut(place(self.head, limits)) {
            Some(old) => *old = row,
            None if limits.sent_messages > 0 => self.ring.push(row),
            None => return,
        }
        self.head += 1;
        *last = self.head;
    }

    /// The messages of a direction that have bytes between two stream offsets, the first first, as far as they are remembered.
    pub fn between(&self, (conn, dir): (ConnId, Direction), (from, to): (u64, u64), limits: &Limits) -> Vec<Row> {
        let last = self.slots.get(slot(conn, dir)).copied().unwrap_or_default();
        let rows = std::iter::successors(self.row(last, limits), |row| self.row(row.before, limits)).take(LOOKED_AT);
        let own = rows.filter(|row| (row.conn, row.dir) == (conn, dir));
        let mut rows: Vec<_> = own.take_while(|row| row.to > from).filter(|row| row.from < to).copied().collect();
        rows.reverse();
        rows
    }

    fn row(&self, number: u64, limits: &Limits) -> Option<&Row> {
        let at = number.checked_sub(1)?;
        // What lies farther back is overwritten.
        let is_there = self.head - at <= self.ring.len() as u64;
        self.ring.get(place(at, limits)).filter(|_| is_there)
    }
}

/// The slot of a direction.
const fn slot(conn: ConnId, dir: Direction) -> usize {
    (conn.0 as usize * 2 + dir as usize) % SLOTS
}

/// Where in the ring a row stands.
fn place(at: u64, limits: &Limits) -> usize {
    usize::try_from(at % limits.sent_messages.max(1) as u64).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{ToClient, ToServer};

    const LIMITS: Limits = Limits { sent_messages: 8, ..Limits::DEFAULT };

    /// Says that a direction's messages, of ten bytes each, were told.
    fn push(sent: &mut Sent, who: (u32, Direction), numbers: std::ops::Range<u64>) {
        for n in numbers {
            sent.push((ConnId(who.0), who.1), n, (n * 10, n * 10 + 10), Mark::default(), &LIMITS);
        }
    }

    fn numbers(sent: &Sent, who: (u32, Direction), span: (u64, u64)) -> Vec<u64> {
        sent.between((ConnId(who.0), who.1), span, &LIMITS).iter().map(|row| row.msg).collect()
    }

    /// Directions in one log, also in one slot of it: each finds its own, and nobody what is overwritten.
    #[test]
    fn finds_what_stands_between_two_offsets() {
        let others = [(1, ToServer), (2, ToClient), (1 + SLOTS as u32 / 2, ToClient)];
        for other in others {
            let (mut sent, one) = (Sent::default(), (1, ToClient));
            assert!(numbers(&sent, one, (0, 99)).is_empty());
            for n in 0..3 {
                push(&mut sent, one, n..n + 1);
                push(&mut sent, other, n..n + 1);
            }
            assert_eq!(numbers(&sent, one, (9, 20)), [0, 1]);
            assert_eq!(numbers(&sent, one, (10, 11)), [1]);
            assert_eq!(numbers(&sent, other, (10, 99)), [1, 2]);
            push(&mut sent, other, 3..8);
            assert_eq!(numbers(&sent, one, (0, 99)), [2], "eight are kept");
            assert_eq!(sent.ring.len(), 8);
            assert_eq!(numbers(&sent, other, (0, 99)), [1, 2, 3, 4, 5, 6, 7], "those before are overwritten");
        }
    }
}
