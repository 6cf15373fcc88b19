//! From what was read to events: frames and messages are numbered, judged and told.

use super::assembly::Assembly;
use super::ending::Farewell;
use super::half::Place;
use super::layer::Ws;
use super::mask::{self, Mask};
use super::rules;
use crate::model::{Body, Direction, Event, Frame, Heard, Mark, Message, Note, NoteCode, NoteSet, Opcode, Span};
use crate::proto::layer::Cx;

impl Ws {
    /// Tells a message from its assembly.
    pub(super) fn message(
        &mut self,
        dir: Direction,
        assembly: &Assembly,
        frame: Option<u64>,
        ended: bool,
        cx: &mut Cx<'_>,
    ) {
        let draft = Draft {
            opcode: assembly.opcode,
            compressed: assembly.is_compressed(),
            undecoded: assembly.is_undecoded(),
            frames: assembly.frames,
            wire_len: assembly.wire_len,
            first: assembly.first,
            body: assembly.body(),
            wire: assembly.wire(),
            whole: ended && !assembly.has_holes(),
            limited: assembly.limited,
            findings: assembly.all_findings(),
        };
        self.tell_message(dir, &draft, frame, cx);
        let number = self.messages;
        for &(len, mark) in &assembly.lost {
            let text = format!("{len} bytes never captured; message {number} incomplete");
            let note = Note { dir: Some(dir), msg: Some(number), text: &text, ..Note::new(NoteCode::TcpGap, mark) };
            cx.note(self.conn, &note);
        }
        if assembly.limited {
            let text = limited(&draft);
            self.note(dir, NoteCode::MessageLimit, Some(number), None, &text, None, cx);
        }
    }

    /// Tells a message of one frame whose payload is all there, without keeping it.
    pub(super) fn whole(&mut self, dir: Direction, place: &Place, payload: &[u8], cx: &mut Cx<'_>) {
        let head = place.head;
        // What reaches here compressed was not negotiated.
        let compressed = self.is_packed(&head);
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
            compressed,
            undecoded: compressed,
            frames: 1,
            wire_len: head.len,
            first: place.first,
            body: Body { kept, ..Body::whole(body) },
            wire: &[],
            whole: true,
            limited: kept.len() < body.len(),
            findings: place.findings,
        };
        let limited = draft.limited.then(|| limited(&draft));
        self.tell_message(dir, &draft, Some(number), cx);
        if let Some(text) = limited {
            self.note(dir, NoteCode::MessageLimit, Some(self.messages), Some(number), &text, None, cx);
        }
        cx.tools.scratch = scratch;
    }

    /// Numbers and tells a frame, and each rule that this direction breaks for the first time.
    pub(super) fn tell_frame(
        &mut self,
        dir: Direction,
        place: &Place,
        complete: bool,
        msg: Option<u64>,
        cx: &mut Cx<'_>,
    ) -> u64 {
        self.frames += 1;
        self.heard = Heard::Frame(cx.mark);
        self.lost[dir] = None;
        let &Place { head, offset, first, findings } = place;
        let frame = Frame {
            number: self.frames,
            msg,
            dir,
            fin: head.fin,
            rsv: head.rsv,
            opcode: head.opcode,
            mask: head.mask.map(Mask::key),
            header_len: head.header_len,
            len: head.len,
            stream_offset: offset,
            span: Span { first, last: cx.mark },
            complete,
            findings,
        };
        cx.emit(self.conn, Event::Frame(&frame));
        if !findings.is_empty() {
            // What the transport lost or doubted is told by itself, with its particulars.
            let rules = findings
                .iter()
                .filter(|code| !matches!(code, NoteCode::TcpGap | NoteCode::TcpOverlap | NoteCode::WsResync));
            for code in rules {
                if self.told[dir].insert(code) {
                    let at = if complete { cx.mark } else { first };
                    let frame = Some(self.frames);
                    let note = Note { dir: Some(dir), msg, frame, ..Note::new(code, at) };
                    cx.note(self.conn, &note);
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
            Opcode::TEXT if !draft.undecoded => {
                if draft.limited {
                    body.kept = whole_characters(body.kept);
                }
                utf8 = first_bad(body.kept).is_none();
                bad_at = if utf8 { None } else { first_fault(&body, draft.whole && !draft.limited) };
                if bad_at.is_some() {
                    found.insert(NoteCode::Utf8Bad);
                }
            }
            Opcode::CLOSE => {
                if draft.whole && self.version.has_close_codes() {
                    let answers = self.halves[dir.reverse()].closed.is_some();
                    (close, found) = rules::close(body.kept, answers);
                }
                let code = close.map(|close| close.code.0);
                let farewell = || Box::new(Farewell { at: cx.mark, msg: number, code });
                self.halves[dir].closed.get_or_insert_with(farewell);
            }
            Opcode::PING => {
                let pings = self.pings.get_or_insert_default();
                pings[dir].sent(body.kept, cx.mark, number, cx.limits.pings);
            }
            Opcode::PONG => {
                let pings = self.pings.as_deref_mut();
                rtt = pings.and_then(|pings| pings[dir.reverse()].answered(body.kept, cx.mark, number));
            }
            _ => {}
        }
        if draft.undecoded {
            let code = if self.deflate.is_some() { NoteCode::DeflateLost } else { NoteCode::DeflateUnknown };
            found.insert(code);
        }
        for code in [NoteCode::DeflateBad, NoteCode::InflateLimit] {
            if draft.findings.contains(code) {
                found.insert(code);
            }
        }
        let mut findings = draft.findings;
        findings.extend(found);
        let message = Message {
            number,
            dir,
            opcode: draft.opcode,
            frames: draft.frames,
            compressed: draft.compressed,
            undecoded: draft.undecoded,
            wire_len: draft.wire_len,
            body,
            wire: draft.wire,
            complete: draft.whole && !draft.undecoded && draft.opcode != Opcode::CONTINUATION,
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
        &mut self,
        message: &Message<'_>,
        found: NoteSet,
        bad_at: Option<u64>,
        frame: Option<u64>,
        cx: &mut Cx<'_>,
    ) {
        let sender = message.dir.sender();
        for code in found.iter() {
            // A lost history is one loss, however many messages refer to it.
            let lasting = matches!(code, NoteCode::DeflateLost | NoteCode::DeflateUnknown);
            if lasting && !self.told[message.dir].insert(code) {
                continue;
            }
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
    pub(super) fn note(
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

/// How much of a message a limit took, and which.
fn limited(draft: &Draft<'_>) -> String {
    let limit = if draft.compressed && !draft.undecoded { "inflated-bytes" } else { "message-bytes" };
    let Body { kept, len, .. } = draft.body;
    format!("a message of {len} bytes, of which {} are kept (limits {limit} and message-total)", kept.len())
}

/// What a message is before it is numbered and judged.
struct Draft<'a> {
    opcode: Opcode,
    compressed: bool,
    undecoded: bool,
    frames: u64,
    wire_len: u64,
    first: Mark,
    body: Body<'a>,
    wire: &'a [u8],
    /// It was finished and no byte is missing.
    whole: bool,
    limited: bool,
    findings: NoteSet,
}

/// Where UTF-8 ends, if it does. The standard library is faster on short text, which is mostly ASCII; SIMD is on long.
fn first_bad(bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 128;
    if bytes.len() < SHORT {
        if bytes.is_ascii() {
            return None;
        }
        std::str::from_utf8(bytes).err().map(|error| error.valid_up_to())
    } else {
        simdutf8::compat::from_utf8(bytes).err().map(|error| error.valid_up_to())
    }
}

/// Where in a text that is not UTF-8 the first fault is that no hole explains: a character may be cut by a hole before or behind it, and by the end of what is there, unless that is the end of the text.
fn first_fault(body: &Body<'_>, whole: bool) -> Option<u64> {
    let mut at = 0;
    let mut rest = body.kept;
    let holes = body.holes.iter().map(|hole| (hole.offset, hole.len.unwrap_or(0))).chain([(u64::MAX, 0)]);
    for (offset, len) in holes {
        let (piece, later) =
            rest.split_at(usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX).min(rest.len()));
        let behind_hole = at > 0;
        let cut = piece.iter().take(3).take_while(|&&byte| behind_hole && byte & 0xc0 == 0x80).count();
        let fault = std::str::from_utf8(piece.get(cut..).unwrap_or_default()).err();
        if let Some(fault) = fault.filter(|fault| fault.error_len().is_some() || whole) {
            return Some(at + (cut + fault.valid_up_to()) as u64);
        }
        at = offset.saturating_add(len);
        rest = later;
    }
    None
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
