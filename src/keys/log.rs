//! A key log, taken in pieces.

use super::line::{self, Fault, Found, Line, MAX_LINE, Secret48};
use super::look;
use crate::model::{Added, ClientRandom, KeyLog, KeySource, Origin, PremasterId, Secret, SecretLabel, Secrets};
use foldhash::fast::RandomState;
use hashbrown::HashSet;
use std::fmt;

/// Bytes in which a log must bring a good line if it has so many bad ones: what is longer is none.
const GOOD_WITHIN: u64 = 64 << 20;
const BAD_MAX: u64 = 1000;
/// Faulty lines that are told one by one.
const TOLD: usize = 3;

/// Sessions, by the randoms of their ClientHellos.
pub type Randoms = HashSet<ClientRandom, RandomState>;

/// Which sessions' secrets are kept.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Those of all, up to this many secrets: then the older ones are forgotten, since what a capture still brings is new.
    All(usize),
    /// Those of these randoms.
    Of(Randoms),
}

/// Reads a key log line by line into [`Secrets`]; it keeps no more than a line, of which `Debug` shows nothing.
pub struct Log {
    source: u16,
    /// Bytes that it has.
    bytes: u64,
    /// Lines that began.
    line: u32,
    /// The line whose end has not come, from its first byte that is no NUL on, as far as it may be long.
    carry: Vec<u8>,
    /// Something else than NULs came behind that.
    is_long: bool,
    /// A piece ended with a carriage return: a line feed before all else is of the same line end.
    returned: bool,
    /// The first bytes of all.
    first: Vec<u8>,
    faults: Vec<(u32, Fault)>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, line, faults, .. } = self;
        let mut shown = f.debug_struct("Log");
        shown.field("source", source).field("line", line).field("faults", faults).finish_non_exhaustive()
    }
}

/// How a key log was, in the eyes of its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its row in [`Secrets::logs`].
    pub source: u16,
    /// It has no byte.
    pub is_empty: bool,
    /// What it looks like, for when it has no good line.
    pub like: &'static str,
    /// The first lines that are none of a key log, and why; at most three.
    pub faults: Vec<(u32, Fault)>,
}

impl Log {
    /// A key log that stands there.
    pub fn new(source: KeySource, secrets: &mut Secrets) -> Self {
        let (carry, first) = (Vec::new(), Vec::new());
        Self {
            source: secrets.source(source),
            bytes: 0,
            line: 0,
            carry,
            is_long: false,
            returned: false,
            first,
            faults: Vec::new(),
        }
    }

    /// Takes the next piece of its text. A line ends with LF, CR or both.
    pub fn push(&mut self, mut text: &[u8], wanted: &Wanted, secrets: &mut Secrets) {
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        if self.first.len() < look::PEEK {
            self.first.extend(text.iter().take(look::PEEK - self.first.len()));
        }
        if !text.is_empty() && std::mem::take(&mut self.returned) {
            text = text.strip_prefix(b"\n").unwrap_or(text);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', text) {
            let (line, rest) = text.split_at(end);
            if self.carry.is_empty() {
                let line = bare(line);
                self.line(line, line.len() > MAX_LINE, true, wanted, secrets);
            } else {
                self.carry(line);
                self.carried_line(true, wanted, secrets);
            }
            self.returned = rest == b"\r";
            text = rest.strip_prefix(b"\r\n").or(rest.get(1..)).unwrap_or_default();
        }
        self.carry(text);
    }

    /// Whether it is not worth to be read on: no good line is in what there is of it. Of what `may_be_endless` that is less.
    pub fn is_hopeless(&self, may_be_endless: bool, secrets: &Secrets) -> bool {
        let bad_max = if may_be_endless { 0 } else { BAD_MAX };
        let is_bad = |log: &KeyLog| log.secrets + log.others == 0 && log.bad >= bad_max;
        self.bytes > GOOD_WITHIN && secrets.logs().get(usize::from(self.source)).is_none_or(is_bad)
    }

    /// Whether a line began whose end has not come.
    pub const fn is_in_line(&self) -> bool {
        !self.carry.is_empty()
    }

    /// The text ends, perhaps inside a line.
    pub fn end_line(&mut self, wanted: &Wanted, secrets: &mut Secrets) {
        if self.is_in_line() {
            self.carried_line(false, wanted, secrets);
        }
    }

    /// What is to be told of it.
    pub fn report(&self) -> Report {
        Report {
            source: self.source,
            is_empty: self.first.is_empty(),
            like: look::like(&self.first),
            faults: self.faults.clone(),
        }
    }

    fn carry(&mut self, part: &[u8]) {
        let part = if self.carry.is_empty() { bare_begin(part) } else { part };
        let room = MAX_LINE.saturating_sub(self.carry.len());
        let (now, beyond) = part.split_at_checked(room).unwrap_or((part, &[]));
        self.carry.extend_from_slice(now);
        self.is_long |= beyond.iter().any(|&byte| byte != 0);
    }

    fn carried_line(&mut self, ends: bool, wanted: &Wanted, secrets: &mut Secrets) {
        let (mut line, is_long) = (std::mem::take(&mut self.carry), std::mem::take(&mut self.is_long));
        self.line(bare_end(&line), is_long, ends, wanted, secrets);
        line.clear();
        self.carry = line;
    }

    /// Takes a line; what does not end may go on where it was cut.
    fn line(&mut self, line: &[u8], is_long: bool, ends: bool, wanted: &Wanted, secrets: &mut Secrets) {
        self.line = self.line.saturating_add(1);
        let line = if self.line == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let parsed = match line::parse(line) {
            _ if is_long => Line::Bad(Fault::Long),
            Line::Bad(_) if !ends && line::may_go_on(line) => Line::Bad(Fault::Cut),
            parsed => parsed,
        };
        let fate = match &parsed {
            Line::Secret(found) => Some(self.keep(found, wanted, secrets)),
            // Whose they are is not known before the capture is read.
            Line::Premaster(id, secret) => Some(self.keep_premaster(*id, secret, wanted, secrets)),
            _ => None,
        };
        let Some(log) = secrets.log_mut(self.source) else { return };
        log.lines += 1;
        log.secrets += u64::from(fate.is_some());
        match (parsed, fate) {
            (Line::Other, _) => log.others += 1,
            (Line::Bad(fault), _) => {
                log.bad += 1;
                if self.faults.len() < TOLD {
                    self.faults.push((self.line, fault));
                }
            }
            (_, Some(Fate::Dropped)) => log.dropped += 1,
            (_, Some(Fate::Repeated)) => log.repeated += 1,
            (_, Some(Fate::Kept | Fate::Unwanted) | None) => {}
        }
    }

    fn keep_premaster(&self, id: PremasterId, secret: &Secret48, wanted: &Wanted, secrets: &mut Secrets) -> Fate {
        if matches!(wanted, Wanted::All(most) if secrets.len() >= *most) {
            return Fate::Dropped;
        }
        let secret = Secret::new(SecretLabel::Premaster, &secret.0, self.origin());
        let is_new = secret.is_some_and(|secret| secrets.add_premaster(id, secret));
        if is_new { Fate::Kept } else { Fate::Repeated }
    }

    /// Where the line stands.
    const fn origin(&self) -> Origin {
        Origin { source: self.source, line: self.line }
    }

    fn keep(&self, found: &Found, wanted: &Wanted, secrets: &mut Secrets) -> Fate {
        if matches!(wanted, Wanted::Of(randoms) if !randoms.contains(&found.random)) {
            return Fate::Unwanted;
        }
        match Secret::new(found.label, found.bytes(), self.origin()).map(|secret| secrets.add(&found.random, secret)) {
            Some(Added::New) => {
                if matches!(wanted, Wanted::All(most) if secrets.len() > *most) {
                    secrets.forget_older();
                }
                Fate::Kept
            }
            Some(Added::TooMany) => Fate::Dropped,
            Some(Added::Known) | None => Fate::Repeated,
        }
    }
}

/// What became of a secret.
#[derive(Clone, Copy)]
enum Fate {
    Kept,
    Unwanted,
    Dropped,
    Repeated,
}

/// A line without the NULs around it: a file system that has lost its end, or a writer that goes on where a log was cut, leaves them.
fn bare(line: &[u8]) -> &[u8] {
    bare_begin(bare_end(line))
}

fn bare_begin(line: &[u8]) -> &[u8] {
    line.iter().position(|&byte| byte != 0).and_then(|at| line.get(at..)).unwrap_or_default()
}

fn bare_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
    line.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: Wanted = Wanted::All(1000);

    fn line(random: u8, secret: u8) -> String {
        format!("CLIENT_RANDOM {} {}", format!("{random:02x}").repeat(32), format!("{secret:02x}").repeat(48))
    }

    fn read(text: &[u8], piece: usize, wanted: &Wanted) -> (Secrets, Report) {
        let mut secrets = Secrets::default();
        let mut log = Log::new(KeySource::File("keys".to_owned()), &mut secrets);
        for piece in text.chunks(piece) {
            log.push(piece, wanted, &mut secrets);
        }
        log.end_line(wanted, &mut secrets);
        (secrets, log.report())
    }

    #[test]
    fn reads_what_editors_and_systems_make_of_a_log() {
        let text = format!("\u{feff}{}\r\n\r\n# mine\r\n{}", line(1, 0xaa), line(2, 0xbb));
        let (secrets, report) = read(text.as_bytes(), usize::MAX, &ALL);
        assert_eq!((secrets.len(), report.faults.len()), (2, 0));
        let last = secrets.find(&[2; 32], SecretLabel::Master).expect("the last line has no end");
        assert_eq!(last.origin.line, 4);
        assert_eq!(secrets.logs()[0].lines, 4);
    }

    #[test]
    fn a_line_ends_with_any_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = [line(1, 0xaa), "garbage".to_owned(), String::new(), line(2, 0xbb)].join(end);
            for piece in [1, 7, usize::MAX] {
                let (secrets, report) = read(text.as_bytes(), piece, &ALL);
                assert_eq!(report.faults, [(2, Fault::Label)], "{end:?} {piece}");
                assert_eq!(secrets.find(&[2; 32], SecretLabel::Master).map(|secret| secret.origin.line), Some(4));
            }
        }
    }

    #[test]
    fn a_last_line_without_its_end_is_used_if_it_is_whole() {
        let text = format!("{}\n{}", line(1, 0xaa), line(2, 0xbb));
        assert_eq!(read(text.as_bytes(), 50, &ALL).0.len(), 2);
        for cut in 1..line(2, 0xbb).len() {
            let (secrets, report) = read(&text.as_bytes()[..text.len() - cut], 50, &ALL);
            assert_eq!((secrets.len(), report.faults), (1, vec![(2, Fault::Cut)]), "{cut}");
        }
        let text = format!("{}\ngarbage", line(1, 0xaa));
        assert_eq!(read(text.as_bytes(), 50, &ALL).1.faults, [(2, Fault::Label)]);
    }

    #[test]
    fn of_a_line_no_more_is_kept_than_a_line_may_have() {
        let (mut secrets, piece) = (Secrets::default(), vec![b'A'; 1 << 20]);
        let mut log = Log::new(KeySource::Block, &mut secrets);
        for _ in 0..100 {
            log.push(&piece, &ALL, &mut secrets);
        }
        assert!(log.carry.capacity() <= 2 * MAX_LINE);
        log.push(format!("\n{}\n", line(1, 0xaa)).as_bytes(), &ALL, &mut secrets);
        assert_eq!((log.report().faults, secrets.len()), (vec![(1, Fault::Long)], 1));
    }

    #[test]
    fn counts_what_is_no_line_and_goes_on() {
        let long = "A".repeat(1_000_000);
        let text = format!("garbage\n{long}\n\0\0\0\n{}\nCLIENT_RANDOM 12\n", line(1, 0xaa));
        let (secrets, report) = read(text.as_bytes(), 4096, &ALL);
        assert_eq!((secrets.len(), secrets.logs()[0].bad), (1, 3));
        assert_eq!(report.faults, [(1, Fault::Label), (2, Fault::Long), (5, Fault::Random)]);
        assert_eq!(secrets.find(&[1; 32], SecretLabel::Master).expect("after the long line").origin.line, 4);
    }

    #[test]
    fn nuls_around_a_line_are_blanks() {
        let (nuls, good) = ("\0".repeat(5000), line(1, 0xaa));
        for text in [format!("{good}{nuls}"), format!("{nuls}{good}\n"), format!("{nuls}{good}{nuls}\n{nuls}\n{nuls}")]
        {
            for piece in [1, 7, 170, 5100, usize::MAX] {
                let (secrets, report) = read(text.as_bytes(), piece, &ALL);
                assert_eq!((secrets.len(), report.faults), (1, Vec::new()), "{piece}");
                assert_eq!(secrets.find(&[1; 32], SecretLabel::Master).expect("the line").origin.line, 1);
            }
        }
        let (secrets, report) = read(good.replace(' ', "\0").as_bytes(), 9, &ALL);
        assert_eq!((secrets.len(), report.faults), (0, vec![(1, Fault::Label)]));
    }

    #[test]
    fn keeps_what_is_wanted_within_its_bound() {
        let text = [line(1, 0xaa), line(2, 0xbb), line(3, 0xcc), line(2, 0xbb)].join("\n");
        let (secrets, _) = read(text.as_bytes(), 100, &Wanted::Of(std::iter::once([2; 32]).collect()));
        let log = &secrets.logs()[0];
        assert_eq!((secrets.len(), log.secrets, log.repeated, log.dropped), (1, 4, 1, 0));
        let (secrets, _) = read(text.as_bytes(), 100, &Wanted::All(2));
        // The first two had to go for the third.
        let lines = [2, 3].map(|n| secrets.find(&[n; 32], SecretLabel::Master).map(|secret| secret.origin.line));
        assert_eq!((lines, secrets.logs()[0].dropped), ([Some(4), Some(3)], 2));
    }

    #[test]
    fn no_byte_of_a_log_is_shown() {
        let (mut secrets, text) = (Secrets::default(), line(1, 0xaa));
        let mut log = Log::new(KeySource::Block, &mut secrets);
        log.push(text.as_bytes(), &ALL, &mut secrets);
        assert!(!format!("{log:?}").contains("97, 97"), "{log:?}");
    }

    #[test]
    fn says_what_it_is_instead() {
        assert!(read(b"", 1, &ALL).1.is_empty);
        assert_eq!(read(b"\x0a\x0d\x0d\x0a rest", 1, &ALL).1.like, "a pcapng capture");
    }

    proptest! {
        #[test]
        fn any_cut_reads_the_same(text in "([A-Z_]{0,9}[ \t]?[0-9a-fA-F\r\n#]{0,40}|\n){0,40}", piece in 1_usize..70) {
            let text = format!("{text}\n{}\n{text}", line(1, 0xaa));
            let (whole, whole_report) = read(text.as_bytes(), usize::MAX, &ALL);
            let (cut, cut_report) = read(text.as_bytes(), piece, &ALL);
            prop_assert_eq!(whole.logs(), cut.logs());
            prop_assert_eq!(whole_report, cut_report);
            prop_assert_eq!(cut.len(), 1);
        }

        #[test]
        fn any_bytes_are_only_counted(bytes in prop::collection::vec(any::<u8>(), 0..4000), piece in 1_usize..900) {
            let (secrets, report) = read(&bytes, piece, &ALL);
            prop_assert!(report.faults.len() <= TOLD);
            prop_assert!(secrets.logs()[0].bad <= secrets.logs()[0].lines);
        }
    }
}
