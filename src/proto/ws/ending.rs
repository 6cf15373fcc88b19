//! The end of a connection: what was left unsaid, and how it came.

use super::half::Reading;
use super::layer::Ws;
use crate::model::{Both, Closed, Direction, End, Mark, Note, NoteCode, Unanswered, Unseen, Version, abrupt, duration};
use crate::proto::layer::Cx;

/// Nanoseconds that a pong may take. Heartbeats give up after 5 seconds at the earliest.
const PONG_WAIT: i64 = 5_000_000_000;

/// Nanoseconds that a Close frame may go unanswered while TCP goes on.
const REPLY_WAIT: i64 = 5_000_000_000;

/// Nanoseconds that TCP may stay open after the closing handshake: browsers wait for the server no longer than two seconds.
const END_WAIT: i64 = 1_000_000_000;

/// What a direction's sender said last.
#[derive(Debug, Clone)]
pub(super) struct Farewell {
    /// The packet that carried its Close frame.
    pub(super) at: Mark,
    /// The frame's message.
    pub(super) msg: u64,
    /// Its code, none when it was empty.
    pub(super) code: Option<u16>,
    /// What its code says, where it may answer a Close frame that waits behind a hole: then it is not told yet.
    pub(super) untold: Option<(NoteCode, Box<str>)>,
}

impl Ws {
    /// Nothing more comes: tells what is unfinished or was never answered, and that the connection is over.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>) {
        for dir in Direction::BOTH {
            self.conclude_seeking(dir, cx);
        }
        let unseen = Both::from_fn(|dir| self.unseen(dir, cx));
        for dir in Direction::BOTH {
            self.give_up(dir, NoteCode::WsUnfinished, cx);
            self.give_up_seeking(dir, cx);
            self.tell_doubt(dir, cx);
            self.tell_repeats(dir, cx);
            self.tell_more_resent(dir, cx);
            self.tell_farewell(dir, cx);
        }
        let farewells = Both::from_fn(|dir| self.halves[dir].closed.as_deref().cloned());
        let [client, server] = Direction::BOTH.map(|dir| self.unanswered(dir, unseen[dir.reverse()].is_some(), cx));
        let closed =
            Closed { ends: self.ends(), last: cx.last, heard: self.heard, unanswered: client.or(server), unseen };
        match (farewells.to_server, farewells.to_client) {
            (None, None) => self.no_farewell(&closed, cx),
            (Some(client), Some(server)) => self.both_said_farewell(client, server, cx),
            (Some(first), None) => self.no_reply(Direction::ToServer, first, unseen.to_client.is_some(), cx),
            (None, Some(first)) => self.no_reply(Direction::ToClient, first, unseen.to_server.is_some(), cx),
        }
        cx.closed(self.conn, &closed);
    }

    /// Why it is not known what a direction said last.
    pub(super) fn unseen(&self, dir: Direction, cx: &Cx<'_>) -> Option<Unseen> {
        let is_lost = || matches!(self.halves[dir].reading, Reading::Seek(_) | Reading::Over) || self.lost[dir];
        cx.unseen(dir).or_else(|| is_lost().then_some(Unseen::Lost))
    }

    /// What became of TCP.
    fn tcp_end(&self) -> String {
        self.ends().words().unwrap_or_else(|| "TCP was open".to_owned())
    }

    /// When a wait ended: with TCP, or with the capture.
    fn until(&self, cx: &Cx<'_>) -> Mark {
        self.ends().first().map_or(cx.mark, |(_, _, mark)| mark)
    }

    /// Tells pings of a direction that waited long, and a pong that may have been meant for them.
    fn unanswered(&self, dir: Direction, blind: bool, cx: &mut Cx<'_>) -> Option<Unanswered> {
        let pings = &self.pings.as_deref().filter(|_| !blind)?[dir];
        let (count, since, msg) = pings.unanswered()?;
        // After a Close frame nobody has to answer (RFC 6455 §5.5.2).
        let closes = Direction::BOTH.iter().filter_map(|&dir| Some(self.halves[dir].closed.as_ref()?.at));
        let until = closes.chain([self.until(cx)]).min_by_key(|mark| mark.packet)?;
        let waited = until.since(since).filter(|&waited| waited >= PONG_WAIT)?;
        let unanswered = Unanswered { dir, count, since, msg, waited };
        let note = Note { dir: Some(dir), msg: Some(msg), ..Note::new(NoteCode::PingUnanswered, since) };
        cx.note(self.conn, &Note { text: &unanswered.words(), ..note });
        if let Some((at, msg)) = pings.stray() {
            self.tell_mismatch(dir.reverse(), (at, msg), cx);
        }
        Some(unanswered)
    }

    /// TCP ended and nobody had sent a Close frame.
    fn no_farewell(&self, closed: &Closed, cx: &mut Cx<'_>) {
        if let (Some((dir, _, mark)), Some(text)) = (closed.ends.by_peer(), abrupt(closed, self.version))
            && self.version != Version::Hixie75
        {
            let note = Note { dir: Some(dir), text: &text, ..Note::new(NoteCode::Abnormal1006, mark) };
            cx.note(self.conn, &note);
        }
    }

    /// One end sent a Close frame and got none back, though there was time, or TCP ended.
    fn no_reply(&self, dir: Direction, farewell: Farewell, blind: bool, cx: &mut Cx<'_>) {
        let waited = self.until(cx).since(farewell.at);
        if blind || self.ends().by_peer().is_none() && waited.is_none_or(|waited| waited < REPLY_WAIT) {
            return;
        }
        let code = farewell.code.map(|code| format!(" {code}")).unwrap_or_default();
        let later = waited.filter(|&waited| waited >= 0).map(|waited| format!(", {} later", duration(waited)));
        let later = later.unwrap_or_default();
        let (who, other) = (dir.sender(), dir.reverse().sender());
        let text = format!("the {other} did not answer the {who}'s Close{code}; {}{later}", self.tcp_end());
        let note = Note {
            dir: Some(dir.reverse()),
            msg: Some(farewell.msg),
            ..Note::new(NoteCode::CloseNoReply, farewell.at)
        };
        cx.note(self.conn, &Note { text: &text, ..note });
    }

    /// After the closing handshake it is the server's part to end TCP, at once and by FIN (RFC 6455 §7.1.1).
    fn both_said_farewell(&self, client: Farewell, server: Farewell, cx: &mut Cx<'_>) {
        let last = if client.at.packet < server.at.packet { server.at } else { client.at };
        let end = self.ends().by_peer();
        let waited = self.until(cx).since(last).unwrap_or(0).max(0);
        let when = match end {
            Some((.., mark)) if mark.packet < last.packet => "before the other Close frame came".to_owned(),
            _ => format!("{} after the closing handshake", duration(waited)),
        };
        let text = format!("{} {when}", self.tcp_end());
        // A stream of HTTP/2 leaves no port in TIME-WAIT, and may be reset as soon as all is said; TCP is not its own.
        let code = match end {
            Some((_, End::Rst, _)) => Some(NoteCode::CloseReset),
            Some((Direction::ToServer, End::Fin, _)) if cx.flow.h2_stream.is_none() => Some(NoteCode::CloseClientFirst),
            _ => None,
        };
        for code in code.into_iter().chain((waited > END_WAIT).then_some(NoteCode::CloseSlow)) {
            let (dir, at) = end.map_or((None, last), |(dir, _, mark)| (Some(dir), mark));
            cx.note(self.conn, &Note { dir, text: &text, ..Note::new(code, at) });
        }
    }
}
