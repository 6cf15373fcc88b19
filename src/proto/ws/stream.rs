//! `deflate-stream` (HyBi-04 to 10 §9.2.1): all that follows the handshake, frame heads included, is one DEFLATE stream in each direction.

use super::deflate::{Inflater, Piece, Terms};
use super::layer::Ws;
use crate::model::{Both, Direction, Input, Mark, NoteCode, count};
use crate::proto::layer::{Around, Cx, Layer, Next};

/// Inflates what a [`Ws`] reads. Stream offsets count inflated bytes behind the handshake.
#[derive(Debug)]
pub(super) struct DeflateStream {
    inner: Ws,
    sides: Both<Side>,
}

#[derive(Debug)]
struct Side {
    /// `None` once the direction cannot be inflated any more.
    inflater: Option<Box<Inflater>>,
    /// Bytes inflated.
    offset: u64,
}

/// Bytes inflated at a time: what they may give, a thousand times as much, is held at once.
const STEP: usize = 64;

impl DeflateStream {
    pub(super) fn new(inner: Ws) -> Self {
        let side = |_| {
            let mut inflater = Inflater::new(Terms::FREE);
            inflater.begin();
            Side { inflater: Some(Box::new(inflater)), offset: 0 }
        };
        Self { inner, sides: Both::from_fn(side) }
    }

    fn data(&mut self, dir: Direction, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        for piece in bytes.chunks(STEP) {
            let side = &mut self.sides[dir];
            let Some(inflater) = &mut side.inflater else { return };
            let mut plain = cx.tools.take_buffer();
            let limits = cx.limits;
            cx.tools.inflation = self.inner.inflation;
            cx.tools.inflation.came(piece.len());
            let result = inflater.push(piece, cx.tools, &mut |piece, tools| {
                // Nothing is missing before it: all of it is known.
                if let Piece::Known(bytes) = piece {
                    plain.extend_from_slice(bytes);
                }
                tools.inflation.made(piece.len());
                !tools.inflation.is_spent(limits)
            });
            self.inner.inflation = cx.tools.inflation;
            let offset = side.offset;
            side.offset += plain.len() as u64;
            if !plain.is_empty() {
                self.inner.input(Input::Data { dir, offset, bytes: &plain, brought, mark: cx.mark }, cx);
            }
            cx.tools.give_buffer(plain);
            if result.is_err() {
                let is_spent = self.inner.inflation.is_spent(limits);
                let code = if is_spent { NoteCode::InflateLimit } else { NoteCode::DeflateBad };
                self.lose(dir, code, "the deflate-stream of this direction is not read any further", cx);
            }
        }
    }

    /// Nothing more of the direction can be inflated.
    fn lose(&mut self, dir: Direction, code: NoteCode, text: &str, cx: &mut Cx<'_>) {
        if self.sides[dir].inflater.take().is_some() {
            self.inner.note(dir, code, None, None, text, None, cx);
        }
    }
}

impl Layer for DeflateStream {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                let outer = cx.tools.stand(Around::piece(offset, bytes, brought));
                self.data(dir, bytes, brought, cx);
                cx.tools.around = outer;
            }
            Input::Gap { dir, len, receipt, .. } => {
                if self.sides[dir].inflater.is_some() {
                    let text = format!("{} {}", count(len, "byte"), receipt.cause());
                    self.inner.note(dir, NoteCode::TcpGap, None, None, &text, receipt.words(), cx);
                }
                let text = "bytes of a deflate-stream are missing; the rest of this direction cannot be inflated";
                self.lose(dir, NoteCode::DeflateLost, text, cx);
            }
            Input::Odd { dir, len, code, text, detail, mark, .. } => {
                // Where among the inflated bytes it falls is not known better.
                let offset = self.sides[dir].offset;
                self.inner.input(Input::Odd { dir, offset, len, code, text, detail, mark }, cx);
            }
            Input::Waited { .. } | Input::Resent { .. } | Input::End { .. } => {
                self.inner.input(input, cx);
            }
        }
        Next::Read
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        self.inner.over(cx);
    }
}
