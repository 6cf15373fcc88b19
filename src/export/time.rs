//! Instants as people and machines read them.

use crate::model::{Timestamp, seconds};
use jiff::tz::TimeZone;
use std::fmt::Write as _;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Digits of a second: microseconds.
const DIGITS: usize = 6;

/// How text shows the time of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeMode {
    /// `22:24:07.060101` in the local zone.
    Local,
    /// `2023-11-14 22:24:07.060101` in the local zone.
    LocalDate,
    /// `22:24:07.060101` in UTC.
    Utc,
    /// `2023-11-14 22:24:07.060101` in UTC.
    UtcDate,
    /// `1700000647.060101`: seconds since 1970-01-01 UTC.
    Epoch,
    /// `647.060101`: seconds since the first packet.
    Relative,
    /// `+0.044120`: seconds since the row before.
    Delta,
}

/// Writes times in one mode, to the microsecond.
#[derive(Debug)]
pub struct Clock {
    mode: TimeMode,
    zone: TimeZone,
    /// Where relative time begins; the first time seen when nobody knew.
    origin: Option<Timestamp>,
    before: Option<Timestamp>,
    /// The second that was written last, as text: rows come in order, and most share it.
    second: Option<(i64, String)>,
}

impl Clock {
    /// A clock whose relative time begins with `origin`, the time of the first packet.
    pub fn new(mode: TimeMode, origin: Option<Timestamp>) -> Self {
        let zone = match mode {
            TimeMode::Local | TimeMode::LocalDate => TimeZone::system(),
            _ => TimeZone::UTC,
        };
        Self { mode, zone, origin, before: None, second: None }
    }

    /// Appends the time, `-` when there is none. Columns are padded to [`Clock::width`].
    pub fn write(&mut self, at: Option<Timestamp>, out: &mut String) {
        let Some(at) = at else {
            let _ = write!(out, "{:>1$}", "-", self.width());
            return;
        };
        let before = self.before.replace(at).unwrap_or(at);
        match self.mode {
            TimeMode::Relative => {
                let origin = *self.origin.get_or_insert(at);
                let _ = write!(out, "{:>1$}", seconds(at.since(origin), DIGITS), self.width());
            }
            TimeMode::Delta => {
                let delta = at.since(before);
                let sign = if delta < 0 { "" } else { "+" };
                let _ = write!(out, "{:>1$}", format!("{sign}{}", seconds(delta, DIGITS)), self.width());
            }
            TimeMode::Epoch => out.push_str(&seconds(at.nanos(), DIGITS)),
            _ => self.write_calendar(at, out),
        }
    }

    /// Columns that most times of the mode need.
    pub const fn width(&self) -> usize {
        match self.mode {
            TimeMode::Local | TimeMode::Utc => 15,
            TimeMode::LocalDate | TimeMode::UtcDate => 26,
            TimeMode::Epoch => 17,
            TimeMode::Relative | TimeMode::Delta => 11,
        }
    }

    fn write_calendar(&mut self, at: Timestamp, out: &mut String) {
        let second = at.nanos().div_euclid(NANOS_PER_SECOND);
        if self.second.as_ref().is_none_or(|(cached, _)| *cached != second) {
            self.second = Some((second, self.calendar(second)));
        }
        if let Some((_, text)) = &self.second {
            let _ = write!(out, "{text}.{:06}", at.nanos().rem_euclid(NANOS_PER_SECOND) / 1000);
        }
    }

    fn calendar(&self, second: i64) -> String {
        let Ok(instant) = jiff::Timestamp::from_second(second) else { return String::from("-") };
        let format = match self.mode {
            TimeMode::LocalDate | TimeMode::UtcDate => "%Y-%m-%d %H:%M:%S",
            _ => "%H:%M:%S",
        };
        instant.to_zoned(self.zone.clone()).strftime(format).to_string()
    }
}

/// RFC 3339 in UTC with nine digits, its seconds remembered from one record to the next.
#[derive(Debug, Default)]
pub(super) struct Rfc3339 {
    second: Option<i64>,
    /// `2023-11-14T22:24:07.`
    prefix: String,
}

impl Rfc3339 {
    /// Appends the time in quotes, or `null`.
    pub(super) fn write(&mut self, at: Option<Timestamp>, out: &mut Vec<u8>) {
        let Some(at) = at else {
            out.extend_from_slice(b"null");
            return;
        };
        let second = at.nanos().div_euclid(NANOS_PER_SECOND);
        if self.second != Some(second) {
            self.second = Some(second);
            self.prefix = at.to_string();
            self.prefix.truncate(20);
        }
        out.push(b'"');
        out.extend_from_slice(self.prefix.as_bytes());
        let mut digits = [b'0'; 9];
        let mut rest = at.nanos().rem_euclid(NANOS_PER_SECOND) as u32;
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        out.extend_from_slice(&digits);
        out.extend_from_slice(b"Z\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_nanos(1_700_000_647_060_101_999);

    fn shown(mode: TimeMode, times: &[i64]) -> Vec<String> {
        let mut clock = Clock::new(mode, None);
        let show = |&nanos: &i64| {
            let mut out = String::new();
            clock.write(Some(Timestamp::from_nanos(nanos)), &mut out);
            out
        };
        times.iter().map(show).collect()
    }

    #[test]
    fn modes() {
        let nanos = AT.nanos();
        assert_eq!(shown(TimeMode::Utc, &[nanos]), ["22:24:07.060101"]);
        assert_eq!(shown(TimeMode::UtcDate, &[nanos]), ["2023-11-14 22:24:07.060101"]);
        assert_eq!(shown(TimeMode::Epoch, &[nanos, -1_000]), ["1700000647.060101", "-0.000001"]);
        assert_eq!(shown(TimeMode::Relative, &[5, 5 + 44_120_000]), ["   0.000000", "   0.044120"]);
        assert_eq!(shown(TimeMode::Delta, &[5, 2_000_000_005, 5]), ["  +0.000000", "  +2.000000", "  -2.000000"]);
    }

    #[test]
    fn rfc_3339_is_that_of_the_model() {
        let mut times = Rfc3339::default();
        for nanos in [AT.nanos(), AT.nanos() + 1, AT.nanos() + 2_000_000_000, -1, i64::MIN, i64::MAX, 0] {
            let mut out = Vec::new();
            times.write(Some(Timestamp::from_nanos(nanos)), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("\"{}\"", Timestamp::from_nanos(nanos)));
        }
    }
}
