//! An interface's clock: ticks → instants.

use crate::model::Timestamp;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// How long a tick is and where ticks count from. By default microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// Option `if_tsoffset`: seconds to add.
    pub(super) offset: i64,
    /// Option `if_tsresol`: a tick is 10⁻ⁿ seconds, or with the top bit set 2⁻ⁿ, n being the other seven bits.
    pub(super) resolution: u8,
}

impl Clock {
    /// Microseconds since 1970.
    pub(super) const MICROSECONDS: Self = Self { offset: 0, resolution: 6 };

    /// The instant of a tick, rounded down to nanoseconds; `None` when that is not within the years 1677 to 2262.
    #[inline]
    pub(super) fn instant(self, ticks: u64) -> Option<Timestamp> {
        let offset = i128::from(self.offset) * i128::from(NANOS_PER_SECOND);
        let nanos = i128::try_from(self.nanos(ticks)).ok()?.checked_add(offset)?;
        i64::try_from(nanos).ok().filter(|&nanos| nanos > i64::MIN).map(Timestamp::from_nanos)
    }

    /// Nanoseconds in `ticks`. No product exceeds 2⁶⁴ · 10⁹.
    fn nanos(self, ticks: u64) -> u128 {
        let exponent = u32::from(self.resolution & 0x7f);
        if self.resolution & 0x80 != 0 {
            return (u128::from(ticks) * u128::from(NANOS_PER_SECOND)) >> exponent;
        }
        match 9_u32.checked_sub(exponent) {
            Some(power) => u128::from(ticks) * u128::from(10_u64.pow(power)),
            // Past 10¹⁹ the longest count of ticks is less than a nanosecond.
            None => 10_u64.checked_pow(exponent - 9).map_or(0, |divisor| u128::from(ticks / divisor)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instant in nanoseconds.
    fn at(resolution: u8, offset: i64, ticks: u64) -> Option<i64> {
        Clock { offset, resolution }.instant(ticks).map(Timestamp::nanos)
    }

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn powers_of_ten() {
        assert_eq!(at(0, 0, 7), Some(7 * SECOND));
        assert_eq!(at(3, 0, 1_700_000_000_123), Some(1_700_000_000_123_000_000));
        assert_eq!(at(6, 0, 1_700_000_000_123_456), Some(1_700_000_000_123_456_000));
        assert_eq!(at(9, 0, 1_700_000_000_123_456_789), Some(1_700_000_000_123_456_789));
        assert_eq!(at(12, 0, 1_999), Some(1));
        assert_eq!(at(28, 0, u64::MAX), Some(1));
        assert_eq!(at(29, 0, u64::MAX), Some(0));
        assert_eq!(at(127, 0, u64::MAX), Some(0));
    }

    #[test]
    fn powers_of_two() {
        assert_eq!(at(0x80, 0, 7), Some(7 * SECOND));
        assert_eq!(at(0x80 | 10, 0, 1536), Some(SECOND * 3 / 2));
        assert_eq!(at(0x80 | 20, 0, 1), Some(953));
        assert_eq!(at(0x80 | 63, 0, u64::MAX), Some(2 * SECOND - 1));
        assert_eq!(at(0x80 | 127, 0, u64::MAX), Some(0));
    }

    #[test]
    fn offsets() {
        assert_eq!(at(0x80 | 20, 1_700_000_000, 3 << 19), Some(1_700_000_001 * SECOND + SECOND / 2));
        assert_eq!(at(6, -1, 500_000), Some(-SECOND / 2));
        assert_eq!(at(9, -9_223_372_036, 0), Some(-9_223_372_036 * SECOND));
        assert_eq!(at(9, -9_223_372_037, 145_224_193), Some(i64::MIN + 1));
        assert_eq!(at(9, 9_223_372_036, 854_775_807), Some(i64::MAX));
    }

    #[test]
    fn what_cannot_be_represented_is_no_time() {
        assert_eq!(at(0, 0, u64::MAX), None);
        assert_eq!(at(6, 0, u64::MAX), None);
        assert_eq!(at(6, i64::MAX, 0), None);
        assert_eq!(at(6, i64::MIN, u64::MAX), None);
        assert_eq!(at(0x80, i64::MAX, u64::MAX), None);
        assert_eq!(at(9, -9_223_372_037, 145_224_192), None);
        assert_eq!(at(9, 9_223_372_036, 854_775_808), None);
    }
}
