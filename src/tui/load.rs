//! How far the reading is.

use crate::model::{KeyLog, PacketNo, Timestamp, TlsSum, duration, size};
use std::time::Duration;

/// How far the reader is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Bytes to read; `None` for a pipe.
    pub total: Option<u64>,
    /// How many of several files have begun, and how many there are.
    pub files: Option<(usize, usize)>,
    /// Packets read.
    pub packets: u64,
    /// TCP streams seen.
    pub streams: u32,
    /// The time of the first packet.
    pub start: Option<Timestamp>,
    /// The time of the last packet.
    pub end: Option<Timestamp>,
}

/// How the reading ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The last progress.
    pub progress: Progress,
    /// What was seen where there is no WebSocket connection, line by line, the first one the sum; safe on a terminal.
    pub seen: Vec<String>,
    /// What the user should know about the file, one sentence each.
    pub warnings: Vec<String>,
    /// The last packet of a capture that is cut; 0: it has none.
    pub cut_after: Option<PacketNo>,
    /// TLS in the capture.
    pub tls: TlsSum,
    /// The key logs that were read, in the order that the origins of keys count them.
    pub key_logs: Vec<KeyLog>,
    /// Why the reading could not go on.
    pub error: Option<String>,
}

/// What is known about the reading.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) progress: Progress,
    pub(super) outcome: Option<Outcome>,
    /// The user stopped it.
    pub(super) stopped: bool,
    elapsed: Duration,
    fresh: bool,
}

impl Load {
    pub(super) fn progress(&mut self, progress: Progress, elapsed: Duration) {
        (self.progress, self.elapsed) = (progress, elapsed);
    }

    pub(super) fn done(&mut self, mut outcome: Outcome) {
        if self.stopped {
            // What was cut short by the user has no fault of its own.
            outcome.error = None;
        }
        self.progress = outcome.progress;
        self.outcome = Some(outcome);
        self.fresh = true;
    }

    pub(super) const fn is_done(&self) -> bool {
        self.outcome.is_some()
    }

    /// True once, when the reading has ended.
    pub(super) fn just_done(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    /// `3 of 4 TLS streams decrypted`: known at the end, where there are any.
    pub(super) fn tls_words(&self) -> Option<String> {
        self.outcome.as_ref()?.tls.words()
    }

    /// The key logs that were read: known at the end.
    pub(super) fn key_logs(&self) -> &[KeyLog] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.key_logs)
    }

    fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (seconds > 0.3).then(|| self.progress.read as f64 / seconds)
    }

    /// Percent read.
    pub(super) fn percent(&self) -> Option<u64> {
        let total = self.progress.total.filter(|&total| total > 0)?;
        Some((self.progress.read.min(total) as f64 / total as f64 * 100.0) as u64)
    }

    /// `file 2 of 5  157/412 MB  210 MB/s  ETA 1.2s`.
    pub(super) fn words(&self) -> String {
        let read = size(self.progress.read);
        let mut out = match self.progress.total {
            Some(total) => {
                let total = size(total);
                let same_unit = read.split_once(' ').filter(|(_, unit)| total.ends_with(unit));
                format!("{}/{total}", same_unit.map_or(read.as_str(), |(number, _)| number))
            }
            None => read,
        };
        if let Some((begun, all)) = self.progress.files {
            out.insert_str(0, &format!("file {begun} of {all}  "));
        }
        if let Some(rate) = self.rate() {
            out.push_str(&format!("  {}/s", size(rate as u64)));
            if let Some(total) = self.progress.total {
                let left = total.saturating_sub(self.progress.read) as f64 / rate.max(1.0);
                out.push_str(&format!("  ETA {}", duration((left * 1e9) as i64)));
            }
        }
        out
    }

    /// What the user must know on every screen, in at most `columns` where that can be: that the capture is cut.
    pub(super) fn banner(&self, columns: usize) -> Option<String> {
        let (short, long) = match self.outcome.as_ref()?.cut_after? {
            PacketNo(0) => ("! Capture is cut before its first packet".to_owned(), "."),
            packet => (format!("! Capture is cut after packet {packet}"), "; everything up to it is shown."),
        };
        let whole = format!("{short}{long}");
        Some(if super::text::width(&whole) < columns { whole } else { format!("{short}.") })
    }

    /// The bar, `columns` wide.
    pub(super) fn bar(&self, columns: usize) -> String {
        let full = self.percent().map_or(0, |percent| columns * usize::try_from(percent).unwrap_or(0) / 100);
        "▓".repeat(full) + &"░".repeat(columns - full.min(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_how_far_it_is() {
        let mut load = Load::default();
        let progress = Progress { read: 157_000_000, total: Some(412_000_000), ..Progress::default() };
        load.progress(progress, Duration::from_millis(748));
        assert_eq!(load.words(), "157/412 MB  210 MB/s  ETA 1.2s");
        assert_eq!(load.bar(10), "▓▓▓░░░░░░░");
        load.progress(Progress { files: Some((2, 5)), ..progress }, Duration::from_millis(748));
        assert_eq!(load.words(), "file 2 of 5  157/412 MB  210 MB/s  ETA 1.2s");
        load.progress(Progress { read: 900, total: None, ..progress }, Duration::ZERO);
        assert_eq!((load.words(), load.bar(3)), ("900 B".to_owned(), "░░░".to_owned()));
    }
}
