//! One message on a page of its own: what it is, then its payload in full.

use super::json;
use super::payload::{self, Look, PayloadMode, PayloadOptions};
use super::state;
use super::style::{Ink, Style};
use super::time::Clock;
use super::{Form, Out, pretty, table};
use crate::decode;
use crate::escape;
use crate::model::{Decoded, Fact, Facts, FileRun, FileRuns, Message, Opcode, Span, Stamp, count, duration, number};

/// Writes messages in full: JSON indented, text as it is, everything else as a hex dump.
#[derive(Debug)]
pub struct Page {
    clock: Clock,
    payload: PayloadOptions,
    style: Style,
    files: FileRuns,
    facts: Facts,
    is_begun: bool,
}

impl Page {
    /// Pages with times of this clock and payloads shown so.
    pub fn new(clock: Clock, payload: PayloadOptions, style: Style) -> Self {
        Self { clock, payload, style, files: FileRuns::default(), facts: Facts::default(), is_begun: false }
    }

    fn title(&mut self, at: &Stamp, message: &Message<'_>) -> String {
        let place = at.conn.map_or(String::new(), |conn| format!("{conn}:{}", message.number));
        let mut time = String::new();
        self.clock.write(at.at.time, &mut time);
        let arrow = self.style.paint(message.dir.into(), message.dir.arrow());
        let kind = table::kind(message);
        format!(
            "{}  {arrow} {} {kind}, {}",
            self.style.paint(Ink::Bold, place),
            time.trim_start(),
            count(message.body.len, "byte")
        )
    }
}

impl Form for Page {
    fn file(&mut self, run: &FileRun) {
        self.files.push(run.clone());
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        if let Fact::Comment(Some(_), _) = fact {
            self.facts.add(file, fact);
        }
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) {
        if self.is_begun {
            out.text("\n");
        }
        self.is_begun = true;
        let title = self.title(at, message);
        let (first, last) = (message.span.first.packet, at.at.packet);
        let place = self.files.place(last);
        let packets = if first == last { format!("frame {place}") } else { format!("frames {first} to {place}") };
        let parts = if message.frames == 1 { String::new() } else { format!(" in {} parts", number(message.frames)) };
        out.line(&format!("{title}{parts}  {}", self.style.paint(Ink::Dim, escape::display_str(&packets))));
        write_comments(&self.facts, Span { first: message.span.first, last: at.at }, "", self.style, out);
        for (ink, text) in table::faults(message) {
            out.line(&self.style.paint(ink, text).to_string());
        }
        if let Some(rtt) = message.rtt {
            out.line(&format!("answers a ping after {}", duration(rtt)));
        }
        if let Some(wait) = message.waited {
            out.line(&wait.to_string());
        }
        if message.opcode == Opcode::CLOSE {
            out.line(&payload::close_words(message));
        }
        write_body(message, self.payload, "", out);
        if let Some(state) = message.state {
            state::write_lines(state, out);
        }
    }
}

/// Appends what was written in the capture beside the first and the last packet.
pub(super) fn write_comments(facts: &Facts, span: Span, margin: &str, style: Style, out: &mut Out<'_>) {
    for text in span.ends().filter_map(|packet| facts.comments.get(&packet)).flatten() {
        style.hang(&format!("{margin}comment: "), margin.len() + 9, Ink::Plain, &escape::display_str(text), out);
    }
}

/// Appends a payload over as many lines as it needs, each behind `margin`.
pub(super) fn write_body(message: &Message<'_>, options: PayloadOptions, margin: &str, out: &mut Out<'_>) {
    if let Some(decoded) = payload::decoded(message, options) {
        return write_decoded(decoded, margin, out);
    }
    let (bytes, is_cut) = options.shown(message);
    let look = payload::look(message, options.mode);
    match look {
        Look::Nothing => return,
        _ if bytes.is_empty() => {}
        Look::Hex => payload::write_dump(&bytes, margin, out),
        Look::Base64 => {
            out.text(margin);
            json::base64(out, &bytes);
            out.text("\n");
        }
        Look::Text => match std::str::from_utf8(&bytes) {
            Ok(text) if options.mode == PayloadMode::Auto && message.is_text() && !is_cut && pretty::is_json(text) => {
                pretty::write(text, margin, out);
            }
            _ => write_lines(&bytes, margin, out),
        },
    }
    if is_cut {
        out.line(&format!("{margin}…"));
    }
}

/// Appends what a message says: its protocol and summary, and each tree below.
fn write_decoded(decoded: &Decoded<'_>, margin: &str, out: &mut Out<'_>) {
    let answers = payload::answers(decoded).map_or_else(String::new, |answers| format!(", {answers}"));
    out.line(&format!("{margin}{}{answers}", decoded.protocol));
    for unit in &decoded.units {
        let mut json = Vec::new();
        decode::write_node(&unit.tree, &mut json);
        pretty::write(&String::from_utf8_lossy(&json), margin, out);
    }
}

/// Appends text with its own lines, each made safe.
fn write_lines(bytes: &[u8], margin: &str, out: &mut Out<'_>) {
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        out.text(margin);
        out.line(&escape::display(line));
        out.spill();
    }
}
