//! Bytes that were lost, and the search for the next record behind them.

use super::super::half::{Cover, Held, Lost};
use super::super::record::{ContentType, Cut, Header, Record};
use super::super::tell;
use super::Tls;
use crate::model::{Direction, Receipt, TlsVersion};
use crate::proto::layer::Cx;

impl Tls {
    /// Passes over bytes that were lost.
    pub(super) fn gap(&mut self, dir: Direction, offset: u64, len: u64, cx: &mut Cx<'_>) {
        if self.halves[dir].cutter.is_lost() {
            self.seek(dir, true, cx);
        }
        match self.halves[dir].cutter.lose(offset, len) {
            Some(Cut::Record(header)) => self.record_came(dir, header, cx),
            Some(_) => {}
            None => self.halves[dir].holed |= !matches!(self.halves[dir].cover, Cover::Sealed(_)),
        }
    }

    /// Looks for the next record behind a hole, and reads on from there; with `last` no more bytes will come before another one.
    pub(super) fn seek(&mut self, dir: Direction, last: bool, cx: &mut Cx<'_>) {
        while self.halves[dir].cutter.is_lost() && (!self.halves[dir].is_opaque() || self.shape.is_watching()) {
            let version = self.hello.version();
            let half = &mut self.halves[dir];
            let sealed = !matches!(half.cover, Cover::Clear);
            let fits = |header: Header| match version {
                Some(TlsVersion::TLS_1_3) if sealed => header.kind == ContentType::DATA && header.version == 0x0303,
                Some(TlsVersion(version)) => header.version == version.min(0x0303),
                None => true,
            };
            half.cutter.bound(cx.limits.seek_bytes);
            if half.cutter.seek(last, fits).is_none() {
                return;
            }
            let (found, passed) = half.cutter.found();
            let receipt = self.halves[dir].receipt;
            self.arrive(dir, Held::Hole(Lost { bytes: passed, dropped: 0, receipt }), cx);
            let Record { bytes, brought, offset, .. } = found;
            let ends = brought.iter().skip(1).map(|&(from, _)| from).chain([bytes.len()]);
            for (&(from, mark), to) in brought.iter().zip(ends) {
                self.data(dir, offset + from as u64, bytes.get(from..to).unwrap_or_default(), mark, cx);
            }
        }
    }

    /// Passes over records that were lost.
    pub(super) fn hole(&mut self, dir: Direction, lost: Lost, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        match &mut half.cover {
            Cover::Opaque | Cover::Waiting(_) => return,
            Cover::Clear => half.holed = true,
            Cover::Sealed(keys) => {
                keys.lose(lost.bytes);
                keys.drop_records(lost.dropped);
            }
        }
        half.receipt = if lost.dropped > 0 { Receipt::Sealed } else { lost.receipt };
        let is_open = matches!(half.cover, Cover::Sealed(_));
        // How many of them are data is known when the next record opens: from its number.
        *half.missing.get_or_insert(0) += lost.bytes;
        tell::gap(self.inside.conn(), dir, lost, is_open, cx);
        self.lose_messages(dir, cx);
        self.may_change_keys(dir, cx);
    }

    /// Counts the bytes in which records are looked for; they are dropped where all streams have too many.
    pub(super) fn count_sought(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let half = &mut self.halves[dir];
        let others = cx.tools.seeking.saturating_sub(half.sought);
        half.sought = half.cutter.sought();
        if others + half.sought > cx.limits.seek_total {
            half.cutter.bound(0);
            half.sought = half.cutter.sought();
            if !std::mem::replace(&mut half.curbed, true) {
                tell::no_search(self.inside.conn(), cx);
            }
        }
        cx.tools.seeking = others + self.halves[dir].sought;
    }
}
