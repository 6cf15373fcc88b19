//! What is not to be shown, replaced by pseudonyms: the one door between events and rows.
//!
//! The same value has the same pseudonym in a whole run, so that who is who can still be followed. It is a keyed hash
//! (HMAC-SHA-256) under a key that nobody keeps: nobody can try values against it, and another run has others.

use super::{Exporter, Out, Totals};
use crate::model::{Event, Fact, FileRun, Handshake, Head, Stamp, hex};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

/// Bytes of a pseudonym: among a million values, the odds that two share one are below 1 to 500.
const HASH_BYTES: usize = 6;

/// What is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The values of cookies, sent and set.
    Cookies,
    /// The credentials in `Authorization` and `Proxy-Authorization`, behind their scheme.
    Authorization,
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

    fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    fn has(&self, rule: &Rule) -> bool {
        self.rules.contains(rule)
    }

    /// `redacted-3f9a0c12ab77`: stands wherever a cookie, a token or a part of a URL may.
    fn pseudonym(&self, value: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).map(|mac| mac.chain_update(value).finalize().into_bytes());
        let hash = mac.as_ref().ok().and_then(|mac| mac.get(..HASH_BYTES)).unwrap_or_default();
        format!("redacted-{}", hex(hash))
    }

    fn handshake(&self, handshake: &Handshake) -> Handshake {
        let mut shown = handshake.clone();
        for head in [&mut shown.request, &mut shown.response].into_iter().flatten() {
            self.head(head);
        }
        shown
    }

    fn head(&self, head: &mut Head) {
        for (name, value) in &mut head.headers {
            if let Cow::Owned(shown) = self.header(name, value) {
                *value = shown;
            }
        }
    }

    /// What is shown of a header's value.
    fn header<'v>(&self, name: &str, value: &'v str) -> Cow<'v, str> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("cookie") && self.has(&Rule::Cookies) {
            let pairs: Vec<String> = value.split(';').map(|pair| self.pair(pair)).collect();
            return Cow::Owned(pairs.join(";"));
        }
        if is("set-cookie") && self.has(&Rule::Cookies) {
            let (pair, attributes) = value.split_at(value.find(';').unwrap_or(value.len()));
            return Cow::Owned(self.pair(pair) + attributes);
        }
        if (is("authorization") || is("proxy-authorization")) && self.has(&Rule::Authorization) {
            return Cow::Owned(self.credentials(value));
        }
        Cow::Borrowed(value)
    }

    /// `name=value` of a cookie; one without `=` is all value (RFC 6265bis §5.7). Quotes belong to the value.
    fn pair(&self, pair: &str) -> String {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (format!("{name}="), value),
            None => {
                let blanks = pair.len() - pair.trim_start().len();
                (pair.chars().take(blanks).collect(), pair)
            }
        };
        let value = value.trim();
        if value.is_empty() { name } else { name + &self.pseudonym(value.as_bytes()) }
    }

    /// `Bearer token`: a scheme and what it wants (RFC 9110 §11.4). Without a blank all is secret.
    fn credentials(&self, value: &str) -> String {
        match value.trim().split_once([' ', '\t']) {
            Some((scheme, secret)) => format!("{scheme} {}", self.pseudonym(secret.trim().as_bytes())),
            None => self.pseudonym(value.trim().as_bytes()),
        }
    }
}

/// Lets an exporter see events without what is not to be shown.
pub struct Redacted<'a> {
    redactor: &'a Redactor,
    inner: &'a mut dyn Exporter,
}

impl<'a> Redacted<'a> {
    /// Events go to `inner` as the redactor leaves them.
    pub fn new(redactor: &'a Redactor, inner: &'a mut dyn Exporter) -> Self {
        Self { redactor, inner }
    }
}

impl Exporter for Redacted<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        match event {
            _ if self.redactor.is_idle() => self.inner.event(at, event, out),
            Event::Handshake(handshake) => {
                self.inner.event(at, Event::Handshake(&self.redactor.handshake(handshake)), out)
            }
            _ => self.inner.event(at, event, out),
        }
    }

    fn file(&mut self, run: &FileRun) {
        self.inner.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.inner.fact(file, fact);
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        self.inner.finish(totals, out);
    }

    fn hears_frames(&self) -> bool {
        self.inner.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        self.inner.hears_payloads()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(rules: &[Rule]) -> Redactor {
        Redactor::new(rules.to_vec(), [7; 32])
    }

    #[test]
    fn pseudonyms_are_the_same_for_the_same_value_and_key() {
        let one = redactor(&[]);
        let name = one.pseudonym(b"secret");
        assert_eq!(name, one.pseudonym(b"secret"));
        assert_ne!(name, one.pseudonym(b"secreT"));
        assert_ne!(name, Redactor::new(Vec::new(), [8; 32]).pseudonym(b"secret"));
        assert!(name.len() == 21 && name.starts_with("redacted-"), "{name}");
        assert!(!format!("{one:?}").contains('7'), "{one:?}");
    }

    #[test]
    fn cookies_keep_their_names() {
        let all = redactor(&[Rule::Cookies]);
        let of = |value: &str| all.pseudonym(value.as_bytes());
        assert_eq!(
            all.header("Cookie", "a=1; b = x=y;c;d="),
            format!("a={}; b ={};{};d=", of("1"), of("x=y"), of("c"))
        );
        assert_eq!(all.header("SET-COOKIE", "a=1; Path=/; HttpOnly"), format!("a={}; Path=/; HttpOnly", of("1")));
        assert_eq!(all.header("Authorization", "Bearer 1"), "Bearer 1");
        assert_eq!(redactor(&[]).header("Cookie", "a=1"), "a=1");
    }

    #[test]
    fn credentials_keep_their_scheme() {
        let all = redactor(&[Rule::Authorization]);
        let of = |value: &str| all.pseudonym(value.as_bytes());
        assert_eq!(all.header("authorization", " Basic  QTpC "), format!("Basic {}", of("QTpC")));
        assert_eq!(all.header("Proxy-Authorization", "token"), of("token"));
        assert_eq!(all.header("WWW-Authenticate", "Basic realm=x"), "Basic realm=x");
    }
}
