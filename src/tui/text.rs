//! Numbers, sizes and times as people read them, and text cut to a width.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Digits in groups of three: `1 204`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// `391 B`, `4.4 kB`, `19 kB`, `2.1 MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// How much smaller something became: `3.1:1`, `412:1`; `None` when there is nothing to compare.
pub(super) fn ratio(whole: u64, small: u64) -> Option<String> {
    if whole == 0 || small == 0 {
        return None;
    }
    let ratio = whole as f64 / small as f64;
    Some(if ratio < 9.95 { format!("{ratio:.1}:1") } else { format!("{ratio:.0}:1") })
}

/// A length of time, to about three digits: `14m02s`, `3.2s`, `412 ms`, `0.9 ms`, `18 µs`.
pub(super) fn span(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let seconds = nanos as f64 / 1e9;
    let whole = nanos / 1_000_000_000;
    let text = match nanos {
        0..100_000 => format!("{:.0} µs", seconds * 1e6),
        100_000..99_950_000 => format!("{:.1} ms", seconds * 1e3),
        99_950_000..999_500_000 => format!("{:.0} ms", seconds * 1e3),
        999_500_000..59_950_000_000 => format!("{seconds:.1}s"),
        59_950_000_000..3_600_000_000_000 => format!("{}m{:02}s", whole / 60, whole % 60),
        3_600_000_000_000..86_400_000_000_000 => format!("{}h{:02}m", whole / 3600, whole / 60 % 60),
        _ => format!("{}d{:02}h", whole / 86_400, whole / 3600 % 24),
    };
    format!("{sign}{text}")
}

/// `1 message`, `2 messages`.
pub(super) fn count(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(value), if value == 1 { "" } else { "s" })
}

/// Columns that the text takes.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text in at most `max` columns; what is cut off is shown as `…`.
pub(super) fn cut(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let Some(room) = max.checked_sub(1) else { return String::new() };
    let mut out = String::with_capacity(max + 3);
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used > room {
            break;
        }
        out.push_str(grapheme);
    }
    out.push('…');
    out
}

/// The end of the text in at most `max` columns: of a path the last part says most.
pub(super) fn cut_start(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let Some(room) = max.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let fits = |grapheme: &&str| {
        used += width(grapheme);
        used <= room
    };
    let kept: Vec<&str> = text.graphemes(true).rev().take_while(fits).collect();
    std::iter::once("…").chain(kept.into_iter().rev()).collect()
}

/// The text in exactly `columns` columns, blanks behind it.
pub(super) fn left(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', columns - used.min(columns)));
    out
}

/// The text in exactly `columns` columns, blanks before it.
pub(super) fn right(text: &str, columns: usize) -> String {
    let out = cut(text, columns);
    let used = width(&out);
    " ".repeat(columns - used.min(columns)) + &out
}

/// The text in lines of at most `columns` columns, wrapped at blanks where there are some; later lines are set in by `indent`.
pub(super) fn wrap(text: &str, columns: usize, indent: usize) -> Vec<String> {
    let columns = columns.max(indent + 8);
    let (now, mut rest) = split_at_width(text, columns);
    let mut out = vec![now.to_owned()];
    while !rest.is_empty() {
        let (now, later) = split_at_width(rest, columns - indent);
        out.push(format!("{}{now}", " ".repeat(indent)));
        rest = later;
    }
    out
}

/// What of a text fits in a line, and the rest.
fn split_at_width(text: &str, columns: usize) -> (&str, &str) {
    let mut used = 0;
    let too_far = text.char_indices().find(|&(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    let Some((end, _)) = too_far else { return (text, "") };
    let (head, tail) = text.split_at(end);
    // A blank not too near to the beginning is a good place.
    let blank = if tail.starts_with(' ') { Some(end) } else { head.rfind(' ') };
    let (now, later) = text.split_at(blank.filter(|&at| at > end / 3).unwrap_or(end));
    (now.trim_end(), later.trim_start())
}

/// Bytes in hex with blanks between.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    let mut out = String::with_capacity(bytes.len() * 3);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits() {
        assert_eq!(
            [number(0), number(999), number(1204), number(u64::MAX)],
            ["0", "999", "1 204", "18 446 744 073 709 551 615"]
        );
    }

    #[test]
    fn gives_sizes_two_digits_or_more() {
        let sizes = [0, 391, 999, 1000, 4_400, 9_949, 9_950, 19_000, 999_499, 999_500, 2_100_000, u64::MAX].map(size);
        assert_eq!(
            sizes,
            [
                "0 B", "391 B", "999 B", "1.0 kB", "4.4 kB", "9.9 kB", "10 kB", "19 kB", "999 kB", "1.0 MB", "2.1 MB",
                "18 EB"
            ]
        );
    }

    #[test]
    fn gives_times_their_unit() {
        const MS: i64 = 1_000_000;
        let spans = [0, 18_000, MS - 50_000, 21 * MS, 999 * MS, 3200 * MS, 71_000 * MS, 842_000 * MS, 7_260_000 * MS];
        let expected = ["0 µs", "18 µs", "0.9 ms", "21.0 ms", "999 ms", "3.2s", "1m11s", "14m02s", "2h01m"];
        assert_eq!(spans.map(span), expected);
        assert_eq!(span(-3200 * MS), "-3.2s");
        assert_eq!(span(i64::MIN), "-106751d23h");
    }

    #[test]
    fn wraps_at_blanks_and_sets_in() {
        let header = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
        assert_eq!(
            wrap(header, 50, 4),
            ["Sec-WebSocket-Extensions: permessage-deflate;", "    client_max_window_bits"]
        );
        assert_eq!(wrap("two words", 9, 0), ["two words"]);
        assert_eq!(wrap("two words", 8, 0), ["two", "words"]);
        assert!(wrap(&"雨".repeat(30), 12, 4).iter().all(|line| width(line) <= 12));
        assert_eq!(wrap("", 12, 4), [""]);
    }

    #[test]
    fn cuts_at_graphemes() {
        assert_eq!(cut("plain", 5), "plain");
        assert_eq!(cut("plain", 4), "pla…");
        assert_eq!(cut("雨雨雨", 5), "雨雨…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(cut("x", 0), "");
        assert_eq!(cut_start("a/long/path.pcap", 10), "…path.pcap");
        assert_eq!(left("雨雨雨", 4), "雨… ");
        assert_eq!(right("ab", 4), "  ab");
    }
}
