//! Records that do not open, or of which bytes are missing: what of them is data, and what the inner layer is told of it.

use super::super::half::Cover;
use super::super::keys::Before;
use super::super::record::{ContentType, HEADER, Header, Piece, Record};
use super::super::tell;
use super::{FAILED_MAX, Tls};
use crate::model::{Direction, Input, NoteCode, Receipt, WhyNot};
use crate::proto::layer::Cx;

/// The records with which a server may begin that carry something else than data.
const TICKETS_MAX: u64 = 4;

impl Tls {
    /// Reads what there is of a record of which bytes are missing.
    pub(super) fn torn(&mut self, dir: Direction, header: Header, record: &mut Record, cx: &mut Cx<'_>) {
        let is_1_3 = self.hello.is_1_3();
        let half = &mut self.halves[dir];
        let keys = match &mut half.cover {
            Cover::Opaque | Cover::Waiting(_) => return,
            Cover::Clear => {
                half.holed = true;
                *half.missing.get_or_insert(0) += header.total() as u64;
                tell::torn(self.inside.conn(), dir, header, None, cx);
                // A hello may stand before what is missing.
                if header.kind == ContentType::HANDSHAKE {
                    self.content(dir, header.kind, record.beginning(), cx);
                }
                return self.lose_messages(dir, cx);
            }
            Cover::Sealed(_) if is_1_3 && header.kind != ContentType::DATA => return,
            Cover::Sealed(keys) => keys,
        };
        half.messages.lose();
        let data = match keys.open_torn(half.padded, header, record) {
            Some(torn) if half.missing.is_none() => (torn.kind == ContentType::DATA).then_some(torn),
            _ => {
                tell::torn(self.inside.conn(), dir, header, None, cx);
                return self.lose_record(dir, header, cx);
            }
        };
        let pieces = data.map(|torn| record.pieces(torn.from, torn.to)).unwrap_or_default();
        let shown = pieces.iter().map(|piece| if let Piece::Bytes(bytes, _) = piece { bytes.len() } else { 0 }).sum();
        tell::torn(self.inside.conn(), dir, header, Some(shown), cx);
        let Some(torn) = data else { return };
        self.doubt(dir, (torn.to - torn.from) as u64, cx);
        let outer = cx.tools.stand(record.around());
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes, brought) => self.plain(dir, bytes, brought, cx),
                Piece::Lost(len) => self.lose_plain(dir, len as u64, true, cx),
            }
        }
        cx.tools.around = outer;
        if !torn.exact {
            self.lose_plain(dir, 1, false, cx);
        }
    }

    /// Tells the inner layer that the next bytes are not verified.
    fn doubt(&mut self, dir: Direction, len: u64, cx: &mut Cx<'_>) {
        let (offset, mark) = (self.halves[dir].plain, cx.mark);
        let input = Input::Odd { dir, offset, len, code: NoteCode::TlsUnverified, text: "", detail: "", mark };
        self.inside.feed(input, &self.session, cx);
    }

    /// A record did not open.
    pub(super) fn not_opened(&mut self, dir: Direction, header: Header, cx: &mut Cx<'_>) {
        self.may_change_keys(dir, cx);
        let half = &mut self.halves[dir];
        let Cover::Sealed(keys) = &half.cover else { return };
        if keys.is_proven() {
            if !std::mem::replace(&mut half.broken, true) {
                tell::bad_tag(self.inside.conn(), dir, header, cx);
            }
            if half.missing.is_none() {
                half.receipt = Receipt::Sealed;
            }
            if keys.hold_no_data() {
                half.missing.get_or_insert(0);
            }
            self.lose_record(dir, header, cx);
        } else if keys.expects_others() {
            half.early += u64::from(header.len).saturating_sub(keys.overhead().unwrap_or_default());
        } else {
            let is_wrong = keys.failed >= FAILED_MAX;
            self.watch();
            self.opaque(dir, header, self.halves[dir].brought, cx);
            if is_wrong {
                self.shut(dir, WhyNot::WrongKey(dir));
            }
        }
    }

    /// Tells the inner layer what was lost before a record that opened: how many of the bytes are data its number tells.
    pub(super) fn tell_missing(&mut self, dir: Direction, number: u64, before: &Before, cx: &mut Cx<'_>) {
        let is_1_3 = self.hello.is_1_3();
        let half = &mut self.halves[dir];
        let Cover::Sealed(keys) = &half.cover else { return };
        let overhead = keys.overhead().filter(|_| !half.padded && !before.changed);
        let first = number.saturating_sub(before.skipped);
        // Of a hole before the keys were known no data are missing, if at most the first sealed record is: a Finished.
        let was_clear = std::mem::take(&mut half.holed);
        let missing = half.missing.take().filter(|_| !before.begins && (!was_clear || before.skipped > 1));
        // The first that these keys seal up to TLS 1.2.
        let finished = !is_1_3 && first == 0 && before.unopened.len() as u64 == before.skipped;
        let unopened = before.unopened.get(usize::from(finished)..).unwrap_or_default();
        let records = if missing.is_some() { before.skipped } else { unopened.len() as u64 };
        if missing.is_none() && unopened.is_empty() {
            return;
        }
        if missing.is_none() {
            half.receipt = Receipt::Sealed;
        }
        let bytes = missing.unwrap_or_default() + unopened.iter().map(|header| header.total() as u64).sum::<u64>();
        // What was lost is data, but for the tickets with which a server begins in TLS 1.3.
        let is_data = dir == Direction::ToServer || !is_1_3 || first >= TICKETS_MAX;
        let exact = overhead
            .filter(|_| is_data && !was_clear && !before.unclear)
            .and_then(|overhead| bytes.checked_sub(records.checked_mul(HEADER as u64 + overhead)?));
        self.lose_plain(dir, exact.unwrap_or(bytes), exact.is_some(), cx);
    }

    /// Passes over a record whose length is known.
    fn lose_record(&mut self, dir: Direction, header: Header, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        let Cover::Sealed(keys) = &half.cover else { return };
        if let Some(missing) = &mut half.missing {
            *missing += header.total() as u64;
            return;
        }
        let overhead = keys.overhead().filter(|_| !half.padded);
        let len = u64::from(header.len);
        let exact = overhead.and_then(|overhead| len.checked_sub(overhead));
        self.lose_plain(dir, exact.unwrap_or(len), exact.is_some(), cx);
    }

    /// Nothing more will open: how much of what was lost is data is not to be known.
    pub(super) fn end_missing(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        let Cover::Sealed(keys) = &half.cover else { return };
        // Of a handshake whose end was lost, and behind which nothing came, no data are missing.
        let may_be_data = keys.is_proven() && !keys.in_handshake() || keys.failed > 0;
        let Some(bytes) = half.missing.take().filter(|_| may_be_data) else { return };
        if self.inside.is_open() {
            self.lose_plain(dir, bytes, false, cx);
        } else {
            self.session.lost();
        }
    }

    /// Tells the inner layer of data that were lost.
    pub(super) fn lose_plain(&mut self, dir: Direction, len: u64, exact: bool, cx: &mut Cx<'_>) {
        if len == 0 && exact {
            return;
        }
        self.session.lost();
        let offset = self.halves[dir].plain;
        self.halves[dir].plain += len;
        let receipt = std::mem::take(&mut self.halves[dir].receipt);
        self.inside.feed(Input::Gap { dir, offset, len, exact, receipt, mark: cx.mark }, &self.session, cx);
    }
}
