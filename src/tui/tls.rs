//! What is said of the TLS around a connection.

use super::app::App;
use crate::escape::display_str;
use crate::export::{agreed, certificate};
use crate::model::{Connection, KeyLog, TlsKeys, TlsOutline, TlsSession};

/// What is to be told of the TLS around a connection.
pub(super) struct Told {
    /// How it is encrypted, and whether its keys are known.
    pub(super) words: String,
    /// Nanoseconds of its handshake.
    pub(super) took: Option<i64>,
    /// What the server's certificate says.
    pub(super) certificate: Option<String>,
}

impl Told {
    /// That of the connection that is looked at; `None`: it is in clear.
    pub(super) fn of(app: &App, connection: &Connection) -> Option<Self> {
        let outline = connection.opened.tls.as_deref()?;
        let session = app.book.index_of(connection.id).and_then(|index| app.book.session(index));
        let words = format!("{} · {}", agreed(outline), keys(outline, session, app.load.key_logs()));
        // Where 0-RTT data came before its end, that is known with the stream's.
        let took = outline.took.or_else(|| session?.outline.took);
        Some(Self { words, took, certificate: certificate(outline) })
    }

    /// The same words behind the name `TLS`.
    pub(super) fn fact(&self) -> &str {
        self.words.strip_prefix("TLS ").unwrap_or(&self.words)
    }
}

/// `keys matched (keys.txt:17)`, and why not all was decrypted. The whole of it is known when the stream has ended.
pub(super) fn keys(outline: &TlsOutline, session: Option<&TlsSession>, logs: &[KeyLog]) -> String {
    let known = session.map_or(outline.keys, |session| session.outline.keys);
    let mut words = match known {
        TlsKeys::NotNeeded => "not encrypted".to_owned(),
        keys => format!("keys {}", keys.name()),
    };
    let place = session.and_then(|session| session.origin).map(|origin| origin.place(logs)).unwrap_or_default();
    if !place.is_empty() {
        words = format!("{words} ({})", display_str(&place));
    }
    session.and_then(|session| session.why_not).iter().fold(words, |words, why| format!("{words}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Endpoint, KeySource, Origin, TlsVersion, WhyNot};
    use std::net::Ipv4Addr;

    fn outline() -> TlsOutline {
        TlsOutline {
            version: Some(TlsVersion::TLS_1_3),
            cipher: Some("TLS_AES_128_GCM_SHA256".into()),
            sni: Some("chat\u{202e}.example".to_owned()),
            alpn: None,
            keys: TlsKeys::Matched,
            took: None,
            certificate: None,
        }
    }

    #[test]
    fn tells_what_was_agreed_on_in_a_line() {
        let words = agreed(&outline());
        assert_eq!(words, "TLS 1.3 · TLS_AES_128_GCM_SHA256 · SNI chat⟨U+202E⟩.example");
        assert_eq!(agreed(&TlsOutline::default()), "TLS");
    }

    #[test]
    fn tells_where_the_keys_stand_and_why_they_do_not_open_all() {
        let end = Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port: 443 };
        let logs = [KeyLog { source: KeySource::File("keys\x1b.txt".to_owned()), ..KeyLog::default() }];
        let mut session = TlsSession {
            client: end,
            server: end,
            outline: outline(),
            client_randoms: Vec::new(),
            premasters: Vec::new(),
            origin: Some(Origin { source: 0, line: 17 }),
            decrypted: 5,
            why_not: None,
        };
        assert_eq!(keys(&outline(), None, &logs), "keys matched");
        assert_eq!(keys(&outline(), Some(&session), &logs), "keys matched (keys\\x1b.txt:17)");
        assert_eq!(keys(&outline(), Some(&session), &[]), "keys matched");
        session.outline.keys = TlsKeys::Partial;
        session.why_not = Some(WhyNot::OneWay(Direction::ToClient));
        let told = "keys partial (keys\\x1b.txt:17): the secret of what the server sent is missing";
        assert_eq!(keys(&outline(), Some(&session), &logs), told);
        session.outline.keys = TlsKeys::NotNeeded;
        (session.origin, session.why_not) = (None, None);
        assert_eq!(keys(&outline(), Some(&session), &logs), "not encrypted");
    }
}
