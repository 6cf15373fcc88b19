//! Screens as a user sees them: an invented capture, a list of keys, a picture.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod columns;
mod decoded;
mod diff;
mod empty;
mod everywhere;
mod filter;
mod hostile;
mod http2;
mod keys;
mod ladder;
mod looks;
mod many;
mod marks;
mod packets;
mod pictures;
mod sessions;
mod spooled;
mod stats;
#[path = "../support/story.rs"]
mod story;
#[path = "../support/mod.rs"]
mod support;
mod tls;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::ops::ControlFlow;
use std::time::Duration;
use story::Story;
use wspect::book::Recorder;
use wspect::capture::Reader;
use wspect::dissect;
use wspect::model::Limits;
use wspect::tui::{App, ColorChoice, Loading, Options, Outcome, Progress, view};

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (40, 10), (250, 70)];
const WIDE: (u16, u16) = (120, 36);
const NARROW: (u16, u16) = (80, 24);
const SMALL: (u16, u16) = (40, 10);

fn options() -> Options {
    Options {
        title: "cap.pcapng".into(),
        color: ColorChoice::Never,
        zone: TimeZone::UTC,
        can_reread: true,
        ..Options::new("")
    }
}

fn progress(story: &Story, read: u64) -> Progress {
    Progress {
        read,
        total: Some(412_000_000),
        files: None,
        packets: story.packets(),
        streams: 41,
        start: Some(story.started(0).time.unwrap()),
        end: Some(story.now()),
    }
}

/// The browser after the whole story was read.
fn browser(story: &Story, size: (u16, u16)) -> App {
    browser_with(options(), story, size)
}

/// The same, begun in another way.
fn browser_with(options: Options, story: &Story, size: (u16, u16)) -> App {
    let mut app = App::new(options, size);
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.take(Loading::Done(Outcome { progress: progress(story, 412_000_000), ..Outcome::default() }), Duration::ZERO);
    app.settle();
    app
}

/// The browser after a capture was read.
fn browser_of(file: Vec<u8>, size: (u16, u16)) -> App {
    browser_so(options(), file, size)
}

/// The same with other options.
fn browser_so(options: Options, file: Vec<u8>, size: (u16, u16)) -> App {
    let mut app = App::new(options, size);
    let mut reader = Reader::new(Box::new(std::io::Cursor::new(file))).unwrap();
    let mut recorder = Recorder::new(|batch| {
        app.take(Loading::Batch(batch), Duration::ZERO);
        ControlFlow::Continue(())
    });
    let limits = Limits { wire_bytes: 1 << 20, ..Limits::DEFAULT };
    let _ = dissect::run(&mut reader, limits, &mut recorder, &mut |_| ControlFlow::Continue(()));
    let _ = recorder.flush();
    drop(recorder);
    app.take(Loading::Done(Outcome::default()), Duration::ZERO);
    app.settle();
    app
}

/// Presses keys: characters, or names in brackets such as `<Enter>` and `<C-d>`; waits for what they begin.
fn press(app: &mut App, keys: &str) {
    press_and(app, keys, work);
}

/// Does what there is to be done in the background.
fn work(app: &mut App) {
    for _ in 0..100_000 {
        if !app.is_busy() {
            return;
        }
        app.work();
        app.settle();
    }
    panic!("it goes on and on");
}

/// Presses keys, and does something after each.
fn press_and(app: &mut App, keys: &str, mut then: impl FnMut(&mut App)) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|inner| inner.split_once('>')).map(|(name, _)| name);
        rest = &rest[name.map_or(c.len_utf8(), |name| name.len() + 2)..];
        let (code, modifiers) = match name {
            Some("Enter") => (KeyCode::Enter, KeyModifiers::NONE),
            Some("Tab") => (KeyCode::Tab, KeyModifiers::NONE),
            Some("S-Tab") => (KeyCode::BackTab, KeyModifiers::SHIFT),
            Some("Esc") => (KeyCode::Esc, KeyModifiers::NONE),
            Some("A-←") => (KeyCode::Left, KeyModifiers::ALT),
            Some(other) => match other.strip_prefix("C-").and_then(|c| c.chars().next()) {
                Some(c) => (KeyCode::Char(c), KeyModifiers::CONTROL),
                None => panic!("no key {other}"),
            },
            None => (KeyCode::Char(c), KeyModifiers::NONE),
        };
        app.event(&Event::Key(KeyEvent::new(code, modifiers)));
        then(app);
    }
}

fn picture(app: &App, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(app, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut out = String::new();
    for y in 0..height {
        let mut x = 0;
        let mut line = String::new();
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap().max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A picture at every size after the keys.
fn snapshot(name: &str, keys: &str) {
    for size in SIZES {
        let mut app = browser(&story::everything(), size);
        press(&mut app, keys);
        shot(&format!("{name}@{}x{}", size.0, size.1), &picture(&app, size));
    }
}

/// Pictures at one size after keys.
fn check(name: &str, size: (u16, u16), keys: &str) {
    let mut app = browser(&story::everything(), size);
    press(&mut app, keys);
    shot(name, &picture(&app, size));
}

/// A story of one connection, open and without messages.
fn one_connection() -> (Story, usize) {
    let mut story = Story::new();
    let conn = story.open(Some("ws://one.example/"), story::endpoint(1, 5000), story::endpoint(2, 80), 0);
    story.upgrade(conn, 101, story::REQUEST, story::RESPONSE);
    (story, conn)
}

/// Compares a picture with the one that was accepted.
fn shot(name: &str, picture: &str) {
    insta::assert_snapshot!(name, picture);
}
