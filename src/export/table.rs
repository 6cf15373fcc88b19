//! Aligned rows for people.

use super::capture::{self, About};
use super::payload::{self, PayloadMode, PayloadOptions};
use super::sessions::{self, Session};
use super::stats::Figures;
use super::style::{Ink, Style};
use super::time::Clock;
use super::types::{self, Type};
use super::{Evidence, Form, Out, Standing, figures, head, keys, ls};
use crate::escape;
use crate::model::{
    Connection, Fact, Facts, FileRun, FileRuns, Frame, Handshake, Message, NOTES, Note, NoteCode, NoteRow, NoteSet,
    Opcode, PacketNo, Secrets, Severity, Stamp, TlsOutline, TlsSession, clause, duration, number,
};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns of a frame's row beside its time: all of it, and what of it a narrow terminal gets.
const FRAME: usize = 84;
const NARROW_FRAME: usize = 56;

/// Columns that a sentence wants beside what it is about; where there are fewer it stands below.
const SENTENCE: usize = 40;

/// Writes text rows, every one of them safe on a terminal.
#[derive(Debug)]
pub struct Table {
    clock: Clock,
    payload: PayloadOptions,
    style: Style,
    files: FileRuns,
    facts: Facts,
    /// Columns of `1:2145`: as many as the longest so far.
    place_width: usize,
    /// The packet of the last frame, and how many frames ended in it.
    frames_in: (PacketNo, u32),
    /// Columns that the names of captures take behind the packets of frames.
    file_width: usize,
    is_begun: bool,
    /// Findings are followed by their rule, likely cause and next step.
    explains: bool,
}

impl Table {
    /// Rows with times of this clock and payloads shown so.
    pub fn new(clock: Clock, payload: PayloadOptions, style: Style) -> Self {
        let (files, facts, frames_in) = (FileRuns::default(), Facts::default(), (PacketNo(0), 0));
        Self {
            clock,
            payload,
            style,
            files,
            facts,
            place_width: 6,
            frames_in,
            file_width: 0,
            is_begun: false,
            explains: false,
        }
    }

    /// Below each finding stand the rule that it is about, its likely cause and what to try.
    #[must_use]
    pub fn explaining(self, explains: bool) -> Self {
        Self { explains, ..self }
    }

    /// True when nothing was written before.
    fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.is_begun, true)
    }

    /// `1:2145`, aligned right.
    fn place(&mut self, at: &Stamp, msg: Option<u64>) -> String {
        let place = format!("{}:{}", or_dash(at.conn), or_dash(msg));
        self.place_width = self.place_width.max(place.len());
        format!("{place:>0$}", self.place_width)
    }
}

impl Table {
    /// A message's row up to its payload, and how many columns that takes.
    fn before_payload(&mut self, at: &Stamp, message: &Message<'_>) -> (String, usize) {
        let mut line = self.place(at, Some(message.number)) + "  ";
        self.clock.write(at.at.time, &mut line);
        let kind = format!("{:<8}", kind(message));
        let len = format!("{:>7}", number(message.body.len));
        let mut used = line.width() + kind.len() + len.len() + 9;
        let arrow = self.style.paint(message.dir.into(), message.dir.arrow());
        let _ = write!(line, "  {arrow}  {}  {len}  ", self.style.paint(ink(message.opcode), kind));
        for (ink, text) in faults(message) {
            used += text.width() + 1;
            let _ = write!(line, "{} ", self.style.paint(ink, text));
        }
        (line, used)
    }
}

impl Form for Table {
    fn file(&mut self, run: &FileRun) {
        self.files.push(run.clone());
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        if let Fact::Comment(Some(_), _) = fact {
            self.facts.add(file, fact);
        }
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) {
        let (line, used) = self.before_payload(at, message);
        let columns = self.style.columns.map(|columns| columns.saturating_sub(used));
        let mut rtt = message.rtt.map_or(String::new(), |rtt| format!("  rtt {}", duration(rtt)));
        if let Some(answers) = payload::decoded(message, self.payload).and_then(payload::answers) {
            let _ = write!(rtt, "  {answers}");
        }
        if message.opcode == Opcode::CLOSE && self.payload.mode == PayloadMode::Auto {
            let words = payload::close_words(message);
            let words = columns.map_or(words.as_str().into(), |columns| payload::fit(&words, columns, false));
            out.line(&format!("{line}{}", self.style.paint(Ink::Bold, words)));
        } else if rtt.is_empty()
            && (message.body.kept.is_empty() || self.payload.mode == PayloadMode::None && !self.payload.decoded)
        {
            out.line(line.trim_end());
        } else {
            out.text(&line);
            let columns = columns.map(|columns| columns.saturating_sub(rtt.width()));
            payload::write_line(message, self.payload, columns, out);
            out.line(&rtt);
        }
    }

    fn frame(&mut self, at: &Stamp, frame: &Frame, out: &mut Out<'_>) {
        let (time, packet) = (self.clock.width(), at.at.packet);
        // Of several captures it says which, with as much room as any took so far.
        let place = self.files.find(packet).map_or_else(String::new, |place| format!(" ({place})"));
        let place = escape::display_str(&place);
        self.file_width = self.file_width.max(place.width());
        let width = self.file_width;
        // Where there is little room, the head's length, the mask and the place in the stream are left out.
        let is_narrow = self.style.columns.is_some_and(|columns| columns < time + width + FRAME);
        if self.begins() {
            let (message, opcode, bytes) = ("message", "opcode", "bytes");
            let begin = format!(
                "  packet{:width$}  {:>time$}  {message:>7}  →  fin  rsv  {opcode:<12}  {bytes:>8}",
                "", "time"
            );
            let header = if is_narrow { begin } else { format!("{begin}  head  mask          offset") };
            out.heading(&self.style.paint(Ink::Dim, header).to_string());
        }
        let place_in_packet = if self.frames_in.0 == packet { self.frames_in.1 + 1 } else { 1 };
        self.frames_in = (packet, place_in_packet);
        let pad = width.saturating_sub(place.width());
        let mut line = format!("{:>8}{place}{:pad$}  ", format!("{packet}.{place_in_packet}"), "");
        self.clock.write(at.at.time, &mut line);
        let _ = write!(
            line,
            "  {:>7}  {}  {}  {:03b}  {:<12}  {:>8}",
            format!("{}:{}", or_dash(at.conn), or_dash(frame.msg)),
            self.style.paint(frame.dir.into(), frame.dir.arrow()),
            if frame.fin { "fin" } else { "  -" },
            frame.rsv,
            frame.opcode.name(),
            number(frame.len),
        );
        if !is_narrow {
            let mask = frame.mask.map_or(String::from("-"), |mask| format!("{:08x}", u32::from_be_bytes(mask)));
            let _ = write!(line, "  {:>4}  {mask:<8}  {:>10}", frame.header_len, frame.stream_offset);
        }
        let used = time + width + if is_narrow { NARROW_FRAME } else { FRAME };
        let mut room = self.style.columns.map_or(usize::MAX, |columns| columns.saturating_sub(used));
        let lack = (!frame.complete).then(|| (Ink::Warning, String::from("⋯ incomplete")));
        for (ink, text) in lack.into_iter().chain(codes(frame.findings)) {
            let text = payload::fit(&text, room.saturating_sub(2), false);
            room = room.saturating_sub(text.width() + 2);
            if !text.is_empty() {
                let _ = write!(line, "  {}", self.style.paint(ink, text));
            }
        }
        out.line(line.trim_end());
    }

    fn finding(&mut self, at: &Stamp, note: &Note<'_>, out: &mut Out<'_>) {
        let longest = NOTES.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let severity = note.code.severity();
        let place = at.place().unwrap_or_else(|| String::from("file"));
        let word = self.style.paint(severity.into(), format!("{:<5}", severity.word()));
        let frame = match note.shown_by(at) {
            PacketNo(0) => String::new(),
            packet => format!("frame {}", escape::display_str(&self.files.place(packet))),
        };
        let sentence = clause(note.sentence());
        let sentence = escape::display_str(&sentence);
        let detail = note.detail.map_or(String::new(), |detail| format!(" ({})", escape::display_str(detail)));
        let begin = format!("{word} {:<longest$}  {place:<8}  {frame:<12}", note.code);
        let (used, sentence) = (5 + 1 + longest + 2 + 8 + 2 + frame.width().max(12) + 2, format!("{sentence}{detail}"));
        if self.style.columns.is_some_and(|columns| columns < used + SENTENCE) {
            out.line(begin.trim_end());
            self.style.hang("      ", 6, Ink::Plain, &sentence, out);
        } else {
            self.style.hang(&format!("{begin}  "), used, Ink::Plain, &sentence, out);
        }
        if self.explains {
            let NoteRow { rfc, cause, next, .. } = note.code.row();
            let rule = if rfc.is_empty() { String::new() } else { format!("{rfc} · ") };
            self.style.hang("      ", 6, Ink::Dim, &format!("{rule}{cause} {next}"), out);
        }
    }

    fn standing(&mut self, standing: &Standing<'_>, out: &mut Out<'_>) {
        let (word, ink) = if standing.holds { ("PASS", Ink::Good) } else { ("FAIL", Ink::Error) };
        let places = standing.evidence.iter().map(|Evidence { place, packet }| {
            let frame = format!("frame {}", self.files.place(*packet));
            place.as_ref().map_or_else(|| frame.clone(), |place| format!("{place} {frame}"))
        });
        let places = places.collect::<Vec<_>>().join(", ");
        let places = if places.is_empty() { places } else { format!(" ({places})") };
        let text = format!("{}: {}{places}", standing.claim, standing.text);
        let begin = format!("{}  ", self.style.paint(ink, word));
        self.style.hang(&begin, 6, Ink::Plain, &escape::display_str(&text), out);
    }

    fn handshake(&mut self, at: &Stamp, handshake: &Handshake, tls: Option<&TlsOutline>, out: &mut Out<'_>) {
        if !self.begins() {
            out.text("\n");
        }
        head::write(at, handshake, tls, (&self.files, &self.facts), &mut self.clock, self.style, out);
    }

    fn connections(&mut self, rows: &[Connection], out: &mut Out<'_>) {
        ls::write(rows, &mut self.clock, self.style, out);
    }

    fn tls_sessions(&mut self, rows: &[(Stamp, TlsSession)], secrets: &Secrets, out: &mut Out<'_>) {
        keys::write(rows, secrets, self.style, out);
    }

    fn capture(&mut self, about: &About, out: &mut Out<'_>) {
        capture::write_text(about, &mut self.clock, self.style, out);
    }

    fn sessions(&mut self, rows: &[Session], out: &mut Out<'_>) {
        if !rows.is_empty() {
            sessions::write_text(rows, &mut self.clock, self.style, out);
        }
    }

    fn types(&mut self, rows: &[Type], of: u64, out: &mut Out<'_>) {
        if !rows.is_empty() {
            types::write_text(rows, of, &mut self.clock, self.style, out);
        }
    }

    fn stats(&mut self, figures: &Figures, out: &mut Out<'_>) {
        figures::write(figures, &mut self.clock, self.style, out);
    }
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or(String::from("-"), |value| value.to_string())
}

/// What a message is, in one word and perhaps a letter: `text`, `text z`.
pub(super) fn kind(message: &Message<'_>) -> String {
    let z = if message.compressed { " z" } else { "" };
    format!("{}{z}", message.opcode.name())
}

/// The ink of a kind of message.
pub(super) const fn ink(opcode: Opcode) -> Ink {
    match opcode {
        Opcode::CLOSE => Ink::Bold,
        _ if opcode.is_control() => Ink::Dim,
        _ => Ink::Plain,
    }
}

/// What is wrong with a message: what it lacks, and its findings.
pub(super) fn faults(message: &Message<'_>) -> Vec<(Ink, String)> {
    // A message that nobody can inflate is never complete: its finding says so.
    let is_lacking = !message.complete && (!message.undecoded || !message.body.holes.is_empty());
    let lack = match message.body.missing() {
        _ if !is_lacking => None,
        0 if message.inferred && message.body.holes.is_empty() => Some(String::from("⋯ inferred")),
        _ if message.opcode == Opcode::CONTINUATION => Some(String::from("⋯ no beginning")),
        0 => Some(String::from("⋯ incomplete")),
        unknown if message.findings.contains(NoteCode::DeflateLost) => {
            let more = if message.inferred { ", more is inferred" } else { "" };
            Some(format!("⋯ {} B unknown{more}", number(unknown)))
        }
        lost => Some(format!("⋯ {} B lost", number(lost))),
    };
    lack.map(|text| (Ink::Warning, text)).into_iter().chain(codes(message.findings)).collect()
}

/// The first of the worst findings, unless they are mere notes: `[UTF8-BAD]`, `[WS-RSV +2]` when there are two more.
fn codes(findings: NoteSet) -> Option<(Ink, String)> {
    let worst = findings.severity().filter(|&worst| worst > Severity::Note)?;
    let code = findings.iter().find(|code| code.severity() == worst)?;
    let more = findings.iter().count() - 1;
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    Some((worst.into(), format!("[{code}{more}]")))
}
