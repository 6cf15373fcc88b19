//! From what was read to events: frames and messages are numbered, judged and told.

use super::assembly::Assembly;
use super::deflate::Evidence;
use super::ending::Farewell;
use super::half::{Doubt, Place};
use super::layer::Ws;
use super::mask;
use super::rules;
use crate::model::{
    Body, Direction, Event, Frame, Heard, Mark, Message, Note, NoteCode, NoteSet, Opcode, Part, Span, count, number,
};
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
            compressed: assembly.compressed,
            undecoded: assembly.is_undecoded(),
            frames: assembly.frames,
            wire_len: assembly.wire_len,
            first: assembly.first,
            body: assembly.body(),
            wire: assembly.wire(),
            whole: ended && !assembly.has_holes(),
            inferred: assembly.inferred > 0,
            limited: assembly.limited,
            findings: assembly.all_findings(),
        };
        self.tell_message(dir, &draft, frame, cx);
        let number = self.messages;
        if assembly.compressed {
            self.doubt(dir, assembly, cx);
        }
        for &(len, mark) in &assembly.lost {
            let text = format!("{} never captured; message {number} incomplete", count(len, "byte"));
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
        let body = match self.layouts[dir].mask(&head) {
            Some(mask) => {
                scratch.clear();
                scratch.extend_from_slice(payload);
                mask::apply(&mut scratch, mask, 0);
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
            inferred: false,
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
            mask: head.key,
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
    #[inline(always)]
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
                bad_at = first_fault(&body, draft.whole);
                utf8 = bad_at.is_none();
                if !utf8 && !draft.inferred {
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
            found.insert(NoteCode::DeflateUnknown);
        }
        let mut findings = draft.findings;
        if !findings.is_empty() {
            let own = [NoteCode::DeflateBad, NoteCode::InflateLimit];
            own.into_iter().filter(|&code| findings.contains(code)).for_each(|code| {
                found.insert(code);
            });
        }
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
            complete: draft.whole && !draft.inferred && !draft.undecoded && draft.opcode != Opcode::CONTINUATION,
            inferred: draft.inferred,
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
            // An unknown compression is one, however many messages use it.
            if code == NoteCode::DeflateUnknown && !self.told[message.dir].insert(code) {
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

    /// Adds a message to what the last loss cost, if it has bytes that are copied from there; tells that when it is over.
    fn doubt(&mut self, dir: Direction, assembly: &Assembly, cx: &mut Cx<'_>) {
        let Some(inflater) = &self.halves[dir].inflater else { return };
        let (loss, is_over) = (inflater.losses(), inflater.is_sure());
        if self.halves[dir].doubt.as_ref().is_some_and(|doubt| doubt.loss != loss) {
            self.tell_doubt(dir, cx);
        }
        if assembly.unknown > 0 || assembly.inferred > 0 {
            let number = self.messages;
            let fresh = || Box::new(Doubt { loss, messages: (number, number), bytes: 0, unknown: 0, inferred: 0 });
            let doubt = self.halves[dir].doubt.get_or_insert_with(fresh);
            doubt.messages.1 = number;
            doubt.bytes += assembly.body().len;
            doubt.unknown += assembly.unknown;
            doubt.inferred += assembly.inferred;
        }
        if is_over {
            self.tell_doubt(dir, cx);
        }
    }

    /// Tells what a loss cost the messages behind it.
    pub(super) fn tell_doubt(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let Some(doubt) = self.halves[dir].doubt.take() else { return };
        let Doubt { messages: (first, last), bytes, unknown, inferred, .. } = *doubt;
        if unknown == 0 {
            return;
        }
        let place = if first == last { format!("message {first}") } else { format!("messages {first} to {last}") };
        let also = if inferred > 0 { format!(", {} more are inferred", number(inferred)) } else { String::new() };
        let text = format!(
            "{} of the {} of {place} are unknown: they are copied from what was lost{also}",
            number(unknown),
            count(bytes, "byte")
        );
        self.note(dir, NoteCode::DeflateLost, Some(first), None, &text, None, cx);
    }

    /// Tells how the length of what was lost was found.
    pub(super) fn tell_evidence(&mut self, dir: Direction, evidence: &Evidence, cx: &mut Cx<'_>) {
        let &Evidence { length, tried, passed, failed, messages, margin } = evidence;
        let text = format!(
            "{length} bytes were lost before the last {messages} messages: of {tried} lengths, only that one explains them"
        );
        let detail = format!(
            "{passed} of {} tests passed; the next best length is 10^{:.0} times less likely",
            passed + failed,
            (margin * std::f32::consts::LOG10_E).floor()
        );
        self.note(dir, NoteCode::DeflateInferred, Some(self.messages), None, &text, Some(&detail), cx);
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
    let kept = number(kept.len() as u64);
    format!("a message of {}, of which {kept} are kept (limits {limit} and message-total)", count(len, "byte"))
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
    /// Bytes of it were restored by a search.
    inferred: bool,
    limited: bool,
    findings: NoteSet,
}

/// Where UTF-8 ends, if it does. Short text is mostly ASCII, which is seen at a glance; otherwise SIMD is faster.
fn first_bad(bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 128;
    if bytes.len() < SHORT && bytes.is_ascii() {
        return None;
    }
    simdutf8::compat::from_utf8(bytes).err().map(|error| error.valid_up_to())
}

/// Where the first fault of a text is that no hole explains: a hole may cut the characters before and behind it, and so
/// may the end of what is there, unless that is the end of the text.
fn first_fault(body: &Body<'_>, whole: bool) -> Option<u64> {
    if body.holes.is_empty() && first_bad(body.kept).is_none() {
        return None;
    }
    let (mut at, mut behind_hole) = (0_u64, false);
    let mut parts = body.parts().peekable();
    while let Some(part) = parts.next() {
        match part {
            Part::Hole(hole) => {
                at = hole.offset.saturating_add(hole.len.unwrap_or(0));
                behind_hole = true;
            }
            Part::Bytes(bytes) => {
                let cut = bytes.iter().take(3).take_while(|&&byte| behind_hole && byte & 0xc0 == 0x80).count();
                let fault = std::str::from_utf8(bytes.get(cut..).unwrap_or_default()).err();
                let last = whole && parts.peek().is_none();
                if let Some(fault) = fault.filter(|fault| fault.error_len().is_some() || last) {
                    return Some(at + (cut + fault.valid_up_to()) as u64);
                }
                at += bytes.len() as u64;
                behind_hole = false;
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hole;

    #[test]
    fn a_hole_may_cut_a_character() {
        let judge = |kept: &[u8], holes: &[(u64, Option<u64>)]| {
            let holes: Vec<Hole> = holes.iter().map(|&(offset, len)| Hole { offset, len }).collect();
            first_fault(&Body { kept, len: 99, holes: &holes }, true).is_none()
        };
        let crab = "🦀".as_bytes();
        assert!(judge(&crab[..2], &[(2, Some(2))]), "its end is unknown");
        assert!(judge(&crab[1..], &[(0, Some(1))]), "its beginning is unknown");
        assert!(judge(&[crab[0], crab[3]], &[(1, Some(2))]), "its middle is unknown");
        assert!(!judge(&crab[..2], &[(0, Some(2))]), "its end never came");
        assert!(!judge(&crab[1..], &[(3, Some(2))]), "its beginning never came");
        assert!(!judge(b"a\xffb", &[(1, Some(1))]), "no character has this byte");
    }
}
