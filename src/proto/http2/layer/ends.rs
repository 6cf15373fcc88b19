//! How streams and the connection end.

use super::{Http2, now, tell};
use crate::model::{Direction, End, H2Error, Input, Mark, NoteCode, StreamId};
use crate::proto::http2::side::GoAway;
use crate::proto::layer::Cx;

/// Nanoseconds for which a stream that was reset is still read: what was on its way may come.
const LINGER: i64 = 1_000_000_000;
/// Streams that are reset, and still read.
const LINGERING: usize = 64;
/// Streams that ended and are kept in mind.
const ENDED: usize = 64;
/// GOAWAY frames of a direction whose streams are looked for: a graceful end takes two (RFC 9113 §6.8).
const GOAWAYS: u32 = 8;

impl Http2 {
    /// A direction of a stream ends.
    pub(super) fn end_stream(&mut self, dir: Direction, id: StreamId, how: End, mark: Mark, cx: &mut Cx<'_>) {
        self.hole(dir, id, cx);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.end(Input::End { dir, how, mark }, cx);
        if stream.is_over() {
            self.close(id, cx);
        }
    }

    /// A stream is reset (RFC 9113 §6.4): its receiver may have sent more before it knew.
    pub(super) fn reset(&mut self, dir: Direction, id: StreamId, payload: &[u8], mark: Mark, cx: &mut Cx<'_>) {
        let code = payload.first_chunk().map_or(0, |code| u32::from_be_bytes(*code));
        self.end_stream(dir, id, End::RstStream(H2Error(code)), mark, cx);
        if self.conn(id).is_some() {
            self.reset.push_back((id, mark));
        } else {
            self.close(id, cx);
        }
    }

    /// Streams that were reset are over after a while.
    pub(super) fn forget_reset(&mut self, now: Mark, cx: &mut Cx<'_>) {
        while let Some(&(id, since)) = self.reset.front() {
            let is_over = now.since(since).is_none_or(|waited| waited > LINGER) || self.reset.len() > LINGERING;
            if !is_over {
                return;
            }
            self.reset.pop_front();
            self.close(id, cx);
        }
    }

    /// One side gives the connection up (RFC 9113 §6.8): streams of the other that it has not begun with are over.
    pub(super) fn goaway(&mut self, dir: Direction, payload: &[u8], mark: Mark, cx: &mut Cx<'_>) {
        let Some((&[a, b, c, d, e, f, g, h], debug)) = payload.split_first_chunk() else { return };
        let last = StreamId(u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff);
        let code = H2Error(u32::from_be_bytes([e, f, g, h]));
        let text = tell::goaway(dir, code, last, debug);
        let side = self.side(dir);
        if side.goaway.is_none() || code != H2Error::NO_ERROR {
            side.goaway = Some(GoAway { code, at: mark });
        }
        side.goaways += 1;
        if side.goaways > GOAWAYS {
            return;
        }
        let mut open: Vec<StreamId> = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.conn().is_some() && stream.is_live())
            .map(|(&id, _)| id)
            .collect();
        open.sort_unstable();
        for id in open {
            if code != H2Error::NO_ERROR {
                tell::note_in(self.conn(id), id, dir, NoteCode::H2GoAway, &text, cx);
            }
            if dir == Direction::ToClient && id > last {
                for way in [dir, dir.reverse()] {
                    self.end_stream(way, id, End::GoAway(code), mark, cx);
                }
            }
        }
    }

    /// TCP ends in a direction, and with it that of all streams. Where its sender had given the connection up, and said no more
    /// since, that is how they ended.
    pub(super) fn tcp_end(&mut self, dir: Direction, how: End, mark: Mark, cx: &mut Cx<'_>) {
        let turned = cx.swapped;
        self.end_seek(dir, cx);
        let dir = now(dir, turned, cx);
        let goaway = self.side(dir).goaway.filter(|_| how.is_by_peer());
        let mut open: Vec<StreamId> = self.streams.keys().copied().collect();
        open.sort_unstable();
        for id in open {
            self.hole(dir, id, cx);
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            let goaway = goaway.filter(|goaway| stream.last().packet <= goaway.at.packet);
            let (how, mark) = goaway.map_or((how, mark), |goaway| (End::GoAway(goaway.code), goaway.at));
            stream.end(Input::End { dir, how, mark }, cx);
        }
    }

    /// A stream is over.
    pub(super) fn close(&mut self, id: StreamId, cx: &mut Cx<'_>) {
        for dir in Direction::BOTH {
            self.hole(dir, id, cx);
        }
        let setting = self.setting();
        self.early.remove(&id);
        if let Some(stream) = self.streams.remove(&id) {
            if stream.ended_well() {
                if self.ended.len() == ENDED {
                    self.ended.pop_front();
                }
                self.ended.push_back(id);
            }
            stream.over("the capture ends before it", setting, cx);
        }
    }
}
