//! The key map: one table that dispatches keys, draws the help, fills the hint line and the palette. What the user changes of it
//! is in `keymap`.

use super::action::{Action, Screen};
use super::app::Pane;
use super::list::Move;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::borrow::Cow;

/// A key as it is pressed; Shift is part of a character, and told apart only for other keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    const fn new(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    const fn with(code: KeyCode, modifiers: KeyModifiers) -> Self {
        Self { code, modifiers }
    }

    /// The key of an event.
    pub fn of(event: &KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code, modifiers }
    }

    /// The character, of a key that types one.
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// The key of that name, as it stands in the help; arrows may be written out.
    pub(super) fn read(name: &str) -> Option<Self> {
        let (mut modifiers, mut rest) = (KeyModifiers::NONE, name);
        while let Some((prefix, behind)) = rest.split_once('-').filter(|(_, behind)| !behind.is_empty()) {
            modifiers |= match prefix {
                "C" => KeyModifiers::CONTROL,
                "A" => KeyModifiers::ALT,
                "S" => KeyModifiers::SHIFT,
                _ => return None,
            };
            rest = behind;
        }
        let code = match rest {
            "Space" => KeyCode::Char(' '),
            "Enter" => KeyCode::Enter,
            "Esc" => KeyCode::Esc,
            "Tab" if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            "Tab" => KeyCode::Tab,
            "Backspace" => KeyCode::Backspace,
            "Del" => KeyCode::Delete,
            "Ins" => KeyCode::Insert,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "PgUp" => KeyCode::PageUp,
            "PgDn" => KeyCode::PageDown,
            "↑" | "Up" => KeyCode::Up,
            "↓" | "Down" => KeyCode::Down,
            "←" | "Left" => KeyCode::Left,
            "→" | "Right" => KeyCode::Right,
            other => match (other.strip_prefix('F').and_then(|n| n.parse().ok()), other.chars().next()) {
                (Some(number), _) if (1..=24).contains(&number) => KeyCode::F(number),
                (_, Some(letter)) if other.chars().count() == 1 => KeyCode::Char(letter),
                _ => return None,
            },
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Some(Self { code, modifiers })
    }

    /// The name in help and hints: `C-d`, `S-Tab`, `↓`.
    pub fn name(self) -> String {
        let mut out = String::new();
        for (modifier, prefix) in
            [(KeyModifiers::CONTROL, "C-"), (KeyModifiers::ALT, "A-"), (KeyModifiers::SHIFT, "S-")]
        {
            if self.modifiers.contains(modifier) {
                out.push_str(prefix);
            }
        }
        match self.code {
            KeyCode::Char(' ') => out.push_str("Space"),
            KeyCode::Char(c) => out.push(c),
            KeyCode::F(n) => out.push_str(&format!("F{n}")),
            KeyCode::Up => out.push('↑'),
            KeyCode::Down => out.push('↓'),
            KeyCode::Left => out.push('←'),
            KeyCode::Right => out.push('→'),
            KeyCode::PageUp => out.push_str("PgUp"),
            KeyCode::PageDown => out.push_str("PgDn"),
            KeyCode::BackTab => out.push_str("S-Tab"),
            KeyCode::Esc => out.push_str("Esc"),
            KeyCode::Enter => out.push_str("Enter"),
            other => out.push_str(&other.to_string()),
        }
        out
    }
}

const fn c(c: char) -> Key {
    Key::new(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Key {
    Key::with(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn alt(code: KeyCode) -> Key {
    Key::with(code, KeyModifiers::ALT)
}

const fn shift(code: KeyCode) -> Key {
    Key::with(code, KeyModifiers::SHIFT)
}

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In every pane.
    Everywhere,
    /// In these panes.
    In(&'static [Pane]),
}

impl Scope {
    /// Whether a binding of this scope holds in a pane.
    pub fn holds(self, pane: Pane) -> bool {
        match self {
            Self::Everywhere => true,
            Self::In(panes) => panes.contains(&pane),
        }
    }
}

/// One line of the help: keys that belong together, and what each does.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Where it holds.
    pub scope: Scope,
    /// The keys with their actions.
    pub keys: Cow<'static, [(Key, Action)]>,
    /// What the keys do, in words.
    pub label: &'static str,
    /// Place (lower comes first), number of keys shown and words in the hint line.
    pub hint: Option<(u8, usize, &'static str)>,
}

const fn all(keys: &'static [(Key, Action)], label: &'static str) -> Binding {
    Binding { scope: Scope::Everywhere, keys: Cow::Borrowed(keys), label, hint: None }
}

const fn on(panes: &'static [Pane], keys: &'static [(Key, Action)], label: &'static str) -> Binding {
    Binding { scope: Scope::In(panes), keys: Cow::Borrowed(keys), label, hint: None }
}

impl Binding {
    const fn hint(mut self, place: u8, keys: usize, words: &'static str) -> Self {
        self.hint = Some((place, keys, words));
        self
    }

    /// The names of the first keys: `J/K`, `{ }`, `Enter`.
    pub fn names(&self, count: usize) -> String {
        let names: Vec<String> = self.keys.iter().take(count).map(|(key, _)| key.name()).collect();
        let letters = names.iter().all(|name| name.chars().all(char::is_alphanumeric) && name.len() == 1);
        names.join(if letters { "/" } else { " " })
    }
}

const ON_CONNECTIONS: &[Pane] = &[Pane::Connections, Pane::Summary];
const ON_MESSAGES: &[Pane] = &[Pane::Messages, Pane::Detail];
const ON_HANDSHAKE: &[Pane] = &[Pane::Request, Pane::Response, Pane::Checks];
const ON_BYTES: &[Pane] = &[Pane::Frames, Pane::Fields, Pane::Bytes];
const ON_STATS: &[Pane] = &[Pane::Throughput, Pane::Sizes, Pane::RoundTrips, Pane::Types];
const ON_FINDINGS: &[Pane] = &[Pane::Findings, Pane::Explanation];
const WITH_TIMES: &[Pane] = &[Pane::Connections, Pane::Summary, Pane::Messages, Pane::Detail];
const BELOW_THE_FIRST: &[Pane] = &[
    Pane::Messages,
    Pane::Detail,
    Pane::Request,
    Pane::Response,
    Pane::Checks,
    Pane::Frames,
    Pane::Fields,
    Pane::Bytes,
    Pane::Throughput,
    Pane::Sizes,
    Pane::RoundTrips,
    Pane::Types,
    Pane::Findings,
    Pane::Explanation,
];

const WITH_COLUMNS: &[Pane] = &[Pane::Connections, Pane::Summary, Pane::Messages, Pane::Detail];

const WITH_RULES: &[Pane] =
    &[Pane::Connections, Pane::Summary, Pane::Messages, Pane::Detail, Pane::Frames, Pane::Fields, Pane::Bytes];

const ENTER: Key = Key::new(KeyCode::Enter);

/// All keys. Within one pane no key has two meanings; a test says so.
pub static KEYMAP: &[Binding] = &[
    // What Enter does, pane by pane.
    on(ON_CONNECTIONS, &[(ENTER, Action::Enter)], "open the connection's messages").hint(1, 1, "messages"),
    on(&[Pane::Messages], &[(ENTER, Action::Enter)], "open the message's bytes").hint(1, 1, "bytes"),
    on(&[Pane::Detail], &[(ENTER, Action::Enter)], "fold or unfold; without a tree: open the bytes").hint(1, 1, "open"),
    on(ON_HANDSHAKE, &[(ENTER, Action::Enter)], "open the connection's messages").hint(1, 1, "messages"),
    on(&[Pane::Frames, Pane::Bytes], &[(ENTER, Action::Enter)], "go to the fields").hint(1, 1, "fields"),
    on(&[Pane::Fields], &[(ENTER, Action::Enter)], "fold / unfold").hint(1, 1, "fold"),
    on(ON_STATS, &[(ENTER, Action::Enter)], "go to the first message of the bin").hint(1, 1, "message"),
    on(ON_FINDINGS, &[(ENTER, Action::Enter)], "go to the evidence").hint(1, 1, "evidence"),
    // Lists.
    on(
        &[Pane::Connections, Pane::Messages],
        &[(c('s'), Action::Sort), (c('S'), Action::SortReverse)],
        "sort by the next column / reverse",
    )
    .hint(24, 1, "sort"),
    on(WITH_RULES, &[(c('D'), Action::DecodeAs)], "what a connection, or a stream, is …").hint(97, 1, "decode as"),
    on(WITH_COLUMNS, &[(c('C'), Action::Columns), (Key::new(KeyCode::F(10)), Action::Columns)], "choose columns …")
        .hint(66, 1, "columns"),
    on(
        ON_MESSAGES,
        &[(c('v'), Action::NextView), (c('V'), Action::ChooseView)],
        "next payload view / choose a payload view",
    )
    .hint(20, 1, "view"),
    on(ON_MESSAGES, &[(c('['), Action::Tab(-1)), (c(']'), Action::Tab(1))], "previous / next tab of the payload"),
    on(ON_MESSAGES, &[(c('d'), Action::Direction)], "direction: both, →, ←").hint(21, 1, "direction"),
    on(ON_MESSAGES, &[(c('p'), Action::Pings)], "hide / show heartbeats: ping, pong and what protocols have")
        .hint(22, 1, "pings"),
    on(ON_MESSAGES, &[(c('u'), Action::Previews)], "what messages say / their payloads as they are"),
    on(ON_MESSAGES, &[(c('F'), Action::Layout)], "list / conversation / ladder").hint(23, 1, "layout"),
    on(ON_MESSAGES, &[(c('c'), Action::OfClient)], "this connection / all of its client").hint(25, 1, "client"),
    on(ON_MESSAGES, &[(c('r'), Action::Related)], "what belongs to it: reply, request, ping, pong"),
    on(ON_MESSAGES, &[(c('w'), Action::Wrap)], "wrap the payload's lines / do not"),
    on(
        &[Pane::Messages],
        &[(c('('), Action::Beside(-1)), (c(')'), Action::Beside(1))],
        "previous / next of the same direction",
    ),
    // Trees.
    on(&[Pane::Detail], &[(c('.'), Action::Path)], "filter by this value: its place, to be completed"),
    on(&[Pane::Detail], &[(c('('), Action::Beside(-1)), (c(')'), Action::Beside(1))], "previous / next sibling"),
    on(
        &[Pane::Detail, Pane::Frames, Pane::Fields, Pane::Bytes],
        &[
            (c('H'), Action::FoldAll),
            (c('L'), Action::UnfoldAll),
            (shift(KeyCode::Left), Action::FoldAll),
            (shift(KeyCode::Right), Action::UnfoldAll),
        ],
        "collapse / expand everything from here down",
    ),
    // Handshake.
    on(ON_HANDSHAKE, &[(c('S'), Action::Secrets)], "show / hide cookies and credentials").hint(20, 1, "secrets"),
    on(
        ON_HANDSHAKE,
        &[(c('('), Action::Beside(-1)), (c(')'), Action::Beside(1))],
        "the connection that the client had here before / has next",
    ),
    // Bytes.
    on(ON_BYTES, &[(c('['), Action::Tab(-1)), (c(']'), Action::Tab(1))], "previous / next byte source")
        .hint(20, 2, "source"),
    on(ON_BYTES, &[(c('('), Action::Beside(-1)), (c(')'), Action::Beside(1))], "previous / next field")
        .hint(21, 2, "field"),
    on(ON_BYTES, &[(c('v'), Action::SelectBytes)], "start / stop selecting bytes").hint(22, 1, "select"),
    on(ON_BYTES, &[(c('i'), Action::Inspector)], "show / hide the numbers at the cursor").hint(24, 1, "inspector"),
    on(ON_BYTES, &[(c('#'), Action::Offsets)], "offsets in hex / in decimal").hint(65, 1, "offsets"),
    on(ON_BYTES, &[(c('B'), Action::Bits)], "bits / hex").hint(66, 1, "bits"),
    on(ON_BYTES, &[(c('w'), Action::Wrap)], "more or fewer bytes in a row").hint(67, 1, "width"),
    // Stats.
    on(
        ON_STATS,
        &[(c('s'), Action::Extent(1)), (c('S'), Action::Extent(-1))],
        "measure all, one host, one connection / back",
    )
    .hint(20, 1, "scope"),
    on(ON_STATS, &[(c('o'), Action::Metric)], "draw bytes, messages, frames").hint(21, 1, "metric"),
    on(ON_STATS, &[(c('['), Action::Bins(-1)), (c(']'), Action::Bins(1))], "shorter / longer bins").hint(22, 2, "bins"),
    on(ON_STATS, &[(c('d'), Action::Direction)], "direction: both, →, ←").hint(23, 1, "direction"),
    on(ON_STATS, &[(c('('), Action::Beside(-1)), (c(')'), Action::Beside(1))], "previous / next bin with a message")
        .hint(24, 2, "bin"),
    // Findings.
    on(ON_FINDINGS, &[(c('s'), Action::Severity(1)), (c('S'), Action::Severity(-1))], "least severity up / down")
        .hint(20, 1, "severity"),
    on(ON_FINDINGS, &[(c('r'), Action::Related)], "go to what else shows it: the Close frame, the handshake"),
    // Times.
    on(
        WITH_TIMES,
        &[(c('t'), Action::TimeMode), (c('T'), Action::TimeReference)],
        "next time mode / set or clear the time reference",
    )
    .hint(62, 1, "time"),
    // Leaving.
    on(ON_CONNECTIONS, &[(c('q'), Action::Back)], "quit").hint(99, 1, "quit"),
    on(BELOW_THE_FIRST, &[(c('q'), Action::Back)], "back").hint(99, 1, "back"),
    all(
        &[
            (c('1'), Action::Go(Screen::Connections)),
            (c('2'), Action::Go(Screen::Messages)),
            (c('3'), Action::Go(Screen::Handshake)),
            (c('4'), Action::Go(Screen::Bytes)),
            (c('5'), Action::Go(Screen::Stats)),
            (c('6'), Action::Go(Screen::Findings)),
        ],
        "go to that screen",
    ),
    all(
        &[(Key::new(KeyCode::Tab), Action::Pane(1)), (Key::new(KeyCode::BackTab), Action::Pane(-1))],
        "next / previous pane",
    )
    .hint(10, 1, "pane"),
    all(&[(Key::new(KeyCode::Esc), Action::Escape)], "close what is open, drop marks and selection, leave zoom"),
    all(&[(c('Q'), Action::Quit)], "quit at once"),
    all(&[(c('?'), Action::Help), (Key::new(KeyCode::F(1)), Action::Help)], "help for this pane").hint(98, 1, "help"),
    // Moving.
    all(
        &[
            (c('j'), Action::Move(Move::Rows(1))),
            (c('k'), Action::Move(Move::Rows(-1))),
            (Key::new(KeyCode::Down), Action::Move(Move::Rows(1))),
            (Key::new(KeyCode::Up), Action::Move(Move::Rows(-1))),
        ],
        "down / up",
    ),
    all(
        &[(ctrl('d'), Action::Move(Move::Halves(1))), (ctrl('u'), Action::Move(Move::Halves(-1)))],
        "half a page down / up",
    ),
    all(
        &[
            (ctrl('f'), Action::Move(Move::Pages(1))),
            (ctrl('b'), Action::Move(Move::Pages(-1))),
            (Key::new(KeyCode::PageDown), Action::Move(Move::Pages(1))),
            (Key::new(KeyCode::PageUp), Action::Move(Move::Pages(-1))),
        ],
        "a page down / up",
    ),
    all(&[(c(' '), Action::Move(Move::Pages(1))), (c('b'), Action::Move(Move::Pages(-1)))], "a page down / up"),
    all(
        &[
            (c('g'), Action::Move(Move::Top)),
            (c('G'), Action::Move(Move::Bottom)),
            (Key::new(KeyCode::Home), Action::Move(Move::Top)),
            (Key::new(KeyCode::End), Action::Move(Move::Bottom)),
        ],
        "top / bottom",
    ),
    all(
        &[
            (c('h'), Action::Left),
            (c('l'), Action::Right),
            (Key::new(KeyCode::Left), Action::Left),
            (Key::new(KeyCode::Right), Action::Right),
        ],
        "left / right: scroll, fold, unfold, move the cursor",
    ),
    all(&[(c('{'), Action::Connection(-1)), (c('}'), Action::Connection(1))], "previous / next connection").hint(
        63,
        2,
        "connection",
    ),
    all(
        &[
            (c('J'), Action::Message(1)),
            (c('K'), Action::Message(-1)),
            (Key::new(KeyCode::F(8)), Action::Message(1)),
            (Key::new(KeyCode::F(7)), Action::Message(-1)),
        ],
        "next / previous message, from any pane",
    ),
    all(
        &[
            (alt(KeyCode::Left), Action::History(-1)),
            (alt(KeyCode::Right), Action::History(1)),
            (ctrl('o'), Action::History(-1)),
        ],
        "back / forward through the places where you were",
    ),
    all(&[(c('e'), Action::Problem(1)), (c('E'), Action::Problem(-1))], "next / previous error or warning"),
    // Finding and copying.
    all(&[(c('f'), Action::Filter), (Key::new(KeyCode::F(4)), Action::Filter)], "type a display filter")
        .hint(59, 1, "filter"),
    all(&[(c('X'), Action::ToggleFilter)], "filter off / on; its text is kept"),
    all(
        &[(c('a'), Action::ApplyField), (c('A'), Action::FilterMenu)],
        "filter by what is selected / and, or, not, prepare …",
    ),
    all(&[(c('x'), Action::Export), (Key::new(KeyCode::F(2)), Action::Export)], "export …").hint(61, 1, "export"),
    all(&[(c('m'), Action::Mark), (c(';'), Action::Comment)], "mark what is selected or not / comment on it")
        .hint(64, 1, "mark"),
    all(
        &[(c('\''), Action::NextMark(1)), (c('"'), Action::NextMark(-1)), (c('M'), Action::OnlyMarked)],
        "next / previous mark / what is marked alone",
    ),
    all(&[(c('/'), Action::Search)], "search in this pane; /re/ is a regular expression").hint(60, 1, "search"),
    all(&[(c('&'), Action::SearchAll)], "search all payloads of all connections; again: the list of hits"),
    all(
        &[(c('n'), Action::Match(1)), (c('N'), Action::Match(-1)), (Key::new(KeyCode::F(3)), Action::Match(1))],
        "next / previous match",
    ),
    all(&[(c(':'), Action::Command)], "command line").hint(69, 1, "command"),
    all(&[(ctrl('p'), Action::Palette)], "everything that can be done here, by a few letters"),
    all(&[(c('y'), Action::Copy)], "copy …").hint(61, 1, "copy"),
    // The screen.
    all(&[(c('z'), Action::Zoom), (c('\\'), Action::Zoom)], "this pane alone / all panes").hint(70, 1, "zoom"),
    all(&[(c('|'), Action::Split)], "panes side by side / stacked"),
    all(
        &[(c('+'), Action::Resize(1)), (c('-'), Action::Resize(-1)), (c('='), Action::ResetPanes)],
        "grow / shrink the pane / as it was",
    ),
    all(&[(Key::new(KeyCode::F(5)), Action::Reload)], "read the file again"),
    all(&[(ctrl('l'), Action::Redraw)], "draw the screen again"),
    all(&[(ctrl('z'), Action::Suspend)], "suspend wspect"),
    all(&[(ctrl('c'), Action::Cancel)], "stop loading, filtering or searching; twice: quit"),
    all(&[(Key::new(KeyCode::F(9)), Action::Mouse)], "mouse on / off; while on, Shift selects text"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn bindings(pane: Pane) -> impl Iterator<Item = &'static Binding> {
        KEYMAP.iter().filter(move |binding| binding.scope.holds(pane))
    }

    /// A key is read by the name that it is shown with.
    #[test]
    fn keys_are_read_by_their_names() {
        for (key, _) in KEYMAP.iter().flat_map(|binding| binding.keys.iter()) {
            assert_eq!(Key::read(&key.name()), Some(*key), "{}", key.name());
        }
        assert_eq!(Key::read("Ctrl-Left"), None);
        assert_eq!([Key::read("A-Left"), Key::read("")], [Some(alt(KeyCode::Left)), None]);
    }

    #[test]
    fn no_key_has_two_meanings_in_one_pane() {
        for pane in Pane::ALL {
            let keys: Vec<_> = bindings(pane).flat_map(|binding| binding.keys.iter()).collect();
            for (at, (key, action)) in keys.iter().enumerate() {
                let other = keys.iter().skip(at + 1).find(|(other, _)| other == key);
                assert!(other.is_none(), "{} in {pane:?}: {action:?} and {other:?}", key.name());
            }
        }
    }

    #[test]
    fn every_binding_is_named_and_hinted_with_keys_it_has() {
        for binding in KEYMAP {
            assert!(!binding.label.is_empty() && !binding.keys.is_empty());
            assert!(binding.hint.is_none_or(|(_, keys, _)| keys <= binding.keys.len()));
        }
        assert!(Pane::ALL.iter().all(|&pane| bindings(pane).any(|b| b.hint.is_some_and(|(place, ..)| place < 10))));
    }

    #[test]
    fn shift_is_part_of_a_character() {
        let event = |code, modifiers| Key::of(&KeyEvent::new(code, modifiers));
        assert_eq!(event(KeyCode::Char('J'), KeyModifiers::SHIFT), c('J'));
        assert_eq!(event(KeyCode::BackTab, KeyModifiers::SHIFT), Key::new(KeyCode::BackTab));
        assert_eq!(event(KeyCode::Left, KeyModifiers::SHIFT).name(), "S-←");
        assert_eq!(event(KeyCode::Char('D'), KeyModifiers::CONTROL).name(), "C-d");
    }
}
