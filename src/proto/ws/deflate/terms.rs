//! What a sender agreed to about its compression (RFC 7692 §7.1), and whether it keeps to it.

use flate2::{Decompress, FlushDecompress, Status};

/// What binds the sender of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Terms {
    /// Messages may refer to the ones before them (§7.1.1).
    pub(in super::super) takeover: bool,
    /// They refer back by 2 to the power of this at most (§7.1.2).
    pub(in super::super) window_bits: u8,
}

/// How a sender broke them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Breach {
    /// A message refers to an earlier one.
    Context,
    /// It refers farther back than the window reaches.
    Window,
}

/// Inflates as one who relies on the agreement does, and sees where that fails. It looks at the beginning of a direction only,
/// since a sender breaks its word early or never.
#[derive(Debug)]
pub(super) struct Watch {
    terms: Terms,
    /// Knows the whole message, and those before it if they may be referred to.
    state: Decompress,
    narrow: Option<Narrow>,
    /// Bytes of the message so far.
    made: u64,
    /// Bytes that are still looked at.
    left: u64,
    /// Bytes inflated at a time.
    step: usize,
    found: Option<Breach>,
}

/// Inflates the same, and finds the wrong bytes beyond the window.
#[derive(Debug)]
struct Narrow {
    state: Decompress,
    /// The last two windows of what was inflated.
    history: Vec<u8>,
    window: usize,
}

/// Inflated bytes of a direction that are looked at.
const WATCHED: u64 = 64 << 10;
/// Of a window, the part that is inflated at a time: by so much a reference may be too long and not be seen.
const PART: usize = 16;
/// Bytes inflated at a time, the least and the most.
const STEP: [usize; 2] = [64, 1024];

impl Terms {
    /// Nothing was agreed on.
    pub(in super::super) const FREE: Self = Self { takeover: true, window_bits: 15 };
}

impl Watch {
    /// `None` where there is nothing to keep to.
    pub(super) fn new(terms: Terms) -> Option<Box<Self>> {
        let narrow = (terms.window_bits < Terms::FREE.window_bits).then(|| Narrow::new(terms.window_bits));
        (terms != Terms::FREE).then(|| {
            let state = Decompress::new(false);
            let [least, most] = STEP;
            let step = narrow.as_ref().map_or(most, |narrow| (narrow.window / PART).clamp(least, most));
            Box::new(Self { terms, state, narrow, made: 0, left: WATCHED, step, found: None })
        })
    }

    /// Begins a message.
    pub(super) fn begin(&mut self) {
        if !self.terms.takeover {
            self.state.reset(false);
            if let Some(narrow) = &mut self.narrow {
                narrow.reset();
            }
        }
        self.made = 0;
    }

    /// Takes the next bytes of the message; false when no more need come.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let mut input = bytes;
        let mut room = [0; STEP[1]];
        let out = room.get_mut(..self.step).unwrap_or_default();
        loop {
            let before = (self.state.total_in(), self.state.total_out());
            let Ok(status) = self.state.decompress(input, out, FlushDecompress::Sync) else {
                let Terms { takeover, window_bits } = self.terms;
                let context = !takeover && (window_bits >= 15 || self.made < 1 << window_bits);
                self.found = Some(if context { Breach::Context } else { Breach::Window });
                return false;
            };
            let made = self.state.total_out() - before.1;
            let used = usize::try_from(self.state.total_in() - before.0).unwrap_or(usize::MAX);
            self.made += made;
            self.left = self.left.saturating_sub(made);
            let fresh = out.get(..usize::try_from(made).unwrap_or(self.step)).unwrap_or_default();
            if self.narrow.as_mut().is_some_and(|narrow| !narrow.gives(input, fresh, self.step)) {
                self.found = Some(Breach::Window);
                return false;
            }
            input = input.get(used..).unwrap_or_default();
            // Behind a final block a new stream begins: that is not followed.
            if status == Status::StreamEnd || self.left == 0 {
                return false;
            }
            if made < self.step as u64 {
                return true;
            }
        }
    }

    /// How the terms were broken, if they were.
    pub(super) const fn found(&self) -> Option<Breach> {
        self.found
    }
}

impl Narrow {
    fn new(window_bits: u8) -> Self {
        Self { state: Decompress::new(false), history: Vec::new(), window: 1 << window_bits }
    }

    fn reset(&mut self) {
        self.state.reset(false);
        self.history.clear();
    }

    /// Whether the input gives these bytes although what lies beyond the window is turned round.
    fn gives(&mut self, input: &[u8], fresh: &[u8], step: usize) -> bool {
        let mut room = [0; STEP[1]];
        let out = room.get_mut(..step).unwrap_or_default();
        let before = self.state.total_out();
        let result = self.state.decompress(input, out, FlushDecompress::Sync);
        let made = usize::try_from(self.state.total_out() - before).unwrap_or(step);
        if result.is_err() || out.get(..made) != Some(fresh) {
            return false;
        }
        self.history.extend_from_slice(fresh);
        let needless = self.history.len().saturating_sub(2 * self.window);
        self.history.drain(..needless);
        let beyond = self.history.len().saturating_sub(self.window);
        if beyond == 0 {
            return true;
        }
        let turned = |(at, &byte): (usize, &u8)| if at < beyond { !byte } else { byte };
        let dictionary: Vec<u8> = self.history.iter().enumerate().map(turned).collect();
        self.state.set_dictionary(&dictionary).is_ok()
    }
}
