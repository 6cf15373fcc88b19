//! What messages say: made when it is sent, so that a message of any length takes no memory.

use std::fmt::Write;

use super::rng::Rng;

/// Bytes of text and of noise to fill messages with.
const SUPPLY: usize = 256 << 10;
/// Every word of the text has eight bytes: cut between words, it is whole characters.
const WORD: usize = 8;
const WORDS: [&str; 16] = [
    "market  ", "opened  ", "quietly ", "and the ", "price of", " copper ", "rose by ", "a tenth ", "while   ",
    "traders ", "waited; ", "a café ", " Köln, ", "sold 茶", " and tea", ".       ",
];
/// The end of every text message; as many blanks as are needed come before its last two bytes.
const TAIL: &str = "       \"}";
const TAIL_LEN: u64 = 2;

/// Bytes that many messages share.
pub(crate) struct Supply {
    text: Vec<u8>,
    noise: Vec<u8>,
}

impl Supply {
    /// Draws both stores.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let words = 0..SUPPLY / WORD;
        Self {
            text: words.clone().flat_map(|_| rng.pick(&WORDS).bytes()).collect(),
            noise: words.flat_map(|_| rng.word().to_le_bytes()).collect(),
        }
    }

    fn store(&self, fill: Fill) -> &[u8] {
        match fill {
            Fill::Text => &self.text,
            Fill::Noise => &self.noise,
        }
    }
}

/// Which store a body takes from.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fill {
    Text,
    Noise,
}

/// The payload of a message: a head of its own, a stretch of the supply, and for text a tail.
pub(crate) struct Body {
    head: Vec<u8>,
    fill: Fill,
    /// Where in the supply the stretch begins.
    start: u64,
    stretch: u64,
    tail: &'static str,
}

impl Body {
    /// A JSON object of `len` bytes; it cannot be shorter than 20.
    pub(crate) fn json(len: u64, rng: &mut Rng) -> Self {
        let head = json_head(len, rng).into_bytes();
        let room = len.saturating_sub(head.len() as u64 + TAIL_LEN);
        let stretch = room - room % WORD as u64;
        let tail = TAIL.len() as u64 - TAIL_LEN - (room - stretch);
        Self {
            head,
            fill: Fill::Text,
            start: rng.below((SUPPLY / WORD) as u64) * WORD as u64,
            stretch,
            tail: TAIL.get(tail as usize..).unwrap_or_default(),
        }
    }

    /// `len` bytes of the supply.
    pub(crate) fn stretch(fill: Fill, len: u64, rng: &mut Rng) -> Self {
        Self { head: Vec::new(), fill, start: rng.below((SUPPLY / WORD) as u64) * WORD as u64, stretch: len, tail: "" }
    }

    /// These bytes.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self { head: bytes, fill: Fill::Noise, start: 0, stretch: 0, tail: "" }
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.head.len() as u64 + self.stretch + self.tail.len() as u64
    }

    /// Appends `count` bytes from offset `at` to `out`; fewer where the body ends.
    pub(crate) fn copy(&self, supply: &Supply, mut at: u64, count: u64, out: &mut Vec<u8>) {
        let end = at + count;
        while at < end {
            let piece = self.piece(supply, at);
            let take = piece.len().min((end - at) as usize);
            let Some(bytes) = piece.get(..take).filter(|bytes| !bytes.is_empty()) else {
                return;
            };
            out.extend_from_slice(bytes);
            at += take as u64;
        }
    }

    /// The longest run of bytes from offset `at` that lies in one place.
    fn piece<'a>(&'a self, supply: &'a Supply, at: u64) -> &'a [u8] {
        let head = self.head.len() as u64;
        if at < head {
            return self.head.get(at as usize..).unwrap_or_default();
        }
        let at = at - head;
        if at >= self.stretch {
            let tail = self.tail.as_bytes().get((at - self.stretch) as usize..);
            return tail.unwrap_or_default();
        }
        let store = supply.store(self.fill);
        let from = ((self.start + at) % SUPPLY as u64) as usize;
        let to = store.len().min(from + (self.stretch - at) as usize);
        store.get(from..to).unwrap_or_default()
    }
}

/// Everything before the filling; a message with little room says little.
fn json_head(len: u64, rng: &mut Rng) -> String {
    let mut head = String::with_capacity(80);
    let n = rng.below(10_000_000);
    let written = if len < 90 {
        write!(head, "{{\"n\":{n},\"d\":\"")
    } else {
        let (whole, cents) = (rng.below(60_000), rng.below(100));
        write!(head, "{{\"type\":\"tick\",\"n\":{n},\"price\":{whole}.{cents:02},\"side\":\"buy\",\"note\":\"")
    };
    debug_assert!(written.is_ok(), "a String takes everything");
    head
}
