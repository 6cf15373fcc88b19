//! Header blocks, and the requests and answers that they are.

use super::{CONTINUATIONS, Http2, TURNS, now, tell};
use crate::model::{self, Both, Direction, End, Mark, NoteCode, StreamId};
use crate::proto::http2::block::{Block, Room};
use crate::proto::http2::frame::{self, Head, Kind};
use crate::proto::http2::stream::Stream;
use crate::proto::layer::Cx;

/// Nanoseconds for which packets of a client may come behind those of the server that answer them.
const HELD_BACK: i64 = 1_000_000_000;

impl Http2 {
    /// A frame begins a header block, or goes on with one.
    pub(super) fn begin_block(&mut self, dir: Direction, head: &Head, (offset, first): (u64, Mark), cx: &mut Cx<'_>) {
        let goes_on = head.kind == Kind::CONTINUATION;
        if goes_on && self.side(dir).block.as_ref().is_some_and(|block| block.stream == head.stream) {
            let block = self.side(dir).block.as_mut();
            let count = block.map_or(0, |block| {
                block.continuations += 1;
                block.len += frame::HEAD as u64 + u64::from(head.len);
                block.continuations
            });
            if count == CONTINUATIONS + 1 && self.side(dir).is_new(NoteCode::H2Limit) {
                let text = format!(
                    "the header block of stream {} goes on over more than {CONTINUATIONS} CONTINUATION frames",
                    head.stream
                );
                tell::note(None, dir, NoteCode::H2Limit, &text, cx);
            }
            return;
        }
        let turned = cx.swapped;
        self.cut_block(dir, cx);
        let dir = now(dir, turned, cx);
        let mut block = Block::new(head.stream, offset, first);
        block.len = frame::HEAD as u64 + u64::from(head.len);
        block.is_promise = head.kind == Kind::PUSH_PROMISE;
        block.ends = head.kind == Kind::HEADERS && head.has(frame::END_STREAM);
        // Its beginning is lost: what of it comes is no beginning of a field.
        (block.is_holed, block.is_cut) = (goes_on, goes_on);
        if goes_on {
            self.side(dir).hpack.lose();
        }
        self.side(dir).block = Some(block);
    }

    /// Decodes bytes of the block at hand.
    pub(super) fn block_bytes(&mut self, dir: Direction, bytes: &[u8], cx: &Cx<'_>) {
        let most = self.side(dir.reverse()).settings.table;
        let most = if self.side(dir.reverse()).missed { u32::MAX } else { most };
        let side = self.side(dir);
        let Some(block) = side.block.as_mut().filter(|block| !block.is_cut) else { return };
        let room = Room::new(cx.limits, cx.tools.pending);
        side.hpack.push(bytes, most, &mut |read| block.take(read, room));
    }

    /// Bytes of the block at hand are missing: what was added to the table with it is not known.
    pub(super) fn hole_block(&mut self, dir: Direction) {
        let side = self.side(dir);
        if let Some(block) = &mut side.block {
            (block.is_cut, block.is_holed) = (true, true);
        }
        side.hpack.lose();
        side.missed = true;
    }

    /// The requests of answers that came are lost where the client opens a stream behind theirs, or has sent something else for
    /// longer than any of it may be held back.
    pub(super) fn lose_requests(&mut self, opened: Option<StreamId>, now: Mark, cx: &mut Cx<'_>) {
        while let Some(&id) = self.early.first() {
            let stream = self.streams.get_mut(&id).filter(|stream| stream.is_early());
            let is_late = |stream: &Stream| now.since(stream.last()).is_some_and(|waited| waited > HELD_BACK);
            if let Some(stream) = stream {
                if opened.is_none_or(|opened| opened <= id) && !is_late(stream) {
                    return;
                }
                stream.lose_request(cx);
            }
            self.early.pop_first();
        }
    }

    /// Another frame comes where the block at hand should go on: it is used as far as it came.
    pub(super) fn cut_block(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        if self.side(dir).block.is_some() {
            self.hole_block(dir);
            self.block_done(dir, cx.mark, cx);
        }
    }

    /// The block at hand is whole, or as whole as it will be.
    pub(super) fn block_done(&mut self, dir: Direction, brought: Mark, cx: &mut Cx<'_>) {
        let side = self.side(dir);
        let Some(mut block) = side.block.take() else { return };
        if !block.is_cut {
            let room = Room::new(cx.limits, cx.tools.pending);
            side.hpack.end(&mut |read| block.take(read, room));
        }
        let told = tell::of_block(&block);
        let (id, ends, is_promise) = (block.stream, block.ends, block.is_promise);
        let sender = block.sender().filter(|_| id.is_clients());
        // What a server promises is a request.
        let dir = self.orient(dir, if is_promise { sender.map(Direction::reverse) } else { sender }, cx);
        if !is_promise && id.is_clients() {
            let is_empty = block.is_holed && block.is_empty();
            if !is_empty {
                self.head(dir, id, block.into_head(dir, brought), ends, cx);
            }
        }
        if let Some((code, text)) = told {
            // About streams that nobody looks at, once.
            let conn = self.conn(id);
            if conn.is_some() || code != NoteCode::H2Table && self.side(dir).is_new(code) {
                tell::note_in(conn, id, dir, code, &text, cx);
            }
        }
        if ends {
            self.end_stream(dir, id, End::EndStream, brought, cx);
        }
    }

    /// A request tells who is the client, and so does an answer, where a capture that begins in the middle has it from the wrong side.
    fn orient(&mut self, dir: Direction, sender: Option<Direction>, cx: &mut Cx<'_>) -> Direction {
        self.is_settled |= sender.is_some();
        let Some(sender) = sender.filter(|&sender| sender != dir && self.is_late && self.turns < TURNS) else {
            return dir;
        };
        if self.streams.values().any(|stream| stream.conn().is_some()) {
            return dir;
        }
        self.turns += 1;
        self.turn(cx);
        sender
    }

    /// A head of a stream came.
    fn head(&mut self, dir: Direction, id: StreamId, head: model::Head, ends: bool, cx: &mut Cx<'_>) {
        let setting = self.setting();
        let is_informational = head.status().is_some_and(|status| (100..200).contains(&status) && status != 101);
        if is_informational {
            return;
        }
        let holes = Both::from_fn(|dir| self.side(dir).holes);
        if let Some(stream) = self.streams.get_mut(&id) {
            if stream.waits_for(dir) {
                stream.follows(dir, holes[dir]);
            }
            return stream.head(dir, head, ends, setting, cx);
        }
        let is_request = dir == Direction::ToServer && head.headers.iter().any(|(name, _)| name.starts_with(':'));
        let is_known = dir == Direction::ToServer && id <= self.newest && !self.side(dir).missed;
        if !is_request && (is_known || self.ended.contains(&id)) {
            // Trailers, or another answer, of a stream that is over.
            return;
        }
        if is_known && self.is_first_bad(dir) {
            tell::opened_behind(dir, id, self.newest, cx);
        }
        let mut stream = match dir {
            Direction::ToServer => {
                self.newest = self.newest.max(id);
                self.lose_requests(Some(id), head.span.last, cx);
                Stream::request(id, head, ends, cx)
            }
            Direction::ToClient => {
                let (newest, asker) = (self.newest, self.side(Direction::ToServer));
                let is_alone = !asker.heard && cx.flow.one_sided;
                if id <= newest && !asker.missed && !is_alone {
                    return;
                }
                let mut stream = Stream::answer(id, head, cx);
                if id <= newest || is_alone {
                    stream.lose_request(cx);
                }
                stream
            }
        };
        stream.begins(holes);
        let is_asked = stream.conn().is_some();
        if self.has_room(is_asked, cx) {
            if stream.is_early() {
                self.early.insert(id);
            }
            self.streams.insert(id, stream);
        } else {
            self.no_room(dir, cx);
            if is_asked {
                stream.over("too many streams are open to wait for it", setting, cx);
            }
        }
    }

    /// Tells that a stream is not kept, for there are too many.
    pub(super) fn no_room(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        if self.side(dir).is_new(NoteCode::H2Limit) {
            let most = cx.limits.h2_streams;
            let text = format!(
                "more than {most} streams are open at once: others are read where their heads ask for a WebSocket, as many \
                 again (limit h2-streams)"
            );
            tell::note(None, dir, NoteCode::H2Limit, &text, cx);
        }
    }
}
