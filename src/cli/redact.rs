//! What is redacted: flags → a [`Redactor`].

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

/// What is redacted unasked where a file is made to be handed on.
pub(super) fn of_files() -> Vec<Rule> {
    vec![Rule::Cookies, Rule::Authorization]
}
