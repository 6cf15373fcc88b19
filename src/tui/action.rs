//! What can be done, by whatever key or click.

use super::app::Pane;
use super::bytes;
use super::layout::WIDE;
use super::list::Move;

/// The screens, by the digit that shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// Which connections there are.
    Connections,
    /// What was said on one of them.
    Messages,
    /// Why it opened, or did not.
    Handshake,
    /// Which bytes that is.
    Bytes,
    /// When, and how much.
    Stats,
    /// What is wrong.
    Findings,
}

/// How the panes of a screen stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Two panes: side by side, or one above the other.
    Two,
    /// Two panes above a third.
    TwoAbove,
    /// Two panes below a first.
    TwoBelow,
    /// Three panes below a first: side by side, or one above the other.
    ThreeBelow,
}

impl Screen {
    /// All screens, in the order of the tabs.
    pub const ALL: [Self; 6] =
        [Self::Connections, Self::Messages, Self::Handshake, Self::Bytes, Self::Stats, Self::Findings];

    /// The digit that shows it.
    pub const fn digit(self) -> char {
        match self {
            Self::Connections => '1',
            Self::Messages => '2',
            Self::Handshake => '3',
            Self::Bytes => '4',
            Self::Stats => '5',
            Self::Findings => '6',
        }
    }

    /// The name on its tab.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "Connections",
            Self::Messages => "Messages",
            Self::Handshake => "Handshake",
            Self::Bytes => "Bytes",
            Self::Stats => "Stats",
            Self::Findings => "Findings",
        }
    }

    /// Its panes, in the order of Tab.
    pub const fn panes(self) -> &'static [Pane] {
        match self {
            Self::Connections => &[Pane::Connections, Pane::Summary],
            Self::Messages => &[Pane::Messages, Pane::Detail],
            Self::Handshake => &[Pane::Request, Pane::Response, Pane::Checks],
            Self::Bytes => &[Pane::Frames, Pane::Fields, Pane::Bytes],
            Self::Stats => &[Pane::Throughput, Pane::Sizes, Pane::RoundTrips, Pane::Types],
            Self::Findings => &[Pane::Findings, Pane::Explanation],
        }
    }

    /// The pane that has the focus at first.
    pub(super) const fn main_pane(self) -> Pane {
        match self {
            Self::Connections => Pane::Connections,
            Self::Messages => Pane::Messages,
            Self::Handshake => Pane::Request,
            Self::Bytes => Pane::Fields,
            Self::Stats => Pane::Throughput,
            Self::Findings => Pane::Findings,
        }
    }

    /// The screen that `q` leads to.
    pub(super) const fn parent(self) -> Option<Self> {
        match self {
            Self::Connections => None,
            Self::Messages | Self::Handshake | Self::Stats | Self::Findings => Some(Self::Connections),
            Self::Bytes => Some(Self::Messages),
        }
    }

    pub(super) const fn shape(self) -> Shape {
        match self {
            Self::Connections | Self::Messages | Self::Findings => Shape::Two,
            Self::Handshake => Shape::TwoAbove,
            Self::Bytes => Shape::TwoBelow,
            Self::Stats => Shape::ThreeBelow,
        }
    }

    /// Whether its two panes stand side by side when nothing else is wished.
    pub(super) const fn side_by_side(self, width: u16) -> bool {
        match self {
            Self::Connections | Self::Findings => false,
            Self::Messages => width >= WIDE,
            Self::Handshake | Self::Bytes | Self::Stats => width >= 72,
        }
    }

    /// What the first of the two panes gets, in thousandths.
    pub(super) fn first_share(self, side: bool, width: u16) -> i16 {
        match (self, side) {
            (Self::Connections, false) => 580,
            (Self::Findings, false) => 540,
            (Self::Connections | Self::Findings, true) => 600,
            (Self::Stats, _) => 520,
            (Self::Messages, true) => 570,
            (Self::Messages, false) => 620,
            (Self::Bytes, true) => bytes::fields_share(width),
            (Self::Handshake, _) | (Self::Bytes, false) => 500,
        }
    }
}

/// What there must be for an action to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// A screen with panes, empty or not.
    Screen,
    /// Rows in the pane.
    Rows,
}

impl Action {
    /// What it needs.
    pub(super) const fn needs(self) -> Needs {
        match self {
            Self::Escape | Self::Back | Self::Quit | Self::Help | Self::Command | Self::Palette | Self::DecodeAs => {
                Needs::Nothing
            }
            Self::Redraw | Self::Reload | Self::Suspend | Self::Cancel => Needs::Nothing,
            Self::Go(_) | Self::Pane(_) | Self::Connection(_) | Self::History(_) | Self::Mouse => Needs::Screen,
            Self::Columns | Self::Direction | Self::Pings | Self::Previews | Self::Severity(_) | Self::Extent(_) => {
                Needs::Screen
            }
            Self::Filter | Self::SearchAll | Self::ToggleFilter | Self::NextMark(_) | Self::OnlyMarked => Needs::Screen,
            _ => Needs::Rows,
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
    /// Type a command.
    Command,
    /// Look for what can be done.
    Palette,
    /// Type as what streams are read.
    DecodeAs,
    /// Type what to look for.
    Search,
    /// Type what to look for in the payloads of all connections.
    SearchAll,
    /// Type a filter.
    Filter,
    /// Switch the filter off and on.
    ToggleFilter,
    /// Filter by what is selected.
    ApplyField,
    /// Ways to filter by what is selected.
    FilterMenu,
    /// Describe an export.
    Export,
    /// Mark what is selected, or not.
    Mark,
    /// Type a comment on it.
    Comment,
    /// Another mark.
    NextMark(isize),
    /// Show what is marked and nothing else.
    OnlyMarked,
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
    /// Type a filter by the value under the cursor.
    Path,
    /// Read the file again.
    Reload,
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
    /// Choose the columns.
    Columns,
    /// Show both directions or one.
    Direction,
    /// Hide or show pings and pongs.
    Pings,
    /// What messages say, or their payloads as they are.
    Previews,
    /// The message that belongs to this one; what else shows a finding.
    Related,
    /// Of the same direction, or a sibling in a tree.
    Beside(isize),
    /// The messages as a list, as a conversation or on a ladder.
    Layout,
    /// The messages of one connection, or of all that its client has.
    OfClient,
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
    /// Show or hide cookies and credentials.
    Secrets,
    /// Offsets in hex or in decimal.
    Offsets,
    /// Bytes as bits or in hex.
    Bits,
    /// Begin to select bytes, or stop.
    SelectBytes,
    /// Show or hide the numbers at the cursor.
    Inspector,
    /// Another least severity.
    Severity(isize),
    /// Draw something else over time.
    Metric,
    /// Longer or shorter bins.
    Bins(isize),
    /// Measure other messages.
    Extent(isize),
}
