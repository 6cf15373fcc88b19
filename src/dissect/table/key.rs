//! What tells streams apart.

use super::LATEST;
use crate::model::{EncapId, Endpoint};
use std::hash::{Hash, Hasher};
use std::ops::{Index, IndexMut};

/// An end of a flow's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Low,
    High,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Low, Self::High];

    /// The other end.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// Something of each end of a flow's key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends<T> {
    pub(super) low: T,
    pub(super) high: T,
}

impl<T> Ends<T> {
    /// What is so made for each.
    pub(super) fn from_fn(mut make: impl FnMut(Side) -> T) -> Self {
        Self { low: make(Side::Low), high: make(Side::High) }
    }

    /// With this for one end, and that for the other.
    pub(super) fn of(side: Side, own: T, other: T) -> Self {
        match side {
            Side::Low => Self { low: own, high: other },
            Side::High => Self { low: other, high: own },
        }
    }
}

impl Ends<bool> {
    /// Whether it is so of an end.
    pub(super) const fn any(self) -> bool {
        self.low || self.high
    }

    /// Whether it is so of both.
    pub(super) const fn all(self) -> bool {
        self.low && self.high
    }
}

impl<T> Index<Side> for Ends<T> {
    type Output = T;

    #[inline]
    fn index(&self, side: Side) -> &T {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }
}

impl<T> IndexMut<Side> for Ends<T> {
    #[inline]
    fn index_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Low => &mut self.low,
            Side::High => &mut self.high,
        }
    }
}

/// The same for both directions: addresses and ports, the lower end first, and what is around them.
#[derive(Debug, Clone, Copy, Eq)]
pub(super) struct FlowKey {
    low: [u64; 2],
    high: [u64; 2],
    /// What the packets are wrapped in, whether the addresses are IPv6, and the ports of the lower and of the higher end.
    rest: u64,
}

impl PartialEq for FlowKey {
    /// Word by word: arrays would be read back whole from where they were just written in pieces, and waited for.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let ([low_first, low], [high_first, high]) = (self.low, self.high);
        let ([other_low_first, other_low], [other_high_first, other_high]) = (other.low, other.high);
        let differs = (low ^ other_low) | (high ^ other_high) | (self.rest ^ other.rest);
        differs | (low_first ^ other_low_first) | (high_first ^ other_high_first) == 0
    }
}

impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ([low_first, low], [high_first, high]) = (self.low, self.high);
        if self.is_v6() {
            state.write_u64(low_first);
            state.write_u64(high_first);
        }
        state.write_u64(low);
        state.write_u64(high);
        state.write_u64(self.rest);
    }
}

impl FlowKey {
    const V6: u64 = 1 << 32;
    /// Where the number of what is around stands.
    const ENCAP: u32 = 33;

    /// Where the stream is remembered while its packets are the last ones. No secret is in it: who makes keys meet here
    /// gains a look into the table for each packet.
    #[inline]
    pub(super) const fn place(&self) -> usize {
        let ([low_first, low], [high_first, high]) = (self.low, self.high);
        let mixed = low ^ high.rotate_left(21) ^ (low_first ^ high_first).rotate_left(42) ^ self.rest.rotate_left(32);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - LATEST.ilog2())) as usize
    }

    /// Of an IPv4 address the first word is empty.
    const fn is_v6(&self) -> bool {
        self.rest & Self::V6 != 0
    }

    /// What the packets are wrapped in.
    pub(super) const fn encap(&self) -> EncapId {
        EncapId((self.rest >> Self::ENCAP) as u16)
    }

    /// The key of packets that are not wrapped.
    pub(super) const fn bare(mut self) -> Self {
        self.rest &= (1 << Self::ENCAP) - 1;
        self
    }

    /// The key, and which of its ends `a` is.
    #[inline]
    pub(super) fn new(a: &Endpoint, b: &Endpoint, encap: EncapId) -> (Self, Side) {
        let around = u64::from(encap.0) << Self::ENCAP;
        let ([_, from], [_, to]) = (a.ip.words(), b.ip.words());
        if !a.ip.is_v6() && !b.ip.is_v6() {
            // Address and port in one number: most packets are told apart by one comparison.
            let (from, to) = (from << 16 | u64::from(a.port), to << 16 | u64::from(b.port));
            let (low, high) = (from.min(to), from.max(to));
            let rest = around | (low & 0xffff) << 16 | high & 0xffff;
            let side = if from <= to { Side::Low } else { Side::High };
            return (Self { low: [0, low >> 16], high: [0, high >> 16], rest }, side);
        }
        let (from, to) = ((a.ip.words(), a.port), (b.ip.words(), b.port));
        let side = if from <= to { Side::Low } else { Side::High };
        let ((low, low_port), (high, high_port)) = if side == Side::Low { (from, to) } else { (to, from) };
        let rest = around | Self::V6 | u64::from(low_port) << 16 | u64::from(high_port);
        (Self { low, high, rest }, side)
    }
}
