//! The whole way of a capture.

use std::cell::RefCell;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};
use wspect::book::{Book, Recorder, Sift};
use wspect::capture::Reader;
use wspect::decode::path::is_json;
use wspect::dissect;
use wspect::export::{Decoding, Exporter, Kinds, Out, PayloadOptions, Records, Stream};
use wspect::filter::Filter;
use wspect::model::{Event, Fact, FileRun, Limits, Sink, Stamp};

/// Bytes that may wait in all streams.
const MEMORY: usize = 4 << 20;

/// What is written is JSON, line by line; what is indexed can be asked; a second reading says the same as the first.
pub fn check(bytes: &[u8]) {
    let records = records(bytes);
    assert!(records.split(|byte| *byte == b'\n').all(|line| line.is_empty() || is_json(line)));
    let book = book(bytes);
    let mut sift = Sift::new(Filter::new("event == a || len > 3 || json.a == 1").unwrap(), None);
    sift.go_on(&book, Instant::now() + Duration::from_secs(60));
    assert!(sift.passed() <= book.messages());
    assert_eq!(records, self::records(bytes));
}

fn limits() -> Limits {
    Limits::DEFAULT.within(MEMORY)
}

/// All records, with what messages say.
fn records(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut reader) = Reader::new(Box::new(Cursor::new(bytes.to_vec()))) else { return Vec::new() };
    let all = Kinds { connection: true, handshake: true, message: true, frame: true, finding: true };
    let written = Written::default();
    let mut stream =
        Stream::new(all, Box::new(Records::new(PayloadOptions { decoded: true, ..PayloadOptions::default() })));
    let mut exporter = Decoding::new(true, &[], limits(), &mut stream);
    let mut rows = Rows { exporter: &mut exporter, out: Out::new(Box::new(written.clone()), None) };
    dissect::run(&mut reader, limits(), &mut rows, &mut |_| ControlFlow::Continue(()));
    let _ = rows.out.finish();
    written.0.take()
}

/// What is written.
#[derive(Clone, Default)]
struct Written(Rc<RefCell<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Rows<'e> {
    exporter: &'e mut dyn Exporter,
    out: Out<'static>,
}

impl Sink for Rows<'_> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        self.exporter.event(at, event, &mut self.out)
    }

    fn file(&mut self, run: &FileRun) {
        self.exporter.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.exporter.fact(file, fact);
    }
}

/// The index of a capture.
pub(crate) fn book(bytes: &[u8]) -> Book {
    let mut book = Book::default();
    let Ok(mut reader) = Reader::new(Box::new(Cursor::new(bytes.to_vec()))) else { return book };
    let mut recorder = Recorder::new(|batch| {
        book.absorb(batch);
        ControlFlow::Continue(())
    });
    dissect::run(&mut reader, limits(), &mut recorder, &mut |_| ControlFlow::Continue(()));
    let _ = recorder.flush();
    drop(recorder);
    book
}
