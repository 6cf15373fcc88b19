//! Numbers in words.

/// Digits in groups of three: `18 204`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3;
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > first && (at - first) % 3 == 1 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `1 message`, `18 204 messages`.
pub fn count(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A size in at most five columns: `512`, `4.4k`, `2.1M`, `128G`.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return bytes.to_string();
    }
    let mut tenths = bytes / 100;
    let mut units = "kMGTPE".chars();
    let mut unit = units.next().unwrap_or('k');
    while tenths >= 10_000 {
        tenths /= 1000;
        unit = units.next().unwrap_or(unit);
    }
    if tenths < 100 { format!("{}.{}{unit}", tenths / 10, tenths % 10) } else { format!("{}{unit}", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits() {
        let numbers = [0, 7, 999, 1000, 18_204, 123_456, 1_234_567, u64::MAX];
        let texts = ["0", "7", "999", "1 000", "18 204", "123 456", "1 234 567", "18 446 744 073 709 551 615"];
        assert_eq!(numbers.map(grouped), texts);
        assert_eq!([count(1, "message"), count(0, "error")], ["1 message", "0 errors"]);
    }

    #[test]
    fn sizes() {
        let sizes = [0, 999, 1000, 4_449, 9_999, 10_000, 999_999, 2_100_000, u64::MAX];
        let texts = ["0", "999", "1.0k", "4.4k", "9.9k", "10k", "999k", "2.1M", "18E"];
        assert_eq!(sizes.map(size), texts);
    }
}
