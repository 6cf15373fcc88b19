//! Handshakes without what is not to be shown: headers, URLs, and all that was read from them.

use super::{Redactor, Rule};
use crate::model::{Check, Exchange, Handshake, Head, Opened, StartLine, TlsOutline};
use std::borrow::Cow;

/// Headers that a handshake's fields are read from.
const PROTOCOL: &str = "sec-websocket-protocol";
const EXTENSIONS: &str = "sec-websocket-extensions";
const KEYS: [&str; 4] = ["sec-websocket-key", "sec-websocket-accept", "sec-websocket-key1", "sec-websocket-key2"];

/// Headers of cookies (RFC 6265), of their forerunners as well (RFC 2965), and of credentials (RFC 9110 §11).
const COOKIES: [&str; 2] = ["cookie", "cookie2"];
const SET_COOKIES: [&str; 2] = ["set-cookie", "set-cookie2"];
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

/// Attributes of a cookie that is set.
const ATTRIBUTES: &[&str] = &[
    "comment",
    "commenturl",
    "discard",
    "domain",
    "expires",
    "httponly",
    "max-age",
    "partitioned",
    "path",
    "port",
    "priority",
    "samesite",
    "secure",
    "version",
];

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

    /// What is shown of a request of a session. An id has the same name here and in the URLs that have it.
    pub(super) fn exchange(&self, exchange: &Exchange) -> Exchange {
        let url = self.text(&exchange.url).into_owned();
        let names = exchange.tie().map_or(&[][..], |tie| tie.fallback.names());
        let hides_id = self.rules.iter().any(|rule| match rule {
            Rule::Query(hidden) | Rule::Json(hidden) => names.iter().any(|name| name.eq_ignore_ascii_case(hidden)),
            _ => false,
        });
        let gives = exchange.gives.as_deref().map(|id| self.derived(hides_id, id));
        Exchange { url, gives, ..exchange.clone() }
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
            let (meant, more) = meant(name);
            let is_damaged = !more.trim().is_empty();
            let shown = if is_damaged && self.hides(meant) {
                (format!("{meant} {}", self.pseudonym(more.trim().as_bytes())), self.whole(value))
            } else {
                (self.text(name).into_owned(), self.text(&self.header(name.trim_end(), value)).into_owned())
            };
            (*name, *value) = shown;
        }
    }

    /// Whether something of a header of that name is not shown by the rules for headers.
    fn hides(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| match rule {
            Rule::Cookies => is_one_of(name, &COOKIES) || is_one_of(name, &SET_COOKIES),
            Rule::Authorization => is_one_of(name, &CREDENTIALS),
            Rule::Header(hidden) => name.eq_ignore_ascii_case(hidden),
            Rule::Query(_) | Rule::Json(_) | Rule::Regex(_) => false,
        })
    }

    fn whole(&self, value: &str) -> String {
        if value.is_empty() { String::new() } else { self.pseudonym(value.as_bytes()) }
    }

    /// What is shown of a header's value by the rules for headers.
    fn header<'v>(&self, name: &str, value: &'v str) -> Cow<'v, str> {
        if !self.hides(name) {
            Cow::Borrowed(value)
        } else if self.hides_header(name) {
            Cow::Owned(self.whole(value))
        } else if is_one_of(name, &COOKIES) {
            let pairs: Vec<String> = value.split(';').map(|pair| self.pair(pair)).collect();
            Cow::Owned(pairs.join(";"))
        } else if is_one_of(name, &SET_COOKIES) {
            let mut parts = value.split(';');
            let pair = parts.next().map(|pair| self.pair(pair));
            let attributes = parts.map(|part| if is_attribute(part) { part.to_owned() } else { self.pair(part) });
            Cow::Owned(pair.into_iter().chain(attributes).collect::<Vec<_>>().join(";"))
        } else {
            Cow::Owned(self.credentials(value))
        }
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

    /// `Bearer token`: a scheme and what it wants (RFC 9110 §11.4). Where no token and a blank come first, all is secret.
    fn credentials(&self, value: &str) -> String {
        match value.trim().split_once([' ', '\t']).filter(|(scheme, _)| scheme.chars().all(is_token)) {
            Some((scheme, secret)) => format!("{scheme} {}", self.pseudonym(secret.trim().as_bytes())),
            None => self.pseudonym(value.trim().as_bytes()),
        }
    }
}

/// Whatever its case.
fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// The name that a header was to have, and what else stands where names do: of a line without a colon the rest of it.
fn meant(name: &str) -> (&str, &str) {
    let name = name.trim_start();
    name.split_at(name.find(|c| !is_token(c)).unwrap_or(name.len()))
}

/// RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// Whether it is an attribute of a cookie, and no part of a value that has a semicolon or of another cookie.
fn is_attribute(part: &str) -> bool {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let name = name.trim();
    let is_date = name.eq_ignore_ascii_case("expires");
    is_one_of(name, ATTRIBUTES) && !value.contains(|c| matches!(c, '=' | '"') || c == ',' && !is_date)
}

#[cfg(test)]
mod tests {
    use super::super::tests::redactor;
    use super::{Head, StartLine};
    use crate::model::{Mark, Span};

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

    /// What is damaged shows no more than what is whole.
    #[test]
    fn damaged_headers_show_no_secret() {
        let all = redactor(&["cookies", "authorization", "header:x-api-key"]);
        let of = |value: &str| all.pseudonym(value.as_bytes());
        for (name, value, shown) in [
            ("Cookie ", "a=S", ("Cookie ".to_owned(), format!("a={}", of("S")))),
            ("Cookie a=S", "", (format!("Cookie {}", of("a=S")), String::new())),
            ("Cookie a=http", "//S", (format!("Cookie {}", of("a=http")), of("//S"))),
            ("X-Api-Key=S", "more", (format!("X-Api-Key {}", of("=S")), of("more"))),
            ("X-Api-Key\t", "S", ("X-Api-Key\t".to_owned(), of("S"))),
            ("Authorization", "token=\"S\", x", ("Authorization".to_owned(), of("token=\"S\", x"))),
            ("authorization S", "", (format!("authorization {}", of("S")), String::new())),
            (
                "Set-Cookie",
                "a=\"S;T\"; Path=/",
                ("Set-Cookie".to_owned(), format!("a={};{}; Path=/", of("\"S"), of("T\""))),
            ),
            (
                "Set-Cookie",
                "a=S; Path=/, b=T",
                ("Set-Cookie".to_owned(), format!("a={}; Path={}", of("S"), of("/, b=T"))),
            ),
            ("Cookie2", "$Version=1; a=S", ("Cookie2".to_owned(), format!("$Version={}; a={}", of("1"), of("S")))),
            ("Set-Cookie2", "a=S; Discard", ("Set-Cookie2".to_owned(), format!("a={}; Discard", of("S")))),
            ("Cookies a=S", "T", ("Cookies a=S".to_owned(), "T".to_owned())),
            (":path", "/", (":path".to_owned(), "/".to_owned())),
        ] {
            let mut head = Head {
                start: StartLine::Response { version: "HTTP/1.1".to_owned(), status: 200, reason: String::new() },
                headers: vec![(name.to_owned(), value.to_owned())],
                stream_offset: 0,
                len: 0,
                span: Span { first: Mark::default(), last: Mark::default() },
                whole: true,
            };
            all.head(&mut head);
            assert_eq!(head.headers, [shown], "{name}: {value}");
        }
        let set = "a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Max-Age=60; Domain=h; SameSite=Lax; Secure";
        assert_eq!(all.header("Set-Cookie", set), set.replacen('1', &of("1"), 1));
    }

    #[test]
    fn headers_go_as_a_whole() {
        let all = redactor(&["header:x-api-key", "cookies", "header:Cookie"]);
        assert_eq!(all.header("X-API-Key", "a b"), all.pseudonym(b"a b"));
        assert_eq!(all.header("cookie", "a=1"), all.pseudonym(b"a=1"));
        assert_eq!(all.header("X-API-Keys", "a b"), "a b");
    }
}
