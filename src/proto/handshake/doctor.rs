//! The handshake doctor: which rules a request and its answer keep, and why an upgrade did not come about.
//!
//! Every rule and every cause is a row of a table and a small function beside it.

mod advice;
mod connect;
mod heard;
mod refusal;
mod rules;
mod words;

pub(in crate::proto) use refusal::blocked;
pub(in crate::proto) use words::shown;

use super::excerpt::Said;
use crate::model::{Check, Endpoint, Handshake, Head, NoteCode};

/// What is judged: the handshake as far as it was captured, what the answer says in its body, and who talks to whom.
#[derive(Clone, Copy)]
pub(in crate::proto) struct Case<'a> {
    handshake: &'a Handshake,
    said: Option<&'a Said>,
    ends: (Endpoint, Endpoint),
}

/// What a rule says of a case.
enum Outcome {
    /// It does not apply, or is not worth a word.
    Silent,
    /// It was kept; what was seen.
    Kept(String),
    /// It was broken; what was seen.
    Broken(String),
}

/// A rule: the finding that its breach is, and how it is judged.
type Rule = (NoteCode, fn(&Case<'_>) -> Outcome);

impl<'a> Case<'a> {
    /// A handshake between client and server.
    pub(in crate::proto) const fn new(handshake: &'a Handshake, ends: (Endpoint, Endpoint)) -> Self {
        Self { handshake, said: None, ends }
    }

    /// With what the body of the answer says.
    pub(in crate::proto) const fn saying(self, said: Option<&'a Said>) -> Self {
        Self { said, ..self }
    }

    fn request(&self) -> Option<&'a Head> {
        self.handshake.request.as_ref()
    }

    fn answer(&self) -> Option<&'a Head> {
        self.handshake.response.as_ref()
    }

    /// Whether HTTP/2 carries it (RFC 8441).
    fn is_h2(&self) -> bool {
        self.request().or(self.answer()).is_some_and(Head::is_h2)
    }

    /// What is to be said of the request.
    pub(in crate::proto) fn request_checks(&self) -> Vec<Check> {
        let rules = if self.is_h2() { connect::REQUEST } else { rules::REQUEST };
        self.walk(rules).chain(self.walk(advice::REQUEST)).collect()
    }

    /// What of it holds for the first drafts as well.
    pub(in crate::proto) fn request_advice(&self) -> Vec<Check> {
        self.walk(advice::REQUEST).collect()
    }

    /// The same of an answer.
    pub(in crate::proto) fn draft_answer_checks(&self) -> Vec<Check> {
        refusal::why(self).into_iter().chain(self.walk(advice::ANSWER)).collect()
    }

    /// What is to be said of the answer.
    pub(in crate::proto) fn answer_checks(&self) -> Vec<Check> {
        let refused = refusal::why(self);
        let rules = match (&refused, self.is_h2()) {
            (Some(_), _) => &[],
            (None, false) => rules::ACCEPTED,
            (None, true) => connect::ACCEPTED,
        };
        let of_version = self.walk(rules::ANSWER);
        of_version.chain(refused).chain(self.walk(rules)).chain(self.walk(advice::ANSWER)).collect()
    }

    fn walk(&self, rules: &'static [Rule]) -> impl Iterator<Item = Check> {
        rules.iter().filter_map(|&(code, judge)| match judge(self) {
            Outcome::Silent => None,
            Outcome::Kept(detail) => Some(Check { code, ok: true, detail }),
            Outcome::Broken(detail) => Some(Check { code, ok: false, detail }),
        })
    }
}

impl Outcome {
    /// Kept or broken, as seen.
    fn of(kept: bool, seen: String) -> Self {
        if kept { Self::Kept(seen) } else { Self::Broken(seen) }
    }

    /// Broken with these faults, if there is any.
    fn faults(faults: &[String]) -> Self {
        if faults.is_empty() { Self::Silent } else { Self::Broken(faults.join(", ")) }
    }
}
