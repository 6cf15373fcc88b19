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

/// Inflates with no more history than was agreed on, and sees what does not inflate so: who relies on the agreement could not
/// read it. It looks at the beginning of a direction only, since a sender breaks its word early or never.
#[derive(Debug)]
pub(super) struct Watch {
    terms: Terms,
    state: Decompress,
    /// Bytes of the message so far.
    made: u64,
    /// Bytes that are still looked at.
    left: u64,
    found: Option<Breach>,
}

/// Inflated bytes of a direction that are looked at.
const WATCHED: u64 = 64 << 10;
/// Bytes inflated at a time: references within them are not measured.
const STEP: usize = 64;

impl Terms {
    /// Nothing was agreed on.
    pub(in super::super) const FREE: Self = Self { takeover: true, window_bits: 15 };
}

impl Watch {
    /// `None` where there is nothing to keep to.
    pub(super) fn new(terms: Terms) -> Option<Box<Self>> {
        // zlib compresses with 9 bits where 8 are agreed on, and never refers farther back than 8 would reach.
        let bits = terms.window_bits.clamp(9, 15);
        let state = || Decompress::new_with_window_bits(false, bits);
        (terms != Terms::FREE).then(|| Box::new(Self { terms, state: state(), made: 0, left: WATCHED, found: None }))
    }

    /// Begins a message.
    pub(super) fn begin(&mut self) {
        if !self.terms.takeover {
            self.state.reset(false);
        }
        self.made = 0;
    }

    /// Takes the next bytes of the message; false when no more need come.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let mut input = bytes;
        let mut out = [0; STEP];
        loop {
            let before = (self.state.total_in(), self.state.total_out());
            let Ok(status) = self.state.decompress(input, &mut out, FlushDecompress::Sync) else {
                let Terms { takeover, window_bits } = self.terms;
                let context = !takeover && (window_bits >= 15 || self.made < 1 << window_bits);
                self.found = Some(if context { Breach::Context } else { Breach::Window });
                return false;
            };
            let made = self.state.total_out() - before.1;
            let used = usize::try_from(self.state.total_in() - before.0).unwrap_or(usize::MAX);
            self.made += made;
            self.left = self.left.saturating_sub(made);
            input = input.get(used..).unwrap_or_default();
            // Behind a final block a new stream begins: that is not followed.
            if status == Status::StreamEnd || self.left == 0 {
                return false;
            }
            if made < STEP as u64 {
                return true;
            }
        }
    }

    /// How the terms were broken, if they were.
    pub(super) const fn found(&self) -> Option<Breach> {
        self.found
    }
}
