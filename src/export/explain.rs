//! What a code means, for people: the rows of the tables of findings and of close codes.

use super::Out;
use super::style::{Ink, Style};
use crate::model::{CLOSE_CODES, CloseCode, CloseRow, NOTES, NoteCode, NoteRow};

/// A word of ours, or of the protocol, that can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// A finding.
    Finding(NoteCode),
    /// A close code; of a range, any.
    Close(CloseCode),
}

impl Term {
    /// All there are, in the order of their tables.
    pub fn all() -> impl Iterator<Item = Self> {
        let closes = CLOSE_CODES.iter().map(|row| Self::Close(CloseCode(*row.codes.start())));
        NOTES.iter().map(|row| Self::Finding(row.code)).chain(closes)
    }

    /// Writes the term in a line, as far as the terminal's width lets it be one.
    pub fn write_line(self, style: Style, out: &mut Out<'_>) {
        let width = NOTES.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let (name, word, ink, text) = match self {
            Self::Finding(code) => {
                let NoteRow { name, severity, text, .. } = code.row();
                (String::from(*name), severity.name(), Ink::from(*severity), String::from(*text))
            }
            Self::Close(code) => {
                let row = code.row();
                (row.to_string(), "close", Ink::Plain, format!("{}: {}", row.meaning, row.text))
            }
        };
        let begin = format!("{name:<width$}  {}  ", style.paint(ink, format!("{word:<7}")));
        style.hang(&begin, width + 11, Ink::Plain, &text, out);
    }

    /// Writes all that there is to say of the term.
    pub fn write(self, style: Style, out: &mut Out<'_>) {
        match self {
            Self::Finding(code) => finding(code.row(), style, out),
            Self::Close(code) => close(code, style, out),
        }
    }
}

fn finding(row: &NoteRow, style: Style, out: &mut Out<'_>) {
    let severity = style.paint(row.severity.into(), row.severity.name());
    let rfc = if row.rfc.is_empty() { String::new() } else { format!(" · {}", row.rfc) };
    out.line(&format!("{}  {severity}{rfc}", style.paint(Ink::Bold, row.name)));
    sentences(row.text, row.cause, row.next, style, out);
}

fn close(code: CloseCode, style: Style, out: &mut Out<'_>) {
    let row = code.row();
    let CloseRow { meaning, source, text, .. } = row;
    let range = if row.codes.start() == row.codes.end() { String::new() } else { format!(" ({row})") };
    out.line(&format!("{}  {meaning}{range} · {source}", style.paint(Ink::Bold, code)));
    sentences(text, row.cause(), row.next(), style, out);
    if let Some(finding) = row.finding() {
        out.line(&format!("  Finding: {finding}"));
    }
}

fn sentences(text: &str, cause: &str, next: &str, style: Style, out: &mut Out<'_>) {
    for sentence in [text, &format!("Likely cause: {cause}"), &format!("Next: {next}")] {
        style.hang("  ", 2, Ink::Plain, sentence, out);
    }
}
