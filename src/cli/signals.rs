//! SIGINT, SIGTERM and SIGHUP: the first ends the work, the second the program.

use std::sync::atomic::{AtomicU8, Ordering};

/// The signal that came first; 0 before.
static SIGNAL: AtomicU8 = AtomicU8::new(0);

/// Whether one came.
pub(super) fn came() -> bool {
    SIGNAL.load(Ordering::Relaxed) != 0
}

/// The one that came.
pub(super) fn number() -> Option<u8> {
    Some(SIGNAL.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// From now on signals are noted instead of obeyed.
#[cfg(unix)]
pub(super) fn catch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    // Where signals cannot be caught they end the program as ever.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let signal = u8::try_from(signal).unwrap_or(u8::MAX);
            if came() {
                std::process::exit(128_i32.saturating_add(signal.into()));
            }
            SIGNAL.store(signal, Ordering::Relaxed);
        }
    });
}

/// Elsewhere they are obeyed.
#[cfg(not(unix))]
pub(super) fn catch() {}
