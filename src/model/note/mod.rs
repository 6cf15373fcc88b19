//! The findings: every code that wspect can report, with its severity, source and advice ([`NOTES`]), sets of codes, and one finding.

use super::event::Stamp;
use super::flow::Direction;
use super::mark::{Mark, PacketNo};
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; legal.
    Note,
    /// Something may be lost or surprising.
    Warning,
    /// A protocol was broken or data is wrong.
    Error,
}

impl Severity {
    /// The name in records: `note`, `warning`, `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The word in text and on screens: `NOTE`, `WARN`, `ERROR`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "NOTE",
            Self::Warning => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// The sign where there is no room for the word: `✗`, `!`, `·`.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Note => "·",
            Self::Warning => "!",
            Self::Error => "✗",
        }
    }
}

/// What a finding is about, in the order in which things are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The capture file and its packets.
    File,
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// HTTP/2.
    Http2,
    /// The opening handshake: rules of RFC 6455 §4, and what is worth knowing of it.
    Handshake,
    /// Why an upgrade did not come about: at most one for each.
    Refusal,
    /// Frames and messages.
    Messages,
    /// The end of a connection.
    Closing,
}

impl Topic {
    /// The name in reports: `file`, `tcp`, `tls`, `http2`, `handshake`, `refusal`, `messages`, `closing`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http2 => "http2",
            Self::Handshake => "handshake",
            Self::Refusal => "refusal",
            Self::Messages => "messages",
            Self::Closing => "closing",
        }
    }

    /// The heading over its findings.
    pub const fn title(self) -> &'static str {
        match self {
            Self::File => "The file and its packets",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Http2 => "HTTP/2",
            Self::Handshake => "The opening handshake",
            Self::Refusal => "Upgrades that did not come about",
            Self::Messages => "Frames and messages",
            Self::Closing => "The end of a connection",
        }
    }
}

/// One row of [`NOTES`].
#[derive(Debug)]
pub struct NoteRow {
    /// The code.
    pub code: NoteCode,
    /// What it is about.
    pub topic: Topic,
    /// Its name in records and text: upper case with hyphens.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where the rule stands, or `""` where it is no rule of an RFC.
    pub rfc: &'static str,
    /// One plain sentence that holds for every finding of the code.
    pub text: &'static str,
    /// What usually causes it.
    pub cause: &'static str,
    /// What to do next.
    pub next: &'static str,
}

impl NoteRow {
    /// The sentence, with the particulars of one finding.
    pub fn with(&self, detail: &str) -> String {
        format!("{}: {detail}", self.text.trim_end_matches('.'))
    }
}

macro_rules! notes {
    ($($topic:ident { $($code:ident $name:literal $severity:ident $rfc:literal $text:literal $cause:literal $next:literal)* })*) => {
        /// What a finding is about. Each has a row in [`NOTES`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum NoteCode { $($(#[doc = $text] $code,)*)* }

        /// Every finding there is, in the order of [`NoteCode`].
        pub static NOTES: &[NoteRow] = &[$($(NoteRow {
            code: NoteCode::$code,
            topic: Topic::$topic,
            name: $name,
            severity: Severity::$severity,
            rfc: $rfc,
            text: $text,
            cause: $cause,
            next: $next,
        },)*)*];
    };
}

mod table;
pub use table::{NOTES, NoteCode};

impl NoteCode {
    /// The code's row in [`NOTES`].
    #[expect(clippy::indexing_slicing, reason = "one row per code, in the same order, made by one macro")]
    pub fn row(self) -> &'static NoteRow {
        &NOTES[self as usize]
    }

    /// The code of that name.
    pub fn named(name: &str) -> Option<Self> {
        NOTES.iter().find(|row| row.name == name).map(|row| row.code)
    }

    /// The name in records and text.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        self.row().severity
    }
}

impl fmt::Display for NoteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// As many words as the table needs bits.
const WORDS: usize = NOTES.len().div_ceil(64);

/// A set of codes: what is wrong with one frame or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoteSet([u64; WORDS]);

impl NoteSet {
    /// No code.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// As many words as the set has.
    pub const WORDS: usize = WORDS;

    /// A bit for each row of the table, in its order.
    pub const fn words(self) -> [u64; WORDS] {
        self.0
    }

    /// The set with these [`Self::words`].
    pub const fn of_words(words: [u64; WORDS]) -> Self {
        Self(words)
    }

    /// Adds a code; true when it was not there yet.
    #[expect(clippy::indexing_slicing, reason = "there is a word for each row of the table")]
    pub fn insert(&mut self, code: NoteCode) -> bool {
        let (word, bit) = place(code);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Takes a code out.
    #[expect(clippy::indexing_slicing, reason = "there is a word for each row of the table")]
    pub const fn remove(&mut self, code: NoteCode) {
        let (word, bit) = place(code);
        self.0[word] &= !bit;
    }

    /// Adds all codes of `other`.
    pub fn extend(&mut self, other: Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// Whether the code is in the set.
    #[expect(clippy::indexing_slicing, reason = "there is a word for each row of the table")]
    pub const fn contains(self, code: NoteCode) -> bool {
        let (word, bit) = place(code);
        self.0[word] & bit != 0
    }

    /// Whether no code is in the set.
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// The codes, in the table's order.
    pub fn iter(self) -> impl Iterator<Item = NoteCode> {
        NOTES.iter().map(|row| row.code).filter(move |&code| self.contains(code))
    }

    /// The worst severity in the set.
    pub fn severity(self) -> Option<Severity> {
        if self.is_empty() { None } else { self.iter().map(NoteCode::severity).max() }
    }
}

/// The word and the bit of a code.
const fn place(code: NoteCode) -> (usize, u64) {
    (code as usize / 64, 1 << (code as usize % 64))
}

/// One finding: a code, where it was found, and what exactly.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// What it is about.
    pub code: NoteCode,
    /// The packet that showed it.
    pub at: Mark,
    /// The direction concerned.
    pub dir: Option<Direction>,
    /// The message concerned.
    pub msg: Option<u64>,
    /// The WebSocket frame concerned.
    pub frame: Option<u64>,
    /// One sentence with the particulars; empty when the row's sentence says it all.
    pub text: &'a str,
    /// Evidence: bytes, numbers.
    pub detail: Option<&'a str>,
}

impl<'a> Note<'a> {
    /// A finding about nothing more particular than a packet.
    pub const fn new(code: NoteCode, at: Mark) -> Self {
        Self { code, at, dir: None, msg: None, frame: None, text: "", detail: None }
    }

    /// The packet that shows it, for people to look at; where there is none, the one with which it is known.
    pub fn shown_by(&self, at: &Stamp) -> PacketNo {
        if self.at.packet.0 > 0 { self.at.packet } else { at.at.packet }
    }

    /// The sentence to show.
    pub fn sentence(&self) -> &'a str {
        if self.text.is_empty() { self.code.row().text } else { self.text }
    }
}

/// A sentence as part of a line: it begins small, unless with a name, and has no full stop.
pub fn clause(sentence: &str) -> String {
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    let mut chars = sentence.chars();
    let Some(first) = chars.next() else { return String::new() };
    let is_word = chars.clone().take_while(|&c| c != ' ').all(char::is_lowercase);
    if is_word { first.to_lowercase().chain(chars).collect() } else { sentence.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_row() {
        for (at, row) in NOTES.iter().enumerate() {
            assert_eq!(row.code as usize, at);
            assert_eq!(row.code.row().name, row.name);
            assert_eq!(NoteCode::named(row.name), Some(row.code));
            assert!(
                row.name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                row.name
            );
            assert!(row.text.ends_with('.') && row.next.ends_with('.'), "{}", row.name);
            assert_eq!(NOTES.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }

    #[test]
    fn a_set_keeps_its_codes() {
        let mut set = NoteSet::EMPTY;
        assert!(set.is_empty() && set.severity().is_none());
        assert!(set.insert(NoteCode::TcpLate));
        assert!(!set.insert(NoteCode::TcpLate));
        assert!(set.insert(NoteCode::Utf8Bad));
        assert_eq!(set.iter().collect::<Vec<_>>(), [NoteCode::TcpLate, NoteCode::Utf8Bad]);
        assert_eq!(set.severity(), Some(Severity::Error));
    }

    #[test]
    fn sentences_become_clauses() {
        assert_eq!(clause("The capture ends inside packet 7."), "the capture ends inside packet 7");
        assert_eq!(clause("A block could not be read."), "a block could not be read");
        assert_eq!(clause("TCP is odd."), "TCP is odd");
        assert_eq!(clause("Sec-WebSocket-Accept is odd"), "Sec-WebSocket-Accept is odd");
        assert_eq!(clause(""), "");
    }
}
