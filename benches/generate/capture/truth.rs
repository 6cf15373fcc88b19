//! What a capture holds, counted while it is made: the answer sheet.
//!
//! Names are those of wspect's `stats` and `connection` records, so that the two can be compared as they are.

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;

use sha2::{Digest, Sha256};

use super::both::Both;
use super::frame::Opcode;
use super::tcp::Lost;

/// What one direction said. Control frames are messages too.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    pub(crate) messages: u64,
    pub(crate) frames: u64,
    /// Payload bytes of all messages.
    pub(crate) bytes: u64,
    pub(crate) text: Count,
    pub(crate) binary: Count,
    pub(crate) ping: Count,
    pub(crate) pong: Count,
    pub(crate) close: Count,
    /// TCP segments that were sent and acknowledged but not captured, and their bytes.
    pub(crate) lost_segments: u64,
    pub(crate) lost_bytes: u64,
}

/// Messages of one kind and the bytes of their payloads.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Count {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// Counts a message of `bytes` that goes out in `frames` frames.
    pub(crate) fn message(&mut self, opcode: Opcode, frames: u64, bytes: u64) {
        self.messages += 1;
        self.frames += frames;
        self.bytes += bytes;
        let count = match opcode {
            Opcode::Text => &mut self.text,
            Opcode::Binary => &mut self.binary,
            Opcode::Close => &mut self.close,
            Opcode::Ping => &mut self.ping,
            Opcode::Pong => &mut self.pong,
        };
        count.messages += 1;
        count.bytes += bytes;
    }

    /// Takes over what the capture lacks.
    pub(crate) fn lose(&mut self, lost: Lost) {
        self.lost_segments += lost.segments;
        self.lost_bytes += lost.bytes;
    }

    /// Adds what `other` said.
    pub(crate) fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.text.add(other.text);
        self.binary.add(other.binary);
        self.ping.add(other.ping);
        self.pong.add(other.pong);
        self.close.add(other.close);
        self.lost_segments += other.lost_segments;
        self.lost_bytes += other.lost_bytes;
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// One WebSocket connection, finished.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// From 1, in order of upgrade requests.
    pub(crate) conn: u64,
    /// From 0, in order of first packets of all TCP connections.
    pub(crate) tcp_stream: u64,
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) close_code: u16,
    /// `client` or `server`.
    pub(crate) closed_by: &'static str,
    pub(crate) said: Both<Tally>,
    /// SHA-256 of the payloads of all text and binary messages, one after the other, in hex.
    pub(crate) sha256: Both<String>,
}

/// The whole capture.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    pub(crate) profile: &'static str,
    pub(crate) seed: u64,
    /// Bytes of file.
    pub(crate) size: u64,
    pub(crate) packets: u64,
    pub(crate) tcp_streams: u64,
    pub(crate) connections: u64,
    pub(crate) said: Both<Tally>,
}

/// The running hash of one direction's data.
#[derive(Clone, Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Takes in the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash in hex.
    pub(crate) fn hex(self) -> String {
        let digest = self.0.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Display for Connection {
    /// One line of JSON, without its end.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { conn, tcp_stream, client, server, close_code, closed_by, said, sha256 } = self;
        write!(f, r#"{{"conn":{conn},"tcp_stream":{tcp_stream},"client":"{client}","server":"{server}","#)?;
        write!(f, r#""close_code":{close_code},"closed_by":"{closed_by}","#)?;
        write!(f, r#""c2s":{{{},"sha256":"{}"}},"#, said.to_server, sha256.to_server)?;
        write!(f, r#""s2c":{{{},"sha256":"{}"}}}}"#, said.to_client, sha256.to_client)
    }
}

impl Display for Totals {
    /// One line of JSON, without its end.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { profile, seed, size, packets, tcp_streams, connections, said } = self;
        write!(f, r#"{{"profile":"{profile}","seed":{seed},"size":{size},"packets":{packets},"#)?;
        write!(f, r#""tcp_streams":{tcp_streams},"connections":{connections},"#)?;
        write!(f, r#""c2s":{{{}}},"s2c":{{{}}}}}"#, said.to_server, said.to_client)
    }
}

impl Display for Tally {
    /// The members of a JSON object, without its braces.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { messages, frames, bytes, text, binary, ping, pong, close, .. } = self;
        write!(f, r#""messages":{messages},"frames":{frames},"bytes":{bytes}"#)?;
        for (name, count) in [("text", text), ("binary", binary), ("ping", ping), ("pong", pong), ("close", close)] {
            write!(f, r#","{name}":{},"{name}_bytes":{}"#, count.messages, count.bytes)?;
        }
        let Self { lost_segments, lost_bytes, .. } = self;
        write!(f, r#","lost_segments":{lost_segments},"lost_bytes":{lost_bytes}"#)
    }
}
