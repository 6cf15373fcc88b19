//! Each message a file, and an index of them.

use super::payload::{PayloadMode, PayloadOptions};
use super::{Exporter, Form as _, Out, Records, Totals, json, pretty};
use crate::model::{Event, FileRun, Message, Stamp};
use std::io::{self, Write};
use std::ops::ControlFlow;

/// Takes files by their names below some directory.
pub trait Folder {
    /// Makes a file. Its name has ASCII letters, digits, dots and hyphens, and at most one `/`.
    ///
    /// # Errors
    /// When it cannot be made, or is there.
    fn put(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.create(name)?.write_all(bytes)
    }

    /// Makes a file to write on.
    ///
    /// # Errors
    /// As [`Folder::put`].
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + Send>>;
}

/// Writes the payloads of data messages into files, and a record for each message.
pub struct Files {
    folder: Box<dyn Folder>,
    /// Records of messages whose payload is in a file.
    with_file: Records,
    /// Records of those that have none: control frames.
    alone: Records,
}

impl Files {
    /// Files go to `folder`, records to where rows go.
    pub fn new(folder: Box<dyn Folder>) -> Self {
        let named = PayloadOptions { mode: PayloadMode::None, ..PayloadOptions::default() };
        Self { folder, with_file: Records::new(named), alone: Records::default() }
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let name = (!message.opcode.is_control()).then(|| name(at, message));
        if let Some(Err(error)) = name.as_ref().map(|name| self.folder.put(name, message.body.kept)) {
            out.fail(error);
            return ControlFlow::Break(());
        }
        let form = if name.is_some() { &mut self.with_file } else { &mut self.alone };
        form.message(at, message, out);
        // The record is whole: its last brace gives way to one key more.
        let row = out.bytes();
        row.truncate(row.len().saturating_sub(2));
        row.extend_from_slice(br#","file":"#);
        json::opt_string(row, name.as_deref());
        row.extend_from_slice(b"}\n");
        out.end_row()
    }
}

impl Exporter for Files {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        match event {
            Event::Message(message) => self.message(at, message, out),
            _ => ControlFlow::Continue(()),
        }
    }

    fn file(&mut self, run: &FileRun) {
        self.with_file.file(run);
        self.alone.file(run);
    }

    fn hears_payloads(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &Totals, _: &mut Out<'_>) {}
}

/// `conn1/000123.c2s.text.json`: nothing in it is as somebody sent it.
fn name(at: &Stamp, message: &Message<'_>) -> String {
    let conn = at.conn.map_or(0, |conn| conn.0);
    let (dir, kind) = (message.dir.name(), message.opcode.name());
    format!("conn{conn}/{:06}.{dir}.{kind}.{}", message.number, extension(message.body.kept))
}

/// Formats by their first bytes, at an offset: those that are common in messages, and that nothing runs when it is opened.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"\xff\xd8\xff", "jpg"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (0, b"%PDF-", "pdf"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"\x1f\x8b\x08", "gz"),
    (0, b"\x28\xb5\x2f\xfd", "zst"),
    (0, b"\0asm", "wasm"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (4, b"ftyp", "mp4"),
];

/// What the bytes are, by themselves: a text message may carry a picture, a binary one JSON.
fn extension(bytes: &[u8]) -> &'static str {
    let found = MAGIC.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    if let Some((.., extension)) = found {
        return extension;
    }
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) if pretty::is_json(text) => "json",
        // HTML and SVG as well: a browser would obey them.
        Ok(text) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_by_content() {
        let all: Vec<_> = [
            &b"{\"a\":1}"[..],
            b" [1,2]\n",
            b"{\"a\":1",
            b"hello\n",
            b"",
            b"<html><script>",
            b"a\0b",
            b"caf\xe9",
            b"\x89PNG\r\n\x1a\n...",
            b"\x89PNG",
            b"GIF89a.",
            b"\xff\xd8\xff\xe0",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"\x1f\x8b\x08\0",
            b"RIFF....WEBPVP8 ",
            b"\0\0\0\x18ftypmp42",
        ]
        .into_iter()
        .map(extension)
        .collect();
        assert_eq!(
            all,
            [
                "json", "json", "txt", "txt", "txt", "txt", "bin", "bin", "png", "bin", "gif", "jpg", "pdf", "zip",
                "gz", "webp", "mp4"
            ]
        );
    }
}
