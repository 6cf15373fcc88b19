//! The framing of Hixie-75 and 76 (draft-hixie-thewebsocketprotocol-76 §4.2, §4.3): texts between sentinels.

use super::assembly::Assembly;
use super::frame::Head;
use super::half::Place;
use super::layer::Ws;
use crate::model::{Both, Direction, Input, Mark, NoteCode, NoteSet, Opcode, Version, count};
use crate::proto::layer::{Cx, Layer, Next};

/// A connection whose frames end with a sentinel; told by a [`Ws`], which reads none itself.
///
/// ```text
/// 00 text FF                 a text (UTF-8, in which FF does not occur)
/// 01…7F data FF              nothing that the drafts define: `reserved-3`
/// 80 length data             bytes that receivers drop: `binary`; the length has 7 bits in each byte, whose top bit says that more follow
/// 81…FF length data          the same: `reserved-4`
/// FF 00                      the end, in 76: `close`
/// ```
#[derive(Debug)]
pub(super) struct Hixie {
    ws: Ws,
    sides: Both<Side>,
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    reading: Reading,
    /// The frame at hand.
    open: Option<Box<Assembly>>,
}

/// Where in a frame a direction stands.
///
/// ```text
/// Type ─┬▶ Text ─────────────▶ Type …     a hole in a text or between frames: ──▶ Gap ─┬▶ Tail ──▶ Type
///       └▶ Length ──▶ Sized ─▶ Type …                                                 └▶ Type
/// ```
#[derive(Debug, Clone, Copy, Default)]
enum Reading {
    #[default]
    Type,
    Length(Length),
    Sized {
        place: Place,
        left: u64,
        holed: bool,
    },
    /// Until the sentinel.
    Text(Place),
    /// Behind a hole: a frame's type, its sentinel, or what comes before that.
    Gap,
    /// The end of a frame whose beginning was lost, until the sentinel.
    Tail(Place),
}

/// A length of which some bytes are read.
#[derive(Debug, Clone, Copy)]
struct Length {
    frame_type: u8,
    value: u64,
    bytes: u8,
    offset: u64,
    /// Where the frame begins in TCP.
    from: u64,
    first: Mark,
}

const TEXT: u8 = 0x00;
const SENTINEL: u8 = 0xff;
/// The type with which 76 closes; its length is 0.
const CLOSE: u8 = 0xff;
/// Bytes of a length: 63 bits.
const LENGTH_MAX: u8 = 9;

impl Layer for Hixie {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                self.ws.note_reset(dir, brought, cx);
                self.ws.halves[dir].arrive(brought);
                let mut rest = bytes;
                while !rest.is_empty() {
                    let at = offset + (bytes.len() - rest.len()) as u64;
                    rest = self.step(dir, at, rest, brought, cx);
                }
                Next::Read
            }
            Input::Gap { dir, len, exact, receipt, mark, .. } => {
                self.ws.halves[dir].receipt = receipt;
                if exact {
                    self.gap(dir, len, mark, cx);
                } else {
                    self.give_up(dir, Some((len, mark)), cx);
                }
                Next::Read
            }
            Input::Odd { .. } | Input::Waited { .. } | Input::Resent { .. } | Input::End { .. } => {
                self.ws.input(input, cx)
            }
        }
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        for dir in Direction::BOTH {
            self.give_up(dir, None, cx);
        }
        self.ws.over(cx);
    }
}

impl Hixie {
    pub(super) fn new(ws: Ws) -> Self {
        Self { ws, sides: Both::default() }
    }

    /// Reads the next part of a frame; returns what follows it.
    fn step<'b>(&mut self, dir: Direction, at: u64, bytes: &'b [u8], brought: Mark, cx: &mut Cx<'_>) -> &'b [u8] {
        let Some((&byte, rest)) = bytes.split_first() else { return bytes };
        let side = &mut self.sides[dir];
        cx.tools.begun = match side.reading {
            Reading::Length(length) => length.from,
            _ => cx.tools.place(at),
        };
        match side.reading {
            Reading::Type if byte < 0x80 => {
                let place = self.place(dir, byte, 1, 0, at, brought);
                match split_at_sentinel(rest) {
                    Some((text, rest)) => {
                        let place =
                            self.ended(dir, Place { head: Head { len: text.len() as u64, ..place.head }, ..place });
                        self.ws.whole(dir, &place, text, cx);
                        rest
                    }
                    None => {
                        self.open(dir, &place, Reading::Text(place), cx);
                        rest
                    }
                }
            }
            Reading::Type => {
                side.reading = Reading::Length(Length {
                    frame_type: byte,
                    value: 0,
                    bytes: 0,
                    offset: at,
                    from: cx.tools.begun,
                    first: brought,
                });
                rest
            }
            Reading::Length(length) => self.length(dir, length, byte, rest, cx),
            Reading::Sized { place, left, holed } => {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let (now, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
                self.append(dir, now, cx);
                let left = left - now.len() as u64;
                self.sides[dir].reading = Reading::Sized { place, left, holed };
                if left == 0 {
                    self.finish(dir, place, !holed, cx);
                }
                rest
            }
            Reading::Text(place) | Reading::Tail(place) => {
                let is_tail = matches!(side.reading, Reading::Tail(_));
                let (now, rest) = split_at_sentinel(bytes).map_or((bytes, None), |(now, rest)| (now, Some(rest)));
                self.append(dir, now, cx);
                match rest {
                    Some(rest) => {
                        self.finish(dir, place, !is_tail, cx);
                        rest
                    }
                    None => &[],
                }
            }
            Reading::Gap => match byte {
                TEXT => {
                    side.reading = Reading::Type;
                    bytes
                }
                SENTINEL => {
                    side.reading = Reading::Type;
                    rest
                }
                _ => {
                    let head =
                        Head { fin: true, rsv: 0, opcode: Opcode::CONTINUATION, key: None, len: 0, header_len: 0 };
                    let place = Place { head, offset: at, first: brought, findings: NoteSet::EMPTY };
                    self.open(dir, &place, Reading::Tail(place), cx);
                    if let Some(assembly) = &mut self.sides[dir].open {
                        assembly.findings.insert(NoteCode::TcpGap);
                        assembly.end_missing(cx.limits);
                    }
                    bytes
                }
            },
        }
    }

    /// Reads a byte of a length; a frame that is all there behind it is told at once.
    fn length<'b>(&mut self, dir: Direction, length: Length, byte: u8, rest: &'b [u8], cx: &mut Cx<'_>) -> &'b [u8] {
        let Length { frame_type, value, bytes, offset, first, .. } = length;
        let value = value << 7 | u64::from(byte & 0x7f);
        let bytes = bytes + 1;
        if byte & 0x80 != 0 {
            self.sides[dir].reading = if bytes < LENGTH_MAX {
                Reading::Length(Length { value, bytes, ..length })
            } else {
                let text = format!("a length of more than {LENGTH_MAX} bytes at stream offset {offset}");
                self.ws.note(dir, NoteCode::WsLength, None, None, &text, None, cx);
                Reading::Gap
            };
            return rest;
        }
        let place = self.place(dir, frame_type, 1 + bytes, value, offset, first);
        if let Some((data, rest)) = usize::try_from(value).ok().and_then(|len| rest.split_at_checked(len)) {
            let place = self.ended(dir, place);
            self.ws.whole(dir, &place, data, cx);
            return rest;
        }
        self.open(dir, &place, Reading::Sized { place, left: value, holed: false }, cx);
        rest
    }

    /// A frame's head, judged.
    fn place(&self, dir: Direction, frame_type: u8, header_len: u8, len: u64, offset: u64, first: Mark) -> Place {
        let opcode = match frame_type {
            TEXT => Opcode::TEXT,
            0x80 => Opcode::BINARY,
            CLOSE if len == 0 && self.ws.version == Version::Hixie76 => Opcode::CLOSE,
            0x01..0x80 => Opcode(3),
            0x81.. => Opcode(4),
        };
        let mut findings = NoteSet::EMPTY;
        if opcode.is_reserved() {
            findings.insert(NoteCode::WsOpcode);
        }
        if self.ws.halves[dir].closed.is_some() {
            findings.insert(NoteCode::WsAfterClose);
        }
        let head = Head { fin: true, rsv: 0, opcode, key: None, len, header_len };
        Place { head, offset, first, findings }
    }

    /// Begins a frame that is not all there yet.
    fn open(&mut self, dir: Direction, place: &Place, reading: Reading, cx: &mut Cx<'_>) {
        let mut assembly = Assembly::new(&place.head, false, place.first, cx.tools);
        assembly.frames = 1;
        assembly.from = cx.tools.begun;
        assembly.findings = place.findings;
        self.sides[dir] = Side { reading, open: Some(Box::new(assembly)) };
    }

    fn append(&mut self, dir: Direction, bytes: &[u8], cx: &mut Cx<'_>) {
        if let Some(assembly) = &mut self.sides[dir].open {
            assembly.wait(self.ws.halves[dir].waited());
            assembly.append(bytes, self.ws.halves[dir].brought, (None, 0), None, cx.limits, cx.tools);
        }
    }

    /// The next frame's type comes; says with the frame that ended why its bytes are not to be trusted.
    fn ended(&mut self, dir: Direction, mut place: Place) -> Place {
        self.sides[dir].reading = Reading::Type;
        let sentinel = u64::from(matches!(place.head.opcode, Opcode::TEXT | Opcode(3)));
        place.findings.extend(self.ws.halves[dir].doubts_in(place.offset, place.end().saturating_add(sentinel)));
        place
    }

    /// Tells the frame at hand, which ended, and its message.
    fn finish(&mut self, dir: Direction, mut place: Place, complete: bool, cx: &mut Cx<'_>) {
        let Some(mut assembly) = self.sides[dir].open.take() else { return };
        if !matches!(self.sides[dir].reading, Reading::Sized { .. }) {
            place.head.len = assembly.body().len;
        }
        let mut place = self.ended(dir, place);
        assembly.wire_len = place.head.len;
        if assembly.findings.contains(NoteCode::TcpGap) {
            place.findings.insert(NoteCode::TcpGap);
        }
        assembly.findings.extend(place.findings);
        let number = self.ws.tell_frame(dir, &place, complete, Some(self.ws.messages + 1), cx);
        assembly.frame_told(number);
        self.ws.message(dir, &mut assembly, Some(number), true, cx);
        self.ws.remember_sent(dir, (assembly.from, place.end()), assembly.first, cx);
        assembly.free(cx.tools);
    }

    /// What is unfinished is told as far as it came: the stream ends, or bytes of it were lost.
    fn give_up(&mut self, dir: Direction, lost: Option<(u64, Mark)>, cx: &mut Cx<'_>) {
        let receipt = self.ws.halves[dir].receipt;
        let side = &mut self.sides[dir];
        let reading = std::mem::replace(&mut side.reading, Reading::Gap);
        let (
            Some(mut assembly),
            Reading::Sized { mut place, .. } | Reading::Text(mut place) | Reading::Tail(mut place),
        ) = (side.open.take(), reading)
        else {
            if let Some((len, _)) = lost {
                let text = format!("{} {}", count(len, "byte"), receipt.cause());
                self.ws.note(dir, NoteCode::TcpGap, None, None, &text, receipt.words(), cx);
            }
            return;
        };
        match reading {
            Reading::Sized { left, .. } => assembly.pass_over(left, cx.limits, cx.tools),
            _ => {
                place.head.len = assembly.body().len;
                assembly.end_missing(cx.limits);
            }
        }
        assembly.wire_len = place.head.len;
        if let Some((len, mark)) = lost {
            assembly.findings.insert(NoteCode::TcpGap);
            assembly.lost.push((len, mark, receipt));
        }
        let number = self.ws.tell_frame(dir, &place, false, Some(self.ws.messages + 1), cx);
        assembly.frame_told(number);
        if lost.is_some() {
            self.ws.message(dir, &mut assembly, None, false, cx);
            assembly.free(cx.tools);
        } else {
            self.ws.incomplete(dir, *assembly, NoteCode::WsUnfinished, cx);
        }
    }

    /// A hole: inside data of known length nothing else is lost, and else reading goes on behind the next sentinel.
    fn gap(&mut self, dir: Direction, len: u64, mark: Mark, cx: &mut Cx<'_>) {
        let side = &mut self.sides[dir];
        let Reading::Sized { place, left, .. } = side.reading else { return self.give_up(dir, Some((len, mark)), cx) };
        let inside = left.min(len);
        if let Some(assembly) = &mut side.open {
            assembly.lose(inside, Some((mark, self.ws.halves[dir].receipt)), cx.limits, cx.tools);
        }
        side.reading = Reading::Sized { place, left: left - inside, holed: true };
        if left == inside {
            self.finish(dir, place, false, cx);
        }
        if len > inside {
            self.give_up(dir, Some((len - inside, mark)), cx);
        }
    }
}

/// The bytes before a sentinel and those behind it.
fn split_at_sentinel(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(memchr::memchr(SENTINEL, bytes)?)?;
    Some((text, rest.get(1..).unwrap_or_default()))
}
