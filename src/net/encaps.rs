//! What packets are wrapped in, each kind once.

use crate::model::{Encap, EncapId, Limits, Mark, Tally};
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
}

impl Way {
    /// The outside of a packet.
    pub(super) const fn new(mark: Mark) -> Self {
        Self { mark, encaps: [Encap::Gre(None); MAX_DEPTH], len: 0, depth: 0 }
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

    fn encaps(&self) -> &[Encap] {
        self.encaps.get(..self.len).unwrap_or_default()
    }
}

/// All that packets were wrapped in so far.
#[derive(Debug, Default)]
pub(super) struct Encaps {
    numbers: HashMap<Arc<[Encap]>, EncapId>,
    /// By their number, from 1.
    all: Vec<Arc<[Encap]>>,
    /// That of the last packet: the next one's is often the same.
    last: EncapId,
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
        if self.get(self.last).is_some_and(|last| **last == *encaps) {
            return self.last;
        }
        let known = self.numbers.get(encaps).copied();
        self.last = known.unwrap_or_else(|| self.add(encaps, way.mark, limits));
        self.last
    }

    fn add(&mut self, encaps: &[Encap], mark: Mark, limits: &Limits) -> EncapId {
        let next = u16::try_from(self.all.len() + 1).unwrap_or(u16::MAX);
        if next > limits.encaps {
            self.untold.add(1, mark);
            return EncapId(next);
        }
        let encaps: Arc<[Encap]> = encaps.into();
        self.all.push(Arc::clone(&encaps));
        self.numbers.insert(encaps, EncapId(next));
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
