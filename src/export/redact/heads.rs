//! Handshakes without what is not to be shown: headers, URLs, and all that was read from them.

use super::{Redactor, Rule};
use crate::model::{Check, Handshake, Head, Opened, StartLine, TlsOutline};
use std::borrow::Cow;

/// Headers that a handshake's fields are read from.
const PROTOCOL: &str = "sec-websocket-protocol";
const EXTENSIONS: &str = "sec-websocket-extensions";
const KEYS: [&str; 4] = ["sec-websocket-key", "sec-websocket-accept", "sec-websocket-key1", "sec-websocket-key2"];

impl Redactor {
    /// What is shown of a connection's beginning, where it is something else.
    pub(super) fn opened(&self, opened: &Opened) -> Option<Opened> {
        let url = opened.url.as_deref().map(|url| self.text(url));
        let tls = opened.tls.as_deref().and_then(|tls| self.outline(tls));
        let hides_url = matches!(url, Some(Cow::Owned(_)));
        (hides_url || tls.is_some()).then(|| Opened {
            url: url.map(Cow::into_owned),
            tls: tls.map(Box::new).or_else(|| opened.tls.clone()),
            ..opened.clone()
        })
    }

    /// What is shown of a TLS session's names, where it is something else.
    pub(super) fn outline(&self, outline: &TlsOutline) -> Option<TlsOutline> {
        let mut shown = outline.clone();
        let certificate = shown.certificate.as_deref_mut().into_iter();
        let of_certificate =
            certificate.flat_map(|it| it.names.iter_mut().chain(&mut it.subject).chain(&mut it.issuer));
        let names = shown.sni.iter_mut().chain(&mut shown.alpn).chain(of_certificate);
        names.for_each(|name| *name = self.text(name).into_owned());
        (shown != *outline).then_some(shown)
    }

    /// What is shown of a handshake.
    pub(super) fn handshake(&self, handshake: &Handshake) -> Handshake {
        let mut shown = handshake.clone();
        for head in [&mut shown.request, &mut shown.response].into_iter().flatten() {
            self.head(head);
        }
        shown.url = shown.url.map(|url| self.text(&url).into_owned());
        let hides_keys = KEYS.iter().any(|name| self.hides_header(name));
        for key in [&mut shown.key, &mut shown.accept, &mut shown.accept_expected].into_iter().flatten() {
            *key = self.derived(hides_keys, key);
        }
        let hides_protocol = self.hides_header(PROTOCOL);
        let protocols = shown.subprotocols_offered.iter_mut().flatten().chain(&mut shown.subprotocol);
        protocols.for_each(|name| *name = self.derived(hides_protocol, name));
        let hides_extensions = self.hides_header(EXTENSIONS);
        let extensions = [&mut shown.extensions_offered, &mut shown.extensions].into_iter().flatten().flatten();
        extensions.for_each(|name| *name = self.derived(hides_extensions, name));
        shown.checks.iter_mut().for_each(|check| self.check(check));
        shown
    }

    /// What was read from a header that is hidden or not.
    fn derived(&self, is_hidden: bool, text: &str) -> String {
        if is_hidden { self.pseudonym(text.as_bytes()) } else { self.text(text).into_owned() }
    }

    /// A rule quotes headers, in words that nobody can take apart again: where any is hidden, all particulars are.
    fn check(&self, check: &mut Check) {
        let hides_headers = self.rules.iter().any(|rule| matches!(rule, Rule::Header(_)));
        check.detail = if hides_headers { String::from("redacted") } else { self.text(&check.detail).into_owned() };
    }

    fn head(&self, head: &mut Head) {
        match &mut head.start {
            StartLine::Request { target: text, .. } | StartLine::Response { reason: text, .. } => {
                *text = self.text(text).into_owned();
            }
        }
        for (name, value) in &mut head.headers {
            *value = self.text(&self.header(name, value)).into_owned();
        }
    }

    /// What is shown of a header's value by the rules for headers.
    fn header<'v>(&self, name: &str, value: &'v str) -> Cow<'v, str> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let hides_cookies = self.rules.iter().any(|rule| matches!(rule, Rule::Cookies));
        let hides_credentials = self.rules.iter().any(|rule| matches!(rule, Rule::Authorization));
        if self.hides_header(name) {
            return if value.is_empty() { Cow::Borrowed(value) } else { Cow::Owned(self.pseudonym(value.as_bytes())) };
        }
        if is("cookie") && hides_cookies {
            let pairs: Vec<String> = value.split(';').map(|pair| self.pair(pair)).collect();
            return Cow::Owned(pairs.join(";"));
        }
        if is("set-cookie") && hides_cookies {
            let (pair, attributes) = value.split_at(value.find(';').unwrap_or(value.len()));
            return Cow::Owned(self.pair(pair) + attributes);
        }
        if (is("authorization") || is("proxy-authorization")) && hides_credentials {
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
                (" ".repeat(blanks), pair)
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

#[cfg(test)]
mod tests {
    use super::super::tests::redactor;

    #[test]
    fn cookies_keep_their_names() {
        let all = redactor(&["cookies"]);
        let of = |value: &str| all.pseudonym(value.as_bytes());
        assert_eq!(
            all.header("Cookie", "a=1; b = x=y; c;d="),
            format!("a={}; b ={}; {};d=", of("1"), of("x=y"), of("c"))
        );
        assert_eq!(all.header("SET-COOKIE", "a=1; Path=/; HttpOnly"), format!("a={}; Path=/; HttpOnly", of("1")));
        assert_eq!(all.header("Authorization", "Bearer 1"), "Bearer 1");
        assert_eq!(redactor(&[]).header("Cookie", "a=1"), "a=1");
    }

    #[test]
    fn credentials_keep_their_scheme() {
        let all = redactor(&["authorization"]);
        let of = |value: &str| all.pseudonym(value.as_bytes());
        assert_eq!(all.header("authorization", " Basic  QTpC "), format!("Basic {}", of("QTpC")));
        assert_eq!(all.header("Proxy-Authorization", "token"), of("token"));
        assert_eq!(all.header("WWW-Authenticate", "Basic realm=x"), "Basic realm=x");
    }

    #[test]
    fn headers_go_as_a_whole() {
        let all = redactor(&["header:x-api-key", "cookies", "header:Cookie"]);
        assert_eq!(all.header("X-API-Key", "a b"), all.pseudonym(b"a b"));
        assert_eq!(all.header("cookie", "a=1"), all.pseudonym(b"a=1"));
        assert_eq!(all.header("X-API-Keys", "a b"), "a b");
    }
}
