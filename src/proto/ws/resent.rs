//! Messages whose bytes were sent again because their receiver lacked them: when TCP knows it they may have been told.

use super::layer::Ws;
use crate::model::{Direction, Event, Mark, Note, NoteCode, Resent, Wait, WaitCause, duration};
use crate::proto::layer::{Around, Cx};

/// What is known of bytes of one direction that came again.
#[derive(Debug, Default)]
pub(super) struct Resends {
    /// Those that came last: messages with them may not be told yet.
    lost: Lost,
    /// The last message of which a finding was told, and how long it waited.
    found: Option<(u64, i64)>,
    /// How often that was told.
    told: u32,
    /// How often it was not any more, with the longest wait, the message and the packet that ended it.
    more: u64,
    longest: Option<(Wait, u64, Mark)>,
}

/// Bytes that their receiver lacked until they came again.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Lost {
    /// The first, and the one behind those that waited for it: stream offsets of TCP.
    pub(super) from: u64,
    pub(super) to: u64,
    /// The packet that brought it first.
    pub(super) first: Mark,
    /// The packet that brought it again.
    pub(super) again: Mark,
}

/// How often a direction's are told one by one.
const TOLD: u32 = 20;

impl Lost {
    /// How long a message waited that stands there and began in this packet: who is behind the lost byte, since it was sent itself.
    fn wait(&self, from: u64, first: Mark) -> Option<Wait> {
        let since = if from < self.from { self.first } else { first };
        let nanos = self.again.since(since).filter(|&nanos| nanos >= Wait::NOTICED)?;
        let (packet, of) = (self.again.packet, Some(self.first.packet));
        Some(Wait { nanos, cause: WaitCause::Retransmission, packet, of })
    }
}

impl Ws {
    /// The receiver of a direction has bytes now that it had lacked: tells which messages waited for them, the one with the first
    /// of them in a finding.
    pub(super) fn resent(&mut self, dir: Direction, lost: Lost, acknowledged: Mark, cx: &mut Cx<'_>) {
        let rows = cx.tools.sent.between((self.conn, dir), (lost.from, lost.to), cx.limits);
        let waits: Vec<_> = rows.iter().filter_map(|row| Some((row.msg, lost.wait(row.from, row.first)?))).collect();
        for &(msg, wait) in &waits {
            cx.emit(self.conn, Event::Resent(&Resent { msg, dir, wait }));
        }
        let resends = self.halves[dir].waits.get_or_insert_default().resends.get_or_insert_default();
        resends.lost = lost;
        let (Some(&(first, wait)), Some(&(last, _))) = (waits.first(), waits.last()) else { return };
        // What is lost of one message may come again piece by piece.
        let is_known = |(msg, nanos): (u64, i64)| msg == first && wait.nanos - nanos < Wait::NOTICED;
        if resends.found.is_some_and(is_known) {
            return;
        }
        resends.found = Some((first, wait.nanos));
        resends.told += 1;
        if resends.told > TOLD {
            resends.more += 1;
            if resends.longest.is_none_or(|(longest, ..)| longest.nanos < wait.nanos) {
                resends.longest = Some((wait, first, lost.again));
            }
            return;
        }
        let behind = match waits.len() - 1 {
            0 => String::new(),
            1 => format!("; so did message {last} behind it"),
            more => format!("; so did {more} messages behind it, up to {last}"),
        };
        let text = format!("message {first} {wait}{behind}");
        let detail = format!("acknowledged in packet {}", acknowledged.packet);
        let note = Note { dir: Some(dir), msg: Some(first), text: &text, ..Note::new(NoteCode::TcpResent, lost.again) };
        cx.note(self.conn, &Note { detail: Some(&detail), ..note });
    }

    /// Tells what was not told one by one.
    pub(super) fn tell_more_resent(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let Some(resends) = self.halves[dir].waits.as_ref().and_then(|waits| waits.resends.as_ref()) else { return };
        let Some((wait, msg, at)) = resends.longest else { return };
        let times = if resends.more == 1 { "once".to_owned() } else { format!("{} times", resends.more) };
        let text = format!(
            "messages of the {} waited {times} more for a retransmission, up to {}",
            dir.sender(),
            duration(wait.nanos)
        );
        let note = Note { dir: Some(dir), msg: Some(msg), text: &text, ..Note::new(NoteCode::TcpResent, at) };
        cx.note(self.conn, &note);
    }

    /// What a message waited for that is told now and began with this packet: what its bytes waited for that came late, or those that
    /// came and were sent again all the same.
    pub(super) fn longest_wait(&self, dir: Direction, waited: Option<Wait>, from: u64, first: Mark) -> Option<Wait> {
        let Some(waits) = &self.halves[dir].waits else { return waited };
        let Some(resends) = &waits.resends else { return waited };
        let again = if from < resends.lost.to { resends.lost.wait(from, first) } else { None };
        waited.into_iter().chain(again).max_by_key(|wait| wait.nanos)
    }

    /// Remembers where a message stands that was told just now, from its first byte to before `to`.
    #[inline]
    pub(super) fn remember_sent(&self, dir: Direction, (from, to): (u64, u64), first: Mark, cx: &mut Cx<'_>) {
        let to = match cx.tools.around {
            None => to,
            // What was held before is told with bytes that are not its own.
            Some(Around { since, .. }) if self.halves[dir].brought.packet < since => return,
            Some(around) => around.to,
        };
        cx.tools.sent.push((self.conn, dir), self.messages, (from, to), first, cx.limits);
    }
}
