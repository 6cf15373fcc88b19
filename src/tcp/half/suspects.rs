//! Segments with a wrong checksum where checksums are right: they give way to a copy that is right, and count when none comes.
//! FIN and RST alone count when their sender is silent from there on.

use super::{Aside, Feed, Half};
use crate::model::{End, Flags, Input, Mark, NoteCode, Segment};
use crate::tcp::checksum;
use crate::tcp::queue::Origin;
use crate::tcp::seq::Seq;

/// A segment's payload that is set aside.
#[derive(Debug)]
pub(super) struct Suspect {
    at: u64,
    bytes: Vec<u8>,
    brought: Mark,
}

impl Suspect {
    /// Its bytes.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    const fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

impl Half {
    /// Whether the segment's checksum is right, or says nothing.
    #[inline]
    pub(in super::super) fn vouches(&mut self, segment: &Segment<'_>) -> bool {
        !self.sums.are_read() || self.reads_right(segment)
    }

    fn reads_right(&mut self, segment: &Segment<'_>) -> bool {
        match checksum::is_right(segment) {
            Some(true) => self.sums.add_right(),
            Some(false) => return false,
            None => {}
        }
        true
    }

    /// Sets a segment aside whose checksum is wrong; false when that tells nothing, and its bytes are as good as any.
    pub(in super::super) fn sets_aside(&mut self, segment: &Segment<'_>, feed: &mut Feed<'_>) -> bool {
        let ends = if segment.flags.has(Flags::RST) {
            Some(End::Rst)
        } else {
            segment.flags.has(Flags::FIN).then_some(End::Fin)
        };
        if segment.payload.is_empty() && ends.is_none() || self.vouches(segment) {
            return false;
        }
        let (tells, mark) = (self.sums.tell(), segment.mark);
        self.sums.add_wrong();
        if !self.sums.are_read() {
            self.reinstate(mark, feed);
        }
        if !tells || !self.sums.are_read() {
            return false;
        }
        if segment.payload.is_empty() {
            ends.into_iter().for_each(|how| self.doubt_end(how, mark, feed));
            return true;
        }
        let at = self.signed_offset() + Seq(segment.seq).since(self.seq);
        let end = at.saturating_add_unsigned(segment.payload.len() as u64);
        let Ok(at) = u64::try_from(at) else { return false };
        let offset = self.offset.cast_signed();
        let aside = self.aside();
        if let Some(how) = ends {
            aside.doubted.get_or_insert((how, mark));
        }
        if end > offset {
            // There are never many: of more than one in ten nothing is set aside.
            aside.suspects.push(Suspect { at, bytes: segment.payload.to_vec(), brought: mark });
            feed.budget.queued += segment.payload.len();
        }
        true
    }

    /// Remembers an end whose packet has a wrong checksum: it is none if its sender goes on.
    fn doubt_end(&mut self, how: End, mark: Mark, feed: &mut Feed<'_>) {
        self.aside().doubted.get_or_insert((how, mark));
        let flag = if how == End::Fin { "FIN" } else { "RST" };
        let text =
            format!("packet {} has a wrong checksum; its {flag} ends nothing if the sender goes on", mark.packet);
        self.doubt((self.offset, 0), &text, mark, feed);
    }

    /// Checksums tell nothing after all: what was set aside is as good as any.
    fn reinstate(&mut self, mark: Mark, feed: &mut Feed<'_>) {
        let suspects = self.aside.as_mut().map(|aside| std::mem::take(&mut aside.suspects)).unwrap_or_default();
        for suspect in suspects {
            feed.budget.queued = feed.budget.queued.saturating_sub(suspect.bytes.len());
            let past = usize::try_from(self.offset.saturating_sub(suspect.at)).unwrap_or(usize::MAX);
            if let Some(bytes) = suspect.bytes.get(past..) {
                let origin = Origin { brought: suspect.brought, whole: suspect.at..suspect.end() };
                self.enqueue(suspect.at + past as u64, bytes, 0, &origin, feed);
            }
        }
        self.drain(mark, true, feed);
    }

    /// The stream offset behind what is set aside next.
    pub(super) fn suspect_end(&self) -> Option<u64> {
        let suspects = &self.aside.as_ref()?.suspects;
        suspects.iter().map(Suspect::end).filter(|&end| end > self.offset).min()
    }

    /// Uses what is set aside of the bytes before `to`, which will not come any more; what is missing before it is lost.
    pub(super) fn use_suspects(&mut self, to: u64, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        while let Some(mut suspect) = self.take_suspect(to, feed) {
            self.lose(suspect.at.saturating_sub(self.offset), self.receipt(suspect.at), mark, feed);
            let past = usize::try_from(self.offset - suspect.at).unwrap_or(usize::MAX).min(suspect.bytes.len());
            suspect.bytes.drain(..past);
            let len = usize::try_from(to - self.offset).unwrap_or(usize::MAX).min(suspect.bytes.len());
            let bytes = suspect.bytes.split_off(len);
            if !bytes.is_empty() {
                feed.budget.queued += bytes.len();
                self.aside().suspects.push(Suspect { at: to, bytes, brought: suspect.brought });
            }
            let (packet, len) = (suspect.brought.packet, suspect.bytes.len() as u64);
            let text = format!("packet {packet} has a wrong checksum; its bytes are shown, since no other copy came");
            self.doubt((self.offset, len), &text, mark, feed);
            self.deliver(&suspect.bytes, suspect.brought, mark, keep, feed);
        }
    }

    fn take_suspect(&mut self, to: u64, feed: &mut Feed<'_>) -> Option<Suspect> {
        let offset = self.offset;
        let suspects = &mut self.aside.as_mut()?.suspects;
        let fits = |suspect: &Suspect| offset < to && suspect.at < to && suspect.end() > offset;
        let (nth, _) = suspects.iter().enumerate().filter(|(_, suspect)| fits(suspect)).min_by_key(|(_, s)| s.at)?;
        let suspect = suspects.remove(nth);
        feed.budget.queued = feed.budget.queued.saturating_sub(suspect.bytes.len());
        Some(suspect)
    }

    /// Lets go of what a right copy came for; where that differs, somebody wanted to deceive.
    pub(super) fn pass_suspects(&mut self, mark: Mark, feed: &mut Feed<'_>) {
        let (offset, last) = (self.offset, self.last);
        let Some(Aside { suspects, .. }) = self.aside.as_deref_mut().filter(|aside| !aside.suspects.is_empty()) else {
            return;
        };
        for Suspect { at, bytes, brought } in
            suspects.extract_if(.., |suspect| suspect.end() <= offset).collect::<Vec<_>>()
        {
            self.sums.forgive();
            feed.budget.queued = feed.budget.queued.saturating_sub(bytes.len());
            if let Some(conflict) = feed.budget.recent.conflict(last, at, &bytes, 1, feed.limits) {
                let text = format!(
                    "packet {} has a wrong checksum and other bytes than packet {}, which is shown",
                    brought.packet, conflict.packet
                );
                self.doubt((conflict.offset, 0), &text, mark, feed);
            }
        }
    }

    /// Says what is to be thought of bytes whose checksum is wrong; of none, when they are not shown.
    fn doubt(&self, (offset, len): (u64, u64), text: &str, mark: Mark, feed: &mut Feed<'_>) {
        let code = NoteCode::TcpChecksum;
        (feed.out)(Input::Odd { dir: feed.dir, offset, len, code, text, detail: "", mark });
    }
}
