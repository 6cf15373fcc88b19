//! Filters that have names: `$errors` stands for what is kept under that name.

use super::lex::{self, LONGEST, Token};
use super::parse::Problem;
use crate::model::nearest;
use std::collections::BTreeMap;
use std::ops::Range;

/// Filters by name.
pub type Named = BTreeMap<String, String>;

/// How deep names may stand for filters with names in them.
const DEEPEST: usize = 8;

/// The filter with what its names stand for in their place, in parentheses.
///
/// # Errors
/// A name that there is none of, or that leads back to itself. What else is wrong with the filter stays so.
pub fn expand(text: &str, named: &Named) -> Result<String, Problem> {
    within(text, named, &[])
}

fn within(text: &str, named: &Named, path: &[&str]) -> Result<String, Problem> {
    let (mut out, mut end) = (String::new(), 0);
    for (token, span) in lex::tokens(text).unwrap_or_default() {
        let Token::Named(name) = token else { continue };
        out.push_str(text.get(end..span.start).unwrap_or_default());
        out.push_str(&meaning(&name, &span, named, path)?);
        end = span.end;
        if out.len() > LONGEST {
            return Err(Problem::new(format!("`${name}` makes the filter longer than 64 KiB"), span));
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(out)
}

/// What a name at that place stands for; `path`: the names that it stands in.
fn meaning(name: &str, span: &Range<usize>, named: &Named, path: &[&str]) -> Result<String, Problem> {
    let Some(text) = named.get(name) else {
        let meant = nearest(name, named.keys().map(String::as_str));
        let hint = meant.map(|meant| format!("did you mean ${meant}?"));
        return Err(Problem { hint, ..Problem::new(format!("no filter is named `{name}`"), span.clone()) });
    };
    if path.contains(&name) {
        return Err(Problem::new(format!("`${name}` leads back to itself"), span.clone()));
    }
    if path.len() >= DEEPEST {
        return Err(Problem::new(format!("`${name}` stands for too many names in one another"), span.clone()));
    }
    let inner = within(text, named, &[path, &[name]].concat());
    let inner = inner.map_err(|problem| Problem::new(format!("`${name}`: {}", problem.text), span.clone()))?;
    Ok(format!("({inner})"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn named() -> Named {
        let filters = [
            ("errors", r#"json.type == "error""#),
            ("bad", "$errors || close_code != 1000"),
            ("round", "$about"),
            ("about", "$round"),
            ("huge", "$big || $big || $big || $big || $big || $big || $big || $big"),
            ("big", "$many || $many || $many || $many || $many || $many || $many || $many"),
            ("many", "len == 1 || len == 2 || len == 3 || len == 4 || len == 5 || len == 6 || len == 7 || len == 8"),
        ];
        filters.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
    }

    #[test]
    fn names_stand_for_filters() {
        let expanded = |text| expand(text, &named()).unwrap();
        assert_eq!(expanded("conn == 1 && !$errors"), r#"conn == 1 && !(json.type == "error")"#);
        assert_eq!(expanded("$bad"), r#"((json.type == "error") || close_code != 1000)"#);
        for same in [r#"payload contains "$errors""#, "json.$errors == 1", "host ==", r#"payload contains "$bad"#] {
            assert_eq!(expanded(same), same);
        }
        assert!(crate::filter::Filter::new(&expanded("$bad and dir == c2s")).is_ok());
    }

    #[test]
    fn names_that_stand_for_nothing_are_told() {
        let problem = |text| expand(text, &named()).unwrap_err();
        let unknown = problem("conn == 1 && $error");
        assert_eq!((unknown.text.as_str(), unknown.span), ("no filter is named `error`", 13..19));
        assert_eq!(unknown.hint.as_deref(), Some("did you mean $errors?"));
        assert_eq!(problem("$round").text, "`$round`: `$about`: `$round` leads back to itself");
        let deep = (0..10).map(|at| (format!("n{at}"), format!("$n{}", at + 1))).collect();
        assert!(expand("$n0", &deep).unwrap_err().text.contains("too many names in one another"));
        let long = "$huge || ".repeat(40) + "$huge";
        assert!(problem(&long).text.contains("longer than 64 KiB"));
    }
}
