//! What the user makes of the browser: keys, colours, ASCII; and the palette, which knows all of it.

use super::*;
use ratatui::style::{Color, Modifier};
use wspect::tui::{ColorRule, Effect, Keyset, Preferences, ThemeName};

fn with(preferences: Preferences) -> Options {
    Options { preferences, color: ColorChoice::Always, ..options() }
}

#[test]
fn the_palette_finds_what_can_be_done() {
    check("palette", WIDE, "2<C-p>");
    check("palette_typed", NARROW, "2<C-p>time");
    check("palette_small", SMALL, "<C-p>x");
    check("palette_nothing", NARROW, "<C-p>zzz");
}

#[test]
fn the_palette_does_what_is_chosen() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "<C-p>findings<Enter>");
    assert!(picture(&app, WIDE).contains("[6 Findings"));
    // One that is typed further begins as a command.
    press(&mut app, "<C-p>theme<Enter>");
    assert!(picture(&app, WIDE).contains(" :theme"));
    press(&mut app, "<Esc><C-p>zzz<Enter>");
    assert!(picture(&app, WIDE).contains("nothing is called so"));
    press(&mut app, "<C-p>quit<Tab><Esc>");
    assert!(app.take_effects().is_empty());
    press(&mut app, "<C-p>:q<Enter>");
    assert_eq!(app.take_effects(), [Effect::Quit]);
    press(&mut app, "2<C-p>go to row<Enter>3<Enter>");
    assert!(picture(&app, WIDE).contains(" 3/13"));
}

/// Every sign of ours has one in ASCII; what is left are the data.
#[test]
fn in_ascii_nothing_but_data_is_more() {
    const DATA: &str = "雨é•";
    for size in SIZES {
        for keys in [
            "",
            "2",
            "2jjj",
            "2FF",
            "2FFc",
            "2FG",
            "3",
            "3S",
            "4",
            "2jjj4",
            "5",
            "5oo",
            "6",
            "6jj",
            "?",
            "2?G",
            "x",
            "y",
            "A",
            "C",
            "f",
            "ftype ==",
            "fwrong ==",
            "2jjj:",
            "2mjVd",
            "<C-p>",
            "z",
            "2|",
            "/x<Enter>",
            "2Gkk",
        ] {
            let preferences = Preferences { ascii: true, ..Preferences::default() };
            let mut app = browser_with(with(preferences), &story::everything(), size);
            press(&mut app, keys);
            let shown = picture(&app, size);
            let more: String = shown.chars().filter(|c| !c.is_ascii() && !DATA.contains(*c)).collect();
            assert!(more.is_empty(), "{keys} at {size:?}: {more}\n{shown}");
        }
    }
    let mut app = browser(&story::everything(), NARROW);
    press(&mut app, ":ascii<Enter>");
    assert!(picture(&app, NARROW).contains("+- Connections 5 . sorted by start ^ -"));
    press(&mut app, ":ascii<Enter>");
    assert!(picture(&app, NARROW).contains("┏━ Connections 5 · sorted by start ▲ ━"));
}

/// The colours of the cells, and how many of them have their own ground.
fn colors(app: &App) -> (Vec<Color>, usize) {
    let mut terminal = Terminal::new(TestBackend::new(WIDE.0, WIDE.1)).unwrap();
    terminal.draw(|frame| view(app, frame)).unwrap();
    let cells = &terminal.backend().buffer().content;
    let mut all: Vec<Color> = Vec::new();
    for cell in cells {
        for color in [cell.fg, cell.bg] {
            if !all.contains(&color) {
                all.push(color);
            }
        }
    }
    (all, cells.iter().filter(|cell| cell.bg != Color::Reset).count())
}

#[test]
fn themes_have_colours_of_their_own() {
    let browser_in = |color, theme| {
        let options = Options { color, ..with(Preferences { theme, ..Preferences::default() }) };
        let mut app = browser_with(options, &story::everything(), WIDE);
        press(&mut app, "2jjjmj/room<Enter>");
        app
    };
    let cells = usize::from(WIDE.0) * usize::from(WIDE.1);
    for (_, theme) in ThemeName::NAMES {
        let (all, grounds) = colors(&browser_in(ColorChoice::Always, theme));
        let has_ground = matches!(theme, ThemeName::Dark | ThemeName::Light | ThemeName::HighContrast);
        assert_eq!(all.contains(&Color::Reset), !has_ground, "{theme:?}: {all:?}");
        assert_eq!(grounds == cells, has_ground, "{theme:?}");
        assert_eq!(all == [Color::Reset], theme == ThemeName::Mono, "{theme:?}");
        // What is typed goes before what the configuration says.
        assert_eq!(colors(&browser_in(ColorChoice::Never, theme)).0, [Color::Reset], "{theme:?}");
    }
    let mut app = browser_in(ColorChoice::Always, ThemeName::Auto);
    press(&mut app, ":theme light<Enter>");
    assert_eq!(colors(&app).1, cells);
    press(&mut app, ":theme lihgt<Enter>");
    assert!(picture(&app, WIDE).contains("no theme lihgt: auto, 16, mono, dark, light, high-contrast"));
}

#[test]
fn keys_are_given_to_other_actions() {
    let keys = vec![("pings".to_owned(), vec!["P".to_owned(), "C-g".to_owned()])];
    let preferences = Preferences { keyset: Keyset::Termshark, keys, ..Preferences::default() };
    let mut app = browser_with(with(preferences), &story::everything(), WIDE);
    press(&mut app, "2/");
    assert!(picture(&app, WIDE).contains("filters of before"), "{}", picture(&app, WIDE));
    press(&mut app, "<Esc><C-f>");
    assert!(picture(&app, WIDE).lines().any(|line| line.starts_with(" /")));
    // Help and what is said know the keys as they are.
    press(&mut app, "<Esc>P");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("heartbeats hidden (P)") && shown.contains("/ edit · a filter by"), "{shown}");
    press(&mut app, "<C-g>p");
    assert!(!picture(&app, WIDE).contains("heartbeats hidden"));
    press(&mut app, "?");
    assert!(picture(&app, WIDE).contains("P C-g "));
    press(&mut app, "<Esc>:map Z zoom<Enter>Z");
    assert!(!picture(&app, WIDE).contains("Messages · connection") || !picture(&app, WIDE).contains("Message 1 "));
    for (line, words) in [
        (":map Z", "map KEY ACTION to give a key to an action"),
        (":map Z zom", "no action zom: did you mean zoom?"),
        (":map Hyper-Z zoom", "Hyper-Z is no key"),
    ] {
        press(&mut app, &format!("{line}<Enter>"));
        assert!(picture(&app, WIDE).contains(words), "{}", picture(&app, WIDE));
    }
}

/// The rows of the focused pane that are not selected, with colour and modifiers of their number.
fn looks(app: &App) -> Vec<(String, Color, Modifier)> {
    let mut terminal = Terminal::new(TestBackend::new(WIDE.0, WIDE.1)).unwrap();
    terminal.draw(|frame| view(app, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |(y, line): (usize, &str)| {
        let inside = line.strip_prefix("┃").filter(|inside| !inside.starts_with('▶'))?;
        let before = inside.chars().position(|c| c.is_ascii_digit()).filter(|&before| before < 6)?;
        let cell = &buffer[(u16::try_from(before + 1).unwrap(), u16::try_from(y).unwrap())];
        Some((inside.to_owned(), cell.fg, cell.modifier))
    };
    picture(app, WIDE).lines().enumerate().filter_map(row).collect()
}

/// The first rule that a row passes holds, on both lists; without colours only what needs none.
#[test]
fn rows_look_as_rules_say() {
    let rule = |filter: &str, style: &str| ColorRule { filter: filter.to_owned(), style: style.to_owned() };
    let rules = [("type == ping", "bold red"), ("$control", "dim"), ("conn == 1", "magenta")].map(|(f, s)| rule(f, s));
    for (color, red, magenta) in
        [(ColorChoice::Always, Color::Red, Color::Magenta), (ColorChoice::Never, Color::Reset, Color::Reset)]
    {
        let preferences = Preferences { rules: rules.to_vec(), ..Preferences::default() };
        let named = [("control".to_owned(), "websocket.opcode >= 9".to_owned())].into();
        let options = Options { color, named, ..with(preferences) };
        let mut app = browser_with(options, &story::everything(), WIDE);
        press(&mut app, "j");
        let rows = looks(&app);
        assert!(rows.len() > 2, "{rows:?}");
        for (row, hue, modifier) in rows {
            let is_first = row.trim_start().starts_with("1 ");
            assert_eq!((hue, modifier), (if is_first { magenta } else { Color::Reset }, Modifier::empty()), "{row}");
        }
        // Other columns change nothing about that.
        press(&mut app, "k2CGk <Enter>");
        let mut seen = [0; 3];
        for (row, hue, modifier) in looks(&app) {
            let (kind, expected) = if row.contains(" ping") {
                (0, (red, Modifier::BOLD))
            } else if row.contains(" pong") {
                (1, (Color::Reset, Modifier::DIM))
            } else if row.contains(" text") {
                (2, (magenta, Modifier::empty()))
            } else {
                continue;
            };
            seen[kind] += 1;
            assert_eq!((hue, modifier), expected, "{row}");
        }
        assert!(seen.iter().all(|&rows| rows > 0), "{seen:?}");
    }
}

/// For readers of screens there is one pane, no frame, and the cursor stands on what is selected.
#[test]
fn plain_pictures_can_be_read_aloud() {
    let preferences = || Preferences { plain: true, ..Preferences::default() };
    for (name, keys) in
        [("plain_connections", ""), ("plain_messages", "2jj"), ("plain_menu", "2jjy"), ("plain_typed", "fty")]
    {
        let options = Options { color: ColorChoice::Never, ..with(preferences()) };
        let mut app = browser_with(options, &story::everything(), NARROW);
        press(&mut app, keys);
        shot(name, &picture(&app, NARROW));
    }
    let mut app = browser_with(with(preferences()), &story::everything(), NARROW);
    for (keys, row) in [("", ">"), ("2jj", "> text"), ("y", "y  row"), ("<Esc>/room", "/room")] {
        press(&mut app, keys);
        let mut terminal = Terminal::new(TestBackend::new(NARROW.0, NARROW.1)).unwrap();
        terminal.draw(|frame| view(&app, frame)).unwrap();
        let position = terminal.get_cursor_position().unwrap();
        let shown = picture(&app, NARROW);
        let line = shown.lines().nth(position.y.into()).unwrap();
        assert!(line.contains(row), "{keys}: {position:?} {line}\n{shown}");
    }
}
