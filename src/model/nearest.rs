//! What may have been meant by a mistyped word.

/// The word that is like this one but for a letter or two, in upper or lower case; of several the one that begins as it does.
pub fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let most = if typed.len() > 3 { 2 } else { 1 };
    let begins_otherwise = |word: &str| word.chars().next() != typed.chars().next();
    let known = words.map(|word| (distance(&typed, &word.to_lowercase()), begins_otherwise(word), word));
    known.filter(|(distance, ..)| *distance <= most).min().map(|(.., word)| word)
}

/// Letters to be put in, left out, replaced or swapped with the next to make one word the other; far more than a few is as good
/// as endless.
fn distance(one: &str, other: &str) -> usize {
    const LONGEST: usize = 32;
    let one: Vec<char> = one.chars().take(LONGEST + 1).collect();
    let other: Vec<char> = other.chars().take(LONGEST).collect();
    if one.len() > LONGEST {
        return usize::MAX;
    }
    // The distances of the last two beginnings of `one` to each beginning of `other`.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut row = vec![at + 1];
        for (to, known) in other.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let replaced = cell(&last, to) + usize::from(letter != known);
            let mut least = replaced.min(cell(&last, to + 1) + 1).min(cell(&row, to) + 1);
            let is_swapped = at > 0 && to > 0 && one.get(at - 1) == Some(known) && other.get(to - 1) == Some(letter);
            if is_swapped {
                least = least.min(cell(&before, to - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters() {
        let cases = [
            ("", "ls", 2),
            ("lss", "ls", 1),
            ("mesg", "msgs", 2),
            ("check", "check", 0),
            ("abc", "xyz", 3),
            ("tpye", "type", 1),
        ];
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
        assert_eq!([meant("SHOW"), meant("shwo")], [Some("show"); 2]);
        assert_eq!(nearest("tpye", ["time", "type"].into_iter()), Some("type"));
        assert_eq!([meant("x"), meant("shovels"), meant("chat.pcap")], [None; 3]);
    }
}
