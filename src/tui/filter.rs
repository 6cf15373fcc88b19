//! The filter bar: what is typed into it, what that means, and what of the book passes.
//!
//! ```text
//! typed ─▶ Draft (counts while one types) ─Enter─▶ running (asked of the whole book) ─▶ the book's sift: the lists
//! ```

use super::action::Action;
use super::app::{App, Effect, Overlay};
use super::input::{Line, Typed};
use super::keys::Key;
use crate::book::{ROWS, Sift};
use crate::filter::{self, Completion, Filter, Named, Problem, Rows};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Instant;

/// Bytes of a filter that is typed.
const MAX_FILTER: usize = 4096;

/// Filters that are remembered.
const PAST: usize = 200;

/// What is typed, as far as it makes sense.
#[derive(Debug, Default)]
pub(super) enum Draft {
    #[default]
    Nothing,
    Wrong(Problem),
    Right(Box<Asked>),
}

/// A filter on its way through the book.
#[derive(Debug)]
pub(super) struct Asked {
    /// As it is shown, kept and remembered.
    pub(super) text: String,
    /// What was typed is a word to look for: `text` is the filter that does.
    pub(super) is_word: bool,
    /// Why it may not mean what the user thinks.
    pub(super) risk: Option<&'static str>,
    pub(super) sift: Sift,
}

/// The bar.
#[derive(Debug, Default)]
pub(super) struct FilterBar {
    pub(super) line: Line,
    pub(super) draft: Draft,
    /// What may come next where the cursor is, and which of it is chosen.
    pub(super) completion: Completion,
    pub(super) chosen: usize,
    /// The completion has filters of before.
    recalls: bool,
    /// What is applied, or was and is kept; empty: nothing.
    pub(super) text: String,
    /// It is switched off: everything is shown.
    pub(super) is_off: bool,
    /// How far it was asked when it was switched off.
    shelved: Option<Box<Asked>>,
    /// What was entered, until it was asked of the whole book.
    pub(super) running: Option<Box<Asked>>,
    /// Filters that have names.
    named: Named,
    /// Filters of before, the last one last, and which of them stands in the line.
    past: Vec<String>,
    recalled: Option<usize>,
}

impl FilterBar {
    pub(super) fn new(named: Named, past: Vec<String>) -> Self {
        Self { named, past, ..Self::default() }
    }

    fn remember(&mut self, text: &str) {
        self.past.retain(|old| old != text);
        self.past.push(text.to_owned());
        if self.past.len() > PAST {
            self.past.remove(0);
        }
    }
}

impl App {
    /// Begins to type a filter: the one that is applied, to be changed.
    pub(super) fn start_filter(&mut self) {
        let text = self.filter.text.clone();
        self.type_filter(&text);
    }

    /// Puts a filter into the bar, to be changed and entered.
    pub(super) fn type_filter(&mut self, text: &str) {
        self.filter.line.set(text);
        self.filter.recalled = None;
        self.overlay = Overlay::Filter;
        self.filter_changed();
    }

    pub(super) fn filter_key(&mut self, event: &KeyEvent, key: Key) {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Tab => return self.accept_choice(),
            KeyCode::BackTab => return self.next_choice(false),
            KeyCode::Char('p') if control => return self.recall(false),
            KeyCode::Char('n') if control => return self.recall(true),
            KeyCode::Char('r') if control => return self.search_past(),
            KeyCode::Up | KeyCode::Down if self.browses_past() => return self.recall(event.code == KeyCode::Down),
            KeyCode::Up | KeyCode::Down => return self.next_choice(event.code == KeyCode::Down),
            KeyCode::Enter if self.filter.recalls => return self.accept_choice(),
            _ => {}
        }
        let before = self.filter.line.parts().0.len();
        match self.filter.line.take(MAX_FILTER, event, key) {
            Typed::Changed => {
                self.filter.recalled = None;
                self.filter_changed();
            }
            Typed::Same if before != self.filter.line.parts().0.len() => self.complete_filter(),
            Typed::Same => {}
            Typed::Dropped => {
                self.overlay = Overlay::None;
                self.filter.draft = Draft::Nothing;
            }
            Typed::Done => self.enter_filter(),
        }
    }

    pub(super) fn paste_filter(&mut self, text: &str) {
        self.filter.line.paste(MAX_FILTER, text);
        self.filter.recalled = None;
        self.filter_changed();
    }

    fn filter_changed(&mut self) {
        self.filter.draft = self.read_filter(self.filter.line.as_str());
        self.complete_filter();
    }

    /// What a text means as a filter.
    fn read_filter(&self, text: &str) -> Draft {
        let text = text.trim();
        if text.is_empty() {
            return Draft::Nothing;
        }
        let read = |text: &str| {
            let filter = Filter::new(&filter::expand(text, &self.filter.named)?)?;
            filter.suits(ROWS)?;
            Ok::<_, Problem>(filter)
        };
        let asked = |text: &str, is_word: bool, filter: Filter| {
            let kinds = [Rows::CONNECTIONS, Rows::MESSAGES, Rows::FINDINGS];
            let is_of_none = kinds.iter().all(|&rows| filter.suits(rows).is_err());
            let risk = is_of_none.then_some("no row has all of these fields");
            let sift = Sift::new(filter, self.capture_start().and_then(|mark| mark.time));
            Draft::Right(Box::new(Asked { text: text.to_owned(), is_word, risk, sift }))
        };
        let words = format!("payload contains {}", filter::quote(text.trim_matches('"')));
        match read(text) {
            Ok(filter) => asked(text, false, filter),
            Err(problem) if is_plain(text) => {
                read(&words).map_or(Draft::Wrong(problem), |filter| asked(&words, true, filter))
            }
            Err(problem) => Draft::Wrong(problem),
        }
    }

    fn complete_filter(&mut self) {
        let (before, _) = self.filter.line.parts();
        let seen = |field: &filter::Field| self.book.values(field);
        let completion = filter::complete(before, ROWS, &self.filter.named, &seen);
        (self.filter.completion, self.filter.chosen, self.filter.recalls) = (completion, 0, false);
    }

    fn next_choice(&mut self, down: bool) {
        let bar = &mut self.filter;
        let last = bar.completion.choices.len().saturating_sub(1);
        bar.chosen = if down { (bar.chosen + 1).min(last) } else { bar.chosen.saturating_sub(1) };
    }

    /// Takes the choice into the line, with a blank where something has to follow.
    fn accept_choice(&mut self) {
        let bar = &mut self.filter;
        let Some(choice) = bar.completion.choices.get(bar.chosen) else { return };
        let ends = choice.text.ends_with('(') || bar.line.parts().1.starts_with(' ') || bar.recalls;
        let text = format!("{}{}", choice.text, if ends { "" } else { " " });
        bar.line.replace(bar.completion.span.clone(), &text);
        self.filter_changed();
    }

    /// Whether up and down go through the filters of before.
    fn browses_past(&self) -> bool {
        self.filter.recalled.is_some() || self.filter.line.as_str().is_empty() && !self.filter.past.is_empty()
    }

    /// Puts another filter of before into the line; behind the last one nothing.
    fn recall(&mut self, later: bool) {
        let len = self.filter.past.len();
        let at = self.filter.recalled.unwrap_or(len);
        let at = if later { at + 1 } else { at.saturating_sub(1) };
        let text = self.filter.past.get(at).cloned().unwrap_or_default();
        self.filter.line.set(&text);
        self.filter.recalled = (at < len).then_some(at);
        self.filter_changed();
    }

    /// Offers the filters of before that have in them what is typed.
    fn search_past(&mut self) {
        let bar = &mut self.filter;
        let typed = bar.line.as_str().to_lowercase();
        let fits = bar.past.iter().rev().filter(|old| old.to_lowercase().contains(&typed));
        let choices: Vec<_> =
            fits.map(|old| filter::Choice { text: old.clone(), kind: "", about: String::new() }).collect();
        if choices.is_empty() {
            return self.say("no filter of before has that in it");
        }
        bar.completion = Completion { span: 0..bar.line.as_str().len(), choices };
        (bar.chosen, bar.recalls) = (0, true);
    }

    fn enter_filter(&mut self) {
        match std::mem::take(&mut self.filter.draft) {
            Draft::Nothing => {
                self.overlay = Overlay::None;
                self.drop_filter();
            }
            Draft::Wrong(problem) => {
                self.filter.line.go_to(problem.span.start);
                self.filter.draft = Draft::Wrong(problem);
            }
            Draft::Right(asked) => {
                self.overlay = Overlay::None;
                self.filter.remember(&asked.text);
                self.ask(Effect::Remember(asked.text.clone()));
                self.run_filter(asked);
            }
        }
    }

    /// Applies a filter; one that makes no sense is put into the bar.
    pub(super) fn apply_filter(&mut self, text: &str) {
        match self.read_filter(text) {
            Draft::Right(asked) if !asked.is_word => {
                self.filter.remember(text);
                self.run_filter(asked);
            }
            _ => self.type_filter(text),
        }
    }

    /// Nothing is left of the filter.
    pub(super) fn drop_filter(&mut self) {
        (self.filter.running, self.filter.shelved) = (None, None);
        self.filter.text.clear();
        self.filter.is_off = false;
        if self.book.set_sift(None).is_some() {
            self.settle();
            self.show_selected();
        }
    }

    fn run_filter(&mut self, asked: Box<Asked>) {
        self.filter.running = Some(asked);
        self.filter_on(Instant::now() + super::find::SLICE);
    }

    /// Switches the filter off and on; its text is kept.
    pub(super) fn toggle_filter(&mut self) {
        match (self.filter.text.is_empty(), self.filter.is_off) {
            (true, _) => self.say(format!("no filter to switch on: {} begins one", self.key_of(Action::Filter))),
            (false, false) => self.filter_off(),
            (false, true) => match self.filter.shelved.take() {
                Some(asked) => self.run_filter(asked),
                None => {
                    if let Draft::Right(asked) = self.read_filter(&self.filter.text) {
                        self.run_filter(asked);
                    }
                }
            },
        }
    }

    pub(super) fn filter_off(&mut self) {
        if let Some(sift) = self.book.set_sift(None) {
            let text = self.filter.text.clone();
            self.filter.shelved = Some(Box::new(Asked { text, is_word: false, risk: None, sift }));
        }
        self.filter.is_off = !self.filter.text.is_empty();
        self.settle();
        self.show_selected();
    }

    /// Whether a filter has still something to be asked of.
    pub(super) fn filter_is_busy(&self) -> bool {
        let types = self.overlay == Overlay::Filter;
        let draft_lags = matches!(&self.filter.draft, Draft::Right(asked) if types && !asked.sift.is_done(&self.book));
        draft_lags || self.filter.running.is_some() || self.book.sift_lags()
    }

    /// Asks the filters of the book until then: what is being typed is only counted.
    pub(super) fn filter_on(&mut self, until: Instant) {
        if self.overlay == Overlay::Filter
            && let Draft::Right(asked) = &mut self.filter.draft
            && !asked.sift.is_done(&self.book)
        {
            return asked.sift.go_on(&self.book, until);
        }
        match self.filter.running.take() {
            None => self.book.sift_on(until),
            Some(mut asked) => {
                asked.sift.go_on(&self.book, until);
                if !asked.sift.is_done(&self.book) {
                    self.filter.running = Some(asked);
                    return;
                }
                let Asked { text, sift, .. } = *asked;
                (self.filter.text, self.filter.is_off, self.filter.shelved) = (text, false, None);
                self.book.set_sift(Some(sift));
                self.settle();
                self.show_selected();
            }
        }
    }

    /// What is entered but not applied yet is dropped; whether there was something.
    pub(super) fn stop_filter(&mut self) -> bool {
        let is_running = self.filter.running.take().is_some();
        if is_running {
            self.say("filter stopped: the lists are as they were");
        }
        is_running
    }

    /// The book is another one, or has come to its end: what was asked too early is asked again.
    pub(super) fn filter_again(&mut self) {
        self.ask_again(Sift::is_late);
    }

    /// Asks the filter again, where it is such a one.
    pub(super) fn ask_again(&mut self, is_stale: impl Fn(&Sift) -> bool) {
        let is_late = self.book.sift().is_some_and(is_stale);
        let is_lost = self.book.sift().is_none() && !self.filter.text.is_empty() && !self.filter.is_off;
        self.filter.shelved = None;
        let entered = self.filter.running.take().map(|asked| asked.text);
        let applied = || (is_late || is_lost).then(|| self.filter.text.clone());
        if let Some(text) = entered.or_else(applied)
            && let Draft::Right(asked) = self.read_filter(&text)
        {
            self.filter.running = Some(asked);
        }
    }
}

/// Whether a text is words to look for, not a filter with a slip in it.
fn is_plain(text: &str) -> bool {
    let is_quoted = text.len() > 2 && text.starts_with('"') && text.ends_with('"') && text.matches('"').count() == 2;
    let is_word = |word: &str| !["and", "or", "not", "in", "contains", "matches"].contains(&word);
    let mut words = text.split_whitespace();
    is_quoted || words.all(|word| is_word(word) && word.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)))
}
