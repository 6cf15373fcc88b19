//! What is redacted is in no output, and the same everywhere.

use super::support::craft::*;
use super::support::run::Input;
use super::{capture, text};

/// A conversation that opens with a cookie and credentials.
fn with_secrets(n: usize) -> Session {
    let mut session = Session::bare(n);
    session.turn(Client, request("/", "Cookie: sid=s3cr3t-sid; theme=dark\r\nAuthorization: Bearer t0k3n-of-mine\r\n"));
    session.turn(Server, response("Set-Cookie: sid=s3cr3t-sid; Path=/\r\nX-Other: shown\r\n"));
    session.text(Client, "hello").close();
    session
}

/// Unasked in HAR: cookies and credentials, with one pseudonym for one value.
#[test]
fn har_hides_cookies_and_credentials() {
    let file = capture(&[with_secrets(1), with_secrets(2)]);
    let har = text(&["export", "har", "-q"], Input::Bytes(&file));
    for secret in ["s3cr3t-sid", "t0k3n-of-mine", "dark"] {
        assert!(!har.contains(secret), "{secret}");
    }
    for shown in ["sid=redacted-", "theme=redacted-", "Bearer redacted-", "Path=/", "X-Other", "hello"] {
        assert!(har.contains(shown), "{shown}");
    }
    let names = |har: &str| -> Vec<String> {
        let found = har.match_indices("redacted-").map(|(at, _)| har[at..at + 21].to_owned());
        found.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(names(&har).len(), 3, "three values, each with one name in both connections: {har}");
    let again = text(&["export", "har", "-q"], Input::Bytes(&file));
    assert!(names(&again).iter().all(|name| !har.contains(name)), "another run has other names");
    let shown = text(&["export", "har", "-q", "--no-redact"], Input::Bytes(&file));
    assert!(shown.contains("s3cr3t-sid") && shown.contains("t0k3n-of-mine") && !shown.contains("redacted-"));
}
