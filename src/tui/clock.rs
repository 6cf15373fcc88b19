//! The time column: what the times are told from.

use crate::model::{Mark, Timestamp, seconds};
use jiff::tz::TimeZone;

/// What the time column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeMode {
    /// Time of day where the user is.
    Local,
    /// Time of day in UTC.
    Utc,
    /// Seconds since 1970.
    Epoch,
    /// Seconds since the capture's first packet.
    SinceCapture,
    /// Seconds since the connection's first packet.
    SinceConnection,
    /// Seconds since the row above.
    DeltaShown,
    /// Seconds since the row above with the same direction.
    DeltaDirection,
    /// Seconds since the row that was chosen with `T`.
    SinceReference,
}

impl TimeMode {
    const MESSAGES: [Self; 8] = [
        Self::DeltaShown,
        Self::DeltaDirection,
        Self::SinceConnection,
        Self::SinceCapture,
        Self::SinceReference,
        Self::Local,
        Self::Utc,
        Self::Epoch,
    ];
    const CONNECTIONS: [Self; 5] = [Self::Local, Self::Utc, Self::Epoch, Self::SinceCapture, Self::SinceReference];

    /// The name in the status line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local time",
            Self::Utc => "UTC",
            Self::Epoch => "epoch",
            Self::SinceCapture => "since capture start",
            Self::SinceConnection => "since connection start",
            Self::DeltaShown => "Δ previous shown",
            Self::DeltaDirection => "Δ previous same direction",
            Self::SinceReference => "since reference",
        }
    }

    /// The head of the column.
    pub(super) const fn head(self) -> &'static str {
        match self {
            Self::Local | Self::Utc => "time",
            Self::Epoch => "epoch",
            Self::SinceCapture => "capture +",
            Self::SinceConnection => "conn +",
            Self::DeltaShown => "Δ prev",
            Self::DeltaDirection => "Δ same",
            Self::SinceReference => "ref +",
        }
    }

    /// Columns that the times take.
    pub(super) const fn width(self, wide: bool) -> usize {
        match (self, wide) {
            (Self::Local | Self::Utc, true) => 15,
            (Self::Local | Self::Utc, false) => 12,
            (Self::Epoch, _) => 17,
            (_, true) => 11,
            (_, false) => 9,
        }
    }

    /// The mode after this one; that of the reference only when there is one.
    pub(super) fn next(self, messages: bool, reference: bool) -> Self {
        let modes: &[Self] = if messages { &Self::MESSAGES } else { &Self::CONNECTIONS };
        let at = modes.iter().position(|&mode| mode == self).map_or(0, |at| at + 1);
        let later = modes.iter().cycle().skip(at);
        later.copied().find(|&mode| reference || mode != Self::SinceReference).unwrap_or(Self::Utc)
    }
}

/// Tells times in the user's zone.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) zone: TimeZone,
}

impl Clock {
    /// Time of day with `digits` of fraction: `22:24:07.104`.
    pub(super) fn of_day(&self, time: Timestamp, utc: bool, digits: usize) -> String {
        let zone = if utc { TimeZone::UTC } else { self.zone.clone() };
        let Ok(instant) = jiff::Timestamp::from_nanosecond(time.nanos().into()) else { return time.to_string() };
        let at = instant.to_zoned(zone).time();
        let second = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
        fraction(second, at.subsec_nanosecond().unsigned_abs(), digits)
    }

    /// The day: `2023-11-14`; with the time of day in place of the year: `11-14 22:24`.
    pub(super) fn day(&self, time: Timestamp, and_time: bool) -> String {
        let Ok(instant) = jiff::Timestamp::from_nanosecond(time.nanos().into()) else { return time.to_string() };
        let at = instant.to_zoned(self.zone.clone());
        if and_time { at.strftime("%m-%d %H:%M").to_string() } else { at.date().to_string() }
    }

    /// Date, time of day and zone: `2023-11-14 22:24:07.104221 UTC`.
    pub(super) fn full(&self, time: Timestamp) -> String {
        let Ok(instant) = jiff::Timestamp::from_nanosecond(time.nanos().into()) else { return time.to_string() };
        let at = instant.to_zoned(self.zone.clone());
        let zone = at.strftime("%Z").to_string();
        format!("{} {} {zone}", at.date(), self.of_day(time, false, 6))
    }

    /// The time of `mark` as the column shows it; `from` is what a relative time counts from.
    pub(super) fn column(&self, mode: TimeMode, mark: Mark, from: Option<Mark>, digits: usize) -> String {
        let Some(time) = mark.time else { return "—".to_owned() };
        match mode {
            TimeMode::Local => self.of_day(time, false, digits),
            TimeMode::Utc => self.of_day(time, true, digits),
            TimeMode::Epoch => seconds(time.nanos(), 6),
            _ => from.and_then(|from| mark.since(from)).map_or_else(String::new, |nanos| {
                let sign = if nanos < 0 { "" } else { "+" };
                format!("{sign}{}", seconds(nanos, digits))
            }),
        }
    }
}

fn fraction(mut whole: String, nanos: u32, digits: usize) -> String {
    let all = format!("{nanos:09}");
    if let Some(shown) = all.get(..digits).filter(|shown| !shown.is_empty()) {
        whole.push('.');
        whole.push_str(shown);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PacketNo;

    fn mark(nanos: i64) -> Mark {
        Mark { packet: PacketNo(1), time: Some(Timestamp::from_nanos(nanos)) }
    }

    #[test]
    fn tells_the_time_in_every_mode() {
        let clock = Clock { zone: TimeZone::fixed(jiff::tz::offset(2)) };
        let at = mark(1_700_000_647_060_101_000);
        let tell = |mode, digits| clock.column(mode, at, Some(mark(1_700_000_646_000_000_000)), digits);
        assert_eq!(tell(TimeMode::Local, 3), "00:24:07.060");
        assert_eq!(tell(TimeMode::Utc, 6), "22:24:07.060101");
        assert_eq!(tell(TimeMode::Epoch, 3), "1700000647.060101");
        assert_eq!(tell(TimeMode::DeltaShown, 3), "+1.060");
        assert_eq!(clock.column(TimeMode::Utc, Mark::default(), None, 3), "—");
        let days = [false, true].map(|and_time| clock.day(Timestamp::from_nanos(1_700_000_647_060_101_000), and_time));
        assert_eq!(days, ["2023-11-15", "11-15 00:24"]);
        assert_eq!(clock.full(Timestamp::from_nanos(1_700_000_647_060_101_000)), "2023-11-15 00:24:07.060101 +02");
    }

    #[test]
    fn the_modes_come_round() {
        let mut mode = TimeMode::DeltaShown;
        for _ in 0..7 {
            mode = mode.next(true, false);
            assert_ne!(mode, TimeMode::SinceReference);
        }
        assert_eq!(mode, TimeMode::DeltaShown);
    }
}
