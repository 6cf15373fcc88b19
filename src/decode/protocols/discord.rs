//! The gateway of Discord, in JSON, also in one zlib stream over all messages of the server (`compress=zlib-stream`).
//!
//! A message that ends with 00 00 ff ff ends at a whole byte of that stream (Z_SYNC_FLUSH): it is inflated with what the last 32 KiB were.

use crate::decode::members::Json;
use crate::decode::protocols::tagged::{Dialect, Kind};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Direction, Unit};
use flate2::{Decompress, FlushDecompress};

const DISCORD: Dialect = Dialect {
    tag: "op",
    kinds: &[
        Kind::new("0").named("Dispatch").event("t").shows(&["d"]),
        Kind::new("1").named("Heartbeat").asks("heartbeat").beats(),
        // What it goes on with is a secret.
        Kind::new("2").named("Identify"),
        Kind::new("3").named("Presence Update").shows(&["d"]),
        Kind::new("4").named("Voice State Update").shows(&["d"]),
        Kind::new("6").named("Resume"),
        Kind::new("7").named("Reconnect"),
        Kind::new("8").named("Request Guild Members").id("d.nonce").shows(&["d"]),
        Kind::new("9").named("Invalid Session").shows(&["d"]),
        Kind::new("10").named("Hello").shows(&["d"]),
        Kind::new("11").named("Heartbeat ACK").answers("heartbeat").beats(),
        Kind::new("31").named("Request Soundboard Sounds").shows(&["d"]),
    ],
    other: None,
};

/// What a message ends with that ends at a whole byte.
const FLUSHED: &[u8] = &[0, 0, 0xff, 0xff];

/// Bytes that deflate refers back to.
const WINDOW: usize = 1 << 15;

/// Bytes to which a message may grow.
const MOST: usize = 4 << 20;

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let is_there = || hints.parameter("v").is_some() && hints.parameter("encoding") == Some("json");
    if !said.is_text && said.dir == Direction::ToClient && hints.parameter("compress") == Some("zlib-stream") {
        return Confidence::Sure.when(is_there() && is_head(said.bytes));
    }
    let Some(members) = said.object() else { return Confidence::No };
    let is_op = members.get("op").and_then(Json::int).is_some() && members.has("d");
    Confidence::Sure
        .when(is_op && members.has("t") && members.has("s"))
        .max(Confidence::Likely.when(is_op && is_there() && DISCORD.unit(said).is_some()))
}

/// Whether a zlib stream begins so (RFC 1950 §2.2).
fn is_head(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|head: &[u8; 2]| head[0] == 0x78 && u16::from_be_bytes(*head).is_multiple_of(31))
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Discord::default())
}

#[derive(Clone, Default)]
struct Discord {
    /// The stream of the server, once it began and while nothing of it is lost.
    stream: Option<Stream>,
}

#[derive(Clone, Default)]
struct Stream {
    /// The last bytes that came out.
    window: Vec<u8>,
    /// What came of a message that is not flushed yet.
    waiting: Vec<u8>,
}

impl Decode for Discord {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        if said.is_text || said.dir == Direction::ToServer {
            return DISCORD.unit(said).map(|unit| vec![unit]);
        }
        let (begun, bytes) = match self.stream.take() {
            Some(stream) => (stream, said.bytes),
            None => (Stream::default(), said.bytes.get(2..).filter(|_| is_head(said.bytes))?),
        };
        let Stream { window, mut waiting } = begun;
        waiting.extend_from_slice(bytes);
        if !waiting.ends_with(FLUSHED) {
            self.stream = Some(Stream { window, waiting });
            return Some(Vec::new());
        }
        let out = inflate(&window, &waiting)?;
        let unit = DISCORD.unit(&Said::new(said.dir, true, &out)).map(Unit::into_owned);
        let mut window = window;
        window.extend_from_slice(&out);
        window.drain(..window.len().saturating_sub(WINDOW));
        self.stream = Some(Stream { window, waiting: Vec::new() });
        unit.map(|unit| vec![unit])
    }

    fn lost(&mut self, dir: Direction) {
        if dir == Direction::ToClient {
            self.stream = None;
        }
    }

    fn held(&self) -> usize {
        self.stream.as_ref().map_or(0, |stream| stream.window.len() + stream.waiting.len())
    }
}

/// What deflated bytes are that go on behind this window; `None` where they are damaged or too much.
fn inflate(window: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut inflater = Decompress::new(false);
    if !window.is_empty() {
        inflater.set_dictionary(window).ok()?;
    }
    let mut out = Vec::new();
    while out.len() < MOST {
        let (read, written) = (usize::try_from(inflater.total_in()).ok()?, out.len());
        out.reserve_exact((bytes.len() * 4).max(1 << 12).min(MOST - written));
        inflater.decompress_vec(bytes.get(read..)?, &mut out, FlushDecompress::Sync).ok()?;
        let is_read = usize::try_from(inflater.total_in()).ok()? == bytes.len();
        if is_read && out.len() < out.capacity() {
            return Some(out);
        }
        if !is_read && out.len() == written {
            break;
        }
    }
    None
}
