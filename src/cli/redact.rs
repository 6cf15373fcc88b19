//! What is redacted: flags → a [`Redactor`].

use super::args::{Command, Format};
use super::exit::{Exit, Failure};
use crate::export::{Redactor, Rule};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Replaces what the rules name, under a key that this run alone has.
///
/// # Errors
/// When the system has no random bytes to give.
pub(super) fn redactor(rules: Vec<Rule>) -> Result<Redactor, Failure> {
    let mut key = [0; 32];
    if !rules.is_empty() && SystemRandom::new().fill(&mut key).is_err() {
        return Err(Failure::new(Exit::Internal, "nothing can be redacted: the system has no random bytes"));
    }
    Ok(Redactor::new(rules, key))
}

/// One `--redact`.
#[derive(Debug, Clone)]
pub(super) struct RuleList(Vec<Rule>);

/// `cookies,query:token,regex:a,b`: a pattern may have commas, so it takes the rest.
pub(super) fn list(text: &str) -> Result<RuleList, String> {
    let pattern = text.match_indices("regex:").map(|(at, _)| text.split_at(at));
    let mut pattern = pattern.filter(|(before, _)| before.trim_end().is_empty() || before.trim_end().ends_with(','));
    let (names, pattern) = pattern.next().unwrap_or((text, ""));
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let rules: Vec<Rule> =
        names.chain(Some(pattern).filter(|pattern| !pattern.is_empty())).map(str::parse).collect::<Result<_, _>>()?;
    if rules.is_empty() { Err("nothing is named".to_owned()) } else { Ok(RuleList(rules)) }
}

/// What a command redacts: what it is told to, and unasked cookies and credentials where a file is made to be handed on.
///
/// # Errors
/// When it is told to redact what it copies as it is.
pub(super) fn rules(command: Option<&Command>, asked: Vec<RuleList>) -> Result<Vec<Rule>, Failure> {
    let asked = asked.into_iter().flat_map(|RuleList(rules)| rules);
    let Some(Command::Export(export)) = command else { return Ok(asked.collect()) };
    let unasked: &[Rule] = match export.format {
        Format::Har | Format::Html if !export.no_redact => &[Rule::Cookies, Rule::Authorization],
        _ => &[],
    };
    let rules: Vec<Rule> = unasked.iter().cloned().chain(asked).collect();
    if export.format == Format::Pcapng && !rules.is_empty() {
        let why = "export pcapng copies packets as they are: --redact is for the other formats";
        return Err(Failure::new(Exit::Usage, why));
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let read = |text: &str| list(text).map(|RuleList(rules)| format!("{rules:?}"));
        assert_eq!(read("cookies, query:token").unwrap(), r#"[Cookies, Query("token")]"#);
        assert_eq!(read("json:a,regex:b,c").unwrap(), r#"[Json("a"), Regex(Regex("b,c"))]"#);
        assert_eq!(read("regex:regex:,a").unwrap(), r#"[Regex(Regex("regex:,a"))]"#);
        assert_eq!(read("json:regex:a, regex:b").unwrap(), r#"[Json("regex:a"), Regex(Regex("b"))]"#);
        for wrong in ["", ",", "cookies,passwords", "regex:("] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
