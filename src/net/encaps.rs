//! What packets are wrapped in, each kind once.

use crate::model::{Encap, EncapId, Ip, Limits, Mark, Tally};
use std::collections::HashMap;
use std::sync::Arc;

/// Headers around one packet that are looked through.
const MAX_DEPTH: usize = 16;

/// The way into one packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// The packet.
    pub(super) mark: Mark,
    encaps: [Encap; MAX_DEPTH],
    len: usize,
    depth: usize,
    /// Tells apart tunnels that have no number, by their ends.
    apart: u64,
}

impl Way {
    /// The outside of a packet.
    pub(super) const fn new(mark: Mark) -> Self {
        Self { mark, encaps: [Encap::Gre(None); MAX_DEPTH], len: 0, depth: 0, apart: 0 }
    }

    /// Goes behind one header more; false when that is too deep.
    pub(super) fn enter(&mut self, encap: Option<Encap>) -> bool {
        self.depth += 1;
        if let Some(encap) = encap
            && let Some(place) = self.encaps.get_mut(self.len)
        {
            *place = encap;
            self.len += 1;
        }
        self.depth <= MAX_DEPTH
    }

    /// Goes into a tunnel between these ends: of those that have no number each pair of ends has one of its own. Who makes two of
    /// them the same number mixes what he sends himself.
    pub(super) fn enter_tunnel(&mut self, encap: Encap, ends: [Ip; 2]) -> bool {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        if !encap.has_number() {
            let mut ends = ends.map(Ip::words);
            ends.sort_unstable();
            let mix = |mixed: u64, &word: &u64| (mixed.rotate_left(29) ^ word).wrapping_mul(ODD);
            self.apart = ends.as_flattened().iter().fold(self.apart.wrapping_add(1), mix);
        }
        self.enter(Some(encap))
    }

    fn encaps(&self) -> &[Encap] {
        self.encaps.get(..self.len).unwrap_or_default()
    }
}

/// All that packets were wrapped in so far.
#[derive(Debug, Default)]
pub(super) struct Encaps {
    numbers: HashMap<u64, HashMap<Arc<[Encap]>, EncapId>>,
    /// By their number, from 1.
    all: Vec<Arc<[Encap]>>,
    /// That of the last packet, and by what it is apart: the next one's is often the same.
    last: (EncapId, u64),
    /// Packets wrapped in more kinds than are told apart.
    pub(super) untold: Tally,
}

impl Encaps {
    /// The number of what is around a packet. All that are more than the bound share one.
    pub(super) fn number(&mut self, way: &Way, limits: &Limits) -> EncapId {
        let encaps = way.encaps();
        if encaps.is_empty() {
            return EncapId::default();
        }
        let (last, apart) = self.last;
        if apart == way.apart && self.get(last).is_some_and(|last| **last == *encaps) {
            return last;
        }
        let known = self.numbers.get(&way.apart).and_then(|numbers| numbers.get(encaps)).copied();
        let number = known.unwrap_or_else(|| self.add(way, limits));
        self.last = (number, way.apart);
        number
    }

    fn add(&mut self, way: &Way, limits: &Limits) -> EncapId {
        let next = u16::try_from(self.all.len() + 1).unwrap_or(u16::MAX);
        if next > limits.encaps {
            self.untold.add(1, way.mark);
            return EncapId(next);
        }
        let encaps: Arc<[Encap]> = way.encaps().into();
        self.all.push(Arc::clone(&encaps));
        self.numbers.entry(way.apart).or_default().insert(encaps, EncapId(next));
        EncapId(next)
    }

    fn get(&self, id: EncapId) -> Option<&Arc<[Encap]>> {
        self.all.get(usize::from(id.0).checked_sub(1)?)
    }

    /// All by their number, from 1.
    pub(super) fn all(&self) -> &[Arc<[Encap]>] {
        &self.all
    }
}
