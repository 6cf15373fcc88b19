//! Telling handshakes, and what is to be said of them.

use crate::model::{Check, ConnId, Direction, Event, Handshake, Head, Note, NoteCode, Unseen, count, number};
use crate::proto::layer::Cx;

/// Tells a handshake, and a finding for each rule that it breaks; the first `known` rules were told before.
pub(in crate::proto) fn tell(conn: ConnId, handshake: &Handshake, known: usize, cx: &mut Cx<'_>) {
    cx.emit(conn, Event::Handshake(handshake));
    for check in handshake.checks.iter().skip(known).filter(|check| !check.ok) {
        let text = check.code.row().with(&check.detail);
        // What never came is missed at the stream's last packet, whenever that becomes known.
        let at = if check.code == NoteCode::HsNoAnswer { cx.last } else { cx.mark };
        cx.note(conn, &Note { text: &text, ..Note::new(check.code, at) });
    }
}

/// Why no answer is seen, where the server's words cannot be read at all.
pub(in crate::proto) fn unread(cx: &Cx<'_>) -> Option<&'static str> {
    (cx.unseen(Direction::ToClient) == Some(Unseen::NotDecrypted)).then_some("what the server sent is not decrypted")
}

/// Adds that the answer is missing, and why.
pub(in crate::proto) fn no_answer(handshake: &mut Handshake, detail: &str) {
    handshake.checks.push(Check { code: NoteCode::HsNoAnswer, ok: false, detail: detail.to_owned() });
}

/// Whether a limit took a part of the head, and what there was.
pub(in crate::proto) fn limited(head: &Head, cx: &Cx<'_>) -> Option<String> {
    let huge = head.len > cx.limits.head_bytes as u64 || head.headers.len() >= cx.limits.head_headers;
    huge.then(|| {
        format!(
            "an HTTP head of {}, of which {} headers are kept (limits head-bytes, head-headers)",
            count(head.len, "byte"),
            number(head.headers.len() as u64)
        )
    })
}

/// Tells that the answer of a handshake was captured, and the request was not.
pub(in crate::proto) fn tell_unasked(conn: ConnId, cx: &mut Cx<'_>) {
    let text = match cx.unseen(Direction::ToServer) {
        Some(Unseen::NotDecrypted) => "the request is not decrypted; the answer opens a WebSocket",
        _ => "the request was not captured; the answer opens a WebSocket",
    };
    cx.note(conn, &Note { text, ..Note::new(NoteCode::Midstream, cx.mark) });
}

/// Tells of extensions that were agreed on and are not known here.
pub(in crate::proto) fn tell_unknown(conn: ConnId, handshake: &Handshake, cx: &mut Cx<'_>) {
    let unknown: Vec<&str> = handshake.unknown_extensions().collect();
    if !unknown.is_empty() {
        let text = format!("an extension is not known here: {}", unknown.join(", "));
        cx.note(conn, &Note { text: &text, ..Note::new(NoteCode::HsUnknownExtension, cx.mark) });
    }
}
