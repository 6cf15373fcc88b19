//! The nouns: what every floor speaks of. No input or output, no parsing.

mod alert;
mod amount;
mod body;
mod connection;
mod decode_as;
mod encap;
mod event;
mod fact;
mod facts;
mod file;
mod flag;
mod flow;
mod handshake;
mod hex;
mod limits;
mod mark;
mod note;
mod overlap;
mod packet;
mod route;
mod secrets;
mod time;
mod tls;
mod traffic;
mod verdict;
mod version;
mod ws;

pub use alert::TlsAlert;
pub use amount::{count, duration, number, ratio, seconds, size};
pub use body::{Body, Hole, Part};
pub use connection::{Connection, Counts, EndedBy, Severities, State};
pub use decode_as::{DecodeAs, Protocol, Rule, Select};
pub use encap::{Encap, EncapId};
pub use event::{Closed, ConnId, Event, Opened, Sink, Stamp};
pub use fact::{Counters, Fact, Format, Interface, Writer};
pub use facts::{Facts, FileFacts, InterfaceFacts};
pub use file::{FileNote, FilePacket, FileRun, FileRuns, Tally};
pub use flag::{FLAGS, Flag};
pub use flow::{Both, Direction, Endpoint, Ip};
pub use handshake::{Check, Extension, Handshake, Head, Outline, StartLine};
pub use hex::{hex, hex_apart, hex_digit};
pub use limits::Limits;
pub use mark::{Mark, PacketNo, Span};
pub use note::{NOTES, Note, NoteCode, NoteRow, NoteSet, Severity, Topic, clause};
pub use overlap::Overlap;
pub use packet::{End, Flags, Input, LinkType, Packet, Receipt, Segment};
pub use route::{Hop, HopKind, Route};
pub use secrets::{
    Added, ClientRandom, KeyLog, KeySource, Origin, PremasterId, RsaKey, SECRET_BYTES, Secret, SecretLabel, Secrets,
};
pub use time::Timestamp;
pub use tls::{TlsKeys, TlsOutline, TlsRecord, TlsSession, TlsSum, TlsVersion, WhyNot};
pub use traffic::{Streams, Traffic};
pub use verdict::{Ending, Ends, Goodbye, Heard, Unanswered, Unseen, Verdict, abrupt};
pub use version::{Cover, Version};
pub use ws::{Close, CloseCode, Frame, Message, Opcode, Wait, WaitCause};
