//! How far reading has come, on stderr, for those who wait.

use super::args::When;
use super::exit::say;
use crate::dissect;
use crate::model::{duration, size};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

/// Before that, nobody wonders.
const PATIENCE: Duration = Duration::from_millis(500);

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells how far reading has come.
pub(super) struct Progress {
    mode: Mode,
    /// Bytes of the input, where known.
    len: Option<u64>,
    began: Instant,
    bar: OnceCell<ProgressBar>,
    said: Cell<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Bar,
    Lines,
}

impl Progress {
    /// Progress over `len` bytes; `is_quiet` when rows come to the same terminal and tell enough.
    pub(super) fn new(when: When, len: Option<u64>, is_quiet: bool) -> Self {
        let mode = match (when, io::stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => Mode::Off,
            (When::Auto, true) if is_quiet => Mode::Off,
            (When::Auto | When::Always, true) => Mode::Bar,
            (When::Always, false) => Mode::Lines,
        };
        Self { mode, len, began: Instant::now(), bar: OnceCell::new(), said: Cell::new(Duration::ZERO) }
    }

    /// Shows a step.
    pub(super) fn step(&self, at: dissect::Progress) {
        let elapsed = self.began.elapsed();
        match self.mode {
            Mode::Bar if elapsed >= PATIENCE => self.bar.get_or_init(|| bar(self.len, elapsed)).set_position(at.bytes),
            Mode::Lines if elapsed >= self.said.get() + PAUSE => {
                self.said.set(elapsed);
                let of = self.len.map_or(String::new(), |len| format!(" of {}", size(len)));
                say(format_args!("wspect: {}{of} read", size(at.bytes)));
            }
            _ => {}
        }
    }

    /// Whether it stands on the screen.
    pub(super) fn is_shown(&self) -> bool {
        self.bar.get().is_some_and(|bar| !bar.is_finished())
    }

    /// Prints a line to stderr beside the progress. It must be safe on a terminal.
    pub(super) fn say(&self, line: &str) {
        match self.bar.get() {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }

    /// Takes it off the screen.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }

    /// How long it has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

fn bar(len: Option<u64>, elapsed: Duration) -> ProgressBar {
    let (bar, template) = match len {
        Some(len) => (ProgressBar::new(len), "{wide_bar:.dim} {read} of {all}, {rate}, {left} left, ^C stop"),
        None => (ProgressBar::no_length(), "{read} read, {rate}, ^C stop"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => {
            let style = style.progress_chars("━━─");
            // Amounts read as everywhere else.
            let style = with(style, "read", |state| size(state.pos()));
            let style = with(style, "all", |state| size(state.len().unwrap_or(0)));
            let style = with(style, "rate", |state| format!("{}/s", size(rate(state) as u64)));
            let style = with(style, "left", |state| {
                let left = state.len().unwrap_or(0).saturating_sub(state.pos()) as f64;
                duration((left / rate(state) * 1e9) as i64)
            });
            bar.with_style(style).with_elapsed(elapsed)
        }
        Err(_) => bar,
    }
}

/// Bytes a second since the start, at least one.
fn rate(state: &ProgressState) -> f64 {
    (state.pos() as f64 / state.elapsed().as_secs_f64()).max(1.0)
}

fn with(style: ProgressStyle, key: &'static str, words: fn(&ProgressState) -> String) -> ProgressStyle {
    style.with_key(key, move |state: &ProgressState, out: &mut dyn fmt::Write| {
        let _ = out.write_str(&words(state));
    })
}
