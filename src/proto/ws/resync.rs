//! A connection whose frames are lost from sight, and how they are found again.

use super::extension::Source;
use super::frame::Head;
use super::half::Reading;
use super::layer::Ws;
use super::seek::{FORCED_BAR, Found, Known, RESYNC_BAR, Seek};
use crate::model::{Direction, Mark, NoteCode, Receipt, count};
use crate::proto::layer::Cx;

/// Frames that may refute what a search found.
const TRIAL: u8 = 64;

impl Ws {
    /// Looks for frames from the byte at `from` on, of which so many bits must speak.
    pub(super) fn look_from(&mut self, dir: Direction, from: u64, bar: u32) {
        let known = Known { bar, forced: bar == FORCED_BAR, ..self.known(dir) };
        self.look(dir, from, known);
    }

    fn look(&mut self, dir: Direction, from: u64, known: Known) {
        self.halves[dir].reading = Reading::Seek(Box::new(Seek::new(known, from)));
        // How much was missed is known when frames are found again.
        self.miss(dir, known.lost_from.map(|_| 0));
    }

    fn known(&self, dir: Direction) -> Known {
        let layout = self.layouts[dir];
        let masked = Some(layout.masks(dir));
        let compressed = self.compression.is_some() || self.source == Source::Open;
        let habits = self.halves[dir].habits;
        let (bar, lost_from) = (RESYNC_BAR, None);
        let (forced, sealed, aligned, tunnel) = (false, false, false, false);
        Known { layout, masked, compressed, bar, lost_from, forced, sealed, aligned, tunnel, habits }
    }

    /// Whether a head refutes what a search found shortly before: a server masks no frame (RFC 6455 §5.1), but what is tunnelled
    /// through it has masked ones. If so, it is looked on behind that head.
    pub(super) fn is_refuted(&mut self, dir: Direction, head: &Head, offset: u64, cx: &mut Cx<'_>) -> bool {
        let half = &mut self.halves[dir];
        half.on_trial -= 1;
        if head.key.is_none() || self.layouts[dir].masks(dir) {
            return false;
        }
        half.on_trial = 0;
        self.give_up(dir, NoteCode::TcpGap, cx);
        let known = Known { tunnel: true, ..self.known(dir) };
        self.look(dir, offset + u64::from(head.header_len), known);
        true
    }

    /// A head was lost between `lost_from` and `from`: what stands behind is looked through for frames.
    pub(super) fn lose_place(&mut self, dir: Direction, lost_from: u64, from: u64, cx: &mut Cx<'_>) {
        let sealed = cx.tls.is_some() && cx.flow.h2_stream.is_none();
        let aligned = sealed && self.halves[dir].records.are_aligned();
        let known = Known { lost_from: Some(lost_from), sealed, aligned, ..self.known(dir) };
        self.look(dir, from, known);
        if cx.tools.seeking > cx.limits.seek_total || !self.layouts[dir].can_be_sought() {
            self.give_up_seeking(dir, cx);
        }
    }

    /// Looks through the bytes of a segment for frames, and goes on with those that are found.
    pub(super) fn seek(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let Reading::Seek(seek) = &mut self.halves[dir].reading else { return };
        if let Some(found) = seek.push(bytes, offset, brought, cx.limits.seek_bytes, cx.tools) {
            self.go_on(dir, found, cx);
        }
    }

    /// Bytes up to `to` were lost where frames are looked for, so many if that is `exact`.
    pub(super) fn seek_past(&mut self, dir: Direction, to: u64, exact: bool, cx: &mut Cx<'_>) {
        let Reading::Seek(seek) = &mut self.halves[dir].reading else { return };
        if let Some(found) = seek.lose(to, exact, cx.tools) {
            self.go_on(dir, found, cx);
        }
    }

    /// Nothing more comes: what leads to the end of the stream, where frames are looked for, is believed sooner.
    pub(super) fn conclude_seeking(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        if let Reading::Seek(seek) = &mut self.halves[dir].reading
            && let Some(found) = seek.conclude()
        {
            self.go_on(dir, found, cx);
        }
    }

    /// Reads the frames that were found.
    fn go_on(&mut self, dir: Direction, found: Found, cx: &mut Cx<'_>) {
        let Reading::Seek(mut seek) = std::mem::take(&mut self.halves[dir].reading) else { return };
        let Found { at, frames, bits, skipped, .. } = found;
        let verb = if frames == 1 { "agrees" } else { "agree" };
        let agree = format!("{} {verb}, by chance one time in 2^{bits}", count(frames as u64, "frame"));
        let head = ends_handshake(seek.before(at)).then_some(match dir {
            Direction::ToServer => "the end of the request's head",
            Direction::ToClient => "the end of the answer's head",
        });
        if self.shaken {
            let head = head.map(|head| format!(", {head}")).unwrap_or_default();
            let text = format!(
                "frames were found again at stream offset {at}, {} behind the loss{head}: {agree}",
                count(skipped, "byte")
            );
            self.note(dir, NoteCode::WsResync, None, Some(self.frames + 1), &text, None, cx);
        } else if skipped > 0 {
            let what = head.map_or("belong to what began before".to_owned(), |head| format!("are {head}"));
            let text = format!("the first {} captured {what}: {agree}", count(skipped, "byte"));
            self.note(dir, NoteCode::Midstream, None, None, &text, None, cx);
        }
        let half = &mut self.halves[dir];
        half.on_trial = TRIAL;
        // Frames with their heads, compressed or not: it is near enough.
        if let (Some(from), Some(inflater)) = (seek.lost_from(), &mut half.inflater) {
            inflater.lose(Some(found.at - from));
        }
        let mut end = found.at;
        for (offset, bytes, brought) in seek.since(found.at) {
            self.pass_hole(dir, end, offset, cx);
            end = offset + bytes.len() as u64;
            self.halves[dir].sought_to = end;
            self.data(dir, offset, bytes, brought, cx);
        }
        self.pass_hole(dir, end, seek.end(), cx);
        seek.release(cx.tools);
    }

    /// The bytes from `from` to `to`, if any, are a hole in a frame that a search found.
    fn pass_hole(&mut self, dir: Direction, from: u64, to: u64, cx: &mut Cx<'_>) {
        if from < to {
            // What was told last is of another hole.
            self.halves[dir].receipt = Receipt::Unknown;
            self.gap(dir, from, (to - from, true), cx.mark, cx);
        }
    }

    /// No frames were found where they were looked for.
    pub(super) fn give_up_seeking(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let Reading::Seek(seek) = &mut self.halves[dir].reading else { return };
        let (from, len) = (seek.from(), seek.release(cx.tools));
        self.halves[dir].reading = Reading::Over;
        let bytes = count(len, "byte");
        let (code, text) = match len {
            _ if !self.shaken && !self.lost[dir] => {
                (NoteCode::Midstream, format!("no frames were found in the {bytes} captured of this direction"))
            }
            0 => (
                NoteCode::WsLost,
                format!("a frame head was lost before stream offset {from}, and nothing was captured behind it"),
            ),
            _ => (
                NoteCode::WsLost,
                format!("no frames were found in the {bytes} behind the loss, from stream offset {from} on"),
            ),
        };
        if len > 0 || self.shaken {
            self.note(dir, code, None, None, &text, None, cx);
        }
    }
}

/// Whether bytes are the end of a head of the opening handshake: lines of text with one of its headers, and an empty one.
fn ends_handshake(bytes: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"sec-websocket-", b"upgrade:", b"connection:"];
    let is_text = |&byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..);
    let begins = |line: &[u8], name: &[u8]| line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name));
    bytes.ends_with(b"\r\n\r\n")
        && bytes.iter().all(is_text)
        && bytes.split(|&byte| byte == b'\n').any(|line| NAMES.iter().any(|name| begins(line, name)))
}
