//! What many messages come to: amounts over time, sizes, round trips, counts; in bounded memory, one message at a time.

use crate::book::{MessageId, MessageRow};
use crate::export::{Bin, Bins, Spread, Values};
use crate::model::{Both, Counts, Direction, Timestamp};

/// Bins that are kept at most.
const MAX_BINS: usize = 1 << 14;

const MS: i64 = 1_000_000;
const SECOND: i64 = 1000 * MS;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Widths of bins in nanoseconds, with their names; each is a multiple of the one before.
pub(super) const WIDTHS: [(i64, &str); 21] = [
    (MS, "1 ms"),
    (5 * MS, "5 ms"),
    (10 * MS, "10 ms"),
    (50 * MS, "50 ms"),
    (100 * MS, "100 ms"),
    (500 * MS, "500 ms"),
    (SECOND, "1 s"),
    (5 * SECOND, "5 s"),
    (10 * SECOND, "10 s"),
    (30 * SECOND, "30 s"),
    (60 * SECOND, "1 min"),
    (300 * SECOND, "5 min"),
    (600 * SECOND, "10 min"),
    (1800 * SECOND, "30 min"),
    (HOUR, "1 h"),
    (6 * HOUR, "6 h"),
    (DAY, "1 d"),
    (10 * DAY, "10 d"),
    (100 * DAY, "100 d"),
    (1000 * DAY, "1 000 d"),
    (10_000 * DAY, "10 000 d"),
];

/// The width after one of [`WIDTHS`].
fn wider(width: i64) -> i64 {
    WIDTHS.iter().find(|&&(wider, _)| wider > width).map_or(i64::MAX, |&(wider, _)| wider)
}

/// The largest messages of each class of sizes, in bytes, and its name.
pub(super) const SIZES: [(u64, &str); 9] = [
    (16, "≤ 16 B"),
    (64, "≤ 64 B"),
    (256, "≤ 256 B"),
    (1000, "≤ 1 kB"),
    (4000, "≤ 4 kB"),
    (16_000, "≤ 16 kB"),
    (64_000, "≤ 64 kB"),
    (1_000_000, "≤ 1 MB"),
    (u64::MAX, "> 1 MB"),
];

/// What is drawn over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Metric {
    /// Payload bytes after unmasking and inflating.
    #[default]
    Bytes,
    /// Messages.
    Messages,
    /// Frames.
    Frames,
}

impl Metric {
    pub(super) const ALL: [Self; 3] = [Self::Bytes, Self::Messages, Self::Frames];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Messages => "messages",
            Self::Frames => "frames",
        }
    }

    pub(super) const fn next(self) -> Self {
        match self {
            Self::Bytes => Self::Messages,
            Self::Messages => Self::Frames,
            Self::Frames => Self::Bytes,
        }
    }
}

/// The messages that ended in a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Moment {
    bytes: Both<u64>,
    messages: Both<u64>,
    frames: Both<u64>,
    /// The first of each direction.
    first: Both<Option<MessageId>>,
    /// The longest round trip that ended there, in nanoseconds.
    pub(super) rtt: Option<i64>,
}

impl Moment {
    fn of(row: &MessageRow) -> Self {
        let mut moment = Self { rtt: row.rtt, ..Self::default() };
        moment.bytes[row.dir] = row.len;
        moment.messages[row.dir] = 1;
        moment.frames[row.dir] = row.frames;
        moment.first[row.dir] = Some(row.id);
        moment
    }

    pub(super) fn amount(&self, metric: Metric, dir: Direction) -> u64 {
        match metric {
            Metric::Bytes => self.bytes[dir],
            Metric::Messages => self.messages[dir],
            Metric::Frames => self.frames[dir],
        }
    }

    /// The first message of these directions.
    pub(super) fn first(&self, dirs: &[Direction]) -> Option<MessageId> {
        dirs.iter().filter_map(|&dir| self.first[dir]).min()
    }
}

impl Bin for Moment {
    fn add(&mut self, other: &Self) {
        self.bytes.add(&other.bytes);
        self.messages.add(&other.messages);
        self.frames.add(&other.frames);
        for dir in Direction::BOTH {
            let firsts = [self.first[dir], other.first[dir]];
            self.first[dir] = firsts.into_iter().flatten().min();
        }
        self.rtt = self.rtt.max(other.rtt);
    }
}

/// All that is measured.
#[derive(Debug)]
pub(super) struct Measures {
    pub(super) moments: Bins<Moment>,
    pub(super) counts: Both<Counts>,
    /// Messages of each class of [`SIZES`].
    pub(super) sizes: Both<[u64; SIZES.len()]>,
    lengths: Both<Values>,
    round_trips: Values,
    /// Lengths in bytes, as of the last [`Measures::sum_up`].
    pub(super) spread: Both<Option<Spread>>,
    /// Round trips in nanoseconds, as of the last [`Measures::sum_up`].
    pub(super) rtt: Option<Spread>,
}

impl Measures {
    /// Nothing yet; the first bin begins with `origin`, else with the first message.
    pub(super) fn new(origin: Option<Timestamp>) -> Self {
        Self {
            moments: Bins::with(origin, MAX_BINS, MS, wider),
            counts: Both::default(),
            sizes: Both::default(),
            lengths: Both::default(),
            round_trips: Values::default(),
            spread: Both::default(),
            rtt: None,
        }
    }

    pub(super) fn add(&mut self, row: &MessageRow) {
        self.moments.put(row.last.time, &Moment::of(row));
        self.counts[row.dir].add(&Counts::of(row.opcode, row.frames, row.len, row.wire_len, row.missing()));
        let classes = self.sizes[row.dir].iter_mut().zip(SIZES);
        if let Some((class, _)) = classes.into_iter().find(|(_, (most, _))| row.len <= *most) {
            *class += 1;
        }
        self.lengths[row.dir].add(i64::try_from(row.len).unwrap_or(i64::MAX));
        if let Some(rtt) = row.rtt {
            self.round_trips.add(rtt);
        }
    }

    /// Puts in order what was added.
    pub(super) fn sum_up(&mut self) {
        self.spread = Both::from_fn(|dir| self.lengths[dir].spread());
        self.rtt = self.round_trips.spread();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.moments.all().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_width_is_a_multiple_of_the_one_before() {
        for pair in WIDTHS.windows(2) {
            assert!(pair[1].0 > pair[0].0 && pair[1].0 % pair[0].0 == 0, "{pair:?}");
            assert_eq!(wider(pair[0].0), pair[1].0);
        }
        assert!(WIDTHS.last().is_some_and(|(last, _)| i64::MAX / last < 20), "time itself fits on a screen");
    }

    /// Amounts are summed, firsts and longest chosen, in whatever order and however bins grow.
    #[test]
    fn bins_that_become_one_keep_what_they_know() {
        let at = |nanos| Some(Timestamp::from_nanos(nanos));
        let moment = |bytes, rtt| {
            let mut moment = Moment { rtt, ..Moment::default() };
            moment.bytes[Direction::ToClient] = bytes;
            moment
        };
        let mut bins = Bins::with(at(0), 4, MS, wider);
        for (time, bytes, rtt) in [(0, 1, None), (3 * MS, 2, Some(7)), (MS, 4, Some(9)), (11 * MS, 8, None)] {
            bins.put(at(time), &moment(bytes, rtt));
        }
        assert_eq!(bins.width(), 5 * MS);
        let shown: Vec<_> = bins.all().iter().map(|bin| (bin.bytes.to_client, bin.rtt)).collect();
        assert_eq!(shown, [(7, Some(9)), (0, None), (8, None)]);
        bins.put(at(SECOND), &moment(1, None));
        assert_eq!((bins.width(), bins.all().len()), (500 * MS, 3));
        assert_eq!(bins.all()[0], moment(15, Some(9)));
    }

    proptest! {
        /// Whatever times a capture has, there are never more bins than are kept, and nothing is lost.
        #[test]
        fn any_times_fit(times in prop::collection::vec(any::<i64>(), 1..60), origin in any::<Option<i64>>()) {
            let mut bins = Bins::with(origin.map(Timestamp::from_nanos), 16, MS, wider);
            for &time in &times {
                let mut one = Moment::default();
                one.messages[Direction::ToServer] = 1;
                bins.put(Some(Timestamp::from_nanos(time)), &one);
                prop_assert!(bins.all().len() <= 16);
            }
            let sum: u64 = bins.all().iter().map(|bin| bin.messages.to_server).sum();
            prop_assert_eq!(sum, times.len() as u64);
        }
    }
}
