//! The document as plain text, safe on a terminal.

use super::{About, Markup, Row, Word, place};
use crate::escape;
use crate::export::page::write_body;
use crate::export::{Out, PayloadOptions};
use crate::model::Message;
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr as _;

/// Aligned lines, payloads below theirs.
#[derive(Debug, Default)]
pub struct Plain {
    /// Columns of `1:2145`: as many as the longest so far.
    place_width: usize,
}

impl Markup for Plain {
    fn begin(&mut self, _: &mut Out<'_>) {}

    fn row(&mut self, row: &Row, body: Option<(&Message<'_>, PayloadOptions)>, out: &mut Out<'_>) {
        let place = place(row);
        self.place_width = self.place_width.max(place.len()).max(6);
        let sign = match (row.about, row.dir) {
            (About::Finding(severity), _) => severity.sign(),
            (About::Opened, _) => "┌",
            (About::Closed, _) => "└",
            (_, dir) => dir.map_or(" ", crate::model::Direction::arrow),
        };
        let begin = format!("{}  {place:<1$}  {sign}  ", row.time, self.place_width);
        let words: String = row.words.iter().map(shown).collect();
        out.line(format!("{begin}{words}").trim_end());
        if let Some((message, options)) = body {
            write_body(message, options, &" ".repeat(begin.width()), out);
        }
    }

    fn end(&mut self, _: &mut Out<'_>) {}
}

fn shown(word: &Word) -> Cow<'_, str> {
    match word {
        Word::Ours(text) => Cow::Borrowed(text),
        Word::Theirs(text) | Word::Mixed(text) => escape::display_str(text),
    }
}
