//! The table of decoders. Of several that are as sure of a message, the first has it.

use super::{Decoder, Kind, engine_io, json_rpc, json_text};

/// All decoders: protocols in the order of their use, then formats.
pub const DECODERS: &[Decoder] = &[
    Decoder {
        name: "socket.io",
        about: "Socket.IO 1 to 4 in Engine.IO 3 and 4: events, acknowledgements, namespaces, binary attachments",
        kind: Kind::Protocol,
        subprotocols: &[],
        known_by: "path /socket.io, query EIO=4&transport=websocket, packets such as 0{\"sid\":…} and 42[\"event\",…]",
        claims: engine_io::claims_socket,
        open: engine_io::open_socket,
    },
    Decoder {
        name: "engine.io",
        about: "Engine.IO 3 and 4 that carries something else",
        kind: Kind::Protocol,
        subprotocols: &[],
        known_by: "path /engine.io",
        claims: engine_io::claims_engine,
        open: engine_io::open_engine,
    },
    Decoder {
        name: "json-rpc",
        about: "JSON-RPC 2.0: requests, notifications, results, errors, batches",
        kind: Kind::Protocol,
        subprotocols: &["jsonrpc"],
        known_by: "\"jsonrpc\":\"2.0\"",
        claims: json_rpc::claims,
        open: json_rpc::open,
    },
    Decoder {
        name: "json",
        about: "one JSON value",
        kind: Kind::Format,
        subprotocols: &[],
        known_by: "an object or array and nothing else",
        claims: json_text::claims,
        open: json_text::open,
    },
    Decoder {
        name: "ndjson",
        about: "JSON values in lines, or between record separators",
        kind: Kind::Format,
        subprotocols: &[],
        known_by: "two or more objects or arrays",
        claims: json_text::claims_lines,
        open: json_text::open_lines,
    },
];
