//! What runs inside a TLS session.

use super::tell::{Farewell, Herald, Session};
use crate::model::{Both, Carried, ConnId, Direction, Envelope, Event, Input, NoteCode, Unseen};
use crate::proto::layer::{Cx, Hint, Kind, Layer, Next};

/// The inner layer, opened with the first byte for it.
#[derive(Default)]
pub(super) struct Inside {
    layer: Option<Box<dyn Layer>>,
    /// The inner layer takes the other end for the client.
    turned: bool,
    /// Nothing in it is to be read any more.
    over: bool,
    /// It passes over what comes.
    skims: bool,
    /// The last bytes that are not verified, for who only now begins to read.
    unverified: Option<Input<'static>>,
    conn: Option<ConnId>,
    /// How deep it is.
    level: usize,
    /// Another session runs in it, or HTTP/2: its bytes are not those of a connection.
    nested: bool,
    /// What a direction carries cannot be read.
    shut: Both<bool>,
    /// What it has carried so far could not.
    sealed: Both<bool>,
    /// There were data before the first that are read.
    late: bool,
}

impl Inside {
    /// The first connection inside.
    pub(super) const fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    /// What is around is taken for a connection.
    pub(super) const fn stands_for(&mut self, conn: ConnId) {
        self.conn = Some(conn);
    }

    /// Whether nothing inside is to be read any more.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether anything was found inside so far.
    pub(super) const fn is_open(&self) -> bool {
        self.layer.is_some()
    }

    /// Whether the bytes are read.
    pub(super) const fn reads(&self) -> Next {
        if self.skims { Next::Skim } else { Next::Read }
    }

    /// What a direction carries cannot be read from here on.
    pub(super) fn shut(&mut self, dir: Direction) {
        self.shut[dir] = true;
    }

    /// The first that a direction carries cannot be read, what follows can.
    pub(super) fn seal(&mut self, dir: Direction) {
        self.sealed[dir] = true;
    }

    /// What is read begins within the data.
    pub(super) const fn begin_late(&mut self) {
        self.late = true;
    }

    /// Gives the inner layer something.
    pub(super) fn feed(&mut self, input: Input<'_>, session: &Session, cx: &mut Cx<'_>) {
        if let Input::Odd { dir, offset, len, code: code @ NoteCode::TlsUnverified, mark, .. } = input {
            self.unverified = Some(Input::Odd { dir, offset, len, code, text: "", detail: "", mark });
        }
        if self.over || self.layer.is_none() && !matches!(input, Input::Data { .. } | Input::Gap { .. }) {
            return;
        }
        let layer = self.layer.take().or_else(|| {
            *cx.tls = Some(Box::new(session.outline().clone()));
            cx.tools.sessions += 1;
            let layer = cx.inside(if session.is_http2() { Hint::Http2 } else { Hint::Unknown });
            self.level = *cx.nested;
            layer
        });
        let Some(mut layer) = layer else {
            self.over = true;
            return;
        };
        if cx.tools.tells_carried {
            let carried = Carried { level: self.level, ends: cx.ends(), input };
            cx.tell(None, Event::Carried(&carried));
        }
        let data = if let Input::Data { dir, .. } = input { Some(dir) } else { None };
        let input = if self.turned { input.reversed() } else { input };
        match self.within(cx, |cx| layer.input(input, cx)) {
            Next::Read => self.skims = false,
            Next::Skim => self.skims = true,
            Next::Nothing => self.over = true,
            Next::Become(inner) => {
                (layer, self.skims) = (inner, false);
                if let Some(odd) = self.unverified {
                    let odd = if self.turned { odd.reversed() } else { odd };
                    self.within(cx, |cx| layer.input(odd, cx));
                }
            }
        }
        self.layer = Some(layer);
        if let Some(dir) = data {
            self.sealed[dir] = false;
        }
    }

    /// Tells of a record that was read, if it is of a connection.
    pub(super) fn tell_record(&self, record: Envelope, cx: &mut Cx<'_>) {
        if let Some(conn) = self.conn.filter(|_| !self.nested && record.len > 0) {
            let dir = if self.turned { record.dir.reverse() } else { record.dir };
            cx.emit(conn, Event::Record(&Envelope { dir, ..record }));
        }
    }

    /// Secrets were added.
    pub(super) fn secrets(&mut self, cx: &mut Cx<'_>) {
        if let Some(mut layer) = self.layer.take() {
            self.within(cx, |cx| layer.secrets(cx));
            self.layer = Some(layer);
        }
    }

    /// Whether something inside waits for secrets.
    pub(super) fn waits(&self) -> bool {
        self.layer.as_ref().is_some_and(|layer| layer.waits())
    }

    /// Nothing more will come: the session is told of with the connection inside, which may be recognised only now.
    pub(super) fn over(&mut self, mut farewell: Option<Farewell>, cx: &mut Cx<'_>) {
        if let Some(farewell) = farewell.take_if(|_| self.conn.is_some()) {
            cx.relay(self.conn, |at, sink| farewell.tell(at, sink));
        }
        if let Some(mut layer) = self.layer.take() {
            let Cx { limits, flow, last, swapped, mark, open, .. } = *cx;
            let (tools, kind, route, tls) = (&mut *cx.tools, &mut *cx.kind, &mut *cx.route, &mut *cx.tls);
            let nested = &mut *cx.nested;
            let mut herald = Herald { sink: &mut *cx.sink, farewell };
            let sink = &mut herald;
            let mut within = Cx { limits, tools, flow, last, swapped, kind, nested, route, tls, mark, sink, open };
            self.within(&mut within, |cx| layer.over(cx));
            farewell = herald.farewell;
        }
        if let Some(farewell) = farewell {
            cx.relay(None, |at, sink| farewell.tell(at, sink));
        }
    }

    /// Lets the inner layer act, and keeps apart what it learns and what holds for the stream outside.
    fn within<T>(&mut self, cx: &mut Cx<'_>, act: impl FnOnce(&mut Cx<'_>) -> T) -> T {
        let (conns, swapped, flow) = (cx.tools.conns, cx.swapped, cx.flow);
        let sessions = cx.tools.sessions;
        cx.swapped ^= self.turned;
        cx.flow.from_start &= !self.late;
        // What TCP acknowledges is not what is uncovered here.
        cx.flow.heard = None;
        for dir in Direction::BOTH.into_iter().filter(|&dir| self.shut[dir] || self.sealed[dir]) {
            cx.flow.one_sided |= self.shut[dir];
            cx.flow.from_start &= !self.sealed[dir];
            cx.flow.unseen[if swapped { dir.reverse() } else { dir }].get_or_insert(Unseen::NotDecrypted);
        }
        let done = act(cx);
        self.turned = cx.swapped != swapped;
        (cx.swapped, cx.flow) = (swapped, flow);
        self.nested |= cx.tools.sessions != sessions || *cx.kind == Kind::Http2;
        *cx.kind = Kind::Tls;
        if cx.tools.conns > conns {
            self.conn.get_or_insert(ConnId(conns + 1));
        }
        done
    }
}
