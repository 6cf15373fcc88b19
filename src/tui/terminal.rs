//! The terminal: taken, given back whatever happens, and drawn on.

use super::app::{App, Effect, Options};
use super::picker::{Offers, Picked, Picker};
use super::steady::{Displaced, Steady};
use super::view::view;
use super::{Carried, Fetching, Loading, Named, Outside, Reading, Wanted, clipboard};
use crate::escape::display_str;
use crossbeam_channel::{Receiver, never, select, unbounded};
use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::Backend as _;
use ratatui::buffer::Buffer;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// New data is drawn at most so often; a key is drawn at once.
const FRAME: Duration = Duration::from_millis(33);

/// New data is taken in for so long before keys are looked at again.
const SLICE: Duration = Duration::from_millis(12);

/// How often signals are looked for when nothing else happens.
const SIGNALS: Duration = Duration::from_millis(100);

/// The first picture waits so long for the end of a short capture.
const FIRST_PICTURE: Duration = Duration::from_millis(60);

/// Shows the browser until the user leaves it.
///
/// `reading` is the first reading of the capture; `outside` does what the browser cannot.
/// The terminal is as it was when this returns, when it panics, and when a signal ends the process.
pub fn run(options: Options, reading: Reading, outside: Outside) -> io::Result<()> {
    let signals = Signals::install()?;
    let mut screen = Screen::take(options.preferences.mouse)?;
    let size = screen.terminal.size()?;
    let mut browser = Browser {
        app: App::new(options, (size.width, size.height)),
        keys: listen(),
        reading,
        outside,
        exports: never(),
        fetching: None,
        signals,
        started: Instant::now(),
    };
    let outcome = browser.browse(&mut screen);
    browser.stop();
    browser.fetch(None);
    drop(screen);
    // To take a large book apart takes a second; the process ends with the browser, and all of it with that.
    std::mem::forget(browser.app);
    match outcome? {
        End::Left => Ok(()),
        End::Signal(signal) => Signals::die_of(signal),
    }
}

/// Has the user choose a capture; `None`: none is wanted.
pub fn pick(mut picker: Picker, offers: Offers<'_>) -> io::Result<Option<PathBuf>> {
    let signals = Signals::install()?;
    let mut screen = Screen::take(false)?;
    let picked = loop {
        screen.terminal.draw(|frame| picker.draw(frame.buffer_mut()))?;
        let is_told = event::poll(SIGNALS)?;
        if let Some(signal) = signals.ending() {
            drop(screen);
            return Signals::die_of(signal).map(|()| None);
        }
        if signals.continued() {
            enter(false)?;
            screen.clear()?;
        }
        match if is_told { picker.event(&event::read()?, offers) } else { Picked::Nothing } {
            Picked::Nothing => {}
            Picked::Left => break None,
            Picked::File(place) => break Some(place),
        }
    };
    drop(screen);
    Ok(picked)
}

/// Why the browser ended.
enum End {
    Left,
    Signal(i32),
}

/// Keys and clicks from a thread of their own: reading a terminal that hangs up may never return, and must not keep
/// the browser from ending.
fn listen() -> Receiver<Event> {
    let (sender, receiver) = unbounded();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    receiver
}

struct Browser {
    app: App,
    keys: Receiver<Event>,
    /// Says nothing any more after the reader's last word.
    reading: Reading,
    outside: Outside,
    /// Tells how an export has ended; nothing while there is none.
    exports: Receiver<String>,
    /// Packets that are read once more; `None` while there are none.
    fetching: Option<Fetching>,
    signals: Signals,
    /// When the reading began.
    started: Instant,
}

/// What is not on the screen yet.
#[derive(Default)]
struct Pending {
    keys: bool,
    data: bool,
}

impl Browser {
    fn browse(&mut self, screen: &mut Screen) -> io::Result<End> {
        let mut drawn: Option<Instant> = None;
        let mut pending = Pending { keys: false, data: true };
        let nothing = never();
        loop {
            if let Some(signal) = self.signals.ending() {
                return Ok(End::Signal(signal));
            }
            if self.signals.continued() {
                self.retake(screen)?;
                pending.keys = true;
            }
            let due = self.due(drawn, &pending);
            if due.is_zero() {
                screen.draw(&self.app)?;
                (drawn, pending) = (Some(Instant::now()), Pending::default());
                continue;
            }
            select! {
                recv(self.keys) -> event => {
                    let Ok(event) = event else { return Ok(End::Left) };
                    if let Some(end) = self.handle_all(screen, event)? {
                        return Ok(end);
                    }
                    pending.keys = true;
                }
                recv(self.exports) -> outcome => {
                    self.exports = never();
                    self.app.exported(outcome.as_deref().unwrap_or("the export stopped unexpectedly"));
                    pending.keys = true;
                }
                recv(self.fetching.as_ref().map_or(&nothing, |fetching| &fetching.packets)) -> carried => {
                    self.take_packets(carried.ok());
                    pending.data = true;
                }
                recv(self.reading.loading) -> next => {
                    self.take_data(next.ok());
                    pending.data = true;
                }
                default(if self.app.is_busy() { Duration::ZERO } else { due.min(SIGNALS) }) => {
                    pending.keys |= self.follow_size(screen)?;
                }
            }
            if self.app.is_busy() {
                self.app.work();
                self.app.settle();
                pending.data = true;
            }
            // What comes may select another frame, as a key does.
            if let Some(end) = self.act(screen)? {
                return Ok(end);
            }
        }
    }

    /// How long the next picture may wait.
    fn due(&self, drawn: Option<Instant>, pending: &Pending) -> Duration {
        match drawn {
            None if self.app.is_loading() => FIRST_PICTURE.saturating_sub(self.started.elapsed()),
            None => Duration::ZERO,
            Some(_) if pending.keys => Duration::ZERO,
            Some(drawn) if pending.data => FRAME.saturating_sub(drawn.elapsed()),
            Some(_) => SIGNALS,
        }
    }

    /// Takes in what the reader has sent, for a while; `None`: it is gone without a last word.
    fn take_data(&mut self, first: Option<Loading>) {
        let until = Instant::now() + SLICE;
        let mut next = first;
        if next.is_none() {
            self.app.reader_is_gone();
            self.reading.loading = never();
        }
        while let Some(loading) = next {
            match loading {
                Loading::Done(_) | Loading::Refused(_) => self.reading.loading = never(),
                Loading::Again => self.started = Instant::now(),
                Loading::Batch(_) | Loading::Progress(_) => {}
            }
            self.app.take(loading, self.started.elapsed());
            next = if Instant::now() < until { self.reading.loading.try_recv().ok() } else { None };
        }
        self.app.settle();
    }

    /// Handles a key and those that wait behind it, before one picture.
    fn handle_all(&mut self, screen: &mut Screen, first: Event) -> io::Result<Option<End>> {
        let mut next = Some(first);
        while let Some(event) = next {
            if let Some(end) = self.handle(screen, &event)? {
                return Ok(Some(end));
            }
            next = self.keys.try_recv().ok();
        }
        Ok(None)
    }

    fn handle(&mut self, screen: &mut Screen, event: &Event) -> io::Result<Option<End>> {
        self.app.event(event);
        self.act(screen)
    }

    /// Does what the state asks for.
    fn act(&mut self, screen: &mut Screen) -> io::Result<Option<End>> {
        for effect in self.app.take_effects() {
            match effect {
                Effect::Quit => return Ok(Some(End::Left)),
                Effect::StopLoading => self.stop(),
                Effect::Again(anew) => match (self.outside.again)(anew) {
                    Named::Again(reading) => self.read(reading),
                    Named::Said(words) => self.app.say(display_str(&words)),
                    Named::Refused(why) => self.app.keep_reading(&why),
                },
                Effect::Suspend => self.suspend(screen)?,
                Effect::Redraw => screen.clear()?,
                Effect::Mouse(on) => screen.mouse(on)?,
                Effect::Export(words) => self.exports = (self.outside.export)(words),
                Effect::Save(columns) => {
                    let said = (self.outside.save)(&columns);
                    self.app.say(display_str(&said));
                }
                Effect::Keep(marks) => (self.outside.keep)(&marks),
                Effect::Remember(text) => (self.outside.remember)(&text),
                Effect::Packets(wanted) => self.fetch(wanted),
                Effect::Copy(text) => self.app.say(clipboard::copy(&text)),
            }
        }
        Ok(None)
    }

    fn stop(&self) {
        self.reading.stop.store(true, Ordering::Relaxed);
    }

    /// Has packets read once more, and those before no longer.
    fn fetch(&mut self, wanted: Option<Wanted>) {
        if let Some(fetching) = self.fetching.take() {
            fetching.stop.store(true, Ordering::Relaxed);
        }
        self.fetching = wanted.map(|wanted| (self.outside.packets)(wanted));
    }

    /// Takes in what is told of packets; `None`: nothing comes any more.
    fn take_packets(&mut self, carried: Option<Carried>) {
        let carried = carried.unwrap_or_else(|| Carried::Refused("the reader stopped unexpectedly".to_owned()));
        if !matches!(carried, Carried::At(_)) {
            self.fetching = None;
        }
        self.app.carried(carried);
        self.app.settle();
    }

    fn suspend(&mut self, screen: &mut Screen) -> io::Result<()> {
        give_back();
        Signals::stop_here()?;
        self.retake(screen)
    }

    /// Listens to another reading.
    fn read(&mut self, reading: Reading) {
        self.stop();
        self.reading = reading;
    }

    /// Takes the terminal again after it was given back; what was typed meanwhile was not meant for us.
    fn retake(&mut self, screen: &mut Screen) -> io::Result<()> {
        enter(self.app.mouse)?;
        while self.keys.try_recv().is_ok() {}
        self.follow_size(screen)?;
        screen.clear()
    }

    /// Looks at the terminal's size, because nobody tells of a change while the browser begins or is stopped; true
    /// when it has changed.
    fn follow_size(&mut self, screen: &Screen) -> io::Result<bool> {
        let size = screen.terminal.size()?;
        let changed = self.app.size() != (size.width, size.height);
        if changed {
            self.app.resize((size.width, size.height));
        }
        Ok(changed)
    }
}

/// The terminal while it is ours; given back when dropped.
struct Screen {
    terminal: Terminal<Steady>,
    displaced: Displaced,
}

impl Screen {
    fn take(mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        enter(mouse).inspect_err(|_| give_back())?;
        Ok(Self { terminal: Terminal::new(Steady::new())?, displaced: Displaced::default() })
    }

    /// Forgets what is on the screen, so that the next picture draws every cell.
    fn clear(&mut self) -> io::Result<()> {
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(Steady::new())?;
        self.displaced = Displaced::default();
        Ok(())
    }

    fn draw(&mut self, app: &App) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        let picture = self.terminal.draw(|frame| view(app, frame))?;
        for row in self.displaced.next(picture.buffer) {
            queue!(io::stdout(), cursor::MoveTo(0, row.area.y), Clear(ClearType::CurrentLine))?;
            self.terminal.backend_mut().draw(Buffer::empty(row.area).diff(&row).into_iter())?;
        }
        execute!(io::stdout(), EndSynchronizedUpdate)
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A panic has already given it back, and its message stands there.
        if !thread::panicking() {
            give_back();
        }
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
    let screen_thread = thread::current().id();
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if thread::current().id() == screen_thread {
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
