//! Display filters.

use std::time::{Duration, Instant};
use wspect::book::{Book, Sift};
use wspect::filter::{Filter, quote};

/// What is wrong with a filter stands in it; any other can be asked, and no more passes with what it excludes as well.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A text in quotes is one, whatever is in it.
    let quoted = format!("payload contains {}", quote(text));
    assert!(text.len() > 1000 || Filter::new(&quoted).is_ok(), "{quoted}");
    match Filter::new(text) {
        Err(problem) => {
            assert!(problem.span.start <= problem.span.end && problem.span.start <= text.len(), "{problem:?}")
        }
        Ok(filter) => {
            let passed = passed(filter);
            if let Ok(narrower) = Filter::new(&format!("({text}) && len > 10")) {
                assert!(self::passed(narrower) <= passed);
            }
        }
    }
}

/// How many messages pass.
fn passed(filter: Filter) -> usize {
    thread_local! {
        static BOOK: Book = crate::capture::book(include_bytes!("../../samples/stomp.pcapng"));
    }
    BOOK.with(|book| {
        let mut sift = Sift::new(filter, None);
        sift.go_on(book, Instant::now() + Duration::from_secs(60));
        sift.passed()
    })
}
