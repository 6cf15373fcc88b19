//! The rows of a report, which wait for their place in it.

use super::{push, text};
use crate::export::page::write_body;
use crate::export::spool::{OpenStore, Spool, kept};
use crate::export::transcript::{About, Markup, Row, Word, place};
use crate::export::{Out, PayloadOptions};
use crate::model::{ConnId, Direction, Handshake, Head, Message, StartLine};

/// A payload of more bytes is folded.
const FOLDED: usize = 600;

/// Where a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Thread {
    /// The list of findings.
    Findings,
    /// What concerns no connection.
    File,
    /// A connection.
    Connection(ConnId),
}

/// Rows by their places.
pub(in crate::export) struct Pages(Spool<Thread>);

impl Pages {
    pub(super) fn new(open: OpenStore) -> Self {
        Self(Spool::new(open))
    }

    fn push(&mut self, thread: Thread, html: &str, out: &mut Out<'_>) {
        // Whoever ends a row is told.
        let _ = kept(self.0.push(thread, html.as_bytes()), out);
    }

    /// Appends the rows of a place.
    pub(super) fn write(&mut self, thread: Thread, out: &mut Out<'_>) {
        let taken = self.0.take(thread, out);
        let _ = kept(taken, out);
    }

    /// Adds the heads of a handshake below its row.
    pub(super) fn heads(&mut self, conn: ConnId, handshake: &Handshake, out: &mut Out<'_>) {
        let heads = [&handshake.request, &handshake.response].into_iter().flatten().map(head).collect::<Vec<_>>();
        if !heads.is_empty() {
            let html = format!(
                "<div class=\"row\"><details><summary>request and answer</summary><pre>{}</pre></details></div>\n",
                heads.join("\n")
            );
            self.push(Thread::Connection(conn), &html, out);
        }
    }
}

fn head(head: &Head) -> String {
    let mut lines = match &head.start {
        StartLine::Request { method, target, version } => text(&format!("{method} {target} {version}")),
        StartLine::Response { version, status, reason } => text(&format!("{version} {status} {reason}")),
    };
    lines.push('\n');
    for (name, value) in &head.headers {
        lines.push_str(&text(&format!("{name}: {value}")));
        lines.push('\n');
    }
    lines
}

impl Markup for Pages {
    fn begin(&mut self, _: &mut Out<'_>) {}

    fn row(&mut self, row: &Row, body: Option<(&Message<'_>, PayloadOptions)>, out: &mut Out<'_>) {
        let mut html = String::from("<div class=\"row");
        for class in [row.dir.map(Direction::name), class(row.about)].into_iter().flatten() {
            html.push(' ');
            html.push_str(class);
        }
        html.push('"');
        let place = place(row);
        if let (About::Message(_), Some(conn), Some(msg)) = (row.about, row.conn, row.msg) {
            html.push_str(&format!(" id=\"m{conn}-{msg}\""));
        }
        html.push_str("><span class=\"at\">");
        push(&mut html, row.time.trim_end());
        html.push_str("  ");
        match (row.conn, row.msg) {
            (Some(conn), Some(msg)) => html.push_str(&format!("<a href=\"#m{conn}-{msg}\">{place}</a>")),
            (Some(conn), None) => html.push_str(&format!("<a href=\"#c{conn}\">{place}</a>")),
            (None, _) => html.push_str("file"),
        }
        html.push_str("</span>");
        if let Some(dir) = row.dir {
            html.push_str(&format!("<b>{}</b> ", dir.arrow()));
        }
        row.words.iter().for_each(|word| push_word(&mut html, word));
        if let Some((message, options)) = body {
            push_body(&mut html, message, options);
        }
        html.push_str("</div>\n");
        // A finding stands in the list of all, and where it was found.
        if matches!(row.about, About::Finding(_)) {
            self.push(Thread::Findings, &html, out);
        }
        self.push(row.conn.map_or(Thread::File, Thread::Connection), &html, out);
    }

    fn end(&mut self, _: &mut Out<'_>) {}
}

const fn class(about: About) -> Option<&'static str> {
    match about {
        About::Finding(severity) => Some(severity.name()),
        About::Message(opcode) if opcode.is_control() => Some("control"),
        _ => None,
    }
}

fn push_word(html: &mut String, word: &Word) {
    match word {
        Word::Ours(words) | Word::Mixed(words) => html.push_str(&text(words)),
        Word::Theirs(words) => {
            html.push_str("<code>");
            html.push_str(&text(words));
            html.push_str("</code>");
        }
    }
}

/// Appends a payload, folded when it is long.
fn push_body(html: &mut String, message: &Message<'_>, options: PayloadOptions) {
    let mut lines = Out::memory();
    write_body(message, options, "", &mut lines);
    let lines = lines.take();
    let shown = String::from_utf8_lossy(&lines);
    let is_folded = message.body.kept.len() > FOLDED;
    if is_folded {
        html.push_str("<details><summary>payload</summary>");
    }
    // A line feed behind the tag would be passed over.
    html.push_str("<pre>\n");
    push(html, &shown);
    html.push_str("</pre>");
    if is_folded {
        html.push_str("</details>");
    }
}
