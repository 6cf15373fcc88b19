//! How a direction ends: FIN, RST, or by the word of another.

use super::peer::ACK_AHEAD;
use super::{Aside, Feed, Half};
use crate::model::{End, Input, Mark};
use crate::tcp::seq::Seq;

/// The end of a stream, which may lie behind a hole, or be forged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fin {
    /// Where the stream ends.
    pub(super) at: u64,
    /// The packet that carried it.
    pub(super) brought: Mark,
    /// The peer has spoken since, and did not acknowledge it.
    pub(super) doubted: bool,
}

const FINS_KEPT: usize = 4;

impl Half {
    /// Takes a FIN that stands at `seq`, behind the segment's data.
    pub(in super::super) fn fin(&mut self, seq: Seq, mark: Mark, feed: &mut Feed<'_>) {
        let Ok(at) = u64::try_from(self.signed_offset() + seq.since(self.seq)) else { return };
        if self.ended || at < self.offset || at - self.offset > ACK_AHEAD {
            return;
        }
        let fins = &mut self.aside().fins;
        if fins.iter().any(|fin| fin.at == at) {
            return;
        }
        // The one that the stream reaches first is kept: that of another must lie in what is to come.
        fins.insert(fins.partition_point(|fin| fin.at < at), Fin { at, brought: mark, doubted: false });
        fins.truncate(FINS_KEPT);
        self.end_if_reached(feed);
    }

    /// The FIN that was reached, or that the peer acknowledged; without one, the first that it did not fail to acknowledge.
    pub(super) fn believed_fin(&self) -> Option<Fin> {
        let fins = &self.aside.as_ref()?.fins;
        let reached = fins.first().filter(|fin| fin.at == self.offset).copied();
        reached.or_else(|| self.acknowledged_fin()).or_else(|| fins.iter().find(|fin| !fin.doubted).copied())
    }

    pub(super) fn acknowledged_fin(&self) -> Option<Fin> {
        let Aside { fins, peer, .. } = self.aside.as_deref()?;
        fins.iter().find(|fin| peer.has_acked(fin.at + 1)).copied()
    }

    /// Takes a RST from this direction's sender, for a receiver whose window is no wider than `window` bytes; says whether it is
    /// believed (RFC 9293 §3.10.7.4, RFC 5961 §3).
    ///
    /// One whose number is not in the window is not: forged, or of another stream. If it is past it may be a late copy, or the
    /// word of an end that lost its memory: it is remembered, and counts if its sender is silent from there on.
    pub(in super::super) fn rst(&mut self, seq: Seq, window: i64, mark: Mark) -> bool {
        let acked = self.aside.as_ref().and_then(|aside| aside.peer.acked()).unwrap_or(self.offset);
        let beyond = acked.saturating_sub(self.offset).cast_signed() + window;
        match seq.since(self.seq) {
            ahead if (0..beyond).contains(&ahead) => {
                self.aside().reset.get_or_insert(mark);
                true
            }
            behind => {
                if (-window..0).contains(&behind) {
                    self.aside().doubted = Some((End::Rst, mark));
                }
                false
            }
        }
    }

    /// Its sender goes on: an end that was doubted is none.
    pub(in super::super) fn speaks_on(&mut self) {
        if let Some(aside) = &mut self.aside {
            aside.doubted = None;
        }
    }

    /// The end after which its sender was silent, though its number was past or its checksum wrong.
    pub(in super::super) fn doubted_end(&self) -> Option<(End, Mark)> {
        self.aside.as_ref()?.doubted
    }

    /// Ends the direction at once, when it has not ended, or by the FIN that was seen of it; what is queued stays.
    pub(in super::super) fn end(&mut self, how: End, mark: Mark, feed: &mut Feed<'_>) {
        if !self.ended {
            let (how, mark) = self.believed_fin().map_or((how, mark), |fin| (End::Fin, fin.brought));
            self.end_now(how, mark, feed);
        }
    }

    fn end_now(&mut self, how: End, mark: Mark, feed: &mut Feed<'_>) {
        if !self.ended {
            self.ended = true;
            (feed.out)(Input::End { dir: feed.dir, how, mark });
        }
    }

    /// Ends the direction where a FIN stands, and forgets those that bytes have passed.
    pub(super) fn end_if_reached(&mut self, feed: &mut Feed<'_>) {
        let offset = self.offset;
        let Some(aside) = self.aside.as_mut().filter(|aside| !aside.fins.is_empty()) else { return };
        aside.fins.retain(|fin| fin.at >= offset);
        if let Some(fin) = aside.fins.first().copied().filter(|fin| fin.at == offset) {
            self.end_now(End::Fin, fin.brought, feed);
        }
    }
}
