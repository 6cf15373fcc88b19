//! Rules that say how rows look, as the configuration has them.

use super::theme::Look;
use crate::filter::{self, Filter, Named, Rows};

/// Rows that pass a filter are drawn so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColorRule {
    /// The filter; names may stand in it.
    pub filter: String,
    /// How they look: `dim`, `bold red`.
    pub style: String,
}

impl ColorRule {
    /// That the filter is one of messages or of connections.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_filter(&self, named: &Named) -> Result<(), String> {
        let filter = self.read(named).map_err(|problem| problem.to_string())?;
        let suits =
            filter.suits(Rows::MESSAGES).or_else(|problem| filter.suits(Rows::CONNECTIONS).map_err(|_| problem));
        suits.map_err(|problem| problem.to_string())
    }

    /// That the style is one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_style(&self) -> Result<(), String> {
        Look::read(&self.style).map(drop)
    }

    fn read(&self, named: &Named) -> Result<Filter, filter::Problem> {
        Filter::new(&filter::expand(&self.filter, named)?)
    }
}

/// A rule, ready to be asked of rows.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) filter: Filter,
    pub(super) look: Look,
}

impl Rule {
    /// The rules for such rows; what is wrong with one was told before.
    pub(super) fn all(rules: &[ColorRule], named: &Named, rows: Rows) -> Vec<Self> {
        let read = |rule: &ColorRule| {
            let filter = rule.read(named).ok().filter(|filter| filter.suits(rows).is_ok())?;
            Some(Self { filter, look: Look::read(&rule.style).ok()? })
        };
        rules.iter().filter_map(read).collect()
    }
}
