//! What may have been meant by a mistyped word.

/// The word that is like this one but for a letter or two.
pub fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = if typed.len() > 3 { 2 } else { 1 };
    let known = words.map(|word| (distance(typed, word), word));
    known.filter(|(distance, _)| *distance <= most).min().map(|(_, word)| word)
}

/// Letters to be put in, left out or replaced to make one word the other; far more than a few is as good as endless.
fn distance(one: &str, other: &str) -> usize {
    const LONGEST: usize = 32;
    let other: Vec<char> = other.chars().take(LONGEST).collect();
    if one.len() > LONGEST {
        return usize::MAX;
    }
    // The distances of what was looked at of `one` to each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (cell, known) in row.iter_mut().skip(1).zip(&other) {
            let above = *cell;
            left = (diagonal + usize::from(letter != *known)).min(above + 1).min(left + 1);
            (diagonal, *cell) = (above, left);
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters() {
        let cases = [("", "ls", 2), ("lss", "ls", 1), ("mesg", "msgs", 2), ("check", "check", 0), ("abc", "xyz", 3)];
        for (one, other, letters) in cases {
            assert_eq!((distance(one, other), distance(other, one)), (letters, letters), "{one} {other}");
        }
        assert_eq!(distance(&"a".repeat(1000), "a"), usize::MAX);
    }

    #[test]
    fn finds_what_was_meant() {
        let meant = |typed| nearest(typed, ["ls", "msgs", "show", "handshake"].into_iter());
        assert_eq!(meant("lss"), Some("ls"));
        assert_eq!(meant("msg"), Some("msgs"));
        assert_eq!(meant("handshakes"), Some("handshake"));
        assert_eq!([meant("x"), meant("shovels"), meant("chat.pcap")], [None; 3]);
    }
}
