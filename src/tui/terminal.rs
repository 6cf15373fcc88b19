//! The terminal: taken, given back whatever happens, and drawn on.

use super::app::{App, Effect, Options};
use super::view::view;
use super::{Loading, clipboard};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::io::{self, Stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// New data is drawn at most so often; a key is drawn at once.
const FRAME: Duration = Duration::from_millis(33);

/// New data is taken in for so long before keys are looked at again.
const SLICE: Duration = Duration::from_millis(12);

/// How long to wait for a key: while data comes in, and when nothing is going on.
const SHORT_WAIT: Duration = Duration::from_millis(4);
const LONG_WAIT: Duration = Duration::from_millis(100);

/// The first picture waits so long for the end of a short capture.
const FIRST_PICTURE: Duration = Duration::from_millis(60);

/// Shows the browser until the user leaves it.
///
/// `loading` brings what the reader has to tell; `stop` becomes true when it need not go on.
/// The terminal is as it was when this returns, when it panics, and when a signal ends the process.
pub fn run(options: Options, loading: Receiver<Loading>, stop: Arc<AtomicBool>) -> io::Result<()> {
    let signals = Signals::install()?;
    let mut screen = Screen::take(options.mouse)?;
    let size = screen.terminal.size()?;
    let app = App::new(options, (size.width, size.height));
    let outcome = Browser { app, loading: Some(loading), stop: stop.clone(), signals, started: Instant::now() }
        .browse(&mut screen);
    stop.store(true, Ordering::Relaxed);
    drop(screen);
    match outcome? {
        End::Left => Ok(()),
        End::Signal(signal) => Signals::die_of(signal),
    }
}

/// Why the browser ended.
enum End {
    Left,
    Signal(i32),
}

struct Browser {
    app: App,
    /// `None` after the reader's last word.
    loading: Option<Receiver<Loading>>,
    stop: Arc<AtomicBool>,
    signals: Signals,
    started: Instant,
}

impl Browser {
    fn browse(mut self, screen: &mut Screen) -> io::Result<End> {
        let mut drawn: Option<Instant> = None;
        let (mut keys, mut data) = (false, true);
        loop {
            if let Some(signal) = self.signals.ending() {
                return Ok(End::Signal(signal));
            }
            if self.signals.continued() {
                screen.retake(self.app.mouse)?;
                keys = true;
            }
            let due = match drawn {
                Some(drawn) => keys || data && drawn.elapsed() >= FRAME,
                None => self.loading.is_none() || self.started.elapsed() >= FIRST_PICTURE,
            };
            if due {
                screen.draw(&self.app)?;
                (drawn, keys, data) = (Some(Instant::now()), false, false);
            }
            data |= self.take_data();
            if event::poll(self.wait(data && drawn.is_some()))? {
                while event::poll(Duration::ZERO)? {
                    let event = event::read()?;
                    if let Some(end) = self.handle(screen, &event)? {
                        return Ok(end);
                    }
                }
                keys = true;
            }
            if self.app.is_busy() {
                self.app.work();
                self.app.settle();
                data = true;
            }
        }
    }

    /// How long the next wait for a key may be.
    fn wait(&self, pending: bool) -> Duration {
        match &self.loading {
            _ if self.app.is_busy() => Duration::ZERO,
            Some(loading) if !loading.is_empty() => Duration::ZERO,
            Some(_) => SHORT_WAIT,
            None if pending => FRAME,
            None => LONG_WAIT,
        }
    }

    /// Takes in what the reader has sent; true when there was something.
    fn take_data(&mut self) -> bool {
        let until = Instant::now() + SLICE;
        let mut some = false;
        while let Some(loading) = &self.loading {
            let next = if some { loading.try_recv() } else { wait_for(loading) };
            match next {
                Ok(next) => {
                    some = true;
                    if matches!(next, Loading::Done(_)) {
                        self.loading = None;
                    }
                    self.app.take(next, self.started.elapsed());
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.loading = None;
                    some = true;
                    self.app.reader_is_gone();
                }
            }
            if Instant::now() >= until {
                break;
            }
        }
        if some {
            self.app.settle();
        }
        some
    }

    fn handle(&mut self, screen: &mut Screen, event: &Event) -> io::Result<Option<End>> {
        self.app.event(event);
        for effect in self.app.take_effects() {
            match effect {
                Effect::Quit => return Ok(Some(End::Left)),
                Effect::StopLoading => self.stop.store(true, Ordering::Relaxed),
                Effect::Suspend => self.suspend(screen)?,
                Effect::Redraw => screen.terminal.clear()?,
                Effect::Mouse(on) => screen.mouse(on)?,
                Effect::Copy(text) => self.app.say(clipboard::copy(&text)),
            }
        }
        Ok(None)
    }

    fn suspend(&mut self, screen: &mut Screen) -> io::Result<()> {
        give_back();
        Signals::stop_here()?;
        screen.retake(self.app.mouse)
    }
}

/// Waits a moment for data, so that a fast reader is not kept waiting by the wait for keys.
fn wait_for(loading: &Receiver<Loading>) -> Result<Loading, TryRecvError> {
    loading.recv_timeout(Duration::from_millis(1)).map_err(|error| match error {
        RecvTimeoutError::Timeout => TryRecvError::Empty,
        RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
    })
}

/// The terminal while it is ours; given back when dropped.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    fn take(mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        enter(mouse)?;
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
    }

    /// Takes the terminal again after it was given back.
    fn retake(&mut self, mouse: bool) -> io::Result<()> {
        enter(mouse)?;
        while event::poll(Duration::ZERO)? {
            event::read()?;
        }
        self.terminal.clear()
    }

    fn draw(&mut self, app: &App) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| view(app, frame))?;
        execute!(io::stdout(), EndSynchronizedUpdate)
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if mouse { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) }
}

/// Gives the terminal back; what fails is not worth a word, because nothing can be said any more.
fn give_back() {
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

/// A panic on this thread gives the terminal back before it is told.
fn restore_on_panic() {
    let screen_thread = std::thread::current().id();
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == screen_thread {
            give_back();
            previous(info);
        }
    }));
}

/// Signals that concern the terminal.
#[cfg(unix)]
struct Signals {
    ending: Vec<(i32, Arc<AtomicBool>)>,
    stopping: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
}

#[cfg(unix)]
impl Signals {
    fn install() -> io::Result<Self> {
        use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
        let flag = |signal| {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, flag.clone()).map(|_| flag)
        };
        let ending = [SIGTERM, SIGHUP, SIGINT].into_iter().map(|signal| Ok((signal, flag(signal)?)));
        let ending = ending.collect::<io::Result<_>>()?;
        Ok(Self { ending, stopping: flag(SIGTSTP)?, continued: flag(SIGCONT)? })
    }

    /// The signal that wants the process to end.
    fn ending(&self) -> Option<i32> {
        self.ending.iter().find(|(_, flag)| flag.load(Ordering::Relaxed)).map(|&(signal, _)| signal)
    }

    /// Whether the process was stopped and goes on; when somebody asks it to stop, it stops here.
    fn continued(&self) -> bool {
        if self.stopping.swap(false, Ordering::Relaxed) {
            give_back();
            return Self::stop_here().is_ok();
        }
        self.continued.swap(false, Ordering::Relaxed)
    }

    /// Stops the process until the shell continues it.
    fn stop_here() -> io::Result<()> {
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
    }

    /// Ends the process as the signal would have.
    fn die_of(signal: i32) -> io::Result<()> {
        signal_hook::low_level::emulate_default_handler(signal)
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self)
    }

    fn ending(&self) -> Option<i32> {
        None
    }

    fn continued(&self) -> bool {
        false
    }

    fn stop_here() -> io::Result<()> {
        Ok(())
    }

    fn die_of(_: i32) -> io::Result<()> {
        Ok(())
    }
}
