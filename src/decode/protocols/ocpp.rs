//! OCPP-J 1.6 to 2.1: calls between charging stations and their management.
//!
//! ```text
//! [2, id, action, {…}] CALL │ [3, id, {…}] CALLRESULT │ [4, id, code, description, {…}] CALLERROR
//! 2.1:  [5, id, code, description, {…}] CALLRESULTERROR │ [6, id, action, {…}] SEND
//! ```

use crate::decode::members::{Json, whole};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Key, Pairing, Unit};
use std::borrow::Cow;

/// Only the subprotocol says what it is: lists that begin with a number are said everywhere.
pub(in crate::decode) fn claims(_: &Hints, _: &Said<'_>) -> Confidence {
    Confidence::No
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Ocpp)
}

#[derive(Clone)]
struct Ocpp;

impl Decode for Ocpp {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (text, list) = (said.text?, said.members().filter(|members| members.is_array())?);
        let id = list.at(1)?.text()?;
        let key = Key { space: "", id: id.clone() };
        let text_at = |at| list.at(at).and_then(Json::text);
        let (name, pairing, at) = match list.at(0)?.int()? {
            2 => ("CALL", Pairing::Asks(key), 3),
            3 => ("CALLRESULT", Pairing::Answers { key, last: true }, 2),
            4 => ("CALLERROR", Pairing::Answers { key, last: true }, 4),
            // It answers an answer: whoever was asked is told.
            5 => ("CALLRESULTERROR", Pairing::Alone, 4),
            6 => ("SEND", Pairing::Alone, 3),
            _ => return None,
        };
        let action = text_at(2).filter(|_| matches!(name, "CALL" | "SEND"));
        let mut words = action.clone().unwrap_or(Cow::Borrowed(name)).into_owned();
        if name.ends_with("ERROR") {
            for word in [text_at(2), text_at(3)].into_iter().flatten().filter(|word| !word.is_empty()) {
                words = format!("{words} {word}");
            }
        }
        let words = format!("{words} #{id}");
        let heartbeat = action.as_deref() == Some("Heartbeat");
        let event = Some(action.unwrap_or(Cow::Borrowed(name)));
        let said = list.at(at).map(Json::value);
        Some(vec![Unit { event, id: Some(id), pairing, heartbeat, said, ..Unit::new(words, whole(text)) }])
    }
}
