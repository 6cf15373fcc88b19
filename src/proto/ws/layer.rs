//! One WebSocket connection: its frames in both directions, its messages, and what is odd about them.

use super::assembly::{Assembly, Content};
use super::deflate::{Breach, Inflater};
use super::draft::Layout;
use super::extension::{Compression, Source, Unit};
use super::frame::Head;
use super::half::{Half, Open, Place, Reading};
use super::masks::Masks;
use super::pings::Pings;
use super::resent::Lost;
use super::rules::{self, Situation};
use super::told::Broken;
use crate::model::{
    Both, ConnId, Direction, End, Ends, Handshake, Heard, Input, Mark, NoteCode, NoteSet, Opcode, Version, count,
};
use crate::proto::layer::{Cx, Inflation, Layer, Next};

/// A connection's WebSocket layer.
#[derive(Debug)]
pub struct Ws {
    pub(super) conn: ConnId,
    pub(super) version: Version,
    /// How the heads of each direction are laid out.
    pub(super) layouts: Both<Layout>,
    /// An extension is in use that is not known.
    pub(super) unknown: bool,
    /// A handshake was captured, at least in part.
    pub(super) shaken: bool,
    /// What was agreed on about compression.
    pub(super) compression: Option<Compression>,
    /// How sure that is.
    pub(super) source: Source,
    /// What messages of both directions inflated to so far.
    pub(super) inflation: Inflation,
    pub(super) frames: u64,
    pub(super) messages: u64,
    pub(super) halves: Both<Half>,
    /// Pings that wait, once there was one.
    pub(super) pings: Option<Box<Both<Pings>>>,
    /// What was told of each direction and is told once.
    pub(super) told: Both<NoteSet>,
    /// The rules of frames that each direction broke, once there was one.
    pub(super) broken: Option<Box<Both<Broken>>>,
    /// The client's masking keys, once there was one.
    pub(super) masks: Option<Box<Masks>>,
    /// How the stream ended, once a direction has.
    pub(super) ends: Option<Box<Ends>>,
    /// What was heard last.
    pub(super) heard: Heard,
    /// Where HTTP/2 goes on, a stream of which was taken for the connection.
    pub(super) http2: Option<(Direction, u64)>,
    /// The directions in which the head of a frame was lost, and no frame has come since.
    pub(super) lost: Both<bool>,
}

impl Layer for Ws {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                self.note_reset(dir, brought, cx);
                self.data(dir, offset, bytes, brought, cx);
            }
            Input::Gap { dir, offset, len, exact, receipt, mark } => {
                self.halves[dir].receipt = receipt;
                self.gap(dir, offset, (len, exact), mark, cx);
            }
            Input::Odd { dir, offset, len, code, text, detail, .. } => {
                self.odd(dir, (offset, len), (code, text, detail), cx);
            }
            Input::Waited { dir, brought, wait, mark } => {
                self.halves[dir].waits.get_or_insert_default().expect(brought, wait, mark.packet);
            }
            Input::Resent { dir, offset: from, len, lost: first, again, mark } => {
                self.resent(dir, Lost { from, to: from.saturating_add(len), first, again }, mark, cx);
            }
            Input::End { dir, how, mark } => {
                // What is unfinished is given up when nothing more comes: the end may be forged.
                self.ends.get_or_insert_default().add(dir, how, mark);
                cx.ends_at(self.conn, mark);
            }
        }
        match self.http2 {
            Some(place) => self.give_way(place, input, cx),
            None => Next::Read,
        }
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        self.end(cx);
    }
}

impl Ws {
    /// The layer for a connection that this handshake opened.
    pub fn new(conn: ConnId, handshake: &Handshake) -> Self {
        Self {
            version: handshake.version(),
            layouts: Both::from_fn(|dir| Layout::new(handshake, dir)),
            unknown: handshake.unknown_extensions().next().is_some(),
            compression: Compression::agreed(handshake),
            source: Compression::source(handshake),
            shaken: true,
            heard: handshake.response.as_ref().map_or(Heard::Nothing, |head| Heard::Answer(head.span.last)),
            ..Self::unshaken(conn)
        }
    }

    /// The layer for a connection whose handshake was not captured.
    pub(super) fn unshaken(conn: ConnId) -> Self {
        Self {
            conn,
            version: Version::default(),
            layouts: Both::default(),
            unknown: false,
            shaken: false,
            compression: None,
            source: Source::Open,
            inflation: Inflation::default(),
            frames: 0,
            messages: 0,
            halves: Both::default(),
            pings: None,
            told: Both::default(),
            broken: None,
            masks: None,
            ends: None,
            heard: Heard::Nothing,
            http2: None,
            lost: Both::default(),
        }
    }

    /// How the stream ended so far.
    pub(super) fn ends(&self) -> Ends {
        self.ends.as_deref().copied().unwrap_or_default()
    }

    /// Says once that bytes came after a reset.
    pub(super) fn note_reset(&mut self, dir: Direction, brought: Mark, cx: &mut Cx<'_>) {
        if matches!(self.ends().first(), Some((_, End::Rst, mark)) if mark.packet < brought.packet)
            && self.told[dir].insert(NoteCode::TcpAfterReset)
        {
            self.note(dir, NoteCode::TcpAfterReset, None, None, "", None, cx);
        }
    }

    pub(super) fn data(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        self.halves[dir].arrive(brought);
        if let Some(record) = cx.tools.record {
            self.halves[dir].enter(record.number);
        }
        self.read(dir, offset, bytes, brought, cx);
    }

    /// Reads bytes, frame by frame.
    pub(super) fn read(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = offset + (bytes.len() - rest.len()) as u64;
            if !self.shaken {
                let used = self.look_for_http2(dir, at, rest, brought, cx);
                if self.http2.is_some() {
                    return;
                }
                if used > 0 {
                    rest = rest.get(used..).unwrap_or_default();
                    continue;
                }
            }
            rest = match &mut self.halves[dir].reading {
                Reading::Head(partial) => {
                    if partial.len() == 0 {
                        partial.from = cx.tools.place(at);
                    }
                    cx.tools.begun = partial.from;
                    let read = partial.push(rest, at, brought, &self.layouts[dir]);
                    let Some((head, offset, first, used)) = read else { return };
                    self.begin(dir, head, offset, first, rest.get(used..).unwrap_or_default(), cx)
                }
                Reading::Payload(_) => self.payload(dir, rest, cx),
                Reading::Seek(_) => return self.seek(dir, at, rest, brought, cx),
                Reading::Over => return,
            };
        }
    }

    /// Begins a frame; a whole message that is all there is told at once. Returns what follows.
    #[inline(always)]
    fn begin<'b>(
        &mut self,
        dir: Direction,
        head: Head,
        offset: u64,
        first: Mark,
        rest: &'b [u8],
        cx: &mut Cx<'_>,
    ) -> &'b [u8] {
        let mut place = Place { head, offset, first, findings: NoteSet::EMPTY };
        self.halves[dir].habits.learn(&head, || self.layouts[dir].first(&head, rest));
        if let Some((payload, rest)) = usize::try_from(head.len).ok().and_then(|len| rest.split_at_checked(len))
            && rules::is_usual(&head, dir)
            && self.halves[dir].is_plain(offset)
        {
            self.judge_key(dir, &mut place);
            self.whole(dir, &place, payload, cx);
            return rest;
        }
        self.judge(dir, place, rest, cx)
    }

    /// Takes a client's masking key; adds what is wrong with its keys, if that was not told yet.
    fn judge_key(&mut self, dir: Direction, place: &mut Place) {
        if dir == Direction::ToServer
            && let Some(code) = place.head.key.and_then(|key| self.masks.get_or_insert_default().next(key))
            && !self.told[dir].contains(code)
        {
            place.findings.insert(code);
        }
    }

    /// Judges a frame and begins it; returns what follows what is told of it at once.
    #[inline(never)]
    fn judge<'b>(&mut self, dir: Direction, mut place: Place, rest: &'b [u8], cx: &mut Cx<'_>) -> &'b [u8] {
        let Place { head, offset, first, .. } = place;
        if self.source == Source::Open && head.rsv == 4 && starts_message(&head) {
            (self.compression, self.source) = (Some(Compression::UNSEEN), Source::Guessed);
        }
        if self.halves[dir].on_trial > 0 && self.is_refuted(dir, &head, offset, cx) {
            return rest;
        }
        let half = &mut self.halves[dir];
        let open = half.data.is_some();
        let unit = self.compression.map(|compression| compression.unit);
        let situation = Situation {
            dir,
            tells_mask: self.version.tells_mask(),
            open,
            missed: half.missed,
            closed: half.closed.is_some(),
            unit,
            unknown: self.unknown,
        };
        place.findings = rules::judge(&head, situation);
        self.judge_key(dir, &mut place);
        let half = &mut self.halves[dir];
        place.findings.extend(half.doubts_in(offset, place.end()));
        let takeover = self.compression.is_some_and(|compression| compression.terms[dir].takeover);
        let goes_on = head.opcode == Opcode::CONTINUATION && half.inflates();
        if takeover
            && (goes_on || is_packed(&head, self.unknown))
            && half.distrusts_history(place.findings.contains(NoteCode::TlsUnverified))
        {
            place.findings.insert(NoteCode::TlsUnverified);
        }
        if offset < half.sought_to && self.shaken {
            place.findings.insert(NoteCode::WsResync);
        }
        half.missed &= head.opcode.is_control();
        let compressed = self.is_packed(&head);
        let starts = head.opcode != Opcode::CONTINUATION && !open;
        let alone = head.opcode.is_control() || head.fin && starts && !(compressed && unit.is_some());
        if let Some((payload, rest)) = usize::try_from(head.len).ok().and_then(|len| rest.split_at_checked(len))
            && alone
        {
            self.whole(dir, &place, payload, cx);
            return rest;
        }
        if head.opcode.is_control() {
            self.halves[dir].control = Some(Box::new(Assembly::new(&head, false, first, cx.tools)));
        } else {
            let by_frame = unit == Some(Unit::Frame);
            let begins = !open || head.opcode != Opcode::CONTINUATION;
            if begins {
                let dropped = self.drop_open(dir, cx);
                let mut assembly = Box::new(Assembly::new(&head, by_frame, first, cx.tools));
                assembly.dropped = dropped;
                self.halves[dir].data = Some(assembly);
            }
            if begins || by_frame {
                self.expect(dir, &head, cx);
            }
        }
        if let Some(assembly) = self.halves[dir].assembly(&head) {
            assembly.frames += 1;
            assembly.findings.extend(place.findings);
            if assembly.frames == 1 {
                assembly.from = cx.tools.begun;
            }
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
        let mask = self.layouts[dir].mask(&head);
        cx.tools.inflation = self.inflation;
        half.append(now, &head, mask, phase, cx);
        self.inflation = cx.tools.inflation;
        if done {
            self.frame_done(dir, cx);
        }
        rest
    }

    pub(super) fn gap(&mut self, dir: Direction, offset: u64, (len, exact): (u64, bool), mark: Mark, cx: &mut Cx<'_>) {
        if !exact {
            // Nothing leads over it.
            self.conclude_seeking(dir, cx);
        }
        let mut left = len;
        let half = &mut self.halves[dir];
        let receipt = half.receipt;
        if exact && let Reading::Payload(open) = &mut half.reading {
            let lost = open.left.min(left);
            open.left -= lost;
            open.holed = true;
            left -= lost;
            let (done, head) = (open.left == 0, open.place.head);
            if let Some(assembly) = half.assembly(&head) {
                // A hole that goes beyond the frame is told as a whole.
                assembly.lose(lost, (left == 0).then_some((mark, receipt)), cx.limits, cx.tools);
            }
            if !head.opcode.is_control() {
                half.lose_history(Some(lost));
            }
            if done {
                self.frame_done(dir, cx);
            }
        }
        if left > 0 && !matches!(self.halves[dir].reading, Reading::Over) {
            self.doubt_pings(dir);
            let before = self.messages;
            let holed = left < len;
            let reading = &self.halves[dir].reading;
            let seeks = matches!(reading, Reading::Seek(_));
            // A hole in a frame that is found later is told with it.
            let is_told = matches!(reading, Reading::Seek(seek) if exact && seek.leads_to(offset + len));
            if !seeks {
                self.give_up(dir, NoteCode::TcpGap, cx);
            }
            let number = (holed || self.messages > before).then_some(self.messages);
            let incomplete = number.map(|number| format!("; message {number} incomplete")).unwrap_or_default();
            let about = if exact { "" } else { "about " };
            let text = format!("{about}{} {}{incomplete}", count(len, "byte"), receipt.cause());
            if !is_told {
                self.note(dir, NoteCode::TcpGap, number, None, &text, receipt.words(), cx);
            }
            self.lost[dir] = true;
            if seeks {
                self.seek_past(dir, offset + len, exact, cx);
            } else {
                self.lose_place(dir, offset + len - left, offset + len, cx);
            }
        }
    }

    /// Passes a finding of the transport on, and marks the message that it falls into.
    fn odd(&mut self, dir: Direction, at: (u64, u64), (code, text, detail): (NoteCode, &str, &str), cx: &mut Cx<'_>) {
        // A flood of them is one finding.
        let floods = matches!(code, NoteCode::TcpLate | NoteCode::TcpLimit);
        if floods && !self.told[dir].insert(code) {
            return;
        }
        if matches!(code, NoteCode::TcpOverlap | NoteCode::TcpChecksum | NoteCode::TlsUnverified) && at.1 > 0 {
            let (half, (offset, len)) = (&mut self.halves[dir], at);
            half.distrust(offset, len, code);
            if let Reading::Payload(Open { place, .. }) = &mut half.reading
                && offset < place.end()
            {
                place.findings.insert(code);
                let head = place.head;
                if let Some(assembly) = half.assembly(&head) {
                    assembly.findings.insert(code);
                }
                if code == NoteCode::TlsUnverified && half.inflates() {
                    half.distrusts_history(true);
                }
            }
        }
        // Records that are not verified are told where they were decrypted.
        if code == NoteCode::TlsUnverified {
            return;
        }
        self.note(dir, code, None, None, text, (!detail.is_empty()).then_some(detail), cx);
    }

    /// The direction ends, or its place is lost: what is unfinished is told as far as it came; `why` is what is wrong with it.
    pub(super) fn give_up(&mut self, dir: Direction, why: NoteCode, cx: &mut Cx<'_>) {
        let mut ended = false;
        if let (Reading::Head(partial), NoteCode::WsUnfinished) = (&self.halves[dir].reading, why)
            && let came @ 1.. = partial.len()
        {
            let text = format!("the stream ends inside the head of a frame, behind {came} of its bytes");
            self.note(dir, why, None, None, &text, None, cx);
        }
        if let Reading::Payload(Open { place, left, .. }) = self.halves[dir].reading {
            self.halves[dir].reading = Reading::Over;
            let number = self.tell_frame(dir, &place, false, Some(self.messages + 1), cx);
            if let Some(assembly) = self.halves[dir].assembly(&place.head) {
                assembly.frame_told(number);
                assembly.wire_len = assembly.wire_len.saturating_add(place.head.len);
                assembly.pass_over(left, cx.limits, cx.tools);
            }
            if let Some(control) = self.halves[dir].control.take() {
                self.incomplete(dir, *control, why, cx);
            } else {
                ended = place.head.fin;
            }
        }
        self.halves[dir].lose_history(None);
        if let Some(mut data) = self.halves[dir].data.take() {
            if !ended {
                data.end_missing(cx.limits);
            }
            self.incomplete(dir, *data, why, cx);
        }
    }

    /// A new message begins inside an open one, which will not be finished any more: its number.
    fn drop_open(&mut self, dir: Direction, cx: &mut Cx<'_>) -> Option<u64> {
        self.halves[dir].lose_history(None);
        if let Some(mut data) = self.halves[dir].data.take() {
            data.end_missing(cx.limits);
            self.incomplete(dir, *data, NoteCode::WsInterleaved, cx);
            return Some(self.messages);
        }
        None
    }

    /// Tells a frame that ended, and its message when it was the last.
    fn frame_done(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        let Reading::Payload(Open { mut place, holed, .. }) = std::mem::take(&mut half.reading) else { return };
        if holed {
            place.findings.insert(NoteCode::TcpGap);
        }
        let head = place.head;
        if let Some(assembly) = half.assembly(&head) {
            assembly.wire_len = assembly.wire_len.saturating_add(head.len);
        }
        let last = head.fin || head.opcode.is_control();
        let msg = last.then_some(self.messages + 1);
        let number = self.tell_frame(dir, &place, !holed, msg, cx);
        if let Some(assembly) = self.halves[dir].assembly(&head) {
            assembly.frame_told(number);
        }
        let by_frame = self.compression.is_some_and(|compression| compression.unit == Unit::Frame);
        let mut found = None;
        let half = &mut self.halves[dir];
        if (last || by_frame)
            && !head.opcode.is_control()
            && let Some(assembly) = &mut half.data
        {
            let is_text = assembly.opcode == Opcode::TEXT && (!by_frame || last && assembly.frames == 1);
            cx.tools.inflation = self.inflation;
            found = assembly.finish(half.inflater.as_deref_mut(), is_text, half.brought, cx.limits, cx.tools);
            self.inflation = cx.tools.inflation;
        }
        if last && self.source == Source::Guessed && !head.opcode.is_control() {
            self.judge_guess(dir, cx);
        }
        let half = &mut self.halves[dir];
        if last {
            let assembly = if head.opcode.is_control() { half.control.take() } else { half.data.take() };
            if let Some(mut assembly) = assembly {
                self.message(dir, &mut assembly, Some(number), true, cx);
                self.remember_sent(dir, (assembly.from, place.end()), assembly.first, cx);
                assembly.free(cx.tools);
            }
        }
        if !last {
            self.tell_early_fault(dir, cx);
        }
        if let Some(evidence) = found {
            self.tell_evidence(dir, &evidence, cx);
        }
        if last && let Some(breach) = self.halves[dir].inflater.as_deref_mut().and_then(Inflater::breach) {
            self.tell_breach(dir, breach, cx);
        }
    }

    /// Tells that a sender does not keep to what was agreed on about its compression.
    fn tell_breach(&self, dir: Direction, breach: Breach, cx: &mut Cx<'_>) {
        let sender = dir.sender();
        let bits = self.compression.map_or(15, |compression| compression.terms[dir].window_bits);
        let (code, text) = match breach {
            Breach::Context => (
                NoteCode::PmdContext,
                format!("a message refers to earlier ones, although {sender}_no_context_takeover was agreed on"),
            ),
            Breach::Window => (
                NoteCode::PmdWindow,
                format!(
                    "a message refers farther back than {}, although {sender}_max_window_bits={bits} was agreed on",
                    count(1 << bits, "byte")
                ),
            ),
        };
        self.note(dir, code, Some(self.messages), None, &text, None, cx);
    }

    /// Bytes were lost in a direction: among them may be pings of its sender, and pongs for those of the other.
    pub(super) fn doubt_pings(&mut self, dir: Direction) {
        if let Some(pings) = &mut self.pings {
            pings[dir].doubt_pings();
            pings[dir.reverse()].doubt_pongs();
        }
    }

    /// Tells a message that will not be completed.
    pub(super) fn incomplete(&mut self, dir: Direction, mut assembly: Assembly, why: NoteCode, cx: &mut Cx<'_>) {
        assembly.findings.insert(why);
        self.message(dir, &mut assembly, None, false, cx);
        if why == NoteCode::WsUnfinished {
            let text = format!("the stream ends inside message {}", self.messages);
            self.note(dir, why, Some(self.messages), None, &text, None, cx);
        }
        assembly.free(cx.tools);
    }

    /// Messages were missed, `wire` bytes if anybody knows: what follows may go on with them, or refer to them.
    pub(super) fn miss(&mut self, dir: Direction, wire: Option<u64>) {
        let half = &mut self.halves[dir];
        half.missed = true;
        match &mut half.inflater {
            Some(inflater) => inflater.lose(wire),
            None => half.late = true,
        }
    }

    /// A data message ended while it is only guessed what RSV1 means: it tells whether the guess was right.
    fn judge_guess(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        let whole =
            half.data.as_mut().filter(|assembly| assembly.compressed && !assembly.findings.contains(NoteCode::TcpGap));
        let Some(assembly) = whole else { return };
        self.source = Source::Agreed;
        if assembly.findings.contains(NoteCode::DeflateBad) {
            assembly.leave_undecoded(cx.limits, cx.tools);
            half.inflater = None;
            (self.compression, self.unknown) = (None, true);
        } else {
            assembly.confirm(cx.limits);
        }
    }

    /// Whether an extension made something else of the payload: RSV1 says so, and any reserved bit where one is in use that is not known.
    pub(super) const fn is_packed(&self, head: &Head) -> bool {
        is_packed(head, self.unknown)
    }

    /// How the bytes that follow a head are to be read.
    fn expect(&mut self, dir: Direction, head: &Head, cx: &Cx<'_>) {
        let content = match self.compression {
            _ if !self.is_packed(head) => Content::Plain,
            None => Content::Undecoded,
            Some(_) if self.unknown && head.rsv != 4 => Content::Undecoded,
            Some(_) if self.inflation.is_spent(cx.limits) => {
                let Half { data, inflater, .. } = &mut self.halves[dir];
                if let Some(assembly) = data {
                    assembly.leave_packed(cx.limits);
                }
                if let Some(inflater) = inflater {
                    inflater.give_up();
                }
                return;
            }
            Some(compression) => {
                self.inflater(dir, compression).begin();
                Content::Deflated
            }
        };
        let guessed = self.source == Source::Guessed;
        if let Some(assembly) = &mut self.halves[dir].data {
            assembly.guessed = guessed;
            assembly.expect(content);
        }
    }

    /// A direction's inflater; it is made when it is first needed.
    fn inflater(&mut self, dir: Direction, compression: Compression) -> &mut Inflater {
        let Half { inflater, late, .. } = &mut self.halves[dir];
        inflater.get_or_insert_with(|| {
            let mut inflater = Inflater::new(compression.terms[dir]);
            if *late {
                inflater.lose(None);
            }
            Box::new(inflater)
        })
    }
}

/// See [`Ws::is_packed`].
const fn is_packed(head: &Head, unknown: bool) -> bool {
    !head.opcode.is_control() && (head.rsv & 4 != 0 || unknown && head.rsv != 0)
}

/// Whether a frame with this head begins a data message.
fn starts_message(head: &Head) -> bool {
    !head.opcode.is_control() && head.opcode != Opcode::CONTINUATION
}
