//! UTF-8 that comes in pieces (RFC 6455 §8.1, RFC 3629): judged as it comes, with a few bytes of memory.

/// The longest character.
const MAX: usize = 4;

/// What is known of a text so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Utf8 {
    /// Bytes so far, holes included.
    len: u64,
    /// The beginning of a character that the last piece cut.
    begun: [u8; MAX],
    begun_len: usize,
    /// So many bytes that continue a character may still come: its beginning is in the hole before them.
    orphans: usize,
    /// Nothing more is looked at.
    over: bool,
}

impl Utf8 {
    /// Takes the next bytes; says where in the whole text its first fault begins, when it is seen.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<u64> {
        if self.over {
            return None;
        }
        self.len = self.len.saturating_add(bytes.len() as u64);
        let (mut rest, start) = (bytes, self.len - bytes.len() as u64);
        while self.orphans > 0
            && let [0x80..=0xbf, behind @ ..] = rest
        {
            (self.orphans, rest) = (self.orphans - 1, behind);
        }
        if !rest.is_empty() {
            self.orphans = 0;
        }
        while self.begun_len > 0 {
            let (&byte, behind) = rest.split_first()?;
            rest = behind;
            let at = start + (bytes.len() - rest.len()) as u64 - 1 - self.begun_len as u64;
            if let Some(slot) = self.begun.get_mut(self.begun_len) {
                *slot = byte;
            }
            self.begun_len += 1;
            match std::str::from_utf8(self.begun.get(..self.begun_len).unwrap_or_default()) {
                Ok(_) => self.begun_len = 0,
                Err(fault) if fault.error_len().is_some() => return self.fault(at),
                Err(_) => {}
            }
        }
        let valid = first_bad(rest)?;
        let (at, cut) = (start + (bytes.len() - rest.len() + valid) as u64, rest.get(valid..).unwrap_or_default());
        // Only a character that may go on has no length of its fault.
        if std::str::from_utf8(cut).err().is_some_and(|fault| fault.error_len().is_some()) {
            return self.fault(at);
        }
        self.begun_len = cut.len().min(MAX);
        self.begun.iter_mut().zip(cut).for_each(|(slot, byte)| *slot = *byte);
        None
    }

    /// Passes over bytes that are not known: they may end a character and begin one. How many is what a head says.
    pub(super) const fn hole(&mut self, len: u64) {
        self.len = self.len.saturating_add(len);
        (self.begun_len, self.orphans) = (0, MAX - 1);
    }

    /// The text ends: where the character begins that it cuts.
    pub(super) fn end(&mut self) -> Option<u64> {
        let at = self.len - self.begun_len as u64;
        if self.begun_len > 0 { self.fault(at) } else { None }
    }

    /// Bytes so far.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// How many bytes there are of a character that is not whole yet.
    pub(super) const fn begun(&self) -> usize {
        self.begun_len
    }

    const fn fault(&mut self, at: u64) -> Option<u64> {
        (self.over, self.begun_len) = (true, 0);
        Some(at)
    }
}

/// Where UTF-8 ends, if it does. Short text is mostly ASCII, which is seen at a glance; otherwise SIMD is faster.
pub(super) fn first_bad(bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 128;
    if bytes.len() < SHORT && bytes.is_ascii() {
        return None;
    }
    simdutf8::compat::from_utf8(bytes).err().map(|error| error.valid_up_to())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(pieces: &[&[u8]]) -> Option<u64> {
        let mut text = Utf8::default();
        pieces.iter().find_map(|piece| text.push(piece)).or_else(|| text.end())
    }

    #[test]
    fn a_hole_may_cut_a_character() {
        let judge = |before: &[u8], hole, behind: &[u8]| {
            let mut text = Utf8::default();
            let first = text.push(before);
            text.hole(hole);
            first.or(text.push(behind)).or_else(|| text.end())
        };
        let crab = "🦀".as_bytes();
        assert_eq!(judge(&crab[..2], 2, b""), None, "its end is unknown");
        assert_eq!(judge(b"", 1, &crab[1..]), None, "its beginning is unknown");
        assert_eq!(judge(&crab[..1], 2, &crab[3..]), None, "its middle is unknown");
        assert_eq!(judge(b"", 2, &crab[..2]), Some(2), "its end never came");
        assert_eq!(judge(&crab[1..], 2, b""), Some(0), "its beginning never came");
        assert_eq!(judge(b"a\xff", 1, b"b"), Some(1), "no character has this byte");
        assert_eq!(judge(b"a", 1, b"\x80\x80\x80\x80"), Some(5), "too many to end one");
    }

    proptest! {
        /// However the text is cut, the fault is where the whole text has it; and it is seen with the byte that makes it one.
        #[test]
        fn cuts_make_no_difference(
            text in prop::collection::vec(prop_oneof![
                Just(b"a".to_vec()), Just("é".into()), Just("€".into()), Just("🦀".into()),
                Just(vec![0xff]), Just(vec![0xe2, 0x82]), Just(vec![0xed, 0xa0]), Just(vec![0x80]),
            ], 0..8),
            cuts in prop::collection::vec(0_usize..4, 0..12),
        ) {
            let text = text.concat();
            let expected = std::str::from_utf8(&text).err().map(|fault| fault.valid_up_to() as u64);
            let (mut rest, mut pieces) = (text.as_slice(), Vec::new());
            for cut in cuts {
                let (piece, others) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = others;
            }
            pieces.push(rest);
            prop_assert_eq!(judge(&pieces), expected);
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            prop_assert_eq!(judge(&bytes), expected);
        }
    }
}
