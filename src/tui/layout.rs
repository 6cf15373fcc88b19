//! Where on the screen everything is: a function of size, screen and the user's wishes.

use super::action::{Screen, Shape};
use super::app::Pane;
use ratatui::layout::{Position, Rect};

/// The smallest screen that can be drawn.
pub(super) const SMALLEST: (u16, u16) = (40, 10);

/// From this width on there is room for panes side by side and for long names.
pub(super) const WIDE: u16 = 110;

/// Below this height of the body, or this width of a half, only the focused pane is shown.
const TWO_PANES: (u16, u16) = (28, 12);

/// From this height on the filter has a row, also where there is none.
pub(super) const ROOM_FOR_FILTER: u16 = 16;

/// How two panes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Split {
    /// As the width allows.
    #[default]
    Auto,
    /// Side by side.
    Side,
    /// One above the other.
    Stacked,
}

/// What decides the layout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes {
    pub(super) size: (u16, u16),
    pub(super) screen: Screen,
    pub(super) focus: Pane,
    pub(super) zoom: bool,
    pub(super) split: Split,
    /// Percent by which the first pane is larger than it would be.
    pub(super) share: i16,
    /// A row below the header says something on every screen.
    pub(super) banner: bool,
    /// The filter has a row below the header.
    pub(super) filter: bool,
}

/// The border between the first pane and the rest, which can be dragged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Divider {
    /// A column.
    Column(u16),
    /// A row.
    Row(u16),
}

/// The parts of the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Regions {
    pub(super) header: Rect,
    /// Without height when it is not shown.
    pub(super) filter: Rect,
    /// Without height when there is nothing to say.
    pub(super) banner: Rect,
    pub(super) body: Rect,
    pub(super) panes: Vec<(Pane, Rect)>,
    pub(super) divider: Option<Divider>,
    /// The area that the divider divides.
    pub(super) divided: Rect,
    pub(super) status: Rect,
    pub(super) hints: Rect,
    pub(super) wide: bool,
    /// Panes stand side by side, where the screen has such.
    pub(super) side: bool,
}

impl Regions {
    /// Lays the screen out.
    pub(super) fn new(wishes: &Wishes) -> Self {
        let (width, height) = wishes.size;
        let row = |y: u16| Rect { x: 0, y, width, height: u16::from(y < height) };
        let above = 1 + u16::from(wishes.filter) + u16::from(wishes.banner);
        let body = Rect { x: 0, y: above, width, height: height.saturating_sub(above + 2) };
        let mut regions = Self {
            header: row(0),
            filter: Rect { height: u16::from(wishes.filter && height > 1), ..row(1) },
            banner: Rect { height: u16::from(wishes.banner && height > above - 1), ..row(above - 1) },
            body,
            panes: Vec::new(),
            divider: None,
            divided: body,
            status: row(height.saturating_sub(2)),
            hints: row(height.saturating_sub(1)),
            wide: width >= WIDE,
            side: match wishes.split {
                Split::Auto => wishes.screen.side_by_side(width),
                Split::Side => true,
                Split::Stacked => false,
            },
        };
        regions.place(wishes);
        regions
    }

    fn place(&mut self, wishes: &Wishes) {
        let side = self.side;
        let cramped = side && self.body.width < 2 * TWO_PANES.0 || self.body.height < TWO_PANES.1;
        if wishes.zoom || cramped {
            self.panes.push((wishes.focus, self.body));
            return;
        }
        let areas = match wishes.screen.shape() {
            Shape::Two => self.two(wishes, self.body, side).to_vec(),
            Shape::TwoAbove => {
                let (above, below) = cut(self.body, false, 560);
                [self.two(wishes, above, side).as_slice(), &[below]].concat()
            }
            Shape::TwoBelow => {
                // Where there is little room one line says which frame it is.
                let height = if self.wide && self.body.height >= 24 { 6 } else { 1 };
                let above = Rect { height, ..self.body };
                let below = Rect { y: self.body.y + height, height: self.body.height - height, ..self.body };
                [&[above], self.two(wishes, below, side).as_slice()].concat()
            }
            Shape::ThreeBelow => {
                let [above, below] = self.two(wishes, self.body, false);
                [&[above], thirds(below, side).as_slice()].concat()
            }
        };
        self.panes = wishes.screen.panes().iter().copied().zip(areas).collect();
    }

    /// Two panes, whose border can be dragged.
    fn two(&mut self, wishes: &Wishes, area: Rect, side: bool) -> [Rect; 2] {
        let (first, second) = cut(area, side, share(wishes, side));
        self.divider = Some(if side { Divider::Column(second.x) } else { Divider::Row(second.y) });
        self.divided = area;
        [first, second]
    }

    /// The area of a pane, when it is shown.
    pub(super) fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(other, _)| *other == pane).map(|&(_, area)| area)
    }

    /// Columns and rows inside a pane's border; what a hidden pane would have is guessed from the body.
    pub(super) fn inside(&self, pane: Pane) -> (usize, usize) {
        let area = self.pane(pane).unwrap_or(self.body);
        let inside = inner(area);
        // The strip of frames has a row and no border: as a table it would have a head and that row.
        let rows = if area.height < 3 { 2 } else { inside.height };
        (inside.width.into(), rows.into())
    }

    /// The pane at a position.
    pub(super) fn pane_at(&self, at: Position) -> Option<(Pane, Rect)> {
        self.panes.iter().find(|(_, area)| area.contains(at)).copied()
    }
}

/// Cuts an area in three, the one in the middle a little smaller.
fn thirds(area: Rect, side: bool) -> [Rect; 3] {
    let (first, rest) = cut(area, side, 350);
    let (second, third) = cut(rest, side, 450);
    [first, second, third]
}

/// Cuts an area in two; the first part gets so many thousandths of it.
fn cut(area: Rect, side: bool, share: u16) -> (Rect, Rect) {
    let part = |whole: u16, least: u16| {
        let part = u16::try_from(u32::from(whole) * u32::from(share) / 1000).unwrap_or(whole);
        part.max(least).min(whole.saturating_sub(least))
    };
    if side {
        let width = part(area.width, 12);
        (Rect { width, ..area }, Rect { x: area.x + width, width: area.width - width, ..area })
    } else {
        let height = part(area.height, 3);
        (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
    }
}

fn share(wishes: &Wishes, side: bool) -> u16 {
    let usual = wishes.screen.first_share(side, wishes.size.0);
    u16::try_from((usual + 10 * wishes.share).clamp(100, 900)).unwrap_or(500)
}

/// An area without its border.
pub(super) fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x + u16::from(area.width > 0),
        y: area.y + u16::from(area.height > 0),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}
