//! Close status codes (RFC 6455 §7.4): what each says, whether it may be sent, and what to do about it.

use super::note::NoteCode;
use std::fmt;
use std::ops::RangeInclusive;

/// A close status code; any number survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

/// One row of [`CLOSE_CODES`].
#[derive(Debug)]
pub struct CloseRow {
    /// The code, or the range that has nothing more particular.
    pub codes: RangeInclusive<u16>,
    /// What it means, in the words of its registry.
    pub meaning: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// Whether an endpoint may send it in a Close frame.
    pub sendable: bool,
    /// What it tells, in one sentence.
    pub text: &'static str,
    /// What to make of it.
    pub advice: CloseAdvice,
}

/// What to make of a close code.
#[derive(Debug, Clone, Copy)]
pub enum CloseAdvice {
    /// What stands in the row of the finding that tells of it.
    Finding(NoteCode),
    /// No finding tells of it.
    Own {
        /// What usually causes it.
        cause: &'static str,
        /// What to do next.
        next: &'static str,
    },
}

impl CloseRow {
    /// The finding that tells of it.
    pub const fn finding(&self) -> Option<NoteCode> {
        match self.advice {
            CloseAdvice::Finding(code) => Some(code),
            CloseAdvice::Own { .. } => None,
        }
    }

    /// What usually causes it.
    pub fn cause(&self) -> &'static str {
        match self.advice {
            CloseAdvice::Finding(code) => code.row().cause,
            CloseAdvice::Own { cause, .. } => cause,
        }
    }

    /// What to do next.
    pub fn next(&self) -> &'static str {
        match self.advice {
            CloseAdvice::Finding(code) => code.row().next,
            CloseAdvice::Own { next, .. } => next,
        }
    }
}

impl CloseCode {
    /// The code's row: there is one for every number.
    pub fn row(self) -> &'static CloseRow {
        let row = CLOSE_CODES.iter().find(|row| row.codes.contains(&self.0));
        row.unwrap_or_else(|| unreachable!("the table has a row for each number"))
    }

    /// What the code means: RFC 6455 §7.4.1 and the IANA registry of close codes.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// Whether an endpoint may send the code in a Close frame (RFC 6455 §7.4).
    pub fn is_sendable(self) -> bool {
        self.row().sendable
    }

    /// The finding that a Close frame with the code is.
    pub fn finding(self) -> Option<NoteCode> {
        let row = self.row();
        row.finding().filter(|_| row.sendable)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for CloseRow {
    /// `1006`, `4000-4999`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.codes.start(), self.codes.end());
        if first == last { f.pad(&first.to_string()) } else { f.pad(&format!("{first}-{last}")) }
    }
}

const RFC: &str = "RFC 6455 §7.4.1";
const RANGES: &str = "RFC 6455 §7.4.2";
const IANA: &str = "IANA WebSocket close codes";

const fn sent(code: u16, meaning: &'static str, source: &'static str, text: &'static str, told: NoteCode) -> CloseRow {
    CloseRow { codes: code..=code, meaning, source, sendable: true, text, advice: CloseAdvice::Finding(told) }
}

const fn quiet(
    codes: RangeInclusive<u16>,
    meaning: &'static str,
    source: &'static str,
    sendable: bool,
    text: &'static str,
    [cause, next]: [&'static str; 2],
) -> CloseRow {
    CloseRow { codes, meaning, source, sendable, text, advice: CloseAdvice::Own { cause, next } }
}

/// Every close code there is; of a number the first row holds that has it.
pub static CLOSE_CODES: &[CloseRow] = &[
    quiet(
        1000..=1000,
        "normal closure",
        RFC,
        true,
        "The connection has done what it was opened for.",
        ["The application closed it.", "Nothing to mend."],
    ),
    quiet(
        1001..=1001,
        "going away",
        RFC,
        true,
        "An endpoint goes away: a server that shuts down, or a page that is left.",
        ["The page was left or loaded anew, or the server was stopped.", "Reconnect, if it was the server that went."],
    ),
    sent(1002, "protocol error", RFC, "An endpoint gives up because of a protocol error.", NoteCode::Close1002),
    sent(1003, "unsupported data", RFC, "An endpoint cannot accept this type of data.", NoteCode::Close1003),
    quiet(
        1004..=1004,
        "reserved",
        RFC,
        false,
        "The code has no meaning yet, and must not be sent.",
        ["A hand-written endpoint.", "Use a code of RFC 6455 §7.4 or one from 3000 to 4999."],
    ),
    quiet(
        1005..=1005,
        "no status received",
        RFC,
        false,
        "Never sent: what an application is told when the Close frame has no code.",
        ["The peer gave none, as close() without arguments in a browser.", "Nothing to mend."],
    ),
    CloseRow {
        codes: 1006..=1006,
        meaning: "abnormal closure",
        source: RFC,
        sendable: false,
        text: "Never sent: what an application is told when the connection ends without a Close frame.",
        advice: CloseAdvice::Finding(NoteCode::Abnormal1006),
    },
    sent(1007, "invalid payload data", RFC, "A message is not what its type says.", NoteCode::Close1007),
    sent(1008, "policy violation", RFC, "A message breaks a rule of the endpoint.", NoteCode::Close1008),
    sent(1009, "message too big", RFC, "A message is too big for the endpoint.", NoteCode::Close1009),
    sent(
        1010,
        "mandatory extension missing",
        RFC,
        "The client needs an extension that the server did not accept.",
        NoteCode::Close1010,
    ),
    sent(1011, "internal error", RFC, "An endpoint met with something unexpected.", NoteCode::Close1011),
    sent(1012, "service restart", IANA, "The server restarts.", NoteCode::Close1012),
    sent(1013, "try again later", IANA, "The server is overloaded.", NoteCode::Close1013),
    sent(1014, "bad gateway", IANA, "A gateway got an invalid answer from its upstream.", NoteCode::Close1014),
    quiet(
        1015..=1015,
        "TLS handshake failed",
        RFC,
        false,
        "Never sent: what an application is told when the TLS handshake fails.",
        [
            "A certificate that was not accepted, or no common version or cipher suite.",
            "Look for the alert: wspect check has it as TLS-ALERT.",
        ],
    ),
    sent(3000, "unauthorized", IANA, "The peer is not authenticated.", NoteCode::Close3000),
    sent(3003, "forbidden", IANA, "The peer is not allowed to do that.", NoteCode::Close3003),
    sent(3008, "timeout", IANA, "The endpoint waited too long.", NoteCode::Close3008),
    quiet(
        0..=999,
        "not a valid code",
        RANGES,
        false,
        "Numbers below 1000 are not used.",
        ["A hand-written endpoint.", "Use a code of RFC 6455 §7.4 or one from 3000 to 4999."],
    ),
    quiet(
        1016..=2999,
        "reserved for later versions",
        RANGES,
        false,
        "The code is reserved for later versions of the protocol and for extensions.",
        ["A hand-written endpoint.", "Use a code of RFC 6455 §7.4 or one from 3000 to 4999."],
    ),
    quiet(
        3001..=3999,
        "registered by a library or framework",
        RANGES,
        true,
        "Libraries and frameworks register these codes with IANA.",
        ["The library or framework that the endpoint is built with.", "Look it up in its documentation."],
    ),
    quiet(
        4000..=4999,
        "private to the application",
        RANGES,
        true,
        "Applications agree on these codes among themselves.",
        ["The application closed it for a reason of its own.", "Look it up in its documentation or source."],
    ),
    quiet(
        5000..=u16::MAX,
        "not a valid code",
        RANGES,
        false,
        "Numbers above 4999 are not used.",
        ["A hand-written endpoint.", "Use a code of RFC 6455 §7.4 or one from 3000 to 4999."],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_row_and_every_row_a_number() {
        let mut used = vec![false; CLOSE_CODES.len()];
        for number in 0..=u16::MAX {
            let at = CLOSE_CODES.iter().position(|row| row.codes.contains(&number)).unwrap();
            used[at] = true;
        }
        assert!(used.iter().all(|&used| used), "a row that no number reaches");
        for row in CLOSE_CODES {
            for sentence in [row.text, row.cause(), row.next()] {
                assert!(sentence.ends_with('.') && sentence.starts_with(char::is_uppercase), "{row}: {sentence}");
            }
        }
    }

    /// RFC 6455 §7.4.1 and §7.4.2.
    #[test]
    fn what_may_be_sent() {
        let sendable: Vec<u16> = (0..=u16::MAX).filter(|&code| CloseCode(code).is_sendable()).collect();
        let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
        assert_eq!(sendable, expected);
    }

    /// A code names its finding, and a Close frame with a code that must not be sent is another one.
    #[test]
    fn findings_are_those_of_their_codes() {
        for row in CLOSE_CODES {
            let Some(finding) = row.finding() else { continue };
            assert!(finding.name().ends_with(&row.to_string()), "{row}: {finding}");
        }
        assert_eq!(CloseCode(1002).finding(), Some(NoteCode::Close1002));
        assert_eq!([1000, 1005, 1006, 4000].map(|code| CloseCode(code).finding()), [None; 4]);
    }
}
