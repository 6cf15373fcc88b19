//! Colours by what they are for. Nothing is told by colour alone.

use crate::escape::display_str;
use crate::model::{Direction, Severity, nearest};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// Unless `NO_COLOR` is set to something.
    #[default]
    Auto,
    /// Whatever the environment says.
    Always,
    /// Bold, dim and reverse video only.
    Never,
}

/// A set of colours by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeName {
    /// The terminal's own sixteen colours, on its own ground.
    #[default]
    Auto,
    /// No colours.
    Mono,
    /// Light on a dark ground.
    Dark,
    /// Dark on a light ground.
    Light,
    /// The strongest colours on black.
    HighContrast,
}

impl ThemeName {
    /// The names in the configuration and of `:theme`.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("auto", Self::Auto),
        ("16", Self::Auto),
        ("mono", Self::Mono),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("high-contrast", Self::HighContrast),
    ];

    /// The theme of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(own, _)| *own == name).map(|&(_, theme)| theme)
    }

    const fn palette(self) -> Option<&'static Palette> {
        match self {
            Self::Auto => Some(&SIXTEEN),
            Self::Mono => None,
            Self::Dark => Some(&DARK),
            Self::Light => Some(&LIGHT),
            Self::HighContrast => Some(&HIGH_CONTRAST),
        }
    }
}

/// A colour for each purpose.
#[derive(Debug)]
struct Palette {
    /// Of plain text, and behind all; `None`: the terminal's own.
    ground: Option<(Color, Color)>,
    accent: Color,
    to_client: Color,
    error: Color,
    warning: Color,
    note: Color,
    good: Color,
    digits: Color,
    /// Of what a search found, and behind it.
    found: (Color, Color),
    /// What matters less is dim.
    dims: bool,
}

static SIXTEEN: Palette = Palette {
    ground: None,
    accent: Color::Cyan,
    to_client: Color::Green,
    error: Color::Red,
    warning: Color::Yellow,
    note: Color::Blue,
    good: Color::Green,
    digits: Color::Magenta,
    found: (Color::Black, Color::Yellow),
    dims: true,
};

static DARK: Palette = Palette {
    ground: Some((Color::Indexed(252), Color::Indexed(235))),
    accent: Color::Indexed(80),
    to_client: Color::Indexed(114),
    error: Color::Indexed(203),
    warning: Color::Indexed(221),
    note: Color::Indexed(111),
    good: Color::Indexed(114),
    digits: Color::Indexed(176),
    found: (Color::Indexed(235), Color::Indexed(221)),
    dims: true,
};

static LIGHT: Palette = Palette {
    ground: Some((Color::Indexed(236), Color::Indexed(231))),
    accent: Color::Indexed(24),
    to_client: Color::Indexed(28),
    error: Color::Indexed(160),
    warning: Color::Indexed(130),
    note: Color::Indexed(25),
    good: Color::Indexed(28),
    digits: Color::Indexed(90),
    found: (Color::Indexed(16), Color::Indexed(220)),
    dims: true,
};

static HIGH_CONTRAST: Palette = Palette {
    ground: Some((Color::Indexed(231), Color::Indexed(16))),
    accent: Color::Indexed(51),
    to_client: Color::Indexed(46),
    error: Color::Indexed(210),
    warning: Color::Indexed(226),
    note: Color::Indexed(159),
    good: Color::Indexed(46),
    digits: Color::Indexed(219),
    found: (Color::Indexed(16), Color::Indexed(226)),
    dims: false,
};

/// A colour of a palette.
type Hue = fn(&Palette) -> Color;

/// Names of colours; each theme has shades of its own for them.
const HUES: [(&str, Hue); 6] = [
    ("red", |palette| palette.error),
    ("green", |palette| palette.good),
    ("yellow", |palette| palette.warning),
    ("blue", |palette| palette.note),
    ("magenta", |palette| palette.digits),
    ("cyan", |palette| palette.accent),
];

/// What can be said besides colours.
const MODIFIERS: [(&str, Modifier); 3] =
    [("dim", Modifier::DIM), ("bold", Modifier::BOLD), ("reverse", Modifier::REVERSED)];

/// How rows look that a rule is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    modifiers: Modifier,
    /// Left out in themes without colours.
    hue: Option<Hue>,
}

impl Look {
    /// Reads `bold red`: words of the two tables, one colour at most.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut look = Self { modifiers: Modifier::empty(), hue: None };
        let names = || MODIFIERS.iter().map(|(name, _)| *name).chain(HUES.iter().map(|(name, _)| *name));
        let all = || names().collect::<Vec<_>>().join(" ");
        for word in text.split_whitespace() {
            if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
                look.modifiers |= *modifier;
            } else if let Some((_, hue)) = HUES.iter().find(|(name, _)| *name == word) {
                if look.hue.replace(*hue).is_some() {
                    return Err(format!("{} has two colours", display_str(text)));
                }
            } else {
                let meant = nearest(word, names());
                let advice =
                    meant.map_or_else(|| format!("one of {}", all()), |meant| format!("did you mean {meant}?"));
                return Err(format!("no style {}: {advice}", display_str(word)));
            }
        }
        let is_empty = look.hue.is_none() && look.modifiers.is_empty();
        if is_empty { Err(format!("a style is one or more of {}", all())) } else { Ok(look) }
    }
}

/// How things look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    /// `None`: without colours.
    palette: Option<&'static Palette>,
    choice: ColorChoice,
}

impl Theme {
    /// `choice` goes before the environment, that before the theme that was asked for.
    pub(super) fn new(choice: ColorChoice, name: ThemeName) -> Self {
        let is_colored = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Self { palette: if is_colored { name.palette() } else { None }, choice }
    }

    /// Another theme, which the user asks for while there are pictures: whatever the environment says.
    pub(super) fn changed(self, name: ThemeName) -> Self {
        let palette = if self.choice == ColorChoice::Never { None } else { name.palette() };
        Self { palette, ..self }
    }

    fn hue(self, color: impl Fn(&Palette) -> Color) -> Style {
        self.palette.map_or_else(Style::new, |palette| Style::new().fg(color(palette)))
    }

    pub(super) const fn plain(self) -> Style {
        Style::new()
    }

    pub(super) const fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn dim(self) -> Style {
        match self.palette {
            Some(palette) if !palette.dims => Style::new(),
            _ => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// A row that a rule is about.
    pub(super) fn look(self, look: Look) -> Style {
        let hue = look.hue.map_or_else(Style::new, |hue| self.hue(hue));
        let dim = if look.modifiers.contains(Modifier::DIM) { self.dim() } else { Style::new() };
        hue.patch(dim).add_modifier(look.modifiers.difference(Modifier::DIM))
    }

    /// The selected row of the focused pane.
    pub(super) const fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The selected row of a pane without the focus.
    pub(super) const fn remembered(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Text that a search found.
    pub(super) fn found(self) -> Style {
        match self.palette {
            Some(palette) => Style::new().fg(palette.found.0).bg(palette.found.1),
            None => Style::new().add_modifier(Modifier::REVERSED.union(Modifier::BOLD)),
        }
    }

    pub(super) fn border(self, focused: bool) -> Style {
        if focused { self.key() } else { self.dim() }
    }

    pub(super) fn column_head(self) -> Style {
        self.dim()
    }

    pub(super) fn key(self) -> Style {
        self.hue(|palette| palette.accent).add_modifier(Modifier::BOLD)
    }

    pub(super) fn direction(self, dir: Direction) -> Style {
        self.hue(|palette| match dir {
            Direction::ToServer => palette.accent,
            Direction::ToClient => palette.to_client,
        })
    }

    pub(super) fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.hue(|palette| palette.error).add_modifier(Modifier::BOLD),
            Severity::Warning => self.hue(|palette| palette.warning).add_modifier(Modifier::BOLD),
            Severity::Note => self.name(),
        }
    }

    pub(super) fn good(self) -> Style {
        self.hue(|palette| palette.good)
    }

    pub(super) fn name(self) -> Style {
        self.hue(|palette| palette.note)
    }

    pub(super) fn string(self) -> Style {
        self.good()
    }

    pub(super) fn digits(self) -> Style {
        self.hue(|palette| palette.digits)
    }

    pub(super) fn gap(self) -> Style {
        self.hue(|palette| palette.warning)
    }

    /// Puts the ground behind what is drawn, where the theme has one of its own.
    pub(super) fn fill(self, buf: &mut Buffer) {
        let Some((text, ground)) = self.palette.and_then(|palette| palette.ground) else { return };
        for cell in &mut buf.content {
            if cell.fg == Color::Reset {
                cell.fg = text;
            }
            if cell.bg == Color::Reset {
                cell.bg = ground;
            }
        }
    }
}
