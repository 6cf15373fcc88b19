//! Which capture to show, where none was named: those that were shown last, and those of a directory.

use super::app::Preferences;
use super::input::{Line as Typing, Typed};
use super::keymap::Keymap;
use super::keys::Key;
use super::list::{List, Move};
use super::text;
use super::theme::{ColorChoice, Theme};
use super::view::finish;
use super::{Action, Pane};
use crate::escape::display_str;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::path::{Path, PathBuf};

/// Bytes of what is typed.
const MAX_TYPED: usize = 4096;

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Where it is.
    pub place: PathBuf,
    /// How it is called in the list; not escaped.
    pub name: String,
    /// What is known of it.
    pub about: String,
    /// What is in it is shown next.
    pub is_directory: bool,
}

/// What a directory has to offer; for `None`, what there is at first.
pub type Offers<'a> = &'a dyn Fn(Option<&Path>) -> Vec<Offer>;

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// Nothing so far.
    Nothing,
    /// The user leaves.
    Left,
    /// This capture is wanted.
    File(PathBuf),
}

/// The list of captures.
#[derive(Debug)]
pub struct Picker {
    offers: Vec<Offer>,
    line: Typing,
    list: List,
    theme: Theme,
    ascii: bool,
    keymap: Keymap,
    height: usize,
}

impl Picker {
    /// The list before anything is typed.
    pub fn new(offers: Offers<'_>, color: ColorChoice, preferences: &Preferences) -> Self {
        Self {
            offers: offers(None),
            line: Typing::default(),
            list: List::default(),
            theme: Theme::new(color, preferences.theme),
            ascii: preferences.ascii || preferences.plain,
            keymap: Keymap::new(preferences.keyset, &preferences.keys),
            height: 1,
        }
    }

    /// Whether there is nothing to choose from.
    pub const fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// The offers whose names have what is typed.
    fn fitting(&self) -> Vec<&Offer> {
        let typed = self.line.as_str().to_lowercase();
        self.offers.iter().filter(|offer| offer.name.to_lowercase().contains(&typed)).collect()
    }

    /// Takes what the terminal tells.
    pub fn event(&mut self, event: &Event, offers: Offers<'_>) -> Picked {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key, offers),
            Event::Paste(text) => {
                self.line.paste(MAX_TYPED, text);
                self.list = List::default();
                Picked::Nothing
            }
            _ => Picked::Nothing,
        }
    }

    fn key(&mut self, event: &KeyEvent, offers: Offers<'_>) -> Picked {
        let key = Key::of(event);
        let typed_key = key.character().is_some() || event.modifiers.contains(KeyModifiers::CONTROL);
        match self.keymap.action(Pane::Connections, key) {
            Some(Action::Move(step)) if !typed_key => {
                let len = self.fitting().len();
                self.list.go(step, len, self.height);
                return Picked::Nothing;
            }
            _ if event.code == KeyCode::Tab => {
                let len = self.fitting().len();
                self.list.go(Move::Rows(1), len, self.height);
                return Picked::Nothing;
            }
            _ => {}
        }
        match self.line.take(MAX_TYPED, event, key) {
            Typed::Changed => self.list = List::default(),
            Typed::Same => {}
            Typed::Dropped => return Picked::Left,
            Typed::Done => return self.choose(offers),
        }
        Picked::Nothing
    }

    fn choose(&mut self, offers: Offers<'_>) -> Picked {
        let Some(offer) = self.fitting().get(self.list.cursor).map(|&offer| offer.clone()) else {
            return Picked::Nothing;
        };
        if !offer.is_directory {
            return Picked::File(offer.place);
        }
        self.offers = offers(Some(&offer.place));
        self.line.clear();
        self.list = List::default();
        Picked::Nothing
    }

    /// Draws it.
    pub fn draw(&mut self, buf: &mut Buffer) {
        let area = buf.area;
        let columns = usize::from(area.width);
        self.height = usize::from(area.height).saturating_sub(3).max(1);
        let (typed, behind) = self.line.parts();
        let mut head = vec![Span::styled(" wspect ", self.theme.bold()), Span::raw("capture: ")];
        head.push(Span::raw(text::cut_start(&display_str(typed), columns / 2)));
        head.push(Span::styled(" ", self.theme.selected()));
        head.push(Span::raw(text::cut(&display_str(behind), columns / 4)));
        put(buf, 0, Line::from(head));
        let offers = self.fitting();
        let len = offers.len();
        let names = offers.iter().map(|offer| text::width(&display_str(&offer.name))).max().unwrap_or(0);
        let names = names.min(columns.saturating_sub(24));
        for (line, (at, offer)) in offers.iter().enumerate().skip(self.list.top).take(self.height).enumerate() {
            let (mark, style) = match at == self.list.cursor {
                true => ("▶", self.theme.selected()),
                false => (" ", self.theme.plain()),
            };
            let name = text::left(&text::cut_start(&display_str(&offer.name), names), names);
            let spans = vec![
                Span::raw(format!(" {mark} ")),
                Span::styled(name, style),
                Span::styled(format!("  {}", offer.about), self.theme.dim()),
            ];
            put(buf, line + 2, Line::from(spans));
        }
        if len == 0 {
            put(buf, 2, Line::styled("   no capture is called so", self.theme.dim()));
        }
        let hints = [("↓ ↑", "choose"), ("Enter", "open"), ("Esc", "quit")];
        let hints = hints.iter().flat_map(|&(keys, words)| {
            [Span::styled(format!(" {keys}"), self.theme.key()), Span::raw(format!(" {words} "))]
        });
        put(buf, usize::from(area.height).saturating_sub(1), Line::from(hints.collect::<Vec<_>>()));
        self.list.settle(len, self.height);
        finish(buf, self.theme, self.ascii, false);
    }
}

fn put(buf: &mut Buffer, line: usize, words: Line<'_>) {
    let area: Rect = buf.area;
    if let Some(y) = u16::try_from(line).ok().filter(|&y| y < area.height) {
        buf.set_line(area.x, area.y + y, &words, area.width);
    }
}
