//! Text cut and wrapped to a width.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub(super) use crate::export::wrap;

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

/// The parts that fit, with a separator between, and how many do not: `! A · ! B +2 more`.
pub(super) fn join(parts: &[String], separator: &str, max: usize) -> String {
    let mut fits = parts.len();
    loop {
        let more = if fits < parts.len() { format!(" +{} more", parts.len() - fits) } else { String::new() };
        let out = parts.get(..fits).unwrap_or(parts).join(separator) + &more;
        match fits.checked_sub(1).filter(|&fewer| fewer > 0 && width(&out) > max) {
            Some(fewer) => fits = fewer,
            None => return cut(&out, max),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let parts = ["one", "two", "three"].map(str::to_owned);
        let shown = [40, 15, 14, 11, 8].map(|max| join(&parts, " · ", max));
        assert_eq!(shown, ["one · two · three", "one +2 more", "one +2 more", "one +2 more", "one +2 …"]);
        assert_eq!(join(&parts, " · ", 17), "one · two · three");
        assert_eq!(join(&[], " · ", 17), "");
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
