//! What a connection is like, in a word or two: the flags in every list of connections.

use super::connection::{Connection, State};
use super::flow::Direction;
use super::tls::TlsKeys;

/// A flag and what it says.
#[derive(Debug)]
pub struct Flag {
    /// What a list shows.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    holds: fn(&Connection) -> bool,
}

/// All flags, in the order in which they are shown.
pub const FLAGS: [Flag; 6] = [
    Flag { name: "T", meaning: "TLS, decrypted", holds: is_decrypted },
    Flag {
        name: "T key?",
        meaning: "TLS, of which not all keys are known (wspect keys tells why)",
        holds: Connection::lacks_keys,
    },
    Flag { name: "2", meaning: "over HTTP/2", holds: is_over_http2 },
    Flag { name: "z", meaning: "messages may be compressed", holds: is_compressed },
    Flag { name: "mid", meaning: "the handshake is not in the capture, or only half of it", holds: is_midstream },
    Flag { name: "g", meaning: "gaps: bytes are missing from the capture", holds: has_gaps },
];

impl Connection {
    /// The flags that hold, with blanks between: `z g`; empty when none does.
    pub fn flags(&self) -> String {
        let names: Vec<&str> = FLAGS.iter().filter(|flag| (flag.holds)(self)).map(|flag| flag.name).collect();
        names.join(" ")
    }

    /// Whether it runs in TLS of which not all keys are known.
    pub fn lacks_keys(&self) -> bool {
        self.opened.tls.as_ref().is_some_and(|tls| lacks(tls.keys))
    }

    /// What is missing of it was not …: captured, or decrypted.
    pub fn seen(&self) -> &'static str {
        if self.lacks_keys() { "decrypted" } else { "captured" }
    }
}

fn is_decrypted(connection: &Connection) -> bool {
    connection.opened.tls.as_ref().is_some_and(|tls| !lacks(tls.keys))
}

const fn lacks(keys: TlsKeys) -> bool {
    matches!(keys, TlsKeys::Partial | TlsKeys::None)
}

const fn is_over_http2(connection: &Connection) -> bool {
    connection.h2_stream.is_some()
}

/// Whether an extension that compresses was agreed on.
fn is_compressed(connection: &Connection) -> bool {
    let extensions = connection.handshake.iter().flat_map(|handshake| handshake.extensions());
    let mut names = extensions.filter_map(|extension| extension.split(';').next());
    names.any(|name| name.to_ascii_lowercase().contains("deflate"))
}

fn is_midstream(connection: &Connection) -> bool {
    connection.state() == State::Midstream
}

fn has_gaps(connection: &Connection) -> bool {
    Direction::BOTH.iter().any(|&dir| connection.counts[dir].gaps > 0)
}
