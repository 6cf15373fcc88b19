//! TLS streams: how each is encrypted, and whether its key is known.

use super::payload::fit;
use super::style::{Ink, Style};
use super::{Exporter, Form, Out, Totals};
use crate::escape;
use crate::model::{
    ConnId, Event, FileRun, KeySource, Secret, Secrets, Stamp, TlsKeys, TlsOutline, TlsSession, TlsSum, hex, size,
};
use std::collections::HashSet;
use std::ops::ControlFlow;
use unicode_width::UnicodeWidthStr as _;

/// Collects the TLS sessions and writes them in the order of their streams.
pub struct TlsSessions {
    form: Box<dyn Form>,
    rows: Vec<(Stamp, TlsSession)>,
    sum: KeySum,
}

/// What there was in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeySum {
    /// TLS streams.
    pub tls: TlsSum,
    /// Lines of key logs with a secret that was not there before.
    pub secrets: u64,
    /// Of these, how many fit no stream.
    pub idle: u64,
}

impl TlsSessions {
    /// Rows in this form.
    pub fn new(form: Box<dyn Form>) -> Self {
        Self { form, rows: Vec::new(), sum: KeySum::default() }
    }

    /// What there was in all, once it is finished.
    pub const fn sum(&self) -> KeySum {
        self.sum
    }
}

impl Exporter for TlsSessions {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        if let Event::Tls(session) = event {
            self.rows.push((*at, session.clone()));
        }
        ControlFlow::Continue(())
    }

    fn file(&mut self, run: &FileRun) {
        self.form.file(run);
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        self.rows.sort_by_key(|(at, _)| at.stream);
        self.sum = sum(&self.rows, &totals.secrets);
        let rows = out.wanted(&self.rows);
        if !rows.is_empty() {
            self.form.tls_sessions(rows, &totals.secrets, out);
        }
    }
}

fn sum(rows: &[(Stamp, TlsSession)], secrets: &Secrets) -> KeySum {
    let logged = secrets.logged();
    let randoms: HashSet<_> = rows.iter().flat_map(|(_, session)| &session.client_randoms).collect();
    // What a private key decrypted stands in no line.
    let is_logged = |secret: &&Secret| {
        let log = secrets.logs().get(usize::from(secret.origin.source));
        log.is_some_and(|log| !matches!(log.source, KeySource::RsaKey(_)))
    };
    let premasters = rows.iter().flat_map(|(_, session)| &session.premasters).filter_map(|id| secrets.premaster(id));
    let used = randoms.into_iter().flat_map(|random| secrets.of(random)).chain(premasters).filter(is_logged);
    // What is made of a premaster secret stands where that does.
    let used = used.map(|secret| (secret.origin.source, secret.origin.line)).collect::<HashSet<_>>().len();
    let mut tls = TlsSum::default();
    rows.iter().for_each(|(_, session)| tls.count(session));
    KeySum { tls, secrets: logged, idle: logged.saturating_sub(used as u64) }
}

/// Columns before a stream's name.
const HEADER: [&str; 4] = ["stream", "version", "cipher suite", "decrypted"];

/// Appends a stream's lines: what was agreed on, where its key stands or why it stays shut, and its random.
pub(super) fn write(rows: &[(Stamp, TlsSession)], secrets: &Secrets, style: Style, out: &mut Out<'_>) {
    let cells: Vec<_> = rows.iter().map(|(at, session)| cells(at, session)).collect();
    let mut widths = HEADER.map(str::width);
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let columns = style.columns.unwrap_or(usize::MAX);
    let header = line(&HEADER.map(str::to_owned), widths, "server name");
    out.line(&style.paint(Ink::Dim, fit(&header, columns, false)).to_string());
    let indent = " ".repeat(widths[0] + 2);
    for (row, (at, session)) in cells.iter().zip(rows) {
        out.line(&fit(&line(row, widths, &name(&session.outline)), columns, false));
        for (ink, what, text) in told(at.conn, session, secrets) {
            let begin = format!("{indent}{}", style.paint(ink, format_args!("{what:<8}")));
            style.hang(&begin, indent.len() + 8, ink, &text, out);
        }
        out.spill();
    }
}

fn cells(at: &Stamp, session: &TlsSession) -> [String; HEADER.len()] {
    let TlsOutline { version, cipher, .. } = &session.outline;
    let dash = || String::from("-");
    [
        at.stream.map_or_else(dash, |stream| stream.to_string()),
        version.map_or_else(dash, |version| version.to_string()),
        cipher.as_deref().map_or_else(dash, |cipher| cipher.strip_prefix("TLS_").unwrap_or(cipher).to_owned()),
        size(session.decrypted),
    ]
}

fn line([stream, version, cipher, decrypted]: &[String; HEADER.len()], widths: [usize; 4], name: &str) -> String {
    let [w0, w1, w2, w3] = widths;
    let line = format!("{stream:>w0$}  {version:<w1$}  {cipher:<w2$}  {decrypted:>w3$}  {name}");
    line.trim_end().to_owned()
}

/// `TLS 1.3 · TLS_AES_128_GCM_SHA256 · SNI chat.example · ALPN http/1.1`.
pub fn agreed(outline: &TlsOutline) -> String {
    let begin = outline.cipher.iter().fold(outline.protocol(), |words, cipher| format!("{words} · {cipher}"));
    let said = [("SNI", &outline.sni), ("ALPN", &outline.alpn)];
    said.iter().fold(begin, |words, (name, value)| match value {
        Some(value) => format!("{words} · {name} {}", escape::display_str(value)),
        None => words,
    })
}

/// `chat.example (3 names), by Example CA, 2026-01-01 to 2026-04-01`: what the server's certificate says.
pub fn certificate(outline: &TlsOutline) -> Option<String> {
    outline.certificate.as_ref().map(|certificate| escape::display_str(&certificate.to_string()).into_owned())
}

/// `chat.example (http/1.1)`.
fn name(outline: &TlsOutline) -> String {
    let sni = outline.sni.as_deref().map_or("-".into(), escape::display_str);
    match &outline.alpn {
        Some(alpn) => format!("{sni} ({})", escape::display_str(alpn)),
        None => sni.into_owned(),
    }
}

/// Where the key stands, why it does not open all, and the randoms that name it: a word each, and what there is to say.
fn told(conn: Option<ConnId>, session: &TlsSession, secrets: &Secrets) -> impl Iterator<Item = Told> {
    let part = if session.outline.keys == TlsKeys::Partial { "partial, " } else { "" };
    let place = session.origin.map(|origin| secrets.place(origin));
    let place = place.map(|place| (Ink::Plain, "keys", format!("{part}{}", escape::display_str(&place))));
    let why_not = session.why_not.map(|why| (Ink::Warning, "reason", why.to_string()));
    // Nothing of it was read, and yet there is a connection.
    let looks = conn.filter(|_| session.why_not.is_some() && session.decrypted == 0);
    let looks = looks.map(|conn| (Ink::Warning, "looks", format!("like a WebSocket: connection {conn}")));
    let certificate = certificate(&session.outline).map(|words| (Ink::Dim, "cert", words));
    // Of several handshakes some may have keys.
    let is_one = session.client_randoms.len() < 2;
    let randoms = session.client_randoms.iter().map(move |random| {
        let lacks = !is_one && session.why_not.is_some() && secrets.of(random).next().is_none();
        let (ink, more) = if lacks { (Ink::Warning, ": no key for this one") } else { (Ink::Dim, "") };
        (ink, "random", hex(random) + more)
    });
    [place, why_not, looks, certificate].into_iter().flatten().chain(randoms)
}

type Told = (Ink, &'static str, String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Origin, SecretLabel, WhyNot};
    use std::net::Ipv4Addr;

    /// Of several handshakes it is told which have no key.
    #[test]
    fn the_random_that_lacks_a_key_is_told() {
        let (end, mut secrets) = (Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port: 443 }, Secrets::default());
        let mut session = TlsSession {
            client: end,
            server: end,
            outline: TlsOutline::default(),
            client_randoms: vec![[1; 32]],
            premasters: Vec::new(),
            origin: None,
            decrypted: 0,
            why_not: Some(WhyNot::NoKey),
        };
        let randoms = |session: &TlsSession, secrets: &Secrets| {
            let told = told(None, session, secrets).filter(|(_, what, _)| *what == "random");
            told.map(|(_, _, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(randoms(&session, &secrets), ["01".repeat(32)], "the reason says it");
        session.client_randoms.push([2; 32]);
        let key = Secret::new(SecretLabel::Master, &[7; 48], Origin { source: 0, line: 1 });
        secrets.add(&[1; 32], key.expect("48 bytes"));
        let lacking = format!("{}: no key for this one", "02".repeat(32));
        assert_eq!(randoms(&session, &secrets), ["01".repeat(32), lacking]);
    }
}
