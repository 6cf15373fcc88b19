//! How far reading has come, on stderr, for those who wait.

use super::args::When;
use super::exit::say;
use crate::dissect;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use std::cell::{Cell, OnceCell};
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
            Mode::Bar if elapsed >= PATIENCE => self.bar.get_or_init(|| bar(self.len)).set_position(at.bytes),
            Mode::Lines if elapsed >= self.said.get() + PAUSE => {
                self.said.set(elapsed);
                let of = self.len.map_or(String::new(), |len| format!(" of {}", HumanBytes(len)));
                say(format_args!("wspect: {}{of} read", HumanBytes(at.bytes)));
            }
            _ => {}
        }
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

fn bar(len: Option<u64>) -> ProgressBar {
    let (bar, template) = match len {
        Some(len) => {
            (ProgressBar::new(len), "{wide_bar:.dim} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, ^C stop")
        }
        None => (ProgressBar::no_length(), "{bytes} read, {bytes_per_sec}, ^C stop"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("━━─")),
        Err(_) => bar,
    }
}
