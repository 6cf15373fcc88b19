//! Captures → packets → TCP segments: every format, clock, link type and kind of damage.

mod oracle;
