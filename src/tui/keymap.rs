//! The keys as they hold: the table of keys, with what the user gave to other actions.

use super::action::Action;
use super::app::{App, Pane};
use super::keys::{Binding, KEYMAP, Key, Scope};
use super::names::{NAMES, name_of, named};
use crate::escape::display_str;
use crate::model::nearest;
use std::borrow::Cow;

/// Keys for actions by their names, as the configuration has them.
pub type Mapping = (String, Vec<String>);

/// A set of keys by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keyset {
    /// The keys of this program.
    #[default]
    Usual,
    /// Those that termshark has for filters and for finding.
    Termshark,
}

impl Keyset {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Usual, Self::Termshark];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usual => "default",
            Self::Termshark => "termshark",
        }
    }

    /// What it has otherwise.
    const fn mappings(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Usual => &[],
            Self::Termshark => &[("filter", &["/", "F4"]), ("search", &["C-f"])],
        }
    }
}

/// The keys that hold.
#[derive(Debug, Clone)]
pub(super) struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bindings: KEYMAP.to_vec() }
    }
}

impl Keymap {
    /// The keys of a set, with those of the user; what is wrong was told before.
    pub(super) fn new(set: Keyset, mappings: &[Mapping]) -> Self {
        let mut all = Self::default();
        for (name, keys) in set.mappings() {
            let _ = all.map(name, keys.iter().copied());
        }
        for (name, keys) in mappings {
            let _ = all.map(name, keys.iter().map(String::as_str));
        }
        all
    }

    /// Gives keys to an action, in place of those that it has. What the keys did before they do no more.
    ///
    /// # Errors
    /// What is wrong with the name or with a key.
    pub(super) fn map<'a>(&mut self, name: &str, keys: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let action = named(name).ok_or_else(|| {
            let meant = nearest(name, NAMES.iter().map(|(name, _)| *name));
            let advice = meant.map_or_else(String::new, |meant| format!(": did you mean {meant}?"));
            format!("no action {}{advice}", display_str(name))
        })?;
        let keys: Vec<Key> = keys
            .map(|key| Key::read(key).ok_or_else(|| format!("{} is no key", display_str(key))))
            .collect::<Result<_, _>>()?;
        let has = |pane| KEYMAP.iter().any(|binding| binding.scope.holds(pane) && binding.does(action));
        let panes: Vec<Pane> = Pane::ALL.into_iter().filter(|&pane| has(pane)).collect();
        for (binding, usual) in self.bindings.iter_mut().zip(KEYMAP) {
            let mut own = binding.keys.to_vec();
            // It has its place also where all of its keys were given away.
            let place = usual.keys.iter().position(|(_, bound)| *bound == action);
            own.retain(|(_, bound)| *bound != action);
            if panes.iter().any(|&pane| binding.scope.holds(pane)) {
                own.retain(|(key, _)| !keys.contains(key));
            }
            if let Some(place) = place {
                let place = place.min(own.len());
                own.splice(place..place, keys.iter().map(|&key| (key, action)));
            }
            if *own != *binding.keys {
                binding.keys = Cow::Owned(own);
            }
        }
        Ok(())
    }

    /// The action of a key in a pane.
    pub(super) fn action(&self, pane: Pane, key: Key) -> Option<Action> {
        let keys = self.bindings(pane).flat_map(|binding| binding.keys.iter());
        keys.into_iter().find(|(bound, _)| *bound == key).map(|&(_, action)| action)
    }

    /// The bindings of a pane that have keys.
    pub(super) fn bindings(&self, pane: Pane) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| binding.scope.holds(pane) && !binding.keys.is_empty())
    }
}

impl App {
    /// The key of an action, the focused pane's first; its name, where it has none.
    pub(super) fn key_of(&self, action: Action) -> String {
        let panes = std::iter::once(self.focused()).chain(Pane::ALL);
        let mut keys = panes.flat_map(|pane| self.keymap.bindings(pane)).flat_map(|binding| binding.keys.iter());
        let found = keys.find(|(_, bound)| *bound == action).map(|(key, _)| key.name());
        found.or_else(|| name_of(action).map(str::to_owned)).unwrap_or_default()
    }
}

/// That keys can be given so.
///
/// # Errors
/// What is wrong.
pub fn check_mapping(name: &str, keys: &[String]) -> Result<(), String> {
    Keymap::default().map(name, keys.iter().map(String::as_str))
}

impl Binding {
    fn does(&self, action: Action) -> bool {
        self.keys.iter().any(|(_, bound)| *bound == action)
    }

    /// Whether it holds in every pane.
    pub(super) fn is_everywhere(&self) -> bool {
        self.scope == Scope::Everywhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::read(name).unwrap()
    }

    #[test]
    fn a_key_that_is_given_away_does_nothing_else() {
        let mut keys = Keymap::default();
        keys.map("filter", ["/", "C-g"].into_iter()).unwrap();
        for pane in Pane::ALL {
            assert_eq!(["/", "C-g"].map(|name| keys.action(pane, key(name))), [Some(Action::Filter); 2]);
            assert_eq!(keys.action(pane, key("f")), None);
            // No key has two meanings.
            let all: Vec<Key> = keys.bindings(pane).flat_map(|it| it.keys.iter().map(|(key, _)| *key)).collect();
            assert!(all.iter().enumerate().all(|(at, key)| !all[at + 1..].contains(key)), "{pane:?}");
        }
        // One that holds in some panes takes its key from nobody else.
        keys.map("pings", ["s"].into_iter()).unwrap();
        assert_eq!(keys.action(Pane::Messages, key("s")), Some(Action::Pings));
        assert_eq!(keys.action(Pane::Findings, key("s")), Some(Action::Severity(1)));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let mut keys = Keymap::default();
        let mut said = |name: &str, key: &str| keys.map(name, [key].into_iter()).unwrap_err();
        assert_eq!(said("filtr", "f"), "no action filtr: did you mean filter?");
        assert_eq!(said("filter", "Hyper-x"), "Hyper-x is no key");
    }

    #[test]
    fn sets_of_keys_hold_what_they_name() {
        let keys = Keymap::new(Keyset::Termshark, &[]);
        let at = |name| keys.action(Pane::Messages, key(name));
        assert_eq!(
            [at("/"), at("C-f"), at("PgDn"), at("f")],
            [Some(Action::Filter), Some(Action::Search), Some(Action::Move(crate::tui::Move::Pages(1))), None]
        );
        for set in Keyset::ALL {
            for (name, keys) in set.mappings() {
                Keymap::default().map(name, keys.iter().copied()).unwrap();
            }
        }
    }
}
