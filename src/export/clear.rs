//! What TLS carried, as packets of a TCP that carries it in clear.

use crate::model::{Both, Carried, Direction, Endpoint, Input, LinkType, Mark, Packet, StreamId};
use etherparse::{PacketBuilder, TcpHeader};
use foldhash::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::IpAddr;

/// Payload bytes of one packet: a TLS record has no more (RFC 8446 §5.1).
const MOST: usize = 1 << 14;

/// Packets that begin with an IP header.
const RAW: LinkType = LinkType(101);

/// Hops that a packet may take, and bytes that its sender may be sent.
const HOPS: u8 = 64;
const WINDOW: u16 = u16::MAX;

/// Makes the packets: of each stream a handshake, the bytes with numbers of their own, and how it ended. What is missing is missing
/// here, too: its numbers are left out. Of HTTP/2 each WebSocket is a stream of its own, as HTTP/1.1 would carry it, from a port that
/// its number is added to.
///
/// ```text
/// IPv4 or IPv6 ▸ TCP, from 1 ▸ bytes      link type RAW
/// ```
#[derive(Debug, Default)]
pub struct Clear {
    talks: HashMap<(u32, Option<StreamId>), Talk>,
    bytes: Vec<u8>,
}

/// One stream.
#[derive(Debug)]
struct Talk {
    /// Client and server.
    ends: (Endpoint, Endpoint),
    /// The number of the next byte.
    next: Both<u32>,
    ended: Both<bool>,
}

/// What is set in a packet's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Syn,
    SynAck,
    Ack,
    Push,
    Fin,
    Rst,
}

impl Clear {
    /// The packets that bring what was read inside a stream; `write` takes each. Its number is that of the packet that it is made of.
    ///
    /// # Errors
    /// The first of `write`.
    pub fn take(
        &mut self,
        stream: (u32, Option<StreamId>),
        carried: &Carried<'_>,
        write: &mut dyn FnMut(&Packet<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        // What was held is told later than it came.
        let (Input::Data { brought: mark, .. } | Input::Gap { mark, .. } | Input::End { mark, .. }) = carried.input
        else {
            return Ok(());
        };
        let bytes = &mut self.bytes;
        let talk = match self.talks.entry(stream) {
            Entry::Occupied(talk) => talk.into_mut(),
            Entry::Vacant(_) if matches!(carried.input, Input::End { .. }) => return Ok(()),
            Entry::Vacant(place) => {
                let (mut ends, number) = (carried.ends, stream.1.map_or(0, |stream| stream.0));
                ends.0.port = ends.0.port.wrapping_add(number as u16);
                let next = Both { to_server: number, to_client: number };
                let mut talk = Talk { ends, next, ended: Both::default() };
                for (dir, kind) in [
                    (Direction::ToServer, Kind::Syn),
                    (Direction::ToClient, Kind::SynAck),
                    (Direction::ToServer, Kind::Ack),
                ] {
                    talk.send(dir, kind, &[], mark, bytes, write)?;
                }
                place.insert(talk)
            }
        };
        match carried.input {
            Input::Data { dir, bytes: data, .. } => {
                data.chunks(MOST).try_for_each(|part| talk.send(dir, Kind::Push, part, mark, bytes, write))
            }
            Input::Gap { dir, len, .. } => {
                // Numbers go round; so do those of as many bytes.
                talk.next[dir] = talk.next[dir].wrapping_add(len as u32);
                Ok(())
            }
            Input::End { dir, how, mark } if how.is_by_peer() && !talk.ended[dir] => {
                talk.ended[dir] = true;
                talk.send(dir, if how.is_reset() { Kind::Rst } else { Kind::Fin }, &[], mark, bytes, write)
            }
            Input::End { .. } | Input::Odd { .. } | Input::Waited { .. } | Input::Resent { .. } => Ok(()),
        }
    }
}

impl Talk {
    fn send(
        &mut self,
        dir: Direction,
        kind: Kind,
        payload: &[u8],
        mark: Mark,
        bytes: &mut Vec<u8>,
        write: &mut dyn FnMut(&Packet<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (client, server) = self.ends;
        let (from, to) = if dir == Direction::ToServer { (client, server) } else { (server, client) };
        let step = match (IpAddr::from(from.ip), IpAddr::from(to.ip)) {
            (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), HOPS),
            (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), HOPS),
            _ => return Ok(()),
        };
        let mut header = TcpHeader::new(from.port, to.port, self.next[dir], WINDOW);
        header.ack = kind != Kind::Syn;
        header.acknowledgment_number = if header.ack { self.next[dir.reverse()] } else { 0 };
        header.syn = matches!(kind, Kind::Syn | Kind::SynAck);
        (header.psh, header.fin, header.rst) = (kind == Kind::Push, kind == Kind::Fin, kind == Kind::Rst);
        let takes_number = u32::from(header.syn || header.fin);
        self.next[dir] = self.next[dir].wrapping_add(payload.len() as u32).wrapping_add(takes_number);
        bytes.clear();
        step.tcp_header(header).write(bytes, payload).map_err(io::Error::other)?;
        write(&Packet { mark, link: RAW, bytes, orig_len: bytes.len() })
    }
}
