//! A connection whose frames are lost from sight, and how they are found again.

use super::extension::Compression;
use super::half::Reading;
use super::layer::Ws;
use super::seek::{Found, Known, RESYNC_BAR, Seek};
use crate::model::{ConnId, Direction, Mark, NoteCode, count};
use crate::proto::layer::Cx;

impl Ws {
    /// The layer for a connection of which no handshake was captured. In both directions frames are still to be found;
    /// `compressed` says that frames with RSV1 were seen.
    pub(super) fn midstream(conn: ConnId, compressed: bool) -> Self {
        Self { compression: compressed.then_some(Compression::UNSEEN), ..Self::unshaken(conn) }
    }

    /// Looks for frames from the byte at `from` on, of which so many bits must speak.
    pub(super) fn look_from(&mut self, dir: Direction, from: u64, bar: u32) {
        let layout = self.layouts[dir];
        let masked = Some(layout.masks(dir));
        let known = Known { layout, masked, compressed: self.compression.is_some(), bar };
        let half = &mut self.halves[dir];
        half.missed = true;
        half.reading = Reading::Seek(Box::new(Seek::new(known, from)));
        self.forget_history(dir);
    }

    /// A head was lost: what stands behind the hole, at `from`, is looked through for frames.
    pub(super) fn lose_place(&mut self, dir: Direction, from: u64, cx: &mut Cx<'_>) {
        self.look_from(dir, from, RESYNC_BAR);
        if cx.tools.seeking > cx.limits.seek_total || !self.layouts[dir].can_be_sought() {
            self.give_up_seeking(dir, cx);
        }
    }

    /// Looks through the bytes of a segment for frames, and goes on with those that are found.
    pub(super) fn seek(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let Reading::Seek(seek) = &mut self.halves[dir].reading else { return };
        if let Some(found) = seek.push(bytes, offset, brought, cx.limits.seek_bytes, cx.tools) {
            self.go_on(dir, found, cx);
        }
    }

    /// Reads the frames that were found.
    fn go_on(&mut self, dir: Direction, found: Found, cx: &mut Cx<'_>) {
        let Found { at, frames, bits, skipped, .. } = found;
        let agree = format!("{frames} frames agree, by chance one time in 2^{bits}");
        if self.shaken {
            let text = format!(
                "frames were found again at stream offset {at}, {} behind the loss: {agree}",
                count(skipped, "byte")
            );
            self.note(dir, NoteCode::WsResync, None, Some(self.frames + 1), &text, None, cx);
        } else if skipped > 0 {
            let text =
                format!("the first {} captured belong to a frame that began before: {agree}", count(skipped, "byte"));
            self.note(dir, NoteCode::Midstream, None, None, &text, None, cx);
        }
        let Reading::Seek(mut seek) = std::mem::take(&mut self.halves[dir].reading) else { return };
        for (offset, bytes, brought) in seek.since(found.at) {
            self.halves[dir].sought_to = offset + bytes.len() as u64;
            self.data(dir, offset, bytes, brought, cx);
        }
        seek.release(cx.tools);
    }

    /// No frames were found where they were looked for.
    pub(super) fn give_up_seeking(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let Reading::Seek(seek) = &mut self.halves[dir].reading else { return };
        let (from, len) = (seek.from(), seek.release(cx.tools));
        self.halves[dir].reading = Reading::Over;
        let text = match len {
            0 => format!("a frame head was lost before stream offset {from}, and nothing was captured behind it"),
            _ => format!(
                "no frames were found in the {} behind the loss, from stream offset {from} on",
                count(len, "byte")
            ),
        };
        if len > 0 || self.shaken {
            self.note(dir, NoteCode::WsLost, None, None, &text, None, cx);
        }
    }
}
