//! The command line: `:keys FILE`.

use super::app::{App, Effect, Overlay};
use super::input::{self, Typed};
use super::keys::Key;
use crate::escape::display_str;
use crossterm::event::KeyEvent;
use std::path::PathBuf;

/// Bytes of a command: a path may be long.
const MAX_COMMAND: usize = 4096;

impl App {
    pub(super) fn start_command(&mut self) {
        self.command.clear();
        self.overlay = Overlay::Command;
    }

    pub(super) fn command_key(&mut self, event: &KeyEvent, key: Key) {
        match input::take(&mut self.command, MAX_COMMAND, event, key) {
            Typed::Changed | Typed::Same => {}
            Typed::Dropped => self.overlay = Overlay::None,
            Typed::Done => {
                self.overlay = Overlay::None;
                self.run_command();
            }
        }
    }

    pub(super) fn paste_command(&mut self, text: &str) {
        input::paste(&mut self.command, MAX_COMMAND, text);
    }

    fn run_command(&mut self) {
        let command = std::mem::take(&mut self.command);
        let (name, rest) = command.trim().split_once(' ').unwrap_or((command.trim(), ""));
        match (name, rest.trim()) {
            ("", _) => {}
            ("keys", "") => self.say("keys FILE: which key log?"),
            ("keys", file) => self.read_keys(file),
            (other, _) => self.say(format!("no command {}: keys FILE reads a key log", display_str(other))),
        }
    }

    /// Asks for a key log, and that the capture be decoded again with it.
    fn read_keys(&mut self, file: &str) {
        if !self.can_reread {
            return self.say("what came through a pipe cannot be read again: start wspect with -k FILE");
        }
        if self.is_loading() || self.key_log.is_some() {
            return self.say("the capture is still being read: ^C stops that");
        }
        let name = display_str(file).into_owned();
        self.say(format!("reading {name}"));
        self.key_log = Some(name);
        self.ask(Effect::ReadKeys(PathBuf::from(file)));
    }
}
