//! Screens as a user sees them: an invented capture, a list of keys, a picture.

#[path = "support/story.rs"]
mod story;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::Duration;
use story::Story;
use wspect::tui::{App, ColorChoice, Loading, Options, Outcome, Progress, view};

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (40, 10), (250, 70)];

fn options() -> Options {
    Options { title: "cap.pcapng".into(), mouse: true, color: ColorChoice::Never, zone: TimeZone::UTC }
}

fn progress(story: &Story, read: u64) -> Progress {
    Progress {
        read,
        total: Some(412_000_000),
        packets: story.packets(),
        streams: 41,
        start: Some(story.started(0).time.unwrap()),
        end: Some(story.now()),
    }
}

/// The browser after the whole story was read.
fn browser(story: &Story, size: (u16, u16)) -> App {
    let mut app = App::new(options(), size);
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.take(Loading::Done(Outcome { progress: progress(story, 412_000_000), ..Outcome::default() }), Duration::ZERO);
    app.settle();
    app
}

/// Presses keys: characters, or names in brackets such as `<Enter>` and `<C-d>`.
fn press(app: &mut App, keys: &str) {
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
        while app.is_busy() {
            app.work();
            app.settle();
        }
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
        insta::assert_snapshot!(format!("{name}@{}x{}", size.0, size.1), picture(&app, size));
    }
}

#[test]
fn connections() {
    snapshot("connections", "");
}

#[test]
fn messages() {
    snapshot("messages", "<Enter>jjj");
}

#[test]
fn handshake() {
    snapshot("handshake", "3");
}

#[test]
fn bytes() {
    snapshot("bytes", "<Enter>jjj<Enter>jjjjjjj");
}

#[test]
fn findings() {
    snapshot("findings", "6j");
}
