//! WebSocket frames (RFC 6455 §5.2), written.

use super::body::{Body, Supply};
use super::rng::Rng;
use super::truth::Fingerprint;

/// Longest frame head: 2 bytes, 8 of length, 4 of masking key.
pub(crate) const MAX_HEAD: usize = 14;

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opcode {
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// A whole control frame (§5.5); `payload` has at most 125 bytes.
pub(crate) fn control(opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8], out: &mut Vec<u8>) {
    head(true, opcode as u8, payload.len() as u64, key, out);
    let start = out.len();
    out.extend_from_slice(payload);
    mask(out, start, key, 0);
}

/// A data message on its way out, as far as it has been sent.
pub(crate) struct Outgoing {
    opcode: Opcode,
    body: Body,
    masked: bool,
    /// RSV1 is set on its first frame (RFC 7692 §6), and the fingerprint has it as it was before.
    compressed: bool,
    /// Payload bytes sent.
    sent: u64,
    frames_left: u64,
    frame: Option<Open>,
}

/// The frame under way.
struct Open {
    key: Option<[u8; 4]>,
    sent: u64,
    left: u64,
}

impl Outgoing {
    /// `body` in `frames` frames of about the same length, at least one.
    pub(crate) fn new(opcode: Opcode, body: Body, masked: bool, frames: u64) -> Self {
        Self { opcode, body, masked, compressed: false, sent: 0, frames_left: frames, frame: None }
    }

    /// The same message, the body of which is compressed.
    pub(crate) fn compressed(self) -> Self {
        Self { compressed: true, ..self }
    }

    /// Payload bytes yet to send.
    pub(crate) fn left(&self) -> u64 {
        self.body.len() - self.sent
    }

    /// True between two frames, where a control frame may go (§5.4).
    pub(crate) fn is_between_frames(&self) -> bool {
        self.frame.is_none() && self.frames_left > 0
    }

    /// True when all is sent.
    pub(crate) fn is_done(&self) -> bool {
        self.frame.is_none() && self.frames_left == 0
    }

    /// Appends to `out` the rest of the frame under way, or the next one, but no payload beyond `room` bytes of `out`.
    pub(crate) fn pull(
        &mut self,
        supply: &Supply,
        rng: &mut Rng,
        print: &mut Fingerprint,
        room: usize,
        out: &mut Vec<u8>,
    ) {
        let mut frame = match self.frame.take() {
            Some(frame) => frame,
            None => self.open(rng, out),
        };
        let take = frame.left.min(room.saturating_sub(out.len()) as u64);
        let start = out.len();
        self.body.copy(supply, self.sent, take, out);
        if !self.compressed {
            print.update(out.get(start..).unwrap_or_default());
        }
        mask(out, start, frame.key, frame.sent);
        self.sent += take;
        frame.sent += take;
        frame.left -= take;
        self.frame = Some(frame).filter(|frame| frame.left > 0);
    }

    fn open(&mut self, rng: &mut Rng, out: &mut Vec<u8>) -> Open {
        let key = self.masked.then(|| rng.bytes());
        let rsv1 = if self.compressed { 0x40 } else { 0 };
        let opcode = if self.sent == 0 { self.opcode as u8 | rsv1 } else { 0 };
        let left = self.left() / self.frames_left.max(1);
        self.frames_left -= 1;
        head(self.frames_left == 0, opcode, left, key, out);
        Open { key, sent: 0, left }
    }
}

/// §5.2. Length in 7 bits; 126: in the next 2 bytes; 127: in the next 8.
fn head(fin: bool, opcode: u8, len: u64, key: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let mask_bit = if key.is_some() { 0x80 } else { 0 };
    out.push(u8::from(fin) << 7 | opcode);
    match len {
        0..126 => out.push(mask_bit | len as u8),
        126..0x1_0000 => {
            out.push(mask_bit | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
    out.extend(key.into_iter().flatten());
}

/// §5.3. Masks `out` from `start`; the first byte there is the `offset`th of its frame.
fn mask(out: &mut [u8], start: usize, key: Option<[u8; 4]>, offset: u64) {
    let (Some(mut key), Some(bytes)) = (key, out.get_mut(start..)) else {
        return;
    };
    key.rotate_left((offset % 4) as usize);
    let (quads, rest) = bytes.as_chunks_mut::<4>();
    for quad in quads {
        *quad = (u32::from_ne_bytes(*quad) ^ u32::from_ne_bytes(key)).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}
