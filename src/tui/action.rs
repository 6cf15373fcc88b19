//! What can be done, by whatever key or click.

use super::app::Pane;
use super::list::Move;

/// The screens, by the digit that shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// Which connections there are.
    Connections,
    /// What was said on one of them.
    Messages,
}

impl Screen {
    /// All screens, in the order of the tabs.
    pub const ALL: [Self; 2] = [Self::Connections, Self::Messages];

    /// The digit that shows it.
    pub const fn digit(self) -> char {
        match self {
            Self::Connections => '1',
            Self::Messages => '2',
        }
    }

    /// The name on its tab.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "Connections",
            Self::Messages => "Messages",
        }
    }

    /// Its panes, the main one first.
    pub const fn panes(self) -> &'static [Pane] {
        match self {
            Self::Connections => &[Pane::Connections, Pane::Summary],
            Self::Messages => &[Pane::Messages, Pane::Detail],
        }
    }

    /// The screen that `q` leads to.
    pub(super) const fn parent(self) -> Option<Self> {
        match self {
            Self::Connections => None,
            Self::Messages => Some(Self::Connections),
        }
    }

    /// Whether its panes stand side by side where there is room.
    pub(super) const fn prefers_side(self) -> bool {
        matches!(self, Self::Messages)
    }

    /// Percent of the screen that the first pane gets.
    pub(super) const fn first_share(self, side: bool) -> i16 {
        match (self, side) {
            (Self::Connections, false) => 67,
            (Self::Connections, true) => 60,
            (Self::Messages, true) => 57,
            (Self::Messages, false) => 62,
        }
    }
}

/// One thing that the user can ask for. Numbers are steps: 1 forward, -1 back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Show a screen.
    Go(Screen),
    /// The next pane.
    Pane(isize),
    /// Drill in.
    Enter,
    /// Close what is open.
    Escape,
    /// Back, or quit.
    Back,
    /// Quit at once.
    Quit,
    /// The keys of this pane.
    Help,
    /// Type what to look for.
    Search,
    /// The next match.
    Match(isize),
    /// Through the rows of the pane.
    Move(Move),
    /// Scroll or fold.
    Left,
    /// Scroll or unfold.
    Right,
    /// Another connection.
    Connection(isize),
    /// Another message.
    Message(isize),
    /// Another place where the user was.
    History(isize),
    /// The next error or warning.
    Problem(isize),
    /// Another time mode.
    TimeMode,
    /// Times count from the selected row.
    TimeReference,
    /// What to copy.
    Copy,
    /// One pane fills the screen.
    Zoom,
    /// Side by side or stacked.
    Split,
    /// A larger or smaller pane.
    Resize(isize),
    /// The panes as they were.
    ResetPanes,
    /// Draw everything again.
    Redraw,
    /// Give the terminal back for a while.
    Suspend,
    /// Stop what is running.
    Cancel,
    /// Take or leave the mouse.
    Mouse,
    /// Sort by another column.
    Sort,
    /// Sort the other way.
    SortReverse,
    /// Show both directions or one.
    Direction,
    /// Hide or show pings and pongs.
    Pings,
    /// The message that belongs to this one.
    Related,
    /// Of the same direction, or a sibling in a tree.
    Beside(isize),
    /// Wrap long lines.
    Wrap,
    /// Another payload view.
    NextView,
    /// A list of payload views.
    ChooseView,
    /// The next tab of the pane.
    Tab(isize),
    /// Fold everything from here down.
    FoldAll,
    /// Unfold everything from here down.
    UnfoldAll,
}
