//! Instants of the capture's clock.

use std::fmt;
use std::num::NonZeroU64;

/// Nanoseconds since 1970-01-01T00:00:00Z, as the capture's clock told them: years 1677 to 2262.
///
/// Held as the distance from the earliest `i64`, which is no time itself: so a missing time takes no room of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroU64);

const _: () = assert!(size_of::<Option<Timestamp>>() == 8);

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// `nanos` since the epoch; the earliest `i64` is taken for the one after it.
    pub const fn from_nanos(nanos: i64) -> Self {
        match NonZeroU64::new((nanos ^ i64::MIN).cast_unsigned()) {
            Some(held) => Self(held),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0.get().cast_signed() ^ i64::MIN
    }

    /// Nanoseconds from `earlier` to `self`; negative when the clock stepped back.
    pub const fn since(self, earlier: Self) -> i64 {
        self.nanos().saturating_sub(earlier.nanos())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.nanos()).finish()
    }
}

/// RFC 3339 in UTC with nine digits: `2023-11-14T22:24:07.060101000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.nanos();
        let seconds = nanos.div_euclid(NANOS_PER_SECOND);
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let second = seconds.rem_euclid(SECONDS_PER_DAY);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z",
            second / 3600,
            second / 60 % 60,
            second % 60,
            nanos.rem_euclid(NANOS_PER_SECOND),
        )
    }
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01.
///
/// Counts in eras of 400 years that begin on the first of March, so that the leap day is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(DAYS_PER_ERA);
    let day_of_era = from_march_0000.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339() {
        let at = |nanos| Timestamp::from_nanos(nanos).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(at(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(at(1_700_000_647_060_101_000), "2023-11-14T22:24:07.060101000Z");
        assert_eq!(at(951_782_400_000_000_000), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(at(i64::MAX), "2262-04-11T23:47:16.854775807Z");
        assert_eq!(at(i64::MIN), "1677-09-21T00:12:43.145224193Z");
    }

    #[test]
    fn holds_every_instant_and_keeps_their_order() {
        let instants = [i64::MIN + 1, i64::MIN + 2, -1, 0, 1, i64::MAX - 1, i64::MAX];
        let held = instants.map(Timestamp::from_nanos);
        assert_eq!(held.map(Timestamp::nanos), instants);
        assert!(held.is_sorted_by(|a, b| a < b));
        assert_eq!(Timestamp::from_nanos(i64::MIN), held[0]);
    }

    #[test]
    fn agrees_with_a_calendar_library() {
        for day in (-100_000..100_000).step_by(17) {
            let nanos = day * SECONDS_PER_DAY * NANOS_PER_SECOND + 123_456_789;
            let ours = Timestamp::from_nanos(nanos).to_string();
            let theirs = jiff::Timestamp::from_nanosecond(nanos.into()).unwrap();
            assert_eq!(ours, format!("{theirs:.9}"));
        }
    }
}
