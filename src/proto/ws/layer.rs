//! One WebSocket connection: its frames in both directions, its messages, and what is odd about them.

use super::assembly::Assembly;
use super::frame::{self, HEAD_MAX, Head, Parsed};
use super::mask;
use super::pings::Pings;
use super::rules::{self, Situation};
use crate::model::{
    Body, Both, ConnId, Direction, End, Event, Frame, Handshake, Input, Mark, Message, Note, NoteCode, NoteSet, Opcode,
    Span,
};
use crate::proto::layer::{Cx, Layer, Next};

/// A connection's WebSocket layer.
#[derive(Debug)]
pub struct Ws {
    conn: ConnId,
    /// permessage-deflate was accepted.
    deflate: bool,
    frames: u64,
    messages: u64,
    halves: Both<Half>,
    pings: Both<Pings>,
    /// What was told of each direction: the rules of a frame are told once each.
    told: Both<NoteSet>,
    /// Who ended the stream first.
    ended: Option<(Direction, End)>,
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    reading: Reading,
    /// The open data message.
    data: Option<Box<Assembly>>,
    /// The control frame at hand, which may stand between the frames of `data`.
    control: Option<Box<Assembly>>,
    /// A Close frame was sent.
    closed: bool,
}

/// Where in a frame a direction stands.
///
/// ```text
/// Head ──▶ Payload ──▶ Head …      a hole over a head: ──▶ Lost
/// ```
#[derive(Debug)]
enum Reading {
    Head(Partial),
    Payload(Open),
    Lost,
}

/// The first bytes of a head.
#[derive(Debug, Default)]
struct Partial {
    bytes: [u8; HEAD_MAX],
    len: usize,
    offset: u64,
    first: Mark,
}

/// A frame whose payload is being read.
#[derive(Debug)]
struct Open {
    place: Place,
    left: u64,
    /// Bytes of it are lost.
    holed: bool,
}

/// A frame's head and where it was found.
#[derive(Debug, Clone, Copy)]
struct Place {
    head: Head,
    offset: u64,
    first: Mark,
    findings: NoteSet,
}

impl Default for Reading {
    fn default() -> Self {
        Self::Head(Partial::default())
    }
}

impl Layer for Ws {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                if matches!(self.ended, Some((_, End::Rst))) && self.told[dir].insert(NoteCode::TcpAfterReset) {
                    self.note(dir, NoteCode::TcpAfterReset, None, None, "", None, cx);
                }
                self.data(dir, offset, bytes, brought, cx);
            }
            Input::Gap { dir, offset, len, mark } => self.gap(dir, offset, len, mark, cx),
            Input::Odd { dir, code, text, detail, .. } => self.odd(dir, code, text, detail, cx),
            Input::End { dir, how, .. } => {
                // What is unfinished is given up when nothing more comes: the end may be forged.
                self.ended.get_or_insert((dir, how));
            }
        }
        Next::Read
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        for dir in Direction::BOTH {
            self.give_up(dir, cx);
        }
        let by = self.ended.filter(|(_, how)| matches!(how, End::Fin | End::Rst));
        let closed = Direction::BOTH.iter().any(|&dir| self.halves[dir].closed);
        if let Some((dir, how)) = by
            && !closed
        {
            let how = if how == End::Rst { "RST" } else { "FIN" };
            let text = format!("TCP {how} from the {} without a Close frame", dir.sender());
            let note = Note { dir: Some(dir), text: &text, ..Note::new(NoteCode::Abnormal1006, cx.mark) };
            cx.note(self.conn, &note);
        }
        cx.closed(self.conn, by, cx.last);
    }
}

impl Ws {
    /// The layer for a connection that this handshake opened.
    pub fn new(conn: ConnId, handshake: &Handshake) -> Self {
        // Without the answer, what was offered may be in use.
        let extensions = handshake.extensions.as_ref().or(handshake.extensions_offered.as_ref());
        let extensions = extensions.map(Vec::as_slice).unwrap_or_default();
        let deflate = extensions.iter().any(|extension| {
            extension.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("permessage-deflate"))
        });
        Self {
            conn,
            deflate,
            frames: 0,
            messages: 0,
            halves: Both::default(),
            pings: Both::default(),
            told: Both::default(),
            ended: None,
        }
    }

    fn data(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = offset + (bytes.len() - rest.len()) as u64;
            rest = match &mut self.halves[dir].reading {
                Reading::Head(partial) => match partial.push(rest, at, brought) {
                    Some((head, offset, first, used)) => {
                        let rest = rest.get(used..).unwrap_or_default();
                        self.begin(dir, head, offset, first, rest, cx)
                    }
                    None => return,
                },
                Reading::Payload(_) => self.payload(dir, rest, cx),
                Reading::Lost => return,
            };
        }
    }

    /// Begins a frame; a whole message that is all there is told at once. Returns what follows.
    fn begin<'b>(
        &mut self,
        dir: Direction,
        head: Head,
        offset: u64,
        first: Mark,
        rest: &'b [u8],
        cx: &mut Cx<'_>,
    ) -> &'b [u8] {
        let half = &mut self.halves[dir];
        let open = half.data.is_some();
        let situation = Situation { dir, open, closed: half.closed, deflate: self.deflate };
        let place = Place { head, offset, first, findings: rules::judge(&head, situation) };
        let alone = head.opcode.is_control() || head.fin && head.opcode != Opcode::CONTINUATION && !open;
        if let Some((payload, rest)) = usize::try_from(head.len).ok().and_then(|len| rest.split_at_checked(len))
            && alone
        {
            self.whole(dir, &place, payload, cx);
            return rest;
        }
        if head.opcode.is_control() {
            self.halves[dir].control = Some(Box::new(Assembly::new(&head, first, cx.tools)));
        } else if !open || head.opcode != Opcode::CONTINUATION {
            self.drop_open(dir, cx);
            self.halves[dir].data = Some(Box::new(Assembly::new(&head, first, cx.tools)));
        }
        if let Some(assembly) = self.halves[dir].assembly(&head) {
            assembly.frames += 1;
            assembly.findings.extend(place.findings);
        }
        self.halves[dir].reading = Reading::Payload(Open { place, left: head.len, holed: false });
        if head.len == 0 {
            self.frame_done(dir, cx);
        }
        rest
    }

    /// Adds to the payload at hand; returns what follows it.
    fn payload<'b>(&mut self, dir: Direction, bytes: &'b [u8], cx: &mut Cx<'_>) -> &'b [u8] {
        let half = &mut self.halves[dir];
        let Reading::Payload(open) = &mut half.reading else { return &[] };
        let take = usize::try_from(open.left).unwrap_or(usize::MAX).min(bytes.len());
        let (now, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
        let head = open.place.head;
        let phase = head.len - open.left;
        open.left -= now.len() as u64;
        let done = open.left == 0;
        if let Some(assembly) = half.assembly(&head) {
            assembly.append(now, &head, phase, cx.limits, cx.tools);
        }
        if done {
            self.frame_done(dir, cx);
        }
        rest
    }

    fn gap(&mut self, dir: Direction, offset: u64, len: u64, mark: Mark, cx: &mut Cx<'_>) {
        let mut left = len;
        let half = &mut self.halves[dir];
        if let Reading::Payload(open) = &mut half.reading {
            let lost = open.left.min(left);
            open.left -= lost;
            open.holed = true;
            left -= lost;
            let (done, head) = (open.left == 0, open.place.head);
            if let Some(assembly) = half.assembly(&head) {
                assembly.lose(lost, mark, cx.limits);
            }
            if done {
                self.frame_done(dir, cx);
            }
        }
        if left > 0 && !matches!(self.halves[dir].reading, Reading::Lost) {
            let text = format!("{len} bytes never captured");
            self.note(dir, NoteCode::TcpGap, None, None, &text, None, cx);
            let text =
                format!("a frame head was lost at stream offset {offset}; the rest of this direction is not decoded");
            self.give_up(dir, cx);
            self.note(dir, NoteCode::WsLost, None, None, &text, None, cx);
            self.halves[dir].reading = Reading::Lost;
        }
    }

    /// Passes a finding of the transport on, and marks the message that it falls into.
    fn odd(&mut self, dir: Direction, code: NoteCode, text: &str, detail: &str, cx: &mut Cx<'_>) {
        if code == NoteCode::TcpOverlap
            && let Some(assembly) = &mut self.halves[dir].data
        {
            assembly.findings.insert(code);
        }
        self.note(dir, code, None, None, text, (!detail.is_empty()).then_some(detail), cx);
    }

    /// The direction ends: what is unfinished is told as far as it came.
    fn give_up(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let mut ended = false;
        if let Reading::Payload(Open { place, left, .. }) = self.halves[dir].reading {
            self.halves[dir].reading = Reading::Lost;
            self.tell_frame(dir, &place, false, None, cx);
            if let Some(assembly) = self.halves[dir].assembly(&place.head) {
                assembly.wire_len = assembly.wire_len.saturating_add(place.head.len);
                assembly.pass_over(left, cx.limits);
            }
            if let Some(control) = self.halves[dir].control.take() {
                self.incomplete(dir, *control, NoteCode::WsUnfinished, cx);
            } else {
                ended = place.head.fin;
            }
        }
        if let Some(mut data) = self.halves[dir].data.take() {
            if !ended {
                data.end_missing(cx.limits);
            }
            self.incomplete(dir, *data, NoteCode::WsUnfinished, cx);
        }
    }

    /// A new message begins inside an open one, which will not be finished any more.
    fn drop_open(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        if let Some(mut data) = self.halves[dir].data.take() {
            data.end_missing(cx.limits);
            self.incomplete(dir, *data, NoteCode::WsInterleaved, cx);
        }
    }

    /// Tells a frame that ended, and its message when it was the last.
    fn frame_done(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        let Reading::Payload(Open { place, holed, .. }) = std::mem::take(&mut half.reading) else { return };
        let head = place.head;
        if let Some(assembly) = half.assembly(&head) {
            assembly.wire_len = assembly.wire_len.saturating_add(head.len);
        }
        let last = head.fin || head.opcode.is_control();
        let msg = last.then_some(self.messages + 1);
        let number = self.tell_frame(dir, &place, !holed, msg, cx);
        if !last {
            return;
        }
        let half = &mut self.halves[dir];
        let assembly = if head.opcode.is_control() { half.control.take() } else { half.data.take() };
        if let Some(assembly) = assembly {
            self.message(dir, &assembly, Some(number), true, cx);
            assembly.free(cx.tools);
        }
    }

    /// Tells a message that will not be completed.
    fn incomplete(&mut self, dir: Direction, mut assembly: Assembly, why: NoteCode, cx: &mut Cx<'_>) {
        assembly.findings.insert(why);
        self.message(dir, &assembly, None, false, cx);
        if why == NoteCode::WsUnfinished {
            let text = format!("the stream ends inside message {}", self.messages);
            self.note(dir, why, Some(self.messages), None, &text, None, cx);
        }
        assembly.free(cx.tools);
    }

    /// Tells a message from its assembly.
    fn message(&mut self, dir: Direction, assembly: &Assembly, frame: Option<u64>, ended: bool, cx: &mut Cx<'_>) {
        let draft = Draft {
            opcode: assembly.opcode,
            compressed: assembly.compressed,
            frames: assembly.frames,
            wire_len: assembly.wire_len,
            first: assembly.first,
            body: assembly.body(),
            whole: ended && !assembly.has_holes(),
            limited: assembly.limited,
            findings: assembly.findings,
        };
        self.tell_message(dir, &draft, frame, cx);
        let number = self.messages;
        for &(len, mark) in &assembly.lost {
            let text = format!("{len} bytes never captured; message {number} incomplete");
            let note = Note { dir: Some(dir), msg: Some(number), text: &text, ..Note::new(NoteCode::TcpGap, mark) };
            cx.note(self.conn, &note);
        }
        if assembly.limited {
            self.note(dir, NoteCode::MessageLimit, Some(number), None, "", None, cx);
        }
    }

    /// Tells a message of one frame whose payload is all there, without keeping it.
    fn whole(&mut self, dir: Direction, place: &Place, payload: &[u8], cx: &mut Cx<'_>) {
        let head = place.head;
        let number = self.tell_frame(dir, place, true, Some(self.messages + 1), cx);
        let mut scratch = std::mem::take(&mut cx.tools.scratch);
        let body = match head.mask {
            Some(key) => {
                scratch.clear();
                scratch.extend_from_slice(payload);
                mask::apply(&mut scratch, key, 0);
                &scratch
            }
            None => payload,
        };
        let kept = body.get(..cx.limits.message_bytes).unwrap_or(body);
        let draft = Draft {
            opcode: head.opcode,
            compressed: head.rsv & 4 != 0 && !head.opcode.is_control(),
            frames: 1,
            wire_len: head.len,
            first: place.first,
            body: Body { kept, ..Body::whole(body) },
            whole: true,
            limited: kept.len() < body.len(),
            findings: place.findings,
        };
        let limited = draft.limited;
        self.tell_message(dir, &draft, Some(number), cx);
        if limited {
            self.note(dir, NoteCode::MessageLimit, Some(self.messages), Some(number), "", None, cx);
        }
        cx.tools.scratch = scratch;
    }

    /// Numbers and tells a frame, and each rule that this direction breaks for the first time.
    fn tell_frame(&mut self, dir: Direction, place: &Place, complete: bool, msg: Option<u64>, cx: &mut Cx<'_>) -> u64 {
        self.frames += 1;
        let &Place { head, offset, first, findings } = place;
        let frame = Frame {
            number: self.frames,
            msg,
            dir,
            fin: head.fin,
            rsv: head.rsv,
            opcode: head.opcode,
            mask: head.mask,
            header_len: head.header_len,
            len: head.len,
            stream_offset: offset,
            span: Span { first, last: cx.mark },
            complete,
            findings,
        };
        cx.emit(self.conn, Event::Frame(&frame));
        if !findings.is_empty() {
            for code in findings.iter() {
                if self.told[dir].insert(code) {
                    self.note(dir, code, msg, Some(self.frames), "", None, cx);
                }
            }
        }
        self.frames
    }

    /// Numbers, judges and tells a message.
    fn tell_message(&mut self, dir: Direction, draft: &Draft<'_>, frame: Option<u64>, cx: &mut Cx<'_>) {
        self.messages += 1;
        let number = self.messages;
        let mut found = NoteSet::EMPTY;
        let mut body = draft.body;
        let mut utf8 = true;
        let mut bad_at = None;
        let mut close = None;
        let mut rtt = None;
        match draft.opcode {
            Opcode::TEXT if !draft.compressed => {
                if draft.limited {
                    body.kept = whole_characters(body.kept);
                }
                bad_at = first_bad(body.kept);
                utf8 = bad_at.is_none();
                if draft.whole && !utf8 {
                    found.insert(NoteCode::Utf8Bad);
                }
            }
            Opcode::CLOSE => {
                self.halves[dir].closed = true;
                if draft.whole {
                    let answers = self.halves[dir.reverse()].closed;
                    (close, found) = rules::close(body.kept, answers);
                }
            }
            Opcode::PING => self.pings[dir].sent(body.kept, cx.mark, cx.limits.pings),
            Opcode::PONG => rtt = self.pings[dir.reverse()].answered(body.kept, cx.mark),
            _ => {}
        }
        if draft.compressed && self.told[dir].insert(NoteCode::WsUndecoded) {
            self.note(dir, NoteCode::WsUndecoded, Some(number), frame, "", None, cx);
        }
        let mut findings = draft.findings;
        findings.extend(found);
        let message = Message {
            number,
            dir,
            opcode: draft.opcode,
            frames: draft.frames,
            compressed: draft.compressed,
            wire_len: draft.wire_len,
            body,
            complete: draft.whole && !draft.compressed && draft.opcode != Opcode::CONTINUATION,
            utf8,
            close,
            rtt,
            span: Span { first: draft.first, last: cx.mark },
            findings,
        };
        cx.emit(self.conn, Event::Message(&message));
        if !found.is_empty() {
            self.tell_found(&message, found, bad_at, frame, cx);
        }
    }

    /// Tells what is wrong with a message as a whole.
    fn tell_found(
        &self,
        message: &Message<'_>,
        found: NoteSet,
        bad_at: Option<usize>,
        frame: Option<u64>,
        cx: &mut Cx<'_>,
    ) {
        let sender = message.dir.sender();
        for code in found.iter() {
            let text = match (code, message.close) {
                (NoteCode::Utf8Bad, _) => {
                    format!("invalid UTF-8 at byte {} of a text message", bad_at.unwrap_or_default())
                }
                (NoteCode::CloseCodeBad, Some(close)) => {
                    format!("{sender} closed with {}, which must not be sent: {}", close.code, close.code.meaning())
                }
                (NoteCode::CloseBody | NoteCode::CloseReason, _) | (_, None) => String::new(),
                (_, Some(close)) if close.reason.is_empty() => {
                    format!("{sender} closed with {}: {}", close.code, close.code.meaning())
                }
                (_, Some(close)) => {
                    format!("{sender} closed with {}: {}", close.code, String::from_utf8_lossy(close.reason))
                }
            };
            self.note(message.dir, code, Some(message.number), frame, &text, None, cx);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one finding, field by field")]
    fn note(
        &self,
        dir: Direction,
        code: NoteCode,
        msg: Option<u64>,
        frame: Option<u64>,
        text: &str,
        detail: Option<&str>,
        cx: &mut Cx<'_>,
    ) {
        cx.note(self.conn, &Note { code, at: cx.mark, dir: Some(dir), msg, frame, text, detail });
    }
}

impl Half {
    /// The assembly that a frame with this head belongs to.
    fn assembly(&mut self, head: &Head) -> Option<&mut Assembly> {
        if head.opcode.is_control() { self.control.as_deref_mut() } else { self.data.as_deref_mut() }
    }
}

impl Partial {
    /// Reads a head that begins here or before: the head, where it began, and how many of `bytes` belong to it.
    fn push(&mut self, bytes: &[u8], at: u64, brought: Mark) -> Option<(Head, u64, Mark, usize)> {
        if self.len == 0 {
            if let Parsed::Done(head) = frame::head(bytes) {
                return Some((head, at, brought, usize::from(head.header_len)));
            }
            (self.offset, self.first) = (at, brought);
        }
        let before = self.len;
        for (slot, &byte) in self.bytes.iter_mut().skip(before).zip(bytes) {
            *slot = byte;
            self.len += 1;
        }
        match frame::head(self.bytes.get(..self.len).unwrap_or_default()) {
            Parsed::Done(head) => {
                self.len = 0;
                Some((head, self.offset, self.first, usize::from(head.header_len).saturating_sub(before)))
            }
            Parsed::More(_) => None,
        }
    }
}

/// What a message is before it is numbered and judged.
struct Draft<'a> {
    opcode: Opcode,
    compressed: bool,
    frames: u64,
    wire_len: u64,
    first: Mark,
    body: Body<'a>,
    /// It was finished and no byte is missing.
    whole: bool,
    limited: bool,
    findings: NoteSet,
}

/// Where UTF-8 ends, if it does. The standard library is faster on short text, SIMD on long.
fn first_bad(bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 128;
    if bytes.len() < SHORT {
        std::str::from_utf8(bytes).err().map(|error| error.valid_up_to())
    } else {
        simdutf8::compat::from_utf8(bytes).err().map(|error| error.valid_up_to())
    }
}

/// The bytes without a character that a limit cut at their end.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    let tail = bytes.len().saturating_sub(3);
    let last = bytes.get(tail..).unwrap_or_default().iter().rposition(|&byte| byte & 0xc0 == 0xc0);
    match last.map(|at| tail + at) {
        Some(at) if std::str::from_utf8(bytes.get(at..).unwrap_or_default()).is_err() => {
            bytes.get(..at).unwrap_or_default()
        }
        _ => bytes,
    }
}
