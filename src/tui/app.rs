//! The state of the browser: the book, and what the user looks at.

use super::action::Screen;
use super::again::{Landmark, Reread};
use super::bytes::Bytes;
use super::choosing::Choosing;
use super::clock::{Clock, TimeMode};
use super::columns::TableColumns;
use super::connections::Connections;
use super::detail::Detail;
use super::everywhere::Everywhere;
use super::exporting::Dialog;
use super::filter::FilterBar;
use super::find::SLICE;
use super::findings::Findings;
use super::handshake::HandshakeView;
use super::hearing::Previews;
use super::keymap::{Keymap, Keyset, Mapping};
use super::ladder::Ladder;
use super::layout::Split;
use super::list::List;
use super::load::{Load, Outcome};
use super::marks::{Marks, Notebook};
use super::menu::Menu;
use super::messages::Messages;
use super::packets::Wanted;
use super::palette::Palette;
use super::prompt::Prompt;
use super::rules::{ColorRule, Rule};
use super::search::Search;
use super::stats::Stats;
use super::theme::{ColorChoice, Theme, ThemeName};
use crate::book::{Book, MessageId};
use crate::decode::Speaker;
use crate::filter::{self, Filter, Rows};
use crate::model::{Connection, Limits, Mark, PacketNo, Version, count};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A part of a screen that can have the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// The table of connections.
    Connections,
    /// The selected connection in a few lines.
    Summary,
    /// The messages of a connection.
    Messages,
    /// The selected message.
    Detail,
    /// What the client asked.
    Request,
    /// What the server answered.
    Response,
    /// The rules of the handshake, and what was negotiated.
    Checks,
    /// The frames of a message.
    Frames,
    /// The fields of a frame.
    Fields,
    /// The bytes of a frame.
    Bytes,
    /// How much there was, over time.
    Throughput,
    /// How long messages are.
    Sizes,
    /// How long pongs took.
    RoundTrips,
    /// Messages by type, and what they add up to.
    Types,
    /// What is wrong, the worst first.
    Findings,
    /// What to make of it.
    Explanation,
}

impl Pane {
    /// All panes.
    pub const ALL: [Self; 16] = [
        Self::Connections,
        Self::Summary,
        Self::Messages,
        Self::Detail,
        Self::Request,
        Self::Response,
        Self::Checks,
        Self::Frames,
        Self::Fields,
        Self::Bytes,
        Self::Throughput,
        Self::Sizes,
        Self::RoundTrips,
        Self::Types,
        Self::Findings,
        Self::Explanation,
    ];
}

/// What the browser is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The capture's name, as the user gave it; it is escaped here.
    pub title: String,
    /// When to use colours.
    pub color: ColorChoice,
    /// The zone of local times.
    pub zone: TimeZone,
    /// The capture can be read again.
    pub can_reread: bool,
    /// It is waited for, and so are its keys.
    pub is_live: bool,
    /// Filters that have names.
    pub named: filter::Named,
    /// Filters that were entered before, the last one last.
    pub past_filters: Vec<String>,
    /// Marks that were made before.
    pub marks: Marks,
    /// The words that it was started with, as a shell has them; they are escaped here.
    pub started_with: String,
    /// What the user says that connections speak which pass a filter.
    pub speaks: Vec<(String, Speaker)>,
    /// How much is kept of the capture.
    pub limits: Limits,
    /// What the configuration file says of the browser.
    pub preferences: Preferences,
}

/// What a user wants always. What is no column was told of before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Columns of the table of connections; `None`: the usual ones.
    pub connections: Option<Vec<String>>,
    /// Columns of the table of messages.
    pub messages: Option<Vec<String>>,
    /// Colours, where any are wanted.
    pub theme: ThemeName,
    /// ASCII in place of lines, arrows and signs.
    pub ascii: bool,
    /// For readers of screens: one pane at a time, ASCII without frames, the terminal's cursor on what is selected.
    pub plain: bool,
    /// Which keys there are.
    pub keyset: Keyset,
    /// Keys for actions.
    pub keys: Vec<Mapping>,
    /// Take the mouse.
    pub mouse: bool,
    /// How rows look; the first rule that one passes holds.
    pub rules: Vec<ColorRule>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            connections: None,
            messages: None,
            theme: ThemeName::default(),
            ascii: false,
            plain: false,
            keyset: Keyset::default(),
            keys: Vec::new(),
            mouse: true,
            rules: Vec::new(),
        }
    }
}

impl Options {
    /// The usual: colours and time zone as the environment says.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            color: ColorChoice::Auto,
            zone: TimeZone::system(),
            can_reread: false,
            is_live: false,
            named: filter::Named::new(),
            past_filters: Vec::new(),
            marks: Marks::new(),
            started_with: String::new(),
            speaks: Vec::new(),
            limits: Limits::DEFAULT,
            preferences: Preferences::default(),
        }
    }
}

/// What only the terminal can do, asked for by the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End.
    Quit,
    /// Tell the reader to stop.
    StopLoading,
    /// Stop ourselves until the shell continues us.
    Suspend,
    /// Draw every cell.
    Redraw,
    /// Take the mouse, or give it back.
    Mouse(bool),
    /// Keep a filter for the next time.
    Remember(String),
    /// Keep the marks of this capture.
    Keep(Marks),
    /// Export with these words, in front of those that the browser was started with.
    Export(Vec<String>),
    /// Put text on the clipboard.
    Copy(String),
    /// Keep these columns for the next time.
    Save(Vec<TableColumns>),
    /// Read the capture again.
    Again(Anew),
    /// Read these packets once more, in place of those that were asked for before; `None`: none any more.
    Packets(Option<Wanted>),
}

/// In which way a capture is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anew {
    /// As it is now.
    Same,
    /// With this key log, too; of one that is waited for it is read beside.
    Keys(PathBuf),
    /// Some of its streams as this rule says.
    Rule(String),
}

/// What lies over the panes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Overlay {
    #[default]
    None,
    /// The keys, from this line on.
    Help(usize),
    /// The TLS streams, from this line on.
    Sessions(usize),
    /// A choice.
    Menu(Menu),
    /// What to search for is being typed.
    Search,
    /// What to search all payloads for is being typed.
    Everywhere,
    /// What that found.
    Hits,
    /// A command is being typed.
    Command,
    /// A filter is being typed.
    Filter,
    /// A comment is being typed.
    Comment,
    /// An export is being described.
    Export,
    /// What can be done is looked for.
    Palette(Palette),
    /// Columns are being chosen.
    Columns(Box<Choosing>),
}

/// Where the user was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) screen: Screen,
    pub(super) conn: Option<usize>,
    pub(super) message: Option<MessageId>,
}

/// Everything that the screen is drawn from.
#[derive(Debug)]
pub struct App {
    pub(super) book: Book,
    pub(super) title: String,
    pub(super) theme: Theme,
    pub(super) ascii: bool,
    pub(super) plain: bool,
    pub(super) keymap: Keymap,
    pub(super) clock: Clock,
    pub(super) load: Load,
    pub(super) size: (u16, u16),
    pub(super) screen: Screen,
    focus: HashMap<Screen, Pane>,
    pub(super) zoom: bool,
    pub(super) split: Split,
    pub(super) shares: HashMap<Screen, i16>,
    pub(super) overlay: Overlay,
    pub(super) connections: Connections,
    pub(super) summary: List,
    pub(super) messages: Messages,
    pub(super) previews: Previews,
    pub(super) ladder: Ladder,
    pub(super) detail: Detail,
    pub(super) handshake: HandshakeView,
    pub(super) bytes: Bytes,
    pub(super) stats: Stats,
    pub(super) findings: Findings,
    pub(super) explanation: List,
    pub(super) filter: FilterBar,
    pub(super) notebook: Notebook,
    pub(super) export: Dialog,
    /// The words that the browser was started with, as a shell has them; safe on a terminal.
    pub(super) started_with: String,
    pub(super) search: Search,
    pub(super) everywhere: Everywhere,
    /// The command that is being typed.
    pub(super) command: Prompt,
    pub(super) can_reread: bool,
    pub(super) is_live: bool,
    /// With what the capture is, or is to be, read again.
    pub(super) rereading: Option<Reread>,
    /// Where the user was, while what is read again has not come so far.
    pub(super) landmark: Option<Landmark>,
    /// Time modes of screen 1 and of screen 2.
    pub(super) times: (TimeMode, TimeMode),
    pub(super) reference: Option<Mark>,
    /// Screens to go back to, each left by going deeper.
    pub(super) trail: Vec<Screen>,
    /// Places before and after this one.
    pub(super) past: Vec<Place>,
    pub(super) future: Vec<Place>,
    /// The last thing that has to be said, until the next key.
    pub(super) said: Option<String>,
    pub(super) mouse: bool,
    /// The user has pressed a key that goes somewhere.
    pub(super) moved: bool,
    /// The last action was ^C: the next one quits.
    pub(super) leaving: bool,
    pub(super) pointer: super::mouse::Pointer,
    effects: Vec<Effect>,
}

impl App {
    /// The browser before anything is read.
    pub fn new(options: Options, size: (u16, u16)) -> Self {
        let Preferences { connections, messages, rules, .. } = &options.preferences;
        let connections = Connections::new(connections.as_deref(), Rule::all(rules, &options.named, Rows::CONNECTIONS));
        let messages = Messages::new(messages.as_deref(), Rule::all(rules, &options.named, Rows::MESSAGES));
        let mut book = Book::new(&options.limits);
        let read = |(connections, speaker): (String, _)| Some((Filter::new(&connections).ok()?, speaker));
        book.set_speaks(options.speaks.into_iter().filter_map(read).collect());
        Self {
            book,
            title: crate::escape::display_str(&options.title).into_owned(),
            theme: Theme::new(options.color, options.preferences.theme),
            ascii: options.preferences.ascii,
            plain: options.preferences.plain,
            keymap: Keymap::new(options.preferences.keyset, &options.preferences.keys),
            clock: Clock { zone: options.zone },
            load: Load::default(),
            size,
            screen: Screen::Connections,
            focus: HashMap::new(),
            zoom: false,
            split: Split::Auto,
            shares: HashMap::new(),
            overlay: Overlay::None,
            connections,
            summary: List::default(),
            messages,
            previews: Previews::default(),
            ladder: Ladder::default(),
            detail: Detail::default(),
            handshake: HandshakeView::default(),
            bytes: Bytes::new(options.can_reread),
            stats: Stats::default(),
            findings: Findings::default(),
            explanation: List::default(),
            filter: FilterBar::new(options.named, options.past_filters),
            export: Dialog::default(),
            started_with: crate::escape::display_str(&options.started_with).into_owned(),
            notebook: Notebook { marks: options.marks, ..Notebook::default() },
            search: Search::default(),
            everywhere: Everywhere::default(),
            command: Prompt::default(),
            can_reread: options.can_reread,
            is_live: options.is_live,
            rereading: None,
            landmark: None,
            times: (TimeMode::Local, TimeMode::DeltaShown),
            reference: None,
            trail: Vec::new(),
            past: Vec::new(),
            future: Vec::new(),
            said: None,
            mouse: options.preferences.mouse,
            moved: false,
            leaving: false,
            pointer: super::mouse::Pointer::default(),
            effects: Vec::new(),
        }
    }

    /// The reader ended without a last word.
    pub(super) fn reader_is_gone(&mut self) {
        let why = "the reader stopped unexpectedly";
        if self.load.is_done() {
            return self.keep_reading(why);
        }
        self.load.done(Outcome { progress: self.load.progress, error: Some(why.to_owned()), ..Outcome::default() });
    }

    /// What the terminal is asked to do.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub(super) fn ask(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Shows a few words until the next key.
    pub(super) fn say(&mut self, words: impl Into<String>) {
        self.said = Some(words.into());
    }

    /// Whether the reader has more to tell.
    pub const fn is_loading(&self) -> bool {
        !self.load.is_done()
    }

    /// Whether something is under way that [`App::work`] goes on with.
    pub fn is_busy(&self) -> bool {
        let is_asked = self.search.is_running() || self.filter_is_busy() || self.ranking().is_some();
        is_asked
            || self.messages.is_behind(&self.book, self.is_loading())
            || self.columns_are_behind()
            || self.hearing_is_behind()
            || self.is_measuring()
            || self.detail.is_busy()
            || self.everywhere.is_busy(&self.book)
    }

    /// Goes on with what is under way, for a few milliseconds.
    pub fn work(&mut self) {
        if self.search.is_running() {
            return self.search_on();
        }
        if self.detail.is_busy() {
            let (columns, height) = (self.columns(Pane::Detail), self.height(Pane::Detail));
            return self.detail.work(columns, height, Instant::now() + SLICE);
        }
        if self.filter_is_busy() {
            return self.filter_on(Instant::now() + SLICE);
        }
        if self.messages.is_behind(&self.book, self.is_loading()) {
            return self.messages.take_in(&self.book, self.is_loading(), Instant::now() + SLICE);
        }
        if self.hearing_is_behind() {
            return self.hear_on();
        }
        if self.columns_are_behind() {
            return self.settle_columns(&self.regions());
        }
        if self.ranking().is_some() {
            return self.rank_on(Instant::now() + SLICE);
        }
        if self.is_measuring() {
            return self.stats.work(&mut self.book, Instant::now() + SLICE);
        }
        self.everywhere_on(Instant::now() + SLICE);
    }

    /// Takes in what the reader has sent; `elapsed` is the time since the start. [`App::settle`] must follow.
    pub fn take(&mut self, loading: super::Loading, elapsed: Duration) {
        match loading {
            super::Loading::Batch(batch) => self.book.absorb(batch),
            super::Loading::Progress(progress) => self.load.progress(progress, elapsed),
            super::Loading::Again => self.begin_again(),
            super::Loading::Refused(why) => self.keep_reading(&why),
            super::Loading::Done(outcome) => {
                self.load.done(outcome);
                self.filter_again();
                self.tell_of_rereading();
                if self.load.stopped {
                    self.say(format!("stopped: {} so far", count(self.load.progress.packets, "packet")));
                }
            }
        }
    }

    /// The capture's first packet, as far as is known.
    pub(super) fn capture_start(&self) -> Option<Mark> {
        let first = |time| Mark { packet: PacketNo(1), time: Some(time) };
        self.load.progress.start.map(first).or_else(|| self.book.start())
    }

    pub(super) fn focused(&self) -> Pane {
        self.focus.get(&self.screen).copied().unwrap_or(self.screen.main_pane())
    }

    pub(super) fn focus(&mut self, pane: Pane) {
        self.focus.insert(self.screen, pane);
    }

    /// Whether there is nothing to look at: no connection in the whole capture, nor, on their screen, a finding.
    pub(super) fn shows_nothing(&self) -> bool {
        let has_findings = self.screen == Screen::Findings && !self.book.findings().is_empty();
        self.load.is_done() && self.book.connections() == 0 && !has_findings
    }

    /// Whether a pane has something that a key could work on.
    pub(super) fn has_rows(&self, pane: Pane) -> bool {
        match pane {
            Pane::Connections | Pane::Summary => self.connections.len() > 0,
            Pane::Messages | Pane::Detail | Pane::Frames | Pane::Fields | Pane::Bytes => {
                self.messages.selected().is_some()
            }
            Pane::Request | Pane::Response | Pane::Checks => self.handshake.whole.is_some(),
            Pane::Throughput | Pane::Sizes | Pane::RoundTrips | Pane::Types => !self.stats.measures.is_empty(),
            Pane::Findings | Pane::Explanation => self.findings.len() > 0,
        }
    }

    /// The connection that is looked at.
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.book.connection(self.connections.selected()?)
    }

    /// The version that the connection which is looked at speaks.
    pub(super) fn version(&self) -> Version {
        self.connection().map_or_else(Version::default, |connection| connection.opened.version)
    }

    pub(super) const fn place(&self) -> Place {
        Place { screen: self.screen, conn: self.connections.selected(), message: self.messages.selected() }
    }

    /// The time mode of the screen.
    pub(super) const fn time_mode(&self) -> TimeMode {
        match self.screen {
            Screen::Connections => self.times.0,
            _ => self.times.1,
        }
    }
}
