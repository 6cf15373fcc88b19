//! What actions are called: where keys are given to them, and in the palette.

use super::action::{Action, Screen};
use super::list::Move;

/// All actions that have a key, by name.
pub(super) static NAMES: &[(&str, Action)] = &[
    ("connections", Action::Go(Screen::Connections)),
    ("messages", Action::Go(Screen::Messages)),
    ("handshake", Action::Go(Screen::Handshake)),
    ("bytes", Action::Go(Screen::Bytes)),
    ("stats", Action::Go(Screen::Stats)),
    ("findings", Action::Go(Screen::Findings)),
    ("enter", Action::Enter),
    ("escape", Action::Escape),
    ("back", Action::Back),
    ("quit", Action::Quit),
    ("help", Action::Help),
    ("palette", Action::Palette),
    ("command", Action::Command),
    ("decode-as", Action::DecodeAs),
    ("next-pane", Action::Pane(1)),
    ("previous-pane", Action::Pane(-1)),
    ("down", Action::Move(Move::Rows(1))),
    ("up", Action::Move(Move::Rows(-1))),
    ("half-page-down", Action::Move(Move::Halves(1))),
    ("half-page-up", Action::Move(Move::Halves(-1))),
    ("page-down", Action::Move(Move::Pages(1))),
    ("page-up", Action::Move(Move::Pages(-1))),
    ("top", Action::Move(Move::Top)),
    ("bottom", Action::Move(Move::Bottom)),
    ("left", Action::Left),
    ("right", Action::Right),
    ("next-connection", Action::Connection(1)),
    ("previous-connection", Action::Connection(-1)),
    ("next-message", Action::Message(1)),
    ("previous-message", Action::Message(-1)),
    ("history-back", Action::History(-1)),
    ("history-forward", Action::History(1)),
    ("next-problem", Action::Problem(1)),
    ("previous-problem", Action::Problem(-1)),
    ("filter", Action::Filter),
    ("filter-off", Action::ToggleFilter),
    ("filter-by-this", Action::ApplyField),
    ("filter-menu", Action::FilterMenu),
    ("search", Action::Search),
    ("search-all", Action::SearchAll),
    ("next-match", Action::Match(1)),
    ("previous-match", Action::Match(-1)),
    ("export", Action::Export),
    ("copy", Action::Copy),
    ("mark", Action::Mark),
    ("comment", Action::Comment),
    ("next-mark", Action::NextMark(1)),
    ("previous-mark", Action::NextMark(-1)),
    ("only-marked", Action::OnlyMarked),
    ("time-mode", Action::TimeMode),
    ("time-reference", Action::TimeReference),
    ("sort", Action::Sort),
    ("sort-reverse", Action::SortReverse),
    ("columns", Action::Columns),
    ("direction", Action::Direction),
    ("pings", Action::Pings),
    ("previews", Action::Previews),
    ("layout", Action::Layout),
    ("client", Action::OfClient),
    ("related", Action::Related),
    ("next-beside", Action::Beside(1)),
    ("previous-beside", Action::Beside(-1)),
    ("wrap", Action::Wrap),
    ("next-view", Action::NextView),
    ("choose-view", Action::ChooseView),
    ("next-tab", Action::Tab(1)),
    ("previous-tab", Action::Tab(-1)),
    ("fold-all", Action::FoldAll),
    ("unfold-all", Action::UnfoldAll),
    ("secrets", Action::Secrets),
    ("select-bytes", Action::SelectBytes),
    ("inspector", Action::Inspector),
    ("offsets", Action::Offsets),
    ("bits", Action::Bits),
    ("next-scope", Action::Extent(1)),
    ("previous-scope", Action::Extent(-1)),
    ("metric", Action::Metric),
    ("longer-bins", Action::Bins(1)),
    ("shorter-bins", Action::Bins(-1)),
    ("severity-up", Action::Severity(1)),
    ("severity-down", Action::Severity(-1)),
    ("zoom", Action::Zoom),
    ("split", Action::Split),
    ("grow", Action::Resize(1)),
    ("shrink", Action::Resize(-1)),
    ("reset-panes", Action::ResetPanes),
    ("redraw", Action::Redraw),
    ("reload", Action::Reload),
    ("path", Action::Path),
    ("suspend", Action::Suspend),
    ("cancel", Action::Cancel),
    ("mouse", Action::Mouse),
];

/// The action of that name.
pub(super) fn named(name: &str) -> Option<Action> {
    NAMES.iter().find(|(own, _)| *own == name).map(|&(_, action)| action)
}

/// The name of an action.
pub(super) fn name_of(action: Action) -> Option<&'static str> {
    NAMES.iter().find(|&&(_, own)| own == action).map(|&(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::KEYMAP;

    #[test]
    fn every_action_with_a_key_has_one_name() {
        for (key, action) in KEYMAP.iter().flat_map(|binding| binding.keys.iter()) {
            assert!(name_of(*action).is_some(), "{} {action:?}", key.name());
        }
        for (at, (name, action)) in NAMES.iter().enumerate() {
            assert!(!NAMES.iter().skip(at + 1).any(|(other, same)| name == other || action == same), "{name}");
            assert!(KEYMAP.iter().flat_map(|binding| binding.keys.iter()).any(|(_, bound)| bound == action), "{name}");
            assert_eq!(named(name), Some(*action));
        }
    }
}
