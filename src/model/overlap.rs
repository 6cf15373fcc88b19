//! Which copy of a byte counts, where two segments disagree.

use std::ops::Range;
use std::str::FromStr;

/// What a receiver makes of a segment that overlaps another which it holds out of order.
///
/// The systems differ; whoever knows which one received can read what it read (Novak and Sturges, *Target-Based TCP Stream
/// Reassembly*, 2007). What was delivered is final in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// What came first stays.
    #[default]
    First,
    /// What comes last replaces it.
    Last,
    /// What comes last replaces it if it begins before, or at the same byte and ends behind.
    Linux,
    /// What comes last replaces it if it begins before.
    Bsd,
    /// As BSD.
    Windows,
    /// What comes last replaces it if it ends behind, or with it and does not begin behind.
    Solaris,
}

impl Overlap {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::First, Self::Last, Self::Linux, Self::Bsd, Self::Windows, Self::Solaris];

    /// The name that the user gives.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Linux => "linux",
            Self::Bsd => "bsd",
            Self::Windows => "windows",
            Self::Solaris => "solaris",
        }
    }

    /// Whether a segment with these bytes replaces what it has in common with one that came before, which had those.
    pub const fn replaces(self, new: &Range<u64>, old: &Range<u64>) -> bool {
        match self {
            Self::First => false,
            Self::Last => true,
            Self::Linux => new.start < old.start || new.start == old.start && new.end > old.end,
            Self::Bsd | Self::Windows => new.start < old.start,
            Self::Solaris => new.end > old.end || new.end == old.end && new.start <= old.start,
        }
    }
}

impl FromStr for Overlap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|overlap| overlap.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("one of {} is wanted", Self::ALL.map(Self::name).join(", ")))
    }
}
