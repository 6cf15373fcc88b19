//! One line of a key log.

use crate::model::{ClientRandom, PremasterId, SECRET_BYTES, SecretLabel};
use std::fmt;

/// Bytes that a line may have. The longest that decrypts TLS has 195.
pub(super) const MAX_LINE: usize = 1024;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing: it is empty or a comment.
    Blank,
    /// A secret of a TLS session.
    Secret(Found),
    /// A premaster secret that was encrypted with RSA.
    Premaster(PremasterId, Secret48),
    /// Something that decrypts no TLS record: an exporter's secret, another protocol's.
    Other,
    /// It is no line of a key log.
    Bad(Fault),
}

/// The bytes of a premaster secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret48(pub(super) [u8; SECRET_BYTES]);

impl fmt::Debug for Secret48 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret48")
    }
}

/// A secret as it stands in a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) label: SecretLabel,
    pub(super) random: ClientRandom,
    bytes: [u8; SECRET_BYTES],
    len: usize,
}

impl Found {
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is longer than [`MAX_LINE`].
    Long,
    /// It does not begin with a label.
    Label,
    /// The client random is not 32 bytes in hex.
    Random,
    /// The secret is not in hex, or has a length that its label never has.
    Secret,
    /// Something stands behind the secret.
    More,
    /// The log ends before it is whole.
    Cut,
}

impl fmt::Display for Fault {
    /// One clause. It holds nothing that the line spells.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Long => "longer than 1024 bytes",
            Self::Label => "does not begin with a label",
            Self::Random => "its client random is not 64 hex digits",
            Self::Secret => "its secret is not hex or has a wrong length",
            Self::More => "something stands behind its secret",
            Self::Cut => "the log ends within it",
        })
    }
}

/// Reads a line, without its end.
///
/// ```text
/// label, blank, client random in hex, blank, secret in hex                    (RFC 9850 §2)
/// RSA, blank, encrypted secret's first 8 bytes in hex, blank, secret in hex   (NSS, before)
/// ```
///
/// A label that we know may be in lower case, too.
pub(super) fn parse(line: &[u8]) -> Line {
    let line = line.trim_ascii();
    if matches!(line.first(), None | Some(b'#')) {
        return Line::Blank;
    }
    let (label, rest) = word(line);
    match SecretLabel::ALL.into_iter().find(|known| known.name().as_bytes().eq_ignore_ascii_case(label)) {
        Some(label) => secret(label, rest).map_or_else(Line::Bad, Line::Secret),
        None => premaster(label, rest).unwrap_or_else(|| other(label, rest)),
    }
}

fn premaster(label: &[u8], rest: &[u8]) -> Option<Line> {
    let (id_digits, rest) = word(rest);
    let (digits, more) = word(rest);
    let (mut id, mut bytes) = (PremasterId::default(), [0; SECRET_BYTES]);
    let is_sized = id_digits.len() == 2 * id.len() && digits.len() == 2 * bytes.len() && more.is_empty();
    let is_premaster = SecretLabel::Premaster.name().as_bytes().eq_ignore_ascii_case(label) && is_sized;
    (is_premaster && decode(id_digits, &mut id) && decode(digits, &mut bytes))
        .then_some(Line::Premaster(id, Secret48(bytes)))
}

/// What stands before the first blank, and what behind the blanks.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr2(b' ', b'\t', text).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_ascii_start())
}

fn secret(label: SecretLabel, rest: &[u8]) -> Result<Found, Fault> {
    let (random_digits, rest) = word(rest);
    let (digits, more) = word(rest);
    let mut random = [0; size_of::<ClientRandom>()];
    if random_digits.len() != 2 * random.len() || !decode(random_digits, &mut random) {
        return Err(Fault::Random);
    }
    // A hash of 32 or 48 bytes makes the secrets of TLS 1.3 (RFC 8446 §7.1).
    let len = digits.len() / 2;
    let is_usual = len == SECRET_BYTES || (len == 32 && label != SecretLabel::Master);
    let mut bytes = [0; SECRET_BYTES];
    let is_hex = bytes.get_mut(..len).is_some_and(|bytes| decode(digits, bytes));
    if !is_usual || !digits.len().is_multiple_of(2) || !is_hex {
        return Err(Fault::Secret);
    }
    if !more.is_empty() {
        return Err(Fault::More);
    }
    Ok(Found { label, random, bytes, len })
}

/// A line whose label we do not use.
fn other(label: &[u8], rest: &[u8]) -> Line {
    let (random, secret) = word(rest);
    match is_label(label) {
        // `RSA` has two shapes, one with names before its values.
        true if label == b"RSA" || (is_hex(random) && is_hex(secret)) => Line::Other,
        true if !is_hex(random) => Line::Bad(Fault::Random),
        true => Line::Bad(Fault::Secret),
        false => Line::Bad(Fault::Label),
    }
}

fn is_label(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_uppercase)
        && word.iter().all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a label of ours begins so, in upper or lower case.
fn begins_known(word: &[u8]) -> bool {
    let begins = |label: &SecretLabel| {
        label.name().as_bytes().get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
    };
    !word.is_empty() && SecretLabel::ALL.iter().any(begins)
}

fn is_hex(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
}

/// Whether more text could make a good line of a bad one.
pub(super) fn may_go_on(line: &[u8]) -> bool {
    let (label, rest) = word(line.trim_ascii());
    let (random, secret) = word(rest);
    let is_begun = |digits: &[u8], most: usize| digits.len() <= most && digits.iter().all(u8::is_ascii_hexdigit);
    let random_len = 2 * size_of::<ClientRandom>();
    (is_label(label) || begins_known(label))
        && is_begun(random, random_len)
        && (secret.is_empty() || random.len() == random_len && is_begun(secret, 2 * SECRET_BYTES))
}

/// A digit's value by its byte; 0xff for what is none.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const DIGITS: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        let digits = [b"0123456789abcdef", b"0123456789ABCDEF"];
        table[digits[0][value] as usize] = value as u8;
        table[digits[1][value] as usize] = value as u8;
        value += 1;
    }
    table
};

/// Decodes two digits for each byte of `bytes`; false when there is anything but digits.
#[expect(clippy::indexing_slicing, reason = "the table has a place for every byte")]
fn decode(digits: &[u8], bytes: &mut [u8]) -> bool {
    let mut all = 0;
    for (pair, byte) in digits.as_chunks::<2>().0.iter().zip(bytes) {
        let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
        all |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    all < 16
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

    fn line(label: &str, secret: &str) -> String {
        format!("{label} {RANDOM} {secret}")
    }

    #[test]
    fn reads_secrets_of_every_label_in_either_case() {
        for label in SecretLabel::ALL {
            for (digits, byte) in [("aB", 0xab), ("0f", 0x0f)] {
                let text = line(label.name(), &digits.repeat(48));
                let Line::Secret(found) = parse(text.as_bytes()) else { panic!("{label:?}") };
                assert_eq!((found.label, found.bytes()), (label, &[byte; 48][..]));
                assert_eq!((found.random[1], found.random[31]), (0x11, 0xff));
                assert!(!format!("{found:?}").contains("171"));
            }
            let lower = line(&label.name().to_ascii_lowercase(), &"ab".repeat(48));
            assert!(matches!(parse(lower.as_bytes()), Line::Secret(found) if found.label == label));
            let short = parse(line(label.name(), &"ab".repeat(32)).as_bytes());
            assert_eq!(matches!(short, Line::Secret(_)), label != SecretLabel::Master);
        }
        let blanks = format!("  CLIENT_RANDOM\t{RANDOM}  {}\t\r", "ab".repeat(48));
        assert!(matches!(parse(blanks.as_bytes()), Line::Secret(_)));
    }

    #[test]
    fn passes_over_what_is_not_for_it() {
        for blank in ["", "  ", "\r", "# CLIENT_RANDOM", "#"] {
            assert_eq!(parse(blank.as_bytes()), Line::Blank, "{blank:?}");
        }
        let rsa = format!("RSA 0011223344556677 {}", "ab".repeat(47));
        let session = format!("RSA Session-ID:{} Master-Key:{}", "ab".repeat(32), "cd".repeat(48));
        for other in [line("EXPORTER_SECRET", &"ab".repeat(48)), line("ECH_CONFIG", "fe0d"), rsa, session] {
            assert_eq!(parse(other.as_bytes()), Line::Other, "{other}");
        }
    }

    #[test]
    fn knows_the_beginning_of_a_line() {
        let whole = line("CLIENT_RANDOM", &"ab".repeat(48));
        let cuts = (1..whole.len()).filter_map(|at| whole.get(..at));
        assert!(cuts.clone().all(|cut| may_go_on(cut.as_bytes())));
        assert!(cuts.clone().all(|cut| matches!(parse(cut.as_bytes()), Line::Bad(_))));
        for other in ["hello", "CLIENT_RANDOM x", "CLIENT_RANDOM 12 34", &format!("{whole}a"), &format!("{whole} 1")] {
            assert!(!may_go_on(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn reads_premaster_secrets() {
        let line = parse(format!("RSA 00112233445566FF {}", "aB".repeat(48)).as_bytes());
        let expected = ([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xff], Secret48([0xab; 48]));
        assert_eq!(line, Line::Premaster(expected.0, expected.1));
        assert!(!format!("{line:?}").contains("171"));
    }

    #[test]
    fn says_what_is_wrong() {
        let good = "ab".repeat(48);
        let faults = [
            ("hello world".to_owned(), Fault::Label),
            (line("client-random", &good), Fault::Label),
            ("\0\0\0\0".to_owned(), Fault::Label),
            ("CLIENT_RANDOM".to_owned(), Fault::Random),
            (format!("CLIENT_RANDOM {} {good}", "0".repeat(63)), Fault::Random),
            (format!("CLIENT_RANDOM {} {good}", "g".repeat(64)), Fault::Random),
            (line("CLIENT_RANDOM", ""), Fault::Secret),
            (line("CLIENT_RANDOM", &"ab".repeat(47)), Fault::Secret),
            (line("CLIENT_RANDOM", &format!("{good}a")), Fault::Secret),
            (line("CLIENT_RANDOM", &"zz".repeat(48)), Fault::Secret),
            (line("CLIENT_RANDOM", &"ab".repeat(49)), Fault::Secret),
            (line("SERVER_TRAFFIC_SECRET_0", &"ab".repeat(33)), Fault::Secret),
            (line("CLIENT_RANDOM", &format!("{good} x")), Fault::More),
            ("WHATEVER x y".to_owned(), Fault::Random),
            (line("WHATEVER", "y"), Fault::Secret),
        ];
        for (text, fault) in faults {
            assert_eq!(parse(text.as_bytes()), Line::Bad(fault), "{text}");
        }
    }
}
