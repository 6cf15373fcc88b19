//! Streams of Kubernetes over WebSocket: exec, attach and port-forward, each message of one channel.
//!
//! ```text
//! channel.k8s.io, v2 … v5      channel (1) │ data       0 stdin │ 1 stdout │ 2 stderr │ 3 error │ 4 resize
//!                         v5      255 (1) │ channel (1): that one is closed
//! base64.channel.k8s.io        channel, a digit │ data in Base64
//! port-forward                 channel 2n data, 2n + 1 errors of the nth port; the first of each is the port, two bytes, lowest first
//! ```

use crate::decode::packed::payload;
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Direction, Node, Unit, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// The subprotocols, but of port-forward.
pub(in crate::decode) const NAMES: &[&str] = &[
    "channel.k8s.io",
    "v2.channel.k8s.io",
    "v3.channel.k8s.io",
    "v4.channel.k8s.io",
    "v5.channel.k8s.io",
    "base64.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "portforward.k8s.io",
    "v4.portforward.k8s.io",
];

/// The channels of exec and attach.
const CHANNELS: [&str; 5] = ["stdin", "stdout", "stderr", "error", "resize"];

/// What stands before the number of a channel that is closed.
const CLOSE: u8 = 0xff;

/// Channels whose port is remembered.
const PORTS: u8 = 64;

/// Only the subprotocol says what it is.
pub(in crate::decode) fn claims(_: &Hints, _: &Said<'_>) -> Confidence {
    Confidence::No
}

pub(in crate::decode) fn open(hints: &Hints) -> Box<dyn Decode> {
    let name = hints.subprotocol.as_deref().unwrap_or_default();
    let forwards = name.contains("portforward") || hints.path.ends_with("/portforward");
    Box::new(Kubernetes { is_base64: name.contains("base64"), forwards, begun: 0 })
}

#[derive(Clone)]
struct Kubernetes {
    is_base64: bool,
    /// The channels are of ports.
    forwards: bool,
    /// A bit for each channel of a port that said which.
    begun: u64,
}

impl Decode for Kubernetes {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (first, rest) = said.bytes.split_first()?;
        let (channel, data): (u8, Cow<'m, [u8]>) = if self.is_base64 {
            (first.checked_sub(b'0').filter(|channel| *channel < 10)?, STANDARD.decode(rest).ok()?.into())
        } else {
            (*first, rest.into())
        };
        let node = |value| Node::at(value, 1..said.bytes.len());
        if channel == CLOSE {
            let closed = *data.first().filter(|_| data.len() == 1)?;
            let name = self.name(closed)?;
            let tree = map([("type", Value::text("close").into()), ("channel", node(Value::text(name.clone())))]);
            return Some(vec![Unit { event: Some("close".into()), ..Unit::new(format!("close {name}"), tree) }]);
        }
        let name = self.name(channel)?;
        let value = match self.port(said, channel, &data) {
            Some(port) => Value::Int(port.into()),
            None => match data {
                Cow::Borrowed(data) => payload(data),
                Cow::Owned(data) => payload(&data).into_owned(),
            },
        };
        let is_json = matches!(value, Value::Json(_));
        if channel == 4 && !self.forwards && !is_json {
            return None;
        }
        let channel = Node::at(Value::text(name.clone()), 0..1);
        let tree = map([("channel", channel), ("data", node(value.clone()))]);
        Some(vec![Unit { event: Some(name.clone().into()), said: Some(value), ..Unit::new(name, tree) }])
    }
}

impl Kubernetes {
    fn name(&self, channel: u8) -> Option<String> {
        if self.forwards {
            let kind = if channel.is_multiple_of(2) { "data" } else { "error" };
            return Some(format!("{kind} {}", channel / 2));
        }
        CHANNELS.get(usize::from(channel)).map(|name| (*name).to_owned())
    }

    /// The port that the server says first on a channel.
    fn port(&mut self, said: &Said<'_>, channel: u8, data: &[u8]) -> Option<u16> {
        let is_first =
            said.dir == Direction::ToClient && self.forwards && channel < PORTS && self.begun & (1 << channel) == 0;
        if !is_first {
            return None;
        }
        self.begun |= 1 << channel;
        data.try_into().ok().map(u16::from_le_bytes)
    }
}
