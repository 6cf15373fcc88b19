//! What is not to be shown, replaced by pseudonyms: the one door between events and rows.
//!
//! The same value has the same pseudonym in a whole run, so that who is who can still be followed. It is a keyed hash
//! (HMAC-SHA-256) under a key that nobody keeps: nobody can try values against it, and another run has others.
//!
//! What is doubtful is replaced: names are compared without their case, a message that lacks bytes goes as a whole.

mod decoded;
mod door;
mod heads;
mod json;
mod query;

pub use door::Redacted;

use crate::model::{Note, NoteCode, Topic, hex};
use hmac::{Hmac, KeyInit as _, Mac as _};
use regex::bytes::{Regex, RegexBuilder};
use sha2::Sha256;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Bytes of a pseudonym: among a million values, the odds that two share one are below 1 to 500.
const HASH_BYTES: usize = 6;

/// What all pseudonyms begin with.
const PREFIX: &str = "redacted-";

/// Bytes that a compiled pattern may take, and its cache.
const REGEX_BYTES: usize = 1 << 20;
const REGEX_CACHE: usize = 8 << 20;

/// What is replaced.
#[derive(Debug, Clone)]
pub enum Rule {
    /// The values of cookies, sent and set.
    Cookies,
    /// The credentials in `Authorization` and `Proxy-Authorization`, behind their scheme.
    Authorization,
    /// The value of a header.
    Header(String),
    /// The value of a parameter in a URL's query, wherever there is one.
    Query(String),
    /// The value of a member of that name in JSON, also in JSON within JSON's strings.
    Json(String),
    /// What matches; of a pattern with a group, what the first one does.
    Regex(Regex),
}

/// `cookies`, `authorization`, `header:x-api-key`, `query:token`, `json:password`, `regex:\d{16}`.
impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, of) = text.split_once(':').map_or((text, None), |(kind, of)| (kind, Some(of)));
        let of = of.filter(|of| !of.is_empty());
        Ok(match (kind, of) {
            ("cookies", None) => Self::Cookies,
            ("authorization", None) => Self::Authorization,
            ("header", Some(name)) => Self::Header(name.to_owned()),
            ("query", Some(name)) => Self::Query(name.to_owned()),
            ("json", Some(name)) => Self::Json(name.to_owned()),
            ("regex", Some(pattern)) => {
                let mut builder = RegexBuilder::new(pattern);
                let regex = builder.size_limit(REGEX_BYTES).dfa_size_limit(REGEX_CACHE).build();
                Self::Regex(regex.map_err(|error| why(&error))?)
            }
            _ => return Err("one of cookies authorization header:NAME query:NAME json:NAME regex:PATTERN".to_owned()),
        })
    }
}

/// Why a pattern is none, in one line.
fn why(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A value that is found, and what stands around its pseudonym.
#[derive(Debug, PartialEq, Eq)]
struct Find {
    range: Range<usize>,
    /// What makes it a string again, of a value that is none.
    quote: String,
}

/// Replaces what its rules name; by default nothing.
#[derive(Default)]
pub struct Redactor {
    rules: Vec<Rule>,
    key: [u8; 32],
}

/// The key stays out of sight.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Redactor {
    /// Replaces by pseudonyms under this key, which nobody else may know.
    pub const fn new(rules: Vec<Rule>, key: [u8; 32]) -> Self {
        Self { rules, key }
    }

    /// Whether it replaces nothing.
    pub const fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether anything is replaced in what messages say.
    fn reads_payloads(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Query(_) | Rule::Json(_) | Rule::Regex(_)))
    }

    /// Whether the header's whole value is replaced.
    fn hides_header(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Header(hidden) if hidden.eq_ignore_ascii_case(name)))
    }

    /// `redacted-3f9a0c12ab77`: stands wherever a cookie, a token or a part of a URL may.
    fn pseudonym(&self, value: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).map(|mac| mac.chain_update(value).finalize().into_bytes());
        let hash = mac.as_ref().ok().and_then(|mac| mac.get(..HASH_BYTES)).unwrap_or_default();
        format!("{PREFIX}{}", hex(hash))
    }

    /// What is shown of text from anywhere.
    fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Some(shown) => Cow::Owned(String::from_utf8_lossy(&shown).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// What is shown of bytes from anywhere, where it is something else.
    fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut shown: Option<Vec<u8>> = None;
        for rule in &self.rules {
            let bytes = shown.as_deref().unwrap_or(bytes);
            let finds = match rule {
                Rule::Query(name) => query::find(bytes, name),
                Rule::Json(name) => json::find(bytes, name),
                Rule::Regex(regex) => matches_of(regex, bytes),
                Rule::Cookies | Rule::Authorization | Rule::Header(_) => continue,
            };
            shown = self.replaced(bytes, &finds).or(shown);
        }
        shown
    }

    /// `bytes` with pseudonyms for what was found, which comes in order; `None` when that changes nothing.
    fn replaced(&self, bytes: &[u8], finds: &[Find]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len() + finds.len() * 16);
        let mut done = 0;
        for Find { range, quote } in finds {
            let value = bytes.get(range.clone()).filter(|value| !value.is_empty() && !is_pseudonym(value));
            let (Some(before), Some(value)) = (bytes.get(done..range.start), value) else { continue };
            out.extend_from_slice(before);
            out.extend_from_slice(format!("{quote}{}{quote}", self.pseudonym(value)).as_bytes());
            done = range.end;
        }
        out.extend_from_slice(bytes.get(done..).unwrap_or_default());
        (done > 0).then_some(out)
    }

    /// Lends what is shown of a finding.
    pub fn note<R>(&self, note: &Note<'_>, show: impl FnOnce(&Note<'_>) -> R) -> R {
        if self.is_idle() {
            return show(note);
        }
        let row = note.code.row();
        // Findings about a handshake quote headers, in words that nobody can take apart again.
        let quotes_headers = matches!(row.topic, Topic::Handshake | Topic::Refusal);
        let hides_headers = self.rules.iter().any(|rule| matches!(rule, Rule::Header(_)));
        if quotes_headers && hides_headers {
            return show(&Note { text: "", detail: None, ..*note });
        }
        let text = self.text(note.text);
        // Copies that disagree are quoted in hex.
        let detail = note.detail.filter(|_| note.code != NoteCode::TcpOverlap).map(|detail| self.text(detail));
        show(&Note { text: &text, detail: detail.as_deref(), ..*note })
    }
}

/// What came out of another rule keeps its name.
fn is_pseudonym(value: &[u8]) -> bool {
    let hash = value.strip_prefix(PREFIX.as_bytes());
    hash.is_some_and(|hash| hash.len() == 2 * HASH_BYTES && hash.iter().all(u8::is_ascii_hexdigit))
}

fn matches_of(regex: &Regex, bytes: &[u8]) -> Vec<Find> {
    let ranges = regex.captures_iter(bytes).filter_map(|found| found.get(1).or_else(|| found.get(0)));
    ranges.map(|found| Find { range: found.range(), quote: String::new() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn redactor(rules: &[&str]) -> Redactor {
        Redactor::new(rules.iter().map(|rule| rule.parse().unwrap()).collect(), [7; 32])
    }

    #[test]
    fn pseudonyms_are_the_same_for_the_same_value_and_key() {
        let one = redactor(&[]);
        let name = one.pseudonym(b"secret");
        assert_eq!(name, one.pseudonym(b"secret"));
        assert_ne!(name, one.pseudonym(b"secreT"));
        assert_ne!(name, Redactor::new(Vec::new(), [8; 32]).pseudonym(b"secret"));
        assert!(name.len() == 21 && name.starts_with("redacted-") && is_pseudonym(name.as_bytes()), "{name}");
        assert!(!is_pseudonym(b"redacted-3f9a0c12ab7g") && !is_pseudonym(b"redacted-3f9a0c12ab7"));
        assert!(!format!("{one:?}").contains('7'), "{one:?}");
    }

    #[test]
    fn rules_are_read() {
        assert!(matches!("cookies".parse(), Ok(Rule::Cookies)));
        assert!(matches!("header:X-Api-Key".parse(), Ok(Rule::Header(name)) if name == "X-Api-Key"));
        assert!(matches!("regex:a:b,c".parse(), Ok(Rule::Regex(regex)) if regex.as_str() == "a:b,c"));
        for wrong in
            ["", "cookie", "cookies:a", "header", "query:", "json:", "regex:", "regex:(", "regex:(a{99}){99}{99}"]
        {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
        assert_eq!("regex:(a".parse::<Rule>().unwrap_err(), "unclosed group");
    }

    #[test]
    fn patterns_take_what_matches_or_their_first_group() {
        let of = |rule: &str, text: &str| redactor(&[rule]).text(text).into_owned();
        let name = |value: &str| redactor(&[]).pseudonym(value.as_bytes());
        assert_eq!(of(r"regex:\d{4}", "1234 5678 9"), format!("{} {} 9", name("1234"), name("5678")));
        assert_eq!(of(r"regex:pin=(\d+)", "pin=12 pin="), format!("pin={} pin=", name("12")));
        assert_eq!(of("regex:x*", "ab"), "ab", "what is empty has no name");
        assert_eq!(of("regex:é", "aéb"), format!("a{}b", name("é")));
    }

    /// A later rule does not give another name to what has one, so that the same value has the same name everywhere.
    #[test]
    fn rules_follow_one_another() {
        let both = redactor(&["json:pin", r"regex:pin\W+([\w-]+)"]);
        assert_eq!(
            both.text(r#"{"pin":"1234"} pin 1234"#),
            format!(r#"{{"pin":"{0}"}} pin {0}"#, both.pseudonym(b"1234"))
        );
    }
}
