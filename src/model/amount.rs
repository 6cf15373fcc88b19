//! Amounts as people read them, the same in every face: numbers, sizes, durations, each rounded half up.
//!
//! What is counted or measured goes through here; numbers that are names, as those of packets and messages, stay as they are.

/// Digits in groups of three: `18 204`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `1 message`, `18 204 messages`.
pub fn count(value: u64, thing: &str) -> String {
    format!("{} {thing}{}", number(value), if value == 1 { "" } else { "s" })
}

/// Bytes in at most six columns, in powers of 1000: `391 B`, `4.4 kB`, `19 kB`, `2.1 MB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut unit = 1000;
    for name in ["kB", "MB", "GB", "TB", "PB"] {
        if rounded(bytes, unit) < 1000 {
            return format!("{} {name}", short(bytes, unit));
        }
        unit *= 1000;
    }
    format!("{} EB", short(bytes, unit))
}

/// How much smaller something became: `3.1:1`, `412:1`; `None` when there is nothing to compare.
pub fn ratio(whole: u64, small: u64) -> Option<String> {
    (whole > 0 && small > 0).then(|| format!("{}:1", short(whole, small)))
}

/// A length of time, to about three digits: `14m02s`, `3.2s`, `412 ms`, `60.2 ms`, `382 µs`, `7 ns`; `0s` for none at all.
pub fn duration(nanos: i64) -> String {
    const MILLI: u64 = 1_000_000;
    const SECOND: u64 = 1000 * MILLI;
    const HOUR: u64 = 3600 * SECOND;
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let to = |unit| rounded(nanos, unit);
    let tenths = |unit| (to(unit / 10) / 10, to(unit / 10) % 10);
    let text = if nanos == 0 {
        "0s".to_owned()
    } else if nanos < 1000 {
        format!("{nanos} ns")
    } else if to(1000) < 1000 {
        format!("{} µs", to(1000))
    } else if to(MILLI / 10) < 1000 {
        let (whole, tenth) = tenths(MILLI);
        format!("{whole}.{tenth} ms")
    } else if to(MILLI) < 1000 {
        format!("{} ms", to(MILLI))
    } else if to(SECOND / 10) < 600 {
        let (whole, tenth) = tenths(SECOND);
        format!("{whole}.{tenth}s")
    } else if to(SECOND) < 3600 {
        format!("{}m{:02}s", to(SECOND) / 60, to(SECOND) % 60)
    } else if to(60 * SECOND) < 24 * 60 {
        format!("{}h{:02}m", to(60 * SECOND) / 60, to(60 * SECOND) % 60)
    } else {
        format!("{}d{:02}h", to(HOUR) / 24, to(HOUR) % 24)
    };
    format!("{sign}{text}")
}

/// Seconds with at most nine digits behind the point: `-1.204`. Cut and not rounded, as the instants that it tells apart.
pub fn seconds(nanos: i64, digits: usize) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, rest) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let mut text = format!("{sign}{whole}.{rest:09}");
    text.truncate(text.len() - 9 + digits.min(9));
    text.truncate(text.trim_end_matches('.').len());
    text
}

/// `value / unit`, with one decimal place below ten.
fn short(value: u64, unit: u64) -> String {
    let tenths = (u128::from(value) * 20 + u128::from(unit)) / (2 * u128::from(unit));
    if tenths < 100 { format!("{}.{}", tenths / 10, tenths % 10) } else { rounded(value, unit).to_string() }
}

/// `value / unit`, rounded half up.
const fn rounded(value: u64, unit: u64) -> u64 {
    let (whole, rest) = (value / unit, value % unit);
    whole + (rest >= unit - rest) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_grouped() {
        let numbers = [0, 7, 999, 1000, 18_204, 123_456, 1_234_567, u64::MAX].map(number);
        let texts = ["0", "7", "999", "1 000", "18 204", "123 456", "1 234 567", "18 446 744 073 709 551 615"];
        assert_eq!(numbers, texts);
        assert_eq!([count(1, "message"), count(0, "error")], ["1 message", "0 errors"]);
    }

    #[test]
    fn sizes_have_two_digits_or_three() {
        for (bytes, text) in [
            (0, "0 B"),
            (391, "391 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (4_449, "4.4 kB"),
            (4_450, "4.5 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (19_000, "19 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (2_100_000, "2.1 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn ratios_have_two_digits_or_more() {
        let ratios = [(412, 131), (995, 100), (u64::MAX, 1)].map(|(whole, small)| ratio(whole, small).unwrap());
        assert_eq!(ratios, ["3.1:1", "10:1", "18446744073709551615:1"]);
        assert_eq!([ratio(0, 1), ratio(1, 0)], [None, None]);
    }

    #[test]
    fn durations_have_their_unit() {
        const MS: i64 = 1_000_000;
        for (nanos, text) in [
            (0, "0s"),
            (7, "7 ns"),
            (44_120, "44 µs"),
            (999_499, "999 µs"),
            (999_500, "1.0 ms"),
            (60_249_000, "60.2 ms"),
            (99_950_000, "100 ms"),
            (387 * MS, "387 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1.0s"),
            (3290 * MS, "3.3s"),
            (59_949 * MS, "59.9s"),
            (59_950 * MS, "1m00s"),
            (842_300 * MS, "14m02s"),
            (3_599_500 * MS, "1h00m"),
            (7_507_000 * MS, "2h05m"),
            (273_600_000 * MS, "3d04h"),
            (-3200 * MS, "-3.2s"),
            (i64::MIN, "-106752d00h"),
        ] {
            assert_eq!(duration(nanos), text, "{nanos}");
        }
    }

    #[test]
    fn seconds_are_cut() {
        let shown = [(44_120_999, 6), (-1_204_000_000, 3), (-1, 9), (1_999_999_999, 0)].map(|(n, d)| seconds(n, d));
        assert_eq!(shown, ["0.044120", "-1.204", "-0.000000001", "1"]);
        assert_eq!(seconds(i64::MIN, 0), "-9223372036");
    }

    proptest! {
        /// No unit is left out, and none comes with more digits than it has room for.
        #[test]
        fn amounts_are_short(value in any::<u64>(), bits in 0_u32..64) {
            let value = value >> bits;
            prop_assert!(size(value).len() <= 6);
            let nanos = i64::try_from(value >> 1).unwrap();
            prop_assert!(nanos > 7 * 86_400_000_000_000 || duration(nanos).chars().count() <= 7);
        }
    }
}
