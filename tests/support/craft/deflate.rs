//! Sessions with permessage-deflate (RFC 7692): each side with a compressor of its own.

use super::frame::{CONTINUATION, Frame, request, response};
use super::session::{Client, Said, Server, Session, Side};
use flate2::{Compress, Compression, FlushCompress, Status};

/// How the end of a compressed message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With an empty block, the end of which is cut off (§7.2.1).
    Sync,
    /// With a final block and a byte 00 behind it (§7.2.3.4).
    Final,
}

/// One side's compressor.
#[derive(Debug)]
pub(crate) struct Packer {
    state: Compress,
    takeover: bool,
    /// A final block ended the stream; the next message needs a new one, which knows this text.
    ended: bool,
    history: Vec<u8>,
}

impl Packer {
    /// A compressor with a window of 2 to the power of `bits` bytes, 9 to 15.
    pub(crate) fn new(takeover: bool, bits: u8) -> Self {
        let state = Compress::new_with_window_bits(Compression::default(), false, bits);
        Self { state, takeover, ended: false, history: Vec::new() }
    }

    /// The payload that this message has on the wire.
    pub(crate) fn pack(&mut self, message: &[u8], ending: Ending) -> Vec<u8> {
        if !self.takeover {
            self.state.reset();
            self.history.clear();
        } else if self.ended {
            self.state.reset();
            let from = self.history.len().saturating_sub(32 << 10);
            self.state.set_dictionary(&self.history[from..]).unwrap();
        }
        self.ended = ending == Ending::Final;
        self.history.extend(message);
        let mut out = self.blocks(message, ending);
        match ending {
            Ending::Final => out.push(0),
            Ending::Sync => out.truncate(out.len() - 4),
        }
        // A compressor that has nothing to flush writes nothing; the message is then an empty block (§7.2.3.6).
        if out.is_empty() { vec![0] } else { out }
    }

    fn blocks(&mut self, message: &[u8], ending: Ending) -> Vec<u8> {
        let flush = if ending == Ending::Final { FlushCompress::Finish } else { FlushCompress::Sync };
        let mut out = Vec::with_capacity(message.len() + message.len() / 8 + 64);
        let before = self.state.total_in();
        let status = self.state.compress_vec(message, &mut out, flush).unwrap();
        assert_eq!(self.state.total_in() - before, message.len() as u64);
        assert_eq!(status == Status::StreamEnd, ending == Ending::Final);
        if out.is_empty() { vec![0, 0, 0, 0xff, 0xff] } else { out }
    }
}

/// A session that negotiated permessage-deflate.
#[derive(Debug)]
pub(crate) struct Deflated {
    pub(crate) session: Session,
    packers: [Packer; 2],
}

impl Deflated {
    /// The `n`th session; `takeover` and window `bits` of client and server.
    pub(crate) fn new(n: usize, takeover: [bool; 2], bits: [u8; 2]) -> Self {
        let mut parameters = String::new();
        for (side, takeover, bits) in [("client", takeover[0], bits[0]), ("server", takeover[1], bits[1])] {
            if !takeover {
                parameters += &format!("; {side}_no_context_takeover");
            }
            if bits < 15 {
                parameters += &format!("; {side}_max_window_bits={bits}");
            }
        }
        let mut session = Session::bare(n);
        let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        session.turn(Client, request(&format!("/{n}"), offer));
        session.turn(Server, response(&format!("Sec-WebSocket-Extensions: permessage-deflate{parameters}\r\n")));
        Self { session, packers: [Packer::new(takeover[0], bits[0]), Packer::new(takeover[1], bits[1])] }
    }

    /// The `n`th session, with one of 28 mixes of parameters.
    pub(crate) fn any(n: usize, mix: usize) -> Self {
        let bits = |salt: usize| 9 + ((mix / 4 + salt) % 7) as u8;
        Self::new(n, [mix & 1 == 0, mix & 2 == 0], [bits(0), bits(3)])
    }

    /// The bytes that a message of that side has on the wire.
    pub(crate) fn pack(&mut self, side: Side, message: &[u8], ending: Ending) -> Vec<u8> {
        self.packers[usize::from(side == Server)].pack(message, ending)
    }

    /// Sends a compressed message in one frame.
    pub(crate) fn say(&mut self, side: Side, opcode: u8, message: impl AsRef<[u8]>) -> &mut Self {
        self.parts(side, opcode, message, &[], Ending::Sync)
    }

    /// Sends a compressed message, its bytes on the wire cut into frames at these places.
    pub(crate) fn parts(
        &mut self,
        side: Side,
        opcode: u8,
        message: impl AsRef<[u8]>,
        cuts: &[usize],
        ending: Ending,
    ) -> &mut Self {
        let wire = self.pack(side, message.as_ref(), ending);
        self.wire(side, opcode, message, &wire, cuts)
    }

    /// Sends a message that is these bytes on the wire.
    pub(crate) fn wire(
        &mut self,
        side: Side,
        opcode: u8,
        message: impl AsRef<[u8]>,
        wire: &[u8],
        cuts: &[usize],
    ) -> &mut Self {
        let mut from = 0;
        for (at, to) in cuts.iter().copied().chain([wire.len()]).enumerate() {
            let to = to.clamp(from, wire.len());
            let frame = Frame::new(if at == 0 { opcode } else { CONTINUATION }, &wire[from..to]);
            let frame = frame.rsv(if at == 0 { 4 } else { 0 });
            let frame = self.session.framed(side, if at == cuts.len() { frame } else { frame.open() });
            self.session.turn(side, frame.bytes());
            from = to;
        }
        self.session.said.push(Said {
            dir: side.dir(),
            opcode,
            frames: cuts.len() as u64 + 1,
            payload: message.as_ref().into(),
            packed: Some(wire.len() as u64),
        });
        self
    }
}
