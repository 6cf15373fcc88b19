//! From what was read to events: frames and messages are numbered, judged and told.

use super::assembly::{Assembly, Fault};
use super::deflate::Evidence;
use super::ending::Farewell;
use super::half::{Doubt, Place};
use super::layer::Ws;
use super::mask;
use super::rules::{self, LengthFault};
use super::utf8::first_bad;
use crate::model::{
    Body, Close, CloseCode, Direction, Event, Frame, Heard, Mark, Message, Note, NoteCode, NoteSet, Opcode, Span,
    count, number, ratio,
};
use crate::proto::layer::Cx;

impl Ws {
    /// Tells a message from its assembly.
    pub(super) fn message(
        &mut self,
        dir: Direction,
        assembly: &mut Assembly,
        frame: Option<u64>,
        ended: bool,
        cx: &mut Cx<'_>,
    ) {
        let whole = ended && !assembly.has_holes();
        if ended && !assembly.has_open_end() {
            assembly.end_text();
        }
        let number = self.messages + 1;
        let waited = self.longest_wait(dir, assembly.waited, assembly.from, assembly.first);
        let mut message = Message {
            number,
            dir,
            opcode: assembly.opcode,
            frames: assembly.frames,
            compressed: assembly.compressed,
            undecoded: assembly.is_undecoded(),
            wire_len: assembly.wire_len,
            body: assembly.body(),
            wire: assembly.wire(),
            complete: whole,
            inferred: assembly.inferred > 0,
            utf8: assembly.is_utf8(whole),
            close: None,
            rtt: None,
            waited: waited.as_ref(),
            span: Span { first: assembly.first, last: cx.mark },
            brought: self.halves[dir].brought,
            findings: assembly.all_findings(),
            decoded: None,
            state: None,
        };
        let about = About {
            fault: assembly.fault.as_ref(),
            trouble: assembly.trouble.as_deref(),
            rsv: assembly.rsv,
            limited: assembly.limited,
        };
        let limited = assembly.limited.then(|| limited(&message, assembly.kept_len()));
        self.tell_message(&mut message, &about, frame, cx);
        if assembly.compressed {
            self.doubt(dir, assembly, cx);
        }
        for &(len, mark, receipt) in &assembly.lost {
            let text = format!("{} {}; message {number} incomplete", count(len, "byte"), receipt.cause());
            let (detail, note) = (receipt.words(), Note::new(NoteCode::TcpGap, mark));
            let note = Note { dir: Some(dir), msg: Some(number), text: &text, detail, ..note };
            cx.note(self.conn, &note);
        }
        if let Some(text) = limited {
            self.note(dir, NoteCode::MessageLimit, Some(number), None, &text, None, cx);
        }
        if let Some((code, frame)) = assembly.untold {
            let note =
                Note { dir: Some(dir), msg: Some(number), frame: Some(frame), ..Note::new(code, assembly.first) };
            cx.note(self.conn, &note);
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
        let is_text = head.opcode == Opcode::TEXT && !compressed;
        let bad = if is_text { first_bad(body) } else { None };
        let brought = self.halves[dir].brought;
        let fault = bad.map(|at| Fault { offset: at as u64, at: brought, frame: Some(number), told: false });
        let from = cx.tools.begun;
        let waited = self.longest_wait(dir, self.halves[dir].waited(), from, place.first);
        let mut message = Message {
            number: self.messages + 1,
            dir,
            opcode: head.opcode,
            frames: 1,
            compressed,
            undecoded: compressed,
            wire_len: head.len,
            body: Body { kept, ..Body::whole(body) },
            wire: &[],
            complete: true,
            inferred: false,
            utf8: bad.is_none_or(|at| at >= kept.len()),
            close: None,
            rtt: None,
            waited: waited.as_ref(),
            span: Span { first: place.first, last: cx.mark },
            brought,
            findings: place.findings,
            decoded: None,
            state: None,
        };
        let about = About { fault: fault.as_ref(), trouble: None, rsv: head.rsv, limited: kept.len() < body.len() };
        let limited = about.limited.then(|| limited(&message, kept.len()));
        self.tell_message(&mut message, &about, Some(number), cx);
        if let Some(text) = limited {
            self.note(dir, NoteCode::MessageLimit, Some(self.messages), Some(number), &text, None, cx);
        }
        self.remember_sent(dir, (from, place.end()), place.first, cx);
        cx.tools.scratch = scratch;
    }

    /// Numbers and tells a frame, and each rule that this direction breaks for the first time.
    #[inline(always)]
    pub(super) fn tell_frame(
        &mut self,
        dir: Direction,
        place: &Place,
        complete: bool,
        msg: Option<u64>,
        cx: &mut Cx<'_>,
    ) -> u64 {
        self.frames += 1;
        let brought = self.halves[dir].brought;
        if self.heard.mark().is_none_or(|heard| heard.packet <= brought.packet) {
            self.heard = Heard::Frame(brought);
        }
        self.lost[dir] = false;
        // A head whose frame never came may be none.
        if complete {
            self.halves[dir].habits.complete(&place.head);
        }
        if !cx.tools.skips_frames || !place.findings.is_empty() {
            self.announce(dir, place, complete, msg, cx);
        }
        self.frames
    }

    #[inline(never)]
    fn announce(&mut self, dir: Direction, place: &Place, complete: bool, msg: Option<u64>, cx: &mut Cx<'_>) {
        let &Place { head, offset, first, findings } = place;
        if !cx.tools.skips_frames {
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
                complete: complete && !findings.contains(NoteCode::TlsUnverified),
                findings,
            };
            cx.emit(self.conn, Event::Frame(&frame));
        }
        if !findings.is_empty() {
            // What the transport lost or doubted is told by itself, with its particulars.
            for code in findings.iter().filter(|&code| !is_of_transport(code)) {
                self.tell_broken(dir, code, place, msg, cx);
            }
        }
    }

    /// Tells a rule that the frame just told breaks, the first time.
    fn tell_broken(&mut self, dir: Direction, code: NoteCode, place: &Place, msg: Option<u64>, cx: &mut Cx<'_>) {
        self.told[dir].insert(code);
        let frame = self.frames;
        if !self.broken.get_or_insert_default()[dir].is_first(code, &place.head, frame, place.first) {
            return;
        }
        let msg = match code {
            NoteCode::WsContinuation if msg.is_none() => {
                // Its message has no number yet.
                if let Some(data) = &mut self.halves[dir].data {
                    data.untold = Some((code, frame));
                    return;
                }
                None
            }
            NoteCode::WsInterleaved => msg.or(self.halves[dir].data.as_ref().and_then(|data| data.dropped)),
            _ => msg,
        };
        let text = match code {
            NoteCode::WsRsv => rules::reserved_bits(&place.head, self.compression.map(|compression| compression.unit)),
            NoteCode::WsOpcode => rules::reserved_opcode(place.head.opcode, self.version),
            NoteCode::WsLength => LengthFault::of(&place.head).words(&place.head),
            _ => String::new(),
        };
        let note = Note { dir: Some(dir), msg, frame: Some(frame), text: &text, ..Note::new(code, place.first) };
        cx.note(self.conn, &note);
    }

    /// Tells the fault of a text that goes on: whoever receives it may fail the connection at once (RFC 6455 §8.1).
    pub(super) fn tell_early_fault(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let Some(data) = &mut self.halves[dir].data else { return };
        if data.inferred == 0
            && let Some(fault) = data.fault.as_mut().filter(|fault| !fault.told)
        {
            fault.told = true;
            let fault = *fault;
            self.tell_fault(dir, &fault, None, cx);
        }
    }

    fn tell_fault(&self, dir: Direction, fault: &Fault, msg: Option<u64>, cx: &mut Cx<'_>) {
        let text = format!("invalid UTF-8 at byte {} of a text message", fault.offset);
        let note =
            Note { dir: Some(dir), msg, frame: fault.frame, text: &text, ..Note::new(NoteCode::Utf8Bad, fault.at) };
        cx.note(self.conn, &note);
    }

    /// Tells a pong that is none for the pings that wait.
    pub(super) fn tell_mismatch(&self, dir: Direction, (at, msg): (Mark, u64), cx: &mut Cx<'_>) {
        cx.note(self.conn, &Note { dir: Some(dir), msg: Some(msg), ..Note::new(NoteCode::PongMismatch, at) });
    }

    /// Counts, judges and tells a message, of which is known so far what its frames tell.
    #[inline(always)]
    fn tell_message(&mut self, message: &mut Message<'_>, about: &About<'_>, frame: Option<u64>, cx: &mut Cx<'_>) {
        let Message { number, dir, body, brought, .. } = *message;
        self.messages = number;
        let mut found = NoteSet::EMPTY;
        let mut stray = None;
        match message.opcode {
            Opcode::TEXT if !message.undecoded => {
                if about.limited {
                    message.body = kept_characters(body);
                }
                if about.fault.is_some() && !message.inferred {
                    found.insert(NoteCode::Utf8Bad);
                }
            }
            Opcode::CLOSE => {
                if message.complete && self.version.has_close_codes() {
                    (message.close, found) = self.judge_close(dir, body.kept, cx);
                }
                let close = message.close;
                let code = close.map(|close| close.code.0);
                let untold = close.and_then(|close| Some((close, close.code.finding()?)));
                let untold = untold.filter(|(_, code)| !found.contains(*code) && cx.flow.waits);
                let untold = untold.map(|(close, code)| (code, closed_with(dir, &close).into()));
                let farewell = || Box::new(Farewell { at: brought, msg: number, code, untold });
                self.halves[dir].closed.get_or_insert_with(farewell);
            }
            // What it holds is not known in full.
            Opcode::PING | Opcode::PONG if !message.complete => self.doubt_pings(dir),
            Opcode::PING => {
                let pings = self.pings.get_or_insert_default();
                pings[dir].sent(body.kept, brought, number, cx.limits.pings);
            }
            Opcode::PONG => {
                let pings = &mut self.pings.get_or_insert_default()[dir.reverse()];
                let answer = pings.answered(body.kept, brought, number, cx.limits.pings);
                (message.rtt, stray) = (answer.rtt, answer.mismatch);
            }
            _ => {}
        }
        if message.undecoded {
            found.insert(NoteCode::DeflateUnknown);
        }
        if !message.findings.is_empty() {
            let own = [NoteCode::DeflateBad, NoteCode::InflateLimit];
            own.into_iter().filter(|&code| message.findings.contains(code)).for_each(|code| {
                found.insert(code);
            });
        }
        message.findings.extend(found);
        message.complete &= !message.inferred
            && !message.undecoded
            && message.opcode != Opcode::CONTINUATION
            && !message.findings.contains(NoteCode::TlsUnverified);
        cx.emit(self.conn, Event::Message(message));
        if !found.is_empty() {
            self.tell_found(message, found, about, frame, cx);
        }
        if let Some(stray) = stray {
            self.tell_mismatch(dir, stray, cx);
        }
        if message.opcode == Opcode::CLOSE {
            self.tell_farewell(dir.reverse(), cx);
        }
    }

    /// Code and reason of a Close frame, and what is wrong with it. What its code says is left for later where the frame may
    /// be an answer to one that waits behind a hole.
    fn judge_close<'b>(&self, dir: Direction, body: &'b [u8], cx: &Cx<'_>) -> (Option<Close<'b>>, NoteSet) {
        let other = self.halves[dir.reverse()].closed.as_deref();
        let before = other.filter(|other| other.at.packet < self.halves[dir].brought.packet);
        let code = body.first_chunk().map(|&code| u16::from_be_bytes(code));
        let echoes = before.is_some_and(|other| other.code == code);
        let (close, mut found) = rules::close(body, echoes);
        if other.is_none()
            && cx.flow.waits
            && let Some(code) = close.and_then(|close| close.code.finding())
        {
            found.remove(code);
        } else if close.is_some_and(|close| is_of_clients(close.code))
            && dir == Direction::ToClient
            && !echoes
            && self.unseen(dir.reverse(), cx).is_none()
        {
            found.insert(NoteCode::CloseCodeBad);
        }
        (close, found)
    }

    /// Tells what a Close frame's code says, where that was left for later: it is none that repeats the other end's.
    pub(super) fn tell_farewell(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let other = self.halves[dir.reverse()].closed.as_deref().map(|other| (other.at.packet, other.code));
        let Some(own) = self.halves[dir].closed.as_deref_mut() else { return };
        let Some((code, text)) = own.untold.take() else { return };
        let echo = other.is_some_and(|(packet, code)| packet < own.at.packet && code == own.code);
        if !echo {
            let note = Note { dir: Some(dir), msg: Some(own.msg), text: &text, ..Note::new(code, own.at) };
            cx.note(self.conn, &note);
        }
    }

    /// Tells what is wrong with a message as a whole.
    fn tell_found(
        &mut self,
        message: &Message<'_>,
        found: NoteSet,
        about: &About<'_>,
        frame: Option<u64>,
        cx: &mut Cx<'_>,
    ) {
        let sender = message.dir.sender();
        for code in found.iter() {
            // An unknown compression is one, however many messages use it, and so is the end of inflating.
            let spent = code == NoteCode::InflateLimit && about.trouble.is_none_or(str::is_empty);
            if (code == NoteCode::DeflateUnknown || spent) && !self.told[message.dir].insert(code) {
                continue;
            }
            if let (NoteCode::Utf8Bad, Some(fault)) = (code, about.fault) {
                if !fault.told {
                    self.tell_fault(message.dir, fault, Some(message.number), cx);
                }
                continue;
            }
            let text = match (code, message.close) {
                _ if spent => self.spent_words(message.dir),
                (NoteCode::DeflateBad | NoteCode::InflateLimit, _) => about.trouble.unwrap_or_default().to_owned(),
                (NoteCode::DeflateUnknown, _) => self.marked_by(about.rsv),
                (NoteCode::CloseCodeBad, Some(close)) if is_of_clients(close.code) => {
                    format!("{sender} closed with {}, which only clients send: {}", close.code, close.code.meaning())
                }
                (NoteCode::CloseCodeBad, Some(close)) => {
                    format!("{sender} closed with {}, which must not be sent: {}", close.code, close.code.meaning())
                }
                (NoteCode::CloseBody | NoteCode::CloseReason, _) | (_, None) => String::new(),
                (_, Some(close)) => closed_with(message.dir, &close),
            };
            let note =
                Note { dir: Some(message.dir), msg: Some(message.number), frame, ..Note::new(code, message.brought) };
            cx.note(self.conn, &Note { text: &text, ..note });
        }
    }

    /// Why compressed messages are not inflated.
    fn spent_words(&self, dir: Direction) -> String {
        let (came, made) = self.inflation.both();
        format!(
            "the messages of the connection inflate to {}, from {} so far ({}); those of the {} are inflated \
             again when that is in proportion (limit inflated-total, option --max-inflated)",
            count(made, "byte"),
            number(came),
            ratio(made, came).unwrap_or_default(),
            dir.sender()
        )
    }

    /// What marks a message that is shown as on the wire.
    fn marked_by(&self, rsv: u8) -> String {
        let bits = rules::rsv_names(rsv);
        let mark = if rsv.is_power_of_two() { "marks" } else { "mark" };
        if self.unknown {
            format!(
                "{bits} {mark} a message as changed by an extension that is not known here; it is shown as on the wire"
            )
        } else {
            format!(
                "{bits} {mark} a message as compressed, and no compression was agreed on; it is shown as on the wire"
            )
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
            let at = self.halves[dir].brought;
            let fresh = || Box::new(Doubt { loss, messages: (number, number), at, bytes: 0, unknown: 0, inferred: 0 });
            let doubt = self.halves[dir].doubt.get_or_insert_with(fresh);
            doubt.messages.1 = number;
            doubt.bytes = doubt.bytes.saturating_add(assembly.body().len);
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
        let Doubt { messages: (first, last), at, bytes, unknown, inferred, .. } = *doubt;
        if unknown == 0 {
            return;
        }
        let place = if first == last { format!("message {first}") } else { format!("messages {first} to {last}") };
        let also = if inferred > 0 { format!(", {} more are inferred", number(inferred)) } else { String::new() };
        let text = format!(
            "{} of the {} of {place} are unknown: they are copied from what is missing before{also}",
            number(unknown),
            count(bytes, "byte")
        );
        let note = Note { dir: Some(dir), msg: Some(first), text: &text, ..Note::new(NoteCode::DeflateLost, at) };
        cx.note(self.conn, &note);
    }

    /// Tells how the length of what was lost was found.
    pub(super) fn tell_evidence(&mut self, dir: Direction, evidence: &Evidence, cx: &mut Cx<'_>) {
        let &Evidence { length, tried, passed, failed, messages, margin } = evidence;
        let text = format!(
            "{} bytes were lost before the last {} messages: of {} lengths, only that one explains them",
            number(length as u64),
            number(messages.into()),
            number(tried.into())
        );
        let detail = format!(
            "{} of {} tests passed; the next best length is 10^{:.0} times less likely",
            number(passed.into()),
            number((passed + failed).into()),
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

/// Whether a frame has a finding for what happened to its bytes, not for what they are.
const fn is_of_transport(code: NoteCode) -> bool {
    matches!(
        code,
        NoteCode::TcpGap | NoteCode::TcpOverlap | NoteCode::TcpChecksum | NoteCode::TlsUnverified | NoteCode::WsResync
    )
}

/// Whether only clients close with this code: a server that lacks an extension fails the handshake (RFC 6455 §7.4.1).
const fn is_of_clients(code: CloseCode) -> bool {
    code.0 == 1010
}

/// Who closed with which code, and what the reason or else the code says.
fn closed_with(dir: Direction, close: &Close<'_>) -> String {
    let reason = String::from_utf8_lossy(close.reason);
    let why = if reason.is_empty() { close.code.meaning() } else { &reason };
    format!("{} closed with {}: {why}", dir.sender(), close.code)
}

/// How much of a message a limit took, and which.
fn limited(message: &Message<'_>, kept: usize) -> String {
    let limit = if message.compressed && !message.undecoded { "inflated-bytes" } else { "message-bytes" };
    let (len, kept) = (count(message.body.len, "byte"), number(kept as u64));
    format!("a message of {len}, of which {kept} are kept (limits {limit} and message-total)")
}

/// What is to be told of a message beside it.
struct About<'a> {
    /// The first fault of a text, which may stand behind what is kept of it.
    fault: Option<&'a Fault>,
    /// What keeps it from being inflated.
    trouble: Option<&'a str>,
    /// The reserved bits of its first frame.
    rsv: u8,
    /// A limit took the end of it.
    limited: bool,
}

/// The body without a character that a limit cut at its end.
fn kept_characters(body: Body<'_>) -> Body<'_> {
    Body { kept: whole_characters(body.kept), ..body }
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
