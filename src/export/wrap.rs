//! Lines of text in a width.

use unicode_width::UnicodeWidthChar as _;

/// The text in lines of at most `columns` columns, wrapped at blanks where there are some; later lines are set in by `indent`.
pub fn wrap(text: &str, columns: usize, indent: usize) -> Vec<String> {
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
    // A blank not too near to the beginning is a good place, best one that parts no amount.
    let at_end = tail.starts_with(' ').then_some(end);
    let blanks = at_end.into_iter().chain(head.rmatch_indices(' ').map(|(at, _)| at)).take_while(|&at| at > end / 3);
    let best = blanks.clone().find(|&at| !is_in_amount(text, at));
    let (now, later) = text.split_at(best.or_else(|| blanks.clone().next()).unwrap_or(end));
    (now.trim_end(), later.trim_start())
}

/// Whether a blank stands within an amount: between digits, or before a unit.
fn is_in_amount(text: &str, blank: usize) -> bool {
    const UNITS: [&str; 9] = ["ns", "µs", "ms", "B", "kB", "MB", "GB", "byte", "bytes"];
    let Some((before, after)) = text.split_at_checked(blank) else { return false };
    let word = after.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    before.ends_with(|c: char| c.is_ascii_digit())
        && (UNITS.contains(&word) || word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn wraps_at_blanks_and_sets_in() {
        let header = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
        assert_eq!(
            wrap(header, 50, 4),
            ["Sec-WebSocket-Extensions: permessage-deflate;", "    client_max_window_bits"]
        );
        assert_eq!(wrap("two words", 9, 0), ["two words"]);
        assert_eq!(wrap("two words", 8, 0), ["two", "words"]);
        assert!(wrap(&"雨".repeat(30), 12, 4).iter().all(|line| line.width() <= 12));
        assert_eq!(wrap("", 12, 4), [""]);
        assert_eq!(wrap("it came 866 µs later", 12, 0), ["it came", "866 µs later"]);
        assert_eq!(wrap("lost are 1 448 bytes in all", 16, 0), ["lost are", "1 448 bytes in", "all"]);
        assert_eq!(wrap("so 1 448 bytes, all lost", 11, 0), ["so 1 448", "bytes, all", "lost"]);
        assert_eq!(wrap("1 000 1 000 1 000 1 000", 11, 0), ["1 000 1 000", "1 000 1 000"]);
    }
}
