//! A report in one HTML file: what there is, what is wrong, how much flowed when, and what was said.
//!
//! What comes last in the capture stands first in the report, so rows wait in a [`Spool`], a thread for each connection.
//! The page allows itself its own style and script by their hashes and nothing else: what got through all escaping would still
//! not run, nor load anything.

mod pages;
mod plot;

use super::bins::Bins;
use super::list::Collect;
use super::spool::OpenStore;
use super::time::Clock;
use super::transcript::{Transcript, date};
use super::{Exporter, Out, PayloadOptions, Totals};
use crate::escape;
use crate::model::{
    Connection, Direction, Event, FileRun, Severities, Stamp, Timestamp, count, duration, number, size,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pages::{Pages, Thread};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::ops::ControlFlow;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes a report.
pub struct Html {
    rows: Transcript<Pages>,
    connections: Collect,
    findings: Severities,
    bins: Bins,
}

impl Html {
    /// A report whose rows wait in what `open` makes, with times of this clock and payloads shown so; the first bin of the
    /// plot begins with `origin`.
    pub fn new(open: OpenStore, clock: Clock, payload: PayloadOptions, origin: Option<Timestamp>) -> Self {
        let rows = Transcript::new(Pages::new(open), clock, payload);
        Self { rows, connections: Collect::default(), findings: Severities::default(), bins: Bins::new(origin) }
    }
}

impl Exporter for Html {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.connections.apply(at, event);
        match event {
            Event::Message(message) => self.bins.add(at.at.time, message.dir, message.body.len),
            Event::Note(note) => self.findings.count(note.code.severity()),
            _ => {}
        }
        let wants_more = self.rows.event(at, event, out);
        if let (Event::Handshake(handshake), Some(conn)) = (event, at.conn) {
            self.rows.markup().heads(conn, handshake, out);
        }
        wants_more
    }

    fn file(&mut self, run: &FileRun) {
        self.rows.file(run);
    }

    fn hears_payloads(&self) -> bool {
        true
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        begin(out);
        self.summary(totals, out);
        let bins = std::mem::replace(&mut self.bins, Bins::new(None));
        plot::write(bins, totals.last, out);
        table(self.connections.rows(), out);
        let pages = self.rows.markup();
        if self.findings.total() > 0 {
            out.line("<h2>Findings</h2>");
            pages.write(Thread::Findings, out);
        }
        out.line("<h2>Transcript</h2>");
        out.line(concat!(
            r#"<p class="tools"><input id="search" type="search" placeholder="Search" aria-label="Search">"#,
            r#"<output id="told"></output><button id="unfold">Unfold all</button><button id="fold">Fold all</button></p>"#
        ));
        out.line("<main>");
        pages.write(Thread::File, out);
        for row in self.connections.rows() {
            let id = row.id;
            let open = if self.connections.rows().len() == 1 { " open" } else { "" };
            out.line(&format!(
                r#"<details class="conn" id="c{id}"{open}><summary>{id} · {}</summary>"#,
                text(&row.title())
            ));
            pages.write(Thread::Connection(id), out);
            out.line("</details>");
        }
        out.line("</main>");
        out.line(&format!("<script>{SCRIPT}</script>\n</body>\n</html>"));
    }
}

impl Html {
    fn summary(&self, totals: &Totals, out: &mut Out<'_>) {
        let (first, last) = (totals.first.map(date), totals.last.map(date));
        let times = first.zip(last).map_or(String::new(), |(first, last)| format!("{first} to {last} · "));
        let messages: u64 = self.connections.rows().iter().map(Connection::messages).sum();
        out.line("<h1>WebSocket report</h1>");
        out.line(&format!(
            r#"<p class="dim">{times}{} · {} · {} · {}</p>"#,
            count(totals.packets, "packet"),
            count(self.connections.rows().len() as u64, "connection"),
            count(messages, "message"),
            count(self.findings.total(), "finding"),
        ));
    }
}

/// Appends the head of the page.
fn begin(out: &mut Out<'_>) {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    out.line("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
    out.line(&format!(
        r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'">"#,
        hash(STYLE),
        hash(SCRIPT),
    ));
    out.line(concat!(
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width\">\n",
        "<meta name=\"generator\" content=\"wspect ",
        env!("CARGO_PKG_VERSION"),
        "\">\n<title>WebSocket report</title>"
    ));
    out.line(&format!("<style>{STYLE}</style>\n</head>\n<body>"));
}

/// Appends a row for each connection.
fn table(rows: &[Connection], out: &mut Out<'_>) {
    out.line("<h2>Connections</h2>\n<table>");
    out.line(concat!(
        r#"<tr><th class="n">#</th><th>URL</th><th>client → server</th><th class="n">→</th><th class="n">←</th>"#,
        r#"<th class="n">bytes</th><th class="n">duration</th><th>end</th></tr>"#
    ));
    for row in rows {
        let messages = |dir: Direction| number(row.counts[dir].messages);
        let worst = row.findings.worst().map_or("", crate::model::Severity::name);
        out.line(&format!(
            r##"<tr><td class="n"><a href="#c{0}">{0}</a></td><td><code>{1}</code></td><td>{2} → {3}</td><td class="n">{4}</td><td class="n">{5}</td><td class="n">{6}</td><td class="n">{7}</td><td class="{8}">{9}</td></tr>"##,
            row.id,
            text(&row.title()),
            row.client(),
            row.server(),
            messages(Direction::ToServer),
            messages(Direction::ToClient),
            size(row.bytes()),
            row.duration().map_or(String::from("-"), duration),
            worst,
            text(&row.verdict().text),
        ));
        out.spill();
    }
    out.line("</table>");
}

/// Text for an element or a quoted attribute: controls and hidden characters written out, then what HTML would obey.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    push(&mut out, &escape::display_str(text));
    out
}

/// Appends text that has no controls but line feeds.
fn push(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

/// A number with a digit behind the point, for coordinates.
fn coordinate(out: &mut String, value: f64) {
    let _ = write!(out, "{value:.1}");
}
