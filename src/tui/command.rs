//! The command line: what can be typed behind `:`.

use super::action::Action;
use super::again::Reread;
use super::app::{Anew, App, Effect, Overlay};
use super::input::Typed;
use super::keys::Key;
use super::list::Move;
use super::theme::ThemeName;
use crate::book::Sift;
use crate::escape::display_str;
use crate::filter::speaks;
use crate::model::{Connection, nearest};
use crossterm::event::KeyEvent;
use std::path::PathBuf;

/// As what streams can be read; all else is what connections speak.
pub(super) const STREAMS: [&str; 3] = ["websocket", "ws", "none"];

/// A command. The prompt, the help and what is said of a wrong one come from its row.
#[derive(Debug)]
pub(super) struct Command {
    name: &'static str,
    /// What is to stand behind the name, if anything.
    argument: &'static str,
    /// What it does: `to` stands before it in sentences.
    pub(super) label: &'static str,
    run: fn(&mut App, &str),
}

/// All commands.
pub(super) static COMMANDS: &[&Command] =
    &[&FILTER, &KEYS, &DECODE, &RELOAD, &TLS, &THEME, &ASCII, &MAP, &SAVE, &ROW, &QUIT];

static FILTER: Command =
    Command { name: "filter", argument: "EXPR", label: "show what passes a display filter", run: App::apply_filter };

static RELOAD: Command =
    Command { name: "reload", argument: "", label: "read the file again", run: |app, _| app.reload() };

static THEME: Command =
    Command { name: "theme", argument: "NAME", label: "show other colours", run: App::choose_theme };

static ASCII: Command = Command {
    name: "ascii",
    argument: "",
    label: "show lines and arrows in ASCII, or not",
    run: |app, _| app.ascii = !app.ascii,
};

static MAP: Command =
    Command { name: "map", argument: "KEY ACTION", label: "give a key to an action", run: App::map_key };

static SAVE: Command =
    Command { name: "save", argument: "", label: "keep the columns in the configuration file", run: App::save };

static QUIT: Command = Command { name: "q", argument: "", label: "quit", run: |app, _| app.ask(Effect::Quit) };

/// Named by screens on which a key log is wanted.
pub(super) static KEYS: Command =
    Command { name: "keys", argument: "FILE", label: "decode again with a key log", run: App::read_keys };

static DECODE: Command = Command {
    name: "decode",
    argument: "RULE",
    label: "read streams, or what is said, as something: tcp.port==9000,websocket or conn==3,mqtt",
    run: App::decode_as,
};

/// Named by screens on which TLS streams are counted.
pub(super) static TLS: Command =
    Command { name: "tls", argument: "", label: "list TLS streams and their keys", run: App::list_tls };

/// Any number stands for the name.
static ROW: Command = Command { name: "N", argument: "", label: "go to row N", run: App::go_to_row };

impl Command {
    /// `keys FILE`.
    pub(super) fn usage(&self) -> String {
        format!("{} {}", self.name, self.argument).trim_end().to_owned()
    }

    /// Its name, where that is typed.
    pub(super) fn typed(&self) -> Option<&'static str> {
        (!std::ptr::eq(self, &ROW)).then_some(self.name)
    }

    /// `keys FILE to decode again with a key log`.
    pub(super) fn advice(&self) -> String {
        format!("{} to {}", self.usage(), self.label)
    }
}

impl App {
    pub(super) fn start_command(&mut self) {
        self.prompt("");
    }

    /// Has a command typed that begins so.
    fn prompt(&mut self, text: &str) {
        self.command.begin(text);
        self.overlay = Overlay::Command;
    }

    pub(super) fn command_key(&mut self, event: &KeyEvent, key: Key) {
        match self.command.take(event, key) {
            Typed::Changed | Typed::Same => {}
            Typed::Dropped => self.overlay = Overlay::None,
            Typed::Done => {
                self.overlay = Overlay::None;
                self.run_command();
            }
        }
    }

    pub(super) fn paste_command(&mut self, text: &str) {
        self.command.paste(text);
    }

    fn run_command(&mut self) {
        let command = self.command.done();
        let command = command.as_str();
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match (COMMANDS.iter().find(|command| command.name == name), rest.trim()) {
            _ if name.is_empty() => {}
            (None, "") if name.bytes().all(|byte| byte.is_ascii_digit()) => (ROW.run)(self, name),
            (Some(command), "") if !command.argument.is_empty() => self.say(command.advice()),
            (Some(command), argument) => (command.run)(self, argument),
            (None, _) => {
                let known: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
                let meant = nearest(name, known.iter().copied()).map(|meant| format!("did you mean {meant}?"));
                let words = meant.unwrap_or_else(|| known.join(", "));
                self.say(format!("no command {}: {words}", display_str(name)));
            }
        }
    }

    /// Runs a command, or has what must stand behind it typed.
    pub(super) fn begin_command(&mut self, command: &Command) {
        match (command.argument.is_empty(), std::ptr::eq(command, &ROW)) {
            (true, false) => (command.run)(self, ""),
            (_, is_row) => {
                let text = if is_row { String::new() } else { format!("{} ", command.name) };
                self.prompt(&text);
            }
        }
    }

    fn choose_theme(&mut self, name: &str) {
        match ThemeName::named(name) {
            Some(theme) => self.theme = self.theme.changed(theme),
            None => {
                let names: Vec<_> = ThemeName::NAMES.iter().map(|(name, _)| *name).collect();
                self.say(format!("no theme {}: {}", display_str(name), names.join(", ")));
            }
        }
    }

    /// `K filter`: as long as the browser runs.
    fn map_key(&mut self, words: &str) {
        let Some((key, name)) = words.split_once(' ') else { return self.say(MAP.advice()) };
        let (key, name) = (key.trim(), name.trim());
        match self.keymap.map(name, std::iter::once(key)) {
            Ok(()) => self.say(format!("{} is {name} now", display_str(key))),
            Err(why) => self.say(why),
        }
    }

    /// Goes to a row of the pane, from 1.
    fn go_to_row(&mut self, number: &str) {
        match number.parse::<usize>() {
            Ok(row) => self.act(Action::Move(Move::To(row.saturating_sub(1)))),
            Err(_) if number.is_empty() => self.say(ROW.advice()),
            Err(_) => self.act(Action::Move(Move::Bottom)),
        }
    }

    /// Tells of each TLS stream. That is known when a stream has ended.
    fn list_tls(&mut self, _: &str) {
        match self.book.sessions().0.is_empty() {
            true if self.is_loading() => self.say("no TLS stream has ended so far"),
            true => self.say("no TLS stream"),
            false => self.overlay = Overlay::Sessions(0),
        }
    }

    /// Asks for a key log, and that the capture be decoded again with it. Of one that is waited for, what has no key yet waits as well.
    fn read_keys(&mut self, file: &str) {
        if self.is_live && self.is_loading() {
            return self.ask(Effect::Again(Anew::Keys(PathBuf::from(file))));
        }
        if self.may_reread("-k FILE") {
            let name = display_str(file).into_owned();
            self.say(format!("reading {name}"));
            self.export.key_logs.push(file.to_owned());
            self.rereading = Some(Reread::KeyLog(name));
            self.ask(Effect::Again(Anew::Keys(PathBuf::from(file))));
        }
    }

    /// Asks that the capture be read again, as it is now.
    pub(super) fn reload(&mut self) {
        if self.may_reread("a file") {
            self.rereading = Some(Reread::Same);
            self.ask(Effect::Again(Anew::Same));
        }
    }

    /// Whether the capture can be read again now; says why not, and with which option it could have been read so at first.
    fn may_reread(&mut self, option: &str) -> bool {
        if !self.can_reread {
            self.say(format!("what came through a pipe cannot be read again: start wspect with {option}"));
        } else if self.is_loading() || self.rereading.is_some() {
            self.say("the capture is still being read: ^C stops that");
        } else {
            return true;
        }
        false
    }

    /// Has a rule typed that says what a connection speaks, or as what a stream is read.
    pub(super) fn start_decode_as(&mut self) {
        let rule = match self.connection() {
            Some(connection) if !self.book.messages_of(self.connections.selected().unwrap_or(0)).is_empty() => {
                format!("conn=={},{}", connection.id, self.detail.protocol().unwrap_or("json"))
            }
            Some(Connection { stream: Some(stream), .. }) => format!("tcp.stream=={stream},websocket"),
            _ => "tcp.port==".to_owned(),
        };
        self.prompt(&format!("{} {rule}", DECODE.name));
    }

    /// Hears connections anew, of which the user says what they speak.
    fn decode_messages_as(&mut self, rule: &str, selector: &str, name: &str) {
        let speaks = match speaks(selector, name, self.book.schema()) {
            Ok(speaks) => speaks,
            Err(why) => return self.say(display_str(&why)),
        };
        self.export.rules.push(rule.to_owned());
        self.book.set_speaks(speaks);
        self.previews.forget();
        self.messages.columns.forget();
        self.detail.forget();
        self.stats.forget();
        self.ask_again(Sift::hears);
        self.say(format!("{}: as {name} from now on", display_str(selector)));
    }

    /// Asks that the capture be read again, some of its streams as a rule says.
    fn decode_as(&mut self, rule: &str) {
        if let Some((selector, name)) = rule.rsplit_once(',')
            && !STREAMS.contains(&name.trim())
        {
            return self.decode_messages_as(rule, selector, name.trim());
        }
        if self.may_reread("-d RULE") {
            self.export.rules.push(rule.to_owned());
            self.rereading = Some(Reread::Rule(display_str(rule).into_owned()));
            self.ask(Effect::Again(Anew::Rule(rule.to_owned())));
        }
    }
}
