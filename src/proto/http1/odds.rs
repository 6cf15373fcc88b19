//! What the transport says of a handshake's bytes, until there is a connection that it is about.

use crate::model::{ConnId, Direction, Input, Mark, Note, NoteCode, PacketNo, Wait};
use crate::proto::layer::Cx;

/// The first of what the transport said, in order.
#[derive(Debug, Default)]
pub(super) struct Odds {
    odds: Vec<Odd>,
    /// What the bytes of a packet waited for.
    waits: Vec<(Direction, PacketNo, Wait)>,
}

/// An [`Input::Odd`] that is kept.
#[derive(Debug)]
struct Odd {
    dir: Direction,
    offset: u64,
    len: u64,
    code: NoteCode,
    text: String,
    detail: String,
}

/// How many are kept.
const MOST: usize = 16;

impl Odds {
    /// Keeps what is said of `len` bytes from `offset` on.
    pub(super) fn keep(
        &mut self,
        dir: Direction,
        (offset, len): (u64, u64),
        (code, text, detail): (NoteCode, &str, &str),
    ) {
        if self.odds.len() < MOST {
            self.odds.push(Odd { dir, offset, len, code, text: text.to_owned(), detail: detail.to_owned() });
        }
    }

    /// Keeps what the bytes of a packet waited for: those of the last packets may be behind the handshake.
    pub(super) fn keep_wait(&mut self, dir: Direction, brought: PacketNo, wait: Wait) {
        if self.waits.len() >= MOST {
            self.waits.remove(0);
        }
        self.waits.push((dir, brought, wait));
    }

    /// What was kept, for the layer that goes on.
    pub(super) fn inputs(&self, mark: Mark) -> impl Iterator<Item = Input<'_>> {
        let odds = self.odds.iter().map(move |odd| {
            let &Odd { dir, offset, len, code, ref text, ref detail } = odd;
            Input::Odd { dir, offset, len, code, text, detail, mark }
        });
        odds.chain(self.waits.iter().map(move |&(dir, brought, wait)| Input::Waited { dir, brought, wait, mark }))
    }

    /// Tells what was kept of a connection that no layer goes on with.
    pub(super) fn tell(&mut self, conn: ConnId, cx: &mut Cx<'_>) {
        for Odd { dir, code, text, detail, .. } in self.odds.drain(..) {
            let detail = Some(detail.as_str()).filter(|detail| !detail.is_empty());
            cx.note(conn, &Note { dir: Some(dir), text: &text, detail, ..Note::new(code, cx.mark) });
        }
    }
}
