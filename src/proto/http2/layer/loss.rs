//! Bytes that are missing, and how frames are found behind them.

use super::{Http2, now, tell};
use crate::model::{Direction, Input, Mark, NoteCode, Receipt, StreamId, count};
use crate::proto::http2::frame::Kind;
use crate::proto::http2::seek::Seek;
use crate::proto::http2::side::Reading;
use crate::proto::layer::Cx;

/// Frames were found in what was looked through.
pub(super) struct Found {
    pub(super) dir: Direction,
    /// How the directions were turned.
    pub(super) swapped: bool,
    pub(super) seek: Box<Seek>,
    pub(super) from: u64,
}

impl Reading {
    /// Frames are looked for in what comes.
    pub(super) fn seek() -> Self {
        Self::Seek(Box::default())
    }
}

impl Http2 {
    /// Passes over bytes that are missing: of a payload whose length is known, they are of its stream alone.
    pub(super) fn gap(&mut self, dir: Direction, (len, exact): (u64, bool), receipt: Receipt, cx: &mut Cx<'_>) {
        self.side(dir).receipt = receipt;
        let (turned, mut left) = (cx.swapped, len);
        while left > 0 && exact {
            match self.lose_payload(now(dir, turned, cx), left, receipt, cx) {
                0 => break,
                lost => left -= lost,
            }
        }
        let dir = now(dir, turned, cx);
        if left > 0 && !matches!(self.side(dir).reading, Reading::Over) {
            self.lose_place(dir, left, cx);
        }
    }

    /// Passes over the next of at most so many missing bytes of the payload at hand; how many.
    fn lose_payload(&mut self, dir: Direction, most: u64, receipt: Receipt, cx: &mut Cx<'_>) -> u64 {
        let Reading::Payload(open) = &mut self.side(dir).reading else { return 0 };
        let take = |left: u32| u32::try_from(most).unwrap_or(u32::MAX).min(left);
        let head = open.head;
        let is_unsure = open.padding.is_none();
        if is_unsure {
            // How much of it is padding is lost: it may be none.
            open.padding = Some(0);
        }
        let (lost, is_body) = match open.body_left() {
            0 => (take(open.left), false),
            _ if open.before > 0 => {
                let lost = take(open.before);
                open.before -= lost;
                (lost, false)
            }
            left => (take(left), true),
        };
        open.left -= lost;
        let is_done = open.left == 0;
        if head.has_block() {
            // Padding and a priority are no part of the block.
            if is_body || is_unsure {
                self.hole_block(dir);
            }
        } else if head.kind == Kind::DATA && is_body {
            if let Some(stream) = self.streams.get_mut(&head.stream) {
                stream.lose(dir, (lost.into(), !is_unsure), receipt, cx);
            }
        } else if matches!(head.kind, Kind::SETTINGS | Kind::RST_STREAM | Kind::GOAWAY) {
            // What it says is not known: it is passed over.
            if let Reading::Payload(open) = &mut self.side(dir).reading {
                open.head.kind = Kind::PING;
            }
        }
        if is_done {
            self.frame_done(dir, cx.mark, cx);
        }
        lost.into()
    }

    /// Heads of frames are missing: it is not known whose bytes were lost, nor what was added to the header table.
    pub(super) fn lose_place(&mut self, dir: Direction, lost: u64, cx: &mut Cx<'_>) {
        let turned = cx.swapped;
        self.hole_block(dir);
        if self.side(dir).block.is_some() {
            self.block_done(dir, cx.mark, cx);
        }
        let side = self.side(now(dir, turned, cx));
        side.lost = side.lost.saturating_add(lost);
        // Nothing reaches over them.
        if let Reading::Seek(seek) = std::mem::replace(&mut side.reading, Reading::seek()) {
            cx.tools.seeking = cx.tools.seeking.saturating_sub(seek.held());
            side.lost = side.lost.saturating_add(seek.passed(seek.end()));
        }
    }

    /// Looks through bytes for frames; whether a segment ends with them helps to believe in some.
    pub(super) fn seek(
        &mut self,
        dir: Direction,
        offset: u64,
        bytes: &[u8],
        (brought, ends): (Mark, bool),
        cx: &mut Cx<'_>,
    ) -> Option<Found> {
        let most = self.side(dir.reverse()).settings.payload;
        let bound = cx.limits.seek_bytes;
        let Reading::Seek(seek) = &mut self.sides.as_mut()?[dir].reading else { return None };
        let before = seek.held();
        let streams = &self.streams;
        seek.append(offset, bytes, brought, ends);
        let mut at = seek.look((most, bound), |id| streams.contains_key(&id));
        cx.tools.seeking = (cx.tools.seeking + seek.held()).saturating_sub(before);
        if at.is_none() && cx.tools.seeking > cx.limits.seek_total {
            at = seek.best();
            if at.is_none() {
                self.give_up_place(dir, cx);
            }
        }
        self.found(dir, at?, cx)
    }

    /// Frames begin there, in what was looked through.
    fn found(&mut self, dir: Direction, from: u64, cx: &mut Cx<'_>) -> Option<Found> {
        let side = self.side(dir);
        side.sought = true;
        let Reading::Seek(seek) = std::mem::take(&mut side.reading) else { return None };
        cx.tools.seeking = cx.tools.seeking.saturating_sub(seek.held());
        self.lost_until(dir, seek.passed(from), cx);
        Some(Found { dir, swapped: cx.swapped, seek, from })
    }

    /// Nothing more comes: what is looked through is read from the likeliest place on.
    pub(super) fn end_seek(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let turned = cx.swapped;
        if let Reading::Seek(seek) = &self.side(dir).reading
            && let Some(from) = seek.best()
        {
            let found = self.found(dir, from, cx);
            self.read_on(found, cx);
        }
        self.give_up_place(now(dir, turned, cx), cx);
    }

    /// No frame is found any more: nothing of the direction can be read.
    pub(super) fn give_up_place(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let Reading::Seek(seek) = &mut self.side(dir).reading else { return };
        let (held, passed) = (seek.held(), seek.passed(seek.end()));
        self.side(dir).reading = Reading::Over;
        cx.tools.seeking = cx.tools.seeking.saturating_sub(held);
        self.lost_until(dir, passed, cx);
    }

    /// So many bytes were passed over since the place was lost: any open stream may have lost some of them.
    fn lost_until(&mut self, dir: Direction, passed: u64, cx: &mut Cx<'_>) {
        let side = self.side(dir);
        let lost = std::mem::take(&mut side.lost).saturating_add(passed);
        if lost == 0 {
            return;
        }
        if self.side(dir).heard || !self.streams.is_empty() {
            let text = format!("{} of HTTP/2 frames are missing, or make no sense", count(lost, "byte"));
            let text = if self.streams.len() > 1 { text + "; they may be of any stream" } else { text };
            tell::note(None, dir, NoteCode::H2Gap, &text, cx);
        }
        let side = self.side(dir);
        side.holes = side.holes.saturating_add(lost);
    }

    /// A stream is heard of again: bytes that are missing since it was may be of it.
    pub(super) fn hole(&mut self, dir: Direction, id: StreamId, cx: &mut Cx<'_>) {
        let side = self.side(dir);
        let (holes, receipt) = (side.holes, side.receipt);
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.hole(dir, holes, receipt, cx);
        }
    }

    /// Bytes came again that their receiver lacked: each stream knows which messages it had in them.
    pub(super) fn resent(&mut self, input: Input<'_>, cx: &mut Cx<'_>) {
        let mut all: Vec<StreamId> = self.streams.keys().copied().collect();
        all.sort_unstable();
        for id in all {
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.input(input, cx);
            }
        }
    }

    /// What the transport says of bytes goes to the stream that they are of.
    pub(super) fn said(&mut self, input: Input<'_>, cx: &mut Cx<'_>) {
        let (Input::Odd { dir, .. } | Input::Waited { dir, .. }) = input else { return };
        let side = self.side(dir);
        let at = side.place;
        let Some(Input::Odd { code, text, detail, mark, .. }) = side.said.keep(input, at) else { return };
        // Of bytes that were read: those of the last stream are as likely as any.
        let Some(stream) = side.last.and_then(|id| self.streams.get_mut(&id)) else { return };
        let offset = stream.offset(dir);
        stream.input(Input::Odd { dir, offset, len: 0, code, text, detail, mark }, cx);
    }
}
