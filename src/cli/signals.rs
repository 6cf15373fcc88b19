//! SIGINT, SIGTERM and SIGHUP: the first ends the work, the second the program. While a pager has the screen, ^C is for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Sent to who writes where nobody reads, and ignored by us.
pub(super) const SIGPIPE: u8 = 13;

/// Whether the work is to end, and why; and whose the screen is, since that decides whom a ^C is for. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    wanted: Arc<AtomicBool>,
    /// The signal that came first; 0 before.
    signal: Arc<AtomicU8>,
    /// Rows go to standard output.
    writes_stdout: bool,
    /// Whose the screen is: one of the states below.
    screen: Arc<AtomicU8>,
}

/// Nobody's: rows are written to it.
const FREE: u8 = 0;
/// Progress stands in a line of it.
const PROGRESS: u8 = 1;
/// A pager's, which shows what comes. ^C goes to it as well, so that a second one, meant for it, must not end us.
const PAGER: u8 = 2;
/// A pager's that has all there is: ^C is its own.
const PAGER_ALONE: u8 = 3;

impl Stop {
    /// Signals set it from now on, instead of ending the program; so does a standard output that nobody reads, if rows go there.
    pub(super) fn on_signals(writes_stdout: bool) -> Self {
        let stop = Self { writes_stdout, ..Self::default() };
        stop.catch();
        stop
    }

    /// What others set to end the work.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.wanted)
    }

    /// Whether the work is to end.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// The same, asked by who waits for input: also when nobody reads standard output any more, of which SIGPIPE would
    /// tell only with the next row.
    pub(super) fn ends_waiting(&self) -> bool {
        if self.writes_stdout && is_unread() {
            self.set(SIGPIPE);
        }
        self.is_wanted()
    }

    /// Progress stands on the screen from now on.
    pub(super) fn shows_progress(&self) {
        let _ = self.screen.compare_exchange(FREE, PROGRESS, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A pager shows rows from now on; true where progress stands in its way.
    pub(super) fn lends_screen(&self) -> bool {
        self.screen.swap(PAGER, Ordering::Relaxed) == PROGRESS
    }

    /// Whether the screen is a pager's.
    pub(super) fn has_lent_screen(&self) -> bool {
        self.screen.load(Ordering::Relaxed) >= PAGER
    }

    /// The pager has all rows, and its user looks at them. When it has ended little is left to do, and a ^C that is still on
    /// its way was meant for it.
    pub(super) fn waits_for_pager(&self) {
        self.screen.store(PAGER_ALONE, Ordering::Relaxed);
    }

    fn set(&self, signal: u8) {
        self.signal.store(signal, Ordering::Relaxed);
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// The signal that ended it.
    pub(super) fn signal(&self) -> Option<u8> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
    }

    #[cfg(unix)]
    fn catch(&self) {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
        use signal_hook::iterator::Signals;
        // A file that grows beyond what it may have is told by who writes it.
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
        // Where signals cannot be caught they end the program as ever.
        let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
        let stop = self.clone();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let is_interrupt = signal == SIGINT;
                let signal = u8::try_from(signal).unwrap_or(u8::MAX);
                match stop.screen.load(Ordering::Relaxed) {
                    PAGER_ALONE if is_interrupt => {}
                    PAGER if is_interrupt => stop.set(signal),
                    FREE | PROGRESS | PAGER if !stop.is_wanted() => stop.set(signal),
                    _ => std::process::exit(128_i32.saturating_add(signal.into())),
                }
            }
        });
    }

    #[cfg(not(unix))]
    fn catch(&self) {}
}

#[cfg(unix)]
fn is_unread() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = std::io::stdout();
    let mut ends = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut ends, Some(&now)).is_ok()
        && ends.iter().any(|end| end.revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

#[cfg(not(unix))]
fn is_unread() -> bool {
    false
}
