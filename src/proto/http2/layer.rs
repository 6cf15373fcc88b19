//! One HTTP/2 connection: its frames in both directions, and its streams.

use super::connect::Setting;
use super::frame::{self, HEAD, Head, Kind};
use super::side::{Open, Partial, Reading, Side};
use super::stream::Stream;
use super::tell;
use crate::model::{Both, ConnId, Direction, End, H2_PREFACE, Input, Mark, NoteCode, StreamId};
use crate::proto::layer::{Around, Cx, Kind as Carries, Layer, Next};
use hashbrown::HashMap;
use std::collections::{BTreeSet, VecDeque};

mod ends;
mod heads;
mod loss;

use loss::Found;

/// An HTTP/2 connection.
#[derive(Default)]
pub struct Http2 {
    /// `None` before the first byte.
    sides: Option<Box<Both<Side>>>,
    streams: HashMap<StreamId, Stream>,
    /// Those of which an answer came, and no request so far.
    early: BTreeSet<StreamId>,
    /// The last stream that a client opened.
    newest: StreamId,
    /// Some of those that ended on both sides, oldest first.
    ended: VecDeque<StreamId>,
    /// Streams that were reset, oldest first, and when: what was on its way may still come.
    reset: VecDeque<(StreamId, Mark)>,
    /// It began with a request of HTTP/1.1, whose stream is the first.
    is_upgraded: bool,
    /// Its beginning is missing.
    is_late: bool,
    /// How often heads turned it round.
    turns: u8,
    /// Heads, or a preface, have told who is the client.
    is_settled: bool,
}

/// Bytes kept of a payload that is read as a whole: settings, or why a connection is given up.
const SMALL: usize = 6 * 256;
/// Bytes of one of the settings (RFC 9113 §6.5.1).
const SETTING: usize = 6;
/// Bytes that are looked through at once for frames.
const SOUGHT: usize = 2 << 10;
/// How often heads may say that who was taken for the client is the server.
const TURNS: u8 = 4;
/// CONTINUATION frames of a header block that nobody needs more of.
const CONTINUATIONS: u32 = 16;

impl Layer for Http2 {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        *cx.kind = Carries::Http2;
        self.begin(cx);
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                let outer = cx.tools.stand(Around::piece(offset, bytes, brought));
                self.data(dir, offset, bytes, brought, cx);
                cx.tools.around = outer;
            }
            Input::Gap { dir, len, exact, receipt, .. } => self.gap(dir, (len, exact), receipt, cx),
            Input::End { dir, how, mark } => self.tcp_end(dir, how, mark, cx),
            Input::Odd { .. } | Input::Waited { .. } => self.said(input, cx),
            Input::Resent { .. } => self.resent(input, cx),
        }
        match &self.sides {
            Some(sides) if Direction::BOTH.iter().all(|&dir| matches!(sides[dir].reading, Reading::Over)) => {
                Next::Nothing
            }
            _ => Next::Read,
        }
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        self.begin(cx);
        let turned = cx.swapped;
        for dir in Direction::BOTH {
            self.end_seek(now(dir, turned, cx), cx);
        }
        for dir in Direction::BOTH {
            tell::more_bad_frames(dir, self.side(dir).bad, cx);
        }
        let mut left: Vec<StreamId> = self.streams.keys().copied().collect();
        left.sort_unstable();
        for id in left {
            self.close(id, cx);
        }
    }
}

impl Http2 {
    /// The layer for what follows a 101 that switches to HTTP/2.
    pub fn upgraded() -> Self {
        Self { is_upgraded: true, ..Self::default() }
    }

    /// The layer for a connection of which the beginning is missing.
    pub fn late() -> Self {
        Self { is_late: true, ..Self::default() }
    }

    fn begin(&mut self, cx: &Cx<'_>) {
        if self.sides.is_some() {
            return;
        }
        self.is_late |= !cx.flow.from_start;
        let (table, is_late) = (cx.limits.header_table, self.is_late);
        let to_client = if is_late { Reading::seek() } else { Reading::default() };
        let side = |reading| Side::new(reading, table, is_late);
        self.sides = Some(Box::new(Both { to_server: side(Reading::Preface(0)), to_client: side(to_client) }));
        if self.is_upgraded {
            // What was asked for is read there.
            self.streams.insert(StreamId(1), Stream::plain(StreamId(1), cx.mark));
        }
    }

    /// What is known of a direction; it is there from the first input on.
    fn side(&mut self, dir: Direction) -> &mut Side {
        let make = || Box::new(Both::from_fn(|_| Side::new(Reading::Over, 0, true)));
        &mut self.sides.get_or_insert_with(make)[dir]
    }

    /// Reads what TCP brought.
    fn data(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let side = self.side(dir);
        (side.heard, side.place) = (true, offset + bytes.len() as u64);
        let swapped = cx.swapped;
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (used, found) = self.read(now(dir, swapped, cx), offset + at as u64, rest, (brought, true), cx);
            at += used;
            self.read_on(found, cx);
        }
    }

    /// Reads what was held from where frames were found; in what comes last of it the place may be lost again.
    fn read_on(&mut self, found: Option<Found>, cx: &mut Cx<'_>) {
        let mut found: Vec<Found> = found.into_iter().collect();
        while let Some(Found { dir, swapped, seek, mut from }) = found.pop() {
            let mut again = None;
            for (offset, bytes, brought, ends) in seek.since(from) {
                let used;
                (used, again) = self.read(now(dir, swapped, cx), offset, bytes, (brought, ends), cx);
                from = offset + used as u64;
                if again.is_some() {
                    break;
                }
            }
            if again.is_some() && from < seek.end() {
                found.push(Found { dir, swapped, seek, from });
            }
            found.extend(again);
        }
    }

    /// Reads bytes, frame by frame, until a search finds some in them; how many were read. `ends`: a segment ends with them.
    fn read(
        &mut self,
        dir: Direction,
        offset: u64,
        bytes: &[u8],
        (brought, ends): (Mark, bool),
        cx: &mut Cx<'_>,
    ) -> (usize, Option<Found>) {
        let turned = cx.swapped;
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let dir = now(dir, turned, cx);
            let here = offset + at as u64;
            at += match &mut self.side(dir).reading {
                Reading::Preface(_) => self.preface(dir, rest, cx),
                Reading::Head(_) => match self.whole_data(dir, rest, brought, cx) {
                    Some(used) => used,
                    None => self.head_bytes(dir, here, rest, brought, cx),
                },
                Reading::Payload(_) => self.payload(dir, here, rest, brought, cx),
                Reading::Seek(_) => {
                    let some = rest.get(..SOUGHT).unwrap_or(rest);
                    let is_end = ends && some.len() == rest.len();
                    let found = self.seek(dir, here, some, (brought, is_end), cx);
                    if found.is_some() {
                        return (at + some.len(), found);
                    }
                    some.len()
                }
                Reading::Over => bytes.len(),
            };
        }
        (bytes.len(), None)
    }

    /// Reads what a client sends before its first frame; how many bytes that are.
    fn preface(&mut self, dir: Direction, bytes: &[u8], cx: &mut Cx<'_>) -> usize {
        let Reading::Preface(matched) = self.side(dir).reading else { return 0 };
        let expected = H2_PREFACE.get(matched..).unwrap_or_default();
        let same = bytes.iter().zip(expected).take_while(|(a, b)| a == b).count();
        let is_whole = same == expected.len();
        self.is_settled |= is_whole;
        self.side(dir).reading = match () {
            () if is_whole => Reading::default(),
            () if same == bytes.len() => Reading::Preface(matched + same),
            () if !self.is_late && matched + same == 0 => {
                tell::note(None, dir, NoteCode::H2Frame, "the client begins without the preface", cx);
                Reading::default()
            }
            () => Reading::seek(),
        };
        same
    }

    /// Reads frames of DATA of one open WebSocket that are there whole, as most frames are; how many bytes they take, or `None` where
    /// there is more to look at.
    fn whole_data(&mut self, dir: Direction, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) -> Option<usize> {
        let sides = self.sides.as_deref_mut()?;
        let is_simple = self.is_settled && self.early.is_empty() && self.reset.is_empty();
        if !is_simple || sides[dir].is_busy() {
            return None;
        }
        let most = sides[dir.reverse()].settings.payload;
        let (mut head, mut body) = frame::whole_data(bytes, most)?;
        let id = head.stream;
        let stream = self.streams.get_mut(&id)?;
        let side = &mut sides[dir];
        let mut used = 0;
        while stream.is_open() && head.stream == id && !stream.has_ended(dir) {
            side.last = Some(id);
            stream.hole(dir, side.holes, side.receipt, cx);
            stream.bytes(dir, body, brought, cx);
            stream.framed(dir, &head, cx.tools.record.map(|record| record.number), cx);
            used += HEAD + body.len();
            let Some(next) = frame::whole_data(bytes.get(used..).unwrap_or_default(), most) else { break };
            (head, body) = next;
        }
        (used > 0).then_some(used)
    }

    /// Reads of a head; how many bytes belong to it.
    fn head_bytes(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) -> usize {
        let Reading::Head(partial) = &mut self.side(dir).reading else { return 0 };
        let used = partial.push(bytes, offset, brought);
        if let Some(head) = frame::head(partial.bytes()) {
            let begin = std::mem::take(partial);
            self.frame(dir, head, &begin, brought, cx);
        }
        used
    }

    /// Begins a frame.
    fn frame(&mut self, dir: Direction, head: Head, begin: &Partial, brought: Mark, cx: &mut Cx<'_>) {
        self.forget_reset(brought, cx);
        if dir == Direction::ToServer {
            self.lose_requests(None, brought, cx);
        }
        let most = self.side(dir.reverse()).settings.payload;
        let fault = head.fault(most);
        if self.side(dir).sought && !head.is_likely(most, |id| self.streams.contains_key(&id)) {
            // What looked like frames was chance: they are looked for again.
            let turned = cx.swapped;
            self.lose_place(dir, 0, cx);
            // A head is too short to be believed.
            self.seek(now(dir, turned, cx), begin.offset, begin.bytes(), (begin.first, false), cx);
            return;
        }
        let what = fault.or_else(|| self.misplaced(dir, &head)).or_else(|| self.untimely(dir, &head));
        if let Some(what) = what
            && self.is_first_bad(dir)
        {
            tell::bad_frame(dir, &head, what, cx);
        }
        let turned = cx.swapped;
        if head.has_block() {
            self.begin_block(dir, &head, (begin.offset, begin.first), cx);
        } else {
            self.cut_block(dir, cx);
        }
        let dir = now(dir, turned, cx);
        let side = self.side(dir);
        side.small.clear();
        side.reading = Reading::Payload(Open::new(head, cx.tools.record.map(|record| record.number)));
        if head.len == 0 {
            self.frame_done(dir, brought, cx);
        }
    }

    /// A frame breaks a rule: the first is told, others are counted.
    fn is_first_bad(&mut self, dir: Direction) -> bool {
        let side = self.side(dir);
        side.bad += 1;
        side.is_new(NoteCode::H2Frame)
    }

    /// What is wrong with the place of a frame, in words (RFC 9113 §6.10).
    fn misplaced(&mut self, dir: Direction, head: &Head) -> Option<&'static str> {
        let side = self.side(dir);
        let is_next = side.block.as_ref().map(|block| block.stream == head.stream);
        match (is_next, head.kind == Kind::CONTINUATION) {
            (Some(false), true) => Some("goes on with the header block of another stream"),
            (Some(_), false) => Some("stands within a header block"),
            (None, true) if !side.missed => Some("goes on with a header block that was not begun"),
            _ => None,
        }
    }

    /// What is wrong with the time of a frame, in words (RFC 9113 §5.1).
    fn untimely(&mut self, dir: Direction, head: &Head) -> Option<&'static str> {
        let is_client = dir == Direction::ToServer;
        // Within a connection the promise tells who is the server.
        if head.kind == Kind::PUSH_PROMISE && is_client && (self.is_settled || !self.is_late) {
            return Some("is a promise of a client");
        }
        let newest = self.newest;
        let needs_open = matches!(head.kind, Kind::DATA | Kind::RST_STREAM | Kind::WINDOW_UPDATE);
        if is_client && needs_open && head.stream.is_clients() && head.stream > newest && !self.side(dir).missed {
            return Some("comes before its stream is opened");
        }
        if !matches!(head.kind, Kind::DATA | Kind::HEADERS) {
            return None;
        }
        let has_ended = match self.streams.get(&head.stream) {
            Some(stream) => stream.has_ended(dir),
            None => self.ended.contains(&head.stream),
        };
        match () {
            () if has_ended => Some("comes behind the end of its stream"),
            () if is_client && head.kind == Kind::HEADERS && !head.stream.is_clients() => {
                Some("opens a stream with a server's number")
            }
            () => None,
        }
    }

    /// Reads of a payload; how many bytes belong to it.
    fn payload(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) -> usize {
        let turned = cx.swapped;
        let Reading::Payload(open) = &mut self.side(dir).reading else { return 0 };
        let take = |left: u32| usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let used = if open.padding.is_none() {
            open.left -= 1;
            let (head, left) = (open.head, open.left);
            let padding = bytes.first().map_or(0, |&padding| u32::from(padding));
            // It leaves nothing of the payload (RFC 9113 §6.1).
            open.padding = Some(padding.min(left));
            if padding > left && self.is_first_bad(dir) {
                tell::bad_frame(dir, &head, "has more padding than there is of it", cx);
            }
            1
        } else if open.before > 0 && open.left > open.padding.unwrap_or(0) {
            let used = take(open.before.min(open.left - open.padding.unwrap_or(0)));
            open.before -= used as u32;
            open.left -= used as u32;
            used
        } else if let left @ 1.. = open.body_left() {
            let used = take(left);
            open.left -= used as u32;
            let head = open.head;
            self.body(dir, head, offset, bytes.get(..used).unwrap_or_default(), brought, cx);
            used
        } else {
            let used = take(open.left);
            open.left -= used as u32;
            used
        };
        let dir = now(dir, turned, cx);
        if matches!(&self.side(dir).reading, Reading::Payload(Open { left: 0, .. })) {
            self.frame_done(dir, brought, cx);
        }
        used
    }

    /// Takes a piece of a frame's body.
    fn body(&mut self, dir: Direction, head: Head, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        match head.kind {
            Kind::DATA => self.stream_data(dir, head.stream, offset, bytes, brought, cx),
            _ if head.has_block() => self.block_bytes(dir, bytes, cx),
            Kind::SETTINGS | Kind::RST_STREAM | Kind::GOAWAY => {
                let small = &mut self.side(dir).small;
                let room = SMALL.saturating_sub(small.len()).min(bytes.len());
                small.extend_from_slice(bytes.get(..room).unwrap_or_default());
            }
            _ => {}
        }
    }

    /// Hands bytes of DATA to their stream.
    fn stream_data(&mut self, dir: Direction, id: StreamId, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        if !self.streams.contains_key(&id) {
            self.meet(dir, id, brought, cx);
        }
        let (Some(sides), Some(stream)) = (&mut self.sides, self.streams.get_mut(&id)) else { return };
        if stream.is_plain() {
            return;
        }
        if dir == Direction::ToServer && stream.is_early() {
            // Its request would have come before.
            stream.lose_request(cx);
        }
        let side = &mut sides[dir];
        side.last = Some(id);
        stream.hole(dir, side.holes, side.receipt, cx);
        if !side.said.is_empty() {
            let place = (offset, bytes.len() as u64, stream.offset(dir));
            side.said.hand_on(dir, place, brought, &mut |input| stream.input(input, cx));
        }
        stream.bytes(dir, bytes, brought, cx);
        if !self.is_settled
            && let Some(is_turned) = stream.takes_other()
        {
            self.is_settled = true;
            if is_turned {
                self.turn(cx);
            }
        }
    }

    /// Opens a stream of which DATA come before any head, where that may be lost.
    pub(super) fn meet(&mut self, dir: Direction, id: StreamId, brought: Mark, cx: &mut Cx<'_>) {
        let newest = self.newest;
        let asker = self.side(Direction::ToServer);
        let is_alone = !asker.heard && cx.flow.one_sided;
        // What a client that was captured opened is known, but for the last of it.
        let is_missed = asker.missed || is_alone || dir == Direction::ToClient && id > newest;
        if !is_missed || !id.is_clients() || self.ended.contains(&id) {
            return;
        }
        if self.has_room(false, cx) {
            let mut stream = Stream::unknown(id, brought, cx);
            stream.begins(Both::from_fn(|dir| self.side(dir).holes));
            self.streams.insert(id, stream);
        } else {
            self.no_room(dir, cx);
        }
    }

    /// Whether one more stream may be kept; there is more room for those that ask for a WebSocket.
    fn has_room(&self, is_asked: bool, cx: &Cx<'_>) -> bool {
        self.streams.len() < cx.limits.h2_streams * if is_asked { 2 } else { 1 }
    }

    /// A frame ended.
    fn frame_done(&mut self, dir: Direction, brought: Mark, cx: &mut Cx<'_>) {
        let side = self.side(dir);
        let Reading::Payload(Open { head, record, .. }) = std::mem::take(&mut side.reading) else { return };
        let (small, turned) = (std::mem::take(&mut side.small), cx.swapped);
        if let Some(stream) = self.streams.get_mut(&head.stream) {
            stream.came(brought);
            if head.kind == Kind::DATA {
                stream.framed(dir, &head, record, cx);
            }
        }
        match head.kind {
            Kind::DATA if head.has(frame::END_STREAM) => self.end_stream(dir, head.stream, End::EndStream, brought, cx),
            _ if head.has_block() && head.has(frame::END_HEADERS) => self.block_done(dir, brought, cx),
            Kind::SETTINGS if !head.has(frame::ACK) => self.settings(dir, &head, &small, brought, cx),
            Kind::RST_STREAM => self.reset(dir, head.stream, &small, brought, cx),
            Kind::GOAWAY => self.goaway(dir, &small, brought, cx),
            _ => {}
        }
        self.side(now(dir, turned, cx)).small = small;
    }

    /// Learns what its sender takes (RFC 9113 §6.5.2, RFC 8441 §3).
    fn settings(&mut self, dir: Direction, head: &Head, payload: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        const HEADER_TABLE_SIZE: u16 = 1;
        const MAX_FRAME_SIZE: u16 = 5;
        const ENABLE_CONNECT_PROTOCOL: u16 = 8;
        let settings = &mut self.side(dir).settings;
        settings.came = true;
        let mut fault = None;
        for &[a, b, c, d, e, f] in payload.as_chunks::<SETTING>().0 {
            let value = u32::from_be_bytes([c, d, e, f]);
            match u16::from_be_bytes([a, b]) {
                HEADER_TABLE_SIZE => settings.table = settings.table.max(value),
                MAX_FRAME_SIZE => settings.payload = settings.payload.max(value),
                ENABLE_CONNECT_PROTOCOL => match value {
                    1 => _ = settings.connect.get_or_insert(brought),
                    0 if settings.connect.is_none() => {}
                    0 => fault = Some("takes ENABLE_CONNECT_PROTOCOL back"),
                    _ => fault = Some("gives ENABLE_CONNECT_PROTOCOL neither 0 nor 1"),
                },
                _ => {}
            }
        }
        if let Some(what) = fault
            && self.is_first_bad(dir)
        {
            tell::bad_frame(dir, head, what, cx);
        }
    }

    /// What the server said about extended CONNECTs.
    fn setting(&mut self) -> Setting {
        let side = self.side(Direction::ToClient);
        match side.settings.connect {
            Some(at) => Setting::Given(at),
            None if side.missed || !side.settings.came => Setting::Unknown,
            None => Setting::Missing,
        }
    }

    /// The WebSocket of a stream.
    fn conn(&self, id: StreamId) -> Option<ConnId> {
        self.streams.get(&id).and_then(Stream::conn)
    }

    /// Who was taken for the client is the server.
    fn turn(&mut self, cx: &mut Cx<'_>) {
        cx.swapped = !cx.swapped;
        if let Some(sides) = &mut self.sides {
            sides.swap();
        }
        for stream in self.streams.values_mut() {
            stream.turn();
        }
    }
}

/// How a direction is called now that was called so when the directions were turned like that: heads, and DATA, may turn them.
pub(super) fn now(dir: Direction, turned: bool, cx: &Cx<'_>) -> Direction {
    if cx.swapped == turned { dir } else { dir.reverse() }
}

impl Default for Reading {
    fn default() -> Self {
        Self::Head(Partial::default())
    }
}

impl Partial {
    /// Reads of a head, of which a byte was at `at`; how many bytes belong to it.
    fn push(&mut self, bytes: &[u8], at: u64, brought: Mark) -> usize {
        if self.len == 0 {
            (self.offset, self.first) = (at, brought);
        }
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let used = room.len().min(bytes.len());
        for (slot, &byte) in room.iter_mut().zip(bytes) {
            *slot = byte;
        }
        self.len += used;
        used
    }

    /// What was read of it.
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
