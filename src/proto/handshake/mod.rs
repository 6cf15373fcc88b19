//! What all handshakes share, whichever HTTP carries them: what is judged, what a refusal says, and how they are told.

pub(super) mod doctor;
pub(super) mod excerpt;
mod extensions;
pub(super) mod held;
pub(super) mod polled;
pub(super) mod tell;

use crate::model::{Check, Endpoint, Handshake, Head, NoteCode, count};
use doctor::Case;

/// Whether a 101 switches to WebSocket: it must not name something else.
pub(super) fn is_switch(head: &Head) -> bool {
    head.value("upgrade").is_none() || head.has_token("upgrade", "websocket")
}

/// Adds to a handshake what its request says: what is offered, and how that is judged if all of it is there.
pub(super) fn begun(mut handshake: Handshake, head: Head, ends: (Endpoint, Endpoint)) -> Handshake {
    let whole = head.whole;
    handshake.subprotocols_offered = list(&head, "sec-websocket-protocol");
    handshake.extensions_offered = list(&head, "sec-websocket-extensions");
    handshake.request = Some(head);
    if whole {
        handshake.checks = Case::new(&handshake, ends).request_checks();
    }
    handshake
}

/// A list header, unless a part of the head is lost that may have it.
pub(super) fn list(head: &Head, name: &str) -> Option<Vec<String>> {
    Some(owned(head.list(name))).filter(|list| head.whole || !list.is_empty())
}

/// The members of a list, to be kept.
pub(super) fn owned<'a>(list: impl Iterator<Item = &'a str>) -> Vec<String> {
    list.map(str::to_owned).collect()
}

/// Bytes as text: UTF-8 where they are, else Latin-1, in which every byte is a character.
pub(super) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Adds what is to be said of an answer. A refusal that may be about the origin has it in its evidence: it is told once.
pub(super) fn add(handshake: &mut Handshake, found: Vec<Check>) {
    if found.iter().any(|check| matches!(check.code, NoteCode::HsOriginRefused | NoteCode::HsForbidden)) {
        handshake.checks.retain(|check| check.code != NoteCode::Origin);
    }
    handshake.checks.extend(found);
}

/// Adds that the client did not wait for the answer.
pub(super) fn was_early(handshake: &mut Handshake, bytes: u64) {
    let detail = count(bytes, "byte");
    handshake.checks.push(Check { code: NoteCode::HsEarlyData, ok: false, detail });
}
