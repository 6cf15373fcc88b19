//! What is to be said of a connection, its frames and its header blocks.

use super::block::Block;
use super::frame::Head;
use super::hpack::Fault;
use crate::model::{ConnId, Direction, H2Error, Note, NoteCode, StreamId, count, number};
use crate::proto::layer::Cx;

/// A finding, about a WebSocket if there is one that it is about.
pub(super) fn note(conn: Option<ConnId>, dir: Direction, code: NoteCode, text: &str, cx: &mut Cx<'_>) {
    let note = Note { text, dir: Some(dir), ..Note::new(code, cx.mark) };
    match conn {
        Some(conn) => cx.note(conn, &note),
        None => cx.note_stream(&note),
    }
}

/// The same within a stream.
pub(super) fn note_in(conn: Option<ConnId>, id: StreamId, dir: Direction, code: NoteCode, text: &str, cx: &mut Cx<'_>) {
    let (first, last) = (*cx.flow.first, cx.last);
    note(conn, dir, code, text, &mut cx.in_stream(id, &first, last));
}

/// A frame that breaks a rule.
pub(super) fn bad_frame(dir: Direction, head: &Head, what: &str, cx: &mut Cx<'_>) {
    let Head { len, kind, stream, .. } = head;
    let text = format!(
        "a frame of the {} {what}: {kind} of {} on stream {stream}",
        dir.sender(),
        count((*len).into(), "byte")
    );
    note(None, dir, NoteCode::H2Frame, &text, cx);
}

/// A client opens a stream with a number below that of another (RFC 9113 §5.1.1).
pub(super) fn opened_behind(dir: Direction, id: StreamId, newest: StreamId, cx: &mut Cx<'_>) {
    let text = format!("the {} opens stream {id} after stream {newest}: numbers of streams must grow", dir.sender());
    note(None, dir, NoteCode::H2Frame, &text, cx);
}

/// So many frames break a rule, of which the first was told.
pub(super) fn more_bad_frames(dir: Direction, bad: u64, cx: &mut Cx<'_>) {
    if bad > 1 {
        let (more, verb) = (count(bad - 1, "more frame"), if bad == 2 { "breaks" } else { "break" });
        note(None, dir, NoteCode::H2Frame, &format!("{more} of the {} {verb} rules", dir.sender()), cx);
    }
}

/// What there is to say of a block that was read.
pub(super) fn of_block(block: &Block) -> Option<(NoteCode, String)> {
    if let Some(fault) = block.fault {
        return Some((NoteCode::H2Hpack, format!("a header block is damaged: {}", words(fault))));
    }
    let kept = || format!("{} of it, in {}", bytes(block.size), frames(block));
    if block.lost > 0 {
        let lost = count(block.lost, "header field");
        return Some((
            NoteCode::H2Table,
            format!("{lost} of a head cannot be known: entries of the header table are lost"),
        ));
    }
    (block.dropped > 0).then(|| {
        let dropped = number(block.dropped);
        let text =
            format!("{dropped} fields of a head are not kept: there are {} (limits head-bytes, head-headers)", kept());
        (NoteCode::HttpLimit, text)
    })
}

fn bytes(len: u64) -> String {
    count(len, "byte")
}

fn frames(block: &Block) -> String {
    count(u64::from(block.continuations) + 1, "frame")
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Index(index) => format!("the header table has no entry {index}"),
        Fault::Integer => "an integer is too large; the rest of the block cannot be read".to_owned(),
        Fault::Huffman => "a string is not what the Huffman code makes of one".to_owned(),
        Fault::Size(size) => format!("the header table is to take {}, more than its reader allows", bytes(size)),
        Fault::LateSize => "the header table's size is changed behind a field".to_owned(),
        Fault::Cut => "it ends inside a field".to_owned(),
    }
}

/// One side gives the connection up.
pub(super) fn goaway(dir: Direction, code: H2Error, last: StreamId, debug: &[u8]) -> String {
    let debug = String::from_utf8_lossy(debug);
    let debug = if debug.is_empty() { String::new() } else { format!(": \"{debug}\"") };
    format!("the {} gives the connection up behind stream {last}: {code}{debug}", dir.sender())
}
